/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A virtio 1.x network card, driven register by register. */
#ifndef GUEST_NET_H
#define GUEST_NET_H

#include <linux/virtio_net.h>
#include <linux/virtio_ring.h>

#include "lib/types.h"

/*
 * For payloads that want the card to misbehave: nothing is hidden, and rings,
 * descriptors and registers are there to be written. Interrupts are off,
 * everything polls. One card, since a payload has one.
 */
#define NET_QUEUE_SIZE	64
#define NET_QUEUES_MAX	3
#define NET_RX		0
#define NET_TX		1
#define NET_CTRL	2
#define NET_HDR		sizeof(struct virtio_net_hdr_v1)
#define NET_BUFFER_SIZE 2048 /* of each receive buffer */
#define NET_FRAME_MAX	1518
#define NET_BIT(bit)	(1ull << (bit))

struct net_queue {
	unsigned size;
	struct vring_desc *desc;
	struct vring_avail *avail;
	struct vring_used *used;
	uint16_t next_desc; /* descriptors are handed out in a circle */
	uint16_t avail_idx; /* what avail->idx is meant to be */
	uint16_t used_seen;
};

struct net_piece {
	uint64_t gpa;
	uint32_t len;
	uint16_t flags; /* VRING_DESC_F_*; NEXT comes by itself */
};

struct net {
	unsigned slot;
	volatile uint8_t *common; /* struct virtio_pci_common_cfg */
	volatile uint8_t *isr, *config, *notify;
	uint16_t doorbell; /* port */
	volatile uint32_t *msix;
	unsigned msix_cap;
	unsigned queue_count;
	uint64_t offered, features;
	uint8_t mac[6];
	struct net_queue queues[NET_QUEUES_MAX];
};

extern struct net net;

/* Finds the card and its registers; false: something is missing. */
bool net_find(void);

/* Registers of the common configuration (VIRTIO_PCI_COMMON_*). */
uint32_t net_get(unsigned reg, unsigned size);
void net_set(unsigned reg, unsigned size, uint32_t value);
uint8_t net_status(void);

/* Status 0, until it reads so; false: it never did. */
bool net_reset(void);
/* Reset, then up to FEATURES_OK; the card's answer. */
bool net_negotiate(uint64_t features);
/* A queue with memory of its own, empty; and what says so to the card. */
void net_make_queue(unsigned index);
void net_write_queue(unsigned index);
void net_enable_queue(unsigned index);
/* Negotiated (features and VERSION_1), queues made and written. */
bool net_prepare(uint64_t features);
/* Then: queues enabled, DRIVER_OK. */
bool net_go(void);
/* All of it, with receive buffers posted. */
bool net_start(uint64_t features);

/* A chain, made available and not rung for; its head. */
uint16_t net_post(unsigned index, const struct net_piece *pieces,
		  unsigned count);
/* Writes descriptor number at; offers head; as net_post() does in one. */
void net_put_desc(unsigned index, unsigned at, uint64_t gpa, uint32_t len,
		  uint16_t flags, uint16_t next);
void net_offer(unsigned index, uint16_t head);
void net_kick(unsigned index);
/* The next used element, within some seconds; false: none. */
bool net_take(unsigned index, struct vring_used_elem *elem);
bool net_needs_reset(void);

/* The 2 KiB that net_send() sends from, and the header before it. */
extern uint8_t net_frame[NET_BUFFER_SIZE];
extern struct virtio_net_hdr_v1 net_hdr;

/* An Ethernet header in net_frame. */
void net_address(const uint8_t *to, const uint8_t *from, uint16_t type);
/* net_hdr and net_frame's first len bytes; true: it came back used. */
bool net_send(uint32_t len);
/* Asks 10.0.2.host for its address; net_arp() waits for the answer, too. */
bool net_arp_ask(unsigned host);
bool net_arp(unsigned host);

#endif
