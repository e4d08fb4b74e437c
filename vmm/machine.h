/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The devices around a VM's vCPUs, for vm.c. */
#ifndef VMM_MACHINE_H
#define VMM_MACHINE_H

#include "vmm/vm.h"

/* Once, before the first VM is made: what all VMs have of this machine. */
void machine_init(void);
/* Makes the platform devices and the configured NICs. 0 or -errno, logged. */
int machine_create_devices(struct vm *vm);
int machine_build_acpi(struct vm *vm, gpa_t *rsdp);
/* BIOS services, and at the reset vector code that resets the VM. */
int machine_write_bios(struct vm *vm);
/* Time 0 of the VM's clock is now. */
void machine_start_clock(struct vm *vm);
/* Power-on state of all devices; no vCPU runs. */
void machine_reset_devices(struct vm *vm);
/* Is nothing of the VM's memory lent to a NIC or a neighbour? */
bool machine_quiet(struct vm *vm);
/* The VM has come to rest in this state. */
void machine_vm_off(struct vm *vm, enum vm_state state);
/* Every VM is off; implemented by vmkernel/boot/main.c. */
void machine_all_off(void);
/* The switch that an uplink of the configuration leads to; implemented by
 * vmkernel/boot/network.c. */
struct vswitch *machine_network(uint32_t uplink);
/* A port has come or gone: NIC filters follow. */
void machine_network_changed(uint32_t uplink);

#endif
