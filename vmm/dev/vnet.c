/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Virtual network card: creation, configuration, counters. */
#include "vmm/dev/vnet.h"

#include <linux/virtio_ids.h>
#include <string.h>

#include "vmm/dev/vnet_priv.h"

/*
 * The card sits between a guest's rings (virtio_pci.c, virtqueue.c) and the
 * switch (vswitch/). vnet_tx.c goes from the doorbell to the switch and back,
 * vnet_rx.c from the switch into the guest's buffers.
 *
 * Locks. Each queue has one; the control queue's goes before the others, for a
 * command changes the receive filter. A vCPU takes the transmit lock at its
 * doorbell and holds it through the switch and into other ports: LOCK_VNET_TX
 * before LOCK_VNET_RX and LOCK_UPLINK_TX. Frames come home on any CPU under any
 * lock, so that side takes the transmit lock only if it is free, and otherwise
 * leaves the frames to whoever holds it.
 *
 * Trust. The guest may lie in everything. A chain that cannot be walked breaks
 * its queue until the driver resets the card, and the other queue goes on; a
 * frame that is merely bad is counted, dropped and given back.
 */

/* What is done fully right, and nothing else. */
#define F(name) (1ull << VIRTIO_NET_F_##name)
#define VNET_FEATURES                                                 \
	(F(CSUM) | F(GUEST_CSUM) | F(MTU) | F(MAC) | F(STATUS) |      \
	 F(MRG_RXBUF) | F(HOST_TSO4) | F(HOST_TSO6) | F(HOST_ECN) |   \
	 F(HOST_USO) | F(GUEST_TSO4) | F(GUEST_TSO6) | F(GUEST_ECN) | \
	 F(GUEST_USO4) | F(GUEST_USO6) | F(CTRL_VQ) | F(CTRL_RX) |    \
	 F(CTRL_RX_EXTRA) | F(CTRL_VLAN) | F(CTRL_MAC_ADDR) |         \
	 F(GUEST_ANNOUNCE))
#define VNET_MTU       1500
#define VNET_PCI_CLASS 0x020000 /* Ethernet controller */

static struct vnet *vnet_of(struct virtio_pci *virtio)
{
	return container_of(virtio, struct vnet, virtio);
}

static void vnet_notify(struct virtio_pci *virtio, unsigned queue)
{
	struct vnet *vnet = vnet_of(virtio);

	if (queue == VNET_QUEUE_TX)
		vnet_doorbell_tx(vnet);
	else if (queue == VNET_QUEUE_CTRL)
		vnet_doorbell_ctrl(vnet);
	else
		/* New buffers are found when a frame needs them. */
		__atomic_fetch_add(&vnet->rx_doorbells, 1, __ATOMIC_RELAXED);
}

static const struct virtio_ops vnet_virtio_ops = {
	.device = VIRTIO_DEVICE_OPS("virtio-net"),
	.notify = vnet_notify,
	.quiet = vnet_quiet,
	.reset = vnet_reset,
};

static const struct port_ops vnet_port_ops = {
	.holds = false,
	.deliver = vnet_deliver,
	.complete = vnet_complete,
	.announce = vnet_announce,
};

static void vnet_init_port(struct port *port, const struct vnet_params *params)
{
	size_t len = strlen(params->name);

	ASSERT(params->allowed_count < PORT_ALLOWED_MACS);
	port->ops = &vnet_port_ops;
	memcpy(port->name, params->name, MIN(len, PORT_NAME_SIZE - 1));
	port->frame_max = VNET_FRAME_MAX;
	port->promiscuous = params->promiscuous;
	port->mac_count = (uint8_t)(1 + params->allowed_count);
	memcpy(port->macs[0], params->mac, ETH_ADDR_LEN);
	if (params->allowed_count)
		memcpy(port->macs[1], params->allowed,
		       params->allowed_count * (size_t)ETH_ADDR_LEN);
}

struct vnet *vnet_create(struct vm *vm, struct pci_bus *bus, unsigned slot,
			 const struct vnet_params *params)
{
	struct vnet *vnet = plat_alloc(sizeof(*vnet), CACHE_LINE);

	if (!vnet)
		return NULL;
	vnet->config.max_virtqueue_pairs = 1;
	vnet->config.mtu = VNET_MTU;
	virtio_pci_init(&vnet->virtio, vm,
			&(struct virtio_pci_params){
				.ops = &vnet_virtio_ops,
				.type = VIRTIO_ID_NET,
				.class_code = VNET_PCI_CLASS,
				.features = VNET_FEATURES,
				.config = &vnet->config,
				/* mac to mtu: what the features cover */
				.config_size = offsetof(
					struct virtio_net_config, speed),
			});
	vnet->rx = virtio_pci_add_queue(&vnet->virtio, "vnet rx", LOCK_VNET_RX,
					VNET_QUEUE_SIZE);
	vnet->tx = virtio_pci_add_queue(&vnet->virtio, "vnet tx", LOCK_VNET_TX,
					VNET_QUEUE_SIZE);
	vnet->ctrl = virtio_pci_add_queue(&vnet->virtio, "vnet control",
					  LOCK_VNET_CTRL, VNET_CTRL_QUEUE_SIZE);
	work_init(&vnet->tx_work, vnet_work_tx, vm_account(vm));
	work_init(&vnet->ctrl_work, vnet_work_ctrl, vm_account(vm));
	vnet_init_port(&vnet->port, params);
	vnet_reset(&vnet->virtio);
	if (pci_add(bus, &vnet->virtio.dev, slot) < 0) {
		plat_free(vnet, sizeof(*vnet));
		return NULL;
	}
	return vnet;
}

struct port *vnet_port(struct vnet *vnet)
{
	return &vnet->port;
}

void vnet_stats(struct vnet *vnet, struct vnet_stats *stats)
{
	stats->rx_doorbells =
		__atomic_load_n(&vnet->rx_doorbells, __ATOMIC_RELAXED);

	lock_acquire(&vnet->tx->lock);
	stats->doorbells = vnet->doorbells;
	stats->tx_chains = vnet->tx_chains;
	stats->tx_interrupts = vnet->tx_interrupts;
	stats->tx_deferred = vnet->tx_deferrals;
	memcpy(stats->tx_faults, vnet->tx->faults, sizeof(stats->tx_faults));
	/* Frames may have come home while we held the lock. */
	vnet_unlock_tx(vnet);

	lock_acquire(&vnet->rx->lock);
	stats->rx_chains = vnet->rx_chains;
	stats->rx_interrupts = vnet->rx_interrupts;
	memcpy(stats->rx_faults, vnet->rx->faults, sizeof(stats->rx_faults));
	lock_release(&vnet->rx->lock);

	lock_acquire(&vnet->ctrl->lock);
	stats->ctrl_commands = vnet->ctrl_commands;
	stats->ctrl_errors = vnet->ctrl_errors;
	memcpy(stats->ctrl_faults, vnet->ctrl->faults,
	       sizeof(stats->ctrl_faults));
	lock_release(&vnet->ctrl->lock);
}

bool vnet_quiesce(struct vnet *vnet)
{
	return virtio_pci_quiesce(&vnet->virtio);
}

void vnet_destroy(struct vnet *vnet)
{
	if (!vnet)
		return;
	pci_remove(&vnet->virtio.dev);
	plat_free(vnet, sizeof(*vnet));
}
