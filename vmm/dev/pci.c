/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A guest's PCI bus 0: configuration space and address decoding. */
#include "vmm/dev/pci.h"

#include <linux/errno.h>
#include <linux/pci_regs.h>
#include <string.h>

/*
 * Locks: bus->lock (LOCK_DEVICE) is taken for each configuration access and
 * never held while a function's ops are called, since those may take the
 * function's own lock of the same rank. Under it: MSI-X and INTx locks.
 */

#define PCI_ADDRESS_ENABLE (1u << 31)
/* Bits 30:24 and 1:0 read as zero (PCI Local Bus 3.0, 3.2.2.3.2). */
#define PCI_ADDRESS_MASK   0x80fffffcu

static uint32_t pci_all_ones(unsigned size)
{
	return size < 4 ? (1u << size * 8) - 1 : ~0u;
}

/* The host bridge has no registers beyond its header. */
static void pci_bridge_reset(struct device *dev)
{
	(void)dev;
}

static uint64_t pci_bridge_read(struct device *dev, unsigned bar,
				uint64_t offset, unsigned size)
{
	(void)dev, (void)bar, (void)offset;
	return size < 8 ? pci_all_ones(size) : ~0ull;
}

static void pci_bridge_write(struct device *dev, unsigned bar, uint64_t offset,
			     unsigned size, uint64_t value)
{
	(void)dev, (void)bar, (void)offset, (void)size, (void)value;
}

static const struct device_ops pci_bridge_ops = {
	.name = "host bridge",
	.reset = pci_bridge_reset,
	.bar_read = pci_bridge_read,
	.bar_write = pci_bridge_write,
};

void pci_init(struct pci_bus *bus, struct vm *vm)
{
	/* Red Hat's generic host bridge, which asks for no driver. */
	static const struct device_identity bridge = {
		.vendor = 0x1b36,
		.device = 0x0008,
		.subsystem_vendor = 0x1af4,
		.subsystem = 0x1100,
		.class_code = 0x060000,
	};

	memset(bus, 0, sizeof(*bus));
	bus->vm = vm;
	bus->io_next = GUEST_PCI_IO_BASE;
	bus->memory_next = GUEST_PCI_MMIO_BASE;
	lock_init(&bus->lock, "pci", LOCK_DEVICE);
	lock_init(&bus->intx_lock, "intx", LOCK_INTX);
	device_init(&bus->host_bridge, &pci_bridge_ops, vm, &bridge);
	pci_add(bus, &bus->host_bridge, PCI_HOST_BRIDGE_SLOT);
}

/* Is the BAR decoded, and within its window? */
static bool pci_bar_decoded(const struct device *dev,
			    const struct device_bar *bar)
{
	uint8_t command = dev->config[PCI_COMMAND];
	uint64_t low = bar->io ? GUEST_PCI_IO_BASE : GUEST_PCI_MMIO_BASE;
	uint64_t high = bar->io ? GUEST_PCI_IO_END : GUEST_PCI_MMIO_END;

	if (!bar->size)
		return false;
	if (!(command & (bar->io ? PCI_COMMAND_IO : PCI_COMMAND_MEMORY)))
		return false;
	return bar->base >= low && bar->base < high &&
	       bar->size <= high - bar->base;
}

/* Rebuilds the tables that pci_find() reads; bus->lock is held. */
static void pci_rebuild_windows(struct pci_bus *bus)
{
	unsigned count[2] = {0, 0};

	WRITE_ONCE(bus->sequence, bus->sequence + 1);
	/* Readers see the odd sequence before any half-written window. */
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	for (unsigned slot = 0; slot < PCI_SLOTS; slot++) {
		struct device *dev = bus->slots[slot];

		for (unsigned i = 0; dev && i < PCI_BARS_MAX; i++) {
			const struct device_bar *bar = &dev->bars[i];
			struct pci_window *w;

			if (!pci_bar_decoded(dev, bar))
				continue;
			w = &bus->windows[bar->io][count[bar->io]++];
			WRITE_ONCE(w->base, bar->base);
			WRITE_ONCE(w->end, bar->base + bar->size);
			WRITE_ONCE(w->dev, dev);
			WRITE_ONCE(w->bar, i);
		}
	}
	WRITE_ONCE(bus->window_count[0], count[0]);
	WRITE_ONCE(bus->window_count[1], count[1]);
	/* Release: the windows are written before the even sequence. */
	__atomic_store_n(&bus->sequence, bus->sequence + 1, __ATOMIC_RELEASE);
}

static struct device *pci_find(struct pci_bus *bus, bool io, uint64_t address,
			       unsigned size, unsigned *bar, uint64_t *offset)
{
	struct device *found;
	uint32_t sequence;

	/* A writer is a few dozen stores with interrupts off. */
	do {
		unsigned count;

		/* Acquire: no window is read before its sequence. */
		while ((sequence = __atomic_load_n(&bus->sequence,
						   __ATOMIC_ACQUIRE)) &
		       1)
			plat_relax();
		found = NULL;
		count = READ_ONCE(bus->window_count[io]);
		for (unsigned i = 0; i < count; i++) {
			struct pci_window *w = &bus->windows[io][i];
			uint64_t base = READ_ONCE(w->base);
			uint64_t end = READ_ONCE(w->end);

			if (address < base || address >= end)
				continue;
			/* An access that leaves the BAR is answered by none. */
			if (size <= end - address) {
				found = READ_ONCE(w->dev);
				*bar = READ_ONCE(w->bar);
				*offset = address - base;
			}
			break;
		}
		/* All windows have been read before the second look. */
		__atomic_thread_fence(__ATOMIC_ACQUIRE);
	} while (unlikely(READ_ONCE(bus->sequence) != sequence));
	return found;
}

struct device *pci_find_io(struct pci_bus *bus, uint16_t port, unsigned size,
			   unsigned *bar, uint64_t *offset)
{
	return pci_find(bus, true, port, size, bar, offset);
}

struct device *pci_find_mem(struct pci_bus *bus, gpa_t gpa, unsigned size,
			    unsigned *bar, uint64_t *offset)
{
	return pci_find(bus, false, gpa.v, size, bar, offset);
}

/* Gives each BAR its home; cursors move only when all of them fit. */
static int pci_place_bars(struct pci_bus *bus, struct device *dev)
{
	uint64_t io = bus->io_next, memory = bus->memory_next;

	for (unsigned i = 0; i < PCI_BARS_MAX; i++) {
		struct device_bar *bar = &dev->bars[i];
		uint64_t *next = bar->io ? &io : &memory;

		if (!bar->size)
			continue;
		bar->home = ALIGN_UP(*next, bar->size);
		*next = bar->home + bar->size;
	}
	if (io > GUEST_PCI_IO_END || memory > GUEST_PCI_MMIO_END)
		return -ENOSPC;
	bus->io_next = io;
	bus->memory_next = memory;
	return 0;
}

int pci_add(struct pci_bus *bus, struct device *dev, unsigned slot)
{
	int err;

	ASSERT(slot < PCI_SLOTS);
	lock_acquire(&bus->lock);
	err = bus->slots[slot] ? -EBUSY : pci_place_bars(bus, dev);
	if (!err) {
		bus->slots[slot] = dev;
		dev->bus = bus;
		dev->devfn = (uint8_t)(slot << 3);
		device_reset_config(dev);
		pci_rebuild_windows(bus);
	}
	lock_release(&bus->lock);
	return err;
}

void pci_remove(struct device *dev)
{
	struct pci_bus *bus = dev->bus;

	device_isr_take(dev);
	lock_acquire(&bus->lock);
	bus->slots[dev->devfn >> 3] = NULL;
	pci_rebuild_windows(bus);
	lock_release(&bus->lock);
}

void pci_reset(struct pci_bus *bus)
{
	for (unsigned slot = 0; slot < PCI_SLOTS; slot++) {
		struct device *dev = bus->slots[slot];

		if (!dev)
			continue;
		dev->ops->reset(dev);
		device_isr_take(dev);
		lock_acquire(&bus->lock);
		device_reset_config(dev);
		lock_release(&bus->lock);
	}
	lock_acquire(&bus->lock);
	bus->address = 0;
	pci_rebuild_windows(bus);
	lock_release(&bus->lock);
}

void pci_update_intx(struct device *dev)
{
	struct pci_bus *bus = dev->bus;
	unsigned slot = dev->devfn >> 3;
	unsigned gsi = GUEST_GSI_PCI(slot);
	uint32_t *users = &bus->intx_users[gsi];
	bool was = *users;
	/* PCI_COMMAND_INTX_DISABLE is bit 10: bit 2 of the high byte. */
	bool masked = READ_ONCE(dev->config[PCI_COMMAND + 1]) &
		      PCI_COMMAND_INTX_DISABLE >> 8;
	bool want = dev->isr && !masked && !READ_ONCE(dev->msix_enabled) &&
		    dev->config[PCI_INTERRUPT_PIN];

	if (want == dev->intx_asserted)
		return;
	dev->intx_asserted = want;
	*users ^= 1u << slot;
	/* Slots share wires: the level is the OR of its users. */
	if (was != (*users != 0))
		vm_set_gsi(bus->vm, gsi, *users);
}

/* The function that a configuration access means, or NULL. */
static struct device *pci_config_target(struct pci_bus *bus, unsigned bdf,
					unsigned offset, unsigned size)
{
	if (bdf >= PCI_SLOTS << 3 || bdf & 7) /* bus 0, function 0 */
		return NULL;
	if ((offset & 3) + size > 4 || offset >= PCI_CONFIG_SIZE)
		return NULL;
	return bus->slots[bdf >> 3];
}

uint32_t pci_config_read(struct pci_bus *bus, unsigned bdf, unsigned offset,
			 unsigned size)
{
	struct device *dev = pci_config_target(bus, bdf, offset, size);
	uint8_t bytes[4] = {0};
	uint32_t value;

	if (!dev)
		return pci_all_ones(size);
	if (dev->ops->config_read)
		dev->ops->config_read(dev, offset, size);
	pci_config_peek(dev, offset, bytes, size);
	/* INTx status, whether or not the wire is masked (6.2.3). */
	if (offset <= PCI_STATUS && offset + size > PCI_STATUS &&
	    READ_ONCE(dev->isr) && !READ_ONCE(dev->msix_enabled))
		bytes[PCI_STATUS - offset] |= PCI_STATUS_INTERRUPT;
	memcpy(&value, bytes, sizeof(value));
	return value;
}

/* BAR registers to bases; bus->lock is held. */
static void pci_load_bars(struct device *dev)
{
	for (unsigned i = 0; i < PCI_BARS_MAX; i++) {
		struct device_bar *bar = &dev->bars[i];
		uint64_t value = 0;

		if (!bar->size)
			continue;
		memcpy(&value, &dev->config[PCI_BASE_ADDRESS_0 + i * 4],
		       bar->wide ? 8 : 4);
		bar->base = value & ~(bar->size - 1);
	}
}

void pci_config_write(struct pci_bus *bus, unsigned bdf, unsigned offset,
		      unsigned size, uint32_t value)
{
	struct device *dev = pci_config_target(bus, bdf, offset, size);
	unsigned end = offset + size, msix;

	if (!dev)
		return;
	msix = dev->msix_cap;
	lock_acquire(&bus->lock);
	for (unsigned i = 0; i < size; i++) {
		uint8_t mask = dev->config_mask[offset + i];
		uint8_t byte = (uint8_t)(value >> i * 8);

		/* Once: the data path looks at some without the lock. */
		WRITE_ONCE(dev->config[offset + i],
			   (uint8_t)((dev->config[offset + i] & ~mask) |
				     (byte & mask)));
	}
	if (offset < PCI_CARDBUS_CIS && end > PCI_COMMAND) {
		pci_load_bars(dev);
		pci_rebuild_windows(bus);
	}
	if (offset < PCI_STATUS ||
	    (msix && offset < msix + PCI_MSIX_TABLE && end > msix))
		device_update_control(dev);
	lock_release(&bus->lock);
	if (dev->ops->config_written)
		dev->ops->config_written(dev, offset, size);
}

void pci_config_peek(struct device *dev, unsigned offset, void *to, size_t size)
{
	lock_acquire(&dev->bus->lock);
	memcpy(to, &dev->config[offset], size);
	lock_release(&dev->bus->lock);
}

void pci_config_poke(struct device *dev, unsigned offset, const void *from,
		     size_t size)
{
	lock_acquire(&dev->bus->lock);
	memcpy(&dev->config[offset], from, size);
	lock_release(&dev->bus->lock);
}

uint32_t pci_port_read(struct pci_bus *bus, unsigned port, unsigned size)
{
	uint32_t address;

	lock_acquire(&bus->lock);
	address = bus->address;
	lock_release(&bus->lock);
	if (port == PCI_PORT_ADDRESS && size == 4)
		return address;
	if (port < PCI_PORT_DATA || !(address & PCI_ADDRESS_ENABLE))
		return pci_all_ones(size);
	return pci_config_read(bus, address >> 8 & 0xffff,
			       (address & 0xfc) + (port & 3), size);
}

void pci_port_write(struct pci_bus *bus, unsigned port, unsigned size,
		    uint32_t value)
{
	uint32_t address;

	lock_acquire(&bus->lock);
	if (port == PCI_PORT_ADDRESS && size == 4)
		bus->address = value & PCI_ADDRESS_MASK;
	address = bus->address;
	lock_release(&bus->lock);
	if (port < PCI_PORT_DATA || !(address & PCI_ADDRESS_ENABLE))
		return;
	pci_config_write(bus, address >> 8 & 0xffff,
			 (address & 0xfc) + (port & 3), size, value);
}

uint64_t pci_ecam_read(struct pci_bus *bus, uint64_t offset, unsigned size)
{
	unsigned bdf = (unsigned)(offset >> 12);
	unsigned reg = (unsigned)offset & 0xfff;

	if (size < 8)
		return pci_config_read(bus, bdf, reg, size);
	return pci_config_read(bus, bdf, reg, 4) |
	       (uint64_t)pci_config_read(bus, bdf, reg + 4, 4) << 32;
}

void pci_ecam_write(struct pci_bus *bus, uint64_t offset, unsigned size,
		    uint64_t value)
{
	unsigned bdf = (unsigned)(offset >> 12);
	unsigned reg = (unsigned)offset & 0xfff;

	pci_config_write(bus, bdf, reg, size < 8 ? size : 4, (uint32_t)value);
	if (size == 8)
		pci_config_write(bus, bdf, reg + 4, 4, (uint32_t)(value >> 32));
}
