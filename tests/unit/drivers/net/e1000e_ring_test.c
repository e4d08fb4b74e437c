/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The 82574L driver's rings against a fake 82574, sane and hostile. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "drivers/net/e1000e_reg.h"
#include "tests/unit/drivers/net/e1000e_fixture.h"

/* Transmit */

static void test_tx_segments(void **state)
{
	struct test *t = *state;
	unsigned n = 0;

	for (unsigned protocol = 6; protocol <= 17; protocol += 11) {
		for (unsigned segs = 1; segs <= FRAME_SEGS_MAX; segs++) {
			size_t len = 80 + segs * 71;
			struct frame *f, *back;
			const struct fake_wire_frame *w;

			f = make_frame(&t->tx[n], (uint8_t)protocol, len, segs);
			assert_int_equal(t->dev->ops->transmit(t->dev, &f, 1),
					 1);
			assert_int_equal(t->nic->wire_count, n + 1);
			w = &t->nic->wire[n++];
			assert_true(sent_as_is(w, f));
			assert_true(fake_82574_l4_good(w->data, w->len));
			assert_int_equal(t->dev->ops->reap(t->dev, &back, 1),
					 1);
			assert_ptr_equal(back, f);
			assert_int_equal(t->dev->ops->reap(t->dev, &back, 1),
					 0);
		}
	}
	/* One context per run of equal ones. */
	assert_int_equal(t->nic->contexts, 2);
	assert_int_equal(t->dev->stats.tx_tail_writes, n);
}

static void test_tx_contexts(void **state)
{
	struct test *t = *state;
	struct frame *f[6], *back[6];

	f[0] = make_frame(&t->tx[0], 6, 200, 1);
	f[1] = make_plain(&t->tx[1], 1); /* does not disturb the context */
	f[2] = make_frame(&t->tx[2], 6, 201, 2);
	f[3] = make_frame(&t->tx[3], 17, 202, 1);
	f[4] = make_frame(&t->tx[4], 17, 203, 1);
	f[5] = make_frame(&t->tx[5], 6, 204, 1);
	assert_int_equal(t->dev->ops->transmit(t->dev, f, 6), 6);
	assert_int_equal(t->nic->contexts, 3);
	assert_int_equal(t->nic->wire_count, 6);
	for (unsigned i = 0; i < 6; i++) {
		assert_true(i == 1 || sent_as_is(&t->nic->wire[i], f[i]));
		assert_true(i == 1 || fake_82574_l4_good(t->nic->wire[i].data,
							 t->nic->wire[i].len));
	}
	assert_memory_equal(t->nic->wire[1].data, f[1]->head, 64);
	assert_int_equal(t->dev->stats.tx_tail_writes, 1);
	assert_int_equal(t->nic->reports, 1); /* the batch's last only */
	assert_int_equal(t->dev->ops->reap(t->dev, back, 6), 6);

	/* A reset forgets it. */
	t->dev->ops->stop(t->dev);
	assert_int_equal(t->dev->ops->start(t->dev), 0);
	f[0] = make_frame(&t->tx[0], 6, 300, 1);
	assert_int_equal(t->dev->ops->transmit(t->dev, f, 1), 1);
	assert_int_equal(t->nic->contexts, 4);
	assert_true(fake_82574_l4_good(t->nic->wire[6].data, 300));
}

/* Checksums that the NIC cannot place touch nothing. */
static void test_tx_bad_checksum_place(void **state)
{
	static const uint16_t places[][2] = {
		{34, 19}, {34, 65535}, {65535, 1},
		{256, 0}, {53, 0},     {200, 200},
	};
	struct test *t = *state;

	for (unsigned i = 0; i < ARRAY_SIZE(places); i++) {
		struct frame *f = make_frame(&t->tx[i], 6, 100, 1);

		f->csum_start = places[i][0];
		f->csum_offset = places[i][1];
		assert_int_equal(t->dev->ops->transmit(t->dev, &f, 1), 1);
		assert_memory_equal(t->nic->wire[i].data, f->head, f->head_len);
		assert_true(sent_as_is(&t->nic->wire[i], f));
	}
	assert_int_equal(t->nic->contexts, 0);
	/* The last place there is. */
	{
		struct frame *f = make_frame(&t->tx[10], 6, 400, 0);

		f->head_len = 256;
		f->csum_start = 34;
		f->csum_offset = 256 - 2 - 34;
		f->segs[0] = (struct frame_seg){t->tx[10].payload, 144};
		f->seg_count = 1;
		assert_int_equal(t->dev->ops->transmit(t->dev, &f, 1), 1);
		assert_int_equal(t->nic->tucso, 254);
	}
}

static void test_tx_short(void **state)
{
	struct test *t = *state;

	for (unsigned len = 14; len <= 20; len++) {
		struct frame *f = make_plain(&t->tx[len], 0);
		const struct fake_wire_frame *w = &t->nic->wire[len - 14];
		static const uint8_t zero[60];

		f->head_len = (uint16_t)len;
		f->len = len;
		memset(f->head + len, 0xff, 256 - len);
		assert_int_equal(t->dev->ops->transmit(t->dev, &f, 1), 1);
		assert_int_equal(w->len, 60);
		assert_memory_equal(w->data, f->head, len);
		assert_memory_equal(w->data + len, zero, 60 - len);
	}
}

/* A full ring takes whole frames or none, and gives room back in order. */
static void test_tx_full(void **state)
{
	struct test *t = *state;
	struct frame *f[FRAMES], *back[FRAMES];
	unsigned sent, reaped, descs;

	for (unsigned i = 0; i < FRAMES; i++)
		f[i] = make_frame(&t->tx[i], 17, 300 + i, 3);
	t->nic->hold_tx = true;
	sent = t->dev->ops->transmit(t->dev, f, FRAMES);
	descs = reg(t, E1000E_TDT);
	assert_int_equal(descs, 1 + 4 * sent);
	assert_true(descs <= 255 && descs > 255 - 8);
	assert_int_equal(t->dev->ops->transmit(t->dev, f + sent, 1), 0);
	assert_int_equal(t->dev->stats.tx_tail_writes, 1);
	assert_int_equal(t->dev->ops->reap(t->dev, back, FRAMES), 0);

	/* Not a whole report's worth yet. */
	assert_int_equal(fake_82574_send(t->nic, 20), 20);
	assert_int_equal(t->dev->ops->reap(t->dev, back, FRAMES), 0);
	/* The first report comes before the batch is through. */
	assert_int_equal(fake_82574_send(t->nic, 40), 40);
	reaped = t->dev->ops->reap(t->dev, back, 3);
	assert_int_equal(reaped, 3);
	reaped += t->dev->ops->reap(t->dev, back + 3, FRAMES);
	assert_true(reaped >= 7 && reaped <= 15);
	for (unsigned i = 0; i < reaped; i++)
		assert_ptr_equal(back[i], f[i]);

	/* What came back is room for that much. */
	{
		unsigned more =
			t->dev->ops->transmit(t->dev, f + sent, FRAMES - sent);

		assert_true(more >= reaped - 1 && more <= reaped + 1);
		sent += more;
	}
	fake_82574_send(t->nic, ~0u);
	reaped += t->dev->ops->reap(t->dev, back + reaped, FRAMES - reaped);
	assert_int_equal(reaped, sent);
	assert_int_equal(t->nic->wire_count, sent);
	for (unsigned i = 0; i < sent; i++) {
		assert_ptr_equal(back[i], f[i]);
		assert_true(sent_as_is(&t->nic->wire[i], f[i]));
		assert_true(fake_82574_l4_good(t->nic->wire[i].data,
					       t->nic->wire[i].len));
	}
}

/* Frame by frame to the brim, from every position on the ring: the tail never
 * catches up with the head, which would look like an empty ring. */
static void test_tx_brim(void **state)
{
	struct test *t = *state;
	unsigned sent = 0, seen = 0;

	for (unsigned round = 0; round < RING; round++) {
		struct frame *f, *back[RING];
		unsigned taken = 0;

		t->nic->hold_tx = true;
		for (;; taken++) {
			struct test_frame *room = &t->tx[taken];

			/* A context each, and none; 1 to 5 descriptors. */
			f = round % 5 ? make_frame(room, taken & 1 ? 6 : 17, 80,
						   round % 5 - 1)
				      : make_plain(room, taken);
			if (round % 5 == 1)
				f->len = f->head_len;
			if (!t->dev->ops->transmit(t->dev, &f, 1))
				break;
			assert_int_not_equal(reg(t, E1000E_TDT),
					     reg(t, E1000E_TDH));
		}
		assert_true(taken >= 40 && taken < RING);
		t->nic->wire_count = 0;
		fake_82574_send(t->nic, ~0u);
		assert_int_equal(t->nic->wire_count, taken);
		assert_int_equal(t->dev->ops->reap(t->dev, back, RING), taken);
		for (unsigned i = 0; i < taken; i++)
			assert_ptr_equal(back[i], &t->tx[i].f);
		/* On by one, for the next round. */
		t->nic->hold_tx = false;
		f = make_plain(&t->tx[0], 0);
		assert_int_equal(t->dev->ops->transmit(t->dev, &f, 1), 1);
		assert_int_equal(t->dev->ops->reap(t->dev, back, RING), 1);
		sent += taken;
		seen += t->nic->wire_count - 1;
	}
	assert_int_equal(sent, seen);
}

/* Many times around, in batches of all sizes, reaped late and in parts. */
static void test_tx_wrap(void **state)
{
	struct test *t = *state;
	unsigned made = 0, seen = 0, outstanding = 0;
	uint32_t random = 1;

	t->nic->hold_tx = true;
	while (seen < 20 * RING) {
		struct frame *f[64], *back[64];
		unsigned count, sent, reaped;

		random = random * 1103515245 + 12345;
		count = random >> 16 & 63;
		if (count > FRAMES - outstanding)
			count = FRAMES - outstanding;
		for (unsigned i = 0; i < count; i++) {
			f[i] = make_plain(&t->tx[(made + i) % FRAMES],
					  made + i);
			f[i]->cookie = made + i;
		}
		sent = t->dev->ops->transmit(t->dev, f, count);
		made += sent;
		outstanding += sent;
		fake_82574_send(t->nic, random >> 22 & 127);
		t->nic->wire_count = 0;
		reaped = t->dev->ops->reap(t->dev, back, random >> 10 & 63);
		assert_true(reaped <= outstanding);
		for (unsigned i = 0; i < reaped; i++)
			assert_int_equal(back[i]->cookie, seen++);
		outstanding -= reaped;
	}
	assert_true(t->nic->descriptors >= 20 * RING);
}

/* Receive */

static void test_rx_sizes(void **state)
{
	struct test *t = *state;
	uint8_t data[1518];
	struct frame *got[2];

	for (size_t len = 60; len <= 1518; len += len < 64 ? 1 : 27) {
		bool good = len % 2;

		make_rx(data, len % 3 ? 6 : 17, len);
		if (!good)
			data[len - 1] ^= 1;
		assert_true(fake_82574_receive(t->nic, data, len));
		assert_int_equal(t->dev->ops->poll(t->dev, got, 2), 1);
		assert_int_equal(got[0]->len, len);
		assert_int_equal(got[0]->head_len, len);
		assert_int_equal(got[0]->seg_count, 0);
		assert_int_equal(got[0]->gso_size, 0);
		assert_int_equal(got[0]->flags, good ? FRAME_CSUM_VALID : 0);
		assert_memory_equal(got[0]->head, data, len);
	}
	/* No TCP or UDP: nobody has checked anything. */
	put16(data + 12, 0x86dd);
	assert_true(fake_82574_receive(t->nic, data, 100));
	assert_int_equal(t->dev->ops->poll(t->dev, got, 2), 1);
	assert_int_equal(got[0]->flags, 0);
	assert_int_equal(t->dev->ops->poll(t->dev, got, 2), 0);
	assert_int_equal(t->dev->stats.device_nonsense, 0);
	assert_int_equal(t->dev->stats.rx_errors, 0);
}

/* Buffers lent by poll() stay untouched until the next one, which gives all of
 * them back with one write. */
static void test_rx_rearm(void **state)
{
	struct test *t = *state;
	uint8_t data[64] = {0};
	struct frame *got[FRAME_BATCH_MAX], *empty[1];
	unsigned in = 0, from;

	memcpy(data, own_mac, 6);
	for (; in < RING - 1; in++) {
		put16(data + 14, in);
		assert_true(fake_82574_receive(t->nic, data, 64));
	}
	assert_false(fake_82574_receive(t->nic, data, 64)); /* no descriptor */
	assert_int_equal(t->dev->ops->poll(t->dev, got, 40), 40);
	assert_false(fake_82574_receive(t->nic, data, 64)); /* still lent */
	for (unsigned i = 0; i < 40; i++)
		assert_int_equal(number_of(got[i]->head), i);

	from = t->nic->log_count;
	assert_int_equal(t->dev->ops->poll(t->dev, got, 30), 30);
	assert_int_equal(t->nic->log_count, from + 1);
	assert_int_equal(t->nic->log[from].offset, E1000E_RDT);
	assert_int_equal(t->nic->log[from].value, 39);
	assert_int_equal(fake_82574_rx_room(t->nic), 40);
	for (unsigned i = 0; i < 30; i++)
		assert_int_equal(number_of(got[i]->head), 40 + i);

	/* A batch is FRAME_BATCH_MAX at most, whatever is asked for. */
	{
		struct frame *many[RING];
		unsigned next = 70, count;

		while ((count = t->dev->ops->poll(t->dev, many, RING))) {
			assert_true(count <= FRAME_BATCH_MAX);
			for (unsigned i = 0; i < count; i++)
				assert_int_equal(number_of(many[i]->head),
						 next++);
		}
		assert_int_equal(next, RING - 1);
	}
	/* Dry, and all given back: no more writes. */
	from = t->nic->log_count;
	assert_int_equal(t->dev->ops->poll(t->dev, empty, 1), 0);
	assert_int_equal(t->nic->log_count, from);
	assert_int_equal(fake_82574_rx_room(t->nic), RING - 1);

	/* The NIC's count of what it missed. */
	t->dev->ops->link(t->dev, &(struct netdev_link){0});
	assert_int_equal(t->dev->stats.rx_missed, 2);
}

static void test_rx_wrap(void **state)
{
	struct test *t = *state;
	uint8_t data[64] = {0};
	unsigned in = 0, out = 0;
	uint32_t random = 7;

	memcpy(data, own_mac, 6);
	while (out < 20 * RING) {
		struct frame *got[64];
		unsigned count;

		random = random * 1103515245 + 12345;
		for (unsigned i = random >> 16 & 63; i; i--) {
			put16(data + 14, in);
			in += fake_82574_receive(t->nic, data, 64);
		}
		count = t->dev->ops->poll(t->dev, got, random >> 22 & 63);
		for (unsigned i = 0; i < count; i++, out++)
			assert_int_equal(number_of(got[i]->head), out & 0xffff);
	}
	assert_int_equal(t->dev->stats.device_nonsense, 0);
}

static void test_rx_errors(void **state)
{
	static const uint32_t bad[] = {1u << 24, 1u << 25, 1u << 26, 1u << 28,
				       1u << 31};
	struct test *t = *state;
	uint8_t data[64] = {0};
	struct frame *got[16];

	memcpy(data, own_mac, 6);
	for (unsigned i = 0; i < ARRAY_SIZE(bad); i++)
		assert_true(fake_82574_write_back(t->nic, 3 | bad[i], 64));
	assert_true(fake_82574_receive(t->nic, data, 64));
	assert_int_equal(t->dev->ops->poll(t->dev, got, 16), 1);
	assert_int_equal(t->dev->stats.rx_errors, ARRAY_SIZE(bad));
	assert_int_equal(t->dev->stats.device_nonsense, 0);

	/* Checksums: valid only if done, not to be ignored, and good. */
	static const struct {
		uint32_t status;
		uint8_t flags;
	} sums[] = {
		{0x23, FRAME_CSUM_VALID},
		{0x63, FRAME_CSUM_VALID},
		{0x43, 0},
		{0x03, 0},
		{0x27, 0},
		{0x23 | 1u << 29, 0},
		{0x63 | 1u << 30, 0},
		{0x63 | 3u << 29, 0},
	};
	for (unsigned i = 0; i < ARRAY_SIZE(sums); i++) {
		assert_true(fake_82574_write_back(t->nic, sums[i].status, 64));
		assert_int_equal(t->dev->ops->poll(t->dev, got, 16), 1);
		assert_int_equal(got[0]->flags, sums[i].flags);
	}
}

static void test_rx_lies(void **state)
{
	static const uint16_t lengths[] = {0, 1, 13, 2049, 65535};
	static const uint16_t plausible[] = {14, 1518, 1519, 1522, 2048};
	struct test *t = *state;
	uint8_t data[64] = {0};
	struct frame *got[16];
	uint64_t nonsense;

	memcpy(data, own_mac, 6);
	for (unsigned i = 0; i < ARRAY_SIZE(lengths); i++)
		assert_true(fake_82574_write_back(t->nic, 3, lengths[i]));
	/* What its buffer holds is a frame, be it one for the switch to drop.
	 */
	for (unsigned i = 0; i < ARRAY_SIZE(plausible); i++)
		assert_true(fake_82574_write_back(t->nic, 3, plausible[i]));
	assert_int_equal(t->dev->ops->poll(t->dev, got, 16),
			 ARRAY_SIZE(plausible));
	for (unsigned i = 0; i < ARRAY_SIZE(plausible); i++)
		assert_int_equal(got[i]->len, plausible[i]);
	nonsense = ARRAY_SIZE(lengths);
	assert_int_equal(t->dev->stats.device_nonsense, nonsense);

	/* A frame over three descriptors is dropped to its end, and no more;
	 * over two calls, too. */
	assert_true(fake_82574_write_back(t->nic, 1, 2048));
	assert_int_equal(t->dev->ops->poll(t->dev, got, 16), 0);
	assert_true(fake_82574_write_back(t->nic, 1, 2048));
	assert_true(fake_82574_write_back(t->nic, 3, 100));
	assert_true(fake_82574_receive(t->nic, data, 64));
	assert_int_equal(t->dev->ops->poll(t->dev, got, 16), 1);
	assert_int_equal(got[0]->len, 64);
	assert_int_equal(t->dev->stats.device_nonsense, nonsense + 3);

	/* All bits set, with no end to it: bounded in each call. */
	for (unsigned round = 0; round < 10; round++) {
		while (fake_82574_write_back(t->nic, ~0u, 65535))
			;
		assert_int_equal(t->dev->ops->poll(t->dev, got, 16), 0);
	}
	assert_int_equal(t->dev->stats.rx_errors, 160);
}

/* What the NIC drops by itself is counted all the same, once. */
static void test_rx_dropped_by_the_nic(void **state)
{
	static const struct {
		uint32_t reg, events;
	} counts[] = {
		{0x4000, 1}, {0x4004, 20}, {0x400c, 300}, {0x4010, 4000},
		{0x40a4, 5}, {0x40a8, 60}, {0x40ac, 700}, {0x40b0, 8000},
	};
	const struct netdev_stats *stats;
	struct netdev_link link;
	struct test *t = *state;
	uint8_t data[9000] = {0};
	struct frame *got[16];

	stats = &t->dev->stats;
	memcpy(data, own_mac, 6);
	assert_false(fake_82574_receive(t->nic, data, 13));
	assert_false(fake_82574_receive(t->nic, data, 59));
	assert_false(fake_82574_receive(t->nic, data, 1519));
	assert_false(fake_82574_receive(t->nic, data, 9000));
	assert_false(fake_82574_receive(t->nic, data, 1600));
	assert_int_equal(t->dev->ops->poll(t->dev, got, 16), 0);
	for (unsigned i = 0; i < 2; i++) {
		t->dev->ops->link(t->dev, &link);
		assert_int_equal(stats->rx_runts, 2);
		assert_int_equal(stats->rx_giants, 3);
	}
	for (unsigned i = 0; i < ARRAY_SIZE(counts); i++)
		t->nic->regs[counts[i].reg / 4] = counts[i].events;
	t->dev->ops->stop(t->dev);
	assert_int_equal(stats->rx_errors, 321);
	assert_int_equal(stats->rx_missed, 4000);
	assert_int_equal(stats->rx_runts, 2 + 65);
	assert_int_equal(stats->rx_giants, 3 + 8700);

	/* What came while nobody drove it is not ours. */
	for (unsigned i = 0; i < ARRAY_SIZE(counts); i++)
		t->nic->regs[counts[i].reg / 4] = 9;
	assert_int_equal(t->dev->ops->start(t->dev), 0);
	t->dev->ops->link(t->dev, &link);
	assert_int_equal(stats->rx_errors, 321);
	assert_int_equal(stats->rx_giants, 3 + 8700);

	/* A NIC that is gone reads as all ones, which is no number. */
	t->nic->gone = true;
	t->dev->ops->irq_ack(t->dev, NETDEV_VECTOR_OTHER);
	t->nic->gone = false;
	assert_int_equal(stats->rx_errors, 321);
	assert_int_equal(stats->rx_missed, 4000);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_tx_segments),
		TEST(test_tx_contexts),
		TEST(test_tx_bad_checksum_place),
		TEST(test_tx_short),
		TEST(test_tx_full),
		TEST(test_tx_brim),
		TEST(test_tx_wrap),
		TEST(test_rx_sizes),
		TEST(test_rx_rearm),
		TEST(test_rx_wrap),
		TEST(test_rx_errors),
		TEST(test_rx_lies),
		TEST(test_rx_dropped_by_the_nic),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
