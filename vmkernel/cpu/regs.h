/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Privileged registers of the host CPU: control registers, MSRs, CPUID. */
#ifndef VMKERNEL_CPU_REGS_H
#define VMKERNEL_CPU_REGS_H

#include "lib/types.h"

/* MSR numbers: AMD APM 2, appendix A; Intel SDM 4, chapter 2. */
#define MSR_TSC		   0x010
#define MSR_APIC_BASE	   0x1bu
#define MSR_SPEC_CTRL	   0x048
#define MSR_PRED_CMD	   0x049
#define MSR_SYSENTER_CS	   0x174
#define MSR_SYSENTER_ESP   0x175
#define MSR_SYSENTER_EIP   0x176
#define MSR_DEBUGCTL	   0x1d9
#define MSR_PAT		   0x277
#define MSR_TSC_DEADLINE   0x6e0u
#define MSR_XSS		   0xda0
#define MSR_EFER	   0xc0000080
#define MSR_STAR	   0xc0000081
#define MSR_LSTAR	   0xc0000082
#define MSR_CSTAR	   0xc0000083
#define MSR_SFMASK	   0xc0000084
#define MSR_FS_BASE	   0xc0000100
#define MSR_GS_BASE	   0xc0000101
#define MSR_KERNEL_GS_BASE 0xc0000102
#define MSR_TSC_AUX	   0xc0000103
#define MSR_VM_CR	   0xc0010114
#define MSR_VM_HSAVE_PA	   0xc0010117

#define MSR_EFER_SCE	   (1ull << 0)
#define MSR_EFER_NXE	   (1ull << 11)
#define MSR_EFER_SVME	   (1ull << 12)
#define VM_CR_SVMDIS	   (1ull << 4)

static inline uint64_t rdmsr(uint32_t msr)
{
	uint32_t lo, hi;

	__asm__ volatile("rdmsr" : "=a"(lo), "=d"(hi) : "c"(msr));
	return (uint64_t)hi << 32 | lo;
}

static inline void wrmsr(uint32_t msr, uint64_t value)
{
	__asm__ volatile("wrmsr" ::"c"(msr), "a"((uint32_t)value),
			 "d"((uint32_t)(value >> 32))
			 : "memory");
}

static inline void cpuid(uint32_t leaf, uint32_t subleaf, uint32_t out[4])
{
	__asm__ volatile("cpuid"
			 : "=a"(out[0]), "=b"(out[1]), "=c"(out[2]),
			   "=d"(out[3])
			 : "0"(leaf), "2"(subleaf));
}

#define CR_ACCESSORS(reg)                                                   \
	static inline uint64_t read_##reg(void)                             \
	{                                                                   \
		uint64_t v;                                                 \
		__asm__ volatile("mov %%" #reg ", %0" : "=r"(v)::"memory"); \
		return v;                                                   \
	}                                                                   \
	static inline void write_##reg(uint64_t v)                          \
	{                                                                   \
		__asm__ volatile("mov %0, %%" #reg ::"r"(v) : "memory");    \
	}
CR_ACCESSORS(cr0)
CR_ACCESSORS(cr2)
CR_ACCESSORS(cr3)
CR_ACCESSORS(cr4)
CR_ACCESSORS(dr0)
CR_ACCESSORS(dr1)
CR_ACCESSORS(dr2)
CR_ACCESSORS(dr3)
CR_ACCESSORS(dr6)
CR_ACCESSORS(dr7)
#undef CR_ACCESSORS

static inline uint64_t xgetbv(uint32_t index)
{
	uint32_t lo, hi;

	__asm__ volatile("xgetbv" : "=a"(lo), "=d"(hi) : "c"(index));
	return (uint64_t)hi << 32 | lo;
}

static inline void xsetbv(uint32_t index, uint64_t value)
{
	__asm__ volatile("xsetbv" ::"c"(index), "a"((uint32_t)value),
			 "d"((uint32_t)(value >> 32)));
}

static inline void invlpg(const void *va)
{
	__asm__ volatile("invlpg (%0)" ::"r"(va) : "memory");
}

/* One instruction in which pending interrupts are taken. */
static inline void interrupts_take(void)
{
	__asm__ volatile("sti; nop; cli" ::: "memory");
}

#endif
