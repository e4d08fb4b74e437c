/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The VMkernel's memory: address conversions, pages, mappings. */
#ifndef VMKERNEL_MM_MM_H
#define VMKERNEL_MM_MM_H

#include "lib/types.h"

/*
 * Kernel virtual layout (4-level paging):
 *   DIRECT_BASE  all RAM, writable, never executable, without the image
 *   MMIO_BASE    device registers, uncached
 *   STACK_BASE   CPU stacks, an unmapped guard page below each
 *   IMAGE_BASE   the ELF image: text r-x, rodata r--, data rw-
 * Nothing is mapped writable and executable, and nothing below 2^47.
 */
#define DIRECT_BASE	0xffff800000000000ull
#define DIRECT_SIZE	(1ull << 42) /* RAM up to 4 TiB */
#define MMIO_BASE	0xffffc00000000000ull
#define STACK_BASE	0xffffd00000000000ull
#define IMAGE_BASE	0xffffffff80000000ull

#define LARGE_PAGE_SIZE MiB(2)
#define GIANT_PAGE_SIZE GiB(1)

static inline void *phys_to_virt(hpa_t pa)
{
	return (void *)(DIRECT_BASE + pa.v);
}

/* Of direct-map and image addresses only. */
static inline hpa_t virt_to_phys(const void *va)
{
	uint64_t v = (uint64_t)va;

	return HPA(v >= IMAGE_BASE ? v - IMAGE_BASE : v - DIRECT_BASE);
}

/* What the boot protocol says of RAM. */
struct mm_region {
	hpa_t base;
	uint64_t size;
};

#define MM_REGIONS_MAX 64

struct mm_boot_map {
	unsigned ram_count, reserved_count;
	struct mm_region ram[MM_REGIONS_MAX];
	/* Not to be handed out: image, bundle, boot data. */
	struct mm_region reserved[8];
	uint64_t bundle_bytes; /* of that, for the statistics */
};

/* Boot CPU, once: page allocator, then final page tables (loads CR3). */
void mm_init(const struct mm_boot_map *map);
hpa_t mm_kernel_cr3(void);

enum mm_use {
	MM_KERNEL,
	MM_GUEST
};

/* 2^order pages, naturally aligned, zeroed for the kernel; not zeroed for
 * guests (see mm_alloc_guest()). 0 when dry. order: 0 to MM_ORDER_MAX. */
#define MM_ORDER_MAX 18 /* 1 GiB */
hpa_t mm_alloc_pages(unsigned order, enum mm_use use);
void mm_free_pages(hpa_t pa, unsigned order, enum mm_use use);

/* Uncached mapping of device registers, for good. NULL when dry. */
void *mm_map_mmio(hpa_t pa, uint64_t size);
/* A CPU stack with a guard page below; returns its top. NULL when dry. */
void *mm_alloc_stack(size_t size);
/* Can the kernel read this byte? For backtraces only. */
bool mm_is_mapped(const void *va);

struct mm_stats {
	uint64_t total_bytes;  /* RAM that the firmware gave us */
	uint64_t kernel_bytes; /* image, page tables, heap, packet memory */
	uint64_t guest_bytes;  /* VMs' RAM */
	uint64_t boot_bytes;   /* the bundle */
	uint64_t free_bytes;
};
void mm_stats(struct mm_stats *stats);

#endif
