/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which values a guest may write to CR0 and CR4. */
#ifndef VMM_CR_H
#define VMM_CR_H

#include "vmm/state.h"

/* The bits of CR4 that a guest has whose CPUID leaves 1 and 7 these are: EAX to
 * EDX each (AMD APM 2, 3.1.3; Intel SDM 3A, 2.5). */
uint64_t cr4_mask(const uint32_t leaf1[4], const uint32_t leaf7[4]);

/* Does MOV to CR0 or CR4 accept the value, in this state? Else it is #GP. */
bool cr0_valid(const struct vcpu_state *s, uint64_t value);
bool cr4_valid(const struct vcpu_state *s, uint64_t value, uint64_t mask);

#endif
