/* SPDX-License-Identifier: GPL-2.0-or-later */
/* NMIs: one at a time, one remembered, none in an interrupt's shadow. */
#include "tests/guest/lib/apic.h"
#include "tests/guest/lib/payload.h"
#include "tests/guest/lib/trap.h"
#include "tests/guest/lib/x86.h"

/*
 * From the delivery of an NMI to the end of the next IRET further ones are
 * held back, and one is remembered (Intel SDM 3A, 6.7.1; AMD APM 2, 8.2.3).
 * NMIs go to one CPU at a time here, so one set of counters will do.
 */
#define VECTOR_DB	1
#define VECTOR_BP	3
#define EFLAGS_TF	(1u << 8)
#define DR6_BS		(1u << 14)
#define DR6_INIT	0xffff0ff0
#define SENT_IN_HANDLER 3
#define SHADOW_NMIS	300
#define HALT_NMIS	50

extern const char trap_stubs[], trap_stubs_end[];

static volatile unsigned nmis, depth, depth_max;
static volatile unsigned taken_in_stub, taken_in_shadow, taken_in_ring_3;
static volatile unsigned with_tf;
static void (*volatile in_first)(void); /* called by the first one */

/* The second CPU's orders. */
static void (*volatile ap_order)(void);
static volatile unsigned ap_started, ap_done, ap_stop, ap_halted;

/* Loops without an exit; the NMI must not come at the nop. */
#define SHADOW_LOOP(name, before, after)                          \
	void shadow_##name(void);                                 \
	extern const char shadowed_##name[];                      \
	__asm__(".text\n.globl shadow_" #name ", shadowed_" #name \
		"\n"                                              \
		"shadow_" #name ":\n movl %ss, %eax\n1:\n" before \
		"\nshadowed_" #name ": nop\n" after               \
		"\n cmpl $0, ap_stop_asm(%rip)\n je 1b\n ret\n")

SHADOW_LOOP(sti, "sti", "cli");
SHADOW_LOOP(ss, "movl %eax, %ss", "");
__asm__(".set ap_stop_asm, ap_stop");

static void on_nmi(const struct trap_frame *frame)
{
	const char *rip = (const char *)frame->rip;

	if (++depth > depth_max)
		depth_max = depth;
	if (rip >= trap_stubs && rip < trap_stubs_end)
		taken_in_stub++;
	if (rip == shadowed_sti || rip == shadowed_ss)
		taken_in_shadow++;
	if (frame->cs == USER_CS)
		taken_in_ring_3++;
	if (frame->rflags & EFLAGS_TF)
		with_tf++;
	if (nmis++ == 0 && in_first)
		in_first();
	depth--;
}

static void start_over(void (*first)(void))
{
	nmis = depth_max = 0;
	taken_in_stub = taken_in_shadow = taken_in_ring_3 = with_tf = 0;
	in_first = first;
}

static void send_to_self(void)
{
	apic_send(apic_id(), ICR_NMI | ICR_ASSERT);
}

static void send_many_to_self(void)
{
	for (unsigned i = 0; i < SENT_IN_HANDLER; i++)
		send_to_self();
	apic_wait_a_little();
}

static void check_one_remembered(const char *name, unsigned expected_depth)
{
	payload_check_equal(name, nmis, 2);
	payload_check_equal("  one inside of another", depth_max,
			    expected_depth);
	payload_check_equal("  none before the IRET", taken_in_stub, 0);
	payload_check_equal("  none with TF in the flags it saved", with_tf, 0);
}

static void check_self(void)
{
	start_over(NULL);
	send_to_self();
	CHECK("an NMI to itself comes", apic_wait_for(&nmis, 1));
	apic_wait_a_little();
	payload_check_equal("  once", nmis, 1);

	start_over(send_many_to_self);
	send_to_self();
	apic_wait_for(&nmis, 2);
	apic_wait_a_little();
	check_one_remembered("three NMIs while one is handled: one more", 1);
}

static volatile unsigned breakpoints, nmis_at_breakpoint, nmis_after;

static void on_breakpoint(const struct trap_frame *frame)
{
	breakpoints++;
	nmis_at_breakpoint = nmis;
}

static void send_and_break(void)
{
	send_to_self();
	__asm__ volatile("int3");
	for (unsigned i = 0; i < 1000; i++)
		x86_pause();
	nmis_after = nmis;
}

/* Any IRET ends it, that of an exception in the NMI's handler too. */
static void check_iret_of_exception(void)
{
	start_over(send_and_break);
	send_to_self();
	apic_wait_for(&nmis, 2);
	apic_wait_a_little();
	payload_check_equal("#BP in an NMI's handler", breakpoints, 1);
	payload_check_equal("  the next NMI waits for its IRET",
			    nmis_at_breakpoint, 1);
	payload_check_equal("  and comes right after it", nmis_after, 2);
	check_one_remembered("  and only once", 2);
}

static volatile unsigned steps;

static void on_step(const struct trap_frame *frame)
{
	steps++;
}

/* Steps through a write to the APIC's command register; how many traps. */
static unsigned step_through(uint32_t command)
{
	steps = 0;
	__asm__ volatile(
		"pushfq\n\torq $0x100, (%%rsp)\n\tpopfq\n\t"
		"nop\n\twrmsr\n\tnop\n\tnop\n\tnop\n\tnop\n\t"
		"pushfq\n\tandq $~0x100, (%%rsp)\n\tpopfq"
		:
		: "a"(command), "d"(0), "c"(0x800 + APIC_ICR_LOW / 16)
		: "memory", "cc");
	return steps;
}

/* However the hypervisor finds the IRET's end: the guest sees no trap of it,
 * and misses none of its own. */
static void check_stepping(void)
{
	unsigned expected;

	x86_write_dr6(DR6_INIT);
	start_over(send_many_to_self);
	steps = 0;
	send_to_self();
	apic_wait_for(&nmis, 2);
	payload_check_equal("no #DB with NMIs", steps, 0);
	payload_check_equal("  DR6.BS", x86_read_dr6() & DR6_BS, 0);

	start_over(NULL);
	/* An interrupt that nobody gets: the other CPU is not started yet. */
	expected = step_through(ICR_ASSERT | 0xff | ICR_OTHERS);
	CHECK("a program single-stepped", expected >= 8);
	payload_check_equal("  the same with an NMI in it",
			    step_through(ICR_NMI | ICR_ASSERT), expected);
	payload_check_equal("  which came", nmis, 1);
	start_over(send_to_self);
	payload_check_equal("  and with two",
			    step_through(ICR_NMI | ICR_ASSERT), expected);
	payload_check_equal("  which came", nmis, 2);
	payload_check_equal("  not one in the other", depth_max, 1);
}

/* The second CPU's loop; without an exit of its own while it waits. */
void payload_ap_main(void)
{
	apic_enable(apic_is_x2apic());
	ap_started++;
	for (;;) {
		while (!ap_order)
			x86_pause();
		ap_order();
		ap_order = NULL;
		ap_done++;
	}
}

static void ap_finish(unsigned done)
{
	ap_stop = 1;
	CHECK("  the second CPU goes on", apic_wait_for(&ap_done, done + 1));
	ap_stop = 0;
}

static void wait_for_stop(void)
{
	while (!ap_stop)
		x86_pause();
}

static void send_to_other(void)
{
	apic_send(APIC_OTHER_ID, ICR_NMI | ICR_ASSERT);
}

static void check_from_other_cpu(void)
{
	unsigned done = ap_done;

	/* The first one's handler does not end before all were sent. */
	start_over(wait_for_stop);
	send_to_other();
	CHECK("an NMI to the other CPU comes", apic_wait_for(&nmis, 1));
	for (unsigned i = 0; i < SENT_IN_HANDLER; i++)
		send_to_other();
	apic_wait_a_little();
	payload_check_equal("  the next wait", nmis, 1);
	ap_stop = 1;
	apic_wait_for(&nmis, 2);
	apic_wait_a_little();
	ap_stop = 0;
	check_one_remembered("  and are one", 1);
	payload_check_equal("  nothing else was asked", ap_done, done);
}

static void check_shadow(const char *name, void (*loop)(void))
{
	unsigned done = ap_done, i;

	start_over(NULL);
	ap_order = loop;
	for (i = 0; i < SHADOW_NMIS; i++) {
		send_to_other();
		if (!apic_wait_for(&nmis, i + 1))
			break;
	}
	payload_check_equal(name, i, SHADOW_NMIS);
	payload_check_equal("  none more", nmis, SHADOW_NMIS);
	payload_check_equal("  none in the shadow", taken_in_shadow, 0);
	ap_finish(done);
}

/* Interrupts off: nothing but an NMI ends this HLT. */
static void halt(void)
{
	while (!ap_stop) {
		ap_halted++;
		__asm__ volatile("cli; hlt" ::: "memory");
	}
}

static void check_halt(void)
{
	unsigned done = ap_done, i;

	start_over(NULL);
	ap_halted = 0;
	ap_order = halt;
	for (i = 0; i < HALT_NMIS && apic_wait_for(&ap_halted, i + 1); i++)
		if (i + 1 == HALT_NMIS) {
			ap_stop = 1;
			send_to_other();
		} else {
			send_to_other();
		}
	payload_check_equal("an NMI ends HLT with IF clear", i, HALT_NMIS);
	apic_wait_for(&nmis, HALT_NMIS);
	payload_check_equal("  each of them", nmis, HALT_NMIS);
	ap_finish(done);
}

/* Runs in ring 3. */
static void wait_for_two(void)
{
	while (nmis < 2)
		x86_pause();
	__asm__ volatile("int %0" ::"i"(TRAP_LEAVE));
}

static void send_to_first(void)
{
	apic_wait_a_little();
	apic_send(0, ICR_NMI | ICR_ASSERT);
}

static void check_ring_3(void)
{
	const struct trap *t;

	start_over(send_to_self);
	ap_order = send_to_first;
	t = trap_catch(wait_for_two, true);
	payload_check("NMIs to a program in ring 3",
		      t && t->vector == TRAP_LEAVE, "it left by itself");
	check_one_remembered("  the second after the IRET", 1);
	payload_check_equal("  to ring 3", taken_in_ring_3, 2);
}

void payload_main(void)
{
	trap_on_interrupt(VECTOR_NMI, on_nmi);
	trap_on_interrupt(VECTOR_BP, on_breakpoint);
	trap_on_interrupt(VECTOR_DB, on_step);
	apic_enable(true);
	check_self();
	check_iret_of_exception();
	check_stepping();
	apic_start_other();
	CHECK("the second CPU starts", apic_wait_for(&ap_started, 1));
	if (!ap_started)
		return;
	check_from_other_cpu();
	check_shadow("NMIs around the shadow of STI", shadow_sti);
	check_shadow("NMIs around the shadow of MOV SS", shadow_ss);
	check_halt();
	check_ring_3();
}
