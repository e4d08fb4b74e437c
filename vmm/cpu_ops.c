/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Chooses the hardware virtualization back end. */
#include "vmm/cpu_ops.h"

#include "lib/types.h"

static const struct cpu_ops *const cpu_ops_all[] = {&svm_ops, &vmx_ops};

const char cpu_ops_absent[] =
	"this CPU has neither AMD's SVM nor Intel's VT-x; use a machine (or "
	"'qemu -cpu EPYC,+svm') that has one";

const struct cpu_ops *cpu_ops;

const char *cpu_ops_choose(void)
{
	const char *why = cpu_ops_absent;

	for (unsigned i = 0; i < ARRAY_SIZE(cpu_ops_all); i++) {
		const char *this_why = cpu_ops_all[i]->probe();

		if (!this_why) {
			cpu_ops = cpu_ops_all[i];
			return NULL;
		}
		/* What is there but not usable says more. */
		if (this_why != cpu_ops_absent)
			why = this_why;
	}
	return why;
}
