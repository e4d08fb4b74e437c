/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Chains of descriptors that make no sense. */
#include <linux/virtio_config.h>
#include <string.h>

#include "tests/guest/hostile_ring/hostile_ring.h"

#define NEXT	  VRING_DESC_F_NEXT
#define WRITE	  VRING_DESC_F_WRITE
#define INDIRECT  VRING_DESC_F_INDIRECT
#define LAST	  (NET_QUEUE_SIZE - 1)
#define FRAME_LEN 60
#define BAR_GPA	  0xc0000000ull
#define ECAM_GPA  0xe0000000ull
#define APIC_GPA  0xfee00000ull

/* One thing to do to a queue that has just started, and the answer. */
struct abuse {
	const char *name;
	void (*build)(void);
	const char *fault; /* the queue breaks; NULL: the chain comes back */
	const char *drop;  /* and why, if it was no frame */
	bool indirect;	   /* negotiated */
};

static struct vring_desc table[4096] __attribute__((aligned(4096)));
static unsigned target; /* the queue under abuse */

static void put(unsigned at, uint64_t gpa, uint32_t len, uint16_t flags,
		uint16_t next)
{
	net_put_desc(target, at, gpa, len, flags, next);
}

static void put_table(unsigned at, uint64_t gpa, uint32_t len, uint16_t flags,
		      uint16_t next)
{
	table[at] = (struct vring_desc){gpa, len, flags, next};
}

/* What the queue is for: the header's place is descriptor 0. */
static uint16_t kind(void)
{
	return target == NET_RX ? WRITE : 0;
}

static uint64_t frame_gpa(void)
{
	return (uintptr_t)net_frame;
}

static void put_header(uint16_t next)
{
	put(0, (uintptr_t)&net_hdr, NET_HDR, NEXT | kind(), next);
}

/* A header, then one descriptor with this address and length. */
static void offer_second(uint64_t gpa, uint32_t len)
{
	put_header(1);
	put(1, gpa, len, kind(), 0);
	net_offer(target, 0);
}

static void past_memory(void)
{
	offer_second(hostile_memory_end(), FRAME_LEN);
}

static void over_the_end(void)
{
	offer_second(hostile_memory_end() - FRAME_LEN / 2, FRAME_LEN);
}

static void wrapping_address(void)
{
	offer_second(~0ull - 15, FRAME_LEN);
}

/* The sum is an address in RAM again. */
static void wrapping_into_memory(void)
{
	offer_second(0ull - PAGE_SIZE, 2 * PAGE_SIZE);
}

static void address_of_bar(void)
{
	offer_second(BAR_GPA, FRAME_LEN);
}

static void address_of_ecam(void)
{
	offer_second(ECAM_GPA, FRAME_LEN);
}

static void address_of_apic(void)
{
	offer_second(APIC_GPA, FRAME_LEN);
}

static void huge_length(void)
{
	offer_second(frame_gpa(), 0xffffffff);
}

static void zero_length(void)
{
	offer_second(frame_gpa(), 0);
}

static void zero_length_first(void)
{
	put(0, (uintptr_t)&net_hdr, 0, NEXT | kind(), 1);
	put(1, frame_gpa(), FRAME_LEN, kind(), 0);
	net_offer(target, 0);
}

static void overlapping(void)
{
	put_header(1);
	put(1, frame_gpa(), FRAME_LEN, NEXT, 2);
	put(2, frame_gpa() + 20, FRAME_LEN, NEXT, 3);
	put(3, frame_gpa(), FRAME_LEN, 0, 0);
	net_offer(target, 0);
}

/* The descriptors themselves are the payload. */
static void sends_its_ring(void)
{
	put_header(1);
	put(1, frame_gpa(), FRAME_LEN, NEXT, 2);
	put(2, (uintptr_t)net.queues[target].desc, 256, NEXT, 3);
	put(3, (uintptr_t)net.queues[target].used, 128, 0, 0);
	net_offer(target, 0);
}

static void loop_of_one(void)
{
	put(0, frame_gpa(), 1, NEXT | kind(), 0);
	net_offer(target, 0);
}

static void loop_of_two(void)
{
	put_header(1);
	put(1, frame_gpa(), 1, NEXT | kind(), 0);
	net_offer(target, 0);
}

static void loop_of_all(void)
{
	for (unsigned i = 0; i < NET_QUEUE_SIZE; i++)
		put(i, frame_gpa(), 1, NEXT | kind(),
		    (uint16_t)((i + 1) % NET_QUEUE_SIZE));
	net_offer(target, 0);
}

static void next_past_table(void)
{
	put_header(NET_QUEUE_SIZE);
	net_offer(target, 0);
}

static void next_far_past_table(void)
{
	put_header(0xffff);
	net_offer(target, 0);
}

static void head_past_table(void)
{
	net_offer(target, NET_QUEUE_SIZE);
}

static void head_far_past_table(void)
{
	net_offer(target, 0xffff);
}

static void head_twice(void)
{
	put_header(1);
	put(1, frame_gpa(), FRAME_LEN, kind(), 0);
	net_offer(target, 0);
	net_offer(target, 0);
}

static void set_index(uint16_t index)
{
	/* Good chains, so that only the count of them is wrong. */
	for (unsigned i = 0; i < NET_QUEUE_SIZE; i++) {
		put(i, frame_gpa(), FRAME_LEN, kind(), 0);
		net.queues[target].avail->ring[i] = (uint16_t)i;
	}
	__atomic_store_n(&net.queues[target].avail->idx, index,
			 __ATOMIC_RELEASE);
}

static void one_too_many(void)
{
	set_index(NET_QUEUE_SIZE + 1);
}

static void far_too_many(void)
{
	set_index(0x8000);
}

static void index_backwards(void)
{
	set_index(0xffff);
}

static void readable_after_writable(void)
{
	put(0, frame_gpa(), NET_HDR, NEXT | WRITE, 1);
	put(1, frame_gpa(), FRAME_LEN, 0, 0);
	net_offer(target, 0);
}

static void writable_only(void)
{
	put(0, frame_gpa(), FRAME_LEN, WRITE, 0);
	net_offer(target, 0);
}

static void readable_only(void)
{
	put(0, frame_gpa(), FRAME_LEN, 0, 0);
	net_offer(target, 0);
}

static void small_buffer(void)
{
	put(0, frame_gpa(), NET_HDR - 1, WRITE, 0);
	net_offer(target, 0);
}

static void writable_tail(void)
{
	put_header(1);
	put(1, frame_gpa(), FRAME_LEN, NEXT, 2);
	put(2, frame_gpa() + 1024, FRAME_LEN, WRITE, 0);
	net_offer(target, 0);
}

static void bytes_apart(void)
{
	for (unsigned i = 0; i < NET_HDR; i++)
		put(i, (uintptr_t)&net_hdr + i, 1, NEXT, (uint16_t)(i + 1));
	for (unsigned i = NET_HDR; i < NET_QUEUE_SIZE; i++)
		put(i, frame_gpa() + i - NET_HDR, 1, i < LAST ? NEXT : 0,
		    (uint16_t)(i + 1));
	net_offer(target, 0);
}

static void whole_ring(void)
{
	put_header(1);
	for (unsigned i = 1; i < NET_QUEUE_SIZE; i++)
		put(i, frame_gpa(), NET_BUFFER_SIZE, i < LAST ? NEXT : 0,
		    (uint16_t)(i + 1));
	net_offer(target, 0);
}

static void offer_table(uint64_t gpa, uint32_t len, uint16_t flags)
{
	put(0, gpa, len, INDIRECT | flags, 1);
	put(1, frame_gpa(), FRAME_LEN, kind(), 0);
	net_offer(target, 0);
}

static uint64_t table_gpa(void)
{
	return (uintptr_t)table;
}

static void fill_table(void)
{
	put_table(0, (uintptr_t)&net_hdr, NET_HDR, NEXT | kind(), 1);
	put_table(1, frame_gpa(), FRAME_LEN, kind(), 0);
}

static void indirect(void)
{
	fill_table();
	offer_table(table_gpa(), 2 * sizeof(*table), 0);
}

static void indirect_with_next(void)
{
	fill_table();
	offer_table(table_gpa(), 2 * sizeof(*table), NEXT);
}

static void indirect_nested(void)
{
	put_table(0, table_gpa(), sizeof(*table), INDIRECT, 0);
	offer_table(table_gpa(), sizeof(*table), 0);
}

static void indirect_of_none(void)
{
	offer_table(table_gpa(), 0, 0);
}

static void indirect_crooked(void)
{
	fill_table();
	offer_table(table_gpa(), 2 * sizeof(*table) - 1, 0);
}

static void indirect_outside(void)
{
	offer_table(hostile_memory_end(), sizeof(*table), 0);
}

static void indirect_over_the_end(void)
{
	offer_table(hostile_memory_end() - sizeof(*table), 2 * sizeof(*table),
		    0);
}

static void indirect_huge(void)
{
	fill_table();
	offer_table(table_gpa(), 0xfffffff0, 0);
}

static void indirect_next_outside(void)
{
	fill_table();
	table[0].next = 2;
	offer_table(table_gpa(), 2 * sizeof(*table), 0);
}

static void indirect_loop(void)
{
	put_table(0, frame_gpa(), 1, NEXT | kind(), 0);
	offer_table(table_gpa(), sizeof(*table), 0);
}

static void indirect_too_long(void)
{
	for (unsigned i = 0; i < ARRAY_SIZE(table); i++)
		put_table(i, frame_gpa(), 1, NEXT | kind(), (uint16_t)(i + 1));
	offer_table(table_gpa(), sizeof(table), 0);
}

/* What either kind of queue has in common. */
static const struct abuse any_queue[] = {
	{"address past the end of memory", past_memory, "out_of_range", 0, 0},
	{"buffer over the end of memory", over_the_end, "out_of_range", 0, 0},
	{"address that wraps", wrapping_address, "out_of_range", 0, 0},
	{"buffer that wraps", wrapping_into_memory, "out_of_range", 0, 0},
	{"buffer in a BAR", address_of_bar, "out_of_range", 0, 0},
	{"buffer in the ECAM", address_of_ecam, "out_of_range", 0, 0},
	{"buffer in the APIC", address_of_apic, "out_of_range", 0, 0},
	{"buffer of 4 GiB", huge_length, "out_of_range", 0, 0},
	{"buffer of no bytes", zero_length, "zero_length", 0, 0},
	{"first buffer of no bytes", zero_length_first, "zero_length", 0, 0},
	{"loop of one", loop_of_one, "loop", 0, 0},
	{"loop of two", loop_of_two, "loop", 0, 0},
	{"loop of the whole ring", loop_of_all, "loop", 0, 0},
	{"next past the table", next_past_table, "bad_next", 0, 0},
	{"next far past the table", next_far_past_table, "bad_next", 0, 0},
	{"head past the table", head_past_table, "bad_head", 0, 0},
	{"head far past the table", head_far_past_table, "bad_head", 0, 0},
	{"one chain too many", one_too_many, "avail_ahead", 0, 0},
	{"index far ahead", far_too_many, "avail_ahead", 0, 0},
	{"index backwards", index_backwards, "avail_ahead", 0, 0},
	{"readable after writable", readable_after_writable, "bad_order", 0, 0},
	{"indirect, not agreed on", indirect, "bad_indirect", 0, 0},
	{"indirect, and a next", indirect_with_next, "bad_indirect", 0, true},
	{"indirect in indirect", indirect_nested, "bad_indirect", 0, true},
	{"table of none", indirect_of_none, "bad_indirect", 0, true},
	{"table of two, less a byte", indirect_crooked, "bad_indirect", 0, 1},
	{"table outside of memory", indirect_outside, "bad_indirect", 0, 1},
	{"table over the end", indirect_over_the_end, "bad_indirect", 0, true},
	{"table of 4 GiB", indirect_huge, "bad_indirect", 0, true},
	{"next outside of the table", indirect_next_outside, "bad_next", 0, 1},
	{"loop in a table", indirect_loop, "loop", 0, true},
	{"chain longer than the ring", indirect_too_long, "loop", 0, true},
};

static const struct abuse transmit_only[] = {
	{"head offered twice", head_twice, "head_in_use", 0, 0},
	{"good indirect chain", indirect, NULL, NULL, true},
	{"overlapping buffers", overlapping, NULL, NULL, 0},
	{"the rings as payload", sends_its_ring, NULL, NULL, 0},
	{"a descriptor for each byte", bytes_apart, NULL, NULL, 0},
	{"frame of 128 KiB", whole_ring, NULL, "giant", 0},
	{"nothing to read", writable_only, NULL, "bad_chain", 0},
	{"something to write", writable_tail, NULL, "bad_chain", 0},
};

static const struct abuse receive_only[] = {
	{"nothing to write", readable_only, "bad_buffer", 0, 0},
	{"less room than a header", small_buffer, "bad_buffer", 0, 0},
};

static void expect_used(const struct abuse *abuse)
{
	struct vring_used_elem elem;

	CHECK(abuse->name,
	      net_take(NET_TX, &elem) && elem.id == 0 && !net_needs_reset());
	if (abuse->drop)
		hostile_expect("drop", abuse->drop, 1);
}

static void abuse_transmit(const struct abuse *abuse)
{
	if (!net_start(abuse->indirect ? NET_BIT(VIRTIO_RING_F_INDIRECT_DESC)
				       : 0)) {
		payload_check(abuse->name, false, "the card starts");
		return;
	}
	/* A frame that a switch may well pass on. */
	memset(net_frame, 0, FRAME_LEN);
	net_address(net.mac, net.mac, 0x88b5);
	net_frame[0] ^= 4; /* nobody there */
	abuse->build();
	net_kick(NET_TX);
	if (abuse->fault) {
		CHECK(abuse->name, ring_broken());
		hostile_expect("tx", abuse->fault, 1);
		hostile_expect("drop", "bad_chain", 1);
	} else {
		expect_used(abuse);
	}
	hostile_prove(abuse->name);
}

static void abuse_transmit_table(const struct abuse *abuses, unsigned count)
{
	target = NET_TX;
	for (unsigned i = 0; i < count; i++)
		abuse_transmit(&abuses[i]);
}

void ring_abuse_transmit(void)
{
	payload_log("transmit queue:");
	abuse_transmit_table(any_queue, ARRAY_SIZE(any_queue));
	abuse_transmit_table(transmit_only, ARRAY_SIZE(transmit_only));
}

/* The fault is met by the first frame for us: the answer to a question. */
static void abuse_receive(const struct abuse *abuse)
{
	if (!net_prepare(abuse->indirect ? NET_BIT(VIRTIO_RING_F_INDIRECT_DESC)
					 : 0)) {
		payload_check(abuse->name, false, "the card starts");
		return;
	}
	abuse->build();
	net_go();
	/* No answer comes through this queue; the question gets out. */
	net_arp_ask(HOSTILE_WIRE_HOST);
	CHECK(abuse->name, ring_broken());
	payload_check(abuse->name, net_send(FRAME_LEN),
		      "the transmit queue goes on");
	hostile_expect("rx", abuse->fault, 1);
	hostile_prove(abuse->name);
}

void ring_abuse_receive(void)
{
	payload_log("receive queue:");
	target = NET_RX;
	for (unsigned i = 0; i < ARRAY_SIZE(any_queue); i++)
		abuse_receive(&any_queue[i]);
	for (unsigned i = 0; i < ARRAY_SIZE(receive_only); i++)
		abuse_receive(&receive_only[i]);
}

/* Where there is one: a chain is walked before it is a command. */
void ring_abuse_control(void)
{
	uint64_t offered = NET_BIT(VIRTIO_NET_F_CTRL_VQ);

	if (!(net.offered & offered))
		return;
	payload_log("control queue:");
	target = NET_CTRL;
	for (unsigned i = 0; i < ARRAY_SIZE(any_queue); i++) {
		const struct abuse *abuse = &any_queue[i];
		uint64_t indirect =
			abuse->indirect ? NET_BIT(VIRTIO_RING_F_INDIRECT_DESC)
					: 0;

		CHECK("the card starts", net_start(offered | indirect));
		abuse->build();
		net_kick(NET_CTRL);
		CHECK(abuse->name, ring_broken());
		hostile_expect("ctrl", abuse->fault, 1);
		hostile_prove(abuse->name);
	}
}
