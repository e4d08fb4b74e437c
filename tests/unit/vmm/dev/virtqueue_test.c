/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The ring walker: good chains, every kind of bad one, and who wakes whom. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <linux/errno.h>

#include "virtio_guest.h"
#include "vmm/dev/virtqueue.h"

#define SIZE	  8
#define EVENT_IDX (1ull << VIRTIO_RING_F_EVENT_IDX)
#define INDIRECT  (1ull << VIRTIO_RING_F_INDIRECT_DESC)

static struct vm vm;
static struct guest_device guest;
static struct guest_queue *q;
static struct virtqueue vq;
static struct virtqueue_chain chain;
static uint64_t buffer; /* gpa of a page */

static int setup(void **state)
{
	fake_vm_init(&vm);
	guest = (struct guest_device){.vm = &vm};
	guest_make_queue(&guest, 0, SIZE);
	q = &guest.queues[0];
	buffer = fake_vm_alloc(&vm, PAGE_SIZE, PAGE_SIZE);
	virtqueue_init(&vq, "test", LOCK_VNET_TX, 256);
	return 0;
}

static int teardown(void **state)
{
	fake_vm_destroy(&vm);
	return 0;
}

static void start(uint64_t features)
{
	vq.size = SIZE;
	vq.desc_gpa = GPA(q->desc_gpa);
	vq.avail_gpa = GPA(q->avail_gpa);
	vq.used_gpa = GPA(q->used_gpa);
	virtqueue_start(&vq, &vm.mem, features);
}

/* Once more from the beginning, within a test. */
static void afresh(uint64_t features)
{
	teardown(NULL);
	setup(NULL);
	start(features);
}

static void post(uint32_t len, bool write)
{
	guest_post(q, &(struct guest_piece){buffer, len, write}, 1);
}

/* Pops and gives back everything, unpublished. */
static unsigned consume(void)
{
	unsigned count = 0;

	while (virtqueue_pop(&vq, &chain) == 1) {
		virtqueue_push(&vq, chain.head, 0);
		count++;
	}
	return count;
}

static void expect_fault(enum virtqueue_fault fault)
{
	assert_int_equal(virtqueue_pop(&vq, &chain), -EINVAL);
	assert_true(vq.broken);
	for (unsigned i = 0; i < VIRTQUEUE_FAULT_COUNT; i++)
		assert_int_equal(vq.faults[i], i == fault);
	/* It stays so, whatever comes, until it is reset. */
	post(10, false);
	assert_int_equal(virtqueue_pop(&vq, &chain), 0);
	assert_false(virtqueue_notify_on(&vq));
	virtqueue_reset(&vq);
	assert_false(vq.broken);
	afresh(0);
	post(10, false);
	assert_int_equal(virtqueue_pop(&vq, &chain), 1);
}

static void test_chain(void **state)
{
	const struct guest_piece pieces[] = {
		{buffer, 12, false},
		{buffer + 100, 50, false},
		{buffer + 200, 1000, true},
	};

	assert_int_equal(virtqueue_pop(&vq, &chain), 0); /* not started */
	start(0);
	assert_int_equal(virtqueue_pop(&vq, &chain), 0);
	q->next_desc = 6; /* over the end of the table */
	guest_post(q, pieces, 3);
	post(7, true);
	assert_int_equal(virtqueue_pop(&vq, &chain), 1);
	assert_int_equal(chain.head, 6);
	assert_int_equal(chain.count, 3);
	assert_int_equal(chain.read_count, 2);
	assert_int_equal(chain.read_len, 62);
	assert_int_equal(chain.write_len, 1000);
	assert_ptr_equal(chain.segs[1].base, fake_vm_ptr(&vm, buffer + 100));
	assert_int_equal(chain.segs[1].len, 50);
	assert_int_equal(virtqueue_pop(&vq, &chain), 1);
	assert_int_equal(chain.head, 1);
	assert_int_equal(chain.read_count, 0);
	assert_int_equal(virtqueue_pop(&vq, &chain), 0);
}

static void test_used(void **state)
{
	struct vring_used_elem elem;

	start(0);
	post(10, true);
	post(20, true);
	assert_int_equal(virtqueue_pop(&vq, &chain), 1);
	assert_int_equal(virtqueue_pop(&vq, &chain), 1);
	/* Out of order, and nothing seen before it is published. */
	virtqueue_push(&vq, 1, 20);
	virtqueue_push(&vq, 0, 10);
	assert_false(guest_take(q, &elem));
	assert_true(virtqueue_publish(&vq));
	assert_false(virtqueue_publish(&vq)); /* nothing new */
	assert_true(guest_take(q, &elem));
	assert_int_equal(elem.id, 1);
	assert_int_equal(elem.len, 20);
	assert_true(guest_take(q, &elem));
	assert_int_equal(elem.id, 0);
	assert_false(guest_take(q, &elem));
}

static void test_rewind(void **state)
{
	start(0);
	post(10, true);
	post(20, true);
	post(30, true);
	assert_int_equal(virtqueue_pop(&vq, &chain), 1);
	virtqueue_push(&vq, chain.head, 10);
	assert_int_equal(virtqueue_pop(&vq, &chain), 1);
	virtqueue_push(&vq, chain.head, 20);
	assert_int_equal(virtqueue_pop(&vq, &chain), 1);
	/* The last two: one pushed, one out. */
	virtqueue_rewind(&vq, 2, 1);
	virtqueue_publish(&vq);
	assert_int_equal(q->used->idx, 1);
	assert_int_equal(virtqueue_pop(&vq, &chain), 1);
	assert_int_equal(chain.head, 1);
	assert_int_equal(chain.write_len, 20);
}

/* A guest buffer over the seam of two host pieces. */
static void test_straddle(void **state)
{
	uint64_t seam = FAKE_VM_RAM / 2;

	start(0);
	guest_post(q, &(struct guest_piece){seam - 10, 30, false}, 1);
	assert_int_equal(virtqueue_pop(&vq, &chain), 1);
	assert_int_equal(chain.count, 2);
	assert_int_equal(chain.read_count, 2);
	assert_int_equal(chain.read_len, 30);
	assert_int_equal(chain.segs[0].len, 10);
	assert_ptr_equal(chain.segs[1].base, vm.high);
	assert_int_equal(chain.segs[1].len, 20);
}

/* Chains of full length are legal, also where each piece is two. */
static void test_full_length(void **state)
{
	struct guest_piece pieces[SIZE];

	start(0);
	for (unsigned i = 0; i < SIZE; i++)
		pieces[i] = (struct guest_piece){FAKE_VM_RAM / 2 - 1, 2, false};
	guest_post(q, pieces, SIZE);
	assert_int_equal(virtqueue_pop(&vq, &chain), 1);
	assert_int_equal(chain.count, 2 * SIZE);
	assert_int_equal(chain.read_len, 2 * SIZE);
}

static uint64_t make_table(unsigned count)
{
	uint64_t gpa = fake_vm_alloc(&vm, 16 * count, 16);
	struct vring_desc *table = fake_vm_ptr(&vm, gpa);

	for (unsigned i = 0; i < count; i++)
		table[i] = (struct vring_desc){
			.addr = buffer + i * 100,
			.len = i + 1,
			.flags = i + 1 < count ? VRING_DESC_F_NEXT : 0,
			.next = (uint16_t)(i + 1),
		};
	return gpa;
}

static void test_indirect(void **state)
{
	uint64_t table = make_table(4);
	const struct guest_piece pieces[] = {
		{buffer, 9, false},
		{table, 64, true}, /* the write flag means nothing here */
	};

	start(INDIRECT);
	guest_post(q, pieces, 2);
	q->desc[1].flags = VRING_DESC_F_INDIRECT | VRING_DESC_F_WRITE;
	assert_int_equal(virtqueue_pop(&vq, &chain), 1);
	assert_int_equal(chain.count, 5);
	assert_int_equal(chain.read_len, 9 + 1 + 2 + 3 + 4);
	assert_int_equal(chain.write_len, 0);
}

static void post_indirect(uint64_t table, uint32_t len, uint16_t flags)
{
	guest_post(q, &(struct guest_piece){table, len, false}, 1);
	q->desc[0].flags = VRING_DESC_F_INDIRECT | flags;
}

static void test_indirect_bad(void **state)
{
	struct vring_desc *table;
	uint64_t gpa;

	start(0); /* not negotiated */
	post_indirect(make_table(2), 32, 0);
	expect_fault(VIRTQUEUE_BAD_INDIRECT);

	for (unsigned i = 0; i < 4; i++) {
		afresh(INDIRECT);
		gpa = make_table(2);
		table = fake_vm_ptr(&vm, gpa);
		/* Nested, and but for that good. */
		table[1].flags = VRING_DESC_F_INDIRECT;
		table[1].addr = make_table(2);
		table[1].len = 32;
		if (i == 0)
			post_indirect(gpa, 32, 0);
		else if (i == 1)
			post_indirect(gpa, 32, VRING_DESC_F_NEXT);
		else if (i == 2)
			post_indirect(gpa, 24, 0); /* one and a half */
		else
			post_indirect(0xdead0000, 32, 0);
		expect_fault(VIRTQUEUE_BAD_INDIRECT);
	}

	afresh(INDIRECT);
	post_indirect(make_table(4), 48, 0); /* next leaves the table */
	expect_fault(VIRTQUEUE_BAD_NEXT);

	afresh(INDIRECT); /* longer than the queue */
	post_indirect(make_table(SIZE + 1), 16 * (SIZE + 1), 0);
	expect_fault(VIRTQUEUE_LOOP);
}

static void test_hostile_chains(void **state)
{
	const struct guest_piece order[] = {
		{buffer, 12, true},
		{buffer, 12, false},
	};

	start(0);
	post(10, false);
	q->desc[0].flags = VRING_DESC_F_NEXT; /* to itself */
	q->desc[0].next = 0;
	expect_fault(VIRTQUEUE_LOOP);

	afresh(0);
	post(10, false);
	q->desc[0].flags = VRING_DESC_F_NEXT;
	q->desc[0].next = SIZE;
	expect_fault(VIRTQUEUE_BAD_NEXT);

	afresh(0);
	post(0, false);
	expect_fault(VIRTQUEUE_ZERO_LENGTH);

	afresh(0);
	guest_post(q, order, 2);
	expect_fault(VIRTQUEUE_BAD_ORDER);

	afresh(0);
	post(10, false);
	q->avail->ring[0] = SIZE;
	expect_fault(VIRTQUEUE_BAD_HEAD);

	afresh(0);
	post(10, false);
	post(10, false);
	q->avail->ring[1] = 0;
	assert_int_equal(virtqueue_pop(&vq, &chain), 1);
	expect_fault(VIRTQUEUE_HEAD_IN_USE);

	afresh(0);
	q->avail->idx = SIZE + 1;
	expect_fault(VIRTQUEUE_AVAIL_AHEAD);

	afresh(0);
	q->avail->idx = (uint16_t)-1; /* backwards */
	expect_fault(VIRTQUEUE_AVAIL_AHEAD);

	/* Back behind what was popped: entries that were never announced. */
	afresh(0);
	post(10, false);
	post(10, false);
	q->avail->idx = 1;
	assert_int_equal(virtqueue_pop(&vq, &chain), 1);
	q->avail->idx = 0;
	expect_fault(VIRTQUEUE_AVAIL_AHEAD);
}

static void test_hostile_addresses(void **state)
{
	static const struct {
		uint64_t gpa;
		uint32_t len;
	} bad[] = {
		{FAKE_VM_RAM, 1},   {FAKE_VM_RAM - 1, 2},
		{UINT64_MAX, 1},    {UINT64_MAX - 3, 8},
		{0, UINT32_MAX},    {FAKE_VM_RAM / 2 - 1, UINT32_MAX},
		{1ull << 63, 4096},
	};

	for (unsigned i = 0; i < ARRAY_SIZE(bad); i++) {
		afresh(0);
		guest_post(q,
			   &(struct guest_piece){bad[i].gpa, bad[i].len, false},
			   1);
		expect_fault(VIRTQUEUE_OUT_OF_RANGE);
	}
}

static void test_bad_ring(void **state)
{
	gpa_t *const areas[] = {&vq.desc_gpa, &vq.avail_gpa, &vq.used_gpa};
	static const uint64_t bad[] = {1, UINT64_MAX - 63, FAKE_VM_RAM,
				       FAKE_VM_RAM - 16};

	for (unsigned i = 0; i < ARRAY_SIZE(areas); i++) {
		for (unsigned j = 0; j < ARRAY_SIZE(bad); j++) {
			afresh(0);
			virtqueue_stop(&vq);
			*areas[i] = GPA(bad[j]);
			virtqueue_start(&vq, &vm.mem, 0);
			assert_true(vq.broken);
			assert_false(vq.running);
			assert_int_equal(vq.faults[VIRTQUEUE_BAD_RING], 1);
			assert_int_equal(virtqueue_pop(&vq, &chain), 0);
			virtqueue_notify_off(&vq);
			assert_false(virtqueue_notify_on(&vq));
		}
	}
}

/* Indices run over 65535 and every chain is seen once, with the right answer
 * about who is to be told. */
static void test_wrap(void **state)
{
	start(EVENT_IDX);
	for (unsigned i = 0; i < 3 * 65536 / 5; i++) {
		uint16_t before = vq.next_used;
		uint16_t event = (uint16_t)(before + i % 7);

		for (unsigned j = 0; j < 5; j++)
			post(1, false);
		assert_int_equal(consume(), 5);
		/* The driver wants to hear of used element `event`. */
		q->avail->ring[SIZE] = event;
		assert_int_equal(virtqueue_publish(&vq), i % 7 < 5);
		assert_int_equal(q->used->idx, (uint16_t)(before + 5));
	}
	for (unsigned i = 0; i < VIRTQUEUE_FAULT_COUNT; i++)
		assert_int_equal(vq.faults[i], 0);
}

static void test_interrupt_flag(void **state)
{
	start(0);
	post(1, false);
	assert_int_equal(consume(), 1);
	q->avail->flags = VRING_AVAIL_F_NO_INTERRUPT;
	assert_false(virtqueue_publish(&vq));
	post(1, false);
	assert_int_equal(consume(), 1);
	q->avail->flags = 0;
	assert_true(virtqueue_publish(&vq));
}

static void test_notify(void **state)
{
	uint16_t *event;

	start(0);
	virtqueue_notify_off(&vq);
	assert_int_equal(q->used->flags, VRING_USED_F_NO_NOTIFY);
	post(1, false);
	assert_true(virtqueue_notify_on(&vq)); /* came in meanwhile */
	assert_int_equal(q->used->flags, 0);
	assert_int_equal(consume(), 1);
	assert_false(virtqueue_notify_on(&vq));

	afresh(EVENT_IDX);
	event = (uint16_t *)(void *)&q->used->ring[SIZE];
	virtqueue_notify_off(&vq);
	assert_int_equal(q->used->flags, 0); /* of no meaning then */
	post(1, false);
	post(1, false);
	assert_true(virtqueue_notify_on(&vq));
	assert_int_equal(*event, 0);
	assert_int_equal(consume(), 2);
	assert_false(virtqueue_notify_on(&vq));
	assert_int_equal(*event, 2);
	/* Off: the driver's index does not cross the event any more. */
	post(1, false);
	virtqueue_notify_off(&vq);
	assert_false(vring_need_event(*event, (uint16_t)(q->avail_idx + 1),
				      q->avail_idx));
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(test_chain),
		T(test_used),
		T(test_rewind),
		T(test_straddle),
		T(test_full_length),
		T(test_indirect),
		T(test_indirect_bad),
		T(test_hostile_chains),
		T(test_hostile_addresses),
		T(test_bad_ring),
		T(test_wrap),
		T(test_interrupt_flag),
		T(test_notify),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
