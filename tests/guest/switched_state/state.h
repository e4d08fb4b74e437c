/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The registers of a CPU that no exit saves by itself, as one pattern. */
#ifndef GUEST_SWITCHED_STATE_H
#define GUEST_SWITCHED_STATE_H

#include "lib/types.h"

/* What is compared apart, each with a counter of its own. */
enum state_part {
	STATE_X87,
	STATE_XMM,
	STATE_MXCSR,
	STATE_YMM,
	STATE_XCR0,
	STATE_DR,
	STATE_CR2,
	STATE_CR8,
	STATE_TSC_AUX,
	STATE_RDTSCP,
	STATE_BASES,
	STATE_SYSCALL,
	STATE_SYSENTER,
	STATE_PARTS
};

extern const char *const state_names[STATE_PARTS];

/* Turns XSAVE on for this CPU. */
void state_init_cpu(void);
/* Puts a pattern made of seed into every register; into the vector and x87
 * registers of CPU cpu's own area, which is no other CPU's. */
void state_load(unsigned cpu, uint64_t seed);
/* Adds one to differs[part] for each part that is not seed's any more. */
void state_compare(unsigned cpu, uint64_t seed,
		   volatile unsigned differs[STATE_PARTS]);

#endif
