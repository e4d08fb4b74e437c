/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Loads a bzImage by the 16-bit boot protocol: it starts in real mode. */
#include "vmm/load/loader_priv.h"

#include <string.h>

#include <asm/bootparam.h>
#include <linux/errno.h>

#include "vmm/load/bios.h"
#include "vmm/layout.h"

/*
 * For what has no 64-bit entry: iPXE, 32-bit kernels. Linux
 * Documentation/x86/boot.rst, "The Real-Mode Kernel" and "Memory Layout"; the
 * places are QEMU's, which everything is tested with.
 */
#define REALMODE_HEADER	     0x1f1
#define REALMODE_BASE	     0x10000 /* boot sector and setup code, */
#define REALMODE_STACK	     0xe000  /* heap and stack, down from here */
#define REALMODE_CMDLINE     0x20000
#define REALMODE_CMDLINE_OLD 255 /* before 2.06 there was no cmdline_size */
#define REALMODE_KERNEL	     0x100000
#define REALMODE_SETUP_MAX   0x8000
#define REALMODE_SECTOR	     512
#define REALMODE_VERSION     0x0202	/* cmd_line_ptr, heap_end_ptr */
#define REALMODE_INITRD_MAX  0x37ffffff /* before 2.03 */

static uint64_t realmode_setup_size(const struct setup_header *hdr)
{
	return (1ull + (hdr->setup_sects ? hdr->setup_sects : 4)) *
	       REALMODE_SECTOR;
}

static int realmode_check(struct loader *l, const struct setup_header *hdr)
{
	uint64_t setup = realmode_setup_size(hdr);
	uint32_t cmdline_max = hdr->version >= 0x0206 ? hdr->cmdline_size
						      : REALMODE_CMDLINE_OLD;

	if (hdr->version < REALMODE_VERSION || !(hdr->loadflags & LOADED_HIGH))
		return loader_fail(l, -ENOEXEC,
				   "the kernel is a zImage, or speaks no boot "
				   "protocol from 2.02 on: give a bzImage");
	if (setup > REALMODE_SETUP_MAX || l->rq->kernel_size <= setup)
		return loader_fail(l, -EINVAL,
				   "the bzImage ends before its kernel starts: "
				   "copy it anew");
	if (strlen(l->rq->cmdline) > cmdline_max ||
	    strlen(l->rq->cmdline) >= REALMODE_BASE)
		return loader_fail(l, -E2BIG,
				   "`cmdline:` is longer than the kernel "
				   "takes: shorten it");
	return 0;
}

/* Setup code with what the loader must fill in, and the kernel behind 1 MiB. */
static int realmode_copy(struct loader *l, struct setup_header *hdr,
			 uint64_t initrd)
{
	const uint8_t *file = l->rq->kernel;
	uint64_t setup = realmode_setup_size(hdr);
	int err;

	hdr->type_of_loader = 0xff; /* no assigned ID */
	hdr->loadflags |= CAN_USE_HEAP;
	/* Offset from the setup code's end of sector, "heap_end_ptr". */
	hdr->heap_end_ptr = REALMODE_STACK - 0x200;
	hdr->vid_mode = 0xffff; /* "normal" */
	hdr->cmd_line_ptr = REALMODE_CMDLINE;
	hdr->ramdisk_image = initrd;
	hdr->ramdisk_size = l->rq->initrd_size;
	err = loader_copy(l, REALMODE_BASE, file, setup);
	/* Field by field up to 2.02: what is behind may be code already. */
	if (!err)
		err = loader_copy(l, REALMODE_BASE + REALMODE_HEADER, hdr,
				  offsetof(struct setup_header, cmd_line_ptr) +
					  sizeof(hdr->cmd_line_ptr));
	if (!err)
		err = loader_copy(l, REALMODE_CMDLINE, l->rq->cmdline,
				  strlen(l->rq->cmdline) + 1);
	if (!err)
		err = loader_copy(l, REALMODE_KERNEL, file + setup,
				  l->rq->kernel_size - setup);
	return err;
}

/* What the BIOS says of memory, and where it goes on. */
static int realmode_put_params(struct loader *l)
{
	struct bios_params params = {
		.ip = 0,
		.cs = (REALMODE_BASE + 0x200) >> 4,
		.ds = REALMODE_BASE >> 4,
		.sp = REALMODE_STACK,
		.memory_count = MIN(l->map.count, (unsigned)BIOS_MEMORY_MAX),
	};

	for (unsigned i = 0; i < params.memory_count; i++) {
		const struct memmap_entry *e = &l->map.entries[i];
		uint64_t end = e->start + e->size;

		params.memory[i] =
			(struct bios_memory){e->start, e->size, e->type};
		if (e->type != MEMMAP_RAM || e->start != GUEST_MAIN_RAM_BASE)
			continue;
		params.kib_15m = (MIN(end, MiB(16)) - MiB(1)) / KiB(1);
		if (end > MiB(16))
			params.high_64k = (end - MiB(16)) / KiB(64);
	}
	return loader_copy(l, GUEST_BIOS_BASE + BIOS_PARAMS, &params,
			   sizeof(params));
}

/* At the BIOS' entry, as after a far jump to it (SDM 3A, 9.1.4 and 20.1.1). */
static void realmode_enter(struct vcpu_state *entry)
{
	*entry = (struct vcpu_state){
		.rip = BIOS_ENTRY,
		.rflags = RFLAGS_FIXED,
		.cr0 = CR0_ET,
		.dr6 = DR6_RESET,
		.dr7 = DR7_RESET,
		.tr = {.attrib = 0x8b, .limit = 0xffff},
		.ldtr = {.attrib = 0x82, .limit = 0xffff},
		.gdtr = {.limit = 0xffff},
		.idtr = {.limit = 0x3ff},
	};
	for (unsigned i = 0; i < SEG_COUNT; i++)
		entry->seg[i] =
			(struct segment){.attrib = 0x93, .limit = 0xffff};
	entry->seg[SEG_CS] = (struct segment){.selector = BIOS_SEGMENT,
					      .attrib = 0x9b,
					      .limit = 0xffff,
					      .base = GUEST_BIOS_BASE};
}

int realmode_load(struct loader *l)
{
	const struct loader_request *rq = l->rq;
	struct setup_header hdr;
	uint64_t initrd = 0;
	int err;

	memcpy(&hdr, (const uint8_t *)rq->kernel + REALMODE_HEADER,
	       sizeof(hdr));
	err = realmode_check(l, &hdr);
	if (!err)
		err = loader_take(l, REALMODE_BASE,
				  REALMODE_CMDLINE - REALMODE_BASE);
	if (!err)
		err = loader_take(l, REALMODE_CMDLINE, strlen(rq->cmdline) + 1);
	if (!err)
		err = loader_take(l, REALMODE_KERNEL,
				  rq->kernel_size - realmode_setup_size(&hdr));
	if (!err && rq->initrd)
		err = loader_put_initrd(l,
					hdr.version >= 0x0203
						? hdr.initrd_addr_max + 1ull
						: REALMODE_INITRD_MAX + 1ull,
					&initrd);
	if (!err)
		err = realmode_copy(l, &hdr, initrd);
	if (!err)
		err = realmode_put_params(l);
	if (!err)
		realmode_enter(l->entry);
	return err;
}
