/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the local APIC's own files share. */
#ifndef VMM_DEV_LAPIC_PRIV_H
#define VMM_DEV_LAPIC_PRIV_H

#include "vmm/dev/lapic.h"

#define SVR_ENABLE	   (1u << 8)
#define LVT_MASKED	   (1u << 16)
#define LVT_TIMER_MODE	   (3u << 17)
#define LVT_ONE_SHOT	   (0u << 17)
#define LVT_PERIODIC	   (1u << 17)
#define LVT_TSC_DEADLINE   (2u << 17)

/* ESR (11.5.3) */
#define ESR_SEND_VECTOR	   (1u << 5)
#define ESR_RECEIVE_VECTOR (1u << 6)
#define ESR_REGISTER	   (1u << 7)

#define LAPIC_VECTOR_MIN   16

static inline bool lapic_is_x2apic(const struct lapic *apic)
{
	return READ_ONCE(apic->base) & APIC_BASE_X2APIC;
}

/* lapic.c */
void lapic_error(struct lapic *apic, uint32_t bit);
void lapic_lvt_fire(struct lapic *apic, enum lapic_lvt entry);

/* lapic_ipi.c: the ICR was written. */
void lapic_ipi_send(struct lapic *apic);

/* lapic_timer.c */
void lapic_timer_init(struct lapic *apic);
void lapic_timer_reset(struct lapic *apic);
/* Fires what is due, by the clock. */
void lapic_timer_update(struct lapic *apic);
void lapic_timer_lvt_written(struct lapic *apic, uint32_t old);
void lapic_timer_set_initial(struct lapic *apic, uint32_t count);
void lapic_timer_set_divide(struct lapic *apic, uint32_t value);
uint32_t lapic_timer_current(struct lapic *apic);
void lapic_timer_set_deadline(struct lapic *apic, uint64_t tsc);

#endif
