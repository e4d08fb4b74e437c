/* SPDX-License-Identifier: GPL-2.0-or-later */
/* vmm/dev/lapic_timer.c by Intel SDM 3A, 11.5.4, with a clock of its own. */
#include "tests/unit/vmm/dev/lapic_fixture.h"

static void test_timer_one_shot(void **state)
{
	wr(0, TDCR, BY_1);
	wr(0, LVTT, 0x40);
	assert_int_equal(rd(0, TMCCT), 0);
	wr(0, TMICT, 1000000); /* 1 ms */
	assert_int_equal(rd(0, TMICT), 1000000);
	assert_int_equal(rd(0, TMCCT), 1000000);
	advance(400000);
	assert_int_equal(rd(0, TMCCT), 600000);
	assert_int_equal(lapic_pending(&m->apics[0]), -1);
	advance(599999);
	assert_int_equal(lapic_pending(&m->apics[0]), -1);
	advance(1);
	assert_int_equal(m->wakes[0], 1);
	assert_int_equal(take(0), 0x40);
	assert_int_equal(rd(0, TMCCT), 0);
	wr(0, EOI, 0);
	advance(10000000);
	assert_int_equal(lapic_pending(&m->apics[0]), -1);
	/* Stopped by an initial count of 0. */
	wr(0, TMICT, 1000);
	wr(0, TMICT, 0);
	advance(1000000);
	assert_int_equal(lapic_pending(&m->apics[0]), -1);
}

static void test_timer_divide(void **state)
{
	static const struct {
		uint32_t code, by;
	} codes[] = {{0, 2},  {1, 4},  {2, 8},	  {3, 16},
		     {8, 32}, {9, 64}, {10, 128}, {11, 1}};

	wr(0, LVTT, 0x40);
	for (unsigned i = 0; i < ARRAY_SIZE(codes); i++) {
		wr(0, TDCR, codes[i].code);
		wr(0, TMICT, 10000);
		advance(10000 * codes[i].by - 1);
		assert_int_equal(lapic_pending(&m->apics[0]), -1);
		assert_int_equal(rd(0, TMCCT), 1);
		advance(1);
		assert_int_equal(take(0), 0x40);
		wr(0, EOI, 0);
	}
	/* Changed on the way, the count goes on at the new rate. */
	wr(0, TDCR, BY_1);
	wr(0, TMICT, 100000);
	advance(60000);
	wr(0, TDCR, 0);
	assert_int_equal(rd(0, TMCCT), 40000);
	advance(79999);
	assert_int_equal(lapic_pending(&m->apics[0]), -1);
	advance(1);
	assert_int_equal(take(0), 0x40);
}

static void test_timer_masked(void **state)
{
	wr(0, TDCR, BY_1);
	wr(0, LVTT, MASKED | 0x40);
	wr(0, TMICT, 1000);
	assert_int_equal(plat_linux_next_timer(), UINT64_MAX);
	advance(500);
	assert_int_equal(rd(0, TMCCT), 500); /* it counts */
	advance(1000);
	wr(0, LVTT, 0x40); /* what expired masked is lost */
	assert_int_equal(lapic_pending(&m->apics[0]), -1);
	assert_int_equal(rd(0, TMCCT), 0);
	wr(0, LVTT, MASKED | 0x40);
	wr(0, TMICT, 100000);
	wr(0, LVTT, 0x40);
	advance(100000);
	assert_int_equal(take(0), 0x40);
}

static void test_timer_periodic(void **state)
{
	unsigned fired = 0;

	wr(0, TDCR, BY_1);
	wr(0, LVTT, PERIODIC | 0x40);
	wr(0, TMICT, 1000000);
	for (unsigned i = 0; i < 100; i++) {
		advance(100000);
		if (take(0) == 0x40) {
			fired++;
			wr(0, EOI, 0);
		}
	}
	assert_int_equal(fired, 10);
	assert_int_equal(rd(0, TMCCT), 1000000);
	/* Nobody ran for long: the ticks in between are one, and the next
	 * comes when it is due. */
	advance(5300000);
	assert_int_equal(take(0), 0x40);
	wr(0, EOI, 0);
	assert_int_equal(lapic_pending(&m->apics[0]), -1);
	assert_int_equal(rd(0, TMCCT), 700000);
	advance(700000);
	assert_int_equal(take(0), 0x40);
	/* To one-shot while running: once more. */
	wr(0, EOI, 0);
	wr(0, LVTT, 0x40);
	advance(1000000);
	assert_int_equal(take(0), 0x40);
	wr(0, EOI, 0);
	advance(9000000);
	assert_int_equal(lapic_pending(&m->apics[0]), -1);
}

static void test_timer_storm(void **state)
{
	unsigned fired = 0;

	wr(0, TDCR, BY_1);
	wr(0, LVTT, PERIODIC | 0x40);
	wr(0, TMICT, 1);		       /* each nanosecond */
	for (unsigned i = 0; i < 10000; i++) { /* for one millisecond */
		plat_linux_set_time(plat_now_ns() + 100);
		fired += plat_linux_run_timers();
		if (take(0) >= 0)
			wr(0, EOI, 0);
	}
	assert_in_range(fired, 2, 1000000 / LAPIC_PERIOD_MIN_NS + 1);
	assert_in_range(rd(0, TMCCT), 1, 1);
}

static void test_timer_deadline(void **state)
{
	const uint64_t second = TSC_KHZ * 1000ull;
	struct lapic *apic = &m->apics[0];
	uint64_t value, now;

	assert_int_equal(wrmsr(0, MSR_TSC_DEADLINE, 5), 0);
	assert_int_equal(rdmsr(0, MSR_TSC_DEADLINE, &value), 0);
	assert_int_equal(value, 0); /* not in this mode */
	wr(0, LVTT, DEADLINE | 0x40);
	wr(0, TMICT, 1000); /* ignored */
	assert_int_equal(rd(0, TMICT), 0);
	assert_int_equal(rd(0, TMCCT), 0);

	/* The guest's TSC is 1e15 ahead of ours; one second ahead of now. */
	lapic_set_tsc_offset(apic, 1000000000000000ull);
	now = plat_cycles() + apic->tsc_offset;
	wrmsr(0, MSR_TSC_DEADLINE, now + second);
	assert_int_equal(rdmsr(0, MSR_TSC_DEADLINE, &value), 0);
	assert_int_equal(value, now + second);
	assert_in_range(plat_linux_next_timer(), T0 + 900000000ull,
			T0 + 1000000000ull);
	/* The TSC jumps half a second ahead: the deadline is that nearer. */
	lapic_set_tsc_offset(apic, apic->tsc_offset + second / 2);
	assert_in_range(plat_linux_next_timer(), T0 + 400000000ull,
			T0 + 500000000ull);
	advance(1000000000ull);
	assert_int_equal(take(0), 0x40);
	wr(0, EOI, 0);
	assert_int_equal(rdmsr(0, MSR_TSC_DEADLINE, &value), 0);
	assert_int_equal(value, 0);

	wrmsr(0, MSR_TSC_DEADLINE, 1); /* long past: at once */
	assert_int_equal(take(0), 0x40);
	wr(0, EOI, 0);
	wrmsr(0, MSR_TSC_DEADLINE, UINT64_MAX); /* never, without overflow */
	assert_true(plat_linux_next_timer() > T0 + (1ull << 60));
	wrmsr(0, MSR_TSC_DEADLINE, 0); /* disarmed */
	assert_int_equal(plat_linux_next_timer(), UINT64_MAX);
	/* A change of mode disarms. */
	wrmsr(0, MSR_TSC_DEADLINE, plat_cycles() + apic->tsc_offset + second);
	wr(0, LVTT, 0x40);
	assert_int_equal(plat_linux_next_timer(), UINT64_MAX);
	wr(0, LVTT, 3u << 17 | 0x40); /* reserved mode: nothing counts */
	wr(0, TMICT, 1000);
	wrmsr(0, MSR_TSC_DEADLINE, 1);
	advance(1000000);
	assert_int_equal(lapic_pending(apic), -1);
}

static void test_timer_deadline_rounds_up(void **state)
{
	struct lapic *apic = &m->apics[0];

	/* 3 kHz: a cycle is a third of a millisecond, so the cycles that the
	 * test itself takes do not show. */
	apic->tsc_khz = 3;
	apic->tsc_offset = 0 - plat_cycles();
	wr(0, LVTT, DEADLINE | 0x40);
	wrmsr(0, MSR_TSC_DEADLINE, 3ull << 30);
	assert_in_range(plat_linux_next_timer(),
			T0 + ((1ull << 30) - (1ull << 25)) * 1000000,
			T0 + (1ull << 30) * 1000000);
}

static void test_timer_bad_vector(void **state)
{
	wr(0, TDCR, BY_1);
	wr(0, LVTT, 0x0f);
	wr(0, TMICT, 1000);
	advance(1000000);
	assert_int_equal(lapic_pending(&m->apics[0]), -1);
	wr(0, ESR, 0);
	assert_int_equal(rd(0, ESR), 0x40);
}

/* A callback that was on its way when the timer was set anew. */
static void test_timer_late_callback(void **state)
{
	struct lapic *apic = &m->apics[0];

	wr(0, TDCR, BY_1);
	wr(0, LVTT, 0x40);
	wr(0, TMICT, 1000000);
	apic->timer.event.fn(&apic->timer.event);
	assert_int_equal(lapic_pending(apic), -1);
	advance(1000000);
	assert_int_equal(take(0), 0x40);
	apic->timer.event.fn(&apic->timer.event);
	wr(0, EOI, 0);
	assert_int_equal(lapic_pending(apic), -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_timer_one_shot),
		TEST(test_timer_divide),
		TEST(test_timer_masked),
		TEST(test_timer_periodic),
		TEST(test_timer_storm),
		TEST(test_timer_deadline),
		TEST(test_timer_deadline_rounds_up),
		TEST(test_timer_bad_vector),
		TEST(test_timer_late_callback),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
