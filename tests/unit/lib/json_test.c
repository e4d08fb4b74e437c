/* SPDX-License-Identifier: GPL-2.0-or-later */
/* lib/json.c: nesting, escapes, and what happens when the buffer is small. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>
#include "lib/json.h"

static char buf[512];
static struct json json;

static int setup(void **state)
{
	memset(buf, '#', sizeof(buf));
	json_init(&json, buf, sizeof(buf));
	return 0;
}

static void assert_text(const char *expected)
{
	size_t length;
	const char *text = json_take(&json, &length);

	assert_int_equal(length, strlen(expected));
	assert_memory_equal(text, expected, length);
}

static void nesting(void **state)
{
	json_object(&json, NULL);
	json_u64(&json, "version", 1);
	json_array(&json, "ports");
	for (unsigned i = 0; i < 2; i++) {
		json_object(&json, NULL);
		json_string(&json, "name", i ? "b" : "a");
		json_object(&json, "drops");
		json_end(&json);
		json_bool(&json, "up", i);
		json_end(&json);
	}
	json_end(&json);
	json_array(&json, "none");
	json_end(&json);
	json_array(&json, "numbers");
	json_u64(&json, NULL, 0);
	json_u64(&json, NULL, UINT64_MAX);
	json_end(&json);
	json_end(&json);
	assert_text(
		"{\"version\":1,\"ports\":["
		"{\"name\":\"a\",\"drops\":{},\"up\":false},"
		"{\"name\":\"b\",\"drops\":{},\"up\":true}],"
		"\"none\":[],\"numbers\":[0,18446744073709551615]}");
	assert_false(json.cut);
	assert_int_equal(json.depth, 0);
}

static void escapes(void **state)
{
	json_string(&json, NULL,
		    "a\"b\\c\nd\x01"
		    "e\x7f\xc3\xa9");
	assert_text("\"a\\\"b\\\\c\\u000ad\\u0001e???\"");
	json_object(&json, NULL);
	json_u64(&json, "ke\"y", 3);
	json_end(&json);
	assert_text(",{\"ke\\\"y\":3}");
}

/* Taken in parts, the text is the same. */
static void parts(void **state)
{
	char all[128];
	size_t total = 0, length;

	json_init(&json, buf, 16);
	json_array(&json, NULL);
	for (unsigned i = 0; i < 20; i++) {
		json_u64(&json, NULL, i);
		const char *text = json_take(&json, &length);

		memcpy(all + total, text, length);
		total += length;
	}
	json_end(&json);
	memcpy(all + total, json_take(&json, &length), length);
	total += length;
	all[total] = '\0';
	assert_string_equal(
		all, "[0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19]");
	assert_false(json.cut);
}

static void too_small(void **state)
{
	json_init(&json, buf, 4);
	json_string(&json, NULL, "abcdef");
	assert_true(json.cut);
	assert_text("\"abc");
	assert_int_equal(buf[4], '#');
}

static void misuse_is_flagged(void **state)
{
	json_end(&json);
	assert_true(json.cut);

	json_init(&json, buf, sizeof(buf));
	for (unsigned i = 0; i < JSON_DEPTH_MAX + 5; i++)
		json_array(&json, NULL);
	assert_true(json.cut);
	assert_int_equal(json.depth, JSON_DEPTH_MAX - 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(nesting, setup),
		cmocka_unit_test_setup(escapes, setup),
		cmocka_unit_test_setup(parts, setup),
		cmocka_unit_test_setup(too_small, setup),
		cmocka_unit_test_setup(misuse_is_flagged, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
