/* SPDX-License-Identifier: GPL-2.0-or-later */
/* MSI-X of a host PCI function. */
#ifndef VMKERNEL_PCI_MSIX_H
#define VMKERNEL_PCI_MSIX_H

#include "vmkernel/pci/pci.h"

/* Maps the vector table and masks every entry; the function still uses none.
 * Its memory decoding must be on (pci_enable()). 0; -ENODEV: it has no MSI-X,
 * or describes it wrongly; -ENOMEM. */
int msix_init(struct pci_device *dev);
/* Where entry index goes; it stays as masked as it was. -EINVAL: no such
 * entry. */
int msix_set(const struct pci_device *dev, unsigned index, unsigned cpu,
	     unsigned vector);
/* index must be in range. */
void msix_mask(const struct pci_device *dev, unsigned index, bool mask);
/* From here on (or no more) the function interrupts by MSI-X. */
void msix_enable(const struct pci_device *dev, bool on);

#endif
