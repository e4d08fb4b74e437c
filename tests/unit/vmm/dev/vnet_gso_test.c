/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The network card and GSO frames: out, in whole, in segments, and hostile. */
#include <pthread.h>
#include <sched.h>

#include "tests/unit/lib/gso_packet.h"
#include "vmm/dev/vnet_priv.h"
#include "vnet_checks.h"

#define HOST_ALL                                                        \
	(CSUM | F(VIRTIO_NET_F_HOST_TSO4) | F(VIRTIO_NET_F_HOST_TSO6) | \
	 F(VIRTIO_NET_F_HOST_ECN) | F(VIRTIO_NET_F_HOST_USO))
#define GUEST_ALL                                                      \
	(GUEST_CSUM | TSO4 | TSO6 | ECN | F(VIRTIO_NET_F_GUEST_USO4) | \
	 F(VIRTIO_NET_F_GUEST_USO6))
#define TSO4 F(VIRTIO_NET_F_GUEST_TSO4)
#define TSO6 F(VIRTIO_NET_F_GUEST_TSO6)
#define ECN  F(VIRTIO_NET_F_GUEST_ECN)
#define USO4 F(VIRTIO_NET_F_GUEST_USO4)
#define USO6 F(VIRTIO_NET_F_GUEST_USO6)

static struct gso_packet packet;
static struct virtio_net_hdr_v1 got_hdr;
static uint8_t got[GSO_PACKET_MAX];

static uint8_t gso_type_of(const struct gso_packet *p)
{
	uint8_t type = p->udp  ? VIRTIO_NET_HDR_GSO_UDP_L4
		       : p->v6 ? VIRTIO_NET_HDR_GSO_TCPV6
			       : VIRTIO_NET_HDR_GSO_TCPV4;

	return type |
	       (!p->udp && p->tcp_flags & TCP_CWR ? VIRTIO_NET_HDR_GSO_ECN : 0);
}

/* A packet and its header, as Linux fills it, in a's memory. */
static void fill(const struct gso_packet *order, const uint8_t *to)
{
	packet = *order;
	packet_build(&packet, to, mac_a);
	memcpy(fake_vm_ptr(&a.vm, a.data), packet.bytes, packet.len);
	*side_hdr(&a) = (struct virtio_net_hdr_v1){
		.flags = VIRTIO_NET_HDR_F_NEEDS_CSUM,
		.gso_type = gso_type_of(&packet),
		.hdr_len = (uint16_t)packet.header_len,
		.gso_size = packet.gso_size,
		.csum_start = (uint16_t)packet.l4,
		.csum_offset = packet_csum_offset(&packet),
	};
}

static void queue(void)
{
	const uint32_t third = packet.len / 3;
	const struct guest_piece pieces[] = {
		{a.hdr, HDR_LEN, false},
		{a.data, third, false},
		{a.data + third, third, false},
		{a.data + 2 * third, packet.len - 2 * third, false},
	};

	guest_post(&a.g.queues[QUEUE_TX], pieces, 4);
}

static void send_as_filled(void)
{
	struct vring_used_elem elem;

	queue();
	guest_kick(&a.g, QUEUE_TX);
	while (guest_take(&a.g.queues[QUEUE_TX], &elem))
		;
}

static void send_packet(const struct gso_packet *order, const uint8_t *to)
{
	fill(order, to);
	send_as_filled();
}

/* The next frame in b's ring, put together from its buffers; its length, 0:
 * there is none. */
static uint32_t receive(void)
{
	struct guest_queue *q = &b.g.queues[QUEUE_RX];
	struct vring_used_elem elem;
	uint32_t len = 0;

	if (!guest_take(q, &elem))
		return 0;
	memcpy(&got_hdr, fake_vm_ptr(&b.vm, q->desc[elem.id].addr), HDR_LEN);
	for (unsigned i = 0; i < got_hdr.num_buffers; i++) {
		uint32_t skip = i ? 0 : HDR_LEN;
		const uint8_t *from;

		if (i)
			elem = take(&b, QUEUE_RX);
		from = fake_vm_ptr(&b.vm, q->desc[elem.id].addr);
		assert_true(len + elem.len - skip <= sizeof(got));
		memcpy(got + len, from + skip, elem.len - skip);
		len += elem.len - skip;
	}
	return len;
}

/* The packet came whole, as it was sent. */
static void expect_whole(void)
{
	assert_int_equal(receive(), packet.len);
	assert_memory_equal(got, packet.bytes, packet.len);
	assert_int_equal(got_hdr.flags, VIRTIO_NET_HDR_F_NEEDS_CSUM);
	assert_int_equal(got_hdr.gso_type, gso_type_of(&packet));
	assert_int_equal(got_hdr.gso_size, packet.gso_size);
	assert_int_equal(got_hdr.hdr_len, packet.header_len);
	assert_int_equal(got_hdr.csum_start, packet.l4);
	assert_int_equal(got_hdr.csum_offset, packet_csum_offset(&packet));
}

/* Segments number first to end - 1 came, partial: their sums left to b. */
static void expect_segments(unsigned first, unsigned end, bool partial)
{
	for (unsigned i = first; i < end; i++) {
		uint32_t len = receive();
		const char *wrong;

		assert_int_not_equal(len, 0);
		assert_int_equal(got_hdr.gso_type, VIRTIO_NET_HDR_GSO_NONE);
		assert_int_equal(got_hdr.gso_size, 0);
		assert_int_equal(got_hdr.flags,
				 partial ? VIRTIO_NET_HDR_F_NEEDS_CSUM : 0);
		if (partial) {
			assert_int_equal(got_hdr.csum_start, packet.l4);
			assert_int_equal(got_hdr.csum_offset,
					 packet_csum_offset(&packet));
			packet_finish(&packet, got, len);
		}
		wrong = packet_segment_wrong(&packet, i, got, len);
		if (wrong)
			fail_msg("segment %u: %s", i, wrong);
	}
}

static struct port_egress *egress(void)
{
	return &vnet_port(b.vnet)->egress;
}

static void start_both(uint64_t guest_features)
{
	start_with(&a, HOST_ALL, 64);
	start_with(&b, guest_features, 64);
}

/* Out */

static void test_to_the_wire(void **state)
{
	static const struct gso_packet orders[] = {
		{.payload = 60000},
		{.payload = 60000, .v6 = true, .tcp_flags = TCP_CWR},
		{.payload = 30000, .udp = true},
		{.payload = 3000, .udp = true, .v6 = true},
		/* More headers than an ordinary frame's head has. */
		{.payload = 60000,
		 .ip_options = 40,
		 .tcp_options = 40,
		 .tags = 2},
		{.payload = 150}, /* all of it in the head */
	};

	start_with(&a, HOST_ALL, 64);
	for (unsigned i = 0; i < ARRAY_SIZE(orders); i++) {
		struct gso_packet order = orders[i];
		const struct frame *f;

		order.gso_size = (uint16_t)MIN(1300u, order.payload / 2);
		send_packet(&order, mac_far);
		assert_int_equal(wire.held_count, 1);
		f = wire.held[0];
		assert_int_equal(f->gso_type, order.udp	 ? FRAME_GSO_UDP
					      : order.v6 ? FRAME_GSO_TCPV6
							 : FRAME_GSO_TCPV4);
		assert_int_equal(f->gso_size, order.gso_size);
		assert_int_equal(f->header_len, packet.header_len);
		assert_int_equal(f->l3_start, packet.l3);
		assert_int_equal(f->flags, FRAME_CSUM_PARTIAL);
		assert_true(f->head_len > f->header_len);
		assert_int_equal(f->seg_count == 0, packet.len <= 256);
		assert_int_equal(packet_gather(f, got), packet.len);
		assert_memory_equal(got, packet.bytes, packet.len);
		wire_release(1);
	}
}

/* What the guest does to its headers later is of no consequence. */
static void scribble_headers(void)
{
	memset(fake_vm_ptr(&a.vm, a.data), 0xff, 192);
	memset(side_hdr(&a), 0xff, HDR_LEN);
}

static void test_headers_are_copied(void **state)
{
	start_both(GUEST_CSUM | MERGEABLE);
	side_offer(&b, 16, 1600);
	wire.on_deliver = scribble_headers;
	send_packet(&(struct gso_packet){.payload = 6000, .gso_size = 1000},
		    mac_far);
	wire.on_deliver = NULL;
	assert_int_equal(wire.held[0]->gso_size, 1000);
	assert_int_equal(packet_gather(wire.held[0], got), packet.len);
	assert_memory_equal(got, packet.bytes, packet.len);
	wire_release(1);
}

/* In, whole */

static void test_whole_mergeable(void **state)
{
	static const struct gso_packet orders[] = {
		{.payload = 60000, .gso_size = 1448, .tcp_options = 12},
		{.payload = 60000, .gso_size = 1428, .v6 = true},
		{.payload = 9000, .gso_size = 900, .tcp_flags = TCP_CWR},
		{.payload = 9000, .gso_size = 900, .udp = true},
		{.payload = 9000, .gso_size = 900, .udp = true, .v6 = true},
		{.payload = 2, .gso_size = 1},
	};

	start_both(GUEST_ALL | MERGEABLE);
	for (unsigned i = 0; i < ARRAY_SIZE(orders); i++) {
		side_offer(&b, 40, 1536);
		send_packet(&orders[i], mac_b);
		expect_whole();
		assert_int_equal(got_hdr.num_buffers,
				 (HDR_LEN + packet.len + 1535) / 1536);
		assert_int_equal(egress()->delivered, i + 1);
		assert_int_equal(receive(), 0);
		start_with(&b, GUEST_ALL | MERGEABLE, 64);
	}
	assert_int_equal(egress()->segments_created, 0);
}

static void test_whole_big_buffers(void **state)
{
	start_both(GUEST_ALL);
	side_offer(&b, 1, KiB(68));
	send_packet(&(struct gso_packet){.payload = 65000, .gso_size = 1448},
		    mac_b);
	expect_whole();
	assert_int_equal(got_hdr.num_buffers, 1);
	/* One byte too little: given back unused. */
	side_offer(&b, 1, packet.len + HDR_LEN - 1);
	send_packet(&(struct gso_packet){.payload = 65000, .gso_size = 1448},
		    mac_b);
	assert_int_equal(refused(&b, DROP_TOO_BIG), 1);
	assert_int_equal(take(&b, QUEUE_RX).len, 0);
}

/* In, in segments */

static void test_which_whole(void **state)
{
	static const struct {
		struct gso_packet order;
		uint64_t features;
		bool whole;
	} cases[] = {
		{{.v6 = false}, TSO4, true},
		{{.v6 = false}, TSO6 | USO4 | USO6, false},
		{{.v6 = true}, TSO6, true},
		{{.v6 = true}, TSO4 | USO4 | USO6, false},
		{{.udp = true}, USO4, true},
		{{.udp = true}, TSO4 | TSO6 | USO6, false},
		{{.udp = true, .v6 = true}, USO6, true},
		{{.udp = true, .v6 = true}, TSO4 | TSO6 | USO4, false},
		{{.tcp_flags = TCP_CWR | TCP_ECE}, TSO4, false},
		{{.tcp_flags = TCP_CWR}, TSO4 | ECN, true},
		{{.tcp_flags = TCP_ECE}, TSO4, true},
		{{.v6 = true, .tcp_flags = TCP_CWR}, TSO6 | ECN, true},
		{{.v6 = true, .tcp_flags = TCP_CWR}, TSO6, false},
	};

	for (unsigned i = 0; i < ARRAY_SIZE(cases); i++) {
		struct gso_packet order = cases[i].order;

		start_both(cases[i].features | GUEST_CSUM | MERGEABLE);
		side_offer(&b, 20, 2000);
		order.payload = 5555;
		order.gso_size = 1000;
		send_packet(&order, mac_b);
		if (cases[i].whole)
			expect_whole();
		else
			expect_segments(0, 6, true);
		assert_int_equal(receive(), 0);
	}
	assert_int_equal(egress()->frames, ARRAY_SIZE(cases));
	assert_int_equal(egress()->segments_created, 6 * 5);
	assert_int_equal(egress()->delivered, ARRAY_SIZE(cases) + 6 * 5);
}

/* Without GUEST_CSUM: no partial sums, so no GSO either. */
static void test_without_csum(void **state)
{
	static const struct gso_packet orders[] = {
		{.payload = 9000, .tcp_flags = TCP_CWR | TCP_PSH | TCP_FIN},
		{.payload = 9000, .v6 = true, .tcp_options = 12},
		{.payload = 9000, .udp = true},
		{.payload = 9000, .udp = true, .v6 = true, .tags = 1},
	};

	for (unsigned i = 0; i < ARRAY_SIZE(orders); i++) {
		struct gso_packet order = orders[i];

		start_both(i & 1 ? MERGEABLE : GUEST_ALL & ~GUEST_CSUM);
		side_offer(&b, 20, 1600);
		order.gso_size = 1400;
		send_packet(&order, mac_b);
		expect_segments(0, 7, false);
		assert_int_equal(receive(), 0);
		assert_int_equal(b.vm.message_count, i + 1); /* one for all */
	}
}

/* The buffers end in the middle: each segment has its own fate. */
static void test_shortage(void **state)
{
	start_both(GUEST_CSUM);
	side_offer(&b, 4, 1600);
	send_packet(&(struct gso_packet){.payload = 9500, .gso_size = 1000},
		    mac_b);
	expect_segments(0, 4, true);
	assert_int_equal(refused(&b, DROP_NO_BUFFER), 6);
	assert_int_equal(egress()->segments_created, 9);
	assert_int_equal(egress()->delivered, 4);
	assert_true(ledger_adds_up());
	/* Merged: seven buffers are two segments and a rest, which stays. */
	start_both(MERGEABLE);
	side_offer(&b, 7, 400);
	send_packet(&(struct gso_packet){.payload = 9500, .gso_size = 1000},
		    mac_b);
	expect_segments(0, 2, false);
	/* The last, of 500 bytes, needs two: there is one. */
	assert_int_equal(refused(&b, DROP_NO_BUFFER), 6 + 8);
	assert_int_equal(receive(), 0);
	send_packet(&(struct gso_packet){.payload = 600, .gso_size = 300},
		    mac_b);
	expect_segments(0, 1, false);
	assert_int_equal(refused(&b, DROP_NO_BUFFER), 6 + 8 + 1);
	/* None at all. */
	send_packet(&(struct gso_packet){.payload = 65000, .gso_size = 40},
		    mac_b);
	assert_int_equal(refused(&b, DROP_NO_BUFFER), 6 + 8 + 1 + 1625);
	assert_false(needs_reset(&b));
}

/* And so if one of them is nonsense. */
static void test_broken_in_the_middle(void **state)
{
	start_both(GUEST_CSUM | MERGEABLE);
	side_offer(&b, 3, 1600);
	guest_post(&b.g.queues[QUEUE_RX],
		   &(struct guest_piece){UINT64_MAX, 600, true}, 1);
	side_offer(&b, 3, 1600);
	send_packet(&(struct gso_packet){.payload = 9500, .gso_size = 1000},
		    mac_b);
	assert_int_equal(refused(&b, DROP_BAD_BUFFER), 1);
	assert_int_equal(refused(&b, DROP_NO_BUFFER), 6);
	assert_int_equal(egress()->delivered, 3);
	assert_int_equal(egress()->segments_created, 9);
	assert_true(needs_reset(&b));
	expect_segments(0, 3, true);
}

/* To both: segments for the guest, the whole for the wire. */
static void test_flood(void **state)
{
	static const uint8_t all[] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff};

	start_both(0);
	side_offer(&b, 20, 1600);
	send_packet(&(struct gso_packet){.payload = 6000, .gso_size = 1000},
		    all);
	expect_segments(0, 6, false);
	assert_int_equal(wire.held_count, 1);
	assert_int_equal(packet_gather(wire.held[0], got), packet.len);
	assert_memory_equal(got, packet.bytes, packet.len);
	wire_release(1);
}

/* Hostile */

static void test_not_negotiated(void **state)
{
	static const struct {
		struct gso_packet order;
		uint64_t without;
	} cases[] = {
		{{.v6 = false}, F(VIRTIO_NET_F_HOST_TSO4)},
		{{.v6 = true}, F(VIRTIO_NET_F_HOST_TSO6)},
		{{.udp = true}, F(VIRTIO_NET_F_HOST_USO)},
		{{.udp = true, .v6 = true}, F(VIRTIO_NET_F_HOST_USO)},
		{{.tcp_flags = TCP_CWR}, F(VIRTIO_NET_F_HOST_ECN)},
		{{.v6 = false}, CSUM},
	};

	for (unsigned i = 0; i < ARRAY_SIZE(cases); i++) {
		struct gso_packet order = cases[i].order;

		order.payload = 5000;
		order.gso_size = 1000;
		start_with(&a, HOST_ALL & ~cases[i].without, 64);
		send_packet(&order, mac_far);
		assert_int_equal(dropped(&a, DROP_BAD_OFFLOAD), i + 1);
		assert_int_equal(wire.held_count, 0);
		start_with(&a, HOST_ALL, 64);
		send_packet(&order, mac_far);
		assert_int_equal(wire_release(1), 1);
	}
}

/* Headers of the device that do not go with the frame, nor with each other. */
static void test_bad_headers(void **state)
{
	static const struct gso_packet order = {.payload = 5000,
						.gso_size = 1000};
	struct virtio_net_hdr_v1 *hdr = side_hdr(&a);
	unsigned bad = 0;

	start_with(&a, HOST_ALL, 64);
#define BAD(spoil)                                                      \
	do {                                                            \
		fill(&order, mac_far);                                  \
		spoil;                                                  \
		send_as_filled();                                       \
		if (wire.held_count)                                    \
			fail_msg("passed: %s", #spoil);                 \
		assert_int_equal(dropped(&a, DROP_BAD_OFFLOAD), ++bad); \
	} while (0)
	BAD(hdr->gso_size = 0);
	BAD(hdr->gso_size = 1); /* 5000 segments */
	BAD(hdr->gso_type = VIRTIO_NET_HDR_GSO_ECN);
	BAD(hdr->gso_type = 3); /* UFO, which is no more */
	BAD(hdr->gso_type = 2);
	BAD(hdr->gso_type = 6);
	BAD(hdr->gso_type = 0x7f);
	BAD(hdr->gso_type = VIRTIO_NET_HDR_GSO_TCPV6);
	BAD(hdr->gso_type = VIRTIO_NET_HDR_GSO_UDP_L4);
	BAD(hdr->flags = 0);
	BAD(hdr->flags = VIRTIO_NET_HDR_F_DATA_VALID);
	/* CVE-2024-11614: checksums outside of the frame, or of its head. */
	BAD(hdr->csum_start = 0xffff);
	BAD((hdr->csum_start = 0xffff, hdr->csum_offset = 0xffff));
	BAD(hdr->csum_start = (uint16_t)packet.len);
	BAD(hdr->csum_start = 33);
	BAD(hdr->csum_offset = 0xffff);
	BAD(hdr->csum_offset = 17);
	BAD((hdr->gso_type = 0, hdr->csum_start = (uint16_t)packet.len));
	BAD((hdr->gso_type = 0, hdr->csum_offset = 0xffff));
#undef BAD
	/* hdr_len is a hint; num_buffers and most flags are nothing here. */
	for (unsigned i = 0; i < 4; i++) {
		static const uint16_t lens[] = {0, 1, 5054, 0xffff};

		fill(&order, mac_far);
		hdr->hdr_len = lens[i];
		hdr->num_buffers = lens[i];
		hdr->flags = 0xff;
		send_as_filled();
		assert_int_equal(wire.held_count, 1);
		assert_int_equal(wire.held[0]->header_len, packet.header_len);
		assert_int_equal(packet_gather(wire.held[0], got), packet.len);
		wire_release(1);
	}
	assert_false(needs_reset(&a));
}

/* What would be longer on a wire than it takes. */
static void test_giants(void **state)
{
	start_both(GUEST_ALL | MERGEABLE);
	side_offer(&b, 40, 1600);
	send_packet(&(struct gso_packet){.payload = 20000, .gso_size = 65535},
		    mac_b);
	send_packet(&(struct gso_packet){.payload = 20000, .gso_size = 1465},
		    mac_b);
	send_packet(&(struct gso_packet){.payload = 20000, .gso_size = 20000},
		    mac_far);
	assert_int_equal(dropped(&a, DROP_GIANT), 3);
	/* Longer than IP can say; and than anything. */
	fill(&(struct gso_packet){.payload = 65495, .gso_size = 1000}, mac_b);
	packet.len = 65535 + 15;
	send_as_filled();
	assert_int_equal(dropped(&a, DROP_BAD_OFFLOAD), 1);
	packet.len = 65535 + 40 + 14 + 9;
	send_as_filled();
	assert_int_equal(dropped(&a, DROP_GIANT), 4);
	send_packet(&(struct gso_packet){.payload = 20000, .gso_size = 1464},
		    mac_b);
	expect_whole();
}

/* A guest pays for what its frames cost, also if they are refused. */
static void test_budget(void **state)
{
	struct vnet_stats stats;

	start_both(GUEST_CSUM);
	side_offer(&b, 40, 1600);
	/* 66 each: eight of them spend 512. */
	fill(&(struct gso_packet){.payload = 65000, .gso_size = 1000}, mac_b);
	for (unsigned i = 0; i < 12; i++)
		queue();
	guest_kick(&a.g, QUEUE_TX);
	assert_int_equal(egress()->frames, 8);
	assert_int_equal(plat_linux_run_work(), 1);
	assert_int_equal(egress()->frames, 12);
	side_hdr(&a)->gso_size = 1;
	for (unsigned i = 0; i < 3; i++)
		queue();
	guest_kick(&a.g, QUEUE_TX);
	assert_int_equal(dropped(&a, DROP_BAD_OFFLOAD), 1);
	assert_int_equal(plat_linux_run_work(), 1);
	assert_int_equal(plat_linux_run_work(), 1);
	assert_int_equal(dropped(&a, DROP_BAD_OFFLOAD), 3);
	while (plat_linux_run_work())
		;
	vnet_stats(a.vnet, &stats);
	assert_int_equal(stats.tx_deferred, 2);
}

/* A driver on another CPU that takes buffers the moment they are used: their
 * header is right by then (CVE-2021-3748). */
#define STRESS	  3000
#define STRESS_NS 60000000000ull

static unsigned stress_wrong;
static uint64_t stress_deadline_ns;

static bool stress_over(void)
{
	sched_yield();
	return plat_now_ns() > stress_deadline_ns;
}

static void *stress_driver(void *arg)
{
	struct guest_queue *q = &b.g.queues[QUEUE_RX];

	plat_linux_set_cpu(1);
	for (unsigned n = 0; n < STRESS; n++) {
		struct vring_used_elem elem;
		struct virtio_net_hdr_v1 *hdr;

		while (!guest_take(q, &elem))
			if (stress_over())
				return NULL;
		hdr = fake_vm_ptr(&b.vm, q->desc[elem.id].addr);
		stress_wrong += READ_ONCE(hdr->num_buffers) != 3 ||
				READ_ONCE(hdr->gso_size) != 500;
		hdr->num_buffers = 0;
		hdr->gso_size = 0;
		/* Published with the first. */
		for (unsigned i = 0; i < 2; i++)
			stress_wrong += !guest_take(q, &elem);
		side_offer(&b, 3, 1000);
	}
	return NULL;
}

static void test_header_before_used(void **state)
{
	pthread_t thread;

	start_both(GUEST_ALL | MERGEABLE);
	fill(&(struct gso_packet){.payload = 2200, .gso_size = 500}, mac_b);
	side_offer(&b, 3, 1000);
	stress_wrong = 0;
	stress_deadline_ns = plat_now_ns() + STRESS_NS;
	assert_int_equal(pthread_create(&thread, NULL, stress_driver, NULL), 0);
	while (egress()->delivered < STRESS && !stress_over())
		send_as_filled();
	pthread_join(thread, NULL);
	assert_int_equal(egress()->delivered, STRESS);
	assert_int_equal(stress_wrong, 0);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(test_to_the_wire),	 T(test_headers_are_copied),
		T(test_whole_mergeable), T(test_whole_big_buffers),
		T(test_which_whole),	 T(test_without_csum),
		T(test_shortage),	 T(test_broken_in_the_middle),
		T(test_flood),		 T(test_not_negotiated),
		T(test_bad_headers),	 T(test_giants),
		T(test_budget),		 T(test_header_before_used),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
