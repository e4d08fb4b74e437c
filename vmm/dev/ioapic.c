/* SPDX-License-Identifier: GPL-2.0-or-later */
/* I/O APIC: redirection table, edge and level, remote IRR. */
#include "vmm/dev/ioapic.h"

#include <string.h>

/* Memory-mapped registers (82093AA, 3.1; EOI: ICH9, 13.5.5) */
#define MMIO_SELECT	 0x00
#define MMIO_WINDOW	 0x10
#define MMIO_EOI	 0x40

/* Registers behind the window (82093AA, 3.2) */
#define REG_ID		 0x00
#define REG_VERSION	 0x01
#define REG_ARBITRATE	 0x02
#define REG_TABLE	 0x10 /* two for each entry */

#define IOAPIC_VERSION	 (0x20u | (IOAPIC_PINS - 1) << 16)

/* Redirection entry (82093AA, 3.2.4) */
#define ENTRY_VECTOR(e)	 ((uint8_t)(e))
#define ENTRY_MODE(e)	 ((uint8_t)((e) >> 8 & 7))
#define ENTRY_LOGICAL	 (1ull << 11)
#define ENTRY_STATUS	 (1ull << 12) /* delivery status: always idle */
#define ENTRY_REMOTE_IRR (1ull << 14)
#define ENTRY_LEVEL	 (1ull << 15)
#define ENTRY_MASKED	 (1ull << 16)
#define ENTRY_DEST(e)	 ((uint8_t)((e) >> 56))
/* Destination; mask to vector, without the two that are read-only. */
#define ENTRY_WRITABLE \
	(0xff0000000001ffffull & ~(ENTRY_STATUS | ENTRY_REMOTE_IRR))

static bool entry_is_level(uint64_t entry)
{
	uint8_t mode = ENTRY_MODE(entry);

	/* 3.2.4: NMI and INIT are edges whatever the trigger bit says. */
	return (entry & ENTRY_LEVEL) &&
	       (mode == LAPIC_FIXED || mode == LAPIC_LOWEST);
}

/* True when a local APIC took it. */
static bool ioapic_send(struct ioapic *ioapic, unsigned pin)
{
	uint64_t entry = ioapic->entries[pin];
	const struct lapic_message msg = {
		.dest = ENTRY_DEST(entry),
		.broadcast = ENTRY_DEST(entry) == 0xff,
		.logical = entry & ENTRY_LOGICAL,
		.level = entry_is_level(entry),
		.mode = ENTRY_MODE(entry),
		.vector = ENTRY_VECTOR(entry),
	};
	/* A start-up message cannot come from here (3.2.4, delivery mode). */
	int taken =
		msg.mode == LAPIC_SIPI ? -1 : lapic_deliver(ioapic->set, &msg);

	if (taken < 0)
		ioapic->bad_entry++;
	return taken > 0;
}

/* A level-triggered input that is high and not in service is sent. */
static void ioapic_evaluate(struct ioapic *ioapic, unsigned pin)
{
	uint64_t *entry = &ioapic->entries[pin];

	if (!(ioapic->lines & 1u << pin) || !entry_is_level(*entry) ||
	    (*entry & (ENTRY_MASKED | ENTRY_REMOTE_IRR)))
		return;
	if (ioapic_send(ioapic, pin))
		*entry |= ENTRY_REMOTE_IRR;
}

void ioapic_set_line(struct ioapic *ioapic, unsigned gsi, bool level)
{
	uint32_t bit = 1u << (gsi % 32);
	bool was;

	if (gsi >= IOAPIC_PINS)
		return;
	lock_acquire(&ioapic->lock);
	was = ioapic->lines & bit;
	if (level)
		ioapic->lines |= bit;
	else
		ioapic->lines &= ~bit;
	if (entry_is_level(ioapic->entries[gsi]))
		ioapic_evaluate(ioapic, gsi);
	else if (level && !was && !(ioapic->entries[gsi] & ENTRY_MASKED))
		ioapic_send(ioapic, gsi); /* masked edges are lost: 3.2.4 */
	lock_release(&ioapic->lock);
}

/* Lock held. */
static void ioapic_end(struct ioapic *ioapic, uint8_t vector)
{
	for (unsigned pin = 0; pin < IOAPIC_PINS; pin++) {
		uint64_t *entry = &ioapic->entries[pin];

		if (ENTRY_VECTOR(*entry) != vector ||
		    !(*entry & ENTRY_REMOTE_IRR))
			continue;
		*entry &= ~ENTRY_REMOTE_IRR;
		ioapic_evaluate(ioapic, pin);
	}
}

void ioapic_eoi(struct ioapic *ioapic, uint8_t vector)
{
	lock_acquire(&ioapic->lock);
	ioapic_end(ioapic, vector);
	lock_release(&ioapic->lock);
}

static uint32_t ioapic_register_read(const struct ioapic *ioapic, uint8_t reg)
{
	unsigned pin = (reg - REG_TABLE) / 2u;

	if (reg == REG_ID || reg == REG_ARBITRATE)
		return (uint32_t)ioapic->id << 24;
	if (reg == REG_VERSION)
		return IOAPIC_VERSION;
	if (reg < REG_TABLE || pin >= IOAPIC_PINS)
		return 0;
	return (uint32_t)(ioapic->entries[pin] >> (reg & 1 ? 32 : 0));
}

static void ioapic_entry_write(struct ioapic *ioapic, unsigned pin, bool high,
			       uint32_t value)
{
	uint64_t entry = ioapic->entries[pin];

	if (high)
		entry = (uint32_t)entry | (uint64_t)value << 32;
	else
		entry = (entry & ~0xffffffffull) | value;
	entry = (entry & ENTRY_WRITABLE) |
		(ioapic->entries[pin] & ENTRY_REMOTE_IRR);
	/* Remote IRR means nothing for an edge; Linux ends an interrupt on
	 * chips without EOI register by going to edge and back. */
	if (!entry_is_level(entry))
		entry &= ~ENTRY_REMOTE_IRR;
	ioapic->entries[pin] = entry;
	ioapic_evaluate(ioapic, pin);
}

static void ioapic_register_write(struct ioapic *ioapic, uint8_t reg,
				  uint32_t value)
{
	unsigned pin = (reg - REG_TABLE) / 2u;

	if (reg == REG_ID)
		ioapic->id = value >> 24 & 0xf;
	else if (reg >= REG_TABLE && pin < IOAPIC_PINS)
		ioapic_entry_write(ioapic, pin, reg & 1, value);
}

uint32_t ioapic_read(struct ioapic *ioapic, uint32_t offset, unsigned size)
{
	uint32_t value = 0;

	lock_acquire(&ioapic->lock);
	if (offset == MMIO_SELECT)
		value = ioapic->select;
	else if (offset == MMIO_WINDOW && size == 4)
		value = ioapic_register_read(ioapic, ioapic->select);
	else
		ioapic->bad_access++;
	lock_release(&ioapic->lock);
	return value;
}

void ioapic_write(struct ioapic *ioapic, uint32_t offset, unsigned size,
		  uint32_t value)
{
	lock_acquire(&ioapic->lock);
	if (offset == MMIO_SELECT)
		ioapic->select = (uint8_t)value;
	else if (offset == MMIO_WINDOW && size == 4)
		ioapic_register_write(ioapic, ioapic->select, value);
	else if (offset == MMIO_EOI)
		ioapic_end(ioapic, (uint8_t)value);
	else
		ioapic->bad_access++;
	lock_release(&ioapic->lock);
}

void ioapic_reset(struct ioapic *ioapic)
{
	lock_acquire(&ioapic->lock);
	ioapic->select = 0;
	ioapic->id = 0;
	for (unsigned pin = 0; pin < IOAPIC_PINS; pin++)
		ioapic->entries[pin] = ENTRY_MASKED;
	lock_release(&ioapic->lock);
}

void ioapic_init(struct ioapic *ioapic, struct lapic_set *set)
{
	memset(ioapic, 0, sizeof(*ioapic));
	lock_init(&ioapic->lock, "ioapic", LOCK_IRQCHIP);
	ioapic->set = set;
	set->ioapic = ioapic;
	ioapic_reset(ioapic);
}
