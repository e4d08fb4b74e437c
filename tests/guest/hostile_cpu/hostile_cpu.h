/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A CPU abused: the parts of the payload. */
#ifndef GUEST_HOSTILE_CPU_H
#define GUEST_HOSTILE_CPU_H

#include "tests/guest/lib/hostile.h"
#include "tests/guest/lib/trap.h"

#define VECTOR_UD 6
#define VECTOR_GP 13
#define VECTOR_PF 14

void cpu_abuse_msrs(void);
void cpu_abuse_ports(void);
void cpu_abuse_interrupts(void);
void cpu_abuse_code(void);
void cpu_abuse_tables(void);

/* fn's exception, or CPU_NO_TRAP; the trap is trap_log[0]. */
#define CPU_NO_TRAP 256u
unsigned cpu_try(void (*fn)(void));

#endif
