/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Turning the machine off, and starting it over. */
#ifndef VMKERNEL_CPU_POWER_H
#define VMKERNEL_CPU_POWER_H

/* ACPI S5. Where the firmware offers no way, says so and halts this CPU. */
_Noreturn void power_off(void);
_Noreturn void power_reset(void);
/* Tells whoever runs this machine, if it is a virtual one with a pvpanic
 * device, that something went wrong; `sluice run` then ends with an error. */
void power_tell_failure(void);

#endif
