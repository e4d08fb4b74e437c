/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Puts a kernel into guest memory and says how its first vCPU starts. */
#ifndef VMM_LOAD_LOADER_H
#define VMM_LOAD_LOADER_H

#include "vmm/dev/guest_mem.h"
#include "vmm/state.h"

struct loader_request {
	const struct guest_mem *mem; /* laid out as vmm/layout.h says */
	const void *kernel;
	uint64_t kernel_size;
	const void *initrd; /* NULL: none */
	uint64_t initrd_size;
	const char *cmdline;	 /* NULL: empty */
	const char *initrd_name; /* Multiboot's module string; NULL: "initrd" */
	gpa_t rsdp;		 /* of acpi_build() */
};

/*
 * Takes a Linux bzImage, an ELF with a PVH note, or a Multiboot 1 kernel, in
 * this order. A bzImage without 64-bit entry starts in real mode, and needs the
 * image of vmm/load/bios.h in place. Memory that nothing is loaded into
 * is left as it is, except a kernel's bss. entry is set completely.
 *
 * Returns 0; -ENOEXEC: no such kernel, -EINVAL: one that contradicts itself,
 * -ENOSPC: it does not fit into the guest's memory, -E2BIG: the command line
 * is too long. *why then is a sentence for the user that names the mend, and
 * guest memory may have been written to. The payload may not change meanwhile.
 */
int loader_load(const struct loader_request *rq, struct vcpu_state *entry,
		const char **why);

#endif
