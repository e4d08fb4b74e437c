/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What each exit means to the machine that the guest sees. */
#include "plat/plat.h"
#include "vmkernel/cpu/regs.h"
#include "vmm/emulate.h"
#include "vmm/io.h"

/* "Not implemented", as KVM answers (Linux, include/uapi/linux/kvm_para.h). */
#define HYPERCALL_ENOSYS 1000ll

const char *const exit_names[EXIT_REASON_COUNT] = {
	[EXIT_INTERRUPT] = "interrupt",
	[EXIT_NMI] = "nmi",
	[EXIT_IRQ_WINDOW] = "irq_window",
	[EXIT_NMI_WINDOW] = "nmi_window",
	[EXIT_IO] = "io",
	[EXIT_CPUID] = "cpuid",
	[EXIT_HLT] = "hlt",
	[EXIT_RDMSR] = "rdmsr",
	[EXIT_WRMSR] = "wrmsr",
	[EXIT_XSETBV] = "xsetbv",
	[EXIT_WBINVD] = "wbinvd",
	[EXIT_HYPERCALL] = "hypercall",
	[EXIT_NESTED_FAULT] = "nested_fault",
	[EXIT_CR_WRITE] = "cr_write",
	[EXIT_EXCEPTION] = "exception",
	[EXIT_UNDEFINED] = "undefined",
	[EXIT_PRIVILEGED] = "privileged",
	[EXIT_TRIPLE_FAULT] = "triple_fault",
	[EXIT_RETRY] = "retry",
	[EXIT_INVALID] = "invalid",
	[EXIT_UNKNOWN] = "unknown",
};

/* Instructions that touch memory other than by their own register operands:
 * decoded from the guest's bytes, fetched once. */
static void exits_emulate(struct vcpu *vcpu, enum emulate_cause cause)
{
	struct emulate_ctx ctx = {.cause = cause};

	if (!vcpu_fetch(vcpu, &ctx))
		return;
	switch (emulate_insn(&ctx)) {
	case EMULATE_DONE:
		vcpu->unhandled_rip = VCPU_NO_RIP;
		vcpu_advance(vcpu, vcpu->state.rip);
		break;
	case EMULATE_AGAIN: /* a long REP: rip stays, the exit comes again */
		break;
	case EMULATE_EXCEPTION:
		vcpu_raise(vcpu, &ctx.exc);
		break;
	case EMULATE_UNHANDLED:
		vcpu_give_up(vcpu,
			     "touches device memory with an instruction "
			     "that Sluice does not emulate");
		break;
	}
}

static void exits_io(struct vcpu *vcpu, const struct exit *exit)
{
	uint64_t *rax = &vcpu->state.gpr[GPR_RAX];
	uint64_t next = exit->io.next_rip;
	uint32_t value;

	if (unlikely(exit->io.string)) {
		exits_emulate(vcpu, EMULATE_PIO);
		return;
	}
	if (!exit->io.in) {
		/* Only as wide as the port access: the rest is not ours. */
		value = (uint32_t)*rax;
		if (exit->io.size < 4)
			value &= (1u << 8 * exit->io.size) - 1;
		vcpu_advance(vcpu, next);
		io_port_write(vcpu, exit->io.port, exit->io.size, value);
		return;
	}
	value = io_port_read(vcpu, exit->io.port, exit->io.size);
	if (exit->io.size == 4)
		*rax = value;
	else if (exit->io.size == 2)
		*rax = (*rax & ~0xffffull) | (value & 0xffff);
	else
		*rax = (*rax & ~0xffull) | (value & 0xff);
	vcpu_advance(vcpu, next);
}

static void exits_cpuid(struct vcpu *vcpu)
{
	uint64_t *gpr = vcpu->state.gpr;
	uint32_t out[4];

	vcpu_cpuid(vcpu, (uint32_t)gpr[GPR_RAX], (uint32_t)gpr[GPR_RCX], out);
	gpr[GPR_RAX] = out[0];
	gpr[GPR_RBX] = out[1];
	gpr[GPR_RCX] = out[2];
	gpr[GPR_RDX] = out[3];
	vcpu_skip(vcpu);
}

static void exits_rdmsr(struct vcpu *vcpu)
{
	uint64_t *gpr = vcpu->state.gpr;
	uint64_t value;

	if (msr_read(vcpu, (uint32_t)gpr[GPR_RCX], &value) < 0) {
		vcpu_raise_gp(vcpu);
		return;
	}
	gpr[GPR_RAX] = (uint32_t)value;
	gpr[GPR_RDX] = value >> 32;
	vcpu_skip(vcpu);
}

static void exits_wrmsr(struct vcpu *vcpu)
{
	const uint64_t *gpr = vcpu->state.gpr;
	uint64_t value = gpr[GPR_RDX] << 32 | (uint32_t)gpr[GPR_RAX];

	if (msr_write(vcpu, (uint32_t)gpr[GPR_RCX], value) < 0)
		vcpu_raise_gp(vcpu);
	else
		vcpu_skip(vcpu);
}

/* SDM 2, XSETBV: what is not supported, x87 off, or AVX without SSE is #GP. */
static void exits_xsetbv(struct vcpu *vcpu)
{
	const uint64_t *gpr = vcpu->state.gpr;
	uint64_t value = gpr[GPR_RDX] << 32 | (uint32_t)gpr[GPR_RAX];
	bool avx512 = value & 0xe0;

	vcpu_sync(vcpu);
	if ((uint32_t)gpr[GPR_RCX] != 0 || vcpu->state.cpl != 0 ||
	    !(value & 1) || value & ~vcpu_xcr0_mask() ||
	    (value & 4 && !(value & 2)) || (avx512 && (value & 0xe6) != 0xe6)) {
		vcpu_raise_gp(vcpu);
		return;
	}
	vcpu->xcr0 = value;
	xsetbv(0, value);
	vcpu_skip(vcpu);
}

static void exits_hypercall(struct vcpu *vcpu)
{
	vcpu->state.gpr[GPR_RAX] = (uint64_t)-HYPERCALL_ENOSYS;
	vcpu_skip(vcpu);
}

static void exits_hlt(struct vcpu *vcpu)
{
	if (vcpu_skip(vcpu))
		vcpu->run = VCPU_HALTED;
}

static void exits_cr_write(struct vcpu *vcpu)
{
	struct emulate_ctx ctx = {.count = 0};
	uint64_t value;

	if (!vcpu_fetch(vcpu, &ctx))
		return;
	value = vcpu->state.gpr[ctx.insn.rm];
	if (decode_kind(&ctx.insn) != INSN_MOV_TO_CR) {
		/* The bytes changed since the exit: start over with them. */
		return;
	}
	if (value & ~0xfull) {
		vcpu_raise_gp(vcpu);
		return;
	}
	lapic_set_tpr(&vcpu->lapic, (uint8_t)value);
	vcpu_advance(vcpu, vcpu->state.rip + ctx.insn.length);
}

static void exits_nested_fault(struct vcpu *vcpu, const struct exit *exit)
{
	if (exit->fault.fetch) {
		log_error(vcpu->name, "runs code at guest-physical %lx",
			  exit->fault.gpa.v);
		vm_crash(vcpu, "runs code outside of its memory");
		return;
	}
	if (vcpu->injection.type != INJECT_NONE) {
		vm_crash(vcpu,
			 "takes an interrupt or exception with its "
			 "tables or stack outside of its memory");
		return;
	}
	exits_emulate(vcpu, EMULATE_MMIO);
}

void exits_handle(struct vcpu *vcpu, const struct exit *exit)
{
	switch (exit->reason) {
	case EXIT_IO:
		exits_io(vcpu, exit);
		break;
	case EXIT_WRMSR:
		exits_wrmsr(vcpu);
		break;
	case EXIT_HLT:
		exits_hlt(vcpu);
		break;
	case EXIT_NESTED_FAULT:
		exits_nested_fault(vcpu, exit);
		break;
	case EXIT_RDMSR:
		exits_rdmsr(vcpu);
		break;
	case EXIT_CPUID:
		exits_cpuid(vcpu);
		break;
	case EXIT_CR_WRITE:
		exits_cr_write(vcpu);
		break;
	case EXIT_XSETBV:
		exits_xsetbv(vcpu);
		break;
	case EXIT_HYPERCALL:
		exits_hypercall(vcpu);
		break;
	case EXIT_WBINVD: /* caches are coherent: there is nothing to do */
		vcpu_skip(vcpu);
		break;
	case EXIT_EXCEPTION:
		vcpu_raise(vcpu, &exit->exception);
		break;
	case EXIT_UNDEFINED:
		vcpu_raise_ud(vcpu);
		break;
	case EXIT_PRIVILEGED:
		vcpu_raise_gp(vcpu);
		break;
	case EXIT_TRIPLE_FAULT:
		vm_crash(vcpu, "triple fault");
		break;
	case EXIT_INVALID:
		vm_crash(vcpu, "guest state that the CPU refuses");
		break;
	case EXIT_UNKNOWN:
		log_error(vcpu->name, "exit code %lx is not handled",
			  exit->code);
		vm_crash(vcpu, "unknown exit");
		break;
	case EXIT_INTERRUPT:
	case EXIT_NMI:
	case EXIT_IRQ_WINDOW:
	case EXIT_NMI_WINDOW:
	case EXIT_RETRY:
	case EXIT_REASON_COUNT:
		break; /* having left the guest is all there is to it */
	}
}
