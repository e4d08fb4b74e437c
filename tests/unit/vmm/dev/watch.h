/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Guest memory that its other CPU rewrites after each single access of ours. */
#ifndef TESTS_WATCH_H
#define TESTS_WATCH_H

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <ucontext.h>

#include "lib/types.h"

/*
 * The worst timing that two CPUs can have, each time, with one thread: the page
 * is protected, so an instruction that touches it faults; it is let through
 * alone (by the trap flag), and before the next one the guest's function runs.
 * So whoever reads a value twice gets two values.
 */
#define WATCH_TRAP_FLAG 0x100

static struct {
	uint8_t *page;	  /* NULL: nothing is watched */
	int protection;	  /* PROT_NONE, or PROT_READ for stores alone */
	void (*fn)(void); /* the guest's turn; may touch the page */
	unsigned accesses;
} watch;

static inline void watch_protect(int protection)
{
	if (mprotect(watch.page, PAGE_SIZE, protection))
		abort();
}

static inline void watch_on_access(int number, siginfo_t *info, void *context)
{
	ucontext_t *uc = context;
	uint8_t *at = info->si_addr;

	if (!watch.page || at < watch.page || at >= watch.page + PAGE_SIZE) {
		/* Somebody's mistake: happen again, and end the test. */
		signal(number, SIG_DFL);
		return;
	}
	watch_protect(PROT_READ | PROT_WRITE);
	uc->uc_mcontext.gregs[REG_EFL] |= WATCH_TRAP_FLAG;
}

static inline void watch_on_step(int number, siginfo_t *info, void *context)
{
	ucontext_t *uc = context;

	(void)number, (void)info;
	uc->uc_mcontext.gregs[REG_EFL] &= ~WATCH_TRAP_FLAG;
	watch.accesses++;
	watch.fn();
	watch_protect(watch.protection);
}

/* page: of the host; 4 KiB, aligned. */
static inline void watch_begin(void *page, int protection, void (*fn)(void))
{
	struct sigaction action = {.sa_flags = SA_SIGINFO};

	watch.page = page;
	watch.protection = protection;
	watch.fn = fn;
	watch.accesses = 0;
	action.sa_sigaction = watch_on_access;
	sigaction(SIGSEGV, &action, NULL);
	action.sa_sigaction = watch_on_step;
	sigaction(SIGTRAP, &action, NULL);
	watch_protect(protection);
}

static inline void watch_end(void)
{
	watch_protect(PROT_READ | PROT_WRITE);
	watch.page = NULL;
	signal(SIGSEGV, SIG_DFL);
	signal(SIGTRAP, SIG_DFL);
}

#endif
