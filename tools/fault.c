/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What went wrong: one message and the exit code that goes with it. */
#include "tools/fault.h"

#include <stdarg.h>
#include <stdio.h>

static void fault_set(struct fault *f, enum exit_code code, unsigned line,
		      const char *fmt, va_list args)
{
	if (f->text[0])
		return;
	f->code = code;
	f->line = line;
	if (code != EXIT_INPUT)
		f->file = NULL;
	vsnprintf(f->text, sizeof(f->text), fmt, args);
}

int fault_input(struct fault *f, unsigned line, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	fault_set(f, EXIT_INPUT, line, fmt, args);
	va_end(args);
	return f->code;
}

int fault_usage(struct fault *f, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	fault_set(f, EXIT_USAGE, 0, fmt, args);
	va_end(args);
	return f->code;
}

int fault_trouble(struct fault *f, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	fault_set(f, EXIT_TROUBLE, 0, fmt, args);
	va_end(args);
	return f->code;
}
