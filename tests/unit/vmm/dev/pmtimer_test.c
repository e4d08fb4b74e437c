/* SPDX-License-Identifier: GPL-2.0-or-later */
/* vmm/dev/pmtimer.c: its rate, over a long time, and in pieces. */
#include "vmm/dev/pmtimer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "plat/linux/linux.h"

#define SECOND 1000000000ull
#define START  (7 * SECOND + 123456789)

static struct pmtimer timer;

static int setup(void **state)
{
	plat_linux_set_time(START);
	pmtimer_reset(&timer);
	return 0;
}

static void test_rate(void **state)
{
	assert_int_equal(pmtimer_read(&timer, 0, 4), 0);
	plat_linux_set_time(START + SECOND);
	assert_int_equal(pmtimer_read(&timer, 0, 4), 3579545);
	/* 50 ms, as guests calibrate. */
	plat_linux_set_time(START + SECOND / 20);
	assert_int_equal(pmtimer_read(&timer, 0, 4), PMTIMER_HZ / 20);
	plat_linux_set_time(START + 280); /* one tick is 279.4 ns */
	assert_int_equal(pmtimer_read(&timer, 0, 4), 1);
	plat_linux_set_time(START + 279);
	assert_int_equal(pmtimer_read(&timer, 0, 4), 0);
}

/* It wraps at 24 bits after 4.7 s, and loses nothing in a year. */
static void test_wraps(void **state)
{
	const uint64_t year = 365ull * 86400;

	plat_linux_set_time(START + 5 * SECOND);
	assert_int_equal(pmtimer_read(&timer, 0, 4), 5 * 3579545 - (1 << 24));
	plat_linux_set_time(START + year * SECOND);
	assert_int_equal(pmtimer_read(&timer, 0, 4),
			 year * PMTIMER_HZ % (1 << 24));
}

static void test_pieces(void **state)
{
	uint32_t whole;

	plat_linux_set_time(START + 77 * SECOND);
	whole = pmtimer_read(&timer, 0, 4);
	assert_int_equal(pmtimer_read(&timer, 0, 1), whole & 0xff);
	assert_int_equal(pmtimer_read(&timer, 2, 1), whole >> 16 & 0xff);
	assert_int_equal(pmtimer_read(&timer, 1, 2), whole >> 8 & 0xffff);
	/* Beyond the register nobody drives the bus. */
	assert_int_equal(pmtimer_read(&timer, 3, 2), 0xff00 | whole >> 24);
	assert_int_equal(pmtimer_read(&timer, 2, 4), 0xffff0000 | whole >> 16);
}

static void test_reset(void **state)
{
	plat_linux_set_time(START + SECOND);
	pmtimer_reset(&timer);
	assert_int_equal(pmtimer_read(&timer, 0, 4), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_rate, setup),
		cmocka_unit_test_setup(test_wraps, setup),
		cmocka_unit_test_setup(test_pieces, setup),
		cmocka_unit_test_setup(test_reset, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
