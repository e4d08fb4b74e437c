/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The ACPI power management timer: a free-running counter behind one port. */
#ifndef VMM_DEV_PMTIMER_H
#define VMM_DEV_PMTIMER_H

#include "lib/types.h"

/*
 * ACPI 6.4, 4.8.2.1: 24 bits at 3.579545 MHz, read-only, never stops. What a
 * guest without KVM's clock measures its TSC against. There is no status bit
 * and no interrupt for its wrapping: hardware-reduced ACPI has no place for
 * them. A guest sees this one only where it cannot be given the machine's own;
 * see machine_init().
 */
#define PMTIMER_HZ    3579545u
#define PMTIMER_PORTS 4u

struct pmtimer {
	uint64_t start_ns; /* when it was 0, by plat_now_ns() */
};

void pmtimer_reset(struct pmtimer *timer);
/* offset: port - base, below PMTIMER_PORTS; size 1, 2 or 4. Of an access that
 * goes beyond the register the rest reads as ones. Any CPU. */
uint32_t pmtimer_read(const struct pmtimer *timer, unsigned offset,
		      unsigned size);

#endif
