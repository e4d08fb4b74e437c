/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which MAC address is behind which port: bounded, read without a lock. */
#ifndef VSWITCH_MACTABLE_H
#define VSWITCH_MACTABLE_H

#include "lib/frame.h"
#include "lib/types.h"

/*
 * A hash table of fixed size, set-associative like a CPU's cache: an address
 * may only stand in the eight words of its bucket, one cache line. An entry is
 * one 64-bit word, so that readers on any CPU see it whole or not at all, and
 * take no lock. Writers are serialized by the switch's lock (LOCK_SWITCH).
 *
 *   bits 47:0   address, first byte lowest
 *   bits 54:48  port
 *   bit  55     static: does not age, does not move, is never replaced
 *   bits 63:56  the tick when it was last seen (dynamic), modulo 256
 *
 * A word of zero is free (the address zero is never learned). When a bucket is
 * full, the port with the most dynamic entries in it makes room (the newcomer
 * counts as one of its own port's), and of these the one not seen for longest.
 * So a flood of addresses costs a constant each, the table cannot grow, and
 * what a flooding port pushes out is its own, as soon as it has its share of
 * the bucket. Of entries seen in the same tick always the first is replaced: a
 * flood wears out one place, and leaves alone what was there before it.
 */
#define MACTABLE_WAYS 8
/* A build may ask for a small table, to see buckets overflow. */
#ifndef MACTABLE_BUCKETS_SHIFT
#define MACTABLE_BUCKETS_SHIFT 10
#endif
#define MACTABLE_BUCKETS    (1u << MACTABLE_BUCKETS_SHIFT)
#define MACTABLE_ENTRIES    (MACTABLE_WAYS * MACTABLE_BUCKETS)

/* Time is counted in ticks of 2^34 ns (17 s); entries live for 17 to 18 of
 * them, about the 300 s of IEEE 802.1Q (8.8.3). */
#define MACTABLE_TICK_SHIFT 34
#define MACTABLE_AGE_TICKS  17

struct mac_bucket {
	uint64_t ways[MACTABLE_WAYS];
} CACHE_ALIGNED;

/* Changed under the lock. learned + pinned addresses are entries, evicted, aged
 * or forgotten with their port. */
struct mactable_stats {
	uint32_t entries; /* now, static ones too */
	uint64_t learned; /* addresses that were new */
	uint64_t moved;	  /* known ones seen at another port */
	uint64_t evicted; /* made room for another */
};

struct mactable {
	struct mac_bucket buckets[MACTABLE_BUCKETS];
	uint64_t secret; /* of the hash: nobody outside can aim at a bucket */
	uint32_t tick;	 /* swept up to here */
	struct mactable_stats stats;
};

/* An address as a number, as in an entry. */
static inline uint64_t mac_load(const uint8_t mac[ETH_ADDR_LEN])
{
	uint32_t low;
	uint16_t high;

	__builtin_memcpy(&low, mac, 4);
	__builtin_memcpy(&high, mac + 4, 2);
	return (uint64_t)high << 32 | low;
}

static inline bool mac_is_multicast(uint64_t mac)
{
	return mac & 1;
}

static inline unsigned mactable_port(uint64_t entry)
{
	return entry >> 48 & 127;
}

static inline bool mactable_static(uint64_t entry)
{
	return entry >> 55 & 1;
}

/* table is zeroed. */
void mactable_init(struct mactable *table, uint64_t seed, uint64_t now_ns);

/* The entry, 0 if there is none. Takes no lock. */
uint64_t mactable_find(const struct mactable *table, uint64_t mac);

/* Is the entry as good as one that would be learned now? Takes no lock. */
static inline bool mactable_fresh(const struct mactable *table, uint64_t entry)
{
	return mactable_static(entry) ||
	       (uint8_t)(entry >> 56) == (uint8_t)READ_ONCE(table->tick);
}

/* Has the clock ticked since the last mactable_sweep()? Takes no lock. */
bool mactable_due(const struct mactable *table, uint64_t now_ns);

/* From here on: under the lock. */

/* Drops what is too old; looks at every entry, once in a tick. */
void mactable_sweep(struct mactable *table, uint64_t now_ns);
/* Notes that mac (not zero) was seen at the port, wherever it was before. Does
 * nothing to a static entry, or in a bucket full of static ones. */
void mactable_learn(struct mactable *table, uint64_t mac, unsigned port);
/* 0, -EEXIST (another port's static entry), -ENOSPC (a bucket full of static
 * entries). */
int mactable_pin(struct mactable *table, uint64_t mac, unsigned port);
/* Drops all entries of a port; looks at every entry. */
void mactable_forget(struct mactable *table, unsigned port);

#endif
