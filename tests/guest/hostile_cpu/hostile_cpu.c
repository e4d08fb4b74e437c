/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A guest that does to its CPU what no manual allows. */
#include "tests/guest/hostile_cpu/hostile_cpu.h"

unsigned cpu_try(void (*fn)(void))
{
	const struct trap *trap = trap_catch(fn, false);

	return trap ? trap->vector : CPU_NO_TRAP;
}

void payload_main(void)
{
	hostile_begin();
	CHECK("the card is there", net_find());
	hostile_prove("nothing yet");
	cpu_abuse_msrs();
	cpu_abuse_ports();
	cpu_abuse_code();
	cpu_abuse_tables();
	cpu_abuse_interrupts();
	hostile_end();
}
