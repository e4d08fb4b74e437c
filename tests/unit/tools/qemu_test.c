/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tools/qemu.c: the machine that a configuration is run on. */
#include "tools/qemu.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

static struct plan *parse(const char *text)
{
	struct fault f = {0};
	struct plan *p;

	assert_int_equal(plan_parse(&p, text, strlen(text), &f), 0);
	return p;
}

/* All arguments with a blank after each. */
static const char *join(const struct qemu_args *args)
{
	static char all[4096];

	*all = 0;
	for (unsigned i = 0; i < args->count; i++) {
		strcat(all, args->items[i]);
		strcat(all, " ");
	}
	assert_null(args->items[args->count]);
	return all;
}

#define VMS "vms: [{name: a, cpus: 1, memory: 16M, kernel: k}]\n"

static struct qemu_options options(void)
{
	return (struct qemu_options){.cpus = 2,
				     .memory = MiB(600),
				     .kernel = "k.elf",
				     .bundle = "b"};
}

static void test_forwards(void **state)
{
	static const char *const bad[] = {
		"",
		"tcp",
		"tcp:80",
		"tcp:80:10.0.2.15",
		"tcp:0:10.0.2.15:80",
		"tcp:65536:10.0.2.15:80",
		"tcp:80:10.0.2:80",
		"tcp:80:10.0.2.15:80:1",
		"sctp:80:10.0.2.15:80",
		"tcp:80:web:80",
		"tcp:80,x:10.0.2.15:80",
		"tcp::10.0.2.15:80",
	};
	struct qemu_forward w;

	assert_true(qemu_parse_forward("udp:53:10.0.2.15:5353", &w));
	assert_string_equal(w.protocol, "udp");
	assert_int_equal(w.host_port, 53);
	assert_string_equal(w.guest, "10.0.2.15");
	assert_int_equal(w.guest_port, 5353);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_false(qemu_parse_forward(bad[i], &w));
}

static void test_plain(void **state)
{
	struct plan *p = parse(VMS);
	struct qemu_options o = options();
	struct qemu_args args;
	struct fault f = {0};

	assert_int_equal(qemu_args_make(&args, p, &o, &f), 0);
	assert_string_equal(
		join(&args),
		"qemu-system-x86_64 -machine q35 -cpu EPYC,+svm -smp 2 "
		"-m 600M -kernel k.elf -initrd b -display none -nodefaults "
		"-no-reboot -device pvpanic -action "
		"panic=exit-failure -serial stdio ");
	qemu_args_free(&args);
	plan_free(p);
}

static void test_uplinks(void **state)
{
	struct plan *p =
		parse("uplinks:\n"
		      " - {name: a}\n"
		      " - {name: b, match: {mac: \"52:54:00:00:00:04\"}}\n"
		      " - {name: c}\n"
		      " - {name: d, match: {pci: \"00:1e.1\"}}\n" VMS);
	struct qemu_options o = options();
	struct qemu_args args;
	struct fault f = {0};
	const char *all;

	o.forward_count = 2;
	assert_true(
		qemu_parse_forward("tcp:8080:10.0.2.15:80", &o.forwards[0]));
	assert_true(qemu_parse_forward("udp:5:10.0.2.16:6", &o.forwards[1]));
	assert_int_equal(qemu_args_make(&args, p, &o, &f), 0);
	all = join(&args);
	assert_non_null(strstr(
		all,
		"-netdev user,id=n0,hostfwd=tcp:127.0.0.1:8080-10.0.2.15:"
		"80,hostfwd=udp:127.0.0.1:5-10.0.2.16:6 "
		"-device e1000e,netdev=n0,mac=52:54:00:00:00:02,"));
	assert_non_null(strstr(all,
			       "-netdev user,id=n1 -device e1000e,"
			       "netdev=n1,mac=52:54:00:00:00:04,"));
	/* Not b's address: that is taken. */
	assert_non_null(strstr(all, "netdev=n2,mac=52:54:00:00:00:0c,"));
	assert_non_null(strstr(all,
			       "netdev=n3,mac=52:54:00:00:00:05,"
			       "addr=1e.1,"));
	assert_true(strstr(all, "id=n3") < strstr(all, "id=n0"));
	qemu_args_free(&args);
	plan_free(p);
}

static void test_bad(void **state)
{
	struct plan *p =
		parse("uplinks: [{name: a, match: {pci: "
		      "\"01:00.0\"}}]\n" VMS);
	struct qemu_options o = options();
	struct qemu_args args;
	struct fault f = {0};

	assert_int_equal(qemu_args_make(&args, p, &o, &f), EXIT_INPUT);
	assert_int_equal(f.line, 1);
	qemu_args_free(&args);
	plan_free(p);

	p = parse(VMS);
	o.forward_count = 1;
	f = (struct fault){0};
	assert_int_equal(qemu_args_make(&args, p, &o, &f), EXIT_USAGE);
	assert_non_null(strstr(f.text, "--hostfwd needs an uplink"));
	qemu_args_free(&args);

	o.forward_count = 0;
	o.extra_count = QEMU_ARGS_MAX;
	for (unsigned i = 0; i < QEMU_ARGS_MAX; i++)
		o.extra[i] = "x";
	f = (struct fault){0};
	assert_int_equal(qemu_args_make(&args, p, &o, &f), EXIT_USAGE);
	qemu_args_free(&args);
	plan_free(p);
}

static void test_more(void **state)
{
	struct plan *p = parse(VMS);
	struct qemu_options o = options();
	struct qemu_args args;
	struct fault f = {0};

	o.control = "c";
	o.gdb = true;
	o.extra[o.extra_count++] = "-m";
	o.extra[o.extra_count++] = "1G";
	assert_int_equal(qemu_args_make(&args, p, &o, &f), 0);
	assert_non_null(strstr(join(&args),
			       "-serial stdio -serial file:c -gdb "
			       "tcp:127.0.0.1:1234 -S -m 1G "));
	qemu_args_free(&args);
	plan_free(p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_forwards), cmocka_unit_test(test_plain),
		cmocka_unit_test(test_uplinks),	 cmocka_unit_test(test_bad),
		cmocka_unit_test(test_more),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
