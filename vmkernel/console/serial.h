/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The 16550 ports: COM1 is the terminal, COM2 the control port. */
#ifndef VMKERNEL_CONSOLE_SERIAL_H
#define VMKERNEL_CONSOLE_SERIAL_H

#include "lib/types.h"

/* Looks for both ports and sets them to 115200 8N1, no interrupts. The first
 * thing that C code does: the log works from here on. */
void serial_init(void);
/* Takes input from COM1 by interrupt, on the boot CPU; says so if that cannot
 * be. After the I/O APICs are known. From then on output is buffered. */
void serial_init_interrupts(void);

/* Is there output that the port has not taken yet? And a little of it to the
 * port, without waiting; any CPU, no lock held. */
bool serial_waits(void);
void serial_pump(void);
/* Waits until all of it is out, and no longer buffers: for the machine's end,
 * good or bad. Other CPUs no longer write, or may spoil what is written. */
void serial_flush(void);

bool serial_has_control(void);
/* Polled; waits for at most 0.1 s or so where nobody takes the bytes, and drops
 * the rest then. The caller serializes. */
void serial_write_control(const char *bytes, size_t count);

#endif
