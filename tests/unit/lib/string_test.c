/* SPDX-License-Identifier: GPL-2.0-or-later */
/* lib/string.c, under names of its own, against the process's libc. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

void *our_memcpy(void *restrict dst, const void *restrict src, size_t n);
void *our_memmove(void *dst, const void *src, size_t n);
void *our_memset(void *dst, int c, size_t n);
int our_memcmp(const void *a, const void *b, size_t n);
void *our_memchr(const void *s, int c, size_t n);
size_t our_strlen(const char *s);
int our_strcmp(const char *a, const char *b);
int our_strncmp(const char *a, const char *b, size_t n);
char *our_strchr(const char *s, int c);
char *our_strrchr(const char *s, int c);

#define memcpy	our_memcpy
#define memmove our_memmove
#define memset	our_memset
#define memcmp	our_memcmp
#define memchr	our_memchr
#define strlen	our_strlen
#define strcmp	our_strcmp
#define strncmp our_strncmp
#define strchr	our_strchr
#define strrchr our_strrchr
#include "lib/string.c"
#undef memcpy
#undef memmove
#undef memset
#undef memcmp
#undef memchr
#undef strlen
#undef strcmp
#undef strncmp
#undef strchr
#undef strrchr

#define LEN_MAX (REP_MIN + 40)

static int sign(int v)
{
	return (v > 0) - (v < 0);
}

static void fill(uint8_t *p, size_t len, uint8_t from)
{
	for (size_t i = 0; i < len; i++)
		p[i] = (uint8_t)(from + i * 7);
}

static void copies_every_length(void **state)
{
	for (size_t n = 0; n < LEN_MAX; n++) {
		/* Of the exact size: ASan sees what is touched beyond. */
		uint8_t *src = malloc(n + 1), *dst = malloc(n + 1);

		fill(src, n, (uint8_t)n);
		dst[n] = 0xa5;
		assert_ptr_equal(our_memcpy(dst, src, n), dst);
		assert_memory_equal(dst, src, n);
		assert_int_equal(dst[n], 0xa5);
		/* Unaligned at both ends */
		if (n) {
			our_memcpy(dst + 1, src, n - 1);
			assert_memory_equal(dst + 1, src, n - 1);
		}
		free(src);
		free(dst);
	}
}

static void copies_large(void **state)
{
	size_t n = 100003;
	uint8_t *src = malloc(n), *dst = malloc(n);

	fill(src, n, 3);
	our_memcpy(dst, src, n);
	assert_memory_equal(dst, src, n);
	our_memset(dst, 0x5a, n);
	for (size_t i = 0; i < n; i++)
		assert_int_equal(dst[i], 0x5a);
	free(src);
	free(dst);
}

static void moves_in_any_overlap(void **state)
{
	uint8_t got[LEN_MAX + 80], want[LEN_MAX + 80];

	for (size_t n = 0; n < LEN_MAX; n++) {
		for (size_t to = 0; to < 80; to++) {
			if (n > 40 && n < REP_MIN - 20 && to % 7)
				continue;
			fill(got, sizeof(got), 1);
			fill(want, sizeof(want), 1);
			memmove(want + to, want + 40, n);
			assert_ptr_equal(our_memmove(got + to, got + 40, n),
					 got + to);
			assert_memory_equal(got, want, sizeof(got));
		}
	}
}

static void sets_every_length(void **state)
{
	for (size_t n = 0; n < LEN_MAX; n++) {
		uint8_t *p = malloc(n + 1);

		p[n] = 0x11;
		/* Only the low byte of the value counts. */
		assert_ptr_equal(our_memset(p, 0x1c3, n), p);
		for (size_t i = 0; i < n; i++)
			assert_int_equal(p[i], 0xc3);
		assert_int_equal(p[n], 0x11);
		free(p);
	}
}

static void compares(void **state)
{
	uint8_t a[80], b[80];

	fill(a, sizeof(a), 0);
	memcpy(b, a, sizeof(b));
	for (size_t n = 0; n <= sizeof(a); n++)
		assert_int_equal(our_memcmp(a, b, n), 0);
	for (size_t i = 0; i < sizeof(a); i++) {
		b[i] ^= 0x80;
		assert_int_equal(sign(our_memcmp(a, b, sizeof(a))),
				 sign(memcmp(a, b, sizeof(a))));
		assert_int_equal(our_memcmp(a, b, i), 0);
		/* What follows the first difference has no say. */
		if (i + 1 < sizeof(a)) {
			b[i + 1] ^= 0x80;
			assert_int_equal(sign(our_memcmp(a, b, sizeof(a))),
					 sign(memcmp(a, b, sizeof(a))));
			b[i + 1] ^= 0x80;
		}
		b[i] ^= 0x80;
	}
}

static void finds(void **state)
{
	static const char text[] = "sluice/web/0";

	assert_ptr_equal(our_memchr(text, '/', sizeof(text)), text + 6);
	assert_null(our_memchr(text, '/', 6));
	assert_ptr_equal(our_memchr(text, 0, sizeof(text)), text + 12);
	assert_ptr_equal(our_memchr("\xff", 0x1ff, 1) ? text : NULL, text);
	assert_null(our_memchr(text, 'x', 0));
	assert_ptr_equal(our_strchr(text, '/'), text + 6);
	assert_ptr_equal(our_strchr(text, 0), text + 12);
	assert_null(our_strchr(text, 'x'));
	assert_ptr_equal(our_strrchr(text, '/'), text + 10);
	assert_ptr_equal(our_strrchr(text, 0), text + 12);
	assert_null(our_strrchr(text, 'x'));
}

static void asks_the_cpu(void **state)
{
	uint8_t set = string_erms;
	bool erms;

	string_erms = 0;
	erms = string_has_erms();
	assert_int_equal(string_erms, erms ? 2 : 1);
	assert_int_equal(string_has_erms(), erms);
	string_erms = set;
}

static void strings(void **state)
{
	assert_int_equal(our_strlen(""), 0);
	assert_int_equal(our_strlen("abc"), 3);
	assert_int_equal(our_strcmp("", ""), 0);
	assert_int_equal(our_strcmp("abc", "abc"), 0);
	assert_true(our_strcmp("abc", "abd") < 0);
	assert_true(our_strcmp("abd", "abc") > 0);
	assert_true(our_strcmp("ab", "abc") < 0);
	assert_true(our_strcmp("abc", "ab") > 0);
	/* Characters compare as unsigned (C17 7.24.4). */
	assert_true(our_strcmp("\x80", "\x7f") > 0);
	assert_int_equal(our_strncmp("abc", "abd", 2), 0);
	assert_true(our_strncmp("abc", "abd", 3) < 0);
	assert_int_equal(our_strncmp("abc", "abc", 10), 0);
	assert_int_equal(our_strncmp("x", "y", 0), 0);
}

/* Without ERMS and with it: either works on any CPU. */
static int run(uint8_t erms)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(copies_every_length),
		cmocka_unit_test(copies_large),
		cmocka_unit_test(moves_in_any_overlap),
		cmocka_unit_test(sets_every_length),
		cmocka_unit_test(compares),
		cmocka_unit_test(finds),
		cmocka_unit_test(strings),
		cmocka_unit_test(asks_the_cpu),
	};

	string_erms = erms;
	return cmocka_run_group_tests(tests, NULL, NULL);
}

int main(void)
{
	return run(1) + run(2);
}
