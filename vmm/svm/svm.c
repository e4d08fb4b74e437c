/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The AMD SVM back end of cpu_ops. */
#include <linux/errno.h>
#include <asm/svm.h>
#include <string.h>

#include "vmkernel/cpu/cpu.h"
#include "vmkernel/cpu/regs.h"
#include "vmkernel/irq/irq.h"
#include "vmkernel/mm/mm.h"
#include "vmm/svm/svm_priv.h"
#include "vmm/vm.h"

/* CPUID 0x8000000a (APM 3, E.4.9). */
#define SVM_FEATURE_NP		  (1u << 0)
#define SVM_FEATURE_NRIP	  (1u << 3)
#define SVM_FEATURE_CLEAN	  (1u << 5)
#define SVM_FEATURE_FLUSH_BY_ASID (1u << 6)

#define IOPM_SIZE		  KiB(12)
#define MSRPM_SIZE		  KiB(8)

_Static_assert(offsetof(struct vcpu_state, gpr) == 0, "enter.S");

void svm_run_guest(uint64_t vmcb_pa, uint64_t *gpr, uint64_t host_vmcb_pa);

struct svm svm;
/* For enter.S. */
extern bool svm_fill_rsb;
bool svm_fill_rsb;

static const char *svm_probe(void)
{
	uint32_t out[4];

	cpuid(0x80000000, 0, out);
	if (out[0] < 0x8000000a)
		return cpu_ops_absent;
	cpuid(0x80000001, 0, out);
	if (!(out[2] & 1u << 2))
		return cpu_ops_absent;
	svm.giant_pages = out[3] & 1u << 26;
	if (rdmsr(MSR_VM_CR) & VM_CR_SVMDIS)
		return "SVM is disabled by the firmware; turn on "
		       "virtualization (SVM mode) in its set-up";
	cpuid(0x8000000a, 0, out);
	if (!(out[3] & SVM_FEATURE_NP))
		return "this CPU's SVM has no nested paging; a CPU from 2011 "
		       "or later has it";
	svm.asid_count = out[1];
	svm.features = out[3];
	cpuid(1, 0, out);
	svm.emulated = out[2] & 1u << 31;
	svm_fill_rsb = !svm.emulated;
	return NULL;
}

/* The bitmaps are the same for every VM: each port exits but those of
 * svm_pass_ports(), and each MSR but those that VMLOAD and VMRUN switch. */
static int svm_bitmaps_init(void)
{
	if (svm.iopm)
		return 0;
	svm.iopm = plat_alloc(ALIGN_UP(IOPM_SIZE, KiB(16)), PAGE_SIZE);
	svm.msrpm = plat_alloc(MSRPM_SIZE, PAGE_SIZE);
	if (!svm.iopm || !svm.msrpm)
		return -ENOMEM;
	memset(svm.iopm, 0xff, IOPM_SIZE);
	memset(svm.msrpm, 0xff, MSRPM_SIZE);
	svm_msrpm_open(svm.msrpm);
	return 0;
}

static int svm_enable(void)
{
	struct svm_cpu *cpu = &svm.cpus[plat_cpu()];
	hpa_t hsave = mm_alloc_pages(0, MM_KERNEL);
	hpa_t host = mm_alloc_pages(0, MM_KERNEL);

	if (!hsave.v || !host.v || svm_bitmaps_init() < 0)
		return -ENOMEM;
	wrmsr(MSR_EFER, rdmsr(MSR_EFER) | MSR_EFER_SVME);
	wrmsr(MSR_VM_HSAVE_PA, hsave.v);
	/* The host's VMLOAD state never changes after this. */
	__asm__ volatile("vmsave %0" ::"a"(host.v) : "memory");
	cpu->host_vmcb = host;
	cpu->generation = 1;
	cpu->next_asid = 1;
	return 0;
}

/* One bit for each port; an access exits if any of its bytes' bits is set
 * (15.10.1). */
static bool svm_pass_ports(uint16_t first, unsigned count)
{
	for (unsigned port = first; port < first + count; port++)
		svm.iopm[port / 8] &= (uint8_t) ~(1u << port % 8);
	return true;
}

static int svm_create(struct vcpu *vcpu)
{
	hpa_t pa = mm_alloc_pages(0, MM_KERNEL);
	struct vmcb *vmcb;

	vcpu->svm = plat_alloc(sizeof(*vcpu->svm), CACHE_LINE);
	if (!vcpu->svm || !pa.v)
		return -ENOMEM;
	vmcb = phys_to_virt(pa);
	vcpu->svm->vmcb = vmcb;
	vcpu->svm->vmcb_pa = pa;
	vcpu->svm->cpu = -1;
	vmcb->intercept_cr = INTERCEPT_CR_WRITE(4) | INTERCEPT_CR_WRITE(8);
	svm_open_cr0(vcpu, false);
	/* An endless #DB or #AC delivery loop hangs a real CPU: XSA-156. */
	vmcb->intercept_exception = 1u << EXC_DB | 1u << EXC_AC | 1u << EXC_MC;
	vmcb->intercept1 = INTERCEPT_INTR | INTERCEPT_NMI | INTERCEPT_SMI |
			   INTERCEPT_INIT | INTERCEPT_RDPMC | INTERCEPT_CPUID |
			   INTERCEPT_INVD | INTERCEPT_HLT | INTERCEPT_INVLPGA |
			   INTERCEPT_IOIO | INTERCEPT_MSR | INTERCEPT_SHUTDOWN;
	vmcb->intercept2 = INTERCEPT_VMRUN | INTERCEPT_VMMCALL |
			   INTERCEPT_VMLOAD | INTERCEPT_VMSAVE |
			   INTERCEPT_STGI | INTERCEPT_CLGI | INTERCEPT_SKINIT |
			   INTERCEPT_WBINVD | INTERCEPT_MONITOR |
			   INTERCEPT_MWAIT | INTERCEPT_XSETBV | INTERCEPT_RDPRU;
	vmcb->iopm_base = virt_to_phys(svm.iopm).v;
	vmcb->msrpm_base = virt_to_phys(svm.msrpm).v;
	vmcb->vintr = V_INTR_MASKING;
	vmcb->np_enable = 1;
	vmcb->n_cr3 = vcpu->vm->npt.root.v;
	return 0;
}

/*
 * ASIDs are given out per CPU and generation: a vCPU that comes to another
 * CPU, or back after the numbers were used up, gets a fresh one, and with a
 * new generation the whole TLB is flushed.
 */
static void svm_load(struct vcpu *vcpu)
{
	struct svm_vcpu *s = vcpu->svm;
	struct svm_cpu *cpu = &svm.cpus[plat_cpu()];

	if (s->cpu == (int)plat_cpu() && s->generation == cpu->generation)
		return;
	s->vmcb->tlb_control = TLB_FLUSH_NONE;
	if (cpu->next_asid >= svm.asid_count) {
		cpu->generation++;
		cpu->next_asid = 1;
	}
	/* The first of a generation flushes what the last one left. */
	if (cpu->next_asid == 1)
		s->vmcb->tlb_control = TLB_FLUSH_ALL;
	s->vmcb->asid = cpu->next_asid++;
	s->generation = cpu->generation;
	s->cpu = (int)plat_cpu();
}

void svm_open_cr0(struct vcpu *vcpu, bool open)
{
	if (!svm.emulated) /* a CPU checks these writes itself */
		return;
	if (open)
		vcpu->svm->vmcb->intercept_cr &= ~INTERCEPT_CR_WRITE(0);
	else
		vcpu->svm->vmcb->intercept_cr |= INTERCEPT_CR_WRITE(0);
}

void svm_flush(struct vcpu *vcpu)
{
	vcpu->svm->vmcb->tlb_control = svm.features & SVM_FEATURE_FLUSH_BY_ASID
					       ? TLB_FLUSH_ASID
					       : TLB_FLUSH_ALL;
}

static void svm_block_events(void)
{
	__asm__ volatile("clgi" ::: "memory");
}

static void svm_unblock_events(void)
{
	__asm__ volatile("stgi" ::: "memory");
}

static uint64_t svm_next_rip(struct vcpu *vcpu)
{
	return svm.features & SVM_FEATURE_NRIP ? vcpu->svm->vmcb->nrip : 0;
}

/* An event whose delivery the exit interrupted is delivered again; a software
 * interrupt or INT3 is not, since rip is still at the instruction. */
static void svm_take_interrupted_event(struct vcpu *vcpu)
{
	uint64_t info = vcpu->svm->vmcb->exitintinfo;
	uint8_t vector = info & EVENT_VECTOR_MASK;
	struct injection *in = &vcpu->injection;

	if (likely(!(info & EVENT_VALID)))
		return;
	switch (info >> EVENT_TYPE_SHIFT & EVENT_TYPE_MASK) {
	case EVENT_TYPE_INTR:
		in->type = INJECT_INTERRUPT;
		in->vector = vector;
		break;
	case EVENT_TYPE_NMI:
		in->type = INJECT_NMI;
		break;
	case EVENT_TYPE_EXCEPTION:
		if (vector == EXC_BP || vector == EXC_OF)
			break;
		in->type = INJECT_EXCEPTION;
		in->exception = (struct exception){
			.vector = vector,
			.has_error = info & EVENT_ERROR_VALID,
			.error = (uint32_t)(info >> 32),
			.address = vcpu->svm->vmcb->cr2,
		};
		break;
	}
}

static void svm_enter(struct vcpu *vcpu, struct exit *exit)
{
	struct svm_vcpu *s = vcpu->svm;
	struct vmcb *vmcb = s->vmcb;
	struct vcpu_state *st = &vcpu->state;
	/* QEMU's VMRUN (7.2) forgets the interrupt shadow: between STI and HLT
	 * an interrupt would go in, and the HLT sleep on. So the shadow's one
	 * instruction is stepped over. */
	bool shadow = svm.emulated && vmcb->shadow & 1 &&
		      !(vmcb->eventinj & EVENT_VALID);

	if (unlikely(shadow)) {
		vmcb->vintr &= ~V_IRQ;
		svm_step(vcpu);
	}
	vmcb->rax = st->gpr[GPR_RAX];
	vmcb->rsp = st->gpr[GPR_RSP];
	vmcb->rip = st->rip;
	vmcb->rflags = st->rflags;
	svm_run_guest(s->vmcb_pa.v, st->gpr, svm.cpus[plat_cpu()].host_vmcb.v);
	/* QEMU's VMRUN with V_IRQ set changes, without a lock, the word in
	 * which its APIC asks for an interrupt (7.2, helper_vmrun()): a request
	 * that comes at that instant is lost. This makes it ask again. */
	if (unlikely(svm.emulated && vcpu->window))
		apic_ask_again();
	if (unlikely(shadow)) {
		if (vcpu->window)
			vmcb->vintr |= V_IRQ;
		if (vmcb->exitcode == SVM_EXIT_INTR && vmcb->rip == st->rip)
			vmcb->shadow = 1; /* it has not run yet */
	}
	st->gpr[GPR_RAX] = vmcb->rax;
	st->gpr[GPR_RSP] = vmcb->rsp;
	st->rip = vmcb->rip;
	st->rflags = vmcb->rflags;
	vmcb->tlb_control = TLB_FLUSH_NONE;
	vmcb->eventinj = 0;
	svm_open_cr0(vcpu, false);
	svm_nmi_exit(vcpu);
	svm_take_interrupted_event(vcpu);
	svm_decode_exit(vcpu, exit);
}

static void svm_inject(struct vcpu *vcpu, const struct injection *what)
{
	struct vmcb *vmcb = vcpu->svm->vmcb;

	switch (what->type) {
	case INJECT_NONE:
		break;
	case INJECT_INTERRUPT:
		vmcb->eventinj = EVENT_VALID | what->vector |
				 EVENT_TYPE_INTR << EVENT_TYPE_SHIFT;
		break;
	case INJECT_NMI:
		svm_nmi_injected(vcpu);
		vmcb->eventinj = EVENT_VALID | EXC_NMI |
				 EVENT_TYPE_NMI << EVENT_TYPE_SHIFT;
		break;
	case INJECT_EXCEPTION:
		if (what->exception.vector == EXC_PF)
			vmcb->cr2 = what->exception.address;
		vmcb->eventinj = EVENT_VALID | what->exception.vector |
				 EVENT_TYPE_EXCEPTION << EVENT_TYPE_SHIFT;
		if (what->exception.has_error)
			vmcb->eventinj |= EVENT_ERROR_VALID |
					  (uint64_t)what->exception.error << 32;
		break;
	}
}

static bool svm_can_interrupt(struct vcpu *vcpu)
{
	return vcpu->state.rflags & RFLAGS_IF && !(vcpu->svm->vmcb->shadow & 1);
}

static void svm_clear_shadow(struct vcpu *vcpu)
{
	vcpu->svm->vmcb->shadow = 0;
}

static void svm_want_window(struct vcpu *vcpu, bool on)
{
	struct vmcb *vmcb = vcpu->svm->vmcb;

	/* A virtual interrupt that is intercepted before it is delivered:
	 * its vector does not matter (15.21.4). */
	if (on) {
		vmcb->intercept1 |= INTERCEPT_VINTR;
		vmcb->vintr |= V_IRQ | V_IGN_TPR | V_INTR_PRIO_MAX;
	} else {
		vmcb->intercept1 &= ~INTERCEPT_VINTR;
		vmcb->vintr &= ~(V_IRQ | V_IGN_TPR | V_INTR_PRIO_MAX);
	}
}

static unsigned svm_npt_level_max(void)
{
	return svm.giant_pages ? 3 : 2;
}

/* Nested entries are ordinary long-mode ones, and always user (15.25.5). */
static uint64_t svm_npt_leaf(hpa_t pa, unsigned level, unsigned rights)
{
	return pa.v | 1 | 4 | (rights & NPT_WRITE ? 2 : 0) |
	       (rights & NPT_EXEC ? 0 : 1ull << 63) | (level > 1 ? 1 << 7 : 0);
}

static uint64_t svm_npt_table(hpa_t pa)
{
	return pa.v | 7;
}

const struct cpu_ops svm_ops = {
	.name = "svm",
	.probe = svm_probe,
	.enable = svm_enable,
	.pass_ports = svm_pass_ports,
	.create = svm_create,
	.load = svm_load,
	.set_state = svm_set_state,
	.sync_state = svm_sync_state,
	.set_tpr = svm_set_tpr,
	.set_efer = svm_set_efer,
	.set_pat = svm_set_pat,
	.set_tsc_offset = svm_set_tsc_offset,
	.set_dr6_bs = svm_set_dr6_bs,
	.get_msr = svm_get_msr,
	.set_msr = svm_set_msr,
	.can_interrupt = svm_can_interrupt,
	.can_nmi = svm_can_nmi,
	.clear_shadow = svm_clear_shadow,
	.inject = svm_inject,
	.want_window = svm_want_window,
	.want_nmi_window = svm_want_nmi_window,
	.next_rip = svm_next_rip,
	.block_events = svm_block_events,
	.unblock_events = svm_unblock_events,
	.enter = svm_enter,
	.npt_level_max = svm_npt_level_max,
	.npt_leaf = svm_npt_leaf,
	.npt_table = svm_npt_table,
};
