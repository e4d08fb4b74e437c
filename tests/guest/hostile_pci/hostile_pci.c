/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A guest that moves BARs about and writes all over PCI configuration. */
#include "tests/guest/hostile_pci/hostile_pci.h"

#include <linux/pci_regs.h>

#include "tests/guest/lib/pci.h"

#define BARS_MAX 6

static uint32_t homes[BARS_MAX];

void pci_restore(void)
{
	pci_write(net.slot, PCI_COMMAND, 2, 0);
	for (unsigned bar = 0; bar < BARS_MAX; bar++)
		pci_set_bar(net.slot, bar, homes[bar]);
	pci_write(net.slot, net.msix_cap + PCI_MSIX_FLAGS, 2, 0);
	pci_write(net.slot, PCI_COMMAND, 2,
		  PCI_COMMAND_IO | PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
}

void payload_main(void)
{
	hostile_begin();
	CHECK("the card is there", net_find());
	for (unsigned bar = 0; bar < BARS_MAX; bar++)
		homes[bar] =
			pci_read(net.slot, PCI_BASE_ADDRESS_0 + bar * 4, 4);
	hostile_prove("nothing yet");
	pci_abuse_bars();
	pci_abuse_config();
	pci_abuse_window();
	pci_abuse_vectors();
	hostile_end();
}
