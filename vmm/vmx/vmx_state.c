/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Guest and host state in the VMCS, and the MSRs beside it. */
#include <string.h>

#include "vmkernel/cpu/cpu.h"
#include "vmkernel/cpu/regs.h"
#include "vmkernel/mm/mm.h"
#include "vmm/msr_policy.h"
#include "vmm/vm.h"
#include "vmm/vmx/vmx_priv.h"

#define VTPR_WORD   (0x80 / 4) /* offset 0x80 of the APIC page (29.1.1) */
#define VTPR_SHIFT  4
#define LINK_NONE   (~0ull)
#define VMCS_STRIDE 2 /* from a segment's field to the next segment's */
#define VMCS_LDTR   6
#define VMCS_TR	    7

static enum vmcs_field vmx_segment_field(enum vmcs_field first, unsigned index)
{
	return (enum vmcs_field)(first + VMCS_STRIDE * index);
}

/* The VMCB's packing, which is ours, leaves out a gap of four bits. */
static void vmx_put_segment(unsigned index, const struct segment *s)
{
	uint32_t rights = (s->attrib & 0xffu) | (s->attrib & 0xf00u) << 4;

	if (!(s->attrib & SEG_ATTR_P))
		rights |= RIGHTS_UNUSABLE;
	vmcs_write(vmx_segment_field(VMCS_GUEST_SELECTOR, index), s->selector);
	vmcs_write(vmx_segment_field(VMCS_GUEST_LIMIT, index), s->limit);
	vmcs_write(vmx_segment_field(VMCS_GUEST_RIGHTS, index), rights);
	vmcs_write(vmx_segment_field(VMCS_GUEST_BASE, index), s->base);
}

static void vmx_get_segment(unsigned index, struct segment *s)
{
	uint32_t rights = (uint32_t)vmcs_read(
		vmx_segment_field(VMCS_GUEST_RIGHTS, index));

	s->selector = (uint16_t)vmcs_read(
		vmx_segment_field(VMCS_GUEST_SELECTOR, index));
	s->limit =
		(uint32_t)vmcs_read(vmx_segment_field(VMCS_GUEST_LIMIT, index));
	s->base = vmcs_read(vmx_segment_field(VMCS_GUEST_BASE, index));
	s->attrib = (uint16_t)((rights & 0xff) | (rights >> 4 & 0xf00));
	if (rights & RIGHTS_UNUSABLE)
		s->attrib &= (uint16_t)~SEG_ATTR_P;
}

/* 26.2.2 and on: what an exit loads. Nothing of it changes after boot. The
 * limits of GDT and IDT become 0xffff; the IDT is full, and selectors are ours.
 */
static void vmx_init_host(void)
{
	struct cpu *cpu = cpu_this();
	struct desc_pointer idt;

	__asm__ volatile("sidt %0" : "=m"(idt));
	vmcs_write(VMCS_HOST_CR0, read_cr0());
	vmcs_write(VMCS_HOST_CR3, mm_kernel_cr3().v);
	vmcs_write(VMCS_HOST_CR4, read_cr4());
	vmcs_write(VMCS_HOST_EFER, rdmsr(MSR_EFER));
	vmcs_write(VMCS_HOST_PAT, rdmsr(MSR_PAT));
	vmcs_write(VMCS_HOST_CS, KERNEL_CS);
	vmcs_write(VMCS_HOST_SS, KERNEL_DS);
	vmcs_write(VMCS_HOST_DS, KERNEL_DS);
	vmcs_write(VMCS_HOST_ES, KERNEL_DS);
	vmcs_write(VMCS_HOST_FS, 0);
	vmcs_write(VMCS_HOST_GS, 0);
	vmcs_write(VMCS_HOST_TR, TSS_SEL);
	vmcs_write(VMCS_HOST_FS_BASE, 0);
	/* Per-CPU data and the stack canary; the IST stacks. */
	vmcs_write(VMCS_HOST_GS_BASE, (uint64_t)cpu);
	vmcs_write(VMCS_HOST_TR_BASE, (uint64_t)&cpu->tss);
	vmcs_write(VMCS_HOST_GDTR_BASE, (uint64_t)&cpu->gdt);
	vmcs_write(VMCS_HOST_IDTR_BASE, idt.base);
	vmcs_write(VMCS_HOST_SYSENTER_CS, 0);
	vmcs_write(VMCS_HOST_SYSENTER_ESP, 0);
	vmcs_write(VMCS_HOST_SYSENTER_EIP, 0);
}

void vmx_init_vmcs(struct vcpu *vcpu)
{
	struct vmx_vcpu *x = vcpu->vmx;

	vmx_init_host();
	vmcs_write(VMCS_PIN_CONTROLS, vmx.pin);
	vmcs_write(VMCS_CPU_CONTROLS, x->controls);
	vmcs_write(VMCS_CPU2_CONTROLS, vmx.cpu2);
	vmcs_write(VMCS_EXIT_CONTROLS, vmx.exit);
	/* An endless #DB or #AC delivery loop hangs a real CPU: XSA-156. */
	vmcs_write(VMCS_EXCEPTION_BITMAP,
		   1u << EXC_DB | 1u << EXC_AC | 1u << EXC_MC);
	vmcs_write(VMCS_PF_ERROR_MASK, 0);
	vmcs_write(VMCS_PF_ERROR_MATCH, 0);
	vmcs_write(VMCS_CR3_TARGETS, 0);
	vmcs_write(VMCS_EXIT_MSR_STORES, 0);
	vmcs_write(VMCS_EXIT_MSR_LOADS, 0);
	vmcs_write(VMCS_ENTRY_MSR_LOADS, 0);
	vmcs_write(VMCS_MSR_BITMAP, virt_to_phys(vmx.msr_bitmap).v);
	vmcs_write(VMCS_APIC_PAGE, virt_to_phys(x->apic_page).v);
	vmcs_write(VMCS_TPR_THRESHOLD, 0);
	vmcs_write(VMCS_EPTP,
		   vcpu->vm->npt.root.v | EPTP_WRITE_BACK | EPTP_LEVELS_4);
	if (vmx.cpu2 & CPU2_VPID)
		vmcs_write(VMCS_VPID, x->vpid);
	vmcs_write(VMCS_LINK, LINK_NONE);
	vmx_init_cr(vcpu);
}

void vmx_load_msrs(struct vcpu *vcpu)
{
	const struct vmx_vcpu *x = vcpu->vmx;

	wrmsr(MSR_STAR, x->msrs[VMX_STAR]);
	wrmsr(MSR_LSTAR, x->msrs[VMX_LSTAR]);
	wrmsr(MSR_CSTAR, x->msrs[VMX_CSTAR]);
	wrmsr(MSR_SFMASK, x->msrs[VMX_SFMASK]);
	wrmsr(MSR_KERNEL_GS_BASE, x->msrs[VMX_KERNEL_GS_BASE]);
	write_dr6(x->dr6);
}

void vmx_save_msrs(struct vcpu *vcpu)
{
	struct vmx_vcpu *x = vcpu->vmx;

	x->msrs[VMX_STAR] = rdmsr(MSR_STAR);
	x->msrs[VMX_LSTAR] = rdmsr(MSR_LSTAR);
	x->msrs[VMX_CSTAR] = rdmsr(MSR_CSTAR);
	x->msrs[VMX_SFMASK] = rdmsr(MSR_SFMASK);
	x->msrs[VMX_KERNEL_GS_BASE] = rdmsr(MSR_KERNEL_GS_BASE);
	x->dr6 = read_dr6();
}

/* All of vcpu->state, and what was set beside it, becomes the guest's. */
void vmx_apply_state(struct vcpu *vcpu)
{
	struct vmx_vcpu *x = vcpu->vmx;
	const struct vcpu_state *s = &vcpu->state;

	x->stale = false;
	for (unsigned i = 0; i < SEG_COUNT; i++)
		vmx_put_segment(i, &s->seg[i]);
	vmx_put_segment(VMCS_LDTR, &s->ldtr);
	vmx_put_segment(VMCS_TR, &s->tr);
	vmcs_write(VMCS_GUEST_GDTR_BASE, s->gdtr.base);
	vmcs_write(VMCS_GUEST_GDTR_LIMIT, s->gdtr.limit);
	vmcs_write(VMCS_GUEST_IDTR_BASE, s->idtr.base);
	vmcs_write(VMCS_GUEST_IDTR_LIMIT, s->idtr.limit);
	vmx_put_cr(vcpu);
	vmcs_write(VMCS_GUEST_DR7, s->dr7);
	vmcs_write(VMCS_GUEST_EFER, s->efer);
	/* From here on the CPU itself keeps it as EFER.LMA is (27.2.4). */
	vmcs_write(VMCS_ENTRY_CONTROLS,
		   vmx.entry | (s->efer & EFER_LMA ? ENTRY_GUEST_64 : 0));
	vmcs_write(VMCS_GUEST_PAT, x->pat);
	vmcs_write(VMCS_TSC_OFFSET, x->tsc_offset);
	vmcs_write(VMCS_GUEST_DEBUGCTL, 0);
	vmcs_write(VMCS_GUEST_SYSENTER_CS, 0);
	vmcs_write(VMCS_GUEST_SYSENTER_ESP, 0);
	vmcs_write(VMCS_GUEST_SYSENTER_EIP, 0);
	vmcs_write(VMCS_GUEST_SHADOW, 0);
	vmcs_write(VMCS_GUEST_ACTIVITY, 0);
	vmcs_write(VMCS_GUEST_PENDING_DB, 0);
	vmcs_write(VMCS_ENTRY_EVENT, 0);
	x->controls &= ~(CPU_IRQ_WINDOW | CPU_NMI_WINDOW);
	vmcs_write(VMCS_CPU_CONTROLS, x->controls);
	memset(x->msrs, 0, sizeof(x->msrs));
	x->dr6 = s->dr6;
	vmx_load_msrs(vcpu);
	vmx_invalidate_vpid(); /* old translations are gone */
}

/* A VMCS is reached on its own CPU only, and a VM is reset from any. */
void vmx_set_state(struct vcpu *vcpu)
{
	if (vmx_is_current(vcpu))
		vmx_apply_state(vcpu);
	else
		vcpu->vmx->stale = true;
}

void vmx_sync_state(struct vcpu *vcpu)
{
	struct vcpu_state *s = &vcpu->state;

	for (unsigned i = 0; i < SEG_COUNT; i++)
		vmx_get_segment(i, &s->seg[i]);
	vmx_get_segment(VMCS_LDTR, &s->ldtr);
	vmx_get_segment(VMCS_TR, &s->tr);
	s->gdtr.base = vmcs_read(VMCS_GUEST_GDTR_BASE);
	s->gdtr.limit = (uint16_t)vmcs_read(VMCS_GUEST_GDTR_LIMIT);
	s->idtr.base = vmcs_read(VMCS_GUEST_IDTR_BASE);
	s->idtr.limit = (uint16_t)vmcs_read(VMCS_GUEST_IDTR_LIMIT);
	/* 24.4.1: the DPL of SS is the CPL, in every mode. */
	s->cpl = s->seg[SEG_SS].attrib >> 5 & 3;
	vmx_get_cr(vcpu);
	s->dr6 = read_dr6();
	s->dr7 = vmcs_read(VMCS_GUEST_DR7);
	s->efer = vmcs_read(VMCS_GUEST_EFER);
}

void vmx_set_tpr(struct vcpu *vcpu, uint8_t cr8)
{
	vcpu->vmx->apic_page[VTPR_WORD] = (uint32_t)cr8 << VTPR_SHIFT;
}

void vmx_set_efer(struct vcpu *vcpu, uint64_t efer)
{
	vmcs_write(VMCS_GUEST_EFER, efer);
	vcpu->state.efer = efer;
}

void vmx_set_pat(struct vcpu *vcpu, uint64_t pat)
{
	vcpu->vmx->pat = pat;
	if (vmx_is_current(vcpu))
		vmcs_write(VMCS_GUEST_PAT, pat);
	else
		vcpu->vmx->stale = true;
}

void vmx_set_tsc_offset(struct vcpu *vcpu, uint64_t offset)
{
	vcpu->vmx->tsc_offset = offset;
	if (vmx_is_current(vcpu))
		vmcs_write(VMCS_TSC_OFFSET, offset);
	else
		vcpu->vmx->stale = true;
}

void vmx_set_dr6_bs(struct vcpu *vcpu)
{
	write_dr6(read_dr6() | DR6_BS);
	vcpu->state.dr6 = read_dr6();
}

static bool vmx_msr_field(uint32_t msr, enum vmcs_field *field)
{
	switch (msr) {
	case MSR_FS_BASE:
		*field = vmx_segment_field(VMCS_GUEST_BASE, SEG_FS);
		return true;
	case MSR_GS_BASE:
		*field = vmx_segment_field(VMCS_GUEST_BASE, SEG_GS);
		return true;
	case MSR_SYSENTER_CS:
		*field = VMCS_GUEST_SYSENTER_CS;
		return true;
	case MSR_SYSENTER_ESP:
		*field = VMCS_GUEST_SYSENTER_ESP;
		return true;
	case MSR_SYSENTER_EIP:
		*field = VMCS_GUEST_SYSENTER_EIP;
		return true;
	default:
		return false;
	}
}

/* Those of enum vmx_msr: in the CPU while their vCPU is loaded. */
static bool vmx_msr_stays(uint32_t msr)
{
	return msr == MSR_STAR || msr == MSR_LSTAR || msr == MSR_CSTAR ||
	       msr == MSR_SFMASK || msr == MSR_KERNEL_GS_BASE;
}

bool vmx_get_msr(struct vcpu *vcpu, uint32_t msr, uint64_t *value)
{
	enum vmcs_field field;

	if (vmx_msr_field(msr, &field))
		*value = vmcs_read(field);
	else if (vmx_msr_stays(msr))
		*value = rdmsr(msr);
	else
		return false;
	return true;
}

bool vmx_set_msr(struct vcpu *vcpu, uint32_t msr, uint64_t value)
{
	enum vmcs_field field;

	/* 32 bits are reserved: WRMSR would fault, here. */
	if (msr == MSR_SFMASK && value >> 32)
		return false;
	if (vmx_msr_field(msr, &field))
		vmcs_write(field, value);
	else if (vmx_msr_stays(msr))
		wrmsr(msr, value);
	else
		return false;
	return true;
}

/* One bit for each MSR of two ranges, for reads and for writes (24.6.9). */
static void vmx_open_msr(uint8_t *bitmap, uint32_t msr)
{
	static const uint32_t bases[] = {0x00000000, 0xc0000000};

	for (unsigned i = 0; i < ARRAY_SIZE(bases); i++) {
		uint32_t bit = msr - bases[i];
		uint8_t keep = (uint8_t) ~(1u << bit % 8);

		if (bit >= 0x2000)
			continue;
		bitmap[i * 0x400 + bit / 8] &= keep;
		bitmap[0x800 + i * 0x400 + bit / 8] &= keep;
	}
}

void vmx_open_msrs(uint8_t *bitmap)
{
	enum vmcs_field field;

	for (unsigned i = 0; i < msr_rule_count; i++)
		for (uint32_t msr = msr_rules[i].first;
		     msr_rules[i].kind == MSR_PASS_THROUGH &&
		     msr <= msr_rules[i].last;
		     msr++)
			if (vmx_msr_stays(msr) || vmx_msr_field(msr, &field))
				vmx_open_msr(bitmap, msr);
}
