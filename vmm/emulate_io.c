/* SPDX-License-Identifier: GPL-2.0-or-later */
/* String instructions on device memory, and port I/O in every form. */
#include "vmm/emulate_priv.h"

#include "vmm/guest_walk.h"

/* Task-state segment (Intel SDM 3A, 19.5.2): 16-bit offset of the I/O
 * permission bitmap; types of a 32- or 64-bit TSS, available and busy. */
#define TSS_IO_MAP_OFFSET 0x66
#define TSS_LIMIT_MIN	  0x67
#define SEG_TYPE(attrib)  ((attrib)&0x1fu) /* with S */
#define TSS_AVAILABLE	  0x9
#define TSS_BUSY	  0xb

/* One iteration of a string instruction. */
struct io_string {
	bool load;    /* source is DS:rSI (or its override) */
	bool store;   /* destination is ES:rDI */
	bool in, out; /* a port is the other side */
};

static struct io_string io_string_of(uint8_t opcode)
{
	struct io_string is = {0};

	switch (opcode & 0xfe) {
	case 0x6c:
		is.in = is.store = true;
		break;
	case 0x6e:
		is.out = is.load = true;
		break;
	case 0xa4:
		is.load = is.store = true;
		break;
	case 0xaa:
		is.store = true;
		break;
	case 0xac:
		is.load = true;
		break;
	}
	return is;
}

/*
 * The CPU has made this check before the exit, but perhaps for another port:
 * the registers are the same, the instruction's bytes may not be. 0, or -1 with
 * ctx->exc.
 */
static int io_permit(struct emulate_ctx *ctx, uint16_t port, unsigned size)
{
	const struct vcpu_state *s = ctx->state;
	uint64_t at = s->tr.base;
	uint16_t map, bits;

	if (!(s->cr0 & CR0_PE))
		return 0;
	if (!(s->rflags & RFLAGS_VM) && s->cpl <= RFLAGS_IOPL(s->rflags))
		return 0;
	emulate_raise(ctx, EXC_GP);
	if (!(s->tr.attrib & SEG_ATTR_P) || s->tr.limit < TSS_LIMIT_MIN ||
	    (SEG_TYPE(s->tr.attrib) != TSS_AVAILABLE &&
	     SEG_TYPE(s->tr.attrib) != TSS_BUSY))
		return -1;
	if (guest_linear_read(s, ctx->mem, at + TSS_IO_MAP_OFFSET,
			      GUEST_READ | GUEST_IMPLICIT, &map, sizeof(map),
			      &ctx->exc))
		return -1;
	/* Two bytes are read whatever the size: bit 7's port may need both. */
	if ((uint32_t)map + port / 8 + 1 > s->tr.limit)
		return -1;
	if (guest_linear_read(s, ctx->mem, at + map + port / 8,
			      GUEST_READ | GUEST_IMPLICIT, &bits, sizeof(bits),
			      &ctx->exc))
		return -1;
	return bits >> (port & 7) & ((1u << size) - 1) ? -1 : 0;
}

enum emulate_result emulate_port(struct emulate_ctx *ctx)
{
	const struct insn *insn = &ctx->insn;
	unsigned size = insn->operand_size;
	/* Immediate ports are unsigned bytes. */
	uint16_t port = insn->imm_size ? (uint8_t)insn->imm
				       : (uint16_t)ctx->state->gpr[GPR_RDX];

	if (ctx->cause != EMULATE_PIO)
		return EMULATE_AGAIN;
	if (insn->lock)
		return emulate_raise(ctx, EXC_UD);
	if (io_permit(ctx, port, size))
		return EMULATE_EXCEPTION;
	if (insn->opcode & 2)
		emulate_pio_out(ctx->vcpu, port, size,
				ctx->state->gpr[GPR_RAX] & emulate_mask(size));
	else
		emulate_reg_write(ctx, GPR_RAX, size,
				  emulate_pio_in(ctx->vcpu, port, size));
	return emulate_retire(ctx);
}

/* Everything that can fault has been seen to; values move. */
static void io_string_move(struct emulate_ctx *ctx, struct io_string is,
			   const struct emulate_operand *from,
			   const struct emulate_operand *to)
{
	uint16_t port = (uint16_t)ctx->state->gpr[GPR_RDX];
	unsigned size = ctx->insn.operand_size;
	uint64_t value;

	if (is.in)
		value = emulate_pio_in(ctx->vcpu, port, size);
	else if (is.load)
		value = emulate_operand_read(ctx, from);
	else
		value = ctx->state->gpr[GPR_RAX];
	value &= emulate_mask(size);
	if (is.out)
		emulate_pio_out(ctx->vcpu, port, size, value);
	else if (is.store)
		emulate_operand_write(ctx, to, value);
	else
		emulate_reg_write(ctx, GPR_RAX, size, value);
}

/* EMULATE_DONE: one iteration done, registers moved on. */
static enum emulate_result io_string_step(struct emulate_ctx *ctx,
					  struct io_string is)
{
	unsigned size = ctx->insn.operand_size;
	int64_t step =
		ctx->state->rflags & RFLAGS_DF ? -(int64_t)size : (int64_t)size;
	struct emulate_operand from, to;
	bool ram = !is.in && !is.out;

	if (is.load) {
		if (emulate_operand_map(ctx, ctx->insn.mem.segment,
					emulate_addr_reg(ctx, GPR_RSI), size,
					GUEST_READ, &from))
			return EMULATE_EXCEPTION;
		ram &= emulate_operand_is_ram(&from);
	}
	if (is.store) {
		if (emulate_operand_map(ctx, SEG_ES,
					emulate_addr_reg(ctx, GPR_RDI), size,
					GUEST_WRITE, &to))
			return EMULATE_EXCEPTION;
		ram &= emulate_operand_is_ram(&to);
	}
	if (ram) /* the CPU can go on by itself */
		return EMULATE_AGAIN;
	io_string_move(ctx, is, &from, &to);
	if (is.load)
		emulate_addr_reg_add(ctx, GPR_RSI, step);
	if (is.store)
		emulate_addr_reg_add(ctx, GPR_RDI, step);
	return EMULATE_DONE;
}

enum emulate_result emulate_string(struct emulate_ctx *ctx)
{
	struct io_string is = io_string_of(ctx->insn.opcode);
	/* F2 is F3 here: these instructions do not look at ZF. */
	bool rep = ctx->insn.rep != INSN_REP_NONE;

	if ((is.in || is.out) != (ctx->cause == EMULATE_PIO))
		return EMULATE_AGAIN;
	if (ctx->insn.lock)
		return emulate_raise(ctx, EXC_UD);
	if ((is.in || is.out) &&
	    io_permit(ctx, ctx->state->gpr[GPR_RDX], ctx->insn.operand_size))
		return EMULATE_EXCEPTION;
	if (rep && emulate_addr_reg(ctx, GPR_RCX) == 0)
		return emulate_retire(ctx);
	for (unsigned i = 0; i < EMULATE_REP_MAX; i++) {
		enum emulate_result result = io_string_step(ctx, is);

		if (result != EMULATE_DONE)
			return result;
		if (!rep)
			return emulate_retire(ctx);
		emulate_addr_reg_add(ctx, GPR_RCX, -1);
		if (emulate_addr_reg(ctx, GPR_RCX) == 0)
			return emulate_retire(ctx);
		if (ctx->state->rflags & RFLAGS_TF)
			return EMULATE_DONE; /* a step, RIP stays */
	}
	return EMULATE_AGAIN;
}
