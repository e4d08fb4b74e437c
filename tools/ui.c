/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the user sees: messages, colours, progress. */
#include "tools/ui.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define UI_QUIET_NS    UINT64_C(1000000000) /* before progress is shown */
#define UI_INTERVAL_NS UINT64_C(100000000)

bool ui_colours(FILE *stream)
{
	const char *no = getenv("NO_COLOR");
	const char *term = getenv("TERM");

	return isatty(fileno(stream)) && !(no && *no) &&
	       !(term && strcmp(term, "dumb") == 0);
}

void ui_fault(const struct fault *f)
{
	bool colours = ui_colours(stderr);
	const char *bold = colours ? "\033[1m" : "";
	const char *plain = colours ? "\033[0m" : "";

	if (f->file && f->line)
		fprintf(stderr, "%s%s:%u:%s %s\n", bold, f->file, f->line,
			plain, f->text);
	else
		fprintf(stderr, "%s%s:%s %s\n", bold,
			f->file ? f->file : "sluice", plain, f->text);
}

void ui_note(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	fputs("sluice: ", stderr);
	vfprintf(stderr, fmt, args);
	fputc('\n', stderr);
	va_end(args);
}

uint64_t ui_now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * UINT64_C(1000000000) + (uint64_t)t.tv_nsec;
}

void ui_progress_start(struct ui_progress *p, const char *what)
{
	p->what = what;
	p->start_ns = ui_now_ns();
	p->shown_ns = 0;
}

void ui_progress_step(struct ui_progress *p, uint64_t done, uint64_t total)
{
	uint64_t now = ui_now_ns();

	if (now - p->start_ns < UI_QUIET_NS ||
	    now - p->shown_ns < UI_INTERVAL_NS || !isatty(STDERR_FILENO))
		return;
	p->shown_ns = now;
	fprintf(stderr, "\r%s: %" PRIu64 " of %" PRIu64 " MiB\033[K", p->what,
		done >> 20, total >> 20);
	fflush(stderr);
}

void ui_progress_end(struct ui_progress *p)
{
	if (p->shown_ns)
		fputs("\r\033[K", stderr);
}
