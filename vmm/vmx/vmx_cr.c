/* SPDX-License-Identifier: GPL-2.0-or-later */
/* CR0 and CR4: which bits the guest has to itself, and writes of the others. */
#include "vmm/cr.h"

#include "vmkernel/cpu/regs.h"
#include "vmm/decode.h"
#include "vmm/vcpu.h"
#include "vmm/vmx/vmx_priv.h"

/*
 * A bit that is set in a mask (24.6.6) is ours: the guest reads the shadow's,
 * and a write that differs from the shadow exits. If the value is one that it
 * may write, the shadow becomes it and the instruction runs once more: this
 * time it does not exit, and the CPU does all that hangs on it (modes, PDPTEs).
 *
 * In CR0, VMX wants NE set (A.7); CD and NW would turn off the caches of the
 * host as well, which neither entry nor exit changes back (27.5.1). In CR4, VMX
 * wants VMXE set (A.8); MCE is the host's, since without it a machine check in
 * the guest would not exit but shut the CPU down; and a bit that CPUID hides
 * may be there all the same (LA57, CET).
 */
#define CR0_NW	 (1ull << 29)
#define CR0_CD	 (1ull << 30)
#define CR0_HOST (CR0_NE | CR0_NW | CR0_CD)
#define CR4_MCE	 (1ull << 6)
#define CR4_VMXE (1ull << 13)

void vmx_init_cr(struct vcpu *vcpu)
{
	struct vmx_vcpu *x = vcpu->vmx;
	uint32_t leaf1[4], leaf7[4];

	vcpu_cpuid(vcpu, 1, 0, leaf1);
	vcpu_cpuid(vcpu, 7, 0, leaf7);
	x->cr4_valid = cr4_mask(leaf1, leaf7);
	x->cr4_guest = x->cr4_valid & ~CR4_MCE;
	vmcs_write(VMCS_CR0_MASK, CR0_HOST);
	vmcs_write(VMCS_CR4_MASK, ~x->cr4_guest);
}

void vmx_put_cr(struct vcpu *vcpu)
{
	const struct vcpu_state *s = &vcpu->state;
	uint64_t guest = vcpu->vmx->cr4_guest;

	vmcs_write(VMCS_GUEST_CR0, (s->cr0 & ~CR0_HOST) | CR0_NE);
	vmcs_write(VMCS_CR0_SHADOW, s->cr0);
	vmcs_write(VMCS_GUEST_CR3, s->cr3);
	vmcs_write(VMCS_GUEST_CR4,
		   (s->cr4 & guest) | CR4_VMXE | (read_cr4() & CR4_MCE));
	vmcs_write(VMCS_CR4_SHADOW, s->cr4);
}

void vmx_get_cr(struct vcpu *vcpu)
{
	struct vcpu_state *s = &vcpu->state;
	uint64_t guest = vcpu->vmx->cr4_guest;

	s->cr0 = (vmcs_read(VMCS_GUEST_CR0) & ~CR0_HOST) |
		 (vmcs_read(VMCS_CR0_SHADOW) & CR0_HOST);
	s->cr3 = vmcs_read(VMCS_GUEST_CR3);
	s->cr4 = (vmcs_read(VMCS_GUEST_CR4) & guest) |
		 (vmcs_read(VMCS_CR4_SHADOW) & ~guest);
}

enum exit_reason vmx_write_cr(struct vcpu *vcpu, unsigned cr, uint64_t value)
{
	const struct vcpu_state *s = &vcpu->state;
	bool valid;

	vcpu_sync(vcpu);
	if (decode_mode_of(s) != DECODE_64)
		value = (uint32_t)value;
	valid = cr == 0 ? cr0_valid(s, value)
			: cr4_valid(s, value, vcpu->vmx->cr4_valid);
	if (!valid)
		return EXIT_PRIVILEGED;
	vmcs_write(cr == 0 ? VMCS_CR0_SHADOW : VMCS_CR4_SHADOW, value);
	return EXIT_RETRY;
}
