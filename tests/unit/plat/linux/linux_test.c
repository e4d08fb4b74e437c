/* SPDX-License-Identifier: GPL-2.0-or-later */
/* plat/linux: allocation, clock, log, timers and work. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>
#include "plat/linux/linux.h"

static char last_line[64];
static enum log_level last_level;
static char order[16];

static void keep_line(enum log_level level, const char *area, const char *line)
{
	last_level = level;
	strncpy(last_line, line, sizeof(last_line) - 1);
	assert_string_equal(area, "area");
}

static void memory(void **state)
{
	size_t before = plat_linux_allocated();
	uint8_t *p = plat_alloc(100, 4096);

	assert_non_null(p);
	assert_int_equal((uintptr_t)p % 4096, 0);
	for (unsigned i = 0; i < 100; i++)
		assert_int_equal(p[i], 0);
	assert_true(plat_dma_addr(p).v == (uintptr_t)p);
	assert_int_equal(plat_linux_allocated() - before, 100);
	plat_free(p, 100);
	plat_free(NULL, 5);
	assert_int_equal(plat_linux_allocated(), before);

	plat_linux_fail_alloc(1);
	p = plat_alloc(1, 1);
	assert_non_null(p);
	assert_null(plat_alloc(1, 1));
	plat_linux_fail_alloc(-1);
	plat_free(p, 1);
}

static void cpus_and_log(void **state)
{
	plat_linux_log_hook = keep_line;
	log_warn("area", "%d %s", 7, "x");
	assert_string_equal(last_line, "7 x");
	assert_int_equal(last_level, LOG_WARN);
	plat_linux_log_hook = NULL;

	assert_int_equal(plat_cpu(), 0);
	assert_int_equal(plat_cpu_count(), 1);
	plat_linux_set_cpu_count(4);
	plat_linux_set_cpu(3);
	assert_int_equal(plat_cpu(), 3);
	assert_int_equal(plat_cpu_count(), 4);
	plat_linux_set_cpu(0);
	plat_linux_set_cpu_count(1);
}

static void clock_real_and_fake(void **state)
{
	uint64_t a = plat_now_ns(), b = plat_now_ns();

	assert_true(a > 0 && b >= a);
	plat_linux_set_time(5);
	assert_true(plat_now_ns() == 5);
	plat_linux_set_time(0);
	assert_true(plat_now_ns() >= b);
}

struct named_timer {
	struct timer timer;
	char name;
};

static void note(char name)
{
	order[strlen(order)] = name;
}

static void timer_note(struct timer *timer)
{
	note(container_of(timer, struct named_timer, timer)->name);
	assert_false(timer->armed);
	assert_int_equal(plat_cpu(), 2);
}

static void timer_rearm(struct timer *timer)
{
	note('r');
	if (strlen(order) < 3)
		timer_arm(timer, timer->deadline_ns + 10);
}

static void timers(void **state)
{
	struct named_timer a = {.name = 'a'}, b = {.name = 'b'}, c, d;
	struct timer again;

	c = d = a;
	c.name = 'c';
	d.name = 'd';
	timer_init(&a.timer, timer_note);
	timer_init(&b.timer, timer_note);
	timer_init(&c.timer, timer_note);
	timer_init(&d.timer, timer_note);
	timer_cancel(&a.timer); /* not armed: nothing */
	assert_true(plat_linux_next_timer() == UINT64_MAX);
	plat_linux_set_time(100);
	plat_linux_set_cpu(2);
	timer_arm(&a.timer, 300);
	timer_arm(&b.timer, 150);
	timer_arm(&c.timer, 150);
	timer_arm(&d.timer, 120);
	timer_arm(&a.timer, 110); /* earlier now */
	timer_cancel(&d.timer);
	plat_linux_set_cpu(0);
	assert_true(plat_linux_next_timer() == 110);
	assert_int_equal(plat_linux_run_timers(), 0);
	plat_linux_set_time(149);
	assert_int_equal(plat_linux_run_timers(), 1);
	assert_true(b.timer.armed);
	plat_linux_set_time(150);
	assert_int_equal(plat_linux_run_timers(), 2);
	assert_string_equal(order, "abc");
	assert_int_equal(plat_cpu(), 0);

	memset(order, 0, sizeof(order));
	timer_init(&again, timer_rearm);
	timer_arm(&again, 0); /* the past */
	assert_int_equal(plat_linux_run_timers(), 3);
	assert_string_equal(order, "rrr");
	plat_linux_set_time(0);
}

static struct work first, second;

static void work_first(struct work *work)
{
	note('1');
	work_post(work);
	work_post(&second);
}

static void work_second(struct work *work)
{
	note('2');
}

static void works(void **state)
{
	struct account account = {0};

	memset(order, 0, sizeof(order));
	work_init(&first, work_first, &account);
	work_init(&second, work_second, NULL);
	assert_int_equal(plat_linux_run_work(), 0);
	work_post(&first);
	work_post(&first); /* already posted */
	assert_int_equal(plat_linux_run_work(), 1);
	assert_string_equal(order, "1");
	assert_true(account.cycles > 0);
	assert_int_equal(plat_linux_run_work(), 2);
	assert_string_equal(order, "112");
	work_init(&first, work_second, NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(memory),
		cmocka_unit_test(cpus_and_log),
		cmocka_unit_test(clock_real_and_fake),
		cmocka_unit_test(timers),
		cmocka_unit_test(works),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
