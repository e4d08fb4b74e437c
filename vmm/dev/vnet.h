/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A guest's network card: virtio-net on one side, a switch port on the other.
 */
#ifndef VMM_DEV_VNET_H
#define VMM_DEV_VNET_H

#include "vmm/dev/pci.h"
#include "vmm/dev/virtqueue.h"
#include "vswitch/port.h"

#define VNET_QUEUE_SIZE	     256
#define VNET_CTRL_QUEUE_SIZE 64
/* Longest frame either way but for GSO: 1500 bytes of payload, a VLAN tag. */
#define VNET_FRAME_MAX	     (ETH_HEADER_LEN + 4 + 1500)

struct vnet;

struct vnet_params {
	const char *name; /* of the port; copied */
	uint8_t mac[ETH_ADDR_LEN];
	bool promiscuous;
	uint8_t allowed_count; /* at most PORT_ALLOWED_MACS - 1 */
	const uint8_t (*allowed)[ETH_ADDR_LEN]; /* copied; beside its own */
};

struct vnet_stats {
	uint64_t doorbells;    /* transmit notifications */
	uint64_t rx_doorbells; /* nothing to do for those */
	uint64_t tx_chains, rx_chains;
	uint64_t tx_interrupts, rx_interrupts;
	uint64_t tx_deferred; /* budget spent, rest left to deferred work */
	uint64_t ctrl_commands, ctrl_errors; /* of those: refused */
	uint64_t tx_faults[VIRTQUEUE_FAULT_COUNT];
	uint64_t rx_faults[VIRTQUEUE_FAULT_COUNT];
	uint64_t ctrl_faults[VIRTQUEUE_FAULT_COUNT];
};

/*
 * Makes a card and plugs it into the guest's PCI bus; the caller attaches
 * vnet_port() to a switch before the VM runs. NULL: out of memory, or slot or
 * bus window taken.
 */
struct vnet *vnet_create(struct vm *vm, struct pci_bus *bus, unsigned slot,
			 const struct vnet_params *params);

struct port *vnet_port(struct vnet *vnet);

/* A snapshot. Any CPU. */
void vnet_stats(struct vnet *vnet, struct vnet_stats *stats);

/*
 * Stops the card's queues and says whether all its frames are home, so that
 * guest memory may be reused. Ask again until it is true: an uplink gives
 * frames back from its own events. The VM's vCPUs no longer run. Any CPU.
 */
bool vnet_quiesce(struct vnet *vnet);

/* After vnet_quiesce() and vswitch_detach(); unplugs the card. NULL is fine. */
void vnet_destroy(struct vnet *vnet);

#endif
