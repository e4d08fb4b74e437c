/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Physical interrupts: vectors, handlers, the local and I/O APICs. */
#ifndef VMKERNEL_IRQ_IRQ_H
#define VMKERNEL_IRQ_IRQ_H

#include "lib/types.h"

#define VECTOR_DEVICE_FIRST 0x30
#define VECTOR_DEVICE_LAST  0xdf
#define VECTOR_TIMER	    0xf0
#define VECTOR_KICK	    0xf1
#define VECTOR_SPURIOUS	    0xff

/*
 * Interrupts are taken only at exits and in idle (vmkernel/sched/sched.c), so
 * a handler runs with no lock held and may call anything that does not wait.
 * fn(arg, index) runs on the CPU that the vector is routed to. Returns the
 * vector, or -ENOSPC.
 */
int irq_alloc(void (*fn)(void *arg, unsigned index), void *arg, unsigned index,
	      const char *name);

/* MSI address and data that raise vector on cpu (Intel SDM 3A, 11.11). */
uint64_t irq_msi_address(unsigned cpu);
uint32_t irq_msi_data(unsigned vector);
/* Routes an ISA interrupt through the I/O APIC to CPU 0. 0 or -ENODEV. */
int irq_route_isa(unsigned isa_irq, unsigned vector);

/* From the interrupt stubs (vmkernel/cpu/traps.c). */
void irq_dispatch(unsigned vector);
/* Interrupts taken, all CPUs; timer and kicks apart. */
uint64_t irq_count(unsigned vector);

/* The local APIC (xAPIC mode: the emulated host has no x2APIC). */
void apic_init(void);	  /* boot CPU: maps, calibrates, masks the 8259s */
void apic_init_cpu(void); /* every CPU, itself */
uint32_t apic_id(void);
/* What waits in it is asked for once more; nothing changes on a real one. */
void apic_ask_again(void);
/* cpu: our index. */
void apic_kick(unsigned cpu);
void apic_nmi(unsigned cpu);
void apic_start_cpu(uint32_t apic_id, unsigned start_page);
/* One-shot timer, nanoseconds from now; 0: fire at once. */
void apic_timer_arm(uint64_t delta_ns);
void apic_timer_stop(void);

#endif
