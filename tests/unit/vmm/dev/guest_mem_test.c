/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Guest memory: no access outside its ranges, however the numbers wrap. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <linux/errno.h>

#include "vmm/dev/guest_mem.h"

static uint8_t first[64], second[64], far[64];

/* [0x1000, 0x1040) and [0x1040, 0x1080) adjoin; another at 4 GiB. */
static void make(struct guest_mem *mem)
{
	*mem = (struct guest_mem){0};
	assert_int_equal(guest_mem_add(mem, GPA(GiB(4)), 64, far), 0);
	assert_int_equal(guest_mem_add(mem, GPA(0x1040), 64, second), 0);
	assert_int_equal(guest_mem_add(mem, GPA(0x1000), 64, first), 0);
}

static void test_range(void **state)
{
	struct guest_mem mem;

	make(&mem);
	assert_ptr_equal(guest_range(&mem, GPA(0x1000), 64), first);
	assert_ptr_equal(guest_range(&mem, GPA(0x103f), 1), first + 63);
	assert_ptr_equal(guest_range(&mem, GPA(0x1040), 1), second);
	assert_ptr_equal(guest_range(&mem, GPA(GiB(4) + 8), 56), far + 8);
	/* Not in one range, past the end, before the start, empty. */
	assert_null(guest_range(&mem, GPA(0x1000), 65));
	assert_null(guest_range(&mem, GPA(0x1080), 1));
	assert_null(guest_range(&mem, GPA(0xfff), 1));
	assert_null(guest_range(&mem, GPA(0xfff), 2));
	assert_null(guest_range(&mem, GPA(0x1000), 0));
	/* Sums that wrap. */
	assert_null(guest_range(&mem, GPA(0x1001), UINT64_MAX));
	assert_null(guest_range(&mem, GPA(UINT64_MAX), 2));
	assert_null(guest_range(&mem, GPA(UINT64_MAX - 15), 0x1010));
}

static void test_piece(void **state)
{
	struct guest_mem mem;
	uint64_t len = 100;

	make(&mem);
	assert_ptr_equal(guest_piece(&mem, GPA(0x1030), &len), first + 0x30);
	assert_int_equal(len, 16);
	assert_null(guest_piece(&mem, GPA(0x1080), &len));
}

static void test_copy(void **state)
{
	uint8_t out[80], in[80];
	struct guest_mem mem;

	make(&mem);
	for (unsigned i = 0; i < sizeof(in); i++)
		in[i] = (uint8_t)(i + 1);
	/* Across the border. */
	assert_int_equal(guest_write(&mem, GPA(0x1010), in, 80), 0);
	assert_memory_equal(first + 16, in, 48);
	assert_memory_equal(second, in + 48, 32);
	assert_int_equal(guest_read(&mem, GPA(0x1010), out, 80), 0);
	assert_memory_equal(out, in, 80);
	/* All or nothing. */
	memset(second, 0, sizeof(second));
	assert_int_equal(guest_write(&mem, GPA(0x1040), in, 65), -EFAULT);
	assert_int_equal(second[0], 0);
	memset(out, 0xee, sizeof(out));
	assert_int_equal(guest_read(&mem, GPA(0x1078), out, 9), -EFAULT);
	assert_int_equal(out[0], 0xee);
	assert_int_equal(guest_read(&mem, GPA(0), out, 0), 0);
}

static void test_add(void **state)
{
	struct guest_mem mem;

	make(&mem);
	assert_int_equal(mem.ranges[0].gpa.v, 0x1000);
	assert_int_equal(mem.ranges[2].gpa.v, GiB(4));
	assert_int_equal(guest_mem_add(&mem, GPA(0x1020), 8, far), -EINVAL);
	assert_int_equal(guest_mem_add(&mem, GPA(0xff0), 17, far), -EINVAL);
	assert_int_equal(guest_mem_add(&mem, GPA(0), 0, far), -EINVAL);
	assert_int_equal(guest_mem_add(&mem, GPA(UINT64_MAX), 2, far), -EINVAL);
	assert_int_equal(guest_mem_add(&mem, GPA(0xff0), 16, far), 0);
	for (unsigned i = mem.count; i < GUEST_RANGES_MAX; i++)
		assert_int_equal(guest_mem_add(&mem, GPA(GiB(8 + i)), 64, far),
				 0);
	assert_int_equal(guest_mem_add(&mem, GPA(GiB(100)), 64, far), -ENOSPC);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_range),
		cmocka_unit_test(test_piece),
		cmocka_unit_test(test_copy),
		cmocka_unit_test(test_add),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
