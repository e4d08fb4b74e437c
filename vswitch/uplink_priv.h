/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Between the uplink's files. */
#ifndef VSWITCH_UPLINK_PRIV_H
#define VSWITCH_UPLINK_PRIV_H

#include "vswitch/uplink.h"

/* uplink_tx.c */
/* Segments for GSO frames that the NIC does not take. 0 or -ENOMEM. */
int uplink_tx_init(struct uplink *uplink);
void uplink_tx_free(struct uplink *uplink);
void uplink_deliver(struct port *port, struct frame *const *frames,
		    unsigned count);
/* Gives back what the NIC has given up, and what waits. */
void uplink_drop_ring(struct uplink *uplink, enum port_drop why);
void uplink_drop_pending(struct uplink *uplink, enum port_drop why);

/* uplink.c */
/* Notes whether the link is up, and says so when that has changed. Under
 * tx_lock. */
void uplink_look_at_link(struct uplink *uplink);

#endif
