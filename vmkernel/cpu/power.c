/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Turning the machine off, and starting it over. */
#include "vmkernel/cpu/power.h"

#include "plat/plat.h"
#include "vmkernel/boot/acpi.h"
#include "vmkernel/console/serial.h"
#include "vmkernel/cpu/io.h"
#include "vmkernel/cpu/regs.h"
#include "vmkernel/mm/mm.h"

/* PM1 control, ACPI 6.4, table 4.14. */
#define PM1_SCI_EN	 (1u << 0) /* ACPI mode is on */
#define PM1_TYPE_SHIFT	 10
#define PM1_TYPE_MASK	 (7u << PM1_TYPE_SHIFT)
#define PM1_ENABLE	 (1u << 13)
/* Sleep control, table 4.22. */
#define SLEEP_TYPE_SHIFT 2
#define SLEEP_ENABLE	 (1u << 5)

/* Reset control register of Intel's and AMD's south bridges (ICH9, 13.7.5). */
#define RESET_PORT	 0xcf9
#define RESET_HARD	 0x02
#define RESET_CPU	 0x04
/* Keyboard controller: pulse the reset line. */
#define KBD_PORT	 0x64
#define KBD_RESET	 0xfe

/* pvpanic (QEMU, docs/specs/pvpanic.rst): reads as the events that it knows, a
 * write is an event that has happened. */
#define PVPANIC_PORT	 0x505
#define PVPANIC_PANICKED 1
#define PVPANIC_EVENTS	 3

/* Reads of a port, about 1 us each: what hardware and SMM code may take. */
#define POWER_TRIES	 1000000

static _Noreturn void power_halt(void)
{
	for (;;)
		__asm__ volatile("cli; hlt");
}

static void power_pause(void)
{
	for (unsigned i = 0; i < POWER_TRIES; i++)
		inb(0x80);
}

static void power_write(const struct acpi_register *reg, uint8_t value)
{
	volatile uint8_t *va;

	if (!reg->address)
		return;
	if (!reg->memory) {
		outb((uint16_t)reg->address, value);
		return;
	}
	va = mm_map_mmio(HPA(reg->address), 1);
	if (va)
		*va = value;
}

/* 4.8.2.5: hands power management over from firmware, unless it is ours. */
static void power_acpi_mode(const struct acpi_info *acpi)
{
	if (!acpi->smi_port || !acpi->smi_enable ||
	    inw(acpi->pm1a_port) & PM1_SCI_EN)
		return;
	outb(acpi->smi_port, acpi->smi_enable);
	for (unsigned i = 0; i < POWER_TRIES; i++)
		if (inw(acpi->pm1a_port) & PM1_SCI_EN)
			return;
}

static void power_pm1_write(uint16_t port, unsigned type)
{
	unsigned value;

	if (!port)
		return;
	value = inw(port) & ~(PM1_TYPE_MASK | PM1_ENABLE);
	value |= type << PM1_TYPE_SHIFT;
	outw(port, (uint16_t)(value | PM1_ENABLE));
}

void power_tell_failure(void)
{
	uint32_t out[4];
	uint8_t events;

	serial_flush();
	cpuid(1, 0, out);
	if (!(out[2] & 1u << 31)) /* on bare metal the port may be anything */
		return;
	events = inb(PVPANIC_PORT);
	if (events & PVPANIC_PANICKED && !(events & ~PVPANIC_EVENTS))
		outb(PVPANIC_PORT, PVPANIC_PANICKED);
}

_Noreturn void power_off(void)
{
	const struct acpi_info *acpi = acpi_info();

	serial_flush();
	if (acpi->has_s5 && acpi->sleep.address) {
		power_write(&acpi->sleep,
			    (uint8_t)(acpi->s5_a << SLEEP_TYPE_SHIFT |
				      SLEEP_ENABLE));
		power_pause();
	} else if (acpi->has_s5 && acpi->pm1a_port) {
		power_acpi_mode(acpi);
		power_pm1_write(acpi->pm1a_port, acpi->s5_a);
		power_pm1_write(acpi->pm1b_port, acpi->s5_b);
		power_pause();
	}
	log_error("power", "the firmware cannot turn the machine off: halted");
	power_halt();
}

_Noreturn void power_reset(void)
{
	const struct acpi_info *acpi = acpi_info();

	serial_flush();
	if (acpi->reset.address) {
		power_write(&acpi->reset, acpi->reset_value);
		power_pause();
	}
	outb(RESET_PORT, RESET_HARD);
	outb(RESET_PORT, RESET_HARD | RESET_CPU);
	power_pause();
	outb(KBD_PORT, KBD_RESET);
	power_pause();
	log_error("power", "the machine does not reset: halted");
	power_halt();
}
