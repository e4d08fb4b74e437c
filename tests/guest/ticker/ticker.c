/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Says "tick N" ten times a second, and sleeps in between. */
#include "tests/guest/lib/apic.h"
#include "tests/guest/lib/payload.h"
#include "tests/guest/lib/trap.h"
#include "tests/guest/lib/x86.h"

#define VECTOR_TIMER 0x40
#define PERIOD_NS    100000000u

static volatile unsigned ticks;

static void on_timer(const struct trap_frame *frame)
{
	ticks++;
	apic_eoi();
}

/* A neighbour whose progress shows, or a VM that leaves its CPUs idle. */
void payload_main(void)
{
	unsigned said = 0;

	trap_on_interrupt(VECTOR_TIMER, on_timer);
	apic_enable(true);
	apic_write(APIC_TIMER_DIV, DIVIDE_BY_1);
	apic_write(APIC_LVT_TIMER, LVT_PERIODIC | VECTOR_TIMER);
	apic_write(APIC_TIMER_INIT, PERIOD_NS);
	for (;;) {
		x86_sti_hlt();
		while (said != ticks)
			payload_log("tick %u", ++said);
	}
}
