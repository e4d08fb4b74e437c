/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Table-driven decoder for legacy integer x86 instructions. */
#include "vmm/decode.h"

#include <linux/errno.h>

/*
 * One attribute word for each opcode of the one-byte and 0F maps says all that
 * the length depends on; the 0F38 and 0F3A maps are uniform. What an opcode
 * does is the emulator's business. Vector instructions in legacy encoding get
 * their length right on the way, since most of the 0F map is "ModRM, nothing
 * else".
 */
enum {
	M = 1 << 0,   /* ModRM */
	I8 = 1 << 1,  /* immediate byte */
	I16 = 1 << 2, /* immediate word */
	IZ = 1 << 3,  /* immediate of operand size, 4 bytes at most */
	IV = 1 << 4,  /* immediate of operand size, 8 bytes too */
	MO = 1 << 5,  /* offset of address size (a0 to a3) */
	B = 1 << 6,   /* byte operand */
	D = 1 << 7,   /* 64-bit mode: 64-bit unless 0x66 */
	F = 1 << 8,   /* 64-bit mode: always 64-bit */
	N = 1 << 9,   /* not in 64-bit mode */
	U = 1 << 10,  /* no such instruction */
	G3 = 1 << 11, /* immediate only if reg is 0 or 1 */
	R = 1 << 12,  /* ModRM names registers whatever mod says */
	P = 1 << 13,  /* port or 32-bit: never 8 bytes */
	X = 1 << 14,  /* prefix or escape, handled before the table */
};

/* clang-format off */
static const uint16_t decode_map1[256] = {
/* 00 */ M|B, M, M|B, M, I8|B, IZ, N, N,  M|B, M, M|B, M, I8|B, IZ, N, X,
/* 10 */ M|B, M, M|B, M, I8|B, IZ, N, N,  M|B, M, M|B, M, I8|B, IZ, N, N,
/* 20 */ M|B, M, M|B, M, I8|B, IZ, X, N,  M|B, M, M|B, M, I8|B, IZ, X, N,
/* 30 */ M|B, M, M|B, M, I8|B, IZ, X, N,  M|B, M, M|B, M, I8|B, IZ, X, N,
/* 40 */ 0, 0, 0, 0, 0, 0, 0, 0,  0, 0, 0, 0, 0, 0, 0, 0,
/* 50 */ D, D, D, D, D, D, D, D,  D, D, D, D, D, D, D, D,
/* 60 */ N, N, M|N, M, X, X, X, X,
/* 68 */ IZ|D, M|IZ, I8|D, M|I8, B, P, B, P,
/* 70 */ I8|F, I8|F, I8|F, I8|F, I8|F, I8|F, I8|F, I8|F,
/* 78 */ I8|F, I8|F, I8|F, I8|F, I8|F, I8|F, I8|F, I8|F,
/* 80 */ M|I8|B, M|IZ, M|I8|B|N, M|I8, M|B, M, M|B, M,
/* 88 */ M|B, M, M|B, M, M, M, M, M|D,
/* 90 */ 0, 0, 0, 0, 0, 0, 0, 0,  0, 0, IZ|I16|N, 0, D, D, 0, 0,
/* a0 */ MO|B, MO, MO|B, MO, B, 0, B, 0,  I8|B, IZ, B, 0, B, 0, B, 0,
/* b0 */ I8|B, I8|B, I8|B, I8|B, I8|B, I8|B, I8|B, I8|B,
/* b8 */ IV, IV, IV, IV, IV, IV, IV, IV,
/* c0 */ M|I8|B, M|I8, I16|F, F, M|N, M|N, M|I8|B, M|IZ,
/* c8 */ I16|I8|D, D, I16, 0, 0, I8, N, 0,
/* d0 */ M|B, M, M|B, M, I8|N|B, I8|N|B, N|B, B,  M, M, M, M, M, M, M, M,
/* e0 */ I8|F, I8|F, I8|F, I8|F, I8|B, I8|P, I8|B, I8|P,
/* e8 */ IZ|F, IZ|F, IZ|I16|N, I8|F, B, P, B, P,
/* f0 */ X, 0, X, X, 0, 0, M|G3|B, M|G3,  0, 0, 0, 0, 0, 0, M|B, M,
};

static const uint16_t decode_map0f[256] = {
/* 00 */ M, M, M, M, U, 0, 0, 0,  0, 0, U, 0, U, M, 0, M|I8,
/* 10 */ M, M, M, M, M, M, M, M,  M, M, M, M, M, M, M, M,
/* 20 */ M|R|F, M|R|F, M|R|F, M|R|F, U, U, U, U,  M, M, M, M, M, M, M, M,
/* 30 */ 0, 0, 0, 0, 0, 0, U, 0,  X, U, X, U, U, U, U, U,
/* 40 */ M, M, M, M, M, M, M, M,  M, M, M, M, M, M, M, M,
/* 50 */ M, M, M, M, M, M, M, M,  M, M, M, M, M, M, M, M,
/* 60 */ M, M, M, M, M, M, M, M,  M, M, M, M, M, M, M, M,
/* 70 */ M|I8, M|I8, M|I8, M|I8, M, M, M, 0,  M|F, M|F, U, U, M, M, M, M,
/* 80 */ IZ|F, IZ|F, IZ|F, IZ|F, IZ|F, IZ|F, IZ|F, IZ|F,
/* 88 */ IZ|F, IZ|F, IZ|F, IZ|F, IZ|F, IZ|F, IZ|F, IZ|F,
/* 90 */ M|B, M|B, M|B, M|B, M|B, M|B, M|B, M|B,
/* 98 */ M|B, M|B, M|B, M|B, M|B, M|B, M|B, M|B,
/* a0 */ D, D, 0, M, M|I8, M, M, M,  D, D, 0, M, M|I8, M, M, M,
/* b0 */ M|B, M, M, M, M, M, M, M,  M, M, M|I8, M, M, M, M, M,
/* c0 */ M|B, M, M|I8, M, M|I8, M|I8, M|I8, M,  0, 0, 0, 0, 0, 0, 0, 0,
/* d0 */ M, M, M, M, M, M, M, M,  M, M, M, M, M, M, M, M,
/* e0 */ M, M, M, M, M, M, M, M,  M, M, M, M, M, M, M, M,
/* f0 */ M, M, M, M, M, M, M, M,  M, M, M, M, M, M, M, M,
};
/* clang-format on */

#define REX_B (1 << 0)
#define REX_X (1 << 1)
#define REX_R (1 << 2)
#define REX_W (1 << 3)

/* Where the decoder stands. */
struct decode {
	const uint8_t *bytes;
	size_t count;
	size_t at;
	enum decode_mode mode;
	int override; /* enum segment_name, or -1 */
	struct insn *insn;
};

static int decode_short(const struct decode *d)
{
	return d->count >= INSN_LENGTH_MAX ? -E2BIG : -ENODATA;
}

static int decode_peek(const struct decode *d, uint8_t *byte)
{
	if (d->at >= d->count)
		return decode_short(d);
	*byte = d->bytes[d->at];
	return 0;
}

static int decode_byte(struct decode *d, uint8_t *byte)
{
	int err = decode_peek(d, byte);

	if (!err)
		d->at++;
	return err;
}

/* Little endian, sign-extended; size 0 reads nothing and gives 0. */
static int decode_signed(struct decode *d, unsigned size, int64_t *value)
{
	uint64_t v = 0;

	*value = 0;
	if (size == 0)
		return 0;
	if (d->count - d->at < size)
		return decode_short(d);
	for (unsigned i = 0; i < size; i++)
		v |= (uint64_t)d->bytes[d->at++] << (8 * i);
	*value = (int64_t)(v << (64 - 8 * size)) >> (64 - 8 * size);
	return 0;
}

/* Legacy prefixes, REX (only right before the opcode) and the first opcode
 * byte. */
static int decode_prefixes(struct decode *d, bool *address_prefix,
			   uint8_t *opcode)
{
	struct insn *insn = d->insn;
	int err;

	for (;;) {
		err = decode_byte(d, opcode);
		if (err)
			return err;
		switch (*opcode) {
		case 0x26:
		case 0x2e:
		case 0x36:
		case 0x3e:
			/* Without effect in 64-bit code, FS or GS stays. */
			if (d->mode != DECODE_64)
				d->override = SEG_ES + (*opcode >> 3 & 3);
			break;
		case 0x64:
		case 0x65:
			d->override = *opcode == 0x64 ? SEG_FS : SEG_GS;
			break;
		case 0x66:
			insn->operand_prefix = true;
			break;
		case 0x67:
			*address_prefix = true;
			break;
		case 0xf0:
			insn->lock = true;
			break;
		case 0xf2:
			insn->rep = INSN_REPNE;
			break;
		case 0xf3:
			insn->rep = INSN_REP;
			break;
		default:
			if (d->mode != DECODE_64 || (*opcode & 0xf0) != 0x40)
				return 0;
			insn->rex = *opcode;
			continue;
		}
		insn->rex = 0;
	}
}

/* Opcode map and byte, and the attributes. */
static int decode_opcode(struct decode *d, uint8_t byte, unsigned *attr)
{
	struct insn *insn = d->insn;
	int err;

	insn->opcode = byte;
	*attr = decode_map1[byte];
	if (byte != 0x0f)
		return 0;
	err = decode_byte(d, &insn->opcode);
	if (err)
		return err;
	insn->map = INSN_MAP_0F;
	*attr = decode_map0f[insn->opcode];
	if (insn->opcode == 0x38 || insn->opcode == 0x3a) {
		insn->map =
			insn->opcode == 0x38 ? INSN_MAP_0F38 : INSN_MAP_0F3A;
		*attr = insn->opcode == 0x38 ? M : M | I8;
		return decode_byte(d, &insn->opcode);
	}
	return 0;
}

/* C4, C5, 62 and 8F are vector prefixes, unless they are LES, LDS, BOUND and
 * POP (Intel SDM 2A, 2.3; AMD APM 3, 1.2.7). */
static int decode_refuse_vector(const struct decode *d)
{
	uint8_t opcode = d->insn->opcode, next;
	int err;

	if (d->insn->map != INSN_MAP_1)
		return 0;
	if (opcode != 0xc4 && opcode != 0xc5 && opcode != 0x62 &&
	    opcode != 0x8f)
		return 0;
	err = decode_peek(d, &next);
	if (err)
		return err;
	if (opcode == 0x8f)
		return (next & 0x1f) >= 8 ? -EOPNOTSUPP : 0;
	if (d->mode == DECODE_64 || next >= 0xc0)
		return -EOPNOTSUPP;
	return 0;
}

static uint8_t decode_operand_size(const struct decode *d, unsigned attr)
{
	bool prefix = d->insn->operand_prefix;

	if (attr & B)
		return 1;
	if (d->mode == DECODE_64) {
		if (attr & F || (d->insn->rex & REX_W && !(attr & P)))
			return 8;
		if (prefix)
			return 2;
		return attr & D ? 8 : 4;
	}
	return (d->mode == DECODE_16) != prefix ? 2 : 4;
}

static uint8_t decode_address_size(enum decode_mode mode, bool prefix)
{
	if (mode == DECODE_64)
		return prefix ? 4 : 8;
	return (mode == DECODE_16) != prefix ? 2 : 4;
}

/* Intel SDM 2A, table 2-1. */
static int decode_mem16(struct decode *d)
{
	static const uint8_t base[8] = {GPR_RBX, GPR_RBX, GPR_RBP, GPR_RBP,
					GPR_RSI, GPR_RDI, GPR_RBP, GPR_RBX};
	struct insn *insn = d->insn;
	unsigned disp_size = insn->mod == 3 ? 0 : insn->mod;

	insn->mem.base = base[insn->rm];
	if (insn->rm < 4)
		insn->mem.index = insn->rm & 1 ? GPR_RDI : GPR_RSI;
	if (insn->mod == 0 && insn->rm == 6) {
		insn->mem.base = INSN_NO_REG;
		disp_size = 2;
	}
	if (insn->mem.base == GPR_RBP)
		insn->mem.segment = SEG_SS;
	return decode_signed(d, disp_size, &insn->mem.disp);
}

/* Tables 2-2 and 2-3; in 64-bit code also 2.2.1. */
static int decode_mem32(struct decode *d)
{
	struct insn *insn = d->insn;
	unsigned disp_size = insn->mod == 1 ? 1 : insn->mod == 2 ? 4 : 0;
	uint8_t rm = insn->rm & 7;

	insn->mem.base = insn->rm;
	if (rm == 4) {
		uint8_t sib;
		int err = decode_byte(d, &sib);

		if (err)
			return err;
		insn->mem.index = (sib >> 3 & 7) | (insn->rex & REX_X ? 8 : 0);
		if (insn->mem.index == 4)
			insn->mem.index = INSN_NO_REG;
		else
			insn->mem.scale = 1 << (sib >> 6);
		insn->mem.base = (sib & 7) | (insn->rex & REX_B ? 8 : 0);
		if (insn->mod == 0 && (sib & 7) == 5) {
			insn->mem.base = INSN_NO_REG;
			disp_size = 4;
		}
	} else if (insn->mod == 0 && rm == 5) {
		insn->mem.base = INSN_NO_REG;
		insn->mem.rip_relative = d->mode == DECODE_64;
		disp_size = 4;
	}
	if (insn->mem.base == GPR_RSP || insn->mem.base == GPR_RBP)
		insn->mem.segment = SEG_SS;
	return decode_signed(d, disp_size, &insn->mem.disp);
}

static int decode_modrm(struct decode *d, unsigned attr)
{
	struct insn *insn = d->insn;
	uint8_t modrm;
	int err = decode_byte(d, &modrm);

	if (err)
		return err;
	insn->has_modrm = true;
	insn->mod = modrm >> 6;
	insn->reg = (modrm >> 3 & 7) | (insn->rex & REX_R ? 8 : 0);
	insn->rm = (modrm & 7) | (insn->rex & REX_B ? 8 : 0);
	if (insn->mod == 3 || attr & R)
		return 0;
	insn->has_mem = true;
	return insn->address_size == 2 ? decode_mem16(d) : decode_mem32(d);
}

static int decode_immediate(struct decode *d, unsigned attr)
{
	struct insn *insn = d->insn;
	unsigned wide = MIN(insn->operand_size, 4), first = 0, second = 0;
	int64_t skipped;
	int err;

	if (attr & G3 && (insn->reg & 7) < 2)
		attr |= attr & B ? I8 : IZ;
	/* SSE4a EXTRQ and INSERTQ have two bytes, VMREAD none. */
	if (insn->map == INSN_MAP_0F && insn->opcode == 0x78 &&
	    (insn->operand_prefix || insn->rep == INSN_REPNE))
		first = second = 1;
	if (attr & IV)
		first = insn->operand_size;
	else if (attr & IZ)
		first = wide;
	if (attr & I16) {
		second = first ? 2 : 0; /* far pointer */
		first = first ? first : 2;
	}
	if (attr & I8) {
		second = first ? 1 : 0; /* ENTER */
		first = first ? first : 1;
	}
	insn->imm_size = first;
	err = decode_signed(d, first, &insn->imm);
	return err ? err : decode_signed(d, second, &skipped);
}

int decode_insn(const uint8_t *bytes, size_t count, enum decode_mode mode,
		struct insn *insn)
{
	struct decode d = {
		.bytes = bytes,
		.count = MIN(count, INSN_LENGTH_MAX),
		.mode = mode,
		.override = -1,
		.insn = insn,
	};
	bool address_prefix = false;
	unsigned attr = 0;
	uint8_t opcode;
	int err;

	*insn = (struct insn){
		.mem = {.base = INSN_NO_REG,
			.index = INSN_NO_REG,
			.scale = 1,
			.segment = SEG_DS},
	};
	err = decode_prefixes(&d, &address_prefix, &opcode);
	if (!err)
		err = decode_opcode(&d, opcode, &attr);
	if (!err)
		err = decode_refuse_vector(&d);
	if (err)
		return err;
	if (attr & U || (attr & N && mode == DECODE_64))
		return -EINVAL;
	insn->operand_size = decode_operand_size(&d, attr);
	insn->address_size = decode_address_size(mode, address_prefix);
	insn->opcode_reg = (insn->opcode & 7) | (insn->rex & REX_B ? 8 : 0);
	if (attr & M)
		err = decode_modrm(&d, attr);
	if (!err && attr & MO) {
		insn->has_mem = true;
		err = decode_signed(&d, insn->address_size, &insn->mem.disp);
	}
	if (!err)
		err = decode_immediate(&d, attr);
	if (err)
		return err;
	if (d.override >= 0)
		insn->mem.segment = d.override;
	insn->length = d.at;
	return 0;
}

enum decode_mode decode_mode_of(const struct vcpu_state *s)
{
	if (!(s->cr0 & CR0_PE) || s->rflags & RFLAGS_VM)
		return DECODE_16;
	if (s->efer & EFER_LMA && s->seg[SEG_CS].attrib & SEG_ATTR_L)
		return DECODE_64;
	return s->seg[SEG_CS].attrib & SEG_ATTR_DB ? DECODE_32 : DECODE_16;
}

/* 0F 01 with mod 3: the whole ModRM byte is opcode. */
static enum insn_kind decode_kind_0f01(const struct insn *insn)
{
	if (insn->mod == 3) {
		switch (0xc0 | (insn->reg & 7) << 3 | (insn->rm & 7)) {
		case 0xc1:
			return INSN_VMCALL;
		case 0xc8:
			return INSN_MONITOR;
		case 0xc9:
			return INSN_MWAIT;
		case 0xd1:
			return INSN_XSETBV;
		case 0xd8:
			return INSN_VMRUN;
		case 0xd9:
			return INSN_VMMCALL;
		case 0xda:
			return INSN_VMLOAD;
		case 0xdb:
			return INSN_VMSAVE;
		case 0xdc:
			return INSN_STGI;
		case 0xdd:
			return INSN_CLGI;
		case 0xde:
			return INSN_SKINIT;
		case 0xdf:
			return INSN_INVLPGA;
		case 0xf9:
			return INSN_RDTSCP;
		}
	}
	switch (insn->reg & 7) {
	case 4:
		return INSN_SMSW;
	case 6:
		return INSN_LMSW;
	case 7:
		return insn->has_mem ? INSN_INVLPG : INSN_OTHER;
	}
	return INSN_OTHER;
}

static enum insn_kind decode_kind_0f(const struct insn *insn)
{
	switch (insn->opcode) {
	case 0x01:
		return decode_kind_0f01(insn);
	case 0x06:
		return INSN_CLTS;
	case 0x08:
		return INSN_INVD;
	case 0x09:
		return INSN_WBINVD;
	case 0x20:
		return INSN_MOV_FROM_CR;
	case 0x21:
		return INSN_MOV_FROM_DR;
	case 0x22:
		return INSN_MOV_TO_CR;
	case 0x23:
		return INSN_MOV_TO_DR;
	case 0x30:
		return INSN_WRMSR;
	case 0x31:
		return INSN_RDTSC;
	case 0x32:
		return INSN_RDMSR;
	case 0x33:
		return INSN_RDPMC;
	case 0xa2:
		return INSN_CPUID;
	case 0xaa:
		return INSN_RSM;
	}
	return INSN_OTHER;
}

enum insn_kind decode_kind(const struct insn *insn)
{
	if (insn->map == INSN_MAP_0F)
		return decode_kind_0f(insn);
	if (insn->map != INSN_MAP_1)
		return INSN_OTHER;
	switch (insn->opcode) {
	case 0x6c:
	case 0x6d:
		return INSN_INS;
	case 0x6e:
	case 0x6f:
		return INSN_OUTS;
	case 0x90:
		return insn->rep == INSN_REP ? INSN_PAUSE : INSN_OTHER;
	case 0x9c:
		return INSN_PUSHF;
	case 0x9d:
		return INSN_POPF;
	case 0xcf:
		return INSN_IRET;
	case 0xe4:
	case 0xe5:
	case 0xec:
	case 0xed:
		return INSN_IN;
	case 0xe6:
	case 0xe7:
	case 0xee:
	case 0xef:
		return INSN_OUT;
	case 0xf4:
		return INSN_HLT;
	case 0xfa:
		return INSN_CLI;
	case 0xfb:
		return INSN_STI;
	}
	return INSN_OTHER;
}
