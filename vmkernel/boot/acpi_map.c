/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reaches the firmware's tables: they are not RAM, so not in the direct map. */
#include "vmkernel/boot/acpi.h"
#include "vmkernel/mm/mm.h"

const void *acpi_map(hpa_t pa, uint64_t size)
{
	return mm_map_mmio(pa, size);
}
