/* SPDX-License-Identifier: GPL-2.0-or-later */
/* vmkernel/console/report_port.c: a port's ledger as JSON and as text. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>
#include "vmkernel/console/report_port.h"

static char buf[REPORT_PORT_MAX + 1];

static const char *json_of(const struct port *port)
{
	struct json json;
	size_t length;

	json_init(&json, buf, REPORT_PORT_MAX);
	report_port(&json, port, "up0");
	assert_false(json.cut);
	assert_int_equal(json.depth, 0);
	json_take(&json, &length);
	buf[length] = '\0';
	return buf;
}

static void quiet_port(void **state)
{
	struct port port = {.name = "web.0"};

	assert_string_equal(
		json_of(&port),
		"{\"name\":\"web.0\",\"switch\":\"up0\",\"ingress\":{"
		"\"frames\":0,\"bytes\":0,\"forwarded\":0,\"flooded\":0,"
		"\"drops\":{}},\"egress\":{\"frames\":0,\"bytes\":0,"
		"\"segments_created\":0,\"merged\":0,\"delivered\":0,"
		"\"in_flight\":0,\"drops\":{}}}");
}

static void busy_port(void **state)
{
	struct port port = {
		.name = "up0",
		.ingress = {.frames = 10,
			    .bytes = 1000,
			    .forwarded = 6,
			    .flooded = 1},
		.egress = {.frames = 9,
			   .bytes = 900,
			   .segments_created = 4,
			   .merged = 2,
			   .delivered = 8,
			   .in_flight = 1},
	};
	char line[200];

	port.ingress.drops[DROP_RUNT] = 3;
	port.egress.drops[DROP_NO_BUFFER] = 1;
	port.egress.drops[DROP_DEVICE_ERROR] = 1;
	assert_string_equal(
		json_of(&port),
		"{\"name\":\"up0\",\"switch\":\"up0\",\"ingress\":{"
		"\"frames\":10,\"bytes\":1000,\"forwarded\":6,\"flooded\":1,"
		"\"drops\":{\"runt\":3}},\"egress\":{\"frames\":9,"
		"\"bytes\":900,\"segments_created\":4,\"merged\":2,"
		"\"delivered\":8,\"in_flight\":1,"
		"\"drops\":{\"no_buffer\":1,\"device_error\":1}}}");
	report_port_text(line, sizeof(line), &port);
	assert_string_equal(line,
			    "up0: in 10 frames, 1000 bytes; out 9, 900; "
			    "dropped runt 3, no_buffer 1, "
			    "device_error 1");
}

/* Every counter at its highest, and the longest of names that must be
 * escaped: fits, or is cut where it may be. */
static void largest_port(void **state)
{
	struct port port;
	char line[64];

	memset(&port, 0xff, sizeof(port));
	memset(port.name, '"', sizeof(port.name) - 1);
	port.name[sizeof(port.name) - 1] = '\0';
	json_of(&port);
	for (size_t size = 0; size <= sizeof(line); size++) {
		memset(line, '#', sizeof(line));
		report_port_text(line, size, &port);
		if (size)
			assert_true(strlen(line) < size);
		if (size < sizeof(line))
			assert_int_equal(line[size], '#');
	}
}

static void mac_table(void **state)
{
	struct vswitch_table table = {
		.entries = 3,
		.capacity = 8192,
		.learned = 5,
		.moved = 1,
		.evicted = UINT64_MAX,
	};
	struct json json;
	size_t length;

	json_init(&json, buf, REPORT_PORT_MAX);
	report_switch(&json, "up0", &table);
	assert_false(json.cut);
	assert_int_equal(json.depth, 0);
	json_take(&json, &length);
	buf[length] = '\0';
	assert_string_equal(buf,
			    "{\"name\":\"up0\",\"mac_table\":{"
			    "\"entries\":3,\"capacity\":8192,"
			    "\"learned\":5,\"moved\":1,"
			    "\"evicted\":18446744073709551615}}");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(quiet_port),
		cmocka_unit_test(busy_port),
		cmocka_unit_test(largest_port),
		cmocka_unit_test(mac_table),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
