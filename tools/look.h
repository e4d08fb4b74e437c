/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A quick look at a file: is it a kernel that a VM can be started with? */
#ifndef TOOLS_LOOK_H
#define TOOLS_LOOK_H

#include "lib/types.h"

enum look {
	LOOK_UNKNOWN,
	LOOK_BZIMAGE,	 /* Linux, 64-bit boot protocol */
	LOOK_BZIMAGE_32, /* Linux without a 64-bit entry */
	LOOK_BZIMAGE_CUT,
	LOOK_PVH,	/* ELF with a PVH note */
	LOOK_MULTIBOOT, /* ELF with a Multiboot 1 header */
	LOOK_ELF,	/* ELF with neither */
	LOOK_IO,	/* cannot be read: errno */
};

/* size is the open file's, in bytes. */
enum look look_at_kernel(int fd, uint64_t size);

#endif
