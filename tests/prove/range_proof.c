/* SPDX-License-Identifier: GPL-2.0-or-later */
/* guest_piece(), guest_range(): what is found is RAM, all RAM is found. */
#include "tests/prove/any.h"

#include "vmm/dev/guest_mem.c"

int main(void)
{
	struct guest_mem mem;
	gpa_t gpa = GPA(prove_any());
	uint64_t len = prove_any(), piece = len;
	const struct guest_range *home = NULL;
	const uint8_t *found, *whole;

	any_mem(&mem, 3, UINT64_MAX);
	for (unsigned i = 0; i < mem.count; i++)
		if (gpa.v >= mem.ranges[i].gpa.v &&
		    gpa.v - mem.ranges[i].gpa.v < mem.ranges[i].size)
			home = &mem.ranges[i];

	found = guest_piece(&mem, gpa, &piece);
	whole = guest_range(&mem, gpa, len);
	if (!home) {
		prove_check(!found, "no range, no piece");
		prove_check(piece == len, "no range, length untouched");
		prove_check(!whole, "no range, nothing whole");
		return 0;
	}
	uint64_t offset = gpa.v - home->gpa.v, rest = home->size - offset;

	prove_check(found == home->hva + offset, "a piece is where gpa is");
	prove_check(piece <= len && (!len || piece), "a piece is not longer");
	prove_check(prove_inside(found, piece, home->hva),
		    "a piece is RAM as a whole");
	prove_check(piece == len || piece == rest,
		    "a piece ends early only where its range does");
	if (len && len <= rest) {
		prove_check(whole == found, "what is RAM as a whole is found");
		prove_check(prove_inside(whole, len, home->hva),
			    "what is found is RAM as a whole");
	} else {
		prove_check(!whole, "what is not RAM as a whole is refused");
	}
	return 0;
}
