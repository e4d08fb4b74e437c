/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Fuzzes the I/O APIC: registers, lines, EOIs; no input is ever lost. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "plat/linux/linux.h"
#include "vmm/dev/ioapic.h"
#include "vmm/dev/lapic.h"

#define CPUS 2

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct lapic_set set;
static struct ioapic ioapic;
static struct lapic apics[CPUS];
static struct guest_mem mem;

void lapic_wake(struct lapic *target)
{
}

void lapic_signal(struct lapic *target, enum lapic_mode event, uint8_t vector)
{
}

static void run(const uint8_t *op)
{
	struct lapic *apic = &apics[op[0] % CPUS];
	uint32_t value;
	int vector;

	memcpy(&value, op + 4, sizeof(value));
	switch (op[0] >> 4 & 7) {
	case 0:
		ioapic_read(&ioapic, (uint32_t)(op[1] | op[2] << 8) & 0xfff,
			    1u << (op[3] & 3));
		break;
	case 1:
		ioapic_write(&ioapic, (uint32_t)(op[1] | op[2] << 8) & 0xfff,
			     1u << (op[3] & 3), value);
		break;
	case 2:
		ioapic_write(&ioapic, 0x00, 4, 0x10 + op[1] % 50u);
		ioapic_write(&ioapic, 0x10, 4, value);
		break;
	case 3:
		ioapic_set_line(&ioapic, op[1] % 32u, op[2] & 1);
		break;
	case 4:
		ioapic_eoi(&ioapic, op[1]);
		break;
	case 5:
		lapic_write(apic, 0xd0, 4, value);
		break;
	case 6:
		lapic_write(apic, 0xb0, 4, 0);
		break;
	default:
		vector = lapic_pending(apic);
		if (vector >= 0)
			lapic_accept(apic, (uint8_t)vector);
		break;
	}
}

/* Afterwards a well-behaved guest gets its interrupts. */
static void check(void)
{
	for (unsigned i = 0; i < CPUS; i++) {
		lapic_reset(&apics[i]);
		lapic_write(&apics[i], 0xf0, 4, 0x1ff);
	}
	ioapic_reset(&ioapic);
	for (unsigned pin = 0; pin < IOAPIC_PINS; pin++) {
		ioapic_set_line(&ioapic, pin, false);
		ioapic_write(&ioapic, 0x00, 4, 0x10 + 2 * pin + 1);
		ioapic_write(&ioapic, 0x10, 4, 1u << 24);
		ioapic_write(&ioapic, 0x00, 4, 0x10 + 2 * pin);
		ioapic_write(&ioapic, 0x10, 4, 0x8000 | (0x40 + pin));
		ioapic_set_line(&ioapic, pin, true);
		if (lapic_pending(&apics[1]) != (int)(0x40 + pin))
			abort();
		lapic_accept(&apics[1], (uint8_t)(0x40 + pin));
		ioapic_set_line(&ioapic, pin, false);
		lapic_write(&apics[1], 0xb0, 4, 0);
		if (lapic_pending(&apics[1]) != -1 ||
		    ioapic_read(&ioapic, 0x10, 4) != (0x8000 | (0x40 + pin)))
			abort();
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	memset(&set, 0, sizeof(set));
	plat_linux_set_time(1000000000);
	ioapic_init(&ioapic, &set);
	for (unsigned i = 0; i < CPUS; i++) {
		lapic_init(&apics[i], &set, i, &mem, 1000000);
		lapic_write(&apics[i], 0xf0, 4, 0x1ff);
	}
	for (; size >= 8; data += 8, size -= 8)
		run(data);
	check();
	return 0;
}
