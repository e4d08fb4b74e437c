/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A guest's memory map, as a BIOS would report it (E820). */
#ifndef VMM_LOAD_MEMMAP_H
#define VMM_LOAD_MEMMAP_H

#include "vmm/dev/guest_mem.h"

/* Two more than ranges, where one is cut; plus what is reserved. */
#define MEMMAP_MAX (GUEST_RANGES_MAX + 2 + 4)

enum memmap_type {
	MEMMAP_RAM = 1,
	MEMMAP_RESERVED = 2
};

struct memmap {
	unsigned count;
	struct memmap_entry {
		uint64_t start, size;
		uint32_t type; /* enum memmap_type: E820's numbers */
	} entries[MEMMAP_MAX];
};

/* Ascending, no overlap; adjoining RAM is one entry. RAM where vmm/layout.h
 * has something else is left out. */
void memmap_build(const struct guest_mem *mem, struct memmap *map);

#endif
