/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Device registers in a Linux process: a test plays the device. */
#ifndef PLAT_MMIO_IMPL_H
#define PLAT_MMIO_IMPL_H

#include "plat/linux/mmio_hook.h"

struct mmio {
	const struct mmio_hooks *hooks;
	void *device;
	uint32_t size;
};

static inline uint32_t mmio_read32(const struct mmio *m, uint32_t offset)
{
	return m->hooks->read32(m->device, offset);
}

static inline void mmio_write32(const struct mmio *m, uint32_t offset,
				uint32_t value)
{
	m->hooks->write32(m->device, offset, value);
}

#endif
