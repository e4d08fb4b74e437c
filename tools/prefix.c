/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Colours the "name| " at the start of each line of a VM's console. */
#include "tools/prefix.h"

#include <string.h>

enum match {
	MATCH_NONE,
	MATCH_PART,
	MATCH_WHOLE
};

/* cyan, yellow, green, magenta, blue: readable on black and on white. */
static const char *const prefix_colours[] = {
	"\033[36m", "\033[33m", "\033[32m", "\033[35m", "\033[34m",
};
static const char prefix_plain[] = "\033[0m";

void prefix_init(struct prefix *p, const struct plan *plan)
{
	*p = (struct prefix){.plan = plan, .at_start = true};
}

static size_t put(char *out, const char *text, size_t size)
{
	memcpy(out, text, size);
	return size;
}

/* Is what is held "name| " of a VM, or the start of it? */
static enum match prefix_match(const struct prefix *p, unsigned *vm)
{
	for (unsigned i = 0; i < p->plan->config.vm_count; i++) {
		const char *name = p->plan->vms[i].name;
		size_t n = strlen(name);
		size_t same = MIN(n, p->held_count);

		if (memcmp(name, p->held, same) != 0 ||
		    memcmp("| ", p->held + same, p->held_count - same) != 0)
			continue;
		*vm = i;
		return p->held_count == n + 2 ? MATCH_WHOLE : MATCH_PART;
	}
	return MATCH_NONE;
}

size_t prefix_flush(struct prefix *p, char *out)
{
	size_t n = put(out, p->held, p->held_count);

	if (n)
		p->at_start = false;
	p->held_count = 0;
	return n;
}

/* The whole prefix is held: name and bar in colour. */
static size_t prefix_show(struct prefix *p, unsigned vm, char *out)
{
	const char *colour = prefix_colours[vm % ARRAY_SIZE(prefix_colours)];
	size_t n = put(out, colour, strlen(colour));

	n += put(out + n, p->held, p->held_count - 1);
	n += put(out + n, prefix_plain, strlen(prefix_plain));
	out[n++] = ' ';
	p->held_count = 0;
	p->at_start = false;
	return n;
}

size_t prefix_feed(struct prefix *p, const char *in, size_t size, char *out)
{
	size_t n = 0;

	if (!p->plan)
		return put(out, in, size);
	for (size_t i = 0; i < size; i++) {
		unsigned vm = 0;

		if (!p->at_start) {
			out[n++] = in[i];
		} else {
			p->held[p->held_count++] = in[i];
			switch (prefix_match(p, &vm)) {
			case MATCH_WHOLE:
				n += prefix_show(p, vm, out + n);
				break;
			case MATCH_NONE:
				n += prefix_flush(p, out + n);
				break;
			case MATCH_PART:
				break;
			}
		}
		/* A carriage return takes the cursor back to the prefix. */
		if (in[i] == '\n' || in[i] == '\r')
			p->at_start = true;
	}
	return n;
}
