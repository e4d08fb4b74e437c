/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A VM's I/O APIC: 24 inputs, edge and level. */
#ifndef VMM_DEV_IOAPIC_H
#define VMM_DEV_IOAPIC_H

#include "plat/lock.h"
#include "vmm/dev/lapic.h"

/*
 * Intel 82093AA datasheet, chapter 3, with the EOI register of later chips
 * (ICH9 datasheet, 13.5; version 0x20). It is called on any CPU. Its lock is
 * held while it posts to local APICs, which take none; lapic_wake() and
 * lapic_signal() are called with it held.
 */
#define IOAPIC_BASE_GPA	 0xfec00000ull
#define IOAPIC_MMIO_SIZE 4096u
#define IOAPIC_PINS	 24

struct ioapic {
	struct lock lock; /* LOCK_IRQCHIP; protects all below */
	struct lapic_set *set;
	uint32_t lines; /* level of each input */
	uint8_t select;
	uint8_t id;
	uint64_t entries[IOAPIC_PINS]; /* redirection table */
	uint64_t bad_access;	       /* wrong size, or no such register */
	uint64_t bad_entry; /* an entry that makes no sense was triggered */
};

void ioapic_init(struct ioapic *ioapic, struct lapic_set *set);
/* Power-on state; the inputs keep their levels. */
void ioapic_reset(struct ioapic *ioapic);

/* Level of input gsi (0 to IOAPIC_PINS - 1; others are ignored). Devices that
 * share an input combine their levels first. */
void ioapic_set_line(struct ioapic *ioapic, unsigned gsi, bool level);
/* A level-triggered interrupt has been ended by a local APIC. */
void ioapic_eoi(struct ioapic *ioapic, uint8_t vector);

/* The MMIO page; offset below IOAPIC_MMIO_SIZE, size 1, 2, 4 or 8. */
uint32_t ioapic_read(struct ioapic *ioapic, uint32_t offset, unsigned size);
void ioapic_write(struct ioapic *ioapic, uint32_t offset, unsigned size,
		  uint32_t value);

#endif
