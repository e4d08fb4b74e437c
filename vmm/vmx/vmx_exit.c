/* SPDX-License-Identifier: GPL-2.0-or-later */
/* From the VMCS's exit reason to struct exit (Intel SDM 3C, 27.2; appendix C).
 */
#include <asm/vmx.h>

#include "vmkernel/cpu/regs.h"
#include "vmm/vcpu.h"
#include "vmm/vmx/vmx_priv.h"

/* Not in Linux's list. */
#define EXIT_REASON_IO_SMI    5
#define EXIT_REASON_OTHER_SMI 6
#define EXIT_REASON_GETSEC    11
#define EXIT_REASON_RSM	      17
#define EXIT_REASON_ENCLV     70

#define EXIT_REASON_BASIC     0xffffu
#define DR6_TRAPS	      0xfull
#define DR6_BD		      (1ull << 13)
#define DR7_GD		      (1ull << 13)

uint64_t vmx_next_rip(struct vcpu *vcpu)
{
	uint64_t next = vcpu->state.rip + vmcs_read(VMCS_EXIT_LENGTH);

	/* Only 64-bit code goes on beyond 4 GiB. */
	if (unlikely(next >> 32) && !(vcpu->state.rip >> 32)) {
		vcpu_sync(vcpu);
		if (!(vcpu->state.efer & EFER_LMA) ||
		    !(vcpu->state.seg[SEG_CS].attrib & SEG_ATTR_L))
			next = (uint32_t)next;
	}
	return next;
}

static void vmx_decode_io(struct vcpu *vcpu, struct exit *exit)
{
	uint64_t info = vmcs_read(VMCS_QUALIFICATION);

	exit->reason = EXIT_IO;
	exit->io.next_rip = vmx_next_rip(vcpu);
	exit->io.port = (uint16_t)(info >> 16);
	exit->io.size = (uint8_t)((info & QUAL_IO_SIZE) + 1);
	exit->io.in = info & QUAL_IO_IN;
	exit->io.string = info & QUAL_IO_STRING;
}

/* 27.2.3: an IRET that did not complete has unblocked NMIs all the same. */
static void vmx_block_nmis_again(bool unblocked)
{
	if (unlikely(unblocked) && !(vmcs_read(VMCS_IDT_EVENT) & EVENT_VALID))
		vmcs_write(VMCS_GUEST_SHADOW,
			   vmcs_read(VMCS_GUEST_SHADOW) | SHADOW_NMI);
}

static void vmx_decode_fault(struct exit *exit)
{
	uint64_t info = vmcs_read(VMCS_QUALIFICATION);

	vmx_block_nmis_again(info & QUAL_NMI_UNBLOCKED);
	exit->reason = EXIT_NESTED_FAULT;
	exit->fault.gpa = GPA(vmcs_read(VMCS_GUEST_PHYSICAL));
	exit->fault.write = info & QUAL_EPT_WRITE;
	exit->fault.fetch = info & QUAL_EPT_FETCH;
}

/* 27.1: the exit comes before DR6 and DR7 are written. */
static void vmx_take_debug(struct vcpu *vcpu, uint32_t event)
{
	uint64_t info = vmcs_read(VMCS_QUALIFICATION) & QUAL_DB;
	uint64_t dr7 = vmcs_read(VMCS_GUEST_DR7);

	if (EVENT_TYPE(event) << 8 == EVENT_ICEBP) {
		/* A trap, but reported at the instruction. */
		vcpu->state.rip = vmx_next_rip(vcpu);
		return;
	}
	write_dr6((read_dr6() & ~DR6_TRAPS) | info);
	if (info & DR6_BD)
		vmcs_write(VMCS_GUEST_DR7, dr7 & ~DR7_GD);
}

static void vmx_decode_event(struct vcpu *vcpu, struct exit *exit)
{
	uint32_t event = (uint32_t)vmcs_read(VMCS_EXIT_EVENT);
	uint8_t vector = event & EVENT_VECTOR;

	if (EVENT_TYPE(event) << 8 == EVENT_NMI) {
		/* The exit has taken it: the host's handler must be called,
		 * and its IRET ends the blocking of NMIs (27.5.5). */
		__asm__ volatile("int $2" ::: "memory");
		exit->reason = EXIT_NMI;
		return;
	}
	if (vector == EXC_MC) {
		__asm__ volatile("int $18" ::: "memory");
		exit->reason = EXIT_INTERRUPT;
		return;
	}
	vmx_block_nmis_again(event & EVENT_NMI_UNBLOCKED);
	if (vector == EXC_DB)
		vmx_take_debug(vcpu, event);
	exit->reason = EXIT_EXCEPTION;
	exit->exception = (struct exception){
		.vector = vector,
		.has_error = event & EVENT_ERROR_VALID,
	};
	if (exit->exception.has_error)
		exit->exception.error = (uint32_t)vmcs_read(VMCS_EXIT_ERROR);
}

/* Only writes exit, of CR8 and of bits in CR0 and CR4 that are not the guest's
 * (vmx_cr.c). */
static void vmx_decode_cr(struct vcpu *vcpu, struct exit *exit)
{
	uint64_t info = vmcs_read(VMCS_QUALIFICATION);
	uint64_t value = vcpu->state.gpr[QUAL_CR_GPR(info)];

	exit->reason = EXIT_UNKNOWN;
	if (QUAL_CR_TYPE(info) != 0)
		return;
	switch (info & QUAL_CR_NUMBER) {
	case 0:
	case 4:
		exit->reason = vmx_write_cr(vcpu, info & QUAL_CR_NUMBER, value);
		break;
	case 8:
		exit->reason = EXIT_CR_WRITE;
		exit->cr.cr = 8;
		break;
	}
}

void vmx_decode_exit(struct vcpu *vcpu, uint32_t reason, struct exit *exit)
{
	exit->code = reason;
	if (unlikely(reason & VMX_EXIT_REASONS_FAILED_VMENTRY)) {
		if ((reason & EXIT_REASON_BASIC) ==
		    EXIT_REASON_MCE_DURING_VMENTRY)
			__asm__ volatile("int $18" ::: "memory");
		exit->reason = EXIT_INVALID;
		return;
	}
	switch (reason & EXIT_REASON_BASIC) {
	case EXIT_REASON_IO_INSTRUCTION:
		vmx_decode_io(vcpu, exit);
		return;
	case EXIT_REASON_EPT_VIOLATION:
		vmx_decode_fault(exit);
		return;
	case EXIT_REASON_EXTERNAL_INTERRUPT:
		exit->reason = EXIT_INTERRUPT;
		return;
	case EXIT_REASON_MSR_READ:
		exit->reason = EXIT_RDMSR;
		return;
	case EXIT_REASON_MSR_WRITE:
		exit->reason = EXIT_WRMSR;
		return;
	case EXIT_REASON_HLT:
		exit->reason = EXIT_HLT;
		return;
	case EXIT_REASON_INTERRUPT_WINDOW:
		exit->reason = EXIT_IRQ_WINDOW;
		return;
	case EXIT_REASON_CPUID:
		exit->reason = EXIT_CPUID;
		return;
	case EXIT_REASON_NMI_WINDOW:
		vcpu->vmx->controls &= ~CPU_NMI_WINDOW;
		vmcs_write(VMCS_CPU_CONTROLS, vcpu->vmx->controls);
		exit->reason = EXIT_NMI_WINDOW;
		return;
	case EXIT_REASON_CR_ACCESS:
		vmx_decode_cr(vcpu, exit);
		return;
	case EXIT_REASON_EXCEPTION_NMI:
		vmx_decode_event(vcpu, exit);
		return;
	case EXIT_REASON_XSETBV:
		exit->reason = EXIT_XSETBV;
		return;
	case EXIT_REASON_INVD:
	case EXIT_REASON_WBINVD:
		exit->reason = EXIT_WBINVD;
		return;
	case EXIT_REASON_VMCALL:
		exit->reason = EXIT_HYPERCALL;
		return;
	case EXIT_REASON_TRIPLE_FAULT:
		exit->reason = EXIT_TRIPLE_FAULT;
		return;
	case EXIT_REASON_RDPMC:
		exit->reason = EXIT_PRIVILEGED;
		return;
	case EXIT_REASON_VMCLEAR:
	case EXIT_REASON_VMLAUNCH:
	case EXIT_REASON_VMPTRLD:
	case EXIT_REASON_VMPTRST:
	case EXIT_REASON_VMREAD:
	case EXIT_REASON_VMRESUME:
	case EXIT_REASON_VMWRITE:
	case EXIT_REASON_VMOFF:
	case EXIT_REASON_VMON:
	case EXIT_REASON_INVEPT:
	case EXIT_REASON_INVVPID:
	case EXIT_REASON_VMFUNC:
	case EXIT_REASON_GETSEC:
	case EXIT_REASON_MONITOR_INSTRUCTION:
	case EXIT_REASON_MWAIT_INSTRUCTION:
	case EXIT_REASON_ENCLS:
	case EXIT_REASON_ENCLV:
	case EXIT_REASON_RSM:
		exit->reason = EXIT_UNDEFINED;
		return;
	case EXIT_REASON_INIT_SIGNAL:
	case EXIT_REASON_SIPI_SIGNAL:
	case EXIT_REASON_IO_SMI:
	case EXIT_REASON_OTHER_SMI:
		exit->reason = EXIT_INTERRUPT;
		return;
	default:
		/* Among them EXIT_REASON_TASK_SWITCH: VMX leaves a task gate,
		 * or a far jump to a TSS, of a 32-bit guest to us, and there
		 * is no code for it yet. The VM is stopped, and says so. */
		exit->reason = EXIT_UNKNOWN;
		return;
	}
}
