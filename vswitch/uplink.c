/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The uplink: set-up, receive side, interrupts. */
#include <linux/errno.h>

#include "vswitch/uplink_priv.h"

#define RX_BUDGET 256u /* frames for one interrupt or one turn of work */

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

/* Interrupts and the link */

void uplink_look_at_link(struct uplink *uplink)
{
	struct netdev_link link = {0};

	uplink->dev->ops->link(uplink->dev, &link);
	if (link.up == uplink->link_up)
		return;
	uplink->link_up = link.up;
	if (!link.up) {
		log_warn(uplink->port.name, "link down");
		return;
	}
	log_info(uplink->port.name, "link up, %u Mbit/s, %s duplex", link.mbps,
		 link.full_duplex ? "full" : "half");
	work_post(&uplink->announce_work);
}

/* What is out there may not know any more behind which port our guests are. */
static void uplink_announce(struct work *work)
{
	struct uplink *uplink =
		container_of(work, struct uplink, announce_work);

	if (uplink->port.vswitch)
		vswitch_announce(&uplink->port);
}

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
	if (uplink_tx_init(uplink) < 0) {
		plat_free(uplink, sizeof(*uplink));
		return NULL;
	}
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
	work_init(&uplink->announce_work, uplink_announce, NULL);
	return uplink;
}

void uplink_destroy(struct uplink *uplink)
{
	if (!uplink)
		return;
	ASSERT(!uplink->tx_running && !uplink->port.vswitch);
	ASSERT(!uplink->rx_work.posted && !uplink->announce_work.posted);
	uplink_tx_free(uplink);
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
