/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which driver drives which NIC. */
#include "drivers/net/netdev.h"

#include "drivers/net/e1000e.h"
#include "drivers/net/e1000e_reg.h"

struct netdev_driver {
	uint16_t vendor, device;
	struct netdev *(*attach)(const struct netdev_resources *res);
	void (*detach)(struct netdev *dev);
};

static const struct netdev_driver netdev_drivers[] = {
	{E1000E_VENDOR, E1000E_DEVICE_82574L, e1000e_attach, e1000e_detach},
};

static const struct netdev_driver *netdev_find(uint16_t vendor, uint16_t device)
{
	for (size_t i = 0; i < ARRAY_SIZE(netdev_drivers); i++) {
		if (netdev_drivers[i].vendor == vendor &&
		    netdev_drivers[i].device == device)
			return &netdev_drivers[i];
	}
	return NULL;
}

bool netdev_known(uint16_t vendor, uint16_t device)
{
	return netdev_find(vendor, device) != NULL;
}

struct netdev *netdev_attach(const struct netdev_resources *res)
{
	const struct netdev_driver *driver =
		netdev_find(res->vendor, res->device);

	return driver ? driver->attach(res) : NULL;
}

void netdev_detach(struct netdev *dev)
{
	if (dev)
		netdev_find(dev->res.vendor, dev->res.device)->detach(dev);
}
