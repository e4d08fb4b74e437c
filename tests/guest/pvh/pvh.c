/* SPDX-License-Identifier: GPL-2.0-or-later */
/* An ELF kernel with a PVH note: entry state, start info, what it leads to. */
#include <string.h>

#include "tests/guest/lib/payload.h"
#include "tests/guest/lib/x86.h"

/* Xen: docs/misc/pvh.pandoc, public/arch-x86/hvm/start_info.h. */
#define START_MAGIC 0x336ec578

struct start_info {
	uint32_t magic, version, flags, module_count;
	uint64_t modules, cmdline, rsdp, memmap;
	uint32_t memmap_count, reserved;
};

struct module {
	uint64_t start, size, cmdline, reserved;
};

struct memmap_entry {
	uint64_t start, size;
	uint32_t type, reserved;
};

/* ACPI 6.4, 5.2.5.3. */
struct rsdp {
	char signature[8];
	uint8_t checksum;
	char oem[6];
	uint8_t revision;
	uint32_t rsdt, length;
	uint64_t xsdt;
	uint8_t extended_checksum, reserved[3];
} PACKED;

#define MEMMAP_RAM  1
#define CR0_PE	    (1u << 0)
#define CR0_PG	    (1u << 31)
#define EFLAGS_TF   (1u << 8)
#define EFLAGS_IF   (1u << 9)
#define EFLAGS_VM   (1u << 17)
/* What tests/system/test_boot.py gives the VM. */
#define MEMORY_SIZE MiB(64)
#define MODULE_SIZE 100001u

extern const uint32_t pvh_cr0, pvh_cr4, pvh_eflags, pvh_entered;

static const struct start_info *info;
static const struct memmap_entry *memmap;

static uint8_t sum(const void *bytes, unsigned size)
{
	uint8_t value = 0;

	for (unsigned i = 0; i < size; i++)
		value = (uint8_t)(value + ((const uint8_t *)bytes)[i]);
	return value;
}

static bool equal(const void *a, const void *b, size_t size)
{
	for (size_t i = 0; i < size; i++)
		if (((const char *)a)[i] != ((const char *)b)[i])
			return false;
	return true;
}

/* Does the map call all of it usable RAM? */
static bool is_ram(uint64_t start, uint64_t size)
{
	for (unsigned i = 0; i < info->memmap_count; i++)
		if (memmap[i].type == MEMMAP_RAM && start >= memmap[i].start &&
		    start + size <= memmap[i].start + memmap[i].size)
			return true;
	return false;
}

static void check_entry(void)
{
	CHECK("entered by the note, not by Multiboot", pvh_entered);
	payload_check_equal("CR0.PE and PG", pvh_cr0 & (CR0_PE | CR0_PG),
			    CR0_PE);
	payload_check_equal("CR4", pvh_cr4, 0);
	payload_check_equal("EFLAGS.VM, IF and TF",
			    pvh_eflags & (EFLAGS_VM | EFLAGS_IF | EFLAGS_TF),
			    0);
}

static void check_cmdline(void)
{
	static const char want[] = "kind=pvh quiet  two=2";

	CHECK("command line",
	      equal((const char *)info->cmdline, want, sizeof(want)));
}

static void check_module(void)
{
	const struct module *module = (const struct module *)info->modules;
	const uint8_t *bytes;
	unsigned good = 0;

	payload_check_equal("modules", info->module_count, 1);
	if (info->module_count != 1)
		return;
	payload_check_equal("  its size", module->size, MODULE_SIZE);
	CHECK("  it is in RAM", is_ram(module->start, module->size));
	CHECK("  it is not in the kernel",
	      module->start >= (uint64_t)payload_image_end ||
		      module->start + module->size <= (uint64_t)payload_image);
	bytes = (const uint8_t *)module->start;
	while (good < MODULE_SIZE &&
	       bytes[good] == (uint8_t)(good * 7 + (good >> 8)))
		good++;
	payload_check_equal("  its bytes", good, MODULE_SIZE);
}

static void check_memmap(void)
{
	uint64_t ram = 0;
	bool ordered = true;

	CHECK("memory map: there", info->memmap && info->memmap_count);
	for (unsigned i = 0; i < info->memmap_count; i++) {
		if (i &&
		    memmap[i].start < memmap[i - 1].start + memmap[i - 1].size)
			ordered = false;
		if (memmap[i].type == MEMMAP_RAM)
			ram += memmap[i].size;
	}
	CHECK("  ascending, no overlap", ordered);
	CHECK("  the kernel is in RAM",
	      is_ram((uint64_t)payload_image,
		     (uint64_t)(payload_image_end - payload_image)));
	CHECK("  start info and command line are in RAM",
	      is_ram((uint64_t)info, sizeof(*info)) &&
		      is_ram(info->cmdline, 1));
	/* 640 KiB to 1 MiB are not RAM; nothing else is missing. */
	payload_check_equal("  RAM in all", ram, MEMORY_SIZE - KiB(384));
	/* And it is where the map says: the last byte holds what is put in. */
	*(volatile uint8_t *)(MEMORY_SIZE - 1) = 0xa5;
	payload_check_equal("  RAM ends where it should",
			    *(volatile uint8_t *)(MEMORY_SIZE - 1), 0xa5);
	CHECK("  and the map says so",
	      is_ram(MEMORY_SIZE - 1, 1) && !is_ram(MEMORY_SIZE, 1));
}

static void check_rsdp(void)
{
	const struct rsdp *rsdp = (const struct rsdp *)info->rsdp;

	CHECK("RSDP: signature", equal(rsdp->signature, "RSD PTR ", 8));
	payload_check_equal("  checksum", sum(rsdp, 20), 0);
	payload_check_equal("  revision", rsdp->revision, 2);
	payload_check_equal("  extended checksum", sum(rsdp, rsdp->length), 0);
	CHECK("  XSDT", equal((const char *)rsdp->xsdt, "XSDT", 4));
	CHECK("  nobody may take it for RAM",
	      !is_ram(info->rsdp, 1) && !is_ram(rsdp->xsdt, 1));
}

void payload_main(void)
{
	check_entry();
	info = (const struct start_info *)(uintptr_t)multiboot_info;
	payload_check_equal("start info: magic", info->magic, START_MAGIC);
	if (info->magic != START_MAGIC)
		return;
	CHECK("start info: version 1 or later", info->version >= 1);
	memmap = (const struct memmap_entry *)info->memmap;
	check_cmdline();
	check_module();
	check_memmap();
	check_rsdp();
}
