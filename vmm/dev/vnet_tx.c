/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Transmit: from a guest's doorbell to the switch, and frames coming home. */
#include <linux/errno.h>
#include <string.h>

#include "lib/gso.h"
#include "vmm/dev/vnet_priv.h"
#include "vswitch/vswitch.h"

/*
 * The way of a frame, top down:
 *
 *   vnet_doorbell_tx()	   the exit handler's call; takes the queue's lock
 *   vnet_transmit()	   batch after batch, up to the budget
 *   vnet_pop_batch()	   chains to frames; bad ones go straight back
 *   vnet_load_frame()	   headers copied, payload left in place
 *   vnet_take_offload()   what the guest asks for, if it may
 *   vswitch_input()
 *
 * and home again: vnet_complete() on any CPU, vnet_drain_done() under the
 * lock. They stand below in the opposite order, as C wants them.
 */

/* Frames on the wire for one doorbell or one run of deferred work. */
#define VNET_TX_BUDGET	   512
/* Headers, of a frame whose payload stays in place. For GSO all of them, and a
 * byte of payload, have to be among those: Ethernet with two tags, IPv4 and TCP
 * with all their options, or IPv6 with extension headers. */
#define VNET_HEAD_COPY	   128
#define VNET_HEAD_COPY_GSO 192

/* The frame's kind of segmentation, if the guest may ask for it. */
static bool vnet_take_gso(const struct vnet *vnet, struct frame *frame,
			  const struct virtio_net_hdr_v1 *hdr)
{
	unsigned feature;

	switch (hdr->gso_type & ~VIRTIO_NET_HDR_GSO_ECN) {
	case VIRTIO_NET_HDR_GSO_TCPV4:
		feature = VIRTIO_NET_F_HOST_TSO4;
		frame->gso_type = FRAME_GSO_TCPV4;
		break;
	case VIRTIO_NET_HDR_GSO_TCPV6:
		feature = VIRTIO_NET_F_HOST_TSO6;
		frame->gso_type = FRAME_GSO_TCPV6;
		break;
	case VIRTIO_NET_HDR_GSO_UDP_L4:
		feature = VIRTIO_NET_F_HOST_USO;
		frame->gso_type = FRAME_GSO_UDP;
		break;
	default:
		return false;
	}
	frame->gso_size = hdr->gso_size;
	/* Whether CWR is set stands in the frame: that the header says so too
	 * is of no use to us. */
	return virtio_pci_has(&vnet->virtio, feature) &&
	       (!(hdr->gso_type & VIRTIO_NET_HDR_GSO_ECN) ||
		virtio_pci_has(&vnet->virtio, VIRTIO_NET_F_HOST_ECN));
}

/* Takes over the guest's offload request from our copy of its header. The
 * switch sees to it that it makes sense (hdr_len is a hint, not used). */
static bool vnet_take_offload(const struct vnet *vnet, struct frame *frame,
			      const struct virtio_net_hdr_v1 *hdr)
{
	if (hdr->flags & VIRTIO_NET_HDR_F_NEEDS_CSUM) {
		if (!virtio_pci_has(&vnet->virtio, VIRTIO_NET_F_CSUM))
			return false;
		frame->flags = FRAME_CSUM_PARTIAL;
		frame->csum_start = hdr->csum_start;
		frame->csum_offset = hdr->csum_offset;
	}
	return likely(hdr->gso_type == VIRTIO_NET_HDR_GSO_NONE) ||
	       vnet_take_gso(vnet, frame, hdr);
}

/* What follows the head stays where it is. False: too many pieces. */
static bool vnet_refer_payload(struct frame *frame, struct virtqueue_cursor *at)
{
	uint32_t left = frame->len - frame->head_len;

	while (left) {
		uint32_t piece = at->seg->len - at->offset;

		if (frame->seg_count == FRAME_SEGS_MAX)
			return false;
		frame->segs[frame->seg_count++] = (struct frame_seg){
			at->seg->base + at->offset,
			piece,
		};
		left -= piece;
		at->seg++;
		at->offset = 0;
	}
	return true;
}

/* How much of a frame becomes its head. */
static uint16_t vnet_head_len(uint64_t len, const struct virtio_net_hdr_v1 *hdr)
{
	if (len <= FRAME_HEAD_SIZE)
		return (uint16_t)len;
	return likely(hdr->gso_type == VIRTIO_NET_HDR_GSO_NONE)
		       ? VNET_HEAD_COPY
		       : VNET_HEAD_COPY_GSO;
}

/* The popped chain as a frame, or NULL and why not. */
static struct frame *vnet_load_frame(struct vnet *vnet, enum port_drop *why)
{
	const struct virtqueue_chain *chain = &vnet->tx_chain;
	struct vnet_slot *slot = &vnet->slots[chain->head];
	struct virtqueue_cursor at = {chain->segs, 0};
	struct frame *frame = &slot->frame;
	struct virtio_net_hdr_v1 hdr;
	uint64_t len = chain->read_len - VNET_HDR_LEN;

	*why = DROP_BAD_CHAIN;
	if (chain->read_count != chain->count || chain->read_len < VNET_HDR_LEN)
		return NULL;
	*why = DROP_RUNT;
	if (len < ETH_HEADER_LEN)
		return NULL;
	*why = DROP_GIANT;
	if (len > GSO_LEN_MAX)
		return NULL;

	frame->source = &vnet->port;
	frame->head = slot->store;
	frame->len = (uint32_t)len;
	frame->gso_size = 0;
	frame->gso_type = FRAME_GSO_NONE;
	frame->flags = 0;
	frame->seg_count = 0;
	frame->cookie = chain->head;
	virtqueue_gather(&at, &hdr, VNET_HDR_LEN);
	frame->head_len = vnet_head_len(len, &hdr);
	virtqueue_gather(&at, slot->store, frame->head_len);
	/* A Linux frame has at most 18 pieces; one of so many that it does not
	 * fit is not worth a copy. */
	*why = DROP_BAD_CHAIN;
	if (!vnet_refer_payload(frame, &at))
		return NULL;
	*why = DROP_BAD_OFFLOAD;
	return vnet_take_offload(vnet, frame, &hdr) ? frame : NULL;
}

/* A chain that becomes no frame crosses the port's edge all the same. */
static void vnet_drop_chain(struct vnet *vnet, uint64_t len, enum port_drop why)
{
	vnet->port.ingress.frames++;
	vnet->port.ingress.bytes += len;
	port_drop_ingress(&vnet->port, why);
}

/* What a frame may cost in the end. Its gso_size is not checked yet. */
static unsigned vnet_weight(const struct frame *frame)
{
	if (likely(frame->gso_type == FRAME_GSO_NONE))
		return 1;
	return 1 + frame->len / MAX(frame->gso_size, 1u);
}

/* Pops chains while the budget lasts, *popped of them; returns how many are
 * frames. */
static unsigned vnet_pop_batch(struct vnet *vnet, struct frame **frames,
			       unsigned *budget, unsigned *popped)
{
	const struct virtqueue_chain *chain = &vnet->tx_chain;
	unsigned count = 0;

	for (*popped = 0; *popped < FRAME_BATCH_MAX && *budget; ++*popped) {
		int got = virtqueue_pop(vnet->tx, &vnet->tx_chain);
		enum port_drop why;
		struct frame *frame;

		if (got < 0) {
			vnet_drop_chain(vnet, 0, DROP_BAD_CHAIN);
			virtio_pci_needs_reset(&vnet->virtio);
		}
		if (got <= 0)
			break;
		frame = vnet_load_frame(vnet, &why);
		if (frame) {
			*budget -= MIN(*budget, vnet_weight(frame));
			frames[count++] = frame;
			continue;
		}
		--*budget;
		vnet_drop_chain(vnet,
				chain->read_len -
					MIN(chain->read_len, VNET_HDR_LEN),
				why);
		virtqueue_push(vnet->tx, chain->head, 0);
	}
	vnet->tx_chains += *popped;
	return count;
}

/* Gives the guest back what has come home: one index store, one interrupt
 * decision. The lock is held. */
static void vnet_drain_done(struct vnet *vnet)
{
	struct frame *frame, *next;

	/* Acquire: pairs with the release in vnet_complete(). */
	frame = __atomic_exchange_n(&vnet->done, NULL, __ATOMIC_ACQUIRE);
	/* After a reset the rings are no longer ours to write. */
	if (!vnet->tx->running)
		return;
	for (; frame; frame = next) {
		next = frame->next;
		virtqueue_push(vnet->tx, (uint16_t)frame->cookie, 0);
	}
	if (virtqueue_publish(vnet->tx)) {
		vnet->tx_interrupts++;
		virtio_pci_interrupt(&vnet->virtio, vnet->tx);
	}
}

void vnet_unlock_tx(struct vnet *vnet)
{
	do {
		vnet_drain_done(vnet);
		lock_release(&vnet->tx->lock);
		/* The lock must be seen free before we look at the list once
		 * more: who found it taken has put its frames there first, and
		 * relies on us. Store-load, so a full fence. */
		__atomic_thread_fence(__ATOMIC_SEQ_CST);
	} while (READ_ONCE(vnet->done) && lock_try(&vnet->tx->lock));
}

/* Feeds the switch until the ring is empty or the budget spent (true: there
 * may be more, and the doorbell stays off). The lock is held. */
static bool vnet_transmit(struct vnet *vnet)
{
	struct frame *frames[FRAME_BATCH_MAX];
	unsigned budget = VNET_TX_BUDGET;

	virtqueue_notify_off(vnet->tx);
	while (budget) {
		unsigned popped, count;

		count = vnet_pop_batch(vnet, frames, &budget, &popped);
		if (count) {
			/* Before the first of them can come home. */
			__atomic_fetch_add(&vnet->in_flight, count,
					   __ATOMIC_RELAXED);
			vswitch_input(&vnet->port, frames, count);
		}
		vnet_drain_done(vnet);
		if (popped)
			continue;
		if (!virtqueue_notify_on(vnet->tx))
			return false;
		virtqueue_notify_off(vnet->tx);
		/* A guest that moves its index to and fro pays, too. */
		budget--;
	}
	return true;
}

void vnet_doorbell_tx(struct vnet *vnet)
{
	lock_acquire(&vnet->tx->lock);
	vnet->doorbells++;
	if (vnet_transmit(vnet) && !vnet->tx_deferred) {
		vnet->tx_deferred = true;
		vnet->tx_deferrals++;
		__atomic_fetch_add(&vnet->work_pending, 1, __ATOMIC_RELAXED);
		work_post(&vnet->tx_work);
	}
	vnet_unlock_tx(vnet);
}

void vnet_work_tx(struct work *work)
{
	struct vnet *vnet = container_of(work, struct vnet, tx_work);
	bool more;

	lock_acquire(&vnet->tx->lock);
	more = vnet_transmit(vnet);
	if (more)
		work_post(work);
	else
		vnet->tx_deferred = false;
	vnet_unlock_tx(vnet);
	/* Release, and last: from here on the card may be destroyed. */
	if (!more)
		__atomic_fetch_sub(&vnet->work_pending, 1, __ATOMIC_RELEASE);
}

void vnet_complete(struct port *port, struct frame *const *frames,
		   unsigned count)
{
	struct vnet *vnet = container_of(port, struct vnet, port);
	struct frame *last = frames[count - 1], *head;

	for (unsigned i = 0; i + 1 < count; i++)
		frames[i]->next = frames[i + 1];
	head = __atomic_load_n(&vnet->done, __ATOMIC_RELAXED);
	/* Release: whoever takes the list sees the links. */
	do
		last->next = head;
	while (!__atomic_compare_exchange_n(&vnet->done, &head, frames[0],
					    false, __ATOMIC_RELEASE,
					    __ATOMIC_RELAXED));
	/* The frames must be on the list before we find the lock taken: its
	 * holder looks at the list after it has let go (vnet_unlock_tx()). */
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	if (lock_try(&vnet->tx->lock))
		vnet_unlock_tx(vnet);
	/* Release, and last: at zero, guest memory may be reused and the card
	 * destroyed. */
	__atomic_fetch_sub(&vnet->in_flight, count, __ATOMIC_RELEASE);
}

bool vnet_quiet(struct virtio_pci *virtio)
{
	struct vnet *vnet = container_of(virtio, struct vnet, virtio);

	/* Acquire: what was done before they reached zero is done. */
	if (__atomic_load_n(&vnet->in_flight, __ATOMIC_ACQUIRE) ||
	    __atomic_load_n(&vnet->work_pending, __ATOMIC_ACQUIRE))
		return false;
	lock_acquire(&vnet->tx->lock);
	vnet_unlock_tx(vnet);
	return true;
}
