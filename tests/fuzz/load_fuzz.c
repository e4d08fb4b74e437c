/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Fuzzes the kernel loaders: a file may hold anything. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "vmm/load/loader.h"

#define RAM_SIZE MiB(4)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static uint8_t *ram;

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct guest_mem mem = {0};
	struct vcpu_state entry;
	const char *why = NULL;
	struct loader_request rq = {
		.mem = &mem,
		.kernel = data,
		.kernel_size = size,
		.initrd = "initrd",
		.initrd_size = 6,
		.cmdline = "console=ttyS0",
		.rsdp = GPA(0xe0000),
	};
	uint32_t magic = 0x53726448;
	uint8_t *copy = NULL;
	int err;

	if (!ram)
		ram = malloc(RAM_SIZE);
	guest_mem_add(&mem, GPA(0), RAM_SIZE, ram);
	/* What firmware left must not be touched, whatever the file says. */
	memset(ram + 0xa0000, 0x5c, 0x60000);
	/* Half of the inputs are taken for a bzImage. */
	if (size > 0x270 && data[0] & 1) {
		copy = malloc(size);
		memcpy(copy, data, size);
		memcpy(copy + 0x202, &magic, 4);
		rq.kernel = copy;
	}
	err = loader_load(&rq, &entry, &why);
	if (!err != !why)
		abort();
	if (!err && (!(entry.cr0 & CR0_PE) || entry.rip >= RAM_SIZE ||
		     entry.cpl || !entry.rip))
		abort();
	/* Each byte is as the one before it, and so as the first. */
	if (ram[0xa0000] != 0x5c ||
	    memcmp(ram + 0xa0000, ram + 0xa0001, 0x5ffff))
		abort();
	free(copy);
	return 0;
}
