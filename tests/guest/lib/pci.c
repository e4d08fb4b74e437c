/* SPDX-License-Identifier: GPL-2.0-or-later */
/* PCI configuration of bus 0, by port and by memory. */
#include "tests/guest/lib/pci.h"

#include <linux/pci_regs.h>

#include "tests/guest/lib/x86.h"

#define ADDRESS_ENABLE	 (1u << 31)
/* A list that is longer goes round in circles. */
#define CAPABILITIES_MAX 48

static void pci_select(unsigned slot, unsigned offset)
{
	x86_out32(PCI_CONFIG_ADDRESS,
		  ADDRESS_ENABLE | slot << 11 | (offset & 0xfc));
}

uint32_t pci_read(unsigned slot, unsigned offset, unsigned size)
{
	uint16_t port =
		(uint16_t)(PCI_CONFIG_DATA + (offset & 3 & ~(size - 1)));

	pci_select(slot, offset);
	if (size == 4)
		return x86_in32(port);
	return size == 2 ? x86_in16(port) : x86_in8(port);
}

void pci_write(unsigned slot, unsigned offset, unsigned size, uint32_t value)
{
	uint16_t port =
		(uint16_t)(PCI_CONFIG_DATA + (offset & 3 & ~(size - 1)));

	pci_select(slot, offset);
	if (size == 4)
		x86_out32(port, value);
	else if (size == 2)
		x86_out16(port, (uint16_t)value);
	else
		x86_out8(port, (uint8_t)value);
}

uint32_t pci_read_raw(uint32_t address)
{
	x86_out32(PCI_CONFIG_ADDRESS, ADDRESS_ENABLE | address);
	return x86_in32(PCI_CONFIG_DATA);
}

void pci_write_raw(uint32_t address, uint32_t value)
{
	x86_out32(PCI_CONFIG_ADDRESS, ADDRESS_ENABLE | address);
	x86_out32(PCI_CONFIG_DATA, value);
}

unsigned pci_find(uint16_t vendor, uint16_t device)
{
	for (unsigned slot = 0; slot < PCI_SLOTS; slot++)
		if (pci_read(slot, PCI_VENDOR_ID, 4) ==
		    ((uint32_t)device << 16 | vendor))
			return slot;
	return PCI_NONE;
}

uint32_t pci_bar(unsigned slot, unsigned bar)
{
	uint32_t value = pci_read(slot, PCI_BASE_ADDRESS_0 + bar * 4, 4);

	return value & (value & PCI_BASE_ADDRESS_SPACE_IO ? ~3u : ~0xfu);
}

void pci_set_bar(unsigned slot, unsigned bar, uint32_t base)
{
	pci_write(slot, PCI_BASE_ADDRESS_0 + bar * 4, 4, base);
}

unsigned pci_capability(unsigned slot, uint8_t id, unsigned after)
{
	unsigned at = after ? pci_read(slot, after + PCI_CAP_LIST_NEXT, 1)
			    : pci_read(slot, PCI_CAPABILITY_LIST, 1);

	for (unsigned i = 0; at && i < CAPABILITIES_MAX; i++) {
		if (pci_read(slot, at + PCI_CAP_LIST_ID, 1) == id)
			return at;
		at = pci_read(slot, at + PCI_CAP_LIST_NEXT, 1);
	}
	return 0;
}
