/* SPDX-License-Identifier: GPL-2.0-or-later */
/* From the configuration's uplinks to NICs, switches and their interrupts. */
#include "vmkernel/boot/network.h"

#include <linux/errno.h>
#include <string.h>

#include "plat/plat.h"
#include "vmkernel/irq/irq.h"
#include "vmkernel/pci/msix.h"
#include "vmkernel/pci/pci.h"
#include "vmkernel/sched/sched.h"
#include "vmm/machine.h"
#include "vswitch/uplink.h"

/* Constant after network_init(). */
static struct network {
	const char *name;
	struct pci_device *pci;
	struct netdev *dev;
	struct vswitch *vswitch;
	struct uplink *uplink;
} networks[SLUICE_UPLINKS_MAX];

static unsigned networks_count;

unsigned network_count(void)
{
	return networks_count;
}

struct uplink *network_uplink(unsigned index)
{
	return networks[index].uplink;
}

struct vswitch *machine_network(uint32_t uplink)
{
	return networks[uplink].vswitch;
}

void machine_network_changed(uint32_t uplink)
{
	uplink_update_filter(networks[uplink].uplink);
}

static void network_interrupt(void *arg, unsigned vector)
{
	uplink_interrupt(arg, (enum netdev_vector)vector);
}

/* Has another uplink taken this NIC? */
static bool network_taken(const struct pci_device *pci)
{
	for (unsigned i = 0; i < networks_count; i++)
		if (networks[i].pci == pci)
			return true;
	return false;
}

/* The NIC's driver instance if this NIC is what the uplink asks for. */
static struct netdev *network_probe(struct pci_device *pci,
				    const struct sluice_uplink *want)
{
	struct netdev_resources res = {.vendor = pci->vendor,
				       .device = pci->device};
	struct netdev *dev;

	if (!netdev_known(pci->vendor, pci->device) || network_taken(pci))
		return NULL;
	if (want->match == SLUICE_MATCH_PCI && want->pci != pci->bdf)
		return NULL;
	pci_enable(pci);
	dev = pci_map_bar(pci, 0, &res.regs) < 0 ? NULL : netdev_attach(&res);
	if (dev && want->match == SLUICE_MATCH_MAC &&
	    memcmp(dev->mac, want->mac, ETH_ADDR_LEN)) {
		netdev_detach(dev);
		dev = NULL;
	}
	if (!dev)
		pci_disable(pci);
	return dev;
}

static struct netdev *network_find(const struct sluice_uplink *want,
				   struct pci_device **pci)
{
	for (unsigned i = 0; (*pci = pci_at(i)); i++) {
		struct netdev *dev = network_probe(*pci, want);

		if (dev)
			return dev;
	}
	log_error("network",
		  "no NIC found for uplink %s: Sluice drives Intel "
		  "82574L (8086:10d3) ones; see its `match:`",
		  want->name);
	for (unsigned i = 0; (*pci = pci_at(i)); i++)
		if ((*pci)->class >> 16 == 2)
			log_error("network", "there is %02x:%02x.%x %04x:%04x",
				  (*pci)->bdf >> 8, (*pci)->bdf >> 3 & 31,
				  (*pci)->bdf & 7, (*pci)->vendor,
				  (*pci)->device);
	return NULL;
}

/* Receive, transmit and the rest have a vector each. Uplinks take turns over
 * the CPUs. */
static int network_interrupts(struct network *net)
{
	unsigned cpu = sched_next_cpu();
	int error = msix_init(net->pci);

	for (unsigned i = 0; !error && i < NETDEV_VECTORS_MAX; i++) {
		int vector =
			irq_alloc(network_interrupt, net->uplink, i, net->name);

		if (vector < 0)
			return vector;
		error = msix_set(net->pci, i, cpu, (unsigned)vector);
		if (!error)
			msix_mask(net->pci, i, false);
	}
	if (!error)
		msix_enable(net->pci, true);
	return error;
}

static int network_add(const struct sluice_uplink *config)
{
	struct network *net = &networks[networks_count];
	const uint8_t *mac;
	int error = -ENOMEM;

	net->name = config->name;
	net->dev = network_find(config, &net->pci);
	if (!net->dev)
		return -ENODEV;
	net->vswitch = vswitch_create(config->name);
	net->uplink = uplink_create(net->dev, config->name);
	if (net->vswitch && net->uplink)
		error = uplink_attach(net->uplink, net->vswitch);
	if (!error)
		error = network_interrupts(net);
	if (!error)
		error = uplink_start(net->uplink);
	if (error) {
		log_error("network", "uplink %s does not start (%d)",
			  config->name, error);
		return error;
	}
	mac = net->dev->mac;
	log_info("network",
		 "uplink %s: %s at %02x:%02x.%x, "
		 "%02x:%02x:%02x:%02x:%02x:%02x",
		 net->name, net->dev->ops->name, net->pci->bdf >> 8,
		 net->pci->bdf >> 3 & 31, net->pci->bdf & 7, mac[0], mac[1],
		 mac[2], mac[3], mac[4], mac[5]);
	networks_count++;
	return 0;
}

int network_init(const struct bundle *bundle)
{
	for (unsigned i = 0; i < bundle->config->uplink_count; i++) {
		int error = network_add(&bundle->uplinks[i]);

		if (error)
			return error;
	}
	return 0;
}

void network_stop(void)
{
	for (unsigned i = 0; i < networks_count; i++)
		uplink_stop(networks[i].uplink);
}
