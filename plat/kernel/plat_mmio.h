/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Device registers on bare metal: an uncached mapping. */
#ifndef PLAT_MMIO_IMPL_H
#define PLAT_MMIO_IMPL_H

#include "lib/types.h"

struct mmio {
	volatile uint8_t *base;
	uint32_t size;
};

static inline uint32_t mmio_read32(const struct mmio *m, uint32_t offset)
{
	return *(volatile uint32_t *)(m->base + offset);
}

static inline void mmio_write32(const struct mmio *m, uint32_t offset,
				uint32_t value)
{
	/* x86 keeps stores in order; only the compiler must not reorder. */
	__asm__ volatile("" ::: "memory");
	*(volatile uint32_t *)(m->base + offset) = value;
}

#endif
