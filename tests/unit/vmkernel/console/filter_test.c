/* SPDX-License-Identifier: GPL-2.0-or-later */
/* vmkernel/console/filter.c: what passes, and that nothing else does. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "vmkernel/console/filter.h"

/* What passes of this: '/' is a new line, '<' a return to the start. */
static const char *filtered(const char *bytes, size_t size, bool escapes)
{
	static char out[4096];
	struct filter f = {0};
	size_t length = 0;

	for (size_t i = 0; i < size; i++) {
		char unit[FILTER_UNIT_MAX];
		unsigned count = 0;

		switch (filter_byte(&f, (uint8_t)bytes[i], escapes, unit,
				    &count)) {
		case FILTER_NOTHING:
			continue;
		case FILTER_NEWLINE:
			filter_end_line(&f);
			out[length++] = '/';
			continue;
		case FILTER_OVERWRITE:
			filter_end_line(&f);
			out[length++] = '<';
			break;
		case FILTER_TEXT:
			break;
		}
		assert_true(count > 0 && count <= FILTER_UNIT_MAX);
		filter_count(&f, unit, count);
		memcpy(out + length, unit, count);
		length += count;
	}
	out[length] = '\0';
	return out;
}

#define PASS(in, expected) \
	assert_string_equal(filtered(in, sizeof(in) - 1, true), expected)

static void text(void **state)
{
	PASS("hello, world~", "hello, world~");
	PASS("a\tb\n\nc", "a\tb//c");
	PASS("a\0b\x01\x07\x0e\x7f"
	     "c",
	     "abc");
}

static void carriage_returns(void **state)
{
	PASS("one\r\ntwo\n\rthree\r\r\n", "one/two/<three/");
	PASS("10%\r20%\r\n", "10%<20%/");
	PASS("a\r\x01\r\x1b[1zb", "a<b");
	PASS("a\r", "a");
}

static void backspace_stops_at_the_prefix(void **state)
{
	PASS("\bab\b\b\b\bc\b\b", "ab\b\bc\b");
	PASS("ab\r\bc", "ab<c");
	PASS("ab\n\bc", "ab/c");
	/* Characters that may not advance the cursor give no credit. */
	PASS("\t\b", "\t");
	PASS("\xcc\x81\b", "\xcc\x81");
	PASS("\x1b[31m\b", "\x1b[31m");
}

static void utf8(void **state)
{
	PASS("\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80",
	     "\xc3\xa9\xe2\x82\xac"
	     "\xf0\x9f\x98\x80");
	/* C1 controls: as characters, and as bytes. */
	PASS("a\xc2\x9b"
	     "2Jb",
	     "a?2Jb");
	PASS("a\x9b"
	     "2Jb",
	     "a?2Jb");
	/* Overlong, surrogate, too large, cut short, out of nowhere. */
	PASS("\xc0\xafx", "??x");
	PASS("\xe0\x80\xafx", "??x");
	PASS("\xed\xa0\x80x", "??x");
	PASS("\xf4\x90\x80\x80x", "???x");
	PASS("\xe2\x82x\xe2\n", "x/");
	PASS("\x80\xff", "??");
}

static void escapes(void **state)
{
	PASS("\x1b[1;31mred\x1b[0m\x1b[m", "\x1b[1;31mred\x1b[0m\x1b[m");
	PASS("a\x1b[K\x1b[J\x1b[0Kb", "a\x1b[K\x1b[J\x1b[0Kb");
	/* What moves the cursor, erases above, asks, or changes modes. */
	PASS("\x1b[2J\x1b[1K\x1b[H\x1b[A\x1b[5D\x1b[6n\x1b[?25l\x1b[1Gx", "x");
	PASS("\x1b[>4;1mx", "x");
	PASS("\x1b[38:5:1mx", "x");
	PASS("\x1b"
	     "c\x1b"
	     "7\x1b(0\x1bM\x1b"
	     "Ex",
	     "x");
	/* Strings: titles, and what a terminal might take for a command. */
	PASS("\x1b]0;title\x07x", "x");
	PASS("\x1b]0;title\x1b\\x", "x");
	PASS("\x1bPq#0\x1b\\x", "x");
	PASS("\x1b]never ends\nx", "/x");
	/* Too long, and cut short by something else. */
	PASS("\x1b[1;1;1;1;1;1;1;1;1;1;1;1;1;1mx", "x");
	PASS("\x1b[3\nx\x1b\ny", "/x/y");
	PASS("\x1b\x1b[mx", "\x1b[mx");
}

static void no_escapes_without_the_input(void **state)
{
	static const char bytes[] = "\x1b[31ma\x1b[Kb\x1b]x\x07\x1b[m";

	assert_string_equal(filtered(bytes, sizeof(bytes) - 1, false), "ab");
}

/* Whatever comes, what passes is of the few kinds that may. */
static void random_bytes(void **state)
{
	/* Few different bytes, so that they meet often. */
	static const char alphabet[] =
		"\x1b\x1b[];?0129mKJHA\r\n\b\t ab"
		"\x07\x7f\x80\x9b\xc2\xa0\xe2\x82\xf0";
	struct filter f = {0};
	unsigned columns = 0;

	srand(1);
	for (unsigned i = 0; i < 300000; i++) {
		uint8_t byte =
			rand() % 4 ? (uint8_t)alphabet[rand() %
						       (sizeof(alphabet) - 1)]
				   : (uint8_t)rand();
		char unit[FILTER_UNIT_MAX];
		unsigned count = 0;
		uint8_t first, last;

		switch (filter_byte(&f, byte, rand() % 8, unit, &count)) {
		case FILTER_NOTHING:
			continue;
		case FILTER_NEWLINE:
			filter_end_line(&f);
			columns = 0;
			continue;
		case FILTER_OVERWRITE:
			filter_end_line(&f);
			columns = 0;
			break;
		case FILTER_TEXT:
			break;
		}
		filter_count(&f, unit, count);
		first = (uint8_t)unit[0];
		last = (uint8_t)unit[count - 1];
		if (first == '\b') {
			assert_int_equal(count, 1);
			assert_true(columns-- > 0);
		} else if (first == 0x1b) {
			assert_true(count >= 3 && unit[1] == '[');
			assert_true(last == 'm' || last == 'K' || last == 'J');
		} else if (first < 0x80) {
			assert_int_equal(count, 1);
			assert_true(first == '\t' ||
				    (first >= ' ' && first < 0x7f));
			columns += first != '\t';
		} else {
			assert_true(count >= 2 && count <= 4);
			for (unsigned k = 1; k < count; k++)
				assert_int_equal(unit[k] & 0xc0, 0x80);
			assert_false(first == 0xc2 && last < 0xa0);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(text),
		cmocka_unit_test(carriage_returns),
		cmocka_unit_test(backspace_stops_at_the_prefix),
		cmocka_unit_test(utf8),
		cmocka_unit_test(escapes),
		cmocka_unit_test(no_escapes_without_the_input),
		cmocka_unit_test(random_bytes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
