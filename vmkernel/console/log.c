/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The VMkernel's log: plat_log() on bare metal. */
#include "vmkernel/console/log.h"

#include <stdarg.h>
#include <string.h>

#include "lib/fmt.h"
#include "vmkernel/console/console.h"
#include "vmkernel/console/serial.h"

#define LOG_LINE_MAX   256
#define LOG_RING       KiB(64) /* a power of two */
/* A panic within the panic's own output, once, may still tell something. */
#define LOG_PANICS_MAX 2

static const char *const log_names[] = {"error", "warn", "info", "debug"};

static enum log_level log_limit = LOG_INFO;
static unsigned log_panics;

/* Lines, each with its newline; the oldest follows log_ring_next. Not static:
 * a debugger finds them by name. */
char log_ring[LOG_RING];
_Atomic uint64_t log_ring_next;

void log_set_level(enum log_level level)
{
	log_limit = level;
}

void log_panic_begin(void)
{
	if (console_panic_begin() && log_panics++ < LOG_PANICS_MAX) {
		serial_flush();
		return;
	}
	for (;;)
		__asm__ volatile("cli; hlt");
}

/* Lock-free: an NMI in between writes beside it. */
static void log_keep(const char *line, size_t length)
{
	uint64_t at = __atomic_fetch_add((uint64_t *)&log_ring_next, length + 1,
					 __ATOMIC_RELAXED);

	for (size_t i = 0; i <= length; i++)
		log_ring[(at + i) & (LOG_RING - 1)] =
			i < length ? line[i] : '\n';
}

void plat_log(enum log_level level, const char *area, const char *fmt, ...)
{
	char line[LOG_LINE_MAX];
	uint64_t us;
	int length;
	va_list args;

	if (level > MAX(log_limit, LOG_INFO))
		return;
	us = plat_now_ns() / 1000;
	length = fmt_snprintf(
		line, sizeof(line),
		"[%5llu.%06llu] %-5s %s: ", (unsigned long long)(us / 1000000),
		(unsigned long long)(us % 1000000), log_names[level], area);
	length = MIN(length, LOG_LINE_MAX - 1);
	va_start(args, fmt);
	length += fmt_vsnprintf(line + length, sizeof(line) - (size_t)length,
				fmt, args);
	va_end(args);
	length = MIN(length, LOG_LINE_MAX - 1);
	/* Names come from files, and text from guests' mistakes. */
	for (int i = 0; i < length; i++)
		if (line[i] < ' ' || line[i] > '~')
			line[i] = '?';
	log_keep(line, (size_t)length);
	if (level <= log_limit)
		console_log(line, (size_t)length);
}
