/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Shuts its CPU down, with registers that the log should show. */
#include "tests/guest/lib/payload.h"

void payload_main(void)
{
	struct {
		uint16_t limit;
		uint64_t base;
	} PACKED empty = {0, 0};

	payload_log("triple_fault: now");
	/* No gate for #UD, none for the #GP that follows, none for #DF. */
	__asm__ volatile(
		"lidt %0\n\t"
		"movq $0x5111ce00dead0001, %%rbx\n\t"
		"movq $0x5111ce00dead0002, %%r12\n\t"
		"ud2" ::"m"(empty)
		: "rbx", "r12");
	CHECK("still running after a triple fault", false);
}
