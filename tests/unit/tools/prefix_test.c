/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tools/prefix.c: VM names in colour, every other byte as it came. */
#include "tools/prefix.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#define C0 "\033[36m"
#define C1 "\033[33m"
#define P  "\033[0m"

static struct plan *plan; /* VMs web, we and client */

static int setup(void **state)
{
	plan = calloc(1, sizeof(*plan));
	if (!plan)
		return -1;
	plan->config.vm_count = 3;
	strcpy(plan->vms[0].name, "web");
	strcpy(plan->vms[1].name, "we");
	memset(plan->vms[2].name, 'x', SLUICE_NAME_SIZE - 1);
	return 0;
}

static int teardown(void **state)
{
	free(plan);
	return 0;
}

/* Feeds the text in pieces; the output buffer is no larger than promised. */
static void feed(struct prefix *p, const char *in, size_t piece, char *all)
{
	size_t size = strlen(in);

	*all = 0;
	for (size_t i = 0; i < size; i += piece) {
		size_t n = MIN(piece, size - i);
		char *out = malloc(PREFIX_OUT_MAX(n));

		assert_non_null(out);
		strncat(all, out, prefix_feed(p, in + i, n, out));
		free(out);
	}
}

static void expect(const char *in, const char *want)
{
	char all[1024];

	for (size_t piece = 1; piece < 12; piece++) {
		struct prefix p;

		prefix_init(&p, plan);
		feed(&p, in, piece, all);
		assert_string_equal(all, want);
	}
}

static void test_prefixes(void **state)
{
	expect("web| hello\n", C0 "web|" P " hello\n");
	expect("we| a\nweb| b\n", C1 "we|" P " a\n" C0 "web|" P " b\n");
	expect("web| a\rweb| b", C0 "web|" P " a\r" C0 "web|" P " b");
	expect("\r\nweb| a", "\r\n" C0 "web|" P " a");
	expect("\n\nweb| \n", "\n\n" C0 "web|" P " \n");
}

static void test_others(void **state)
{
	expect("[0.1] web| a\n", "[0.1] web| a\n");
	expect("webs| a\n", "webs| a\n");
	expect("web |\n", "web |\n");
	expect("web|x\n", "web|x\n");
	expect("we\nweb\n", "we\nweb\n");
	expect("wx", "wx");
}

static void test_longest_name(void **state)
{
	char in[64] = "", want[64] = C0;

	memset(in, 'x', SLUICE_NAME_SIZE - 1);
	strcat(in, "| y");
	strcpy(want, "\033[32m");
	strncat(want, in, SLUICE_NAME_SIZE);
	strcat(want, P " y");
	expect(in, want);
}

/* What is held back comes out by a flush, and the line goes on uncoloured. */
static void test_flush(void **state)
{
	struct prefix p;
	char all[64], out[PREFIX_OUT_MAX(0)];

	prefix_init(&p, plan);
	feed(&p, "we", 1, all);
	assert_string_equal(all, "");
	assert_int_equal(p.held_count, 2);
	assert_int_equal(prefix_flush(&p, out), 2);
	assert_memory_equal(out, "we", 2);
	assert_int_equal(prefix_flush(&p, out), 0);
	feed(&p, "b| x\nweb| y", 3, all);
	assert_string_equal(all, "b| x\n" C0 "web|" P " y");
}

static void test_no_colours(void **state)
{
	struct prefix p;
	char all[64];

	prefix_init(&p, NULL);
	feed(&p, "web| a\nwe", 4, all);
	assert_string_equal(all, "web| a\nwe");
	assert_int_equal(p.held_count, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_prefixes),
		cmocka_unit_test(test_others),
		cmocka_unit_test(test_longest_name),
		cmocka_unit_test(test_flush),
		cmocka_unit_test(test_no_colours),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
