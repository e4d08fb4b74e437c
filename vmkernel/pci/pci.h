/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The host's PCI functions: what is there, and how to reach it. */
#ifndef VMKERNEL_PCI_PCI_H
#define VMKERNEL_PCI_PCI_H

#include "lib/types.h"
#include "plat/mmio.h"

#define PCI_FUNCTIONS_MAX 256
#define PCI_BAR_COUNT	  6

struct pci_bar {
	uint64_t base; /* bus address; 0: firmware has assigned none */
	uint64_t size; /* 0: not there */
	bool io;
	bool wide; /* 64-bit: takes the next slot as well */
};

/* Constant after pci_init_host(), but for msix, which is its driver's. */
struct pci_device {
	uint16_t bdf; /* bus << 8 | device << 3 | function, segment 0 */
	uint16_t vendor, device;
	uint32_t class; /* base class << 16 | sub-class << 8 | interface */
	volatile uint8_t *ecam; /* 4 KiB; NULL: only the first 256 bytes */
	struct pci_bar bars[PCI_BAR_COUNT];
	struct {
		uint8_t capability; /* offset; 0: not set up */
		uint16_t count;	    /* entries of the table */
		struct mmio table;
	} msix;
};

/* Boot CPU, after ACPI. Firmware has numbered the buses and assigned BARs. */
void pci_init_host(void);

/* In order of bdf; NULL past the last. */
struct pci_device *pci_at(unsigned index);
struct pci_device *pci_find_bdf(uint16_t bdf); /* NULL: not there */

/* Configuration space; offset is aligned to the size. Past what can be reached:
 * all ones, or nothing. Any CPU. */
uint8_t pci_read8(const struct pci_device *dev, unsigned offset);
uint16_t pci_read16(const struct pci_device *dev, unsigned offset);
uint32_t pci_read32(const struct pci_device *dev, unsigned offset);
void pci_write16(const struct pci_device *dev, unsigned offset, uint16_t value);
void pci_write32(const struct pci_device *dev, unsigned offset, uint32_t value);

/* Offset of a capability (PCI_CAP_ID_*), 0 if there is none. */
uint8_t pci_find_capability(const struct pci_device *dev, uint8_t id);

/* Memory decoding and bus mastering on, legacy interrupt off; or all off: the
 * function reaches memory no more. */
void pci_enable(const struct pci_device *dev);
void pci_disable(const struct pci_device *dev);

/* Maps a memory BAR, for good. 0; -ENODEV: not there, not memory or without an
 * address; -EFBIG: 4 GiB or more; -ENOMEM. */
int pci_map_bar(const struct pci_device *dev, unsigned bar, struct mmio *mmio);

#endif
