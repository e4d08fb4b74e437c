/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the parts of the emulator share. */
#ifndef VMM_EMULATE_PRIV_H
#define VMM_EMULATE_PRIV_H

#include "vmm/emulate.h"

/* The group's numbering of opcodes 00 to 3f and 80 to 83 /n. */
enum emulate_alu {
	ALU_ADD,
	ALU_OR,
	ALU_ADC,
	ALU_SBB,
	ALU_AND,
	ALU_SUB,
	ALU_XOR,
	ALU_CMP,
};

/* A memory operand, translated: one piece, or two across a page's end. */
struct emulate_operand {
	unsigned count;
	struct {
		gpa_t gpa;
		uint8_t size;
		bool ram;
	} piece[2];
};

/* emulate_alu.c: size is 1, 2, 4 or 8 bytes; operands may have more bits. The
 * result of ALU_CMP is a. */
uint64_t emulate_alu(enum emulate_alu op, unsigned size, uint64_t a, uint64_t b,
		     uint64_t *rflags);
/* CF stays as it is. */
uint64_t emulate_inc(unsigned size, uint64_t a, uint64_t *rflags);
uint64_t emulate_dec(unsigned size, uint64_t a, uint64_t *rflags);
uint64_t emulate_neg(unsigned size, uint64_t a, uint64_t *rflags);

/* Low size bytes. */
static inline uint64_t emulate_mask(unsigned size)
{
	return UINT64_MAX >> (64 - 8 * size);
}

static inline uint64_t emulate_sign_extend(uint64_t value, unsigned size)
{
	return (uint64_t)((int64_t)(value << (64 - 8 * size)) >>
			  (64 - 8 * size));
}

/* emulate_operand.c: general registers by encoding, as an operand of size
 * bytes; without REX, 4 to 7 as bytes are AH, CH, DH and BH. */
uint64_t emulate_reg_read(const struct emulate_ctx *ctx, unsigned reg,
			  unsigned size);
void emulate_reg_write(struct emulate_ctx *ctx, unsigned reg, unsigned size,
		       uint64_t value);
/* A register as address or counter: cut to the address size. */
uint64_t emulate_addr_reg(const struct emulate_ctx *ctx, unsigned reg);
void emulate_addr_reg_add(struct emulate_ctx *ctx, unsigned reg, int64_t add);

/* Offset of insn's memory operand, before segmentation. */
uint64_t emulate_offset(const struct emulate_ctx *ctx);

/* Checks segment and paging for an access of size bytes (GUEST_READ or
 * GUEST_WRITE). 0, or -EFAULT with ctx->exc. */
int emulate_operand_map(struct emulate_ctx *ctx, enum segment_name segment,
			uint64_t offset, unsigned size, unsigned access,
			struct emulate_operand *op);
bool emulate_operand_is_ram(const struct emulate_operand *op);
uint64_t emulate_operand_read(struct emulate_ctx *ctx,
			      const struct emulate_operand *op);
void emulate_operand_write(struct emulate_ctx *ctx,
			   const struct emulate_operand *op, uint64_t value);

/* emulate.c: past the instruction. */
enum emulate_result emulate_retire(struct emulate_ctx *ctx);
/* An exception with error code 0, if it has one. */
enum emulate_result emulate_raise(struct emulate_ctx *ctx, uint8_t vector);

/* emulate_io.c */
enum emulate_result emulate_string(struct emulate_ctx *ctx);
enum emulate_result emulate_port(struct emulate_ctx *ctx);

#endif
