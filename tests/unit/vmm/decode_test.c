/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The decoder against libZydis, and against what hostile bytes can do. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>
#include <linux/errno.h>
#include <Zydis/Zydis.h>

#include "vmm/decode.h"

static const enum decode_mode modes[] = {DECODE_16, DECODE_32, DECODE_64};
static ZydisDecoder reference[3];
static unsigned compared;

static uint64_t seed = 0x5c1ce;

static uint8_t random_byte(void)
{
	seed = seed * 6364136223846793005ull + 1442695040888963407ull;
	return seed >> 56;
}

static int setup(void **state)
{
	ZydisDecoderInit(&reference[0], ZYDIS_MACHINE_MODE_LEGACY_16,
			 ZYDIS_STACK_WIDTH_16);
	ZydisDecoderInit(&reference[1], ZYDIS_MACHINE_MODE_LEGACY_32,
			 ZYDIS_STACK_WIDTH_32);
	ZydisDecoderInit(&reference[2], ZYDIS_MACHINE_MODE_LONG_64,
			 ZYDIS_STACK_WIDTH_64);
	return 0;
}

static void explain(const uint8_t *bytes, unsigned mode, const char *what)
{
	fprintf(stderr, "%s, mode %u:", what, modes[mode] * 8);
	for (unsigned i = 0; i < INSN_LENGTH_MAX; i++)
		fprintf(stderr, " %02x", bytes[i]);
	fprintf(stderr, "\n");
}

#define CHECK(cond)                                  \
	do {                                         \
		if (!(cond)) {                       \
			explain(bytes, mode, #cond); \
			fail();                      \
		}                                    \
	} while (0)

static uint8_t reg_of(ZydisRegister reg)
{
	return reg == ZYDIS_REGISTER_NONE ? INSN_NO_REG
					  : (uint8_t)ZydisRegisterGetId(reg);
}

static const ZydisRegister segments[] = {
	ZYDIS_REGISTER_ES, ZYDIS_REGISTER_CS, ZYDIS_REGISTER_SS,
	ZYDIS_REGISTER_DS, ZYDIS_REGISTER_FS, ZYDIS_REGISTER_GS,
};

static void compare_mem(const uint8_t *bytes, unsigned mode,
			const struct insn *insn,
			const ZydisDecodedOperandMem *mem)
{
	uint8_t base = reg_of(mem->base), index = reg_of(mem->index);
	uint64_t mask = insn->address_size == 8	  ? UINT64_MAX
			: insn->address_size == 4 ? UINT32_MAX
						  : UINT16_MAX;

	CHECK(insn->has_mem);
	if (mem->base == ZYDIS_REGISTER_RIP ||
	    mem->base == ZYDIS_REGISTER_EIP) {
		CHECK(insn->mem.rip_relative);
		base = INSN_NO_REG;
	} else {
		CHECK(!insn->mem.rip_relative);
	}
	CHECK(insn->mem.base == base);
	CHECK(insn->mem.index == index);
	if (index != INSN_NO_REG)
		CHECK(insn->mem.scale == mem->scale);
	CHECK(((insn->mem.disp ^
		(mem->disp.has_displacement ? mem->disp.value : 0)) &
	       mask) == 0);
	if (modes[mode] != DECODE_64 || insn->mem.segment >= SEG_FS)
		CHECK(segments[insn->mem.segment] == mem->segment);
}

/* Opcodes of the first maps that the emulator takes operands from. */
static bool emulated(const struct insn *insn)
{
	uint8_t op = insn->opcode;

	if (insn->map == INSN_MAP_1)
		return op < 0x40 || op == 0x63 || (op >= 0x6c && op <= 0x6f) ||
		       (op >= 0x80 && op <= 0x8b) ||
		       (op >= 0xa0 && op <= 0xad) ||
		       (op >= 0xfe && (insn->reg & 7) < 2) || op == 0xc6 ||
		       op == 0xc7 || op == 0xf6 || op == 0xf7 ||
		       (op >= 0xe4 && op <= 0xe7) || (op >= 0xec && op <= 0xef);
	if (insn->map == INSN_MAP_0F)
		return (op >= 0xb6 && op <= 0xb7) || op == 0xbe || op == 0xbf ||
		       op == 0xa3 || op == 0xab || op == 0xb3 || op == 0xbb ||
		       op == 0xba || op == 0xb0 || op == 0xb1 || op == 0xc0 ||
		       op == 0xc1 || op == 0xc3;
	return false;
}

/* Where the reference's idea of operand size is another: port I/O under REX.W
 * (ports have 32 bits at most) and what shares the opcodes of MOV. */
static bool same_size(const struct insn *insn)
{
	enum insn_kind kind = decode_kind(insn);

	if (kind == INSN_IN || kind == INSN_OUT || kind == INSN_INS ||
	    kind == INSN_OUTS)
		return !(insn->rex & 8);
	if (insn->map != INSN_MAP_1)
		return true;
	if (insn->opcode == 0xc6 || insn->opcode == 0xc7) /* XABORT, XBEGIN */
		return (insn->reg & 7) == 0;
	return true;
}

static void compare(const uint8_t *bytes, unsigned mode)
{
	ZydisDecodedInstruction zi;
	ZydisDecodedOperand ops[ZYDIS_MAX_OPERAND_COUNT];
	struct insn insn;
	int err = decode_insn(bytes, INSN_LENGTH_MAX, modes[mode], &insn);

	if (!err)
		CHECK(insn.length >= 1 && insn.length <= INSN_LENGTH_MAX);
	if (!ZYAN_SUCCESS(ZydisDecoderDecodeFull(&reference[mode], bytes,
						 INSN_LENGTH_MAX, &zi, ops)))
		return;
	if (zi.encoding != ZYDIS_INSTRUCTION_ENCODING_LEGACY &&
	    zi.encoding != ZYDIS_INSTRUCTION_ENCODING_3DNOW) {
		CHECK(err == -EOPNOTSUPP);
		return;
	}
	CHECK(!err);
	CHECK(insn.length == zi.length);
	compared++;
	if (zi.encoding != ZYDIS_INSTRUCTION_ENCODING_LEGACY)
		return;
	CHECK(insn.opcode == zi.opcode);
	CHECK(insn.map == (unsigned)zi.opcode_map);
	CHECK(insn.has_modrm ==
	      ((zi.attributes & ZYDIS_ATTRIB_HAS_MODRM) != 0));
	if (!emulated(&insn))
		return;
	CHECK(insn.address_size * 8 == zi.address_width);
	if (same_size(&insn))
		CHECK(insn.operand_size * 8 == zi.operand_width);
	for (unsigned i = 0; i < zi.operand_count; i++) {
		if (ops[i].visibility != ZYDIS_OPERAND_VISIBILITY_EXPLICIT)
			continue;
		if (ops[i].type == ZYDIS_OPERAND_TYPE_MEMORY &&
		    (insn.has_modrm || insn.has_mem))
			compare_mem(bytes, mode, &insn, &ops[i].mem);
		if (ops[i].type == ZYDIS_OPERAND_TYPE_IMMEDIATE &&
		    insn.imm_size) {
			CHECK((uint64_t)insn.imm << (64 - 8 * insn.imm_size) ==
			      ops[i].imm.value.u << (64 - 8 * insn.imm_size));
			if (ops[i].imm.is_signed)
				CHECK(insn.imm == ops[i].imm.value.s);
		}
		if (ops[i].type == ZYDIS_OPERAND_TYPE_REGISTER &&
		    ops[i].encoding == ZYDIS_OPERAND_ENCODING_MODRM_REG &&
		    insn.operand_size >= 4)
			CHECK(insn.reg == reg_of(ops[i].reg.value));
	}
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
