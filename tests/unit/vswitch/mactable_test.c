/* SPDX-License-Identifier: GPL-2.0-or-later */
/* vswitch/mactable.c: look-up, moves, floods, aging. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include <linux/errno.h>
#include "vswitch/mactable.h"

#define TICK_NS ((uint64_t)1 << MACTABLE_TICK_SHIFT)
#define SEED	0x1234

static struct mactable *table;
static uint64_t now_ns;

static int setup(void **state)
{
	table = aligned_alloc(CACHE_LINE, sizeof(*table));
	memset(table, 0, sizeof(*table));
	now_ns = 250 * TICK_NS; /* so that the 8 bits of an age wrap soon */
	mactable_init(table, SEED, now_ns);
	return 0;
}

static unsigned entries(void)
{
	unsigned count = 0;

	for (unsigned i = 0; i < MACTABLE_BUCKETS; i++)
		for (unsigned j = 0; j < MACTABLE_WAYS; j++)
			count += table->buckets[i].ways[j] != 0;
	return count;
}

/* Whatever a test did, the count must be right. */
static int teardown(void **state)
{
	bool ok = table->stats.entries == entries();

	free(table);
	return !ok;
}

static void pass(uint64_t ticks)
{
	now_ns += ticks * TICK_NS;
	assert_int_equal(mactable_due(table, now_ns), ticks > 0);
	mactable_sweep(table, now_ns);
	assert_false(mactable_due(table, now_ns));
}

/* The port, -1 when unknown. */
static int port_of(uint64_t mac)
{
	uint64_t entry = mactable_find(table, mac);

	return entry ? (int)mactable_port(entry) : -1;
}

static void addresses(void **state)
{
	static const uint8_t mac[6] = {0x01, 0x02, 0x03, 0x04, 0x05, 0xff};

	assert_true(mac_load(mac) == 0xff0504030201);
	assert_true(mac_is_multicast(mac_load(mac)));
	assert_false(mac_is_multicast(0x010000000002));
}

static void learns_and_moves(void **state)
{
	assert_int_equal(port_of(0), -1);
	assert_int_equal(port_of(5), -1);
	mactable_learn(table, 5, 0);
	mactable_learn(table, 0xffffffffffff, 127);
	assert_int_equal(port_of(5), 0);
	assert_int_equal(port_of(0xffffffffffff), 127);
	assert_int_equal(port_of(0), -1);
	mactable_learn(table, 5, 3);
	assert_int_equal(port_of(5), 3);
	assert_int_equal(entries(), 2);
	assert_false(mactable_static(mactable_find(table, 5)));
}

static void pinned_stays(void **state)
{
	mactable_learn(table, 5, 9);
	assert_int_equal(mactable_pin(table, 5, 1), 0);
	assert_int_equal(mactable_pin(table, 5, 1), 0);
	assert_int_equal(mactable_pin(table, 5, 2), -EEXIST);
	mactable_learn(table, 5, 2);
	assert_int_equal(port_of(5), 1);
	assert_true(mactable_static(mactable_find(table, 5)));
	assert_int_equal(entries(), 1);
	pass(MACTABLE_AGE_TICKS + 1);
	pass(1000);
	assert_int_equal(port_of(5), 1);
}

static void forgets_a_port(void **state)
{
	for (uint64_t mac = 1; mac <= 300; mac++)
		mactable_learn(table, mac * 2, mac % 3);
	assert_int_equal(mactable_pin(table, 0x1000, 1), 0);
	mactable_forget(table, 1);
	for (uint64_t mac = 1; mac <= 300; mac++)
		assert_int_equal(port_of(mac * 2),
				 mac % 3 == 1 ? -1 : (int)(mac % 3));
	assert_int_equal(port_of(0x1000), -1);
	assert_int_equal(entries(), 200);
	assert_int_equal(mactable_pin(table, 0x1000, 2), 0);
}

/* Addresses as they are handed out, in a row, must not crowd a bucket. */
static void spreads(void **state)
{
	for (unsigned byte = 0; byte < 6; byte++) {
		uint64_t base = 0x005452 + ((uint64_t)byte << 20);

		for (uint64_t i = 0; i < 256; i++)
			assert_int_equal(
				mactable_pin(table,
					     base + (i << 40) + ((i & 7) << 32),
					     1),
				0);
	}
	assert_int_equal(entries(), 6 * 256);
}

static void flood_is_bounded(void **state)
{
	for (uint64_t mac = 1; mac <= 64; mac++)
		assert_int_equal(mactable_pin(table, mac << 16, mac), 0);
	for (uint64_t mac = 1; mac <= 20 * MACTABLE_ENTRIES; mac++)
		mactable_learn(table, mac << 8 | 2, 100);
	assert_true(entries() <= MACTABLE_ENTRIES);
	/* The newest is there, the static ones are, nothing is there twice. */
	assert_int_equal(port_of(20ull * MACTABLE_ENTRIES << 8 | 2), 100);
	for (uint64_t mac = 1; mac <= 64; mac++)
		assert_int_equal(port_of(mac << 16), mac);
}

/* Words of the table that differ from then to now. */
static unsigned changed_words(const struct mactable *then)
{
	unsigned count = 0;

	for (unsigned i = 0; i < MACTABLE_BUCKETS; i++)
		for (unsigned j = 0; j < MACTABLE_WAYS; j++)
			count += table->buckets[i].ways[j] !=
				 then->buckets[i].ways[j];
	return count;
}

/* The work for one address does not grow with the flood: one word of one
 * bucket is another, and never a static one. */
static void flood_costs_a_word_each(void **state)
{
	struct mactable *then = aligned_alloc(CACHE_LINE, sizeof(*then));

	for (uint64_t mac = 1; mac <= 64; mac++)
		assert_int_equal(mactable_pin(table, mac << 16, mac), 0);
	for (uint64_t mac = 1; mac <= 100000; mac++) {
		bool look = mac % 997 == 0;

		if (look)
			memcpy(then, table, sizeof(*then));
		mactable_learn(table, mac << 8 | 2, 100);
		if (look)
			assert_int_equal(changed_words(then), 1);
	}
	assert_int_equal(table->stats.learned, 100000);
	assert_int_equal(table->stats.evicted,
			 100000 + 64 - table->stats.entries);
	assert_int_equal(table->stats.moved, 0);
	free(then);
}

/* A port that floods takes no place from one that has its share, whoever came
 * first; here two ports have half of each bucket for their own. */
static void flood_leaves_others_their_share(void **state)
{
	for (unsigned round = 0; round < 2; round++) {
		const unsigned victim = 7 + round;
		uint64_t evicted;

		if (round) /* into a table that is full of the flood's */
			mactable_forget(table, 7);
		for (uint64_t i = 0; i < 500; i++)
			mactable_learn(table, i << 24 | victim << 1, victim);
		evicted = table->stats.evicted;
		for (uint64_t i = 0; i < 100000; i++)
			mactable_learn(table, i << 8 | round << 4 | 2, 100);
		assert_true(table->stats.evicted > evicted + 90000);
		for (uint64_t i = 0; i < 500; i++)
			assert_int_equal(port_of(i << 24 | victim << 1),
					 victim);
	}
}

/* And on the flooding port's own side: within a tick it wears out one place in
 * each bucket, so most of who was there before stays. */
static void flood_spares_who_was_there(void **state)
{
	unsigned left = 0;

	for (uint64_t i = 0; i < 1000; i++)
		mactable_learn(table, i << 24 | 4, 100);
	for (uint64_t i = 0; i < 100000; i++)
		mactable_learn(table, i << 8 | 2, 100);
	for (uint64_t i = 0; i < 1000; i++)
		left += port_of(i << 24 | 4) == 100;
	/* About 0.63 of the buckets had one in its first place. */
	assert_true(left > 300);
}

static void counts_changes(void **state)
{
	mactable_learn(table, 5, 1);
	mactable_learn(table, 5, 1);
	assert_int_equal(table->stats.entries, 1);
	assert_int_equal(table->stats.learned, 1);
	assert_int_equal(table->stats.moved, 0);
	mactable_learn(table, 5, 2);
	assert_int_equal(table->stats.moved, 1);
	assert_int_equal(mactable_pin(table, 7, 1), 0);
	mactable_learn(table, 7, 2);
	assert_int_equal(table->stats.entries, 2);
	assert_int_equal(table->stats.learned, 1);
	assert_int_equal(table->stats.moved, 1);
	pass(MACTABLE_AGE_TICKS + 1);
	assert_int_equal(table->stats.entries, 1);
	mactable_forget(table, 1);
	assert_int_equal(table->stats.entries, 0);
	assert_int_equal(table->stats.evicted, 0);
}

/* Addresses that share the first bucket. */
static void same_bucket(uint64_t *macs, unsigned count)
{
	struct mactable *probe = aligned_alloc(CACHE_LINE, sizeof(*probe));
	uint64_t *first = &probe->buckets[0].ways[0];

	memset(probe, 0, sizeof(*probe));
	mactable_init(probe, SEED, 0);
	for (uint64_t mac = 1; count; mac++) {
		mactable_learn(probe, mac, 0);
		if (*first) {
			macs[--count] = mac;
			*first = 0;
		}
	}
	free(probe);
}

static void oldest_makes_room(void **state)
{
	uint64_t macs[MACTABLE_WAYS + 1];

	same_bucket(macs, ARRAY_SIZE(macs));
	for (unsigned i = 0; i < MACTABLE_WAYS; i++) {
		mactable_learn(table, macs[i], i);
		pass(1);
	}
	mactable_learn(table, macs[0], 0); /* seen again */
	mactable_learn(table, macs[MACTABLE_WAYS], 50);
	assert_int_equal(port_of(macs[MACTABLE_WAYS]), 50);
	assert_int_equal(port_of(macs[0]), 0);
	assert_int_equal(port_of(macs[1]), -1);
	for (unsigned i = 2; i < MACTABLE_WAYS; i++)
		assert_int_equal(port_of(macs[i]), i);
}

/* Who knows how the hash is made, but not its secret, cannot aim: addresses
 * that meet in a bucket under one secret do not under another. */
static void secret_hash(void **state)
{
	uint64_t macs[64];
	unsigned used = 0;

	same_bucket(macs, ARRAY_SIZE(macs));
	mactable_init(table, SEED + 1, now_ns);
	for (unsigned i = 0; i < ARRAY_SIZE(macs); i++)
		assert_int_equal(mactable_pin(table, macs[i], 1), 0);
	for (unsigned i = 0; i < MACTABLE_BUCKETS; i++) {
		for (unsigned j = 0; j < MACTABLE_WAYS; j++) {
			if (!table->buckets[i].ways[j])
				continue;
			used++;
			break;
		}
	}
	assert_true(used > 48);
}

static void bucket_full_of_static(void **state)
{
	uint64_t macs[MACTABLE_WAYS + 1];

	same_bucket(macs, ARRAY_SIZE(macs));
	for (unsigned i = 0; i < MACTABLE_WAYS; i++)
		assert_int_equal(mactable_pin(table, macs[i], i), 0);
	pass(5); /* no age makes them replaceable */
	mactable_learn(table, macs[MACTABLE_WAYS], 50);
	assert_int_equal(port_of(macs[MACTABLE_WAYS]), -1);
	assert_int_equal(mactable_pin(table, macs[MACTABLE_WAYS], 50), -ENOSPC);
	for (unsigned i = 0; i < MACTABLE_WAYS; i++)
		assert_int_equal(port_of(macs[i]), i);
}

/* Their own port has but one place left here: it wears that out. */
static void bucket_nearly_full_of_static(void **state)
{
	uint64_t macs[MACTABLE_WAYS + 1];

	same_bucket(macs, ARRAY_SIZE(macs));
	for (unsigned i = 0; i < MACTABLE_WAYS - 1; i++)
		assert_int_equal(mactable_pin(table, macs[i], 1), 0);
	pass(100);
	for (unsigned i = 0; i < 10; i++) {
		mactable_learn(table, macs[MACTABLE_WAYS - i % 2], 1);
		mactable_learn(table, macs[MACTABLE_WAYS - i % 2], 2);
		assert_int_equal(port_of(macs[MACTABLE_WAYS - i % 2]), 2);
	}
	for (unsigned i = 0; i < MACTABLE_WAYS - 1; i++)
		assert_int_equal(port_of(macs[i]), 1);
	assert_int_equal(table->stats.evicted, 9);
	assert_int_equal(table->stats.moved, 10);
}

static void ages(void **state)
{
	mactable_learn(table, 5, 1);
	mactable_learn(table, 6, 1);
	for (unsigned i = 0; i < MACTABLE_AGE_TICKS; i++) {
		pass(1);
		mactable_learn(table, 6, 1);
		assert_true(mactable_fresh(table, mactable_find(table, 6)));
		assert_false(mactable_fresh(table, mactable_find(table, 5)));
		assert_int_equal(port_of(5), 1);
	}
	pass(1);
	assert_int_equal(port_of(5), -1);
	assert_int_equal(port_of(6), 1);
	pass(MACTABLE_AGE_TICKS - 1);
	assert_int_equal(port_of(6), 1);
	pass(1);
	assert_int_equal(port_of(6), -1);
}

/* An age of 256 ticks must not pass for 0. */
static void long_silence(void **state)
{
	mactable_learn(table, 5, 1);
	pass(256);
	assert_int_equal(port_of(5), -1);
	mactable_learn(table, 5, 1);
	pass(MACTABLE_AGE_TICKS + 1);
	assert_int_equal(port_of(5), -1);
}

static void clock_of_another_cpu(void **state)
{
	mactable_learn(table, 5, 1);
	assert_false(mactable_due(table, now_ns - 1));
	mactable_sweep(table, now_ns - 100 * TICK_NS);
	assert_int_equal(port_of(5), 1);
	assert_false(mactable_due(table, now_ns));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(addresses),
		TEST(learns_and_moves),
		TEST(pinned_stays),
		TEST(forgets_a_port),
		TEST(spreads),
		TEST(flood_is_bounded),
		TEST(flood_costs_a_word_each),
		TEST(flood_leaves_others_their_share),
		TEST(flood_spares_who_was_there),
		TEST(counts_changes),
		TEST(secret_hash),
		TEST(oldest_makes_room),
		TEST(bucket_full_of_static),
		TEST(bucket_nearly_full_of_static),
		TEST(ages),
		TEST(long_silence),
		TEST(clock_of_another_cpu),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
