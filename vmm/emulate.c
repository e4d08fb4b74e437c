/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Emulates the instruction behind an MMIO or port I/O exit. */
#include "vmm/emulate_priv.h"

#include <linux/errno.h>

#include "vmm/guest_walk.h"

/*
 * A nested page fault on a page that is no RAM tells an address and a
 * direction, no more: which register, how many bytes, where the next
 * instruction starts, must be read from the guest's code. emulate_fetch() gets
 * the bytes and decodes them, emulate_insn() does what they say.
 *
 * The emulator trusts nothing but the vCPU's registers. Code, page tables and
 * descriptors lie in memory that other vCPUs may change between the exit and
 * now, perhaps to make the hypervisor do with its rights what the CPU would
 * have refused the guest. So:
 *
 * - The bytes are fetched once, by the guest's own page tables, with the
 *   checks of a fetch at its privilege. What is decoded is what is executed.
 * - Each operand goes through segmentation and the page tables again, with all
 *   checks; a failure is the guest's exception. The address that the exit
 *   reported is not used.
 * - Ports are checked against IOPL and the TSS's bitmap again.
 * - An operand that turns out to be RAM means that something has changed: the
 *   guest is entered again with nothing done, and the CPU, which is better at
 *   this (atomic, too), executes the instruction. So is an instruction of
 *   another kind than the exit's: see enum emulate_cause. Only MOVS, INS and
 *   OUTS, whose other operand is memory as well, reach RAM from here.
 *
 * An instruction either completes or leaves no trace: whatever can fault is
 * checked before the first device sees an access, since a device's registers
 * cannot be read twice. REP string instructions are the exception, as on a CPU:
 * each iteration completes, with RIP still at the instruction, and after
 * EMULATE_REP_MAX of them the guest is entered so that interrupts get their
 * turn; it exits again at the next one.
 *
 * A completed instruction clears RF. Ending the interrupt shadow, and the trap
 * for TF (Intel SDM 3B, 17.3.1.4), are the caller's at each EMULATE_DONE; under
 * TF one iteration of a string instruction is such a step. Not done: data
 * breakpoints on device memory, alignment checks (#AC), protection keys. SSE
 * moves, MUL/DIV, PUSH/POP and CALL/JMP with an operand in a device are
 * EMULATE_UNHANDLED.
 *
 * emulate_operand.c has operands, emulate_io.c strings and ports,
 * emulate_alu.c flags. Runs on the vCPU's CPU, touches only this vCPU's state;
 * takes no lock.
 */

enum emulate_op {
	OP_ALU,
	OP_TEST,
	OP_NOT,
	OP_NEG,
	OP_INC,
	OP_DEC,
	OP_XCHG,
	OP_XADD,
	OP_CMPXCHG,
	OP_STORE,
	OP_LOAD, /* zero-extended to the register's size */
	OP_LOAD_SIGNED,
	OP_BT,
	OP_BTS,
	OP_BTR,
	OP_BTC,
};

/* One instruction with one memory operand, its encoding resolved. */
struct emulate_plan {
	enum emulate_op op;
	enum emulate_alu alu;
	uint8_t size;	  /* of the memory operand */
	uint8_t reg_size; /* of the register operand */
	uint8_t reg;
	bool to_reg;	/* OP_ALU: the register is the destination */
	bool immediate; /* the other operand is insn.imm */
	bool reads, writes;
};

enum emulate_result emulate_raise(struct emulate_ctx *ctx, uint8_t vector)
{
	ctx->exc = (struct exception){
		.vector = vector,
		.has_error = vector == EXC_GP || vector == EXC_SS,
	};
	return EMULATE_EXCEPTION;
}

enum emulate_result emulate_retire(struct emulate_ctx *ctx)
{
	struct vcpu_state *s = ctx->state;
	enum decode_mode mode = decode_mode_of(s);

	s->rip += ctx->insn.length;
	if (mode != DECODE_64)
		s->rip &= emulate_mask(mode);
	s->rflags &= ~RFLAGS_RF;
	return EMULATE_DONE;
}

/* How many bytes of code there are from CS:RIP, and at what linear address;
 * 0: none, #GP. */
static size_t emulate_code_at(const struct vcpu_state *s, uint64_t *linear)
{
	const struct segment *cs = &s->seg[SEG_CS];

	if (decode_mode_of(s) == DECODE_64) {
		*linear = s->rip;
		return guest_canonical(s->rip) ? INSN_LENGTH_MAX : 0;
	}
	*linear = (uint32_t)(cs->base + s->rip);
	if (s->rip > cs->limit)
		return 0;
	return MIN(cs->limit - s->rip + 1, (uint64_t)INSN_LENGTH_MAX);
}

/* Adds what one page has, up to limit bytes in all. */
static int emulate_fetch_page(struct emulate_ctx *ctx, uint64_t linear,
			      size_t limit)
{
	size_t page = PAGE_SIZE - ((linear + ctx->count) & (PAGE_SIZE - 1));
	size_t len = MIN(limit - ctx->count, page);
	int err = guest_linear_read(ctx->state, ctx->mem, linear + ctx->count,
				    GUEST_FETCH, ctx->bytes + ctx->count, len,
				    &ctx->exc);

	if (!err)
		ctx->count += len;
	return err;
}

enum emulate_result emulate_fetch(struct emulate_ctx *ctx)
{
	enum decode_mode mode = decode_mode_of(ctx->state);
	uint64_t linear;
	size_t limit = emulate_code_at(ctx->state, &linear);
	int err = -ENODATA;

	if (limit == 0)
		return emulate_raise(ctx, EXC_GP);
	/* The next page is touched only if the instruction reaches it. */
	if (ctx->count)
		err = decode_insn(ctx->bytes, ctx->count, mode, &ctx->insn);
	while (err == -ENODATA && ctx->count < limit) {
		err = emulate_fetch_page(ctx, linear, limit);
		if (err == -EFAULT)
			return EMULATE_EXCEPTION;
		if (err)
			return EMULATE_UNHANDLED;
		err = decode_insn(ctx->bytes, ctx->count, mode, &ctx->insn);
	}
	switch (err) {
	case 0:
		return EMULATE_DONE;
	case -EINVAL:
		return emulate_raise(ctx, EXC_UD);
	case -ENODATA: /* past the segment's limit */
	case -E2BIG:
		return emulate_raise(ctx, EXC_GP);
	}
	return EMULATE_UNHANDLED;
}

static void plan_rmw(struct emulate_plan *plan, enum emulate_op op)
{
	plan->op = op;
	plan->reads = plan->writes = true;
}

/* Opcodes 00 to 3b in their ModRM forms. */
static bool plan_alu(const struct insn *insn, struct emulate_plan *plan)
{
	plan_rmw(plan, OP_ALU);
	plan->alu = insn->opcode >> 3;
	plan->to_reg = insn->opcode & 2;
	plan->writes = !plan->to_reg && plan->alu != ALU_CMP;
	return true;
}

static bool plan_group3(const struct insn *insn, struct emulate_plan *plan)
{
	switch (insn->reg & 7) {
	case 0:
	case 1:
		plan->op = OP_TEST;
		plan->reads = plan->immediate = true;
		return true;
	case 2:
		plan_rmw(plan, OP_NOT);
		return true;
	case 3:
		plan_rmw(plan, OP_NEG);
		return true;
	}
	return false;
}

static bool plan_map1(const struct insn *insn, struct emulate_plan *plan)
{
	uint8_t group = insn->reg & 7;

	if (insn->opcode < 0x40)
		return plan_alu(insn, plan);
	switch (insn->opcode) {
	case 0x63: /* MOVSXD; ARPL outside 64-bit mode, where size is 2 or 4 */
		plan->op = OP_LOAD_SIGNED;
		plan->reads = true;
		plan->size = MIN(insn->operand_size, 4);
		return true;
	case 0x80:
	case 0x81:
	case 0x82:
	case 0x83:
		plan_rmw(plan, OP_ALU);
		plan->alu = group;
		plan->immediate = true;
		plan->writes = group != ALU_CMP;
		return true;
	case 0x84:
	case 0x85:
		plan->op = OP_TEST;
		plan->reads = true;
		return true;
	case 0x86:
	case 0x87:
		plan_rmw(plan, OP_XCHG);
		return true;
	case 0xa2:
	case 0xa3:
	case 0x88:
	case 0x89:
		plan->op = OP_STORE;
		plan->writes = true;
		return true;
	case 0xa0:
	case 0xa1:
	case 0x8a:
	case 0x8b:
		plan->op = OP_LOAD;
		plan->reads = true;
		return true;
	case 0xc6:
	case 0xc7:
		plan->op = OP_STORE;
		plan->writes = plan->immediate = true;
		return group == 0;
	case 0xf6:
	case 0xf7:
		return plan_group3(insn, plan);
	case 0xfe:
	case 0xff:
		plan_rmw(plan, group ? OP_DEC : OP_INC);
		return group < 2;
	}
	return false;
}

static bool plan_bit(struct emulate_plan *plan, unsigned which)
{
	plan->op = OP_BT + which;
	plan->reads = true;
	plan->writes = plan->op != OP_BT;
	return true;
}

static bool plan_map0f(const struct insn *insn, struct emulate_plan *plan)
{
	switch (insn->opcode) {
	case 0xb6:
	case 0xb7:
	case 0xbe:
	case 0xbf:
		plan->op = insn->opcode & 8 ? OP_LOAD_SIGNED : OP_LOAD;
		plan->reads = true;
		plan->size = insn->opcode & 1 ? 2 : 1;
		return true;
	case 0xa3:
	case 0xab:
	case 0xb3:
	case 0xbb:
		return plan_bit(plan, insn->opcode >> 3 & 3);
	case 0xba:
		plan->immediate = true;
		return insn->reg & 4 && plan_bit(plan, insn->reg & 3);
	case 0xb0:
	case 0xb1:
		plan_rmw(plan, OP_CMPXCHG);
		return true;
	case 0xc0:
	case 0xc1:
		plan_rmw(plan, OP_XADD);
		return true;
	case 0xc3: /* MOVNTI: with 66, F2 or F3 it is #UD, REX.W or not */
		plan->op = OP_STORE;
		plan->writes = true;
		return !insn->operand_prefix && insn->rep == INSN_REP_NONE &&
		       insn->operand_size >= 4;
	}
	return false;
}

/* False: not an instruction that this file knows. */
static bool emulate_make_plan(const struct insn *insn, bool in_64,
			      struct emulate_plan *plan)
{
	*plan = (struct emulate_plan){
		.size = insn->operand_size,
		.reg_size = insn->operand_size,
		.reg = insn->has_modrm ? insn->reg : GPR_RAX,
	};
	if (!insn->has_mem)
		return false;
	if (insn->map == INSN_MAP_1 && insn->opcode == 0x63 && !in_64)
		return false; /* ARPL */
	if (insn->map == INSN_MAP_1)
		return plan_map1(insn, plan);
	return insn->map == INSN_MAP_0F && plan_map0f(insn, plan);
}

/* BT and kin with a register reach beyond the operand (Intel SDM 2A, 3.1.1.9):
 * the offset moves by whole operands. */
static uint64_t emulate_bit_offset(const struct emulate_ctx *ctx,
				   const struct emulate_plan *plan)
{
	unsigned bits = 8 * plan->size;
	int64_t bit = (int64_t)emulate_sign_extend(
		emulate_reg_read(ctx, plan->reg, plan->size), plan->size);
	/* Division that rounds down; bits is a power of two. */
	int64_t unit = (bit - (bit & (bits - 1))) / (int64_t)bits;

	return (emulate_offset(ctx) + (uint64_t)unit * plan->size) &
	       emulate_mask(ctx->insn.address_size);
}

static uint64_t emulate_bit(enum emulate_op op, unsigned size, uint64_t value,
			    uint64_t index, uint64_t *rflags)
{
	uint64_t bit = 1ull << (index & (8 * size - 1));

	*rflags &= ~RFLAGS_CF;
	if (value & bit)
		*rflags |= RFLAGS_CF;
	switch (op) {
	case OP_BTS:
		return value | bit;
	case OP_BTR:
		return value & ~bit;
	case OP_BTC:
		return value ^ bit;
	default:
		return value;
	}
}

/* What becomes of the memory operand; registers and flags change on the way. */
static uint64_t emulate_compute(struct emulate_ctx *ctx,
				const struct emulate_plan *plan, uint64_t mem)
{
	uint64_t *fl = &ctx->state->rflags;
	uint64_t reg = emulate_reg_read(ctx, plan->reg, plan->reg_size);
	uint64_t src = plan->immediate ? (uint64_t)ctx->insn.imm : reg;
	unsigned size = plan->size;
	uint64_t result = mem;

	switch (plan->op) {
	case OP_ALU:
		if (!plan->to_reg)
			return emulate_alu(plan->alu, size, mem, src, fl);
		reg = emulate_alu(plan->alu, size, reg, mem, fl);
		if (plan->alu != ALU_CMP)
			emulate_reg_write(ctx, plan->reg, size, reg);
		break;
	case OP_TEST:
		emulate_alu(ALU_AND, size, mem, src, fl);
		break;
	case OP_NOT:
		return ~mem;
	case OP_NEG:
		return emulate_neg(size, mem, fl);
	case OP_INC:
		return emulate_inc(size, mem, fl);
	case OP_DEC:
		return emulate_dec(size, mem, fl);
	case OP_XCHG:
		emulate_reg_write(ctx, plan->reg, size, mem);
		return src;
	case OP_XADD:
		result = emulate_alu(ALU_ADD, size, mem, src, fl);
		emulate_reg_write(ctx, plan->reg, size, mem);
		break;
	case OP_CMPXCHG:
		emulate_alu(ALU_CMP, size, ctx->state->gpr[GPR_RAX], mem, fl);
		if (*fl & RFLAGS_ZF)
			return src;
		emulate_reg_write(ctx, GPR_RAX, size, mem);
		break;
	case OP_STORE:
		return src;
	case OP_LOAD:
		emulate_reg_write(ctx, plan->reg, plan->reg_size, mem);
		break;
	case OP_LOAD_SIGNED:
		emulate_reg_write(ctx, plan->reg, plan->reg_size,
				  emulate_sign_extend(mem, size));
		break;
	case OP_BT:
	case OP_BTS:
	case OP_BTR:
	case OP_BTC:
		return emulate_bit(plan->op, size, mem, src, fl);
	}
	return result;
}

/* LOCK is for read-modify-write of memory (Intel SDM 2A, LOCK). */
static bool emulate_lockable(const struct emulate_plan *plan)
{
	return plan->reads && plan->writes;
}

static enum emulate_result emulate_modrm(struct emulate_ctx *ctx)
{
	bool in_64 = decode_mode_of(ctx->state) == DECODE_64;
	struct emulate_operand op;
	struct emulate_plan plan;
	uint64_t offset, result, mem = 0;

	if (ctx->cause != EMULATE_MMIO)
		return EMULATE_AGAIN;
	if (!emulate_make_plan(&ctx->insn, in_64, &plan))
		return EMULATE_UNHANDLED;
	if (ctx->insn.lock && !emulate_lockable(&plan))
		return emulate_raise(ctx, EXC_UD);
	offset = plan.op >= OP_BT && !plan.immediate
			 ? emulate_bit_offset(ctx, &plan)
			 : emulate_offset(ctx);
	if (emulate_operand_map(ctx, ctx->insn.mem.segment, offset, plan.size,
				plan.writes ? GUEST_WRITE : GUEST_READ, &op))
		return EMULATE_EXCEPTION;
	if (emulate_operand_is_ram(&op))
		return EMULATE_AGAIN;
	if (plan.reads)
		mem = emulate_operand_read(ctx, &op);
	result = emulate_compute(ctx, &plan, mem);
	if (plan.writes)
		emulate_operand_write(ctx, &op, result);
	return emulate_retire(ctx);
}

enum emulate_result emulate_insn(struct emulate_ctx *ctx)
{
	uint8_t opcode = ctx->insn.opcode;

	if (ctx->insn.map == INSN_MAP_1) {
		if ((opcode >= 0x6c && opcode <= 0x6f) || opcode == 0xa4 ||
		    opcode == 0xa5 || (opcode >= 0xaa && opcode <= 0xad))
			return emulate_string(ctx);
		if ((opcode >= 0xe4 && opcode <= 0xe7) ||
		    (opcode >= 0xec && opcode <= 0xef))
			return emulate_port(ctx);
	}
	return emulate_modrm(ctx);
}
