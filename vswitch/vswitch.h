/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The learning Ethernet switch: attach ports, feed frames. */
#ifndef VSWITCH_VSWITCH_H
#define VSWITCH_VSWITCH_H

#include "vswitch/port.h"

/*
 * Who gets a frame:
 *   destination known      the one port it is behind
 *   broadcast, multicast   all other ports
 *   unknown unicast        trusted ports, and a port that lists the address
 *                          in macs[]; a virtual NIC whose only address is its
 *                          own, static one need not see other people's frames
 * and promiscuous ports get, beside that, every frame that goes anywhere.
 */
#define VSWITCH_PORTS_MAX 128

/* name is copied. NULL when memory ran dry. */
struct vswitch *vswitch_create(const char *name);
/* All ports must have been detached. */
void vswitch_destroy(struct vswitch *sw);
const char *vswitch_name(const struct vswitch *sw);

/*
 * Plugs a port in; ops, name, macs and policy are set already. Its own MAC,
 * macs[0], becomes a static entry. 0, -ENOSPC (ports), -EEXIST (macs[0] is
 * another port's own), -EINVAL (macs[0] is no unicast address, or mac_count too
 * high), -EBUSY (a second holding port). Other ports may be busy meanwhile.
 */
int vswitch_attach(struct vswitch *sw, struct port *port);
/*
 * Forgets the port and its MACs. The caller has quiesced it: nothing that it
 * put in is in flight and nobody feeds it; others may be busy. On return no CPU
 * is in, or will enter, the port's deliver(), and its counters no longer are
 * part of the switch's ledger. Waits for CPUs that are in vswitch_input(), so
 * hold no lock of rank LOCK_VNET_TX or above, and do not call it from there.
 */
void vswitch_detach(struct port *port);

/*
 * Frames enter at a port: checked, looked up, grouped by output and handed on,
 * one deliver() per output port and batch. Every frame comes back through
 * from->ops->complete(), at once or later. count: 1 to FRAME_BATCH_MAX. The
 * caller serializes calls for one port. Counts the port's ingress side. Sets
 * each frame's source.
 */
void vswitch_input(struct port *from, struct frame *const *frames,
		   unsigned count);

/* The wire behind port from is another, or back: every other port's owner is to
 * announce itself there. No lock held. */
void vswitch_announce(struct port *from);

/* The ports attached, in order of index; NULL past the last. The caller keeps
 * ports from being detached meanwhile. */
struct port *vswitch_port(const struct vswitch *sw, unsigned position);
/* Copies made since creation: for the ledger. Exact at a quiescent point. */
uint64_t vswitch_copies(const struct vswitch *sw);

/* The MAC table: what is in it now, and has happened to it since creation. */
struct vswitch_table {
	uint32_t entries, capacity;
	uint64_t learned, moved, evicted; /* as struct mactable_stats */
};

/* A snapshot; takes the switch's lock. */
void vswitch_table(struct vswitch *sw, struct vswitch_table *table);

/*
 * The addresses that ports other than `except` list, each once, at most max of
 * them; returns how many there are (it may be above max, and then counts some
 * twice). *promiscuous: does one of these ports want every frame? Takes the
 * switch's lock.
 */
unsigned vswitch_macs(struct vswitch *sw, const struct port *except,
		      uint8_t (*macs)[ETH_ADDR_LEN], unsigned max,
		      bool *promiscuous);

#endif
