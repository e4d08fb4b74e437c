/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Colours the "name| " at the start of each line of a VM's console. */
#ifndef TOOLS_PREFIX_H
#define TOOLS_PREFIX_H

#include "tools/plan.h"

/*
 * Bytes pass unchanged but for the colours. What may become a prefix is held
 * back until it is one or cannot be: prefix_flush() lets it go when nothing
 * has followed for a while.
 */
struct prefix {
	const struct plan *plan; /* NULL: no colours, all passes */
	bool at_start;		 /* a prefix may come, or go on */
	unsigned held_count;
	char held[SLUICE_NAME_SIZE + 1];
};

/* What comes out for size bytes is never more than this. */
#define PREFIX_OUT_MAX(size) (SLUICE_NAME_SIZE + 16 + 8 * (size))

void prefix_init(struct prefix *p, const struct plan *plan);
/* Returns how many bytes it wrote to out, PREFIX_OUT_MAX(size) at most. */
size_t prefix_feed(struct prefix *p, const char *in, size_t size, char *out);
size_t prefix_flush(struct prefix *p, char *out);

#endif
