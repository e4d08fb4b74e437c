/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Loads a Multiboot 1 kernel, with the initrd as its only module. */
#include "vmm/load/loader_priv.h"

#include <string.h>

#include <linux/errno.h>

#include "vmm/layout.h"

/* Multiboot Specification 0.6.96, section 3. */
#define MULTIBOOT_MAGIC	     0x1badb002
#define MULTIBOOT_BOOT_MAGIC 0x2badb002
#define MULTIBOOT_SEARCH     8192
#define MULTIBOOT_NEED_KNOWN 0x7u /* page-aligned modules, memory, video */
#define MULTIBOOT_NEED_MASK  0xffffu
#define MULTIBOOT_ADDRESSES  (1u << 16)

struct multiboot_header {
	uint32_t magic;
	uint32_t flags;
	uint32_t checksum;
	/* With MULTIBOOT_ADDRESSES: */
	uint32_t header_addr;
	uint32_t load_addr;
	uint32_t load_end_addr; /* 0: the whole file */
	uint32_t bss_end_addr;	/* 0: no bss */
	uint32_t entry_addr;
};

#define MULTIBOOT_HEADER_MIN   offsetof(struct multiboot_header, header_addr)

#define MULTIBOOT_INFO_MEMORY  (1u << 0)
#define MULTIBOOT_INFO_CMDLINE (1u << 2)
#define MULTIBOOT_INFO_MODULES (1u << 3)
#define MULTIBOOT_INFO_MEMMAP  (1u << 6)
#define MULTIBOOT_INFO_LOADER  (1u << 9)

struct multiboot_info {
	uint32_t flags;
	uint32_t mem_lower, mem_upper; /* KiB from 0, from 1 MiB */
	uint32_t boot_device;
	uint32_t cmdline;
	uint32_t module_count, modules;
	uint32_t symbols[4];
	uint32_t memmap_size, memmap;
	uint32_t drives_size, drives;
	uint32_t config_table;
	uint32_t loader_name;
	uint32_t apm_table;
	uint32_t video[11]; /* none of it */
};

struct multiboot_module {
	uint32_t start, end;
	uint32_t string;
	uint32_t reserved;
};

struct multiboot_memmap_entry {
	uint32_t size; /* of what follows */
	uint64_t start, length;
	uint32_t type; /* as E820 */
} PACKED;

_Static_assert(sizeof(struct multiboot_info) == 116, "ABI");
_Static_assert(sizeof(struct multiboot_module) == 16, "ABI");
_Static_assert(sizeof(struct multiboot_memmap_entry) == 24, "ABI");

bool multiboot_find(const struct loader_request *rq, uint64_t *offset)
{
	const uint8_t *bytes = rq->kernel;
	uint64_t limit = MIN(rq->kernel_size, MULTIBOOT_SEARCH);

	for (uint64_t at = 0; at + MULTIBOOT_HEADER_MIN <= limit; at += 4) {
		uint32_t word[3];

		memcpy(word, bytes + at, sizeof(word));
		if (word[0] == MULTIBOOT_MAGIC &&
		    word[0] + word[1] + word[2] == 0) {
			*offset = at;
			return true;
		}
	}
	return false;
}

/* The header's own addresses say what to load ("a.out kludge"). */
static int multiboot_load_flat(struct loader *l,
			       const struct multiboot_header *h, uint64_t at,
			       uint64_t *end)
{
	uint64_t size = l->rq->kernel_size, offset, length, total;
	int err;

	/* The header lies as far into the file as into the loaded part, plus
	 * what the file has before it. */
	if (h->header_addr < h->load_addr || h->header_addr - h->load_addr > at)
		goto broken;
	offset = at - (h->header_addr - h->load_addr);
	length = size - offset;
	if (h->load_end_addr) {
		if (h->load_end_addr <= h->load_addr ||
		    h->load_end_addr - h->load_addr > length)
			goto broken;
		length = h->load_end_addr - h->load_addr;
	}
	total = length;
	if (h->bss_end_addr) {
		if (h->bss_end_addr < h->load_addr + length)
			goto broken;
		total = h->bss_end_addr - h->load_addr;
	}
	if (h->entry_addr < h->load_addr ||
	    h->entry_addr - h->load_addr >= total)
		goto broken;
	err = loader_take(l, h->load_addr, total);
	if (!err)
		err = loader_copy(l, h->load_addr,
				  (const uint8_t *)l->rq->kernel + offset,
				  length);
	if (!err)
		err = loader_zero(l, h->load_addr + length, total - length);
	*end = h->load_addr + total;
	return err;
broken:
	return loader_fail(l, -EINVAL,
			   "the addresses in the kernel's Multiboot header "
			   "contradict themselves or the file: build it anew");
}

/* Some linkers leave a virtual address in e_entry: it is taken to where its
 * segment was loaded. */
static bool multiboot_entry(const struct elf *elf, uint64_t *entry)
{
	if (elf_holds(elf, elf->entry)) {
		*entry = elf->entry;
		return *entry <= UINT32_MAX;
	}
	for (unsigned i = 0; i < elf->count; i++) {
		const struct elf_segment *s = &elf->segments[i];

		*entry = elf->entry - s->vaddr + s->paddr;
		if (elf->entry - s->vaddr < s->memory_size &&
		    elf_holds(elf, *entry))
			return *entry <= UINT32_MAX;
	}
	return false;
}

/* The module follows the kernel: small kernels map only what is near. */
static int multiboot_put_module(struct loader *l, uint64_t end,
				struct multiboot_info *info)
{
	const struct loader_request *rq = l->rq;
	struct multiboot_module module = {0};
	uint64_t gpa, string, list;
	int err;

	if (!rq->initrd)
		return 0;
	if (loader_place_low(l, rq->initrd_size, PAGE_SIZE,
			     MAX(end, GUEST_MAIN_RAM_BASE), GUEST_LOW_MAX,
			     &gpa))
		return loader_fail(l, -ENOSPC,
				   "the initrd does not fit behind the kernel: "
				   "raise `memory:`, or make it smaller");
	err = loader_copy(l, gpa, rq->initrd, rq->initrd_size);
	if (!err)
		err = loader_put_string(
			l, rq->initrd_name ? rq->initrd_name : "initrd",
			&string);
	if (!err)
		err = loader_place_info(l, sizeof(module), 4, &list);
	if (err)
		return err;
	module.start = gpa;
	module.end = gpa + rq->initrd_size;
	module.string = string;
	info->flags |= MULTIBOOT_INFO_MODULES;
	info->module_count = 1;
	info->modules = list;
	return loader_copy(l, list, &module, sizeof(module));
}

static int multiboot_put_memmap(struct loader *l, struct multiboot_info *info)
{
	struct multiboot_memmap_entry entries[MEMMAP_MAX] = {0};
	uint64_t size = l->map.count * sizeof(entries[0]), gpa;
	int err = loader_place_info(l, size, 4, &gpa);

	if (err)
		return err;
	for (unsigned i = 0; i < l->map.count; i++) {
		const struct memmap_entry *e = &l->map.entries[i];

		entries[i].size = sizeof(entries[i]) - sizeof(entries[i].size);
		entries[i].start = e->start;
		entries[i].length = e->size;
		entries[i].type = e->type;
		if (e->type == MEMMAP_RAM && e->start == 0)
			info->mem_lower = e->size >> 10;
		if (e->type == MEMMAP_RAM && e->start == MiB(1))
			info->mem_upper = e->size >> 10;
	}
	info->flags |= MULTIBOOT_INFO_MEMORY | MULTIBOOT_INFO_MEMMAP;
	info->memmap_size = size;
	info->memmap = gpa;
	return loader_copy(l, gpa, entries, size);
}

static int multiboot_put_info(struct loader *l, uint64_t end, uint64_t *gpa)
{
	struct multiboot_info info = {
		.flags = MULTIBOOT_INFO_CMDLINE | MULTIBOOT_INFO_LOADER,
	};
	uint64_t cmdline, name;
	int err = loader_place_info(l, sizeof(info), 8, gpa);

	if (!err)
		err = loader_put_string(l, l->rq->cmdline, &cmdline);
	if (!err)
		err = loader_put_string(l, "Sluice", &name);
	if (!err)
		err = multiboot_put_module(l, end, &info);
	if (!err)
		err = multiboot_put_memmap(l, &info);
	if (err)
		return err;
	info.cmdline = cmdline;
	info.loader_name = name;
	return loader_copy(l, *gpa, &info, sizeof(info));
}

int multiboot_load(struct loader *l, const struct elf *elf, uint64_t header)
{
	struct multiboot_header h = {0};
	uint64_t left = l->rq->kernel_size - header;
	uint64_t end = 0, entry = 0, info;
	int err;

	memcpy(&h, (const uint8_t *)l->rq->kernel + header,
	       MIN(left, sizeof(h)));
	if (h.flags & MULTIBOOT_NEED_MASK & ~MULTIBOOT_NEED_KNOWN)
		return loader_fail(l, -ENOEXEC,
				   "the kernel's Multiboot header asks for "
				   "what Multiboot 1 does not define: clear "
				   "flags 3 to 15");
	if (h.flags & MULTIBOOT_ADDRESSES && left >= sizeof(h)) {
		err = multiboot_load_flat(l, &h, header, &end);
		entry = h.entry_addr;
	} else if (elf) {
		err = elf_load(l, elf, &end);
		if (!err && !multiboot_entry(elf, &entry))
			err = loader_fail(l, -EINVAL,
					  "the kernel's entry point is outside "
					  "of the kernel: build it anew");
	} else {
		return loader_fail(l, -ENOEXEC,
				   "the Multiboot kernel is no ELF file and "
				   "its header has no addresses: set flag 16 "
				   "and give them");
	}
	if (!err)
		err = multiboot_put_info(l, end, &info);
	if (err)
		return err;
	loader_entry_32(l->entry, entry);
	l->entry->gpr[GPR_RAX] = MULTIBOOT_BOOT_MAGIC;
	l->entry->gpr[GPR_RBX] = info;
	return 0;
}
