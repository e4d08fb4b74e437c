/* SPDX-License-Identifier: GPL-2.0-or-later */
/* PCI abused: the parts of the payload. */
#ifndef GUEST_HOSTILE_PCI_H
#define GUEST_HOSTILE_PCI_H

#include "tests/guest/lib/hostile.h"

void pci_abuse_bars(void);
void pci_abuse_config(void);
void pci_abuse_window(void);
void pci_abuse_vectors(void);

/* Command register, and the three BARs as they were found. */
void pci_restore(void);

#endif
