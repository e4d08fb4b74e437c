/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Names for code addresses, and backtraces. */
#ifndef VMKERNEL_CONSOLE_KSYMS_H
#define VMKERNEL_CONSOLE_KSYMS_H

#include "lib/types.h"

/* "name+0x12", or the bare address where no function is known; cut to size
 * bytes with the closing NUL. */
void ksyms_format(uint64_t address, char *buf, size_t size);
/* Logs rip and the callers that the chain of frame pointers from rbp leads to.
 * Safe with nonsense in both. */
void backtrace_log(uint64_t rbp, uint64_t rip);

#endif
