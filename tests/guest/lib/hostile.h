/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the hostile payloads share: their cue, the proof that all still works,
 * and what the hypervisor's counters must say in the end. */
#ifndef GUEST_HOSTILE_H
#define GUEST_HOSTILE_H

#include "tests/guest/lib/net.h"
#include "tests/guest/lib/payload.h"

/*
 * The kernel command line: gate=1 waits for a key on the console, so that
 * whoever watches can look at the machine before and after; peer=N is the last
 * byte of a neighbour's address in 10.0.2.0/24. 10.0.2.2 is the one beyond the
 * NIC.
 */
#define HOSTILE_WIRE_HOST 2

void hostile_begin(void);

/* The card, reset and started anew, gets frames to the wire and to the
 * neighbour, and their answers. */
void hostile_prove(const char *after);
/* The same as it stands, without a reset. */
void hostile_prove_as_is(const char *after);

/* count more of this counter: "tx", "rx" or "ctrl" and a queue's fault, "fault"
 * and one of the report's others, "drop" and a reason of the port's ledger. Of
 * the last two there may be more. */
void hostile_expect(const char *kind, const char *name, unsigned count);
/* Says all of them on the console, for the machine's test to compare. */
void hostile_end(void);

/* Where RAM ends, by the boot information. */
uint64_t hostile_memory_end(void);

/* Numbers without a pattern, the same ones each time (xorshift). */
uint32_t hostile_random(void);

#endif
