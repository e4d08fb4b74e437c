/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Loads an ELF kernel by its PVH entry point. */
#include "vmm/load/loader_priv.h"

#include <string.h>

#include <linux/elf.h>
#include <linux/errno.h>

#include "vmm/layout.h"

/* Xen: docs/misc/pvh.pandoc, public/arch-x86/hvm/start_info.h, elfnote.h. */
#define PVH_NOTE_NAME	  "Xen"
#define PVH_NOTE_ENTRY	  18 /* XEN_ELFNOTE_PHYS32_ENTRY */
#define PVH_START_MAGIC	  0x336ec578
#define PVH_START_VERSION 1 /* with memory map */

struct pvh_start_info {
	uint32_t magic;
	uint32_t version;
	uint32_t flags;
	uint32_t module_count;
	uint64_t modules;
	uint64_t cmdline;
	uint64_t rsdp;
	uint64_t memmap;
	uint32_t memmap_count;
	uint32_t reserved;
};

struct pvh_module {
	uint64_t start, size;
	uint64_t cmdline;
	uint64_t reserved;
};

struct pvh_memmap_entry {
	uint64_t start, size;
	uint32_t type; /* as E820 */
	uint32_t reserved;
};

_Static_assert(sizeof(struct pvh_start_info) == 56, "ABI");
_Static_assert(sizeof(struct pvh_module) == 32, "ABI");
_Static_assert(sizeof(struct pvh_memmap_entry) == 24, "ABI");

/* One note of bytes[at, size); false: there is no further one. */
static bool pvh_next_note(const uint8_t *bytes, uint64_t size, uint64_t align,
			  uint64_t *at, struct elf32_note *note,
			  const uint8_t **name, const uint8_t **desc)
{
	uint64_t name_end, desc_at, end;

	if (*at > size || size - *at < sizeof(*note))
		return false;
	memcpy(note, bytes + *at, sizeof(*note));
	/* 32-bit sizes: these sums cannot wrap. */
	name_end = *at + sizeof(*note) + note->n_namesz;
	desc_at = ALIGN_UP(name_end, align);
	end = desc_at + note->n_descsz;
	if (end > size)
		return false;
	*name = bytes + *at + sizeof(*note);
	*desc = bytes + desc_at;
	*at = ALIGN_UP(end, align);
	return true;
}

bool pvh_find(const struct loader *l, const struct elf *elf, uint64_t *entry)
{
	for (unsigned i = 0; i < elf->count; i++) {
		const struct elf_segment *s = &elf->segments[i];
		const uint8_t *bytes =
			(const uint8_t *)l->rq->kernel + s->offset;
		const uint8_t *name, *desc;
		struct elf32_note note;
		uint64_t at = 0;

		if (s->type != PT_NOTE)
			continue;
		while (pvh_next_note(bytes, s->file_size, s->align == 8 ? 8 : 4,
				     &at, &note, &name, &desc)) {
			if (note.n_type != PVH_NOTE_ENTRY ||
			    note.n_namesz != sizeof(PVH_NOTE_NAME) ||
			    memcmp(name, PVH_NOTE_NAME, sizeof(PVH_NOTE_NAME)))
				continue;
			if (note.n_descsz != 4 && note.n_descsz != 8)
				continue;
			*entry = 0;
			memcpy(entry, desc, note.n_descsz);
			return true;
		}
	}
	return false;
}

static int pvh_put_modules(struct loader *l, struct pvh_start_info *info)
{
	struct pvh_module module = {.size = l->rq->initrd_size};
	int err;

	if (!l->rq->initrd)
		return 0;
	err = loader_put_initrd(l, GUEST_LOW_MAX, &module.start);
	if (!err)
		err = loader_place_info(l, sizeof(module), 8, &info->modules);
	if (!err)
		err = loader_copy(l, info->modules, &module, sizeof(module));
	info->module_count = 1;
	return err;
}

static int pvh_put_memmap(struct loader *l, struct pvh_start_info *info)
{
	struct pvh_memmap_entry entries[MEMMAP_MAX] = {0};
	uint64_t size = l->map.count * sizeof(entries[0]);
	int err = loader_place_info(l, size, 8, &info->memmap);

	for (unsigned i = 0; i < l->map.count; i++) {
		entries[i].start = l->map.entries[i].start;
		entries[i].size = l->map.entries[i].size;
		entries[i].type = l->map.entries[i].type;
	}
	info->memmap_count = l->map.count;
	return err ? err : loader_copy(l, info->memmap, entries, size);
}

int pvh_load(struct loader *l, const struct elf *elf, uint64_t entry)
{
	struct pvh_start_info info = {
		.magic = PVH_START_MAGIC,
		.version = PVH_START_VERSION,
		.rsdp = l->rq->rsdp.v,
	};
	uint64_t end, gpa;
	int err = elf_load(l, elf, &end);

	if (err)
		return err;
	if (entry > UINT32_MAX || !elf_holds(elf, entry))
		return loader_fail(l, -EINVAL,
				   "the kernel's PVH note names an entry point "
				   "outside of the kernel: build it anew");
	err = loader_place_info(l, sizeof(info), 8, &gpa);
	if (!err)
		err = loader_put_string(l, l->rq->cmdline, &info.cmdline);
	if (!err)
		err = pvh_put_modules(l, &info);
	if (!err)
		err = pvh_put_memmap(l, &info);
	if (!err)
		err = loader_copy(l, gpa, &info, sizeof(info));
	if (err)
		return err;
	loader_entry_32(l->entry, entry);
	l->entry->gpr[GPR_RBX] = gpa;
	return 0;
}
