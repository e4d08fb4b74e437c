/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Timers and deferred work in a Linux process: run when the test says so. */
#include "plat/event.h"
#include "plat/linux/linux.h"
#include "plat/lock.h"

static struct lock timer_lock = LOCK_INIT("timers", LOCK_TIMER);
static struct list timers = LIST_INIT(timers); /* sorted; timer_lock */

static struct lock work_lock = LOCK_INIT("work", LOCK_WORK);
static struct list works = LIST_INIT(works); /* in order; work_lock */

void timer_init(struct timer *timer, void (*fn)(struct timer *timer))
{
	*timer = (struct timer){.fn = fn};
	list_init(&timer->node);
}

void timer_arm(struct timer *timer, uint64_t deadline_ns)
{
	struct list *node;

	lock_acquire(&timer_lock);
	list_del(&timer->node);
	timer->deadline_ns = deadline_ns;
	timer->cpu = (uint8_t)plat_cpu();
	timer->armed = true;
	/* Behind those of the same deadline. */
	list_for_each (node, &timers)
		if (container_of(node, struct timer, node)->deadline_ns >
		    deadline_ns)
			break;
	list_add_tail(node, &timer->node);
	lock_release(&timer_lock);
}

void timer_cancel(struct timer *timer)
{
	lock_acquire(&timer_lock);
	list_del(&timer->node);
	timer->armed = false;
	lock_release(&timer_lock);
}

uint64_t plat_linux_next_timer(void)
{
	uint64_t deadline_ns = UINT64_MAX;

	lock_acquire(&timer_lock);
	if (!list_empty(&timers))
		deadline_ns = container_of(timers.next, struct timer, node)
				      ->deadline_ns;
	lock_release(&timer_lock);
	return deadline_ns;
}

static struct timer *timers_pop_due(uint64_t now_ns)
{
	struct timer *timer = NULL;

	lock_acquire(&timer_lock);
	if (!list_empty(&timers)) {
		timer = container_of(timers.next, struct timer, node);
		if (timer->deadline_ns <= now_ns) {
			list_del(&timer->node);
			timer->armed = false;
		} else {
			timer = NULL;
		}
	}
	lock_release(&timer_lock);
	return timer;
}

unsigned plat_linux_run_timers(void)
{
	unsigned cpu = plat_linux_cpu, count = 0;
	uint64_t now_ns = plat_now_ns();
	struct timer *timer;

	while ((timer = timers_pop_due(now_ns)) != NULL) {
		plat_linux_cpu = timer->cpu;
		timer->fn(timer);
		count++;
	}
	plat_linux_cpu = cpu;
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
	if (__atomic_exchange_n((bool *)&work->posted, true, __ATOMIC_ACQ_REL))
		return;
	lock_acquire(&work_lock);
	list_add_tail(&works, &work->node);
	lock_release(&work_lock);
}

unsigned plat_linux_run_work(void)
{
	/* Stands behind what is there now: work posted meanwhile waits. */
	struct list end;
	struct list *node;
	unsigned count = 0;

	lock_acquire(&work_lock);
	list_add_tail(&works, &end);
	while ((node = list_pop(&works)) != NULL && node != &end) {
		struct work *work = container_of(node, struct work, node);
		uint64_t start = plat_cycles();

		lock_release(&work_lock);
		/* Before the call: fn may post it again. */
		work->posted = false;
		work->fn(work);
		if (work->account)
			work->account->cycles += plat_cycles() - start;
		count++;
		lock_acquire(&work_lock);
	}
	lock_release(&work_lock);
	return count;
}
