/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The virtual network card: two guest drivers, a switch and a wire. */
#include <pthread.h>

#include "vnet_checks.h"

/* The frame in s->data of `from` stands in s's room, after a header. */
static struct virtio_net_hdr_v1 expect_frame(struct side *from, struct side *s,
					     uint32_t len)
{
	struct virtio_net_hdr_v1 hdr;
	uint8_t *room = fake_vm_ptr(&s->vm, s->room);

	memcpy(&hdr, room, sizeof(hdr));
	assert_memory_equal(room + HDR_LEN, fake_vm_ptr(&from->vm, from->data),
			    len);
	return hdr;
}

/* Small frames are copied whole, large ones stay in the guest's pages. */
static void test_tx_wire(void **state)
{
	struct frame *frame;

	start_with(&a, 0, 16);
	side_send(&a, mac_far, mac_a, 60);
	assert_int_equal(wire.held_count, 1);
	frame = wire.held[0];
	assert_int_equal(frame->len, 60);
	assert_int_equal(frame->head_len, 60);
	assert_int_equal(frame->seg_count, 0);
	assert_int_equal(frame->flags, 0);
	assert_memory_equal(frame->head, fake_vm_ptr(&a.vm, a.data), 60);
	/* The copy is ours: what the guest does now has no effect. */
	side_fill(&a, mac_b, mac_b, 14);
	assert_memory_equal(frame->head, mac_far, 6);

	side_send(&a, mac_far, mac_a, 1514);
	frame = wire.held[1];
	assert_int_equal(frame->len, 1514);
	assert_int_equal(frame->head_len, 128);
	assert_int_equal(frame->seg_count, 1);
	assert_int_equal(frame->segs[0].len, 1514 - 128);
	assert_ptr_equal(frame->segs[0].base, fake_vm_ptr(&a.vm, a.data + 128));
	/* Held: not given back. */
	expect_none(&a, QUEUE_TX);
	assert_int_equal(a.vm.message_count, 0);
	assert_int_equal(wire_release(1), 1);
	assert_int_equal(take(&a, QUEUE_TX).id, 0);
	expect_none(&a, QUEUE_TX);
	assert_int_equal(a.vm.message_count, 1);
	assert_int_equal(a.vm.messages[0].data, 0x42);
	wire_release(1);
	assert_int_equal(take(&a, QUEUE_TX).id, 2);
}

/* Any layout (2.7.4.2): header and frame cut anywhere. */
static void test_tx_layout(void **state)
{
	struct guest_piece pieces[24];
	unsigned count = 0;
	uint64_t at;

	start_with(&a, CSUM, 32);
	/* The header just before the frame, all in one. */
	side_fill(&a, mac_far, mac_a, 400);
	at = a.data - HDR_LEN;
	guest_post(&a.g.queues[QUEUE_TX],
		   &(struct guest_piece){at, HDR_LEN + 400, false}, 1);
	/* And in pieces: 5, 7 + 3, 6 of 20 (the head), 18 of 15 and the rest.
	 */
	pieces[count++] = (struct guest_piece){at, 5, false};
	pieces[count++] = (struct guest_piece){at + 5, 10, false};
	at = a.data + 3;
	for (unsigned i = 0; i < 20; i++, at += 10)
		pieces[count++] = (struct guest_piece){at, 10, false};
	pieces[count++] = (struct guest_piece){at, 400 - 203, false};
	guest_post(&a.g.queues[QUEUE_TX], pieces, count);
	guest_kick(&a.g, QUEUE_TX);
	assert_int_equal(wire.held_count, 2);
	for (unsigned i = 0; i < 2; i++) {
		struct frame *frame = wire.held[i];
		uint8_t bytes[400];
		uint32_t len = frame->head_len;

		assert_int_equal(frame->len, 400);
		memcpy(bytes, frame->head, len);
		for (unsigned j = 0; j < frame->seg_count; j++) {
			memcpy(bytes + len, frame->segs[j].base,
			       frame->segs[j].len);
			len += frame->segs[j].len;
		}
		assert_int_equal(len, 400);
		assert_memory_equal(bytes, fake_vm_ptr(&a.vm, a.data), 400);
	}
	assert_int_equal(wire.held[1]->seg_count, 9);
}

/* Linux sends up to 17 fragments after its linear part; one more piece than
 * we can refer to is dropped, and nothing else is the worse for it. */
static void test_tx_many_pieces(void **state)
{
	struct guest_piece pieces[2 + 21];

	start_with(&a, 0, 64);
	side_fill(&a, mac_far, mac_a, 128 + 21 * 10);
	pieces[0] = (struct guest_piece){a.hdr, HDR_LEN, false};
	pieces[1] = (struct guest_piece){a.data, 128, false};
	for (unsigned i = 0; i < 21; i++)
		pieces[2 + i] =
			(struct guest_piece){a.data + 128 + i * 10, 10, false};
	guest_post(&a.g.queues[QUEUE_TX], pieces, 2 + 21);
	guest_post(&a.g.queues[QUEUE_TX], pieces, 2 + 20);
	guest_kick(&a.g, QUEUE_TX);
	assert_int_equal(wire.held_count, 1);
	assert_int_equal(wire.held[0]->seg_count, 20);
	assert_int_equal(wire.held[0]->len, 328);
	assert_int_equal(dropped(&a, DROP_BAD_CHAIN), 1);
	assert_int_equal(take(&a, QUEUE_TX).id, 0);
	assert_false(needs_reset(&a));
}

static void test_tx_indirect(void **state)
{
	struct vring_desc *table;
	uint64_t gpa = fake_vm_alloc(&a.vm, 64, 16);

	start_with(&a, INDIRECT | EVENT_IDX, 16);
	side_fill(&a, mac_far, mac_a, 100);
	table = fake_vm_ptr(&a.vm, gpa);
	table[0] = (struct vring_desc){a.hdr, HDR_LEN, VRING_DESC_F_NEXT, 1};
	table[1] = (struct vring_desc){a.data, 100, 0, 0};
	guest_post(&a.g.queues[QUEUE_TX], &(struct guest_piece){gpa, 32, false},
		   1);
	a.g.queues[QUEUE_TX].desc[0].flags = VRING_DESC_F_INDIRECT;
	guest_kick(&a.g, QUEUE_TX);
	assert_int_equal(wire.held_count, 1);
	assert_int_equal(wire.held[0]->len, 100);
}

/* Bad frames, each dropped by name and given back; good ones follow. */
static void test_tx_bad_frames(void **state)
{
	const struct guest_piece writable[] = {
		{a.hdr, HDR_LEN, false},
		{a.data, 60, false},
		{a.room, 60, true},
	};
	struct guest_queue *q;
	struct virtio_net_hdr_v1 *hdr = side_hdr(&a);
	unsigned back = 0;
	struct vring_used_elem elem;

	start_with(&a, 0, 64); /* without CSUM */
	q = &a.g.queues[QUEUE_TX];
	side_fill(&a, mac_far, mac_a, 2000);
	side_queue(&a, 13);
	side_queue(&a, 1519);
	guest_post(q, writable, 3);
	guest_post(q, writable, 1); /* a header and nothing else */
	guest_post(q, &(struct guest_piece){a.hdr, HDR_LEN - 1, false}, 1);
	guest_post(q, &(struct guest_piece){0, FAKE_VM_RAM - 1, false}, 1);
	guest_kick(&a.g, QUEUE_TX);
	assert_int_equal(dropped(&a, DROP_RUNT), 2);
	assert_int_equal(dropped(&a, DROP_GIANT), 2);
	assert_int_equal(dropped(&a, DROP_BAD_CHAIN), 2);
	hdr->flags = VIRTIO_NET_HDR_F_NEEDS_CSUM; /* not negotiated */
	hdr->csum_start = 34;
	hdr->csum_offset = 6;
	side_queue(&a, 60);
	guest_kick(&a.g, QUEUE_TX);
	hdr->flags = 0;
	hdr->gso_type = VIRTIO_NET_HDR_GSO_TCPV4; /* neither */
	side_queue(&a, 60);
	guest_kick(&a.g, QUEUE_TX);
	assert_int_equal(dropped(&a, DROP_BAD_OFFLOAD), 2);
	hdr->gso_type = 0;
	assert_int_equal(wire.held_count, 0);
	side_queue(&a, 1518);
	guest_kick(&a.g, QUEUE_TX);
	assert_int_equal(wire.held_count, 1);
	while (guest_take(q, &elem))
		back++;
	assert_int_equal(back, 8);
	assert_int_equal(vnet_port(a.vnet)->ingress.frames, 9);
	assert_false(needs_reset(&a));
}

static void test_tx_csum_range(void **state)
{
	static const struct {
		uint16_t start, offset, len;
		bool good;
	} cases[] = {
		{34, 6, 60, true},	     {34, 24, 60, true},
		{34, 25, 60, false},	     {13, 6, 60, false},
		{60, 0, 60, false},	     {34, 0xffff, 60, false},
		{0xffff, 0xffff, 60, false}, {110, 16, 1000, true},
		{110, 17, 1000, false}, /* beyond the head */
	};
	struct virtio_net_hdr_v1 *hdr = side_hdr(&a);
	unsigned good = 0;

	start_with(&a, CSUM, 64);
	for (unsigned i = 0; i < ARRAY_SIZE(cases); i++) {
		hdr->flags = VIRTIO_NET_HDR_F_NEEDS_CSUM;
		hdr->csum_start = cases[i].start;
		hdr->csum_offset = cases[i].offset;
		side_send(&a, mac_far, mac_a, cases[i].len);
		good += cases[i].good;
		assert_int_equal(wire.held_count, good);
		assert_int_equal(dropped(&a, DROP_BAD_OFFLOAD), i + 1 - good);
	}
	assert_int_equal(wire.held[0]->flags, FRAME_CSUM_PARTIAL);
	assert_int_equal(wire.held[0]->csum_start, 34);
	assert_int_equal(wire.held[0]->csum_offset, 6);
}

static void test_vm_to_vm(void **state)
{
	struct virtio_net_hdr_v1 hdr;
	struct vring_used_elem elem;
	struct vnet_stats stats;

	start_with(&a, 0, 16);
	start_with(&b, 0, 16);
	side_offer(&b, 2, 2000);
	side_send(&a, mac_b, mac_a, 1514);
	elem = take(&b, QUEUE_RX);
	assert_int_equal(elem.id, 0);
	assert_int_equal(elem.len, HDR_LEN + 1514);
	hdr = expect_frame(&a, &b, 1514);
	assert_int_equal(hdr.flags, 0);
	assert_int_equal(hdr.gso_type, 0);
	assert_int_equal(hdr.num_buffers, 1);
	assert_int_equal(b.vm.message_count, 1);
	assert_int_equal(b.vm.messages[0].data, 0x41);
	/* And it was given back at once. */
	assert_int_equal(take(&a, QUEUE_TX).id, 0);
	vnet_stats(a.vnet, &stats);
	assert_int_equal(stats.tx_chains, 1);
	assert_int_equal(stats.tx_interrupts, 1);
	assert_int_equal(stats.doorbells, 2); /* one at the start */
	vnet_stats(b.vnet, &stats);
	assert_int_equal(stats.rx_chains, 1);
	assert_int_equal(stats.rx_interrupts, 1);
	assert_int_equal(wire.held_count, 0);
}

/* Broadcast: both the wire and the other guest; back when the wire is done. */
static void test_flood(void **state)
{
	static const uint8_t all[] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff};

	start_with(&a, 0, 16);
	start_with(&b, 0, 16);
	side_offer(&b, 1, 2000);
	side_send(&a, all, mac_a, 1000);
	assert_int_equal(take(&b, QUEUE_RX).len, HDR_LEN + 1000);
	expect_frame(&a, &b, 1000);
	expect_none(&a, QUEUE_TX);
	assert_int_equal(wire.held_count, 1);
	wire_release(1);
	take(&a, QUEUE_TX);
}

/* A UDP packet over IPv4 with the checksum left to the device. */
static void make_udp(struct side *s, const uint8_t *to, uint32_t len)
{
	uint8_t *f = fake_vm_ptr(&s->vm, s->data);
	struct virtio_net_hdr_v1 *hdr = side_hdr(s);
	uint16_t l4 = (uint16_t)(len - 34), partial;
	struct checksum sum = {0};

	side_fill(s, to, mac_a, len);
	f[12] = 0x08;
	f[13] = 0;
	f[14] = 0x45;
	f[23] = 17;
	f[38] = (uint8_t)(l4 >> 8);
	f[39] = (uint8_t)l4;
	checksum_add_pseudo4(&sum, f + 26, f + 30, 17, l4);
	partial = checksum_fold(&sum);
	memcpy(f + 40, &partial, 2);
	hdr->flags = VIRTIO_NET_HDR_F_NEEDS_CSUM;
	hdr->csum_start = 34;
	hdr->csum_offset = 6;
}

static void test_csum_passed_on(void **state)
{
	struct virtio_net_hdr_v1 hdr;

	start_with(&a, CSUM, 16);
	start_with(&b, GUEST_CSUM, 16);
	side_offer(&b, 1, 2000);
	make_udp(&a, mac_b, 701);
	side_queue(&a, 701);
	guest_kick(&a.g, QUEUE_TX);
	take(&b, QUEUE_RX);
	hdr = expect_frame(&a, &b, 701);
	assert_int_equal(hdr.flags, VIRTIO_NET_HDR_F_NEEDS_CSUM);
	assert_int_equal(hdr.csum_start, 34);
	assert_int_equal(hdr.csum_offset, 6);
}

static void test_csum_finished(void **state)
{
	static const uint32_t lens[] = {60, 243, 256, 257, 701, 1514};

	start_with(&a, CSUM, 16);
	start_with(&b, 0, 16);
	for (unsigned i = 0; i < ARRAY_SIZE(lens); i++) {
		uint8_t *f = fake_vm_ptr(&b.vm, b.room + HDR_LEN);
		struct virtio_net_hdr_v1 hdr;
		struct checksum sum = {0};

		side_offer(&b, 1, 2000);
		make_udp(&a, mac_b, lens[i]);
		side_queue(&a, lens[i]);
		guest_kick(&a.g, QUEUE_TX);
		assert_int_equal(take(&b, QUEUE_RX).len, HDR_LEN + lens[i]);
		memcpy(&hdr, f - HDR_LEN, sizeof(hdr));
		assert_int_equal(hdr.flags, 0);
		checksum_add_pseudo4(&sum, f + 26, f + 30, 17,
				     (uint16_t)(lens[i] - 34));
		checksum_add(&sum, f + 34, lens[i] - 34);
		assert_int_equal(checksum_finish(&sum), 0);
		assert_true(f[40] || f[41]);
	}
}

/* Whose checksum is 0: in UDP that means none, so it is sent as all ones. */
static void test_csum_zero(void **state)
{
	uint8_t *sent = fake_vm_ptr(&a.vm, a.data);
	uint8_t *got = fake_vm_ptr(&b.vm, b.room + HDR_LEN);
	struct checksum sum = {0};
	uint16_t fill;

	start_with(&a, CSUM, 16);
	start_with(&b, 0, 16);
	side_offer(&b, 1, 2000);
	make_udp(&a, mac_b, 100);
	memset(sent + 98, 0, 2);
	checksum_add(&sum, sent + 34, 66);
	fill = checksum_finish(&sum);
	memcpy(sent + 98, &fill, 2);
	side_queue(&a, 100);
	guest_kick(&a.g, QUEUE_TX);
	take(&b, QUEUE_RX);
	assert_int_equal(got[40], 0xff);
	assert_int_equal(got[41], 0xff);
}

/* A frame from the wire, checked by the NIC or not. */
static void from_wire(const uint8_t *to, uint32_t len, unsigned flags,
		      unsigned count)
{
	static uint8_t bytes[2000];
	static struct frame frames[FRAME_BATCH_MAX];
	struct frame *list[FRAME_BATCH_MAX];

	memcpy(bytes, to, 6);
	memcpy(bytes + 6, mac_far, 6);
	for (unsigned i = 0; i < count; i++) {
		frames[i] = (struct frame){
			.source = &wire.port,
			.head = bytes,
			.head_len = (uint16_t)len,
			.len = len,
			.flags = (uint8_t)flags,
		};
		list[i] = &frames[i];
	}
	vswitch_input(&wire.port, list, count);
}

static void test_rx_wire(void **state)
{
	struct virtio_net_hdr_v1 hdr;

	start_with(&a, EVENT_IDX, 256);
	start_with(&b, GUEST_CSUM | EVENT_IDX, 256);
	side_offer(&a, 200, 256);
	/* A batch: one interrupt. */
	from_wire(mac_a, 100, FRAME_CSUM_VALID, 64);
	assert_int_equal(a.vm.message_count, 1);
	for (unsigned i = 0; i < 64; i++)
		assert_int_equal(take(&a, QUEUE_RX).id, i);
	memcpy(&hdr, fake_vm_ptr(&a.vm, a.room), sizeof(hdr));
	assert_int_equal(hdr.flags, 0); /* not negotiated */
	/* The event is behind: no further interrupt, as asked. */
	from_wire(mac_a, 100, 0, 64);
	assert_int_equal(a.vm.message_count, 1);
	a.g.queues[QUEUE_RX].avail->ring[256] = 128 + 3;
	from_wire(mac_a, 100, 0, 3);
	assert_int_equal(a.vm.message_count, 1);
	from_wire(mac_a, 100, 0, 3);
	assert_int_equal(a.vm.message_count, 2);

	side_offer(&b, 1, 256);
	from_wire(mac_b, 100, FRAME_CSUM_VALID, 1);
	memcpy(&hdr, fake_vm_ptr(&b.vm, b.room), sizeof(hdr));
	assert_int_equal(hdr.flags, VIRTIO_NET_HDR_F_DATA_VALID);
}

static void test_rx_mergeable(void **state)
{
	struct virtio_net_hdr_v1 hdr;

	start_with(&a, 0, 16);
	start_with(&b, MERGEABLE, 16);
	side_offer(&b, 4, 600);
	side_send(&a, mac_b, mac_a, 1514);
	assert_int_equal(take(&b, QUEUE_RX).len, 600);
	assert_int_equal(take(&b, QUEUE_RX).len, 600);
	assert_int_equal(take(&b, QUEUE_RX).len, HDR_LEN + 1514 - 1200);
	expect_none(&b, QUEUE_RX);
	/* The buffers adjoin, so the frame stands there in one piece. */
	hdr = expect_frame(&a, &b, 1514);
	assert_int_equal(hdr.num_buffers, 3);
	assert_int_equal(b.vm.message_count, 1);
	/* A frame that fits exactly takes no buffer more. */
	side_send(&a, mac_b, mac_a, 600 - HDR_LEN);
	assert_int_equal(take(&b, QUEUE_RX).len, 600);
	expect_none(&b, QUEUE_RX);
}

/* Too few buffers: the frame is dropped, the buffers stay for the next. */
static void test_rx_shortage(void **state)
{
	struct virtio_net_hdr_v1 hdr;

	start_with(&a, 0, 16);
	start_with(&b, MERGEABLE, 16);
	side_send(&a, mac_b, mac_a, 60);
	assert_int_equal(refused(&b, DROP_NO_BUFFER), 1);
	side_offer(&b, 2, 600);
	side_send(&a, mac_b, mac_a, 1514);
	assert_int_equal(refused(&b, DROP_NO_BUFFER), 2);
	expect_none(&b, QUEUE_RX);
	assert_int_equal(b.vm.message_count, 0);
	side_send(&a, mac_b, mac_a, 1000);
	assert_int_equal(take(&b, QUEUE_RX).id, 0);
	assert_int_equal(take(&b, QUEUE_RX).id, 1);
	hdr = expect_frame(&a, &b, 1000);
	assert_int_equal(hdr.num_buffers, 2);
	assert_false(needs_reset(&b));
}

static void test_rx_too_big(void **state)
{
	start_with(&a, 0, 16);
	start_with(&b, 0, 16);
	side_offer(&b, 1, 100);
	side_send(&a, mac_b, mac_a, 100);
	assert_int_equal(refused(&b, DROP_TOO_BIG), 1);
	assert_int_equal(take(&b, QUEUE_RX).len, 0); /* back, unused */
	side_offer(&b, 1, 2000);
	side_send(&a, mac_b, mac_a, 100);
	assert_int_equal(take(&b, QUEUE_RX).len, HDR_LEN + 100);
}

/* Buffers cut anywhere, the header in many pieces. */
static void test_rx_layout(void **state)
{
	struct guest_piece pieces[15];
	struct virtio_net_hdr_v1 hdr;

	start_with(&a, 0, 16);
	start_with(&b, GUEST_CSUM | MERGEABLE, 32);
	for (unsigned i = 0; i < 13; i++)
		pieces[i] = (struct guest_piece){b.room + i, 1, true};
	pieces[13] = (struct guest_piece){b.room + 13, 7, true};
	pieces[14] = (struct guest_piece){b.room + 20, 1000, true};
	guest_post(&b.g.queues[QUEUE_RX], pieces, 15);
	side_send(&a, mac_b, mac_a, 500);
	assert_int_equal(take(&b, QUEUE_RX).len, HDR_LEN + 500);
	hdr = expect_frame(&a, &b, 500);
	assert_int_equal(hdr.num_buffers, 1);
}

/* Nonsense among receive buffers: that queue is broken, transmit goes on, a
 * reset mends it. */
static void test_rx_hostile(void **state)
{
	const struct guest_piece bad[][2] = {
		{{b.room, 100, false}, {b.room, 2000, true}}, /* readable */
		{{b.room, 5, true}, {b.room, 6, true}},	      /* no header */
		{{FAKE_VM_RAM, 100, true}, {b.room, 10, true}},
	};

	start_with(&a, 0, 16);
	for (unsigned i = 0; i < ARRAY_SIZE(bad); i++) {
		unsigned sent = wire.held_count;

		start_with(&b, MERGEABLE, 16);
		guest_post(&b.g.queues[QUEUE_RX], bad[i], 2);
		side_offer(&b, 1, 2000);
		side_send(&a, mac_b, mac_a, 60);
		assert_int_equal(refused(&b, DROP_BAD_BUFFER), i + 1);
		assert_true(needs_reset(&b));
		side_send(&a, mac_b, mac_a, 60);
		/* A broken queue has no buffers to give. */
		assert_int_equal(refused(&b, DROP_NO_BUFFER) +
					 refused(&b, DROP_BAD_BUFFER),
				 2 * i + 2);
		expect_none(&b, QUEUE_RX);
		side_send(&b, mac_far, mac_b, 60);
		assert_int_equal(wire.held_count, sent + 1);
		wire_release(1);
		start_with(&b, MERGEABLE, 16);
		assert_false(needs_reset(&b));
		side_offer(&b, 1, 2000);
		side_send(&a, mac_b, mac_a, 60);
		assert_int_equal(take(&b, QUEUE_RX).len, HDR_LEN + 60);
	}
}

/* Bad in the middle of a merged frame: nothing half is published. */
static void test_rx_hostile_middle(void **state)
{
	start_with(&a, 0, 16);
	start_with(&b, MERGEABLE, 16);
	side_offer(&b, 1, 600);
	guest_post(&b.g.queues[QUEUE_RX],
		   &(struct guest_piece){UINT64_MAX, 600, true}, 1);
	side_send(&a, mac_b, mac_a, 1000);
	assert_int_equal(refused(&b, DROP_BAD_BUFFER), 1);
	expect_none(&b, QUEUE_RX);
	assert_true(needs_reset(&b));
}

static void test_tx_hostile(void **state)
{
	struct vnet_stats stats;

	start_with(&a, 0, 16);
	start_with(&b, 0, 16);
	side_fill(&a, mac_far, mac_a, 60);
	side_queue(&a, 60);
	side_queue(&a, 60);
	a.g.queues[QUEUE_TX].desc[3].flags = VRING_DESC_F_NEXT;
	a.g.queues[QUEUE_TX].desc[3].next = 2; /* a ring of two */
	side_queue(&a, 60);
	guest_kick(&a.g, QUEUE_TX);
	/* The good one before it went out, the rest did not. */
	assert_int_equal(wire.held_count, 1);
	assert_int_equal(dropped(&a, DROP_BAD_CHAIN), 1);
	vnet_stats(a.vnet, &stats);
	assert_int_equal(stats.tx_faults[VIRTQUEUE_LOOP], 1);
	assert_true(needs_reset(&a));
	assert_int_equal(a.vm.message_count, 1); /* configuration change */
	assert_int_equal(a.vm.messages[0].data, 0x40);
	guest_kick(&a.g, QUEUE_TX);
	assert_int_equal(wire.held_count, 1);
	wire_release(1);
	take(&a, QUEUE_TX);
	/* It still receives. */
	side_offer(&a, 1, 2000);
	side_send(&b, mac_a, mac_b, 60);
	take(&a, QUEUE_RX);
	start_with(&a, 0, 16);
	side_send(&a, mac_far, mac_a, 60);
	assert_int_equal(wire.held_count, 1);
}

/* Not started, or no longer: frames for it are dropped by name. */
static void test_down(void **state)
{
	start_with(&a, 0, 16);
	side_send(&a, mac_b, mac_a, 60);
	assert_int_equal(refused(&b, DROP_DOWN), 1);
	start_with(&b, 0, 16);
	side_offer(&b, 1, 2000);
	guest_set_master(&b.g, false);
	side_send(&a, mac_b, mac_a, 60);
	assert_int_equal(refused(&b, DROP_DOWN), 2);
	guest_kick(&b.g, QUEUE_TX);
	expect_none(&b, QUEUE_RX);
}

static void test_batch(void **state)
{
	start_with(&a, EVENT_IDX, 256);
	side_fill(&a, mac_far, mac_a, 60);
	for (unsigned i = 0; i < 120; i++)
		side_queue(&a, 60);
	guest_kick(&a.g, QUEUE_TX);
	assert_int_equal(wire.held_count, 120);
	/* The ring is dry: the next chain's doorbell is wanted. */
	assert_int_equal(
		*(uint16_t *)(void *)&a.g.queues[QUEUE_TX].used->ring[256],
		120);
	wire_release(120);
	assert_int_equal(a.vm.message_count, 1);
	for (unsigned i = 0; i < 120; i++)
		take(&a, QUEUE_TX);
}

/* A guest on another CPU that fills the ring as fast as it empties. */
static unsigned refill;

static void refill_ring(void)
{
	struct vring_used_elem elem;
	unsigned count = wire.held_count;

	wire_release(count);
	while (guest_take(&a.g.queues[QUEUE_TX], &elem))
		;
	for (; count && refill; count--, refill--)
		side_queue(&a, 60);
}

static void test_budget(void **state)
{
	struct vring_used *used;
	struct vnet_stats stats;

	start_with(&a, 0, 256);
	used = a.g.queues[QUEUE_TX].used;
	wire.on_deliver = refill_ring;
	refill = 1000;
	side_fill(&a, mac_far, mac_a, 60);
	for (unsigned i = 0; i < 64; i++)
		side_queue(&a, 60);
	guest_kick(&a.g, QUEUE_TX);
	assert_int_equal(wire.port.egress.frames, 512);
	vnet_stats(a.vnet, &stats);
	assert_int_equal(stats.tx_deferred, 1);
	/* While the work is queued, no doorbell is wanted, and the card is not
	 * quiet. */
	assert_int_equal(used->flags, VRING_USED_F_NO_NOTIFY);
	assert_false(vnet_quiesce(b.vnet) && vnet_quiesce(a.vnet));
	assert_int_equal(plat_linux_run_work(), 1);
	/* That stopped it. */
	assert_int_equal(wire.port.egress.frames, 512);
	assert_true(vnet_quiesce(a.vnet));

	start_with(&a, 0, 256);
	used = a.g.queues[QUEUE_TX].used;
	refill = 1000;
	for (unsigned i = 0; i < 64; i++)
		side_queue(&a, 60);
	guest_kick(&a.g, QUEUE_TX);
	assert_int_equal(plat_linux_run_work(), 1);
	assert_int_equal(plat_linux_run_work(), 1);
	assert_int_equal(plat_linux_run_work(), 0);
	assert_int_equal(wire.port.egress.frames, 512 + 1064);
	assert_int_equal(used->flags, 0);
}

/* Frames on the wire at reset: their memory is not given back before they are
 * home, and then nothing is written to the old ring. */
static void test_reset_in_flight(void **state)
{
	struct guest_queue old;

	start_with(&a, 0, 16);
	side_send(&a, mac_far, mac_a, 1514);
	side_send(&a, mac_far, mac_a, 1514);
	old = a.g.queues[QUEUE_TX];
	guest_set(&a.g, VIRTIO_PCI_COMMON_STATUS, 1, 0);
	assert_int_not_equal(guest_status(&a.g), 0);
	assert_false(vnet_quiesce(a.vnet));
	wire_release(1);
	assert_int_not_equal(guest_status(&a.g), 0);
	wire_release(1);
	assert_int_equal(guest_status(&a.g), 0);
	assert_true(vnet_quiesce(a.vnet));
	assert_int_equal(old.used->idx, 0);
	assert_int_equal(a.vm.message_count, 0);
	/* And on with a new life. */
	start_with(&a, 0, 16);
	side_send(&a, mac_far, mac_a, 1514);
	wire_release(1);
	take(&a, QUEUE_TX);
	assert_int_equal(old.used->idx, 0);
}

/* Without MSI-X: the wire is pulled until the ISR is read. */
static void test_intx(void **state)
{
	start_with(&a, 0, 16);
	pci_config_write(&a.bus, a.g.bdf, a.g.msix_cap + PCI_MSIX_FLAGS, 2, 0);
	side_send(&a, mac_far, mac_a, 60);
	wire_release(1);
	assert_true(a.vm.gsi[GUEST_GSI_PCI(SLOT)]);
	assert_int_equal(guest_read_mem(&a.g, a.g.isr, 1), 1);
	assert_false(a.vm.gsi[GUEST_GSI_PCI(SLOT)]);
}

static void test_create(void **state)
{
	const struct vnet_params params = {.name = "x",
					   .mac = {2, 0, 0, 0, 0, 1}};

	assert_null(vnet_create(&a.vm, &a.bus, SLOT, &params));
	plat_linux_fail_alloc(0);
	assert_null(vnet_create(&a.vm, &a.bus, SLOT + 1, &params));
	plat_linux_fail_alloc(-1);
	vnet_destroy(NULL);
	assert_int_equal(guest_read_mem(&a.g, a.g.config, 4), 0x01005452);
	assert_int_equal(guest_read_mem(&a.g, a.g.config + 6, 2),
			 VIRTIO_NET_S_LINK_UP);
}

/* A frame that comes home on another CPU just when the holder of the lock has
 * emptied the list: here, while it sends the interrupt. */
static void come_home(void)
{
	struct frame *last = wire.held[0];

	a.vm.on_message = NULL;
	wire.held_count = 0;
	wire.port.egress.in_flight--;
	wire.port.egress.delivered++;
	port_return(&last, 1);
}

static void test_late_return(void **state)
{
	start_with(&a, 0, 16);
	side_send(&a, mac_far, mac_a, 60);
	side_send(&a, mac_far, mac_a, 60);
	a.vm.on_message = come_home;
	wire_release(1);
	take(&a, QUEUE_TX);
	take(&a, QUEUE_TX);
	assert_int_equal(a.vm.message_count, 2);
}

/* One thread rings, another gives frames back: none is lost or stranded. */
#define STRESS 5000
static bool stress_over;

static void *stress_wire(void *arg)
{
	plat_linux_set_cpu(1);
	while (!__atomic_load_n(&stress_over, __ATOMIC_ACQUIRE))
		wire_release(7);
	return NULL;
}

static void test_concurrent(void **state)
{
	struct guest_queue *q = &a.g.queues[QUEUE_TX];
	unsigned sent = 0, back = 0, patience = 0;
	struct vring_used_elem elem;
	pthread_t thread;

	start_with(&a, 0, 64);
	side_fill(&a, mac_far, mac_a, 60);
	stress_over = false;
	assert_int_equal(pthread_create(&thread, NULL, stress_wire, NULL), 0);
	while (back < STRESS && patience < 500000000) {
		unsigned burst = 1 + sent % 5;

		if (sent < STRESS && sent - back + burst <= 32) {
			for (unsigned i = 0; i < burst; i++)
				side_queue(&a, 60);
			sent += burst;
			guest_kick(&a.g, QUEUE_TX);
		}
		patience++;
		while (guest_take(q, &elem)) {
			patience = 0;
			back++;
		}
	}
	__atomic_store_n(&stress_over, true, __ATOMIC_RELEASE);
	pthread_join(thread, NULL);
	assert_int_equal(back, sent);
	expect_none(&a, QUEUE_TX);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(test_create),
		T(test_tx_wire),
		T(test_tx_layout),
		T(test_tx_many_pieces),
		T(test_tx_indirect),
		T(test_tx_bad_frames),
		T(test_tx_csum_range),
		T(test_vm_to_vm),
		T(test_flood),
		T(test_csum_passed_on),
		T(test_csum_finished),
		T(test_csum_zero),
		T(test_rx_wire),
		T(test_rx_mergeable),
		T(test_rx_shortage),
		T(test_rx_too_big),
		T(test_rx_layout),
		T(test_rx_hostile),
		T(test_rx_hostile_middle),
		T(test_tx_hostile),
		T(test_down),
		T(test_batch),
		T(test_budget),
		T(test_reset_in_flight),
		T(test_intx),
		T(test_late_return),
		T(test_concurrent),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
