/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Every MSR that may be there, read and written; every port as well. */
#include "tests/guest/hostile_cpu/hostile_cpu.h"
#include "tests/guest/lib/x86.h"

#define MSR_EFER	   0xc0000080
#define MSR_KVM_SYSTEM	   0x4b564d01
#define MSR_KVM_SYSTEM_OLD 0x12
#define MSR_KVM_WALL	   0x4b564d00
#define MSR_KVM_WALL_OLD   0x11
#define MSR_KVM_EOI	   0x4b564d04
#define EFER_SVME	   (1ull << 12)
#define EFER_LME	   (1ull << 8)
#define RANDOM_MSRS	   300

static uint32_t msr;
static uint64_t msr_value;
static uint16_t port;
static unsigned port_size;

static void read_msr(void)
{
	msr_value = x86_rdmsr(msr);
}

static void write_msr(void)
{
	x86_wrmsr(msr, msr_value);
}

/* Those that a write of anything would make us trip over: the clocks we wait
 * by, the APIC's base, the mode we run in. */
static bool is_ours(uint32_t number)
{
	switch (number) {
	case 0x10:
	case 0x1b:
	case 0x3b:
	case 0x6e0:
	case MSR_EFER:
		return true;
	default:
		return false;
	}
}

/* #GP, or an answer; nothing else. */
static bool try_msr(uint32_t number)
{
	static const uint64_t values[] = {0, 1, 0x5555555555555555, ~0ull};
	unsigned result;
	bool ok, there;

	msr = number;
	result = cpu_try(read_msr);
	there = result == CPU_NO_TRAP;
	ok = there || (result == VECTOR_GP && trap_log[0].error == 0);
	if (is_ours(number))
		return ok;
	for (unsigned i = 0; i < ARRAY_SIZE(values); i++) {
		uint64_t old = msr_value;

		msr_value = values[i];
		result = cpu_try(write_msr);
		ok &= result == CPU_NO_TRAP || result == VECTOR_GP;
		/* As it was, and for one that cannot be read: off. */
		msr_value = there ? old : 0;
		if (result == CPU_NO_TRAP)
			ok &= cpu_try(write_msr) < CPU_NO_TRAP + 1;
		msr_value = old;
	}
	return ok;
}

static void sweep(const char *name, uint32_t first, unsigned count)
{
	unsigned bad = 0;

	for (unsigned i = 0; i < count; i++)
		bad += !try_msr(first + i);
	payload_check_equal(name, bad, 0);
}

static void expect_gp(const char *name, uint32_t number, uint64_t value)
{
	msr = number;
	msr_value = value;
	payload_check_equal(name, cpu_try(write_msr), VECTOR_GP);
}

/* Structures that the hypervisor writes: where there is no memory. */
static void place_clocks(void)
{
	static const uint32_t numbers[] = {MSR_KVM_SYSTEM, MSR_KVM_SYSTEM_OLD,
					   MSR_KVM_WALL, MSR_KVM_WALL_OLD,
					   MSR_KVM_EOI};
	const uint64_t places[] = {
		hostile_memory_end(), hostile_memory_end() - 4,
		0xc0000000,	      0xe0000000,
		0xfee00000,	      0xfffffffffffffffc,
		0x000ffffffffff000,   3,
	};
	unsigned bad = 0;

	for (unsigned i = 0; i < ARRAY_SIZE(numbers); i++) {
		for (unsigned k = 0; k < ARRAY_SIZE(places); k++) {
			unsigned result;

			msr = numbers[i];
			msr_value = places[k] | 1;
			result = cpu_try(write_msr);
			bad += result != CPU_NO_TRAP && result != VECTOR_GP;
			/* The clock is written when the TSC jumps, the EOI
			 * word at an interrupt. */
			x86_wrmsr(0x3b, 0);
		}
		msr_value = 0;
		cpu_try(write_msr);
	}
	payload_check_equal("clocks and EOI words anywhere", bad, 0);
}

void cpu_abuse_msrs(void)
{
	payload_log("MSRs:");
	sweep("MSRs from 0", 0, 0x400);
	sweep("VMX's MSRs", 0x480, 0x20);
	sweep("APIC and x2APIC timer MSRs", 0x6d0, 0x20);
	sweep("x2APIC registers, in xAPIC mode", 0x800, 0x100);
	sweep("other hypervisors' MSRs", 0x40000000, 0x40);
	sweep("KVM's MSRs", 0x4b564cf0, 0x30);
	sweep("long mode's MSRs, and SVM's", 0xc0000078, 0x90);
	sweep("AMD's MSRs", 0xc0010000, 0x180);
	sweep("AMD's other MSRs", 0xc0011000, 0x40);
	sweep("the last MSRs", 0xffffffe0, 0x20);
	for (unsigned i = 0; i < RANDOM_MSRS; i++)
		sweep("a random MSR", hostile_random() | 0x10000000, 1);
	expect_gp("EFER with SVM", MSR_EFER, x86_rdmsr(MSR_EFER) | EFER_SVME);
	expect_gp("EFER without long mode", MSR_EFER,
		  x86_rdmsr(MSR_EFER) & ~EFER_LME);
	expect_gp("all bits of EFER", MSR_EFER, ~0ull);
	place_clocks();
	hostile_expect("fault", "msr", 1000);
	hostile_prove("MSRs");
}

static void port_in(void)
{
	if (port_size == 1)
		x86_in8(port);
	else if (port_size == 2)
		x86_in16(port);
	else
		x86_in32(port);
}

/* Writes that mean something: the console, power, reset, the card itself. */
static bool port_is_taken(unsigned number)
{
	return (number >= 0x3f5 && number <= 0x3ff) || number == 0x92 ||
	       (number >= 0x5fd && number <= 0x601) ||
	       (number >= 0x61 && number <= 0x64) ||
	       (number >= 0xcf5 && number <= 0xcff);
}

static void string_in_nowhere(void)
{
	void *to = (void *)(PAYLOAD_WINDOW + 100 * PAGE_SIZE);
	uint64_t count = 0x100000000;

	__asm__ volatile("rep insb"
			 : "+D"(to), "+c"(count)
			 : "d"(0x3fd)
			 : "memory");
}

static void string_out_nowhere(void)
{
	void *from = (void *)0x8000000000000000ull;
	uint64_t count = 0x100000000;

	__asm__ volatile("rep outsl"
			 : "+S"(from), "+c"(count)
			 : "d"(0x80)
			 : "memory");
}

static void check_strings(void)
{
	static uint8_t buffer[PAGE_SIZE];
	void *to = buffer;
	uint64_t count = sizeof(buffer);

	payload_check_equal("a string to a page that is not there",
			    cpu_try(string_in_nowhere), VECTOR_PF);
	payload_check_equal("a string from no address",
			    cpu_try(string_out_nowhere), VECTOR_GP);
	__asm__ volatile("rep insb"
			 : "+D"(to), "+c"(count)
			 : "d"(0x1234)
			 : "memory");
	payload_check_equal("a string from no port", buffer[PAGE_SIZE - 1],
			    0xff);
	payload_check_equal("all of it", count, 0);
	/* Into a device: as many registers as it takes. */
	to = (void *)0xfec00000;
	count = 64;
	__asm__ volatile("rep insb"
			 : "+D"(to), "+c"(count)
			 : "d"(0x1234)
			 : "memory");
	payload_check_equal("a string from no port to a device", count, 0);
}

void cpu_abuse_ports(void)
{
	payload_log("ports:");
	for (unsigned i = 0; i < 0x10000; i++) {
		/* The card's own ports among them: 16-bit 0 is a doorbell. */
		port = (uint16_t)i;
		port_size = 1u << i % 3;
		port_in();
	}
	for (unsigned i = 0; i < 0x10000; i += 7) {
		if (port_is_taken(i))
			continue;
		x86_out8((uint16_t)i, 0xff);
		if (i % 4 == 0)
			x86_out32((uint16_t)i, 0xffffffff);
	}
	check_strings();
	hostile_expect("fault", "io", 50000);
	hostile_prove("ports");
}
