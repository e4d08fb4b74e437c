/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Nonsense in virtio rings: the parts of the payload. */
#ifndef GUEST_HOSTILE_RING_H
#define GUEST_HOSTILE_RING_H

#include "tests/guest/lib/hostile.h"

/* Chains of descriptors (chains.c), areas and registers (areas.c). */
void ring_abuse_transmit(void);
void ring_abuse_receive(void);
void ring_abuse_control(void);
void ring_abuse_areas(void);
void ring_abuse_registers(void);

/* The queue is broken, and the card says so (within some seconds). */
bool ring_broken(void);

#endif
