/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A virtual network card's receive filter. */
#include "vmm/dev/vnet_filter.h"

#include <string.h>

#define ETHERTYPE_VLAN 0x8100 /* IEEE 802.1Q, 9.6 */
#define VLAN_ID_MASK   0x0fff

void vnet_filter_reset(struct vnet_filter *filter, const uint8_t *mac)
{
	*filter = (struct vnet_filter){.promiscuous = true};
	memcpy(filter->mac, mac, ETH_ADDR_LEN);
}

void vnet_filter_set_vlan(struct vnet_filter *filter, unsigned vlan, bool on)
{
	uint64_t bit = 1ull << vlan % 64;

	if (on)
		filter->vlans[vlan / 64] |= bit;
	else
		filter->vlans[vlan / 64] &= ~bit;
}

static bool vnet_filter_takes_vlan(const struct vnet_filter *filter,
				   const struct frame *frame)
{
	const uint8_t *tag = frame->head + 2 * ETH_ADDR_LEN;
	unsigned vlan;

	/* A head has at least an Ethernet header; with less than a tag behind
	 * it, this is no tagged frame. */
	if (tag[0] != ETHERTYPE_VLAN >> 8 || tag[1] != 0 ||
	    frame->head_len < ETH_HEADER_LEN + 4)
		return true;
	vlan = (unsigned)(tag[2] << 8 | tag[3]) & VLAN_ID_MASK;
	return filter->vlans[vlan / 64] >> vlan % 64 & 1;
}

static bool vnet_filter_is_broadcast(const uint8_t *mac)
{
	static const uint8_t broadcast[] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff};

	return !memcmp(mac, broadcast, sizeof(broadcast));
}

bool vnet_filter_takes(const struct vnet_filter *filter,
		       const struct frame *frame)
{
	const uint8_t *mac = frame->head;
	bool group = mac[0] & 1;
	const struct vnet_filter_table *table =
		&filter->tables[group ? VNET_FILTER_MULTICAST
				      : VNET_FILTER_UNICAST];

	if (filter->promiscuous)
		return true;
	if (filter->vlan_on && !vnet_filter_takes_vlan(filter, frame))
		return false;
	if (group && vnet_filter_is_broadcast(mac))
		return !filter->no_broadcast;
	if (table->none)
		return false;
	if (table->all || table->overflow ||
	    !memcmp(mac, filter->mac, ETH_ADDR_LEN))
		return true;
	for (unsigned i = 0; i < table->count; i++)
		if (!memcmp(mac, table->macs[i], ETH_ADDR_LEN))
			return true;
	return false;
}
