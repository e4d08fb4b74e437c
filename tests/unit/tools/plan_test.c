/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tools/plan.c, box.c, schema.c, doc.c: YAML in, tables or one message out. */
#include "tools/machine.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#define UP "uplinks: [{name: up0}, {name: up1, match: {pci: \"00:03.0\"}}]\n"
#define VM(name, rest) \
	"  - {name: " name ", cpus: 1, memory: 16M, kernel: k" rest "}\n"
#define ONE_VM "vms:\n" VM("a", "")

static int parse(struct plan **p, const char *text, struct fault *f)
{
	*f = (struct fault){0};
	return plan_parse(p, text, strlen(text), f);
}

/* Is text refused with this line and a message with want in it? */
static void expect_fault(const char *text, unsigned line, const char *want)
{
	struct fault f;
	struct plan *p;
	int err = parse(&p, text, &f);

	if (!err)
		plan_free(p);
	if (err != EXIT_INPUT || f.code != EXIT_INPUT || f.line != line ||
	    !strstr(f.text, want))
		fail_msg("%s\ngave %d, line %u: %s\nnot line %u: %s", text, err,
			 f.line, f.text, line, want);
	/* "What is wrong; what to do". */
	if (!strchr(f.text, ';'))
		fail_msg("no advice: %s", f.text);
}

static void test_full(void **state)
{
	static const char text[] =
		"log_level: debug\n"
		"uplinks:\n"
		"  - {name: up0, match: {mac: \"52:54:00:00:00:02\"}}\n"
		"  - {name: up1, match: {pci: \"00:03.1\"}}\n"
		"  - name: up2\n"
		"vms:\n"
		"  - name: web\n"
		"    cpus: 1\n"
		"    memory: 256M\n"
		"    kernel: build/vmlinuz\n"
		"    initrd: build/web\n"
		"    cmdline: console=ttyS0 quiet\n"
		"    nics: [{network: up1, mac: \"52:54:00:01:00:01\"}]\n"
		"  - name: router\n"
		"    cpus: 16\n"
		"    memory: 1G\n"
		"    kernel: build/vmlinuz\n"
		"    nics:\n"
		"      - {network: up0, promiscuous: true}\n"
		"      - network: up2\n"
		"        promiscuous: off\n"
		"        allow_macs: [\"00:00:5e:00:01:01\",\n"
		"                     \"00:00:5e:00:01:02\"]\n";
	struct fault f;
	struct plan *p;

	assert_int_equal(parse(&p, text, &f), 0);
	assert_int_equal(p->config.log_level, 3);
	assert_int_equal(p->config.uplink_count, 3);
	assert_int_equal(p->config.vm_count, 2);
	assert_int_equal(p->config.nic_count, 3);
	assert_int_equal(p->config.mac_count, 2);
	assert_int_equal(p->uplinks[0].match, SLUICE_MATCH_MAC);
	assert_memory_equal(p->uplinks[0].mac, "\x52\x54\0\0\0\2", 6);
	assert_int_equal(p->uplinks[1].match, SLUICE_MATCH_PCI);
	assert_int_equal(p->uplinks[1].pci, 0x19);
	assert_int_equal(p->uplinks[2].match, SLUICE_MATCH_ANY);
	assert_string_equal(p->vms[0].name, "web");
	assert_int_equal(p->vms[0].memory, MiB(256));
	assert_string_equal(p->strings + p->vms[0].cmdline,
			    "console=ttyS0 quiet");
	assert_string_equal(p->strings + p->vms[1].cmdline, "");
	assert_int_equal(p->vms[1].cpus, 16);
	assert_int_equal(p->vms[1].first_nic, 1);
	assert_int_equal(p->vms[1].nic_count, 2);
	assert_int_equal(p->nics[0].uplink, 1);
	assert_int_equal(p->nics[0].flags, 0);
	assert_int_equal(p->nics[1].flags, SLUICE_NIC_PROMISCUOUS);
	assert_int_equal(p->nics[2].flags, 0);
	assert_int_equal(p->nics[2].uplink, 2);
	assert_int_equal(p->nics[2].mac_count, 2);
	assert_int_equal(p->nics[1].mac[0] & 3, 2); /* derived */
	assert_memory_equal(p->macs[1].addr, "\0\0\x5e\0\1\2", 6);
	assert_string_equal(p->box->vms[0].initrd, "build/web");
	assert_null(p->box->vms[1].initrd);
	plan_free(p);
}

static void test_defaults(void **state)
{
	struct fault f;
	struct plan *p;

	assert_int_equal(parse(&p, ONE_VM, &f), 0);
	assert_int_equal(p->config.log_level, 2); /* info */
	assert_int_equal(p->config.uplink_count, 0);
	assert_int_equal(p->vms[0].nic_count, 0);
	plan_free(p);
}

static void test_syntax(void **state)
{
	expect_fault("", 0, "nothing in it");
	expect_fault("# only a comment\n", 0, "nothing in it");
	expect_fault("vms:\n  - {a: [b\n", 3, "not YAML");
	expect_fault("a: b\n\tc: d\n", 2, "not YAML");
	expect_fault("a: b\n\nc: \xff\n", 3, "UTF-8");
	expect_fault("a: &x b\nc: *x\n", 2, "aliases");
	expect_fault(ONE_VM "---\n" ONE_VM, 3, "second document");
	expect_fault("- a\n", 1, "keys and values");
	expect_fault("\n[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[\n", 2, "nested");
	expect_fault("\"\\x1b[31m\"\n", 1, "keys and values");
}

static void test_keys(void **state)
{
	expect_fault("vsm: []\n", 1, "unknown key 'vsm'; did you mean 'vms'");
	expect_fault("vms:\n  - name: a\n    memroy: 16M\n", 3,
		     "'memroy' in 'vms'; did you mean 'memory'");
	expect_fault("vms:\n  - name: a\n    colour: red\n", 3,
		     "known here: name, cpus, memory, kernel, initrd, cmdline, "
		     "nics");
	expect_fault("\n" UP "vms:\n  - {name: a, name: b}\n", 4, "twice");
	expect_fault("vms: []\n[x]: y\n", 1, "empty list");
	expect_fault("log_level: info\n[x]: y\n", 2, "no plain word");
	expect_fault("\"vms\\0\": []\n", 1, "no plain word");
	expect_fault("\"\\e[1m\": []\n", 1, "no plain word");
	expect_fault("log_level: info\n", 1, "'vms' is missing");
	expect_fault("vms:\n  - name: a\n    cpus: 1\n    memory: 16M\n", 2,
		     "'kernel' is missing in 'vms'");
	expect_fault(UP "vms:\n" VM("a", ", nics: [{mac: \"2:2\"}]"), 3,
		     "'network' is missing in 'nics'");
}

static void test_types(void **state)
{
	expect_fault("vms: a\n", 1, "'vms' must be a list, not 'a'");
	expect_fault("vms: {a: b}\n", 1, "not a set of keys");
	expect_fault("vms:\n", 1, "not empty");
	expect_fault("vms: [a]\n", 1, "must be a set of keys, not 'a'");
	expect_fault("vms: \"\\e[1m\"\n", 1, "text with control characters");
	expect_fault("vms:\n - name: [a]\n", 2, "'name' must be text");
	expect_fault("vms:\n - name: \"\"\n", 2, "'name' must be text");
	expect_fault("vms:\n - cmdline: \"a\\nb\"\n", 2, "control character");
	expect_fault("vms:\n - kernel: \"a\\0b\"\n", 2, "control character");
	expect_fault("vms:\n - cpus: two\n", 2, "whole number, not 'two'");
	expect_fault("vms:\n - cpus: 010\n", 2, "whole number");
	expect_fault("vms:\n - cpus: 0x2\n", 2, "whole number");
	expect_fault("vms:\n - cpus: -1\n", 2, "whole number");
	expect_fault("vms:\n - cpus: 1.0\n", 2, "whole number");
	expect_fault("vms:\n - cpus: 4294967297\n", 2, "whole number");
	expect_fault("vms:\n - cpus:\n", 2, "not empty");
	expect_fault("vms:\n - nics: [{promiscuous: maybe}]\n", 2,
		     "true or false, not 'maybe'");
	expect_fault("vms:\n - nics:\n   - allow_macs: 1\n", 3, "a list");
	expect_fault("log_level: loud\n", 1, "error, warn, info or debug");
	expect_fault("log_level: [info]\n", 1, "one word, not a list");
	expect_fault("uplinks: [{name: a, match: any}]\n", 1, "a set of keys");
}

static void test_uplinks(void **state)
{
	expect_fault("uplinks: [{name: Up}]\n" ONE_VM, 1, "no name for an upl");
	expect_fault("uplinks:\n - name: a\n - name: a\n" ONE_VM, 3,
		     "already on line 2");
	expect_fault("uplinks: [{name: a, match: {}}]\n" ONE_VM, 1, "one of");
	expect_fault(
		"uplinks: [{name: a, match: {mac: \"02:00:00:00:00:01\", "
		"pci: \"00:02.0\"}}]\n" ONE_VM,
		1, "one of 'mac' and 'pci'");
	expect_fault("uplinks: [{name: a, match: {mac: x}}]\n" ONE_VM, 1,
		     "'x' is no MAC");
	expect_fault("uplinks: [{name: a, match: {mac: \"\"}}]\n" ONE_VM, 1,
		     "'' is no MAC");
	expect_fault("uplinks:\n - name: a\n   match:\n     pci: x\n" ONE_VM, 4,
		     "no PCI address");
	expect_fault(
		"uplinks:\n"
		" - {name: a, match: {pci: \"00:02.0\"}}\n"
		" - {name: b, match: {pci: \"00:02.0\"}}\n" ONE_VM,
		3, "uplink 'a' on line 2 has this NIC");
	expect_fault(
		"uplinks:\n"
		" - {name: a, match: {mac: \"02:00:00:00:00:01\"}}\n"
		" - {name: b, match: {mac: \"02:00:00:00:00:01\"}}\n" ONE_VM,
		3, "uplink 'a' on line 2 has this NIC");
	expect_fault(
		"uplinks: [{name: a}, {name: b}, {name: c}, {name: d}, "
		"{name: e}, {name: f}, {name: g}, {name: h}, {name: i}]\n",
		1, "9 entries");
}

static void test_vms(void **state)
{
	static const struct {
		const char *memory, *want;
	} memory[] = {
		{"256", "no memory size"},
		{"1.5G", "no memory size"},
		{"14M", "give it 16M or more"},
		{"17M", "the next is 18M"},
		{"16385K", "the next is 18M"},
		{"1025G", "1024G at most"},
		{"99999999999999999999G", "no memory size"},
	};
	char text[256];

	expect_fault("vms:\n" VM("a", "") VM("a", ""), 3, "already on line 2");
	expect_fault("vms:\n" VM("a.b", ""), 2, "no name for a VM");
	expect_fault("vms:\n" VM("01234567890123456789012345678901", ""), 2,
		     "no name for a VM");
	expect_fault("vms: [{name: a, cpus: 0, memory: 16M, kernel: k}]\n", 1,
		     "cannot have 0 CPUs; give it 1 to 16");
	expect_fault("vms: [{name: a, cpus: 17, memory: 16M, kernel: k}]\n", 1,
		     "cannot have 17 CPUs; give it 1 to 16");
	for (size_t i = 0; i < ARRAY_SIZE(memory); i++) {
		snprintf(text, sizeof(text),
			 "vms:\n  - name: a\n    cpus: 1\n    memory: %s\n"
			 "    kernel: k\n",
			 memory[i].memory);
		expect_fault(text, 4, memory[i].want);
	}
}

static void test_vm_limits(void **state)
{
	static char text[SLUICE_CMDLINE_MAX + 4096];
	struct fault f;
	struct plan *p;
	char *end;

	/* The longest command line, and one byte more. */
	end = text + sprintf(text,
			     "vms:\n  - {name: a, cpus: 1, memory: 16M, "
			     "kernel: k,\n cmdline: ");
	memset(end, 'x', SLUICE_CMDLINE_MAX);
	strcpy(end + SLUICE_CMDLINE_MAX, "}\n");
	assert_int_equal(parse(&p, text, &f), 0);
	plan_free(p);
	strcpy(end + SLUICE_CMDLINE_MAX, "x}\n");
	expect_fault(text, 3, "2048 bytes; at most 2047");

	/* The most VMs, and one more. */
	end = text + sprintf(text, "vms:\n");
	for (unsigned i = 0; i < SLUICE_VMS_MAX; i++)
		end += sprintf(end,
			       " - {name: v%u, cpus: 1, memory: 16M, "
			       "kernel: k}\n",
			       i);
	assert_int_equal(parse(&p, text, &f), 0);
	assert_int_equal(p->config.vm_count, SLUICE_VMS_MAX);
	plan_free(p);
	strcpy(end, " - {name: w, cpus: 1, memory: 16M, kernel: k}\n");
	expect_fault(text, 2, "65 entries; at most 64");
}

static void test_nics(void **state)
{
	expect_fault("vms:\n" VM("a", ", nics: [{network: up0}]"), 2,
		     "no network 'up0'; add it like this");
	expect_fault(UP "vms:\n" VM("a", ", nics: [{network: up9}]"), 3,
		     "no network 'up9'; take one of the uplinks (up0, up1)");
	expect_fault(UP "vms:\n" VM("a", ", nics: [{network: up0, mac: z}]"), 3,
		     "'z' is no MAC");
	expect_fault(UP "vms:\n" VM("a",
				    ", nics: [{network: up0, mac: "
				    "\"01:00:5e:00:00:01\"}]"),
		     3, "group address");
	expect_fault(UP "vms:\n" VM("a",
				    ", nics: [{network: up0, mac: "
				    "\"00:00:00:00:00:00\"}]"),
		     3, "is zero");
	expect_fault(UP "vms:\n" VM("a",
				    ", nics: [{network: up0, mac: "
				    "\"02:00:00:00:00:0a\"}]")
			     VM("b",
				", nics: [{network: up0}, {network: up1, "
				"mac: \"02:00:00:00:00:0A\"}]"),
		     4, "02:00:00:00:00:0a is already on line 3");
	expect_fault(UP "vms:\n" VM("a",
				    ", nics: [{network: up0,\n    "
				    "allow_macs: [\"02:00:00:00:00:01\",\n"
				    "    \"ff:ff:ff:ff:ff:ff\"]}]"),
		     5, "group address");
}

static void test_nic_limits(void **state)
{
	char text[4096];
	char *end;

	end = text + sprintf(text, UP "vms:\n" VM("a", ", nics: ["));
	end = strstr(text, "nics: [") + 7;
	for (unsigned i = 0; i < SLUICE_NICS_MAX + 1; i++)
		end += sprintf(end, "{network: up0},");
	strcpy(end, "]}\n");
	expect_fault(text, 3, "'nics' has 9 entries; at most 8");

	end = strstr(text, "nics: [") + 7;
	end += sprintf(end, "{network: up0, allow_macs: [");
	for (unsigned i = 0; i < SLUICE_MACS_MAX + 1; i++)
		end += sprintf(end, "\"02:00:00:00:00:%02x\",", i);
	strcpy(end, "]}]}\n");
	expect_fault(text, 3, "'allow_macs' has 16 entries; at most 15");
}

static void test_machine(void **state)
{
	static const char text[] =
		"vms:\n"
		"  - {name: a, cpus: 1, memory: 256M, kernel: k}\n"
		"  - {name: b, cpus: 4, memory: 512M, kernel: k}\n";
	struct fault f;
	struct plan *p;

	assert_int_equal(parse(&p, text, &f), 0);
	assert_int_equal(machine_vm_memory(p), MiB(768));
	assert_int_equal(machine_vm_cpus(p), 4);
	assert_int_equal(machine_check(p, 0, 0, MiB(20), &f), 0);
	assert_int_equal(machine_check(p, 4, GiB(1), MiB(20), &f), 0);
	assert_int_equal(machine_check(p, 3, 0, 0, &f), EXIT_INPUT);
	assert_int_equal(f.line, 3);
	assert_non_null(strstr(f.text,
			       "VM 'b' has 4 CPUs but the machine "
			       "has 3"));
	f = (struct fault){0};
	assert_int_equal(machine_check(p, 0, MiB(768), 0, &f), EXIT_INPUT);
	assert_int_equal(f.line, 3);
	assert_non_null(strstr(f.text, "need 832M"));
	f = (struct fault){0};
	assert_int_equal(machine_check(p, 0, MiB(832), 1, &f), EXIT_INPUT);
	f = (struct fault){0};
	assert_int_equal(machine_check(p, 0, MiB(64), 0, &f), EXIT_INPUT);
	assert_int_equal(f.line, 2);
	plan_free(p);
}

/* Whatever a file is cut to, it is refused or fits. */
static void test_cut(void **state)
{
	static const char text[] =
		UP "vms:\n" VM("a",
			       ", nics: [{network: up0, allow_macs: "
			       "[\"02:00:00:00:00:01\"]}]");
	struct fault f;
	struct plan *p;

	for (size_t size = 0; size < sizeof(text) - 1; size++) {
		char *copy = malloc(size + 1);

		assert_non_null(copy);
		memcpy(copy, text, size);
		f = (struct fault){0};
		if (plan_parse(&p, copy, size, &f) == 0)
			plan_free(p);
		else
			assert_int_not_equal(f.text[0], 0);
		free(copy);
	}
}

static void test_files(void **state)
{
	struct fault f = {0};
	struct plan *p;

	assert_int_equal(plan_load(&p, "/nonexistent.yaml", &f), EXIT_INPUT);
	assert_string_equal(f.file, "/nonexistent.yaml");
	assert_non_null(strstr(f.text, "cannot be opened"));
	f = (struct fault){0};
	assert_int_equal(plan_load(&p, "/", &f), EXIT_INPUT);
	assert_non_null(strstr(f.text, "cannot be read"));
	f = (struct fault){0};
	assert_int_equal(plan_load(&p, "/dev/zero", &f), EXIT_INPUT);
	assert_non_null(strstr(f.text, "more than 1 MiB"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_full),
		cmocka_unit_test(test_defaults),
		cmocka_unit_test(test_syntax),
		cmocka_unit_test(test_keys),
		cmocka_unit_test(test_types),
		cmocka_unit_test(test_uplinks),
		cmocka_unit_test(test_vms),
		cmocka_unit_test(test_vm_limits),
		cmocka_unit_test(test_nics),
		cmocka_unit_test(test_nic_limits),
		cmocka_unit_test(test_machine),
		cmocka_unit_test(test_cut),
		cmocka_unit_test(test_files),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
