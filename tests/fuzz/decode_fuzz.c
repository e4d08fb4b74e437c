/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Fuzzes the instruction decoder against libZydis: length and operands. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/vmm/decode_reference.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A result stands alone: the bytes that follow have no say, and fewer bytes
 * are never an instruction. */
static bool fuzz_stands_alone(const uint8_t *bytes, size_t size,
			      enum decode_mode mode)
{
	struct insn insn, again;

	if (decode_insn(bytes, size, mode, &insn))
		return true;
	(void)decode_kind(&insn);
	if (decode_insn(bytes, insn.length, mode, &again) ||
	    again.length != insn.length || again.opcode != insn.opcode ||
	    again.imm != insn.imm || again.mem.base != insn.mem.base ||
	    again.mem.disp != insn.mem.disp)
		return false;
	for (size_t n = 0; n < insn.length; n++)
		if (decode_insn(bytes, n, mode, &again) != -ENODATA)
			return false;
	return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static bool ready;
	/* Of the exact size, so that ASan sees the first byte past it. */
	uint8_t *bytes = malloc(size ? size : 1);
	unsigned compared = 0;
	const char *what;

	if (!ready)
		reference_init();
	ready = true;
	memcpy(bytes, data, size);
	for (unsigned i = 0; i < REFERENCE_MODES; i++) {
		if (!reference_same(bytes, size, i, &compared, &what)) {
			fprintf(stderr, "%s, mode %u\n", what,
				reference_modes[i] * 8);
			abort();
		}
		if (!fuzz_stands_alone(bytes, size, reference_modes[i]))
			abort();
	}
	free(bytes);
	return 0;
}
