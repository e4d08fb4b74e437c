/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Interrupt vectors and their handlers; the I/O APIC for ISA devices. */
#include "vmkernel/irq/irq.h"

#include <linux/errno.h>

#include "plat/mmio.h"
#include "plat/plat.h"
#include "vmkernel/boot/acpi.h"
#include "vmkernel/cpu/cpu.h"
#include "vmkernel/irq/irq_priv.h"
#include "vmkernel/mm/mm.h"
#include "vmkernel/sched/sched.h"

/* Set at boot, before interrupts are on; counts are per CPU's share, racing
 * increments are for people to read. */
static struct irq_handler {
	void (*fn)(void *arg, unsigned index);
	void *arg;
	unsigned index;
	const char *name;
	uint64_t count;
} irq_handlers[256];

static unsigned irq_next = VECTOR_DEVICE_FIRST;

int irq_alloc(void (*fn)(void *arg, unsigned index), void *arg, unsigned index,
	      const char *name)
{
	if (irq_next > VECTOR_DEVICE_LAST)
		return -ENOSPC;
	irq_handlers[irq_next] = (struct irq_handler){fn, arg, index, name, 0};
	return (int)irq_next++;
}

uint64_t irq_msi_address(unsigned cpu)
{
	return 0xfee00000ull | (uint64_t)cpu_at(cpu)->apic_id << 12;
}

uint32_t irq_msi_data(unsigned vector)
{
	return vector; /* fixed, edge */
}

uint64_t irq_count(unsigned vector)
{
	return irq_handlers[vector].count;
}

void irq_dispatch(unsigned vector)
{
	struct irq_handler *h = &irq_handlers[vector];

	cpu_this()->interrupts++;
	h->count++;
	if (vector == VECTOR_SPURIOUS)
		return; /* takes no EOI (SDM 3A, 11.9) */
	apic_eoi();
	if (vector == VECTOR_TIMER)
		sched_timer_interrupt();
	else if (vector == VECTOR_KICK)
		sched_kicked();
	else if (h->fn)
		h->fn(h->arg, h->index);
}

/* 82093AA data sheet, 3.1 and 3.2. */
#define IOAPIC_SELECT 0x00
#define IOAPIC_WINDOW 0x10
#define IOAPIC_REDIR  0x10
#define REDIR_LOW     (1u << 13) /* active low */
#define REDIR_LEVEL   (1u << 15)

int irq_route_isa(unsigned isa_irq, unsigned vector)
{
	const struct acpi_info *acpi = acpi_info();
	uint32_t gsi = isa_irq, low = vector;

	for (unsigned i = 0; i < acpi->override_count; i++) {
		const struct acpi_override *o = &acpi->overrides[i];

		if (o->isa_irq != isa_irq)
			continue;
		gsi = o->gsi;
		if ((o->flags & 3) == 3)
			low |= REDIR_LOW;
		if ((o->flags >> 2 & 3) == 3)
			low |= REDIR_LEVEL;
	}
	for (unsigned i = acpi->ioapic_count; i-- > 0;) {
		struct mmio m = {NULL, PAGE_SIZE};
		uint32_t index;

		if (gsi < acpi->ioapics[i].gsi_base)
			continue;
		index = IOAPIC_REDIR + 2 * (gsi - acpi->ioapics[i].gsi_base);
		m.base = mm_map_mmio(acpi->ioapics[i].base, PAGE_SIZE);
		if (!m.base)
			return -ENODEV;
		mmio_write32(&m, IOAPIC_SELECT, index + 1);
		mmio_write32(&m, IOAPIC_WINDOW, cpu_at(0)->apic_id << 24);
		mmio_write32(&m, IOAPIC_SELECT, index);
		mmio_write32(&m, IOAPIC_WINDOW, low);
		return 0;
	}
	return -ENODEV;
}
