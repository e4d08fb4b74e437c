/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A quick look at a file: is it a kernel that a VM can be started with? */
#ifndef TOOLS_LOOK_H
#define TOOLS_LOOK_H

#include "lib/types.h"

enum look {
	LOOK_UNKNOWN,
	LOOK_BZIMAGE,	  /* Linux, or what boots like it */
	LOOK_BZIMAGE_OLD, /* a boot protocol before 2.02, or a zImage */
	LOOK_BZIMAGE_CUT,
	LOOK_PVH,	/* ELF with a PVH note */
	LOOK_MULTIBOOT, /* ELF with a Multiboot 1 header */
	LOOK_ELF,	/* ELF with neither */
	LOOK_IO,	/* cannot be read: errno */
};

/* size is the open file's, in bytes. */
enum look look_at_kernel(int fd, uint64_t size);

#endif
