/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a boot protocol hands us: gathered, and checked as a whole. */
#include "vmkernel/boot/boot_info.h"

#include "plat/plat.h"

void boot_info_add_ram(struct boot_info *info, uint64_t base, uint64_t size)
{
	struct mm_boot_map *map = &info->map;

	if (!size || base + size < base)
		return;
	/* A page frame belongs to one region, or the allocator would have it
	 * twice: of two that overlap the first one counts. */
	for (unsigned i = 0; i < map->ram_count; i++) {
		const struct mm_region *r = &map->ram[i];

		if (base < r->base.v + r->size && r->base.v < base + size) {
			log_warn("boot",
				 "memory map: RAM at 0x%lx overlaps other RAM "
				 "and is not used",
				 base);
			return;
		}
	}
	if (map->ram_count == MM_REGIONS_MAX) {
		log_warn("boot",
			 "memory map has over %u RAM regions, the rest is not "
			 "used",
			 MM_REGIONS_MAX);
		return;
	}
	map->ram[map->ram_count++] = (struct mm_region){HPA(base), size};
}

void boot_info_reserve(struct boot_info *info, hpa_t base, uint64_t size)
{
	struct mm_boot_map *map = &info->map;

	/* One is mm_init()'s. */
	ASSERT(map->reserved_count + 1 < ARRAY_SIZE(map->reserved));
	map->reserved[map->reserved_count++] =
		(struct mm_region){.base = base, .size = size};
}

void boot_info_set_bundle(struct boot_info *info, uint64_t base, uint64_t size)
{
	info->bundle = HPA(base);
	info->bundle_size = size;
	info->map.bundle_bytes = size;
	if (size)
		boot_info_reserve(info, info->bundle, size);
}

/* Regions may adjoin: the range must be covered, by however many. */
static bool boot_info_is_ram(const struct mm_boot_map *map, uint64_t at,
			     uint64_t end)
{
	while (at < end) {
		uint64_t next = at;

		for (unsigned i = 0; i < map->ram_count; i++) {
			const struct mm_region *r = &map->ram[i];

			if (at >= r->base.v && at - r->base.v < r->size)
				next = r->base.v + r->size;
		}
		if (next == at)
			return false;
		at = next;
	}
	return true;
}

const char *boot_info_check(const struct boot_info *info)
{
	uint64_t bundle = info->bundle.v;

	if (!info->map.ram_count)
		return "the boot loader's memory map has no RAM";
	if (!info->bundle_size)
		return NULL; /* said where the bundle is opened */
	if (bundle + info->bundle_size < bundle ||
	    !boot_info_is_ram(&info->map, bundle, bundle + info->bundle_size))
		return "the boot module does not lie in RAM";
	return NULL;
}
