/* SPDX-License-Identifier: GPL-2.0-or-later */
/* When a guest can take an NMI: blocking, and single steps to its end. */
#include <asm/svm.h>

#include "vmm/svm/svm_priv.h"
#include "vmm/vcpu.h"

/*
 * While an NMI waits that the guest cannot take, it runs one instruction with
 * TF set: the IRET that ends the blocking, or the one in an interrupt shadow.
 * #DB is intercepted always (XSA-156), so the trap comes here. A guest that
 * looks at TF in its flags during that instruction (PUSHF) sees it.
 */

bool svm_can_nmi(struct vcpu *vcpu)
{
	return vcpu->svm->nmi == SVM_NMI_FREE && !(vcpu->svm->vmcb->shadow & 1);
}

void svm_step(struct vcpu *vcpu)
{
	struct svm_vcpu *s = vcpu->svm;

	if (s->stepping)
		return;
	s->stepping = true;
	s->step_tf = vcpu->state.rflags & RFLAGS_TF;
	s->step_iret = s->nmi == SVM_NMI_AT_IRET;
	vcpu->state.rflags |= RFLAGS_TF;
}

void svm_want_nmi_window(struct vcpu *vcpu)
{
	struct svm_vcpu *s = vcpu->svm;

	/* Until its IRET there is nothing to step over. With an event to be
	 * delivered first, TF would stay behind in the flags it saves: then
	 * the next entry will do. */
	if (s->nmi == SVM_NMI_IN_SERVICE || s->vmcb->eventinj & EVENT_VALID)
		return;
	svm_step(vcpu);
}

void svm_nmi_injected(struct vcpu *vcpu)
{
	vcpu->svm->nmi = SVM_NMI_IN_SERVICE;
	vcpu->svm->vmcb->intercept1 |= INTERCEPT_IRET;
}

void svm_nmi_reset(struct vcpu *vcpu)
{
	vcpu->svm->nmi = SVM_NMI_FREE;
	vcpu->svm->stepping = false;
	vcpu->svm->vmcb->intercept1 &= ~INTERCEPT_IRET;
}

void svm_nmi_exit(struct vcpu *vcpu)
{
	struct svm_vcpu *s = vcpu->svm;

	if (s->nmi == SVM_NMI_AT_IRET && vcpu->state.rip != s->nmi_iret_rip)
		s->nmi = SVM_NMI_FREE;
	if (likely(!s->stepping) ||
	    s->vmcb->exitcode == SVM_EXIT_EXCP_BASE + EXC_DB)
		return;
	/* Something else came first: step anew, if still needed. */
	s->stepping = false;
	if (!s->step_tf)
		vcpu->state.rflags &= ~RFLAGS_TF;
}

void svm_nmi_iret(struct vcpu *vcpu)
{
	vcpu->svm->vmcb->intercept1 &= ~INTERCEPT_IRET;
	vcpu->svm->nmi = SVM_NMI_AT_IRET;
	vcpu->svm->nmi_iret_rip = vcpu->state.rip;
}

bool svm_nmi_takes_db(struct vcpu *vcpu)
{
	struct svm_vcpu *s = vcpu->svm;

	if (!s->stepping)
		return false;
	s->stepping = false;
	if (s->step_tf) /* the guest expects it */
		return false;
	/* An IRET has loaded the guest's own flags; another instruction still
	 * has ours. */
	if (!s->step_iret)
		vcpu->state.rflags &= ~RFLAGS_TF;
	s->vmcb->dr6 &= ~DR6_BS;
	return !(s->vmcb->dr6 & 0xf);
}
