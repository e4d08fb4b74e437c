/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tools/value.c: what is a size, a MAC, a PCI address, and what is not. */
#include "tools/value.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>

static void test_sizes(void **state)
{
	static const struct {
		const char *text;
		uint64_t bytes;
	} good[] = {
		{"16M", MiB(16)},
		{"1G", GiB(1)},
		{"1024K", MiB(1)},
		{"2g", GiB(2)},
		{"0M", 0},
		{"007m", MiB(7)},
		{"16777215G", GiB(16777215)},
	};
	static const char *const bad[] = {
		"",
		"M",
		"1",
		"1.5G",
		"-1M",
		"1MB",
		" 1M",
		"1M ",
		"0x10M",
		"1T",
		"17179869184G",
		"18446744073709551616K",
		"99999999999999999999999M",
	};
	uint64_t bytes;

	for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
		assert_true(value_parse_size(good[i].text, &bytes));
		assert_int_equal(bytes, good[i].bytes);
	}
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_false(value_parse_size(bad[i], &bytes));
}

static void test_size_text(void **state)
{
	char text[VALUE_SIZE_TEXT];

	assert_string_equal(value_format_size(MiB(256), text), "256M");
	assert_string_equal(value_format_size(GiB(4), text), "4G");
	assert_string_equal(value_format_size(GiB(4096), text), "4096G");
	assert_string_equal(value_format_size(MiB(1536), text), "1536M");
	assert_string_equal(value_format_size(KiB(3), text), "3K");
	assert_string_equal(value_format_size(0, text), "0K");
	assert_string_equal(value_format_size(1000, text), "1000");
	assert_string_equal(value_format_size(UINT64_MAX, text),
			    "18446744073709551615");
}

static void test_macs(void **state)
{
	static const char *const bad[] = {
		"",
		"52:54:00:00:00",
		"52:54:00:00:00:0",
		"52:54:00:00:00:022",
		"52-54-00-00-00-02",
		"52:54:00:00:00:0g",
		"5:254:00:00:00:02",
		"52:54:00:00:00 02",
	};
	uint8_t mac[6];

	assert_true(value_parse_mac("52:54:00:aB:Cd:0f", mac));
	assert_memory_equal(mac, "\x52\x54\x00\xab\xcd\x0f", 6);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_false(value_parse_mac(bad[i], mac));
	assert_true(value_mac_unicast((uint8_t[]){2, 0, 0, 0, 0, 0}));
	assert_true(value_mac_unicast((uint8_t[]){0, 0, 0, 0, 0, 1}));
	assert_false(value_mac_unicast((uint8_t[]){1, 0, 0, 0, 0, 0}));
	assert_false(value_mac_unicast((uint8_t[6]){0}));
}

static void test_derived_macs(void **state)
{
	uint8_t a[6], b[6];

	value_derive_mac("web", 0, a);
	value_derive_mac("web", 0, b);
	assert_memory_equal(a, b, 6);
	assert_int_equal(a[0] & 3, 2);
	value_derive_mac("web", 1, b);
	assert_memory_not_equal(a, b, 6);
	value_derive_mac("client", 0, b);
	assert_memory_not_equal(a, b, 6);
	assert_int_equal(b[0] & 3, 2);
	/* Stable over versions: a guest's lease depends on it. */
	assert_memory_equal(a, "\x0a\xca\x52\x4b\x08\xc5", 6);
}

static void test_pci(void **state)
{
	static const char *const bad[] = {
		"",	   "00:02",   "0:02.0",	 "00:20.0",	 "00:02.8",
		"00.02.0", "00:02:0", "00:02.a", "0000:00:02.0",
	};
	uint16_t pci;

	assert_true(value_parse_pci("00:02.0", &pci));
	assert_int_equal(pci, 0x10);
	assert_true(value_parse_pci("fF:1f.7", &pci));
	assert_int_equal(pci, 0xffff);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_false(value_parse_pci(bad[i], &pci));
}

static void test_numbers(void **state)
{
	uint64_t n;

	assert_true(value_parse_number("16", 1, 16, &n));
	assert_int_equal(n, 16);
	assert_false(value_parse_number("17", 1, 16, &n));
	assert_false(value_parse_number("0", 1, 16, &n));
	assert_false(value_parse_number("", 0, 16, &n));
	assert_false(value_parse_number("1x", 0, 16, &n));
	assert_false(value_parse_number("-1", 0, 16, &n));
	assert_false(
		value_parse_number("18446744073709551616", 0, UINT64_MAX, &n));
}

static void test_names(void **state)
{
	assert_true(value_name_valid("web"));
	assert_true(value_name_valid("a-b_0"));
	assert_true(value_name_valid("0123456789012345678901234567890"));
	assert_false(value_name_valid("01234567890123456789012345678901"));
	assert_false(value_name_valid(""));
	assert_false(value_name_valid("Web"));
	assert_false(value_name_valid("a b"));
	assert_false(value_name_valid("a|"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sizes),
		cmocka_unit_test(test_size_text),
		cmocka_unit_test(test_macs),
		cmocka_unit_test(test_derived_macs),
		cmocka_unit_test(test_pci),
		cmocka_unit_test(test_numbers),
		cmocka_unit_test(test_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
