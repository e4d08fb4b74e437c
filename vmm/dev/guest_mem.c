/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Guest-physical memory: ranges, and copies that may cross them. */
#include "vmm/dev/guest_mem.h"

#include <linux/errno.h>

void *guest_piece(const struct guest_mem *mem, gpa_t gpa, uint64_t *len)
{
	/* A VM has one to three ranges: a walk beats any index. */
	for (unsigned i = 0; i < mem->count; i++) {
		const struct guest_range *range = &mem->ranges[i];
		uint64_t offset = gpa.v - range->gpa.v;

		/* gpa below the range wraps to a huge offset. */
		if (offset < range->size) {
			*len = MIN(*len, range->size - offset);
			return range->hva + offset;
		}
	}
	return NULL;
}

void *guest_range(const struct guest_mem *mem, gpa_t gpa, uint64_t len)
{
	uint64_t piece = len;
	void *hva = len ? guest_piece(mem, gpa, &piece) : NULL;

	return piece == len ? hva : NULL;
}

/* Is all of it RAM? Nothing may be copied before that is known. */
static bool guest_mem_covers(const struct guest_mem *mem, gpa_t gpa, size_t len)
{
	while (len) {
		uint64_t piece = len;

		if (!guest_piece(mem, gpa, &piece))
			return false;
		gpa.v += piece;
		len -= piece;
	}
	return true;
}

int guest_read(const struct guest_mem *mem, gpa_t gpa, void *to, size_t len)
{
	uint8_t *out = to;

	if (!guest_mem_covers(mem, gpa, len))
		return -EFAULT;
	while (len) {
		uint64_t piece = len;
		const uint8_t *from = guest_piece(mem, gpa, &piece);

		guest_copy(out, from, piece);
		out += piece;
		gpa.v += piece;
		len -= piece;
	}
	return 0;
}

int guest_write(const struct guest_mem *mem, gpa_t gpa, const void *from,
		size_t len)
{
	const uint8_t *in = from;

	if (!guest_mem_covers(mem, gpa, len))
		return -EFAULT;
	while (len) {
		uint64_t piece = len;
		uint8_t *to = guest_piece(mem, gpa, &piece);

		memcpy(to, in, piece);
		in += piece;
		gpa.v += piece;
		len -= piece;
	}
	return 0;
}

int guest_mem_add(struct guest_mem *mem, gpa_t gpa, uint64_t size, void *hva)
{
	unsigned at = 0;

	if (!size || gpa.v + (size - 1) < gpa.v)
		return -EINVAL;
	if (mem->count == GUEST_RANGES_MAX)
		return -ENOSPC;
	while (at < mem->count && mem->ranges[at].gpa.v < gpa.v)
		at++;
	if (at > 0 &&
	    gpa.v - mem->ranges[at - 1].gpa.v < mem->ranges[at - 1].size)
		return -EINVAL;
	if (at < mem->count && mem->ranges[at].gpa.v - gpa.v < size)
		return -EINVAL;
	for (unsigned i = mem->count; i > at; i--)
		mem->ranges[i] = mem->ranges[i - 1];
	mem->ranges[at] = (struct guest_range){gpa, size, hva};
	mem->count++;
	return 0;
}
