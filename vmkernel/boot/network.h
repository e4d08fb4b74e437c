/* SPDX-License-Identifier: GPL-2.0-or-later */
/* From the configuration's uplinks to NICs, switches and their interrupts. */
#ifndef VMKERNEL_BOOT_NETWORK_H
#define VMKERNEL_BOOT_NETWORK_H

#include "lib/bundle.h"

struct uplink;

/* Finds a NIC for each uplink and starts it. 0 or -errno, logged. */
int network_init(const struct bundle *bundle);
/* Silences all NICs; what was in flight has come back. */
void network_stop(void);

unsigned network_count(void);
struct uplink *network_uplink(unsigned index);

#endif
