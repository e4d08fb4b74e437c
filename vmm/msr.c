/* SPDX-License-Identifier: GPL-2.0-or-later */
/* RDMSR and WRMSR, by the rules of msr_policy.c. */
#include <linux/errno.h>

#include "plat/plat.h"
#include "vmkernel/cpu/regs.h"
#include "vmm/guest_walk.h"
#include "vmm/msr_policy.h"
#include "vmm/vm.h"

#define EFER_SCE	 (1ull << 0)
#define EFER_FFXSR	 (1ull << 14)
#define PAT_RESET	 0x0007040600070406ull
#define PAT_VALID	 0x73u /* types 0, 1, 4, 5, 6; 7 is UC- (SDM 3A, 12.12.2) */

/* CPUID bits that make an MSR, or a bit of one, exist. */
#define EXT1_EDX_SYSCALL (1u << 11)
#define EXT1_EDX_NX	 (1u << 20)
#define EXT1_EDX_FFXSR	 (1u << 25)
#define EXT1_EDX_RDTSCP	 (1u << 27)
#define EXT1_EDX_LM	 (1u << 29)
#define EXT8_EBX_IBPB	 (1u << 12)
#define EXT8_EBX_IBRS	 (1u << 14)
#define EXT8_EBX_STIBP	 (1u << 15)
#define EXT8_EBX_SSBD	 (1u << 24)
/* The same, where Intel has them; one bit for IBRS and IBPB. */
#define LEAF7_EDX_IBRS	 (1u << 26)
#define LEAF7_EDX_STIBP	 (1u << 27)
#define LEAF7_EDX_SSBD	 (1u << 31)
#define SPEC_CTRL_IBRS	 (1ull << 0)
#define SPEC_CTRL_STIBP	 (1ull << 1)
#define SPEC_CTRL_SSBD	 (1ull << 2)

static void msr_count_bad(struct vcpu *vcpu)
{
	__atomic_fetch_add(&vcpu->vm->bad_msrs, 1, __ATOMIC_RELAXED);
}

static uint32_t msr_cpuid(struct vcpu *vcpu, uint32_t leaf, unsigned reg)
{
	uint32_t out[4];

	vcpu_cpuid(vcpu, leaf, 0, out);
	return out[reg];
}

/* A slot of vcpu->mtrr for each MSR that the policy calls an MTRR. */
static uint64_t *msr_mtrr(struct vcpu *vcpu, uint32_t msr)
{
	unsigned slot;

	if (msr >= 0x200 && msr <= 0x20f)
		slot = msr - 0x200;
	else if (msr == 0x250)
		slot = 16;
	else if (msr == 0x258 || msr == 0x259)
		slot = 17 + msr - 0x258;
	else if (msr >= 0x268 && msr <= 0x26f)
		slot = 19 + msr - 0x268;
	else
		slot = 27; /* 0x2ff */
	return &vcpu->mtrr[slot];
}

void msr_reset(struct vcpu *vcpu)
{
	for (unsigned i = 0; i < msr_rule_count; i++)
		if (msr_rules[i].kind == MSR_EMULATE_MTRR)
			for (uint32_t msr = msr_rules[i].first;
			     msr <= msr_rules[i].last; msr++)
				*msr_mtrr(vcpu, msr) = msr_rules[i].value;
	vcpu->pat = PAT_RESET;
	cpu_ops->set_pat(vcpu, PAT_RESET);
	vcpu->tsc_aux = 0;
	vcpu->spec_ctrl = 0;
	vcpu->tsc_adjust = 0;
	vcpu_set_tsc_offset(vcpu, (uint64_t)vcpu->vm->tsc_offset);
}

/* The guest's TSC jumps by this much. */
static void msr_move_tsc(struct vcpu *vcpu, uint64_t by)
{
	vcpu->tsc_adjust += by;
	vcpu_set_tsc_offset(vcpu,
			    (uint64_t)vcpu->vm->tsc_offset + vcpu->tsc_adjust);
	pvclock_tsc_moved(&vcpu->pvclock, vcpu->tsc_adjust);
}

static uint64_t msr_guest_tsc(const struct vcpu *vcpu)
{
	return plat_cycles() + vcpu->lapic.tsc_offset;
}

/* SDM 3A, 2.2.1 and APM 2, 3.1.7. */
static int msr_write_efer(struct vcpu *vcpu, uint64_t value)
{
	uint32_t edx = msr_cpuid(vcpu, 0x80000001, 3);
	uint64_t valid = EFER_LMA, old;

	vcpu_sync(vcpu);
	old = vcpu->state.efer;
	valid |= edx & EXT1_EDX_SYSCALL ? EFER_SCE : 0;
	valid |= edx & EXT1_EDX_NX ? EFER_NXE : 0;
	valid |= edx & EXT1_EDX_FFXSR ? EFER_FFXSR : 0;
	valid |= edx & EXT1_EDX_LM ? EFER_LME : 0;
	if (value & ~valid)
		return -EPERM;
	if ((value ^ old) & EFER_LME && vcpu->state.cr0 & CR0_PG)
		return -EPERM;
	/* LMA is the CPU's: a write does not change it. */
	cpu_ops->set_efer(vcpu, (value & ~EFER_LMA) | (old & EFER_LMA));
	return 0;
}

static int msr_write_pat(struct vcpu *vcpu, uint64_t value)
{
	for (unsigned i = 0; i < 8; i++) {
		uint8_t type = (uint8_t)(value >> 8 * i);

		if (type > 7 || !((PAT_VALID | 1u << 7) >> type & 1))
			return -EPERM;
	}
	vcpu->pat = value;
	cpu_ops->set_pat(vcpu, value);
	return 0;
}

/* The bits that this CPU has, each by its own CPUID bit; 0: no such MSR. */
static uint64_t msr_spec_ctrl_mask(struct vcpu *vcpu)
{
	uint32_t amd = msr_cpuid(vcpu, 0x80000008, 1);
	uint32_t intel = msr_cpuid(vcpu, 7, 3);
	uint64_t mask = 0;

	if (amd & EXT8_EBX_IBRS || intel & LEAF7_EDX_IBRS)
		mask |= SPEC_CTRL_IBRS;
	if (amd & EXT8_EBX_STIBP || intel & LEAF7_EDX_STIBP)
		mask |= SPEC_CTRL_STIBP;
	if (amd & EXT8_EBX_SSBD || intel & LEAF7_EDX_SSBD)
		mask |= SPEC_CTRL_SSBD;
	return mask;
}

static int msr_write_spec_ctrl(struct vcpu *vcpu, uint64_t value)
{
	uint64_t mask = msr_spec_ctrl_mask(vcpu);

	if (!mask || value & ~mask)
		return -EPERM;
	vcpu->spec_ctrl = value;
	vcpu_load_spec_ctrl(vcpu);
	return 0;
}

static int msr_write_pred_cmd(struct vcpu *vcpu, uint64_t value)
{
	bool there = msr_cpuid(vcpu, 0x80000008, 1) & EXT8_EBX_IBPB ||
		     msr_cpuid(vcpu, 7, 3) & LEAF7_EDX_IBRS;

	if (!there || value & ~1ull)
		return -EPERM;
	if (value)
		wrmsr(MSR_PRED_CMD, 1);
	return 0;
}

static int msr_write_tsc_aux(struct vcpu *vcpu, uint64_t value)
{
	if (value >> 32 || !(msr_cpuid(vcpu, 0x80000001, 3) & EXT1_EDX_RDTSCP))
		return -EPERM;
	vcpu->tsc_aux = value;
	wrmsr(MSR_TSC_AUX, value);
	return 0;
}

/* Of the MSRs that entry switches: all but selectors and flags. */
static bool msr_is_address(uint32_t msr)
{
	return msr != MSR_STAR && msr != MSR_SFMASK && msr != MSR_SYSENTER_CS;
}

int msr_read(struct vcpu *vcpu, uint32_t msr, uint64_t *value)
{
	const struct msr_rule *rule = msr_rule_find(msr);
	int error = -EPERM;

	if (!rule)
		goto bad;
	switch (rule->kind) {
	case MSR_PASS_THROUGH:
		error = cpu_ops->get_msr(vcpu, msr, value) ? 0 : -EPERM;
		break;
	case MSR_CONSTANT:
	case MSR_READ_ONLY:
		*value = rule->value;
		return 0;
	case MSR_EMULATE_LAPIC:
		error = lapic_msr_read(&vcpu->lapic, msr, value);
		break;
	case MSR_EMULATE_PVCLOCK:
		error = pvclock_msr_read(&vcpu->pvclock, msr, value);
		break;
	case MSR_EMULATE_TSC:
		*value = msr_guest_tsc(vcpu);
		return 0;
	case MSR_EMULATE_TSC_ADJUST:
		*value = vcpu->tsc_adjust;
		return 0;
	case MSR_EMULATE_EFER:
		vcpu_sync(vcpu);
		*value = vcpu->state.efer;
		return 0;
	case MSR_EMULATE_PAT:
		*value = vcpu->pat;
		return 0;
	case MSR_EMULATE_MTRR:
		*value = *msr_mtrr(vcpu, msr);
		return 0;
	case MSR_EMULATE_TSC_AUX:
		*value = vcpu->tsc_aux;
		return 0;
	case MSR_EMULATE_SPEC_CTRL:
		*value = vcpu->spec_ctrl;
		error = msr_spec_ctrl_mask(vcpu) ? 0 : -EPERM;
		break;
	case MSR_EMULATE_PRED_CMD:
		break;
	}
bad:
	if (error)
		msr_count_bad(vcpu);
	return error;
}

int msr_write(struct vcpu *vcpu, uint32_t msr, uint64_t value)
{
	const struct msr_rule *rule = msr_rule_find(msr);
	int error = -EPERM;

	if (!rule)
		goto bad;
	switch (rule->kind) {
	case MSR_PASS_THROUGH:
		/* Exits only where the back end cannot pass it through. */
		if ((!msr_is_address(msr) || guest_canonical(value)) &&
		    cpu_ops->set_msr(vcpu, msr, value))
			error = 0;
		break;
	case MSR_CONSTANT:
		return 0;
	case MSR_READ_ONLY:
		break;
	case MSR_EMULATE_LAPIC:
		error = lapic_msr_write(&vcpu->lapic, msr, value);
		break;
	case MSR_EMULATE_PVCLOCK:
		error = pvclock_msr_write(&vcpu->pvclock, msr, value);
		break;
	case MSR_EMULATE_TSC:
		msr_move_tsc(vcpu, value - msr_guest_tsc(vcpu));
		return 0;
	case MSR_EMULATE_TSC_ADJUST:
		msr_move_tsc(vcpu, value - vcpu->tsc_adjust);
		return 0;
	case MSR_EMULATE_EFER:
		error = msr_write_efer(vcpu, value);
		break;
	case MSR_EMULATE_PAT:
		error = msr_write_pat(vcpu, value);
		break;
	case MSR_EMULATE_MTRR:
		*msr_mtrr(vcpu, msr) = value;
		return 0;
	case MSR_EMULATE_TSC_AUX:
		error = msr_write_tsc_aux(vcpu, value);
		break;
	case MSR_EMULATE_SPEC_CTRL:
		error = msr_write_spec_ctrl(vcpu, value);
		break;
	case MSR_EMULATE_PRED_CMD:
		error = msr_write_pred_cmd(vcpu, value);
		break;
	}
bad:
	if (error)
		msr_count_bad(vcpu);
	return error;
}
