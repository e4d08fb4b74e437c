/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Operands of an emulated instruction: registers, and memory of any kind. */
#include "vmm/emulate_priv.h"

#include <linux/errno.h>

#include "vmm/guest_walk.h"

/* Type bits of a code or data segment (Intel SDM 3A, 3.4.5.1). */
#define SEG_TYPE_CODE	     (1u << 3)
#define SEG_TYPE_EXPAND_DOWN (1u << 2) /* data */
#define SEG_TYPE_RW	     (1u << 1) /* code: readable; data: writable */

static bool operand_is_high_byte(const struct emulate_ctx *ctx, unsigned reg,
				 unsigned size)
{
	return size == 1 && !ctx->insn.rex && reg >= 4 && reg < 8;
}

uint64_t emulate_reg_read(const struct emulate_ctx *ctx, unsigned reg,
			  unsigned size)
{
	if (operand_is_high_byte(ctx, reg, size))
		return ctx->state->gpr[reg - 4] >> 8 & 0xff;
	return ctx->state->gpr[reg] & emulate_mask(size);
}

void emulate_reg_write(struct emulate_ctx *ctx, unsigned reg, unsigned size,
		       uint64_t value)
{
	uint64_t mask = emulate_mask(size), *gpr = ctx->state->gpr;

	if (operand_is_high_byte(ctx, reg, size)) {
		gpr[reg - 4] &= ~0xff00ull;
		gpr[reg - 4] |= (value & 0xff) << 8;
	} else if (size == 4) {
		gpr[reg] = value & mask; /* clears the upper half */
	} else {
		gpr[reg] = (gpr[reg] & ~mask) | (value & mask);
	}
}

uint64_t emulate_addr_reg(const struct emulate_ctx *ctx, unsigned reg)
{
	return ctx->state->gpr[reg] & emulate_mask(ctx->insn.address_size);
}

void emulate_addr_reg_add(struct emulate_ctx *ctx, unsigned reg, int64_t add)
{
	emulate_reg_write(ctx, reg, ctx->insn.address_size,
			  ctx->state->gpr[reg] + (uint64_t)add);
}

uint64_t emulate_offset(const struct emulate_ctx *ctx)
{
	const struct insn *insn = &ctx->insn;
	uint64_t offset = (uint64_t)insn->mem.disp;

	if (insn->mem.base != INSN_NO_REG)
		offset += ctx->state->gpr[insn->mem.base];
	if (insn->mem.index != INSN_NO_REG)
		offset += ctx->state->gpr[insn->mem.index] * insn->mem.scale;
	if (insn->mem.rip_relative)
		offset += ctx->state->rip + insn->length;
	return offset & emulate_mask(insn->address_size);
}

static int operand_segment_fault(struct emulate_ctx *ctx,
				 enum segment_name segment)
{
	ctx->exc = (struct exception){
		.vector = segment == SEG_SS ? EXC_SS : EXC_GP,
		.has_error = true,
	};
	return -EFAULT;
}

/* Limit, and outside real mode type (Intel SDM 3A, 5.3 and 5.5). */
static bool operand_in_segment(const struct vcpu_state *s,
			       const struct segment *seg, uint64_t offset,
			       unsigned size, unsigned access)
{
	uint64_t last = offset + size - 1;

	if (s->cr0 & CR0_PE && !(s->rflags & RFLAGS_VM)) {
		bool code = seg->attrib & SEG_TYPE_CODE;
		bool rw = seg->attrib & SEG_TYPE_RW;

		if (!(seg->attrib & SEG_ATTR_P))
			return false;
		if (access & GUEST_WRITE ? code || !rw : code && !rw)
			return false;
		if (!code && seg->attrib & SEG_TYPE_EXPAND_DOWN)
			return offset > seg->limit &&
			       last <= (seg->attrib & SEG_ATTR_DB ? UINT32_MAX
								  : UINT16_MAX);
	}
	return last <= seg->limit;
}

static int operand_linear(struct emulate_ctx *ctx, enum segment_name segment,
			  uint64_t offset, unsigned size, unsigned access,
			  uint64_t *linear)
{
	const struct vcpu_state *s = ctx->state;
	const struct segment *seg = &s->seg[segment];

	if (decode_mode_of(s) == DECODE_64) {
		*linear = offset + (segment >= SEG_FS ? seg->base : 0);
		if (!guest_canonical(*linear) ||
		    !guest_canonical(*linear + size - 1))
			return operand_segment_fault(ctx, segment);
		return 0;
	}
	if (!operand_in_segment(s, seg, offset, size, access))
		return operand_segment_fault(ctx, segment);
	*linear = (uint32_t)(seg->base + offset);
	return 0;
}

int emulate_operand_map(struct emulate_ctx *ctx, enum segment_name segment,
			uint64_t offset, unsigned size, unsigned access,
			struct emulate_operand *op)
{
	uint64_t linear;
	unsigned first;
	int err;

	err = operand_linear(ctx, segment, offset, size, access, &linear);
	if (err)
		return err;
	first = PAGE_SIZE - (linear & (PAGE_SIZE - 1));
	op->count = first < size ? 2 : 1;
	op->piece[0].size = MIN(first, size);
	op->piece[1].size = size - op->piece[0].size;
	for (unsigned i = 0; i < op->count; i++) {
		gpa_t *gpa = &op->piece[i].gpa;

		err = guest_walk(ctx->state, ctx->mem, linear + i * first,
				 access, gpa, &ctx->exc);
		if (err)
			return err;
		op->piece[i].ram =
			guest_range(ctx->mem, *gpa, op->piece[i].size) != NULL;
	}
	return 0;
}

bool emulate_operand_is_ram(const struct emulate_operand *op)
{
	return op->piece[0].ram && (op->count == 1 || op->piece[1].ram);
}

/* Devices know sizes 1, 2, 4 and 8: what a page's end cuts off may be 3. */
static unsigned operand_step(unsigned size)
{
	return size >= 8 ? 8 : size >= 4 ? 4 : size >= 2 ? 2 : 1;
}

static uint64_t operand_read_piece(struct emulate_ctx *ctx, gpa_t gpa,
				   unsigned size, bool ram)
{
	uint64_t value = 0;

	if (ram) {
		/* Mapped a moment ago, and ranges never change. */
		if (guest_read(ctx->mem, gpa, &value, size))
			return UINT64_MAX;
		return value;
	}
	for (unsigned at = 0, step; at < size; at += step) {
		step = operand_step(size - at);
		value |= (emulate_mmio_read(ctx->vcpu, GPA(gpa.v + at), step) &
			  emulate_mask(step))
			 << (8 * at);
	}
	return value;
}

uint64_t emulate_operand_read(struct emulate_ctx *ctx,
			      const struct emulate_operand *op)
{
	uint64_t value = 0;
	unsigned shift = 0;

	for (unsigned i = 0; i < op->count; i++) {
		unsigned size = op->piece[i].size;

		value |= operand_read_piece(ctx, op->piece[i].gpa, size,
					    op->piece[i].ram)
			 << shift;
		shift += 8 * size;
	}
	return value;
}

void emulate_operand_write(struct emulate_ctx *ctx,
			   const struct emulate_operand *op, uint64_t value)
{
	for (unsigned i = 0; i < op->count; i++) {
		unsigned size = op->piece[i].size;
		gpa_t gpa = op->piece[i].gpa;

		if (op->piece[i].ram)
			(void)guest_write(ctx->mem, gpa, &value, size);
		for (unsigned at = 0, step; !op->piece[i].ram && at < size;
		     at += step) {
			step = operand_step(size - at);
			emulate_mmio_write(ctx->vcpu, GPA(gpa.v + at), step,
					   value >> (8 * at) &
						   emulate_mask(step));
		}
		value >>= 8 * (size & 7); /* 8: there is no second piece */
	}
}
