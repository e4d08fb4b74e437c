/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Interrupts that wait for IF, beside a fast timer: no timer interrupt is lost.
 */
#include "tests/guest/lib/apic.h"
#include "tests/guest/lib/payload.h"
#include "tests/guest/lib/trap.h"
#include "tests/guest/lib/x86.h"

/*
 * Most of the time an interrupt is pending and IF is clear, so the VMM waits
 * for its window while every CPUID leaves the guest and the host's own timer
 * fires now and then in between. A hypervisor, or a machine below it, that
 * drops a host interrupt there loses the timer for good.
 */
#define VECTOR_TIMER  0x40
#define VECTOR_LOW    0x51
#define PERIOD_NS     60000u
#define EXITS	      60
#define TIMERS	      20000u
/* 20 s of guest time are enough, however slow the machine is. */
#define TIME_MAX_NS   20000000000ull
/* A round takes longer than a period, so a timer interrupt comes in each, or,
 * on a machine that stood still, soon. */
#define SILENT_ROUNDS 1000u
#define SILENT_NS     3000000000ull

static volatile unsigned timers, lows;

static void on_timer(const struct trap_frame *frame)
{
	timers++;
	apic_eoi();
}

static void on_low(const struct trap_frame *frame)
{
	lows++;
	apic_eoi();
}

static uint64_t now_ns(void)
{
	/* CPUID 0x15: TSC ticks are EBX / EAX of the crystal's, at ECX Hz. */
	static uint64_t khz;

	if (!khz) {
		struct cpuid c = x86_cpuid(0x15, 0);

		khz = (uint64_t)c.ecx * c.ebx / c.eax / 1000;
	}
	return x86_rdtsc() * 1000 / khz * 1000;
}

/* One interrupt is sent with IF clear, and taken when all exits are over. */
static void do_round(void)
{
	x86_cli();
	apic_send(0, ICR_SELF | ICR_ASSERT | VECTOR_LOW);
	for (unsigned i = 0; i < EXITS; i++)
		x86_cpuid(0, 0);
	x86_sti();
	__asm__ volatile("nop; nop; nop");
	x86_cpuid(0, 0);
	x86_cli();
}

void payload_main(void)
{
	unsigned rounds = 0, silent = 0;
	uint64_t begin, last;
	bool lost = false;

	trap_on_interrupt(VECTOR_TIMER, on_timer);
	trap_on_interrupt(VECTOR_LOW, on_low);
	apic_enable(true);
	apic_write(APIC_TIMER_DIV, DIVIDE_BY_1);
	apic_write(APIC_LVT_TIMER, LVT_PERIODIC | VECTOR_TIMER);
	apic_write(APIC_TIMER_INIT, PERIOD_NS);
	begin = last = now_ns();
	while (!lost && timers < TIMERS && now_ns() - begin < TIME_MAX_NS) {
		unsigned before = timers;

		do_round();
		rounds++;
		if (timers != before) {
			silent = 0;
			last = now_ns();
		} else {
			silent++;
		}
		lost = silent > SILENT_ROUNDS && now_ns() - last > SILENT_NS;
	}
	payload_log("pending_window: %u timer interrupts in %u rounds, %u ms",
		    timers, rounds, (unsigned)((now_ns() - begin) / 1000000));
	CHECK("the timer went on to the end", !lost);
	payload_check_equal("each interrupt that waited came once", lows,
			    rounds);
}
