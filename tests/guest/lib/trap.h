/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Exceptions and interrupts in a payload kernel: catch, look, carry on. */
#ifndef GUEST_TRAP_H
#define GUEST_TRAP_H

#include "lib/types.h"

#define KERNEL_CS  0x08
#define KERNEL_DS  0x10
#define USER_CS	   0x23
#define ABSENT_DS  0x30 /* a descriptor that is not present */

/* How code in ring 3 ends without an exception: int $TRAP_LEAVE. */
#define TRAP_LEAVE 0x80

/* What the stubs push, lowest address first. */
struct trap_frame {
	uint64_t r15, r14, r13, r12, r11, r10, r9, r8;
	uint64_t rdi, rsi, rbp, rbx, rdx, rcx, rax;
	uint64_t vector, error;
	uint64_t rip, cs, rflags, rsp, ss; /* by the CPU */
};

/* One exception, as it was when it arrived. */
struct trap {
	unsigned vector;
	uint64_t error, rip, cs, cr2, dr6, rsp;
};

#define TRAP_LOG_MAX 8
extern struct trap trap_log[TRAP_LOG_MAX];
extern unsigned trap_count; /* entries of trap_log */

void trap_init(void); /* makes and loads the IDT */
void trap_load(void); /* loads it on another CPU */
/* present false: using the vector is a #NP. */
void trap_set_gate(unsigned vector, bool present);
/* The interrupt stack that the vector's delivery switches to; 0: none. */
void trap_set_ist(unsigned vector, unsigned ist);

/*
 * Runs fn in ring 0, or in ring 3 when user. The first exception that no hook
 * returns from ends it and is returned; NULL when fn came back by itself.
 */
const struct trap *trap_catch(void (*fn)(void), bool user);
/* Called for each exception while something is caught, first thing; may fault
 * itself. NULL: none. */
extern void (*trap_hook)(struct trap_frame *frame);

/* From now on the vector is an interrupt: fn is called, the frame resumed. */
void trap_on_interrupt(unsigned vector,
		       void (*fn)(const struct trap_frame *frame));

#endif
