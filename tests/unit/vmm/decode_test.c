/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The decoder against libZydis, and against what hostile bytes can do. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>
#include "decode_reference.h"

static unsigned compared;

static uint64_t seed = 0x5c1ce;

static uint8_t random_byte(void)
{
	seed = seed * 6364136223846793005ull + 1442695040888963407ull;
	return seed >> 56;
}

static int setup(void **state)
{
	reference_init();
	return 0;
}

static void compare(const uint8_t *bytes, unsigned mode)
{
	const char *what;

	if (reference_same(bytes, INSN_LENGTH_MAX, mode, &compared, &what))
		return;
	fprintf(stderr, "%s, mode %u:", what, reference_modes[mode] * 8);
	for (unsigned i = 0; i < INSN_LENGTH_MAX; i++)
		fprintf(stderr, " %02x", bytes[i]);
	fprintf(stderr, "\n");
	fail();
}

/* Every opcode of every map, with every ModRM byte, under each prefix. */
static void decode_test_all_opcodes(void **state)
{
	static const struct {
		uint8_t count, bytes[3];
	} prefixes[] = {
		{0, {0}},	   {1, {0x66}},	      {1, {0x67}},
		{2, {0x66, 0x67}}, {1, {0xf2}},	      {1, {0xf3}},
		{1, {0x48}},	   {1, {0x47}},	      {2, {0x66, 0x4f}},
		{2, {0x48, 0x66}}, {2, {0x64, 0x2e}}, {1, {0x36}},
		{2, {0xf0, 0x65}}, {2, {0x26, 0x67}},
	};
	static const struct {
		uint8_t count, bytes[2];
	} maps[] = {
		{0, {0}}, {1, {0x0f}}, {2, {0x0f, 0x38}}, {2, {0x0f, 0x3a}}};
	uint8_t bytes[INSN_LENGTH_MAX];

	compared = 0;
	for (unsigned p = 0; p < ARRAY_SIZE(prefixes); p++)
		for (unsigned m = 0; m < ARRAY_SIZE(maps); m++)
			for (unsigned i = 0; i < 0x10000; i++) {
				unsigned at = prefixes[p].count;

				memcpy(bytes, prefixes[p].bytes, at);
				memcpy(bytes + at, maps[m].bytes, 2);
				at += maps[m].count;
				bytes[at++] = i >> 8;
				bytes[at++] = i;
				while (at < INSN_LENGTH_MAX)
					bytes[at++] = random_byte();
				compare(bytes, i % 3);
				compare(bytes, (i + 1 + p) % 3);
			}
	/* The reference took most of them, so most were compared. */
	assert_true(compared > 2000000);
}

static void decode_test_random(void **state)
{
	uint8_t bytes[INSN_LENGTH_MAX];

	for (unsigned i = 0; i < 1000000; i++) {
		for (unsigned at = 0; at < INSN_LENGTH_MAX; at++)
			bytes[at] = random_byte();
		compare(bytes, i % 3);
	}
}

/* Cut anywhere, the answer is "more", and never a read beyond the cut. */
static void decode_test_truncated(void **state)
{
	static const uint8_t code[] = {0x66, 0x67, 0x4c, 0x81, 0x8c, 0x88,
				       1,    2,	   3,	 4,    5,    6};
	struct insn insn;

	assert_int_equal(decode_insn(code, sizeof(code), DECODE_64, &insn),
			 -ENODATA);
	for (size_t n = 0; n < sizeof(code); n++) {
		uint8_t exact[sizeof(code)];

		memcpy(exact + sizeof(code) - n, code, n);
		assert_int_equal(decode_insn(exact + sizeof(code) - n, n,
					     DECODE_64, &insn),
				 -ENODATA);
	}
}

static void decode_test_too_long(void **state)
{
	uint8_t code[32];
	struct insn insn;

	memset(code, 0x66, sizeof(code));
	assert_int_equal(decode_insn(code, sizeof(code), DECODE_64, &insn),
			 -E2BIG);
	code[14] = 0x90;
	assert_int_equal(decode_insn(code, sizeof(code), DECODE_64, &insn), 0);
	assert_int_equal(insn.length, 15);
	code[14] = 0xb8; /* needs two more */
	assert_int_equal(decode_insn(code, sizeof(code), DECODE_64, &insn),
			 -E2BIG);
}

static void decode_test_refused(void **state)
{
	static const uint8_t vex[] = {0xc5, 0xf8, 0x28, 0xc0};
	static const uint8_t evex[] = {0x62, 0xf1, 0x7c, 0x48, 0x28, 0xc0};
	static const uint8_t xop[] = {0x8f, 0xe9, 0x78, 0x01, 0xc0};
	static const uint8_t push_es[] = {0x06};
	static const uint8_t none[] = {0x0f, 0x04};
	struct insn insn;

	assert_int_equal(decode_insn(vex, 4, DECODE_64, &insn), -EOPNOTSUPP);
	assert_int_equal(decode_insn(vex, 4, DECODE_32, &insn), -EOPNOTSUPP);
	assert_int_equal(decode_insn(evex, 6, DECODE_64, &insn), -EOPNOTSUPP);
	assert_int_equal(decode_insn(xop, 5, DECODE_64, &insn), -EOPNOTSUPP);
	assert_int_equal(decode_insn(push_es, 1, DECODE_64, &insn), -EINVAL);
	assert_int_equal(decode_insn(push_es, 1, DECODE_32, &insn), 0);
	assert_int_equal(decode_insn(none, 2, DECODE_32, &insn), -EINVAL);
}

static void decode_test_kinds(void **state)
{
	static const struct {
		uint8_t length, bytes[4];
		enum insn_kind kind;
	} cases[] = {
		{2, {0x0f, 0xa2}, INSN_CPUID},
		{1, {0xf4}, INSN_HLT},
		{2, {0x0f, 0x32}, INSN_RDMSR},
		{2, {0x0f, 0x30}, INSN_WRMSR},
		{3, {0x48, 0x0f, 0x30}, INSN_WRMSR},
		{2, {0x0f, 0x31}, INSN_RDTSC},
		{3, {0x0f, 0x01, 0xf9}, INSN_RDTSCP},
		{2, {0x0f, 0x33}, INSN_RDPMC},
		{3, {0x0f, 0x01, 0xc1}, INSN_VMCALL},
		{3, {0x0f, 0x01, 0xd9}, INSN_VMMCALL},
		{2, {0x0f, 0x08}, INSN_INVD},
		{2, {0x0f, 0x09}, INSN_WBINVD},
		{3, {0x0f, 0x01, 0xd1}, INSN_XSETBV},
		{3, {0x0f, 0x01, 0xc8}, INSN_MONITOR},
		{3, {0x0f, 0x01, 0xc9}, INSN_MWAIT},
		{2, {0xf3, 0x90}, INSN_PAUSE},
		{1, {0x90}, INSN_OTHER},
		{3, {0x0f, 0x01, 0x38}, INSN_INVLPG},
		{3, {0x0f, 0x01, 0xdf}, INSN_INVLPGA},
		{3, {0x0f, 0x01, 0xd8}, INSN_VMRUN},
		{3, {0x0f, 0x01, 0xda}, INSN_VMLOAD},
		{3, {0x0f, 0x01, 0xdb}, INSN_VMSAVE},
		{3, {0x0f, 0x01, 0xdc}, INSN_STGI},
		{3, {0x0f, 0x01, 0xdd}, INSN_CLGI},
		{3, {0x0f, 0x01, 0xde}, INSN_SKINIT},
		{2, {0x0f, 0x06}, INSN_CLTS},
		{3, {0x0f, 0x01, 0xf0}, INSN_LMSW},
		{3, {0x0f, 0x01, 0xe0}, INSN_SMSW},
		{3, {0x0f, 0x20, 0xc0}, INSN_MOV_FROM_CR},
		{4, {0x44, 0x0f, 0x22, 0xc0}, INSN_MOV_TO_CR},
		{3, {0x0f, 0x21, 0x38}, INSN_MOV_FROM_DR},
		{3, {0x0f, 0x23, 0xf8}, INSN_MOV_TO_DR},
		{2, {0x0f, 0xaa}, INSN_RSM},
		{2, {0x48, 0xcf}, INSN_IRET},
		{1, {0x9c}, INSN_PUSHF},
		{1, {0x9d}, INSN_POPF},
		{1, {0xfa}, INSN_CLI},
		{1, {0xfb}, INSN_STI},
		{2, {0xe4, 0x60}, INSN_IN},
		{1, {0xef}, INSN_OUT},
		{2, {0xf3, 0x6d}, INSN_INS},
		{3, {0xf3, 0x66, 0x6f}, INSN_OUTS},
		{2, {0x89, 0xc0}, INSN_OTHER},
	};
	struct insn insn;

	for (unsigned i = 0; i < ARRAY_SIZE(cases); i++) {
		assert_int_equal(decode_insn(cases[i].bytes, cases[i].length,
					     DECODE_64, &insn),
				 0);
		assert_int_equal(insn.length, cases[i].length);
		assert_int_equal(decode_kind(&insn), cases[i].kind);
	}
	/* Which register: CR8 by REX.R, R15 by REX.B. */
	assert_int_equal(decode_insn((const uint8_t[]){0x45, 0x0f, 0x22, 0xc7},
				     4, DECODE_64, &insn),
			 0);
	assert_int_equal(insn.reg, 8);
	assert_int_equal(insn.rm, GPR_R15);
	assert_int_equal(insn.operand_size, 8);
}

static void decode_test_mode(void **state)
{
	struct vcpu_state s = {0};

	assert_int_equal(decode_mode_of(&s), DECODE_16);
	s.cr0 = CR0_PE;
	assert_int_equal(decode_mode_of(&s), DECODE_16);
	s.seg[SEG_CS].attrib = SEG_ATTR_DB;
	assert_int_equal(decode_mode_of(&s), DECODE_32);
	s.rflags = RFLAGS_VM;
	assert_int_equal(decode_mode_of(&s), DECODE_16);
	s.rflags = 0;
	s.efer = EFER_LMA;
	assert_int_equal(decode_mode_of(&s), DECODE_32);
	s.seg[SEG_CS].attrib = SEG_ATTR_L;
	assert_int_equal(decode_mode_of(&s), DECODE_64);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(decode_test_all_opcodes),
		cmocka_unit_test(decode_test_random),
		cmocka_unit_test(decode_test_truncated),
		cmocka_unit_test(decode_test_too_long),
		cmocka_unit_test(decode_test_refused),
		cmocka_unit_test(decode_test_kinds),
		cmocka_unit_test(decode_test_mode),
	};

	return cmocka_run_group_tests(tests, setup, NULL);
}
