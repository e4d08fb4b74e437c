/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Why a vCPU left guest mode, in terms that fit SVM and VMX. */
#ifndef VMM_EXIT_H
#define VMM_EXIT_H

#include "vmm/state.h"

enum exit_reason {
	EXIT_INTERRUPT,	 /* a physical interrupt waits */
	EXIT_NMI,	 /* a physical NMI waits */
	EXIT_IRQ_WINDOW, /* the guest can take an interrupt now */
	EXIT_NMI_WINDOW, /* ... an NMI, after the next instruction */
	EXIT_IO,	 /* IN, OUT, INS, OUTS: exit.io */
	EXIT_CPUID,
	EXIT_HLT,
	EXIT_RDMSR,
	EXIT_WRMSR,
	EXIT_XSETBV,
	EXIT_WBINVD,	   /* INVD and WBINVD: nothing to do */
	EXIT_HYPERCALL,	   /* VMMCALL, VMCALL */
	EXIT_NESTED_FAULT, /* exit.fault: MMIO, or nothing there */
	EXIT_CR_WRITE,	   /* exit.cr: CR8 */
	EXIT_EXCEPTION,	   /* exit.exception: given back to the guest */
	EXIT_UNDEFINED,	   /* an instruction this machine does not have: #UD */
	EXIT_PRIVILEGED,   /* one that it refuses: #GP */
	EXIT_TRIPLE_FAULT,
	EXIT_RETRY,   /* the back end has made way: enter again */
	EXIT_INVALID, /* guest state that the CPU refuses to run */
	EXIT_UNKNOWN, /* exit.code says what */
	EXIT_REASON_COUNT,
};

extern const char *const exit_names[EXIT_REASON_COUNT];

struct exit {
	enum exit_reason reason;
	uint64_t code; /* the hardware's own */
	union {
		struct {
			uint64_t next_rip;
			uint16_t port;
			uint8_t size; /* 1, 2 or 4 */
			bool in, string;
		} io;
		struct {
			gpa_t gpa;
			bool write, fetch;
		} fault;
		struct {
			uint8_t cr;
		} cr;
		struct exception exception;
	};
};

#endif
