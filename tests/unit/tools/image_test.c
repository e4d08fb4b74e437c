/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tools/payload.c and image.c: files in, a bundle that the kernel takes. */
#include "tools/image.h"
#include "lib/bundle.h"

#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

/* A Multiboot 1 kernel of size bytes, as far as a quick look goes. */
static void write_kernel(const char *path, size_t size)
{
	const uint32_t header[3] = {0x1badb002, 0, 0u - 0x1badb002};
	char *data = calloc(1, size);
	FILE *file = fopen(path, "w");

	assert_true(data && file);
	memcpy(data, "\177ELF\1", 5);
	memcpy(data + 64, header, sizeof(header));
	data[size - 1] = 'k';
	assert_int_equal(fwrite(data, 1, size, file), size);
	fclose(file);
	free(data);
}

static void write_text(const char *path, const char *text)
{
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	fputs(text, file);
	fclose(file);
}

static int setup(void **state)
{
	static char folder[] = "/tmp/sluice-image-XXXXXX";

	if (!mkdtemp(folder) || chdir(folder) != 0)
		return -1;
	write_kernel("kernel", 5000);
	write_text("initrd", "the initrd");
	*state = folder;
	return 0;
}

static int teardown(void **state)
{
	DIR *folder = opendir(".");
	struct dirent *entry;

	while ((entry = readdir(folder)))
		unlink(entry->d_name);
	closedir(folder);
	return rmdir(*state);
}

static int open_text(struct plan **p, struct payloads *list, const char *text,
		     struct fault *f)
{
	int err;

	*f = (struct fault){0};
	list->count = 0;
	err = plan_parse(p, text, strlen(text), f);
	assert_int_equal(err, 0);
	return payloads_open(list, *p, f);
}

static void expect_fault(const char *rest, unsigned line, const char *want)
{
	char text[512];
	struct payloads list;
	struct fault f;
	struct plan *p;

	snprintf(text, sizeof(text),
		 "vms:\n - name: a\n   cpus: 1\n   memory: 16M\n%s", rest);
	assert_int_equal(open_text(&p, &list, text, &f), EXIT_INPUT);
	assert_int_equal(f.line, line);
	if (!strstr(f.text, want))
		fail_msg("%s, not %s", f.text, want);
	payloads_close(&list);
	plan_free(p);
}

static void test_bad_files(void **state)
{
	write_text("empty", "");
	write_text("text", "#!/bin/sh\n");
	write_kernel("large", 17 << 20);
	mkfifo("fifo", 0600);
	expect_fault("   kernel: none\n", 5, "No such file");
	expect_fault("   kernel: /\n", 5, "no regular file");
	expect_fault("   kernel: fifo\n", 5, "no regular file");
	expect_fault("   kernel: empty\n", 5, "is empty");
	expect_fault("   kernel: text\n", 5, "'text' is no kernel");
	expect_fault("   kernel: kernel\n   initrd: none\n", 6,
		     "initrd 'none' cannot be opened");
	expect_fault("   kernel: kernel\n   initrd: empty\n", 6, "is empty");
	expect_fault("   kernel: large\n", 4, "do not fit");
	expect_fault("   kernel: kernel\n   initrd: large\n", 4, "do not fit");
}

/* Reads a file into memory of its own, on a page. */
static void *slurp(const char *path, size_t *size)
{
	FILE *file = fopen(path, "r");
	struct stat st;
	void *data;

	assert_non_null(file);
	assert_int_equal(fstat(fileno(file), &st), 0);
	*size = (size_t)st.st_size;
	data = aligned_alloc(4096, ALIGN_UP(*size, 4096));
	assert_non_null(data);
	assert_int_equal(fread(data, 1, *size, file), *size);
	fclose(file);
	return data;
}

static const char two_vms[] =
	"uplinks: [{name: up0}]\n"
	"vms:\n"
	"  - {name: a, cpus: 1, memory: 16M, kernel: kernel, initrd: initrd,\n"
	"     cmdline: quiet, nics: [{network: up0, allow_macs:\n"
	"     [\"02:00:00:00:00:01\"]}]}\n"
	"  - {name: b, cpus: 2, memory: 18M, kernel: link,\n"
	"     nics: [{network: up0, promiscuous: true}]}\n";

static void test_bundle(void **state)
{
	struct payloads list;
	struct bundle b;
	struct fault f;
	struct plan *p;
	const char *why;
	uint64_t payload_size;
	size_t size;
	void *data;

	symlink("kernel", "link");
	assert_int_equal(open_text(&p, &list, two_vms, &f), 0);
	assert_int_equal(list.count, 2); /* the kernel once */
	assert_int_equal(image_write(p, &list, "bundle", &f), 0);
	data = slurp("bundle", &size);
	assert_int_equal(size, image_size(p, &list));
	assert_int_equal(bundle_open(&b, data, size, &why), 0);
	assert_int_equal(b.config->vm_count, 2);
	assert_string_equal(b.vms[1].name, "b");
	assert_string_equal(bundle_cmdline(&b, &b.vms[0]), "quiet");
	assert_string_equal(bundle_cmdline(&b, &b.vms[1]), "");
	assert_int_equal(b.vms[0].kernel, b.vms[1].kernel);
	assert_int_equal(b.vms[1].initrd, SLUICE_NO_PAYLOAD);
	assert_int_equal(b.nics[0].mac_count, 1);
	assert_int_equal(b.macs[0].addr[5], 1);
	assert_int_equal(b.nics[1].flags, SLUICE_NIC_PROMISCUOUS);
	assert_string_equal(b.payloads[b.vms[0].kernel].name, "kernel");
	assert_memory_equal(bundle_payload(&b, b.vms[0].initrd, &payload_size),
			    "the initrd", 10);
	assert_int_equal(payload_size, 10);
	assert_true(bundle_payload_intact(&b, 0));
	assert_true(bundle_payload_intact(&b, 1));
	free(data);
	payloads_close(&list);
	plan_free(p);
}

/* A failure leaves the old bundle and no litter. */
static void test_failures(void **state)
{
	struct payloads list;
	struct fault f;
	struct plan *p;
	struct dirent *entry;
	DIR *folder;

	write_text("bundle", "old");
	assert_int_equal(open_text(&p, &list, two_vms, &f), 0);
	assert_int_equal(truncate("initrd", 5), 0);
	assert_int_equal(image_write(p, &list, "bundle", &f), EXIT_TROUBLE);
	assert_non_null(strstr(f.text, "became shorter"));
	f = (struct fault){0};
	assert_int_equal(image_write(p, &list, "none/bundle", &f),
			 EXIT_TROUBLE);
	assert_non_null(strstr(f.text, "none/bundle cannot be written"));
	folder = opendir(".");
	while ((entry = readdir(folder)))
		assert_null(strstr(entry->d_name, "bundle."));
	closedir(folder);
	write_text("initrd", "the initrd");
	payloads_close(&list);
	plan_free(p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_bad_files),
		cmocka_unit_test(test_bundle),
		cmocka_unit_test(test_failures),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
