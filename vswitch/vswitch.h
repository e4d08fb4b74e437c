/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The learning Ethernet switch: attach ports, feed frames. */
#ifndef VSWITCH_VSWITCH_H
#define VSWITCH_VSWITCH_H

#include "vswitch/port.h"

#define VSWITCH_PORTS_MAX 128

/* name is copied. NULL when memory ran dry. */
struct vswitch *vswitch_create(const char *name);
/* All ports must have been detached. */
void vswitch_destroy(struct vswitch *sw);
const char *vswitch_name(const struct vswitch *sw);

/*
 * Plugs a port in; ops, name, macs and policy are set already. Its own MACs
 * become static entries. 0, -ENOSPC (ports), -EEXIST (a MAC is another
 * port's), -EBUSY (a second holding port).
 */
int vswitch_attach(struct vswitch *sw, struct port *port);
/* Forgets the port and its MACs. The caller has quiesced it: nothing of it
 * is in flight and nobody feeds it. */
void vswitch_detach(struct port *port);

/*
 * Frames enter at a port: checked, looked up, grouped by output and handed on,
 * one deliver() per output port and batch. Every frame comes back through
 * from->ops->complete(), at once or later. count: 1 to FRAME_BATCH_MAX. The
 * caller serializes calls for one port. Counts the port's ingress side.
 */
void vswitch_input(struct port *from, struct frame *const *frames,
		   unsigned count);

/* The ports attached, in order of index; NULL past the last. */
struct port *vswitch_port(const struct vswitch *sw, unsigned position);
/* Copies made by flooding since creation: for the ledger. */
uint64_t vswitch_copies(const struct vswitch *sw);

#endif
