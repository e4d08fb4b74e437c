/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Writes all over PCI configuration, and virtio's window in it. */
#include <linux/pci_regs.h>
#include <linux/virtio_pci.h>

#include "tests/guest/hostile_pci/hostile_pci.h"
#include "tests/guest/lib/pci.h"
#include "tests/guest/lib/x86.h"

#define WINDOW_WRITES 4000

/* What no write may change: identity, class, capability list, sizes. */
static uint64_t identity(unsigned slot)
{
	uint64_t sum = 0;

	for (unsigned at = 0; at < 256; at += 4) {
		uint32_t value = pci_read(slot, at, 4);

		if (at == PCI_COMMAND)
			value &= 0xffff0000 & ~(PCI_STATUS_INTERRUPT << 16);
		if (at == PCI_CACHE_LINE_SIZE || at == PCI_INTERRUPT_LINE)
			value &= at == PCI_INTERRUPT_LINE ? ~0xffu : ~0xffu;
		if ((at >= PCI_BASE_ADDRESS_0 && at <= PCI_BASE_ADDRESS_5) ||
		    (net.slot == slot && at == net.msix_cap))
			continue;
		sum = (sum << 7 | sum >> 57) ^ value;
	}
	return sum;
}

static void write_slot(unsigned slot, uint32_t value, bool random)
{
	for (unsigned at = 0; at < 256; at += 4)
		pci_write(slot, at, 4, random ? hostile_random() : value);
	for (unsigned at = 0; at < 256; at++)
		pci_write(slot, at, 1, random ? hostile_random() : value);
}

static void write_ecam(unsigned slot)
{
	for (unsigned at = 0; at < PAGE_SIZE; at += 4)
		*pci_ecam(slot, at) = hostile_random();
	/* Qwords, words and bytes over dwords' ends. */
	for (unsigned at = 0; at < PAGE_SIZE - 8; at += 37)
		*(volatile uint64_t *)(volatile void *)((volatile uint8_t *)
								pci_ecam(slot,
									 0) +
							at) = hostile_random();
}

/* The window's data register lies within the capability list, and shows what
 * the window shows; so it is left pointing at nothing. */
static void close_window(void)
{
	unsigned at = 0;

	while ((at = pci_capability(net.slot, PCI_CAP_ID_VNDR, at))) {
		if (pci_read(net.slot, at + VIRTIO_PCI_CAP_CFG_TYPE, 1) !=
		    VIRTIO_PCI_CAP_PCI_CFG)
			continue;
		pci_write(net.slot, at + VIRTIO_PCI_CAP_LENGTH, 4, 0);
		pci_write(net.slot, at + VIRTIO_PCI_CAP_OFFSET, 4, 0);
		pci_write(net.slot, at + VIRTIO_PCI_CAP_BAR, 1, 0);
		pci_write(net.slot, at + sizeof(struct virtio_pci_cap), 4, 0);
		return;
	}
}

void pci_abuse_config(void)
{
	uint64_t card, bridge;
	bool empty = true;

	payload_log("configuration:");
	close_window();
	card = identity(net.slot);
	bridge = identity(0);
	for (unsigned slot = 0; slot < PCI_SLOTS; slot++) {
		write_slot(slot, 0xffffffff, false);
		write_slot(slot, 0, false);
		write_slot(slot, 0, true);
		if (slot && slot != net.slot)
			empty &= pci_read(slot, 0, 4) == 0xffffffff;
	}
	CHECK("empty slots stay empty", empty);
	write_ecam(net.slot);
	write_ecam(0);
	write_ecam(PCI_SLOTS - 1);
	pci_restore();
	close_window();
	payload_check_equal("the card is what it was", identity(net.slot),
			    card);
	payload_check_equal("the host bridge is what it was", identity(0),
			    bridge);
	/* Other buses and functions. */
	for (unsigned i = 0; i < 2000; i++) {
		uint32_t address = hostile_random() & 0x00ffffff;

		if (!(address >> 16))
			address |= 0x010000;
		pci_write_raw(address, hostile_random());
		empty &= pci_read_raw(address) == 0xffffffff;
	}
	CHECK("other buses stay empty", empty);
	for (unsigned function = 1; function < 8; function++)
		pci_write_raw(net.slot << 11 | function << 8 | PCI_COMMAND, 0);
	hostile_prove("writes all over configuration");
}

static unsigned window_find(void)
{
	unsigned at = 0;

	while ((at = pci_capability(net.slot, PCI_CAP_ID_VNDR, at)))
		if (pci_read(net.slot, at + VIRTIO_PCI_CAP_CFG_TYPE, 1) ==
		    VIRTIO_PCI_CAP_PCI_CFG)
			break;
	return at;
}

/* A register of a BAR, through configuration space (virtio 1.2, 4.1.4.9). */
void pci_abuse_window(void)
{
	unsigned at = window_find();
	unsigned data = at + (unsigned)sizeof(struct virtio_pci_cap);

	payload_log("configuration window:");
	CHECK("the window is there", at != 0);
	pci_write(net.slot, at + VIRTIO_PCI_CAP_BAR, 1, 2);
	pci_write(net.slot, at + VIRTIO_PCI_CAP_OFFSET, 4,
		  VIRTIO_PCI_COMMON_NUMQ);
	pci_write(net.slot, at + VIRTIO_PCI_CAP_LENGTH, 4, 2);
	payload_check_equal("the window works",
			    pci_read(net.slot, data, 4) & 0xffff,
			    net.queue_count);
	for (unsigned i = 0; i < WINDOW_WRITES; i++) {
		uint32_t r = hostile_random(), offset = hostile_random();

		pci_write(net.slot, at + VIRTIO_PCI_CAP_BAR, 1,
			  r & 1 ? r >> 8 & 7 : r >> 8 & 0xff);
		pci_write(net.slot, at + VIRTIO_PCI_CAP_OFFSET, 4,
			  r & 2 ? offset & 0x3fff : offset);
		pci_write(net.slot, at + VIRTIO_PCI_CAP_LENGTH, 4,
			  r & 4 ? 1u << (r >> 4 & 3) : offset >> 3);
		if (r & 8)
			pci_write(net.slot, data + (r >> 16 & 3), 1, r >> 20);
		else
			pci_read(net.slot, data, 4);
	}
	close_window();
	pci_restore();
	hostile_prove("4000 random looks through the window");
}
