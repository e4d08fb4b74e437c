/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The switch's data, shared by its set-up and its packet path. */
#ifndef VSWITCH_VSWITCH_PRIV_H
#define VSWITCH_VSWITCH_PRIV_H

#include "plat/lock.h"
#include "vswitch/mactable.h"
#include "vswitch/vswitch.h"

/*
 * Synchronization. A batch runs without a lock: it marks its CPU as being
 * inside (an odd sequence), takes a snapshot of the mask of attached ports, and
 * uses nothing but those. Attaching publishes a port by setting its bit last.
 * Detaching clears the bit first, waits until every CPU that was inside has
 * left once, and only then lets go of the port: a batch is short and is never
 * preempted (C code runs with interrupts off), so the wait is short too. The
 * MAC table is read without a lock as well; whoever changes it, or the ports,
 * holds the lock (LOCK_SWITCH).
 *
 * Order: a batch is handled in order, and each output port gets its part of it
 * in order, so frames between two ports never overtake each other.
 */

#define NO_PORT	   VSWITCH_PORTS_MAX

#define MASK_WORDS (VSWITCH_PORTS_MAX / 64)

struct port_mask {
	uint64_t w[MASK_WORDS];
};

/* (c) written by that CPU only */
struct vswitch_cpu {
	uint32_t sequence; /* (c) odd while inside a batch */
	uint64_t copies;   /* (c) */
} CACHE_ALIGNED;

/* (l) changed under the lock; the bit in `attached` guards the rest */
struct vswitch {
	struct lock lock;
	char name[PORT_NAME_SIZE];
	unsigned holder; /* (l) index of the port that holds, or NO_PORT */
	struct port_mask attached;    /* (l) */
	struct port_mask promiscuous; /* (l) want every frame */
	struct port_mask trusted;     /* (l) want unknown unicast */
	struct port_mask listed; /* (l) may want it: more than one address */
	struct port *ports[VSWITCH_PORTS_MAX]; /* (l) */
	struct vswitch_cpu cpus[PLAT_CPUS_MAX];
	struct mactable table;
};

static inline bool mask_test(const struct port_mask *m, unsigned bit)
{
	return m->w[bit / 64] >> (bit % 64) & 1;
}

static inline void mask_set(struct port_mask *m, unsigned bit)
{
	WRITE_ONCE(m->w[bit / 64], m->w[bit / 64] | 1ull << (bit % 64));
}

static inline void mask_clear(struct port_mask *m, unsigned bit)
{
	WRITE_ONCE(m->w[bit / 64], m->w[bit / 64] & ~(1ull << (bit % 64)));
}

static inline struct port_mask mask_and(const struct port_mask *a,
					const struct port_mask *b)
{
	struct port_mask m;

	for (unsigned i = 0; i < MASK_WORDS; i++)
		m.w[i] = READ_ONCE(a->w[i]) & b->w[i];
	return m;
}

static inline void mask_add(struct port_mask *m, const struct port_mask *more)
{
	for (unsigned i = 0; i < MASK_WORDS; i++)
		m->w[i] |= more->w[i];
}

static inline bool mask_empty(const struct port_mask *m)
{
	return !(m->w[0] | m->w[1]);
}

/* The first bit from `from` on; VSWITCH_PORTS_MAX if there is none. */
static inline unsigned mask_next(const struct port_mask *m, unsigned from)
{
	for (unsigned i = from / 64; i < MASK_WORDS; i++) {
		uint64_t bits = m->w[i];

		if (i == from / 64)
			bits &= ~0ull << (from % 64);
		if (bits)
			return i * 64 + (unsigned)__builtin_ctzll(bits);
	}
	return VSWITCH_PORTS_MAX;
}

#endif
