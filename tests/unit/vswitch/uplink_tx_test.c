/* SPDX-License-Identifier: GPL-2.0-or-later */
/* vswitch/uplink_tx.c: GSO frames, whole to the NIC or cut up for it. */
#include "tests/unit/lib/gso_packet.h"
#include "tests/unit/vswitch/uplink_fixture.h"

/* Packets on their way; each says its number in TCP's acknowledgment, or in
 * UDP's ports, and that is the order in which they were sent. */
#define PACKETS 64

static struct gso_packet packets[PACKETS];
static unsigned next_segment[PACKETS];
static unsigned made;
static uint32_t last_cookie; /* of what has left */
static unsigned segments_seen, wholes_seen;

static uint32_t random_state;

static uint32_t random_below(uint32_t n)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 17;
	random_state ^= random_state << 5;
	return random_state % n;
}

/* What leaves is looked at: in order, and each segment as it must be. */
static void look(struct frame *f)
{
	static uint8_t bytes[GSO_PACKET_MAX];
	const struct gso_packet *p;
	uint32_t cookie = f->cookie, len, index;
	const char *wrong;

	if (f->source == &up->port)
		cookie = container_of(f, struct uplink_segment, frame)
				 ->whole->cookie;
	assert_true(cookie >= last_cookie);
	last_cookie = cookie;
	if (f->source != &up->port) {
		wholes_seen += f->gso_type != FRAME_GSO_NONE;
		return;
	}
	segments_seen++;
	p = &packets[cookie % PACKETS];
	index = next_segment[cookie % PACKETS]++;
	len = packet_gather(f, bytes);
	assert_int_equal(len, f->len);
	if (f->flags & FRAME_CSUM_PARTIAL) {
		assert_true(nic.dev.caps & NETDEV_CSUM);
		packet_finish(p, bytes, len);
	}
	wrong = packet_segment_wrong(p, index, bytes, len);
	if (wrong)
		fail_msg("packet %u, segment %u: %s", cookie, index, wrong);
}

static int begin(void **state)
{
	made = segments_seen = wholes_seen = 0;
	last_cookie = 0;
	random_state = 88172645;
	setup(state);
	nic.on_sent = look;
	return 0;
}

/* A frame of the order from a VM; not sent. */
static struct frame *gso_frame(unsigned vm, const struct gso_packet *order,
			       unsigned head_len, unsigned pieces)
{
	struct gso_packet *p = &packets[made % PACKETS];
	struct frame *f = outbound(vm);

	*p = *order;
	packet_build(p, f->head, f->head + ETH_ADDR_LEN);
	next_segment[made % PACKETS] = 0;
	packet_frame(p, f, f->head, MIN(head_len, p->len), pieces);
	f->cookie = made++;
	return f;
}

static struct frame *tcp_frame(unsigned vm, unsigned segments)
{
	return gso_frame(vm,
			 &(struct gso_packet){.payload = segments * 1000 - 1,
					      .gso_size = 1000,
					      .id = 7,
					      .sequence = 0xffffff00,
					      .tcp_flags = TCP_ACK | TCP_PSH},
			 128, 3);
}

/* So many that they are not all cut at once, for a small ring. */
static struct frame *long_frame(unsigned vm)
{
	return gso_frame(vm,
			 &(struct gso_packet){.payload = 4000, .gso_size = 40},
			 128, 3);
}

static void send_one(unsigned vm, struct frame *f)
{
	vswitch_input(&vms[vm].port, &f, 1);
}

static void send_plain(unsigned vm)
{
	struct frame *f = outbound(vm);

	f->cookie = made++;
	send_one(vm, f);
}

static unsigned free_segments(void)
{
	unsigned count = 0;

	for (const struct frame *f = up->free; f; f = f->next)
		count++;
	return count;
}

/* The whole comes home with the last of its segments, not before. */
static void cuts_up(void **state)
{
	send_one(A, tcp_frame(A, 5));
	assert_int_equal(nic.put, 5);
	assert_int_equal(egress()->frames, 1);
	assert_int_equal(egress()->segments_created, 4);
	assert_int_equal(egress()->in_flight, 5);
	assert_int_equal(up->stats.segmented, 1);
	assert_int_equal(up->stats.csum_in_software, 5);
	for (unsigned i = 0; i < 4; i++) {
		fake_nic_finish(&nic, 1);
		assert_int_equal(uplink_reap(up), 0);
		assert_int_equal(vms[A].completions, 0);
		assert_int_equal(egress()->delivered, i + 1);
	}
	fake_nic_finish(&nic, 1);
	assert_int_equal(uplink_reap(up), 1);
	assert_int_equal(vms[A].completions, 1);
	assert_int_equal(egress()->delivered, 5);
	assert_int_equal(segments_seen, 5);
	assert_int_equal(free_segments(), UPLINK_SEGMENTS);
}

static void left_to_the_nic(void **state)
{
	const struct gso_packet tcp = {.payload = 5000, .gso_size = 1000};
	struct gso_packet order = tcp;

	nic.dev.caps = NETDEV_CSUM | NETDEV_TSO;
	send_one(A, gso_frame(A, &tcp, 128, 3));
	order.v6 = true;
	send_one(A, gso_frame(A, &order, 128, 3));
	assert_int_equal(nic.put, 2);
	assert_int_equal(egress()->in_flight, 2);
	assert_int_equal(egress()->segments_created, 0);
	/* What it cannot do: CWR, UDP, payload apart from the headers. */
	order = tcp;
	order.tcp_flags = TCP_CWR;
	send_one(A, gso_frame(A, &order, 128, 3));
	assert_int_equal(nic.put, 7);
	order = tcp;
	order.udp = true;
	send_one(A, gso_frame(A, &order, 128, 3));
	assert_int_equal(nic.put, 12);
	send_one(A, gso_frame(A, &tcp, 54, 3));
	assert_int_equal(nic.put, 17);
	assert_int_equal(up->stats.segmented, 3);
	assert_int_equal(up->stats.csum_in_software, 0);
	fake_nic_finish(&nic, 17);
	assert_int_equal(uplink_reap(up), 5);
	assert_int_equal(wholes_seen, 2);
	assert_int_equal(segments_seen, 15);
}

/* All kinds, also from a mixed batch, through a ring of every small size. */
static void keeps_the_order(void **state)
{
	unsigned sent = 0;

	for (unsigned size = 1; size < 8; size++) {
		struct frame *batch[5];

		nic.ring_size = size;
		send_plain(A);
		batch[0] = outbound(B);
		batch[0]->cookie = made++;
		batch[1] = tcp_frame(B, 4);
		batch[2] = gso_frame(B,
				     &(struct gso_packet){.v6 = true,
							  .udp = true,
							  .payload = 3333,
							  .gso_size = 1111},
				     70, 2);
		batch[3] = outbound(B);
		batch[3]->cookie = made++;
		batch[4] = tcp_frame(B, 2);
		vswitch_input(&vms[B].port, batch, 5);
		send_plain(A);
		sent += 4 + 4 + 3 + 2;
		while (nic.sent != sent) {
			fake_nic_finish(&nic, 1 + size / 2);
			uplink_interrupt(up, NETDEV_VECTOR_TX);
		}
		uplink_reap(up);
		assert_int_equal(egress()->in_flight, 0);
		assert_int_equal(egress()->delivered, sent);
		assert_null(up->pending);
		assert_int_equal(free_segments(), UPLINK_SEGMENTS);
	}
	assert_int_equal(vms[A].completions, 14);
	assert_int_equal(vms[B].completions, 35);
	assert_int_equal(segments_seen, 7 * 9);
}

/* More segments than there are: the rest follows as they come back. */
static void pool_runs_dry(void **state)
{
	send_one(A, gso_frame(A,
			      &(struct gso_packet){.payload = 40000,
						   .gso_size = 100},
			      128, 5));
	assert_int_equal(nic.put, UPLINK_SEGMENTS);
	assert_int_equal(up->stats.segments_dry, 1);
	assert_int_equal(free_segments(), 0);
	send_plain(B); /* waits behind it */
	assert_int_equal(nic.put, UPLINK_SEGMENTS);
	fake_nic_finish(&nic, 1);
	assert_int_equal(uplink_reap(up), 0);
	assert_int_equal(nic.put, UPLINK_SEGMENTS + 1);
	for (unsigned i = 0; i < 10; i++) {
		fake_nic_finish(&nic, 100);
		uplink_interrupt(up, NETDEV_VECTOR_TX);
	}
	assert_int_equal(egress()->delivered, 401);
	assert_int_equal(egress()->segments_created, 399);
	assert_int_equal(vms[A].completions, 1);
	assert_int_equal(vms[B].completions, 1);
	assert_int_equal(segments_seen, 400);
}

/* Segments on the ring, some that came back from it, and the uncut rest. */
static void link_lost_in_the_middle(void **state)
{
	nic.ring_size = 3;
	send_one(A, long_frame(A));
	send_plain(B);
	send_one(B, tcp_frame(B, 4));
	fake_nic_finish(&nic, 1);
	uplink_reap(up);
	assert_int_equal(nic.put, 4);
	assert_int_equal(vms[A].completions, 0);
	assert_non_null(up->gso.frame);
	nic.link.up = false;
	uplink_interrupt(up, NETDEV_VECTOR_OTHER);
	assert_int_equal(egress()->in_flight, 0);
	assert_int_equal(egress()->delivered, 1);
	assert_int_equal(egress()->frames, 3);
	assert_int_equal(egress()->drops[DROP_DOWN],
			 3 + egress()->segments_created - 1);
	assert_int_equal(vms[A].completions, 1);
	assert_int_equal(vms[B].completions, 2);
	assert_int_equal(free_segments(), UPLINK_SEGMENTS);
	assert_null(up->gso.frame);
	/* While it is down they are dropped whole. */
	send_one(A, tcp_frame(A, 3));
	assert_int_equal(vms[A].completions, 2);
	nic.link.up = true;
	last_cookie = 0;
	nic.ring_size = 100;
	send_one(A, tcp_frame(A, 3));
	assert_int_equal(egress()->in_flight, 3);
	fake_nic_finish(&nic, 3);
	assert_int_equal(uplink_reap(up), 1);
}

/* The same at every point of the way. */
static void stop_in_the_middle(void **state)
{
	for (unsigned ring = 1; ring < 14; ring++)
		for (unsigned sent = 0; sent < 12; sent++) {
			unsigned home = vms[A].completions;

			nic.ring_size = ring;
			send_plain(A);
			send_one(A,
				 ring & 1 ? tcp_frame(A, 10) : long_frame(A));
			send_plain(A);
			for (unsigned i = 0; i < sent; i++) {
				fake_nic_finish(&nic, 1);
				uplink_reap(up);
			}
			uplink_stop(up);
			assert_int_equal(egress()->in_flight, 0);
			assert_int_equal(vms[A].completions, home + 3);
			assert_int_equal(free_segments(), UPLINK_SEGMENTS);
			assert_true(fake_ledger_ok(&up->port));
			assert_int_equal(uplink_start(up), 0);
			last_cookie = 0;
		}
}

static void segments_too_big(void **state)
{
	const struct gso_packet order = {.payload = 5000,
					 .gso_size = 1518 - 54 + 1};
	struct gso_packet fits = order;

	vms[A].port.frame_max = 9000;
	send_one(A, gso_frame(A, &order, 128, 3));
	assert_int_equal(egress()->drops[DROP_TOO_BIG], 1);
	assert_int_equal(vms[A].completions, 1);
	fits.gso_size--;
	send_one(A, gso_frame(A, &fits, 128, 3));
	assert_int_equal(nic.put, 4);
}

/* A NIC that learns to do it, or forgets, while one is half cut up. */
static void caps_change(void **state)
{
	nic.ring_size = 3;
	send_one(A, long_frame(A));
	send_one(A, tcp_frame(A, 5));
	assert_ptr_equal(up->gso.frame, &vms[A].frames[0].f);
	nic.dev.caps = NETDEV_CSUM | NETDEV_TSO;
	while (nic.sent < 101) {
		fake_nic_finish(&nic, 1);
		uplink_reap(up);
	}
	assert_int_equal(segments_seen, 100);
	assert_int_equal(wholes_seen, 1);
	uplink_reap(up);
	assert_int_equal(vms[A].completions, 2);
}

/* To the other VM as well: it gets it whole, and unharmed. */
static void flooded(void **state)
{
	static const uint8_t all[] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
	struct frame *f = tcp_frame(A, 5);

	memcpy(f->head, all, 6);
	memcpy(packets[0].bytes, all, 6);
	send_one(A, f);
	assert_int_equal(vms[B].got_count, 1);
	assert_ptr_equal(vms[B].got[0], f);
	assert_int_equal(nic.put, 5);
	fake_nic_finish(&nic, 5);
	assert_int_equal(uplink_reap(up), 1);
	assert_int_equal(segments_seen, 5);
}

static void random_send(unsigned vm)
{
	struct frame *batch[20];
	unsigned count = 1 + random_below(20), n = 0;

	/* A packet's place is used again when all frames before are home. */
	count = MIN(count, PACKETS - ((FAKE_FRAMES - fake_free(&vms[A])) +
				      (FAKE_FRAMES - fake_free(&vms[B]))));
	for (; n < count; n++) {
		struct gso_packet order = {
			.v6 = random_below(2),
			.udp = random_below(4) == 0,
			.tcp_flags = random_below(4) ? TCP_ACK : TCP_CWR,
			.tcp_options = random_below(2) * 12,
			.payload = 2 + random_below(4000),
		};

		if (random_below(2)) {
			batch[n] = outbound(vm);
			batch[n]->cookie = made++;
			continue;
		}
		order.gso_size =
			(uint16_t)(1 + order.payload / 30 + random_below(1300));
		batch[n] = gso_frame(vm, &order, 90 + random_below(100),
				     1 + random_below(10));
	}
	if (n)
		vswitch_input(&vms[vm].port, batch, n);
}

static void random_load(void **state)
{
	struct port *all[] = {&up->port, &vms[A].port, &vms[B].port};
	unsigned stops = 0;

	for (unsigned round = 0; round < 6000; round++) {
		switch (random_below(8)) {
		case 0:
			nic.ring_size = 1 + random_below(FAKE_RING_MAX);
			break;
		case 1:
			if (random_below(20))
				break;
			uplink_stop(up);
			assert_int_equal(egress()->in_flight, 0);
			assert_int_equal(free_segments(), UPLINK_SEGMENTS);
			nic.dev.caps = random_below(2) * NETDEV_CSUM;
			if (nic.dev.caps && random_below(2))
				nic.dev.caps |= NETDEV_TSO;
			assert_int_equal(uplink_start(up), 0);
			stops++;
			break;
		case 2:
			if (random_below(20))
				break;
			nic.link.up = !nic.link.up;
			uplink_interrupt(up, NETDEV_VECTOR_OTHER);
			plat_linux_run_work();
			break;
		case 3:
		case 4:
			fake_nic_finish(&nic, random_below(100));
			uplink_interrupt(up, NETDEV_VECTOR_TX);
			break;
		default:
			random_send(random_below(2));
		}
		assert_true(fake_ledgers_ok(sw, all, ARRAY_SIZE(all)));
	}
	assert_true(stops > 10);
	assert_true(segments_seen > 2000);
	assert_true(wholes_seen > 100);
	assert_true(up->stats.segments_dry > 0);
	assert_true(egress()->drops[DROP_DEVICE_ERROR] > 0);
	assert_true(egress()->drops[DROP_DOWN] > 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, teardown)
	const struct CMUnitTest tests[] = {
		TEST(cuts_up),
		TEST(left_to_the_nic),
		TEST(keeps_the_order),
		TEST(pool_runs_dry),
		TEST(link_lost_in_the_middle),
		TEST(stop_in_the_middle),
		TEST(segments_too_big),
		TEST(caps_change),
		TEST(flooded),
		TEST(random_load),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
