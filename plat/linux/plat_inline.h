/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The inline part of the plat contract in a Linux process. */
#ifndef PLAT_INLINE_H
#define PLAT_INLINE_H

#include "lib/types.h"

/* Time-stamp counter, cycles. */
static inline uint64_t plat_cycles(void)
{
	return __builtin_ia32_rdtsc();
}

/* The "CPU" that this thread plays; 0 unless plat_linux_set_cpu() said else. */
extern _Thread_local unsigned plat_linux_cpu;

static inline unsigned plat_cpu(void)
{
	return plat_linux_cpu;
}

static inline void plat_relax(void)
{
	__builtin_ia32_pause();
}

#endif
