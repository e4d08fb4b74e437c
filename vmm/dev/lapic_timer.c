/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The local APIC's timer: one-shot, periodic and TSC deadline. */
#include "vmm/dev/lapic_priv.h"

#include "plat/plat.h"

/*
 * Intel SDM 3A, 11.5.4. The timer is a pair of times: when it was due next
 * (expiry_ns), and how often after (interval_ns). Registers are computed from
 * the clock. The wheel is armed only while an expiry would be seen, that is
 * with the LVT entry unmasked: a masked timer counts, and its expiry is lost.
 */
#define NS_FOREVER (1ull << 62)

static uint32_t timer_mode(const struct lapic *apic)
{
	return apic->lvt[LVT_TIMER] & LVT_TIMER_MODE;
}

/* One-shot or periodic; the fourth mode is reserved, nothing counts in it. */
static bool timer_counts(const struct lapic *apic)
{
	return !(timer_mode(apic) & LVT_TSC_DEADLINE);
}

/* Bits 3, 1 and 0 of the divide register: 0 is by 2, 6 by 128, 7 by 1. */
static unsigned timer_divide_shift(const struct lapic *apic)
{
	uint32_t code = (apic->divide & 3) | (apic->divide >> 1 & 4);

	return (code + 1) & 7;
}

static void timer_arm_wheel(struct lapic *apic)
{
	struct lapic_timer *t = &apic->timer;

	if (t->running && !(apic->lvt[LVT_TIMER] & LVT_MASKED))
		timer_arm(&t->event, t->expiry_ns);
	else
		timer_cancel(&t->event);
}

/* On whichever CPU armed it; see lapic.h. */
static void timer_fired(struct timer *event)
{
	struct lapic *apic = container_of(event, struct lapic, timer.event);

	/* Release: lapic_wake() must not be seen before the flag. */
	__atomic_store_n(&apic->timer.due, true, __ATOMIC_RELEASE);
	lapic_wake(apic);
}

/*
 * A tiny period would make every entry fire the next one: such a timer skips
 * ticks, so that it costs at most one wheel event in LAPIC_PERIOD_MIN_NS.
 */
static void timer_set_interval(struct lapic_timer *t, uint64_t ns)
{
	uint64_t ticks = (LAPIC_PERIOD_MIN_NS + ns - 1) / ns;

	t->interval_ns = ns;
	t->step_ns = ns * ticks;
}

void lapic_timer_init(struct lapic *apic)
{
	timer_init(&apic->timer.event, timer_fired);
}

static void timer_stop(struct lapic *apic)
{
	apic->timer.running = false;
	apic->timer.deadline_tsc = 0;
	timer_cancel(&apic->timer.event);
	__atomic_store_n(&apic->timer.due, false, __ATOMIC_RELAXED);
}

void lapic_timer_reset(struct lapic *apic)
{
	timer_stop(apic);
	apic->timer.initial = 0;
}

void lapic_timer_update(struct lapic *apic)
{
	struct lapic_timer *t = &apic->timer;
	bool due = __atomic_exchange_n(&t->due, false, __ATOMIC_ACQUIRE);
	uint64_t now;

	if (!t->running)
		return;
	now = plat_now_ns();
	if (now < t->expiry_ns) {
		/* A callback of before the last change came late. */
		if (due)
			timer_arm_wheel(apic);
		return;
	}
	if (timer_mode(apic) == LVT_PERIODIC) {
		/* Ticks that nobody was there to see are one tick. */
		t->expiry_ns +=
			((now - t->expiry_ns) / t->step_ns + 1) * t->step_ns;
	} else {
		t->running = false;
		t->deadline_tsc = 0;
	}
	timer_arm_wheel(apic);
	lapic_lvt_fire(apic, LVT_TIMER);
}

/* Starts to count down from count. */
static void timer_start(struct lapic *apic, uint32_t count)
{
	struct lapic_timer *t = &apic->timer;
	unsigned shift = timer_divide_shift(apic);
	uint64_t first_ns = (uint64_t)count << shift;

	timer_stop(apic);
	if (!t->initial || !count)
		return;
	timer_set_interval(t, (uint64_t)t->initial << shift);
	t->expiry_ns = plat_now_ns() + first_ns;
	t->running = true;
	timer_arm_wheel(apic);
}

void lapic_timer_set_initial(struct lapic *apic, uint32_t count)
{
	/* 11.5.4.1: ignored in deadline mode. */
	if (!timer_counts(apic))
		return;
	apic->timer.initial = count;
	timer_start(apic, count);
}

uint32_t lapic_timer_current(struct lapic *apic)
{
	const struct lapic_timer *t = &apic->timer;
	unsigned shift = timer_divide_shift(apic);
	uint64_t left;

	lapic_timer_update(apic);
	if (!t->running || !timer_counts(apic))
		return 0;
	left = t->expiry_ns - MIN(plat_now_ns(), t->expiry_ns);
	if (left > t->interval_ns) /* ticks are being skipped */
		left = (left - 1) % t->interval_ns + 1;
	return (uint32_t)((left + (1u << shift) - 1) >> shift);
}

/* The count goes on from where it is, at the new rate. */
void lapic_timer_set_divide(struct lapic *apic, uint32_t value)
{
	uint32_t count = lapic_timer_current(apic);

	apic->divide = value;
	if (apic->timer.running && timer_counts(apic))
		timer_start(apic, count);
}

void lapic_timer_lvt_written(struct lapic *apic, uint32_t old)
{
	uint32_t was = old & LVT_TIMER_MODE, mode = timer_mode(apic);

	/* 11.5.4.1: to or from deadline mode disarms. 3 is reserved: off. */
	if (was != mode && ((was | mode) & LVT_TSC_DEADLINE)) {
		timer_stop(apic);
		apic->timer.initial = 0;
		return;
	}
	if ((old ^ apic->lvt[LVT_TIMER]) & (LVT_MASKED | LVT_TIMER_MODE))
		timer_arm_wheel(apic);
}

/* cycles of the guest's TSC in nanoseconds, rounded up, at most NS_FOREVER.
 * Exact: quotient and remainder apart keep every product below 2^64. */
static uint64_t timer_tsc_to_ns(const struct lapic *apic, uint64_t cycles)
{
	uint64_t ms = cycles / apic->tsc_khz, rest = cycles % apic->tsc_khz;

	if (ms >= NS_FOREVER / 1000000)
		return NS_FOREVER;
	return ms * 1000000 +
	       (rest * 1000000 + apic->tsc_khz - 1) / apic->tsc_khz;
}

void lapic_timer_set_deadline(struct lapic *apic, uint64_t tsc)
{
	struct lapic_timer *t = &apic->timer;
	uint64_t guest_tsc = plat_cycles() + apic->tsc_offset;

	if (timer_mode(apic) != LVT_TSC_DEADLINE)
		return;
	timer_stop(apic);
	if (!tsc)
		return;
	t->deadline_tsc = tsc;
	t->expiry_ns = plat_now_ns();
	if (tsc > guest_tsc)
		t->expiry_ns += timer_tsc_to_ns(apic, tsc - guest_tsc);
	t->running = true;
	if (tsc > guest_tsc)
		timer_arm_wheel(apic);
	else
		lapic_timer_update(apic);
}
