/* SPDX-License-Identifier: GPL-2.0-or-later */
/* vswitch/port.c: drop names, and frames going back in runs. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>
#include "vswitch/port.h"

static char calls[64];

static void complete(struct port *port, struct frame *const *frames,
		     unsigned count)
{
	size_t at = strlen(calls);

	calls[at] = port->name[0];
	calls[at + 1] = (char)('0' + count);
	for (unsigned i = 0; i < count; i++) {
		assert_ptr_equal(frames[i]->source, port);
		/* They are the source's now: it may do what it likes. */
		frames[i]->source = NULL;
	}
}

static const struct port_ops ops = {.complete = complete};

static void names(void **state)
{
	for (unsigned i = 0; i < PORT_DROP_COUNT; i++) {
		assert_non_null(port_drop_names[i]);
		for (unsigned j = 0; j < i; j++)
			assert_string_not_equal(port_drop_names[i],
						port_drop_names[j]);
	}
	assert_string_equal(port_drop_names[DROP_NO_BUFFER], "no_buffer");
}

static void returns_in_runs(void **state)
{
	struct port a = {.ops = &ops, .name = "a"};
	struct port b = {.ops = &ops, .name = "b"};
	struct port *sources[] = {&a, &a, &a, &b, &a, &b, &b};
	struct frame frames[ARRAY_SIZE(sources)];
	struct frame *list[ARRAY_SIZE(sources)];

	for (unsigned i = 0; i < ARRAY_SIZE(sources); i++) {
		frames[i].source = sources[i];
		list[i] = &frames[i];
	}
	port_return(list, ARRAY_SIZE(list));
	assert_string_equal(calls, "a3b1a1b2");
	port_return(list, 0);
	assert_string_equal(calls, "a3b1a1b2");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names),
		cmocka_unit_test(returns_in_runs),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
