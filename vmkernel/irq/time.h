/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The clock: TSC, calibrated against the ACPI PM timer. */
#ifndef VMKERNEL_IRQ_TIME_H
#define VMKERNEL_IRQ_TIME_H

#include "lib/types.h"

/* After acpi_init(); until then plat_now_ns() is 0. */
void time_init(void);
/* TSC frequency, kHz. */
uint64_t time_tsc_khz(void);
/* Seconds since 1970 UTC, from the CMOS clock read once at boot. */
uint64_t time_wall_seconds(void);

#endif
