/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A split virtqueue, device side: chains out, used elements in. */
#ifndef VMM_DEV_VIRTQUEUE_H
#define VMM_DEV_VIRTQUEUE_H

#include <linux/virtio_ring.h>

#include "plat/lock.h"
#include "vmm/dev/guest_mem.h"

/*
 * Virtio 1.2, section 2.7. A queue's life:
 *
 *            virtqueue_start()             fault
 *   STOPPED ------------------> RUNNING ----------> BROKEN
 *      ^                           |                  |
 *      +---------------------------+------------------+
 *                   virtqueue_stop(), _reset()
 *
 * RUNNING: chains are popped; each popped one is given back exactly once, by
 * push() or rewind(). So at most size chains are out, and a guest that makes
 * more available than that has lost count. BROKEN: nothing is popped any more
 * (what is out may still be pushed) until the driver resets the device.
 *
 * The guest shares the three areas and may write them at any time: each field
 * is loaded once, each descriptor copied once, and checked in the copy.
 */
#define VIRTQUEUE_SIZE_MAX 256
/* A buffer that runs over two of our memory ranges is two pieces. */
#define VIRTQUEUE_SEGS_MAX (2 * VIRTQUEUE_SIZE_MAX)

/* What a guest did wrong; names: virtqueue_fault_names[]. */
enum virtqueue_fault {
	VIRTQUEUE_BAD_RING,	/* areas crooked, or not in RAM */
	VIRTQUEUE_AVAIL_AHEAD,	/* more chains than the queue has entries */
	VIRTQUEUE_BAD_HEAD,	/* head index past the queue */
	VIRTQUEUE_HEAD_IN_USE,	/* head that has not been given back yet */
	VIRTQUEUE_BAD_NEXT,	/* next index past the table */
	VIRTQUEUE_LOOP,		/* chain longer than the queue */
	VIRTQUEUE_ZERO_LENGTH,	/* descriptor of no bytes */
	VIRTQUEUE_OUT_OF_RANGE, /* buffer is not RAM */
	VIRTQUEUE_BAD_ORDER,	/* device-readable after device-writable */
	VIRTQUEUE_BAD_INDIRECT, /* not negotiated, nested, or no table */
	VIRTQUEUE_BAD_BUFFER,	/* not what this kind of queue is for */
	VIRTQUEUE_FAULT_COUNT,
};

extern const char *const virtqueue_fault_names[VIRTQUEUE_FAULT_COUNT];

struct virtqueue_seg {
	uint8_t *base; /* guest memory */
	uint32_t len;  /* at least 1 */
};

/* Where a reader is in a chain. */
struct virtqueue_cursor {
	const struct virtqueue_seg *seg;
	uint32_t offset; /* in *seg */
};

/* A popped chain: first the pieces to read, then those to write. */
struct virtqueue_chain {
	uint64_t read_len, write_len;
	uint16_t head;
	uint16_t read_count;
	uint16_t count; /* of all pieces */
	struct virtqueue_seg segs[VIRTQUEUE_SEGS_MAX];
};

/* (l) lock; (d) the device's register lock, and fixed while running. */
struct virtqueue {
	struct lock lock;

	uint16_t size;			     /* (d) a power of two */
	uint16_t size_max;		     /* fixed */
	uint16_t vector;		     /* (d) read without: READ_ONCE() */
	bool enabled;			     /* (d) queue_enable */
	gpa_t desc_gpa, avail_gpa, used_gpa; /* (d) */

	bool running, broken;	     /* (l) */
	bool event_idx, indirect;    /* (l) negotiated */
	const struct guest_mem *mem; /* (l) and all below */
	const uint8_t *desc;	     /* of struct vring_desc; 16-aligned */
	struct vring_avail *avail;
	struct vring_used *used;
	uint16_t avail_seen; /* the guest's index when last loaded */
	uint16_t next_avail; /* chains popped */
	uint16_t next_used;  /* used elements written */
	uint16_t published;  /* used elements that the guest was told of */
	uint64_t
		out[VIRTQUEUE_SIZE_MAX / 64]; /* heads popped, not given back */
	uint64_t faults[VIRTQUEUE_FAULT_COUNT];
};

void virtqueue_init(struct virtqueue *vq, const char *name, enum lock_rank rank,
		    uint16_t size_max);

/* The driver's registers as after power-on; stopped. Faults stay counted. */
void virtqueue_reset(struct virtqueue *vq);

/*
 * The rest with vq->lock held.
 *
 * start: resolves the areas; features are the negotiated bits. Bad areas:
 * broken at once. stop: nothing is popped or published any more.
 */
void virtqueue_start(struct virtqueue *vq, const struct guest_mem *mem,
		     uint64_t features);
void virtqueue_stop(struct virtqueue *vq);

/* 1 and the next chain; 0: none (or not running, or broken); -EINVAL: it was
 * nonsense, the queue is broken now. The guest's index is loaded only when all
 * chains of the last load have been popped. */
int virtqueue_pop(struct virtqueue *vq, struct virtqueue_chain *chain);

/* The queue's user has found a fault of its own: broken now. -EINVAL. */
int virtqueue_fail(struct virtqueue *vq, enum virtqueue_fault fault);

/* Copies len bytes out of a chain, which has them, and moves on. */
void virtqueue_gather(struct virtqueue_cursor *at, void *to, uint32_t len);
void virtqueue_skip(struct virtqueue_cursor *at, uint64_t len);

/* Gives a chain back, with the count of bytes written to it; the guest learns
 * of it by publish(). */
void virtqueue_push(struct virtqueue *vq, uint16_t head, uint32_t len);

/* Takes back the latest pops of chains, the last `pushed` of which (0 or more)
 * have been pushed but not published, too: the guest never sees it. No other
 * chain may be out. */
void virtqueue_rewind(struct virtqueue *vq, unsigned popped, unsigned pushed);

/* Tells the guest of all pushes, by one store. True: it wants an interrupt. */
bool virtqueue_publish(struct virtqueue *vq);

/* Doorbells off (a hint to the guest), and on again: true when chains have
 * come in meanwhile, whose doorbell will not be rung. */
void virtqueue_notify_off(struct virtqueue *vq);
bool virtqueue_notify_on(struct virtqueue *vq);

#endif
