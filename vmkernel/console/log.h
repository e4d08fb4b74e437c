/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The VMkernel's log: plat_log() on bare metal. */
#ifndef VMKERNEL_CONSOLE_LOG_H
#define VMKERNEL_CONSOLE_LOG_H

#include "plat/plat.h"

/*
 * "[    0.123456] info  area: text" on the terminal. The last 64 KiB of it are
 * also in log_ring, for a debugger, down to LOG_INFO even where the level shows
 * less.
 */
void log_set_level(enum log_level level); /* LOG_INFO at first */
/* This CPU panics: it alone writes from now on, past every lock. A
 * second CPU that calls it is halted, and so is one that panics again while it
 * prints its panic. */
void log_panic_begin(void);

#endif
