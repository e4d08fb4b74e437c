/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The local APIC and the second CPU, for payload kernels. */
#ifndef GUEST_APIC_H
#define GUEST_APIC_H

#include "lib/types.h"

#define MSR_APIC_BASE	 0x1b
#define MSR_TSC_DEADLINE 0x6e0

/* Register offsets (Intel SDM 3A, table 11-1). */
#define APIC_ID		 0x20
#define APIC_VERSION	 0x30
#define APIC_TPR	 0x80
#define APIC_EOI	 0xb0
#define APIC_SPURIOUS	 0xf0
#define APIC_ISR	 0x100
#define APIC_IRR	 0x200
#define APIC_ESR	 0x280
#define APIC_ICR_LOW	 0x300
#define APIC_ICR_HIGH	 0x310
#define APIC_LVT_TIMER	 0x320
#define APIC_TIMER_INIT	 0x380
#define APIC_TIMER_NOW	 0x390
#define APIC_TIMER_DIV	 0x3e0

#define LVT_MASKED	 (1u << 16)
#define LVT_PERIODIC	 (1u << 17)
#define LVT_DEADLINE	 (2u << 17)
#define ICR_NMI		 (4u << 8)
#define ICR_INIT	 (5u << 8)
#define ICR_STARTUP	 (6u << 8)
#define ICR_PENDING	 (1u << 12)
#define ICR_ASSERT	 (1u << 14)
#define ICR_SELF	 (1u << 18)
#define ICR_ALL		 (2u << 18)
#define ICR_OTHERS	 (3u << 18)
#define DIVIDE_BY_16	 3
#define DIVIDE_BY_1	 0xb

#define VECTOR_NMI	 2
#define VECTOR_SPURIOUS	 0xff

#define APIC_OTHER_ID	 1 /* the second CPU's */

/* All CPUs use the mode that the last apic_enable() chose. */
void apic_enable(bool use_x2apic);
bool apic_is_x2apic(void);
uint32_t apic_read(unsigned reg);
void apic_write(unsigned reg, uint32_t value);
uint32_t apic_id(void);
void apic_send(uint32_t target, uint32_t command);
/* Of ISR or IRR. */
bool apic_bit(unsigned reg, unsigned vector);
void apic_eoi(void);

/* INIT and one start-up IPI: the second CPU comes to payload_ap_main(). */
void apic_start_other(void);
/* The start-up IPI alone. */
void apic_send_startup(void);

/* Enough for an interrupt that is on its way; with interrupts on. */
void apic_wait_a_little(void);
/* Until *what >= value; false when that takes too long. */
bool apic_wait_for(volatile unsigned *what, unsigned value);

#endif
