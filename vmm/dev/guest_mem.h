/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Guest-physical memory: the only way to reach it. */
#ifndef VMM_DEV_GUEST_MEM_H
#define VMM_DEV_GUEST_MEM_H

#include <string.h>

#include "lib/types.h"

#define GUEST_RANGES_MAX 8

/* RAM ranges, sorted by gpa, not overlapping; fixed while the VM exists. */
struct guest_mem {
	unsigned count;
	struct guest_range {
		gpa_t gpa;
		uint64_t size;
		uint8_t *hva;
	} ranges[GUEST_RANGES_MAX];
};

/* Host address of [gpa, gpa + len), or NULL unless all of it is RAM in one
 * range. len 0 is NULL. What is found there may change at any moment: copy,
 * then check. */
void *guest_range(const struct guest_mem *mem, gpa_t gpa, uint64_t len);

/* The same for as much of [gpa, gpa + *len) as lies in gpa's range: *len, not
 * 0, becomes what there is. NULL: gpa is no RAM. */
void *guest_piece(const struct guest_mem *mem, gpa_t gpa, uint64_t *len);

/* 0 or -EFAULT (nothing copied). May cross ranges that adjoin. */
int guest_read(const struct guest_mem *mem, gpa_t gpa, void *to, size_t len);
int guest_write(const struct guest_mem *mem, gpa_t gpa, const void *from,
		size_t len);

/* -ENOSPC when the table is full; -EINVAL: empty, past the end of the address
 * space, or over another range. */
int guest_mem_add(struct guest_mem *mem, gpa_t gpa, uint64_t size, void *hva);

/* Takes a private copy of what guest_range() found. The barrier keeps the
 * compiler from going back to the guest's memory for a value that has been
 * checked in the copy. */
static inline void guest_copy(void *to, const void *from, size_t len)
{
	memcpy(to, from, len);
	__asm__ volatile("" ::: "memory");
}

#endif
