/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reads what the PVH boot protocol hands us. */
#ifndef VMKERNEL_BOOT_PVH_H
#define VMKERNEL_BOOT_PVH_H

#include "vmkernel/boot/boot_info.h"

/* start_info: struct hvm_start_info. Panics where it is not one: there is
 * nothing to run without it. */
void pvh_parse(hpa_t start_info, struct boot_info *info);

#endif
