/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The CPUID policy: one table of bits, and what has to be computed. */
#include "vmm/cpuid.h"

#include <asm/kvm_para.h>
#include <string.h>

#include "vmm/dev/lapic.h"

#define B(n)	     (1u << (n))
/* Bits high to low. */
#define R(high, low) (0xffffffffu >> (31 - (high)) & 0xffffffffu << (low))
#define ALL	     0xffffffffu
#define ANY	     CPUID_ANY_SUBLEAF

#define CR4_OSXSAVE  (1ull << 18)
#define CR4_PKE	     (1ull << 22)

#define LEAF_MAX     0x15u
#define LEAF_EXT_MAX 0x80000021u
#define LEAF_EXT_MIN 0x80000008u
#define LEAF_KVM_MAX (KVM_CPUID_SIGNATURE + 0x10) /* timing, by convention */
#define XSAVE_HEADER 576u /* legacy area and header (SDM 1, 13.4) */
#define ADDRESS_BITS 48u  /* four levels, for the guest and under it */

/*
 * Intel SDM 2A, CPUID; AMD APM 3, appendix E. Left out is what needs state
 * that no world switch here saves (CET, AMX, LBR, debug extensions), MSRs
 * that the policy does not have (PMU, IBS, RDT, power), or an instruction that
 * is intercepted to be refused (SVM, MONITOR).
 */
/* clang-format off */
const struct cpuid_rule cpuid_rules[] = {
	{0x0, 0x0, ANY, CPUID_EAX, CPUID_COMPUTED, ALL, "highest leaf"},
	{0x0, 0x0, ANY, CPUID_EBX, CPUID_HOST, ALL, "vendor"},
	{0x0, 0x0, ANY, CPUID_ECX, CPUID_HOST, ALL, "vendor"},
	{0x0, 0x0, ANY, CPUID_EDX, CPUID_HOST, ALL, "vendor"},

	{0x1, 0x1, ANY, CPUID_EAX, CPUID_HOST, ALL,
	 "family, model, stepping: errata and scheduling fit the real CPU"},
	{0x1, 0x1, ANY, CPUID_EBX, CPUID_HOST, R(15, 0),
	 "brand index, CLFLUSH size"},
	{0x1, 0x1, ANY, CPUID_EBX, CPUID_COMPUTED, R(31, 16),
	 "logical processors of the package, APIC id"},
	{0x1, 0x1, ANY, CPUID_ECX, CPUID_HOST,
	 B(0) | B(1) | B(9) | B(12) | B(13) | B(19) | B(20) | B(22) | B(23) |
	 B(25) | B(28) | B(29) | B(30),
	 "SSE3 PCLMULQDQ SSSE3 FMA CX16 SSE4.1 SSE4.2 MOVBE POPCNT AES AVX F16C "
	 "RDRAND: instructions on switched state"},
	{0x1, 0x1, ANY, CPUID_ECX, CPUID_HOST, B(17),
	 "PCID: guest translations carry the ASID as well"},
	{0x1, 0x1, ANY, CPUID_ECX, CPUID_HOST, B(26),
	 "XSAVE: state by XSAVE, XCR0 by an exit"},
	{0x1, 0x1, ANY, CPUID_ECX, CPUID_COMPUTED, B(27),
	 "OSXSAVE: the guest's CR4, not ours"},
	{0x1, 0x1, ANY, CPUID_ECX, CPUID_FORCED, B(21) | B(24) | B(31),
	 "x2APIC, TSC deadline: the virtual APIC has them; hypervisor present"},
	{0x1, 0x1, ANY, CPUID_ECX, CPUID_HIDDEN, B(3),
	 "MONITOR: intercepted; a CPU that waits would be lost to others"},
	{0x1, 0x1, ANY, CPUID_ECX, CPUID_HIDDEN, B(5) | B(6),
	 "VMX, SMX: no nested virtualization"},
	{0x1, 0x1, ANY, CPUID_ECX, CPUID_HIDDEN,
	 B(2) | B(4) | B(11) | B(15),
	 "DTES64 DS-CPL SDBG PDCM: debug store and PMU are not virtualized"},
	{0x1, 0x1, ANY, CPUID_ECX, CPUID_HIDDEN,
	 B(7) | B(8) | B(10) | B(14) | B(16) | B(18),
	 "EST TM2 CNXT-ID xTPR DCA: power and buses are the host's"},
	{0x1, 0x1, ANY, CPUID_EDX, CPUID_HOST,
	 R(6, 0) | B(8) | B(11) | B(13) | B(15) | B(17) | B(19) | R(27, 23),
	 "FPU VME DE PSE TSC MSR PAE CX8 SEP PGE CMOV PSE36 CLFSH MMX FXSR SSE "
	 "SSE2 SS: nested paging and the VMCB do them"},
	{0x1, 0x1, ANY, CPUID_EDX, CPUID_HOST, B(7) | B(12) | B(14) | B(16),
	 "MCE MTRR MCA PAT: there, by the MSR policy"},
	{0x1, 0x1, ANY, CPUID_EDX, CPUID_COMPUTED, B(9) | B(28),
	 "APIC: unless switched off; HTT: more than one logical processor"},
	{0x1, 0x1, ANY, CPUID_EDX, CPUID_HIDDEN,
	 B(10) | B(18) | B(20) | B(21) | B(22) | R(31, 29),
	 "PSN DS ACPI TM PBE: serial number, debug store, thermal control"},

	{0x2, 0x2, ANY, CPUID_ALL, CPUID_HOST, ALL, "cache descriptors"},
	{0x4, 0x4, ANY, CPUID_EAX, CPUID_HOST, R(13, 0),
	 "cache type and level"},
	{0x4, 0x4, ANY, CPUID_EAX, CPUID_COMPUTED, R(31, 14),
	 "who shares a cache: the guest's topology"},
	{0x4, 0x4, ANY, CPUID_EBX, CPUID_HOST, ALL, "cache geometry"},
	{0x4, 0x4, ANY, CPUID_ECX, CPUID_HOST, ALL, "cache geometry"},
	{0x4, 0x4, ANY, CPUID_EDX, CPUID_HOST, ALL, "cache geometry"},
	{0x6, 0x6, ANY, CPUID_EAX, CPUID_FORCED, B(2),
	 "ARAT: the virtual APIC's timer never stops; the rest of power "
	 "management is the host's"},

	{0x7, 0x7, 0, CPUID_EAX, CPUID_HIDDEN, ALL,
	 "highest subleaf 0: what is in others is not sorted out"},
	{0x7, 0x7, 0, CPUID_EBX, CPUID_HOST,
	 B(0) | B(3) | B(5) | B(6) | R(10, 7) | B(13) | R(21, 16) | B(23) |
	 B(24) | R(31, 26),
	 "FSGSBASE BMI1 AVX2 FDP SMEP BMI2 ERMS INVPCID FCS AVX-512 RDSEED ADX "
	 "SMAP CLFLUSHOPT CLWB SHA: instructions on switched state"},
	{0x7, 0x7, 0, CPUID_EBX, CPUID_FORCED, B(1),
	 "TSC_ADJUST: emulated on the TSC offset"},
	{0x7, 0x7, 0, CPUID_EBX, CPUID_HIDDEN, B(2) | B(4) | B(11) | B(14),
	 "SGX, HLE and RTM, MPX: enclaves, aborts by design, removed state"},
	{0x7, 0x7, 0, CPUID_EBX, CPUID_HIDDEN, B(12) | B(15) | B(22) | B(25),
	 "RDT monitoring and allocation, PCOMMIT, processor trace: the host's"},
	{0x7, 0x7, 0, CPUID_ECX, CPUID_HOST,
	 R(2, 0) | B(6) | R(12, 8) | B(14) | B(22) | B(25) | B(27) | B(28),
	 "PREFETCHWT1 AVX512VBMI UMIP VBMI2 GFNI VAES VPCLMULQDQ VNNI BITALG "
	 "VPOPCNTDQ RDPID CLDEMOTE MOVDIRI MOVDIR64B: instructions; RDPID reads "
	 "the switched TSC_AUX"},
	{0x7, 0x7, 0, CPUID_ECX, CPUID_HOST, B(3),
	 "PKU: PKRU is a component of XSAVE"},
	{0x7, 0x7, 0, CPUID_ECX, CPUID_COMPUTED, B(4),
	 "OSPKE: the guest's CR4, not ours"},
	{0x7, 0x7, 0, CPUID_ECX, CPUID_HIDDEN, B(7) | B(31),
	 "CET shadow stacks, PKS: supervisor state that is not switched"},
	{0x7, 0x7, 0, CPUID_ECX, CPUID_HIDDEN, R(21, 16),
	 "LA57, MAWAU: four levels are enough"},
	{0x7, 0x7, 0, CPUID_ECX, CPUID_HIDDEN,
	 B(5) | B(13) | B(15) | B(23) | B(24) | B(26) | B(29) | B(30),
	 "WAITPKG TME KL bus-lock ENQCMD SGX-LC: need MSRs that are not there"},
	{0x7, 0x7, 0, CPUID_EDX, CPUID_HOST,
	 B(2) | B(3) | B(4) | B(8) | B(10) | B(14) | B(23),
	 "AVX512_4VNNIW 4FMAPS FSRM VP2INTERSECT MD_CLEAR SERIALIZE FP16: "
	 "instructions on switched state"},
	{0x7, 0x7, 0, CPUID_EDX, CPUID_HOST, B(26) | B(27) | B(31),
	 "IBRS and IBPB, STIBP, SSBD: SPEC_CTRL is switched"},
	{0x7, 0x7, 0, CPUID_EDX, CPUID_HIDDEN,
	 B(20) | B(22) | B(24) | B(25),
	 "CET IBT, AMX: state that is not switched"},
	{0x7, 0x7, 0, CPUID_EDX, CPUID_HIDDEN,
	 B(0) | B(1) | R(7, 5) | B(9) | R(13, 11) | R(19, 15) | B(21) |
	 R(30, 28),
	 "uncore and LBR, TSX, hybrid, PCONFIG, L1D flush, ARCH_CAPABILITIES: "
	 "need MSRs that are not there"},

	{0xb, 0xb, ANY, CPUID_ALL, CPUID_COMPUTED, ALL,
	 "topology: each vCPU is a core, all in one package"},
	{0xd, 0xd, 0, CPUID_ALL, CPUID_COMPUTED, ALL,
	 "XCR0 components that are switched, and their sizes"},
	{0xd, 0xd, 1, CPUID_EAX, CPUID_HOST, R(2, 0),
	 "XSAVEOPT XSAVEC XGETBV1: no further state"},
	{0xd, 0xd, 1, CPUID_EAX, CPUID_HIDDEN, R(31, 3),
	 "XSAVES needs IA32_XSS, XFD its MSRs"},
	{0xd, 0xd, 1, CPUID_EBX, CPUID_COMPUTED, ALL,
	 "size of the compacted area"},
	{0xd, 0xd, CPUID_FROM_2, CPUID_ALL, CPUID_COMPUTED, ALL,
	 "size and place of each component that is switched"},

	{0x15, 0x15, ANY, CPUID_ALL, CPUID_COMPUTED, ALL,
	 "TSC frequency, for guests without kvmclock; the crystal is the APIC "
	 "timer's clock"},

	{0x80000000, 0x80000000, ANY, CPUID_EAX, CPUID_COMPUTED, ALL,
	 "highest leaf"},
	{0x80000000, 0x80000000, ANY, CPUID_EBX, CPUID_HOST, ALL, "vendor"},
	{0x80000000, 0x80000000, ANY, CPUID_ECX, CPUID_HOST, ALL, "vendor"},
	{0x80000000, 0x80000000, ANY, CPUID_EDX, CPUID_HOST, ALL, "vendor"},
	{0x80000001, 0x80000001, ANY, CPUID_EAX, CPUID_HOST, ALL,
	 "family, model, stepping"},
	{0x80000001, 0x80000001, ANY, CPUID_EBX, CPUID_HOST, ALL,
	 "brand, package type"},
	{0x80000001, 0x80000001, ANY, CPUID_ECX, CPUID_HOST,
	 B(0) | R(8, 5) | B(11) | B(16) | B(21),
	 "LAHF ABM SSE4A MISALIGNSSE 3DNOWPREFETCH XOP FMA4 TBM: instructions "
	 "on switched state"},
	{0x80000001, 0x80000001, ANY, CPUID_ECX, CPUID_HOST, B(4),
	 "LOCK MOV CR0 is CR8: its writes exit"},
	{0x80000001, 0x80000001, ANY, CPUID_ECX, CPUID_HOST, B(22),
	 "topology extensions: leaves 0x8000001d and 1e are rewritten"},
	{0x80000001, 0x80000001, ANY, CPUID_ECX, CPUID_COMPUTED, B(1),
	 "CMP_LEGACY: the logical processors are cores"},
	{0x80000001, 0x80000001, ANY, CPUID_ECX, CPUID_HIDDEN,
	 B(2) | B(12),
	 "SVM, SKINIT: no nested virtualization"},
	{0x80000001, 0x80000001, ANY, CPUID_ECX, CPUID_HIDDEN,
	 B(10) | R(24, 23) | R(28, 27) | B(13) | B(15),
	 "IBS, performance counters, PTSC, watchdog, LWP: not virtualized"},
	{0x80000001, 0x80000001, ANY, CPUID_ECX, CPUID_HIDDEN,
	 B(3) | B(9) | B(14) | R(20, 17) | B(25) | B(26) | R(31, 29),
	 "extended APIC space, OSVW, node id MSR, TCE, data breakpoint masks, "
	 "MWAITX: need registers that are not there"},
	{0x80000001, 0x80000001, ANY, CPUID_EDX, CPUID_HOST,
	 R(8, 0) | R(17, 11) | B(20) | R(27, 22) | R(31, 29),
	 "leaf 1's bits again; SYSCALL NX MMXEXT FFXSR 1-GiB pages RDTSCP LM "
	 "3DNow"},
	{0x80000001, 0x80000001, ANY, CPUID_EDX, CPUID_COMPUTED, B(9),
	 "APIC: unless switched off"},
	{0x80000001, 0x80000001, ANY, CPUID_EDX, CPUID_HIDDEN,
	 B(10) | R(19, 18) | B(21) | B(28), "reserved"},
	{0x80000002, 0x80000004, ANY, CPUID_ALL, CPUID_HOST, ALL, "name"},
	{0x80000005, 0x80000006, ANY, CPUID_ALL, CPUID_HOST, ALL,
	 "caches and TLBs"},
	{0x80000007, 0x80000007, ANY, CPUID_EDX, CPUID_HOST, B(8),
	 "invariant TSC: only the host can promise it; power reporting is the "
	 "host's"},
	{0x80000008, 0x80000008, ANY, CPUID_EAX, CPUID_COMPUTED, ALL,
	 "address sizes, as far as paging and nested paging reach"},
	{0x80000008, 0x80000008, ANY, CPUID_EBX, CPUID_HOST, B(0) | B(2),
	 "CLZERO, XSAVEERPTR: instructions"},
	{0x80000008, 0x80000008, ANY, CPUID_EBX, CPUID_HOST,
	 B(12) | B(14) | B(15) | R(19, 16) | B(24) | B(26) | R(30, 29),
	 "IBPB IBRS STIBP and how to use them, SSBD, what the CPU is not "
	 "vulnerable to: SPEC_CTRL is switched"},
	{0x80000008, 0x80000008, ANY, CPUID_EBX, CPUID_HIDDEN,
	 B(1) | R(11, 3) | B(13) | R(23, 20) | B(25) | B(27) | B(28) | B(31),
	 "IRPERF INVLPGB RDPRU MBE WBNOINVD LMSLE PPIN VIRT_SSBD CPPC PSFD: "
	 "need MSRs or intercepts that are not there"},
	{0x80000008, 0x80000008, ANY, CPUID_ECX, CPUID_COMPUTED, ALL,
	 "cores of the package"},
	/* 0x8000000a: no SVM. */
	{0x80000019, 0x8000001a, ANY, CPUID_ALL, CPUID_HOST, ALL,
	 "1-GiB TLBs; width of the vector units"},
	/* 0x8000001b: no IBS. */
	{0x8000001d, 0x8000001d, ANY, CPUID_EAX, CPUID_HOST, R(13, 0),
	 "cache type and level"},
	{0x8000001d, 0x8000001d, ANY, CPUID_EAX, CPUID_COMPUTED, R(25, 14),
	 "who shares a cache: the guest's topology"},
	{0x8000001d, 0x8000001d, ANY, CPUID_EBX, CPUID_HOST, ALL,
	 "cache geometry"},
	{0x8000001d, 0x8000001d, ANY, CPUID_ECX, CPUID_HOST, ALL,
	 "cache geometry"},
	{0x8000001d, 0x8000001d, ANY, CPUID_EDX, CPUID_HOST, ALL,
	 "cache geometry"},
	{0x8000001e, 0x8000001e, ANY, CPUID_ALL, CPUID_COMPUTED, ALL,
	 "APIC id, core id, one thread for each core, one node"},
	/* 0x8000001f: no memory encryption. */
	{0x80000021, 0x80000021, ANY, CPUID_EAX, CPUID_HOST, B(2) | B(6),
	 "LFENCE serializes, null selectors clear the base: facts, no state"},

	{KVM_CPUID_SIGNATURE, LEAF_KVM_MAX, ANY, CPUID_ALL, CPUID_COMPUTED, ALL,
	 "KVM's interface, as far as it is implemented"},
};
/* clang-format on */

const unsigned cpuid_rule_count = ARRAY_SIZE(cpuid_rules);

/* Bits that can tell count processors apart. */
static unsigned id_bits(unsigned count)
{
	unsigned bits = 0;

	while (1u << bits < count)
		bits++;
	return bits;
}

static uint32_t compute_leaf_max(void)
{
	uint32_t host[4];

	cpuid_host(0x80000000, 0, host);
	/* A CPU without the extended leaves that long mode needs is none. */
	return MAX(MIN(host[CPUID_EAX], LEAF_EXT_MAX), LEAF_EXT_MIN);
}

static void compute_leaf1(const struct cpuid_policy_input *in, uint32_t out[4])
{
	out[CPUID_EBX] = in->vcpu << 24 | in->vcpu_count << 16;
	if (in->cr4 & CR4_OSXSAVE)
		out[CPUID_ECX] = B(27);
	if (in->apic_base & APIC_BASE_ENABLE)
		out[CPUID_EDX] |= B(9);
	if (in->vcpu_count > 1)
		out[CPUID_EDX] |= B(28);
}

/* Leaves 4 and 0x8000001d: caches up to level 2 are a core's own, level 3 is
 * the package's. host is the leaf's EAX; type 0 ends the list. */
static uint32_t compute_sharing(const struct cpuid_policy_input *in,
				uint32_t host, bool intel)
{
	uint32_t ids = (1u << id_bits(in->vcpu_count)) - 1;
	uint32_t eax = 0;

	if (!(host & 0x1f))
		return 0;
	if (intel) /* in ids; and EAX 31:26, ids of cores */
		eax = ids << 26;
	else /* in processors */
		ids = in->vcpu_count - 1;
	return (host >> 5 & 7) >= 3 ? eax | ids << 14 : eax;
}

/* SDM 2A: level 0 is threads of a core, level 1 cores of the package. */
static void compute_topology(const struct cpuid_policy_input *in,
			     uint32_t subleaf, uint32_t out[4])
{
	out[CPUID_ECX] = subleaf & 0xff;
	out[CPUID_EDX] = in->vcpu;
	if (subleaf == 0) {
		out[CPUID_EBX] = 1;
		out[CPUID_ECX] |= 1 << 8;
	} else if (subleaf == 1) {
		out[CPUID_EAX] = id_bits(in->vcpu_count);
		out[CPUID_EBX] = in->vcpu_count;
		out[CPUID_ECX] |= 2 << 8;
	}
}

static uint64_t xsave_components(void)
{
	uint32_t host[4];

	cpuid_host(0xd, 0, host);
	return ((uint64_t)host[CPUID_EDX] << 32 | host[CPUID_EAX]) &
	       CPUID_XCR0_MASK;
}

/* Bytes that XSAVE, or XSAVEC, needs for these components (SDM 1, 13.4.3). */
static uint32_t xsave_size(uint64_t components, bool compacted)
{
	uint32_t size = XSAVE_HEADER, host[4];

	for (unsigned i = 2; i < 63; i++) {
		if (!(components & 1ull << i))
			continue;
		cpuid_host(0xd, i, host);
		if (!compacted) {
			size = MAX(size, host[CPUID_EBX] + host[CPUID_EAX]);
			continue;
		}
		if (host[CPUID_ECX] & 2)
			size = ALIGN_UP(size, 64u);
		size += host[CPUID_EAX];
	}
	return size;
}

static void compute_xsave(const struct cpuid_policy_input *in, uint32_t subleaf,
			  uint32_t out[4])
{
	uint64_t components = xsave_components();
	uint32_t host[4];

	if (!components)
		return;
	if (subleaf == 0) {
		out[CPUID_EAX] = (uint32_t)components;
		out[CPUID_EBX] = xsave_size(in->xcr0 & components, false);
		out[CPUID_ECX] = xsave_size(components, false);
		out[CPUID_EDX] = (uint32_t)(components >> 32);
	} else if (subleaf == 1) {
		cpuid_host(0xd, 1, host);
		if (host[CPUID_EAX] & B(1)) /* XSAVEC */
			out[CPUID_EBX] =
				xsave_size(in->xcr0 & components, true);
	} else if (subleaf < 63 && components & 1ull << subleaf) {
		cpuid_host(0xd, subleaf, host);
		out[CPUID_EAX] = host[CPUID_EAX];
		out[CPUID_EBX] = host[CPUID_EBX];
		/* User state (bit 0 clear); its alignment when compacted. */
		out[CPUID_ECX] = host[CPUID_ECX] & 2;
	}
}

static void compute_address_sizes(const struct cpuid_policy_input *in,
				  uint32_t out[4])
{
	uint32_t host[4], physical, linear;

	cpuid_host(0x80000008, 0, host);
	physical = host[CPUID_EAX] & 0xff;
	linear = host[CPUID_EAX] >> 8 & 0xff;
	out[CPUID_EAX] = MIN(physical, ADDRESS_BITS) | MIN(linear, ADDRESS_BITS)
							       << 8;
	/* NC, and how many bits of the APIC id are the core's. */
	out[CPUID_ECX] = id_bits(in->vcpu_count) << 12 | (in->vcpu_count - 1);
}

/* APM 3, E.4.16; there only with the topology extensions. */
static void compute_amd_topology(const struct cpuid_policy_input *in,
				 uint32_t out[4])
{
	uint32_t host[4];

	cpuid_host(0x80000001, 0, host);
	if (!(host[CPUID_ECX] & B(22)))
		return;
	out[CPUID_EAX] = in->vcpu;
	out[CPUID_EBX] = in->vcpu; /* core; one thread */
}

/* Linux, Documentation/virt/kvm/x86/cpuid.rst; the timing leaf was proposed
 * for all hypervisors by VMware. */
static void compute_kvm(const struct cpuid_policy_input *in, uint32_t leaf,
			uint32_t out[4])
{
	switch (leaf) {
	case KVM_CPUID_SIGNATURE:
		out[CPUID_EAX] = LEAF_KVM_MAX;
		memcpy(&out[CPUID_EBX], KVM_SIGNATURE, 12);
		break;
	case KVM_CPUID_FEATURES:
		out[CPUID_EAX] = 1u << KVM_FEATURE_NOP_IO_DELAY |
				 1u << KVM_FEATURE_CLOCKSOURCE2 |
				 1u << KVM_FEATURE_PV_EOI |
				 1u << KVM_FEATURE_CLOCKSOURCE_STABLE_BIT;
		break;
	case LEAF_KVM_MAX:
		out[CPUID_EAX] = in->tsc_khz;
		out[CPUID_EBX] = LAPIC_TIMER_KHZ;
		break;
	}
}

static void cpuid_compute(const struct cpuid_policy_input *in, uint32_t leaf,
			  uint32_t subleaf, const uint32_t host[4],
			  uint32_t out[4])
{
	switch (leaf) {
	case 0x0:
		out[CPUID_EAX] = LEAF_MAX;
		break;
	case 0x1:
		compute_leaf1(in, out);
		break;
	case 0x4:
		out[CPUID_EAX] = compute_sharing(in, host[CPUID_EAX], true);
		break;
	case 0x7:
		if (in->cr4 & CR4_PKE)
			out[CPUID_ECX] = B(4);
		break;
	case 0xb:
		compute_topology(in, subleaf, out);
		break;
	case 0xd:
		compute_xsave(in, subleaf, out);
		break;
	case 0x15: /* TSC = ECX * EBX / EAX; the crystal in Hz is ECX */
		out[CPUID_EAX] = LAPIC_TIMER_KHZ;
		out[CPUID_EBX] = in->tsc_khz;
		out[CPUID_ECX] = LAPIC_TIMER_KHZ * 1000u;
		break;
	case 0x80000000:
		out[CPUID_EAX] = compute_leaf_max();
		break;
	case 0x80000001:
		if (in->vcpu_count > 1)
			out[CPUID_ECX] = B(1);
		if (in->apic_base & APIC_BASE_ENABLE)
			out[CPUID_EDX] = B(9);
		break;
	case 0x80000008:
		compute_address_sizes(in, out);
		break;
	case 0x8000001d:
		out[CPUID_EAX] = compute_sharing(in, host[CPUID_EAX], false);
		break;
	case 0x8000001e:
		compute_amd_topology(in, out);
		break;
	default:
		compute_kvm(in, leaf, out);
		break;
	}
}

static bool rule_applies(const struct cpuid_rule *rule, uint32_t leaf,
			 uint32_t subleaf)
{
	if (leaf < rule->first || leaf > rule->last)
		return false;
	if (rule->subleaf == CPUID_FROM_2)
		return subleaf >= 2;
	return rule->subleaf == ANY || rule->subleaf == subleaf;
}

void cpuid_guest(const struct cpuid_policy_input *in, uint32_t leaf,
		 uint32_t subleaf, uint32_t out[4])
{
	uint32_t host[4] = {0}, computed[4] = {0};

	memset(out, 0, 4 * sizeof(out[0]));
	if (leaf >= 0x80000000 && leaf > compute_leaf_max())
		return;
	/* What the host does not have it must not be asked: Intel's answers
	 * out of range are those of another leaf. */
	cpuid_host(leaf & 0x80000000, 0, host);
	if (leaf <= host[CPUID_EAX] && (leaf & 0x40000000) == 0)
		cpuid_host(leaf, subleaf, host);
	else
		memset(host, 0, sizeof(host));
	cpuid_compute(in, leaf, subleaf, host, computed);

	for (unsigned i = 0; i < cpuid_rule_count; i++) {
		const struct cpuid_rule *rule = &cpuid_rules[i];

		if (!rule_applies(rule, leaf, subleaf))
			continue;
		for (unsigned r = 0; r < 4; r++) {
			if (rule->reg != CPUID_ALL && rule->reg != r)
				continue;
			if (rule->kind == CPUID_HOST)
				out[r] |= host[r] & rule->bits;
			else if (rule->kind == CPUID_FORCED)
				out[r] |= rule->bits;
			else if (rule->kind == CPUID_COMPUTED)
				out[r] |= computed[r] & rule->bits;
		}
	}
}
