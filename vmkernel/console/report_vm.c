/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One virtual machine's part of the report: exits, and what it did wrong. */
#include "vmkernel/console/report_vm.h"

#include "lib/fmt.h"
#include "vmm/vm.h"

#define FAULT_NAME_MAX 40

/* Only those that happened. */
static void report_count(struct json *json, const char *name, uint64_t count)
{
	if (count)
		json_u64(json, name, count);
}

static void report_queue_faults(struct json *json, const char *queue,
				const uint64_t *faults)
{
	char name[FAULT_NAME_MAX];

	for (unsigned i = 0; i < VIRTQUEUE_FAULT_COUNT; i++) {
		fmt_snprintf(name, sizeof(name), "%s_%s", queue,
			     virtqueue_fault_names[i]);
		report_count(json, name, faults[i]);
	}
}

/* Over all of its network cards. */
static void report_nic_faults(struct json *json, const struct vm *vm)
{
	uint64_t tx[VIRTQUEUE_FAULT_COUNT] = {0};
	uint64_t rx[VIRTQUEUE_FAULT_COUNT] = {0};
	uint64_t ctrl[VIRTQUEUE_FAULT_COUNT] = {0};
	struct vnet_stats stats;

	for (unsigned n = 0; n < vm->nic_count; n++) {
		vnet_stats(vm->nics[n].vnet, &stats);
		for (unsigned i = 0; i < VIRTQUEUE_FAULT_COUNT; i++) {
			tx[i] += stats.tx_faults[i];
			rx[i] += stats.rx_faults[i];
			ctrl[i] += stats.ctrl_faults[i];
		}
	}
	report_queue_faults(json, "tx", tx);
	report_queue_faults(json, "rx", rx);
	report_queue_faults(json, "ctrl", ctrl);
}

static void report_faults(struct json *json, const struct vm *vm)
{
	uint64_t apic_access = 0;

	for (unsigned i = 0; i < vm->vcpu_count; i++)
		apic_access += READ_ONCE(vm->vcpus[i]->lapic.bad_access);
	json_object(json, "faults");
	report_count(json, "io", READ_ONCE(vm->bad_io));
	report_count(json, "mmio", READ_ONCE(vm->bad_mmio));
	report_count(json, "msr", READ_ONCE(vm->bad_msrs));
	report_count(json, "msi", READ_ONCE(vm->apics.bad_msi));
	report_count(json, "ipi", READ_ONCE(vm->apics.bad_ipi));
	report_count(json, "no_target", READ_ONCE(vm->apics.no_target));
	report_count(json, "apic_access", apic_access);
	report_count(json, "ioapic_access", READ_ONCE(vm->ioapic.bad_access));
	report_count(json, "ioapic_entry", READ_ONCE(vm->ioapic.bad_entry));
	report_nic_faults(json, vm);
	json_end(json);
}

void report_vm(struct json *json, struct vm *vm)
{
	json_object(json, NULL);
	json_string(json, "name", vm_name(vm));
	json_string(json, "state", vm_state_name(vm));
	json_object(json, "exits");
	for (unsigned r = 0; r < EXIT_REASON_COUNT; r++)
		report_count(json, exit_names[r],
			     vm_exit_count(vm, (enum exit_reason)r));
	json_end(json);
	report_faults(json, vm);
	json_u64(json, "interrupts", vm_interrupts(vm));
	json_end(json);
}
