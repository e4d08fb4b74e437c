/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tools/warn.c: noise goes, errors stay, whatever pieces they come in. */
#include "tools/warn.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <cmocka.h>

static void expect(const char *in, const char *want)
{
	for (size_t piece = 1; piece < 90; piece += 8) {
		int fd = memfd_create("stderr", MFD_CLOEXEC);
		struct warn w = {0};
		char out[2048] = "";

		assert_true(fd >= 0);
		for (size_t i = 0; i < strlen(in); i += piece)
			warn_feed(&w, fd, in + i, MIN(piece, strlen(in) - i));
		warn_flush(&w, fd);
		assert_true(pread(fd, out, sizeof(out) - 1, 0) >= 0);
		assert_string_equal(out, want);
		close(fd);
	}
}

#define NOISE                                                                  \
	"qemu-system-x86_64: warning: TCG doesn't support requested feature: " \
	"CPUID.07H:EBX.rdseed [bit 18]\n"

static void test_lines(void **state)
{
	expect("", "");
	expect("a\n", "a\n");
	expect("no end", "no end");
	expect(NOISE NOISE, "");
	expect("a\n" NOISE "b\n", "a\nb\n");
	expect("qemu: terminating on signal 15 from pid 1 (sluice)\nc", "c");
	expect("qemu: warning: other\n", "qemu: warning: other\n");
}

static void test_long_line(void **state)
{
	char line[1400];

	memset(line, 'x', sizeof(line));
	strcpy(line + sizeof(line) - 2, "\n");
	expect(line, line);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lines),
		cmocka_unit_test(test_long_line),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
