/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Loads a Linux bzImage by the 64-bit boot protocol; else see realmode.c. */
#include "vmm/load/loader_priv.h"

#include <string.h>

#include <asm/bootparam.h>
#include <linux/errno.h>

#include "vmm/layout.h"

/* Linux Documentation/x86/boot.rst, zero-page.rst. */
#define BZIMAGE_HEADER	  0x1f1	     /* setup_header's place in the file */
#define BZIMAGE_MAGIC	  0x53726448 /* "HdrS" */
#define BZIMAGE_BOOT_FLAG 0xaa55
#define BZIMAGE_VERSION	  0x020c /* xloadflags */
#define BZIMAGE_SECTOR	  512
#define BZIMAGE_ENTRY_64  0x200
#define BZIMAGE_LOADER	  0xff	/* no assigned ID */
#define BZIMAGE_JUMP	  0x202 /* what the short jump at 0x200 starts from */

_Static_assert(offsetof(struct boot_params, hdr) == BZIMAGE_HEADER, "ABI");
_Static_assert(sizeof(struct boot_params) == 4096, "ABI");

/* The header as the kernel has it; false if the file has no room for one. */
static bool bzimage_header(const struct loader_request *rq,
			   struct setup_header *hdr)
{
	if (rq->kernel_size < BZIMAGE_HEADER + sizeof(*hdr))
		return false;
	memcpy(hdr, (const uint8_t *)rq->kernel + BZIMAGE_HEADER, sizeof(*hdr));
	return hdr->header == BZIMAGE_MAGIC;
}

bool bzimage_is(const struct loader_request *rq)
{
	struct setup_header hdr;

	return bzimage_header(rq, &hdr);
}

/* Can this file be started at its 64-bit entry? image: where in the file the
 * protected-mode code is. */
static int bzimage_check(struct loader *l, const struct setup_header *hdr,
			 uint64_t *image)
{
	unsigned sectors = hdr->setup_sects ? hdr->setup_sects : 4;

	if (!(hdr->loadflags & LOADED_HIGH))
		return loader_fail(l, -EINVAL,
				   "the bzImage's header contradicts itself: "
				   "copy or build it anew");
	*image = (1 + sectors) * BZIMAGE_SECTOR;
	if (l->rq->kernel_size < *image + BZIMAGE_ENTRY_64 + 1)
		return loader_fail(l, -EINVAL,
				   "the bzImage ends before its kernel starts: "
				   "copy it anew");
	if (!hdr->kernel_alignment ||
	    hdr->kernel_alignment & (hdr->kernel_alignment - 1) ||
	    hdr->init_size < l->rq->kernel_size - *image)
		return loader_fail(l, -EINVAL,
				   "the bzImage's header contradicts itself: "
				   "copy or build it anew");
	if (strlen(l->rq->cmdline) > hdr->cmdline_size)
		return loader_fail(l, -E2BIG,
				   "`cmdline:` is longer than the kernel "
				   "takes: shorten it");
	return 0;
}

/* init_size bytes at the preferred address, or above it: a relocatable kernel
 * moves itself up when it is loaded lower. */
static int bzimage_place(struct loader *l, const struct setup_header *hdr,
			 uint64_t *gpa)
{
	uint64_t size = hdr->init_size, align = hdr->kernel_alignment;

	*gpa = hdr->pref_address;
	if (hdr->relocatable_kernel &&
	    !loader_place_low(l, size, MAX(align, PAGE_SIZE),
			      MAX(hdr->pref_address, GUEST_MAIN_RAM_BASE),
			      GUEST_LOW_MAX, gpa))
		return 0;
	if (!hdr->relocatable_kernel && !loader_take(l, *gpa, size))
		return 0;
	return loader_fail(l, -ENOSPC,
			   "the kernel does not fit into the VM: raise "
			   "`memory:` (64M will do for most)");
}

static void bzimage_fill_e820(const struct loader *l, struct boot_params *bp)
{
	bp->e820_entries = l->map.count;
	for (unsigned i = 0; i < l->map.count; i++)
		bp->e820_table[i] = (struct boot_e820_entry){
			.addr = l->map.entries[i].start,
			.size = l->map.entries[i].size,
			.type = l->map.entries[i].type,
		};
}

/* The zero page: the kernel's own header, what the loader must fill in, and
 * nothing else, or the kernel clears it (see sentinel). */
static int bzimage_put_params(struct loader *l, struct setup_header *hdr,
			      uint64_t cmdline, uint64_t initrd, uint64_t *gpa)
{
	const uint8_t *file = l->rq->kernel;
	/* The header ends where the jump over it goes. */
	size_t size = BZIMAGE_JUMP + file[BZIMAGE_JUMP - 1] - BZIMAGE_HEADER;
	struct boot_params *bp;
	int err = loader_place_info(l, sizeof(*bp), PAGE_SIZE, gpa);

	if (err)
		return err;
	/* No vCPU runs yet, so it may be built in place. */
	bp = guest_range(l->rq->mem, GPA(*gpa), sizeof(*bp));
	if (!bp)
		return loader_fail(l, -ENOSPC, "the VM's memory has a hole");
	hdr->type_of_loader = BZIMAGE_LOADER;
	hdr->vid_mode = 0xffff; /* "normal" */
	hdr->ramdisk_image = initrd;
	hdr->ramdisk_size = l->rq->initrd_size;
	hdr->cmd_line_ptr = cmdline;
	hdr->setup_data = 0;
	memset(bp, 0, sizeof(*bp));
	memcpy(&bp->hdr, hdr, MIN(size, sizeof(*hdr)));
	bp->acpi_rsdp_addr = l->rq->rsdp.v;
	bzimage_fill_e820(l, bp);
	return 0;
}

int bzimage_load(struct loader *l)
{
	const struct loader_request *rq = l->rq;
	struct setup_header hdr;
	uint64_t image = 0, kernel = 0, cmdline = 0, params, initrd = 0;
	int err;

	if (!bzimage_header(rq, &hdr) || hdr.boot_flag != BZIMAGE_BOOT_FLAG)
		return loader_fail(l, -ENOEXEC, "the kernel is no bzImage");
	if (hdr.version < BZIMAGE_VERSION || !(hdr.xloadflags & XLF_KERNEL_64))
		return realmode_load(l);
	err = bzimage_check(l, &hdr, &image);
	if (!err)
		err = bzimage_place(l, &hdr, &kernel);
	if (!err)
		err = loader_copy(l, kernel,
				  (const uint8_t *)rq->kernel + image,
				  rq->kernel_size - image);
	if (!err && rq->initrd)
		err = loader_put_initrd(l, (uint64_t)hdr.initrd_addr_max + 1,
					&initrd);
	if (!err)
		err = loader_put_string(l, rq->cmdline, &cmdline);
	if (!err)
		err = bzimage_put_params(l, &hdr, cmdline, initrd, &params);
	if (!err)
		err = loader_entry_64(l, kernel + BZIMAGE_ENTRY_64);
	if (!err)
		l->entry->gpr[GPR_RSI] = params;
	return err;
}
