/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Chooses the hardware virtualization back end. */
#include "vmm/cpu_ops.h"

#include "vmkernel/cpu/regs.h"

static const struct cpu_ops *const cpu_ops_all[] = {&svm_ops, &vmx_ops};

const char cpu_ops_absent[] =
	"this CPU has neither AMD's SVM nor Intel's VT-x; use a machine (or "
	"'qemu -cpu EPYC,+svm') that has one";

const struct cpu_ops *cpu_ops;

/* What generic code needs of the CPU, whoever made it. */
static const char *cpu_ops_common(void)
{
	uint32_t out[4];

	cpuid(1, 0, out);
	if (!(out[2] & 1u << 26))
		return "this CPU has no XSAVE, by which the state of VMs is "
		       "switched; a CPU from 2011 or later has it";
	return NULL;
}

const char *cpu_ops_choose(void)
{
	const char *why = cpu_ops_absent;

	for (unsigned i = 0; i < ARRAY_SIZE(cpu_ops_all); i++) {
		const char *this_why = cpu_ops_all[i]->probe();

		if (!this_why) {
			cpu_ops = cpu_ops_all[i];
			return cpu_ops_common();
		}
		/* What is there but not usable says more. */
		if (this_why != cpu_ops_absent)
			why = this_why;
	}
	return why;
}
