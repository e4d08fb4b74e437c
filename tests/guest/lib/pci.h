/* SPDX-License-Identifier: GPL-2.0-or-later */
/* PCI configuration of bus 0, by port and by memory. */
#ifndef GUEST_PCI_H
#define GUEST_PCI_H

#include "lib/types.h"

#define PCI_CONFIG_ADDRESS 0xcf8
#define PCI_CONFIG_DATA	   0xcfc
#define PCI_SLOTS	   32
/* Where the machine's ECAM is; tests/guest/mmio proves that ACPI says so. */
#define PCI_ECAM_BASE	   0xe0000000u
#define PCI_NONE	   0xffffffffu

/* By port, function 0; offset is aligned down to size. */
uint32_t pci_read(unsigned slot, unsigned offset, unsigned size);
void pci_write(unsigned slot, unsigned offset, unsigned size, uint32_t value);
/* bus, slot, function and register as CF8 has them, enabled. */
uint32_t pci_read_raw(uint32_t address);
void pci_write_raw(uint32_t address, uint32_t value);

/* The slot's register in the ECAM, all 4 KiB. */
static inline volatile uint32_t *pci_ecam(unsigned slot, unsigned offset)
{
	return (volatile uint32_t *)(PCI_ECAM_BASE + ((uint64_t)slot << 15) +
				     offset);
}

/* The first slot with this identity, or PCI_NONE. */
unsigned pci_find(uint16_t vendor, uint16_t device);
/* A 32-bit BAR's base, without its type bits. */
uint32_t pci_bar(unsigned slot, unsigned bar);
void pci_set_bar(unsigned slot, unsigned bar, uint32_t base);
/* Offset of a capability, after the one at `after` (0: the first); 0: none. */
unsigned pci_capability(unsigned slot, uint8_t id, unsigned after);

#endif
