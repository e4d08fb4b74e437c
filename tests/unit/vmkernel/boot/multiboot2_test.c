/* SPDX-License-Identifier: GPL-2.0-or-later */
/* vmkernel/boot/multiboot2.c on information made here, whole and broken. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "vmkernel/boot/multiboot2.h"

#define INFO_AT	    0x9000ull
#define INFO_MAX    4096

#define TAG_END	    0
#define TAG_MODULE  3
#define TAG_MAP	    6
#define TAG_RSDP_1  14
#define TAG_RSDP_2  15
#define TAG_CMDLINE 1

static uint8_t bytes[INFO_MAX];
static uint32_t used;

static void put(const void *data, uint32_t size)
{
	memcpy(bytes + used, data, size);
	used += size;
}

static void put32(uint32_t value)
{
	put(&value, sizeof(value));
}

static void put64(uint64_t value)
{
	put(&value, sizeof(value));
}

static void info_begin(void)
{
	memset(bytes, 0xa5, sizeof(bytes));
	used = 0;
	put64(0); /* the size, when it is known */
}

/* Pads to the next tag; size is the tag's own. */
static uint32_t tag_begin(uint32_t type)
{
	uint32_t at;

	used = ALIGN_UP(used, 8);
	at = used;
	put32(type);
	put32(0);
	return at;
}

static void tag_end(uint32_t at)
{
	uint32_t size = used - at;

	memcpy(bytes + at + 4, &size, sizeof(size));
}

static void put_entry(uint64_t base, uint64_t size, uint32_t type)
{
	put64(base);
	put64(size);
	put32(type);
	put32(0);
}

static void put_map(void)
{
	uint32_t tag = tag_begin(TAG_MAP);

	put32(24);
	put32(0);
	put_entry(0, 0x9fc00, 1);
	put_entry(0x9fc00, 0x400, 2);
	put_entry(0x100000, MiB(15), 1);
	put_entry(MiB(16), MiB(48), 1);
	put_entry(GiB(4), MiB(64), 1);
	tag_end(tag);
}

static void put_module(uint32_t start, uint32_t end)
{
	uint32_t tag = tag_begin(TAG_MODULE);

	put32(start);
	put32(end);
	put("box", 4);
	tag_end(tag);
}

static void put_rsdp(uint32_t type, uint32_t size, uint32_t *at)
{
	static const uint8_t rsdp[36] = "RSD PTR ";
	uint32_t tag = tag_begin(type);

	*at = used;
	put(rsdp, size);
	tag_end(tag);
}

static void info_finish(void)
{
	tag_end(tag_begin(TAG_END));
	memcpy(bytes, &used, sizeof(used));
}

/* On the heap, no longer than it says: ASan sees a read past it. */
static const char *parse(struct boot_info *info, uint64_t limit)
{
	uint8_t *copy = malloc(limit ? limit : 1);
	const char *why;

	memset(info, 0, sizeof(*info));
	memcpy(copy, bytes, limit);
	why = multiboot2_parse(copy, limit, HPA(INFO_AT), info);
	free(copy);
	return why;
}

static void test_whole(void **state)
{
	struct boot_info info;
	uint32_t tag, old, new;

	info_begin();
	tag = tag_begin(TAG_CMDLINE);
	put("quiet", 6);
	tag_end(tag);
	put_rsdp(TAG_RSDP_2, 36, &new);
	put_rsdp(TAG_RSDP_1, 20, &old);
	/* Over the boundary of two regions that adjoin. */
	put_module(MiB(16) - 4096, MiB(16) + 100);
	put_map();
	info_finish();
	assert_null(parse(&info, used));
	assert_int_equal(info.map.ram_count, 4);
	assert_int_equal(info.map.ram[0].size, 0x9fc00);
	assert_int_equal(info.map.ram[3].base.v, GiB(4));
	assert_int_equal(info.bundle.v, MiB(16) - 4096);
	assert_int_equal(info.bundle_size, 4096 + 100);
	assert_int_equal(info.map.bundle_bytes, 4096 + 100);
	/* The newer RSDP wins, whatever the order. */
	assert_int_equal(info.rsdp.v, INFO_AT + new);
	/* Kept: the bundle, and this. */
	assert_int_equal(info.map.reserved_count, 2);
	assert_int_equal(info.map.reserved[0].base.v, info.bundle.v);
	assert_int_equal(info.map.reserved[1].base.v, INFO_AT);
	assert_int_equal(info.map.reserved[1].size, used);
}

static void test_least(void **state)
{
	struct boot_info info;
	uint32_t old;

	info_begin();
	put_map();
	put_rsdp(TAG_RSDP_1, 20, &old);
	info_finish();
	assert_null(parse(&info, used));
	assert_int_equal(info.bundle_size, 0);
	assert_int_equal(info.rsdp.v, INFO_AT + old);

	/* A pointer that is cut off is none. */
	info_begin();
	put_map();
	put_rsdp(TAG_RSDP_1, 19, &old);
	put_rsdp(TAG_RSDP_2, 35, &old);
	info_finish();
	assert_null(parse(&info, used));
	assert_int_equal(info.rsdp.v, 0);
}

static void test_second_module(void **state)
{
	struct boot_info info;

	info_begin();
	put_map();
	put_module(MiB(2), MiB(2)); /* empty: as if it were not there */
	put_module(MiB(4), MiB(5));
	put_module(MiB(6), MiB(7));
	info_finish();
	assert_null(parse(&info, used));
	assert_int_equal(info.bundle.v, MiB(4));
	assert_int_equal(info.bundle_size, MiB(1));
}

static void expect_refused(const char *what)
{
	struct boot_info info;
	const char *why = parse(&info, used);

	assert_non_null(why);
	assert_non_null(strstr(why, what));
}

static void test_bad_module(void **state)
{
	static const struct {
		uint32_t start, end;
		const char *what;
	} cases[] = {
		{MiB(4), MiB(4) - 1, "ends before it starts"},
		{MiB(63), MiB(64) + 1, "does not lie in RAM"},
		{0x9f000, 0x9fc01, "does not lie in RAM"},
		{0xf0000000, 0xffffffff, "does not lie in RAM"},
	};

	for (unsigned i = 0; i < ARRAY_SIZE(cases); i++) {
		info_begin();
		put_map();
		put_module(cases[i].start, cases[i].end);
		info_finish();
		expect_refused(cases[i].what);
	}
}

static void test_bad_map(void **state)
{
	struct boot_info info;
	uint32_t tag;

	info_begin();
	info_finish();
	expect_refused("gives no memory map");

	info_begin();
	tag = tag_begin(TAG_MAP);
	put32(24);
	tag_end(tag);
	info_finish();
	expect_refused("memory map is cut off");

	info_begin();
	tag = tag_begin(TAG_MAP);
	put32(0); /* would never end */
	put32(0);
	put_entry(0, MiB(64), 1);
	tag_end(tag);
	info_finish();
	expect_refused("no known form");

	info_begin();
	tag = tag_begin(TAG_MAP);
	put32(24);
	put32(0);
	put_entry(0, MiB(64), 2);
	put_entry(MiB(64), 0, 1);
	put_entry(~0ull - 4095, 8192, 1);
	tag_end(tag);
	info_finish();
	expect_refused("memory map has no RAM");

	/* The last entry is cut off: those before it count. */
	info_begin();
	tag = tag_begin(TAG_MAP);
	put32(24);
	put32(0);
	put_entry(0, MiB(64), 1);
	put64(MiB(128));
	tag_end(tag);
	info_finish();
	assert_null(parse(&info, used));
	assert_int_equal(info.map.ram_count, 1);
}

static void test_broken(void **state)
{
	struct boot_info info;
	uint32_t size, whole;

	/* Every length short of the whole. */
	info_begin();
	put_module(MiB(4), MiB(5));
	put_map();
	info_finish();
	whole = used;
	for (uint32_t limit = 0; limit < whole; limit++)
		assert_non_null(parse(&info, limit));
	/* The same, where the structure itself says so. */
	for (size = 0; size < whole; size++) {
		memcpy(bytes, &size, sizeof(size));
		assert_non_null(parse(&info, whole));
	}
	size = UINT32_MAX;
	memcpy(bytes, &size, sizeof(size));
	assert_non_null(parse(&info, whole));
	memcpy(bytes, &whole, sizeof(whole));
	assert_null(parse(&info, whole));
	/* A tag's size: too small to move on, or beyond everything. */
	for (size = 0; size < 8; size++) {
		memcpy(bytes + 12, &size, sizeof(size));
		expect_refused("is broken");
	}
	size = 0xfffffff9;
	memcpy(bytes + 12, &size, sizeof(size));
	expect_refused("is broken");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_whole),
		cmocka_unit_test(test_least),
		cmocka_unit_test(test_second_module),
		cmocka_unit_test(test_bad_module),
		cmocka_unit_test(test_bad_map),
		cmocka_unit_test(test_broken),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
