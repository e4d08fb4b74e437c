/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The uplink: set-up, transmit side, interrupts. */
#include "vswitch/uplink.h"

#include <linux/errno.h>

#include "lib/checksum.h"

#define RX_BUDGET      256u /* frames for one interrupt or one turn of work */
/* From so many frames outstanding on, the sender itself looks for finished
 * ones: half a batch, so that a busy guest gets its slots back by its own
 * doorbells, and a single request costs no look at the ring. */
#define REAP_FRAMES    (FRAME_BATCH_MAX / 2)
/* What one uplink_reap() returns at most, in batches: more than any ring. */
#define REAP_BATCHES   64
#define NIC_CSUM_REACH 256u /* NETDEV_CSUM: the field lies below this */

/* Transmit */

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
 * its own checksum. */
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

static void uplink_wait(struct uplink *uplink, struct frame *const *frames,
			unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		frames[i]->next = NULL;
		*uplink->pending_end = frames[i];
		uplink->pending_end = &frames[i]->next;
	}
	uplink->stats.waited += count;
}

/* Takes at most FRAME_BATCH_MAX off the pending list. */
static unsigned uplink_take_pending(struct uplink *uplink,
				    struct frame **frames)
{
	unsigned count = 0;

	while (uplink->pending && count < FRAME_BATCH_MAX) {
		frames[count] = uplink->pending;
		uplink->pending = frames[count++]->next;
	}
	if (!uplink->pending)
		uplink->pending_end = &uplink->pending;
	return count;
}

/* Sends what waits, as far as the ring has room. */
static void uplink_flush(struct uplink *uplink)
{
	struct frame *frames[FRAME_BATCH_MAX];

	while (uplink->pending) {
		struct frame *f = uplink->pending;
		unsigned count = 0, sent;

		for (; f && count < FRAME_BATCH_MAX; f = f->next)
			frames[count++] = f;
		sent = uplink->dev->ops->transmit(uplink->dev, frames, count);
		uplink->pending = sent < count ? frames[sent] : f;
		if (sent < count)
			return;
	}
	uplink->pending_end = &uplink->pending;
}

/* What the NIC has sent; at most FRAME_BATCH_MAX. Makes room for those that
 * wait. The caller returns them when it has let go of the lock. */
static unsigned uplink_collect(struct uplink *uplink, struct frame **frames)
{
	struct port_egress *egress = &uplink->port.egress;
	unsigned count =
		uplink->dev->ops->reap(uplink->dev, frames, FRAME_BATCH_MAX);

	egress->delivered += count;
	egress->in_flight -= count;
	if (count)
		uplink_flush(uplink);
	return count;
}

static void uplink_send(struct uplink *uplink, struct frame *const *frames,
			unsigned count)
{
	unsigned sent = 0;

	uplink->port.egress.in_flight += count;
	/* Nobody overtakes those that wait. */
	if (!uplink->pending)
		sent = uplink->dev->ops->transmit(uplink->dev, frames, count);
	uplink_wait(uplink, frames + sent, count - sent);
}

/* Notes whether the link is up, and says so when that has changed. */
static void uplink_look_at_link(struct uplink *uplink)
{
	struct netdev_link link = {0};

	uplink->dev->ops->link(uplink->dev, &link);
	if (link.up == uplink->link_up)
		return;
	uplink->link_up = link.up;
	if (link.up)
		log_info(uplink->port.name, "link up, %u Mbit/s, %s duplex",
			 link.mbps, link.full_duplex ? "full" : "half");
	else
		log_warn(uplink->port.name, "link down");
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

static void uplink_deliver(struct port *port, struct frame *const *frames,
			   unsigned count)
{
	struct uplink *uplink = container_of(port, struct uplink, port);
	struct frame *send[FRAME_BATCH_MAX], *back[FRAME_BATCH_MAX];
	struct frame *done[FRAME_BATCH_MAX];
	unsigned send_count = 0, back_count = 0, done_count = 0, finished = 0;

	/* The long part, before the lock. */
	for (unsigned i = 0; i < count; i++) {
		struct frame *f = frames[i];

		/* No driver has NETDEV_TSO, and no guest is offered it. */
		if (f->len > uplink->dev->frame_max ||
		    f->gso_type != FRAME_GSO_NONE) {
			back[back_count++] = f;
			continue;
		}
		if (uplink_needs_csum(uplink, f)) {
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
			done_count = uplink_collect(uplink, done);
		if (send_count)
			uplink_send(uplink, send, send_count);
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
	unsigned count, total = 0;

	for (unsigned i = 0; i < REAP_BATCHES; i++) {
		lock_acquire(&uplink->tx_lock);
		count = uplink->tx_running ? uplink_collect(uplink, done) : 0;
		lock_release(&uplink->tx_lock);
		if (!count)
			break;
		port_return(done, count);
		total += count;
	}
	return total;
}

/* Gives back what waits. */
static void uplink_drop_pending(struct uplink *uplink, enum port_drop why)
{
	struct frame *back[FRAME_BATCH_MAX];
	unsigned count;

	do {
		lock_acquire(&uplink->tx_lock);
		count = uplink_take_pending(uplink, back);
		uplink->port.egress.drops[why] += count;
		uplink->port.egress.in_flight -= count;
		lock_release(&uplink->tx_lock);
		if (count)
			port_return(back, count);
	} while (count);
}

/* Receive */

/* Under rx_lock. The frames are the NIC's own buffers, valid until its next
 * poll(): nobody on the switch but us may hold frames, so all are copied by
 * then, and our complete() has nothing to do. */
static unsigned uplink_harvest(struct uplink *uplink, unsigned budget)
{
	struct frame *frames[FRAME_BATCH_MAX];
	unsigned total = 0, count;

	while (uplink->rx_running && total < budget) {
		count = uplink->dev->ops->poll(
			uplink->dev, frames,
			MIN(budget - total, (unsigned)FRAME_BATCH_MAX));
		if (!count)
			break;
		uplink->stats.polls++;
		vswitch_input(&uplink->port, frames, count);
		total += count;
	}
	return total;
}

unsigned uplink_poll(struct uplink *uplink, unsigned budget)
{
	unsigned total;

	lock_acquire(&uplink->rx_lock);
	total = uplink_harvest(uplink, budget);
	lock_release(&uplink->rx_lock);
	return total;
}

/* The receive vector is masked, and stays so until the ring is dry. */
static void uplink_receive(struct uplink *uplink)
{
	lock_acquire(&uplink->rx_lock);
	if (uplink_harvest(uplink, RX_BUDGET) == RX_BUDGET) {
		uplink->stats.budget_spent++;
		work_post(&uplink->rx_work);
	} else if (uplink->rx_running) {
		uplink->dev->ops->irq_enable(uplink->dev, NETDEV_VECTOR_RX,
					     true);
	}
	lock_release(&uplink->rx_lock);
}

static void uplink_rx_work(struct work *work)
{
	uplink_receive(container_of(work, struct uplink, rx_work));
}

static void uplink_complete(struct port *port, struct frame *const *frames,
			    unsigned count)
{
	(void)port, (void)frames, (void)count;
}

static const struct port_ops uplink_port_ops = {
	.holds = true,
	.deliver = uplink_deliver,
	.complete = uplink_complete,
};

/* Interrupts */

static void uplink_unmask(struct uplink *uplink, enum netdev_vector vector)
{
	lock_acquire(&uplink->tx_lock);
	if (uplink->tx_running)
		uplink->dev->ops->irq_enable(uplink->dev, vector, true);
	lock_release(&uplink->tx_lock);
}

/* Set-up */

struct uplink *uplink_create(struct netdev *dev, const char *name)
{
	struct uplink *uplink = plat_alloc(sizeof(*uplink), CACHE_LINE);

	if (!uplink)
		return NULL;
	for (unsigned i = 0; i < PORT_NAME_SIZE - 1 && name[i]; i++)
		uplink->port.name[i] = name[i];
	uplink->port.ops = &uplink_port_ops;
	uplink->port.trusted = true;
	uplink->port.frame_max = dev->frame_max;
	uplink->dev = dev;
	uplink->pending_end = &uplink->pending;
	lock_init(&uplink->rx_lock, "uplink rx", LOCK_UPLINK_RX);
	lock_init(&uplink->tx_lock, "uplink tx", LOCK_UPLINK_TX);
	work_init(&uplink->rx_work, uplink_rx_work, NULL);
	return uplink;
}

void uplink_destroy(struct uplink *uplink)
{
	if (!uplink)
		return;
	ASSERT(!uplink->tx_running && !uplink->port.vswitch);
	ASSERT(!uplink->rx_work.posted);
	plat_free(uplink, sizeof(*uplink));
}

int uplink_attach(struct uplink *uplink, struct vswitch *sw)
{
	return vswitch_attach(sw, &uplink->port);
}

void uplink_detach(struct uplink *uplink)
{
	vswitch_detach(&uplink->port);
}

int uplink_start(struct uplink *uplink)
{
	const struct netdev_ops *ops = uplink->dev->ops;
	int err = -EALREADY;

	lock_acquire(&uplink->rx_lock);
	lock_acquire(&uplink->tx_lock);
	if (uplink->tx_running)
		goto out;
	err = ops->start(uplink->dev);
	if (err)
		goto out;
	uplink->rx_running = uplink->tx_running = true;
	uplink_look_at_link(uplink);
	for (unsigned v = 0; v < NETDEV_VECTORS_MAX; v++)
		ops->irq_enable(uplink->dev, (enum netdev_vector)v, true);
out:
	lock_release(&uplink->tx_lock);
	lock_release(&uplink->rx_lock);
	return err;
}

/* What the NIC gave up. */
static void uplink_drop_ring(struct uplink *uplink, enum port_drop why)
{
	struct frame *back[FRAME_BATCH_MAX];
	unsigned count;

	do {
		lock_acquire(&uplink->tx_lock);
		count = uplink->dev->ops->reap(uplink->dev, back,
					       FRAME_BATCH_MAX);
		uplink->port.egress.drops[why] += count;
		uplink->port.egress.in_flight -= count;
		lock_release(&uplink->tx_lock);
		if (count)
			port_return(back, count);
	} while (count);
}

/* Stops the NIC; all frames go back, those that were not sent for this reason.
 */
static void uplink_halt(struct uplink *uplink, enum port_drop why)
{
	bool ran;

	/* What is already sent counts as delivered. */
	uplink_reap(uplink);
	lock_acquire(&uplink->rx_lock);
	lock_acquire(&uplink->tx_lock);
	ran = uplink->tx_running;
	uplink->rx_running = uplink->tx_running = uplink->link_up = false;
	if (ran)
		uplink->dev->ops->stop(uplink->dev);
	lock_release(&uplink->tx_lock);
	lock_release(&uplink->rx_lock);
	if (!ran)
		return;
	/* Nothing can be added any more. */
	uplink_drop_ring(uplink, why);
	uplink_drop_pending(uplink, why);
	ASSERT(uplink->port.egress.in_flight == 0);
}

void uplink_stop(struct uplink *uplink)
{
	uplink_halt(uplink, DROP_DEVICE_ERROR);
}

/*
 * A NIC without a link sends nothing and reports nothing: frames on its ring
 * would stay there, and a VM with them, which may not reuse their memory. A
 * restart brings them back; nothing else is lost while the link is down.
 */
static void uplink_link_lost(struct uplink *uplink)
{
	int err;

	uplink_halt(uplink, DROP_DOWN);
	err = uplink_start(uplink);
	if (err)
		log_error(uplink->port.name,
			  "the NIC does not start again after the link went "
			  "down (%d): no frame passes it until the machine is "
			  "booted anew",
			  err);
}

static void uplink_link_changed(struct uplink *uplink)
{
	bool stuck;

	lock_acquire(&uplink->tx_lock);
	if (uplink->tx_running)
		uplink_look_at_link(uplink);
	stuck = !uplink->link_up && uplink->port.egress.in_flight;
	lock_release(&uplink->tx_lock);
	if (stuck)
		uplink_link_lost(uplink);
}

void uplink_interrupt(struct uplink *uplink, enum netdev_vector vector)
{
	__atomic_fetch_add(&uplink->stats.irqs[vector], 1, __ATOMIC_RELAXED);
	uplink->dev->ops->irq_ack(uplink->dev, vector);
	switch (vector) {
	case NETDEV_VECTOR_RX:
		uplink_receive(uplink);
		break;
	case NETDEV_VECTOR_TX:
		uplink_reap(uplink);
		uplink_unmask(uplink, vector);
		break;
	case NETDEV_VECTOR_OTHER:
		uplink_link_changed(uplink);
		uplink_unmask(uplink, vector);
		break;
	}
}

void uplink_update_filter(struct uplink *uplink)
{
	uint8_t macs[NETDEV_FILTER_MAX][ETH_ADDR_LEN];
	bool promiscuous = false;
	unsigned count = 0;

	/* Under the lock all the way, so that the last to look is the last to
	 * set. */
	lock_acquire(&uplink->rx_lock);
	if (uplink->port.vswitch)
		count = vswitch_macs(uplink->port.vswitch, &uplink->port, macs,
				     NETDEV_FILTER_MAX, &promiscuous);
	if (count > NETDEV_FILTER_MAX) {
		count = NETDEV_FILTER_MAX;
		promiscuous = true;
	}
	uplink->dev->ops->filter(uplink->dev, macs, count, promiscuous);
	lock_release(&uplink->rx_lock);
}

void uplink_link(struct uplink *uplink, struct netdev_link *link)
{
	*link = (struct netdev_link){0};
	lock_acquire(&uplink->tx_lock);
	if (uplink->tx_running)
		uplink->dev->ops->link(uplink->dev, link);
	lock_release(&uplink->tx_lock);
}
