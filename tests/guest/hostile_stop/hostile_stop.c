/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a guest cannot go on from: case=N says which; the log must say why. */
#include "tests/guest/lib/hostile.h"
#include "tests/guest/lib/x86.h"

/* No RAM, and no function's BAR by default. */
#define NOWHERE	     0xd8000000ull
#define APIC_VERSION 0xfee00030ull

static void run_nowhere(void)
{
	((void (*)(void))(uintptr_t)NOWHERE)();
}

static void interrupt_by_nowhere(void)
{
	struct {
		uint16_t limit;
		uint64_t base;
	} PACKED table = {0xfff, NOWHERE};

	__asm__ volatile("lidt %0; ud2" ::"m"(table));
}

static void interrupt_on_nowhere(void)
{
	__asm__ volatile("movq %0, %%rsp; ud2" ::"r"(NOWHERE + 0x1000));
}

static void vector_from_device(void)
{
	__asm__ volatile("movups (%0), %%xmm0" ::"r"(APIC_VERSION));
}

static void tables_nowhere(void)
{
	x86_write_cr3(NOWHERE);
	/* Any instruction, and any that comes after it. */
	__asm__ volatile("1: pause; jmp 1b");
}

static void descriptors_nowhere(void)
{
	struct {
		uint16_t limit;
		uint64_t base;
	} PACKED table = {0xfff, NOWHERE};

	__asm__ volatile(
		"lgdt %0; movl $0x10, %%eax; movl %%eax, %%ds" ::"m"(table)
		: "eax");
}

static void push_to_device(void)
{
	__asm__ volatile(
		"movq %0, %%rsp; pushq %%rax" ::"r"(APIC_VERSION + 16));
}

static void (*const cases[])(void) = {
	run_nowhere,	    interrupt_by_nowhere, interrupt_on_nowhere,
	vector_from_device, tables_nowhere,	  descriptors_nowhere,
	push_to_device,
};

void payload_main(void)
{
	uint64_t which = payload_parameter("case", 0);

	hostile_begin();
	if (which < ARRAY_SIZE(cases))
		cases[which]();
	payload_check("stopped", false, "this is never reached");
}
