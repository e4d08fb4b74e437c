/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Linux kernels by the 64-bit boot protocol; Debian's, where it is there. */
#include "tests/unit/vmm/load/load_helpers.h"

#include <asm/bootparam.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#define IMAGE_AT   (2 * 512) /* one setup sector */
#define IMAGE_SIZE 0x3000

static uint8_t file[IMAGE_AT + IMAGE_SIZE];
static struct setup_header *const hdr = (struct setup_header *)(file + 0x1f1);

static void make(void)
{
	for (unsigned i = 0; i < sizeof(file); i++)
		file[i] = i * 3;
	memset(file + 0x1f1, 0, 0x110);
	file[0x201] = 0x66; /* the header ends at 0x268 */
	hdr->jump = 0x66eb;
	hdr->setup_sects = 1;
	hdr->boot_flag = 0xaa55;
	hdr->header = 0x53726448;
	hdr->version = 0x020f;
	hdr->loadflags = LOADED_HIGH;
	hdr->xloadflags = XLF_KERNEL_64;
	hdr->relocatable_kernel = 1;
	hdr->kernel_alignment = MiB(2);
	hdr->pref_address = MiB(16);
	hdr->init_size = 0x5000;
	hdr->cmdline_size = 255;
	hdr->initrd_addr_max = 0x7fffffff;
	hdr->root_flags = 0x1234;
}

static int setup(void **state)
{
	guest_make(MiB(64));
	make();
	return 0;
}

/* What the CPU would find at a linear address, by the entry's page tables. */
static uint64_t translate(uint64_t linear)
{
	uint64_t table = entry.cr3;
	unsigned shift;

	for (shift = 39; shift > 12; shift -= 9) {
		uint64_t e = get(table + (linear >> shift & 0x1ff) * 8, 8);

		assert_int_equal(e & 3, 3);
		table = e & 0xffffffffff000;
		if (e & 0x80)
			break;
	}
	return table + (linear & ((1ull << shift) - 1));
}

static void expect_entry_64(uint64_t kernel)
{
	uint64_t cs = get(entry.gdtr.base + entry.seg[SEG_CS].selector, 8);
	uint64_t ds = get(entry.gdtr.base + entry.seg[SEG_DS].selector, 8);

	assert_int_equal(entry.rip, kernel + 0x200);
	assert_true(entry.cr0 & CR0_PG && entry.cr0 & CR0_PE);
	assert_true(entry.cr4 & CR4_PAE);
	assert_int_equal(entry.efer, EFER_LME | EFER_LMA);
	assert_int_equal(entry.rflags, RFLAGS_FIXED);
	assert_int_equal(entry.seg[SEG_CS].selector, 0x10);
	assert_int_equal(entry.seg[SEG_DS].selector, 0x18);
	assert_int_equal(entry.seg[SEG_CS].attrib, 0xa9b);
	/* The descriptors in memory are those in the registers. */
	assert_int_equal(cs >> 40 & 0xff, entry.seg[SEG_CS].attrib & 0xff);
	assert_int_equal(cs >> 52 & 0xf, entry.seg[SEG_CS].attrib >> 8);
	assert_int_equal(ds >> 40 & 0xff, entry.seg[SEG_DS].attrib & 0xff);
	assert_int_equal(ds >> 52 & 0xf, entry.seg[SEG_DS].attrib >> 8);
	assert_true(entry.gdtr.limit >= 0x1f);
	for (uint64_t at = 0; at < GiB(4); at += MiB(2) * 17 + 0x123)
		assert_int_equal(translate(at), at);
}

static void expect_params(uint64_t initrd_size, const char *cmdline,
			  const void *initrd)
{
	struct boot_params bp;
	uint64_t ram_bytes = 0;

	assert_int_equal(entry.gpr[GPR_RSI] % 4096, 0);
	memcpy(&bp, ram + entry.gpr[GPR_RSI], sizeof(bp));
	assert_int_equal(bp.sentinel, 0);
	assert_int_equal(bp.hdr.header, 0x53726448);
	assert_int_equal(bp.hdr.type_of_loader, 0xff);
	assert_int_equal(bp.acpi_rsdp_addr, RSDP_GPA);
	assert_string_equal((char *)ram + bp.hdr.cmd_line_ptr, cmdline);
	assert_int_equal(bp.hdr.ramdisk_size, initrd_size);
	if (initrd_size)
		assert_memory_equal(ram + bp.hdr.ramdisk_image, initrd,
				    initrd_size);
	for (unsigned i = 0; i < bp.e820_entries; i++)
		if (bp.e820_table[i].type == 1)
			ram_bytes += bp.e820_table[i].size;
	assert_int_equal(ram_bytes, ram_size - 0x60000);
}

static void bzimage_test_loads(void **state)
{
	static const char initrd[5000] = "cpio";

	assert_int_equal(load(file, sizeof(file), "console=ttyS0", initrd,
			      sizeof(initrd)),
			 0);
	expect_entry_64(MiB(16));
	assert_memory_equal(ram + MiB(16), file + IMAGE_AT, IMAGE_SIZE);
	expect_params(sizeof(initrd), "console=ttyS0", initrd);
	/* The kernel's own fields are kept, what follows its header is not. */
	assert_int_equal(get(entry.gpr[GPR_RSI] + 0x1f2, 2), 0x1234);
	assert_int_equal(get(entry.gpr[GPR_RSI] + 0x268, 8), 0);
}

static void bzimage_test_placement(void **state)
{
	static const uint8_t initrd[4096];
	struct boot_params *bp;

	/* The initrd stays below what the kernel can reach. */
	hdr->initrd_addr_max = MiB(32) - 1;
	assert_int_equal(load(file, sizeof(file), "", initrd, 4096), 0);
	bp = (struct boot_params *)(ram + entry.gpr[GPR_RSI]);
	assert_int_equal(bp->hdr.ramdisk_image, MiB(32) - 4096);
	/* ... and out of the way of all that it will use when it unpacks. */
	hdr->init_size = MiB(15);
	hdr->initrd_addr_max = MiB(24);
	assert_int_equal(load(file, sizeof(file), "", initrd, 4096), 0);
	bp = (struct boot_params *)(ram + entry.gpr[GPR_RSI]);
	assert_true(bp->hdr.ramdisk_image + 4096 <= MiB(16));
	/* A preferred address that is not there moves up, aligned. */
	make();
	hdr->pref_address = MiB(17);
	assert_int_equal(load(file, sizeof(file), "", NULL, 0), 0);
	expect_entry_64(MiB(18));
	/* Not relocatable: there or nowhere. */
	hdr->relocatable_kernel = 0;
	assert_int_equal(load(file, sizeof(file), "", NULL, 0), 0);
	expect_entry_64(MiB(17));
	hdr->pref_address = MiB(64);
	assert_int_equal(load(file, sizeof(file), "", NULL, 0), -ENOSPC);
	/* setup_sects 0 means 4. */
	make();
	hdr->setup_sects = 0;
	assert_int_equal(load(file, sizeof(file), "", NULL, 0), 0);
	assert_memory_equal(ram + MiB(16), file + 5 * 512, 512);
}

static void bzimage_test_refuses(void **state)
{
	char cmdline[257];

#define REFUSE(field, value, error)                                     \
	do {                                                            \
		make();                                                 \
		hdr->field = (value);                                   \
		assert_int_equal(load(file, sizeof(file), "", NULL, 0), \
				 error);                                \
	} while (0)
	REFUSE(boot_flag, 0, -ENOEXEC);
	REFUSE(version, 0x0201, -ENOEXEC);
	REFUSE(loadflags, 0, -EINVAL);
	REFUSE(header, 0, -ENOEXEC); /* no bzImage at all */
	REFUSE(kernel_alignment, 0, -EINVAL);
	REFUSE(kernel_alignment, 0x201000, -EINVAL);
	REFUSE(init_size, 0, -EINVAL);
	REFUSE(init_size, IMAGE_SIZE - 1, -EINVAL);
	REFUSE(init_size, 0xffffffff, -ENOSPC);
	REFUSE(setup_sects, 0xff, -EINVAL);
	REFUSE(pref_address, UINT64_MAX, -ENOSPC);
	REFUSE(pref_address, UINT64_MAX - MiB(2), -ENOSPC);
	REFUSE(kernel_alignment, 0x80000000, -ENOSPC);
	make();
	memset(cmdline, 'x', 256);
	cmdline[256] = 0;
	assert_int_equal(load(file, sizeof(file), cmdline, NULL, 0), -E2BIG);
	cmdline[255] = 0;
	assert_int_equal(load(file, sizeof(file), cmdline, NULL, 0), 0);
}

static void bzimage_test_truncated(void **state)
{
	for (size_t size = 0; size < IMAGE_AT + 0x201; size += 7) {
		uint8_t *cut = malloc(size ? size : 1);

		memcpy(cut, file, size);
		assert_int_not_equal(load(cut, size, "", NULL, 0), 0);
		free(cut);
	}
}

/* Any header must be refused or loaded within the guest's memory: the
 * sanitizers watch. */
static void bzimage_test_random_headers(void **state)
{
	unsigned seed = 1, loaded = 0;

	for (unsigned i = 0; i < 20000; i++) {
		make();
		for (unsigned j = 0; j < 1 + i % 3; j++) {
			seed = seed * 1103515245 + 12345;
			file[0x1f1 + (seed >> 16) % 0x80] = seed >> 8;
		}
		loaded += !load(file, sizeof(file), "", "initrd", 6);
	}
	assert_in_range(loaded, 1, 19999);
}

static void bzimage_test_debian(void **state)
{
	int fd = open("build/guest/vmlinuz", O_RDONLY);
	static uint8_t initrd[MiB(3)];
	struct stat st;
	void *kernel;

	if (fd < 0)
		skip();
	assert_int_equal(fstat(fd, &st), 0);
	kernel = mmap(NULL, st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	assert_ptr_not_equal(kernel, MAP_FAILED);
	close(fd);
	guest_free(NULL);
	guest_make(MiB(256));
	memset(initrd, 0x5a, sizeof(initrd));
	assert_int_equal(load(kernel, st.st_size, "console=ttyS0 quiet", initrd,
			      sizeof(initrd)),
			 0);
	expect_entry_64(MiB(16));
	expect_params(sizeof(initrd), "console=ttyS0 quiet", initrd);
	/* Too small a VM is told so. */
	guest_free(NULL);
	guest_make(MiB(16));
	assert_int_equal(load(kernel, st.st_size, "", NULL, 0), -ENOSPC);
	assert_non_null(strstr(why, "`memory:`"));
	munmap(kernel, st.st_size);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(bzimage_test_loads, setup,
						guest_free),
		cmocka_unit_test_setup_teardown(bzimage_test_placement, setup,
						guest_free),
		cmocka_unit_test_setup_teardown(bzimage_test_refuses, setup,
						guest_free),
		cmocka_unit_test_setup_teardown(bzimage_test_truncated, setup,
						guest_free),
		cmocka_unit_test_setup_teardown(bzimage_test_random_headers,
						setup, guest_free),
		cmocka_unit_test_setup_teardown(bzimage_test_debian, setup,
						guest_free),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
