/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The 82574L driver's state, shared by its set-up and its rings. */
#ifndef DRIVERS_NET_E1000E_PRIV_H
#define DRIVERS_NET_E1000E_PRIV_H

#include "drivers/net/e1000e_reg.h"
#include "drivers/net/netdev.h"

#define RING_SIZE      256u /* descriptors; a multiple of 8 (7.1.8, 7.2.4) */
#define RING_MASK      (RING_SIZE - 1)
#define RING_ROOM      (RING_SIZE - 1) /* head equals tail means empty */
#define RX_BUFFER_SIZE 2048u
#define FRAME_MAX      1518u /* one VLAN tag, no FCS */
#define TX_LEN_MIN     17u   /* what TCTL.PSP can pad to 64 bytes (10.2.6.1) */

_Static_assert((RING_SIZE & RING_MASK) == 0, "indices run freely");
_Static_assert(FRAME_MAX <= RX_BUFFER_SIZE, "a frame fits one buffer");
_Static_assert(FRAME_HEAD_SIZE <= 256, "TUCSS and TUCSO have 8 bits (7.2.10)");

struct e1000e_rx {
	struct e1000e_rx_desc *ring;
	uint8_t *buffers;
	uint64_t buffers_iova;
	uint32_t next;	/* to look at */
	uint32_t armed; /* armed up to here; behind it, lent out */
	bool split;	/* within a frame of several descriptors */
	struct frame frames[FRAME_BATCH_MAX];
};

struct e1000e_tx_slot {
	struct frame *frame;
	uint32_t end; /* the descriptor after the frame's last */
};

struct e1000e_tx {
	struct e1000e_tx_desc *ring;
	uint32_t next, done, clean;
	uint32_t context; /* in the NIC now: CONTEXT_LOADED, TUCSO, TUCSS */
	uint32_t slot_head, slot_tail;
	uint32_t mark_head, mark_tail;
	uint8_t *pad; /* TX_LEN_MIN zeroes */
	uint64_t pad_iova;
	struct e1000e_tx_slot slots[RING_SIZE]; /* frames, in order */
	uint32_t marks[RING_SIZE]; /* descriptors with RS, in order */
};

struct e1000e {
	struct netdev dev;
	bool running;
	bool promiscuous;
	uint8_t filter_count;
	uint8_t filter_macs[NETDEV_FILTER_MAX][ETH_ADDR_LEN];
	struct e1000e_tx tx CACHE_ALIGNED;
	struct e1000e_rx rx CACHE_ALIGNED;
};

static inline struct e1000e *e1000e_of(struct netdev *dev)
{
	return container_of(dev, struct e1000e, dev);
}

static inline uint32_t e1000e_read(const struct e1000e *nic, uint32_t reg)
{
	return mmio_read32(&nic->dev.res.regs, reg);
}

static inline void e1000e_write(const struct e1000e *nic, uint32_t reg,
				uint32_t value)
{
	mmio_write32(&nic->dev.res.regs, reg, value);
}

/* To a counter that both sides add to. */
static inline void e1000e_count(uint64_t *counter, uint32_t events)
{
	__atomic_fetch_add(counter, events, __ATOMIC_RELAXED);
}

/* e1000e_ring.c: these three as in netdev_ops. */
unsigned e1000e_ring_transmit(struct netdev *dev, struct frame *const *frames,
			      unsigned count);
unsigned e1000e_ring_reap(struct netdev *dev, struct frame **frames,
			  unsigned max);
unsigned e1000e_ring_poll(struct netdev *dev, struct frame **frames,
			  unsigned max);
/* Empty rings, receive descriptors armed; the NIC is quiet. */
void e1000e_ring_reset(struct e1000e *nic);
/* The NIC will never report again: whatever is on the ring is done. */
void e1000e_ring_abandon(struct e1000e *nic);
/* Is there something that reap() or poll() would take now? */
bool e1000e_ring_tx_pending(const struct e1000e_tx *tx);
bool e1000e_ring_rx_pending(const struct e1000e_rx *rx);

#endif
