/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the PVH boot protocol hands us. */
#ifndef VMKERNEL_BOOT_PVH_H
#define VMKERNEL_BOOT_PVH_H

#include "vmkernel/mm/mm.h"

struct boot_info {
	struct mm_boot_map map;
	hpa_t rsdp; /* 0: not given */
	hpa_t bundle;
	uint64_t bundle_size; /* 0: no module was given */
};

/* start_info: struct hvm_start_info. Panics where it is not one: there is
 * nothing to run without it. */
void pvh_parse(hpa_t start_info, struct boot_info *info);

#endif
