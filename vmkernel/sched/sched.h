/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Worlds: what runs on a CPU, and what happens between. */
#ifndef VMKERNEL_SCHED_SCHED_H
#define VMKERNEL_SCHED_SCHED_H

#include "plat/event.h"
#include "plat/lock.h"

/* A world is a vCPU as the scheduler sees it. */
enum world_state {
	WORLD_BLOCKED, /* waits for sched_wake() */
	WORLD_READY,   /* on a run queue */
	WORLD_RUNNING,
};

/* (r) under the lock of its CPU's run queue. */
struct world {
	struct list node;	 /* (r) */
	enum world_state state;	 /* (r) */
	bool woken;		 /* (r) while it was running: do not block */
	unsigned cpu;		 /* constant: where it runs */
	struct account *account; /* whom its time is charged to */
	const char *name;
};

enum world_result {
	WORLD_YIELD, /* has more to do: back on the queue */
	WORLD_BLOCK, /* nothing to do until woken */
};

/* Runs the world's guest on this CPU until it blocks or sched_must_yield();
 * implemented by vmm/run.c. */
enum world_result world_run(struct world *world);

/* Turns hardware virtualization on, on the calling CPU; implemented by
 * vmm/vcpu.c. 0 or -errno. */
int world_enable_cpu(void);

void world_init(struct world *world, unsigned cpu, struct account *account,
		const char *name);
/* Makes it ready, ahead of CPU-bound worlds; a wake while it runs is not
 * lost. Any CPU. */
void sched_wake(struct world *world);
/* Leaves guest mode or idle on that CPU to look at what is new. Any CPU,
 * cheap when it already looks. */
void sched_kick(unsigned cpu);

/* Takes pending interrupts, runs due timers and a budget of deferred work. */
void sched_events(void);
/* Should the running world give up the CPU, or the run loop look around
 * again, before guest entry? Called with GIF clear. */
bool sched_must_yield(void);
bool sched_events_pending(void);

void sched_init_cpu(void);	  /* each CPU, before sched_main() */
_Noreturn void sched_main(void);  /* each CPU, for good */
void sched_timer_interrupt(void); /* from irq_dispatch() */
void sched_kicked(void);	  /* from irq_dispatch() */
unsigned sched_next_cpu(void);	  /* round robin placement of new worlds */

struct sched_stats {
	uint64_t switches, idle_halts, kicks, works, timers;
};
void sched_stats(struct sched_stats *sum);

#endif
