/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What QEMU says on standard error, without what a user cannot act on. */
#include "tools/warn.h"

#include <string.h>
#include <unistd.h>

static const char *const warn_dropped[] = {
	"warning: TCG doesn't support requested feature",
	"terminating on signal ",
};

static bool warn_drops(const struct warn *w)
{
	for (size_t i = 0; i < ARRAY_SIZE(warn_dropped); i++)
		if (memmem(w->held, w->held_count, warn_dropped[i],
			   strlen(warn_dropped[i])))
			return true;
	return false;
}

void warn_flush(struct warn *w, int fd)
{
	ssize_t n = 0;

	if (w->held_count && !warn_drops(w))
		n = write(fd, w->held, w->held_count);
	(void)n; /* if standard error takes nothing, nobody is to be told */
	w->held_count = 0;
}

void warn_feed(struct warn *w, int fd, const char *in, size_t size)
{
	for (size_t i = 0; i < size; i++) {
		w->held[w->held_count++] = in[i];
		if (in[i] == '\n' || w->held_count == sizeof(w->held))
			warn_flush(w, fd);
	}
}
