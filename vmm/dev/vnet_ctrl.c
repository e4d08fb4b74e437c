/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The control queue: receive modes, addresses, VLANs, announcements. */
#include <string.h>

#include "vmm/dev/vnet_priv.h"

/*
 * Virtio 1.2, 5.1.6.5. A command is one chain: class, command and data to read,
 * one byte to write, the answer. The data is copied once, piece by piece, into
 * private variables; what is longer than it should be is an error, never read
 * to its end.
 */

/* Commands for one doorbell or one run of deferred work. */
#define VNET_CTRL_BUDGET 16

/* Under the receive queue's lock; the guest may read it meanwhile. */
static void vnet_ctrl_set_status(struct vnet *vnet, uint16_t status)
{
	WRITE_ONCE(vnet->config.status, status);
}

/* A command's data, as far as it is not read yet. */
struct vnet_command {
	struct vnet *vnet;
	struct virtqueue_cursor at;
	uint64_t left;
};

/* False: it is not that long. */
static bool vnet_command_read(struct vnet_command *cmd, void *to, uint32_t len)
{
	if (cmd->left < len)
		return false;
	virtqueue_gather(&cmd->at, to, len);
	cmd->left -= len;
	return true;
}

/* 5.1.6.5.1 */
static bool vnet_ctrl_mode(struct vnet_command *cmd, uint8_t command)
{
	struct vnet_filter *filter = &cmd->vnet->filter;
	struct vnet_filter_table *uni = &filter->tables[VNET_FILTER_UNICAST];
	struct vnet_filter_table *multi =
		&filter->tables[VNET_FILTER_MULTICAST];
	bool *const modes[] = {
		[VIRTIO_NET_CTRL_RX_PROMISC] = &filter->promiscuous,
		[VIRTIO_NET_CTRL_RX_ALLMULTI] = &multi->all,
		[VIRTIO_NET_CTRL_RX_ALLUNI] = &uni->all,
		[VIRTIO_NET_CTRL_RX_NOMULTI] = &multi->none,
		[VIRTIO_NET_CTRL_RX_NOUNI] = &uni->none,
		[VIRTIO_NET_CTRL_RX_NOBCAST] = &filter->no_broadcast,
	};
	unsigned feature = command <= VIRTIO_NET_CTRL_RX_ALLMULTI
				   ? VIRTIO_NET_F_CTRL_RX
				   : VIRTIO_NET_F_CTRL_RX_EXTRA;
	uint8_t on;

	if (command >= ARRAY_SIZE(modes) ||
	    !virtio_pci_has(&cmd->vnet->virtio, feature) ||
	    !vnet_command_read(cmd, &on, sizeof(on)) || on > 1)
		return false;
	*modes[command] = on;
	return true;
}

/* 5.1.6.5.2: a count, then as many addresses. */
static bool vnet_ctrl_read_table(struct vnet_command *cmd,
				 struct vnet_filter_table *table)
{
	uint32_t count;
	uint64_t rest;

	if (!vnet_command_read(cmd, &count, sizeof(count)) ||
	    cmd->left / ETH_ADDR_LEN < count)
		return false;
	table->overflow = count > VNET_FILTER_MACS;
	table->count = (uint8_t)MIN(count, VNET_FILTER_MACS);
	vnet_command_read(cmd, table->macs,
			  table->count * (uint32_t)ETH_ADDR_LEN);
	rest = (uint64_t)(count - table->count) * ETH_ADDR_LEN;
	virtqueue_skip(&cmd->at, rest);
	cmd->left -= rest;
	return true;
}

static bool vnet_ctrl_mac_tables(struct vnet_command *cmd)
{
	struct vnet_filter *filter = &cmd->vnet->filter;
	struct vnet_filter_table *new = cmd->vnet->ctrl_tables;

	if (!virtio_pci_has(&cmd->vnet->virtio, VIRTIO_NET_F_CTRL_RX))
		return false;
	/* All of it, or nothing. */
	for (unsigned kind = 0; kind < VNET_FILTER_KINDS; kind++)
		if (!vnet_ctrl_read_table(cmd, &new[kind]))
			return false;
	for (unsigned kind = 0; kind < VNET_FILTER_KINDS; kind++) {
		new[kind].all = filter->tables[kind].all;
		new[kind].none = filter->tables[kind].none;
		filter->tables[kind] = new[kind];
	}
	return true;
}

/* May the guest call itself so? It could not send from another address. */
static bool vnet_ctrl_mac_allowed(const struct port *port, const uint8_t *mac)
{
	if (mac[0] & 1)
		return false;
	if (port->promiscuous)
		return true;
	for (unsigned i = 0; i < port->mac_count; i++)
		if (!memcmp(port->macs[i], mac, ETH_ADDR_LEN))
			return true;
	return false;
}

static bool vnet_ctrl_mac_address(struct vnet_command *cmd)
{
	struct vnet *vnet = cmd->vnet;
	uint8_t mac[ETH_ADDR_LEN];

	if (!virtio_pci_has(&vnet->virtio, VIRTIO_NET_F_CTRL_MAC_ADDR) ||
	    !vnet_command_read(cmd, mac, sizeof(mac)) ||
	    !vnet_ctrl_mac_allowed(&vnet->port, mac))
		return false;
	memcpy(vnet->filter.mac, mac, sizeof(mac));
	memcpy(vnet->config.mac, mac, sizeof(mac));
	virtio_pci_config_changed(&vnet->virtio, false);
	return true;
}

/* 5.1.6.5.3 */
static bool vnet_ctrl_vlan(struct vnet_command *cmd, uint8_t command)
{
	uint16_t vlan;

	if (!virtio_pci_has(&cmd->vnet->virtio, VIRTIO_NET_F_CTRL_VLAN) ||
	    command > VIRTIO_NET_CTRL_VLAN_DEL ||
	    !vnet_command_read(cmd, &vlan, sizeof(vlan)) || vlan >= VNET_VLANS)
		return false;
	vnet_filter_set_vlan(&cmd->vnet->filter, vlan,
			     command == VIRTIO_NET_CTRL_VLAN_ADD);
	return true;
}

/* 5.1.6.5.4: the guest has announced itself. */
static bool vnet_ctrl_announced(struct vnet_command *cmd)
{
	struct vnet *vnet = cmd->vnet;

	if (!virtio_pci_has(&vnet->virtio, VIRTIO_NET_F_GUEST_ANNOUNCE))
		return false;
	vnet_ctrl_set_status(vnet, VIRTIO_NET_S_LINK_UP);
	virtio_pci_config_changed(&vnet->virtio, false);
	return true;
}

static bool vnet_ctrl_execute(struct vnet_command *cmd)
{
	struct virtio_net_ctrl_hdr hdr;

	if (!vnet_command_read(cmd, &hdr, sizeof(hdr)))
		return false;
	switch (hdr.class) {
	case VIRTIO_NET_CTRL_RX:
		return vnet_ctrl_mode(cmd, hdr.cmd);
	case VIRTIO_NET_CTRL_MAC:
		if (hdr.cmd == VIRTIO_NET_CTRL_MAC_TABLE_SET)
			return vnet_ctrl_mac_tables(cmd);
		return hdr.cmd == VIRTIO_NET_CTRL_MAC_ADDR_SET &&
		       vnet_ctrl_mac_address(cmd);
	case VIRTIO_NET_CTRL_VLAN:
		return vnet_ctrl_vlan(cmd, hdr.cmd);
	case VIRTIO_NET_CTRL_ANNOUNCE:
		return hdr.cmd == VIRTIO_NET_CTRL_ANNOUNCE_ACK &&
		       vnet_ctrl_announced(cmd);
	default:
		return false;
	}
}

/* One command; false: there was none. The control queue's lock is held. */
static bool vnet_ctrl_one(struct vnet *vnet)
{
	struct virtqueue_chain *chain = &vnet->ctrl_chain;
	struct vnet_command cmd = {vnet, {chain->segs, 0}, 0};
	int got = virtqueue_pop(vnet->ctrl, chain);
	bool done;

	/* The answer needs a byte. */
	if (got > 0 && !chain->write_len)
		got = virtqueue_fail(vnet->ctrl, VIRTQUEUE_BAD_BUFFER);
	if (got < 0)
		virtio_pci_needs_reset(&vnet->virtio);
	if (got <= 0)
		return false;
	cmd.left = chain->read_len;
	lock_acquire(&vnet->rx->lock);
	done = vnet_ctrl_execute(&cmd);
	lock_release(&vnet->rx->lock);
	*chain->segs[chain->read_count].base =
		done ? VIRTIO_NET_OK : VIRTIO_NET_ERR;
	virtqueue_push(vnet->ctrl, chain->head, 1);
	vnet->ctrl_commands++;
	vnet->ctrl_errors += !done;
	return true;
}

/* True: there may be more. The lock is held. */
static bool vnet_ctrl_run(struct vnet *vnet)
{
	unsigned budget = VNET_CTRL_BUDGET;

	do
		while (budget && vnet_ctrl_one(vnet))
			budget--;
	while (budget && virtqueue_notify_on(vnet->ctrl) && budget--);
	if (vnet->ctrl->running && virtqueue_publish(vnet->ctrl))
		virtio_pci_interrupt(&vnet->virtio, vnet->ctrl);
	return !budget;
}

void vnet_doorbell_ctrl(struct vnet *vnet)
{
	lock_acquire(&vnet->ctrl->lock);
	if (vnet_ctrl_run(vnet) && !vnet->ctrl_deferred) {
		vnet->ctrl_deferred = true;
		__atomic_fetch_add(&vnet->work_pending, 1, __ATOMIC_RELAXED);
		work_post(&vnet->ctrl_work);
	}
	lock_release(&vnet->ctrl->lock);
}

void vnet_work_ctrl(struct work *work)
{
	struct vnet *vnet = container_of(work, struct vnet, ctrl_work);
	bool more;

	lock_acquire(&vnet->ctrl->lock);
	more = vnet_ctrl_run(vnet);
	vnet->ctrl_deferred = more;
	if (more)
		work_post(work);
	lock_release(&vnet->ctrl->lock);
	/* Release, and last: from here on the card may be destroyed. */
	if (!more)
		__atomic_fetch_sub(&vnet->work_pending, 1, __ATOMIC_RELEASE);
}

void vnet_announce(struct port *port)
{
	struct vnet *vnet = container_of(port, struct vnet, port);

	/* With the lock, so that a reset is before it or after it. */
	lock_acquire(&vnet->rx->lock);
	if (virtio_pci_has(&vnet->virtio, VIRTIO_NET_F_GUEST_ANNOUNCE)) {
		vnet_ctrl_set_status(vnet, VIRTIO_NET_S_LINK_UP |
						   VIRTIO_NET_S_ANNOUNCE);
		virtio_pci_config_changed(&vnet->virtio, true);
	}
	lock_release(&vnet->rx->lock);
}

void vnet_reset(struct virtio_pci *virtio)
{
	struct vnet *vnet = container_of(virtio, struct vnet, virtio);

	lock_acquire(&vnet->rx->lock);
	vnet_filter_reset(&vnet->filter, vnet->port.macs[0]);
	memcpy(vnet->config.mac, vnet->port.macs[0], ETH_ADDR_LEN);
	vnet_ctrl_set_status(vnet, VIRTIO_NET_S_LINK_UP);
	lock_release(&vnet->rx->lock);
}
