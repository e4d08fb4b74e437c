/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The ACPI power management timer: a free-running counter behind one port. */
#include "vmm/dev/pmtimer.h"

#include "plat/plat.h"

#define NS_PER_S     1000000000u
#define PMTIMER_MASK 0xffffffu

void pmtimer_reset(struct pmtimer *timer)
{
	timer->start_ns = plat_now_ns();
}

uint32_t pmtimer_read(const struct pmtimer *timer, unsigned offset,
		      unsigned size)
{
	uint64_t ns = plat_now_ns() - timer->start_ns;
	/* In two parts: 64 bits of the product are reached in 86 minutes. */
	uint64_t ticks = ns / NS_PER_S * PMTIMER_HZ +
			 ns % NS_PER_S * PMTIMER_HZ / NS_PER_S;
	uint64_t ones_above = 0xffffffffull << 32;

	return (uint32_t)(((ticks & PMTIMER_MASK) | ones_above) >> 8 * offset) &
	       (uint32_t)((1ull << 8 * size) - 1);
}
