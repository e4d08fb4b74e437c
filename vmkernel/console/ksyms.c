/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Names for code addresses, and backtraces. */
#include "vmkernel/console/ksyms.h"

#include "lib/fmt.h"
#include "plat/plat.h"
#include "vmkernel/mm/mm.h"

#define WEAK __attribute__((weak))

/* From mk/ksyms.awk, sorted by address. Weak: the first of the two links is
 * without. */
extern const uint64_t ksyms_count WEAK;
extern const uint64_t ksyms_address[] WEAK;
extern const uint32_t ksyms_name[] WEAK; /* offset in ksyms_names */
extern const char ksyms_names[] WEAK;

/* Past the last symbol nothing says where the code ends; no function of ours
 * is longer. */
#define KSYMS_OFFSET_MAX   0x10000
#define BACKTRACE_MAX	   32
/* CPU stacks are smaller. */
#define BACKTRACE_STEP_MAX 0x10000

void ksyms_format(uint64_t address, char *buf, size_t size)
{
	uint64_t low = 0;
	uint64_t high = &ksyms_count ? ksyms_count : 0;

	/* The number of symbols at or below the address. */
	while (low < high) {
		uint64_t middle = low + (high - low) / 2;

		if (ksyms_address[middle] <= address)
			low = middle + 1;
		else
			high = middle;
	}
	if (!low || address - ksyms_address[low - 1] > KSYMS_OFFSET_MAX)
		fmt_snprintf(buf, size, "0x%lx", address);
	else
		fmt_snprintf(buf, size, "%s+0x%lx",
			     ksyms_names + ksyms_name[low - 1],
			     address - ksyms_address[low - 1]);
}

static void backtrace_line(unsigned number, uint64_t address, uint64_t shown)
{
	char where[80];

	ksyms_format(address, where, sizeof(where));
	log_error("trace", "#%-2u %016lx %s", number, shown, where);
}

/* A frame is the caller's RBP, then the return address (System V ABI). */
static bool backtrace_readable(uint64_t rbp)
{
	return rbp % sizeof(uint64_t) == 0 && mm_is_mapped((void *)rbp) &&
	       mm_is_mapped((void *)(rbp + 8));
}

void backtrace_log(uint64_t rbp, uint64_t rip)
{
	backtrace_line(0, rip, rip);
	for (unsigned i = 1; i < BACKTRACE_MAX && backtrace_readable(rbp);
	     i++) {
		const uint64_t *frame = (const uint64_t *)rbp;

		if (!frame[1])
			return;
		/* The call is the instruction before: it may be a function's
		 * last, when the callee never returns. */
		backtrace_line(i, frame[1] - 1, frame[1]);
		if (frame[0] <= rbp || frame[0] - rbp > BACKTRACE_STEP_MAX)
			return;
		rbp = frame[0];
	}
}
