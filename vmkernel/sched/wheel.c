/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Hierarchical timer wheel: the data structure, without clock or lock. */
#include "vmkernel/sched/wheel.h"

#define WHEEL_RANGE    ((uint64_t)1 << (WHEEL_LEVELS * WHEEL_SLOT_SHIFT))
/* timer->level of a timer that is in no slot: due or expired. */
#define WHEEL_NO_LEVEL 0xff

void wheel_init(struct wheel *wheel, uint64_t now_ns)
{
	wheel->tick = now_ns >> WHEEL_TICK_SHIFT;
	for (unsigned level = 0; level < WHEEL_LEVELS; level++) {
		wheel->occupied[level] = 0;
		for (unsigned slot = 0; slot < WHEEL_SLOTS; slot++)
			list_init(&wheel->slots[level][slot]);
	}
	list_init(&wheel->due);
}

/* Rounded up, without overflow for "never". */
static uint64_t wheel_tick_of(uint64_t deadline_ns)
{
	uint64_t mask = ((uint64_t)1 << WHEEL_TICK_SHIFT) - 1;

	return (deadline_ns >> WHEEL_TICK_SHIFT) + !!(deadline_ns & mask);
}

void wheel_add(struct wheel *wheel, struct timer *timer)
{
	uint64_t tick = wheel_tick_of(timer->deadline_ns);
	uint64_t delta;
	unsigned level = 0;
	unsigned slot;

	if (tick <= wheel->tick) {
		timer->level = WHEEL_NO_LEVEL;
		list_add_tail(&wheel->due, &timer->node);
		return;
	}
	delta = MIN(tick - wheel->tick, WHEEL_RANGE - 1);
	tick = wheel->tick + delta;
	/* 64^level <= delta < 64^(level + 1): the slot is 1 to 64 slots ahead
	 * of the current one, whose turn at this level has been. */
	while (delta >> (WHEEL_SLOT_SHIFT * (level + 1)))
		level++;
	slot = tick >> (WHEEL_SLOT_SHIFT * level) & (WHEEL_SLOTS - 1);
	timer->level = (uint8_t)level;
	timer->slot = (uint8_t)slot;
	wheel->occupied[level] |= (uint64_t)1 << slot;
	list_add_tail(&wheel->slots[level][slot], &timer->node);
}

void wheel_del(struct wheel *wheel, struct timer *timer)
{
	list_del(&timer->node);
	if (timer->level < WHEEL_LEVELS &&
	    list_empty(&wheel->slots[timer->level][timer->slot]))
		wheel->occupied[timer->level] &= ~((uint64_t)1 << timer->slot);
	timer->level = WHEEL_NO_LEVEL;
}

/* The next tick at which an occupied slot's turn comes; UINT64_MAX: none. */
static uint64_t wheel_next_tick(const struct wheel *wheel)
{
	uint64_t next = UINT64_MAX;

	for (unsigned level = 0; level < WHEEL_LEVELS; level++) {
		unsigned shift = WHEEL_SLOT_SHIFT * level;
		uint64_t current = wheel->tick >> shift;
		unsigned first = (current + 1) & (WHEEL_SLOTS - 1);
		uint64_t bits = wheel->occupied[level];
		uint64_t tick;

		if (!bits)
			continue;
		/* Bit 0 becomes the slot after the current one. */
		if (first)
			bits = bits >> first | bits << (WHEEL_SLOTS - first);
		tick = (current + 1 + (unsigned)__builtin_ctzll(bits)) << shift;
		next = MIN(next, tick);
	}
	return next;
}

/* Empties the slots whose turn it is: one for each level that starts here. */
static void wheel_turn(struct wheel *wheel, struct list *expired)
{
	for (unsigned level = 0; level < WHEEL_LEVELS; level++) {
		unsigned shift = WHEEL_SLOT_SHIFT * level;
		unsigned slot = wheel->tick >> shift & (WHEEL_SLOTS - 1);
		struct list *list = &wheel->slots[level][slot];
		struct list *node;

		if (wheel->tick & (((uint64_t)1 << shift) - 1))
			break;
		wheel->occupied[level] &= ~((uint64_t)1 << slot);
		while ((node = list_pop(list)) != NULL) {
			struct timer *timer =
				container_of(node, struct timer, node);

			/* Goes to a lower level, or, if it was beyond the
			 * range, to another slot: never back to this list. */
			if (wheel_tick_of(timer->deadline_ns) > wheel->tick) {
				wheel_add(wheel, timer);
			} else {
				timer->level = WHEEL_NO_LEVEL;
				list_add_tail(expired, node);
			}
		}
	}
}

void wheel_advance(struct wheel *wheel, uint64_t now_ns, struct list *expired)
{
	uint64_t now = now_ns >> WHEEL_TICK_SHIFT;
	struct list *node;
	uint64_t next;

	while ((node = list_pop(&wheel->due)) != NULL)
		list_add_tail(expired, node);
	while ((next = wheel_next_tick(wheel)) <= now) {
		wheel->tick = next;
		wheel_turn(wheel, expired);
	}
	wheel->tick = MAX(wheel->tick, now);
}

uint64_t wheel_next_ns(const struct wheel *wheel)
{
	uint64_t next;

	if (!list_empty(&wheel->due))
		return 0;
	next = wheel_next_tick(wheel);
	return next == UINT64_MAX ? UINT64_MAX : next << WHEEL_TICK_SHIFT;
}
