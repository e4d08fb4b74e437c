/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Fuzzes the ring walker: rings full of anything, changing as it walks. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define FAKE_VM_RAM KiB(64)
#include "tests/unit/vmm/dev/virtio_guest.h"
#include "vmm/dev/virtqueue.h"

#define SHORT_SIZE 8
#define LONG_SIZE  128
#define STRIPS	   6 /* more pieces of memory, behind the two */
#define STRIP_SIZE 64
#define OP_SIZE	   8

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct vm vm;
static struct guest_device guest;
static struct virtqueue vq;
static struct virtqueue_chain chain;
static uint16_t out[LONG_SIZE]; /* heads popped */
static unsigned out_count;
static unsigned queue_size;
static uint8_t *strips[STRIPS];

/* A good indirect table of up to 1020 buffers, some of them the device's, each
 * in one piece or in several: more than a chain may have. */
static void put_long_table(struct vring_desc *desc, const uint8_t *op)
{
	static const uint64_t at = FAKE_VM_RAM - KiB(16);
	struct vring_desc *table = fake_vm_ptr(&vm, at);
	unsigned count = op[2] * 4u;

	for (unsigned i = 0; i < count; i++)
		table[i] = (struct vring_desc){
			/* Some in as many pieces as there are. */
			.addr = op[4] & 1 ? FAKE_VM_RAM - 1
					  : (uint64_t)op[3] << 6,
			.len = op[4] & 1 ? 1 + (op[4] >> 1) * 3u : 1 + op[4],
			.flags = (i + 1 < count ? VRING_DESC_F_NEXT : 0) |
				 (i >= op[5] * 4u ? VRING_DESC_F_WRITE : 0),
			.next = (uint16_t)(i + 1),
		};
	*desc = (struct vring_desc){
		.addr = at, .len = 16 * count, .flags = VRING_DESC_F_INDIRECT};
}

static bool in_piece(const struct virtqueue_seg *seg, const uint8_t *piece,
		     size_t size)
{
	return seg->base >= piece && seg->base + seg->len <= piece + size;
}

static bool in_strip(const struct virtqueue_seg *seg)
{
	bool found = false;

	for (unsigned i = 0; i < STRIPS; i++)
		found |= in_piece(seg, strips[i], STRIP_SIZE);
	return found;
}

/* What a chain claims must be so. */
static void check_chain(void)
{
	uint64_t read_len = 0, write_len = 0;

	if (chain.head >= queue_size || chain.count == 0 ||
	    chain.count > VIRTQUEUE_SEGS_MAX || chain.read_count > chain.count)
		abort();
	for (unsigned i = 0; i < chain.count; i++) {
		const struct virtqueue_seg *seg = &chain.segs[i];

		if (!seg->len || (!in_piece(seg, vm.low, FAKE_VM_RAM / 2) &&
				  !in_piece(seg, vm.high, FAKE_VM_RAM / 2) &&
				  !in_strip(seg)))
			abort();
		if (i < chain.read_count)
			read_len += seg->len;
		else
			write_len += seg->len;
	}
	if (read_len != chain.read_len || write_len != chain.write_len)
		abort();
	for (unsigned i = 0; i < out_count; i++)
		if (out[i] == chain.head) /* out twice */
			abort();
}

/* wrong: the rings lie elsewhere, by so much. */
static void start(uint64_t features, const uint8_t *wrong)
{
	lock_acquire(&vq.lock);
	virtqueue_stop(&vq);
	lock_release(&vq.lock);
	virtqueue_reset(&vq);
	vq.size = queue_size;
	vq.desc_gpa = GPA(guest.queues[0].desc_gpa);
	vq.avail_gpa = GPA(guest.queues[0].avail_gpa);
	vq.used_gpa = GPA(guest.queues[0].used_gpa);
	if (wrong) {
		vq.desc_gpa.v += (uint64_t)wrong[0] << 9;
		vq.avail_gpa.v += (uint64_t)wrong[1] << 9;
		vq.used_gpa.v += (uint64_t)wrong[2] << (wrong[2] & 63);
	}
	out_count = 0;
	lock_acquire(&vq.lock);
	virtqueue_start(&vq, &vm.mem, features);
	lock_release(&vq.lock);
}

static void pop(void)
{
	int got = virtqueue_pop(&vq, &chain);

	if (got < 0 && !vq.broken)
		abort();
	if (got <= 0)
		return;
	check_chain();
	if (out_count == queue_size)
		abort();
	out[out_count++] = chain.head;
}

static void run(const uint8_t *op)
{
	struct guest_queue *q = &guest.queues[0];
	struct vring_desc *desc = &q->desc[op[1] % queue_size];

	switch (op[0] & 15) {
	case 0: /* a descriptor that may be good */
		desc->addr = (uint64_t)op[2] << 8 | op[3];
		desc->len = (uint32_t)(op[4] | op[5] << 8);
		desc->flags = op[6] & 7;
		desc->next = op[7] % (queue_size + 1);
		break;
	case 1:
		memcpy((uint8_t *)desc + (op[2] & 8), op, 8);
		break;
	case 2: /* around the seam of the two pieces */
		desc->addr = FAKE_VM_RAM / 2 - op[2];
		break;
	case 3: /* made available */
	case 4:
		q->avail->ring[q->avail->idx % queue_size] =
			op[1] % (queue_size + 1);
		q->avail->idx++;
		break;
	case 5:
		q->avail->idx = (uint16_t)(op[1] | op[2] << 8);
		break;
	case 6:
		q->avail->flags = op[1];
		q->avail->ring[queue_size] = (uint16_t)(op[2] | op[3] << 8);
		break;
	case 7:
	case 8:
	case 9:
		pop();
		break;
	case 10:
		if (!out_count || !vq.running)
			break;
		virtqueue_push(&vq, out[--out_count], op[1]);
		break;
	case 11:
		if (vq.running)
			virtqueue_publish(&vq);
		break;
	case 12: /* a pop taken back, as when buffers do not suffice */
		if (out_count || !vq.running)
			break;
		pop();
		virtqueue_rewind(&vq, out_count, 0);
		out_count = 0;
		break;
	case 13:
		virtqueue_notify_off(&vq);
		virtqueue_notify_on(&vq);
		break;
	case 14: /* an indirect table, anywhere */
		if (op[0] & 16) {
			put_long_table(desc, op);
			break;
		}
		desc->addr = q->desc_gpa + op[2] % 64;
		desc->len = 16u * (op[3] % (queue_size + 2));
		desc->flags = VRING_DESC_F_INDIRECT;
		break;
	default:
		queue_size = op[1] & 8 ? LONG_SIZE : SHORT_SIZE;
		start((op[1] & 1 ? 1ull << VIRTIO_RING_F_EVENT_IDX : 0) |
			      (op[1] & 2 ? 1ull << VIRTIO_RING_F_INDIRECT_DESC
					 : 0),
		      op[1] & 4 ? op + 2 : NULL);
		q->avail->idx = 0;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	fake_vm_init(&vm);
	/* Each a block of its own, so that ASan sees a step beyond. */
	for (unsigned i = 0; i < STRIPS; i++) {
		strips[i] = malloc(STRIP_SIZE);
		guest_mem_add(&vm.mem, GPA(FAKE_VM_RAM + i * STRIP_SIZE),
			      STRIP_SIZE, strips[i]);
	}
	queue_size = SHORT_SIZE;
	guest = (struct guest_device){.vm = &vm};
	guest_make_queue(&guest, 0, LONG_SIZE);
	virtqueue_init(&vq, "fuzz", LOCK_VNET_TX, VIRTQUEUE_SIZE_MAX);
	start(1ull << VIRTIO_RING_F_INDIRECT_DESC, NULL);
	for (; size >= OP_SIZE; data += OP_SIZE, size -= OP_SIZE)
		run(data);
	for (unsigned i = 0; i < STRIPS; i++)
		free(strips[i]);
	fake_vm_destroy(&vm);
	return 0;
}
