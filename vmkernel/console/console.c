/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One terminal for the log and for every VM's console. */
#include "vmkernel/console/console.h"

#include <string.h>

#include "lib/fmt.h"
#include "plat/lock.h"
#include "sluice/config.h"
#include "vmkernel/console/filter.h"
#include "vmkernel/console/report.h"
#include "vmkernel/cpu/power.h"

#define CONSOLE_LINE_MAX   512
#define CONSOLE_INPUT_MAX  1024
#define CONSOLE_ESCAPE	   0x1d /* Ctrl-] */
#define CONSOLE_NOBODY	   0xffffffffu
/* Input that a VM does not take for this long is thrown away (2 s). */
#define CONSOLE_STALLS_MAX 100
/* Tries for the lock: some tenths of a second, far more than any holder needs
 * for a line at 115200 baud. */
#define CONSOLE_TRIES	   2000000

/* All under console_lock. */
struct console_vm {
	const char *name;
	struct filter filter;
	char line[CONSOLE_LINE_MAX]; /* filtered, since the last newline */
	unsigned length;
	unsigned shown; /* of it; means something while the cursor is here */
	bool fresh;	/* bytes came since the line was last shown */
	bool touched;	/* bytes came since the last console_settle() */
};

static struct lock console_lock = LOCK_INIT("console", LOCK_CONSOLE);
static struct console_vm console_vms[SLUICE_VMS_MAX];
static unsigned console_vm_count;
/* On whose unfinished line the cursor stands; CONSOLE_NOBODY: at a start. */
static unsigned console_cursor = CONSOLE_NOBODY;
static unsigned console_focus; /* who gets the input */
static bool console_deferred;  /* console_settle() will come */

/* Typed and not yet taken by console_focus. */
static uint8_t console_pending[CONSOLE_INPUT_MAX];
static unsigned console_pending_count;
static unsigned console_stalls;

/* Only console_input()'s: the last byte was Ctrl-]. */
static bool console_in_escape;
static _Atomic bool console_feeding;	   /* a CPU is in console_feed() */
static _Atomic unsigned console_panic_cpu; /* index + 1 */

static bool console_enter(void)
{
	for (unsigned i = 0; i < CONSOLE_TRIES; i++) {
		if (console_panic_cpu)
			return false;
		if (lock_try(&console_lock))
			return true;
		plat_relax();
	}
	return false;
}

static void console_leave(void)
{
	lock_release(&console_lock);
}

bool console_panic_begin(void)
{
	unsigned nobody = 0;
	unsigned me = plat_cpu() + 1;

	return __atomic_compare_exchange_n((unsigned *)&console_panic_cpu,
					   &nobody, me, false, __ATOMIC_SEQ_CST,
					   __ATOMIC_SEQ_CST) ||
	       nobody == me;
}

static void console_puts(const char *text)
{
	console_put(text, strlen(text));
}

/* The cursor goes to the start of a line. */
static void console_break(void)
{
	struct console_vm *cv;

	if (console_cursor == CONSOLE_NOBODY)
		return;
	cv = &console_vms[console_cursor];
	console_put(cv->line + cv->shown, cv->length - cv->shown);
	console_puts(cv->filter.styled ? "\033[0m\r\n" : "\r\n");
	console_cursor = CONSOLE_NOBODY;
}

/* Everything the VM has said of its line so far, on the terminal. */
static void console_show(unsigned vm)
{
	struct console_vm *cv = &console_vms[vm];

	if (console_cursor != vm) {
		console_break();
		console_puts(cv->name);
		console_puts("| ");
		cv->shown = 0;
		console_cursor = vm;
	}
	console_put(cv->line + cv->shown, cv->length - cv->shown);
	cv->shown = cv->length;
	cv->fresh = false;
}

static void console_end_line(unsigned vm)
{
	struct console_vm *cv = &console_vms[vm];

	/* If all of it was shown before somebody broke it, that will do. */
	if (console_cursor == vm || cv->fresh || !cv->length) {
		console_show(vm);
		console_break();
	}
	cv->length = cv->shown = 0;
	filter_end_line(&cv->filter);
}

/* Back to the prefix: what follows overwrites. */
static void console_restart_line(unsigned vm)
{
	struct console_vm *cv = &console_vms[vm];

	if (console_cursor == vm) {
		console_puts(cv->filter.styled ? "\033[0m\r" : "\r");
		console_puts(cv->name);
		console_puts("| ");
	}
	cv->length = cv->shown = 0;
	cv->fresh = false;
	filter_end_line(&cv->filter);
}

static void console_vm_byte(unsigned vm, uint8_t byte)
{
	struct console_vm *cv = &console_vms[vm];
	char unit[FILTER_UNIT_MAX];
	unsigned count;

	switch (filter_byte(&cv->filter, byte, vm == console_focus, unit,
			    &count)) {
	case FILTER_NOTHING:
		return;
	case FILTER_NEWLINE:
		console_end_line(vm);
		return;
	case FILTER_OVERWRITE:
		console_restart_line(vm);
		break;
	case FILTER_TEXT:
		break;
	}
	if (cv->length + count > CONSOLE_LINE_MAX) {
		console_end_line(vm);
		if (unit[0] == '\b')
			return;
	}
	filter_count(&cv->filter, unit, count);
	memcpy(cv->line + cv->length, unit, count);
	cv->length += count;
	cv->fresh = true;
}

void console_vm_output(unsigned vm, const uint8_t *bytes, unsigned count)
{
	struct console_vm *cv;
	bool defer = false;

	if (vm >= console_vm_count || !console_enter())
		return;
	cv = &console_vms[vm];
	for (unsigned i = 0; i < count; i++)
		console_vm_byte(vm, bytes[i]);
	if (console_cursor == vm)
		console_show(vm);
	cv->touched = true;
	if (cv->fresh && !console_deferred)
		defer = console_deferred = true;
	console_leave();
	/* Not under the lock: timers have one that comes before it. */
	if (defer)
		console_defer();
}

void console_log(const char *text, size_t length)
{
	bool locked = console_enter();

	/* A panic's own CPU needs no lock; any other one stays silent. If the
	 * holder never let go, a garbled line is better than none. */
	if (!locked && console_panic_cpu && console_panic_cpu != plat_cpu() + 1)
		return;
	if (locked) {
		console_break();
	} else if (console_cursor != CONSOLE_NOBODY) {
		/* The line's buffer may be in mid-change: leave it alone. */
		console_cursor = CONSOLE_NOBODY;
		console_puts("\033[0m\r\n");
	}
	console_put(text, length);
	console_puts("\r\n");
	if (locked)
		console_leave();
}

unsigned console_add_vm(const char *name)
{
	unsigned vm = console_vm_count;

	ASSERT(vm < SLUICE_VMS_MAX);
	console_vms[vm] = (struct console_vm){.name = name};
	console_vm_count++;
	return vm;
}

/* Asks for console_settle() if input is left over. */
static void console_feed_later(void)
{
	bool defer = false;

	if (!console_enter())
		return;
	if (console_pending_count && !console_deferred)
		defer = console_deferred = true;
	console_leave();
	if (defer)
		console_defer();
}

/* Offers what was typed to the VM that has the input. One CPU at a time; what
 * another adds meanwhile waits for console_settle() at worst. */
static void console_feed(void)
{
	if (__atomic_exchange_n((bool *)&console_feeding, true,
				__ATOMIC_ACQUIRE))
		return;
	while (console_enter()) {
		uint8_t bytes[64];
		unsigned vm = console_focus;
		unsigned count =
			MIN(console_pending_count, (unsigned)sizeof(bytes));
		unsigned taken;

		memcpy(bytes, console_pending, count);
		console_leave();
		if (!count)
			break;
		/* Not under our lock: the serial port's comes before it. */
		taken = console_vm_input(vm, bytes, count);
		if (!console_enter())
			break;
		if (console_focus == vm) {
			taken = MIN(taken, console_pending_count);
			console_pending_count -= taken;
			memmove(console_pending, console_pending + taken,
				console_pending_count);
		}
		console_stalls = taken ? 0 : console_stalls + 1;
		if (console_stalls == CONSOLE_STALLS_MAX)
			console_pending_count = console_stalls = 0;
		console_leave();
		if (taken < count)
			break;
	}
	__atomic_store_n((bool *)&console_feeding, false, __ATOMIC_RELEASE);
	console_feed_later();
}

static void console_type(uint8_t byte)
{
	if (!console_enter())
		return;
	/* As a terminal does when nobody reads: the rest is lost. */
	if (console_vm_count && console_pending_count < CONSOLE_INPUT_MAX)
		console_pending[console_pending_count++] = byte;
	console_leave();
}

static void console_say(const char *text, const char *name)
{
	char line[128];
	int length = fmt_snprintf(line, sizeof(line), "-- %s%s", text, name);

	console_log(line, MIN((size_t)length, sizeof(line) - 1));
}

static void console_switch(unsigned vm)
{
	if (vm >= console_vm_count) {
		console_say("no such VM", "");
		return;
	}
	console_feed();
	console_say("input goes to ", console_vms[vm].name);
	if (!console_enter())
		return;
	console_focus = vm;
	console_pending_count = console_stalls = 0;
	/* Its prompt, so that one sees where one is. */
	if (console_vms[vm].length)
		console_show(vm);
	console_leave();
}

static void console_help(void)
{
	console_say(
		"Ctrl-] and: a digit or n: input to that VM or the next; "
		"r: report;",
		"");
	console_say("q: power off; Ctrl-]: itself; ?: this", "");
	for (unsigned vm = 0; vm < console_vm_count; vm++) {
		char digit[16];

		fmt_snprintf(digit, sizeof(digit), "%c %u ",
			     vm == console_focus ? '>' : ' ', vm + 1);
		console_say(digit, console_vms[vm].name);
	}
}

static void console_key(uint8_t key)
{
	switch (key) {
	case CONSOLE_ESCAPE:
		console_type(key);
		break;
	case '0':
		console_switch(9);
		break;
	case 'n':
		console_switch(console_focus + 1 < console_vm_count
				       ? console_focus + 1
				       : 0);
		break;
	case 'q':
		console_say("power off", "");
		power_off();
	case 'r':
		report_write();
		break;
	case '?':
		console_help();
		break;
	default:
		if (key >= '1' && key <= '9')
			console_switch((unsigned)(key - '1'));
		break;
	}
}

void console_input(const uint8_t *bytes, unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		if (console_in_escape) {
			console_in_escape = false;
			console_key(bytes[i]);
		} else if (bytes[i] == CONSOLE_ESCAPE) {
			console_in_escape = true;
		} else {
			console_type(bytes[i]);
		}
	}
	console_feed();
}

void console_settle(void)
{
	bool again = false;
	unsigned vm;

	if (!console_enter()) {
		/* Whoever writes next asks for it anew. */
		console_deferred = false;
		return;
	}
	for (vm = 0; vm < console_vm_count; vm++) {
		struct console_vm *cv = &console_vms[vm];

		if (cv->fresh && !cv->touched)
			console_show(vm);
		again |= cv->fresh;
		cv->touched = false;
	}
	console_deferred = again;
	console_leave();
	if (again)
		console_defer();
	console_feed();
}
