/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Fuzzes the guest's PCI bus: configuration, decoding, MSI-X, INTx. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define FAKE_VM_RAM KiB(64)
#include "tests/unit/vmm/dev/fake_vm.h"
#include "vmm/dev/pci.h"

#define CARDS	2
#define OP_SIZE 12

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct vm vm;
static struct pci_bus bus;
static struct device cards[CARDS];

static void card_reset(struct device *dev)
{
	(void)dev;
}

static uint64_t card_read(struct device *dev, unsigned bar, uint64_t offset,
			  unsigned size)
{
	if (offset + size > dev->bars[bar].size)
		abort();
	return bar == dev->msix_bar ? device_msix_read(dev, offset, size) : 0;
}

static void card_write(struct device *dev, unsigned bar, uint64_t offset,
		       unsigned size, uint64_t value)
{
	if (offset + size > dev->bars[bar].size)
		abort();
	if (bar == dev->msix_bar)
		device_msix_write(dev, offset, size, value);
}

static const struct device_ops card_ops = {
	.name = "card",
	.reset = card_reset,
	.bar_read = card_read,
	.bar_write = card_write,
};

static void init(void)
{
	static const struct device_identity id = {
		.vendor = 0x1234,
		.device = 0x5678,
		.class_code = 0x020000,
		.intx = true,
	};

	fake_vm_init(&vm);
	pci_init(&bus, &vm);
	for (unsigned i = 0; i < CARDS; i++) {
		device_init(&cards[i], &card_ops, &vm, &id);
		device_add_bar(&cards[i], 0, 32, true, false);
		device_add_bar(&cards[i], 2, KiB(64), false, false);
		device_add_bar(&cards[i], 4, MiB(1), false, true);
		device_add_msix(&cards[i], 1, 3);
		if (pci_add(&bus, &cards[i], 1 + i * 8))
			abort();
	}
}

/* An access as the exit handlers make it; what is found lies in a window. */
static void access(bool io, uint64_t address, unsigned size, uint64_t value,
		   bool write)
{
	uint64_t offset;
	unsigned bar;
	struct device *dev =
		io ? pci_find_io(&bus, (uint16_t)address, size, &bar, &offset)
		   : pci_find_mem(&bus, GPA(address), size, &bar, &offset);

	if (!dev)
		return;
	if (dev->bars[bar].io != io || (!io && (address < GUEST_PCI_MMIO_BASE ||
						address >= GUEST_PCI_MMIO_END)))
		abort();
	if (write)
		dev->ops->bar_write(dev, bar, offset, size, value);
	else
		dev->ops->bar_read(dev, bar, offset, size);
}

static void run(const uint8_t *op)
{
	struct device *dev = &cards[op[0] >> 7];
	unsigned size = 1u << (op[1] & 3), size4 = MIN(size, 4u);
	unsigned reg = (unsigned)(op[2] | op[3] << 8);
	uint32_t value, address;

	memcpy(&value, op + 4, 4);
	memcpy(&address, op + 8, 4);
	switch (op[0] & 15) {
	case 0:
		pci_config_read(&bus, dev->devfn, reg, size4);
		break;
	case 1:
		pci_config_write(&bus, dev->devfn, reg & 0x7f, size4, value);
		break;
	case 2:
		pci_config_write(&bus, address & 0xffff, reg, size4, value);
		break;
	case 3:
		pci_port_read(&bus, 0xcf8 + (reg & 7), size4);
		break;
	case 4:
		pci_port_write(&bus, 0xcf8 + (reg & 7), size4, value);
		break;
	case 5:
		pci_ecam_read(&bus, address & 0xfffff, size);
		break;
	case 6:
		pci_ecam_write(&bus, address & 0xfffff, size, value);
		break;
	case 7:
		access(true, address, size4, value, op[1] & 4);
		break;
	case 8:
		access(false, address, size, value, op[1] & 4);
		break;
	case 9: /* near what is there */
		access(false, dev->bars[op[1] >> 5 & 3].base + (reg & 0xfff),
		       size, (uint64_t)address << 32 | value, op[1] & 4);
		break;
	case 10:
		device_msix_fire(dev, reg);
		break;
	case 11:
		device_isr_raise(dev, op[2]);
		break;
	case 12:
		device_isr_take(dev);
		break;
	case 13:
		pci_reset(&bus);
		break;
	default:
		if (op[1] & 4) /* or just where none may be */
			value |= 0x20000000;
		/* 64-bit BAR where a guest would put it */
		pci_config_write(&bus, dev->devfn, 0x10 + (reg & 0x1c), 4,
				 0xc0000000 | (value & 0x3ffffff0));
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint32_t users = 0;

	init();
	for (; size >= OP_SIZE; data += OP_SIZE, size -= OP_SIZE)
		run(data);
	for (unsigned i = 0; i < CARDS; i++) {
		if (pci_config_read(&bus, cards[i].devfn, 0, 4) != 0x56781234)
			abort();
		/* The wires: pulled by those who say so, and no one else. */
		if (cards[i].intx_asserted)
			users |= 1u << (cards[i].devfn >> 3);
	}
	if (bus.intx_users[GUEST_GSI_PCI(1)] != users ||
	    vm.gsi[GUEST_GSI_PCI(1)] != (users != 0))
		abort();
	for (unsigned i = 0; i < CARDS; i++)
		pci_remove(&cards[i]);
	fake_vm_destroy(&vm);
	return 0;
}
