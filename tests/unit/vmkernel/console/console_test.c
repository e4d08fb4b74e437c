/* SPDX-License-Identifier: GPL-2.0-or-later */
/* vmkernel/console/console.c: who is seen when, and who gets what is typed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>
#include "plat/linux/linux.h"
#include "vmkernel/console/console.h"
#include "vmkernel/console/report.h"
#include "vmkernel/cpu/power.h"

enum {
	WEB,
	CLIENT,
	DB
};

/* The hooks, as the terminal and the VMs see them. */
static char out[16384];
static size_t out_length;
static bool deferred;
static unsigned reports;
static char input[3][4096];
static unsigned input_length[3], input_room[3];
static jmp_buf powered_off;

void console_put(const char *bytes, size_t count)
{
	assert_true(out_length + count < sizeof(out));
	memcpy(out + out_length, bytes, count);
	out_length += count;
	out[out_length] = '\0';
}

void console_defer(void)
{
	assert_false(deferred); /* asked for once until it comes */
	deferred = true;
}

unsigned console_vm_input(unsigned vm, const uint8_t *bytes, unsigned count)
{
	unsigned taken = MIN(count, input_room[vm]);

	memcpy(input[vm] + input_length[vm], bytes, taken);
	input_length[vm] += taken;
	input_room[vm] -= taken;
	return taken;
}

void report_write(void)
{
	reports++;
}

_Noreturn void power_off(void)
{
	longjmp(powered_off, 1);
}

static void settle(void)
{
	deferred = false;
	console_settle();
}

static void say(unsigned vm, const char *text)
{
	console_vm_output(vm, (const uint8_t *)text, (unsigned)strlen(text));
}

static void say_by_bytes(unsigned vm, const char *text)
{
	for (; *text; text++)
		console_vm_output(vm, (const uint8_t *)text, 1);
}

static void log_line(const char *text)
{
	console_log(text, strlen(text));
}

static void type(const char *text)
{
	console_input((const uint8_t *)text, (unsigned)strlen(text));
}

static void clear(void)
{
	out_length = 0;
	out[0] = '\0';
}

#define SEEN(text)                              \
	do {                                    \
		assert_string_equal(out, text); \
		clear();                        \
	} while (0)

#define GOT(vm, text)                                               \
	do {                                                        \
		assert_int_equal(input_length[vm], strlen(text));   \
		assert_memory_equal(input[vm], text, strlen(text)); \
		input_length[vm] = 0;                               \
	} while (0)

/* Nobody in mid-line, the input with the first VM, nothing pending. */
static int setup(void **state)
{
	for (unsigned vm = 0; vm < 3; vm++) {
		say(vm, "\n");
		input_room[vm] = 4096;
	}
	type("\x1d"
	     "1");
	while (deferred)
		settle();
	memset(input_length, 0, sizeof(input_length));
	reports = 0;
	clear();
	return 0;
}

static int group_setup(void **state)
{
	assert_int_equal(console_add_vm("web"), WEB);
	assert_int_equal(console_add_vm("client"), CLIENT);
	assert_int_equal(console_add_vm("db"), DB);
	return 0;
}

static void lines_have_prefixes(void **state)
{
	say(WEB, "one\r\ntwo\n");
	SEEN("web| one\r\nweb| two\r\n");
	say_by_bytes(CLIENT, "three\r\n");
	SEEN("client| three\r\n");
	log_line("[    0.000001] info  x: y");
	SEEN("[    0.000001] info  x: y\r\n");
	say(3, "nobody\n");
	SEEN("");
}

/* Two that boot at once: lines stay whole. */
static void interleaved_bytes(void **state)
{
	static const char a[] = "aaaa\n", b[] = "bbbb\n";

	for (unsigned i = 0; i < 5; i++) {
		console_vm_output(WEB, (const uint8_t *)&a[i], 1);
		console_vm_output(CLIENT, (const uint8_t *)&b[i], 1);
	}
	SEEN("web| aaaa\r\nclient| bbbb\r\n");
}

/* A prompt has no newline: shown when it has been there for a while, and then
 * what is typed appears at once. */
static void prompt(void **state)
{
	say(WEB, "login: ");
	SEEN("");
	assert_true(deferred);
	settle(); /* it has only just come */
	SEEN("");
	settle();
	SEEN("web| login: ");
	assert_false(deferred);
	say(WEB, "r");
	SEEN("r");
	say(WEB, "oot\r\n");
	SEEN("oot\r\n");
	assert_false(deferred);
}

static void interrupted_line_is_shown_again(void **state)
{
	say(WEB, "login: ");
	settle();
	settle();
	clear();
	say(CLIENT, "hello\n");
	SEEN("\r\nclient| hello\r\n");
	log_line("[log]");
	SEEN("[log]\r\n");
	/* Nothing new: not again. */
	while (deferred)
		settle();
	SEEN("");
	say(WEB, "root\n");
	SEEN("web| login: root\r\n");
	/* Nor when nothing but its end was missing. */
	say(WEB, "done");
	settle();
	settle();
	log_line("[log]");
	SEEN("web| done\r\n[log]\r\n");
	say(WEB, "\nnext\n");
	SEEN("web| next\r\n");
}

static void carriage_return_goes_to_the_prefix(void **state)
{
	say(WEB, "10%\r[    0.0] error forged");
	settle();
	settle();
	SEEN("web| [    0.0] error forged");
	say(WEB, "\rx");
	SEEN("\rweb| x");
	say(WEB, "\b\b\b\b");
	SEEN("\b");
	say(WEB, "\n");
	SEEN("\r\n");
}

static void long_line_is_broken(void **state)
{
	char line[1400];
	unsigned lines = 0;

	memset(line, 'x', sizeof(line));
	line[sizeof(line) - 1] = '\n';
	console_vm_output(WEB, (uint8_t *)line, sizeof(line));
	for (char *p = out; *p; p = strstr(p, "\r\n") + 2, lines++)
		assert_memory_equal(p, "web| x", 6);
	assert_int_equal(lines, 3);
	assert_int_equal(out_length, 1399 + 3 * 7);
	/* A break in the line is no way for backspace past the prefix. */
	clear();
	memset(line, '\b', sizeof(line));
	memset(line, 'x', 511);
	console_vm_output(WEB, (uint8_t *)line, sizeof(line));
	say(WEB, "\n");
	assert_null(strstr(out, "| \b"));
}

/* Colour ends with the line, also with one that is cut short. */
static void colours(void **state)
{
	say(WEB, "\x1b[31mred\n");
	SEEN("web| \x1b[31mred\x1b[0m\r\n");
	say(WEB, "\x1b[31mred");
	settle();
	settle();
	clear();
	log_line("[log]");
	SEEN("\x1b[0m\r\n[log]\r\n");
	say(WEB, "\n");
	clear();
	say(CLIENT, "\x1b[31mred\n"); /* has not got the input */
	SEEN("client| red\r\n");
}

static void input_goes_to_one(void **state)
{
	type("ls\r");
	GOT(WEB, "ls\r");
	say(CLIENT, "client $ ");
	type("\x1d"
	     "2id");
	GOT(WEB, "");
	GOT(CLIENT, "id");
	/* And one sees where one is. */
	SEEN("-- input goes to client\r\nclient| client $ ");
	type("\x1dnx\x1dny");
	GOT(DB, "x");
	GOT(WEB, "y");
	clear();
	type("\x1d"
	     "9z");
	SEEN("-- no such VM\r\n");
	GOT(WEB, "z");
}

static void escape_key(void **state)
{
	type("a\x1d\x1d"
	     "b");
	GOT(WEB,
	    "a\x1d"
	    "b");
	type("\x1d"); /* in two interrupts */
	type("r");
	assert_int_equal(reports, 1);
	GOT(WEB, "");
	type("\x1dxa"); /* no such key: ignored */
	GOT(WEB, "a");
	SEEN("");
	type("\x1d?");
	assert_non_null(strstr(out, "> 1 web\r\n"));
	assert_non_null(strstr(out, "  2 client\r\n"));
	for (char *p = out; *p; p = strstr(p, "\r\n") + 2)
		assert_memory_equal(p, "-- ", 3);
	if (!setjmp(powered_off)) {
		type("\x1dq");
		fail();
	}
	/* The console may be used while the machine goes down. */
	log_line("[log]");
}

/* A VM with no room gets the rest later, in order. */
static void slow_reader(void **state)
{
	input_room[WEB] = 3;
	type("abcdefgh");
	GOT(WEB, "abc");
	assert_true(deferred);
	type("ij");
	input_room[WEB] = 4;
	settle();
	GOT(WEB, "defg");
	assert_true(deferred);
	input_room[WEB] = 100;
	settle();
	GOT(WEB, "hij");
	assert_false(deferred);
}

static void no_reader(void **state)
{
	unsigned rounds = 0;

	input_room[WEB] = 0;
	for (unsigned i = 0; i < 3000; i++)
		type("x");
	while (deferred) {
		settle();
		assert_true(rounds++ < 1000);
	}
	input_room[WEB] = 4096;
	type("y");
	GOT(WEB, "y");

	/* What the one did not read is not for the other. */
	input_room[WEB] = 0;
	type("secret\x1d"
	     "2");
	settle();
	GOT(CLIENT, "");
}

static void panic_silences_the_rest(void **state)
{
	say(WEB, "unfinished");
	settle();
	settle();
	clear();
	plat_linux_set_cpu(1);
	assert_true(console_panic_begin());
	assert_true(console_panic_begin());
	log_line("[panic]");
	assert_non_null(strstr(out, "\r\n[panic]\r\n"));
	clear();
	plat_linux_set_cpu(0);
	assert_false(console_panic_begin());
	log_line("[other]");
	say(WEB, "more\n");
	type("x");
	settle();
	SEEN("");
	plat_linux_set_cpu(1);
	log_line("[more]");
	SEEN("[more]\r\n");
}

#define TEST(name) cmocka_unit_test_setup(name, setup)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(lines_have_prefixes),
		TEST(interleaved_bytes),
		TEST(prompt),
		TEST(interrupted_line_is_shown_again),
		TEST(carriage_return_goes_to_the_prefix),
		TEST(long_line_is_broken),
		TEST(colours),
		TEST(input_goes_to_one),
		TEST(escape_key),
		TEST(slow_reader),
		TEST(no_reader),
		TEST(panic_silences_the_rest), /* for good: last */
	};

	return cmocka_run_group_tests(tests, group_setup, NULL);
}
