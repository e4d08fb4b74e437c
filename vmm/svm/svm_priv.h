/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Between the files of the SVM back end. */
#ifndef VMM_SVM_SVM_PRIV_H
#define VMM_SVM_SVM_PRIV_H

#include "plat/plat.h"
#include "vmm/exit.h"
#include "vmm/svm/vmcb.h"

struct vcpu;

/*
 * Without virtual NMIs, the guest's IRET says when its NMI handler is over
 * (15.20): it is intercepted while an NMI is in service. But at that exit the
 * IRET has not run yet, so NMIs stay blocked until rip has moved on.
 */
enum svm_nmi {
	SVM_NMI_FREE,
	SVM_NMI_IN_SERVICE, /* IRET is intercepted */
	SVM_NMI_AT_IRET,    /* it is at nmi_iret_rip, about to run */
};

struct svm_vcpu {
	struct vmcb *vmcb;
	hpa_t vmcb_pa;
	int cpu; /* where asid is valid; -1: nowhere */
	uint64_t generation;
	enum svm_nmi nmi;
	uint64_t nmi_iret_rip;
	bool stepping;	/* an NMI waits for the end of this instruction */
	bool step_tf;	/* TF was the guest's own already */
	bool step_iret; /* the instruction is the IRET */
};

struct svm_cpu {
	hpa_t host_vmcb; /* what VMLOAD gives back to the host */
	uint64_t generation;
	uint32_t next_asid;
} CACHE_ALIGNED;

struct svm {
	uint32_t features; /* CPUID 0x8000000a, EDX */
	uint32_t asid_count;
	bool giant_pages;
	bool emulated; /* this CPU is itself a virtual one */
	uint8_t *iopm, *msrpm;
	struct svm_cpu cpus[PLAT_CPUS_MAX];
};
extern struct svm svm;

/* svm.c */
void svm_flush(struct vcpu *vcpu);

/* svm_exit.c */
void svm_decode_exit(struct vcpu *vcpu, struct exit *exit);

/* svm_cr.c */
/* A write of CR0 or CR4 has exited: the guest gets it done, or #GP. */
void svm_write_cr(struct vcpu *vcpu, unsigned cr);
/* Do writes of CR0 pass at the next entry? */
void svm_open_cr0(struct vcpu *vcpu, bool open);

/* svm_nmi.c */
bool svm_can_nmi(struct vcpu *vcpu);
void svm_want_nmi_window(struct vcpu *vcpu);
/* One instruction, and an exit. */
void svm_step(struct vcpu *vcpu);
void svm_nmi_injected(struct vcpu *vcpu);
void svm_nmi_reset(struct vcpu *vcpu);
/* After every exit, before it is decoded. */
void svm_nmi_exit(struct vcpu *vcpu);
/* At IRET: it has exited. */
void svm_nmi_iret(struct vcpu *vcpu);
/* Was this #DB ours alone? */
bool svm_nmi_takes_db(struct vcpu *vcpu);

/* svm_state.c */
void svm_set_state(struct vcpu *vcpu);
void svm_sync_state(struct vcpu *vcpu);
void svm_set_tpr(struct vcpu *vcpu, uint8_t cr8);
void svm_set_efer(struct vcpu *vcpu, uint64_t efer);
void svm_set_pat(struct vcpu *vcpu, uint64_t pat);
void svm_set_tsc_offset(struct vcpu *vcpu, uint64_t offset);
void svm_set_dr6_bs(struct vcpu *vcpu);
bool svm_get_msr(struct vcpu *vcpu, uint32_t msr, uint64_t *value);
bool svm_set_msr(struct vcpu *vcpu, uint32_t msr, uint64_t value);
/* Opens the MSRs that the policy passes through. */
void svm_msrpm_open(uint8_t *msrpm);

#endif
