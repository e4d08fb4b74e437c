/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tools/look.c: kernels are told from other files, hostile ones included. */
#include "tools/look.h"

#include <asm/bootparam.h>
#include <elf.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <cmocka.h>

static enum look look(const void *data, size_t size)
{
	int fd = memfd_create("kernel", MFD_CLOEXEC);
	enum look result;

	assert_true(fd >= 0);
	assert_int_equal(write(fd, data, size), size);
	result = look_at_kernel(fd, size);
	close(fd);
	return result;
}

static void test_bzimage(void **state)
{
	uint8_t image[4096] = {0};
	struct setup_header h = {
		.setup_sects = 3,
		.boot_flag = 0xaa55,
		.version = 0x020f,
		.loadflags = LOADED_HIGH,
		.syssize = 128, /* of 16 bytes: 4 sectors each */
	};

	memcpy(&h.header, "HdrS", 4);
	memcpy(image + 0x1f1, &h, sizeof(h));
	assert_int_equal(look(image, 4096), LOOK_BZIMAGE);
	/* Paragraphs are rounded up: the last one need not be whole. */
	assert_int_equal(look(image, 4081), LOOK_BZIMAGE);
	assert_int_equal(look(image, 4080), LOOK_BZIMAGE_CUT);
	assert_int_equal(look(image, 0x200), LOOK_UNKNOWN);
	image[0x1fe] = 0;
	assert_int_equal(look(image, 4096), LOOK_UNKNOWN);

	/* Zero setup sectors mean four, so that the file is too short. */
	h.setup_sects = 0;
	memcpy(image + 0x1f1, &h, sizeof(h));
	assert_int_equal(look(image, 4096), LOOK_BZIMAGE_CUT);
	h.syssize = UINT32_MAX;
	memcpy(image + 0x1f1, &h, sizeof(h));
	assert_int_equal(look(image, 4096), LOOK_BZIMAGE_CUT);
	h.loadflags = 0;
	memcpy(image + 0x1f1, &h, sizeof(h));
	assert_int_equal(look(image, 4096), LOOK_BZIMAGE_OLD);
	h.loadflags = LOADED_HIGH;
	h.version = 0x0201;
	memcpy(image + 0x1f1, &h, sizeof(h));
	assert_int_equal(look(image, 4096), LOOK_BZIMAGE_OLD);
}

struct elf64 {
	Elf64_Ehdr header;
	Elf64_Phdr segments[2];
	struct {
		Elf64_Nhdr first;
		char other[8]; /* "Linux", padded */
		Elf64_Nhdr second;
		char xen[4];
		uint64_t entry;
	} notes;
};

static struct elf64 elf64(void)
{
	struct elf64 e = {
		.header = {.e_ident = {0x7f, 'E', 'L', 'F', ELFCLASS64},
			   .e_phoff = offsetof(struct elf64, segments),
			   .e_phentsize = sizeof(Elf64_Phdr),
			   .e_phnum = 2},
		.segments = {{.p_type = PT_LOAD},
			     {.p_type = PT_NOTE,
			      .p_offset = offsetof(struct elf64, notes),
			      .p_filesz = sizeof(e.notes)}},
		.notes = {.first = {6, 0, 18},
			  .other = "Linux",
			  .second = {4, 8, 18},
			  .xen = "Xen"},
	};

	return e;
}

static void test_pvh(void **state)
{
	struct elf64 e = elf64();

	assert_int_equal(look(&e, sizeof(e)), LOOK_PVH);
	e.notes.second.n_type = 17;
	assert_int_equal(look(&e, sizeof(e)), LOOK_ELF);
	e = elf64();
	e.notes.xen[0] = 'Y';
	assert_int_equal(look(&e, sizeof(e)), LOOK_ELF);
	e = elf64();
	e.header.e_phnum = 1;
	assert_int_equal(look(&e, sizeof(e)), LOOK_ELF);
}

static void test_pvh_32(void **state)
{
	struct {
		Elf32_Ehdr header;
		Elf32_Phdr segment;
		Elf32_Nhdr note;
		char xen[4];
		uint32_t entry;
	} e = {
		.header = {.e_ident = {0x7f, 'E', 'L', 'F', ELFCLASS32},
			   .e_phoff = sizeof(Elf32_Ehdr),
			   .e_phentsize = sizeof(Elf32_Phdr),
			   .e_phnum = 1},
		.segment = {.p_type = PT_NOTE,
			    .p_offset = sizeof(Elf32_Ehdr) + sizeof(Elf32_Phdr),
			    .p_filesz = sizeof(Elf32_Nhdr) + 8},
		.note = {4, 4, 18},
		.xen = "Xen",
	};

	assert_int_equal(look(&e, sizeof(e)), LOOK_PVH);
	e.header.e_phoff = UINT32_MAX;
	assert_int_equal(look(&e, sizeof(e)), LOOK_ELF);
}

/* Offsets and sizes that lead out of the file or wrap around. */
static void test_hostile_elf(void **state)
{
	static const uint64_t values[] = {
		1,	    63,	       sizeof(struct elf64), 8192,
		UINT32_MAX, INT64_MAX, UINT64_MAX - 55,	     UINT64_MAX};
	struct elf64 e = elf64();

	for (size_t size = 0; size < sizeof(e); size++) {
		enum look found = look(&e, size);

		assert_true(found == LOOK_ELF || found == LOOK_UNKNOWN ||
			    (found == LOOK_PVH && size >= sizeof(e) - 4));
	}
	for (size_t i = 0; i < ARRAY_SIZE(values); i++) {
		e = elf64();
		e.header.e_phoff = values[i];
		assert_int_equal(look(&e, sizeof(e)), LOOK_ELF);
		e = elf64();
		e.segments[1].p_offset = values[i];
		assert_int_equal(look(&e, sizeof(e)), LOOK_ELF);
		e = elf64();
		e.notes.first.n_namesz = (uint32_t)MAX(values[i], 9u);
		assert_int_equal(look(&e, sizeof(e)), LOOK_ELF);
		e = elf64();
		e.notes.first.n_descsz = (uint32_t)MAX(values[i], 4u);
		assert_int_equal(look(&e, sizeof(e)), LOOK_ELF);
		e = elf64();
		e.segments[1].p_filesz = values[i];
		e.header.e_phentsize = (uint16_t)values[i];
		(void)look(&e, sizeof(e));
	}
}

static void test_multiboot(void **state)
{
	uint8_t image[8200] = {0x7f, 'E', 'L', 'F', ELFCLASS32};
	const uint32_t header[3] = {0x1badb002, 3, 0u - 0x1badb002 - 3};

	assert_int_equal(look(image, sizeof(image)), LOOK_ELF);
	memcpy(image + 8192 - 12, header, sizeof(header));
	assert_int_equal(look(image, sizeof(image)), LOOK_MULTIBOOT);
	image[8191] ^= 1; /* the checksum */
	assert_int_equal(look(image, sizeof(image)), LOOK_ELF);
	image[8191] ^= 1;
	memmove(image + 8184, image + 8180, 12); /* beyond the first 8 KiB */
	memset(image + 8180, 0, 4);
	assert_int_equal(look(image, sizeof(image)), LOOK_ELF);
	memset(image + 8180, 0, 20);
	memcpy(image + 4098, header, sizeof(header)); /* not aligned */
	assert_int_equal(look(image, sizeof(image)), LOOK_ELF);
}

static void test_others(void **state)
{
	assert_int_equal(look("", 0), LOOK_UNKNOWN);
	assert_int_equal(look("#!/bin/sh\n", 10), LOOK_UNKNOWN);
	assert_int_equal(look("\x1f\x8b\x08", 3), LOOK_UNKNOWN);
	assert_int_equal(look("\x7f"
			      "ELF",
			      4),
			 LOOK_UNKNOWN);
	assert_int_equal(look_at_kernel(-1, 100), LOOK_IO);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_bzimage),
		cmocka_unit_test(test_pvh),
		cmocka_unit_test(test_pvh_32),
		cmocka_unit_test(test_hostile_elf),
		cmocka_unit_test(test_multiboot),
		cmocka_unit_test(test_others),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
