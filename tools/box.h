/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The configuration file as its author wrote it, in C structs. */
#ifndef TOOLS_BOX_H
#define TOOLS_BOX_H

#include "tools/doc.h"

/* Absent optional text is NULL. */
struct box_match {
	char *mac;
	char *pci;
};

struct box_uplink {
	char *name;
	struct box_match *match; /* NULL: any NIC */
};

struct box_nic {
	char *network; /* the uplink's name */
	char *mac;
	bool promiscuous;
	char **allow_macs;
	unsigned allow_macs_count;
};

struct box_vm {
	char *name;
	uint32_t cpus;
	char *memory;
	char *kernel;
	char *initrd;
	char *cmdline;
	struct box_nic *nics;
	unsigned nics_count;
};

struct box {
	uint32_t log_level; /* as in sluice/config.h */
	struct box_uplink *uplinks;
	unsigned uplinks_count;
	struct box_vm *vms;
	unsigned vms_count;
};

/* text is the one that *d was parsed from; the caller ends with box_free(). */
int box_load(struct box **box, const struct doc *d, const char *text,
	     size_t size, struct fault *f);
void box_free(struct box *box);

#endif
