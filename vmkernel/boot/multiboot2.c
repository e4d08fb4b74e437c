/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reads the Multiboot 2 boot information (Multiboot 2 Specification 2.0, 3.6).
 */
#include "vmkernel/boot/multiboot2.h"

#include <string.h>

#include "plat/plat.h"

#define MB2_TAG_ALIGN  8
#define MB2_SIZE_MAX   MiB(1) /* a memory map of 64 entries needs 1.5 KiB */
#define MB2_END	       0
#define MB2_MODULE     3
#define MB2_MEMORY_MAP 6
#define MB2_ACPI_OLD   14
#define MB2_ACPI_NEW   15
#define MB2_RAM	       1
#define RSDP_OLD_SIZE  20 /* ACPI 6.4, 5.2.5.3 */
#define RSDP_NEW_SIZE  36

struct mb2_header {
	uint32_t total_size; /* with this */
	uint32_t reserved;
};

struct mb2_tag {
	uint32_t type;
	uint32_t size; /* with this, without padding */
};

struct mb2_module {
	uint32_t start, end; /* then a string */
};

struct mb2_memory_map {
	uint32_t entry_size; /* a multiple of 8 */
	uint32_t version;
};

struct mb2_memory_entry {
	uint64_t base, size;
	uint32_t type, reserved;
};
_Static_assert(sizeof(struct mb2_memory_entry) == 24, "Multiboot 2, 3.6.8");

static const char *mb2_memory_map(const uint8_t *body, uint64_t size,
				  struct boot_info *info)
{
	struct mb2_memory_map map;

	if (size < sizeof(map))
		return "the boot loader's memory map is cut off";
	memcpy(&map, body, sizeof(map));
	if (map.entry_size < sizeof(struct mb2_memory_entry))
		return "the boot loader's memory map is of no known form";
	for (uint64_t at = sizeof(map); size - at >= map.entry_size;
	     at += map.entry_size) {
		struct mb2_memory_entry entry;

		memcpy(&entry, body + at, sizeof(entry));
		if (entry.type == MB2_RAM)
			boot_info_add_ram(info, entry.base, entry.size);
	}
	return NULL;
}

static const char *mb2_module(const uint8_t *body, uint64_t size,
			      struct boot_info *info)
{
	struct mb2_module module;

	if (size < sizeof(module))
		return "the boot loader's module entry is cut off";
	memcpy(&module, body, sizeof(module));
	if (module.end < module.start)
		return "the boot module ends before it starts";
	if (info->bundle_size) {
		log_warn("boot", "more than one module: the first is used");
		return NULL;
	}
	boot_info_set_bundle(info, module.start, module.end - module.start);
	return NULL;
}

const char *multiboot2_parse(const void *data, uint64_t limit, hpa_t at,
			     struct boot_info *info)
{
	const uint8_t *bytes = data;
	struct mb2_header header;
	uint64_t offset = sizeof(header);
	bool mapped = false, rsdp_new = false;

	if (limit < sizeof(header))
		return "the boot loader's information lies too high";
	memcpy(&header, bytes, sizeof(header));
	if (header.total_size < sizeof(header) ||
	    header.total_size > MIN(limit, MB2_SIZE_MAX))
		return "the boot loader's information has an impossible size";
	for (;;) {
		const uint8_t *body = bytes + offset + sizeof(struct mb2_tag);
		const char *why = NULL;
		struct mb2_tag tag;
		uint64_t size;

		if (offset + sizeof(tag) > header.total_size)
			return "the boot loader's information has no end";
		memcpy(&tag, bytes + offset, sizeof(tag));
		if (tag.size < sizeof(tag) ||
		    tag.size > header.total_size - offset)
			return "the boot loader's information is broken";
		size = tag.size - sizeof(tag);
		switch (tag.type) {
		case MB2_END:
			if (!mapped)
				return "the boot loader gives no memory map";
			/* The copy of the RSDP is read later on. */
			boot_info_reserve(info, at, header.total_size);
			return boot_info_check(info);
		case MB2_MODULE:
			why = mb2_module(body, size, info);
			break;
		case MB2_MEMORY_MAP:
			if (!mapped)
				why = mb2_memory_map(body, size, info);
			mapped = true;
			break;
		case MB2_ACPI_OLD:
			if (size >= RSDP_OLD_SIZE && !rsdp_new)
				info->rsdp = HPA(at.v + offset + sizeof(tag));
			break;
		case MB2_ACPI_NEW:
			if (size >= RSDP_NEW_SIZE) {
				info->rsdp = HPA(at.v + offset + sizeof(tag));
				rsdp_new = true;
			}
			break;
		}
		if (why)
			return why;
		offset += ALIGN_UP((uint64_t)tag.size, MB2_TAG_ALIGN);
	}
}
