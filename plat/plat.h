/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What code shared by the kernel and Linux asks of its platform. */
#ifndef PLAT_PLAT_H
#define PLAT_PLAT_H

#include "lib/types.h"
/* plat_cycles(), plat_cpu(), plat_relax(): inline, picked by include path
 * (plat/kernel or plat/linux). */
#include "plat_inline.h"

#define PLAT_CPUS_MAX 64

/* Memory: zeroed, physically contiguous; align is a power of two (at least 16
 * is given). NULL when dry. Never on the packet path. */
void *plat_alloc(size_t size, size_t align);
void plat_free(void *ptr, size_t size); /* the same size; NULL is fine */

/* What a device must be told to reach this VMkernel or guest address. */
iova_t plat_dma_addr(const void *ptr);

/* Monotonic, nanoseconds since boot. */
uint64_t plat_now_ns(void);

unsigned plat_cpu_count(void);

/* Log. area is a short word ("e1000e", "vm web"); one line, no newline. */
enum log_level {
	LOG_ERROR,
	LOG_WARN,
	LOG_INFO,
	LOG_DEBUG
};
void plat_log(enum log_level level, const char *area, const char *fmt, ...)
	PRINTF(3, 4);
#define log_error(area, ...) plat_log(LOG_ERROR, area, __VA_ARGS__)
#define log_warn(area, ...)  plat_log(LOG_WARN, area, __VA_ARGS__)
#define log_info(area, ...)  plat_log(LOG_INFO, area, __VA_ARGS__)
#define log_debug(area, ...) plat_log(LOG_DEBUG, area, __VA_ARGS__)

/* Our own invariant is broken: registers, backtrace, stop. Never for anything
 * that a guest, a wire or a file can bring about. */
_Noreturn void plat_panic(const char *fmt, ...) PRINTF(1, 2);
#define ASSERT(cond)                                                        \
	do {                                                                \
		if (unlikely(!(cond)))                                      \
			plat_panic("%s:%d: assertion failed: %s", __FILE__, \
				   __LINE__, #cond);                        \
	} while (0)

#endif
