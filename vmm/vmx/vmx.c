/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The Intel VMX back end of cpu_ops. */
#include <asm/vmx.h>
#include <linux/errno.h>

#include "vmkernel/cpu/cpu.h"
#include "vmkernel/cpu/regs.h"
#include "vmkernel/mm/mm.h"
#include "vmm/vm.h"
#include "vmm/vmx/vmx_priv.h"

/*
 * Sections are those of the Intel SDM, volume 3C.
 *
 * A VMCS is active on one CPU, and current there from vmx_load() on, until
 * another takes its place. Worlds do not move between CPUs, so it stays where
 * it first ran. What is set from elsewhere (a VM's reset) waits for vmx_load().
 *
 * This has run in an emulator only. What is not here yet:
 *   - hardware task switches of 32-bit guests: the VM is stopped, with the
 *     exit's code in the log;
 *   - a vCPU that moves between CPUs: an assertion;
 *   - threads of one core are not kept apart, as L1TF and MDS would want it.
 *     VERW, the flush of the L1D and the filling of the RSB are there;
 *   - INVVPID is for all contexts at once.
 * Bochs 2.7 departs from a CPU in one point: an interrupt does not end guest
 * mode if the guest's IF is clear, and has been since the entry. A vCPU that
 * loops like that has its CPU for itself there.
 */

#define MSR_FLUSH_CMD 0x10bu
#define L1D_FLUSH     1ull
#define PENDING_DB_BS (1ull << 14) /* 24.4.2, table 24-4 */
#define SHADOW_ANY    (SHADOW_STI | SHADOW_MOV_SS)

_Static_assert(offsetof(struct vcpu_state, gpr) == 0, "enter.S");

bool vmx_run_guest(uint64_t *gpr, bool launched);
extern const char vmx_exit[];

_Noreturn void vmcs_failed(enum vmcs_field field)
{
	plat_panic("vmx: VMCS field 0x%x cannot be accessed", field);
}

bool vmx_is_current(const struct vcpu *vcpu)
{
	return vmx.cpus[plat_cpu()].current == vcpu;
}

static int vmx_create(struct vcpu *vcpu)
{
	static _Atomic uint16_t last_vpid;
	struct vmx_vcpu *x = plat_alloc(sizeof(*x), CACHE_LINE);
	hpa_t vmcs = mm_alloc_pages(0, MM_KERNEL);
	hpa_t apic = mm_alloc_pages(0, MM_KERNEL);

	vcpu->vmx = x;
	if (!x || !vmcs.v || !apic.v)
		return -ENOMEM;
	/* One for each vCPU and not 0, which is the host's (28.1). */
	_Static_assert(SLUICE_VMS_MAX * SLUICE_VCPUS_MAX < UINT16_MAX, "VPID");
	x->vpid = (uint16_t)(__atomic_add_fetch((uint16_t *)&last_vpid, 1,
						__ATOMIC_RELAXED));
	*(uint32_t *)phys_to_virt(vmcs) = vmx.revision;
	x->vmcs = vmcs;
	x->apic_page = phys_to_virt(apic);
	x->cpu = -1;
	x->controls = vmx.cpu;
	return 0;
}

static void vmx_clear(hpa_t vmcs)
{
	bool failed;

	__asm__ volatile("vmclear %1; setna %0"
			 : "=q"(failed)
			 : "m"(vmcs.v)
			 : "cc", "memory");
	ASSERT(!failed);
}

static void vmx_make_current(struct vcpu *vcpu)
{
	struct vmx_cpu *cpu = &vmx.cpus[plat_cpu()];
	struct vmx_vcpu *x = vcpu->vmx;
	bool first = x->cpu < 0, failed;

	if (cpu->current)
		vmx_save_msrs(cpu->current);
	if (first)
		vmx_clear(x->vmcs); /* 24.11.3: before its first use */
	ASSERT(first || x->cpu == (int)plat_cpu());
	__asm__ volatile("vmptrld %1; setna %0"
			 : "=q"(failed)
			 : "m"(x->vmcs.v)
			 : "cc", "memory");
	ASSERT(!failed);
	cpu->current = vcpu;
	x->cpu = (int)plat_cpu();
	if (first) {
		vmx_init_vmcs(vcpu);
		vmcs_write(VMCS_HOST_RIP, (uint64_t)vmx_exit);
	}
	vmx_load_msrs(vcpu);
}

static void vmx_load(struct vcpu *vcpu)
{
	if (!vmx_is_current(vcpu))
		vmx_make_current(vcpu);
	if (unlikely(vcpu->vmx->stale))
		vmx_apply_state(vcpu);
}

/* C code runs with interrupts off, and what arrives is kept by the local APIC:
 * it ends the entry at once (25.2). There is no GIF, so an NMI is taken: its
 * handler does not return (vmkernel/cpu/traps.c). */
static void vmx_block_events(void)
{
}

static void vmx_unblock_events(void)
{
}

/* An event whose delivery the exit interrupted is delivered again; a software
 * interrupt or INT3 is not, since rip is still at the instruction (27.2.4). */
static void vmx_take_interrupted_event(struct vcpu *vcpu)
{
	uint32_t info = (uint32_t)vmcs_read(VMCS_IDT_EVENT);
	struct injection *in = &vcpu->injection;
	uint8_t vector = info & EVENT_VECTOR;

	if (likely(!(info & EVENT_VALID)))
		return;
	switch (EVENT_TYPE(info) << 8) {
	case EVENT_INTERRUPT:
		in->type = INJECT_INTERRUPT;
		in->vector = vector;
		break;
	case EVENT_NMI:
		in->type = INJECT_NMI;
		break;
	case EVENT_EXCEPTION:
		in->type = INJECT_EXCEPTION;
		in->exception = (struct exception){
			.vector = vector,
			.has_error = info & EVENT_ERROR_VALID,
			.address = vcpu->state.cr2,
		};
		if (in->exception.has_error)
			in->exception.error =
				(uint32_t)vmcs_read(VMCS_IDT_ERROR);
		break;
	}
}

static void vmx_prepare(struct vcpu *vcpu)
{
	const struct vcpu_state *s = &vcpu->state;

	vmcs_write(VMCS_GUEST_RIP, s->rip);
	vmcs_write(VMCS_GUEST_RSP, s->gpr[GPR_RSP]);
	vmcs_write(VMCS_GUEST_RFLAGS, s->rflags);
	/* 26.3.1.5: under a shadow the owed single step must be said. */
	if (unlikely(s->rflags & RFLAGS_TF) &&
	    vmcs_read(VMCS_GUEST_SHADOW) & SHADOW_ANY)
		vmcs_write(VMCS_GUEST_PENDING_DB,
			   vmcs_read(VMCS_GUEST_PENDING_DB) | PENDING_DB_BS);
	if (read_cr2() != s->cr2)
		write_cr2(s->cr2);
	if (vmx.flush_l1d)
		wrmsr(MSR_FLUSH_CMD, L1D_FLUSH);
}

static void vmx_enter(struct vcpu *vcpu, struct exit *exit)
{
	struct vmx_vcpu *x = vcpu->vmx;
	struct vcpu_state *s = &vcpu->state;
	uint32_t reason;

	vmx_prepare(vcpu);
	if (unlikely(!vmx_run_guest(s->gpr, x->launched))) {
		exit->reason = EXIT_INVALID;
		exit->code = vmcs_read(VMCS_INSTRUCTION_ERROR);
		log_error(vcpu->name, "VM entry fails with error %lu",
			  exit->code); /* 30.4 */
		return;
	}
	s->cr2 = read_cr2();
	s->rip = vmcs_read(VMCS_GUEST_RIP);
	s->gpr[GPR_RSP] = vmcs_read(VMCS_GUEST_RSP);
	s->rflags = vmcs_read(VMCS_GUEST_RFLAGS);
	reason = (uint32_t)vmcs_read(VMCS_EXIT_REASON);
	/* One that failed over the guest's state has launched nothing (26.8).
	 */
	x->launched |= !(reason & VMX_EXIT_REASONS_FAILED_VMENTRY);
	vmx_take_interrupted_event(vcpu);
	vmx_decode_exit(vcpu, reason, exit);
}

static void vmx_inject(struct vcpu *vcpu, const struct injection *what)
{
	uint32_t event = EVENT_VALID;

	switch (what->type) {
	case INJECT_NONE:
		return;
	case INJECT_INTERRUPT:
		event |= EVENT_INTERRUPT | what->vector;
		break;
	case INJECT_NMI:
		event |= EVENT_NMI | EXC_NMI;
		/* The entry blocks NMIs; one whose delivery is tried again
		 * has done so already (26.3.1.5). */
		vmcs_write(VMCS_GUEST_SHADOW,
			   vmcs_read(VMCS_GUEST_SHADOW) & ~SHADOW_NMI);
		break;
	case INJECT_EXCEPTION:
		if (what->exception.vector == EXC_PF)
			vcpu->state.cr2 = what->exception.address;
		event |= EVENT_EXCEPTION | what->exception.vector;
		/* Real mode pushes none (26.2.1.3). */
		if (what->exception.has_error &&
		    vmcs_read(VMCS_GUEST_CR0) & CR0_PE) {
			event |= EVENT_ERROR_VALID;
			vmcs_write(VMCS_ENTRY_ERROR, what->exception.error);
		}
		break;
	}
	vmcs_write(VMCS_ENTRY_EVENT, event);
}

static bool vmx_can_interrupt(struct vcpu *vcpu)
{
	return vcpu->state.rflags & RFLAGS_IF &&
	       !(vmcs_read(VMCS_GUEST_SHADOW) & SHADOW_ANY);
}

static bool vmx_can_nmi(struct vcpu *vcpu)
{
	return !(vmcs_read(VMCS_GUEST_SHADOW) & (SHADOW_ANY | SHADOW_NMI));
}

static void vmx_clear_shadow(struct vcpu *vcpu)
{
	uint64_t shadow = vmcs_read(VMCS_GUEST_SHADOW);

	if (shadow & SHADOW_ANY)
		vmcs_write(VMCS_GUEST_SHADOW, shadow & ~(uint64_t)SHADOW_ANY);
}

static void vmx_want_window(struct vcpu *vcpu, bool on)
{
	struct vmx_vcpu *x = vcpu->vmx;

	if (on)
		x->controls |= CPU_IRQ_WINDOW;
	else
		x->controls &= ~CPU_IRQ_WINDOW;
	vmcs_write(VMCS_CPU_CONTROLS, x->controls);
}

/* At the handler's IRET, or after the shadow: the exit turns it off. */
static void vmx_want_nmi_window(struct vcpu *vcpu)
{
	struct vmx_vcpu *x = vcpu->vmx;

	x->controls |= CPU_NMI_WINDOW;
	vmcs_write(VMCS_CPU_CONTROLS, x->controls);
}

static unsigned vmx_npt_level_max(void)
{
	return vmx.giant_pages ? 3 : 2;
}

/* The guest's own PAT applies on top of write-back (28.2.7.2). */
static uint64_t vmx_npt_leaf(hpa_t pa, unsigned level, unsigned rights)
{
	return pa.v | EPT_WRITE_BACK | (rights & NPT_READ ? EPT_READ : 0) |
	       (rights & NPT_WRITE ? EPT_WRITE : 0) |
	       (rights & NPT_EXEC ? EPT_EXEC : 0) | (level > 1 ? EPT_LEAF : 0);
}

static uint64_t vmx_npt_table(hpa_t pa)
{
	return pa.v | EPT_READ | EPT_WRITE | EPT_EXEC;
}

/* There are no I/O bitmaps: unconditional I/O exiting (24.6.2). */
static bool vmx_pass_ports(uint16_t first, unsigned count)
{
	return false;
}

const struct cpu_ops vmx_ops = {
	.name = "vmx",
	.probe = vmx_probe,
	.enable = vmx_enable,
	.pass_ports = vmx_pass_ports,
	.create = vmx_create,
	.load = vmx_load,
	.set_state = vmx_set_state,
	.sync_state = vmx_sync_state,
	.set_tpr = vmx_set_tpr,
	.set_efer = vmx_set_efer,
	.set_pat = vmx_set_pat,
	.set_tsc_offset = vmx_set_tsc_offset,
	.set_dr6_bs = vmx_set_dr6_bs,
	.get_msr = vmx_get_msr,
	.set_msr = vmx_set_msr,
	.can_interrupt = vmx_can_interrupt,
	.can_nmi = vmx_can_nmi,
	.clear_shadow = vmx_clear_shadow,
	.inject = vmx_inject,
	.want_window = vmx_want_window,
	.want_nmi_window = vmx_want_nmi_window,
	.next_rip = vmx_next_rip,
	.block_events = vmx_block_events,
	.unblock_events = vmx_unblock_events,
	.enter = vmx_enter,
	.npt_level_max = vmx_npt_level_max,
	.npt_leaf = vmx_npt_leaf,
	.npt_table = vmx_npt_table,
};
