/* SPDX-License-Identifier: GPL-2.0-or-later */
/* vmm/cpuid.c: the table is whole, and answers hang together. */
#include "vmm/cpuid.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>

#include "vmm/dev/lapic.h"

#define EAX    CPUID_EAX
#define EBX    CPUID_EBX
#define ECX    CPUID_ECX
#define EDX    CPUID_EDX

#define BIT(n) (1u << (n))
/* DTES64 MONITOR DS-CPL VMX SMX EST TM2 xTPR PDCM DCA OSXSAVE */
#define HIDDEN_1_ECX                                                    \
	(BIT(2) | BIT(3) | BIT(4) | BIT(5) | BIT(6) | BIT(7) | BIT(8) | \
	 BIT(14) | BIT(15) | BIT(18) | BIT(27))

/* A host with every bit set, or a plain one; both have XSAVE with AVX, AVX-512,
 * PKRU and components that no guest gets. */
static bool host_full;

static const struct {
	uint32_t size, offset, flags;
} components[64] = {
	[2] = {256, 576, 0},			     /* AVX */
	[3] = {64, 960, 0},			     /* MPX */
	[4] = {64, 1024, 0},	[5] = {64, 1088, 0}, /* AVX-512 */
	[6] = {512, 1152, 0},	[7] = {1024, 1664, 0},
	[8] = {128, 0, 1},    /* processor trace, supervisor */
	[9] = {8, 2688, 0},   /* PKRU */
	[17] = {64, 2752, 2}, /* AMX */
	[18] = {8192, 2816, 6},
};

static void host_xsave(uint32_t subleaf, uint32_t out[4])
{
	if (subleaf == 0) {
		out[EAX] = 0x602ff;
		out[EBX] = out[ECX] = 11008;
	} else if (subleaf == 1) {
		out[EAX] = 0x1f;
		out[EBX] = 999;
	} else if (subleaf < 64) {
		out[EAX] = components[subleaf].size;
		out[EBX] = components[subleaf].offset;
		out[ECX] = components[subleaf].flags;
	}
}

void cpuid_host(uint32_t leaf, uint32_t subleaf, uint32_t out[4])
{
	memset(out, host_full ? 0xff : 0, 4 * sizeof(out[0]));
	switch (leaf) {
	case 0x0:
		out[EAX] = 0x1f;
		memcpy(&out[EBX], "Auth", 4);
		memcpy(&out[EDX], "enti", 4);
		memcpy(&out[ECX], "cAMD", 4);
		break;
	case 0x4: /* level 1, 2, 3 */
		out[EAX] = subleaf < 3 ? 0xfc000000 | 0x7fc000 |
						 (subleaf + 1) << 5 | 3
				       : 0;
		break;
	case 0xd:
		memset(out, 0, 4 * sizeof(out[0]));
		host_xsave(subleaf, out);
		break;
	case 0x80000000:
		out[EAX] = 0x80000023;
		break;
	case 0x80000008:
		out[EAX] = 0x3930; /* 48 physical, 57 linear */
		break;
	case 0x8000001d:
		out[EAX] = subleaf < 3 ? 0x3ffc000 | (subleaf + 1) << 5 | 3 : 0;
		break;
	}
}

static struct cpuid_policy_input input(unsigned vcpu, unsigned count)
{
	return (struct cpuid_policy_input){
		.vcpu = vcpu,
		.vcpu_count = count,
		.cr4 = 0,
		.xcr0 = 1,
		.apic_base = LAPIC_BASE_GPA | APIC_BASE_ENABLE,
		.tsc_khz = 2600001,
	};
}

static uint32_t out[4];

static void ask(const struct cpuid_policy_input *in, uint32_t leaf,
		uint32_t subleaf)
{
	memset(out, 0xcc, sizeof(out));
	cpuid_guest(in, leaf, subleaf, out);
}

/* No bit has two rules, every rule a reason, and in the leaves of feature bits
 * every bit has a rule. */
static void test_table(void **state)
{
	static const struct {
		uint32_t leaf, subleaf;
		enum cpuid_register reg;
	} features[] = {
		{0x1, 0, ECX},	      {0x1, 0, EDX},
		{0x80000001, 0, ECX}, {0x80000001, 0, EDX},
		{0x80000008, 0, EBX}, {0x7, 0, EBX},
		{0x7, 0, ECX},	      {0x7, 0, EDX},
	};

	for (unsigned i = 0; i < cpuid_rule_count; i++) {
		const struct cpuid_rule *a = &cpuid_rules[i];

		assert_true(a->first <= a->last);
		assert_int_not_equal(a->bits, 0);
		assert_non_null(a->reason);
		assert_true(strlen(a->reason) > 3);
		for (unsigned j = 0; j < i; j++) {
			const struct cpuid_rule *b = &cpuid_rules[j];
			bool leaves =
				a->first <= b->last && b->first <= a->last;
			bool subleaves = a->subleaf == CPUID_ANY_SUBLEAF ||
					 b->subleaf == CPUID_ANY_SUBLEAF ||
					 a->subleaf == b->subleaf;
			bool regs = a->reg == b->reg || a->reg == CPUID_ALL ||
				    b->reg == CPUID_ALL;

			if (leaves && subleaves && regs)
				assert_int_equal(a->bits & b->bits, 0);
		}
	}
	for (unsigned f = 0; f < ARRAY_SIZE(features); f++) {
		uint32_t covered = 0;

		for (unsigned i = 0; i < cpuid_rule_count; i++) {
			const struct cpuid_rule *r = &cpuid_rules[i];

			if (r->first <= features[f].leaf &&
			    features[f].leaf <= r->last &&
			    r->reg == features[f].reg)
				covered |= r->bits;
		}
		assert_int_equal(covered, 0xffffffff);
	}
}

static void test_leaf1(void **state)
{
	struct cpuid_policy_input in = input(2, 3);

	for (unsigned full = 0; full < 2; full++) {
		host_full = full;
		ask(&in, 1, 0);
		assert_int_equal(out[EBX] >> 16, 0x0203);
		/* x2APIC, TSC deadline, hypervisor, whatever the host has. */
		assert_int_equal(out[ECX] & (BIT(21) | BIT(24) | BIT(31)),
				 BIT(21) | BIT(24) | BIT(31));
		assert_int_equal(out[ECX] & HIDDEN_1_ECX, 0);
		assert_int_equal(out[EDX] & (BIT(18) | BIT(21) | BIT(22) |
					     BIT(29) | BIT(31)),
				 0);
		assert_int_equal(out[EDX] & (BIT(9) | BIT(28)),
				 BIT(9) | BIT(28));
	}
	host_full = false;
	in.cr4 = 1ull << 18;
	in.apic_base = LAPIC_BASE_GPA;
	in.vcpu_count = 1;
	ask(&in, 1, 0);
	assert_int_equal(out[ECX] & BIT(27), BIT(27));
	assert_int_equal(out[EDX], 0);
	ask(&in, 0x80000001, 0);
	assert_int_equal(out[ECX] | out[EDX], 0);
}

/* What must never show, from a host that has it all. */
static void test_hidden(void **state)
{
	struct cpuid_policy_input in = input(0, 2);

	host_full = true;
	ask(&in, 0x80000001, 0);
	assert_int_equal(out[ECX] & BIT(2), 0);	 /* SVM */
	assert_int_equal(out[ECX] & BIT(3), 0);	 /* extended APIC space */
	assert_int_equal(out[ECX] & BIT(10), 0); /* IBS */
	assert_int_equal(out[ECX] & BIT(12), 0); /* SKINIT */
	assert_int_equal(out[ECX] & BIT(23), 0); /* PMU */
	assert_int_equal(out[ECX] & BIT(29), 0); /* MWAITX */
	assert_int_equal(out[ECX] & BIT(22), BIT(22));
	assert_int_equal(out[EDX] & BIT(29), BIT(29)); /* long mode */
	ask(&in, 7, 0);
	assert_int_equal(out[EAX], 0);
	assert_int_equal(out[EBX] & (BIT(2) | BIT(4) | BIT(11) | BIT(25)), 0);
	assert_int_equal(out[EBX] & BIT(1), BIT(1));
	assert_int_equal(out[ECX] & (BIT(4) | BIT(7) | BIT(16)), 0);
	assert_int_equal(
		out[EDX] & (BIT(20) | BIT(22) | BIT(24) | BIT(25) | BIT(29)),
		0);
	in.cr4 = 1ull << 22;
	ask(&in, 7, 0);
	assert_int_equal(out[ECX] & BIT(4), BIT(4));
	for (uint32_t sub = 1; sub < 4; sub++) {
		ask(&in, 7, sub);
		assert_int_equal(out[EAX] | out[EBX] | out[ECX] | out[EDX], 0);
	}
	ask(&in, 6, 0);
	assert_int_equal(out[EAX], BIT(2));
	assert_int_equal(out[EBX] | out[ECX] | out[EDX], 0);
	ask(&in, 0x80000007, 0);
	assert_int_equal(out[EDX], BIT(8));
	assert_int_equal(out[EAX] | out[EBX] | out[ECX], 0);
	host_full = false;
	ask(&in, 0x80000007, 0);
	assert_int_equal(out[EDX], 0); /* never claimed for the host */
}

/* Leaves that no rule names are zero: MONITOR, PMU, SGX, SVM, IBS, SEV, and
 * those out of range. */
static void test_absent_leaves(void **state)
{
	static const uint32_t leaves[] = {
		0x3,	    0x5,	0x8,	    0x9,	0xa,
		0xc,	    0xf,	0x10,	    0x12,	0x14,
		0x16,	    0x1d,	0x1f,	    0x20,	0x3fffffff,
		0x40000002, 0x4000000f, 0x40000011, 0x40000100, 0x7fffffff,
		0x80000009, 0x8000000a, 0x80000018, 0x8000001b, 0x8000001f,
		0x80000020, 0x80000022, 0x80000023, 0xc0000000, 0xffffffff,
	};
	struct cpuid_policy_input in = input(1, 2);

	host_full = true;
	for (unsigned i = 0; i < ARRAY_SIZE(leaves); i++) {
		ask(&in, leaves[i], 0);
		assert_int_equal(out[EAX] | out[EBX] | out[ECX] | out[EDX], 0);
	}
}

static void test_maximum_leaves(void **state)
{
	struct cpuid_policy_input in = input(0, 1);

	host_full = false;
	ask(&in, 0, 0);
	assert_int_equal(out[EAX], 0x15);
	assert_memory_equal(&out[EBX], "Auth", 4);
	ask(&in, 0x80000000, 0);
	assert_int_equal(out[EAX], 0x80000021);
}

static void test_topology(void **state)
{
	host_full = true;
	for (unsigned count = 1; count <= 16; count++)
		for (unsigned vcpu = 0; vcpu < count; vcpu++) {
			struct cpuid_policy_input in = input(vcpu, count);
			unsigned shift;

			ask(&in, 0xb, 0);
			assert_int_equal(out[EAX], 0);
			assert_int_equal(out[EBX], 1);
			assert_int_equal(out[ECX], 0x100);
			assert_int_equal(out[EDX], vcpu);
			ask(&in, 0xb, 1);
			shift = out[EAX];
			assert_true(1u << shift >= count);
			assert_true(count == 1 || 1u << (shift - 1) < count);
			assert_int_equal(out[EBX], count);
			assert_int_equal(out[ECX], 0x201);
			assert_int_equal(out[EDX], vcpu);
			ask(&in, 0xb, 2);
			assert_int_equal(out[EBX], 0);
			assert_int_equal(out[ECX], 2);
			ask(&in, 0x80000008, 0);
			assert_int_equal(out[EAX], 0x3030);
			assert_int_equal(out[ECX] & 0xff, count - 1);
			assert_int_equal(out[ECX] >> 12, shift);
			ask(&in, 0x8000001e, 0);
			assert_int_equal(out[EAX], vcpu);
			assert_int_equal(out[EBX], vcpu);
			assert_int_equal(out[ECX], 0);
			ask(&in, 0x80000001, 0);
			assert_int_equal(out[ECX] >> 1 & 1, count > 1);
		}
	host_full = false; /* no topology extensions, no leaf of theirs */
	ask(&(struct cpuid_policy_input){.vcpu = 1, .vcpu_count = 2},
	    0x8000001e, 0);
	assert_int_equal(out[EAX] | out[EBX], 0);
}

static void test_caches(void **state)
{
	struct cpuid_policy_input in = input(0, 3);

	host_full = false;
	for (uint32_t sub = 0; sub < 3; sub++) {
		ask(&in, 4, sub);
		assert_int_equal(out[EAX] & 0xff, (sub + 1) << 5 | 3);
		assert_int_equal(out[EAX] >> 14 & 0xfff, sub == 2 ? 3 : 0);
		assert_int_equal(out[EAX] >> 26, 3);
		ask(&in, 0x8000001d, sub);
		assert_int_equal(out[EAX] & 0xff, (sub + 1) << 5 | 3);
		assert_int_equal(out[EAX] >> 14 & 0xfff, sub == 2 ? 2 : 0);
	}
	ask(&in, 4, 3);
	assert_int_equal(out[EAX], 0);
	ask(&in, 0x8000001d, 3);
	assert_int_equal(out[EAX], 0);
}

static void test_xsave(void **state)
{
	struct cpuid_policy_input in = input(0, 1);

	host_full = false;
	ask(&in, 0xd, 0);
	assert_int_equal(out[EAX], 0x2e7); /* no MPX, no AMX */
	assert_int_equal(out[EDX], 0);
	assert_int_equal(out[EBX], 576); /* x87 only */
	assert_int_equal(out[ECX], 2696);
	in.xcr0 = 7;
	ask(&in, 0xd, 0);
	assert_int_equal(out[EBX], 832);
	ask(&in, 0xd, 1);
	assert_int_equal(out[EAX], 7); /* no XSAVES, no XFD */
	assert_int_equal(out[EBX], 832);
	in.xcr0 = 0x2e7;
	ask(&in, 0xd, 0);
	assert_int_equal(out[EBX], 2696);
	ask(&in, 0xd, 1);
	assert_int_equal(out[EBX], 576 + 256 + 64 + 512 + 1024 + 8);
	assert_int_equal(out[ECX] | out[EDX], 0);
	for (uint32_t sub = 2; sub < 70; sub++) {
		bool there = sub < 63 && CPUID_XCR0_MASK & 1ull << sub;

		ask(&in, 0xd, sub);
		assert_int_equal(out[EAX], there ? components[sub].size : 0);
		assert_int_equal(out[EBX], there ? components[sub].offset : 0);
		assert_int_equal(out[ECX] | out[EDX], 0);
	}
	ask(&in, 0xd, 0xffffffff);
	assert_int_equal(out[EAX] | out[EBX] | out[ECX] | out[EDX], 0);
	ask(&in, 0xd, 0xfffffffe);
	assert_int_equal(out[EAX] | out[EBX] | out[ECX] | out[EDX], 0);
}

static void test_hypervisor(void **state)
{
	struct cpuid_policy_input in = input(0, 1);

	ask(&in, 0x40000000, 0);
	assert_int_equal(out[EAX], 0x40000010);
	assert_memory_equal(&out[EBX], "KVMKVMKVM\0\0\0", 12);
	ask(&in, 0x40000001, 0);
	assert_int_equal(out[EAX], BIT(1) | BIT(3) | BIT(6) | BIT(24));
	assert_int_equal(out[EBX] | out[ECX] | out[EDX], 0);
	ask(&in, 0x40000010, 0);
	assert_int_equal(out[EAX], 2600001);
	assert_int_equal(out[EBX], LAPIC_TIMER_KHZ);
}

/* SDM 2A: TSC in Hz is crystal * EBX / EAX, and the crystal clocks the APIC. */
static void test_tsc_frequency(void **state)
{
	struct cpuid_policy_input in = input(0, 1);

	ask(&in, 0x15, 0);
	assert_int_equal(out[ECX], 1000000000);
	assert_int_equal((uint64_t)out[ECX] * out[EBX] / out[EAX],
			 2600001000ull);
	assert_int_equal(out[ECX] / 1000, LAPIC_TIMER_KHZ);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_table),
		cmocka_unit_test(test_leaf1),
		cmocka_unit_test(test_hidden),
		cmocka_unit_test(test_absent_leaves),
		cmocka_unit_test(test_maximum_leaves),
		cmocka_unit_test(test_topology),
		cmocka_unit_test(test_caches),
		cmocka_unit_test(test_xsave),
		cmocka_unit_test(test_hypervisor),
		cmocka_unit_test(test_tsc_frequency),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
