/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Page allocator: a binary buddy system over all RAM. */
#include "vmkernel/mm/page.h"

#include <string.h>

#include "lib/list.h"
#include "plat/lock.h"

/*
 * One byte for each page frame says, for the first page of a free block, its
 * order; everything else is PAGE_BUSY. Free blocks are linked through their
 * own first bytes, by the direct map.
 */
#define PAGE_BUSY 0xff

static struct lock page_lock = LOCK_INIT("pages", LOCK_PAGES);
static struct list page_free_lists[MM_ORDER_MAX + 1];
static uint8_t *page_order;
static uint64_t page_count;
static struct mm_stats page_stats;

void page_init(uint8_t *orders, uint64_t count)
{
	page_order = orders;
	page_count = count;
	memset(page_order, PAGE_BUSY, count);
	for (unsigned i = 0; i <= MM_ORDER_MAX; i++)
		list_init(&page_free_lists[i]);
}

static struct list *page_node(uint64_t frame)
{
	return phys_to_virt(HPA(frame << PAGE_SHIFT));
}

static void page_put(uint64_t frame, unsigned order)
{
	while (order < MM_ORDER_MAX) {
		uint64_t buddy = frame ^ 1ull << order;

		if (buddy >= page_count || page_order[buddy] != order)
			break;
		list_del(page_node(buddy));
		page_order[buddy] = PAGE_BUSY;
		frame &= ~(1ull << order);
		order++;
	}
	page_order[frame] = (uint8_t)order;
	list_add_head(&page_free_lists[order], page_node(frame));
}

void page_add(hpa_t base, uint64_t size)
{
	uint64_t frame = ALIGN_UP(base.v, PAGE_SIZE) >> PAGE_SHIFT;
	uint64_t end = (base.v + size) >> PAGE_SHIFT;

	while (frame < end) {
		unsigned order = 0;

		while (order < MM_ORDER_MAX && !(frame & 1ull << order) &&
		       frame + (2ull << order) <= end)
			order++;
		page_put(frame, order);
		page_stats.free_bytes += PAGE_SIZE << order;
		frame += 1ull << order;
	}
}

void page_account(uint64_t total, uint64_t kernel, uint64_t boot)
{
	page_stats.total_bytes += total;
	page_stats.kernel_bytes += kernel;
	page_stats.boot_bytes += boot;
}

hpa_t mm_alloc_pages(unsigned order, enum mm_use use)
{
	uint64_t *used = use == MM_GUEST ? &page_stats.guest_bytes
					 : &page_stats.kernel_bytes;
	unsigned from = order;
	uint64_t frame;
	hpa_t pa;

	lock_acquire(&page_lock);
	while (from <= MM_ORDER_MAX && list_empty(&page_free_lists[from]))
		from++;
	if (from > MM_ORDER_MAX) {
		lock_release(&page_lock);
		return HPA(0);
	}
	pa = virt_to_phys(list_pop(&page_free_lists[from]));
	frame = pa.v >> PAGE_SHIFT;
	page_order[frame] = PAGE_BUSY;
	while (from > order) {
		from--;
		page_order[frame + (1ull << from)] = (uint8_t)from;
		list_add_head(&page_free_lists[from],
			      page_node(frame + (1ull << from)));
	}
	page_stats.free_bytes -= PAGE_SIZE << order;
	*used += PAGE_SIZE << order;
	lock_release(&page_lock);
	if (use == MM_KERNEL)
		memset(phys_to_virt(pa), 0, PAGE_SIZE << order);
	return pa;
}

void mm_free_pages(hpa_t pa, unsigned order, enum mm_use use)
{
	ASSERT(!(pa.v & ((PAGE_SIZE << order) - 1)));
	ASSERT(page_order[pa.v >> PAGE_SHIFT] == PAGE_BUSY);
	lock_acquire(&page_lock);
	page_put(pa.v >> PAGE_SHIFT, order);
	page_stats.free_bytes += PAGE_SIZE << order;
	if (use == MM_GUEST)
		page_stats.guest_bytes -= PAGE_SIZE << order;
	else
		page_stats.kernel_bytes -= PAGE_SIZE << order;
	lock_release(&page_lock);
}

void mm_stats(struct mm_stats *stats)
{
	lock_acquire(&page_lock);
	*stats = page_stats;
	lock_release(&page_lock);
}
