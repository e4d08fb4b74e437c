/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What plugs into the switch: the port_ops seam and the port's ledger. */
#ifndef VSWITCH_PORT_H
#define VSWITCH_PORT_H

#include "lib/frame.h"
#include "plat/lock.h"

#define PORT_NAME_SIZE	  40
#define PORT_ALLOWED_MACS 16

/* Why a frame was not forwarded or delivered. Names: port_drop_names[]. */
enum port_drop {
	DROP_RUNT,	   /* ingress: shorter than an Ethernet header */
	DROP_GIANT,	   /* ingress: longer than the port's limit */
	DROP_BAD_SOURCE,   /* ingress: source is multicast or zero */
	DROP_SPOOFED,	   /* ingress: not this port's own MAC */
	DROP_BAD_OFFLOAD,  /* ingress: checksum or GSO fields out of range */
	DROP_BAD_CHAIN,	   /* ingress: the guest's descriptors are nonsense */
	DROP_RESERVED,	   /* ingress: 01:80:c2:00:00:0x, never bridged */
	DROP_NO_PORT,	   /* ingress: nobody to send it to */
	DROP_HAIRPIN,	   /* ingress: destination is where it came from */
	DROP_DOWN,	   /* egress: port's link is down or device not ready */
	DROP_NO_BUFFER,	   /* egress: guest has posted no receive buffer */
	DROP_TOO_BIG,	   /* egress: does not fit what the port can take */
	DROP_BAD_BUFFER,   /* egress: the guest's receive chain is nonsense */
	DROP_FILTERED,	   /* egress: the guest's receive filter */
	DROP_DEVICE_ERROR, /* egress: the NIC gave it up, or was reset */
	PORT_DROP_COUNT,
};

extern const char *const port_drop_names[PORT_DROP_COUNT];

/*
 * The ledger. The unit is a frame as it crosses the port's edge.
 *   ingress: frames = forwarded + flooded + sum(drops)
 *   egress:  frames + segments_created - merged
 *                   = delivered + in_flight + sum(drops)
 * and over the switch: sum(egress.frames) = sum(forwarded) + copies.
 * A frame is forwarded when its destination is known to be behind one port, and
 * flooded otherwise. Each handing over of a flooded frame is a copy, and so is
 * that of a forwarded frame to a promiscuous port that only listens.
 */
struct port_ingress {
	uint64_t frames, bytes, forwarded, flooded;
	uint64_t drops[PORT_DROP_COUNT];
};

struct port_egress {
	uint64_t frames, bytes, segments_created, merged;
	uint64_t delivered, in_flight;
	uint64_t drops[PORT_DROP_COUNT];
};

struct port_ops {
	/* Does deliver() copy, or hold the frames until port_return()? A
	 * switch takes at most one holding port. */
	bool holds;
	/*
	 * The switch hands over a batch for this port, 1 to FRAME_BATCH_MAX,
	 * while whoever feeds the source holds its lock (LOCK_VNET_TX or
	 * LOCK_UPLINK_RX); may run on several CPUs at once. Feeds no frames.
	 * The port does its own egress accounting (port_count_egress() and
	 * on) under its own lock. A port that holds owns the frames until it
	 * calls port_return(); one that copies never touches them again.
	 */
	void (*deliver)(struct port *port, struct frame *const *frames,
			unsigned count);
	/* Frames that this port put in come back; they may be reused. May be
	 * called on any CPU, also within this port's own vswitch_input() or
	 * another's: it takes no lock of rank LOCK_UPLINK_RX or below, and
	 * feeds no frames. */
	void (*complete)(struct port *port, struct frame *const *frames,
			 unsigned count);
	/* The wire has changed: hosts there should hear anew where the port's
	 * owner is. No lock held. NULL: it has no way to tell them. */
	void (*announce)(struct port *port);
};

struct vswitch;

struct port {
	const struct port_ops *ops;
	struct vswitch *vswitch; /* NULL while not attached */
	char name[PORT_NAME_SIZE];
	uint16_t index;	    /* in the switch; set by vswitch_attach() */
	uint32_t frame_max; /* longest ingress frame without FCS; of a
			     * GSO frame: its segments */

	/*
	 * Source policy; set before attach. Uplinks are trusted. macs[0] is the
	 * port's own, a static entry that nobody else can claim. The others it
	 * may send from as well, and so may several ports (VRRP): these are
	 * learned, and move.
	 */
	bool trusted;	  /* any source, and sources are learned */
	bool promiscuous; /* may send from any MAC, gets every frame */
	uint8_t mac_count;
	uint8_t macs[PORT_ALLOWED_MACS][ETH_ADDR_LEN];
	bool spoof_logged; /* the hint is logged once per port */

	/* (i) by whoever feeds this port, (e) under the port's own lock */
	struct port_ingress ingress;		 /* (i) */
	struct port_egress egress CACHE_ALIGNED; /* (e) */
};

/*
 * Gives frames back to the ports they came from, in runs per source.
 * The array is not kept.
 */
void port_return(struct frame *const *frames, unsigned count);

/* bytes: the frame's wire length; call under the port's egress lock. */
static inline void port_count_egress(struct port *port, const struct frame *f)
{
	port->egress.frames++;
	port->egress.bytes += f->len;
}

static inline void port_drop_ingress(struct port *port, enum port_drop why)
{
	port->ingress.drops[why]++;
}

static inline void port_drop_egress(struct port *port, enum port_drop why)
{
	port->egress.drops[why]++;
}

#endif
