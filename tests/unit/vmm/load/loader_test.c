/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which loader gets a file, and how room is found in guest memory. */
#include "tests/unit/vmm/load/load_helpers.h"

#include "vmm/load/loader_priv.h"

static struct loader l;

static int setup(void **state)
{
	static struct loader_request rq;

	guest_make(MiB(16));
	rq = (struct loader_request){.mem = &mem, .cmdline = ""};
	l = (struct loader){.rq = &rq, .entry = &entry};
	memmap_build(&mem, &l.map);
	return 0;
}

static void loader_test_unknown(void **state)
{
	static const uint8_t gzip[1000] = {0x1f, 0x8b};
	struct test_elf e;

	assert_int_equal(load(gzip, sizeof(gzip), "", NULL, 0), -ENOEXEC);
	assert_non_null(strstr(why, "bzImage"));
	assert_int_equal(load("", 0, "", NULL, 0), -ENOEXEC);
	elf_make(&e, 0);
	assert_int_equal(load(&e, sizeof(e), "", NULL, 0), -ENOEXEC);
	assert_non_null(strstr(why, "PVH"));
}

/* A kernel with both is entered by PVH. */
static void loader_test_prefers_pvh(void **state)
{
	struct test_elf e;
	uint32_t header[3] = {0x1badb002, 0, 0 - 0x1badb002};

	elf_make(&e, ELF_LOAD + 0x40);
	memcpy(e.code, header, sizeof(header));
	assert_int_equal(load(&e, sizeof(e), "", NULL, 0), 0);
	assert_int_equal(entry.rip, ELF_LOAD + 0x40);
	assert_int_not_equal(entry.gpr[GPR_RAX], 0x2badb002);
}

static void loader_test_take(void **state)
{
	assert_int_equal(loader_take(&l, MiB(1), MiB(1)), 0);
	assert_int_equal(loader_take(&l, MiB(2), 1), 0);
	assert_int_equal(loader_take(&l, MiB(2), 1), -ENOSPC);
	assert_int_equal(loader_take(&l, MiB(2) - 1, 1), -ENOSPC);
	assert_int_equal(loader_take(&l, MiB(4), 0), -ENOSPC);
	assert_int_equal(loader_take(&l, MiB(16) - 1, 2), -ENOSPC);
	assert_int_equal(loader_take(&l, UINT64_MAX, 2), -ENOSPC);
	assert_int_equal(loader_take(&l, 0x9f000, 0x62000), -ENOSPC);
	assert_int_equal(loader_take(&l, 0xf0000, 1), -ENOSPC);
}

static void loader_test_place(void **state)
{
	uint64_t gpa;

	assert_int_equal(loader_take(&l, MiB(2), MiB(1)), 0);
	assert_int_equal(
		loader_place_low(&l, MiB(1), 4096, MiB(1), GiB(1), &gpa), 0);
	assert_int_equal(gpa, MiB(1));
	assert_int_equal(loader_place_low(&l, 1, 4096, MiB(1), GiB(1), &gpa),
			 0);
	assert_int_equal(gpa, MiB(3));
	assert_int_equal(loader_place_low(&l, 1, MiB(2), MiB(1), GiB(1), &gpa),
			 0);
	assert_int_equal(gpa, MiB(4));
	assert_int_equal(loader_place_high(&l, 1, 4096, MiB(1), GiB(1), &gpa),
			 0);
	assert_int_equal(gpa, MiB(16) - 4096);
	assert_int_equal(
		loader_place_high(&l, MiB(1), MiB(1), MiB(1), GiB(1), &gpa), 0);
	assert_int_equal(gpa, MiB(14));
	/* Downwards past what is taken, to the last byte that is free. */
	assert_int_equal(loader_place_high(&l, 100, 1, 0, MiB(3), &gpa), 0);
	assert_int_equal(gpa, 0xa0000 - 100);
	assert_int_equal(loader_place_high(&l, MiB(16), 1, 0, GiB(1), &gpa),
			 -ENOSPC);
	assert_int_equal(loader_place_low(&l, 1, 4096, MiB(16), GiB(1), &gpa),
			 -ENOSPC);
	assert_int_equal(
		loader_place_low(&l, 1, 4096, UINT64_MAX, UINT64_MAX, &gpa),
		-ENOSPC);
	assert_int_equal(loader_place_low(&l, UINT64_MAX, 1, 0, GiB(1), &gpa),
			 -ENOSPC);
}

static void loader_test_table_full(void **state)
{
	uint64_t gpa;
	unsigned i;

	for (i = 0; loader_take(&l, MiB(1) + i * 4096, 4096) == 0; i++)
		assert_in_range(i, 0, LOADER_REGIONS_MAX);
	assert_int_equal(i, LOADER_REGIONS_MAX);
	assert_int_equal(loader_place_low(&l, 1, 1, 0, GiB(1), &gpa), -ENOSPC);
	assert_int_equal(loader_place_high(&l, 1, 1, 0, GiB(1), &gpa), -ENOSPC);
}

/* Guests get kernel and initrd across pieces of host memory. */
static void loader_test_pieces(void **state)
{
	static uint8_t initrd[MiB(3)];
	struct test_elf e;
	uint64_t module;

	mem = (struct guest_mem){0};
	for (unsigned i = 0; i < 8; i++)
		assert_int_equal(guest_mem_add(&mem, GPA(MiB(2 * i)), MiB(2),
					       ram + MiB(2 * i)),
				 0);
	elf_make(&e, MiB(2) + 8);
	e.p[0].p_paddr = MiB(2) - 0x1000;
	memset(initrd, 0x77, sizeof(initrd));
	assert_int_equal(load(&e, sizeof(e), "", initrd, sizeof(initrd)), 0);
	assert_memory_equal(ram + MiB(2) - 0x1000, e.code, ELF_FILE);
	module = get(get(entry.gpr[GPR_RBX] + 16, 8), 8);
	assert_memory_equal(ram + module, initrd, sizeof(initrd));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(loader_test_unknown, setup,
						guest_free),
		cmocka_unit_test_setup_teardown(loader_test_prefers_pvh, setup,
						guest_free),
		cmocka_unit_test_setup_teardown(loader_test_take, setup,
						guest_free),
		cmocka_unit_test_setup_teardown(loader_test_place, setup,
						guest_free),
		cmocka_unit_test_setup_teardown(loader_test_table_full, setup,
						guest_free),
		cmocka_unit_test_setup_teardown(loader_test_pieces, setup,
						guest_free),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
