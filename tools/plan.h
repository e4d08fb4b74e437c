/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The checked configuration: the kernel's tables, before files are opened. */
#ifndef TOOLS_PLAN_H
#define TOOLS_PLAN_H

#include "tools/box.h"
#include "sluice/config.h"

#define PLAN_NICS_MAX (SLUICE_VMS_MAX * SLUICE_NICS_MAX)
#define PLAN_MACS_MAX (PLAN_NICS_MAX * SLUICE_MACS_MAX)

/* The VMs' payload indices are filled in by payload.c. */
struct plan {
	struct doc doc;
	struct box *box;
	struct sluice_config config;
	struct sluice_uplink uplinks[SLUICE_UPLINKS_MAX];
	struct sluice_vm vms[SLUICE_VMS_MAX];
	struct sluice_nic nics[PLAN_NICS_MAX];
	struct sluice_mac macs[PLAN_MACS_MAX];
	char strings[SLUICE_VMS_MAX * (SLUICE_CMDLINE_MAX + 1)];
};

/* Reads and checks the file. The caller ends a good plan with plan_free(). */
int plan_load(struct plan **plan, const char *path, struct fault *f);
/* The same for a text in memory. */
int plan_parse(struct plan **plan, const char *text, size_t size,
	       struct fault *f);
void plan_free(struct plan *plan);

#endif
