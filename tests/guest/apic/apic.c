/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Local APIC: timers, IPIs, priorities, a second CPU; xAPIC, then x2APIC. */
#include "tests/guest/lib/apic.h"
#include "tests/guest/lib/payload.h"
#include "tests/guest/lib/trap.h"
#include "tests/guest/lib/x86.h"

#define VECTOR_TIMER 0x40
#define VECTOR_LOW   0x51
#define VECTOR_HIGH  0xa1
#define VECTOR_PING  0x61
#define VECTOR_PONG  0x71

#define PINGS	     200

/* Written by interrupt handlers and the other CPU. */
static volatile unsigned count[256];
static volatile unsigned order[8], order_count;
static volatile bool hold_eoi;
static volatile unsigned ap_started, ap_pings;
static volatile uint32_t ap_id;

static void on_interrupt(const struct trap_frame *frame)
{
	unsigned vector = (unsigned)frame->vector;

	count[vector]++;
	if (order_count < ARRAY_SIZE(order))
		order[order_count++] = vector;
	if (!hold_eoi)
		apic_eoi();
}

static void on_nmi(const struct trap_frame *frame)
{
	count[VECTOR_NMI]++;
}

/* The second CPU's side of the ping: answers the first. */
static void on_ping(const struct trap_frame *frame)
{
	ap_pings++;
	apic_eoi();
	apic_send(0, ICR_ASSERT | VECTOR_PONG);
}

static void check_registers(void)
{
	payload_check_equal("the boot processor's id", apic_id(), 0);
	payload_check_equal("version", apic_read(APIC_VERSION) & 0xff, 0x14);
	if (apic_is_x2apic())
		return; /* TPR was checked, and MSRs have no odd accesses */
	apic_write(APIC_TPR, 0x30);
	payload_check_equal("TPR shows in CR8", x86_read_cr8(), 3);
	x86_write_cr8(5);
	payload_check_equal("CR8 shows in TPR", apic_read(APIC_TPR), 0x50);
	x86_write_cr8(0);
}

static void timer_stop(void)
{
	apic_write(APIC_LVT_TIMER, LVT_MASKED | VECTOR_TIMER);
	apic_write(APIC_TIMER_INIT, 0);
	x86_cli();
}

static void check_timer(void)
{
	uint32_t first;

	apic_write(APIC_TIMER_DIV, DIVIDE_BY_16);
	apic_write(APIC_LVT_TIMER, VECTOR_TIMER);
	count[VECTOR_TIMER] = 0;
	apic_write(APIC_TIMER_INIT, 2000000);
	first = apic_read(APIC_TIMER_NOW);
	CHECK("the timer counts down", first && first <= 2000000);
	x86_sti();
	CHECK("one shot: fires", apic_wait_for(&count[VECTOR_TIMER], 1));
	apic_wait_a_little();
	payload_check_equal("one shot: once", count[VECTOR_TIMER], 1);
	payload_check_equal("one shot: stands at 0", apic_read(APIC_TIMER_NOW),
			    0);
	x86_cli();

	/* HLT must not return before the interrupt, and must return for it. */
	count[VECTOR_TIMER] = 0;
	apic_write(APIC_TIMER_INIT, 2000000);
	x86_sti_hlt();
	payload_check_equal("HLT ends with the timer", count[VECTOR_TIMER], 1);

	count[VECTOR_TIMER] = 0;
	apic_write(APIC_LVT_TIMER, LVT_PERIODIC | VECTOR_TIMER);
	apic_write(APIC_TIMER_INIT, 50000);
	for (int i = 0; i < 10; i++)
		x86_sti_hlt();
	CHECK("periodic: ten times", count[VECTOR_TIMER] >= 10);
	timer_stop();
	apic_wait_a_little();
	count[VECTOR_TIMER] = 0;
	x86_sti();
	apic_wait_a_little();
	CHECK("masked: silent", count[VECTOR_TIMER] <= 1);
	x86_cli();
}

static void check_deadline(void)
{
	uint64_t start, deadline;

	if (!(x86_cpuid(1, 0).ecx & 1u << 24)) {
		payload_log("no TSC deadline timer: not checked");
		return;
	}
	count[VECTOR_TIMER] = 0;
	apic_write(APIC_LVT_TIMER, LVT_DEADLINE | VECTOR_TIMER);
	__asm__ volatile("mfence" ::: "memory");
	start = x86_rdtsc();
	deadline = start + 3000000;
	x86_wrmsr(MSR_TSC_DEADLINE, deadline);
	x86_sti_hlt();
	payload_check("deadline: not early", x86_rdtsc() >= deadline,
		      "the TSC is past it");
	payload_check_equal("deadline: fires once", count[VECTOR_TIMER], 1);
	payload_check_equal("deadline: reads 0 afterwards",
			    x86_rdmsr(MSR_TSC_DEADLINE), 0);
	x86_wrmsr(MSR_TSC_DEADLINE, 1); /* long ago */
	x86_sti_hlt();
	payload_check_equal("deadline in the past: at once",
			    count[VECTOR_TIMER], 2);
	x86_wrmsr(MSR_TSC_DEADLINE, x86_rdtsc() + 10000000);
	x86_wrmsr(MSR_TSC_DEADLINE, 0);
	x86_sti();
	apic_wait_a_little();
	x86_cli();
	payload_check_equal("deadline taken back: silent", count[VECTOR_TIMER],
			    2);
	timer_stop();
}

static void check_self(void)
{
	/* Both wait while interrupts are off; the higher one comes first. */
	order_count = 0;
	apic_send(0, ICR_SELF | ICR_ASSERT | VECTOR_LOW);
	apic_send(0, ICR_SELF | ICR_ASSERT | VECTOR_HIGH);
	CHECK("IRR holds both", apic_bit(APIC_IRR, VECTOR_LOW) &&
					apic_bit(APIC_IRR, VECTOR_HIGH));
	x86_sti();
	apic_wait_a_little();
	x86_cli();
	payload_check("the higher vector comes first",
		      order_count == 2 && order[0] == VECTOR_HIGH &&
			      order[1] == VECTOR_LOW,
		      "0xa1, then 0x51");

	/* No EOI: the lower one must wait for it. */
	order_count = 0;
	hold_eoi = true;
	apic_send(0, ICR_SELF | ICR_ASSERT | VECTOR_HIGH);
	x86_sti();
	apic_wait_a_little();
	apic_send(0, ICR_SELF | ICR_ASSERT | VECTOR_LOW);
	apic_wait_a_little();
	x86_cli();
	payload_check("without EOI the lower one waits",
		      order_count == 1 && apic_bit(APIC_ISR, VECTOR_HIGH) &&
			      apic_bit(APIC_IRR, VECTOR_LOW),
		      "one taken, one in IRR");
	hold_eoi = false;
	apic_eoi();
	CHECK("EOI clears the highest in ISR",
	      !apic_bit(APIC_ISR, VECTOR_HIGH));
	x86_sti();
	apic_wait_a_little();
	x86_cli();
	payload_check("after EOI it comes",
		      order_count == 2 && order[1] == VECTOR_LOW, "0x51");

	/* The task priority holds back its class and below. */
	order_count = 0;
	x86_write_cr8(5);
	apic_send(0, ICR_SELF | ICR_ASSERT | VECTOR_LOW);
	x86_sti();
	apic_wait_a_little();
	payload_check_equal("CR8 5 holds back 0x51", order_count, 0);
	x86_write_cr8(4);
	apic_wait_a_little();
	x86_cli();
	payload_check_equal("CR8 4 lets it through", order_count, 1);
	x86_write_cr8(0);

	/* An NMI ignores the interrupt flag. */
	count[VECTOR_NMI] = 0;
	apic_send(0, ICR_NMI | ICR_ASSERT);
	apic_wait_a_little();
	payload_check_equal("an NMI to itself", count[VECTOR_NMI], 1);
}

/* What the other CPU does: takes pings, by HLT, in the mode it is told. */
void payload_ap_main(void)
{
	apic_enable(apic_is_x2apic());
	ap_id = apic_id();
	ap_started++;
	for (;;)
		x86_sti_hlt();
}

static void check_second_cpu(void)
{
	unsigned before = ap_started, i;
	bool started;

	apic_start_other();
	started = apic_wait_for(&ap_started, before + 1);

	CHECK("INIT and one start-up IPI start a CPU", started);
	if (!started)
		return;
	payload_check_equal("  its APIC id", ap_id, APIC_OTHER_ID);
	/* A second start-up IPI finds it running: nothing happens. */
	apic_send_startup();
	apic_wait_a_little();
	payload_check_equal("  it started once", ap_started,
			    apic_is_x2apic() ? 2 : 1);

	/* Each ping wakes a halted CPU, which answers with one of its own. */
	ap_pings = count[VECTOR_PONG] = 0;
	x86_sti();
	for (i = 0; i < PINGS; i++) {
		apic_send(APIC_OTHER_ID, ICR_ASSERT | VECTOR_PING);
		if (!apic_wait_for(&count[VECTOR_PONG], i + 1))
			break;
	}
	payload_check_equal("pings answered by the other CPU", i, PINGS);
	payload_check_equal("  none doubled", ap_pings, PINGS);

	/* Both halted in turn: wake-ups must not get lost. */
	for (i = 0; i < PINGS; i++) {
		x86_cli();
		apic_send(APIC_OTHER_ID, ICR_ASSERT | VECTOR_PING);
		while (count[VECTOR_PONG] < PINGS + i + 1)
			x86_sti_hlt();
	}
	payload_check_equal("pings with both CPUs halted", i, PINGS);

	x86_sti();
	apic_send(0, ICR_OTHERS | ICR_ASSERT | VECTOR_PING);
	CHECK("all but self",
	      apic_wait_for(&count[VECTOR_PONG], 2 * PINGS + 1));
	count[VECTOR_LOW] = 0;
	apic_send(0, ICR_ALL | ICR_ASSERT | VECTOR_LOW);
	CHECK("all including self", apic_wait_for(&count[VECTOR_LOW], 2));
	x86_cli();
}

static void check_errors(void)
{
	apic_write(APIC_ESR, 0);
	apic_send(0, ICR_SELF | ICR_ASSERT | 5); /* vectors 0 to 15: illegal */
	apic_write(APIC_ESR, 0);
	payload_check("an illegal vector is an error",
		      apic_read(APIC_ESR) & 0x60, "ESR 5 or 6 is set");
}

static void check_all(void)
{
	check_registers();
	check_timer();
	check_deadline();
	check_self();
	check_second_cpu();
}

void payload_main(void)
{
	static const uint8_t vectors[] = {VECTOR_TIMER, VECTOR_LOW, VECTOR_HIGH,
					  VECTOR_PONG, VECTOR_SPURIOUS};

	for (unsigned i = 0; i < ARRAY_SIZE(vectors); i++)
		trap_on_interrupt(vectors[i], on_interrupt);
	trap_on_interrupt(VECTOR_PING, on_ping);
	trap_on_interrupt(VECTOR_NMI, on_nmi);

	payload_log("xAPIC");
	apic_enable(false);
	check_all();
	check_errors();
	if (!(x86_cpuid(1, 0).ecx & 1u << 21)) {
		payload_log("no x2APIC: not checked");
		return;
	}
	payload_log("x2APIC");
	apic_enable(true);
	check_all();
}
