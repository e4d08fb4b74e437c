/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Hierarchical timer wheel: the data structure, without clock or lock. */
#ifndef VMKERNEL_SCHED_WHEEL_H
#define VMKERNEL_SCHED_WHEEL_H

#include "plat/event.h"

/*
 * Time is counted in ticks of 2^14 ns (16.4 us). A slot of level n spans 64^n
 * ticks: level 0 holds what is due within 64 ticks, tick by tick; a higher
 * level's slot is dealt out to the levels below when its span begins
 * ("cascade"). 64^5 ticks are 4.9 hours; what is due later waits at the far end
 * and is looked at again then.
 *
 * A timer's tick is its deadline rounded up, so it never fires early, and at
 * most one tick late by the wheel's doing. Adding and deleting are O(1);
 * advancing costs a few steps for each occupied slot, not for each tick.
 */
#define WHEEL_TICK_SHIFT 14
#define WHEEL_LEVELS	 5
#define WHEEL_SLOT_SHIFT 6
#define WHEEL_SLOTS	 (1u << WHEEL_SLOT_SHIFT)

struct wheel {
	uint64_t tick; /* all that was due up to here has been handed out */
	uint64_t occupied[WHEEL_LEVELS]; /* bit: slot is not empty */
	struct list slots[WHEEL_LEVELS][WHEEL_SLOTS];
	struct list due; /* added when already due */
};

void wheel_init(struct wheel *wheel, uint64_t now_ns);
/* By timer->deadline_ns; the timer is on no list. */
void wheel_add(struct wheel *wheel, struct timer *timer);
/* Also takes a timer off the list that wheel_advance() filled. */
void wheel_del(struct wheel *wheel, struct timer *timer);
/* Appends to expired the timers due at now_ns (by tick, of equal ticks in no
 * order). A clock that stands still or goes back expires nothing new. */
void wheel_advance(struct wheel *wheel, uint64_t now_ns, struct list *expired);
/* When to call wheel_advance() next: never after the first deadline's tick, but
 * perhaps before (a cascade). 0: at once. UINT64_MAX: there are no timers. */
uint64_t wheel_next_ns(const struct wheel *wheel);

#endif
