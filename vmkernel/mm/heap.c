/* SPDX-License-Identifier: GPL-2.0-or-later */
/* plat_alloc() on bare metal: size classes over the page allocator. */
#include <string.h>

#include "lib/list.h"
#include "plat/lock.h"
#include "vmkernel/mm/mm.h"

/* Powers of two from 64 bytes to half a page share pages; larger requests
 * take whole blocks of pages. A class's pages are never given back. */
#define HEAP_SHIFT_MIN 6
#define HEAP_SHIFT_MAX 11

static struct lock heap_lock = LOCK_INIT("heap", LOCK_HEAP);
static struct list heap_free[HEAP_SHIFT_MAX + 1];

static unsigned heap_shift(size_t size, size_t align)
{
	unsigned shift = HEAP_SHIFT_MIN;

	while ((size_t)1 << shift < MAX(size, align))
		shift++;
	return shift;
}

static bool heap_refill(unsigned shift)
{
	hpa_t pa = mm_alloc_pages(0, MM_KERNEL);
	uint8_t *page = phys_to_virt(pa);

	if (!pa.v)
		return false;
	for (size_t at = 0; at < PAGE_SIZE; at += (size_t)1 << shift)
		list_add_tail(&heap_free[shift], (struct list *)(page + at));
	return true;
}

void *plat_alloc(size_t size, size_t align)
{
	unsigned shift = heap_shift(size, align);
	struct list *node = NULL;

	if (shift > HEAP_SHIFT_MAX) {
		unsigned order = MAX(shift, PAGE_SHIFT) - PAGE_SHIFT;
		hpa_t pa = {0};

		if (order <= MM_ORDER_MAX)
			pa = mm_alloc_pages(order, MM_KERNEL);
		return pa.v ? phys_to_virt(pa) : NULL;
	}
	lock_acquire(&heap_lock);
	if (!heap_free[shift].next)
		list_init(&heap_free[shift]);
	if (!list_empty(&heap_free[shift]) || heap_refill(shift))
		node = list_pop(&heap_free[shift]);
	lock_release(&heap_lock);
	if (node)
		memset(node, 0, (size_t)1 << shift);
	return node;
}

/* Only the size tells the class: align beyond size must be given as size. */
void plat_free(void *ptr, size_t size)
{
	unsigned shift = heap_shift(size, 0);

	if (!ptr)
		return;
	if (shift > HEAP_SHIFT_MAX) {
		mm_free_pages(virt_to_phys(ptr),
			      MAX(shift, PAGE_SHIFT) - PAGE_SHIFT, MM_KERNEL);
		return;
	}
	lock_acquire(&heap_lock);
	list_add_head(&heap_free[shift], ptr);
	lock_release(&heap_lock);
}

iova_t plat_dma_addr(const void *ptr)
{
	return IOVA(virt_to_phys(ptr).v);
}
