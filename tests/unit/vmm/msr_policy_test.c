/* SPDX-License-Identifier: GPL-2.0-or-later */
/* vmm/msr_policy.c: the table is in order, and says what it must. */
#include "vmm/msr_policy.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>

static enum msr_kind kind_of(uint32_t msr)
{
	const struct msr_rule *rule = msr_rule_find(msr);

	assert_non_null(rule);
	return rule->kind;
}

static void test_table(void **state)
{
	assert_true(msr_rule_count > 30);
	for (unsigned i = 0; i < msr_rule_count; i++) {
		const struct msr_rule *rule = &msr_rules[i];

		assert_true(rule->first <= rule->last);
		assert_true(i == 0 || rule->first > msr_rules[i - 1].last);
		assert_non_null(rule->reason);
		assert_true(strlen(rule->reason) > 5);
		/* A value only where one is read or reset. */
		if (rule->kind != MSR_CONSTANT && rule->kind != MSR_READ_ONLY &&
		    rule->kind != MSR_EMULATE_MTRR &&
		    rule->kind != MSR_EMULATE_PAT)
			assert_int_equal(rule->value, 0);
	}
}

static void test_find(void **state)
{
	uint64_t found = 0, there = 0;

	for (unsigned i = 0; i < msr_rule_count; i++) {
		const struct msr_rule *rule = &msr_rules[i];

		there += rule->last - rule->first + 1ull;
		for (uint64_t msr = rule->first; msr <= rule->last; msr++)
			assert_ptr_equal(msr_rule_find((uint32_t)msr), rule);
		if (rule->first)
			assert_ptr_not_equal(msr_rule_find(rule->first - 1),
					     rule);
		assert_ptr_not_equal(msr_rule_find(rule->last + 1), rule);
	}
	/* And no others, where MSRs live. */
	for (uint32_t msr = 0; msr < 0x3000; msr++) {
		found += msr_rule_find(msr) != NULL;
		found += msr_rule_find(0xc0000000u + msr) != NULL;
		found += msr_rule_find(0xc0010000u + msr) != NULL;
		found += msr_rule_find(0x4b564d00u + msr) != NULL;
	}
	assert_int_equal(found, there);
	assert_null(msr_rule_find(0xffffffff));
	assert_null(msr_rule_find(0x80000000));
}

/* What runs without an exit is what VMLOAD and VMSAVE switch (AMD APM 2,
 * 15.5.2), and nothing else. */
static void test_pass_through(void **state)
{
	static const uint32_t switched[] = {
		0x174,	    0x175,	0x176,	    0xc0000081, 0xc0000082,
		0xc0000083, 0xc0000084, 0xc0000100, 0xc0000101, 0xc0000102,
	};
	unsigned count = 0;

	for (unsigned i = 0; i < ARRAY_SIZE(switched); i++)
		assert_int_equal(kind_of(switched[i]), MSR_PASS_THROUGH);
	for (unsigned i = 0; i < msr_rule_count; i++)
		if (msr_rules[i].kind == MSR_PASS_THROUGH)
			count += msr_rules[i].last - msr_rules[i].first + 1;
	assert_int_equal(count, ARRAY_SIZE(switched));
}

static void test_owners(void **state)
{
	assert_int_equal(kind_of(0x10), MSR_EMULATE_TSC);
	assert_int_equal(kind_of(0x3b), MSR_EMULATE_TSC_ADJUST);
	assert_int_equal(kind_of(0x1b), MSR_EMULATE_LAPIC);
	assert_int_equal(kind_of(0x6e0), MSR_EMULATE_LAPIC);
	assert_int_equal(kind_of(0x800), MSR_EMULATE_LAPIC);
	assert_int_equal(kind_of(0x8ff), MSR_EMULATE_LAPIC);
	assert_int_equal(kind_of(0x4b564d04), MSR_EMULATE_LAPIC);
	assert_int_equal(kind_of(0x11), MSR_EMULATE_PVCLOCK);
	assert_int_equal(kind_of(0x4b564d01), MSR_EMULATE_PVCLOCK);
	assert_int_equal(kind_of(0x277), MSR_EMULATE_PAT);
	assert_int_equal(kind_of(0xc0000080), MSR_EMULATE_EFER);
	assert_int_equal(kind_of(0xc0000103), MSR_EMULATE_TSC_AUX);
	/* Guests of the whole-machine kind touch these without asking. */
	for (uint32_t msr = 0xc0010000; msr <= 0xc0010007; msr++)
		assert_int_equal(kind_of(msr), MSR_CONSTANT);
	/* SVM, IBS, VMX, PMU, XSS: not there. */
	assert_null(msr_rule_find(0xc0010114));
	assert_null(msr_rule_find(0xc0010117));
	assert_null(msr_rule_find(0xc0011030));
	assert_null(msr_rule_find(0x480));
	assert_null(msr_rule_find(0xc1));
	assert_null(msr_rule_find(0xda0));
	assert_null(msr_rule_find(0x4b564d02));
	assert_null(msr_rule_find(0x400));
}

/* As many variable ranges as MTRRcap says have a pair of registers. */
static void test_mtrrs_agree(void **state)
{
	const struct msr_rule *cap = msr_rule_find(0xfe);
	uint32_t pairs = cap->value & 0xff;

	assert_int_equal(kind_of(0xfe), MSR_READ_ONLY);
	for (uint32_t msr = 0x200; msr < 0x200 + 2 * pairs; msr++)
		assert_int_equal(kind_of(msr), MSR_EMULATE_MTRR);
	assert_null(msr_rule_find(0x200 + 2 * pairs));
	assert_int_equal(kind_of(0x2ff), MSR_EMULATE_MTRR);
	/* On, or Linux switches its PAT off. */
	assert_true(msr_rule_find(0x2ff)->value & 1u << 11);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_table),
		cmocka_unit_test(test_find),
		cmocka_unit_test(test_pass_through),
		cmocka_unit_test(test_owners),
		cmocka_unit_test(test_mtrrs_agree),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
