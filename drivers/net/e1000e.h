/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Intel 82574L: what the table of drivers needs. */
#ifndef DRIVERS_NET_E1000E_H
#define DRIVERS_NET_E1000E_H

#include "drivers/net/netdev.h"

/* As netdev_attach() and netdev_detach(). */
struct netdev *e1000e_attach(const struct netdev_resources *res);
void e1000e_detach(struct netdev *dev);

#endif
