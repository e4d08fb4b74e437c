/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What QEMU says on standard error, without what a user cannot act on. */
#ifndef TOOLS_WARN_H
#define TOOLS_WARN_H

#include "lib/types.h"

/*
 * Dropped are the warnings about features of the CPU model that QEMU's emulator
 * lacks, about twenty lines for each start, and that it was told to end. The
 * rest passes, line by line; a line longer than the buffer in pieces.
 */
struct warn {
	unsigned held_count;
	char held[512];
};

/* Passes on to fd. */
void warn_feed(struct warn *w, int fd, const char *in, size_t size);
/* What is held of a last line without an end. */
void warn_flush(struct warn *w, int fd);

#endif
