/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The uplink's transmit side: checksums, segments, the NIC's ring, reaping. */
#include <linux/errno.h>

#include "lib/checksum.h"
#include "vswitch/uplink_priv.h"

/* From so many frames outstanding on, the sender itself looks for finished
 * ones: half a batch, so that a busy guest gets its slots back by its own
 * doorbells, and a single request costs no look at the ring. */
#define REAP_FRAMES    (FRAME_BATCH_MAX / 2)
/* What one uplink_reap() returns at most, in batches: more than any ring. */
#define REAP_BATCHES   64
#define NIC_CSUM_REACH 256u /* NETDEV_CSUM: the field lies below this */

/* Is the checksum left for us to finish? The switch has checked that the field
 * lies within the head. */
static bool uplink_needs_csum(const struct uplink *uplink,
			      const struct frame *f)
{
	return f->flags & FRAME_CSUM_PARTIAL &&
	       (!(uplink->dev->caps & NETDEV_CSUM) ||
		f->csum_start + f->csum_offset + 2u > NIC_CSUM_REACH);
}

/* The frame is ours, and its head is private memory: it may be written to. The
 * payload is not interpreted, so a guest that changes it meanwhile harms only
 * its own checksum. Under tx_lock for the counter, or counted by the caller. */
static void uplink_finish_csum(struct frame *f)
{
	struct checksum c = {0};
	uint16_t sum;

	checksum_add(&c, f->head + f->csum_start,
		     f->head_len - (size_t)f->csum_start);
	for (unsigned i = 0; i < f->seg_count; i++)
		checksum_add(&c, f->segs[i].base, f->segs[i].len);
	sum = checksum_finish(&c);
	/* To UDP, 0 means "none" (RFC 768), and 0xffff is the same number. */
	if (sum == 0)
		sum = 0xffff;
	__builtin_memcpy(f->head + f->csum_start + f->csum_offset, &sum, 2);
	f->flags &= (uint8_t)~FRAME_CSUM_PARTIAL;
}

/* Can the NIC send it as it is? One with CWR set is cut up here: a NIC repeats
 * the flag on every segment. */
static bool uplink_takes_whole(const struct uplink *uplink,
			       const struct frame *f)
{
	return likely(f->gso_type == FRAME_GSO_NONE) ||
	       (READ_ONCE(uplink->dev->caps) & NETDEV_TSO &&
		f->gso_type != FRAME_GSO_UDP && !gso_has_cwr(f) &&
		f->head_len > f->header_len);
}

/* The pending list, under tx_lock */

static void uplink_wait(struct uplink *uplink, struct frame *const *frames,
			unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		frames[i]->next = NULL;
		frames[i]->parts = 1; /* its place on the list */
		*uplink->pending_end = frames[i];
		uplink->pending_end = &frames[i]->next;
	}
	uplink->stats.waited += count;
}

static struct frame *uplink_pop_pending(struct uplink *uplink)
{
	struct frame *f = uplink->pending;

	uplink->pending = f->next;
	if (!uplink->pending)
		uplink->pending_end = &uplink->pending;
	return f;
}

/* Back to the front, in order. */
static void uplink_unpop_pending(struct uplink *uplink,
				 struct frame *const *frames, unsigned count)
{
	while (count) {
		struct frame *f = frames[--count];

		f->next = uplink->pending;
		if (!uplink->pending)
			uplink->pending_end = &f->next;
		uplink->pending = f;
	}
}

/* Segments, under tx_lock */

int uplink_tx_init(struct uplink *uplink)
{
	struct uplink_segment *segments =
		plat_alloc(UPLINK_SEGMENTS * sizeof(*segments), CACHE_LINE);

	if (!segments)
		return -ENOMEM;
	uplink->segments = segments;
	for (unsigned i = 0; i < UPLINK_SEGMENTS; i++) {
		segments[i].frame.head = segments[i].head;
		segments[i].frame.next = uplink->free;
		uplink->free = &segments[i].frame;
	}
	return 0;
}

void uplink_tx_free(struct uplink *uplink)
{
	plat_free(uplink->segments,
		  UPLINK_SEGMENTS * sizeof(*uplink->segments));
}

/* The next segment of the first that waits; NULL: none is free. The first one
 * counts for the frame itself. */
static struct frame *uplink_cut(struct uplink *uplink)
{
	struct frame *whole = uplink->pending, *f = uplink->free;

	if (!f) {
		uplink->stats.segments_dry++;
		return NULL;
	}
	uplink->free = f->next;
	if (uplink->gso.frame != whole) {
		gso_begin(&uplink->gso, whole);
		uplink->stats.segmented++;
	} else {
		uplink->port.egress.segments_created++;
		uplink->port.egress.in_flight++;
	}
	gso_next(&uplink->gso, f);
	f->source = &uplink->port; /* what tells it from other frames */
	container_of(f, struct uplink_segment, frame)->whole = whole;
	whole->parts++;
	if (uplink_needs_csum(uplink, f)) {
		uplink_finish_csum(f);
		uplink->stats.csum_in_software++;
	}
	if (gso_done(&uplink->gso)) {
		uplink->gso.frame = NULL;
		uplink_pop_pending(uplink);
		whole->parts--;
	}
	return f;
}

/* The NIC is done with f, or it is dropped: who goes home by that? NULL:
 * nobody yet. */
static struct frame *uplink_finished(struct uplink *uplink, struct frame *f)
{
	struct frame *whole;

	if (likely(f->source != &uplink->port))
		return f;
	whole = container_of(f, struct uplink_segment, frame)->whole;
	f->next = uplink->free;
	uplink->free = f;
	return --whole->parts ? NULL : whole;
}

/* The same for a batch, in place; returns how many go home. */
static unsigned uplink_finish_batch(struct uplink *uplink,
				    struct frame **frames, unsigned count)
{
	unsigned home = 0;

	for (unsigned i = 0; i < count; i++) {
		struct frame *f = uplink_finished(uplink, frames[i]);

		if (f)
			frames[home++] = f;
	}
	return home;
}

/* Sending, under tx_lock */

/* What goes out next of those that wait, off the list. */
static unsigned uplink_gather(struct uplink *uplink, struct frame **frames)
{
	unsigned count = 0;

	while (uplink->pending && count < FRAME_BATCH_MAX) {
		struct frame *f = uplink->pending;

		/* One that is half cut up is cut to its end. */
		if (f == uplink->gso.frame || !uplink_takes_whole(uplink, f))
			f = uplink_cut(uplink);
		else
			f = uplink_pop_pending(uplink);
		if (!f)
			break;
		frames[count++] = f;
	}
	return count;
}

/* Sends what waits, as far as the ring has room. */
static void uplink_flush(struct uplink *uplink)
{
	struct frame *frames[FRAME_BATCH_MAX];
	unsigned count, sent;

	while ((count = uplink_gather(uplink, frames)) != 0) {
		sent = uplink->dev->ops->transmit(uplink->dev, frames, count);
		if (sent < count) {
			uplink_unpop_pending(uplink, frames + sent,
					     count - sent);
			return;
		}
	}
}

/* What the NIC has sent; at most FRAME_BATCH_MAX. Makes room for those that
 * wait. The caller returns them when it has let go of the lock; *reaped tells
 * whether there may be more. */
static unsigned uplink_collect(struct uplink *uplink, struct frame **frames,
			       unsigned *reaped)
{
	struct port_egress *egress = &uplink->port.egress;
	unsigned count =
		uplink->dev->ops->reap(uplink->dev, frames, FRAME_BATCH_MAX);

	*reaped = count;
	egress->delivered += count;
	egress->in_flight -= count;
	count = uplink_finish_batch(uplink, frames, count);
	if (*reaped)
		uplink_flush(uplink);
	return count;
}

/* whole: the NIC takes each of them as it is. */
static void uplink_send(struct uplink *uplink, struct frame *const *frames,
			unsigned count, bool whole)
{
	unsigned sent = 0;

	uplink->port.egress.in_flight += count;
	/* Nobody overtakes those that wait. */
	if (likely(whole && !uplink->pending))
		sent = uplink->dev->ops->transmit(uplink->dev, frames, count);
	if (unlikely(sent < count))
		uplink_wait(uplink, frames + sent, count - sent);
	if (unlikely(!whole))
		uplink_flush(uplink);
}

static bool uplink_can_send(struct uplink *uplink)
{
	if (!uplink->tx_running)
		return false;
	/* While it is down, look again: the message may be on its way. */
	if (unlikely(!uplink->link_up))
		uplink_look_at_link(uplink);
	return uplink->link_up;
}

void uplink_deliver(struct port *port, struct frame *const *frames,
		    unsigned count)
{
	struct uplink *uplink = container_of(port, struct uplink, port);
	struct frame *send[FRAME_BATCH_MAX], *back[FRAME_BATCH_MAX];
	struct frame *done[FRAME_BATCH_MAX];
	unsigned send_count = 0, back_count = 0, done_count = 0, finished = 0;
	unsigned reaped;
	bool whole = true;

	/* The long part, before the lock. */
	for (unsigned i = 0; i < count; i++) {
		struct frame *f = frames[i];

		if (unlikely(gso_wire_len(f) > uplink->dev->frame_max)) {
			back[back_count++] = f;
			continue;
		}
		if (unlikely(!uplink_takes_whole(uplink, f))) {
			whole = false; /* its segments' checksums are later's */
		} else if (uplink_needs_csum(uplink, f)) {
			uplink_finish_csum(f);
			finished++;
		}
		send[send_count++] = f;
	}

	lock_acquire(&uplink->tx_lock);
	for (unsigned i = 0; i < count; i++)
		port_count_egress(port, frames[i]);
	port->egress.drops[DROP_TOO_BIG] += back_count;
	uplink->stats.csum_in_software += finished;
	if (unlikely(!uplink_can_send(uplink))) {
		port->egress.drops[DROP_DOWN] += send_count;
		while (send_count)
			done[done_count++] = send[--send_count];
	} else {
		if (port->egress.in_flight >= REAP_FRAMES)
			done_count = uplink_collect(uplink, done, &reaped);
		if (send_count)
			uplink_send(uplink, send, send_count, whole);
	}
	lock_release(&uplink->tx_lock);

	if (back_count)
		port_return(back, back_count);
	if (done_count)
		port_return(done, done_count);
}

unsigned uplink_reap(struct uplink *uplink)
{
	struct frame *done[FRAME_BATCH_MAX];
	unsigned count, reaped, total = 0;

	for (unsigned i = 0; i < REAP_BATCHES; i++) {
		count = reaped = 0;
		lock_acquire(&uplink->tx_lock);
		if (uplink->tx_running)
			count = uplink_collect(uplink, done, &reaped);
		lock_release(&uplink->tx_lock);
		if (count)
			port_return(done, count);
		if (!reaped)
			break;
		total += count;
	}
	return total;
}

/* Giving up */

/* The first that waits, dropped. What is left of one that was being cut up is
 * dropped as one more segment. */
static struct frame *uplink_drop_first(struct uplink *uplink,
				       enum port_drop why)
{
	struct frame *f = uplink_pop_pending(uplink);

	uplink->port.egress.drops[why]++;
	if (f == uplink->gso.frame) {
		uplink->gso.frame = NULL;
		uplink->port.egress.segments_created++;
		return --f->parts ? NULL : f;
	}
	uplink->port.egress.in_flight--;
	return uplink_finished(uplink, f);
}

void uplink_drop_pending(struct uplink *uplink, enum port_drop why)
{
	struct frame *back[FRAME_BATCH_MAX];
	unsigned count;
	bool more;

	do {
		count = 0;
		lock_acquire(&uplink->tx_lock);
		while (uplink->pending && count < FRAME_BATCH_MAX) {
			struct frame *f = uplink_drop_first(uplink, why);

			if (f)
				back[count++] = f;
		}
		more = uplink->pending;
		lock_release(&uplink->tx_lock);
		if (count)
			port_return(back, count);
	} while (more);
}

void uplink_drop_ring(struct uplink *uplink, enum port_drop why)
{
	struct frame *back[FRAME_BATCH_MAX];
	unsigned count, reaped;

	do {
		lock_acquire(&uplink->tx_lock);
		reaped = uplink->dev->ops->reap(uplink->dev, back,
						FRAME_BATCH_MAX);
		uplink->port.egress.drops[why] += reaped;
		uplink->port.egress.in_flight -= reaped;
		count = uplink_finish_batch(uplink, back, reaped);
		lock_release(&uplink->tx_lock);
		if (count)
			port_return(back, count);
	} while (reaped);
}
