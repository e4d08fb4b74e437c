/* SPDX-License-Identifier: GPL-2.0-or-later */
/* virtqueue_pop(): any ring, rewritten by the guest at any moment. */
#include "tests/prove/ram.h"

#include "vmm/dev/virtqueue.c"

#ifndef SIZE_MAX_PROVED
#define SIZE_MAX_PROVED 2
#endif

static void check_chain(const struct virtqueue_chain *chain)
{
	uint64_t read_len = 0, write_len = 0;

	prove_check(chain->count && chain->count <= VIRTQUEUE_SEGS_MAX,
		    "a chain's pieces fit");
	prove_check(chain->read_count <= chain->count,
		    "pieces to read are some of all");
	for (unsigned i = 0; i < chain->count; i++) {
		const struct virtqueue_seg *seg = &chain->segs[i];

		prove_check(seg->len, "no piece is empty");
		prove_check(prove_inside(seg->base, seg->len, ram),
			    "a piece is RAM as a whole");
		if (i < chain->read_count)
			read_len += seg->len;
		else
			write_len += seg->len;
	}
	prove_check(read_len == chain->read_len, "read_len is the sum");
	prove_check(write_len == chain->write_len, "write_len is the sum");
}

int main(void)
{
	struct guest_mem mem = {};
	struct virtqueue vq;
	struct virtqueue_chain chain;
	unsigned head;
	int got;

	any_ram();
	any_queue(&vq, &mem, SIZE_MAX_PROVED);

	struct virtqueue old = vq;
	uint16_t out_before = (uint16_t)(vq.next_avail - vq.next_used);

	got = virtqueue_pop(&vq, &chain);
	head = chain.head;

	prove_check(vq.next_used == old.next_used &&
			    vq.published == old.published && vq.running &&
			    vq.size == old.size && vq.desc == old.desc &&
			    vq.avail == old.avail && vq.used == old.used,
		    "a pop moves nothing else");
	prove_check(!prove_stores(), "a pop writes nothing to the guest");
	if (got == 1) {
		prove_check(head < vq.size, "a head is below the size");
		prove_check(!any_is_out(&old, head), "a head is out but once");
		prove_check(out_before < vq.size,
			    "at most size chains are out");
		vq.out[head / 64] ^= 1ull << head % 64;
		prove_check(!any_out_differs(&vq, &old),
			    "no other head changes");
		vq.out[head / 64] ^= 1ull << head % 64;
		prove_check(vq.next_avail == (uint16_t)(old.next_avail + 1),
			    "one entry is consumed");
		prove_check(!vq.broken && any_invariant(&vq),
			    "after a pop the invariant holds");
		check_chain(&chain);
		return 0;
	}
	prove_check(!any_out_differs(&vq, &old) &&
			    vq.next_avail == old.next_avail,
		    "without a chain nothing is consumed");
	if (got == 0) {
		prove_check(!vq.broken && any_invariant(&vq),
			    "after an empty pop the invariant holds");
		return 0;
	}
	uint64_t faults = 0;

	for (unsigned i = 0; i < VIRTQUEUE_FAULT_COUNT; i++)
		faults += vq.faults[i];
	prove_check(got == -EINVAL && vq.broken && faults == 1,
		    "nonsense breaks the queue and is counted once");
	prove_check(virtqueue_pop(&vq, &chain) == 0,
		    "a broken queue pops nothing");
	return 0;
}
