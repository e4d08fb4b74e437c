/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The host's PCI functions: what is there, and how to reach it. */
#include "vmkernel/pci/pci.h"

#include <linux/errno.h>
#include <linux/pci_regs.h>

#include "plat/lock.h"
#include "vmkernel/boot/acpi.h"
#include "vmkernel/cpu/io.h"
#include "vmkernel/mm/mm.h"

/* Configuration mechanism 1: PCI Local Bus 3.0, 3.2.2.3.2. */
#define PCI_ADDRESS	     0xcf8
#define PCI_DATA	     0xcfc
#define PCI_ADDRESS_ENABLE   (1u << 31)
#define PCI_LEGACY_SIZE	     256
#define PCI_FUNCTIONS	     (256u * 32 * 8)

#define PCI_BUS_SIZE	     MiB(1) /* of ECAM space */

#define PCI_CLASS_BRIDGE     0x06
/* A chain of capabilities has no more than this many: 4 bytes each. */
#define PCI_CAPABILITIES_MAX 48

static struct pci_device pci_devices[PCI_FUNCTIONS_MAX];
static unsigned pci_count;
static struct lock pci_lock = LOCK_INIT("pci", LOCK_PCI);

static uint32_t pci_legacy_read(uint32_t bdf, unsigned offset)
{
	uint32_t value;

	lock_acquire(&pci_lock);
	outl(PCI_ADDRESS, PCI_ADDRESS_ENABLE | bdf << 8 | (offset & ~3u));
	value = inl(PCI_DATA);
	lock_release(&pci_lock);
	return value;
}

static void pci_legacy_write(uint32_t bdf, unsigned offset, unsigned size,
			     uint32_t value)
{
	lock_acquire(&pci_lock);
	outl(PCI_ADDRESS, PCI_ADDRESS_ENABLE | bdf << 8 | (offset & ~3u));
	if (size == 2)
		outw((uint16_t)(PCI_DATA + (offset & 2)), (uint16_t)value);
	else
		outl(PCI_DATA, value);
	lock_release(&pci_lock);
}

uint32_t pci_read32(const struct pci_device *dev, unsigned offset)
{
	if (dev->ecam && offset < PCI_CFG_SPACE_EXP_SIZE)
		return *(volatile uint32_t *)(dev->ecam + (offset & ~3u));
	if (offset < PCI_LEGACY_SIZE)
		return pci_legacy_read(dev->bdf, offset);
	return UINT32_MAX;
}

uint16_t pci_read16(const struct pci_device *dev, unsigned offset)
{
	return (uint16_t)(pci_read32(dev, offset) >> 8 * (offset & 2));
}

uint8_t pci_read8(const struct pci_device *dev, unsigned offset)
{
	return (uint8_t)(pci_read32(dev, offset) >> 8 * (offset & 3));
}

/* No read-modify-write of a dword: the other half may be write-1-to-clear. */
void pci_write16(const struct pci_device *dev, unsigned offset, uint16_t value)
{
	if (dev->ecam && offset < PCI_CFG_SPACE_EXP_SIZE)
		*(volatile uint16_t *)(dev->ecam + offset) = value;
	else if (offset < PCI_LEGACY_SIZE)
		pci_legacy_write(dev->bdf, offset, 2, value);
}

void pci_write32(const struct pci_device *dev, unsigned offset, uint32_t value)
{
	if (dev->ecam && offset < PCI_CFG_SPACE_EXP_SIZE)
		*(volatile uint32_t *)(dev->ecam + offset) = value;
	else if (offset < PCI_LEGACY_SIZE)
		pci_legacy_write(dev->bdf, offset, 4, value);
}

struct pci_device *pci_at(unsigned index)
{
	return index < pci_count ? &pci_devices[index] : NULL;
}

struct pci_device *pci_find_bdf(uint16_t bdf)
{
	for (unsigned i = 0; i < pci_count; i++)
		if (pci_devices[i].bdf == bdf)
			return &pci_devices[i];
	return NULL;
}

uint8_t pci_find_capability(const struct pci_device *dev, uint8_t id)
{
	uint8_t at;

	if (!(pci_read16(dev, PCI_STATUS) & PCI_STATUS_CAP_LIST))
		return 0;
	at = pci_read8(dev, PCI_CAPABILITY_LIST);
	for (unsigned i = 0; i < PCI_CAPABILITIES_MAX; i++) {
		at &= ~3u; /* the two low bits are reserved */
		if (at < PCI_STD_HEADER_SIZEOF)
			return 0;
		if (pci_read8(dev, at + PCI_CAP_LIST_ID) == id)
			return at;
		at = pci_read8(dev, at + PCI_CAP_LIST_NEXT);
	}
	return 0;
}

void pci_enable(const struct pci_device *dev)
{
	uint16_t command = pci_read16(dev, PCI_COMMAND);

	pci_write16(dev, PCI_COMMAND,
		    command | PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER |
			    PCI_COMMAND_INTX_DISABLE);
}

void pci_disable(const struct pci_device *dev)
{
	uint16_t command = pci_read16(dev, PCI_COMMAND);

	command &= ~(PCI_COMMAND_IO | PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
	pci_write16(dev, PCI_COMMAND, command | PCI_COMMAND_INTX_DISABLE);
}

int pci_map_bar(const struct pci_device *dev, unsigned bar, struct mmio *mmio)
{
	const struct pci_bar *b;

	if (bar >= PCI_BAR_COUNT)
		return -ENODEV;
	b = &dev->bars[bar];
	if (!b->size || b->io || !b->base)
		return -ENODEV;
	if (b->size > UINT32_MAX)
		return -EFBIG;
	mmio->base = mm_map_mmio(HPA(b->base), b->size);
	if (!mmio->base)
		return -ENOMEM;
	mmio->size = (uint32_t)b->size;
	return 0;
}

/* Which bits of a BAR can be set (PCI Local Bus 3.0, 6.2.5.1). */
static uint32_t pci_bar_mask(const struct pci_device *dev, unsigned offset)
{
	uint32_t old = pci_read32(dev, offset);
	uint32_t mask;

	pci_write32(dev, offset, UINT32_MAX);
	mask = pci_read32(dev, offset);
	pci_write32(dev, offset, old);
	return mask;
}

static void pci_size_bars(struct pci_device *dev)
{
	uint16_t command = pci_read16(dev, PCI_COMMAND);

	/* A BAR that is being sized decodes some other address: switch
	 * decoding off meanwhile. */
	pci_write16(dev, PCI_COMMAND,
		    command & ~(PCI_COMMAND_IO | PCI_COMMAND_MEMORY));
	for (unsigned i = 0; i < PCI_BAR_COUNT; i++) {
		unsigned offset = PCI_BASE_ADDRESS_0 + 4 * i;
		uint32_t low = pci_read32(dev, offset);
		uint64_t mask = pci_bar_mask(dev, offset);
		struct pci_bar *b = &dev->bars[i];

		if (!mask)
			continue;
		b->io = low & PCI_BASE_ADDRESS_SPACE_IO;
		if (b->io) {
			/* The upper half may be fixed at zero. */
			mask |= 0xffff0000;
			mask &= (uint32_t)PCI_BASE_ADDRESS_IO_MASK;
			b->base = low & (uint32_t)PCI_BASE_ADDRESS_IO_MASK;
			b->size = (uint32_t)(~mask + 1);
			continue;
		}
		b->wide = (low & PCI_BASE_ADDRESS_MEM_TYPE_MASK) ==
				  PCI_BASE_ADDRESS_MEM_TYPE_64 &&
			  i + 1 < PCI_BAR_COUNT;
		b->base = low & (uint32_t)PCI_BASE_ADDRESS_MEM_MASK;
		mask &= (uint32_t)PCI_BASE_ADDRESS_MEM_MASK;
		if (b->wide) {
			b->base |= (uint64_t)pci_read32(dev, offset + 4) << 32;
			mask |= (uint64_t)pci_bar_mask(dev, offset + 4) << 32;
			i++;
		} else {
			mask |= 0xffffffff00000000;
		}
		b->size = ~mask + 1;
	}
	pci_write16(dev, PCI_COMMAND, command);
}

/* The function's page of ECAM space; NULL: none, or no memory to map it. A
 * bus is mapped when its first function is found. */
static volatile uint8_t *pci_map_ecam(uint32_t bdf)
{
	static volatile uint8_t *bus_base;
	static uint32_t bus_mapped = UINT32_MAX;
	const struct acpi_info *acpi = acpi_info();
	uint32_t bus = bdf >> 8;

	if (bus != bus_mapped) {
		bus_mapped = bus;
		bus_base = NULL;
		for (unsigned i = 0; i < acpi->ecam_count; i++) {
			const struct acpi_ecam *e = &acpi->ecams[i];

			if (e->segment || bus < e->first_bus ||
			    bus > e->last_bus)
				continue;
			bus_base =
				mm_map_mmio(HPA(e->base.v + bus * PCI_BUS_SIZE),
					    PCI_BUS_SIZE);
			break;
		}
	}
	return bus_base ? bus_base + (bdf & 0xff) * PAGE_SIZE : NULL;
}

/* False: the table is full. */
static bool pci_add_function(uint32_t bdf, uint32_t id)
{
	struct pci_device *dev = &pci_devices[pci_count];

	if (pci_count == PCI_FUNCTIONS_MAX) {
		log_warn("pci", "more than %u functions: the rest is not used",
			 PCI_FUNCTIONS_MAX);
		return false;
	}
	pci_count++;
	dev->bdf = (uint16_t)bdf;
	dev->vendor = (uint16_t)id;
	dev->device = (uint16_t)(id >> 16);
	dev->ecam = pci_map_ecam(bdf);
	/* Firmware tables can be wrong: is it the same function? */
	if (dev->ecam && pci_read32(dev, PCI_VENDOR_ID) != id)
		dev->ecam = NULL;
	dev->class = pci_read32(dev, PCI_CLASS_REVISION) >> 8;
	/* Bridges are firmware's; the host bridge must not stop decoding. */
	if ((pci_read8(dev, PCI_HEADER_TYPE) & 0x7f) ==
		    PCI_HEADER_TYPE_NORMAL &&
	    dev->class >> 16 != PCI_CLASS_BRIDGE)
		pci_size_bars(dev);
	log_debug("pci", "%02x:%02x.%u %04x:%04x class %06x", bdf >> 8,
		  bdf >> 3 & 31, bdf & 7, dev->vendor, dev->device, dev->class);
	return true;
}

/*
 * Asks every slot of every bus: some milliseconds, once, and it finds what is
 * behind a second host bridge, which is on no bridge's list.
 */
void pci_init_host(void)
{
	uint32_t bdf = 0;

	while (bdf < PCI_FUNCTIONS) {
		uint32_t id = pci_legacy_read(bdf, PCI_VENDOR_ID);
		bool first = !(bdf & 7);
		bool one = false;

		if (id != UINT32_MAX && id != 0) {
			if (!pci_add_function(bdf, id))
				break;
			/* Functions 1 to 7 of some would mirror 0. */
			one = !(pci_legacy_read(bdf, PCI_HEADER_TYPE) >> 16 &
				0x80);
		} else {
			one = true;
		}
		bdf += first && one ? 8 : 1;
	}
	log_info("pci", "%u functions, configuration by %s", pci_count,
		 acpi_info()->ecam_count ? "ECAM" : "ports");
}
