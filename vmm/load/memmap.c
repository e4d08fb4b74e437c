/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Builds the memory map of a guest. */
#include "vmm/load/memmap.h"

#include "vmm/layout.h"

/* Where RAM may be. */
static const struct {
	uint64_t start, end;
} memmap_windows[] = {
	{0, GUEST_LOW_RAM_END},
	{GUEST_MAIN_RAM_BASE, GUEST_LOW_MAX},
	{GUEST_HIGH_BASE, UINT64_MAX},
};

/* What a guest must keep its hands off. Linux wants the ECAM here, or it does
 * not use it before it has ACPI. */
static const struct {
	uint64_t start, end;
} memmap_reserved[] = {
	{GUEST_LOW_RAM_END, GUEST_MAIN_RAM_BASE},
	{GUEST_ECAM_BASE, GUEST_ECAM_BASE + GUEST_ECAM_SIZE},
	{GUEST_IOAPIC_BASE, GUEST_IOAPIC_BASE + PAGE_SIZE},
	{GUEST_LAPIC_BASE, GUEST_LAPIC_BASE + PAGE_SIZE},
};

static void memmap_add(struct memmap *map, uint64_t start, uint64_t end,
		       uint32_t type)
{
	unsigned at = map->count;

	if (type == MEMMAP_RAM && at > 0) {
		struct memmap_entry *last = &map->entries[at - 1];

		if (last->start + last->size == start) {
			last->size += end - start;
			return;
		}
	}
	if (map->count == MEMMAP_MAX)
		return;
	for (; at > 0 && map->entries[at - 1].start > start; at--)
		map->entries[at] = map->entries[at - 1];
	map->entries[at] = (struct memmap_entry){start, end - start, type};
	map->count++;
}

void memmap_build(const struct guest_mem *mem, struct memmap *map)
{
	map->count = 0;
	for (unsigned i = 0; i < mem->count; i++)
		for (unsigned w = 0; w < ARRAY_SIZE(memmap_windows); w++) {
			const struct guest_range *range = &mem->ranges[i];
			uint64_t start =
				MAX(range->gpa.v, memmap_windows[w].start);
			uint64_t end = MIN(range->gpa.v + range->size,
					   memmap_windows[w].end);

			if (start < end)
				memmap_add(map, start, end, MEMMAP_RAM);
		}
	for (unsigned i = 0; i < ARRAY_SIZE(memmap_reserved); i++)
		memmap_add(map, memmap_reserved[i].start,
			   memmap_reserved[i].end, MEMMAP_RESERVED);
}
