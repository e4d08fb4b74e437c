/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Device register access: real on bare metal, a test's hooks on Linux. */
#ifndef PLAT_MMIO_H
#define PLAT_MMIO_H

/* struct mmio {uint32_t size; ...}; and, offset in bytes, 4-aligned:
 *   uint32_t mmio_read32(const struct mmio *m, uint32_t offset);
 *   void mmio_write32(const struct mmio *m, uint32_t offset, uint32_t value);
 * A write orders all earlier stores to memory before it (x86: UC mapping). */
#include "plat_mmio.h"

#endif
