/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The virtual machine control block (AMD APM 2, appendix B). */
#ifndef VMM_SVM_VMCB_H
#define VMM_SVM_VMCB_H

#include "vmm/state.h"

/* Intercepts, word 3 (offset 0x00c). */
enum vmcb_intercept1 {
	INTERCEPT_INTR = 1u << 0,
	INTERCEPT_NMI = 1u << 1,
	INTERCEPT_SMI = 1u << 2,
	INTERCEPT_INIT = 1u << 3,
	INTERCEPT_VINTR = 1u << 4,
	INTERCEPT_RDPMC = 1u << 15,
	INTERCEPT_CPUID = 1u << 18,
	INTERCEPT_IRET = 1u << 20,
	INTERCEPT_INVD = 1u << 22,
	INTERCEPT_HLT = 1u << 24,
	INTERCEPT_INVLPGA = 1u << 26,
	INTERCEPT_IOIO = 1u << 27,
	INTERCEPT_MSR = 1u << 28,
	INTERCEPT_SHUTDOWN = 1u << 31,
};

/* Word 4 (offset 0x010). */
enum vmcb_intercept2 {
	INTERCEPT_VMRUN = 1u << 0,
	INTERCEPT_VMMCALL = 1u << 1,
	INTERCEPT_VMLOAD = 1u << 2,
	INTERCEPT_VMSAVE = 1u << 3,
	INTERCEPT_STGI = 1u << 4,
	INTERCEPT_CLGI = 1u << 5,
	INTERCEPT_SKINIT = 1u << 6,
	INTERCEPT_WBINVD = 1u << 9,
	INTERCEPT_MONITOR = 1u << 10,
	INTERCEPT_MWAIT = 1u << 11,
	INTERCEPT_XSETBV = 1u << 13,
	INTERCEPT_RDPRU = 1u << 14,
};

/* Of the CR word: 16 reads, 16 writes. */
#define INTERCEPT_CR_WRITE(n) (1u << (16 + (n)))

/* The virtual interrupt word (offset 0x060). */
#define V_TPR_MASK	      0xfull
#define V_IRQ		      (1ull << 8)
#define V_INTR_PRIO_MAX	      (15ull << 16)
#define V_IGN_TPR	      (1ull << 20)
#define V_INTR_MASKING	      (1ull << 24)

/* EVENTINJ and EXITINTINFO (15.20, 15.7.2). */
#define EVENT_VECTOR_MASK     0xffu
#define EVENT_TYPE_SHIFT      8
#define EVENT_TYPE_MASK	      7u
#define EVENT_TYPE_INTR	      0u
#define EVENT_TYPE_NMI	      2u
#define EVENT_TYPE_EXCEPTION  3u
#define EVENT_TYPE_SOFT	      4u
#define EVENT_ERROR_VALID     (1ull << 11)
#define EVENT_VALID	      (1ull << 31)

#define TLB_FLUSH_NONE	      0
#define TLB_FLUSH_ALL	      1
#define TLB_FLUSH_ASID	      3

#define NPF_WRITE	      (1ull << 1) /* EXITINFO1 of a nested fault (15.25.6) */
#define NPF_FETCH	      (1ull << 4)

#define IOIO_IN		      (1u << 0) /* EXITINFO1 of IOIO (15.10.2) */
#define IOIO_STRING	      (1u << 2)

struct vmcb {
	uint32_t intercept_cr; /* 0x000 */
	uint32_t intercept_dr;
	uint32_t intercept_exception;
	uint32_t intercept1; /* 0x00c */
	uint32_t intercept2;
	uint32_t intercept3;
	uint8_t reserved0[0x3c - 0x18];
	uint16_t pause_threshold; /* 0x03c */
	uint16_t pause_count;
	uint64_t iopm_base; /* 0x040 */
	uint64_t msrpm_base;
	uint64_t tsc_offset; /* 0x050 */
	uint32_t asid;
	uint32_t tlb_control; /* 0x05c */
	uint64_t vintr;	      /* 0x060 */
	uint64_t shadow;      /* 0x068: bit 0 */
	uint64_t exitcode;    /* 0x070 */
	uint64_t exitinfo1;
	uint64_t exitinfo2;   /* 0x080 */
	uint64_t exitintinfo; /* 0x088 */
	uint64_t np_enable;   /* 0x090 */
	uint8_t reserved1[0xa8 - 0x98];
	uint64_t eventinj; /* 0x0a8 */
	uint64_t n_cr3;	   /* 0x0b0 */
	uint64_t lbr_enable;
	uint64_t clean; /* 0x0c0 */
	uint64_t nrip;	/* 0x0c8 */
	uint8_t reserved2[0x400 - 0xd0];

	/* State save area, from 0x400. */
	struct segment es, cs, ss, ds, fs, gs, gdtr, ldtr, idtr, tr;
	uint8_t reserved3[0xcb - 0xa0];
	uint8_t cpl; /* +0x0cb */
	uint8_t reserved4[4];
	uint64_t efer; /* +0x0d0 */
	uint8_t reserved5[0x148 - 0xd8];
	uint64_t cr4; /* +0x148 */
	uint64_t cr3, cr0, dr7, dr6, rflags, rip;
	uint8_t reserved6[0x1d8 - 0x180];
	uint64_t rsp; /* +0x1d8 */
	uint8_t reserved7[0x1f8 - 0x1e0];
	uint64_t rax; /* +0x1f8 */
	uint64_t star, lstar, cstar, sfmask, kernel_gs_base;
	uint64_t sysenter_cs, sysenter_esp, sysenter_eip, cr2;
	uint8_t reserved8[0x268 - 0x248];
	uint64_t pat; /* +0x268 */
	uint64_t debugctl;
	uint8_t reserved9[0x1000 - 0x400 - 0x278];
};

_Static_assert(sizeof(struct segment) == 16, "APM 2, table B-2");
_Static_assert(offsetof(struct vmcb, exitcode) == 0x070, "APM 2, B-1");
_Static_assert(offsetof(struct vmcb, eventinj) == 0x0a8, "APM 2, B-1");
_Static_assert(offsetof(struct vmcb, nrip) == 0x0c8, "APM 2, B-1");
_Static_assert(offsetof(struct vmcb, cpl) == 0x4cb, "APM 2, B-2");
_Static_assert(offsetof(struct vmcb, efer) == 0x4d0, "APM 2, B-2");
_Static_assert(offsetof(struct vmcb, cr4) == 0x548, "APM 2, B-2");
_Static_assert(offsetof(struct vmcb, rip) == 0x578, "APM 2, B-2");
_Static_assert(offsetof(struct vmcb, rax) == 0x5f8, "APM 2, B-2");
_Static_assert(offsetof(struct vmcb, cr2) == 0x640, "APM 2, B-2");
_Static_assert(offsetof(struct vmcb, pat) == 0x668, "APM 2, B-2");
_Static_assert(sizeof(struct vmcb) == 4096, "APM 2, appendix B");

#endif
