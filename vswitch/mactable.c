/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The MAC table: look-up, learning, aging. */
#include "vswitch/mactable.h"

#include <linux/errno.h>

#define MAC_MASK     ((1ull << 48) - 1)
#define ENTRY_STATIC (1ull << 55)

static uint64_t entry_make(const struct mactable *table, uint64_t mac,
			   unsigned port)
{
	return (uint64_t)(uint8_t)table->tick << 56 | (uint64_t)port << 48 |
	       mac;
}

/* Ticks since it was seen; below 256, as mactable_sweep() sees to. */
static unsigned entry_age(const struct mactable *table, uint64_t entry)
{
	return (uint8_t)(table->tick - (entry >> 56));
}

/* 2^64 over the golden ratio: an odd number without structure. */
#define HASH_MULTIPLIER 0x9e3779b97f4a7c15ull

/* Mixes, one to one: addresses in a row lose their order. */
static uint64_t hash_mix(uint64_t value)
{
	value *= HASH_MULTIPLIER;
	return value ^ value >> 32;
}

/* The top bits of a product with a secret odd number: two addresses chosen
 * without knowing it meet in a bucket by chance only (Dietzfelbinger et al., "A
 * Reliable Randomized Algorithm for the Closest-Pair Problem", 1997). */
static unsigned mactable_hash(const struct mactable *table, uint64_t mac)
{
	return (unsigned)(hash_mix(mac) * table->secret >>
			  (64 - MACTABLE_BUCKETS_SHIFT));
}

void mactable_init(struct mactable *table, uint64_t seed, uint64_t now_ns)
{
	table->secret = hash_mix(hash_mix(seed)) | 1;
	table->tick = (uint32_t)(now_ns >> MACTABLE_TICK_SHIFT);
}

uint64_t mactable_find(const struct mactable *table, uint64_t mac)
{
	const struct mac_bucket *bucket =
		&table->buckets[mactable_hash(table, mac)];

	for (unsigned i = 0; i < MACTABLE_WAYS; i++) {
		uint64_t entry = READ_ONCE(bucket->ways[i]);

		if ((entry & MAC_MASK) == mac && entry)
			return entry;
	}
	return 0;
}

/* A port's dynamic entries in the bucket. */
static unsigned bucket_share(const struct mac_bucket *bucket, unsigned port)
{
	unsigned count = 0;

	for (unsigned i = 0; i < MACTABLE_WAYS; i++)
		count += !(bucket->ways[i] & ENTRY_STATIC) &&
			 mactable_port(bucket->ways[i]) == port;
	return count;
}

/* Who makes room for a newcomer of this port in a full bucket; NULL when all
 * are static. */
static uint64_t *mactable_victim(const struct mactable *table,
				 struct mac_bucket *bucket, unsigned port)
{
	uint64_t *victim = NULL;
	unsigned victim_rank = 0;

	for (unsigned i = 0; i < MACTABLE_WAYS; i++) {
		uint64_t entry = bucket->ways[i];
		unsigned holder = mactable_port(entry);
		unsigned share =
			bucket_share(bucket, holder) + (holder == port);
		unsigned rank = share << 8 | entry_age(table, entry);

		if (!(entry & ENTRY_STATIC) && rank > victim_rank) {
			victim = &bucket->ways[i];
			victim_rank = rank;
		}
	}
	return victim;
}

/* Where the address stands, or may be put; NULL when all are static. */
static uint64_t *mactable_way(struct mactable *table, uint64_t mac,
			      unsigned port)
{
	struct mac_bucket *bucket = &table->buckets[mactable_hash(table, mac)];
	uint64_t *room = NULL;

	for (unsigned i = 0; i < MACTABLE_WAYS; i++) {
		uint64_t entry = bucket->ways[i];

		if (!entry)
			room = room ? room : &bucket->ways[i];
		else if ((entry & MAC_MASK) == mac)
			return &bucket->ways[i];
	}
	return room ? room : mactable_victim(table, bucket, port);
}

/* Every change of an entry goes through here, and the counters with it. */
static void mactable_put(struct mactable *table, uint64_t *way, uint64_t entry)
{
	struct mactable_stats *stats = &table->stats;
	bool known = *way && (*way & MAC_MASK) == (entry & MAC_MASK);

	if (known)
		stats->moved += mactable_port(*way) != mactable_port(entry);
	else
		stats->evicted += *way && entry;
	stats->learned += entry && !known && !(entry & ENTRY_STATIC);
	stats->entries += (uint32_t) !!entry - (uint32_t) !!*way;
	WRITE_ONCE(*way, entry);
}

void mactable_learn(struct mactable *table, uint64_t mac, unsigned port)
{
	uint64_t *way = mactable_way(table, mac, port);

	if (way && !(*way & ENTRY_STATIC))
		mactable_put(table, way, entry_make(table, mac, port));
}

int mactable_pin(struct mactable *table, uint64_t mac, unsigned port)
{
	uint64_t *way = mactable_way(table, mac, port);

	if (!way)
		return -ENOSPC;
	if (*way & ENTRY_STATIC && mactable_port(*way) != port)
		return -EEXIST;
	mactable_put(table, way, entry_make(table, mac, port) | ENTRY_STATIC);
	return 0;
}

static uint32_t mactable_ticks(const struct mactable *table, uint64_t now_ns)
{
	int32_t ticks = (int32_t)((uint32_t)(now_ns >> MACTABLE_TICK_SHIFT) -
				  READ_ONCE(table->tick));

	/* Another CPU's clock may be a little ahead of ours. */
	return ticks > 0 ? (uint32_t)ticks : 0;
}

bool mactable_due(const struct mactable *table, uint64_t now_ns)
{
	return mactable_ticks(table, now_ns) != 0;
}

void mactable_sweep(struct mactable *table, uint64_t now_ns)
{
	uint32_t ticks = mactable_ticks(table, now_ns);

	if (!ticks)
		return;
	WRITE_ONCE(table->tick, table->tick + ticks);
	for (unsigned i = 0; i < MACTABLE_ENTRIES; i++) {
		uint64_t *way = &table->buckets[i / MACTABLE_WAYS]
					 .ways[i % MACTABLE_WAYS];

		if (!*way || *way & ENTRY_STATIC)
			continue;
		/* After a long silence all are old, and an age modulo 256 could
		 * deceive. */
		if (ticks > MACTABLE_AGE_TICKS ||
		    entry_age(table, *way) > MACTABLE_AGE_TICKS)
			mactable_put(table, way, 0);
	}
}

void mactable_forget(struct mactable *table, unsigned port)
{
	for (unsigned i = 0; i < MACTABLE_ENTRIES; i++) {
		uint64_t *way = &table->buckets[i / MACTABLE_WAYS]
					 .ways[i % MACTABLE_WAYS];

		if (*way && mactable_port(*way) == port)
			mactable_put(table, way, 0);
	}
}
