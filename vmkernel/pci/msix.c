/* SPDX-License-Identifier: GPL-2.0-or-later */
/* MSI-X of a host PCI function (PCI Local Bus 3.0, 6.8.2). */
#include "vmkernel/pci/msix.h"

#include <linux/errno.h>
#include <linux/pci_regs.h>

#include "plat/plat.h"
#include "vmkernel/irq/irq.h"
#include "vmkernel/mm/mm.h"

static uint32_t msix_entry(unsigned index, uint32_t offset)
{
	return index * PCI_MSIX_ENTRY_SIZE + offset;
}

int msix_init(struct pci_device *dev)
{
	uint8_t cap = pci_find_capability(dev, PCI_CAP_ID_MSIX);
	const struct pci_bar *bar;
	uint16_t control, count;
	uint32_t where, offset;

	if (!cap)
		return -ENODEV;
	control = pci_read16(dev, cap + PCI_MSIX_FLAGS);
	count = (control & PCI_MSIX_FLAGS_QSIZE) + 1;
	where = pci_read32(dev, cap + PCI_MSIX_TABLE);
	if ((where & PCI_MSIX_TABLE_BIR) >= PCI_BAR_COUNT)
		return -ENODEV;
	bar = &dev->bars[where & PCI_MSIX_TABLE_BIR];
	offset = where & PCI_MSIX_TABLE_OFFSET;
	if (!bar->base || bar->io || offset > bar->size ||
	    bar->size - offset < (uint64_t)count * PCI_MSIX_ENTRY_SIZE)
		return -ENODEV;
	dev->msix.table.base = mm_map_mmio(
		HPA(bar->base + offset), (uint64_t)count * PCI_MSIX_ENTRY_SIZE);
	if (!dev->msix.table.base)
		return -ENOMEM;
	dev->msix.table.size = count * PCI_MSIX_ENTRY_SIZE;
	dev->msix.capability = cap;
	dev->msix.count = count;
	msix_enable(dev, false);
	for (unsigned i = 0; i < count; i++)
		msix_mask(dev, i, true);
	return 0;
}

void msix_mask(const struct pci_device *dev, unsigned index, bool mask)
{
	uint32_t at = msix_entry(index, PCI_MSIX_ENTRY_VECTOR_CTRL);

	ASSERT(index < dev->msix.count);
	mmio_write32(&dev->msix.table, at,
		     mask ? PCI_MSIX_ENTRY_CTRL_MASKBIT : 0);
	/* Posted: reading it back says that it has arrived. */
	mmio_read32(&dev->msix.table, at);
}

int msix_set(const struct pci_device *dev, unsigned index, unsigned cpu,
	     unsigned vector)
{
	const struct mmio *table = &dev->msix.table;
	uint64_t address = irq_msi_address(cpu);
	uint32_t control;

	if (index >= dev->msix.count)
		return -EINVAL;
	/* An entry may only change while masked (6.8.2.9). */
	control = mmio_read32(table,
			      msix_entry(index, PCI_MSIX_ENTRY_VECTOR_CTRL));
	msix_mask(dev, index, true);
	mmio_write32(table, msix_entry(index, PCI_MSIX_ENTRY_LOWER_ADDR),
		     (uint32_t)address);
	mmio_write32(table, msix_entry(index, PCI_MSIX_ENTRY_UPPER_ADDR),
		     (uint32_t)(address >> 32));
	mmio_write32(table, msix_entry(index, PCI_MSIX_ENTRY_DATA),
		     irq_msi_data(vector));
	msix_mask(dev, index, control & PCI_MSIX_ENTRY_CTRL_MASKBIT);
	return 0;
}

void msix_enable(const struct pci_device *dev, bool on)
{
	unsigned at = dev->msix.capability + PCI_MSIX_FLAGS;
	uint16_t control = pci_read16(dev, at);

	control &= ~(PCI_MSIX_FLAGS_ENABLE | PCI_MSIX_FLAGS_MASKALL);
	pci_write16(dev, at, on ? control | PCI_MSIX_FLAGS_ENABLE : control);
}
