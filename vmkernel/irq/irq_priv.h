/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Between the files of vmkernel/irq. */
#ifndef VMKERNEL_IRQ_IRQ_PRIV_H
#define VMKERNEL_IRQ_IRQ_PRIV_H

void apic_eoi(void);

#endif
