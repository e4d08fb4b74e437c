/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The split ring walker (virtio 1.2, section 2.7). */
#include "vmm/dev/virtqueue.h"

#include <linux/errno.h>
#include <linux/virtio_config.h>

/* Of a used ring's last word, whose place depends on the queue's size. */
#define VIRTQUEUE_AVAIL_EVENT(vq) \
	((uint16_t *)(void *)&(vq)->used->ring[(vq)->size])

const char *const virtqueue_fault_names[VIRTQUEUE_FAULT_COUNT] = {
	[VIRTQUEUE_BAD_RING] = "bad_ring",
	[VIRTQUEUE_AVAIL_AHEAD] = "avail_ahead",
	[VIRTQUEUE_BAD_HEAD] = "bad_head",
	[VIRTQUEUE_HEAD_IN_USE] = "head_in_use",
	[VIRTQUEUE_BAD_NEXT] = "bad_next",
	[VIRTQUEUE_LOOP] = "loop",
	[VIRTQUEUE_ZERO_LENGTH] = "zero_length",
	[VIRTQUEUE_OUT_OF_RANGE] = "out_of_range",
	[VIRTQUEUE_BAD_ORDER] = "bad_order",
	[VIRTQUEUE_BAD_INDIRECT] = "bad_indirect",
	[VIRTQUEUE_BAD_BUFFER] = "bad_buffer",
};

void virtqueue_init(struct virtqueue *vq, const char *name, enum lock_rank rank,
		    uint16_t size_max)
{
	ASSERT(size_max && size_max <= VIRTQUEUE_SIZE_MAX &&
	       !(size_max & (size_max - 1)));
	*vq = (struct virtqueue){.size_max = size_max};
	lock_init(&vq->lock, name, rank);
	virtqueue_reset(vq);
}

void virtqueue_reset(struct virtqueue *vq)
{
	lock_acquire(&vq->lock);
	virtqueue_stop(vq);
	vq->broken = false;
	lock_release(&vq->lock);
	vq->size = vq->size_max;
	vq->enabled = false;
	vq->desc_gpa = vq->avail_gpa = vq->used_gpa = GPA(0);
}

int virtqueue_fail(struct virtqueue *vq, enum virtqueue_fault fault)
{
	vq->faults[fault]++;
	vq->broken = true;
	return -EINVAL;
}

/* Alignments and sizes: virtio 1.2, table in 2.7. */
void virtqueue_start(struct virtqueue *vq, const struct guest_mem *mem,
		     uint64_t features)
{
	unsigned size = vq->size;

	vq->mem = mem;
	vq->event_idx = features >> VIRTIO_RING_F_EVENT_IDX & 1;
	vq->indirect = features >> VIRTIO_RING_F_INDIRECT_DESC & 1;
	vq->avail_seen = vq->next_avail = vq->next_used = vq->published = 0;
	memset(vq->out, 0, sizeof(vq->out));
	/* Flags, index, entries, and the event word after them. */
	vq->desc = guest_range(mem, vq->desc_gpa,
			       sizeof(struct vring_desc) * size);
	vq->avail = guest_range(mem, vq->avail_gpa,
				sizeof(struct vring_avail) + 2 * size + 2);
	vq->used =
		guest_range(mem, vq->used_gpa,
			    sizeof(struct vring_used) +
				    sizeof(struct vring_used_elem) * size + 2);
	if (!vq->desc || !vq->avail || !vq->used ||
	    vq->desc_gpa.v % VRING_DESC_ALIGN_SIZE ||
	    vq->avail_gpa.v % VRING_AVAIL_ALIGN_SIZE ||
	    vq->used_gpa.v % VRING_USED_ALIGN_SIZE) {
		virtqueue_fail(vq, VIRTQUEUE_BAD_RING);
		return;
	}
	vq->running = true;
}

void virtqueue_stop(struct virtqueue *vq)
{
	vq->running = false;
}

static bool virtqueue_test_out(const struct virtqueue *vq, uint16_t head)
{
	return vq->out[head / 64] >> head % 64 & 1;
}

static void virtqueue_flip_out(struct virtqueue *vq, uint16_t head)
{
	vq->out[head / 64] ^= 1ull << head % 64;
}

/* Loads the guest's index; true when there is something to pop. */
static bool virtqueue_load_avail(struct virtqueue *vq)
{
	unsigned popped, waiting;

	/* Acquire: ring entries and descriptors are read after the index that
	 * announced them. */
	vq->avail_seen = __atomic_load_n(&vq->avail->idx, __ATOMIC_ACQUIRE);
	/* Indices run free in 16 bits; the differences are what counts. A
	 * driver can reuse only what it was told of: the rest, popped or not,
	 * is at most the queue's size. Counted from next_avail, an index that
	 * has gone back is far ahead. */
	popped = (uint16_t)(vq->next_avail - vq->published);
	waiting = (uint16_t)(vq->avail_seen - vq->next_avail);
	if (popped + waiting > vq->size) {
		virtqueue_fail(vq, VIRTQUEUE_AVAIL_AHEAD);
		return false;
	}
	return vq->avail_seen != vq->next_avail;
}

/* Adds one descriptor's buffer to the chain. */
static int virtqueue_add_seg(struct virtqueue *vq,
			     struct virtqueue_chain *chain,
			     const struct vring_desc *desc)
{
	bool write = desc->flags & VRING_DESC_F_WRITE;
	uint64_t left = desc->len, piece;

	if (!desc->len)
		return virtqueue_fail(vq, VIRTQUEUE_ZERO_LENGTH);
	if (!write && chain->count > chain->read_count)
		return virtqueue_fail(vq, VIRTQUEUE_BAD_ORDER);
	for (; left; left -= piece) {
		gpa_t gpa = GPA(desc->addr + (desc->len - left));
		void *base;

		piece = left;
		base = guest_piece(vq->mem, gpa, &piece);
		if (!base || chain->count == VIRTQUEUE_SEGS_MAX)
			return virtqueue_fail(vq, VIRTQUEUE_OUT_OF_RANGE);
		chain->segs[chain->count++] =
			(struct virtqueue_seg){base, (uint32_t)piece};
	}
	if (write) {
		chain->write_len += desc->len;
	} else {
		chain->read_len += desc->len;
		chain->read_count = chain->count;
	}
	return 0;
}

/* The table that an indirect descriptor names (2.7.5.3): it ends the chain,
 * and its table holds no further one. NULL: nonsense. */
static const uint8_t *virtqueue_indirect(struct virtqueue *vq,
					 const struct vring_desc *desc,
					 unsigned *entries)
{
	*entries = desc->len / sizeof(*desc);
	if (!vq->indirect || desc->flags & VRING_DESC_F_NEXT ||
	    desc->len % sizeof(*desc))
		return NULL;
	return guest_range(vq->mem, GPA(desc->addr), desc->len);
}

/* Follows the chain from head; a loop ends when the chain is full. */
static int virtqueue_walk(struct virtqueue *vq, struct virtqueue_chain *chain)
{
	const uint8_t *table = vq->desc;
	unsigned entries = vq->size, index = chain->head;
	unsigned length = 0; /* descriptors with a buffer */
	bool nested = false;

	chain->read_len = chain->write_len = 0;
	chain->read_count = chain->count = 0;
	for (;;) {
		struct vring_desc desc;
		int err;

		guest_copy(&desc, table + index * sizeof(desc), sizeof(desc));
		if (desc.flags & VRING_DESC_F_INDIRECT) {
			table = nested ? NULL
				       : virtqueue_indirect(vq, &desc,
							    &entries);
			if (!table)
				return virtqueue_fail(vq,
						      VIRTQUEUE_BAD_INDIRECT);
			nested = true;
			index = 0;
			continue;
		}
		if (length++ == vq->size)
			return virtqueue_fail(vq, VIRTQUEUE_LOOP);
		err = virtqueue_add_seg(vq, chain, &desc);
		if (err)
			return err;
		if (!(desc.flags & VRING_DESC_F_NEXT))
			return 0;
		if (desc.next >= entries)
			return virtqueue_fail(vq, VIRTQUEUE_BAD_NEXT);
		index = desc.next;
	}
}

int virtqueue_pop(struct virtqueue *vq, struct virtqueue_chain *chain)
{
	uint16_t head;
	int err;

	if (!vq->running || vq->broken)
		return 0;
	if (vq->avail_seen == vq->next_avail && !virtqueue_load_avail(vq))
		return vq->broken ? -EINVAL : 0;
	head = READ_ONCE(vq->avail->ring[vq->next_avail & (vq->size - 1)]);
	if (head >= vq->size)
		return virtqueue_fail(vq, VIRTQUEUE_BAD_HEAD);
	if (virtqueue_test_out(vq, head))
		return virtqueue_fail(vq, VIRTQUEUE_HEAD_IN_USE);
	chain->head = head;
	err = virtqueue_walk(vq, chain);
	if (err)
		return err;
	virtqueue_flip_out(vq, head);
	vq->next_avail++;
	return 1;
}

/* Moves on within one piece, by at most len. */
static uint32_t virtqueue_step(struct virtqueue_cursor *at, uint64_t len)
{
	uint32_t step = (uint32_t)MIN(len, at->seg->len - at->offset);

	at->offset += step;
	if (at->offset == at->seg->len) {
		at->seg++;
		at->offset = 0;
	}
	return step;
}

void virtqueue_gather(struct virtqueue_cursor *at, void *to, uint32_t len)
{
	uint8_t *out = to;

	while (len) {
		const uint8_t *from = at->seg->base + at->offset;
		uint32_t step = virtqueue_step(at, len);

		guest_copy(out, from, step);
		out += step;
		len -= step;
	}
}

void virtqueue_skip(struct virtqueue_cursor *at, uint64_t len)
{
	while (len)
		len -= virtqueue_step(at, len);
}

void virtqueue_push(struct virtqueue *vq, uint16_t head, uint32_t len)
{
	struct vring_used_elem *elem =
		&vq->used->ring[vq->next_used & (vq->size - 1)];

	virtqueue_flip_out(vq, head);
	WRITE_ONCE(elem->id, head);
	WRITE_ONCE(elem->len, len);
	vq->next_used++;
}

void virtqueue_rewind(struct virtqueue *vq, unsigned popped, unsigned pushed)
{
	/* No other chain is out, so what is left of the bitmap is the last
	 * pops' own: all of it goes. */
	memset(vq->out, 0, sizeof(vq->out));
	vq->next_avail -= (uint16_t)popped;
	vq->next_used -= (uint16_t)pushed;
}

bool virtqueue_publish(struct virtqueue *vq)
{
	uint16_t old = vq->published, now = vq->next_used;

	if (old == now)
		return false;
	/* Release: elements and buffers are written before the index that
	 * announces them. */
	__atomic_store_n(&vq->used->idx, now, __ATOMIC_RELEASE);
	vq->published = now;
	/* The index must be visible before we look whether the guest wants to
	 * hear of it: a guest that arms its event and then checks the index
	 * would otherwise miss both (2.7.7.2; store-load needs a full fence).
	 */
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	if (vq->event_idx)
		return vring_need_event(READ_ONCE(vq->avail->ring[vq->size]),
					now, old);
	return !(READ_ONCE(vq->avail->flags) & VRING_AVAIL_F_NO_INTERRUPT);
}

void virtqueue_notify_off(struct virtqueue *vq)
{
	/* With event index there is nothing to do: the event stays where it
	 * is, behind, and the guest's index does not cross it again. */
	if (vq->running && !vq->event_idx)
		WRITE_ONCE(vq->used->flags, VRING_USED_F_NO_NOTIFY);
}

bool virtqueue_notify_on(struct virtqueue *vq)
{
	if (!vq->running || vq->broken)
		return false;
	if (vq->event_idx)
		WRITE_ONCE(*VIRTQUEUE_AVAIL_EVENT(vq), vq->next_avail);
	else
		WRITE_ONCE(vq->used->flags, 0);
	/* The mirror of publish(): the wish must be visible before we look for
	 * chains that were added without a doorbell. */
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	return READ_ONCE(vq->avail->idx) != vq->next_avail;
}
