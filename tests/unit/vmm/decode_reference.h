/* SPDX-License-Identifier: GPL-2.0-or-later */
/* libZydis as the instruction decoder's reference. */
#ifndef TESTS_DECODE_REFERENCE_H
#define TESTS_DECODE_REFERENCE_H

#include <linux/errno.h>
#include <Zydis/Zydis.h>

#include "vmm/decode.h"

#define REFERENCE_MODES 3

static const enum decode_mode reference_modes[REFERENCE_MODES] = {
	DECODE_16, DECODE_32, DECODE_64};
static ZydisDecoder reference_decoders[REFERENCE_MODES];

static inline void reference_init(void)
{
	ZydisDecoderInit(&reference_decoders[0], ZYDIS_MACHINE_MODE_LEGACY_16,
			 ZYDIS_STACK_WIDTH_16);
	ZydisDecoderInit(&reference_decoders[1], ZYDIS_MACHINE_MODE_LEGACY_32,
			 ZYDIS_STACK_WIDTH_32);
	ZydisDecoderInit(&reference_decoders[2], ZYDIS_MACHINE_MODE_LONG_64,
			 ZYDIS_STACK_WIDTH_64);
}

/* False, with what differs, unless cond. */
#define REFERENCE_CHECK(cond)          \
	do {                           \
		if (!(cond)) {         \
			*what = #cond; \
			return false;  \
		}                      \
	} while (0)

static inline uint8_t reference_reg(ZydisRegister reg)
{
	return reg == ZYDIS_REGISTER_NONE ? INSN_NO_REG
					  : (uint8_t)ZydisRegisterGetId(reg);
}

/* The general register that an encoding names, as an operand of size bytes. */
static inline ZydisRegister reference_gpr(unsigned reg, unsigned size, bool rex)
{
	switch (size) {
	case 1:
		if (reg < 4 || (reg < 8 && !rex))
			return ZYDIS_REGISTER_AL + reg; /* AH follows BL */
		return reg < 8 ? ZYDIS_REGISTER_SPL + reg - 4
			       : ZYDIS_REGISTER_R8B + reg - 8;
	case 2:
		return ZYDIS_REGISTER_AX + reg;
	case 4:
		return ZYDIS_REGISTER_EAX + reg;
	default:
		return ZYDIS_REGISTER_RAX + reg;
	}
}

static inline bool reference_mem_same(const struct insn *insn,
				      enum decode_mode mode,
				      const ZydisDecodedOperandMem *mem,
				      const char **what)
{
	static const ZydisRegister segments[] = {
		ZYDIS_REGISTER_ES, ZYDIS_REGISTER_CS, ZYDIS_REGISTER_SS,
		ZYDIS_REGISTER_DS, ZYDIS_REGISTER_FS, ZYDIS_REGISTER_GS,
	};
	uint8_t base = reference_reg(mem->base);
	uint8_t index = reference_reg(mem->index);
	uint64_t mask = insn->address_size == 8	  ? UINT64_MAX
			: insn->address_size == 4 ? UINT32_MAX
						  : UINT16_MAX;
	bool rip = mem->base == ZYDIS_REGISTER_RIP ||
		   mem->base == ZYDIS_REGISTER_EIP;

	REFERENCE_CHECK(insn->has_mem);
	REFERENCE_CHECK(insn->mem.rip_relative == rip);
	REFERENCE_CHECK(insn->mem.base == (rip ? INSN_NO_REG : base));
	REFERENCE_CHECK(insn->mem.index == index);
	if (index != INSN_NO_REG)
		REFERENCE_CHECK(insn->mem.scale == mem->scale);
	REFERENCE_CHECK(((insn->mem.disp ^
			  (mem->disp.has_displacement ? mem->disp.value : 0)) &
			 mask) == 0);
	/* In 64-bit code the other segments all start at 0. */
	if (mode != DECODE_64 || insn->mem.segment >= SEG_FS)
		REFERENCE_CHECK(segments[insn->mem.segment] == mem->segment);
	return true;
}

/* Opcodes that the emulator takes operands from. */
static inline bool reference_emulated(const struct insn *insn)
{
	uint8_t op = insn->opcode;

	if (insn->map == INSN_MAP_1)
		return op < 0x40 || op == 0x63 || (op >= 0x6c && op <= 0x6f) ||
		       (op >= 0x80 && op <= 0x8b) ||
		       (op >= 0xa0 && op <= 0xad) ||
		       (op >= 0xfe && (insn->reg & 7) < 2) || op == 0xc6 ||
		       op == 0xc7 || op == 0xf6 || op == 0xf7 ||
		       (op >= 0xe4 && op <= 0xe7) || (op >= 0xec && op <= 0xef);
	if (insn->map == INSN_MAP_0F)
		return (op >= 0xb6 && op <= 0xb7) || op == 0xbe || op == 0xbf ||
		       op == 0xa3 || op == 0xab || op == 0xb3 || op == 0xbb ||
		       op == 0xba || op == 0xb0 || op == 0xb1 || op == 0xc0 ||
		       op == 0xc1 || op == 0xc3;
	return false;
}

/* Where the reference's idea of operand size is another: port I/O under REX.W
 * (ports have 32 bits at most) and what shares the opcodes of MOV. */
static inline bool reference_has_size(const struct insn *insn)
{
	enum insn_kind kind = decode_kind(insn);

	if (kind == INSN_IN || kind == INSN_OUT || kind == INSN_INS ||
	    kind == INSN_OUTS)
		return !(insn->rex & 8);
	if (insn->map != INSN_MAP_1)
		return true;
	if (insn->opcode == 0xc6 || insn->opcode == 0xc7) /* XABORT, XBEGIN */
		return (insn->reg & 7) == 0;
	return true;
}

static inline bool reference_operand_same(const struct insn *insn,
					  enum decode_mode mode,
					  const ZydisDecodedOperand *op,
					  const char **what)
{
	unsigned size = op->size / 8;

	if (op->visibility != ZYDIS_OPERAND_VISIBILITY_EXPLICIT)
		return true;
	switch (op->type) {
	case ZYDIS_OPERAND_TYPE_MEMORY:
		if (!insn->has_modrm && !insn->has_mem)
			return true; /* a string instruction's */
		return reference_mem_same(insn, mode, &op->mem, what);
	case ZYDIS_OPERAND_TYPE_IMMEDIATE:
		if (!insn->imm_size) /* the 1 of shifts */
			return true;
		REFERENCE_CHECK((uint64_t)insn->imm
					<< (64 - 8 * insn->imm_size) ==
				op->imm.value.u << (64 - 8 * insn->imm_size));
		if (op->imm.is_signed)
			REFERENCE_CHECK(insn->imm == op->imm.value.s);
		return true;
	case ZYDIS_OPERAND_TYPE_REGISTER:
		if (op->encoding == ZYDIS_OPERAND_ENCODING_MODRM_REG)
			REFERENCE_CHECK(
				op->reg.value ==
				reference_gpr(insn->reg, size, insn->rex));
		if (op->encoding == ZYDIS_OPERAND_ENCODING_MODRM_RM)
			REFERENCE_CHECK(!insn->has_mem &&
					op->reg.value ==
						reference_gpr(insn->rm, size,
							      insn->rex));
		return true;
	default:
		return true;
	}
}

static inline bool reference_prefixes_same(const struct insn *insn,
					   const ZydisDecodedInstruction *zi,
					   const char **what)
{
	bool lock = false, operand = false;
	uint8_t rep = INSN_REP_NONE, rex = 0;

	for (unsigned i = 0; i < zi->raw.prefix_count; i++) {
		uint8_t byte = zi->raw.prefixes[i].value;

		lock |= byte == 0xf0;
		operand |= byte == 0x66;
		if (byte == 0xf2 || byte == 0xf3)
			rep = byte == 0xf2 ? INSN_REPNE : INSN_REP;
	}
	if (zi->attributes & ZYDIS_ATTRIB_HAS_REX)
		rex = (uint8_t)(0x40 | zi->raw.rex.W << 3 | zi->raw.rex.R << 2 |
				zi->raw.rex.X << 1 | zi->raw.rex.B);
	REFERENCE_CHECK(insn->lock == lock);
	REFERENCE_CHECK(insn->operand_prefix == operand);
	REFERENCE_CHECK(insn->rep == rep);
	REFERENCE_CHECK(insn->rex == rex);
	return true;
}

/*
 * Does decode_insn() say the same of count bytes as libZydis does? Where Zydis
 * takes an instruction, length, map, opcode, ModRM and prefixes must agree; of
 * what the emulator executes, sizes and every explicit operand too. Where Zydis
 * refuses, it may know more: it also judges what an instruction means (LOCK on
 * a register, a ModRM that names nothing), which the decoder leaves to the
 * emulator and the CPU. *compared counts the instructions that both took.
 * False: *what says what differs.
 */
static inline bool reference_same(const uint8_t *bytes, size_t count,
				  unsigned mode_index, unsigned *compared,
				  const char **what)
{
	enum decode_mode mode = reference_modes[mode_index];
	ZydisDecodedOperand ops[ZYDIS_MAX_OPERAND_COUNT];
	ZydisDecodedInstruction zi;
	ZyanStatus status;
	struct insn insn;
	int err = decode_insn(bytes, count, mode, &insn);

	if (!err)
		REFERENCE_CHECK(insn.length >= 1 &&
				insn.length <= INSN_LENGTH_MAX &&
				insn.length <= count);
	status = ZydisDecoderDecodeFull(&reference_decoders[mode_index], bytes,
					MIN(count, INSN_LENGTH_MAX), &zi, ops);
	/* Cut short: not an instruction yet. What is already known to be none
	 * may be said at once. */
	if (status == ZYDIS_STATUS_NO_MORE_DATA)
		REFERENCE_CHECK(err);
	if (!ZYAN_SUCCESS(status))
		return true;
	if (zi.encoding != ZYDIS_INSTRUCTION_ENCODING_LEGACY &&
	    zi.encoding != ZYDIS_INSTRUCTION_ENCODING_3DNOW) {
		REFERENCE_CHECK(err == -EOPNOTSUPP);
		return true;
	}
	REFERENCE_CHECK(!err);
	REFERENCE_CHECK(insn.length == zi.length);
	(*compared)++;
	if (zi.encoding != ZYDIS_INSTRUCTION_ENCODING_LEGACY)
		return true;
	REFERENCE_CHECK(insn.opcode == zi.opcode);
	REFERENCE_CHECK(insn.map == (unsigned)zi.opcode_map);
	REFERENCE_CHECK(insn.has_modrm ==
			((zi.attributes & ZYDIS_ATTRIB_HAS_MODRM) != 0));
	if (!reference_prefixes_same(&insn, &zi, what))
		return false;
	if (!reference_emulated(&insn))
		return true;
	REFERENCE_CHECK(insn.address_size * 8 == zi.address_width);
	if (reference_has_size(&insn))
		REFERENCE_CHECK(insn.operand_size * 8 == zi.operand_width);
	for (unsigned i = 0; i < zi.operand_count; i++)
		if (!reference_operand_same(&insn, mode, &ops[i], what))
			return false;
	return true;
}

#endif
