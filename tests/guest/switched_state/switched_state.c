/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Keeps patterns in its registers while others run on the same CPU. */
#include "tests/guest/switched_state/state.h"

#include "tests/guest/lib/apic.h"
#include "tests/guest/lib/payload.h"
#include "tests/guest/lib/trap.h"
#include "tests/guest/lib/x86.h"

/*
 * Each VM has a seed of its own on its command line. In every round a CPU
 * fills its registers, sleeps for a moment of varying length, and looks at
 * them again: what another VM, or an earlier round, left behind shows.
 */
#define VECTOR_TIMER	     0x40
#define ROUNDS		     1500u
#define SLEEP_MIN	     20000u /* TSC cycles */
#define SLEEP_MASK	     0x1ffffu
#define CPUS		     2
/* Seeds of rounds, CPUs and VMs do not meet. */
#define SEED(vm, cpu, round) ((vm) << 32 | (uint64_t)(cpu) << 24 | (round))

static uint64_t vm_seed;
static volatile unsigned rounds[CPUS], differs[CPUS][STATE_PARTS];
static volatile unsigned ap_done;

static void on_timer(const struct trap_frame *frame)
{
	apic_eoi();
}

static void run(unsigned cpu)
{
	state_init_cpu();
	apic_write(APIC_LVT_TIMER, LVT_DEADLINE | VECTOR_TIMER);
	for (unsigned round = 0; round < ROUNDS; round++) {
		uint64_t seed = SEED(vm_seed, cpu, round);

		state_load(cpu, seed);
		x86_wrmsr(MSR_TSC_DEADLINE,
			  x86_rdtsc() + SLEEP_MIN +
				  (seed * 0x9e3779b97f4a7c15ull >> 40 &
				   SLEEP_MASK));
		x86_sti_hlt();
		state_compare(cpu, seed, differs[cpu]);
		rounds[cpu]++;
	}
	x86_write_cr8(0);
}

void payload_ap_main(void)
{
	apic_enable(apic_is_x2apic());
	run(1);
	ap_done++;
}

void payload_main(void)
{
	unsigned cpus = (unsigned)payload_parameter("cpus", 1);

	vm_seed = payload_parameter("seed", 0);
	CHECK("a seed on the command line", vm_seed);
	trap_on_interrupt(VECTOR_TIMER, on_timer);
	apic_enable(true);
	payload_log("switched_state: begins");
	if (cpus == CPUS)
		apic_start_other();
	run(0);
	if (cpus == CPUS)
		CHECK("the second CPU comes to its end",
		      apic_wait_for(&ap_done, 1));
	for (unsigned cpu = 0; cpu < cpus; cpu++) {
		payload_log("CPU %u", cpu);
		payload_check_equal("rounds", rounds[cpu], ROUNDS);
		for (unsigned part = 0; part < STATE_PARTS; part++)
			payload_check_equal(state_names[part],
					    differs[cpu][part], 0);
	}
}
