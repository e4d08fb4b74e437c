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

static unsigned mactable_hash(const struct mactable *table, uint64_t mac)
{
	/* Fibonacci hashing: the product's top bits depend on all of it. */
	uint64_t product = (mac ^ table->seed) * 0x9e3779b97f4a7c15ull;

	return (unsigned)(product >> (64 - MACTABLE_BUCKETS_SHIFT));
}

void mactable_init(struct mactable *table, uint64_t seed, uint64_t now_ns)
{
	table->seed = seed;
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

/* Where the address stands, or may be put; NULL when all are static. */
static uint64_t *mactable_way(struct mactable *table, uint64_t mac)
{
	struct mac_bucket *bucket = &table->buckets[mactable_hash(table, mac)];
	uint64_t *room = NULL;
	unsigned room_age = 0;

	for (unsigned i = 0; i < MACTABLE_WAYS; i++) {
		uint64_t entry = bucket->ways[i];
		/* A free one is older than any. */
		unsigned age = entry ? entry_age(table, entry) : 256;

		if ((entry & MAC_MASK) == mac && entry)
			return &bucket->ways[i];
		if (entry & ENTRY_STATIC)
			continue;
		if (!room || age > room_age) {
			room = &bucket->ways[i];
			room_age = age;
		}
	}
	return room;
}

void mactable_learn(struct mactable *table, uint64_t mac, unsigned port)
{
	uint64_t *way = mactable_way(table, mac);

	if (way && !(*way & ENTRY_STATIC))
		WRITE_ONCE(*way, entry_make(table, mac, port));
}

int mactable_pin(struct mactable *table, uint64_t mac, unsigned port)
{
	uint64_t *way = mactable_way(table, mac);

	if (!way)
		return -ENOSPC;
	if (*way & ENTRY_STATIC && mactable_port(*way) != port)
		return -EEXIST;
	WRITE_ONCE(*way, entry_make(table, mac, port) | ENTRY_STATIC);
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
			WRITE_ONCE(*way, 0);
	}
}

void mactable_forget(struct mactable *table, unsigned port)
{
	for (unsigned i = 0; i < MACTABLE_ENTRIES; i++) {
		uint64_t *way = &table->buckets[i / MACTABLE_WAYS]
					 .ways[i % MACTABLE_WAYS];

		if (*way && mactable_port(*way) == port)
			WRITE_ONCE(*way, 0);
	}
}
