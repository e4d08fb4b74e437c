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
struct pci_bus;

/*
 * Calls come from a vCPU's exit, with no lock held. A memory BAR may be
 * reached by several vCPUs at once: the device takes its own lock.
 */
struct device_ops {
	const char *name;
	/* Back to the power-on state; what is in flight is waited for, or
	 * given back, before guest memory may be reused. */
	void (*reset)(struct device *dev);
	/* size is 1, 2, 4 or 8, the access lies within the BAR. The MSI-X BAR
	 * comes this way too: pass it on to device_msix_read() and _write(). */
	uint64_t (*bar_read)(struct device *dev, unsigned bar, uint64_t offset,
			     unsigned size);
	void (*bar_write)(struct device *dev, unsigned bar, uint64_t offset,
			  unsigned size, uint64_t value);
	/* The generic config code has stored a write; NULL if of no interest.
	 */
	void (*config_written)(struct device *dev, unsigned offset,
			       unsigned size);
	/* A read of device-specific config space is about to be served. */
	void (*config_read)(struct device *dev, unsigned offset, unsigned size);
};

struct device_bar {
	uint64_t size; /* power of two; 0: not there */
	uint64_t base; /* what the guest programmed */
	uint64_t home; /* where the bus put it at creation */
	bool io;
	bool wide; /* 64-bit: takes the next slot as well */
};

struct msix_entry {
	uint64_t address;
	uint32_t data;
	bool masked, pending;
};

/*
 * A function embeds this as its first member. Protected by: (b) the bus's
 * lock, (m) msix_lock, (i) the bus's intx_lock; the rest is fixed by creation.
 */
struct device {
	const struct device_ops *ops;
	struct vm *vm;
	struct pci_bus *bus;
	uint8_t devfn;	 /* device << 3 | function, on bus 0 */
	uint8_t cap_end; /* first free byte for capabilities */
	uint8_t cap_last;
	struct device_bar bars[PCI_BARS_MAX]; /* (b) base */
	uint8_t config[PCI_CONFIG_SIZE];      /* (b) */
	uint8_t config_mask[PCI_CONFIG_SIZE]; /* guest-writable bits */
	struct lock lock;		      /* the function's own registers */

	struct lock msix_lock;
	uint8_t msix_cap; /* offset; 0: none */
	uint8_t msix_bar;
	uint8_t msix_count;
	bool msix_enabled, msix_all_masked; /* (m) */
	bool bus_master;		    /* (m) may send messages */
	struct msix_entry msix[PCI_MSIX_VECTORS_MAX]; /* (m) */
	uint64_t interrupts; /* (m) sent to the guest */

	uint8_t isr;	    /* (i) causes of INTx; 0: none */
	bool intx_asserted; /* (i) pulls its wire now */
};

/* Who a function says it is; names of linux/pci_regs.h. */
struct device_identity {
	uint16_t vendor, device;
	uint16_t subsystem_vendor, subsystem;
	uint32_t class_code; /* 24 bits: class, subclass, interface */
	uint8_t revision;
	bool intx; /* has an INTA pin */
};

/*
 * Building a function, before pci_add(): header, BARs (size: a power of two,
 * at least 16), capabilities. Sizes and counts are our own, so mistakes are
 * assertions. device_add_cap() returns the capability's offset; its bytes
 * after ID and next pointer are the caller's to fill in.
 */
void device_init(struct device *dev, const struct device_ops *ops,
		 struct vm *vm, const struct device_identity *id);
void device_add_bar(struct device *dev, unsigned bar, uint64_t size, bool io,
		    bool wide);
unsigned device_add_cap(struct device *dev, uint8_t id, unsigned size);
/* count: 1 to PCI_MSIX_VECTORS_MAX; makes a 4 KiB memory BAR for the table. */
void device_add_msix(struct device *dev, unsigned bar, unsigned count);

/* Power-on config, BARs at home, MSI-X off; the bus's lock is held. */
void device_reset_config(struct device *dev);
/* The guest has written command or MSI-X control: take them over. The bus's
 * lock is held. */
void device_update_control(struct device *dev);

/* Fires MSI-X vector: delivers, or sets pending while masked. A vector that is
 * not there, or MSI-X off: nothing. Any CPU. */
void device_msix_fire(struct device *dev, unsigned vector);
uint64_t device_msix_read(struct device *dev, uint64_t offset, unsigned size);
void device_msix_write(struct device *dev, uint64_t offset, unsigned size,
		       uint64_t value);

/*
 * INTx for guests without MSI-X: the wire is pulled while any cause is set
 * (and neither MSI-X nor INTx-disable is on). take() returns the causes and
 * clears them. Any CPU.
 */
void device_isr_raise(struct device *dev, uint8_t causes);
uint8_t device_isr_take(struct device *dev);

#endif
