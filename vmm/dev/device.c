/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A PCI function's header, BARs, capabilities and interrupts. */
#include "vmm/dev/device.h"

#include <linux/pci_regs.h>
#include <string.h>

#include "vmm/dev/pci.h"

/* The MSI-X BAR: table, then pending bits (PCI Local Bus 3.0, 6.8.2). */
#define MSIX_BAR_SIZE	KiB(4)
#define MSIX_PBA_OFFSET 0x800u
#define MSIX_PBA_SIZE	8u

static void device_put16(uint8_t *at, uint16_t value)
{
	memcpy(at, &value, sizeof(value));
}

static void device_put32(uint8_t *at, uint32_t value)
{
	memcpy(at, &value, sizeof(value));
}

static uint16_t device_get16(const uint8_t *at)
{
	uint16_t value;

	memcpy(&value, at, sizeof(value));
	return value;
}

void device_init(struct device *dev, const struct device_ops *ops,
		 struct vm *vm, const struct device_identity *id)
{
	memset(dev, 0, sizeof(*dev));
	dev->ops = ops;
	dev->vm = vm;
	dev->cap_end = PCI_STD_HEADER_SIZEOF;
	lock_init(&dev->lock, ops->name, LOCK_DEVICE);
	lock_init(&dev->msix_lock, "msix", LOCK_MSIX);

	device_put16(&dev->config[PCI_VENDOR_ID], id->vendor);
	device_put16(&dev->config[PCI_DEVICE_ID], id->device);
	device_put32(&dev->config[PCI_CLASS_REVISION],
		     id->class_code << 8 | id->revision);
	device_put16(&dev->config[PCI_SUBSYSTEM_VENDOR_ID],
		     id->subsystem_vendor);
	device_put16(&dev->config[PCI_SUBSYSTEM_ID], id->subsystem);
	dev->config[PCI_INTERRUPT_PIN] = id->intx ? 1 : 0;

	device_put16(&dev->config_mask[PCI_COMMAND],
		     PCI_COMMAND_IO | PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER |
			     PCI_COMMAND_INTX_DISABLE);
	dev->config_mask[PCI_CACHE_LINE_SIZE] = 0xff;
	dev->config_mask[PCI_INTERRUPT_LINE] = 0xff;
}

void device_add_bar(struct device *dev, unsigned bar, uint64_t size, bool io,
		    bool wide)
{
	unsigned at = PCI_BASE_ADDRESS_0 + bar * 4;
	uint64_t mask = ~(size - 1);

	ASSERT(bar + wide < PCI_BARS_MAX && !(io && wide));
	ASSERT(size >= 16 && !(size & (size - 1)) && size <= GiB(1));
	ASSERT(!dev->bars[bar].size);
	dev->bars[bar] = (struct device_bar){
		.size = size,
		.io = io,
		.wide = wide,
	};
	/* The type bits lie below the mask: read-only (6.2.5.1). */
	dev->config[at] = io	 ? PCI_BASE_ADDRESS_SPACE_IO
			  : wide ? PCI_BASE_ADDRESS_MEM_TYPE_64
				 : PCI_BASE_ADDRESS_MEM_TYPE_32;
	device_put32(&dev->config_mask[at], (uint32_t)mask);
	if (wide)
		device_put32(&dev->config_mask[at + 4], mask >> 32);
}

unsigned device_add_cap(struct device *dev, uint8_t id, unsigned size)
{
	unsigned at = dev->cap_end;

	ASSERT(size >= 2 && at + size <= PCI_CFG_SPACE_SIZE);
	dev->config[at + PCI_CAP_LIST_ID] = id;
	/* Appended, not put in front: drivers take the first of a kind. */
	if (dev->cap_last)
		dev->config[dev->cap_last + PCI_CAP_LIST_NEXT] = (uint8_t)at;
	else
		dev->config[PCI_CAPABILITY_LIST] = (uint8_t)at;
	dev->config[PCI_STATUS] |= PCI_STATUS_CAP_LIST;
	dev->cap_last = (uint8_t)at;
	dev->cap_end = (uint8_t)ALIGN_UP(at + size, 4u);
	return at;
}

void device_add_msix(struct device *dev, unsigned bar, unsigned count)
{
	unsigned at = device_add_cap(dev, PCI_CAP_ID_MSIX, PCI_CAP_MSIX_SIZEOF);

	ASSERT(count >= 1 && count <= PCI_MSIX_VECTORS_MAX);
	device_add_bar(dev, bar, MSIX_BAR_SIZE, false, false);
	dev->msix_cap = (uint8_t)at;
	dev->msix_bar = (uint8_t)bar;
	dev->msix_count = (uint8_t)count;
	device_put16(&dev->config[at + PCI_MSIX_FLAGS], (uint16_t)(count - 1));
	device_put16(&dev->config_mask[at + PCI_MSIX_FLAGS],
		     PCI_MSIX_FLAGS_ENABLE | PCI_MSIX_FLAGS_MASKALL);
	device_put32(&dev->config[at + PCI_MSIX_TABLE], bar);
	device_put32(&dev->config[at + PCI_MSIX_PBA], MSIX_PBA_OFFSET | bar);
}

void device_reset_config(struct device *dev)
{
	uint16_t command = 0;

	for (unsigned i = 0; i < PCI_CONFIG_SIZE; i++)
		dev->config[i] &= (uint8_t)~dev->config_mask[i];
	for (unsigned i = 0; i < PCI_BARS_MAX; i++) {
		struct device_bar *bar = &dev->bars[i];
		uint8_t *at = &dev->config[PCI_BASE_ADDRESS_0 + i * 4];

		if (!bar->size)
			continue;
		bar->base = bar->home;
		device_put32(at, (uint32_t)bar->home | at[0]);
		command |= bar->io ? PCI_COMMAND_IO : PCI_COMMAND_MEMORY;
	}
	/* As firmware would leave it: decoding, but not yet a bus master. */
	device_put16(&dev->config[PCI_COMMAND], command);

	lock_acquire(&dev->msix_lock);
	for (unsigned i = 0; i < PCI_MSIX_VECTORS_MAX; i++)
		dev->msix[i] = (struct msix_entry){.masked = true};
	lock_release(&dev->msix_lock);
	device_update_control(dev);
}

/* Sends vector's message, if anything lets it; msix_lock is held, so that no
 * message leaves after the guest's write of a mask bit has returned. */
static void device_send_message(struct device *dev, struct msix_entry *entry)
{
	if (entry->masked || dev->msix_all_masked || !dev->bus_master) {
		entry->pending = true;
		return;
	}
	entry->pending = false;
	dev->interrupts++;
	vm_deliver_msi(dev->vm, entry->address, entry->data);
}

/* Something was unmasked: what was held back may go. */
static void device_send_pending(struct device *dev)
{
	if (!dev->msix_enabled)
		return;
	for (unsigned i = 0; i < dev->msix_count; i++)
		if (dev->msix[i].pending)
			device_send_message(dev, &dev->msix[i]);
}

void device_update_control(struct device *dev)
{
	uint16_t command = device_get16(&dev->config[PCI_COMMAND]);
	uint16_t flags = 0;

	if (dev->msix_cap)
		flags = device_get16(
			&dev->config[dev->msix_cap + PCI_MSIX_FLAGS]);
	lock_acquire(&dev->msix_lock);
	dev->msix_enabled = flags & PCI_MSIX_FLAGS_ENABLE;
	dev->msix_all_masked = flags & PCI_MSIX_FLAGS_MASKALL;
	dev->bus_master = command & PCI_COMMAND_MASTER;
	device_send_pending(dev);
	lock_release(&dev->msix_lock);

	lock_acquire(&dev->bus->intx_lock);
	pci_update_intx(dev);
	lock_release(&dev->bus->intx_lock);
}

void device_msix_fire(struct device *dev, unsigned vector)
{
	lock_acquire(&dev->msix_lock);
	if (dev->msix_enabled && vector < dev->msix_count)
		device_send_message(dev, &dev->msix[vector]);
	lock_release(&dev->msix_lock);
}

/* One dword of the table or the pending bits. */
static uint32_t device_msix_dword(const struct device *dev, unsigned offset)
{
	unsigned index = offset / PCI_MSIX_ENTRY_SIZE;
	const struct msix_entry *entry;
	uint32_t bits = 0;

	if (offset >= MSIX_PBA_OFFSET &&
	    offset < MSIX_PBA_OFFSET + MSIX_PBA_SIZE) {
		if (offset > MSIX_PBA_OFFSET)
			return 0;
		for (unsigned i = 0; i < dev->msix_count; i++)
			bits |= (uint32_t)dev->msix[i].pending << i;
		return bits;
	}
	if (index >= dev->msix_count)
		return 0;
	entry = &dev->msix[index];
	switch (offset % PCI_MSIX_ENTRY_SIZE) {
	case PCI_MSIX_ENTRY_LOWER_ADDR:
		return (uint32_t)entry->address;
	case PCI_MSIX_ENTRY_UPPER_ADDR:
		return entry->address >> 32;
	case PCI_MSIX_ENTRY_DATA:
		return entry->data;
	default:
		return entry->masked ? PCI_MSIX_ENTRY_CTRL_MASKBIT : 0;
	}
}

/* Software may use aligned dwords and qwords only (6.8.2); a smaller or
 * crooked read gets what the aligned ones would have shown. */
uint64_t device_msix_read(struct device *dev, uint64_t offset, unsigned size)
{
	unsigned first = (unsigned)ALIGN_DOWN(offset, 4ull);
	unsigned shift = (unsigned)(offset - first) * 8;
	uint64_t value;

	lock_acquire(&dev->msix_lock);
	value = device_msix_dword(dev, first);
	if (first + 4 < MSIX_BAR_SIZE)
		value |= (uint64_t)device_msix_dword(dev, first + 4) << 32;
	lock_release(&dev->msix_lock);
	value >>= shift;
	return size < 8 ? value & ((1ull << size * 8) - 1) : value;
}

static void device_msix_write_dword(struct device *dev, unsigned offset,
				    uint32_t value)
{
	unsigned index = offset / PCI_MSIX_ENTRY_SIZE;
	struct msix_entry *entry;

	if (index >= dev->msix_count)
		return; /* the pending bits, or nothing: read-only */
	entry = &dev->msix[index];
	switch (offset % PCI_MSIX_ENTRY_SIZE) {
	case PCI_MSIX_ENTRY_LOWER_ADDR:
		/* Bits 1:0 must be zero (6.8.2.7). */
		entry->address =
			(entry->address & ~0xffffffffull) | (value & ~3u);
		break;
	case PCI_MSIX_ENTRY_UPPER_ADDR:
		entry->address = (entry->address & 0xffffffffull) |
				 (uint64_t)value << 32;
		break;
	case PCI_MSIX_ENTRY_DATA:
		entry->data = value;
		break;
	default:
		entry->masked = value & PCI_MSIX_ENTRY_CTRL_MASKBIT;
		device_send_pending(dev);
	}
}

void device_msix_write(struct device *dev, uint64_t offset, unsigned size,
		       uint64_t value)
{
	if (size < 4 || offset % size)
		return;
	lock_acquire(&dev->msix_lock);
	for (unsigned i = 0; i < size; i += 4)
		device_msix_write_dword(dev, (unsigned)offset + i,
					(uint32_t)(value >> i * 8));
	lock_release(&dev->msix_lock);
}

void device_isr_raise(struct device *dev, uint8_t causes)
{
	lock_acquire(&dev->bus->intx_lock);
	dev->isr |= causes;
	pci_update_intx(dev);
	lock_release(&dev->bus->intx_lock);
}

uint8_t device_isr_take(struct device *dev)
{
	uint8_t causes;

	lock_acquire(&dev->bus->intx_lock);
	causes = dev->isr;
	dev->isr = 0;
	pci_update_intx(dev);
	lock_release(&dev->bus->intx_lock);
	return causes;
}
