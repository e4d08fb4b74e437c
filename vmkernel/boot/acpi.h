/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the firmware's ACPI tables say of this machine. */
#ifndef VMKERNEL_BOOT_ACPI_H
#define VMKERNEL_BOOT_ACPI_H

#include "lib/types.h"
#include "plat/plat.h"

#define ACPI_IOAPICS_MAX   8
#define ACPI_OVERRIDES_MAX 16
#define ACPI_ECAMS_MAX	   4

struct acpi_ioapic {
	uint32_t gsi_base; /* its first input */
	hpa_t base;
};

struct acpi_override {
	uint8_t isa_irq;
	uint32_t gsi;
	/* MPS INTI flags (ACPI 6.4, table 5.26): polarity in bits 1:0,
	 * trigger mode in bits 3:2; 3 is low, or level. */
	uint16_t flags;
};

/* PCI configuration space in memory, 1 MiB a bus from first_bus on. */
struct acpi_ecam {
	hpa_t base; /* where bus 0 would be */
	uint16_t segment;
	uint8_t first_bus, last_bus;
};

/* A register in one of two address spaces; address 0: there is none. */
struct acpi_register {
	uint64_t address;
	bool memory; /* else an I/O port */
};

struct acpi_info {
	unsigned cpu_count; /* enabled ones that an xAPIC can address */
	uint32_t cpu_apic_ids[PLAT_CPUS_MAX];
	unsigned ioapic_count;
	struct acpi_ioapic ioapics[ACPI_IOAPICS_MAX];
	unsigned override_count;
	struct acpi_override overrides[ACPI_OVERRIDES_MAX];
	unsigned ecam_count;
	struct acpi_ecam ecams[ACPI_ECAMS_MAX];

	/* Ports, 0 where there is none. */
	uint16_t pm_timer_port;	       /* 24 bits count, at 3.579545 MHz */
	uint16_t pm1a_port, pm1b_port; /* control registers */
	uint16_t smi_port; /* write smi_enable to turn ACPI mode on */
	uint8_t smi_enable;

	bool has_s5; /* s5_a and s5_b are SLP_TYP values for power-off */
	uint8_t s5_a, s5_b;
	struct acpi_register sleep; /* hardware-reduced machines' way */
	struct acpi_register reset;
	uint8_t reset_value;
	hpa_t hpet; /* 0: none */
};

/*
 * rsdp: from the boot protocol, or 0 to search the BIOS area for it. Needs
 * mappings (mm_init). 0; -ENOENT: no RSDP or no MADT; -EINVAL: the root table
 * is broken. All are logged. Tables that are broken are left out, with a
 * warning: firmware is trusted, but it has bugs.
 */
int acpi_init(hpa_t rsdp);
const struct acpi_info *acpi_info(void); /* constant after acpi_init() */

/* Hook: size bytes of firmware memory, readable for good; NULL: cannot map
 * (acpi_map.c, or a test). */
const void *acpi_map(hpa_t pa, uint64_t size);

#endif
