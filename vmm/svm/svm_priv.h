/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Between the files of the SVM back end. */
#ifndef VMM_SVM_SVM_PRIV_H
#define VMM_SVM_SVM_PRIV_H

#include "plat/plat.h"
#include "vmm/exit.h"
#include "vmm/svm/vmcb.h"

struct vcpu;

struct svm_vcpu {
	struct vmcb *vmcb;
	hpa_t vmcb_pa;
	int cpu; /* where asid is valid; -1: nowhere */
	uint64_t generation;
	bool nmi_blocked; /* until the guest's IRET */
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

/* svm_exit.c */
void svm_decode_exit(struct vcpu *vcpu, struct exit *exit);

/* svm_state.c */
void svm_set_state(struct vcpu *vcpu);
void svm_sync_state(struct vcpu *vcpu);
void svm_set_tpr(struct vcpu *vcpu, uint8_t cr8);
void svm_set_efer(struct vcpu *vcpu, uint64_t efer);
void svm_set_pat(struct vcpu *vcpu, uint64_t pat);
void svm_set_cr2(struct vcpu *vcpu, uint64_t cr2);
void svm_set_tsc_offset(struct vcpu *vcpu, uint64_t offset);
void svm_set_dr6_bs(struct vcpu *vcpu);
bool svm_get_msr(struct vcpu *vcpu, uint32_t msr, uint64_t *value);
bool svm_set_msr(struct vcpu *vcpu, uint32_t msr, uint64_t value);
/* Opens the MSRs that the policy passes through. */
void svm_msrpm_open(uint8_t *msrpm);

#endif
