/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The few instructions that C has no word for. */
#ifndef GUEST_X86_H
#define GUEST_X86_H

#include "lib/types.h"

struct cpuid {
	uint32_t eax, ebx, ecx, edx;
};

static inline struct cpuid x86_cpuid(uint32_t leaf, uint32_t subleaf)
{
	struct cpuid r;

	__asm__ volatile("cpuid"
			 : "=a"(r.eax), "=b"(r.ebx), "=c"(r.ecx), "=d"(r.edx)
			 : "a"(leaf), "c"(subleaf));
	return r;
}

static inline uint64_t x86_rdmsr(uint32_t msr)
{
	uint32_t lo, hi;

	__asm__ volatile("rdmsr" : "=a"(lo), "=d"(hi) : "c"(msr));
	return (uint64_t)hi << 32 | lo;
}

static inline void x86_wrmsr(uint32_t msr, uint64_t value)
{
	__asm__ volatile("wrmsr" ::"c"(msr), "a"((uint32_t)value),
			 "d"((uint32_t)(value >> 32))
			 : "memory");
}

static inline uint64_t x86_rdtsc(void)
{
	uint32_t lo, hi;

	__asm__ volatile("lfence; rdtsc" : "=a"(lo), "=d"(hi)::"memory");
	return (uint64_t)hi << 32 | lo;
}

#define X86_REGISTER(name)                                                     \
	static inline uint64_t x86_read_##name(void)                           \
	{                                                                      \
		uint64_t value;                                                \
                                                                               \
		__asm__ volatile("movq %%" #name ", %0" : "=r"(value));        \
		return value;                                                  \
	}                                                                      \
	static inline void x86_write_##name(uint64_t value)                    \
	{                                                                      \
		__asm__ volatile("movq %0, %%" #name ::"r"(value) : "memory"); \
	}

X86_REGISTER(cr0)
X86_REGISTER(cr2)
X86_REGISTER(cr3)
X86_REGISTER(cr4)
X86_REGISTER(cr8)
X86_REGISTER(dr0)
X86_REGISTER(dr1)
X86_REGISTER(dr2)
X86_REGISTER(dr3)
X86_REGISTER(dr6)
X86_REGISTER(dr7)

static inline void x86_invlpg(void *page)
{
	__asm__ volatile("invlpg (%0)" ::"r"(page) : "memory");
}

static inline void x86_out8(uint16_t port, uint8_t value)
{
	__asm__ volatile("outb %0, %1" ::"a"(value), "Nd"(port));
}

static inline uint8_t x86_in8(uint16_t port)
{
	uint8_t value;

	__asm__ volatile("inb %1, %0" : "=a"(value) : "Nd"(port));
	return value;
}

static inline void x86_out16(uint16_t port, uint16_t value)
{
	__asm__ volatile("outw %0, %1" ::"a"(value), "Nd"(port));
}

static inline uint16_t x86_in16(uint16_t port)
{
	uint16_t value;

	__asm__ volatile("inw %1, %0" : "=a"(value) : "Nd"(port));
	return value;
}

static inline void x86_out32(uint16_t port, uint32_t value)
{
	__asm__ volatile("outl %0, %1" ::"a"(value), "Nd"(port));
}

static inline uint32_t x86_in32(uint16_t port)
{
	uint32_t value;

	__asm__ volatile("inl %1, %0" : "=a"(value) : "Nd"(port));
	return value;
}

static inline void x86_sti(void)
{
	__asm__ volatile("sti" ::: "memory");
}

static inline void x86_cli(void)
{
	__asm__ volatile("cli" ::: "memory");
}

/* sti holds interrupts off for one instruction more: none is lost between. */
static inline void x86_sti_hlt(void)
{
	__asm__ volatile("sti; hlt; cli" ::: "memory");
}

static inline void x86_pause(void)
{
	__asm__ volatile("pause" ::: "memory");
}

#endif
