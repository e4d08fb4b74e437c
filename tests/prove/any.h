/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Any guest memory, and any state that a running queue can be in. */
#ifndef ANY_H
#define ANY_H

#include "tests/prove/prove.h"
#include "vmm/dev/virtqueue.h"

#define SHARED_SIZE_MAX (1ull << 44)
/* Of 52 bits, the most that a CPU has (APM vol. 2, 5.3). */
#define GPA_LAST	((1ull << 52) - 1)

/* A number up to max, each followed on a path of its own: for loop bounds. */
static inline unsigned any_count(unsigned max)
{
	unsigned n = 0;

	while (n < max && (prove_any() & 1))
		n++;
	return n;
}

/* A power of two, likewise. */
static inline unsigned any_power(unsigned max)
{
	unsigned n = 1;

	while (n < max && (prove_any() & 1))
		n *= 2;
	return n;
}

/* Up to max ranges, as guest_mem_add() leaves them (add_proof.c): sorted,
 * apart, none empty, none past the last address. They may adjoin. */
static inline void any_mem(struct guest_mem *mem, unsigned max, uint64_t last)
{
	uint64_t next = 0; /* the first address that is free */
	bool full = false; /* none is */

	mem->count = any_count(max);
	for (unsigned i = 0; i < mem->count; i++) {
		uint64_t gap = prove_any(), size = prove_any();

		prove_assume(!full && next <= last && gap <= last - next);
		prove_assume(size && size <= SHARED_SIZE_MAX);
		prove_assume(size - 1 <= last - next - gap);
		mem->ranges[i] = (struct guest_range){GPA(next + gap), size,
						      prove_shared(size)};
		full = next + gap + (size - 1) == UINT64_MAX;
		next = full ? 0 : next + gap + size;
	}
}

static inline unsigned any_ones(const struct virtqueue *vq)
{
	unsigned ones = 0;

	for (unsigned i = 0; i < ARRAY_SIZE(vq->out); i++)
		ones += (unsigned)__builtin_popcountll(vq->out[i]);
	return ones;
}

static inline bool any_is_out(const struct virtqueue *vq, unsigned head)
{
	return vq->out[head / 64] >> head % 64 & 1;
}

static inline bool any_out_differs(const struct virtqueue *a,
				   const struct virtqueue *b)
{
	uint64_t differ = 0;

	for (unsigned i = 0; i < ARRAY_SIZE(a->out); i++)
		differ |= a->out[i] ^ b->out[i];
	return differ;
}

/*
 * What holds between two calls while the queue runs, with counts since the
 * last publish(), all in 16 bits that run free:
 *
 *   pushed <= popped <= seen <= size
 *
 * and as many heads are out as were popped and not pushed, each below size.
 */
static inline bool any_invariant(const struct virtqueue *vq)
{
	uint16_t seen = (uint16_t)(vq->avail_seen - vq->published);
	uint16_t popped = (uint16_t)(vq->next_avail - vq->published);
	uint16_t pushed = (uint16_t)(vq->next_used - vq->published);

	for (unsigned i = 0; i < ARRAY_SIZE(vq->out); i++) {
		unsigned bits = vq->size > 64 * i ? vq->size - 64 * i : 0;

		if (bits < 64 && vq->out[i] >> bits)
			return false;
	}
	return pushed <= popped && popped <= seen && seen <= vq->size &&
	       any_ones(vq) == (unsigned)popped - pushed;
}

/* A running queue in any such state. */
static inline void any_queue(struct virtqueue *vq, const struct guest_mem *mem,
			     unsigned size_max)
{
	unsigned size = any_power(size_max);

	vq->size = vq->size_max = (uint16_t)size;
	vq->mem = mem;
	vq->running = true;
	vq->broken = false;
	vq->event_idx = prove_any() & 1;
	vq->indirect = prove_any() & 1;
	/* As start_proof.c shows that start() leaves them. */
	vq->desc = prove_shared(16 * size);
	vq->avail = prove_shared(2 + 2 + 2 * size + 2);
	vq->used = prove_shared(2 + 2 + 8 * size + 2);
	vq->avail_seen = (uint16_t)prove_any();
	vq->next_avail = (uint16_t)prove_any();
	vq->next_used = (uint16_t)prove_any();
	vq->published = (uint16_t)prove_any();
	for (unsigned i = 0; i < ARRAY_SIZE(vq->out); i++)
		vq->out[i] = size > 64 * i ? prove_any() : 0;
	for (unsigned i = 0; i < VIRTQUEUE_FAULT_COUNT; i++)
		vq->faults[i] = 0;
	prove_assume(any_invariant(vq));
}

#endif
