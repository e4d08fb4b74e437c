/* SPDX-License-Identifier: GPL-2.0-or-later */
/* vmm/dev/rtc.c: dates against libc's, formats, setting, memory sizes. */
#include "vmm/dev/rtc.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <time.h>
#include <cmocka.h>

#define B_BINARY 0x04
#define B_24H	 0x02
#define B_SET	 0x80

static struct rtc rtc;
static uint64_t wall;

uint64_t rtc_wall_seconds(void)
{
	return wall;
}

static int setup(void **state)
{
	wall = 1700000000; /* 2023-11-14 22:13:20, a Tuesday */
	rtc_init(&rtc, MiB(512), 0);
	return 0;
}

static uint8_t in(unsigned index)
{
	rtc_write(&rtc, RTC_PORT_INDEX, (uint8_t)index);
	return rtc_read(&rtc, RTC_PORT_DATA);
}

static void out(unsigned index, uint8_t value)
{
	rtc_write(&rtc, RTC_PORT_INDEX, (uint8_t)index);
	rtc_write(&rtc, RTC_PORT_DATA, value);
}

static void test_bcd(void **state)
{
	assert_int_equal(in(0x0b), B_24H);
	assert_int_equal(in(0), 0x20);
	assert_int_equal(in(2), 0x13);
	assert_int_equal(in(4), 0x22);
	assert_int_equal(in(6), 3);
	assert_int_equal(in(7), 0x14);
	assert_int_equal(in(8), 0x11);
	assert_int_equal(in(9), 0x23);
	assert_int_equal(in(0x32), 0x20);
	assert_int_equal(in(0x0a), 0x26); /* no update in progress */
	assert_int_equal(in(0x0d), 0x80); /* battery is good */
	wall += 45;
	assert_int_equal(in(0), 0x05);
	assert_int_equal(in(2), 0x14);
	/* The index' top bit is another's, and it cannot be read. */
	assert_int_equal(in(0x80), 0x05);
	assert_int_equal(rtc_read(&rtc, RTC_PORT_INDEX), 0xff);
}

static void test_formats(void **state)
{
	out(0x0b, B_24H | B_BINARY);
	assert_int_equal(in(4), 22);
	assert_int_equal(in(9), 23);
	out(0x0b, B_BINARY);
	assert_int_equal(in(4), 0x80 | 10);
	out(0x0b, 0);
	assert_int_equal(in(4), 0x90);
	wall -= 10 * 3600; /* 12:13 */
	assert_int_equal(in(4), 0x92);
	wall -= 12 * 3600; /* 00:13 */
	assert_int_equal(in(4), 0x12);
	wall += 3600;
	assert_int_equal(in(4), 0x01);
}

static void test_dates(void **state)
{
	out(0x0b, B_24H | B_BINARY);
	/* A step of a prime number of seconds, over four centuries. */
	for (wall = 0; wall < 12622780800ull; wall += 6700417) {
		time_t t = (time_t)wall;
		struct tm tm;

		gmtime_r(&t, &tm);
		assert_int_equal(in(0), tm.tm_sec);
		assert_int_equal(in(2), tm.tm_min);
		assert_int_equal(in(4), tm.tm_hour);
		assert_int_equal(in(6), tm.tm_wday + 1);
		assert_int_equal(in(7), tm.tm_mday);
		assert_int_equal(in(8), tm.tm_mon + 1);
		assert_int_equal(in(9) + 100 * in(0x32), tm.tm_year + 1900);
	}
	/* Leap days and the ends of years. */
	for (unsigned year = 1971; year < 2105; year++) {
		struct tm tm = {.tm_year = (int)year - 1900, .tm_mon = 2};

		wall = (uint64_t)timegm(&tm); /* the day before March 1st */
		assert_int_equal(in(7),
				 year % 4 == 0 && year != 2100 ? 29 : 28);
		tm = (struct tm){.tm_year = (int)year - 1900, .tm_mday = 1};
		wall = (uint64_t)timegm(&tm);
		assert_int_equal(in(7), 1);
		assert_int_equal(in(8), 1);
		wall--;
		assert_int_equal(in(7), 31);
		assert_int_equal(in(8), 12);
	}
}

static void test_set(void **state)
{
	struct tm tm = {.tm_year = 130,
			.tm_mon = 11,
			.tm_mday = 31,
			.tm_hour = 23,
			.tm_min = 59,
			.tm_sec = 58};
	int64_t ahead = timegm(&tm) - (int64_t)wall;

	out(0x0b, B_SET | B_24H);
	wall += 100;
	assert_int_equal(in(0), 0x20); /* it stands still */
	out(0, 0x58);
	out(2, 0x59);
	out(4, 0x23);
	out(7, 0x31);
	out(8, 0x12);
	out(9, 0x30);
	out(0x32, 0x20);
	out(0x0b, B_24H);
	assert_int_equal(rtc.offset, ahead - 100);
	assert_int_equal(in(0), 0x58);
	wall += 2;
	assert_int_equal(in(0), 0);
	assert_int_equal(in(7), 0x01);
	assert_int_equal(in(9), 0x31);
	/* Without SET a single register can be set too. */
	out(2, 0x30);
	assert_int_equal(in(2), 0x30);
	assert_int_equal(in(9), 0x31);
	wall += 60;
	assert_int_equal(in(2), 0x31);
}

static void test_hostile_set(void **state)
{
	static const uint8_t indexes[] = {0, 2, 4, 6, 7, 8, 9, 0x32};

	for (unsigned value = 0; value < 256; value++) {
		out(0x0b, (uint8_t)value);
		for (unsigned i = 0; i < sizeof(indexes); i++)
			out(indexes[i], (uint8_t)value);
		out(0x0b, B_24H | B_BINARY);
		wall += 1000;
		assert_in_range(in(0), 0, 59);
		assert_in_range(in(2), 0, 59);
		assert_in_range(in(4), 0, 23);
		assert_in_range(in(6), 1, 7);
		assert_in_range(in(7), 1, 31);
		assert_in_range(in(8), 1, 12);
		assert_in_range(in(9) + 100 * in(0x32), 1970, 10000);
	}
}

static void test_nvram(void **state)
{
	for (unsigned i = 0x40; i < 0x5b; i++)
		out(i, (uint8_t)(i * 3));
	for (unsigned i = 0x40; i < 0x5b; i++)
		assert_int_equal(in(i), (uint8_t)(i * 3));
	out(0x0f, 0x0a);
	assert_int_equal(in(0x0f), 0x0a);
	/* No interrupts, read-only flags. */
	out(0x0b, 0x70 | B_24H);
	assert_int_equal(in(0x0b), B_24H);
	out(0x0a, 0xff);
	assert_int_equal(in(0x0a), 0x7f);
	out(0x0c, 0xff);
	assert_int_equal(in(0x0c), 0);
	out(0x0d, 0);
	assert_int_equal(in(0x0d), 0x80);
	rtc_write(&rtc, 0x72, 0x55);
	assert_int_equal(rtc_read(&rtc, 0x72), 0xff);
}

static void test_memory_sizes(void **state)
{
	assert_int_equal(in(0x15) | in(0x16) << 8, 640);
	assert_int_equal(in(0x17) | in(0x18) << 8, 0xffff);
	assert_int_equal(in(0x34) | in(0x35) << 8, (512 - 16) * 16);
	assert_int_equal(in(0x5b) | in(0x5c) << 8 | in(0x5d) << 16, 0);
	rtc_init(&rtc, MiB(16), 0);
	assert_int_equal(in(0x30) | in(0x31) << 8, 15 * 1024);
	assert_int_equal(in(0x34) | in(0x35) << 8, 0);
	rtc_init(&rtc, GiB(3), GiB(5));
	assert_int_equal(in(0x34) | in(0x35) << 8, (3072 - 16) * 16);
	assert_int_equal(in(0x5b) | in(0x5c) << 8 | in(0x5d) << 16,
			 5 * 1024 * 16);
}

#define TEST(name) cmocka_unit_test_setup(name, setup)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_bcd),		 TEST(test_formats),
		TEST(test_dates),	 TEST(test_set),
		TEST(test_hostile_set),	 TEST(test_nvram),
		TEST(test_memory_sizes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
