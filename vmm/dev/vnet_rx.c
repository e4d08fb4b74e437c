/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Receive: frames from the switch into a guest's buffers. */
#include <linux/errno.h>
#include <string.h>

#include "lib/checksum.h"
#include "lib/gso.h"
#include "vmm/dev/vnet_priv.h"

/*
 *   vnet_deliver()		a batch from the switch; takes the queue's lock
 *   vnet_receive_segments()	a GSO frame, for a guest that takes none
 *   vnet_receive_whole()	a frame into one buffer, or several merged ones
 *   vnet_sink_copy()		bytes to wherever the guest wants them
 *
 * A frame is copied once. The frame is not ours and may be another guest's
 * memory: its payload is copied, never looked at, and may change meanwhile.
 */

/* Where a frame goes: the chains it fills, one at a time. */
struct vnet_sink {
	struct vnet *vnet;
	struct virtqueue_chain *chain;	 /* the one being filled */
	const struct virtqueue_seg *seg; /* in it */
	uint32_t offset;		 /* in *seg */
	uint64_t room;			 /* left in the chain */
	uint32_t written;		 /* into the chain */
	unsigned popped, pushed;	 /* chains */
	/* Where the header goes, written last: by then its count of merged
	 * buffers is known. 12 bytes are in at most 12 pieces. */
	unsigned header_count;
	struct virtqueue_seg header[VNET_HDR_LEN];
};

/* The next chain. -EAGAIN: none; -EINVAL: nonsense, the queue is broken. */
static int vnet_sink_next(struct vnet_sink *sink)
{
	struct vnet *vnet = sink->vnet;
	struct virtqueue_chain *chain = sink->chain;
	int got = virtqueue_pop(vnet->rx, chain);

	if (got <= 0)
		return got ? got : -EAGAIN;
	sink->popped++;
	/* Something to read in a receive buffer, or no room for a header
	 * (5.1.6.3.1). */
	if (chain->read_count || chain->write_len < VNET_HDR_LEN)
		return virtqueue_fail(vnet->rx, VIRTQUEUE_BAD_BUFFER);
	sink->seg = chain->segs;
	sink->offset = 0;
	sink->room = chain->write_len;
	sink->written = 0;
	return 0;
}

static void vnet_sink_push(struct vnet_sink *sink)
{
	sink->vnet->rx_chains++;
	virtqueue_push(sink->vnet->rx, sink->chain->head, sink->written);
	sink->pushed++;
}

/* Moves on by up to len bytes within one piece; *piece is where they are. */
static uint32_t vnet_sink_step(struct vnet_sink *sink, uint32_t len,
			       uint8_t **piece)
{
	uint32_t step = MIN(len, sink->seg->len - sink->offset);

	*piece = sink->seg->base + sink->offset;
	sink->offset += step;
	sink->room -= step;
	sink->written += step;
	if (sink->offset == sink->seg->len) {
		sink->seg++;
		sink->offset = 0;
	}
	return step;
}

static void vnet_sink_reserve_header(struct vnet_sink *sink)
{
	uint32_t left = VNET_HDR_LEN;

	while (left) {
		uint8_t *piece;
		uint32_t step = vnet_sink_step(sink, left, &piece);

		sink->header[sink->header_count++] =
			(struct virtqueue_seg){piece, step};
		left -= step;
	}
}

static void vnet_sink_put_header(const struct vnet_sink *sink,
				 const struct virtio_net_hdr_v1 *hdr)
{
	const uint8_t *from = (const uint8_t *)hdr;

	for (unsigned i = 0; i < sink->header_count; i++) {
		memcpy(sink->header[i].base, from, sink->header[i].len);
		from += sink->header[i].len;
	}
}

/* Copies to the guest; a full chain is followed by the next one. That it may
 * be is checked by vnet_receive_whole(). */
static int vnet_sink_copy(struct vnet_sink *sink, const void *data,
			  uint32_t len)
{
	const uint8_t *from = data;

	while (len) {
		uint8_t *piece;
		uint32_t step;
		int err;

		if (!sink->room) {
			vnet_sink_push(sink);
			err = vnet_sink_next(sink);
			if (err)
				return err;
		}
		step = vnet_sink_step(sink, len, &piece);
		memcpy(piece, from, step);
		from += step;
		len -= step;
	}
	return 0;
}

/* The frame's L4 checksum, which its source has left to us (as partial sum in
 * the field itself). 0 would mean "none" in UDP: all ones is the same sum. */
static uint16_t vnet_finish_csum(const struct frame *frame)
{
	struct checksum sum = {0};
	uint16_t result;

	checksum_add(&sum, frame->head + frame->csum_start,
		     (size_t)frame->head_len - frame->csum_start);
	for (unsigned i = 0; i < frame->seg_count; i++)
		checksum_add(&sum, frame->segs[i].base, frame->segs[i].len);
	result = checksum_finish(&sum);
	return result ? result : 0xffff;
}

static int vnet_copy_head(struct vnet_sink *sink, const struct frame *frame,
			  bool finish)
{
	uint32_t field = (uint32_t)frame->csum_start + frame->csum_offset;
	uint16_t csum;
	int err;

	if (!finish)
		return vnet_sink_copy(sink, frame->head, frame->head_len);
	/* Others may get the same head: it stays as it is. */
	csum = vnet_finish_csum(frame);
	err = vnet_sink_copy(sink, frame->head, field);
	if (!err)
		err = vnet_sink_copy(sink, &csum, sizeof(csum));
	if (!err)
		err = vnet_sink_copy(sink, frame->head + field + sizeof(csum),
				     frame->head_len - field -
					     (uint32_t)sizeof(csum));
	return err;
}

/* What the header says, but for the count of buffers. */
static void vnet_fill_header(const struct vnet *vnet, const struct frame *frame,
			     struct virtio_net_hdr_v1 *hdr)
{
	static const uint8_t gso_types[] = {
		[FRAME_GSO_NONE] = VIRTIO_NET_HDR_GSO_NONE,
		[FRAME_GSO_TCPV4] = VIRTIO_NET_HDR_GSO_TCPV4,
		[FRAME_GSO_TCPV6] = VIRTIO_NET_HDR_GSO_TCPV6,
		[FRAME_GSO_UDP] = VIRTIO_NET_HDR_GSO_UDP_L4,
	};

	*hdr = (struct virtio_net_hdr_v1){0};
	if (!virtio_pci_has(&vnet->virtio, VIRTIO_NET_F_GUEST_CSUM))
		return;
	if (!(frame->flags & FRAME_CSUM_PARTIAL)) {
		if (frame->flags & FRAME_CSUM_VALID)
			hdr->flags = VIRTIO_NET_HDR_F_DATA_VALID;
		return;
	}
	hdr->flags = VIRTIO_NET_HDR_F_NEEDS_CSUM;
	hdr->csum_start = frame->csum_start;
	hdr->csum_offset = frame->csum_offset;
	if (likely(frame->gso_type == FRAME_GSO_NONE))
		return;
	hdr->gso_type = gso_types[frame->gso_type];
	if (gso_has_cwr(frame))
		hdr->gso_type |= VIRTIO_NET_HDR_GSO_ECN;
	hdr->gso_size = frame->gso_size;
	hdr->hdr_len = frame->header_len;
}

static int vnet_copy_frame(struct vnet_sink *sink, const struct frame *frame)
{
	bool guest_csum =
		virtio_pci_has(&sink->vnet->virtio, VIRTIO_NET_F_GUEST_CSUM);
	bool partial = frame->flags & FRAME_CSUM_PARTIAL;
	struct virtio_net_hdr_v1 hdr;
	int err;

	/* Every source sees to it that the field is in the head. */
	ASSERT(!partial ||
	       (uint32_t)frame->csum_start + frame->csum_offset + 2 <=
		       frame->head_len);
	vnet_sink_reserve_header(sink);
	err = vnet_copy_head(sink, frame, partial && !guest_csum);
	for (unsigned i = 0; !err && i < frame->seg_count; i++)
		err = vnet_sink_copy(sink, frame->segs[i].base,
				     frame->segs[i].len);
	if (err)
		return err;
	vnet_sink_push(sink);
	vnet_fill_header(sink->vnet, frame, &hdr);
	hdr.num_buffers = (uint16_t)sink->pushed;
	vnet_sink_put_header(sink, &hdr);
	return 0;
}

/* One frame as it is; 0, or -1 and why not. */
static int vnet_receive_whole(struct vnet *vnet, const struct frame *frame,
			      enum port_drop *why)
{
	bool mergeable = virtio_pci_has(&vnet->virtio, VIRTIO_NET_F_MRG_RXBUF);
	struct vnet_sink sink;
	int err;

	sink.vnet = vnet;
	sink.chain = &vnet->rx_chain;
	sink.popped = sink.pushed = sink.header_count = 0;
	err = vnet_sink_next(&sink);
	if (!err && !mergeable && sink.room < VNET_HDR_LEN + frame->len) {
		/* Back with nothing in it: were it to stay, a small buffer
		 * would keep all larger frames out for ever. */
		vnet_sink_push(&sink);
		*why = DROP_TOO_BIG;
		return -1;
	}
	if (!err)
		err = vnet_copy_frame(&sink, frame);
	if (!err)
		return 0;
	vnet->rx_chains -= sink.pushed;
	virtqueue_rewind(vnet->rx, sink.popped, sink.pushed);
	*why = DROP_NO_BUFFER;
	if (err != -EAGAIN) {
		*why = DROP_BAD_BUFFER;
		virtio_pci_needs_reset(&vnet->virtio);
	}
	return -1;
}

static void vnet_receive(struct vnet *vnet, const struct frame *frame)
{
	enum port_drop why;

	if (likely(!vnet_receive_whole(vnet, frame, &why)))
		vnet->port.egress.delivered++;
	else
		port_drop_egress(&vnet->port, why);
}

/* May the guest be given it whole? */
static bool vnet_takes_gso(const struct vnet *vnet, const struct frame *frame)
{
	unsigned feature = VIRTIO_NET_F_GUEST_USO4;

	switch (frame->gso_type) {
	case FRAME_GSO_TCPV4:
		feature = VIRTIO_NET_F_GUEST_TSO4;
		break;
	case FRAME_GSO_TCPV6:
		feature = VIRTIO_NET_F_GUEST_TSO6;
		break;
	case FRAME_GSO_UDP:
		if (!gso_is_ipv4(frame))
			feature = VIRTIO_NET_F_GUEST_USO6;
		break;
	}
	return virtio_pci_has(&vnet->virtio, feature) &&
	       virtio_pci_has(&vnet->virtio, VIRTIO_NET_F_GUEST_CSUM) &&
	       (!gso_has_cwr(frame) ||
		virtio_pci_has(&vnet->virtio, VIRTIO_NET_F_GUEST_ECN));
}

/* For a guest that takes no such frame: each segment by itself. */
static void vnet_receive_segments(struct vnet *vnet, const struct frame *frame)
{
	uint8_t head[FRAME_HEAD_SIZE];
	struct frame segment = {.head = head};
	struct gso gso;

	gso_begin(&gso, frame);
	while (gso_next(&gso, &segment))
		vnet_receive(vnet, &segment);
	vnet->port.egress.segments_created += gso.index - 1u;
}

void vnet_deliver(struct port *port, struct frame *const *frames,
		  unsigned count)
{
	struct vnet *vnet = container_of(port, struct vnet, port);

	lock_acquire(&vnet->rx->lock);
	vnet->filter.vlan_on =
		virtio_pci_has(&vnet->virtio, VIRTIO_NET_F_CTRL_VLAN);
	for (unsigned i = 0; i < count; i++) {
		const struct frame *frame = frames[i];

		port_count_egress(port, frame);
		if (unlikely(!vnet->rx->running))
			port_drop_egress(port, DROP_DOWN);
		else if (unlikely(!vnet_filter_takes(&vnet->filter, frame)))
			port_drop_egress(port, DROP_FILTERED);
		else if (likely(frame->gso_type == FRAME_GSO_NONE ||
				vnet_takes_gso(vnet, frame)))
			vnet_receive(vnet, frame);
		else
			vnet_receive_segments(vnet, frame);
	}
	if (vnet->rx->running && virtqueue_publish(vnet->rx)) {
		vnet->rx_interrupts++;
		virtio_pci_interrupt(&vnet->virtio, vnet->rx);
	}
	lock_release(&vnet->rx->lock);
}
