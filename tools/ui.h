/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the user sees: messages, colours, progress. */
#ifndef TOOLS_UI_H
#define TOOLS_UI_H

#include "tools/fault.h"

#include <stdio.h>

/* May this stream have colours? A terminal, and no NO_COLOR. */
bool ui_colours(FILE *stream);
/* Prints the message to standard error. */
void ui_fault(const struct fault *f);
/* A line of information to standard error. */
void ui_note(const char *fmt, ...) PRINTF(1, 2);

/* Shows itself on a terminal when the work takes more than a second. */
struct ui_progress {
	const char *what;
	uint64_t start_ns, shown_ns;
};

void ui_progress_start(struct ui_progress *p, const char *what);
void ui_progress_step(struct ui_progress *p, uint64_t done, uint64_t total);
void ui_progress_end(struct ui_progress *p);

uint64_t ui_now_ns(void); /* monotonic */

#endif
