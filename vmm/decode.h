/* SPDX-License-Identifier: GPL-2.0-or-later */
/* x86 instruction decoder: length and operands of legacy integer code. */
#ifndef VMM_DECODE_H
#define VMM_DECODE_H

#include "vmm/state.h"

#define INSN_LENGTH_MAX 15

enum decode_mode {
	DECODE_16 = 2,
	DECODE_32 = 4,
	DECODE_64 = 8
};

enum insn_map {
	INSN_MAP_1,
	INSN_MAP_0F,
	INSN_MAP_0F38,
	INSN_MAP_0F3A
};

enum insn_rep {
	INSN_REP_NONE,
	INSN_REPNE,
	INSN_REP
};

#define INSN_NO_REG 0xff

/* segment:[base + index * scale + disp], cut to the address size. */
struct insn_mem {
	uint8_t base;	   /* enum gpr or INSN_NO_REG */
	uint8_t index;	   /* enum gpr or INSN_NO_REG */
	uint8_t scale;	   /* 1, 2, 4, 8 */
	uint8_t segment;   /* enum segment_name, overrides applied */
	bool rip_relative; /* to the next instruction's address */
	int64_t disp;
};

struct insn {
	uint8_t length;
	uint8_t map;	      /* enum insn_map */
	uint8_t opcode;	      /* in that map */
	uint8_t operand_size; /* 1, 2, 4, 8 */
	uint8_t address_size; /* 2, 4, 8 */
	uint8_t rex;	      /* the REX byte, or 0 */
	uint8_t rep;	      /* enum insn_rep */
	bool lock;
	bool operand_prefix; /* 0x66 */
	bool has_modrm;
	bool has_mem;	      /* memory operand by ModRM, or a0 to a3 */
	uint8_t mod, reg, rm; /* reg and rm with REX.R and REX.B */
	uint8_t opcode_reg;   /* opcode 2:0 with REX.B, where it names one */
	uint8_t imm_size;     /* of the first immediate; 0: none */
	int64_t imm;	      /* sign-extended; a second one is only skipped */
	/* Without has_mem only segment is set: a string source's. */
	struct insn_mem mem;
};

/* Instructions that an exit may be about and that have one spelling. */
enum insn_kind {
	INSN_OTHER,
	INSN_CPUID,
	INSN_HLT,
	INSN_RDMSR,
	INSN_WRMSR,
	INSN_RDTSC,
	INSN_RDTSCP,
	INSN_RDPMC,
	INSN_VMCALL,
	INSN_VMMCALL,
	INSN_INVD,
	INSN_WBINVD,
	INSN_XSETBV,
	INSN_MONITOR,
	INSN_MWAIT,
	INSN_PAUSE,
	INSN_INVLPG,
	INSN_INVLPGA,
	INSN_VMRUN,
	INSN_VMLOAD,
	INSN_VMSAVE,
	INSN_STGI,
	INSN_CLGI,
	INSN_SKINIT,
	INSN_CLTS,
	INSN_LMSW,
	INSN_SMSW,
	INSN_MOV_FROM_CR, /* reg: the CR (+ 8 with lock, AMD), rm: the GPR */
	INSN_MOV_TO_CR,
	INSN_MOV_FROM_DR,
	INSN_MOV_TO_DR,
	INSN_RSM,
	INSN_IRET,
	INSN_PUSHF,
	INSN_POPF,
	INSN_CLI,
	INSN_STI,
	INSN_IN,  /* e4 e5 ec ed */
	INSN_OUT, /* e6 e7 ee ef */
	INSN_INS,
	INSN_OUTS,
};

/*
 * Decodes the instruction at bytes[0]; count beyond INSN_LENGTH_MAX is not
 * looked at. Returns 0; -ENODATA: it goes on past count; -E2BIG: it goes on
 * past 15 bytes (#GP); -EINVAL: no such opcode (#UD); -EOPNOTSUPP: VEX, EVEX or
 * XOP encoded. Where AMD and Intel differ (0x66 before a near branch in 64-bit
 * code) it is Intel's length: such instructions never exit.
 * Intel SDM 2A, chapter 2 and 2D, appendix A; AMD APM 3, appendix A.
 */
int decode_insn(const uint8_t *bytes, size_t count, enum decode_mode mode,
		struct insn *insn);

/* What the code segment and EFER say. */
enum decode_mode decode_mode_of(const struct vcpu_state *s);

enum insn_kind decode_kind(const struct insn *insn);

#endif
