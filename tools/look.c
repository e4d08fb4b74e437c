/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A quick look at a file: is it a kernel that a VM can be started with? */
#include "tools/look.h"

#include <asm/bootparam.h>
#include <elf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LOOK_HEAD_SIZE	8192 /* where Multiboot 1, 3.1 wants its header */
#define LOOK_NOTES_MAX	KiB(64)
#define LOOK_PHDRS_MAX	64
#define MULTIBOOT_MAGIC 0x1badb002u
#define XEN_PHYS32_NOTE 18 /* XEN_ELFNOTE_PHYS32_ENTRY of the PVH boot ABI */

/* The two ELF classes in the one form that matters here. */
struct segment {
	uint32_t type;
	uint64_t offset, size;
};

/* Up to size bytes at offset; fewer at the file's end; -1 is errno. */
static ssize_t look_read(int fd, void *data, size_t size, uint64_t offset)
{
	size_t done = 0;

	while (done < size) {
		ssize_t n = pread(fd, (char *)data + done, size - done,
				  (off_t)(offset + done));

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -1;
		if (n == 0)
			break;
		done += (size_t)n;
	}
	return (ssize_t)done;
}

/* Linux, Documentation/x86/boot.rst: the header is at 0x1f1. */
static enum look look_bzimage(const uint8_t *head, size_t n, uint64_t size)
{
	struct setup_header h;
	unsigned sectors;

	if (n < 0x1f1 + sizeof(h))
		return LOOK_UNKNOWN;
	memcpy(&h, head + 0x1f1, sizeof(h));
	if (h.boot_flag != 0xaa55 || memcmp(&h.header, "HdrS", 4) != 0)
		return LOOK_UNKNOWN;
	if (h.version < 0x0202 || !(h.loadflags & LOADED_HIGH))
		return LOOK_BZIMAGE_OLD;
	sectors = h.setup_sects ? h.setup_sects : 4;
	/* In paragraphs, rounded up: Linux pads its file, memtest86+ does not.
	 */
	if ((sectors + 1) * 512ull + h.syssize * 16ull > size + 15)
		return LOOK_BZIMAGE_CUT;
	return LOOK_BZIMAGE;
}

/* Multiboot 1, 3.1.1: magic, flags and checksum add up to zero. */
static bool look_multiboot(const uint8_t *head, size_t n)
{
	uint32_t w[3];

	for (size_t i = 0; i + sizeof(w) <= n; i += 4) {
		memcpy(w, head + i, sizeof(w));
		if (w[0] == MULTIBOOT_MAGIC && w[0] + w[1] + w[2] == 0)
			return true;
	}
	return false;
}

/* ELF gABI, "Note Section": size of name, of content, type, both padded. */
static bool look_notes(const uint8_t *notes, size_t n)
{
	Elf64_Nhdr h;

	while (n >= sizeof(h)) {
		uint64_t name, content;

		memcpy(&h, notes, sizeof(h));
		name = ALIGN_UP((uint64_t)h.n_namesz, 4);
		content = ALIGN_UP((uint64_t)h.n_descsz, 4);
		n -= sizeof(h);
		notes += sizeof(h);
		if (name > n || content > n - name)
			return false;
		if (h.n_type == XEN_PHYS32_NOTE && h.n_namesz == 4 &&
		    memcmp(notes, "Xen", 4) == 0)
			return true;
		notes += name + content;
		n -= name + content;
	}
	return false;
}

static bool look_segment(const uint8_t *head, size_t n, unsigned index,
			 struct segment *s)
{
	if (head[EI_CLASS] == ELFCLASS64) {
		Elf64_Ehdr e;
		Elf64_Phdr p;
		uint64_t at;

		if (n < sizeof(e))
			return false;
		memcpy(&e, head, sizeof(e));
		at = e.e_phoff + (uint64_t)index * e.e_phentsize;
		if (index >= e.e_phnum || e.e_phoff > n || n < sizeof(p) ||
		    at > n - sizeof(p))
			return false;
		memcpy(&p, head + at, sizeof(p));
		*s = (struct segment){p.p_type, p.p_offset, p.p_filesz};
	} else {
		Elf32_Ehdr e;
		Elf32_Phdr p;
		uint64_t at;

		if (n < sizeof(e))
			return false;
		memcpy(&e, head, sizeof(e));
		at = e.e_phoff + (uint64_t)index * e.e_phentsize;
		if (index >= e.e_phnum || n < sizeof(p) || at > n - sizeof(p))
			return false;
		memcpy(&p, head + at, sizeof(p));
		*s = (struct segment){p.p_type, p.p_offset, p.p_filesz};
	}
	return true;
}

static enum look look_elf(int fd, const uint8_t *head, size_t n)
{
	uint8_t *notes = malloc(LOOK_NOTES_MAX);
	enum look look = LOOK_ELF;
	struct segment s;

	if (!notes)
		return LOOK_IO;
	for (unsigned i = 0; i < LOOK_PHDRS_MAX && look_segment(head, n, i, &s);
	     i++) {
		ssize_t got;

		if (s.type != PT_NOTE || s.offset > INT64_MAX - LOOK_NOTES_MAX)
			continue;
		got = look_read(fd, notes, MIN(s.size, LOOK_NOTES_MAX),
				s.offset);
		if (got < 0)
			look = LOOK_IO;
		else if (look_notes(notes, (size_t)got))
			look = LOOK_PVH;
		if (look != LOOK_ELF)
			break;
	}
	free(notes);
	if (look == LOOK_ELF && look_multiboot(head, n))
		look = LOOK_MULTIBOOT;
	return look;
}

enum look look_at_kernel(int fd, uint64_t size)
{
	uint8_t head[LOOK_HEAD_SIZE];
	ssize_t n = look_read(fd, head, sizeof(head), 0);

	if (n < 0)
		return LOOK_IO;
	if (n >= EI_NIDENT && memcmp(head, ELFMAG, SELFMAG) == 0)
		return look_elf(fd, head, (size_t)n);
	return look_bzimage(head, (size_t)n, size);
}
