/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Prints docs/policy.md: the CPUID and MSR policy, from the kernel's tables. */
#include <stdio.h>

#include "vmm/cpuid.h"
#include "vmm/msr_policy.h"

static const char *const kinds[] = {
	[CPUID_HOST] = "as the host",
	[CPUID_FORCED] = "set",
	[CPUID_COMPUTED] = "computed",
	[CPUID_HIDDEN] = "clear",
};

static const char *const registers[] = {
	[CPUID_EAX] = "EAX", [CPUID_EBX] = "EBX", [CPUID_ECX] = "ECX",
	[CPUID_EDX] = "EDX", [CPUID_ALL] = "all",
};

static const char *const msr_kinds[] = {
	[MSR_PASS_THROUGH] = "the guest's own, switched with it",
	[MSR_CONSTANT] = "constant, writes ignored",
	[MSR_READ_ONLY] = "constant, writes #GP",
	[MSR_EMULATE_LAPIC] = "local APIC",
	[MSR_EMULATE_PVCLOCK] = "KVM clock",
	[MSR_EMULATE_TSC] = "TSC offset",
	[MSR_EMULATE_TSC_ADJUST] = "TSC offset",
	[MSR_EMULATE_EFER] = "checked",
	[MSR_EMULATE_PAT] = "checked",
	[MSR_EMULATE_MTRR] = "stored",
	[MSR_EMULATE_TSC_AUX] = "stored and loaded",
	[MSR_EMULATE_SPEC_CTRL] = "checked, stored and loaded",
	[MSR_EMULATE_PRED_CMD] = "checked and done",
};

/* The table's rules need no host; cpuid.c's computed answers do. */
void cpuid_host(uint32_t leaf, uint32_t subleaf, uint32_t out[4])
{
	out[0] = out[1] = out[2] = out[3] = 0;
}

/* "31:16, 3, 0" */
static void print_bits(uint32_t bits)
{
	const char *comma = "";

	if (bits == 0xffffffffu) {
		printf("all");
		return;
	}
	for (int high = 31; high >= 0; high--) {
		int low = high;

		if (!(bits >> high & 1))
			continue;
		while (low > 0 && bits >> (low - 1) & 1)
			low--;
		if (low == high)
			printf("%s%d", comma, high);
		else
			printf("%s%d:%d", comma, high, low);
		comma = ", ";
		high = low;
	}
}

static void print_cpuid(const struct cpuid_rule *r)
{
	printf("| %x", r->first);
	if (r->last != r->first)
		printf(" to %x", r->last);
	if (r->subleaf == CPUID_FROM_2)
		printf(", from 2 on");
	else if (r->subleaf != CPUID_ANY_SUBLEAF)
		printf(", %u", r->subleaf);
	printf(" | %s | ", registers[r->reg]);
	print_bits(r->bits);
	printf(" | %s | %s |\n", kinds[r->kind], r->reason);
}

static void print_msr(const struct msr_rule *r)
{
	printf("| %x", r->first);
	if (r->last != r->first)
		printf(" to %x", r->last);
	printf(" | %s", msr_kinds[r->kind]);
	if (r->kind == MSR_CONSTANT || r->kind == MSR_READ_ONLY ||
	    r->kind == MSR_EMULATE_MTRR)
		printf(": %llx", (unsigned long long)r->value);
	printf(" | %s |\n", r->reason);
}

int main(void)
{
	puts("# What a guest is told, and may touch\n"
	     "\n"
	     "Made by `make docs/policy.md` from the tables that the kernel\n"
	     "works with, `vmm/cpuid.c` and `vmm/msr_policy.c`. Numbers are\n"
	     "hexadecimal, bits decimal.\n"
	     "\n"
	     "## CPUID\n"
	     "\n"
	     "A bit that no row names is clear.\n"
	     "\n"
	     "| leaf, subleaf | register | bits | they are | why |\n"
	     "|---|---|---|---|---|");
	for (unsigned i = 0; i < cpuid_rule_count; i++)
		print_cpuid(&cpuid_rules[i]);
	puts("\n"
	     "## MSRs\n"
	     "\n"
	     "An MSR that no row names is not there: #GP, and counted.\n"
	     "\n"
	     "| MSR | who answers | why |\n"
	     "|---|---|---|");
	for (unsigned i = 0; i < msr_rule_count; i++)
		print_msr(&msr_rules[i]);
	return 0;
}
