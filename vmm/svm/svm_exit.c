/* SPDX-License-Identifier: GPL-2.0-or-later */
/* From the VMCB's exit code to struct exit (AMD APM 2, appendix C). */
#include <asm/svm.h>

#include "vmm/svm/svm_priv.h"
#include "vmm/vcpu.h"

/* QEMU reports VMEXIT_INVALID (-1) with 32 bits only. */
#define SVM_EXIT_INVALID_32 0xffffffffull

static void svm_decode_ioio(const struct vmcb *vmcb, struct exit *exit)
{
	uint32_t info = (uint32_t)vmcb->exitinfo1;

	exit->reason = EXIT_IO;
	exit->io.next_rip = vmcb->exitinfo2;
	exit->io.port = (uint16_t)(info >> 16);
	exit->io.size = info >> 4 & 7; /* one bit each for 1, 2, 4 */
	exit->io.in = info & IOIO_IN;
	exit->io.string = info & IOIO_STRING;
}

static void svm_decode_fault(const struct vmcb *vmcb, struct exit *exit)
{
	exit->reason = EXIT_NESTED_FAULT;
	exit->fault.gpa = GPA(vmcb->exitinfo2);
	exit->fault.write = vmcb->exitinfo1 & NPF_WRITE;
	exit->fault.fetch = vmcb->exitinfo1 & NPF_FETCH;
}

static void svm_decode_exception(const struct vmcb *vmcb, struct exit *exit)
{
	uint8_t vector = (uint8_t)(vmcb->exitcode - SVM_EXIT_EXCP_BASE);

	exit->reason = EXIT_EXCEPTION;
	exit->exception = (struct exception){
		.vector = vector,
		.has_error = vector == EXC_AC,
		.error = vector == EXC_AC ? (uint32_t)vmcb->exitinfo1 : 0,
	};
}

void svm_decode_exit(struct vcpu *vcpu, struct exit *exit)
{
	struct vmcb *vmcb = vcpu->svm->vmcb;

	exit->code = vmcb->exitcode;
	switch (vmcb->exitcode) {
	case SVM_EXIT_IOIO:
		svm_decode_ioio(vmcb, exit);
		return;
	case SVM_EXIT_NPF:
		svm_decode_fault(vmcb, exit);
		return;
	case SVM_EXIT_INTR:
		exit->reason = EXIT_INTERRUPT;
		return;
	case SVM_EXIT_MSR:
		exit->reason = vmcb->exitinfo1 ? EXIT_WRMSR : EXIT_RDMSR;
		return;
	case SVM_EXIT_HLT:
		exit->reason = EXIT_HLT;
		return;
	case SVM_EXIT_VINTR:
		exit->reason = EXIT_IRQ_WINDOW;
		return;
	case SVM_EXIT_CPUID:
		exit->reason = EXIT_CPUID;
		return;
	case SVM_EXIT_IRET:
		svm_nmi_iret(vcpu);
		exit->reason = EXIT_NMI_WINDOW;
		return;
	case SVM_EXIT_WRITE_CR0:
		svm_write_cr(vcpu, 0);
		exit->reason = EXIT_RETRY;
		return;
	case SVM_EXIT_WRITE_CR4:
		svm_write_cr(vcpu, 4);
		exit->reason = EXIT_RETRY;
		return;
	case SVM_EXIT_WRITE_CR8:
		exit->reason = EXIT_CR_WRITE;
		exit->cr.cr = 8;
		return;
	case SVM_EXIT_NMI:
		exit->reason = EXIT_NMI;
		return;
	case SVM_EXIT_XSETBV:
		exit->reason = EXIT_XSETBV;
		return;
	case SVM_EXIT_INVD:
	case SVM_EXIT_WBINVD:
		exit->reason = EXIT_WBINVD;
		return;
	case SVM_EXIT_VMMCALL:
		exit->reason = EXIT_HYPERCALL;
		return;
	case SVM_EXIT_SHUTDOWN:
		exit->reason = EXIT_TRIPLE_FAULT;
		return;
	case SVM_EXIT_EXCP_BASE + EXC_DB:
		if (svm_nmi_takes_db(vcpu)) {
			exit->reason = EXIT_NMI_WINDOW;
			return;
		}
		svm_decode_exception(vmcb, exit);
		return;
	case SVM_EXIT_EXCP_BASE + EXC_AC:
		svm_decode_exception(vmcb, exit);
		return;
	case SVM_EXIT_EXCP_BASE + EXC_MC:
		/* The exit has taken it: the host's handler must be called. */
		__asm__ volatile("int $18" ::: "memory");
		exit->reason = EXIT_INTERRUPT;
		return;
	case SVM_EXIT_RDPMC:
		exit->reason = EXIT_PRIVILEGED;
		return;
	case SVM_EXIT_VMRUN:
	case SVM_EXIT_VMLOAD:
	case SVM_EXIT_VMSAVE:
	case SVM_EXIT_STGI:
	case SVM_EXIT_CLGI:
	case SVM_EXIT_SKINIT:
	case SVM_EXIT_INVLPGA:
	case SVM_EXIT_MONITOR:
	case SVM_EXIT_MWAIT:
	case SVM_EXIT_RDPRU:
		exit->reason = EXIT_UNDEFINED;
		return;
	case SVM_EXIT_SMI:
	case SVM_EXIT_INIT:
		exit->reason = EXIT_INTERRUPT;
		return;
	case SVM_EXIT_INVALID_32:
	case (uint64_t)SVM_EXIT_ERR:
		exit->reason = EXIT_INVALID;
		return;
	default:
		exit->reason = EXIT_UNKNOWN;
		return;
	}
}
