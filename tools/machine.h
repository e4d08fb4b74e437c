/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Does a configuration fit the machine it is meant for? */
#ifndef TOOLS_MACHINE_H
#define TOOLS_MACHINE_H

#include "tools/plan.h"

uint64_t machine_vm_memory(const struct plan *p); /* of all VMs, bytes */
unsigned machine_vm_cpus(const struct plan *p);	  /* of the VM with the most */

/*
 * Does it fit a machine with so many CPUs and bytes of memory, of which
 * bundle_size hold the bundle? 0 stands for "not known".
 */
int machine_check(const struct plan *p, unsigned cpus, uint64_t memory,
		  uint64_t bundle_size, struct fault *f);

#endif
