/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Between the files of the VMX back end. */
#ifndef VMM_VMX_VMX_PRIV_H
#define VMM_VMX_VMX_PRIV_H

#include "plat/plat.h"
#include "vmm/exit.h"
#include "vmm/vmx/vmcs.h"

struct vcpu;

/* MSRs of the guest that neither entry nor exit touches. The VMkernel uses
 * none of them, so they stay with the vCPU that is loaded. */
enum vmx_msr {
	VMX_STAR,
	VMX_LSTAR,
	VMX_CSTAR,
	VMX_SFMASK,
	VMX_KERNEL_GS_BASE,
	VMX_MSR_COUNT
};

struct vmx_vcpu {
	hpa_t vmcs;
	uint32_t *apic_page; /* of it, only VTPR is used */
	int cpu;	     /* where the VMCS is active; -1: nowhere */
	bool launched;
	/* What was set while the VMCS was not current: vcpu->state, pat and
	 * tsc_offset go into it when it is. */
	bool stale;
	uint16_t vpid;
	uint32_t controls; /* VMCS_CPU_CONTROLS */
	uint64_t pat, tsc_offset;
	uint64_t cr4_valid, cr4_guest;	   /* vmx_cr.c */
	uint64_t msrs[VMX_MSR_COUNT], dr6; /* while another is loaded */
};

struct vmx_cpu {
	hpa_t vmxon;
	struct vcpu *current; /* whose VMCS, MSRs and DR6 are in this CPU */
} CACHE_ALIGNED;

struct vmx {
	uint32_t revision;
	uint32_t pin, cpu, cpu2, exit, entry; /* controls */
	bool giant_pages;
	bool flush_l1d;
	uint8_t *msr_bitmap;
	struct vmx_cpu cpus[PLAT_CPUS_MAX];
};
extern struct vmx vmx;

/* Is the vCPU's VMCS the one that vmcs_read() and vmcs_write() reach? */
bool vmx_is_current(const struct vcpu *vcpu);

/* A field that does not exist, or no current VMCS: our own mistake. */
_Noreturn void vmcs_failed(enum vmcs_field field);

static inline uint64_t vmcs_read(enum vmcs_field field)
{
	uint64_t value;
	bool failed;

	__asm__ volatile("vmread %2, %0; setna %1"
			 : "=r"(value), "=q"(failed)
			 : "r"((uint64_t)field)
			 : "cc", "memory");
	if (unlikely(failed))
		vmcs_failed(field);
	return value;
}

static inline void vmcs_write(enum vmcs_field field, uint64_t value)
{
	bool failed;

	__asm__ volatile("vmwrite %1, %2; setna %0"
			 : "=q"(failed)
			 : "r"(value), "r"((uint64_t)field)
			 : "cc", "memory");
	if (unlikely(failed))
		vmcs_failed(field);
}

/* vmx_probe.c */
const char *vmx_probe(void);
int vmx_enable(void);
void vmx_invalidate_ept(void);	/* all of this CPU's */
void vmx_invalidate_vpid(void); /* all of this CPU's */

/* vmx_exit.c */
void vmx_decode_exit(struct vcpu *vcpu, uint32_t reason, struct exit *exit);
uint64_t vmx_next_rip(struct vcpu *vcpu);

/* vmx_cr.c */
void vmx_init_cr(struct vcpu *vcpu);
void vmx_put_cr(struct vcpu *vcpu);
void vmx_get_cr(struct vcpu *vcpu);
/* A MOV to CR0 or CR4 has exited: EXIT_RETRY, or EXIT_PRIVILEGED. */
enum exit_reason vmx_write_cr(struct vcpu *vcpu, unsigned cr, uint64_t value);

/* vmx_state.c */
void vmx_init_vmcs(struct vcpu *vcpu); /* what never changes */
void vmx_apply_state(struct vcpu *vcpu);
void vmx_load_msrs(struct vcpu *vcpu);
void vmx_save_msrs(struct vcpu *vcpu);
void vmx_set_state(struct vcpu *vcpu);
void vmx_sync_state(struct vcpu *vcpu);
void vmx_set_tpr(struct vcpu *vcpu, uint8_t cr8);
void vmx_set_efer(struct vcpu *vcpu, uint64_t efer);
void vmx_set_pat(struct vcpu *vcpu, uint64_t pat);
void vmx_set_tsc_offset(struct vcpu *vcpu, uint64_t offset);
void vmx_set_dr6_bs(struct vcpu *vcpu);
bool vmx_get_msr(struct vcpu *vcpu, uint32_t msr, uint64_t *value);
bool vmx_set_msr(struct vcpu *vcpu, uint32_t msr, uint64_t value);
/* Opens the MSRs that the policy passes through. */
void vmx_open_msrs(uint8_t *bitmap);

#endif
