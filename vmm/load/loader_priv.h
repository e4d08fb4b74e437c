/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the loaders of the several kernel formats share. */
#ifndef VMM_LOAD_LOADER_PRIV_H
#define VMM_LOAD_LOADER_PRIV_H

#include "vmm/load/loader.h"
#include "vmm/load/memmap.h"

#define LOADER_REGIONS_MAX 48
#define LOADER_PHDRS_MAX   32

/* Boot information goes from here up: kernels like to start their other CPUs
 * in the pages below. */
#define LOADER_LOW_BASE	   0x9000

/* One load in progress: what is where. */
struct loader {
	const struct loader_request *rq;
	struct vcpu_state *entry;
	const char *why;
	struct memmap map;
	unsigned taken_count;
	struct {
		uint64_t start, end;
	} taken[LOADER_REGIONS_MAX];
};

/* Sets why; returns error. */
int loader_fail(struct loader *l, int error, const char *why);

/* Claims [gpa, gpa + size), not empty: usable RAM that nothing else has. 0 or
 * -ENOSPC, with why. */
int loader_take(struct loader *l, uint64_t gpa, uint64_t size);
/* Finds and claims size bytes within [from, below), the lowest or highest that
 * are free; align is a power of two. 0 or -ENOSPC; why is the caller's. */
int loader_place_low(struct loader *l, uint64_t size, uint64_t align,
		     uint64_t from, uint64_t below, uint64_t *gpa);
int loader_place_high(struct loader *l, uint64_t size, uint64_t align,
		      uint64_t from, uint64_t below, uint64_t *gpa);
/* Room for boot information below 640 KiB, with why. */
int loader_place_info(struct loader *l, uint64_t size, uint64_t align,
		      uint64_t *gpa);

/* To and in memory that has been claimed. */
int loader_copy(struct loader *l, uint64_t gpa, const void *from,
		uint64_t size);
int loader_zero(struct loader *l, uint64_t gpa, uint64_t size);
/* A string, with its NUL, in boot information. */
int loader_put_string(struct loader *l, const char *string, uint64_t *gpa);
/* The initrd, page aligned and as high as below allows. */
int loader_put_initrd(struct loader *l, uint64_t below, uint64_t *gpa);

/* loader_entry.c: everything but what a protocol passes in registers. */
void loader_entry_32(struct vcpu_state *entry, uint64_t rip);
/* Makes GDT and page tables: identity, 4 GiB. */
int loader_entry_64(struct loader *l, uint64_t rip);

/* elf.c */
struct elf {
	bool is_64;
	uint64_t entry;
	unsigned count; /* of segments, LOADER_PHDRS_MAX at most */
	struct elf_segment {
		uint32_t type;
		uint64_t offset, file_size;
		uint64_t vaddr, paddr, memory_size;
		uint64_t align;
	} segments[LOADER_PHDRS_MAX];
};

bool elf_is(const struct loader_request *rq);
/* Header and segments, every offset within the file. */
int elf_parse(struct loader *l, struct elf *elf);
/* All PT_LOAD segments to their physical addresses; *end is above all. */
int elf_load(struct loader *l, const struct elf *elf, uint64_t *end);
/* Is the physical address in a loaded segment? */
bool elf_holds(const struct elf *elf, uint64_t paddr);

/* One file each: bzimage.c, pvh.c, multiboot.c. _is looks, _load does. */
/* A bzImage without 64-bit entry goes by realmode.c, whose BIOS must be in
 * place. */
bool bzimage_is(const struct loader_request *rq);
int bzimage_load(struct loader *l);
int realmode_load(struct loader *l);
/* Physical entry point of elf's PVH note; false: it has none. */
bool pvh_find(const struct loader *l, const struct elf *elf, uint64_t *entry);
int pvh_load(struct loader *l, const struct elf *elf, uint64_t entry);
/* Offset of the Multiboot header; false: none. */
bool multiboot_find(const struct loader_request *rq, uint64_t *offset);
/* elf is NULL if it is none; the header may have addresses of its own. */
int multiboot_load(struct loader *l, const struct elf *elf, uint64_t header);

#endif
