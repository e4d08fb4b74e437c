/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Checks the lock order at run time, in LOCK_CHECK builds. */
#include "plat/lock.h"

#ifdef LOCK_CHECK

#define LOCKS_HELD_MAX 16

/* What one CPU holds, in the order taken; touched by that CPU only. */
struct lock_stack {
	unsigned depth;
	struct lock *held[LOCKS_HELD_MAX];
} CACHE_ALIGNED;

static struct lock_stack lock_stacks[PLAT_CPUS_MAX];

/* Called before the wait, so that a wrong order panics rather than hangs. */
void lock_check_acquire(struct lock *l, bool try)
{
	struct lock_stack *stack = &lock_stacks[plat_cpu()];

	for (unsigned i = 0; i < stack->depth; i++) {
		struct lock *held = stack->held[i];

		if (held == l)
			plat_panic("lock %s is taken twice", l->name);
		if (!try && held->rank >= l->rank)
			plat_panic(
				"lock %s (rank %u) is taken while %s "
				"(rank %u) is held",
				l->name, l->rank, held->name, held->rank);
	}
	if (stack->depth == LOCKS_HELD_MAX)
		plat_panic("lock %s: too many locks are held", l->name);
	stack->held[stack->depth++] = l;
}

void lock_check_release(struct lock *l)
{
	struct lock_stack *stack = &lock_stacks[plat_cpu()];
	unsigned i = stack->depth;

	while (i > 0 && stack->held[i - 1] != l)
		i--;
	if (i == 0)
		plat_panic("lock %s is released by a CPU that does not hold it",
			   l->name);
	/* Not always the last one: the order of release is free. */
	for (; i < stack->depth; i++)
		stack->held[i - 1] = stack->held[i];
	stack->depth--;
}

#endif
