/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The cpu_ops seam: what a hardware virtualization back end provides. */
#ifndef VMM_CPU_OPS_H
#define VMM_CPU_OPS_H

#include "vmm/exit.h"

struct vcpu;

/* Rights of a nested-paging mapping. */
enum npt_rights {
	NPT_READ = 1,
	NPT_WRITE = 2,
	NPT_EXEC = 4
};

/* An event to deliver at the next entry. */
struct injection {
	enum {
		INJECT_NONE,
		INJECT_INTERRUPT,
		INJECT_NMI,
		INJECT_EXCEPTION
	} type;
	struct exception exception; /* INJECT_EXCEPTION */
	uint8_t vector;		    /* INJECT_INTERRUPT */
};

/*
 * Calls for a vCPU happen on the CPU it is loaded on. Exceptions are create,
 * and, while it does not run, what a VM's reset sets from any CPU: set_state,
 * set_pat, set_tsc_offset. State is exchanged through vcpu->state: general
 * registers, rip and rflags at every exit, the rest by sync_state().
 */
struct cpu_ops {
	const char *name;
	/* Is it there and usable? NULL; cpu_ops_absent; or, where it is there,
	 * a sentence that says why it is not usable and what to do. */
	const char *(*probe)(void);
	/* Turns it on, on the calling CPU. 0 or -errno. */
	int (*enable)(void);
	/* From now on guests reach these ports of the machine itself, without
	 * an exit. After enable(), before any vCPU runs. False: each port
	 * exits here. */
	bool (*pass_ports)(uint16_t first, unsigned count);
	/* 0 or -ENOMEM. */
	int (*create)(struct vcpu *vcpu);
	/* The vCPU comes to this CPU: whatever entry assumes. */
	void (*load)(struct vcpu *vcpu);
	/* vcpu->state, all of it, becomes the guest's (reset, start-up). */
	void (*set_state)(struct vcpu *vcpu);
	/* Control registers and segments into vcpu->state. */
	void (*sync_state)(struct vcpu *vcpu);
	/* What a guest's read of CR8 gives; its writes exit. */
	void (*set_tpr)(struct vcpu *vcpu, uint8_t cr8);
	void (*set_efer)(struct vcpu *vcpu, uint64_t efer);
	void (*set_pat)(struct vcpu *vcpu, uint64_t pat);
	void (*set_tsc_offset)(struct vcpu *vcpu, uint64_t offset);
	/* DR6.BS, for a single-step trap. */
	void (*set_dr6_bs)(struct vcpu *vcpu);
	/* Of the MSRs that entry switches; false: not one of them. */
	bool (*get_msr)(struct vcpu *vcpu, uint32_t msr, uint64_t *value);
	bool (*set_msr)(struct vcpu *vcpu, uint32_t msr, uint64_t value);
	/* Could it take a maskable interrupt right now? */
	bool (*can_interrupt)(struct vcpu *vcpu);
	bool (*can_nmi)(struct vcpu *vcpu);
	/* An instruction was emulated: its interrupt shadow is over. */
	void (*clear_shadow)(struct vcpu *vcpu);
	void (*inject)(struct vcpu *vcpu, const struct injection *what);
	/* Exit with EXIT_IRQ_WINDOW as soon as it can. */
	void (*want_window)(struct vcpu *vcpu, bool on);
	/* The same, once, for an NMI that can_nmi() keeps out. */
	void (*want_nmi_window)(struct vcpu *vcpu);
	/* The exit's NRIP, or 0 where the CPU does not tell. */
	uint64_t (*next_rip)(struct vcpu *vcpu);
	/*
	 * GIF off, then on (SVM), or interrupts off (VMX): between them nothing
	 * is taken, and what arrives ends the entry at once.
	 */
	void (*block_events)(void);
	void (*unblock_events)(void);
	/* Runs the guest until it exits. Events are blocked. */
	void (*enter)(struct vcpu *vcpu, struct exit *exit);
	/* The largest leaf: 2 (2 MiB) or 3 (1 GiB). */
	unsigned (*npt_level_max)(void);
	/* One nested-paging entry. level 1 (4 KiB) to 3; leaf or table. */
	uint64_t (*npt_leaf)(hpa_t pa, unsigned level, unsigned rights);
	uint64_t (*npt_table)(hpa_t pa);
};

extern const struct cpu_ops svm_ops, vmx_ops;
extern const char cpu_ops_absent[];
/* Chosen at boot; NULL until then. */
extern const struct cpu_ops *cpu_ops;
/* Chooses it: NULL, or why none can be used. */
const char *cpu_ops_choose(void);

#endif
