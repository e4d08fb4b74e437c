/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Device registers played by a test: the native side of plat/mmio.h. */
#ifndef PLAT_LINUX_MMIO_HOOK_H
#define PLAT_LINUX_MMIO_HOOK_H

#include "lib/types.h"

/* A test's (or fuzzer's) register file. */
struct mmio_hooks {
	uint32_t (*read32)(void *device, uint32_t offset);
	void (*write32)(void *device, uint32_t offset, uint32_t value);
};

#endif
