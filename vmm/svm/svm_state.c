/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Guest state in the VMCB, and the MSRs that entry switches. */
#include "vmkernel/cpu/regs.h"
#include "vmm/msr_policy.h"
#include "vmm/svm/svm_priv.h"
#include "vmm/vcpu.h"

static struct segment svm_table(const struct table *t)
{
	return (struct segment){.limit = t->limit, .base = t->base};
}

void svm_set_state(struct vcpu *vcpu)
{
	struct vmcb *v = vcpu->svm->vmcb;
	const struct vcpu_state *s = &vcpu->state;

	v->es = s->seg[SEG_ES];
	v->cs = s->seg[SEG_CS];
	v->ss = s->seg[SEG_SS];
	v->ds = s->seg[SEG_DS];
	v->fs = s->seg[SEG_FS];
	v->gs = s->seg[SEG_GS];
	v->tr = s->tr;
	v->ldtr = s->ldtr;
	v->gdtr = svm_table(&s->gdtr);
	v->idtr = svm_table(&s->idtr);
	v->cpl = s->cpl;
	v->cr0 = s->cr0;
	v->cr2 = s->cr2;
	v->cr3 = s->cr3;
	v->cr4 = s->cr4;
	v->dr6 = s->dr6;
	v->dr7 = s->dr7;
	v->shadow = 0;
	v->eventinj = 0;
	v->star = v->lstar = v->cstar = v->sfmask = v->kernel_gs_base = 0;
	v->sysenter_cs = v->sysenter_esp = v->sysenter_eip = 0;
	v->debugctl = 0;
	v->vintr = V_INTR_MASKING;
	v->intercept1 &= ~INTERCEPT_VINTR;
	svm_nmi_reset(vcpu);
	svm_flush(vcpu); /* old translations are gone */
	svm_set_efer(vcpu, s->efer);
}

void svm_sync_state(struct vcpu *vcpu)
{
	const struct vmcb *v = vcpu->svm->vmcb;
	struct vcpu_state *s = &vcpu->state;

	s->seg[SEG_ES] = v->es;
	s->seg[SEG_CS] = v->cs;
	s->seg[SEG_SS] = v->ss;
	s->seg[SEG_DS] = v->ds;
	s->seg[SEG_FS] = v->fs;
	s->seg[SEG_GS] = v->gs;
	s->tr = v->tr;
	s->ldtr = v->ldtr;
	s->gdtr = (struct table){v->gdtr.base, (uint16_t)v->gdtr.limit};
	s->idtr = (struct table){v->idtr.base, (uint16_t)v->idtr.limit};
	s->cpl = v->cpl;
	s->cr0 = v->cr0;
	s->cr2 = v->cr2;
	s->cr3 = v->cr3;
	s->cr4 = v->cr4;
	s->dr6 = v->dr6;
	s->dr7 = v->dr7;
	s->efer = v->efer & ~MSR_EFER_SVME;
}

void svm_set_tpr(struct vcpu *vcpu, uint8_t cr8)
{
	struct vmcb *v = vcpu->svm->vmcb;

	v->vintr = (v->vintr & ~V_TPR_MASK) | (cr8 & V_TPR_MASK);
}

void svm_set_efer(struct vcpu *vcpu, uint64_t efer)
{
	/* VMRUN demands SVME of the guest's EFER (15.5.1). */
	vcpu->svm->vmcb->efer = efer | MSR_EFER_SVME;
	vcpu->state.efer = efer;
}

void svm_set_pat(struct vcpu *vcpu, uint64_t pat)
{
	vcpu->svm->vmcb->pat = pat;
}

void svm_set_tsc_offset(struct vcpu *vcpu, uint64_t offset)
{
	vcpu->svm->vmcb->tsc_offset = offset;
}

void svm_set_dr6_bs(struct vcpu *vcpu)
{
	vcpu->svm->vmcb->dr6 |= DR6_BS;
	vcpu->state.dr6 = vcpu->svm->vmcb->dr6;
}

static uint64_t *svm_msr_field(struct vmcb *v, uint32_t msr)
{
	switch (msr) {
	case MSR_STAR:
		return &v->star;
	case MSR_LSTAR:
		return &v->lstar;
	case MSR_CSTAR:
		return &v->cstar;
	case MSR_SFMASK:
		return &v->sfmask;
	case MSR_KERNEL_GS_BASE:
		return &v->kernel_gs_base;
	case MSR_FS_BASE:
		return &v->fs.base;
	case MSR_GS_BASE:
		return &v->gs.base;
	case MSR_SYSENTER_CS:
		return &v->sysenter_cs;
	case MSR_SYSENTER_ESP:
		return &v->sysenter_esp;
	case MSR_SYSENTER_EIP:
		return &v->sysenter_eip;
	default:
		return NULL;
	}
}

bool svm_get_msr(struct vcpu *vcpu, uint32_t msr, uint64_t *value)
{
	const uint64_t *field = svm_msr_field(vcpu->svm->vmcb, msr);

	if (field)
		*value = *field;
	return field;
}

bool svm_set_msr(struct vcpu *vcpu, uint32_t msr, uint64_t value)
{
	uint64_t *field = svm_msr_field(vcpu->svm->vmcb, msr);

	if (field)
		*field = value;
	return field;
}

/* Two bits (read 1, write 2) for each MSR of three ranges (15.11). */
static void svm_msrpm_clear(uint8_t *msrpm, uint32_t msr, unsigned bits)
{
	static const uint32_t bases[] = {0x00000000, 0xc0000000, 0xc0010000};

	for (unsigned i = 0; i < ARRAY_SIZE(bases); i++) {
		uint32_t bit = (msr - bases[i]) * 2;

		if (msr - bases[i] < 0x2000)
			msrpm[i * 0x800 + bit / 8] &=
				(uint8_t) ~(bits << bit % 8);
	}
}

void svm_msrpm_open(uint8_t *msrpm)
{
	struct vmcb scratch;
	/* QEMU lets a guest write addresses that are not canonical: there, a
	 * write exits and is checked. A real CPU does that by itself. */
	unsigned bits = svm.emulated ? 1 : 3;

	for (unsigned i = 0; i < msr_rule_count; i++)
		for (uint32_t msr = msr_rules[i].first;
		     msr_rules[i].kind == MSR_PASS_THROUGH &&
		     msr <= msr_rules[i].last;
		     msr++)
			if (svm_msr_field(&scratch, msr))
				svm_msrpm_clear(msrpm, msr, bits);
}
