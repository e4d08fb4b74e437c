/* SPDX-License-Identifier: GPL-2.0-or-later */
/* lib/fmt.c against the C library's own snprintf(). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>
#include "lib/fmt.h"

/* The same call to both; text and length must agree. */
#define SAME(...)                                                      \
	do {                                                           \
		char ours[256], theirs[256];                           \
		int a = fmt_snprintf(ours, sizeof(ours), __VA_ARGS__); \
		int b = snprintf(theirs, sizeof(theirs), __VA_ARGS__); \
		assert_string_equal(ours, theirs);                     \
		assert_int_equal(a, b);                                \
	} while (0)

static void numbers(void **state)
{
	static const int64_t values[] = {0,
					 1,
					 -1,
					 9,
					 10,
					 127,
					 128,
					 255,
					 -128,
					 32767,
					 65535,
					 INT32_MAX,
					 INT32_MIN,
					 UINT32_MAX,
					 INT64_MAX,
					 INT64_MIN,
					 0x1234abcdef,
					 -7};

	for (unsigned i = 0; i < ARRAY_SIZE(values); i++) {
		int64_t v = values[i];

		SAME("%d|%i|%u|%x|%X", (int)v, (int)v, (unsigned)v, (unsigned)v,
		     (unsigned)v);
		SAME("%ld|%lu|%lx", (long)v, (unsigned long)v,
		     (unsigned long)v);
		SAME("%lld|%llu|%llx", (long long)v, (unsigned long long)v,
		     (unsigned long long)v);
		SAME("%zu|%hhu|%hu|%hhd|%hd", (size_t)v, (uint8_t)v,
		     (uint16_t)v, (int8_t)v, (int16_t)v);
		SAME("%8d|%-8d|%08d|%2d|%-2d|", (int)v, (int)v, (int)v, (int)v,
		     (int)v);
		SAME("%20llx|%-20llx|%020llx|", (long long)v, (long long)v,
		     (long long)v);
		SAME("%*d|%-*d|%*u", 12, (int)v, 12, (int)v, -12, (unsigned)v);
	}
	SAME("%5llu.%06llu", 12ull, 345ull);
	SAME("%p|%20p|%-20p|", (void *)0x1234, (void *)~0ul, (void *)8);
}

static void text(void **state)
{
	char open[3] = {'a', 'b', 'c'}; /* no NUL */

	SAME("plain");
	SAME("%s", "");
	SAME("%s and %s", "one", "two");
	SAME("%8s|%-8s|%2s", "abc", "abc", "abc");
	SAME("%.2s|%.0s|%.9s|%5.2s|%-5.2s|", "abc", "abc", "abc", "abc", "abc");
	SAME("%.*s|%.*s", 2, "abc", -1, "abc");
	SAME("%.3s", open);
	SAME("%c%c%c|%3c|%-3c|", 'x', 0x7f, 'z', 'y', 'y');
	SAME("100%%");
}

static void null_string(void **state)
{
	char buf[16];
	const char *volatile none = NULL;

	assert_int_equal(fmt_snprintf(buf, sizeof(buf), "%s", none), 6);
	assert_string_equal(buf, "(null)");
}

static void cutting(void **state)
{
	char buf[8];

	memset(buf, '#', sizeof(buf));
	assert_int_equal(fmt_snprintf(buf, 4, "%s", "abcdef"), 6);
	assert_string_equal(buf, "abc");
	assert_int_equal(buf[4], '#');
	assert_int_equal(fmt_snprintf(buf, 4, "%s", "abc"), 3);
	assert_string_equal(buf, "abc");
	assert_int_equal(fmt_snprintf(buf, 1, "%d", 77), 2);
	assert_string_equal(buf, "");
	buf[0] = '#';
	assert_int_equal(fmt_snprintf(buf, 0, "%d", 77), 2);
	assert_int_equal(buf[0], '#');
	assert_int_equal(fmt_snprintf(NULL, 0, "%100d", 1), 100);
}

static int untyped(char *buf, size_t size, const char *fmt, ...)
{
	va_list args;
	int length;

	va_start(args, fmt);
	length = fmt_vsnprintf(buf, size, fmt, args);
	va_end(args);
	return length;
}

/* What we do not know is shown, and stops at the end of the format. */
static void unknown(void **state)
{
	char buf[64];

	untyped(buf, sizeof(buf), "a%qb%u", 5u);
	assert_string_equal(buf, "a%qb5");
	untyped(buf, sizeof(buf), "a%");
	assert_string_equal(buf, "a%");
	untyped(buf, sizeof(buf), "%-08l");
	assert_string_equal(buf, "%-08l");
	assert_int_equal(untyped(buf, sizeof(buf), "%99999999999d", 1), 4096);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(numbers),     cmocka_unit_test(text),
		cmocka_unit_test(null_string), cmocka_unit_test(cutting),
		cmocka_unit_test(unknown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
