/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A virtual CPU. */
#ifndef VMM_VCPU_H
#define VMM_VCPU_H

#include "vmkernel/sched/sched.h"
#include "vmm/cpu_ops.h"
#include "vmm/dev/lapic.h"
#include "vmm/dev/pvclock.h"

struct vm;
struct svm_vcpu;
struct vmx_vcpu;

enum vcpu_run {
	VCPU_OFF,	/* the VM is not running */
	VCPU_WAIT_SIPI, /* after INIT */
	VCPU_RUNNING,
	VCPU_HALTED, /* HLT: until an interrupt */
};

/* What other CPUs ask of a vCPU; taken at its next entry. */
enum vcpu_request {
	VCPU_REQUEST_INIT = 1 << 0,
	VCPU_REQUEST_SIPI = 1 << 1, /* sipi_vector says where */
	VCPU_REQUEST_NMI = 1 << 2,
	VCPU_REQUEST_STOP = 1 << 3,
};

/* No canonical address, so no instruction's. */
#define VCPU_NO_RIP (1ull << 63)

/*
 * Fields belong to the CPU that runs the vCPU, unless (a): atomic, any CPU.
 */
struct vcpu {
	struct vcpu_state state;
	union { /* the back end's own */
		struct svm_vcpu *svm;
		struct vmx_vcpu *vmx;
	};
	struct world world;
	struct vm *vm;
	unsigned index;
	enum vcpu_run run;
	_Atomic uint32_t requests;   /* (a) */
	_Atomic uint8_t sipi_vector; /* (a) */
	bool state_synced;	     /* sync_state() since the exit */
	struct injection injection;  /* for the next entry */
	bool window; /* an interrupt waits for the guest to take it */
	bool nmi_pending;
	/* vcpu_give_up()'s last, since an instruction was emulated;
	 * VCPU_NO_RIP: none. */
	uint64_t unhandled_rip;
	struct lapic lapic;
	struct pvclock pvclock;

	/* State that C code must switch: entry and exit do not. */
	void *fpu; /* XSAVE area */
	uint64_t xcr0;
	uint64_t dr[4];
	uint64_t tsc_aux;
	uint64_t spec_ctrl;
	uint64_t tsc_adjust; /* how far the guest has moved its TSC */
	uint64_t pat;
	uint64_t mtrr[28]; /* msr.c */

	uint64_t exits[EXIT_REASON_COUNT];
	uint64_t injected; /* interrupts given to the guest */
	uint64_t entries;
	char name[48];
};

/* Power-on state; the boot processor gets its entry by vcpu->state. */
void vcpu_reset(struct vcpu *vcpu);
/* Asks, and wakes it. Any CPU. */
void vcpu_request(struct vcpu *vcpu, enum vcpu_request what);
/* Control registers and segments are in vcpu->state on return. */
void vcpu_sync(struct vcpu *vcpu);
/* An exception for the next entry; a second one while the first waits
 * escalates (Intel SDM 3A, table 6-5). */
void vcpu_raise(struct vcpu *vcpu, const struct exception *exception);
void vcpu_raise_ud(struct vcpu *vcpu);
void vcpu_raise_gp(struct vcpu *vcpu);
/* The instruction is done: rip is next, the shadow and RF are over. */
void vcpu_advance(struct vcpu *vcpu, uint64_t next_rip);
/* INIT, and the start-up IPI that ends it (nothing if it is running). */
void vcpu_init_signal(struct vcpu *vcpu);
void vcpu_startup(struct vcpu *vcpu, uint8_t vector);
/* The instruction at rip into ctx->insn. False: the guest got an exception, or
 * what vcpu_give_up() does. */
struct emulate_ctx;
bool vcpu_fetch(struct vcpu *vcpu, struct emulate_ctx *ctx);
/* The instruction at rip cannot be decoded or emulated. Another vCPU may have
 * changed it, or its page's mapping, since the exit: the guest is entered once
 * more, for the CPU to see what there is now. If that brings us back here, the
 * VM is stopped. */
void vcpu_give_up(struct vcpu *vcpu, const char *why);
/* Length unknown: takes the CPU's word, or decodes. False: an exception has
 * been raised instead. */
bool vcpu_skip(struct vcpu *vcpu);
/* Logs registers, on a fatal guest error. */
void vcpu_log_state(struct vcpu *vcpu);

/* Extended state and what else C code switches, when the vCPU comes to this
 * CPU and when another takes its place. */
int vcpu_fpu_init(struct vcpu *vcpu);
void vcpu_switch_in(struct vcpu *vcpu);
void vcpu_switch_out(struct vcpu *vcpu);
/* The vCPU's SPEC_CTRL becomes this CPU's. */
void vcpu_load_spec_ctrl(const struct vcpu *vcpu);
/* Mask of XCR0 bits that host and policy allow. */
uint64_t vcpu_xcr0_mask(void);

/* What CPUID tells this vCPU. */
void vcpu_cpuid(struct vcpu *vcpu, uint32_t leaf, uint32_t subleaf,
		uint32_t out[4]);
/* Guest TSC = host TSC + offset, from the next entry on. */
void vcpu_set_tsc_offset(struct vcpu *vcpu, uint64_t offset);

/* vmm/exits.c: one exit, handled. */
void exits_handle(struct vcpu *vcpu, const struct exit *exit);
/* vmm/msr.c: 0, or -EPERM: #GP. */
int msr_read(struct vcpu *vcpu, uint32_t msr, uint64_t *value);
int msr_write(struct vcpu *vcpu, uint32_t msr, uint64_t value);
void msr_reset(struct vcpu *vcpu);

#endif
