/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Exceptions of the VMkernel itself. */
#ifndef VMKERNEL_CPU_TRAPS_H
#define VMKERNEL_CPU_TRAPS_H

#include "vmkernel/cpu/desc.h"

/* As stubs.S pushes it. */
struct trap_frame {
	uint64_t r15, r14, r13, r12, r11, r10, r9, r8;
	uint64_t rbp, rdi, rsi, rdx, rcx, rbx, rax;
	uint64_t vector, error;
	uint64_t rip, cs, rflags, rsp, ss;
};

/* Fills the IDT, once; every CPU loads it. */
void traps_init(void);
void traps_load(void);
void trap_handle(struct trap_frame *frame);

#endif
