/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The strings a test pulls on the Linux platform: clock, CPU, log, events. */
#ifndef PLAT_LINUX_LINUX_H
#define PLAT_LINUX_LINUX_H

#include "plat/event.h"
#include "plat/plat.h"

/*
 * An ordinary process plays the machine. Each thread plays a CPU of its own
 * (plat_linux_set_cpu()); nothing runs by itself: the test runs the timers and
 * the work that are due.
 */

/* cpu: below PLAT_CPUS_MAX; two threads must not play the same one. */
void plat_linux_set_cpu(unsigned cpu);
/* What plat_cpu_count() says; 1 at the start. */
void plat_linux_set_cpu_count(unsigned count);

/* From now on plat_now_ns() stands still at now_ns; 0: the real clock again. */
void plat_linux_set_time(uint64_t now_ns);

/* Runs the timers that are due at plat_now_ns(), by deadline, each on its CPU.
 * One armed meanwhile that is due runs too. Returns how many. */
unsigned plat_linux_run_timers(void);
/* Deadline of the first timer, UINT64_MAX if there is none. */
uint64_t plat_linux_next_timer(void);
/* Runs what was posted before the call (not what that posts). Returns how
 * many. */
unsigned plat_linux_run_work(void);

/* Lines above this level are not printed to stderr; LOG_ERROR at the start. */
void plat_linux_set_log_level(enum log_level level);
/* Gets every line, whatever its level, in place of stderr. NULL: stderr. */
extern void (*plat_linux_log_hook)(enum log_level level, const char *area,
				   const char *line);
/* May leave by longjmp(); when it returns, or is NULL, the process aborts. */
extern void (*plat_linux_panic_hook)(const char *message);

/* plat_alloc() works count times more and then finds no memory; a negative
 * count: it always works again. */
void plat_linux_fail_alloc(int count);
/* Bytes allocated and not freed. */
size_t plat_linux_allocated(void);

#endif
