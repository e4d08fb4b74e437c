/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Turning the machine off, and starting it over. */
#ifndef VMKERNEL_CPU_POWER_H
#define VMKERNEL_CPU_POWER_H

/* ACPI S5. Where the firmware offers no way, says so and halts this CPU. */
_Noreturn void power_off(void);
_Noreturn void power_reset(void);

#endif
