/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Per-CPU data and bringing CPUs up. */
#ifndef VMKERNEL_CPU_CPU_H
#define VMKERNEL_CPU_CPU_H

#include "plat/plat.h"
#include "vmkernel/cpu/desc.h"

struct vcpu;

/*
 * One for each CPU, at GS base. Fields are that CPU's own unless marked:
 * (a) atomic, any CPU; (c) constant after boot.
 */
struct cpu {
	struct cpu *self; /* (c) offset 0 */
	uint32_t index;	  /* (c) offset 8: plat_cpu() */
	uint32_t apic_id; /* (c) */
	uint64_t reserved[3];
	uint64_t canary; /* (c) offset 40: -fstack-protector */

	struct vcpu *loaded;   /* whose guest state is in this CPU */
	uint64_t spec_ctrl;    /* what the MSR holds */
	bool online;	       /* (a) */
	_Atomic bool in_guest; /* (a) a kick must reach it */
	_Atomic bool kicked;   /* (a) an IPI is on its way */
	uint64_t interrupts;   /* taken on this CPU */

	struct gdt gdt;
	struct tss tss;
};

_Static_assert(offsetof(struct cpu, index) == 8, "plat_cpu()");
_Static_assert(offsetof(struct cpu, canary) == 40, "gcc -mcmodel=kernel");

static inline struct cpu *cpu_this(void)
{
	struct cpu *cpu;

	__asm__ volatile("movq %%gs:0, %0" : "=r"(cpu));
	return cpu;
}

struct cpu *cpu_at(unsigned index); /* NULL when there is no such CPU */

unsigned cpu_online_count(void);

/* Boot CPU, first thing: its struct cpu, GDT, TSS, IDT. */
void cpu_init_boot(void);
/* Every CPU: GDT, TSS, IDT, control registers. */
void cpu_init(struct cpu *cpu);
/* A new struct cpu with exception stacks. NULL when dry or too many. */
struct cpu *cpu_create(uint32_t apic_id);
/* IST stacks for the boot CPU, once memory works. 0 or -ENOMEM. */
int cpu_alloc_stacks(struct cpu *cpu);

/* Starts every other CPU that ACPI lists; each ends in smp_entry(). */
void smp_start(void);

#endif
