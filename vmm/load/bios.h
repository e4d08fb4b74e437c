/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The BIOS of guests that start in real mode: what its code and ours share. */
#ifndef VMM_LOAD_BIOS_H
#define VMM_LOAD_BIOS_H

/*
 * bios.S is copied to GUEST_BIOS_BASE of every VM. Only a guest that is entered
 * by it, at BIOS_ENTRY, knows: it sets up the interrupt vectors, the 8259s and
 * the timer, and goes on to the kernel of struct bios_params. Offsets are from
 * GUEST_BIOS_BASE, whose real-mode segment is BIOS_SEGMENT.
 */
#define BIOS_SEGMENT	  0xf000
#define BIOS_ENTRY	  0
#define BIOS_PARAMS	  8
#define BIOS_MEMORY_MAX	  16

/* Of struct bios_params, for bios.S. */
#define BIOS_PARAM_IP	  0
#define BIOS_PARAM_CS	  2
#define BIOS_PARAM_DS	  4
#define BIOS_PARAM_SP	  6
#define BIOS_PARAM_15M	  8
#define BIOS_PARAM_HIGH	  10
#define BIOS_PARAM_COUNT  12
#define BIOS_PARAM_MEMORY 16
#define BIOS_MEMORY_SIZE  20

#ifndef __ASSEMBLER__
#include "lib/types.h"

/* INT 15h, AX=E820h: an address range descriptor (ACPI 6.4, table 15.375). */
struct bios_memory {
	uint64_t base, size;
	uint32_t type;
} PACKED;

struct bios_params {
	uint16_t ip, cs;   /* where the kernel is entered, */
	uint16_t ds, sp;   /* with all other segments, and its stack */
	uint16_t kib_15m;  /* RAM between 1 and 16 MiB, in KiB */
	uint16_t high_64k; /* and from 16 MiB to 4 GiB, in 64 KiB */
	uint32_t memory_count;
	struct bios_memory memory[BIOS_MEMORY_MAX];
} PACKED;

_Static_assert(sizeof(struct bios_memory) == BIOS_MEMORY_SIZE, "bios.S");
_Static_assert(offsetof(struct bios_params, cs) == BIOS_PARAM_CS, "bios.S");
_Static_assert(offsetof(struct bios_params, ds) == BIOS_PARAM_DS, "bios.S");
_Static_assert(offsetof(struct bios_params, sp) == BIOS_PARAM_SP, "bios.S");
_Static_assert(offsetof(struct bios_params, kib_15m) == BIOS_PARAM_15M,
	       "bios.S");
_Static_assert(offsetof(struct bios_params, high_64k) == BIOS_PARAM_HIGH,
	       "bios.S");
_Static_assert(offsetof(struct bios_params, memory_count) == BIOS_PARAM_COUNT,
	       "bios.S");
_Static_assert(offsetof(struct bios_params, memory) == BIOS_PARAM_MEMORY,
	       "bios.S");

extern const uint8_t bios_image[], bios_image_end[];
#endif

#endif
