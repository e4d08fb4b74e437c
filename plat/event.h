/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Timers and deferred work: everything that happens later, on a CPU's stack. */
#ifndef PLAT_EVENT_H
#define PLAT_EVENT_H

#include "lib/list.h"

/*
 * Callbacks run on the CPU the event was armed on, between exits or in idle,
 * with no lock held and interrupts off, and must be short: leftovers go on the
 * deferred-work list.
 */

/* Whom work is charged to: a VM's account, in TSC cycles. NULL: the kernel. */
struct account {
	_Atomic uint64_t cycles;
};

struct timer {
	struct list node;     /* wheel slot; empty when idle */
	uint64_t deadline_ns; /* plat_now_ns() */
	void (*fn)(struct timer *timer);
	uint8_t cpu;   /* whose wheel */
	uint8_t level; /* the wheel's own */
	uint8_t slot;
	bool armed;
};

void timer_init(struct timer *timer, void (*fn)(struct timer *timer));
/*
 * (Re)arms on the calling CPU. fn is called once, never early, late by at most
 * the wheel's tick (16 us) plus what the CPU is doing. A deadline in the past
 * fires at the next chance.
 */
void timer_arm(struct timer *timer, uint64_t deadline_ns);
/* May be called on any CPU. On return the timer is not armed; fn may still be
 * running on another CPU (callbacks re-check their state). */
void timer_cancel(struct timer *timer);

struct work {
	struct list node; /* empty when not posted */
	void (*fn)(struct work *work);
	struct account *account;
	_Atomic bool posted;
};

void work_init(struct work *work, void (*fn)(struct work *work),
	       struct account *account);
/* Queues on the calling CPU; a work already posted (anywhere) stays where it
 * is. fn may post its work again. */
void work_post(struct work *work);

#endif
