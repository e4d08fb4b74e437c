/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A guest's PCI bus 0: functions, configuration space, address decoding. */
#ifndef VMM_DEV_PCI_H
#define VMM_DEV_PCI_H

#include "vmm/dev/device.h"
#include "vmm/layout.h"

/*
 * Windows for BARs and the ECAM: GUEST_PCI_* and GUEST_ECAM_* of vmm/layout.h,
 * which the DSDT repeats. A BAR is decoded when the command register enables
 * its kind and all of it lies in its window; RAM is elsewhere, so no BAR can
 * shadow it. Where two overlap, the lower slot wins.
 */
#define PCI_SLOTS	     32
#define PCI_PORT_ADDRESS     0xcf8 /* 32-bit accesses only */
#define PCI_PORT_DATA	     0xcfc /* and the three after it */
#define PCI_HOST_BRIDGE_SLOT 0

/* One decoded BAR: [base, end). */
struct pci_window {
	uint64_t base, end;
	struct device *dev;
	unsigned bar;
};

/* (b) lock, (s) lock to write, sequence to read, (i) intx_lock. */
struct pci_bus {
	struct vm *vm;
	struct lock lock; /* LOCK_DEVICE */
	uint32_t address; /* (b) the CF8 register */
	struct device *slots[PCI_SLOTS];
	uint64_t io_next, memory_next; /* where the next BAR's home may be */

	/* Decoded BARs, in order of slot: [0] memory, [1] I/O. Looked up at
	 * each doorbell, so without a lock; odd while being rebuilt. */
	uint32_t sequence;					/* (s) */
	unsigned window_count[2];				/* (s) */
	struct pci_window windows[2][PCI_SLOTS * PCI_BARS_MAX]; /* (s) */

	struct lock intx_lock;
	uint32_t intx_users[GUEST_IOAPIC_PINS]; /* (i) slots, for each GSI */

	struct device host_bridge;
};

/* An empty bus with a host bridge (1b36:0008) in slot 0. */
void pci_init(struct pci_bus *bus, struct vm *vm);

/*
 * Plugs in a function that device_init() and its kin have described, and
 * gives its BARs their homes: a guest without firmware finds them assigned
 * and enabled. -EBUSY: slot taken; -ENOSPC: no room in a window. Before the
 * VM's first entry only.
 */
int pci_add(struct pci_bus *bus, struct device *dev, unsigned slot);
/* The VM no longer runs. */
void pci_remove(struct device *dev);
/* Power-on state of the bus and all its functions. */
void pci_reset(struct pci_bus *bus);

/*
 * Configuration space: bdf is bus << 8 | device << 3 | function, offset below
 * 4096, size 1, 2 or 4 and within one dword. Whatever is not there reads as
 * all ones (of size bytes), and writes to it are ignored.
 */
uint32_t pci_config_read(struct pci_bus *bus, unsigned bdf, unsigned offset,
			 unsigned size);
void pci_config_write(struct pci_bus *bus, unsigned bdf, unsigned offset,
		      unsigned size, uint32_t value);

/* Ports 0xcf8 to 0xcff (PCI Local Bus 3.0, 3.2.2.3.2). Byte and word accesses
 * to the address register are none of ours: all ones, ignored. */
uint32_t pci_port_read(struct pci_bus *bus, unsigned port, unsigned size);
void pci_port_write(struct pci_bus *bus, unsigned port, unsigned size,
		    uint32_t value);

/* ECAM: offset from GUEST_ECAM_BASE; 8 bytes are two dwords. */
uint64_t pci_ecam_read(struct pci_bus *bus, uint64_t offset, unsigned size);
void pci_ecam_write(struct pci_bus *bus, uint64_t offset, unsigned size,
		    uint64_t value);

/*
 * The function that decodes all of [port, port + size), and where in which
 * BAR; then ops->bar_read() or bar_write(). NULL: nobody, so all ones. Any
 * CPU, no lock.
 */
struct device *pci_find_io(struct pci_bus *bus, uint16_t port, unsigned size,
			   unsigned *bar, uint64_t *offset);
struct device *pci_find_mem(struct pci_bus *bus, gpa_t gpa, unsigned size,
			    unsigned *bar, uint64_t *offset);

/* A function's raw configuration bytes under the bus's lock, for its own
 * capabilities; offset + size is at most PCI_CONFIG_SIZE. */
void pci_config_peek(struct device *dev, unsigned offset, void *to,
		     size_t size);
void pci_config_poke(struct device *dev, unsigned offset, const void *from,
		     size_t size);

/* Recomputes a function's INTx wire after its cause or its masks changed;
 * intx_lock is held. */
void pci_update_intx(struct device *dev);

#endif
