/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The run loop: into the guest, out of it, and what lies between. */
#include "vmkernel/cpu/cpu.h"
#include "vmm/vm.h"

/*
 * One pass of world_run():
 *   1. take what others ask of the vCPU (INIT, start-up, NMI, stop);
 *   2. block events; say that this CPU is in a guest; look for events once
 *      more (whoever makes one after this look sends a kick);
 *   3. inject what is pending, enter, exit;
 *   4. unblock events, handle the exit.
 * Physical interrupts are taken in sched_events(), right after the exit they
 * caused: the NIC's handler runs here, and the interrupt it raises for this
 * very guest goes in at step 3 of the next pass.
 */

/* False: the vCPU has stopped. Then its VM may be started anew, by another CPU,
 * from now on: it is not to be looked at any more. */
static bool run_requests(struct vcpu *vcpu)
{
	uint32_t asked = __atomic_exchange_n((uint32_t *)&vcpu->requests, 0,
					     __ATOMIC_SEQ_CST);

	if (asked & VCPU_REQUEST_STOP) {
		vcpu->run = VCPU_OFF;
		cpu_this()->loaded = NULL; /* nothing worth saving */
		vm_vcpu_stopped(vcpu->vm);
		return false;
	}
	if (vcpu->run == VCPU_OFF)
		return true;
	if (asked & VCPU_REQUEST_INIT)
		vcpu_init_signal(vcpu);
	if (asked & VCPU_REQUEST_SIPI)
		vcpu_startup(vcpu, vcpu->sipi_vector);
	if (asked & VCPU_REQUEST_NMI)
		vcpu->nmi_pending = true;
	return true;
}

/* What waits for the guest: the local APIC's vector, or the 8259's. */
#define RUN_NOTHING (-1)
#define RUN_EXTINT  0x100 /* its vector is only known when acknowledged */

static int run_pending(struct vcpu *vcpu)
{
	int vector = lapic_pending(&vcpu->lapic);

	if (vector < 0 && unlikely(pic_pending(&vcpu->vm->pic)) &&
	    vcpu->index == 0 && lapic_takes_extint(&vcpu->lapic))
		return RUN_EXTINT;
	return vector;
}

static void run_inject_interrupt(struct vcpu *vcpu, int pending)
{
	uint8_t vector = pending == RUN_EXTINT ? pic_acknowledge(&vcpu->vm->pic)
					       : (uint8_t)pending;

	cpu_ops->inject(vcpu, &(struct injection){
				      .type = INJECT_INTERRUPT,
				      .vector = vector,
			      });
	if (pending != RUN_EXTINT)
		lapic_accept(&vcpu->lapic, vector);
	vcpu->injected++;
}

/* Chooses the event for this entry. An exception, or an event whose delivery
 * an exit interrupted, waits in vcpu->injection and goes first. */
static void run_inject(struct vcpu *vcpu)
{
	int pending = run_pending(vcpu);

	if (unlikely(vcpu->injection.type != INJECT_NONE)) {
		cpu_ops->inject(vcpu, &vcpu->injection);
		vcpu->injection.type = INJECT_NONE;
	} else if (unlikely(vcpu->nmi_pending) && cpu_ops->can_nmi(vcpu)) {
		vcpu->nmi_pending = false;
		cpu_ops->inject(vcpu, &(struct injection){.type = INJECT_NMI});
	} else if (pending != RUN_NOTHING && cpu_ops->can_interrupt(vcpu)) {
		run_inject_interrupt(vcpu, pending);
		pending = run_pending(vcpu);
	}
	if (vcpu->window != (pending != RUN_NOTHING)) {
		vcpu->window = pending != RUN_NOTHING;
		cpu_ops->want_window(vcpu, vcpu->window);
	}
	if (unlikely(vcpu->nmi_pending))
		cpu_ops->want_nmi_window(vcpu);
	cpu_ops->set_tpr(vcpu, lapic_get_tpr(&vcpu->lapic));
}

static bool run_must_look(const struct vcpu *vcpu)
{
	return sched_must_yield() || sched_events_pending() ||
	       vcpu->requests != 0;
}

/* A halted vCPU with interrupts off hears only of an NMI (SDM 2, HLT). */
static bool run_wakes(struct vcpu *vcpu)
{
	return vcpu->nmi_pending || vcpu->injection.type != INJECT_NONE ||
	       (run_pending(vcpu) != RUN_NOTHING &&
		cpu_ops->can_interrupt(vcpu));
}

enum world_result world_run(struct world *world)
{
	struct vcpu *vcpu = container_of(world, struct vcpu, world);
	struct cpu *cpu = cpu_this();
	struct exit exit;

	vcpu_switch_in(vcpu);
	for (;;) {
		if (unlikely(vcpu->requests) && !run_requests(vcpu))
			return WORLD_BLOCK;
		if (vcpu->run == VCPU_HALTED && run_wakes(vcpu))
			vcpu->run = VCPU_RUNNING;
		if (vcpu->run != VCPU_RUNNING)
			return WORLD_BLOCK;
		cpu_ops->block_events();
		cpu->in_guest = true;
		/* Before the last look; see sched.c. */
		__atomic_thread_fence(__ATOMIC_SEQ_CST);
		if (unlikely(run_must_look(vcpu))) {
			cpu->in_guest = false;
			cpu_ops->unblock_events();
			sched_events();
			if (sched_must_yield())
				return WORLD_YIELD;
			continue;
		}
		run_inject(vcpu);
		vcpu->state_synced = false;
		cpu_ops->enter(vcpu, &exit);
		cpu->in_guest = false;
		cpu_ops->unblock_events();
		vcpu->exits[exit.reason]++;
		if (exit.reason == EXIT_INTERRUPT)
			sched_events();
		else
			exits_handle(vcpu, &exit);
	}
}
