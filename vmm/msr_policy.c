/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The MSR policy: the table. */
#include "vmm/msr_policy.h"

#include <stddef.h>

/*
 * Numbers: Intel SDM 4, chapter 2; AMD APM 2, appendix A; KVM's from Linux,
 * Documentation/virt/kvm/x86/msr.rst. "Asked for blindly" means that stock
 * kernels touch it because of the CPU's family, without a CPUID bit, and that
 * a #GP would at best be a warning in the guest's log.
 */

/* Eight variable ranges, fixed ranges, write combining (SDM 3A, 12.11.1). */
#define MTRR_CAP      0x508ull
/* Enabled, all write-back. Nested paging takes no memory type from MTRRs; but
 * Linux gives up its PAT where they are off. */
#define MTRR_DEF_TYPE 0x806ull
/* Fast strings; branch trace and PEBS are not available. */
#define MISC_ENABLE   0x1801ull
/* TscFreqSel: the TSC counts at the P0 frequency; Linux complains without. */
#define HWCR	      (1ull << 24)
/* LFENCE serializes (APM 2, 3.2.2 on): as every host that we run on is set. */
#define DE_CFG	      (1ull << 1)
/* As KVM reports; of no processor, so of no erratum's. */
#define PATCH_LEVEL   0x01000065ull

/* clang-format off */
const struct msr_rule msr_rules[] = {
	{0x00000010, 0x00000010, MSR_EMULATE_TSC, 0,
	 "TSC: a write must reach the offset"},
	{0x00000011, 0x00000012, MSR_EMULATE_PVCLOCK, 0,
	 "KVM wall clock and system time, their old numbers"},
	{0x00000017, 0x00000017, MSR_READ_ONLY, 0,
	 "PLATFORM_ID: asked for blindly, with the microcode's revision"},
	{0x0000001b, 0x0000001b, MSR_EMULATE_LAPIC, 0,
	 "APIC_BASE: xAPIC and x2APIC mode"},
	{0x0000002a, 0x0000002a, MSR_CONSTANT, 0,
	 "EBL_CR_POWERON: asked for blindly, bus and cluster ids"},
	{0x0000003b, 0x0000003b, MSR_EMULATE_TSC_ADJUST, 0,
	 "TSC_ADJUST: moves the offset"},
	{0x00000048, 0x00000048, MSR_EMULATE_SPEC_CTRL, 0,
	 "SPEC_CTRL: the guest's own protection, switched with it"},
	{0x00000049, 0x00000049, MSR_EMULATE_PRED_CMD, 0,
	 "PRED_CMD: a barrier, not a state"},
	{0x00000079, 0x00000079, MSR_CONSTANT, 0,
	 "BIOS_UPDT_TRIG: microcode is the host's; a load is ignored"},
	{0x0000008b, 0x0000008b, MSR_CONSTANT, PATCH_LEVEL,
	 "BIOS_SIGN_ID, PATCH_LEVEL: asked for blindly; Intel's are read "
	 "after a write of 0"},
	{0x000000fe, 0x000000fe, MSR_READ_ONLY, MTRR_CAP,
	 "MTRRcap: what of the MTRRs is stored"},
	{0x00000174, 0x00000176, MSR_PASS_THROUGH, 0,
	 "SYSENTER_CS, ESP, EIP: switched with the guest"},
	{0x00000179, 0x00000179, MSR_READ_ONLY, 0,
	 "MCG_CAP: no banks; machine checks are the host's"},
	{0x0000017a, 0x0000017a, MSR_CONSTANT, 0,
	 "MCG_STATUS: none in progress; handlers clear it"},
	{0x000001a0, 0x000001a0, MSR_CONSTANT, MISC_ENABLE,
	 "MISC_ENABLE: asked for blindly on Intel"},
	{0x000001d9, 0x000001d9, MSR_CONSTANT, 0,
	 "DEBUGCTL: no branch tracing; debuggers clear it without asking"},
	{0x000001db, 0x000001de, MSR_READ_ONLY, 0,
	 "last branch and exception: never recorded"},
	{0x00000200, 0x0000020f, MSR_EMULATE_MTRR, 0,
	 "variable MTRRs: stored, no effect under nested paging"},
	{0x00000250, 0x00000250, MSR_EMULATE_MTRR, 0,
	 "fixed MTRR of 64 KiB pieces"},
	{0x00000258, 0x00000259, MSR_EMULATE_MTRR, 0,
	 "fixed MTRRs of 16 KiB pieces"},
	{0x00000268, 0x0000026f, MSR_EMULATE_MTRR, 0,
	 "fixed MTRRs of 4 KiB pieces"},
	{0x00000277, 0x00000277, MSR_EMULATE_PAT, 0x0007040600070406ull,
	 "PAT: works through the back end's copy (G_PAT); a bad type must be "
	 "caught before it gets there"},
	{0x000002ff, 0x000002ff, MSR_EMULATE_MTRR, MTRR_DEF_TYPE,
	 "MTRR default type"},
	{0x000006e0, 0x000006e0, MSR_EMULATE_LAPIC, 0,
	 "TSC_DEADLINE: the local APIC's timer"},
	{0x00000800, 0x000008ff, MSR_EMULATE_LAPIC, 0,
	 "x2APIC registers"},
	{0x4b564d00, 0x4b564d01, MSR_EMULATE_PVCLOCK, 0,
	 "KVM wall clock and system time"},
	{0x4b564d04, 0x4b564d04, MSR_EMULATE_LAPIC, 0,
	 "KVM PV EOI"},
	{0xc0000080, 0xc0000080, MSR_EMULATE_EFER, 0,
	 "EFER: SVME is ours, modes must fit CR0"},
	{0xc0000081, 0xc0000084, MSR_PASS_THROUGH, 0,
	 "STAR, LSTAR, CSTAR, SFMASK: switched with the guest"},
	{0xc0000100, 0xc0000102, MSR_PASS_THROUGH, 0,
	 "FS, GS and kernel GS base: switched with the guest"},
	{0xc0000103, 0xc0000103, MSR_EMULATE_TSC_AUX, 0,
	 "TSC_AUX: entry does not switch it, so C code does"},
	{0xc0010000, 0xc0010007, MSR_CONSTANT, 0,
	 "K7 performance counters: asked for blindly; they count nothing"},
	{0xc0010010, 0xc0010010, MSR_CONSTANT, 0,
	 "SYSCFG: asked for blindly; no memory encryption, no extra MTRRs"},
	{0xc0010015, 0xc0010015, MSR_CONSTANT, HWCR,
	 "HWCR: asked for blindly; its switches are the host's"},
	{0xc001001f, 0xc001001f, MSR_CONSTANT, 0,
	 "NB_CFG: asked for blindly, for extended PCI access by ports"},
	{0xc0010020, 0xc0010020, MSR_CONSTANT, 0,
	 "PATCH_LOADER: microcode is the host's; a load is ignored"},
	{0xc0010055, 0xc0010055, MSR_CONSTANT, 0,
	 "INT_PENDING: asked for blindly; there is no C1E"},
	{0xc0011029, 0xc0011029, MSR_CONSTANT, DE_CFG,
	 "DE_CFG: asked for blindly; LFENCE serializes already"},
};
/* clang-format on */

const unsigned msr_rule_count = ARRAY_SIZE(msr_rules);

const struct msr_rule *msr_rule_find(uint32_t msr)
{
	unsigned low = 0, high = msr_rule_count;

	while (low < high) {
		unsigned middle = (low + high) / 2;

		if (msr > msr_rules[middle].last)
			low = middle + 1;
		else if (msr < msr_rules[middle].first)
			high = middle;
		else
			return &msr_rules[middle];
	}
	return NULL;
}
