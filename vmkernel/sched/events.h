/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A CPU's timers and deferred work, for sched.c. */
#ifndef VMKERNEL_SCHED_EVENTS_H
#define VMKERNEL_SCHED_EVENTS_H

#include "lib/types.h"

void events_init_cpu(void);
/* Fires due timers; returns how many. */
unsigned events_run_timers(void);
/* Runs at most budget works; returns how many. */
unsigned events_run_work(unsigned budget);
bool events_work_pending(void);
/* The one-shot fired: it must be set again. */
void events_timer_fired(void);
/* Did the one-shot fire since events_run_timers()? */
bool events_timers_pending(void);

#endif
