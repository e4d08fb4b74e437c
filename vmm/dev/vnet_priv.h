/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The layout of a virtual network card, between its files. */
#ifndef VMM_DEV_VNET_PRIV_H
#define VMM_DEV_VNET_PRIV_H

#include <linux/virtio_net.h>

#include "vmm/dev/virtio_pci.h"
#include "vmm/dev/vnet.h"
#include "vmm/dev/vnet_filter.h"

/* Queue numbers (virtio 1.2, 5.1.2). */
#define VNET_QUEUE_RX		  0
#define VNET_QUEUE_TX		  1
#define VNET_QUEUE_CTRL		  2

/* Virtio 1.2, 5.1.3 and 5.1.6; not in linux/virtio_net.h of Linux 6.1. */
#define VIRTIO_NET_F_GUEST_USO4	  54
#define VIRTIO_NET_F_GUEST_USO6	  55
#define VIRTIO_NET_F_HOST_USO	  56
#define VIRTIO_NET_HDR_GSO_UDP_L4 5

/* Every frame carries this header in either direction (5.1.6). */
#define VNET_HDR_LEN		  sizeof(struct virtio_net_hdr_v1)

/* A frame on loan to the switch: its head is ours, its payload the guest's. */
struct vnet_slot {
	struct frame frame;
	uint8_t store[FRAME_HEAD_SIZE];
};

/* (t) transmit queue's lock, (r) receive queue's, (c) control queue's, (a)
 * atomic */
struct vnet {
	struct virtio_pci virtio; /* first */
	struct port port;	  /* ingress (t), egress (r) */
	/* Changed under (r); readers look at the generation. */
	struct virtio_net_config config;
	struct virtqueue *rx, *tx, *ctrl; /* into virtio */

	struct virtqueue_chain tx_chain; /* (t) the one being loaded */
	struct work tx_work;		 /* what a doorbell left over */
	bool tx_deferred;		 /* (t) tx_work has been posted */
	uint64_t doorbells, tx_chains, tx_interrupts, tx_deferrals; /* (t) */

	struct virtqueue_chain rx_chain CACHE_ALIGNED; /* (r) */
	uint64_t rx_chains, rx_interrupts;	       /* (r) */
	uint64_t rx_doorbells;			       /* (a) */
	struct vnet_filter filter;		       /* (r) */

	struct virtqueue_chain ctrl_chain CACHE_ALIGNED;	 /* (c) */
	struct vnet_filter_table ctrl_tables[VNET_FILTER_KINDS]; /* (c) */
	struct work ctrl_work;		     /* what a doorbell left over */
	bool ctrl_deferred;		     /* (c) */
	uint64_t ctrl_commands, ctrl_errors; /* (c) */

	/* Frames that have come home, put here by any CPU. */
	struct frame *done CACHE_ALIGNED; /* (a) */
	uint32_t in_flight;		  /* (a) lent to the switch */
	uint32_t work_pending;		  /* (a) works posted, not yet over */

	/* By head index: a head is out at most once, so its slot is free. */
	struct vnet_slot slots[VNET_QUEUE_SIZE] CACHE_ALIGNED;
};

/* vnet_tx.c */
void vnet_doorbell_tx(struct vnet *vnet);
void vnet_work_tx(struct work *work);
void vnet_complete(struct port *port, struct frame *const *frames,
		   unsigned count);
/* Hands back what has come home, then lets go of the transmit lock. */
void vnet_unlock_tx(struct vnet *vnet);
/* The queues have stopped: is everything home? */
bool vnet_quiet(struct virtio_pci *virtio);

/* vnet_ctrl.c */
void vnet_doorbell_ctrl(struct vnet *vnet);
void vnet_work_ctrl(struct work *work);
/* Asks the guest to tell the network where it is. No lock held. */
void vnet_announce(struct port *port);
/* Filter, address and status as after power-on; the queues have stopped. */
void vnet_reset(struct virtio_pci *virtio);

/* vnet_rx.c */
void vnet_deliver(struct port *port, struct frame *const *frames,
		  unsigned count);

#endif
