/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The guest-physical memory map of every VM. */
#ifndef VMM_LAYOUT_H
#define VMM_LAYOUT_H

#include "lib/types.h"

/*
 *   0          - 0x9ffff      RAM
 *   0xa0000    - 0xdffff      nothing (reserved; RAM may be behind it)
 *   0xe0000    - 0xeffff      RAM with the ACPI tables (reserved)
 *   0xf0000    - 0xfffff      RAM with what a guest may expect of a BIOS: its
 *                             services, code at the reset vector (reserved)
 *   0x100000   - 0xbfffffff   RAM, as far as the VM has it
 *   0xc0000000 - 0xdfffffff   BARs of PCI functions
 *   0xe0000000 - 0xe00fffff   PCI configuration space (ECAM) of bus 0
 *   0xfec00000                I/O APIC
 *   0xfee00000                local APICs, and the target of MSIs
 *   4 GiB      -              the rest of the RAM
 *
 * So guest memory is [0, min(size, GUEST_LOW_MAX)) and, if there is more,
 * [4 GiB, 4 GiB + rest).
 */
#define GUEST_LOW_RAM_END   0xa0000ull
#define GUEST_ACPI_BASE	    0xe0000ull
#define GUEST_ACPI_END	    0xf0000ull
#define GUEST_BIOS_BASE	    0xf0000ull
#define GUEST_RESET_VECTOR  0xffff0ull
#define GUEST_MAIN_RAM_BASE 0x100000ull
#define GUEST_LOW_MAX	    0xc0000000ull
#define GUEST_HIGH_BASE	    0x100000000ull
#define GUEST_PCI_MMIO_BASE 0xc0000000ull
#define GUEST_PCI_MMIO_END  0xe0000000ull
#define GUEST_PCI_IO_BASE   0xc000u
#define GUEST_PCI_IO_END    0x10000u
#define GUEST_ECAM_BASE	    0xe0000000ull
#define GUEST_ECAM_SIZE	    0x100000ull
#define GUEST_IOAPIC_BASE   0xfec00000ull
#define GUEST_LAPIC_BASE    0xfee00000ull

#define GUEST_IOAPIC_ID	    0
#define GUEST_IOAPIC_PINS   24

/* Global system interrupts. */
#define GUEST_GSI_COM1	    4
#define GUEST_GSI_RTC	    8
#define GUEST_GSI_POWER	    9		      /* asked to shut down: edge */
#define GUEST_GSI_PCI(slot) (16 + (slot) % 8) /* INTA of a slot, level */

#endif
