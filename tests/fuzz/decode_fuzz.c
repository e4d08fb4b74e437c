/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Fuzzes the instruction decoder: bounds, and that a result stands alone. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "vmm/decode.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const enum decode_mode modes[] = {DECODE_16, DECODE_32,
						 DECODE_64};

	for (unsigned i = 0; i < ARRAY_SIZE(modes); i++) {
		struct insn insn, again;

		if (decode_insn(data, size, modes[i], &insn))
			continue;
		if (insn.length == 0 || insn.length > size ||
		    insn.length > INSN_LENGTH_MAX)
			abort();
		(void)decode_kind(&insn);
		/* The bytes that follow have no say. */
		if (decode_insn(data, insn.length, modes[i], &again) ||
		    again.length != insn.length || again.imm != insn.imm ||
		    again.mem.disp != insn.mem.disp)
			abort();
	}
	return 0;
}
