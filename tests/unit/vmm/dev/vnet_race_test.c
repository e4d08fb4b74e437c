/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A guest that rewrites what the card and the switch look at, as they look. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "vnet_fixture.h"
#include "watch.h"

#define ROUNDS	   300
#define QUEUE_SIZE 16
#define LEN	   60
#define PATTERN	   0xee

static unsigned turn; /* of the guest's other CPU */

static int setup(void **state)
{
	fixture_make();
	turn = 0;
	return 0;
}

static int teardown(void **state)
{
	assert_true(ledger_adds_up());
	fixture_free();
	assert_int_equal(plat_linux_allocated(), 0);
	return 0;
}

/* A page of the side's memory that is one of the host's as well; its gpa. */
static uint64_t alloc_page(struct side *s)
{
	uint64_t gpa = fake_vm_alloc(&s->vm, 2 * PAGE_SIZE, 64);
	uint64_t at = (uintptr_t)fake_vm_ptr(&s->vm, gpa);

	return gpa + (ALIGN_UP(at, PAGE_SIZE) - at);
}

/* To and fro between a's own address and b's; a checksum field within the
 * frame and past it. Each of them at another time. */
static void rewrite_headers(void)
{
	uint8_t *frame = fake_vm_ptr(&a.vm, a.data);
	struct virtio_net_hdr_v1 *hdr = side_hdr(&a);

	turn++;
	frame[11] = turn % 3 ? mac_a[5] : mac_b[5];
	hdr->csum_start = turn % 5 ? 34 : 0xfff0;
	hdr->csum_offset = turn % 7 ? 6 : 0xff;
}

/* What left is what was checked, however the guest's memory reads by now. */
static void check_held(void)
{
	const struct frame *frame = wire.held[0];

	for (unsigned k = 0; k < 4; k++)
		assert_memory_equal(frame->head + 6, mac_a, 6);
	assert_true(frame->flags & FRAME_CSUM_PARTIAL);
	assert_true((uint32_t)frame->csum_start + frame->csum_offset + 2 <=
		    frame->head_len);
}

static void test_headers_rewritten(void **state)
{
	const struct port_ingress *in = &vnet_port(a.vnet)->ingress;
	uint64_t page = alloc_page(&a);
	struct vring_used_elem elem;
	unsigned passed = 0;

	a.hdr = page;
	a.data = page + 64;
	assert_true(guest_start(&a.g, CSUM, QUEUE_SIZE));
	side_fill(&a, mac_far, mac_a, LEN);
	side_hdr(&a)->flags = VIRTIO_NET_HDR_F_NEEDS_CSUM;
	watch_begin(fake_vm_ptr(&a.vm, page), PROT_NONE, rewrite_headers);
	for (unsigned i = 0; i < ROUNDS; i++) {
		side_queue(&a, LEN);
		guest_kick(&a.g, QUEUE_TX);
		if (wire.held_count) {
			check_held();
			passed++;
		}
		wire_release(WIRE_LIMIT);
		assert_true(guest_take(&a.g.queues[QUEUE_TX], &elem));
	}
	watch_end();
	/* Some were taken and some refused, and none broke the queue. */
	assert_true(watch.accesses >= 2 * ROUNDS);
	assert_true(passed > 0);
	assert_true(in->drops[DROP_SPOOFED] > 0);
	assert_true(in->drops[DROP_BAD_OFFLOAD] > 0);
	assert_int_equal(in->frames, ROUNDS);
	assert_false(guest_status(&a.g) & VIRTIO_CONFIG_S_NEEDS_RESET);
}

static struct vring_desc *desc;

/* Lengths and addresses that are good by themselves, and not together; in no
 * order, lest every second value be the same. */
static void rewrite_descriptors(void)
{
	turn = turn * 1103515245 + 12345;
	desc[0].len = turn >> 16 & 1 ? 1 : KiB(64);
	desc[0].addr = turn >> 17 & 1 ? 0 : FAKE_VM_RAM - 1;
	desc[0].flags = turn >> 18 & 3 ? 0 : VRING_DESC_F_WRITE;
}

static bool in_memory(const struct virtqueue_seg *seg)
{
	const uint8_t *low = a.vm.low, *high = a.vm.high;
	uint64_t half = FAKE_VM_RAM / 2;

	return (seg->base >= low && seg->base + seg->len <= low + half) ||
	       (seg->base >= high && seg->base + seg->len <= high + half);
}

/* Pieces lie in memory, and their lengths add up to what was promised. */
static void check_chain(const struct virtqueue_chain *chain)
{
	uint64_t read = 0, write = 0;

	for (unsigned i = 0; i < chain->count; i++) {
		assert_true(in_memory(&chain->segs[i]));
		if (i < chain->read_count)
			read += chain->segs[i].len;
		else
			write += chain->segs[i].len;
	}
	assert_int_equal(read, chain->read_len);
	assert_int_equal(write, chain->write_len);
}

static void test_descriptors_rewritten(void **state)
{
	static struct virtqueue_chain chain;
	static struct virtqueue vq;
	struct guest_queue *q = &a.g.queues[QUEUE_TX];
	unsigned popped = 0;

	guest_make_queue(&a.g, QUEUE_TX, QUEUE_SIZE);
	q->desc_gpa = alloc_page(&a);
	desc = fake_vm_ptr(&a.vm, q->desc_gpa);
	virtqueue_init(&vq, "test", LOCK_VNET_TX, QUEUE_SIZE);
	q->avail->ring[0] = 0;
	q->avail->idx = 1;
	watch_begin(desc, PROT_NONE, rewrite_descriptors);
	for (unsigned i = 0; i < ROUNDS; i++) {
		virtqueue_reset(&vq);
		vq.desc_gpa = GPA(q->desc_gpa);
		vq.avail_gpa = GPA(q->avail_gpa);
		vq.used_gpa = GPA(q->used_gpa);
		virtqueue_start(&vq, &a.vm.mem, 0);
		if (virtqueue_pop(&vq, &chain) != 1)
			continue;
		popped++;
		check_chain(&chain);
	}
	watch_end();
	assert_true(watch.accesses >= ROUNDS);
	assert_true(popped > 0);
}

/*
 * The used index is the last word of a page that is watched for stores. When it
 * moves, the driver takes the buffer back at once and writes over its header:
 * a device that writes the header afterwards is caught at it (CVE-2021-3748).
 */
#define BUFFER_SIZE 512
#define FRAME_LEN   1400 /* three buffers */
static uint16_t count_at_used;
static struct virtio_net_hdr_v1 *first_header;

static void take_header_back(void)
{
	const struct guest_queue *q = &b.g.queues[QUEUE_RX];

	if (q->used->idx != 3)
		return;
	count_at_used = first_header->num_buffers;
	memset(first_header, PATTERN, HDR_LEN);
}

/* Flags and index in one page, the elements in the next. */
static void place_used_ring(struct side *s)
{
	struct guest_queue *q = &s->g.queues[QUEUE_RX];

	q->used_gpa = alloc_page(s) + PAGE_SIZE - 4;
	fake_vm_alloc(&s->vm, PAGE_SIZE, 64);
	q->used = fake_vm_ptr(&s->vm, q->used_gpa);
}

static void test_header_before_used(void **state)
{
	assert_true(guest_start(&a.g, 0, QUEUE_SIZE));
	guest_set_master(&b.g, true);
	assert_true(guest_negotiate(&b.g, MERGEABLE | F(VIRTIO_F_VERSION_1)));
	for (unsigned i = 0; i < GUEST_QUEUES; i++)
		guest_make_queue(&b.g, i, QUEUE_SIZE);
	place_used_ring(&b);
	for (unsigned i = 0; i < GUEST_QUEUES; i++)
		guest_enable_queue(&b.g, i);
	guest_set(&b.g, VIRTIO_PCI_COMMON_STATUS, 1,
		  guest_status(&b.g) | VIRTIO_CONFIG_S_DRIVER_OK);
	side_offer(&b, 3, BUFFER_SIZE);
	first_header = fake_vm_ptr(&b.vm, b.room);
	watch_begin((uint8_t *)b.g.queues[QUEUE_RX].used + 4 - PAGE_SIZE,
		    PROT_READ, take_header_back);
	side_send(&a, mac_b, mac_a, FRAME_LEN);
	watch_end();
	assert_true(watch.accesses > 0);
	assert_int_equal(count_at_used, 3);
	for (unsigned i = 0; i < HDR_LEN; i++)
		assert_int_equal(((uint8_t *)first_header)[i], PATTERN);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(test_headers_rewritten),
		T(test_descriptors_rewritten),
		T(test_header_before_used),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
