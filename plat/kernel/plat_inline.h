/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The inline part of the plat contract on bare metal. */
#ifndef PLAT_INLINE_H
#define PLAT_INLINE_H

#include "lib/types.h"

/* Time-stamp counter, cycles. */
static inline uint64_t plat_cycles(void)
{
	uint32_t lo, hi;

	__asm__ volatile("rdtsc" : "=a"(lo), "=d"(hi));
	return (uint64_t)hi << 32 | lo;
}

/* This CPU's index, 0 to plat_cpu_count() - 1; struct cpu keeps it at
 * offset 8 (vmkernel/cpu/cpu.h asserts it). */
static inline unsigned plat_cpu(void)
{
	uint32_t index;

	__asm__ volatile("movl %%gs:8, %0" : "=r"(index));
	return index;
}

static inline void plat_relax(void)
{
	__asm__ volatile("pause" ::: "memory");
}

#endif
