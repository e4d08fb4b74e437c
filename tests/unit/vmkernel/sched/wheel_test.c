/* SPDX-License-Identifier: GPL-2.0-or-later */
/* vmkernel/sched/wheel.c against a plain table of deadlines, over random
 * programs. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>
#include "vmkernel/sched/wheel.h"

#define TICK_NS ((uint64_t)1 << WHEEL_TICK_SHIFT)

static struct wheel wheel;

static void timer_set(struct timer *timer, uint64_t deadline_ns)
{
	list_init(&timer->node);
	timer->deadline_ns = deadline_ns;
	wheel_add(&wheel, timer);
}

static unsigned expire(uint64_t now_ns, struct timer **first)
{
	struct list expired = LIST_INIT(expired);
	struct list *node;
	unsigned count = 0;

	wheel_advance(&wheel, now_ns, &expired);
	while ((node = list_pop(&expired)) != NULL)
		if (!count++ && first)
			*first = container_of(node, struct timer, node);
	return count;
}

static void empty(void **state)
{
	wheel_init(&wheel, 12345678);
	assert_true(wheel_next_ns(&wheel) == UINT64_MAX);
	assert_int_equal(expire(12345678, NULL), 0);
	assert_int_equal(expire(UINT64_MAX, NULL), 0);
	assert_true(wheel_next_ns(&wheel) == UINT64_MAX);
}

static void past_fires_at_once(void **state)
{
	struct timer a, b;

	wheel_init(&wheel, 100 * TICK_NS);
	timer_set(&a, 0);
	timer_set(&b, 100 * TICK_NS);
	assert_true(wheel_next_ns(&wheel) == 0);
	assert_int_equal(expire(100 * TICK_NS, NULL), 2);
	assert_true(wheel_next_ns(&wheel) == UINT64_MAX);
}

static void never_early(void **state)
{
	struct timer a;
	struct timer *fired = NULL;

	wheel_init(&wheel, 0);
	timer_set(&a, 3 * TICK_NS + 1);
	assert_true(wheel_next_ns(&wheel) == 4 * TICK_NS);
	assert_int_equal(expire(4 * TICK_NS - 1, NULL), 0);
	assert_int_equal(expire(4 * TICK_NS, &fired), 1);
	assert_ptr_equal(fired, &a);
	assert_true(list_empty(&a.node));
}

static void clock_going_back(void **state)
{
	struct timer a;

	wheel_init(&wheel, 50 * TICK_NS);
	timer_set(&a, 60 * TICK_NS);
	assert_int_equal(expire(10 * TICK_NS, NULL), 0);
	assert_int_equal(expire(59 * TICK_NS, NULL), 0);
	assert_int_equal(expire(60 * TICK_NS, NULL), 1);
}

/* Every level's first and last tick, from a start that is aligned to nothing
 * and from one that is aligned to everything. */
static void level_edges(void **state)
{
	static const uint64_t starts[] = {0,
					  63,
					  64,
					  4095,
					  4096,
					  262143,
					  (1ull << 30) - 1,
					  1ull << 30,
					  0x123456789ull};

	for (unsigned s = 0; s < ARRAY_SIZE(starts); s++) {
		for (unsigned level = 0; level <= WHEEL_LEVELS; level++) {
			for (int d = -1; d <= 1; d++) {
				uint64_t delta = (1ull << 6 * level) + d;
				uint64_t at = (starts[s] + delta) * TICK_NS;
				uint64_t next;
				struct timer a;

				if (!delta)
					continue;
				wheel_init(&wheel, starts[s] * TICK_NS);
				timer_set(&a, at);
				/* Follow the programmed one-shot. */
				while ((next = wheel_next_ns(&wheel)) < at) {
					assert_int_equal(expire(next, NULL), 0);
					assert_true(wheel_next_ns(&wheel) >
						    next);
				}
				assert_true(next == at);
				assert_int_equal(expire(at - 1, NULL), 0);
				assert_int_equal(expire(at, NULL), 1);
			}
		}
	}
}

static void beyond_the_range(void **state)
{
	struct timer day, never;
	uint64_t at = 24ull * 3600 * 1000000000;

	wheel_init(&wheel, 77);
	timer_set(&day, at);
	timer_set(&never, UINT64_MAX);
	assert_int_equal(expire(at - 1, NULL), 0);
	assert_int_equal(expire(at + TICK_NS, NULL), 1);
	assert_true(list_empty(&day.node));
	assert_int_equal(expire(365 * at, NULL), 0);
	assert_false(list_empty(&never.node));
	wheel_del(&wheel, &never);
	assert_true(wheel_next_ns(&wheel) == UINT64_MAX);
}

static void delete_anywhere(void **state)
{
	struct timer slot, shared, due, expired;
	struct list list = LIST_INIT(list);

	wheel_init(&wheel, 10 * TICK_NS);
	timer_set(&slot, 500 * TICK_NS);
	timer_set(&shared, 500 * TICK_NS);
	timer_set(&due, 1);
	wheel_del(&wheel, &due);
	assert_int_equal(expire(11 * TICK_NS, NULL), 0);
	wheel_del(&wheel, &slot);
	assert_true(wheel_next_ns(&wheel) <= 500 * TICK_NS);
	wheel_del(&wheel, &shared);
	assert_true(wheel_next_ns(&wheel) == UINT64_MAX);

	timer_set(&expired, 12 * TICK_NS);
	wheel_advance(&wheel, 13 * TICK_NS, &list);
	assert_false(list_empty(&list));
	wheel_del(&wheel, &expired);
	assert_true(list_empty(&list));
}

/* The model: who is armed, and until when. */
#define MODEL_TIMERS 64

struct model {
	struct timer timer;
	bool armed;
};

static struct model model[MODEL_TIMERS];

/* Spread over all levels: a random number of random bits. */
static uint64_t random_delta(void)
{
	unsigned bits = 1 + (unsigned)rand() % 47;
	uint64_t value = (uint64_t)rand() << 31 ^ (uint64_t)rand();

	return value & ((1ull << bits) - 1);
}

static void model_check(uint64_t now)
{
	struct list expired = LIST_INIT(expired);
	struct list *node;

	wheel_advance(&wheel, now, &expired);
	while ((node = list_pop(&expired)) != NULL) {
		struct model *m = container_of(node, struct model, timer.node);

		assert_true(m->armed);
		assert_true(m->timer.deadline_ns <= now);
		m->armed = false;
	}
	for (unsigned i = 0; i < MODEL_TIMERS; i++) {
		if (!model[i].armed)
			continue;
		/* Not late: its tick has not come yet. */
		assert_true(model[i].timer.deadline_ns >
			    now / TICK_NS * TICK_NS);
	}
}

static void model_check_next(void)
{
	uint64_t next = wheel_next_ns(&wheel);
	bool any = false;

	for (unsigned i = 0; i < MODEL_TIMERS; i++) {
		if (!model[i].armed)
			continue;
		any = true;
		assert_true(next < model[i].timer.deadline_ns + TICK_NS);
	}
	assert_true(any == (next != UINT64_MAX));
}

static void random_programs(void **state)
{
	for (unsigned seed = 1; seed <= 40; seed++) {
		uint64_t now;

		srand(seed);
		now = random_delta();
		wheel_init(&wheel, now);
		for (unsigned i = 0; i < MODEL_TIMERS; i++)
			model[i].armed = false;
		for (unsigned step = 0; step < 3000; step++) {
			struct model *m = &model[rand() % MODEL_TIMERS];
			uint64_t next;

			switch (rand() % 5) {
			case 0:
			case 1:
				if (m->armed)
					wheel_del(&wheel, &m->timer);
				timer_set(&m->timer, now + random_delta());
				m->armed = true;
				break;
			case 2:
				if (m->armed)
					wheel_del(&wheel, &m->timer);
				m->armed = false;
				break;
			case 3:
				/* As the one-shot timer would. */
				next = wheel_next_ns(&wheel);
				if (next != UINT64_MAX && next > now)
					now = next;
				model_check(now);
				break;
			case 4:
				now += random_delta() >> rand() % 40;
				model_check(now);
				break;
			}
			model_check_next();
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(empty),
		cmocka_unit_test(past_fires_at_once),
		cmocka_unit_test(never_early),
		cmocka_unit_test(clock_going_back),
		cmocka_unit_test(level_edges),
		cmocka_unit_test(beyond_the_range),
		cmocka_unit_test(delete_anywhere),
		cmocka_unit_test(random_programs),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
