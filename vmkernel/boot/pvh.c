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

extern char image_start[], image_end[];

static void pvh_reserve(struct mm_boot_map *map, hpa_t base, uint64_t size)
{
	if (map->reserved_count == ARRAY_SIZE(map->reserved))
		plat_panic("boot: too many reserved regions");
	map->reserved[map->reserved_count++] =
		(struct mm_region){.base = base, .size = size};
}

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
	struct mm_boot_map *map = &info->map;

	if (si->magic != PVH_MAGIC || si->version < 1 || !si->memmap_count)
		plat_panic(
			"boot: no PVH start info with a memory map; start "
			"Sluice with 'qemu -kernel' of version 4.0 or later");
	info->rsdp = HPA(si->rsdp);

	memmap = pvh_table(si->memmap, si->memmap_count * sizeof(*memmap));
	for (uint32_t i = 0; i < si->memmap_count; i++) {
		if (memmap[i].type != PVH_RAM)
			continue;
		if (map->ram_count == MM_REGIONS_MAX) {
			log_warn("boot",
				 "memory map has over %u RAM regions, "
				 "the rest is not used",
				 MM_REGIONS_MAX);
			break;
		}
		map->ram[map->ram_count++] = (struct mm_region){
			HPA(memmap[i].address), memmap[i].size};
	}

	pvh_reserve(map, HPA(0), MiB(1)); /* BIOS data, trampoline */
	pvh_reserve(map, virt_to_phys(image_start),
		    (uint64_t)(image_end - image_start));
	if (si->module_count) {
		module = pvh_table(si->modules, sizeof(*module));
		info->bundle = HPA(module->address);
		info->bundle_size = module->size;
		pvh_reserve(map, info->bundle, info->bundle_size);
	}
}
