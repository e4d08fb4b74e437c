/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The MSR policy: which there are for a guest, and who answers. */
#ifndef VMM_MSR_POLICY_H
#define VMM_MSR_POLICY_H

#include "lib/types.h"

/* What is done at RDMSR and WRMSR. An MSR that no rule names is not there:
 * #GP(0), counted. */
enum msr_kind {
	/* No exit: entry and exit switch it with the guest. */
	MSR_PASS_THROUGH,
	/* Reads as value; a write is ignored. */
	MSR_CONSTANT,
	/* Reads as value; a write is #GP. */
	MSR_READ_ONLY,
	/* lapic_msr_read(), lapic_msr_write() */
	MSR_EMULATE_LAPIC,
	/* pvclock_msr_read(), pvclock_msr_write() */
	MSR_EMULATE_PVCLOCK,
	/* Host TSC + offset; a write moves the offset. */
	MSR_EMULATE_TSC,
	/* How far the guest has moved it; a write moves TSC by as much. */
	MSR_EMULATE_TSC_ADJUST,
	/* Checked: bits that the guest's CPUID offers; LME not while paging;
	 * the back end adds what it needs (SVME). */
	MSR_EMULATE_EFER,
	/* Checked: eight memory types. */
	MSR_EMULATE_PAT,
	/* Stored; value is its content at reset. */
	MSR_EMULATE_MTRR,
	/* Stored, and loaded with the vCPU. */
	MSR_EMULATE_TSC_AUX,
	/* As TSC_AUX; #GP unless the guest's CPUID offers it. */
	MSR_EMULATE_SPEC_CTRL,
	/* A write of bit 0 is done on this CPU; reads are #GP, and so is all
	 * of it unless the guest's CPUID offers it. */
	MSR_EMULATE_PRED_CMD,
};

struct msr_rule {
	uint32_t first, last;
	enum msr_kind kind;
	uint64_t value;
	const char *reason;
};

/* Sorted by number, not overlapping. */
extern const struct msr_rule msr_rules[];
extern const unsigned msr_rule_count;

/* NULL: not there. */
const struct msr_rule *msr_rule_find(uint32_t msr);

#endif
