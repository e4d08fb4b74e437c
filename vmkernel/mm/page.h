/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Set-up of the page allocator, for paging.c. */
#ifndef VMKERNEL_MM_PAGE_H
#define VMKERNEL_MM_PAGE_H

#include "vmkernel/mm/mm.h"

/* orders: one byte for each of count page frames, reachable now. */
void page_init(uint8_t *orders, uint64_t count);
/* Hands the region to the allocator; partial pages are left out. */
void page_add(hpa_t base, uint64_t size);
/* Bytes in use already at boot. */
void page_account(uint64_t total, uint64_t kernel, uint64_t boot);

#endif
