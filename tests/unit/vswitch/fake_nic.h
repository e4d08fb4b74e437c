/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A netdev played by a test: a small ring, and a wire that remembers. */
#ifndef TESTS_UNIT_VSWITCH_FAKE_NIC_H
#define TESTS_UNIT_VSWITCH_FAKE_NIC_H

#include <string.h>

#include "plat/linux/linux.h"
#include "vswitch/uplink.h"

#define FAKE_RING_MAX 512
#define FAKE_RX_MAX   1024

struct fake_nic {
	struct netdev dev;
	struct uplink *uplink; /* whose locks must be held */
	int start_error;
	bool running;
	unsigned starts;
	unsigned ring_size; /* frames, at most FAKE_RING_MAX */
	unsigned transmits; /* calls */
	/* put, of these sent by the NIC, of these reaped */
	unsigned put, sent, reaped;
	struct frame *ring[FAKE_RING_MAX];
	void (*on_sent)(struct frame *f); /* a frame leaves; or NULL */
	bool unmasked[NETDEV_VECTORS_MAX];
	unsigned acks[NETDEV_VECTORS_MAX];
	struct netdev_link link;
	uint8_t macs[NETDEV_FILTER_MAX][ETH_ADDR_LEN];
	unsigned mac_count;
	bool promiscuous;
	/* Frames that came in from the wire */
	unsigned rx_put, rx_taken;
	struct frame rx[FAKE_RX_MAX];
	uint8_t rx_heads[FAKE_RX_MAX][64];
};

static inline struct fake_nic *fake_nic_of(struct netdev *dev)
{
	return container_of(dev, struct fake_nic, dev);
}

static inline int fake_nic_start(struct netdev *dev)
{
	struct fake_nic *nic = fake_nic_of(dev);

	nic->running = !nic->start_error;
	nic->starts += nic->running;
	return nic->start_error;
}

static inline void fake_nic_stop(struct netdev *dev)
{
	struct fake_nic *nic = fake_nic_of(dev);

	nic->running = false;
	nic->sent = nic->put; /* gives up what it has */
	memset(nic->unmasked, 0, sizeof(nic->unmasked));
}

static inline unsigned fake_nic_transmit(struct netdev *dev,
					 struct frame *const *frames,
					 unsigned count)
{
	struct fake_nic *nic = fake_nic_of(dev);
	unsigned n = 0;

	ASSERT(lock_held(&nic->uplink->tx_lock) && nic->running);
	ASSERT(count >= 1 && count <= FRAME_BATCH_MAX);
	nic->transmits++;
	for (; n < count && nic->put - nic->reaped < nic->ring_size; n++) {
		ASSERT(gso_wire_len(frames[n]) <= dev->frame_max);
		ASSERT(frames[n]->gso_type == FRAME_GSO_NONE ||
		       (dev->caps & NETDEV_TSO &&
			frames[n]->gso_type != FRAME_GSO_UDP &&
			!gso_has_cwr(frames[n]) &&
			frames[n]->head_len > frames[n]->header_len));
		nic->ring[nic->put++ % FAKE_RING_MAX] = frames[n];
	}
	return n;
}

static inline unsigned fake_nic_reap(struct netdev *dev, struct frame **frames,
				     unsigned max)
{
	struct fake_nic *nic = fake_nic_of(dev);
	unsigned n = 0;

	ASSERT(lock_held(&nic->uplink->tx_lock));
	while (n < max && nic->reaped != nic->sent)
		frames[n++] = nic->ring[nic->reaped++ % FAKE_RING_MAX];
	return n;
}

static inline unsigned fake_nic_poll(struct netdev *dev, struct frame **frames,
				     unsigned max)
{
	struct fake_nic *nic = fake_nic_of(dev);
	unsigned n = 0;

	ASSERT(lock_held(&nic->uplink->rx_lock) && nic->running);
	ASSERT(max >= 1 && max <= FRAME_BATCH_MAX);
	while (n < max && nic->rx_taken != nic->rx_put)
		frames[n++] = &nic->rx[nic->rx_taken++ % FAKE_RX_MAX];
	return n;
}

static inline void fake_nic_irq_enable(struct netdev *dev, enum netdev_vector v,
				       bool on)
{
	struct fake_nic *nic = fake_nic_of(dev);

	ASSERT(nic->running);
	ASSERT(lock_held(v == NETDEV_VECTOR_RX ? &nic->uplink->rx_lock
					       : &nic->uplink->tx_lock));
	nic->unmasked[v] = on;
}

static inline void fake_nic_irq_ack(struct netdev *dev, enum netdev_vector v)
{
	struct fake_nic *nic = fake_nic_of(dev);

	nic->acks[v]++;
	nic->unmasked[v] = false;
}

static inline void fake_nic_link(struct netdev *dev, struct netdev_link *link)
{
	*link = fake_nic_of(dev)->link;
}

static inline void fake_nic_filter(struct netdev *dev,
				   const uint8_t (*macs)[ETH_ADDR_LEN],
				   unsigned count, bool promiscuous)
{
	struct fake_nic *nic = fake_nic_of(dev);

	ASSERT(count <= NETDEV_FILTER_MAX);
	memcpy(nic->macs, macs, count * sizeof(*macs));
	nic->mac_count = count;
	nic->promiscuous = promiscuous;
}

static const struct netdev_ops fake_nic_ops = {
	.name = "fake",
	.start = fake_nic_start,
	.stop = fake_nic_stop,
	.transmit = fake_nic_transmit,
	.reap = fake_nic_reap,
	.poll = fake_nic_poll,
	.irq_enable = fake_nic_irq_enable,
	.irq_ack = fake_nic_irq_ack,
	.link = fake_nic_link,
	.filter = fake_nic_filter,
};

static inline void fake_nic_init(struct fake_nic *nic, unsigned ring_size)
{
	memset(nic, 0, sizeof(*nic));
	nic->dev.ops = &fake_nic_ops;
	nic->dev.frame_max = 1518;
	nic->ring_size = ring_size;
	nic->link = (struct netdev_link){true, true, 1000};
}

/* The NIC has sent count more frames, or all it has. */
static inline void fake_nic_finish(struct fake_nic *nic, unsigned count)
{
	for (; count && nic->sent != nic->put; count--) {
		struct frame *f = nic->ring[nic->sent++ % FAKE_RING_MAX];

		if (nic->on_sent)
			nic->on_sent(f);
	}
}

/* A frame from the wire. */
static inline void fake_nic_receive(struct fake_nic *nic, const uint8_t *to,
				    const uint8_t *from)
{
	unsigned at = nic->rx_put++ % FAKE_RX_MAX;
	struct frame *f = &nic->rx[at];

	/* As a driver leaves it: not all fields are set. */
	memset(f, 0xa5, sizeof(*f));
	f->head = nic->rx_heads[at];
	f->len = f->head_len = 60;
	f->flags = f->gso_type = f->seg_count = 0;
	f->gso_size = 0;
	memcpy(f->head, to, ETH_ADDR_LEN);
	memcpy(f->head + ETH_ADDR_LEN, from, ETH_ADDR_LEN);
}

#endif
