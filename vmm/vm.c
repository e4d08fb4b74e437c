/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A virtual machine's life: made, started, stopped, started again. */
#include "vmm/vm.h"

#include <linux/errno.h>
#include <string.h>

#include "lib/fmt.h"
#include "vmkernel/cpu/cpu.h"
#include "vmkernel/irq/time.h"
#include "vmkernel/mm/mm.h"
#include "vmm/load/loader.h"
#include "vmm/machine.h"

/* How often a stopping VM looks whether its frames have come back. */
#define VM_DRAIN_NS 1000000ull

static struct vm *vms[SLUICE_VMS_MAX];
static unsigned vms_count;
static _Atomic unsigned vms_on; /* running or stopping */
static bool payload_checked[SLUICE_BUNDLE_PAYLOADS_MAX];

unsigned vm_count(void)
{
	return vms_count;
}

struct vm *vm_at(unsigned index)
{
	return vms[index];
}

const char *vm_name(const struct vm *vm)
{
	return vm->name;
}

const struct guest_mem *vm_memory(const struct vm *vm)
{
	return &vm->mem;
}

struct account *vm_account(struct vm *vm)
{
	return &vm->account;
}

void vm_deliver_msi(struct vm *vm, uint64_t address, uint32_t data)
{
	lapic_deliver_msi(&vm->apics, address, data);
}

void vm_set_gsi(struct vm *vm, unsigned gsi, bool level)
{
	ioapic_set_line(&vm->ioapic, gsi, level);
	/* The lines of a PC's board lead to both. */
	pic_set_line(&vm->pic, gsi, level);
}

const char *vm_state_name(const struct vm *vm)
{
	static const char *const names[] = {
		[VM_OFF] = "off",
		[VM_RUNNING] = "running",
		[VM_STOPPING] = "stopping",
		[VM_CRASHED] = "crashed",
	};

	return names[vm->state];
}

uint64_t vm_exit_count(const struct vm *vm, enum exit_reason reason)
{
	uint64_t sum = 0;

	for (unsigned i = 0; i < vm->vcpu_count; i++)
		sum += READ_ONCE(vm->vcpus[i]->exits[reason]);
	return sum;
}

uint64_t vm_interrupts(const struct vm *vm)
{
	uint64_t sum = 0;

	for (unsigned i = 0; i < vm->vcpu_count; i++)
		sum += READ_ONCE(vm->vcpus[i]->injected);
	return sum;
}

/* Hashing goes at some 25 MB/s on an emulated CPU: say what takes so long. */
#define VM_PAYLOAD_LARGE MiB(64)

/* Is the payload what `sluice build` hashed? Each is checked once. */
static bool vm_payload_intact(const struct bundle *bundle, uint32_t index)
{
	uint64_t size;

	bundle_payload(bundle, index, &size);
	if (!payload_checked[index] && size >= VM_PAYLOAD_LARGE)
		log_info("boot", "checking %s, %lu MiB",
			 bundle->payloads[index].name, size >> 20);
	if (!payload_checked[index])
		payload_checked[index] = bundle_payload_intact(bundle, index);
	return payload_checked[index];
}

/* Puts the kernel into zeroed memory and vCPU 0 at its entry. */
static int vm_load(struct vm *vm)
{
	const struct bundle *b = vm->bundle;
	struct loader_request rq = {
		.mem = &vm->mem,
		.cmdline = bundle_cmdline(b, vm->config),
	};
	const char *why = NULL;
	int error;

	rq.kernel = bundle_payload(b, vm->config->kernel, &rq.kernel_size);
	if (vm->config->initrd != SLUICE_NO_PAYLOAD) {
		rq.initrd =
			bundle_payload(b, vm->config->initrd, &rq.initrd_size);
		rq.initrd_name = b->payloads[vm->config->initrd].name;
	}
	for (unsigned i = 0; i < vm->mem.count; i++)
		memset(vm->mem.ranges[i].hva, 0, vm->mem.ranges[i].size);
	error = machine_build_acpi(vm, &rq.rsdp);
	if (!error)
		error = machine_write_bios(vm);
	if (error) {
		log_error(vm->name, "its firmware does not fit (%d)", error);
		return error;
	}
	machine_start_clock(vm);
	for (unsigned i = 0; i < vm->vcpu_count; i++)
		vcpu_reset(vm->vcpus[i]);
	error = loader_load(&rq, &vm->vcpus[0]->state, &why);
	if (!error && !(vm->vcpus[0]->state.cr0 & CR0_PE))
		lapic_virtual_wire(&vm->vcpus[0]->lapic);
	if (error)
		log_error(vm->name, "%s", why);
	return error;
}

static void vm_set_state(struct vm *vm, enum vm_state state)
{
	__atomic_store_n((enum vm_state *)&vm->state, state, __ATOMIC_SEQ_CST);
}

static int vm_start(struct vm *vm)
{
	int error = vm_load(vm);

	if (error)
		return error;
	for (unsigned i = 0; i < vm->vcpu_count; i++)
		cpu_ops->set_state(vm->vcpus[i]);
	vm->vcpus[0]->run = VCPU_RUNNING;
	lock_acquire(&vm->lock);
	vm->running = vm->vcpu_count;
	vm_set_state(vm, VM_RUNNING);
	lock_release(&vm->lock);
	log_info(vm->name, "started: %u vCPU%s, %lu MiB", vm->vcpu_count,
		 vm->vcpu_count > 1 ? "s" : "", vm->config->memory >> 20);
	sched_wake(&vm->vcpus[0]->world);
	return 0;
}

void vm_start_all(void)
{
	/* Counted first: a VM that is done at once must not end the machine
	 * under those that are yet to start. */
	vms_on = vms_count;
	for (unsigned i = 0; i < vms_count; i++) {
		const struct sluice_vm *c = vms[i]->config;
		bool intact = vm_payload_intact(vms[i]->bundle, c->kernel) &&
			      (c->initrd == SLUICE_NO_PAYLOAD ||
			       vm_payload_intact(vms[i]->bundle, c->initrd));

		if (!intact)
			log_error(vms[i]->name,
				  "its kernel or initrd in the bundle is "
				  "damaged: run 'sluice build' again and copy "
				  "the bundle anew");
		if (!intact || vm_start(vms[i]) < 0)
			machine_vm_off(vms[i], VM_CRASHED);
	}
}

void vm_stop(struct vm *vm, enum vm_stop_reason why)
{
	lock_acquire(&vm->lock);
	if (vm->state != VM_RUNNING) {
		lock_release(&vm->lock);
		return;
	}
	vm_set_state(vm, VM_STOPPING);
	vm->stop_reason = why;
	lock_release(&vm->lock);
	for (unsigned i = 0; i < vm->vcpu_count; i++)
		vcpu_request(vm->vcpus[i], VCPU_REQUEST_STOP);
}

void vm_crash(struct vcpu *vcpu, const char *why)
{
	log_error(vcpu->name, "stopped: %s", why);
	vcpu_log_state(vcpu);
	vm_stop(vcpu->vm, VM_CRASH);
}

void vm_vcpu_stopped(struct vm *vm)
{
	bool last;

	lock_acquire(&vm->lock);
	last = --vm->running == 0;
	lock_release(&vm->lock);
	if (last)
		work_post(&vm->stop_work);
}

/* No vCPU runs. Devices are reset; the memory stays as it is until nothing of
 * it is in flight (a NIC may still be reading it). */
static void vm_stop_work(struct work *work)
{
	struct vm *vm = container_of(work, struct vm, stop_work);

	machine_reset_devices(vm);
	if (!machine_quiet(vm)) {
		timer_arm(&vm->stop_timer, plat_now_ns() + VM_DRAIN_NS);
		return;
	}
	switch (vm->stop_reason) {
	case VM_RESET:
		log_info(vm->name, "resets");
		if (vm_start(vm) < 0)
			machine_vm_off(vm, VM_CRASHED);
		break;
	case VM_POWER_OFF:
		machine_vm_off(vm, VM_OFF);
		break;
	case VM_CRASH:
		machine_vm_off(vm, VM_CRASHED);
		break;
	}
}

static void vm_stop_again(struct timer *timer)
{
	work_post(&container_of(timer, struct vm, stop_timer)->stop_work);
}

void machine_vm_off(struct vm *vm, enum vm_state state)
{
	vm_set_state(vm, state);
	log_info(vm->name, "is %s", vm_state_name(vm));
	if (__atomic_sub_fetch((unsigned *)&vms_on, 1, __ATOMIC_SEQ_CST) == 0)
		machine_all_off();
}

/* Guest memory from at in guest-physical space, in pieces as large as the
 * allocator has them; pieces that adjoin become one range. */
static int vm_add_memory(struct vm *vm, uint64_t at, uint64_t size)
{
	unsigned order = MM_ORDER_MAX;

	while (size) {
		struct guest_range *last =
			vm->mem.count ? &vm->mem.ranges[vm->mem.count - 1]
				      : NULL;
		uint64_t bytes;
		hpa_t pa;
		int error;

		while (order >= 9 && PAGE_SIZE << order > size)
			order--;
		if (order < 9) /* below 2 MiB */
			return -ENOMEM;
		pa = mm_alloc_pages(order, MM_GUEST);
		if (!pa.v) {
			order--;
			continue;
		}
		bytes = PAGE_SIZE << order;
		error = npt_map(&vm->npt, GPA(at), pa, bytes,
				NPT_READ | NPT_WRITE | NPT_EXEC);
		if (!error && last && last->gpa.v + last->size == at &&
		    last->hva + last->size == phys_to_virt(pa))
			last->size += bytes;
		else if (!error)
			error = guest_mem_add(&vm->mem, GPA(at), bytes,
					      phys_to_virt(pa));
		if (error)
			return error;
		at += bytes;
		size -= bytes;
	}
	return 0;
}

static int vm_create_memory(struct vm *vm, uint64_t size)
{
	uint64_t low = MIN(size, GUEST_LOW_MAX);
	struct mm_stats stats;
	int error;

	mm_stats(&stats);
	if (size > stats.free_bytes) {
		log_error(vm->name,
			  "needs %lu MiB, the machine has %lu MiB left: give "
			  "it less `memory:` or the machine more",
			  size >> 20, stats.free_bytes >> 20);
		return -ENOMEM;
	}
	error = npt_init(&vm->npt);
	if (!error)
		error = vm_add_memory(vm, 0, low);
	if (!error && size > low)
		error = vm_add_memory(vm, GUEST_HIGH_BASE, size - low);
	if (error)
		log_error(vm->name,
			  "the machine's free memory is in too many pieces for "
			  "%lu MiB: give it less `memory:`",
			  size >> 20);
	return error;
}

/* With more vCPUs than CPUs, one could spin for another that has to wait. */
static int vm_check_cpus(const struct sluice_vm *config)
{
	if (config->cpus <= cpu_online_count())
		return 0;
	log_error(config->name,
		  "has %u vCPUs, the machine has %u CPUs: give it fewer "
		  "`cpus:` or the machine more",
		  config->cpus, cpu_online_count());
	return -EINVAL;
}

static int vm_create_vcpu(struct vm *vm, unsigned index)
{
	struct vcpu *vcpu = plat_alloc(sizeof(*vcpu), CACHE_LINE);

	if (!vcpu)
		return -ENOMEM;
	vm->vcpus[index] = vcpu;
	vm->vcpu_count = index + 1;
	vcpu->vm = vm;
	vcpu->index = index;
	fmt_snprintf(vcpu->name, sizeof(vcpu->name), "%s/%u", vm->name, index);
	lapic_init(&vcpu->lapic, &vm->apics, index, &vm->mem,
		   (uint32_t)time_tsc_khz());
	world_init(&vcpu->world, sched_next_cpu(), &vm->account, vcpu->name);
	return vcpu_fpu_init(vcpu) < 0 || cpu_ops->create(vcpu) < 0 ? -ENOMEM
								    : 0;
}

static struct vm *vm_create(const struct bundle *bundle, unsigned index)
{
	const struct sluice_vm *config = &bundle->vms[index];
	struct vm *vm = plat_alloc(sizeof(*vm), CACHE_LINE);
	int error = -ENOMEM;

	if (!vm) {
		log_error(config->name, "out of memory");
		return NULL;
	}
	memcpy(vm->name, config->name, sizeof(vm->name));
	vm->index = vms_count;
	vm->config = config;
	vm->bundle = bundle;
	vm->tsc_offset = -(int64_t)plat_cycles();
	lock_init(&vm->lock, "vm", LOCK_VM);
	work_init(&vm->stop_work, vm_stop_work, &vm->account);
	timer_init(&vm->stop_timer, vm_stop_again);
	error = vm_check_cpus(config);
	if (!error)
		error = vm_create_memory(vm, config->memory);
	for (unsigned i = 0; !error && i < config->cpus; i++)
		error = vm_create_vcpu(vm, i);
	if (!error)
		error = machine_create_devices(vm);
	if (error) {
		log_error(vm->name, "not started (%d)", error);
		/* The machine goes on with the others; what this one took so
		 * far stays taken. */
		return NULL;
	}
	return vm;
}

unsigned vm_create_all(const struct bundle *bundle)
{
	machine_init();
	for (unsigned i = 0; i < bundle->config->vm_count; i++) {
		struct vm *vm = vm_create(bundle, i);

		if (vm)
			vms[vms_count++] = vm;
	}
	return vms_count;
}
