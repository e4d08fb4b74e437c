/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A vCPU's architectural state, as generic code (decoder, emulator) sees it. */
#ifndef VMM_STATE_H
#define VMM_STATE_H

#include "lib/types.h"

/* In the order of instruction encoding (Intel SDM 2A, table 2-2). */
enum gpr {
	GPR_RAX,
	GPR_RCX,
	GPR_RDX,
	GPR_RBX,
	GPR_RSP,
	GPR_RBP,
	GPR_RSI,
	GPR_RDI,
	GPR_R8,
	GPR_R9,
	GPR_R10,
	GPR_R11,
	GPR_R12,
	GPR_R13,
	GPR_R14,
	GPR_R15,
	GPR_COUNT,
};

enum segment_name {
	SEG_ES,
	SEG_CS,
	SEG_SS,
	SEG_DS,
	SEG_FS,
	SEG_GS,
	SEG_COUNT,
};

/* attrib: type (3:0), S (4), DPL (6:5), P (7), AVL (8), L (9), D/B (10), G
 * (11): the VMCB's packing (AMD APM 2, 15.5.1). */
#define SEG_ATTR_P  (1u << 7)
#define SEG_ATTR_L  (1u << 9)
#define SEG_ATTR_DB (1u << 10)
#define SEG_ATTR_G  (1u << 11)

struct segment {
	uint16_t selector;
	uint16_t attrib;
	uint32_t limit;
	uint64_t base;
};

/* GDTR or IDTR. */
struct table {
	uint64_t base;
	uint16_t limit;
};

struct vcpu_state {
	uint64_t gpr[GPR_COUNT];
	uint64_t rip, rflags;
	uint64_t cr0, cr2, cr3, cr4, efer;
	uint64_t dr6, dr7;
	struct segment seg[SEG_COUNT];
	struct segment tr, ldtr;
	struct table gdtr, idtr;
	uint8_t cpl;
};

#define CR0_PE		(1ull << 0)
#define CR0_ET		(1ull << 4)
#define CR0_NE		(1ull << 5)
#define CR0_WP		(1ull << 16)
#define CR0_PG		(1ull << 31)
#define CR4_PSE		(1ull << 4)
#define CR4_PAE		(1ull << 5)
#define CR4_LA57	(1ull << 12)
#define CR4_SMEP	(1ull << 20)
#define CR4_SMAP	(1ull << 21)
#define EFER_LME	(1ull << 8)
#define EFER_LMA	(1ull << 10)
#define EFER_NXE	(1ull << 11)
#define RFLAGS_CF	(1ull << 0)
#define RFLAGS_PF	(1ull << 2)
#define RFLAGS_AF	(1ull << 4)
#define RFLAGS_ZF	(1ull << 6)
#define RFLAGS_SF	(1ull << 7)
#define RFLAGS_TF	(1ull << 8)
#define RFLAGS_IF	(1ull << 9)
#define RFLAGS_DF	(1ull << 10)
#define RFLAGS_OF	(1ull << 11)
#define RFLAGS_RF	(1ull << 16)
#define RFLAGS_VM	(1ull << 17)
#define RFLAGS_AC	(1ull << 18)
/* What every vCPU starts with: bit 1 reads as one. */
#define RFLAGS_FIXED	(1ull << 1)
#define RFLAGS_IOPL(fl) (((fl) >> 12) & 3)
#define DR6_BS		(1ull << 14) /* single step */
#define DR6_RESET	0xffff0ff0ull
#define DR7_RESET	0x400ull

/* Exception vectors (Intel SDM 3A, table 6-1). */
#define EXC_DE		0
#define EXC_DB		1
#define EXC_NMI		2
#define EXC_BP		3
#define EXC_OF		4
#define EXC_UD		6
#define EXC_NM		7
#define EXC_DF		8
#define EXC_SS		12
#define EXC_GP		13
#define EXC_PF		14
#define EXC_AC		17
#define EXC_MC		18

/* An exception to give to the guest. */
struct exception {
	uint8_t vector;
	bool has_error;
	uint32_t error;
	uint64_t address; /* CR2, for EXC_PF */
};

#endif
