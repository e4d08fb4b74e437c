/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Starts a program with pipes for its three streams. */
#ifndef TOOLS_SPAWN_H
#define TOOLS_SPAWN_H

#include "tools/fault.h"

#include <sys/types.h>

struct spawn {
	pid_t pid;
	int in;	 /* its standard input: we write, without waiting */
	int out; /* its standard output: we read */
	int err; /* its standard error, likewise */
};

/*
 * argv ends in NULL; argv[0] is sought in PATH. The program is told to end
 * (SIGTERM) when we do. The caller closes the pipes and waits for it.
 */
int spawn_piped(struct spawn *s, char *const argv[], struct fault *f);

#endif
