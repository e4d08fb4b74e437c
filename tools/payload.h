/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The files that the VMs name: opened, looked at, each listed once. */
#ifndef TOOLS_PAYLOAD_H
#define TOOLS_PAYLOAD_H

#include "tools/plan.h"
#include "sluice/bundle.h"

struct payload {
	const char *path; /* the plan's, as written */
	int fd;
	uint64_t device, inode; /* the same file may have several paths */
	uint64_t size;		/* bytes, not 0 */
};

struct payloads {
	struct payload items[SLUICE_BUNDLE_PAYLOADS_MAX];
	unsigned count;
};

/*
 * Opens the kernels and initrds and sets the VMs' payload indices in the plan.
 * Paths are relative to the current directory. End with payloads_close(),
 * after a failure too.
 */
int payloads_open(struct payloads *list, struct plan *p, struct fault *f);
void payloads_close(struct payloads *list);

#endif
