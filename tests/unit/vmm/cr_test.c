/* SPDX-License-Identifier: GPL-2.0-or-later */
/* vmm/cr.c: which CR0 and CR4 a guest may write. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "vmm/cr.h"

#define CR0_NW	  (1ull << 29)
#define CR0_CD	  (1ull << 30)
#define CR4_PCIDE (1ull << 17)

static const struct vcpu_state real_mode = {.cr0 = CR0_ET};
static const struct vcpu_state protected_mode = {.cr0 = CR0_ET | CR0_PE};
static const struct vcpu_state long_mode = {
	.cr0 = CR0_ET | CR0_PE | CR0_PG,
	.cr4 = CR4_PAE,
	.efer = EFER_LME | EFER_LMA,
	.seg[SEG_CS].attrib = SEG_ATTR_P | SEG_ATTR_L,
};

static void cr0(void **state)
{
	struct vcpu_state s = protected_mode;

	assert_true(cr0_valid(&real_mode, CR0_ET | CR0_PE));
	assert_true(cr0_valid(&real_mode, CR0_ET | CR0_PE | CR0_PG));
	assert_false(cr0_valid(&real_mode, CR0_PG));
	assert_false(cr0_valid(&real_mode, CR0_NW));
	assert_true(cr0_valid(&real_mode, CR0_NW | CR0_CD));
	assert_true(cr0_valid(&real_mode, CR0_CD));
	assert_false(cr0_valid(&real_mode, 1ull << 32));
	/* Into long mode: PAE first, and not from a 64-bit segment. */
	s.efer = EFER_LME;
	assert_false(cr0_valid(&s, CR0_PE | CR0_PG));
	s.cr4 = CR4_PAE;
	assert_true(cr0_valid(&s, CR0_PE | CR0_PG));
	s.seg[SEG_CS].attrib = SEG_ATTR_L;
	assert_false(cr0_valid(&s, CR0_PE | CR0_PG));
	/* And out of it: from compatibility mode, with PCIDE off. */
	s = long_mode;
	assert_true(cr0_valid(&s, s.cr0 | CR0_WP));
	assert_false(cr0_valid(&s, CR0_PE));
	s.seg[SEG_CS].attrib = SEG_ATTR_DB;
	assert_true(cr0_valid(&s, CR0_PE));
	s.cr4 |= CR4_PCIDE;
	assert_false(cr0_valid(&s, CR0_PE));
}

static void cr4(void **state)
{
	uint64_t mask = CR4_PSE | CR4_PAE | CR4_LA57 | CR4_PCIDE;
	struct vcpu_state s = long_mode;

	assert_true(cr4_valid(&real_mode, CR4_PSE, mask));
	assert_false(cr4_valid(&real_mode, CR4_SMEP, mask));
	assert_false(cr4_valid(&real_mode, 1ull << 63, mask));
	assert_true(cr4_valid(&real_mode, CR4_LA57, mask));
	assert_false(cr4_valid(&long_mode, 0, mask));
	assert_false(cr4_valid(&long_mode, CR4_PAE | CR4_LA57, mask));
	assert_false(cr4_valid(&protected_mode, CR4_PCIDE, mask));
	assert_true(cr4_valid(&s, CR4_PAE | CR4_PCIDE, mask));
	s.cr3 = 0x1001;
	assert_false(cr4_valid(&s, CR4_PAE | CR4_PCIDE, mask));
	s.cr4 |= CR4_PCIDE; /* on already: the PCID is what it is */
	assert_true(cr4_valid(&s, CR4_PAE | CR4_PCIDE, mask));
}

static void mask_by_cpuid(void **state)
{
	uint32_t leaf1[4] = {0}, leaf7[4] = {0};

	assert_int_equal(cr4_mask(leaf1, leaf7), 1 << 8);
	leaf1[3] = 1u << 6;
	assert_int_equal(cr4_mask(leaf1, leaf7), 1 << 8 | CR4_PAE);
	leaf7[1] = 1u << 7 | 1u << 20;
	leaf7[2] = 1u << 16;
	assert_int_equal(cr4_mask(leaf1, leaf7),
			 1 << 8 | CR4_PAE | CR4_SMEP | CR4_SMAP | CR4_LA57);
	for (unsigned i = 0; i < 4; i++)
		leaf1[i] = leaf7[i] = ~0u;
	/* VMXE, SMXE, and what nobody has: never. */
	assert_int_equal(cr4_mask(leaf1, leaf7), 0xf71fff);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(cr0),
		cmocka_unit_test(cr4),
		cmocka_unit_test(mask_by_cpuid),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
