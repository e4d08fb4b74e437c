/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Runs QEMU and passes bytes between its serial port and the terminal. */
#ifndef TOOLS_FORWARD_H
#define TOOLS_FORWARD_H

#include "tools/plan.h"

struct forward_options {
	const struct plan *plan; /* for the names of the VMs */
	const char *log_path;	 /* copy of the output, or NULL */
	unsigned timeout_s;	 /* 0: none */
};

/*
 * Runs argv (ends in NULL) until it exits. 0 if it did so with 0 or the user
 * quit; EXIT_TIMEOUT or EXIT_TROUBLE with the fault set; 128 and the signal's
 * number, with no fault, if one told us to end.
 */
int forward_run(char *const argv[], const struct forward_options *options,
		struct fault *f);

#endif
