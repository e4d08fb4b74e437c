/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A guest's memory map for small, large and odd memory. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "vmm/layout.h"
#include "vmm/load/memmap.h"

static uint8_t byte;
static struct guest_mem mem;
static struct memmap map;

static void build(void)
{
	memmap_build(&mem, &map);
	for (unsigned i = 1; i < map.count; i++)
		assert_true(map.entries[i - 1].start +
				    map.entries[i - 1].size <=
			    map.entries[i].start);
}

static void expect(unsigned i, uint64_t start, uint64_t end, uint32_t type)
{
	assert_in_range(i, 0, map.count - 1);
	assert_int_equal(map.entries[i].start, start);
	assert_int_equal(map.entries[i].start + map.entries[i].size, end);
	assert_int_equal(map.entries[i].type, type);
}

static void memmap_test_small(void **state)
{
	mem = (struct guest_mem){.count = 1,
				 .ranges = {{GPA(0), MiB(256), &byte}}};
	build();
	assert_int_equal(map.count, 6);
	expect(0, 0, 0xa0000, MEMMAP_RAM);
	expect(1, 0xa0000, 0x100000, MEMMAP_RESERVED);
	expect(2, 0x100000, MiB(256), MEMMAP_RAM);
	expect(3, 0xe0000000, 0xe0100000, MEMMAP_RESERVED);
	expect(4, 0xfec00000, 0xfec01000, MEMMAP_RESERVED);
	expect(5, 0xfee00000, 0xfee01000, MEMMAP_RESERVED);
}

/* Host memory in pieces is one piece to the guest. */
static void memmap_test_pieces(void **state)
{
	mem = (struct guest_mem){
		.count = 4,
		.ranges = {{GPA(0), MiB(2), &byte},
			   {GPA(MiB(2)), MiB(30), &byte},
			   {GPA(MiB(32)), GUEST_LOW_MAX - MiB(32), &byte},
			   {GPA(GiB(4)), GiB(1), &byte}}};
	build();
	assert_int_equal(map.count, 7);
	expect(0, 0, 0xa0000, MEMMAP_RAM);
	expect(2, 0x100000, GUEST_LOW_MAX, MEMMAP_RAM);
	expect(6, GiB(4), GiB(5), MEMMAP_RAM);
}

/* RAM behind a device's window does not count. */
static void memmap_test_misplaced(void **state)
{
	mem = (struct guest_mem){.count = 2,
				 .ranges = {{GPA(0), GiB(5), &byte},
					    {GPA(GiB(8)), MiB(2), &byte}}};
	build();
	expect(2, 0x100000, GUEST_LOW_MAX, MEMMAP_RAM);
	expect(3, 0xe0000000, 0xe0100000, MEMMAP_RESERVED);
	expect(6, GiB(4), GiB(5), MEMMAP_RAM);
	expect(7, GiB(8), GiB(8) + MiB(2), MEMMAP_RAM);
}

static void memmap_test_full(void **state)
{
	mem.count = GUEST_RANGES_MAX;
	for (unsigned i = 0; i < GUEST_RANGES_MAX; i++)
		mem.ranges[i] =
			(struct guest_range){GPA(i * GiB(6)), GiB(5), &byte};
	build();
	assert_int_equal(map.count, GUEST_RANGES_MAX + 2 + 4);
	expect(map.count - 1, GiB(42), GiB(47), MEMMAP_RAM);
	mem.count = 0;
	build();
	assert_int_equal(map.count, 4);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(memmap_test_small),
		cmocka_unit_test(memmap_test_pieces),
		cmocka_unit_test(memmap_test_misplaced),
		cmocka_unit_test(memmap_test_full),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
