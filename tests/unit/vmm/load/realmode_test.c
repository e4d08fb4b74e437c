/* SPDX-License-Identifier: GPL-2.0-or-later */
/* bzImages without 64-bit entry, by the 16-bit boot protocol; Debian's iPXE,
 * where it is there. */
#include "tests/unit/vmm/load/load_helpers.h"

#include <asm/bootparam.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "vmm/load/bios.h"
#include "vmm/load/memmap.h"

#define SETUP_SIZE (3 * 512)
#define IMAGE_SIZE 0x3000
#define SETUP_AT   0x10000
#define CMDLINE_AT 0x20000
#define KERNEL_AT  0x100000

static uint8_t file[SETUP_SIZE + IMAGE_SIZE];
static struct setup_header *const hdr = (struct setup_header *)(file + 0x1f1);
static const struct bios_params *params;

static void make(void)
{
	for (unsigned i = 0; i < sizeof(file); i++)
		file[i] = i * 5;
	memset(file + 0x1f1, 0, 0x110);
	hdr->setup_sects = 2;
	hdr->boot_flag = 0xaa55;
	hdr->header = 0x53726448;
	hdr->version = 0x0207;
	hdr->loadflags = LOADED_HIGH;
	hdr->initrd_addr_max = 0xffffffff;
	hdr->cmdline_size = 100;
}

static int setup(void **state)
{
	guest_make(MiB(64));
	params = (const void *)(ram + GUEST_BIOS_BASE + BIOS_PARAMS);
	make();
	return 0;
}

static void realmode_test_loads(void **state)
{
	struct setup_header *loaded = (void *)(ram + SETUP_AT + 0x1f1);
	static const char initrd[5000] = "initrd";

	assert_int_equal(load(file, sizeof(file), "dhcp && boot", initrd,
			      sizeof(initrd)),
			 0);
	assert_memory_equal(ram + KERNEL_AT, file + SETUP_SIZE, IMAGE_SIZE);
	assert_memory_equal(ram + SETUP_AT, file, 0x1f1);
	assert_memory_equal(ram + SETUP_AT + 0x22c, file + 0x22c,
			    SETUP_SIZE - 0x22c);
	assert_string_equal((char *)ram + CMDLINE_AT, "dhcp && boot");
	assert_int_equal(loaded->cmd_line_ptr, CMDLINE_AT);
	assert_int_equal(loaded->type_of_loader, 0xff);
	assert_int_equal(loaded->loadflags, LOADED_HIGH | CAN_USE_HEAP);
	assert_int_equal(loaded->ramdisk_size, sizeof(initrd));
	assert_memory_equal(ram + loaded->ramdisk_image, initrd,
			    sizeof(initrd));
	/* The heap ends where the stack begins. */
	assert_int_equal(loaded->heap_end_ptr + 0x200, params->sp);
	assert_true(params->sp >= SETUP_SIZE + 0x1000);

	/* The BIOS starts, in real mode, and goes on at the setup code. */
	assert_int_equal(entry.cr0 & (CR0_PE | CR0_PG), 0);
	assert_int_equal(entry.rflags, RFLAGS_FIXED);
	assert_int_equal(entry.seg[SEG_CS].selector, BIOS_SEGMENT);
	assert_int_equal(entry.seg[SEG_CS].base, GUEST_BIOS_BASE);
	assert_int_equal(entry.rip, BIOS_ENTRY);
	assert_int_equal(entry.idtr.base, 0);
	assert_int_equal(entry.idtr.limit, 0x3ff);
	assert_int_equal(params->cs * 16 + params->ip, SETUP_AT + 0x200);
	assert_int_equal(params->ds * 16, SETUP_AT);
}

/* What the BIOS will say of memory is the map of all guests. */
static void expect_map(unsigned kib_15m, unsigned high_64k)
{
	struct memmap map;

	memmap_build(&mem, &map);
	assert_int_equal(params->memory_count, map.count);
	for (unsigned i = 0; i < map.count; i++) {
		assert_int_equal(params->memory[i].base, map.entries[i].start);
		assert_int_equal(params->memory[i].size, map.entries[i].size);
		assert_int_equal(params->memory[i].type, map.entries[i].type);
	}
	assert_int_equal(params->kib_15m, kib_15m);
	assert_int_equal(params->high_64k, high_64k);
}

static void realmode_test_memory(void **state)
{
	static const struct {
		uint64_t size;
		unsigned kib_15m, high_64k;
	} sizes[] = {
		{MiB(64), 15 * 1024, 48 * 16},
		{MiB(16), 15 * 1024, 0},
		{MiB(2), 1024, 0},
		{GiB(3), 15 * 1024, (3072 - 16) * 16},
	};

	for (unsigned i = 0; i < ARRAY_SIZE(sizes); i++) {
		guest_free(NULL);
		guest_make(sizes[i].size);
		params = (const void *)(ram + GUEST_BIOS_BASE + BIOS_PARAMS);
		assert_int_equal(load(file, sizeof(file), "", NULL, 0), 0);
		expect_map(sizes[i].kib_15m, sizes[i].high_64k);
	}
}

static void realmode_test_refuses(void **state)
{
	char cmdline[257];

#define REFUSE(field, value, error)                                     \
	do {                                                            \
		make();                                                 \
		hdr->field = (value);                                   \
		assert_int_equal(load(file, sizeof(file), "", NULL, 0), \
				 error);                                \
	} while (0)
	REFUSE(version, 0x0201, -ENOEXEC);
	REFUSE(loadflags, 0, -ENOEXEC);
	REFUSE(boot_flag, 0, -ENOEXEC);
	REFUSE(setup_sects, 63, -EINVAL);
	REFUSE(setup_sects, 64, -EINVAL);
	REFUSE(setup_sects, 0xff, -EINVAL);
	make();
	memset(cmdline, 'x', 256);
	cmdline[101] = 0;
	assert_int_equal(load(file, sizeof(file), cmdline, NULL, 0), -E2BIG);
	cmdline[100] = 0;
	assert_int_equal(load(file, sizeof(file), cmdline, NULL, 0), 0);
	/* Before 2.06 it is 255, whatever stands there. */
	memset(cmdline, 'x', 256);
	cmdline[256] = 0;
	hdr->version = 0x0202;
	assert_int_equal(load(file, sizeof(file), cmdline, NULL, 0), -E2BIG);
	cmdline[255] = 0;
	assert_int_equal(load(file, sizeof(file), cmdline, NULL, 0), 0);
	/* No room for the initrd, or below where it may be. */
	make();
	assert_int_equal(load(file, sizeof(file), "", file, MiB(64)), -ENOSPC);
	hdr->initrd_addr_max = KERNEL_AT;
	assert_int_equal(load(file, sizeof(file), "", file, 100), -ENOSPC);
	/* Nor for the kernel. */
	guest_free(NULL);
	guest_make(MiB(1));
	assert_int_equal(load(file, sizeof(file), "", NULL, 0), -ENOSPC);
}

static void realmode_test_truncated(void **state)
{
	for (size_t size = 0; size <= SETUP_SIZE; size += 3) {
		uint8_t *cut = malloc(size ? size : 1);

		memcpy(cut, file, size);
		assert_int_not_equal(load(cut, size, "", NULL, 0), 0);
		free(cut);
	}
}

static void realmode_test_ipxe(void **state)
{
	int fd = open("build/guest/ipxe/boot/ipxe.lkrn", O_RDONLY);
	struct stat st;
	void *kernel;

	if (fd < 0)
		skip();
	assert_int_equal(fstat(fd, &st), 0);
	kernel = mmap(NULL, st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	assert_ptr_not_equal(kernel, MAP_FAILED);
	close(fd);
	assert_int_equal(load(kernel, st.st_size, "", NULL, 0), 0);
	assert_int_equal(get(SETUP_AT + 0x202, 4), 0x53726448);
	assert_int_equal(params->cs * 16 + params->ip, SETUP_AT + 0x200);
	munmap(kernel, st.st_size);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(realmode_test_loads, setup,
						guest_free),
		cmocka_unit_test_setup_teardown(realmode_test_memory, setup,
						guest_free),
		cmocka_unit_test_setup_teardown(realmode_test_refuses, setup,
						guest_free),
		cmocka_unit_test_setup_teardown(realmode_test_truncated, setup,
						guest_free),
		cmocka_unit_test_setup_teardown(realmode_test_ipxe, setup,
						guest_free),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
