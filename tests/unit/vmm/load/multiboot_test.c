/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Multiboot 1 kernels: ELF of both classes and flat files. */
#include "tests/unit/vmm/load/load_helpers.h"

#define HEADER_AT 0x40 /* in the code */

static struct test_elf e;
static uint8_t flat[0x6000];

static void put_header(uint8_t *at, uint32_t flags)
{
	uint32_t header[3] = {0x1badb002, flags, 0 - 0x1badb002 - flags};

	memcpy(at, header, sizeof(header));
}

static int setup(void **state)
{
	guest_make(MiB(64));
	elf_make(&e, 0);
	put_header(e.code + HEADER_AT, 3);
	memset(flat, 0x90, sizeof(flat));
	return 0;
}

static void expect_info(const char *cmdline, const void *initrd,
			uint64_t initrd_size)
{
	uint64_t info = entry.gpr[GPR_RBX], map, size, at;
	uint32_t flags = get(info, 4);

	expect_flat_32();
	assert_int_equal(entry.gpr[GPR_RAX], 0x2badb002);
	assert_true(info >= 0x9000 && info < 0xa0000);
	assert_int_equal(flags & 0x45, 0x45);
	assert_int_equal(get(info + 4, 4), 640);
	assert_int_equal(get(info + 8, 4), 63 * 1024);
	assert_string_equal((char *)ram + get(info + 16, 4), cmdline);
	assert_int_equal(!!(flags & 8), initrd_size != 0);
	if (initrd_size) {
		uint64_t module = get(info + 24, 4), start = get(module, 4);

		assert_int_equal(get(info + 20, 4), 1);
		assert_int_equal(start % 4096, 0);
		assert_int_equal(get(module + 4, 4), start + initrd_size);
		assert_memory_equal(ram + start, initrd, initrd_size);
		assert_string_equal((char *)ram + get(module + 8, 4), "initrd");
	}
	size = get(info + 44, 4);
	map = get(info + 48, 4);
	for (at = map; at < map + size; at += get(at, 4) + 4)
		assert_int_equal(get(at, 4), 20);
	assert_int_equal(at, map + size);
	assert_int_equal(get(map + 12, 8), GUEST_LOW_RAM_END);
}

static void multiboot_test_elf64(void **state)
{
	static const char initrd[9000] = "module";

	assert_int_equal(load(&e, sizeof(e), "k -x", initrd, sizeof(initrd)),
			 0);
	assert_int_equal(entry.rip, ELF_LOAD + 0x10);
	assert_memory_equal(ram + ELF_LOAD, e.code, ELF_FILE);
	expect_info("k -x", initrd, sizeof(initrd));
	/* The module follows the kernel. */
	assert_int_equal(get(get(entry.gpr[GPR_RBX] + 24, 4), 4),
			 ELF_LOAD + ELF_MEMORY);
}

static void multiboot_test_elf32(void **state)
{
	struct elf32_hdr h = {
		.e_type = ET_EXEC,
		.e_machine = EM_386,
		.e_entry = ELF_LOAD + 4,
		.e_phoff = sizeof(h),
		.e_phentsize = sizeof(struct elf32_phdr),
		.e_phnum = 1,
	};
	struct elf32_phdr p = {
		.p_type = PT_LOAD,
		.p_offset = offsetof(struct test_elf, code),
		.p_paddr = ELF_LOAD,
		.p_vaddr = ELF_LOAD,
		.p_filesz = ELF_FILE,
		.p_memsz = ELF_MEMORY,
	};

	memcpy(h.e_ident, ELFMAG, SELFMAG);
	h.e_ident[EI_CLASS] = ELFCLASS32;
	h.e_ident[EI_DATA] = ELFDATA2LSB;
	memcpy(&e, &h, sizeof(h));
	memcpy((uint8_t *)&e + sizeof(h), &p, sizeof(p));
	assert_int_equal(load(&e, sizeof(e), "", NULL, 0), 0);
	assert_int_equal(entry.rip, ELF_LOAD + 4);
	expect_info("", NULL, 0);
	/* Code for 64 bits in such a file is fine. */
	h.e_machine = EM_X86_64;
	memcpy(&e, &h, sizeof(h));
	assert_int_equal(load(&e, sizeof(e), "", NULL, 0), 0);
}

/* Linked high, loaded low: the entry point is where its byte went. */
static void multiboot_test_virtual_entry(void **state)
{
	e.p[0].p_vaddr = 0xffffffff80100000;
	e.h.e_entry = 0xffffffff80100123;
	assert_int_equal(load(&e, sizeof(e), "", NULL, 0), 0);
	assert_int_equal(entry.rip, ELF_LOAD + 0x123);
	e.h.e_entry = 0xffffffff80100000 + ELF_MEMORY;
	assert_int_equal(load(&e, sizeof(e), "", NULL, 0), -EINVAL);
}

static void multiboot_test_flat(void **state)
{
	const uint32_t load_addr = MiB(4), at = 0x1010;
	uint32_t addr[5] = {load_addr + 0x10, load_addr, load_addr + 0x2000,
			    load_addr + 0x8000, load_addr + 0x100};

	/* 0x1000 bytes of file come before what is loaded. */
	put_header(flat + at, 1u << 16 | 3);
	memcpy(flat + at + 12, addr, sizeof(addr));
	memset(ram + load_addr, 0xff, 0x9000);
	assert_int_equal(load(flat, sizeof(flat), "x", NULL, 0), 0);
	assert_int_equal(entry.rip, load_addr + 0x100);
	assert_memory_equal(ram + load_addr, flat + 0x1000, 0x2000);
	assert_int_equal(ram[load_addr + 0x2000], 0);
	assert_int_equal(ram[load_addr + 0x7fff], 0);
	assert_int_equal(ram[load_addr + 0x8000], 0xff);
	expect_info("x", NULL, 0);

	/* No ends given: the whole file, no bss. */
	addr[2] = addr[3] = 0;
	memcpy(flat + at + 12, addr, sizeof(addr));
	assert_int_equal(load(flat, sizeof(flat), "x", NULL, 0), 0);
	assert_memory_equal(ram + load_addr, flat + 0x1000,
			    sizeof(flat) - 0x1000);
}

static void multiboot_test_flat_refuses(void **state)
{
	const uint32_t base = MiB(4);
	const uint32_t bad[][5] = {
		{base - 1, base, 0, 0, base},	  /* header before the image */
		{base + 0x101, base, 0, 0, base}, /* before the file */
		{base, base, base, 0, base},	  /* ends where it starts */
		{base, base, base + 0x5f01, 0, base}, /* beyond the file */
		{base, base, base + 0x1000, base + 0xfff, base}, /* bss */
		{base, base, 0, 0, base - 1},			 /* entry */
		{base, base, base + 0x1000, 0, base + 0x1000},
	};

	put_header(flat + 0x100, 1u << 16);
	for (unsigned i = 0; i < ARRAY_SIZE(bad); i++) {
		memcpy(flat + 0x10c, bad[i], sizeof(bad[i]));
		assert_int_equal(load(flat, sizeof(flat), "", NULL, 0),
				 -EINVAL);
	}
	/* Addresses without RAM. */
	memcpy(flat + 0x10c,
	       (uint32_t[]){0xfee00100, 0xfee00000, 0, 0, 0xfee00000}, 20);
	assert_int_equal(load(flat, sizeof(flat), "", NULL, 0), -ENOSPC);
	memcpy(flat + 0x10c, (uint32_t[]){base, base, 0, 0xffffffff, base}, 20);
	assert_int_equal(load(flat, sizeof(flat), "", NULL, 0), -ENOSPC);
}

static void multiboot_test_header(void **state)
{
	static uint8_t big[16384];

	/* Wrong checksum, unknown demand, no ELF and no addresses. */
	e.code[HEADER_AT + 8] ^= 1;
	assert_int_equal(load(&e, sizeof(e), "", NULL, 0), -ENOEXEC);
	put_header(e.code + HEADER_AT, 1 << 5);
	assert_int_equal(load(&e, sizeof(e), "", NULL, 0), -ENOEXEC);
	assert_non_null(strstr(why, "flags"));
	put_header(flat + 0x100, 3);
	assert_int_equal(load(flat, sizeof(flat), "", NULL, 0), -ENOEXEC);
	/* In the first 8 KiB, all of it, on a multiple of 4. */
	put_header(big + 8192 - 12, 1 << 5);
	load(big, sizeof(big), "", NULL, 0);
	assert_non_null(strstr(why, "flags"));
	memset(big, 0, sizeof(big));
	put_header(big + 8192 - 8, 1 << 5);
	load(big, sizeof(big), "", NULL, 0);
	assert_null(strstr(why, "flags"));
	memset(big, 0, sizeof(big));
	put_header(big + 2, 1 << 5);
	load(big, sizeof(big), "", NULL, 0);
	assert_null(strstr(why, "flags"));
	/* At the very end of a file, with addresses promised. */
	memset(big, 0, sizeof(big));
	put_header(big + 100, 1u << 16);
	assert_int_equal(load(big, 112, "", NULL, 0), -ENOEXEC);
}

static void multiboot_test_initrd_too_large(void **state)
{
	uint8_t *initrd = calloc(1, MiB(63));

	assert_int_equal(load(&e, sizeof(e), "", initrd, MiB(63)), -ENOSPC);
	assert_int_equal(load(&e, sizeof(e), "", initrd, MiB(63) - ELF_MEMORY),
			 0);
	free(initrd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(multiboot_test_elf64, setup,
						guest_free),
		cmocka_unit_test_setup_teardown(multiboot_test_elf32, setup,
						guest_free),
		cmocka_unit_test_setup_teardown(multiboot_test_virtual_entry,
						setup, guest_free),
		cmocka_unit_test_setup_teardown(multiboot_test_flat, setup,
						guest_free),
		cmocka_unit_test_setup_teardown(multiboot_test_flat_refuses,
						setup, guest_free),
		cmocka_unit_test_setup_teardown(multiboot_test_header, setup,
						guest_free),
		cmocka_unit_test_setup_teardown(multiboot_test_initrd_too_large,
						setup, guest_free),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
