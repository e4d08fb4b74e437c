/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The switch's port to the wire: a netdev, polled, reaped and accounted. */
#ifndef VSWITCH_UPLINK_H
#define VSWITCH_UPLINK_H

#include "drivers/net/netdev.h"
#include "lib/gso.h"
#include "plat/event.h"
#include "vswitch/vswitch.h"

/*
 * An uplink wraps a netdev as a trusted, holding port.
 *
 * Life cycle: uplink_create(), uplink_attach() to a switch, uplink_start();
 * then frames flow; uplink_stop(), uplink_detach(), uplink_destroy(). It may be
 * started again after a stop, and stopped twice.
 *
 * Transmit: deliver() finishes what the NIC cannot do and puts the batch on the
 * ring, or on the pending list. What does not fit waits there, in order, and
 * goes out when the ring is reaped; frames waiting are bounded by what their
 * sources have, for a source gets no frame back before it left. Reaping is done
 * by the transmit interrupt and, when enough is outstanding, by the next
 * deliver().
 *
 * Segmentation: a GSO frame that the NIC does not take whole waits on the
 * pending list as it is, and is cut up there as far as segments are free and
 * the ring has room. Segments refer to its payload, so it goes home when the
 * last of them is reaped (frame->parts counts those, and its own place on the
 * list).
 *
 * Receive: the receive vector is masked and the ring polled with a budget;
 * what is left goes on the deferred-work list, until the ring is dry.
 *
 * Locks: rx_lock (LOCK_UPLINK_RX) is held while the NIC is polled and the
 * switch fed, tx_lock (LOCK_UPLINK_TX) around the transmit ring, the pending
 * list and egress counters. port_return() is called with neither tx_lock nor
 * any lock of this file that a complete() could want.
 */
struct uplink_stats {
	uint64_t irqs[NETDEV_VECTORS_MAX]; /* (a) calls */
	uint64_t polls;			   /* (r) batches that had frames */
	uint64_t budget_spent;		   /* (r) went on as deferred work */
	uint64_t csum_in_software;	   /* (t) frames */
	uint64_t waited;		   /* (t) frames, on the pending list */
	uint64_t segmented;		   /* (t) frames, in software */
	uint64_t segments_dry;		   /* (t) had to wait for a slot */
};

/* A segment of a frame that the NIC does not cut up itself. */
struct uplink_segment {
	struct frame frame;
	struct frame *whole;
	uint8_t head[FRAME_HEAD_SIZE];
};

#define UPLINK_SEGMENTS 256

/* (r) under rx_lock, (t) under tx_lock, (a) atomic, (w) set while stopped */
struct uplink {
	struct port port;
	struct netdev *dev;  /* (w) */
	struct work rx_work; /* goes on polling */
	struct uplink_stats stats;

	struct lock rx_lock CACHE_ALIGNED;
	bool rx_running; /* (r) */

	struct lock tx_lock CACHE_ALIGNED;
	bool tx_running;	    /* (t) */
	bool link_up;		    /* (t) */
	struct frame *pending;	    /* (t) first that waits, by frame->next */
	struct frame **pending_end; /* (t) */
	struct gso gso;		    /* (t) of the one being cut up */
	struct frame *free;	    /* (t) unused segments, by frame->next */
	struct uplink_segment *segments;
	struct work announce_work; /* the link is up again */
};

/* dev is attached, not started; name is copied and stands in the ledger. NULL
 * when memory ran dry. */
struct uplink *uplink_create(struct netdev *dev, const char *name);
/* Stopped and detached. Leaves the netdev to its owner. */
void uplink_destroy(struct uplink *uplink);

/* As vswitch_attach() and vswitch_detach() of its port. */
int uplink_attach(struct uplink *uplink, struct vswitch *sw);
void uplink_detach(struct uplink *uplink);

/* Starts the NIC and unmasks its vectors (their MSI-X entries are set up). 0 or
 * what netdev_ops.start() says; -EALREADY when it runs. */
int uplink_start(struct uplink *uplink);
/* Silences the NIC. Every frame in flight has come back when it returns, and
 * what is sent to it from now on is dropped (DROP_DOWN). */
void uplink_stop(struct uplink *uplink);

/* The handler of each of the NIC's vectors; a late message is harmless. */
void uplink_interrupt(struct uplink *uplink, enum netdev_vector vector);

/* Receives at most budget frames and feeds them to the switch; how many. */
unsigned uplink_poll(struct uplink *uplink, unsigned budget);
/* Returns sent frames to their sources and sends what was waiting; how many
 * were returned. */
unsigned uplink_reap(struct uplink *uplink);

/* Tells the NIC's filter what the switch's ports listen to; to be called after
 * any port was attached or detached. */
void uplink_update_filter(struct uplink *uplink);

/* The NIC's link as it is now; down while stopped. */
void uplink_link(struct uplink *uplink, struct netdev_link *link);

#endif
