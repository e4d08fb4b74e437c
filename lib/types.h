/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Address types and the few macros that every file may use. */
#ifndef LIB_TYPES_H
#define LIB_TYPES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Each address space is a type of its own: mixing them up must not compile. */
typedef struct {
	uint64_t v;
} hpa_t; /* host-physical (SPA in the AMD manual) */
typedef struct {
	uint64_t v;
} gpa_t; /* guest-physical */
typedef struct {
	uint64_t v;
} iova_t; /* what a device puts on the bus */

#define HPA(x)	      ((hpa_t){(x)})
#define GPA(x)	      ((gpa_t){(x)})
#define IOVA(x)	      ((iova_t){(x)})

#define KiB(n)	      ((uint64_t)(n) << 10)
#define MiB(n)	      ((uint64_t)(n) << 20)
#define GiB(n)	      ((uint64_t)(n) << 30)

#define PAGE_SHIFT    12
#define PAGE_SIZE     ((size_t)1 << PAGE_SHIFT)

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))
#define container_of(ptr, type, member) \
	((type *)((char *)(ptr)-offsetof(type, member)))

#define likely(x)	 __builtin_expect(!!(x), 1)
#define unlikely(x)	 __builtin_expect(!!(x), 0)

/* One load or store that the compiler may neither split, repeat nor drop. */
#define READ_ONCE(x)	 (*(const volatile __typeof__(x) *)&(x))
#define WRITE_ONCE(x, v) (*(volatile __typeof__(x) *)&(x) = (v))

/* align is a power of two. */
#define ALIGN_UP(x, align) \
	(((x) + ((__typeof__(x))(align)-1)) & ~((__typeof__(x))(align)-1))
#define ALIGN_DOWN(x, align) ((x) & ~((__typeof__(x))(align)-1))

#define MIN(a, b)	     ((a) < (b) ? (a) : (b))
#define MAX(a, b)	     ((a) > (b) ? (a) : (b))

#define CACHE_LINE	     64
#define CACHE_ALIGNED	     __attribute__((aligned(CACHE_LINE)))
#define PRINTF(f, a)	     __attribute__((format(printf, f, a)))
#define PACKED		     __attribute__((packed))

#endif
