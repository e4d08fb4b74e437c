/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A VM that is nothing but memory, and a log of what its devices ask of it. */
#ifndef TESTS_FAKE_VM_H
#define TESTS_FAKE_VM_H

#include <stdlib.h>
#include <string.h>

#include "vmm/dev/device.h"

#define FAKE_VM_MESSAGES 64
/* A fuzzer makes many VMs in a second, and says how small they may be. */
#ifndef FAKE_VM_RAM
#define FAKE_VM_RAM MiB(2)
#endif

/* RAM from 0, in two host pieces that meet at half of it. */
struct vm {
	struct guest_mem mem;
	uint8_t *low, *high;
	uint64_t next; /* bump allocator of the guest */
	struct account account;
	unsigned message_count; /* delivered, all in all */
	struct {
		uint64_t address;
		uint32_t data;
	} messages[FAKE_VM_MESSAGES]; /* the last ones, by count */
	void (*on_message)(void);     /* called in the middle of it */
	bool gsi[24];
	unsigned gsi_changes;
};

const char *vm_name(const struct vm *vm)
{
	(void)vm;
	return "fake";
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
	unsigned at = vm->message_count++ % FAKE_VM_MESSAGES;

	vm->messages[at].address = address;
	vm->messages[at].data = data;
	if (vm->on_message)
		vm->on_message();
}

void vm_set_gsi(struct vm *vm, unsigned gsi, bool level)
{
	vm->gsi[gsi] = level;
	vm->gsi_changes++;
}

static inline void fake_vm_init(struct vm *vm)
{
	memset(vm, 0, sizeof(*vm));
	vm->low = calloc(1, FAKE_VM_RAM / 2);
	vm->high = calloc(1, FAKE_VM_RAM / 2);
	if (guest_mem_add(&vm->mem, GPA(0), FAKE_VM_RAM / 2, vm->low) ||
	    guest_mem_add(&vm->mem, GPA(FAKE_VM_RAM / 2), FAKE_VM_RAM / 2,
			  vm->high))
		abort();
	vm->next = PAGE_SIZE;
}

static inline void fake_vm_destroy(struct vm *vm)
{
	free(vm->low);
	free(vm->high);
}

/* size zeroed bytes of guest memory. */
static inline uint64_t fake_vm_alloc(struct vm *vm, uint64_t size,
				     uint64_t align)
{
	uint64_t gpa = ALIGN_UP(vm->next, align);

	/* Each in one host piece. */
	if (gpa < FAKE_VM_RAM / 2 && gpa + size > FAKE_VM_RAM / 2)
		gpa = FAKE_VM_RAM / 2;
	vm->next = gpa + size;
	if (vm->next > FAKE_VM_RAM)
		abort();
	memset(guest_range(&vm->mem, GPA(gpa), size), 0, size);
	return gpa;
}

/* Where the guest sees gpa: what lies in one host piece. */
static inline void *fake_vm_ptr(struct vm *vm, uint64_t gpa)
{
	return guest_range(&vm->mem, GPA(gpa), 1);
}

#endif
