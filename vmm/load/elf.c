/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ELF kernels, 32 and 64 bits: headers checked, segments loaded. */
#include "vmm/load/loader_priv.h"

#include <string.h>

#include <linux/elf.h>
#include <linux/errno.h>

static const char elf_broken[] =
	"the kernel's ELF headers point outside of the file or contradict "
	"themselves: copy or build it anew";

bool elf_is(const struct loader_request *rq)
{
	return rq->kernel_size >= sizeof(struct elf32_hdr) &&
	       memcmp(rq->kernel, ELFMAG, SELFMAG) == 0;
}

/* Both classes' headers in one. */
struct elf_file {
	unsigned type, machine, entry_size, count;
	uint64_t table;
};

static bool elf_read_header(const struct loader_request *rq, struct elf *elf,
			    struct elf_file *file)
{
	struct elf32_hdr h32;
	struct elf64_hdr h64;

	memcpy(&h32, rq->kernel, sizeof(h32));
	elf->is_64 = h32.e_ident[EI_CLASS] == ELFCLASS64;
	if (h32.e_ident[EI_DATA] != ELFDATA2LSB ||
	    (!elf->is_64 && h32.e_ident[EI_CLASS] != ELFCLASS32))
		return false;
	if (!elf->is_64) {
		elf->entry = h32.e_entry;
		*file = (struct elf_file){h32.e_type, h32.e_machine,
					  h32.e_phentsize, h32.e_phnum,
					  h32.e_phoff};
		return file->entry_size == sizeof(struct elf32_phdr);
	}
	if (rq->kernel_size < sizeof(h64))
		return false;
	memcpy(&h64, rq->kernel, sizeof(h64));
	elf->entry = h64.e_entry;
	*file = (struct elf_file){h64.e_type, h64.e_machine, h64.e_phentsize,
				  h64.e_phnum, h64.e_phoff};
	return file->entry_size == sizeof(struct elf64_phdr);
}

static struct elf_segment elf_read_segment(const void *at, bool is_64)
{
	struct elf32_phdr p32;
	struct elf64_phdr p64;

	if (is_64) {
		memcpy(&p64, at, sizeof(p64));
		return (struct elf_segment){
			.type = p64.p_type,
			.offset = p64.p_offset,
			.file_size = p64.p_filesz,
			.vaddr = p64.p_vaddr,
			.paddr = p64.p_paddr,
			.memory_size = p64.p_memsz,
			.align = p64.p_align,
		};
	}
	memcpy(&p32, at, sizeof(p32));
	return (struct elf_segment){
		.type = p32.p_type,
		.offset = p32.p_offset,
		.file_size = p32.p_filesz,
		.vaddr = p32.p_vaddr,
		.paddr = p32.p_paddr,
		.memory_size = p32.p_memsz,
		.align = p32.p_align,
	};
}

int elf_parse(struct loader *l, struct elf *elf)
{
	const struct loader_request *rq = l->rq;
	uint64_t size = rq->kernel_size;
	struct elf_file file;

	*elf = (struct elf){0};
	if (!elf_read_header(rq, elf, &file))
		return loader_fail(l, -EINVAL, elf_broken);
	if ((file.machine != EM_386 && file.machine != EM_X86_64) ||
	    file.type != ET_EXEC)
		return loader_fail(l, -ENOEXEC,
				   "the kernel is no ELF executable for x86: "
				   "link it for x86, statically and without "
				   "-pie");
	if (file.count > LOADER_PHDRS_MAX)
		return loader_fail(l, -EINVAL,
				   "the kernel has too many ELF segments: link "
				   "it to 32 or fewer");
	if (file.table > size ||
	    (uint64_t)file.count * file.entry_size > size - file.table)
		return loader_fail(l, -EINVAL, elf_broken);
	for (unsigned i = 0; i < file.count; i++) {
		struct elf_segment s = elf_read_segment(
			(const uint8_t *)rq->kernel + file.table +
				(uint64_t)i * file.entry_size,
			elf->is_64);

		if (s.type != PT_LOAD && s.type != PT_NOTE)
			continue;
		if (s.file_size > size || s.offset > size - s.file_size ||
		    (s.type == PT_LOAD && s.memory_size < s.file_size))
			return loader_fail(l, -EINVAL, elf_broken);
		elf->segments[elf->count++] = s;
	}
	return 0;
}

int elf_load(struct loader *l, const struct elf *elf, uint64_t *end)
{
	const uint8_t *bytes = l->rq->kernel;
	unsigned loaded = 0;
	int err = 0;

	*end = 0;
	for (unsigned i = 0; !err && i < elf->count; i++) {
		const struct elf_segment *s = &elf->segments[i];

		if (s->type != PT_LOAD || s->memory_size == 0)
			continue;
		err = loader_take(l, s->paddr, s->memory_size);
		if (!err && s->file_size)
			err = loader_copy(l, s->paddr, bytes + s->offset,
					  s->file_size);
		if (!err)
			err = loader_zero(l, s->paddr + s->file_size,
					  s->memory_size - s->file_size);
		*end = MAX(*end, s->paddr + s->memory_size);
		loaded++;
	}
	if (!err && !loaded)
		return loader_fail(l, -EINVAL,
				   "the kernel's ELF file has nothing to load: "
				   "link it anew");
	return err;
}

bool elf_holds(const struct elf *elf, uint64_t paddr)
{
	for (unsigned i = 0; i < elf->count; i++)
		if (elf->segments[i].type == PT_LOAD &&
		    paddr - elf->segments[i].paddr <
			    elf->segments[i].memory_size)
			return true;
	return false;
}
