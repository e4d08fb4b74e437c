/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The 82574L driver's TCP segmentation against a fake 82574. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "drivers/net/e1000e_reg.h"
#include "lib/gso.h"
#include "tests/unit/drivers/net/e1000e_fixture.h"
#include "tests/unit/lib/gso_packet.h"

#define PACKETS 64

struct tso_frame {
	struct gso_packet packet;
	struct frame f;
	uint8_t head[FRAME_HEAD_SIZE];
};

static struct tso_frame tso[PACKETS];
static uint32_t random_state = 362436069;

static uint32_t random_below(uint32_t n)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 17;
	random_state ^= random_state << 5;
	return random_state % n;
}

static struct frame *make_tso(struct tso_frame *t,
			      const struct gso_packet *order, unsigned head_len,
			      unsigned pieces)
{
	t->packet = *order;
	packet_build(&t->packet, peer_mac, own_mac);
	packet_frame(&t->packet, &t->f, t->head, MIN(head_len, t->packet.len),
		     pieces);
	assert_true(gso_check(&t->f));
	assert_int_not_equal(t->f.gso_type, FRAME_GSO_NONE);
	return &t->f;
}

/* All the segments of a packet stand on the wire, from `at` on; the next. */
static unsigned on_the_wire(const struct test *t, unsigned at,
			    const struct gso_packet *p)
{
	for (unsigned i = 0; i < packet_segments(p); i++, at++) {
		const struct fake_wire_frame *w = &t->nic->wire[at];
		uint32_t payload = MIN(p->payload - i * p->gso_size,
				       (uint32_t)p->gso_size);
		uint32_t len = p->header_len + payload;
		const char *wrong;

		assert_true(at < t->nic->wire_count);
		assert_int_equal(w->len, MAX(len, 60u)); /* padded */
		wrong = packet_segment_wrong(p, i, w->data, len);
		if (wrong)
			fail_msg("segment %u: %s", i, wrong);
	}
	return at;
}

static void test_tso(void **state)
{
	static const struct gso_packet orders[] = {
		{.payload = 5000},
		{.payload = 5000,
		 .tcp_options = 12,
		 .id = 0xfffe,
		 .sequence = 0xfffff000,
		 .tcp_flags = TCP_FIN | TCP_PSH},
		{.payload = 5000, .ip_options = 40, .tcp_options = 40},
		{.payload = 5000, .tags = 1},
		{.payload = 5000, .tags = 2, .v6 = true},
		{.payload = 5000, .v6 = true, .tcp_options = 20},
		{.payload = 5000,
		 .v6 = true,
		 .ip_options = 40,
		 .tcp_flags = TCP_PSH},
		{.payload = 4001}, /* the last segment has a byte */
	};
	struct test *t = *state;
	unsigned at = 0, n = 0;

	for (unsigned i = 0; i < ARRAY_SIZE(orders); i++)
		for (unsigned pieces = 1; pieces < FRAME_SEGS_MAX;
		     pieces += 6) {
			struct gso_packet order = orders[i];
			struct frame *f, *back;

			order.gso_size = 1000;
			f = make_tso(&tso[0], &order, 200, pieces);
			assert_int_equal(t->dev->ops->transmit(t->dev, &f, 1),
					 1);
			at = on_the_wire(t, at, &tso[0].packet);
			assert_int_equal(t->nic->contexts, ++n);
			assert_int_equal(t->dev->ops->reap(t->dev, &back, 1),
					 1);
			assert_ptr_equal(back, f);
		}
	assert_int_equal(at, t->nic->wire_count);
}

/* A context is used for one frame, and checksum contexts are laid anew. */
static void test_contexts(void **state)
{
	struct gso_packet order = {.payload = 2000, .gso_size = 1000};
	struct test *t = *state;
	struct frame *f[5], *back[5];

	f[0] = make_frame(&t->tx[0], 6, 200, 1);
	f[1] = make_tso(&tso[0], &order, 128, 1);
	f[2] = make_tso(&tso[1], &order, 128, 2);
	f[3] = make_frame(&t->tx[1], 6, 201, 1);
	f[4] = make_frame(&t->tx[2], 6, 202, 1);
	assert_int_equal(t->dev->ops->transmit(t->dev, f, 5), 5);
	assert_int_equal(t->nic->contexts, 4);
	assert_int_equal(t->nic->wire_count, 7);
	assert_true(fake_82574_l4_good(t->nic->wire[0].data, 200));
	assert_int_equal(on_the_wire(t, 1, &tso[0].packet), 3);
	assert_int_equal(on_the_wire(t, 3, &tso[1].packet), 5);
	assert_true(fake_82574_l4_good(t->nic->wire[5].data, 201));
	assert_true(fake_82574_l4_good(t->nic->wire[6].data, 202));
	assert_int_equal(t->dev->ops->reap(t->dev, back, 5), 5);
}

/* Long pieces are several descriptors, none of them too long. */
static void test_long_pieces(void **state)
{
	static const struct {
		uint32_t payload;
		unsigned descriptors; /* with a context and the head */
	} cases[] = {
		{74 + 8191, 3},	 {74 + 8192, 3},  {74 + 8193, 4},
		{74 + 16384, 4}, {74 + 16385, 5}, {65495, 2 + 8},
	};
	struct test *t = *state;
	struct frame *back;

	for (unsigned i = 0; i < ARRAY_SIZE(cases); i++) {
		struct gso_packet order = {.payload = cases[i].payload,
					   .gso_size = 1448};
		struct frame *f = make_tso(&tso[0], &order, 128, 1);
		unsigned before = t->nic->descriptors;

		t->nic->wire_count = 0;
		assert_int_equal(t->dev->ops->transmit(t->dev, &f, 1), 1);
		assert_int_equal(t->nic->descriptors - before,
				 cases[i].descriptors);
		assert_int_equal(on_the_wire(t, 0, &tso[0].packet),
				 t->nic->wire_count);
		assert_int_equal(t->dev->ops->reap(t->dev, &back, 1), 1);
	}
}

/* To the brim from every position, with frames of many shapes: what does not
 * fit stays as it was, what does is whole. */
static void test_brim(void **state)
{
	struct test *t = *state;

	for (unsigned round = 0; round < RING; round++) {
		struct frame *f, *back[RING];
		unsigned taken = 0, at = 0;
		bool more;

		t->nic->hold_tx = true;
		do {
			struct gso_packet order = {
				.v6 = random_below(2),
				.payload = 1000 + random_below(random_below(3)
								       ? 4000
								       : 60000),
				.gso_size = 999,
			};

			assert_true(taken < PACKETS);
			f = make_tso(&tso[taken], &order, 128,
				     1 + random_below(FRAME_SEGS_MAX - 1));
			more = t->dev->ops->transmit(t->dev, &f, 1);
			taken += more;
			assert_true(!more ||
				    reg(t, E1000E_TDT) != reg(t, E1000E_TDH));
		} while (more);
		assert_memory_equal(f->head, tso[taken].packet.bytes,
				    f->head_len);
		assert_true(taken >= 7);
		t->nic->wire_count = 0;
		fake_82574_send(t->nic, ~0u);
		assert_int_equal(reg(t, E1000E_TDT), reg(t, E1000E_TDH));
		for (unsigned i = 0; i < taken && at < FAKE_WIRE_MAX - 70; i++)
			at = on_the_wire(t, at, &tso[i].packet);
		assert_int_equal(t->dev->ops->reap(t->dev, back, RING), taken);
		for (unsigned i = 0; i < taken; i++)
			assert_ptr_equal(back[i], &tso[i].f);
		/* On by one, for the next round. */
		t->nic->hold_tx = false;
		f = make_plain(&t->tx[0], 0);
		assert_int_equal(t->dev->ops->transmit(t->dev, &f, 1), 1);
		assert_int_equal(t->dev->ops->reap(t->dev, back, RING), 1);
	}
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_tso),
		TEST(test_contexts),
		TEST(test_long_pieces),
		TEST(test_brim),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
