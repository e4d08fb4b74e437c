/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The VMkernel's page tables: built once at boot, W^X, guard pages. */
#include <string.h>

#include "plat/lock.h"
#include "vmkernel/cpu/regs.h"
#include "vmkernel/mm/page.h"

/* Page table entry bits (AMD APM 2, 5.4.1). */
#define PTE_P	  (1ull << 0)
#define PTE_W	  (1ull << 1)
#define PTE_PWT	  (1ull << 3)
#define PTE_PCD	  (1ull << 4)
#define PTE_PS	  (1ull << 7)
#define PTE_G	  (1ull << 8)
#define PTE_NX	  (1ull << 63)
#define PTE_ADDR  0x000ffffffffff000ull
#define PTE_DATA  (PTE_P | PTE_W | PTE_G | PTE_NX)
#define PTE_ROM	  (PTE_P | PTE_G | PTE_NX)
#define PTE_CODE  (PTE_P | PTE_G)
#define PTE_MMIO  (PTE_DATA | PTE_PCD | PTE_PWT)
#define PT_LEVELS 4

extern char image_start[], image_text_end[], image_rodata_end[], image_end[];

/* In the image, so below 4 GiB: application processors load it early. */
static uint64_t paging_root[512] __attribute__((aligned(4096)));
static struct lock paging_lock = LOCK_INIT("page tables", LOCK_PAGETABLES);
static uint64_t paging_mmio_next = MMIO_BASE;
static uint64_t paging_stack_next = STACK_BASE;

/* Before the page allocator works, tables come from one early region. */
static uint64_t early_next, early_end;

static hpa_t paging_table(void)
{
	hpa_t pa;

	if (!early_next)
		return mm_alloc_pages(0, MM_KERNEL);
	if (early_next == early_end)
		plat_panic("mm: early page tables ran out");
	pa = HPA(early_next);
	early_next += PAGE_SIZE;
	memset(phys_to_virt(pa), 0, PAGE_SIZE);
	return pa;
}

static unsigned paging_index(uint64_t va, unsigned level)
{
	return va >> (PAGE_SHIFT + 9 * (level - 1)) & 511;
}

/* Maps one page; level 1 is 4 KiB, 2 is 2 MiB, 3 is 1 GiB. */
static bool paging_map_page(uint64_t va, hpa_t pa, unsigned level,
			    uint64_t bits)
{
	uint64_t *table = paging_root;

	for (unsigned l = PT_LEVELS; l > level; l--) {
		uint64_t *entry = &table[paging_index(va, l)];

		if (!(*entry & PTE_P)) {
			hpa_t next = paging_table();

			if (!next.v)
				return false;
			*entry = next.v | PTE_P | PTE_W;
		}
		table = phys_to_virt(HPA(*entry & PTE_ADDR));
	}
	table[paging_index(va, level)] = pa.v | bits | (level > 1 ? PTE_PS : 0);
	return true;
}

/* Maps a range in the largest pages that fit. */
static bool paging_map(uint64_t va, hpa_t pa, uint64_t size, uint64_t bits,
		       unsigned level_max)
{
	while (size) {
		unsigned level = level_max;
		uint64_t page;

		for (;; level--) {
			page = PAGE_SIZE << 9 * (level - 1);
			if (level == 1 ||
			    (!((va | pa.v) & (page - 1)) && size >= page))
				break;
		}
		if (!paging_map_page(va, pa, level, bits))
			return false;
		va += page;
		pa.v += page;
		size -= page;
	}
	return true;
}

static unsigned paging_level_max(void)
{
	uint32_t out[4];

	cpuid(0x80000001, 0, out);
	return out[3] & 1u << 26 ? 3 : 2; /* 1 GiB pages */
}

/* The direct map leaves the image out: its pages have one mapping, with
 * their own rights. */
static void paging_map_ram(const struct mm_region *ram, unsigned level_max)
{
	uint64_t start = ALIGN_DOWN(ram->base.v, PAGE_SIZE);
	uint64_t end = ALIGN_UP(ram->base.v + ram->size, PAGE_SIZE);
	uint64_t image = virt_to_phys(image_start).v;
	uint64_t after = virt_to_phys(image_end).v;

	if (start < image && image < end) {
		paging_map(DIRECT_BASE + start, HPA(start), image - start,
			   PTE_DATA, level_max);
		start = after;
	}
	if (start < end)
		paging_map(DIRECT_BASE + start, HPA(start), end - start,
			   PTE_DATA, level_max);
}

static void paging_map_image(char *from, char *to, uint64_t bits)
{
	paging_map((uint64_t)from, virt_to_phys(from), (uint64_t)(to - from),
		   bits, 1);
}

/* Does [base, base + size) touch a reserved region? Says where that ends. */
static bool mm_reserved(const struct mm_boot_map *map, uint64_t base,
			uint64_t size, uint64_t *end)
{
	for (unsigned i = 0; i < map->reserved_count; i++) {
		const struct mm_region *r = &map->reserved[i];

		if (base < r->base.v + r->size && r->base.v < base + size) {
			*end = ALIGN_UP(r->base.v + r->size, PAGE_SIZE);
			return true;
		}
	}
	return false;
}

/* RAM below 4 GiB (the boot tables reach no further) for what must exist
 * before the allocator. */
static hpa_t mm_early_region(const struct mm_boot_map *map, uint64_t size)
{
	for (unsigned i = 0; i < map->ram_count; i++) {
		uint64_t base = ALIGN_UP(map->ram[i].base.v, PAGE_SIZE);
		uint64_t end =
			MIN(map->ram[i].base.v + map->ram[i].size, GiB(4));
		uint64_t next;

		while (base + size <= end) {
			if (!mm_reserved(map, base, size, &next))
				return HPA(base);
			base = next;
		}
	}
	plat_panic("mm: no %lu KiB of RAM below 4 GiB", size >> 10);
}

/* Gives the allocator a RAM region, less what is reserved in it. */
static void mm_add_region(const struct mm_boot_map *map, uint64_t base,
			  uint64_t end)
{
	while (base < end) {
		uint64_t stop = end, next = end;

		for (unsigned i = 0; i < map->reserved_count; i++) {
			uint64_t from = map->reserved[i].base.v;
			uint64_t to = from + map->reserved[i].size;

			if (from <= base && base < to) {
				base = ALIGN_UP(to, PAGE_SIZE);
				i = (unsigned)-1; /* look again from there */
			}
		}
		if (base >= end)
			return;
		for (unsigned i = 0; i < map->reserved_count; i++) {
			uint64_t from = map->reserved[i].base.v;

			if (from > base && from < stop) {
				stop = from;
				next = from;
			}
		}
		page_add(HPA(base), stop - base);
		base = next;
	}
}

void mm_init(const struct mm_boot_map *boot_map)
{
	struct mm_boot_map map = *boot_map;
	unsigned level_max = paging_level_max();
	uint64_t top = 0, total = 0, orders, tables;
	hpa_t early;

	for (unsigned i = 0; i < map.ram_count; i++) {
		top = MAX(top, map.ram[i].base.v + map.ram[i].size);
		total += map.ram[i].size;
	}
	if (top > DIRECT_SIZE)
		plat_panic("mm: RAM above 4 TiB is not supported");
	orders = ALIGN_UP(top >> PAGE_SHIFT, PAGE_SIZE);
	/* 2 MiB pages need one table per GiB; odd edges a few each. */
	tables = (top / GiB(1) + 16 + 6 * map.ram_count) * PAGE_SIZE +
		 ALIGN_UP((uint64_t)(image_end - image_start), MiB(2)) /
			 MiB(2) * PAGE_SIZE;
	early = mm_early_region(&map, orders + tables);
	map.reserved[map.reserved_count++] =
		(struct mm_region){early, orders + tables};
	early_next = early.v + orders;
	early_end = early_next + tables;

	for (unsigned i = 0; i < map.ram_count; i++)
		paging_map_ram(&map.ram[i], level_max);
	paging_map_image(image_start, image_text_end, PTE_CODE);
	paging_map_image(image_text_end, image_rodata_end, PTE_ROM);
	paging_map_image(image_rodata_end, image_end, PTE_DATA);
	write_cr3(mm_kernel_cr3().v);
	early_next = 0;

	page_init(phys_to_virt(early), top >> PAGE_SHIFT);
	for (unsigned i = 0; i < map.ram_count; i++)
		mm_add_region(&map, map.ram[i].base.v,
			      map.ram[i].base.v + map.ram[i].size);
	page_account(total,
		     (uint64_t)(image_end - image_start) + orders + tables,
		     map.bundle_bytes);
}

hpa_t mm_kernel_cr3(void)
{
	return virt_to_phys(paging_root);
}

void *mm_map_mmio(hpa_t pa, uint64_t size)
{
	uint64_t offset = pa.v & (PAGE_SIZE - 1);
	uint64_t bytes = ALIGN_UP(offset + size, PAGE_SIZE);
	uint64_t va;
	bool ok;

	lock_acquire(&paging_lock);
	va = paging_mmio_next;
	ok = paging_map(va, HPA(pa.v - offset), bytes, PTE_MMIO, 1);
	if (ok)
		paging_mmio_next += bytes + PAGE_SIZE; /* a gap between */
	lock_release(&paging_lock);
	return ok ? (void *)(va + offset) : NULL;
}

void *mm_alloc_stack(size_t size)
{
	void *top = NULL;
	uint64_t va;

	lock_acquire(&paging_lock);
	va = paging_stack_next + PAGE_SIZE; /* the guard stays unmapped */
	for (uint64_t at = va; at < va + size; at += PAGE_SIZE) {
		hpa_t pa = mm_alloc_pages(0, MM_KERNEL);

		if (!pa.v || !paging_map_page(at, pa, 1, PTE_DATA))
			goto out; /* boot fails anyway: nothing is unwound */
	}
	paging_stack_next = va + size;
	top = (void *)(va + size);
out:
	lock_release(&paging_lock);
	return top;
}

bool mm_is_mapped(const void *address)
{
	uint64_t va = (uint64_t)address;
	const uint64_t *table = paging_root;

	if (va < DIRECT_BASE)
		return false;
	for (unsigned level = PT_LEVELS;; level--) {
		uint64_t entry = table[paging_index(va, level)];

		if (!(entry & PTE_P))
			return false;
		if (level == 1 || entry & PTE_PS)
			return true;
		table = phys_to_virt(HPA(entry & PTE_ADDR));
	}
}
