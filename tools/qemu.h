/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The QEMU command line of the machine that `sluice run` boots. */
#ifndef TOOLS_QEMU_H
#define TOOLS_QEMU_H

#include "tools/plan.h"

#define QEMU_ARGS_MAX	  256
#define QEMU_FORWARDS_MAX 32
#define QEMU_CPUS_MAX	  255 /* of the q35 machine, without x2APIC */

/* A port of the machine we are on that leads to a VM. */
struct qemu_forward {
	const char *protocol;
	uint16_t host_port, guest_port;
	char guest[16]; /* dotted IPv4 address */
};

struct qemu_options {
	unsigned cpus;
	uint64_t memory; /* bytes */
	const char *kernel, *bundle;
	const char *control; /* what the second serial port says; or NULL */
	bool gdb;
	unsigned forward_count;
	struct qemu_forward forwards[QEMU_FORWARDS_MAX];
	unsigned extra_count;
	const char *extra[QEMU_ARGS_MAX];
};

/* Ends in NULL; all items are its own. */
struct qemu_args {
	unsigned count;
	char *items[QEMU_ARGS_MAX + 1];
};

/* "tcp:8080:10.0.2.15:80"; udp as well. */
bool qemu_parse_forward(const char *text, struct qemu_forward *forward);
/* End with qemu_args_free(), after a failure too. */
int qemu_args_make(struct qemu_args *args, const struct plan *p,
		   const struct qemu_options *options, struct fault *f);
void qemu_args_free(struct qemu_args *args);
/* One line that a shell takes. */
void qemu_args_print(const struct qemu_args *args);

#endif
