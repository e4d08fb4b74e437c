/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Instructions that are others by the time the hypervisor reads them. */
#include <string.h>

#include "tests/guest/hostile_cpu/hostile_cpu.h"
#include "tests/guest/lib/x86.h"

/*
 * A page of code is mapped, run once, and then mapped elsewhere without
 * INVLPG. The CPU goes on with the translation it has, so the access to the
 * device is the old instruction's; the hypervisor walks the page tables and
 * finds the new one. Which of the two takes effect is open (a world switch
 * may have emptied the TLB), but it is one of them.
 */
#define CODE_SLOT    8
#define APIC_VERSION 0xfee00030ull
#define TRIES	     16
#define OLD_RESULT   0x14 /* low byte of the version register */
#define UNCHANGED    0x5eed5eed

static uint8_t old_page[PAGE_SIZE] __attribute__((aligned(4096)));
static uint8_t new_page[PAGE_SIZE] __attribute__((aligned(4096)));
static uint64_t new_entry;
static uint64_t result, memory[2];
static unsigned offset; /* of the code in its page */

/* mov (%rdi), %eax; ret */
static const uint8_t load[] = {0x8b, 0x07, 0xc3};

static void call_code(void)
{
	volatile uint8_t *at = (volatile uint8_t *)PAYLOAD_WINDOW +
			       CODE_SLOT * PAGE_SIZE + offset;
	uint64_t a = UNCHANGED, c = 1, d = 0x1234;
	uint64_t di = APIC_VERSION, si = (uintptr_t)memory;

	__asm__ volatile("call *%5"
			 : "+a"(a), "+c"(c), "+d"(d), "+D"(di), "+S"(si)
			 : "r"(at)
			 : "memory");
	result = a;
}

static void call_changed(void)
{
	WRITE_ONCE(payload_window_pt[CODE_SLOT], new_entry);
	call_code();
}

static const struct {
	const char *what;
	uint8_t code[20];
	unsigned trap; /* that the new code may end in */
	bool absent, no_execute;
	unsigned size; /* of code; what follows is ret */
} codes[] = {
	{"the same", {0x8b, 0x07, 0xc3}, CPU_NO_TRAP, 0, 0, 3},
	{"a store", {0x89, 0x07, 0xc3}, CPU_NO_TRAP, 0, 0, 3},
	{"an access to memory", {0x8b, 0x06, 0xc3}, CPU_NO_TRAP, 0, 0, 3},
	{"a port", {0xed, 0xc3}, CPU_NO_TRAP, 0, 0, 2},
	{"a string", {0xf3, 0xa4, 0xc3}, CPU_NO_TRAP, 0, 0, 3},
	{"nothing", {0x90, 0x90, 0xc3}, CPU_NO_TRAP, 0, 0, 3},
	{"a register's move", {0x89, 0xf8, 0xc3}, CPU_NO_TRAP, 0, 0, 3},
	{"CPUID", {0x53, 0x0f, 0xa2, 0x5b, 0xc3}, CPU_NO_TRAP, 0, 0, 5},
	{"a write of CR8",
	 {0x31, 0xc0, 0x44, 0x0f, 0x22, 0xc0, 0xc3},
	 CPU_NO_TRAP,
	 0,
	 0,
	 7},
	{"VMMCALL", {0x0f, 0x01, 0xd9, 0xc3}, CPU_NO_TRAP, 0, 0, 4},
	{"VMRUN", {0x31, 0xc0, 0x0f, 0x01, 0xd8, 0xc3}, VECTOR_UD, 0, 0, 6},
	{"UD2", {0x0f, 0x0b, 0xc3}, VECTOR_UD, 0, 0, 3},
	{"LOCK where there is none",
	 {0xf0, 0x8b, 0x07, 0xc3},
	 VECTOR_UD,
	 0,
	 0,
	 4},
	{"prefixes without an end",
	 {0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66,
	  0x66, 0x66, 0x66, 0x66, 0x66, 0x90, 0xc3},
	 VECTOR_GP,
	 0,
	 0,
	 18},
	{"an address that is none",
	 {0x48, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0x80, 0x8b, 0x00, 0xc3},
	 VECTOR_GP,
	 0,
	 0,
	 13},
	{"a page that is not there", {0xc3}, VECTOR_PF, true, 0, 1},
	{"a page without code", {0xc3}, VECTOR_PF, 0, true, 1},
};

/* One way, or the other one. */
static void try_code(unsigned i)
{
	unsigned old = 0, new = 0, other = 0;

	for (unsigned k = 0; k < TRIES; k++) {
		unsigned got;

		memset(new_page, 0xc3, sizeof(new_page));
		memcpy(new_page + offset, codes[i].code, codes[i].size);
		new_entry = (uintptr_t)new_page | PTE_P | PTE_W;
		if (codes[i].absent)
			new_entry = 0;
		if (codes[i].no_execute)
			new_entry |= PTE_NX;
		payload_window_map(CODE_SLOT,
				   (uintptr_t)old_page | PTE_P | PTE_W);
		call_code();
		got = cpu_try(call_changed);
		if (got == CPU_NO_TRAP && (result & 0xff) == OLD_RESULT)
			old++;
		else if (got == codes[i].trap)
			new ++;
		else
			other++;
	}
	payload_log("%s: old %u, new %u", codes[i].what, old, new);
	payload_check_equal(codes[i].what, other, 0);
}

/* The instruction runs over two pages, whose second one changes. */
static void try_straddle(void)
{
	unsigned bad = 0;

	offset = PAGE_SIZE - 1;
	memset(old_page, 0x90, sizeof(old_page));
	old_page[offset] = load[0];
	for (unsigned k = 0; k < TRIES; k++) {
		unsigned got;

		memset(new_page, 0xc3, sizeof(new_page));
		new_page[0] = load[1];
		payload_window_map(CODE_SLOT,
				   (uintptr_t)old_page | PTE_P | PTE_W);
		payload_window_map(CODE_SLOT + 1,
				   (uintptr_t)new_page | PTE_P | PTE_W);
		call_code();
		/* Its second half goes. */
		WRITE_ONCE(payload_window_pt[CODE_SLOT + 1],
			   k & 1 ? 0 : 0x000f00000000000ull | PTE_P);
		got = cpu_try(call_code);
		bad += got != CPU_NO_TRAP && got != VECTOR_PF;
	}
	payload_check_equal("half of an instruction goes", bad, 0);
}

void cpu_abuse_code(void)
{
	payload_log("changing code:");
	memset(old_page, 0xc3, sizeof(old_page));
	offset = 0x100;
	memcpy(old_page + offset, load, sizeof(load));
	for (unsigned i = 0; i < ARRAY_SIZE(codes); i++)
		try_code(i);
	try_straddle();
	hostile_prove("changing code");
}
