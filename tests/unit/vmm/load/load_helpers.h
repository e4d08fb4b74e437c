/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A guest's memory and synthetic kernels for the loaders' tests. */
#ifndef TESTS_LOAD_HELPERS_H
#define TESTS_LOAD_HELPERS_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <linux/elf.h>
#include <linux/errno.h>
#include <sys/mman.h>

#include "vmm/layout.h"
#include "vmm/load/loader.h"

#define RSDP_GPA 0xe0000

static struct guest_mem mem;
static uint8_t *ram;
static uint64_t ram_size;
static struct vcpu_state entry;
static const char *why;

/* Untouched pages cost nothing, so a guest of gigabytes is fine. */
static inline void guest_make(uint64_t size)
{
	mem = (struct guest_mem){0};
	ram_size = size;
	ram = mmap(NULL, size, PROT_READ | PROT_WRITE,
		   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	assert_ptr_not_equal(ram, MAP_FAILED);
	assert_int_equal(guest_mem_add(&mem, GPA(0), size, ram), 0);
}

static inline int guest_free(void **state)
{
	if (ram)
		munmap(ram, ram_size);
	ram = NULL;
	return 0;
}

static inline uint64_t get(uint64_t gpa, unsigned size)
{
	uint64_t value = 0;

	assert_true(gpa < ram_size && size <= ram_size - gpa);
	memcpy(&value, ram + gpa, size);
	return value;
}

static inline int load(const void *kernel, uint64_t size, const char *cmdline,
		       const void *initrd, uint64_t initrd_size)
{
	struct loader_request rq = {
		.mem = &mem,
		.kernel = kernel,
		.kernel_size = size,
		.cmdline = cmdline,
		.initrd = initrd,
		.initrd_size = initrd_size,
		.rsdp = GPA(RSDP_GPA),
	};
	int err;

	memset(&entry, 0xa5, sizeof(entry));
	why = NULL;
	err = loader_load(&rq, &entry, &why);
	/* A refusal always says why, success never does. */
	assert_true(err ? why && strlen(why) > 20 : !why);
	return err;
}

/* What every 32-bit entry has in common. */
static inline void expect_flat_32(void)
{
	assert_int_equal(entry.cr0 & (CR0_PE | CR0_PG), CR0_PE);
	assert_int_equal(entry.cr4, 0);
	assert_int_equal(entry.efer, 0);
	assert_int_equal(entry.rflags, RFLAGS_FIXED);
	assert_int_equal(entry.cpl, 0);
	for (unsigned i = 0; i < SEG_COUNT; i++) {
		assert_int_equal(entry.seg[i].base, 0);
		assert_int_equal(entry.seg[i].limit, UINT32_MAX);
		assert_int_equal(entry.seg[i].attrib,
				 i == SEG_CS ? 0xc9b : 0xc93);
	}
	assert_int_equal(entry.tr.attrib, 0x8b);
	assert_int_equal(entry.dr7, DR7_RESET);
}

/* An ELF64 file: one PT_LOAD of 64 KiB (bss included) at 1 MiB, file bytes
 * from offset 0x1000, and a PT_NOTE with a PVH entry if entry_note is not 0. */
#define ELF_LOAD    0x100000
#define ELF_FILE    0x2000
#define ELF_MEMORY  0x10000
#define ELF_NOTE_AT 0x800

struct test_elf {
	struct elf64_hdr h;
	struct elf64_phdr p[3];
	uint8_t pad[ELF_NOTE_AT - sizeof(struct elf64_hdr) -
		    3 * sizeof(struct elf64_phdr)];
	struct elf64_note note;
	char name[4];
	uint32_t desc;
	uint8_t pad2[0x1000 - ELF_NOTE_AT - 20];
	uint8_t code[ELF_FILE];
};

static inline void elf_make(struct test_elf *e, uint32_t entry_note)
{
	memset(e, 0, sizeof(*e));
	memcpy(e->h.e_ident, ELFMAG, SELFMAG);
	e->h.e_ident[EI_CLASS] = ELFCLASS64;
	e->h.e_ident[EI_DATA] = ELFDATA2LSB;
	e->h.e_type = ET_EXEC;
	e->h.e_machine = EM_X86_64;
	e->h.e_entry = ELF_LOAD + 0x10;
	e->h.e_phoff = offsetof(struct test_elf, p);
	e->h.e_phentsize = sizeof(e->p[0]);
	e->h.e_phnum = entry_note ? 2 : 1;
	e->p[0].p_type = PT_LOAD;
	e->p[0].p_offset = offsetof(struct test_elf, code);
	e->p[0].p_vaddr = e->p[0].p_paddr = ELF_LOAD;
	e->p[0].p_filesz = ELF_FILE;
	e->p[0].p_memsz = ELF_MEMORY;
	e->p[1].p_type = PT_NOTE;
	e->p[1].p_offset = ELF_NOTE_AT;
	e->p[1].p_filesz = 20;
	e->p[1].p_align = 4;
	e->note =
		(struct elf64_note){.n_namesz = 4, .n_descsz = 4, .n_type = 18};
	memcpy(e->name, "Xen", 4);
	e->desc = entry_note;
	for (unsigned i = 0; i < ELF_FILE; i++)
		e->code[i] = i * 7 + 1;
}

#endif
