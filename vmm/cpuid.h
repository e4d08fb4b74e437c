/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The CPUID policy: what a guest is told about its CPU. */
#ifndef VMM_CPUID_H
#define VMM_CPUID_H

#include "lib/types.h"

enum cpuid_register {
	CPUID_EAX,
	CPUID_EBX,
	CPUID_ECX,
	CPUID_EDX,
	CPUID_ALL, /* in a rule: all four */
};

/* What the answer depends on. */
struct cpuid_policy_input {
	unsigned vcpu, vcpu_count; /* vcpu is its APIC id; 1 to 16 of them */
	uint64_t cr4, xcr0;	   /* the guest's, now */
	uint64_t apic_base;	   /* IA32_APIC_BASE */
	uint32_t tsc_khz;
};

enum cpuid_kind {
	CPUID_HOST,	/* as the host has it */
	CPUID_FORCED,	/* set: the VMM provides it */
	CPUID_COMPUTED, /* by cpuid.c, from the input */
	CPUID_HIDDEN,	/* clear; as is everything that no rule names */
};

#define CPUID_ANY_SUBLEAF 0xffffffffu
#define CPUID_FROM_2	  0xfffffffeu /* subleaf 2 and all after it */

struct cpuid_rule {
	uint32_t first, last; /* leaves */
	uint32_t subleaf;     /* or one of the two above */
	enum cpuid_register reg;
	enum cpuid_kind kind;
	uint32_t bits;
	const char *reason;
};

/* No two rules name the same bit. */
extern const struct cpuid_rule cpuid_rules[];
extern const unsigned cpuid_rule_count;

/* XCR0 components a guest may use, if the host has them: x87, SSE, AVX,
 * AVX-512 (three) and PKRU. */
#define CPUID_XCR0_MASK 0x2e7ull

/* Hook: CPUID of the CPU we run on; out is EAX, EBX, ECX, EDX. */
void cpuid_host(uint32_t leaf, uint32_t subleaf, uint32_t out[4]);

/* Any leaf and subleaf, as the guest asks: what is not there is zero. */
void cpuid_guest(const struct cpuid_policy_input *in, uint32_t leaf,
		 uint32_t subleaf, uint32_t out[4]);

#endif
