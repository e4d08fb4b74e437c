/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reads the PVH start info (Xen, public/arch-x86/hvm/start_info.h). */
#include "vmkernel/boot/pvh.h"

#include "plat/plat.h"

#define PVH_MAGIC     0x336ec578u
#define PVH_RAM	      1
#define PVH_LOW_LIMIT GiB(4) /* what the boot page tables map */

/* The ABI asks for no alignment of the tables: packed. */
struct hvm_start_info {
	uint32_t magic;
	uint32_t version; /* 1 and up: memmap is there */
	uint32_t flags;
	uint32_t module_count;
	uint64_t modules;
	uint64_t cmdline;
	uint64_t rsdp;
	uint64_t memmap;
	uint32_t memmap_count;
	uint32_t reserved;
} PACKED;
_Static_assert(sizeof(struct hvm_start_info) == 56, "ABI");

struct hvm_module {
	uint64_t address, size, cmdline, reserved;
} PACKED;
_Static_assert(sizeof(struct hvm_module) == 32, "ABI");

struct hvm_memmap {
	uint64_t address, size;
	uint32_t type, reserved;
} PACKED;
_Static_assert(sizeof(struct hvm_memmap) == 24, "ABI");

static const void *pvh_table(uint64_t address, uint64_t size)
{
	if (address == 0 || address >= PVH_LOW_LIMIT ||
	    size > PVH_LOW_LIMIT - address)
		plat_panic("boot: start info points above 4 GiB");
	return phys_to_virt(HPA(address));
}

void pvh_parse(hpa_t start_info, struct boot_info *info)
{
	const struct hvm_start_info *si = pvh_table(start_info.v, sizeof(*si));
	const struct hvm_memmap *memmap;
	const struct hvm_module *module;
	const char *why;

	if (si->magic != PVH_MAGIC || si->version < 1 || !si->memmap_count)
		plat_panic(
			"boot: no PVH start info with a memory map; start "
			"Sluice with 'qemu -kernel' of version 4.0 or later");
	info->rsdp = HPA(si->rsdp);

	memmap = pvh_table(si->memmap, si->memmap_count * sizeof(*memmap));
	for (uint32_t i = 0; i < si->memmap_count; i++)
		if (memmap[i].type == PVH_RAM)
			boot_info_add_ram(info, memmap[i].address,
					  memmap[i].size);
	if (si->module_count) {
		module = pvh_table(si->modules, sizeof(*module));
		boot_info_set_bundle(info, module->address, module->size);
	}
	why = boot_info_check(info);
	if (why)
		plat_panic("boot: %s", why);
}
