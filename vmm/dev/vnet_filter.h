/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which of the frames that the switch has for it a guest wants to see. */
#ifndef VMM_DEV_VNET_FILTER_H
#define VMM_DEV_VNET_FILTER_H

#include "lib/frame.h"

/*
 * Virtio 1.2, 5.1.6.5.1 to 5.1.6.5.3. Until the driver says otherwise all
 * frames pass, as drivers without a control queue expect. Of a table longer
 * than ours the whole kind is let pass, which the section allows.
 */
#define VNET_FILTER_MACS 64 /* of each kind */
#define VNET_VLANS	 4096

enum vnet_filter_kind {
	VNET_FILTER_UNICAST,
	VNET_FILTER_MULTICAST,
	VNET_FILTER_KINDS,
};

struct vnet_filter_table {
	bool all, none; /* modes: ALLUNI and NOUNI, ALLMULTI and NOMULTI */
	bool overflow;	/* the table was longer than ours */
	uint8_t count;
	uint8_t macs[VNET_FILTER_MACS][ETH_ADDR_LEN];
};

/* Under the receive queue's lock. */
struct vnet_filter {
	bool promiscuous, no_broadcast;
	bool vlan_on; /* negotiated: tagged frames only of these VLANs */
	uint8_t mac[ETH_ADDR_LEN];
	struct vnet_filter_table tables[VNET_FILTER_KINDS];
	uint64_t vlans[VNET_VLANS / 64];
};

void vnet_filter_reset(struct vnet_filter *filter, const uint8_t *mac);
/* vlan below VNET_VLANS. */
void vnet_filter_set_vlan(struct vnet_filter *filter, unsigned vlan, bool on);
bool vnet_filter_takes(const struct vnet_filter *filter,
		       const struct frame *frame);

#endif
