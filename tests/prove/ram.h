/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Stands in for guest_mem.c: all that range_proof.c shows of it, no more. */
#ifndef RAM_H
#define RAM_H

#include "tests/prove/any.h"

/* How often a buffer may run from one range into the next: each piece that
 * ends early ends with its range (range_proof.c), so the next one starts in a
 * higher range. 1: as many as a VM of two ranges has. */
#ifndef RAM_SEAMS
#define RAM_SEAMS 1
#endif

static uint8_t *ram;
static uint64_t ram_size;
static unsigned ram_seams;

static inline void any_ram(void)
{
	ram_size = prove_any();
	prove_assume(ram_size <= SHARED_SIZE_MAX);
	ram = prove_shared(ram_size);
	ram_seams = 0;
}

/* The ranges' host addresses may be anywhere: any part of one piece of shared
 * memory of any size will do. */
static void *ram_find(uint64_t len)
{
	uint64_t offset = prove_any();

	prove_assume(offset <= ram_size && len <= ram_size - offset);
	return ram + offset;
}

void *guest_piece(const struct guest_mem *mem, gpa_t gpa, uint64_t *len)
{
	prove_check(*len, "nobody asks for a piece of no bytes");
	if (prove_any() & 1)
		return NULL;
	if (prove_any() & 1) {
		uint64_t piece = prove_any();

		prove_assume(piece && piece < *len);
		prove_assume(ram_seams++ < RAM_SEAMS);
		*len = piece;
	} else {
		ram_seams = 0;
	}
	return ram_find(*len);
}

void *guest_range(const struct guest_mem *mem, gpa_t gpa, uint64_t len)
{
	return len && (prove_any() & 1) ? ram_find(len) : NULL;
}

#endif
