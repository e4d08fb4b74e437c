/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Per-CPU data, descriptor tables and control registers. */
#include "vmkernel/cpu/cpu.h"

#include <linux/errno.h>

#include "vmkernel/cpu/regs.h"
#include "vmkernel/cpu/traps.h"
#include "vmkernel/mm/mm.h"

#define CR0_CLEAR   0x60000000ull /* CD, NW: caches on */
#define CR0_SET	    0x80050033ull /* PG AM WP NE ET MP PE */
#define CR4_SET	    0x000006e0ull /* OSXMMEXCPT OSFXSR PGE MCE PAE */
#define CR4_UMIP    (1ull << 11)
#define CR4_OSXSAVE (1ull << 18)
#define CR4_SMEP    (1ull << 20)
#define CR4_SMAP    (1ull << 21)
#define IST_SIZE    KiB(8)

extern struct cpu boot_cpu;
struct cpu boot_cpu = {.self = &boot_cpu, .canary = 0x5afe57ac6b00f1d0};

static struct cpu *cpus[PLAT_CPUS_MAX];
static unsigned cpu_count;

struct cpu *cpu_at(unsigned index)
{
	return index < cpu_count ? cpus[index] : NULL;
}

unsigned plat_cpu_count(void)
{
	return cpu_count;
}

unsigned cpu_online_count(void)
{
	unsigned count = 0;

	for (unsigned i = 0; i < cpu_count; i++)
		count += READ_ONCE(cpus[i]->online);
	return count;
}

static void cpu_load_tables(struct cpu *cpu)
{
	uint64_t tss = (uint64_t)&cpu->tss;
	struct desc_pointer p = {sizeof(cpu->gdt) - 1, (uint64_t)&cpu->gdt};

	cpu->gdt = (struct gdt){{
		0,
		0x00af9b000000ffff, /* KERNEL_CS: 64-bit code */
		0x00cf93000000ffff, /* KERNEL_DS */
		/* TSS_SEL: available 64-bit TSS (APM 2, 4.8.3) */
		(sizeof(cpu->tss) - 1) | (tss & 0xffffff) << 16 |
			0x89ull << 40 | (tss >> 24 & 0xff) << 56,
		tss >> 32,
	}};
	cpu->tss.iomap_base = sizeof(cpu->tss);
	__asm__ volatile(
		"lgdt %0\n\t"
		"pushq %1\n\t"
		"leaq 1f(%%rip), %%rax\n\t"
		"pushq %%rax\n\t"
		"lretq\n"
		"1:\tmovl %2, %%ds\n\t"
		"movl %2, %%es\n\t"
		"movl %2, %%ss\n\t"
		"ltr %w3"
		:
		: "m"(p), "i"(KERNEL_CS), "r"(KERNEL_DS), "r"(TSS_SEL)
		: "rax", "memory");
	traps_load();
}

void cpu_init(struct cpu *cpu)
{
	uint32_t leaf1[4], leaf7[4] = {0};
	uint64_t cr4 = CR4_SET;

	cpu_load_tables(cpu);
	cpuid(1, 0, leaf1);
	cpuid(0, 0, leaf7);
	if (leaf7[0] >= 7)
		cpuid(7, 0, leaf7);
	else
		leaf7[1] = leaf7[2] = 0;
	if (leaf1[2] & 1u << 26)
		cr4 |= CR4_OSXSAVE;
	if (leaf7[1] & 1u << 7)
		cr4 |= CR4_SMEP;
	if (leaf7[1] & 1u << 20)
		cr4 |= CR4_SMAP; /* no user mapping exists: any touch is a bug
				  */
	if (leaf7[2] & 1u << 2)
		cr4 |= CR4_UMIP;
	write_cr0((read_cr0() & ~CR0_CLEAR) | CR0_SET);
	write_cr4(cr4);
}

int cpu_alloc_stacks(struct cpu *cpu)
{
	for (unsigned i = 0; i < IST_COUNT - 1; i++) {
		void *top = mm_alloc_stack(IST_SIZE);

		if (!top)
			return -ENOMEM;
		cpu->tss.ist[i] = (uint64_t)top;
	}
	return 0;
}

void cpu_init_boot(void)
{
	cpus[0] = &boot_cpu;
	cpu_count = 1;
	traps_init();
	cpu_init(&boot_cpu);
}

struct cpu *cpu_create(uint32_t apic_id)
{
	struct cpu *cpu;

	if (cpu_count == PLAT_CPUS_MAX)
		return NULL;
	cpu = plat_alloc(sizeof(*cpu), CACHE_LINE);
	if (!cpu)
		return NULL;
	cpu->self = cpu;
	cpu->index = cpu_count;
	cpu->apic_id = apic_id;
	cpu->canary = boot_cpu.canary ^ plat_cycles() << 8;
	if (cpu_alloc_stacks(cpu) < 0) {
		plat_free(cpu, sizeof(*cpu));
		return NULL;
	}
	cpus[cpu_count] = cpu;
	/* Published: cpu_at() on other CPUs sees a complete entry. */
	__atomic_store_n(&cpu_count, cpu_count + 1, __ATOMIC_RELEASE);
	return cpu;
}
