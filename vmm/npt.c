/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Nested page tables: guest-physical to host-physical. */
#include "vmm/npt.h"

#include <linux/errno.h>

#include "vmkernel/mm/mm.h"
#include "vmm/cpu_ops.h"

#define NPT_LEVELS 4
/* Both vendors keep the address in bits 51:12, and the leaf flag of a large
 * page in bit 7 (AMD APM 2, 5.4; Intel SDM 3C, 28.3.2). 0 is not present. */
#define NPT_ADDR   0x000ffffffffff000ull
#define NPT_LEAF   (1ull << 7)

int npt_init(struct npt *npt)
{
	npt->root = mm_alloc_pages(0, MM_KERNEL);
	return npt->root.v ? 0 : -ENOMEM;
}

static unsigned npt_index(uint64_t gpa, unsigned level)
{
	return gpa >> (PAGE_SHIFT + 9 * (level - 1)) & 511;
}

static int npt_map_page(struct npt *npt, uint64_t gpa, uint64_t hpa,
			unsigned level, unsigned rights)
{
	uint64_t *table = phys_to_virt(npt->root);

	for (unsigned l = NPT_LEVELS; l > level; l--) {
		uint64_t *entry = &table[npt_index(gpa, l)];

		if (!*entry) {
			hpa_t next = mm_alloc_pages(0, MM_KERNEL);

			if (!next.v)
				return -ENOMEM;
			*entry = cpu_ops->npt_table(next);
		}
		table = phys_to_virt(HPA(*entry & NPT_ADDR));
	}
	table[npt_index(gpa, level)] =
		cpu_ops->npt_leaf(HPA(hpa), level, rights);
	return 0;
}

int npt_map(struct npt *npt, gpa_t gpa, hpa_t hpa, uint64_t size,
	    unsigned rights)
{
	uint64_t from = gpa.v, to = hpa.v;

	while (size) {
		unsigned level = cpu_ops->npt_level_max();
		uint64_t page;
		int error;

		for (;; level--) {
			page = PAGE_SIZE << 9 * (level - 1);
			if (level == 1 ||
			    (!((from | to) & (page - 1)) && size >= page))
				break;
		}
		error = npt_map_page(npt, from, to, level, rights);
		if (error)
			return error;
		from += page;
		to += page;
		size -= page;
	}
	return 0;
}
