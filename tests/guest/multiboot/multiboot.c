/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a Multiboot 1 kernel is told: command line, module, memory. */
#include "tests/guest/lib/payload.h"
#include "tests/guest/lib/x86.h"

/* Multiboot Specification 0.6.96, 3.3. */
#define BOOT_MAGIC   0x2badb002
#define INFO_MEMORY  (1u << 0)
#define INFO_CMDLINE (1u << 2)
#define INFO_MODULES (1u << 3)
#define INFO_MEMMAP  (1u << 6)
#define INFO_LOADER  (1u << 9)
#define INFO_WANTED \
	(INFO_MEMORY | INFO_CMDLINE | INFO_MODULES | INFO_MEMMAP | INFO_LOADER)

struct info {
	uint32_t flags, mem_lower, mem_upper, boot_device;
	uint32_t cmdline, module_count, modules;
	uint32_t symbols[4];
	uint32_t memmap_size, memmap;
	uint32_t drives_size, drives, config_table, loader_name;
};

struct module {
	uint32_t start, end, string, reserved;
};

struct memmap_entry {
	uint32_t size; /* of the rest */
	uint64_t start, length;
	uint32_t type;
} PACKED;

/* What tests/system/test_boot.py gives the VM. */
#define MEMORY_SIZE MiB(64)
#define MODULE_SIZE 100001u

static const struct info *info;

static bool equal(uint32_t text, const char *want)
{
	const char *at = (const char *)(uintptr_t)text;

	while (*at == *want && *want) {
		at++;
		want++;
	}
	return *at == *want;
}

static void check_module(void)
{
	const struct module *module =
		(const struct module *)(uintptr_t)info->modules;
	const uint8_t *bytes;
	unsigned good = 0;

	payload_check_equal("modules", info->module_count, 1);
	if (info->module_count != 1)
		return;
	payload_check_equal("  its size", module->end - module->start,
			    MODULE_SIZE);
	payload_check_equal("  on a page of its own", module->start % PAGE_SIZE,
			    0);
	CHECK("  behind the kernel",
	      module->start >= (uint64_t)payload_image_end);
	CHECK("  its name is the file's", equal(module->string, "module.bin"));
	bytes = (const uint8_t *)(uintptr_t)module->start;
	while (good < MODULE_SIZE &&
	       bytes[good] == (uint8_t)(good * 7 + (good >> 8)))
		good++;
	payload_check_equal("  its bytes", good, MODULE_SIZE);
}

static void check_memmap(void)
{
	uint64_t ram = 0;
	unsigned at = 0;

	while (at < info->memmap_size) {
		const struct memmap_entry *e =
			(const struct memmap_entry *)(uintptr_t)(info->memmap +
								 at);

		if (e->type == 1)
			ram += e->length;
		at += e->size + sizeof(e->size);
	}
	payload_check_equal("memory map: its size", at, info->memmap_size);
	/* 640 KiB to 1 MiB are not RAM; nothing else is missing. */
	payload_check_equal("  RAM in all", ram, MEMORY_SIZE - KiB(384));
	payload_check_equal("lower memory", info->mem_lower, 640);
	payload_check_equal("upper memory", info->mem_upper,
			    (MEMORY_SIZE - MiB(1)) >> 10);
}

void payload_main(void)
{
	payload_check_equal("magic", multiboot_magic, BOOT_MAGIC);
	info = (const struct info *)(uintptr_t)multiboot_info;
	payload_check_equal("flags", info->flags & INFO_WANTED, INFO_WANTED);
	if ((info->flags & INFO_WANTED) != INFO_WANTED)
		return;
	CHECK("command line", equal(info->cmdline, "kind=1 quiet  two=2"));
	CHECK("loader name", equal(info->loader_name, "Sluice"));
	check_module();
	check_memmap();
}
