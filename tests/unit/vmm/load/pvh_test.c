/* SPDX-License-Identifier: GPL-2.0-or-later */
/* PVH kernels: what they find, and ELF files that lie. */
#include "tests/unit/vmm/load/load_helpers.h"

static struct test_elf e;

static int setup(void **state)
{
	guest_make(MiB(64));
	elf_make(&e, ELF_LOAD + 0x20);
	return 0;
}

static int load_elf(void)
{
	return load(&e, sizeof(e), "a=b c", NULL, 0);
}

static void pvh_test_loads(void **state)
{
	static const char initrd[] = "an initial ramdisk";
	uint64_t info, module, map;
	unsigned ram_entries = 0;

	memset(ram + ELF_LOAD, 0xff, ELF_MEMORY + 1);
	assert_int_equal(load(&e, sizeof(e), "a=b c", initrd, sizeof(initrd)),
			 0);
	assert_memory_equal(ram + ELF_LOAD, e.code, ELF_FILE);
	for (unsigned i = ELF_FILE; i < ELF_MEMORY; i++)
		assert_int_equal(ram[ELF_LOAD + i], 0);
	assert_int_equal(ram[ELF_LOAD + ELF_MEMORY], 0xff);

	expect_flat_32();
	assert_int_equal(entry.rip, ELF_LOAD + 0x20);
	info = entry.gpr[GPR_RBX];
	assert_int_equal(get(info, 4), 0x336ec578);
	assert_int_equal(get(info + 4, 4), 1);
	assert_int_equal(get(info + 12, 4), 1);
	module = get(info + 16, 8);
	assert_string_equal((char *)ram + get(info + 24, 8), "a=b c");
	assert_int_equal(get(info + 32, 8), RSDP_GPA);
	map = get(info + 40, 8);
	for (unsigned i = 0; i < get(info + 48, 4); i++)
		ram_entries += get(map + 24 * i + 16, 4) == 1;
	assert_int_equal(ram_entries, 2);

	/* The initrd is as high as can be, page aligned. */
	assert_int_equal(get(module, 8), MiB(64) - 4096);
	assert_int_equal(get(module + 8, 8), sizeof(initrd));
	assert_memory_equal(ram + get(module, 8), initrd, sizeof(initrd));
}

static void pvh_test_no_initrd(void **state)
{
	assert_int_equal(load(&e, sizeof(e), NULL, NULL, 0), 0);
	assert_int_equal(get(entry.gpr[GPR_RBX] + 12, 4), 0);
	assert_int_equal(ram[get(entry.gpr[GPR_RBX] + 24, 8)], 0);
}

/* Other notes before it, another owner's note of that type, 8-byte form. */
static void pvh_test_note_forms(void **state)
{
	uint8_t *note = (uint8_t *)&e + ELF_NOTE_AT;
	const uint32_t notes[] = {
		4, 5, 1,  0x00554e47, 0,
		0,			     /* GNU, padded */
		4, 4, 18, 0x00786158, 0xbad, /* "Xax" */
		4, 8, 18, 0x006e6558, ELF_LOAD + 64,
		0, /* Xen, 64 bits */
	};

	memcpy(note, notes, sizeof(notes));
	e.p[1].p_filesz = sizeof(notes);
	assert_int_equal(load_elf(), 0);
	assert_int_equal(entry.rip, ELF_LOAD + 64);
}

static void pvh_test_bad_notes(void **state)
{
	/* Each of these leaves no PVH note, and no other way to boot. */
	e.p[1].p_filesz = 19;
	assert_int_equal(load_elf(), -ENOEXEC);
	elf_make(&e, ELF_LOAD);
	e.note.n_namesz = UINT32_MAX;
	assert_int_equal(load_elf(), -ENOEXEC);
	elf_make(&e, ELF_LOAD);
	e.note.n_descsz = UINT32_MAX;
	assert_int_equal(load_elf(), -ENOEXEC);
	elf_make(&e, ELF_LOAD);
	e.note.n_descsz = 2;
	assert_int_equal(load_elf(), -ENOEXEC);
	/* An entry point beyond the kernel. */
	elf_make(&e, ELF_LOAD + ELF_MEMORY);
	assert_int_equal(load_elf(), -EINVAL);
	elf_make(&e, ELF_LOAD - 1);
	assert_int_equal(load_elf(), -EINVAL);
}

static void pvh_test_bad_headers(void **state)
{
	const struct test_elf good = e;

#define REFUSE(field, value, error)                  \
	do {                                         \
		e = good;                            \
		e.field = (value);                   \
		assert_int_equal(load_elf(), error); \
	} while (0)
	REFUSE(h.e_ident[EI_CLASS], 3, -EINVAL);
	REFUSE(h.e_ident[EI_DATA], ELFDATA2MSB, -EINVAL);
	REFUSE(h.e_machine, EM_AARCH64, -ENOEXEC);
	REFUSE(h.e_type, ET_DYN, -ENOEXEC);
	REFUSE(h.e_phentsize, 0, -EINVAL);
	REFUSE(h.e_phentsize, 32, -EINVAL);
	REFUSE(h.e_phnum, 33, -EINVAL);
	REFUSE(h.e_phnum, 0xffff, -EINVAL);
	REFUSE(h.e_phoff, sizeof(e) - 1, -EINVAL);
	REFUSE(h.e_phoff, UINT64_MAX - 8, -EINVAL);
	REFUSE(p[0].p_offset, sizeof(e) - ELF_FILE + 1, -EINVAL);
	REFUSE(p[0].p_offset, UINT64_MAX - 4, -EINVAL);
	REFUSE(p[0].p_filesz, UINT64_MAX, -EINVAL);
	REFUSE(p[0].p_memsz, ELF_FILE - 1, -EINVAL);
	REFUSE(p[1].p_offset, UINT64_MAX, -EINVAL);
	REFUSE(p[1].p_filesz, sizeof(e), -EINVAL);
	/* Where there is no RAM for it. */
	REFUSE(p[0].p_memsz, MiB(64), -ENOSPC);
	REFUSE(p[0].p_memsz, UINT64_MAX, -ENOSPC);
	REFUSE(p[0].p_paddr, MiB(64) - 1, -ENOSPC);
	REFUSE(p[0].p_paddr, 0xa0000, -ENOSPC);
	REFUSE(p[0].p_paddr, GUEST_ACPI_BASE, -ENOSPC);
	REFUSE(p[0].p_paddr, 0xffffffff81000000, -ENOSPC);
	REFUSE(p[0].p_paddr, UINT64_MAX - 1, -ENOSPC);
	e = good;
	e.p[0].p_memsz = 0;
	e.p[0].p_filesz = 0;
	assert_int_equal(load_elf(), -EINVAL);
	/* Two segments in one place. */
	e = good;
	e.p[2] = e.p[0];
	e.h.e_phnum = 3;
	assert_int_equal(load_elf(), -ENOSPC);
	/* Nothing left for the boot information. */
	e = good;
	e.p[0].p_paddr = 0;
	e.p[0].p_memsz = GUEST_LOW_RAM_END;
	e.desc = 0x1000;
	assert_int_equal(load_elf(), -ENOSPC);
}

static void pvh_test_truncated(void **state)
{
	/* The segment's last byte is the file's: any cut is seen. */
	for (size_t size = 0; size < sizeof(e); size += 13) {
		uint8_t *cut = malloc(size ? size : 1);

		memcpy(cut, &e, size);
		assert_int_not_equal(load(cut, size, "", NULL, 0), 0);
		free(cut);
	}
}

static void pvh_test_initrd_too_large(void **state)
{
	uint8_t *initrd = calloc(1, MiB(63));

	assert_int_equal(load(&e, sizeof(e), "", initrd, MiB(63)), -ENOSPC);
	assert_non_null(strstr(why, "memory:"));
	assert_int_equal(load(&e, sizeof(e), "", initrd, MiB(62)), 0);
	free(initrd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(pvh_test_loads, setup,
						guest_free),
		cmocka_unit_test_setup_teardown(pvh_test_no_initrd, setup,
						guest_free),
		cmocka_unit_test_setup_teardown(pvh_test_note_forms, setup,
						guest_free),
		cmocka_unit_test_setup_teardown(pvh_test_bad_notes, setup,
						guest_free),
		cmocka_unit_test_setup_teardown(pvh_test_bad_headers, setup,
						guest_free),
		cmocka_unit_test_setup_teardown(pvh_test_truncated, setup,
						guest_free),
		cmocka_unit_test_setup_teardown(pvh_test_initrd_too_large,
						setup, guest_free),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
