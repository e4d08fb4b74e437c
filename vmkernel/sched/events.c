/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Timers and deferred work of each CPU. */
#include "vmkernel/sched/events.h"

#include "vmkernel/sched/wheel.h"
#include "plat/lock.h"
#include "plat/plat.h"
#include "vmkernel/irq/irq.h"

/* (t) timer_lock; (w) work_lock; the rest is the CPU's own. */
struct events {
	struct lock timer_lock;
	struct wheel wheel;	/* (t) */
	struct list expired;	/* (t) taken off the wheel, not yet called */
	uint64_t programmed_ns; /* (t) what the one-shot is set to */
	bool fired;
	struct lock work_lock CACHE_ALIGNED;
	struct list works; /* (w) */
} CACHE_ALIGNED;

static struct events events_of[PLAT_CPUS_MAX];

static struct events *events_this(void)
{
	return &events_of[plat_cpu()];
}

void events_init_cpu(void)
{
	struct events *ev = events_this();

	lock_init(&ev->timer_lock, "timers", LOCK_TIMER);
	lock_init(&ev->work_lock, "work", LOCK_WORK);
	wheel_init(&ev->wheel, plat_now_ns());
	list_init(&ev->expired);
	list_init(&ev->works);
	ev->programmed_ns = UINT64_MAX;
}

void timer_init(struct timer *timer, void (*fn)(struct timer *timer))
{
	*timer = (struct timer){.fn = fn};
	list_init(&timer->node);
}

/* Sets the one-shot if it is not set early enough already: one that comes too
 * early costs an interrupt, less than stopping it each time would. */
static void events_program(struct events *ev)
{
	uint64_t next = wheel_next_ns(&ev->wheel);
	uint64_t now;

	if (next >= ev->programmed_ns)
		return;
	now = plat_now_ns();
	ev->programmed_ns = next;
	apic_timer_arm(next > now ? next - now : 0);
}

void timer_arm(struct timer *timer, uint64_t deadline_ns)
{
	struct events *ev = events_this();

	if (timer->armed)
		timer_cancel(timer);
	lock_acquire(&ev->timer_lock);
	timer->cpu = (uint8_t)plat_cpu();
	timer->deadline_ns = deadline_ns;
	timer->armed = true;
	wheel_add(&ev->wheel, timer);
	events_program(ev);
	lock_release(&ev->timer_lock);
}

void timer_cancel(struct timer *timer)
{
	struct events *ev = &events_of[timer->cpu];

	lock_acquire(&ev->timer_lock);
	if (timer->armed) {
		wheel_del(&ev->wheel, timer);
		timer->armed = false;
	}
	lock_release(&ev->timer_lock);
}

void events_timer_fired(void)
{
	events_this()->fired = true;
}

bool events_timers_pending(void)
{
	return events_this()->fired;
}

unsigned events_run_timers(void)
{
	struct events *ev = events_this();
	unsigned count = 0;

	if (likely(!ev->fired))
		return 0;
	ev->fired = false;
	lock_acquire(&ev->timer_lock);
	ev->programmed_ns = UINT64_MAX;
	wheel_advance(&ev->wheel, plat_now_ns(), &ev->expired);
	while (!list_empty(&ev->expired)) {
		struct timer *t = container_of(list_pop(&ev->expired),
					       struct timer, node);

		t->armed = false;
		lock_release(&ev->timer_lock);
		t->fn(t);
		count++;
		lock_acquire(&ev->timer_lock);
	}
	events_program(ev);
	lock_release(&ev->timer_lock);
	return count;
}

void work_init(struct work *work, void (*fn)(struct work *work),
	       struct account *account)
{
	*work = (struct work){.fn = fn, .account = account};
	list_init(&work->node);
}

void work_post(struct work *work)
{
	struct events *ev = events_this();

	if (__atomic_exchange_n((bool *)&work->posted, true, __ATOMIC_ACQ_REL))
		return;
	lock_acquire(&ev->work_lock);
	list_add_tail(&ev->works, &work->node);
	lock_release(&ev->work_lock);
}

bool events_work_pending(void)
{
	return !list_empty(&events_this()->works);
}

unsigned events_run_work(unsigned budget)
{
	struct events *ev = events_this();
	unsigned count = 0;

	while (count < budget && !list_empty(&ev->works)) {
		struct list *node;
		struct work *work;
		uint64_t start;

		lock_acquire(&ev->work_lock);
		node = list_pop(&ev->works);
		lock_release(&ev->work_lock);
		if (!node)
			break;
		work = container_of(node, struct work, node);
		/* From here on it may be posted again, also by fn itself. */
		__atomic_store_n((bool *)&work->posted, false,
				 __ATOMIC_RELEASE);
		start = plat_cycles();
		work->fn(work);
		if (work->account)
			__atomic_fetch_add((uint64_t *)&work->account->cycles,
					   plat_cycles() - start,
					   __ATOMIC_RELAXED);
		count++;
	}
	return count;
}
