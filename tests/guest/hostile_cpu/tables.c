/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Page tables that loop, and such as lie outside of memory. */
#include "tests/guest/hostile_cpu/hostile_cpu.h"
#include "tests/guest/lib/apic.h"
#include "tests/guest/lib/x86.h"

#define APIC_BASE    0xfee00000ull
#define APIC_VERSION 0x30
#define BAR	     0xc0000000ull
#define NOWHERE	     0xd8000000ull
#define RIGHTS	     (PTE_P | PTE_W | PTE_U)
#define PTE_PS	     (1ull << 7)
#define PML4_SLOT    3
#define FRAME	     0x000ffffffffff000ull

static uint64_t table[512] __attribute__((aligned(4096)));
static uint64_t pages[512] __attribute__((aligned(4096)));
static volatile uint32_t *target;
static uint32_t got;

static void read_target(void)
{
	got = *target;
}

static void write_target(void)
{
	*target = 0;
}

static volatile uint64_t *pml4(void)
{
	return (volatile uint64_t *)(uintptr_t)(x86_read_cr3() & FRAME);
}

/* The linear address with these indices, in the slot that is ours. */
static volatile uint32_t *address(unsigned pdpt, unsigned pd, unsigned pt,
				  unsigned at)
{
	return (volatile uint32_t *)((uint64_t)PML4_SLOT << 39 |
				     (uint64_t)pdpt << 30 | (uint64_t)pd << 21 |
				     (uint64_t)pt << 12 | at);
}

static void flush(void)
{
	x86_write_cr3(x86_read_cr3());
}

/* One page is the table of every level: its entry 0 is itself. */
static void check_loop(void)
{
	table[0] = (uintptr_t)table | RIGHTS;
	table[1] = APIC_BASE | RIGHTS;
	table[2] = (uintptr_t)table | RIGHTS | PTE_PS;
	pml4()[PML4_SLOT] = (uintptr_t)table | RIGHTS;
	flush();
	target = address(0, 0, 1, APIC_VERSION);
	payload_check_equal("a device by a table that loops",
			    cpu_try(read_target), CPU_NO_TRAP);
	payload_check_equal("it is the device", got & 0xff, 0x14);
	target = address(0, 0, 0, 8);
	payload_check_equal("the loop's end is the table itself",
			    cpu_try(read_target), CPU_NO_TRAP);
	payload_check_equal("its entry", (got & ~0xfffu), APIC_BASE);
	/* A 1 GiB page whose address is not one of 1 GiB: reserved bits. */
	target = address(2, 0, 0, 0);
	payload_check_equal("a large page at an odd address",
			    cpu_try(read_target), VECTOR_PF);
	/* The root as a page of its own. */
	pml4()[PML4_SLOT] = (x86_read_cr3() & FRAME) | RIGHTS;
	flush();
	target = address(PML4_SLOT, PML4_SLOT, PML4_SLOT, PML4_SLOT * 8);
	payload_check_equal("the root, by itself", cpu_try(read_target),
			    CPU_NO_TRAP);
	payload_check_equal("the root's entry", got & ~0xfffu,
			    (uint32_t)(x86_read_cr3() & FRAME));
	pml4()[PML4_SLOT] = 0;
	flush();
}

static const struct {
	const char *what;
	uint64_t at;
} places[] = {
	{"a table past the end of memory", 0},
	{"a table where nothing is", NOWHERE},
	{"a table in a BAR", BAR},
	{"a table in the APIC", APIC_BASE},
	{"a table in the ECAM", 0xe0000000},
	{"a table above all memory", 0x0000007ffffff000},
	{"a table at the last address", FRAME},
};

/* Not there, or reserved bits set: a page fault in each case. */
static void try_place(const char *what, unsigned level, uint64_t at)
{
	unsigned read, write;

	pml4()[PML4_SLOT] = (level == 0 ? at : (uintptr_t)table) | RIGHTS;
	table[0] = (level == 1 ? at : (uintptr_t)pages) | RIGHTS;
	pages[0] = (level == 2 ? at : (uintptr_t)pages) | RIGHTS;
	flush();
	target = address(0, 0, 0, 0);
	read = cpu_try(read_target);
	write = cpu_try(write_target);
	payload_check(what, read == VECTOR_PF && write == VECTOR_PF,
		      "it is a page fault");
	if (read != VECTOR_PF || write != VECTOR_PF)
		payload_log("level %u: read %u, write %u", level, read, write);
	pml4()[PML4_SLOT] = 0;
	flush();
}

void cpu_abuse_tables(void)
{
	payload_log("page tables:");
	check_loop();
	for (unsigned i = 0; i < ARRAY_SIZE(places); i++)
		for (unsigned level = 0; level < 3; level++)
			try_place(places[i].what, level,
				  places[i].at ? places[i].at
					       : hostile_memory_end());
	hostile_prove("page tables");
}
