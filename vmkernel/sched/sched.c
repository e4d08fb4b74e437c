/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The scheduler: one run queue per CPU, round robin with wake-up preference. */
#include "vmkernel/sched/sched.h"

#include "plat/plat.h"
#include "vmkernel/console/serial.h"
#include "vmkernel/cpu/cpu.h"
#include "vmkernel/cpu/regs.h"
#include "vmkernel/irq/irq.h"
#include "vmkernel/sched/events.h"

/*
 * Event driven: a CPU has one stack and runs sched_main() for good. It takes
 * events (interrupts, timers, deferred work), picks a world, and world_run()
 * comes back when the world blocks or must yield. All C code runs with
 * interrupts off; physical interrupts are taken in sched_events(), called
 * after an exit and in idle, where no lock is held.
 *
 * A world lives on one CPU. It blocks only after a look, under the queue's
 * lock, at `woken`, which sched_wake() sets under the same lock: no wake-up is
 * lost. A CPU that sleeps or runs a guest says so in cpu->in_guest before its
 * last look for events; whoever makes an event looks at in_guest after making
 * it and sends a kick: one of the two sees the other.
 *
 * Time slices exist only while somebody else waits for the CPU: a lone world
 * runs without a tick.
 */
#define SLICE_NS    10000000ull
#define WORK_BUDGET 16

/* (r) lock; the rest is the CPU's own. */
struct runqueue {
	struct lock lock;
	struct list ready;     /* (r) */
	bool yield;	       /* (r) set; cleared when a world is picked */
	struct world *current; /* (r) */
	struct timer slice;
	uint64_t event_cycles; /* spent in sched_events() */
	struct sched_stats stats;
} CACHE_ALIGNED;

static struct runqueue runqueues[PLAT_CPUS_MAX];
static _Atomic unsigned sched_placed;

static struct runqueue *runqueue_this(void)
{
	return &runqueues[plat_cpu()];
}

static void sched_slice_end(struct timer *timer)
{
	container_of(timer, struct runqueue, slice)->yield = true;
}

void sched_init_cpu(void)
{
	struct runqueue *rq = runqueue_this();

	events_init_cpu();
	lock_init(&rq->lock, "run queue", LOCK_RUNQUEUE);
	list_init(&rq->ready);
	timer_init(&rq->slice, sched_slice_end);
}

void world_init(struct world *world, unsigned cpu, struct account *account,
		const char *name)
{
	*world = (struct world){
		.state = WORLD_BLOCKED,
		.cpu = cpu,
		.account = account,
		.name = name,
	};
	list_init(&world->node);
}

unsigned sched_next_cpu(void)
{
	for (;;) {
		unsigned cpu = __atomic_fetch_add((unsigned *)&sched_placed, 1,
						  __ATOMIC_RELAXED) %
			       plat_cpu_count();

		if (cpu_at(cpu)->online)
			return cpu;
	}
}

void sched_kick(unsigned cpu)
{
	struct cpu *target = cpu_at(cpu);

	if (cpu == plat_cpu())
		return; /* it looks before it enters a guest or sleeps */
	/* The event's stores before the look at in_guest; see the top. */
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	if (!target->in_guest)
		return;
	if (__atomic_exchange_n((bool *)&target->kicked, true,
				__ATOMIC_ACQ_REL))
		return; /* one is on its way */
	runqueue_this()->stats.kicks++;
	apic_kick(cpu);
}

/*
 * Here and nowhere else: a kick on its way may be taken outside of the guest,
 * with some other interrupt, and a flag that is left set then would swallow
 * the next kick. An exchange, so that whoever found the flag set has made its
 * event before we look for events again.
 */
void sched_kicked(void)
{
	(void)__atomic_exchange_n((bool *)&cpu_this()->kicked, false,
				  __ATOMIC_SEQ_CST);
}

void sched_wake(struct world *world)
{
	struct runqueue *rq = &runqueues[world->cpu];

	lock_acquire(&rq->lock);
	world->woken = true;
	if (world->state == WORLD_BLOCKED) {
		world->state = WORLD_READY;
		list_add_head(&rq->ready, &world->node);
		if (rq->current)
			rq->yield = true;
	}
	lock_release(&rq->lock);
	sched_kick(world->cpu);
}

void sched_timer_interrupt(void)
{
	events_timer_fired();
}

void sched_events(void)
{
	struct runqueue *rq = runqueue_this();
	uint64_t start = plat_cycles();

	interrupts_take();
	rq->stats.timers += events_run_timers();
	rq->stats.works += events_run_work(WORK_BUDGET);
	if (unlikely(serial_waits()))
		serial_pump();
	rq->event_cycles += plat_cycles() - start;
}

bool sched_must_yield(void)
{
	return READ_ONCE(runqueue_this()->yield);
}

bool sched_events_pending(void)
{
	return events_timers_pending() || events_work_pending();
}

static struct world *sched_pick(struct runqueue *rq)
{
	struct world *world = NULL;
	struct list *node;
	bool others;

	lock_acquire(&rq->lock);
	node = list_pop(&rq->ready);
	if (node) {
		world = container_of(node, struct world, node);
		world->state = WORLD_RUNNING;
		world->woken = false;
	}
	rq->current = world;
	rq->yield = false;
	others = !list_empty(&rq->ready);
	lock_release(&rq->lock);
	if (others)
		timer_arm(&rq->slice, plat_now_ns() + SLICE_NS);
	return world;
}

static void sched_put(struct runqueue *rq, struct world *world,
		      enum world_result result)
{
	lock_acquire(&rq->lock);
	rq->current = NULL;
	if (result == WORLD_BLOCK && !world->woken) {
		world->state = WORLD_BLOCKED;
	} else {
		world->state = WORLD_READY;
		list_add_tail(&rq->ready, &world->node);
	}
	lock_release(&rq->lock);
}

static void sched_run(struct runqueue *rq, struct world *world)
{
	uint64_t start = plat_cycles(), events = rq->event_cycles;
	enum world_result result = world_run(world);

	/* Events that came meanwhile are not its own: deferred work is charged
	 * to the VM that it is done for, the rest to nobody. */
	__atomic_fetch_add((uint64_t *)&world->account->cycles,
			   plat_cycles() - start - (rq->event_cycles - events),
			   __ATOMIC_RELAXED);
	sched_put(rq, world, result);
}

/* Sleeps until an interrupt, unless something has come up. */
static void sched_idle(struct runqueue *rq)
{
	struct cpu *cpu = cpu_this();

	cpu->in_guest = true;
	/* Before the last look; see the top. */
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	if (list_empty(&rq->ready) && !sched_events_pending() &&
	    !serial_waits()) {
		rq->stats.idle_halts++;
		/* sti takes effect after hlt: no interrupt slips between. */
		__asm__ volatile("sti; hlt; cli" ::: "memory");
	}
	cpu->in_guest = false;
}

_Noreturn void sched_main(void)
{
	struct runqueue *rq = runqueue_this();

	for (;;) {
		struct world *world;

		sched_events();
		world = sched_pick(rq);
		if (world) {
			rq->stats.switches++;
			sched_run(rq, world);
		} else {
			sched_idle(rq);
		}
	}
}

void sched_stats(struct sched_stats *sum)
{
	*sum = (struct sched_stats){0};
	for (unsigned i = 0; i < plat_cpu_count(); i++) {
		sum->switches += runqueues[i].stats.switches;
		sum->idle_halts += runqueues[i].stats.idle_halts;
		sum->kicks += runqueues[i].stats.kicks;
		sum->works += runqueues[i].stats.works;
		sum->timers += runqueues[i].stats.timers;
	}
}
