/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ACPI tables of a VM, and the I/O ports they name. */
#ifndef VMM_ACPI_H
#define VMM_ACPI_H

#include "vmm/dev/guest_mem.h"

/*
 * Sleep control and status registers (ACPI 6.4, 4.8.3.7): byte ports. A write
 * of ACPI_SLEEP_S5 to the control register is power-off; other sleep types are
 * not offered. Status reads as 0, its writes are ignored.
 */
#define ACPI_PORT_SLEEP_CONTROL 0x600
#define ACPI_PORT_SLEEP_STATUS	0x601
#define ACPI_SLEEP_ENABLE	(1u << 5)
#define ACPI_SLEEP_TYPE(value)	(((value) >> 2) & 7)
#define ACPI_SLEEP_TYPE_S5	5 /* as \_S5 of dsdt.asl says */
#define ACPI_SLEEP_S5		(ACPI_SLEEP_ENABLE | ACPI_SLEEP_TYPE_S5 << 2)

/* Reset register (4.8.3.6): a byte port within 0xcf8's range, as on a PC. */
#define ACPI_PORT_RESET		0xcf9
#define ACPI_RESET_VALUE	0x06

/* Where the power management timer is (4.8.2.1) if it is an emulated one. */
#define ACPI_PORT_PM_TIMER	0x608

#define ACPI_CPUS_MAX		16

/*
 * Writes RSDP, XSDT, FADT, MADT, MCFG and the given DSDT into
 * [GUEST_ACPI_BASE, GUEST_ACPI_END) and says where the RSDP is. APIC IDs are 0
 * to cpus - 1, and cpus is 1 to ACPI_CPUS_MAX (-EINVAL). pm_timer: its port.
 * -ENOSPC: the DSDT is too large; -EINVAL: it is none; -EFAULT: no RAM there.
 */
int acpi_build(const struct guest_mem *mem, unsigned cpus, uint16_t pm_timer,
	       const void *dsdt, size_t dsdt_size, gpa_t *rsdp);

#endif
