/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Nested page tables: guest-physical to host-physical. */
#ifndef VMM_NPT_H
#define VMM_NPT_H

#include "lib/types.h"

/* Four levels for either vendor; cpu_ops encodes the entries. */
struct npt {
	hpa_t root;
};

/* 0 or -ENOMEM. */
int npt_init(struct npt *npt);
/* All three 4 KiB-aligned; maps in the largest pages that fit. 0 or -ENOMEM. */
int npt_map(struct npt *npt, gpa_t gpa, hpa_t hpa, uint64_t size,
	    unsigned rights);

#endif
