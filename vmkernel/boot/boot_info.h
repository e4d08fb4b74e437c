/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a boot protocol hands us, whichever it was. */
#ifndef VMKERNEL_BOOT_BOOT_INFO_H
#define VMKERNEL_BOOT_BOOT_INFO_H

#include "vmkernel/mm/mm.h"

struct boot_info {
	struct mm_boot_map map;
	hpa_t rsdp; /* 0: not given */
	hpa_t bundle;
	uint64_t bundle_size; /* 0: no module was given */
};

/* A region that the loader calls RAM; an empty one, and what does not fit, is
 * left out. */
void boot_info_add_ram(struct boot_info *info, uint64_t base, uint64_t size);
/* Not to be handed out. */
void boot_info_reserve(struct boot_info *info, hpa_t base, uint64_t size);
/* The bundle is the first module: reserves it. */
void boot_info_set_bundle(struct boot_info *info, uint64_t base, uint64_t size);
/* Once all is in: NULL, or what is wrong with it. */
const char *boot_info_check(const struct boot_info *info);

#endif
