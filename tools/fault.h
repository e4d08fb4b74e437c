/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What went wrong: one message and the exit code that goes with it. */
#ifndef TOOLS_FAULT_H
#define TOOLS_FAULT_H

#include "lib/types.h"

/* The functions of tools/ return 0 or one of these. */
enum exit_code {
	EXIT_INPUT = 1,	  /* the configuration or a file it names is bad */
	EXIT_USAGE = 2,	  /* the command line is */
	EXIT_TROUBLE = 3, /* I/O, memory, a program that is missing */
	EXIT_TIMEOUT = 4, /* run --timeout */
};

/* The file is set by whoever reads one; faults keep the first message only. */
struct fault {
	const char *file; /* NULL: the message stands alone */
	unsigned line;	  /* from 1; 0: the file as a whole */
	enum exit_code code;
	char text[1024];
};

/* "What is wrong; what to do", no full stop. Each returns its exit code. */
int fault_input(struct fault *f, unsigned line, const char *fmt, ...)
	PRINTF(3, 4);
int fault_usage(struct fault *f, const char *fmt, ...) PRINTF(2, 3);
int fault_trouble(struct fault *f, const char *fmt, ...) PRINTF(2, 3);

#endif
