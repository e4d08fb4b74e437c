/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Does a configuration fit the machine it is meant for? */
#include "tools/machine.h"
#include "tools/value.h"

/* What the hypervisor keeps for itself: image, page tables, packet pool. */
#define MACHINE_OWN_MEMORY MiB(64)

uint64_t machine_vm_memory(const struct plan *p)
{
	uint64_t sum = 0;

	for (uint32_t i = 0; i < p->config.vm_count; i++)
		sum += p->vms[i].memory;
	return sum;
}

unsigned machine_vm_cpus(const struct plan *p)
{
	unsigned most = 0;

	for (uint32_t i = 0; i < p->config.vm_count; i++)
		most = MAX(most, p->vms[i].cpus);
	return most;
}

int machine_check(const struct plan *p, unsigned cpus, uint64_t memory,
		  uint64_t bundle_size, struct fault *f)
{
	char given[VALUE_SIZE_TEXT], needed[VALUE_SIZE_TEXT];
	uint64_t sum = ALIGN_UP(MACHINE_OWN_MEMORY + bundle_size, MiB(1));
	uint64_t all = sum + machine_vm_memory(p);

	for (uint32_t i = 0; i < p->config.vm_count; i++) {
		const struct sluice_vm *vm = &p->vms[i];

		if (cpus && vm->cpus > cpus)
			return fault_input(
				f, doc_line(&p->doc, "vms[%u].cpus", i),
				"VM '%s' has %u CPUs but the machine has %u; "
				"give the VM fewer or the machine more "
				"(--cpus)",
				vm->name, vm->cpus, cpus);
		sum += vm->memory;
		if (memory && sum > memory)
			return fault_input(
				f, doc_line(&p->doc, "vms[%u].memory", i),
				"the memory of VM '%s' exceeds the machine's "
				"%s; all VMs, the bundle and Sluice itself "
				"need %s: give VMs less or the machine more "
				"(--memory)",
				vm->name, value_format_size(memory, given),
				value_format_size(all, needed));
	}
	return 0;
}
