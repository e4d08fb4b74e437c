/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The netdev_ops seam: a physical NIC as the switch's uplink sees it. */
#ifndef DRIVERS_NET_NETDEV_H
#define DRIVERS_NET_NETDEV_H

#include "lib/frame.h"
#include "plat/mmio.h"

#define NETDEV_VECTORS_MAX 3
#define NETDEV_FILTER_MAX  15 /* unicast addresses beside the NIC's own */

/* What a NIC can do for a frame; the uplink does the rest in software. */
enum netdev_caps {
	/* FRAME_CSUM_PARTIAL on transmit; the checksum field lies within the
	 * head and its first 256 bytes, or the frame leaves unfinished. */
	NETDEV_CSUM = 1 << 0,
	NETDEV_RX_CSUM = 1 << 1, /* FRAME_CSUM_VALID on receive */
	/* GSO frames of TCP, without CWR, whose payload begins in the head;
	 * gso_check() has passed them, and the headers may be written to. Only
	 * with NETDEV_CSUM. Comes and goes with the link: link() says. */
	NETDEV_TSO = 1 << 2,
};

/* What the bus found; filled in by PCI code (or a test) before attach. */
struct netdev_resources {
	struct mmio regs; /* BAR 0 */
	uint16_t vendor, device;
};

/* One MSI-X vector's purpose, in the order of the NIC's vector numbers. */
enum netdev_vector {
	NETDEV_VECTOR_RX,
	NETDEV_VECTOR_TX,
	NETDEV_VECTOR_OTHER, /* link change, errors */
};

struct netdev_link {
	bool up, full_duplex;
	uint32_t mbps;
};

/* Counters of the driver itself; frames are counted by the port's ledger. */
struct netdev_stats {
	uint64_t interrupts[NETDEV_VECTORS_MAX];
	uint64_t rx_errors; /* bad bytes: by the NIC's count or a descriptor */
	uint64_t rx_missed; /* the NIC had no descriptor */
	uint64_t rx_runts;  /* too short, dropped by the NIC */
	uint64_t rx_giants; /* too long, dropped by the NIC */
	uint64_t tx_tail_writes;
	uint64_t device_nonsense; /* values that no sane device writes */
};

struct netdev;

/*
 * All calls are for one netdev at a time and never overlap within a side: the
 * uplink serializes transmit, reap and irq_enable(TX) under its transmit lock,
 * poll and irq_enable(RX) under its receive lock, the rest at set-up; irq_ack
 * needs no lock.
 */
struct netdev_ops {
	const char *name;
	/* Resets and initializes the NIC, interrupts masked. 0, -ENODEV,
	 * -ENOMEM, -ETIMEDOUT. */
	int (*start)(struct netdev *dev);
	/* Silences the NIC: no DMA and no interrupt after it returns. Frames
	 * still on the ring come back through reap(). */
	void (*stop)(struct netdev *dev);
	/* Puts frames on the ring, in order, one tail write for all. Returns
	 * how many fitted; those belong to the NIC until reap(). Heads and
	 * segments are not empty, len is their sum and at most frame_max (of a
	 * GSO frame: each of its segments). */
	unsigned (*transmit)(struct netdev *dev, struct frame *const *frames,
			     unsigned count);
	/* Frames the NIC has finished with, at most max. */
	unsigned (*reap)(struct netdev *dev, struct frame **frames,
			 unsigned max);
	/* Received frames, at most max; valid until the next poll(). At least
	 * an Ethernet header; what is longer than frame_max is for the switch
	 * to drop. */
	unsigned (*poll)(struct netdev *dev, struct frame **frames,
			 unsigned max);
	/* Mask or unmask one vector. After unmasking, work that came in
	 * between raises the interrupt again (no lost edge). */
	void (*irq_enable)(struct netdev *dev, enum netdev_vector v, bool on);
	/* Called from the vector's handler: acknowledges the cause. The vector
	 * is masked now, until irq_enable(). A message may come late, with no
	 * work left or already masked: handle it alike. */
	void (*irq_ack)(struct netdev *dev, enum netdev_vector v);
	void (*link)(struct netdev *dev, struct netdev_link *link);
	/* Unicast addresses to accept beside its own; more than
	 * NETDEV_FILTER_MAX, or promiscuous: all. Multicast: always all. Kept
	 * over stop() and start(). */
	void (*filter)(struct netdev *dev, const uint8_t (*macs)[ETH_ADDR_LEN],
		       unsigned count, bool promiscuous);
};

/* A driver embeds this as its first member. */
struct netdev {
	const struct netdev_ops *ops;
	struct netdev_resources res;
	uint8_t mac[ETH_ADDR_LEN];
	uint32_t caps;	    /* enum netdev_caps; READ_ONCE() */
	uint32_t frame_max; /* longest frame it can take, without FCS */
	/* Written on every batch: away from what both sides read. */
	struct netdev_stats stats CACHE_ALIGNED;
};

/*
 * Makes the driver's instance for a PCI function, NULL if no driver knows it
 * or memory ran dry; mac is read, nothing is started. netdev_known() only asks.
 */
struct netdev *netdev_attach(const struct netdev_resources *res);
bool netdev_known(uint16_t vendor, uint16_t device);
void netdev_detach(struct netdev *dev); /* stopped, and all reaped */

#endif
