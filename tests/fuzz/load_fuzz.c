/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Fuzzes the kernel loaders: a file may hold anything. */
#include <asm/bootparam.h>
#include <linux/elf.h>
#include <linux/errno.h>

#include "tests/fuzz/fuzz.h"
#include "vmm/layout.h"
#include "vmm/load/loader.h"

/*
 * The input's last byte says what the VM has, the rest is the file. What loads
 * is then looked at as the kernel will find it: its own bytes where the file
 * says, zeroes behind them, and boot information that points at command line,
 * initrd and memory map. What firmware left is never touched.
 */
#define RAM_SIZE  MiB(6)
#define RSDP_GPA  0xe0000u
#define INITRD	  "the initial file system"
#define MAGIC_BZ  0x53726448u
#define MAGIC_PVH 0x336ec578u
#define MAGIC_MB  0x2badb002u

static uint8_t *ram;
static struct loader_request rq;
static struct vcpu_state entry;

static const void *at(uint64_t gpa, uint64_t size)
{
	REQUIRE(gpa < RAM_SIZE && size <= RAM_SIZE - gpa);
	return ram + gpa;
}

static uint64_t get(uint64_t gpa, unsigned size)
{
	uint64_t value = 0;

	memcpy(&value, at(gpa, size), size);
	return value;
}

static void check_string(uint64_t gpa, const char *text)
{
	size_t size = strlen(text) + 1;

	REQUIRE(gpa && !memcmp(at(gpa, size), text, size));
}

static void check_initrd(uint64_t gpa, uint64_t size)
{
	REQUIRE(size == (rq.initrd ? rq.initrd_size : 0));
	if (!size)
		return;
	REQUIRE(gpa % PAGE_SIZE == 0 && gpa >= GUEST_ACPI_END);
	REQUIRE(!memcmp(at(gpa, size), rq.initrd, size));
}

/* Linux, Documentation/x86/zero-page.rst. */
static void check_bzimage(void)
{
	uint64_t kernel = entry.rip - 0x200, image;
	struct boot_params bp;

	memcpy(&bp, at(entry.gpr[GPR_RSI], sizeof(bp)), sizeof(bp));
	image = (1 + (bp.hdr.setup_sects ? bp.hdr.setup_sects : 4)) * 512u;
	REQUIRE(entry.efer & EFER_LMA && entry.cr0 & CR0_PG);
	/* The jump at its start may cut the header short of these. */
	if (((const uint8_t *)rq.kernel)[0x201] < 0x60)
		return;
	REQUIRE(!memcmp(at(kernel, rq.kernel_size - image),
			(const uint8_t *)rq.kernel + image,
			rq.kernel_size - image));
	check_string(bp.hdr.cmd_line_ptr, rq.cmdline);
	check_initrd(bp.hdr.ramdisk_image, bp.hdr.ramdisk_size);
	REQUIRE(bp.acpi_rsdp_addr == RSDP_GPA && bp.e820_entries);
	REQUIRE(bp.e820_table[0].addr == 0 && bp.e820_table[0].type == 1);
}

/* Program headers as elf.h has them, of either class. */
static void check_elf_segments(void)
{
	const uint8_t *file = rq.kernel;
	struct elf64_hdr h64;
	struct elf32_hdr h32;
	bool is_64 = file[EI_CLASS] == ELFCLASS64;
	unsigned count;

	memcpy(&h32, file, sizeof(h32));
	if (is_64)
		memcpy(&h64, file, sizeof(h64));
	count = is_64 ? h64.e_phnum : h32.e_phnum;
	for (unsigned i = 0; i < count; i++) {
		struct elf64_phdr p;
		const uint8_t *memory;

		if (is_64) {
			memcpy(&p, file + h64.e_phoff + i * sizeof(p),
			       sizeof(p));
		} else {
			struct elf32_phdr p32;

			memcpy(&p32, file + h32.e_phoff + i * sizeof(p32),
			       sizeof(p32));
			p = (struct elf64_phdr){.p_type = p32.p_type,
						.p_offset = p32.p_offset,
						.p_paddr = p32.p_paddr,
						.p_filesz = p32.p_filesz,
						.p_memsz = p32.p_memsz};
		}
		if (p.p_type != PT_LOAD || !p.p_memsz)
			continue;
		memory = at(p.p_paddr, p.p_memsz);
		REQUIRE(!memcmp(memory, file + p.p_offset, p.p_filesz));
		for (uint64_t b = p.p_filesz; b < p.p_memsz; b++)
			REQUIRE(!memory[b]);
	}
}

/* Xen, public/arch-x86/hvm/start_info.h. */
static void check_pvh(uint64_t info)
{
	REQUIRE(get(info, 4) == MAGIC_PVH && get(info + 4, 4) == 1);
	check_string(get(info + 24, 8), rq.cmdline);
	REQUIRE(get(info + 32, 8) == RSDP_GPA);
	REQUIRE(get(info + 12, 4) == (rq.initrd ? 1 : 0));
	if (rq.initrd)
		check_initrd(get(get(info + 16, 8), 8),
			     get(get(info + 16, 8) + 8, 8));
	REQUIRE(get(info + 48, 4) && get(get(info + 40, 8) + 16, 4) == 1);
	check_elf_segments();
}

/* Multiboot 0.6.96, 3.3. */
static void check_multiboot(uint64_t info)
{
	uint32_t flags = (uint32_t)get(info, 4);
	uint64_t module = get(info + 24, 4);

	check_string(get(info + 16, 4), rq.cmdline);
	REQUIRE(flags & 1 << 2 && flags & 1 << 6);
	REQUIRE((flags & 1 << 3 ? 1 : 0) == (rq.initrd ? 1 : 0));
	if (rq.initrd)
		check_initrd(get(module, 4),
			     get(module + 4, 4) - get(module, 4));
	REQUIRE(get(get(info + 48, 4), 4) == 20);
}

static void check_entry(void)
{
	REQUIRE(!entry.cpl);
	if (!(entry.cr0 & CR0_PE)) { /* by way of the BIOS, in real mode */
		const struct segment *cs = &entry.seg[SEG_CS];

		REQUIRE(cs->base == (uint64_t)cs->selector << 4 &&
			entry.rip <= 0xffff &&
			cs->base + entry.rip < GUEST_MAIN_RAM_BASE);
		return;
	}
	REQUIRE(entry.rip < RAM_SIZE); /* 0, too, if a kernel lies there */
	REQUIRE(entry.rip < GUEST_LOW_RAM_END ||
		entry.rip >= GUEST_MAIN_RAM_BASE);
	if (entry.efer & EFER_LMA)
		check_bzimage();
	else if (entry.gpr[GPR_RAX] == MAGIC_MB)
		check_multiboot(entry.gpr[GPR_RBX]);
	else
		check_pvh(entry.gpr[GPR_RBX]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static char long_line[2048];
	struct guest_mem mem = {0};
	const char *why = NULL;
	uint8_t options;
	uint8_t *file;
	int err;

	if (!size)
		return 0;
	if (!ram) {
		ram = malloc(RAM_SIZE);
		memset(long_line, 'x', sizeof(long_line) - 1);
	}
	options = data[--size];
	/* Of the exact size, so that ASan sees the first byte past it. */
	file = malloc(size ? size : 1);
	memcpy(file, data, size);
	guest_mem_add(&mem, GPA(0), options & 4 ? MiB(2) : RAM_SIZE, ram);
	memset(ram + GUEST_LOW_RAM_END, 0x5c,
	       GUEST_ACPI_END - GUEST_LOW_RAM_END);
	rq = (struct loader_request){
		.mem = &mem,
		.kernel = file,
		.kernel_size = size,
		.initrd = options & 1 ? INITRD : NULL,
		.initrd_size = options & 1 ? sizeof(INITRD) : 0,
		.cmdline = options & 2 ? long_line : "console=ttyS0",
		.rsdp = GPA(RSDP_GPA),
	};
	err = loader_load(&rq, &entry, &why);
	REQUIRE(!err == !why);
	REQUIRE(!err || err == -ENOEXEC || err == -EINVAL || err == -ENOSPC ||
		err == -E2BIG);
	if (!err)
		check_entry();
	/* Each byte is as the one before it, and so as the first. */
	REQUIRE(ram[GUEST_LOW_RAM_END] == 0x5c &&
		!memcmp(ram + GUEST_LOW_RAM_END, ram + GUEST_LOW_RAM_END + 1,
			GUEST_ACPI_END - GUEST_LOW_RAM_END - 1));
	free(file);
	return 0;
}
