/* SPDX-License-Identifier: GPL-2.0-or-later */
/* vmkernel/boot/boot_info.c: RAM that is listed badly, a bundle outside. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "vmkernel/boot/boot_info.h"

static void test_ram(void **state)
{
	struct boot_info info = {0};

	boot_info_add_ram(&info, MiB(1), MiB(1));
	boot_info_add_ram(&info, MiB(4), 0);		/* empty */
	boot_info_add_ram(&info, UINT64_MAX - 10, 100); /* wraps */
	boot_info_add_ram(&info, MiB(1), MiB(1));	/* again */
	boot_info_add_ram(&info, MiB(2) - 1, 10);	/* its end */
	boot_info_add_ram(&info, 0, MiB(1) + 1);	/* its start */
	boot_info_add_ram(&info, 0, MiB(8));		/* around it */
	assert_int_equal(info.map.ram_count, 1);
	boot_info_add_ram(&info, MiB(2), MiB(1));
	boot_info_add_ram(&info, 0, MiB(1));
	assert_int_equal(info.map.ram_count, 3);
	assert_null(boot_info_check(&info));
}

static void test_too_many(void **state)
{
	struct boot_info info = {0};

	for (unsigned i = 0; i < 2 * MM_REGIONS_MAX; i++)
		boot_info_add_ram(&info, i * MiB(2), MiB(1));
	assert_int_equal(info.map.ram_count, MM_REGIONS_MAX);
	assert_int_equal(info.map.ram[MM_REGIONS_MAX - 1].base.v,
			 (MM_REGIONS_MAX - 1) * MiB(2));
}

static const char *check_bundle(uint64_t base, uint64_t size)
{
	struct boot_info info = {0};

	boot_info_add_ram(&info, MiB(3), MiB(1));
	boot_info_add_ram(&info, MiB(1), MiB(2));
	boot_info_set_bundle(&info, base, size);
	assert_int_equal(info.map.reserved_count, size != 0);
	return boot_info_check(&info);
}

static void test_bundle(void **state)
{
	struct boot_info none = {0};

	assert_null(check_bundle(MiB(1), MiB(3)));
	assert_null(check_bundle(0, 0)); /* none: whoever opens it says so */
	assert_non_null(check_bundle(MiB(1) - 1, 10));
	assert_non_null(check_bundle(MiB(4) - 1, 2));
	assert_non_null(check_bundle(MiB(4), 1));
	assert_non_null(check_bundle(MiB(2), UINT64_MAX - MiB(1)));
	assert_non_null(boot_info_check(&none));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ram),
		cmocka_unit_test(test_too_many),
		cmocka_unit_test(test_bundle),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
