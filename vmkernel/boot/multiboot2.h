/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reads what a Multiboot 2 boot loader (GRUB) hands us. */
#ifndef VMKERNEL_BOOT_MULTIBOOT2_H
#define VMKERNEL_BOOT_MULTIBOOT2_H

#include "vmkernel/boot/boot_info.h"

/* In EAX at entry (Multiboot 2, 3.3). */
#define MULTIBOOT2_BOOT_MAGIC 0x36d76289u

/*
 * The information structure, of which limit bytes can be read, and where it
 * lies. NULL, or a sentence that says what is wrong with it.
 */
const char *multiboot2_parse(const void *data, uint64_t limit, hpa_t at,
			     struct boot_info *info);

#endif
