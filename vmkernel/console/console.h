/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One terminal for the log and for every VM's console. */
#ifndef VMKERNEL_CONSOLE_CONSOLE_H
#define VMKERNEL_CONSOLE_CONSOLE_H

#include "lib/types.h"

/*
 * Output. Every line starts with who says it: "[" and the time for the log,
 * "-- " for answers to the console's keys, "name| " for a VM. A VM's line is
 * shown when it is complete, or when the VM has been quiet for
 * CONSOLE_SETTLE_NS (a prompt); from then on its bytes appear at once, for as
 * long as nobody else writes. If somebody does, its line is ended there, and
 * shown again as a whole later: what a VM prints as one line appears at least
 * once as one line.
 *
 * A VM's bytes are hostile: it must not be able to forge another's prefix. What
 * passes is printable ASCII, well-formed UTF-8 without control characters, tab,
 * newline, backspace down to the prefix, carriage return (which goes back to
 * the prefix), and, of the VM that has the input, the escape sequences for
 * colour and for erasing to the end of line or screen. All else is dropped.
 *
 * Input goes to one VM, at first to the first. Ctrl-] and one more key is for
 * the console itself: 1 to 9 (0: the tenth) and n choose the VM, r writes a
 * report, q powers the machine off, ? explains, Ctrl-] is itself.
 *
 * May be called on any CPU. The console's lock is the innermost but one; it is
 * waited for with a bound, so that a log line gets out even from an NMI.
 */
#define CONSOLE_SETTLE_NS 20000000ull

/* The VM's number: 0 and up, in order of calls; also the number below. name
 * must stay. Boot CPU, before VMs run; at most SLUICE_VMS_MAX. */
unsigned console_add_vm(const char *name);
void console_vm_output(unsigned vm, const uint8_t *bytes, unsigned count);
/* A line of the VMkernel, without newline. */
void console_log(const char *text, size_t length);
/* From here on only this CPU's console_log() is shown, and without locking.
 * False: another CPU came first, keep silent. */
bool console_panic_begin(void);

/* Bytes typed; from the terminal's interrupt, no lock held. */
void console_input(const uint8_t *bytes, unsigned count);
/* What console_defer() asked for: no lock held. */
void console_settle(void);

/*
 * Hooks, bound at link time.
 */
/* Out to the terminal (serial.c). Under the console's lock. */
void console_put(const char *bytes, size_t count);
/* Call console_settle() once, in about CONSOLE_SETTLE_NS (serial.c). */
void console_defer(void);
/* The VM's serial port takes what it has room for and returns how many bytes
 * that is; the rest is offered again later (vmm). */
unsigned console_vm_input(unsigned vm, const uint8_t *bytes, unsigned count);

#endif
