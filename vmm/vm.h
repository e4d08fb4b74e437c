/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A virtual machine: memory, vCPUs, devices, life cycle. */
#ifndef VMM_VM_H
#define VMM_VM_H

#include "lib/bundle.h"
#include "vmm/dev/device.h"
#include "vmm/dev/ioapic.h"
#include "vmm/dev/pci.h"
#include "vmm/dev/pic.h"
#include "vmm/dev/pit.h"
#include "vmm/dev/pmtimer.h"
#include "vmm/dev/rtc.h"
#include "vmm/dev/uart.h"
#include "vmm/dev/vnet.h"
#include "vmm/npt.h"
#include "vmm/vcpu.h"

/*
 * Life cycle. vm_create() makes everything and leaves the VM off; vm_start()
 * loads the kernel and wakes vCPU 0. Any vCPU may ask for vm_stop() (power-off,
 * triple fault): every vCPU is asked to stop, and the last one to do so
 * finishes on its CPU: devices are reset, and when nothing of the VM is in
 * flight it is off (or starts again, for a reset).
 */
enum vm_state {
	VM_OFF,
	VM_RUNNING,
	VM_STOPPING,
	VM_CRASHED
};

enum vm_stop_reason {
	VM_POWER_OFF,
	VM_RESET,
	VM_CRASH
};

struct vm_nic {
	struct vnet *vnet;
};

/* (l) lock; (c) constant after vm_create(). */
struct vm {
	char name[SLUICE_NAME_SIZE];	/* (c) */
	unsigned index;			/* (c) */
	const struct sluice_vm *config; /* (c) */
	const struct bundle *bundle;	/* (c) */
	struct lock lock;
	_Atomic enum vm_state state;	 /* written under (l) */
	enum vm_stop_reason stop_reason; /* (l) */
	unsigned running;		 /* (l) vCPUs not yet stopped */
	struct guest_mem mem;		 /* (c) */
	struct npt npt;			 /* (c) after creation */
	struct account account;
	struct vcpu *vcpus[SLUICE_VCPUS_MAX]; /* (c) */
	unsigned vcpu_count;		      /* (c) */
	struct lapic_set apics;		      /* (c) */
	struct ioapic ioapic;
	struct pci_bus pci;
	struct uart uart;
	struct rtc rtc;
	struct pmtimer pmtimer;
	struct pic pic;
	struct pit pit;
	struct pvclock_base clock;	     /* constant while the VM runs */
	struct vm_nic nics[SLUICE_NICS_MAX]; /* (c) */
	unsigned nic_count;		     /* (c) */
	int64_t tsc_offset;		     /* guest TSC = host TSC + this */
	struct work stop_work;
	struct timer stop_timer;
	uint64_t bad_io, bad_mmio, bad_msrs; /* (a) nobody answers there */
};

/* Makes all VMs of the bundle; logs what is wrong with one and leaves it
 * out. Returns how many there are. */
unsigned vm_create_all(const struct bundle *bundle);
void vm_start_all(void);
/* Asks the VM to stop. Any CPU; the first reason counts. */
void vm_stop(struct vm *vm, enum vm_stop_reason why);
/* The guest has gone beyond help: logs why and its registers, stops the VM. */
void vm_crash(struct vcpu *vcpu, const char *why);
/* From the run loop: this vCPU has seen the request. */
void vm_vcpu_stopped(struct vm *vm);

unsigned vm_count(void);
struct vm *vm_at(unsigned index);
const char *vm_state_name(const struct vm *vm);
uint64_t vm_exit_count(const struct vm *vm, enum exit_reason reason);
uint64_t vm_interrupts(const struct vm *vm);

#endif
