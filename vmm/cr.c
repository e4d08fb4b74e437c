/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The rules for values of CR0 and CR4 (Intel SDM 2B, MOV to control registers;
 * AMD APM 2, 3.1). */
#include "vmm/cr.h"

#define CR0_NW	  (1ull << 29)
#define CR0_CD	  (1ull << 30)
#define CR4_PCE	  (1ull << 8)
#define CR4_PCIDE (1ull << 17)
#define CR3_PCID  0xfffull

enum cr_leaf {
	CR_1C,
	CR_1D,
	CR_7B,
	CR_7C
};

/* Which CPUID bit gives which bit of CR4. */
static const struct {
	uint8_t leaf; /* enum cr_leaf */
	uint8_t bit;
	uint8_t cr4_bit;
} cr4_features[] = {
	{CR_1D, 1, 0},	 /* VME */
	{CR_1D, 1, 1},	 /* PVI: the same */
	{CR_1D, 4, 2},	 /* TSD: TSC */
	{CR_1D, 2, 3},	 /* DE */
	{CR_1D, 3, 4},	 /* PSE */
	{CR_1D, 6, 5},	 /* PAE */
	{CR_1D, 7, 6},	 /* MCE */
	{CR_1D, 13, 7},	 /* PGE */
	{CR_1D, 24, 9},	 /* OSFXSR: FXSR */
	{CR_1D, 25, 10}, /* OSXMMEXCPT: SSE */
	{CR_7C, 2, 11},	 /* UMIP */
	{CR_7C, 16, 12}, /* LA57 */
	{CR_7B, 0, 16},	 /* FSGSBASE */
	{CR_1C, 17, 17}, /* PCIDE: PCID */
	{CR_1C, 26, 18}, /* OSXSAVE: XSAVE */
	{CR_7B, 7, 20},	 /* SMEP */
	{CR_7B, 20, 21}, /* SMAP */
	{CR_7C, 3, 22},	 /* PKE: PKU */
	{CR_7C, 7, 23},	 /* CET: shadow stacks */
};

uint64_t cr4_mask(const uint32_t leaf1[4], const uint32_t leaf7[4])
{
	const uint32_t words[] = {
		[CR_1C] = leaf1[2],
		[CR_1D] = leaf1[3],
		[CR_7B] = leaf7[1],
		[CR_7C] = leaf7[2],
	};
	uint64_t mask = CR4_PCE; /* every CPU has it */

	for (unsigned i = 0; i < ARRAY_SIZE(cr4_features); i++)
		if (words[cr4_features[i].leaf] >> cr4_features[i].bit & 1)
			mask |= 1ull << cr4_features[i].cr4_bit;
	return mask;
}

bool cr0_valid(const struct vcpu_state *s, uint64_t value)
{
	if (value >> 32 || (value & CR0_PG && !(value & CR0_PE)) ||
	    (value & CR0_NW && !(value & CR0_CD)))
		return false;
	if (value & CR0_PG)
		return s->cr0 & CR0_PG || !(s->efer & EFER_LME) ||
		       (s->cr4 & CR4_PAE &&
			/* 64-bit code does not begin in the middle. */
			!(s->seg[SEG_CS].attrib & SEG_ATTR_L));
	return !(s->cr4 & CR4_PCIDE) &&
	       !(s->efer & EFER_LMA && s->seg[SEG_CS].attrib & SEG_ATTR_L);
}

bool cr4_valid(const struct vcpu_state *s, uint64_t value, uint64_t mask)
{
	bool long_mode = s->efer & EFER_LMA;

	if (value & ~mask)
		return false;
	if (long_mode && (!(value & CR4_PAE) || (value ^ s->cr4) & CR4_LA57))
		return false;
	return !(value & ~s->cr4 & CR4_PCIDE) ||
	       (long_mode && !(s->cr3 & CR3_PCID));
}
