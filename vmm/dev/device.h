/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The device_ops seam: a PCI function that a guest sees. */
#ifndef VMM_DEV_DEVICE_H
#define VMM_DEV_DEVICE_H

#include "plat/event.h"
#include "plat/lock.h"
#include "vmm/dev/guest_mem.h"

#define PCI_BARS_MAX	     6
#define PCI_CONFIG_SIZE	     4096
#define PCI_MSIX_VECTORS_MAX 16

/* What a device may ask of its VM; implemented by vmm/vm.c (or a test). */
struct vm;
const char *vm_name(const struct vm *vm);
const struct guest_mem *vm_memory(const struct vm *vm);
struct account *vm_account(struct vm *vm);
/* Message-signalled interrupt: address and data as on the bus (Intel SDM 3A,
 * 11.11). Nonsense is counted and dropped. Any CPU. */
void vm_deliver_msi(struct vm *vm, uint64_t address, uint32_t data);
/* Level of an I/O APIC input (GSI 0 to 23). Any CPU. */
void vm_set_gsi(struct vm *vm, unsigned gsi, bool level);

struct device;

struct device_ops {
	const char *name;
	/* Back to the power-on state; what is in flight is waited for, or
	 * given back, before guest memory may be reused. */
	void (*reset)(struct device *dev);
	/* size is 1, 2, 4 or 8, the access lies within the BAR. */
	uint64_t (*bar_read)(struct device *dev, unsigned bar, uint64_t offset,
			     unsigned size);
	void (*bar_write)(struct device *dev, unsigned bar, uint64_t offset,
			  unsigned size, uint64_t value);
	/* The generic config code has stored a write; NULL if of no interest. */
	void (*config_written)(struct device *dev, unsigned offset,
			       unsigned size);
	/* A read of device-specific config space is about to be served. */
	void (*config_read)(struct device *dev, unsigned offset, unsigned size);
};

struct device_bar {
	uint64_t size; /* power of two; 0: not there */
	uint64_t base; /* as decoded now: what the guest programmed */
	bool io;
	bool wide; /* 64-bit: takes the next slot as well */
};

struct msix_entry {
	uint64_t address;
	uint32_t data;
	bool masked, pending;
};

/* A function embeds this as its first member. */
struct device {
	const struct device_ops *ops;
	struct vm *vm;
	uint8_t devfn; /* device << 3 | function, on bus 0 */
	struct device_bar bars[PCI_BARS_MAX];
	uint8_t config[PCI_CONFIG_SIZE];
	uint8_t config_mask[PCI_CONFIG_SIZE]; /* guest-writable bits */
	struct lock lock;		      /* config, BARs, MSI-X table */
	uint8_t msix_cap;		      /* offset; 0: none */
	uint8_t msix_bar;
	uint8_t msix_count;
	bool msix_enabled, msix_all_masked;
	struct msix_entry msix[PCI_MSIX_VECTORS_MAX];
	uint64_t interrupts; /* messages sent to the guest */
};

/* Fires MSI-X vector: delivers, or sets pending while masked. Any CPU. */
void device_msix_fire(struct device *dev, unsigned vector);

#endif
