/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Integer arithmetic with the flags it leaves (Intel SDM 1, 3.4.3.1). */
#include "vmm/emulate_priv.h"

#define ALU_FLAGS \
	(RFLAGS_CF | RFLAGS_PF | RFLAGS_AF | RFLAGS_ZF | RFLAGS_SF | RFLAGS_OF)

/* PF, ZF and SF depend on the result alone. */
static uint64_t alu_result_flags(unsigned size, uint64_t result)
{
	uint64_t flags = 0;

	if (!(__builtin_popcount(result & 0xff) & 1))
		flags |= RFLAGS_PF;
	if (result == 0)
		flags |= RFLAGS_ZF;
	if (result >> (8 * size - 1) & 1)
		flags |= RFLAGS_SF;
	return flags;
}

/*
 * Carries out of bit 3 and the top bit, and overflow, by the full adder's own
 * equations: right for every size without wider arithmetic.
 */
static uint64_t alu_add(unsigned size, uint64_t a, uint64_t b, unsigned carry,
			uint64_t *flags)
{
	uint64_t result = (a + b + carry) & emulate_mask(size);
	uint64_t carries = (a & b) | ((a | b) & ~result);
	unsigned top = 8 * size - 1;

	*flags = alu_result_flags(size, result);
	if (carries >> top & 1)
		*flags |= RFLAGS_CF;
	if (carries >> 3 & 1)
		*flags |= RFLAGS_AF;
	if ((a ^ result) & (b ^ result) & (1ull << top))
		*flags |= RFLAGS_OF;
	return result;
}

static uint64_t alu_sub(unsigned size, uint64_t a, uint64_t b, unsigned borrow,
			uint64_t *flags)
{
	uint64_t result = (a - b - borrow) & emulate_mask(size);
	uint64_t borrows = (~a & b) | ((~a | b) & result);
	unsigned top = 8 * size - 1;

	*flags = alu_result_flags(size, result);
	if (borrows >> top & 1)
		*flags |= RFLAGS_CF;
	if (borrows >> 3 & 1)
		*flags |= RFLAGS_AF;
	if ((a ^ b) & (a ^ result) & (1ull << top))
		*flags |= RFLAGS_OF;
	return result;
}

/* AF is undefined after logic: cleared, as CPUs do. */
static uint64_t alu_logic(unsigned size, uint64_t result, uint64_t *flags)
{
	*flags = alu_result_flags(size, result);
	return result;
}

uint64_t emulate_alu(enum emulate_alu op, unsigned size, uint64_t a, uint64_t b,
		     uint64_t *rflags)
{
	unsigned carry = *rflags & RFLAGS_CF ? 1 : 0;
	uint64_t result = 0, flags = 0;

	a &= emulate_mask(size);
	b &= emulate_mask(size);
	switch (op) {
	case ALU_ADD:
		result = alu_add(size, a, b, 0, &flags);
		break;
	case ALU_ADC:
		result = alu_add(size, a, b, carry, &flags);
		break;
	case ALU_SUB:
		result = alu_sub(size, a, b, 0, &flags);
		break;
	case ALU_SBB:
		result = alu_sub(size, a, b, carry, &flags);
		break;
	case ALU_CMP:
		alu_sub(size, a, b, 0, &flags);
		result = a;
		break;
	case ALU_OR:
		result = alu_logic(size, a | b, &flags);
		break;
	case ALU_AND:
		result = alu_logic(size, a & b, &flags);
		break;
	case ALU_XOR:
		result = alu_logic(size, a ^ b, &flags);
		break;
	}
	*rflags = (*rflags & ~ALU_FLAGS) | flags;
	return result;
}

uint64_t emulate_inc(unsigned size, uint64_t a, uint64_t *rflags)
{
	uint64_t carry = *rflags & RFLAGS_CF;
	uint64_t result = emulate_alu(ALU_ADD, size, a, 1, rflags);

	*rflags = (*rflags & ~RFLAGS_CF) | carry;
	return result;
}

uint64_t emulate_dec(unsigned size, uint64_t a, uint64_t *rflags)
{
	uint64_t carry = *rflags & RFLAGS_CF;
	uint64_t result = emulate_alu(ALU_SUB, size, a, 1, rflags);

	*rflags = (*rflags & ~RFLAGS_CF) | carry;
	return result;
}

uint64_t emulate_neg(unsigned size, uint64_t a, uint64_t *rflags)
{
	return emulate_alu(ALU_SUB, size, 0, a, rflags);
}
