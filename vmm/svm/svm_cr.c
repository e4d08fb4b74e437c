/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A guest's writes of CR0 and CR4, checked. */
#include "vmm/cr.h"
#include "vmm/emulate.h"
#include "vmm/svm/svm_priv.h"
#include "vmm/vcpu.h"

/*
 * CR4: bits that CPUID hides may be there in the CPU (LA57, CET), so each write
 * exits and is carried out here. CR0: a CPU checks all that is to check, and
 * writes do not exit; QEMU's does not (7.2 takes PG without PE, and only the
 * next VMRUN complains), so there they do.
 */

static uint64_t svm_cr4_mask(struct vcpu *vcpu)
{
	uint32_t leaf1[4], leaf7[4];

	vcpu_cpuid(vcpu, 1, 0, leaf1);
	vcpu_cpuid(vcpu, 7, 0, leaf7);
	return cr4_mask(leaf1, leaf7);
}

static void svm_write_cr4(struct vcpu *vcpu, uint64_t value, uint64_t next)
{
	if (!cr4_valid(&vcpu->state, value, svm_cr4_mask(vcpu))) {
		vcpu_raise_gp(vcpu);
		return;
	}
	vcpu->svm->vmcb->cr4 = value;
	vcpu->state.cr4 = value;
	svm_flush(vcpu);
	vcpu_advance(vcpu, next);
}

/* The CPU carries it out, with all that hangs on it (modes, PDPTEs): it does
 * not exit at the next entry. */
static void svm_write_cr0(struct vcpu *vcpu, uint64_t value)
{
	if (!cr0_valid(&vcpu->state, value))
		vcpu_raise_gp(vcpu);
	else
		svm_open_cr0(vcpu, true);
}

void svm_write_cr(struct vcpu *vcpu, unsigned cr)
{
	struct emulate_ctx ctx = {.count = 0};
	uint64_t value, next;

	if (!vcpu_fetch(vcpu, &ctx))
		return;
	value = vcpu->state.gpr[ctx.insn.rm & 15];
	next = vcpu->state.rip + ctx.insn.length;
	if (decode_mode_of(&vcpu->state) != DECODE_64) {
		value = (uint32_t)value;
		next = (uint32_t)next;
	}
	switch (decode_kind(&ctx.insn)) {
	case INSN_MOV_TO_CR:
		if (ctx.insn.reg != cr)
			return; /* the bytes changed since: start over */
		if (cr == 4)
			svm_write_cr4(vcpu, value, next);
		else
			svm_write_cr0(vcpu, value);
		break;
	case INSN_CLTS:
	case INSN_LMSW: /* these cannot make it invalid */
		svm_open_cr0(vcpu, true);
		break;
	default:
		break;
	}
}
