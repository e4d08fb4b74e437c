/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Picks the loader for a kernel, and finds room in guest memory. */
#include "vmm/load/loader_priv.h"

#include <string.h>

#include <linux/errno.h>

#include "vmm/layout.h"

/*
 * Kernel and initrd come from whoever runs the VM, who need not be the one who
 * runs the machine: each field is checked before it is used, in 64 bits so
 * that sums cannot wrap unseen. Everything that goes into guest memory claims
 * its place first, so that nothing overlaps, and only usable RAM can be had:
 * a segment aimed at the ACPI tables or at a device is refused.
 */

int loader_fail(struct loader *l, int error, const char *why)
{
	l->why = why;
	return error;
}

/* Is it RAM, in one piece of the map? */
static bool loader_is_ram(const struct loader *l, uint64_t start, uint64_t end)
{
	for (unsigned i = 0; i < l->map.count; i++) {
		const struct memmap_entry *e = &l->map.entries[i];

		if (e->type == MEMMAP_RAM && start >= e->start &&
		    end <= e->start + e->size)
			return true;
	}
	return false;
}

/* Index of a region that [start, end) overlaps, or taken_count. */
static unsigned loader_overlap(const struct loader *l, uint64_t start,
			       uint64_t end)
{
	unsigned i;

	for (i = 0; i < l->taken_count; i++)
		if (start < l->taken[i].end && l->taken[i].start < end)
			break;
	return i;
}

static int loader_claim(struct loader *l, uint64_t start, uint64_t end)
{
	if (l->taken_count == LOADER_REGIONS_MAX)
		return -ENOSPC;
	l->taken[l->taken_count].start = start;
	l->taken[l->taken_count].end = end;
	l->taken_count++;
	return 0;
}

int loader_take(struct loader *l, uint64_t gpa, uint64_t size)
{
	uint64_t end = gpa + size;

	if (size == 0 || end < gpa || !loader_is_ram(l, gpa, end))
		return loader_fail(l, -ENOSPC,
				   "the kernel wants to be where the VM has no "
				   "memory: raise `memory:`, or link it to an "
				   "address from 1 MiB up");
	if (loader_overlap(l, gpa, end) != l->taken_count)
		return loader_fail(l, -ENOSPC,
				   "two parts of the kernel claim the same "
				   "memory: build it anew");
	if (loader_claim(l, gpa, end))
		return loader_fail(l, -ENOSPC,
				   "the kernel has too many segments: link it "
				   "to fewer");
	return 0;
}

int loader_place_low(struct loader *l, uint64_t size, uint64_t align,
		     uint64_t from, uint64_t below, uint64_t *gpa)
{
	for (unsigned i = 0; i < l->map.count; i++) {
		const struct memmap_entry *e = &l->map.entries[i];
		uint64_t start = ALIGN_UP(MAX(e->start, from), align);
		uint64_t limit = MIN(e->start + e->size, below);

		while (e->type == MEMMAP_RAM && start >= from &&
		       start < limit && size <= limit - start) {
			unsigned hit = loader_overlap(l, start, start + size);

			if (hit == l->taken_count) {
				*gpa = start;
				return loader_claim(l, start, start + size);
			}
			start = ALIGN_UP(l->taken[hit].end, align);
		}
	}
	return -ENOSPC;
}

int loader_place_high(struct loader *l, uint64_t size, uint64_t align,
		      uint64_t from, uint64_t below, uint64_t *gpa)
{
	for (unsigned i = l->map.count; i-- > 0;) {
		const struct memmap_entry *e = &l->map.entries[i];
		uint64_t low = MAX(e->start, from);
		uint64_t high = MIN(e->start + e->size, below);

		while (e->type == MEMMAP_RAM && high > low &&
		       size <= high - low) {
			uint64_t start = ALIGN_DOWN(high - size, align);
			unsigned hit = loader_overlap(l, start, start + size);

			if (start < low)
				break;
			if (hit == l->taken_count) {
				*gpa = start;
				return loader_claim(l, start, start + size);
			}
			high = l->taken[hit].start;
		}
	}
	return -ENOSPC;
}

int loader_place_info(struct loader *l, uint64_t size, uint64_t align,
		      uint64_t *gpa)
{
	if (loader_place_low(l, size, align, LOADER_LOW_BASE, GUEST_LOW_RAM_END,
			     gpa))
		return loader_fail(l, -ENOSPC,
				   "the kernel leaves no room for boot "
				   "information below 640 KiB: link it to an "
				   "address from 1 MiB up");
	return 0;
}

int loader_copy(struct loader *l, uint64_t gpa, const void *from, uint64_t size)
{
	if (guest_write(l->rq->mem, GPA(gpa), from, size))
		return loader_fail(l, -ENOSPC, "the VM's memory has a hole");
	return 0;
}

int loader_zero(struct loader *l, uint64_t gpa, uint64_t size)
{
	static const uint8_t zeros[4096];
	int err = 0;

	for (uint64_t step; !err && size; gpa += step, size -= step) {
		step = MIN(size, sizeof(zeros));
		err = loader_copy(l, gpa, zeros, step);
	}
	return err;
}

int loader_put_string(struct loader *l, const char *string, uint64_t *gpa)
{
	size_t size = strlen(string) + 1;
	int err = loader_place_info(l, size, 16, gpa);

	return err ? err : loader_copy(l, *gpa, string, size);
}

int loader_put_initrd(struct loader *l, uint64_t below, uint64_t *gpa)
{
	const struct loader_request *rq = l->rq;

	if (loader_place_high(l, rq->initrd_size, PAGE_SIZE,
			      GUEST_MAIN_RAM_BASE, MIN(below, GUEST_LOW_MAX),
			      gpa))
		return loader_fail(l, -ENOSPC,
				   "the initrd does not fit beside the kernel: "
				   "raise `memory:`, or make it smaller");
	return loader_copy(l, *gpa, rq->initrd, rq->initrd_size);
}

static int loader_pick(struct loader *l)
{
	uint64_t at;
	struct elf elf;
	bool is_elf = elf_is(l->rq);
	int err;

	if (bzimage_is(l->rq))
		return bzimage_load(l);
	if (is_elf) {
		err = elf_parse(l, &elf);
		if (err)
			return err;
		if (pvh_find(l, &elf, &at))
			return pvh_load(l, &elf, at);
	}
	if (multiboot_find(l->rq, &at))
		return multiboot_load(l, is_elf ? &elf : NULL, at);
	if (is_elf)
		return loader_fail(l, -ENOEXEC,
				   "the kernel is an ELF file without PVH note "
				   "or Multiboot header: build it with one of "
				   "them (Linux: CONFIG_PVH=y)");
	return loader_fail(l, -ENOEXEC,
			   "the kernel is neither a bzImage, nor an ELF file "
			   "with a PVH note, nor Multiboot: give one of these "
			   "as `kernel:`");
}

int loader_load(const struct loader_request *rq, struct vcpu_state *entry,
		const char **why)
{
	struct loader_request copy = *rq;
	struct loader l = {.rq = &copy, .entry = entry};
	int err;

	if (!copy.cmdline)
		copy.cmdline = "";
	if (!copy.initrd || !copy.initrd_size) {
		copy.initrd = NULL;
		copy.initrd_size = 0;
	}
	memmap_build(rq->mem, &l.map);
	*entry = (struct vcpu_state){0};
	err = loader_pick(&l);
	*why = err ? l.why : NULL;
	return err;
}
