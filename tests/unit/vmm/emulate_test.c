/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The emulator: results and flags against this CPU, faults, and races. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "vmm/emulate_priv.h"

/* 64-bit guest: 2 MiB of RAM mapped to itself, code at CODE, a device's page
 * at DEVICE (linear and physical), nothing behind it. */
#define RAM_SIZE MiB(2)
#define CODE	 0x10000
#define DATA	 0x20000
#define DEVICE	 0x40000000
#define FLAGS	 0x8d5 /* CF PF AF ZF SF OF */

static _Alignas(4096) uint8_t ram[RAM_SIZE];
static uint8_t device[8192];
static struct guest_mem mem;
static struct vcpu_state s;
static struct emulate_ctx ctx;

/* What the device and the ports saw. */
static struct {
	unsigned reads, writes, ins, outs;
	unsigned last_size;
	uint16_t last_port;
	uint64_t last_gpa, last_value;
} seen;

uint64_t emulate_mmio_read(void *vcpu, gpa_t gpa, unsigned size)
{
	uint64_t value = UINT64_MAX; /* the upper bits must be ignored */

	assert_ptr_equal(vcpu, &seen);
	assert_in_range(gpa.v, DEVICE, DEVICE + sizeof(device) - size);
	assert_true(gpa.v / 4096 == (gpa.v + size - 1) / 4096);
	memcpy(&value, device + (gpa.v - DEVICE), size);
	seen.reads++;
	seen.last_gpa = gpa.v;
	seen.last_size = size;
	return value;
}

void emulate_mmio_write(void *vcpu, gpa_t gpa, unsigned size, uint64_t value)
{
	assert_ptr_equal(vcpu, &seen);
	assert_in_range(gpa.v, DEVICE, DEVICE + sizeof(device) - size);
	assert_true(size == 8 || value >> (8 * size) == 0);
	memcpy(device + (gpa.v - DEVICE), &value, size);
	seen.writes++;
	seen.last_gpa = gpa.v;
	seen.last_size = size;
}

uint32_t emulate_pio_in(void *vcpu, uint16_t port, unsigned size)
{
	seen.ins++;
	seen.last_port = port;
	seen.last_size = size;
	return 0xdeadbe00 + seen.ins;
}

void emulate_pio_out(void *vcpu, uint16_t port, unsigned size, uint32_t value)
{
	seen.outs++;
	seen.last_port = port;
	seen.last_size = size;
	seen.last_value = value;
}

static uint64_t *entry(uint64_t gpa)
{
	return (uint64_t *)(ram + gpa);
}

static int setup(void **state)
{
	memset(ram, 0, sizeof(ram));
	memset(device, 0, sizeof(device));
	memset(&seen, 0, sizeof(seen));
	mem = (struct guest_mem){0};
	assert_int_equal(guest_mem_add(&mem, GPA(0), RAM_SIZE, ram), 0);
	/* RAM by a 2 MiB page, the device by two pages of 4 KiB. */
	*entry(0x1000) = 0x2000 | 7;
	*entry(0x2000) = 0x3000 | 7;
	*entry(0x2008) = 0x4000 | 7;
	*entry(0x3000) = 0x87;
	*entry(0x4000) = 0x5000 | 7;
	*entry(0x5000) = DEVICE | 7;
	*entry(0x5008) = (DEVICE + 0x1000) | 7;
	s = (struct vcpu_state){
		.rip = CODE,
		.rflags = RFLAGS_FIXED | RFLAGS_IF,
		.cr0 = CR0_PE | CR0_PG | CR0_WP,
		.cr3 = 0x1000,
		.cr4 = CR4_PAE,
		.efer = EFER_LME | EFER_LMA | EFER_NXE,
		.dr6 = DR6_RESET,
	};
	for (unsigned i = 0; i < SEG_COUNT; i++)
		s.seg[i] = (struct segment){0x18, 0xc93, UINT32_MAX, 0};
	s.seg[SEG_CS] = (struct segment){0x10, 0xa9b, UINT32_MAX, 0};
	return 0;
}

/* Flat 32-bit code without paging. */
static void enter_32(void)
{
	s.cr0 = CR0_PE;
	s.efer = s.cr4 = 0;
	s.seg[SEG_CS].attrib = 0xc9b;
}

static enum emulate_result run_at(uint64_t at, enum emulate_cause cause,
				  const uint8_t *code, size_t size)
{
	enum emulate_result result;

	ctx = (struct emulate_ctx){
		.state = &s, .mem = &mem, .vcpu = &seen, .cause = cause};
	if (code)
		memcpy(ram + at, code, size);
	result = emulate_fetch(&ctx);
	if (result != EMULATE_DONE)
		return result;
	return emulate_insn(&ctx);
}

#define BYTES(...) \
	(const uint8_t[]){__VA_ARGS__}, sizeof((const uint8_t[]){__VA_ARGS__})
#define MMIO(...) run_at(CODE, EMULATE_MMIO, BYTES(__VA_ARGS__))
#define PIO(...)  run_at(CODE, EMULATE_PIO, BYTES(__VA_ARGS__))

/* Runs an instruction that must succeed, from CODE again. */
#define DONE(...)                                                              \
	do {                                                                   \
		s.rip = CODE;                                                  \
		assert_int_equal(MMIO(__VA_ARGS__), EMULATE_DONE);             \
		assert_int_equal(                                              \
			s.rip, CODE + sizeof((const uint8_t[]){__VA_ARGS__})); \
	} while (0)

static void expect_exception(uint8_t vector, uint32_t error)
{
	assert_int_equal(ctx.exc.vector, vector);
	assert_int_equal(ctx.exc.has_error, vector != EXC_UD);
	assert_int_equal(ctx.exc.error, error);
}

static uint64_t dev64(unsigned offset)
{
	uint64_t value;

	memcpy(&value, device + offset, 8);
	return value;
}

static void set_dev64(unsigned offset, uint64_t value)
{
	memcpy(device + offset, &value, 8);
}

static void emulate_test_moves(void **state)
{
	s.gpr[GPR_RDI] = DEVICE + 0x10;
	s.gpr[GPR_RAX] = 0x1122334455667788;
	s.gpr[GPR_R15] = 2;
	DONE(0x89, 0x07); /* mov %eax,(%rdi) */
	assert_int_equal(dev64(0x10), 0x55667788);
	assert_int_equal(seen.last_size, 4);
	DONE(0x48, 0x89, 0x07);
	assert_int_equal(dev64(0x10), 0x1122334455667788);
	DONE(0x66, 0x89, 0x47, 0x10); /* mov %ax,16(%rdi) */
	assert_int_equal(dev64(0x20), 0x7788);
	DONE(0x88, 0x67, 0x20); /* mov %ah,32(%rdi) */
	assert_int_equal(dev64(0x30), 0x77);
	DONE(0x40, 0x88, 0x67, 0x20); /* with REX: %spl */
	assert_int_equal(dev64(0x30), 0);
	DONE(0x42, 0x8b, 0x5c, 0x7f, 0xfc); /* mov -4(%rdi,%r15,2),%ebx */
	assert_int_equal(s.gpr[GPR_RBX], 0x55667788);
	DONE(0x48, 0x8b, 0x1f);
	assert_int_equal(s.gpr[GPR_RBX], 0x1122334455667788);
	s.gpr[GPR_RBX] = UINT64_MAX;
	DONE(0x66, 0x8b, 0x1f); /* the rest stays */
	assert_int_equal(s.gpr[GPR_RBX], 0xffffffffffff7788);
	DONE(0x8a, 0x3f); /* mov (%rdi),%bh */
	assert_int_equal(s.gpr[GPR_RBX], 0xffffffffffff8888);
	DONE(0x8b, 0x1f); /* the upper half is cleared */
	assert_int_equal(s.gpr[GPR_RBX], 0x55667788);
	DONE(0xc7, 0x07, 0xfe, 0xff, 0xff, 0xff);
	assert_int_equal(dev64(0x10), 0x11223344fffffffe);
	DONE(0x48, 0xc7, 0x07, 0xfe, 0xff, 0xff, 0xff);
	assert_int_equal(dev64(0x10), 0xfffffffffffffffe);
	DONE(0xc6, 0x07, 0x12);
	assert_int_equal(dev64(0x10), 0xffffffffffffff12);
	DONE(0x48, 0x0f, 0xc3, 0x07); /* movnti */
	assert_int_equal(dev64(0x10), 0x1122334455667788);
	/* Offset in the instruction; relative to the next one. */
	DONE(0xa3, 0x40, 0, 0, 0x40, 0, 0, 0, 0);
	assert_int_equal(dev64(0x40), 0x55667788);
	DONE(0xa0, 0x11, 0, 0, 0x40, 0, 0, 0, 0);
	assert_int_equal(s.gpr[GPR_RAX], 0x1122334455667777);
	DONE(0x8b, 0x0d, 0x3a, 0x00, 0xff, 0x3f);
	assert_int_equal(s.gpr[GPR_RCX], 0x55667788);
}

static void emulate_test_extending_loads(void **state)
{
	s.gpr[GPR_RSI] = DEVICE;
	set_dev64(0, 0xf1f2f3f4f5f6f7f8);
	s.gpr[GPR_RDX] = UINT64_MAX;
	DONE(0x0f, 0xb6, 0x16);
	assert_int_equal(s.gpr[GPR_RDX], 0xf8);
	assert_int_equal(seen.last_size, 1);
	DONE(0x0f, 0xb7, 0x16);
	assert_int_equal(s.gpr[GPR_RDX], 0xf7f8);
	assert_int_equal(seen.last_size, 2);
	DONE(0x0f, 0xbe, 0x16);
	assert_int_equal(s.gpr[GPR_RDX], 0xfffffff8);
	DONE(0x48, 0x0f, 0xbe, 0x16);
	assert_int_equal(s.gpr[GPR_RDX], 0xfffffffffffffff8);
	DONE(0x48, 0x0f, 0xbf, 0x16);
	assert_int_equal(s.gpr[GPR_RDX], 0xfffffffffffff7f8);
	s.gpr[GPR_RDX] = 0;
	DONE(0x66, 0x0f, 0xbe, 0x16);
	assert_int_equal(s.gpr[GPR_RDX], 0xfff8);
	DONE(0x48, 0x63, 0x16); /* movslq */
	assert_int_equal(s.gpr[GPR_RDX], 0xfffffffff5f6f7f8);
	assert_int_equal(seen.last_size, 4);
}

/* op a, b on this CPU, at each size. */
#define NATIVE_SIZE(name, suffix, type)                               \
	do {                                                          \
		type x_ = (type)*a;                                   \
		__asm__ volatile("push %[in]\n\tpopf\n\t" name suffix \
				 " %[b], %[x]\n\tpushf\n\tpop %[out]" \
				 : [x] "+r"(x_), [out] "=r"(flags)    \
				 : [in] "r"(flags), [b] "r"((type)b)  \
				 : "cc", "memory");                   \
		*a = x_;                                              \
	} while (0)
#define NATIVE(name)                                                          \
	static uint64_t native_##name(unsigned size, uint64_t *a, uint64_t b, \
				      uint64_t flags)                         \
	{                                                                     \
		switch (size) {                                               \
		case 1:                                                       \
			NATIVE_SIZE(#name, "b", uint8_t);                     \
			break;                                                \
		case 2:                                                       \
			NATIVE_SIZE(#name, "w", uint16_t);                    \
			break;                                                \
		case 4:                                                       \
			NATIVE_SIZE(#name, "l", uint32_t);                    \
			break;                                                \
		case 8:                                                       \
			NATIVE_SIZE(#name, "q", uint64_t);                    \
			break;                                                \
		}                                                             \
		return flags & FLAGS;                                         \
	}
NATIVE(add)
NATIVE(or)
NATIVE(adc)
NATIVE(sbb)
NATIVE(and)
NATIVE(sub)
NATIVE(xor)
NATIVE(cmp)
NATIVE(test)

static uint64_t random64(void)
{
	static uint64_t seed = 42;
	uint64_t x;

	seed = seed * 6364136223846793005ull + 1442695040888963407ull;
	x = seed ^ seed >> 29;
	/* Values at the edges, where flags change, more often than not. */
	switch (x >> 8 & 7) {
	case 0:
		return 0;
	case 1:
		return x >> 16 & 0x0f;
	case 2:
		return UINT64_MAX;
	case 3:
		return 0x8080808080808080 - (x >> 16 & 1);
	case 4:
		return 0x8000000080008080;
	}
	return x * 0x9e3779b97f4a7c15;
}

static void emulate_test_alu_flags(void **state)
{
	static uint64_t (*const native[8])(unsigned, uint64_t *, uint64_t,
					   uint64_t) = {
		native_add, native_or,	native_adc, native_sbb,
		native_and, native_sub, native_xor, native_cmp,
	};

	for (unsigned i = 0; i < 200000; i++) {
		enum emulate_alu op = i & 7;
		unsigned size = 1u << (i >> 3 & 3);
		uint64_t a = random64() & emulate_mask(size), b = random64();
		uint64_t flags =
			RFLAGS_FIXED | RFLAGS_DF | (random64() & FLAGS);
		uint64_t want = a, want_flags, got;

		want_flags = native[op](size, &want, b, flags & ~RFLAGS_DF);
		got = emulate_alu(op, size, a, b, &flags);
		assert_int_equal(got, want);
		/* AF after logic is undefined. */
		if (op == ALU_OR || op == ALU_AND || op == ALU_XOR)
			want_flags =
				(want_flags & ~RFLAGS_AF) | (flags & RFLAGS_AF);
		assert_int_equal(flags & FLAGS, want_flags);
		assert_int_equal(flags & ~FLAGS, RFLAGS_FIXED | RFLAGS_DF);
	}
}

/* Every form of the arithmetic group in memory, against the above. */
static void emulate_test_alu_forms(void **state)
{
	s.gpr[GPR_RDI] = DEVICE;
	for (unsigned i = 0; i < 4000; i++) {
		unsigned op = i & 7, size = i & 8 ? 4 : 1, form = i >> 4 & 3;
		uint64_t a = random64() & emulate_mask(size);
		uint64_t b = random64(), flags = s.rflags, want;
		unsigned wide = size == 4;

		set_dev64(0, a);
		s.gpr[GPR_RBX] = b;
		seen.writes = 0;
		switch (form) {
		case 0: /* op %ebx,(%rdi) */
			want = emulate_alu(op, size, a, b, &flags);
			DONE(op << 3 | wide, 0x1f);
			assert_int_equal(dev64(0), want);
			break;
		case 1: /* op (%rdi),%ebx */
			want = emulate_alu(op, size, b, a, &flags);
			DONE(op << 3 | 2 | wide, 0x1f);
			if (op != ALU_CMP)
				assert_int_equal(s.gpr[GPR_RBX] &
							 emulate_mask(size),
						 want);
			else
				assert_int_equal(s.gpr[GPR_RBX], b);
			assert_int_equal(seen.writes, 0);
			break;
		case 2: /* op $imm8,(%rdi) */
			want = emulate_alu(op, size, a, (uint64_t)(int8_t)b,
					   &flags);
			DONE(wide ? 0x83 : 0x80, 0x07 | op << 3, (uint8_t)b);
			assert_int_equal(dev64(0), want);
			break;
		case 3: /* op $imm32,(%rdi) */
			size = 8;
			set_dev64(0, a);
			want = emulate_alu(op, size, a, (uint64_t)(int32_t)b,
					   &flags);
			DONE(0x48, 0x81, 0x07 | op << 3, (uint8_t)b,
			     (uint8_t)(b >> 8), (uint8_t)(b >> 16),
			     (uint8_t)(b >> 24));
			assert_int_equal(dev64(0), want);
			break;
		}
		/* CMP does not write. */
		if (form != 1)
			assert_int_equal(seen.writes, op != ALU_CMP);
		assert_int_equal(s.rflags, flags);
	}
}

static void emulate_test_unary(void **state)
{
	uint64_t value;

	s.gpr[GPR_RDI] = DEVICE;
	s.rflags |= RFLAGS_CF;
	set_dev64(0, 0x7fffffff);
	DONE(0xff, 0x07); /* incl: CF is kept */
	assert_int_equal(dev64(0), 0x80000000);
	assert_int_equal(s.rflags & FLAGS, RFLAGS_CF | RFLAGS_OF | RFLAGS_SF |
						   RFLAGS_AF | RFLAGS_PF);
	DONE(0x48, 0xff, 0x0f); /* decq */
	assert_int_equal(dev64(0), 0x7fffffff);
	assert_int_equal(s.rflags & FLAGS, RFLAGS_CF | RFLAGS_AF | RFLAGS_PF);
	DONE(0xfe, 0x07); /* incb */
	assert_int_equal(dev64(0), 0x7fffff00);
	assert_int_equal(s.rflags & FLAGS,
			 RFLAGS_CF | RFLAGS_ZF | RFLAGS_AF | RFLAGS_PF);
	DONE(0xf7, 0x17); /* notl: no flags */
	assert_int_equal(dev64(0), 0x800000ff);
	assert_int_equal(s.rflags & FLAGS,
			 RFLAGS_CF | RFLAGS_ZF | RFLAGS_AF | RFLAGS_PF);
	DONE(0xf7, 0x1f); /* negl */
	assert_int_equal(dev64(0), 0x7fffff01);
	assert_true(s.rflags & RFLAGS_CF);
	for (unsigned i = 0; i < 1000; i++) {
		uint64_t a = random64(), b = random64(), flags = 2;

		set_dev64(0, a);
		s.gpr[GPR_RBX] = b;
		value = a;
		flags = native_test(8, &value, b, flags);
		DONE(0x48, 0x85, 0x1f); /* test %rbx,(%rdi) */
		assert_int_equal(s.rflags & FLAGS & ~RFLAGS_AF,
				 flags & ~RFLAGS_AF);
		assert_int_equal(dev64(0), a);
		flags = native_test(1, &value, 0x81, 2);
		DONE(0xf6, 0x07, 0x81); /* testb $0x81,(%rdi) */
		assert_int_equal(s.rflags & FLAGS & ~RFLAGS_AF,
				 flags & ~RFLAGS_AF);
	}
}

static void emulate_test_exchanges(void **state)
{
	s.gpr[GPR_RDI] = DEVICE;
	set_dev64(0, 0x1111111122222222);
	s.gpr[GPR_RBX] = 0xaaaaaaaabbbbbbbb;
	DONE(0x87, 0x1f); /* xchg */
	assert_int_equal(s.gpr[GPR_RBX], 0x22222222);
	assert_int_equal(dev64(0), 0x11111111bbbbbbbb);
	DONE(0xf0, 0x0f, 0xc1, 0x1f); /* lock xadd */
	assert_int_equal(dev64(0), 0x11111111dddddddd);
	assert_int_equal(s.gpr[GPR_RBX], 0xbbbbbbbb);
	assert_true(s.rflags & RFLAGS_SF);
	/* cmpxchg: differs, then equals. */
	s.gpr[GPR_RAX] = 0x1234;
	seen.writes = 0;
	DONE(0xf0, 0x0f, 0xb1, 0x1f);
	assert_int_equal(s.gpr[GPR_RAX], 0xdddddddd);
	assert_int_equal(dev64(0), 0x11111111dddddddd);
	assert_false(s.rflags & RFLAGS_ZF);
	DONE(0x0f, 0xb1, 0x1f);
	assert_int_equal(dev64(0), 0x11111111bbbbbbbb);
	assert_true(s.rflags & RFLAGS_ZF);
	/* On real hardware both write. */
	assert_int_equal(seen.writes, 2);
}

static void emulate_test_bits(void **state)
{
	s.gpr[GPR_RDI] = DEVICE + 0x20;
	set_dev64(0x20, 0x10);
	DONE(0x0f, 0xba, 0x27, 0x04); /* bt $4 */
	assert_true(s.rflags & RFLAGS_CF);
	DONE(0x0f, 0xba, 0x27, 0x25); /* bt $37: 37 % 32 = 5 */
	assert_false(s.rflags & RFLAGS_CF);
	DONE(0x0f, 0xba, 0x2f, 0x00); /* bts */
	assert_int_equal(dev64(0x20), 0x11);
	DONE(0xf0, 0x0f, 0xba, 0x37, 0x04); /* lock btr */
	assert_true(s.rflags & RFLAGS_CF);
	assert_int_equal(dev64(0x20), 0x01);
	DONE(0x48, 0x0f, 0xba, 0x3f, 0x3f); /* btc $63 */
	assert_int_equal(dev64(0x20), 0x8000000000000001);
	/* A register's bit offset goes beyond the operand, both ways. */
	s.gpr[GPR_RCX] = 32 * 3 + 7;
	DONE(0x0f, 0xab, 0x0f);
	assert_int_equal(seen.last_gpa, DEVICE + 0x2c);
	assert_int_equal(dev64(0x28), 0x8000000000);
	s.gpr[GPR_RCX] = (uint64_t)-1;
	DONE(0x48, 0x0f, 0xab, 0x0f);
	assert_int_equal(dev64(0x18), 1ull << 63);
	s.gpr[GPR_RCX] = (uint16_t)-16;
	DONE(0x66, 0x0f, 0xbb, 0x0f);
	assert_int_equal(seen.last_gpa, DEVICE + 0x1e);
	assert_int_equal(dev64(0x18), 1ull << 63 | 1ull << 48);
}

static void emulate_test_lock(void **state)
{
	s.gpr[GPR_RDI] = DEVICE;
	/* mov, cmp, test, bt, and a register as destination: #UD. */
	assert_int_equal(MMIO(0xf0, 0x89, 0x07), EMULATE_EXCEPTION);
	expect_exception(EXC_UD, 0);
	assert_int_equal(MMIO(0xf0, 0x39, 0x07), EMULATE_EXCEPTION);
	assert_int_equal(MMIO(0xf0, 0x83, 0x3f, 1), EMULATE_EXCEPTION);
	assert_int_equal(MMIO(0xf0, 0x03, 0x07), EMULATE_EXCEPTION);
	assert_int_equal(MMIO(0xf0, 0x85, 0x07), EMULATE_EXCEPTION);
	assert_int_equal(MMIO(0xf0, 0x0f, 0xba, 0x27, 1), EMULATE_EXCEPTION);
	assert_int_equal(MMIO(0xf0, 0xa4), EMULATE_EXCEPTION);
	assert_int_equal(seen.reads + seen.writes, 0);
	DONE(0xf0, 0x01, 0x07);
	DONE(0xf0, 0xf7, 0x17);
	DONE(0xf0, 0x87, 0x07);
}

/* An access over a page's end comes in pieces that devices understand. */
static void emulate_test_page_crossing(void **state)
{
	s.gpr[GPR_RDI] = DEVICE + 0xffd;
	s.gpr[GPR_RAX] = 0x8877665544332211;
	DONE(0x48, 0x89, 0x07);
	assert_int_equal(dev64(0xffd), 0x8877665544332211);
	assert_int_equal(seen.writes, 4); /* 2 + 1, 4 + 1 */
	DONE(0x48, 0x8b, 0x1f);
	assert_int_equal(s.gpr[GPR_RBX], 0x8877665544332211);
	assert_int_equal(seen.reads, 4);
	/* The second page faults: the first has seen nothing. */
	*entry(0x5008) = 0;
	seen.writes = 0;
	s.rip = CODE;
	assert_int_equal(MMIO(0x48, 0x89, 0x07), EMULATE_EXCEPTION);
	expect_exception(EXC_PF, 2);
	assert_int_equal(ctx.exc.address, DEVICE + 0x1000);
	assert_int_equal(seen.writes, 0);
	assert_int_equal(s.rip, CODE);
}

static void emulate_test_paging_faults(void **state)
{
	s.gpr[GPR_RDI] = DEVICE;
	*entry(0x5000) = DEVICE | 5; /* read-only */
	/* A read-modify-write must not read before it may write. */
	assert_int_equal(MMIO(0x01, 0x07), EMULATE_EXCEPTION);
	expect_exception(EXC_PF, 3);
	assert_int_equal(seen.reads, 0);
	DONE(0x39, 0x07); /* cmp only reads */
	s.cpl = 3;
	s.rip = CODE;
	assert_int_equal(MMIO(0x89, 0x07), EMULATE_EXCEPTION);
	expect_exception(EXC_PF, 7);
	*entry(0x5000) = DEVICE | 3; /* the kernel's */
	assert_int_equal(MMIO(0x8b, 0x07), EMULATE_EXCEPTION);
	expect_exception(EXC_PF, 5);
	/* Code that the guest may not execute is not executed for it. */
	*entry(0x3000) = 0x83;
	assert_int_equal(MMIO(0x8b, 0x07), EMULATE_EXCEPTION);
	expect_exception(EXC_PF, 0x15);
	assert_int_equal(ctx.exc.address, CODE);
	assert_int_equal(seen.reads, 1);
}

static void emulate_test_canonical(void **state)
{
	s.gpr[GPR_RDI] = 0x800000000000;
	assert_int_equal(MMIO(0x8b, 0x07), EMULATE_EXCEPTION);
	expect_exception(EXC_GP, 0);
	s.gpr[GPR_RDI] = 0x7ffffffffffe; /* its end is not canonical */
	assert_int_equal(MMIO(0x8b, 0x07), EMULATE_EXCEPTION);
	expect_exception(EXC_GP, 0);
	s.gpr[GPR_RBP] = 0x800000000000;
	assert_int_equal(MMIO(0x8b, 0x45, 0), EMULATE_EXCEPTION);
	expect_exception(EXC_SS, 0);
	/* Only FS and GS have a base. */
	s.seg[SEG_DS].base = 0x123;
	s.seg[SEG_GS].base = DEVICE - 8;
	s.gpr[GPR_RDI] = 16;
	DONE(0x65, 0x8b, 0x07);
	assert_int_equal(seen.last_gpa, DEVICE + 8);
	s.rip = 0x800000000000;
	assert_int_equal(run_at(CODE, EMULATE_MMIO, NULL, 0),
			 EMULATE_EXCEPTION);
	expect_exception(EXC_GP, 0);
}

static void emulate_test_segments(void **state)
{
	enter_32();
	s.gpr[GPR_RDI] = 0xffffffff00000010; /* the upper half is not seen */
	s.seg[SEG_DS].base = DEVICE;
	s.seg[SEG_DS].limit = 0x13;
	DONE(0x8b, 0x07);
	assert_int_equal(seen.last_gpa, DEVICE + 0x10);
	s.gpr[GPR_RDI] = 0x11;
	s.rip = CODE;
	assert_int_equal(MMIO(0x8b, 0x07), EMULATE_EXCEPTION);
	expect_exception(EXC_GP, 0);
	/* Expand-down: the valid part is above the limit. */
	s.seg[SEG_DS].attrib = 0xc97;
	s.gpr[GPR_RDI] = 0x13;
	assert_int_equal(MMIO(0x8b, 0x07), EMULATE_EXCEPTION);
	s.gpr[GPR_RDI] = 0x14;
	DONE(0x8b, 0x07);
	/* Read-only data, execute-only code, not present. */
	s.rip = CODE;
	s.seg[SEG_DS].limit = UINT32_MAX;
	s.seg[SEG_DS].attrib = 0xc91;
	assert_int_equal(MMIO(0x89, 0x07), EMULATE_EXCEPTION);
	expect_exception(EXC_GP, 0);
	DONE(0x8b, 0x07);
	s.rip = CODE;
	s.seg[SEG_DS].attrib = 0xc99;
	assert_int_equal(MMIO(0x8b, 0x07), EMULATE_EXCEPTION);
	s.seg[SEG_DS].attrib = 0xc9b;
	DONE(0x8b, 0x07);
	s.rip = CODE;
	assert_int_equal(MMIO(0x89, 0x07), EMULATE_EXCEPTION);
	s.seg[SEG_DS].attrib = 0xc13;
	assert_int_equal(MMIO(0x8b, 0x07), EMULATE_EXCEPTION);
	s.seg[SEG_SS].attrib = 0;
	assert_int_equal(MMIO(0x36, 0x8b, 0x07), EMULATE_EXCEPTION);
	expect_exception(EXC_SS, 0);
	/* The code segment's limit ends the instruction. */
	s.seg[SEG_CS].limit = CODE + 1;
	assert_int_equal(MMIO(0x36, 0x8b, 0x07), EMULATE_EXCEPTION);
	expect_exception(EXC_GP, 0);
	s.seg[SEG_CS].limit = CODE - 1;
	assert_int_equal(MMIO(0x36, 0x8b, 0x07), EMULATE_EXCEPTION);
	expect_exception(EXC_GP, 0);
}

static void emulate_test_real_mode(void **state)
{
	s.cr0 = 0;
	s.efer = s.cr4 = 0;
	s.seg[SEG_CS] = (struct segment){0x1000, 0x9b, 0xffff, 0x10000};
	s.seg[SEG_ES] = (struct segment){0, 0, 0xffff, DEVICE};
	s.rip = 0x200;
	s.gpr[GPR_RBX] = 0x10fff0; /* only BX counts */
	s.gpr[GPR_RSI] = 0x30;
	s.gpr[GPR_RAX] = 0xabcd;
	memcpy(ram + 0x10200, (uint8_t[]){0x26, 0x89, 0x40, 0xff}, 4);
	/* mov %ax,%es:-1(%bx,%si): 0xfff0 + 0x30 - 1 wraps to 0x1f */
	assert_int_equal(run_at(0x10200, EMULATE_MMIO, NULL, 0), EMULATE_DONE);
	assert_int_equal(seen.last_gpa, DEVICE + 0x1f);
	assert_int_equal(s.rip, 0x204);
	s.gpr[GPR_RSI] = 0x10;
	s.rip = 0x200;
	/* 0xffff: the word's second byte is beyond the limit. */
	assert_int_equal(run_at(0x10200, EMULATE_MMIO, NULL, 0),
			 EMULATE_EXCEPTION);
	expect_exception(EXC_GP, 0);
}

static void emulate_test_fetch(void **state)
{
	/* Split over two pages, the second of which is not there. */
	*entry(0x3000) = 0x6000 | 7;
	for (unsigned i = 0; i < 512; i++)
		*entry(0x6000 + 8 * i) = (i * 4096ull) | 7;
	s.gpr[GPR_RDI] = DEVICE;
	s.rip = CODE + 0xffe;
	memcpy(ram + s.rip, (uint8_t[]){0x89, 0x47, 0x10}, 3);
	assert_int_equal(run_at(0, EMULATE_MMIO, NULL, 0), EMULATE_DONE);
	assert_int_equal(s.rip, CODE + 0x1001);
	*entry(0x6000 + (CODE / 4096 + 1) * 8) = 0;
	s.rip = CODE + 0xffe;
	assert_int_equal(run_at(0, EMULATE_MMIO, NULL, 0), EMULATE_EXCEPTION);
	expect_exception(EXC_PF, 0x10);
	assert_int_equal(ctx.exc.address, CODE + 0x1000);
	/* It ends with the page: the next one is not needed. */
	s.rip = CODE + 0xffe;
	memcpy(ram + s.rip, (uint8_t[]){0x89, 0x07}, 2);
	assert_int_equal(run_at(0, EMULATE_MMIO, NULL, 0), EMULATE_DONE);
	/* Code in a device, VEX, nonsense, too long. */
	s.rip = DEVICE;
	assert_int_equal(run_at(0, EMULATE_MMIO, NULL, 0), EMULATE_UNHANDLED);
	assert_int_equal(seen.reads, 0);
	s.rip = CODE;
	assert_int_equal(MMIO(0xc5, 0xf8, 0x28, 0x07), EMULATE_UNHANDLED);
	assert_int_equal(MMIO(0x0f, 0x04), EMULATE_EXCEPTION);
	expect_exception(EXC_UD, 0);
	memset(ram + CODE, 0x66, 16);
	assert_int_equal(run_at(0, EMULATE_MMIO, NULL, 0), EMULATE_EXCEPTION);
	expect_exception(EXC_GP, 0);
	/* Bytes that the CPU delivered are the ones that count. */
	ctx = (struct emulate_ctx){.state = &s,
				   .mem = &mem,
				   .vcpu = &seen,
				   .bytes = {0x8b, 0x1f},
				   .count = 2};
	assert_int_equal(emulate_fetch(&ctx), EMULATE_DONE);
	assert_int_equal(ctx.insn.length, 2);
	ctx.bytes[0] = 0x81; /* there is more of it, in memory */
	ctx.count = 1;
	memcpy(ram + CODE, (uint8_t[]){0, 0x07, 1, 2, 3, 4}, 6);
	assert_int_equal(emulate_fetch(&ctx), EMULATE_DONE);
	assert_int_equal(ctx.insn.length, 6);
}

/* Bytes may change between exit and fetch: what the exit was not about is
 * left to the CPU. */
static void emulate_test_races(void **state)
{
	struct vcpu_state before;

	s.gpr[GPR_RDI] = s.gpr[GPR_RSI] = DATA;
	s.gpr[GPR_RDX] = 0x80;
	before = s;
	assert_int_equal(MMIO(0x89, 0x07), EMULATE_AGAIN); /* RAM */
	assert_int_equal(MMIO(0xf0, 0x01, 0x07), EMULATE_AGAIN);
	assert_int_equal(MMIO(0xa4), EMULATE_AGAIN);
	assert_int_equal(MMIO(0xee), EMULATE_AGAIN); /* a port */
	assert_int_equal(MMIO(0x6e), EMULATE_AGAIN);
	assert_int_equal(PIO(0x89, 0x07), EMULATE_AGAIN);
	assert_int_equal(PIO(0xa4), EMULATE_AGAIN);
	assert_memory_equal(&s, &before, sizeof(s));
	/* What it cannot do, it does not touch. */
	s.gpr[GPR_RDI] = DEVICE;
	before = s;
	assert_int_equal(PIO(0x89, 0x07), EMULATE_AGAIN);
	assert_int_equal(PIO(0xaa), EMULATE_AGAIN);
	assert_int_equal(MMIO(0xff, 0x17), EMULATE_UNHANDLED); /* call */
	assert_int_equal(MMIO(0xf7, 0x27), EMULATE_UNHANDLED); /* mul */
	assert_int_equal(MMIO(0x0f, 0x28, 0x07), EMULATE_UNHANDLED);
	assert_int_equal(MMIO(0xc6, 0x4f, 0, 0), EMULATE_UNHANDLED);
	assert_int_equal(MMIO(0x0f, 0xba, 0x07, 1), EMULATE_UNHANDLED);
	assert_int_equal(MMIO(0x66, 0x0f, 0xc3, 0x07), EMULATE_UNHANDLED);
	assert_int_equal(MMIO(0x66, 0x48, 0x0f, 0xc3, 0x07), EMULATE_UNHANDLED);
	assert_int_equal(MMIO(0xf2, 0x0f, 0xc3, 0x07), EMULATE_UNHANDLED);
	assert_int_equal(MMIO(0xf3, 0x48, 0x0f, 0xc3, 0x07), EMULATE_UNHANDLED);
	assert_int_equal(MMIO(0xf4), EMULATE_UNHANDLED);
	assert_int_equal(MMIO(0x89, 0xc0), EMULATE_UNHANDLED);
	assert_memory_equal(&s, &before, sizeof(s));
	assert_int_equal(seen.reads + seen.writes + seen.ins + seen.outs, 0);
}

static void emulate_test_strings(void **state)
{
	/* rep movsl from RAM to the device */
	for (unsigned i = 0; i < 100; i++)
		ram[DATA + i] = i;
	s.gpr[GPR_RSI] = DATA;
	s.gpr[GPR_RDI] = DEVICE;
	s.gpr[GPR_RCX] = 10;
	DONE(0xf3, 0xa5);
	assert_memory_equal(device, ram + DATA, 40);
	assert_int_equal(s.gpr[GPR_RCX], 0);
	assert_int_equal(s.gpr[GPR_RSI], DATA + 40);
	assert_int_equal(s.gpr[GPR_RDI], DEVICE + 40);
	assert_int_equal(seen.writes, 10);
	/* ... and back, downwards, one quadword, without rep */
	s.rflags |= RFLAGS_DF;
	s.gpr[GPR_RSI] = DEVICE;
	s.gpr[GPR_RDI] = DATA + 0x100;
	s.gpr[GPR_RCX] = 5;
	DONE(0x48, 0xa5);
	assert_memory_equal(ram + DATA + 0x100, device, 8);
	assert_int_equal(s.gpr[GPR_RCX], 5);
	assert_int_equal(s.gpr[GPR_RSI], DEVICE - 8);
	assert_int_equal(s.gpr[GPR_RDI], DATA + 0xf8);
	s.rflags &= ~RFLAGS_DF;
	/* stos and lods; repne counts as rep */
	s.gpr[GPR_RAX] = 0x4142434445464748;
	s.gpr[GPR_RDI] = DEVICE;
	s.gpr[GPR_RCX] = 3;
	DONE(0xf2, 0x66, 0xab);
	assert_int_equal(dev64(0) & 0xffffffffffff, 0x474847484748);
	s.gpr[GPR_RSI] = DEVICE + 1;
	DONE(0xac);
	assert_int_equal(s.gpr[GPR_RAX], 0x4142434445464747);
	DONE(0xad);
	assert_int_equal(s.gpr[GPR_RAX], 0x47484748);
	/* nothing to do */
	s.gpr[GPR_RCX] = 0;
	seen.writes = 0;
	DONE(0xf3, 0xaa);
	assert_int_equal(seen.writes, 0);
	/* 32-bit addresses wrap, and clear the upper halves */
	s.gpr[GPR_RCX] = 0xf00000001;
	s.gpr[GPR_RDI] = 0xf00000000 | DEVICE;
	DONE(0x67, 0xf3, 0xaa);
	assert_int_equal(s.gpr[GPR_RCX], 0);
	assert_int_equal(s.gpr[GPR_RDI], DEVICE + 1);
}

static void emulate_test_string_budget(void **state)
{
	unsigned calls = 1;

	s.gpr[GPR_RDI] = DEVICE;
	s.gpr[GPR_RCX] = 1000;
	s.gpr[GPR_RAX] = 0x5a;
	while (MMIO(0xf3, 0xaa) == EMULATE_AGAIN) {
		assert_int_equal(s.rip, CODE);
		assert_int_equal(seen.writes, calls * EMULATE_REP_MAX);
		assert_int_equal(s.gpr[GPR_RCX], 1000 - seen.writes);
		calls++;
	}
	assert_int_equal(calls, 1000 / EMULATE_REP_MAX + 1);
	assert_int_equal(seen.writes, 1000);
	assert_int_equal(s.rip, CODE + 2);
}

/* From the device into RAM: the CPU goes on, from where it got to. */
static void emulate_test_string_leaves_device(void **state)
{
	*entry(0x5008) = DATA | 7; /* after the device, RAM */
	s.gpr[GPR_RDI] = DEVICE + 0xffc;
	s.gpr[GPR_RCX] = 100;
	assert_int_equal(MMIO(0xf3, 0xaa), EMULATE_AGAIN);
	assert_int_equal(seen.writes, 4);
	assert_int_equal(s.gpr[GPR_RCX], 96);
	assert_int_equal(s.rip, CODE);
	/* Or a fault: what was done is done. */
	*entry(0x5008) = 0;
	s.gpr[GPR_RDI] = DEVICE + 0xffe;
	assert_int_equal(MMIO(0xf3, 0xaa), EMULATE_EXCEPTION);
	expect_exception(EXC_PF, 2);
	assert_int_equal(seen.writes, 6);
	assert_int_equal(s.gpr[GPR_RCX], 94);
	assert_int_equal(s.gpr[GPR_RDI], DEVICE + 0x1000);
	assert_int_equal(s.rip, CODE);
}

static void emulate_test_ports(void **state)
{
	s.gpr[GPR_RAX] = 0x1122334455667788;
	s.gpr[GPR_RDX] = 0xfff03f8; /* only DX counts */
	assert_int_equal(PIO(0xee), EMULATE_DONE);
	assert_int_equal(seen.last_port, 0x3f8);
	assert_int_equal(seen.last_value, 0x88);
	s.rip = CODE;
	assert_int_equal(PIO(0xe7, 0xf0), EMULATE_DONE);
	assert_int_equal(seen.last_port, 0xf0);
	assert_int_equal(seen.last_value, 0x55667788);
	s.rip = CODE;
	assert_int_equal(PIO(0xe4, 0x60), EMULATE_DONE);
	assert_int_equal(s.gpr[GPR_RAX], 0x1122334455667701);
	s.rip = CODE;
	assert_int_equal(PIO(0x66, 0xed), EMULATE_DONE);
	assert_int_equal(s.gpr[GPR_RAX], 0x112233445566be02);
	s.rip = CODE;
	assert_int_equal(PIO(0x48, 0xed), EMULATE_DONE);
	assert_int_equal(s.gpr[GPR_RAX], 0xdeadbe03);
	assert_int_equal(s.rip, CODE + 2);
	/* ins and outs */
	s.rip = CODE;
	s.gpr[GPR_RDI] = DATA;
	s.gpr[GPR_RCX] = 2;
	assert_int_equal(PIO(0xf3, 0x6d), EMULATE_DONE);
	assert_memory_equal(ram + DATA, ((uint32_t[]){0xdeadbe04, 0xdeadbe05}),
			    8);
	s.rip = CODE;
	s.gpr[GPR_RSI] = DATA + 4;
	assert_int_equal(PIO(0x66, 0x6f), EMULATE_DONE);
	assert_int_equal(seen.last_value, 0xbe05);
	assert_int_equal(s.gpr[GPR_RSI], DATA + 6);
	/* A destination that faults: the port is not read. */
	s.rip = CODE;
	s.gpr[GPR_RDI] = MiB(512);
	seen.ins = 0;
	assert_int_equal(PIO(0x6c), EMULATE_EXCEPTION);
	expect_exception(EXC_PF, 2);
	assert_int_equal(seen.ins, 0);
}

static void emulate_test_port_rights(void **state)
{
	uint16_t map = 0x68;

	s.cpl = 3;
	s.gpr[GPR_RDX] = 0x3f8;
	assert_int_equal(PIO(0xee), EMULATE_EXCEPTION); /* no TSS */
	expect_exception(EXC_GP, 0);
	s.rflags |= 3 << 12;
	assert_int_equal(PIO(0xee), EMULATE_DONE);
	s.rip = CODE;
	s.rflags &= ~(3ull << 12);
	s.tr = (struct segment){0x28, 0x8b, 0x68 + 0x80, DATA};
	memcpy(ram + DATA + 0x66, &map, 2);
	/* Port 0x3f8 is bit 0 of byte 0x7f; the next byte is the last. */
	assert_int_equal(PIO(0xee), EMULATE_DONE);
	s.rip = CODE;
	ram[DATA + 0x68 + 0x7f] = 0x04;
	assert_int_equal(PIO(0x66, 0xef), EMULATE_DONE);
	s.rip = CODE;
	assert_int_equal(PIO(0xef), EMULATE_EXCEPTION); /* 4 ports */
	expect_exception(EXC_GP, 0);
	s.gpr[GPR_RDX] = 0x3fe;
	assert_int_equal(PIO(0xef), EMULATE_DONE); /* over two bytes */
	s.rip = CODE;
	ram[DATA + 0x68 + 0x80] = 0x01;
	assert_int_equal(PIO(0xef), EMULATE_EXCEPTION);
	ram[DATA + 0x68 + 0x80] = 0;
	s.tr.limit--;
	assert_int_equal(PIO(0xef), EMULATE_EXCEPTION);
	/* The bitmap is the kernel's memory: its rights do not matter. */
	s.tr.limit++;
	*entry(0x3000) = 0x6000 | 7;
	for (unsigned i = 0; i < 512; i++)
		*entry(0x6000 + 8 * i) =
			(i * 4096ull) | (i == DATA / 4096 ? 3 : 7);
	assert_int_equal(PIO(0xef), EMULATE_DONE);
	s.rip = CODE;
	map = 0xffff;
	memcpy(ram + DATA + 0x66, &map, 2);
	assert_int_equal(PIO(0xef), EMULATE_EXCEPTION);
	assert_int_equal(PIO(0xf3, 0x6e), EMULATE_EXCEPTION);
	expect_exception(EXC_GP, 0);
}

static void emulate_test_single_step(void **state)
{
	s.gpr[GPR_RDI] = DEVICE;
	s.rflags |= RFLAGS_RF;
	DONE(0x89, 0x07);
	assert_false(s.rflags & RFLAGS_RF);
	/* Under TF one iteration is a step; the caller traps after it. */
	s.rflags |= RFLAGS_TF | RFLAGS_RF;
	s.rip = CODE;
	s.gpr[GPR_RCX] = 2;
	seen.writes = 0;
	assert_int_equal(MMIO(0xf3, 0xaa), EMULATE_DONE);
	assert_int_equal(s.rip, CODE);
	assert_int_equal(s.gpr[GPR_RCX], 1);
	assert_int_equal(seen.writes, 1);
	assert_int_equal(MMIO(0xf3, 0xaa), EMULATE_DONE);
	assert_int_equal(s.rip, CODE + 2);
	assert_int_equal(seen.writes, 2);
	assert_false(s.rflags & RFLAGS_RF);
	assert_true(s.rflags & RFLAGS_TF);
}

static void emulate_test_rip_wraps(void **state)
{
	enter_32();
	s.gpr[GPR_RDI] = DEVICE;
	/* CS base takes EIP 0xfffffffe to CODE. */
	s.seg[SEG_CS].base = CODE + 2;
	s.rip = 0xfffffffe;
	assert_int_equal(run_at(CODE, EMULATE_MMIO, BYTES(0x89, 0x07)),
			 EMULATE_DONE);
	assert_int_equal(s.rip, 0);
}

#define TEST(name) cmocka_unit_test_setup(name, setup)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(emulate_test_moves),
		TEST(emulate_test_extending_loads),
		TEST(emulate_test_alu_flags),
		TEST(emulate_test_alu_forms),
		TEST(emulate_test_unary),
		TEST(emulate_test_exchanges),
		TEST(emulate_test_bits),
		TEST(emulate_test_lock),
		TEST(emulate_test_page_crossing),
		TEST(emulate_test_paging_faults),
		TEST(emulate_test_canonical),
		TEST(emulate_test_segments),
		TEST(emulate_test_real_mode),
		TEST(emulate_test_fetch),
		TEST(emulate_test_races),
		TEST(emulate_test_strings),
		TEST(emulate_test_string_budget),
		TEST(emulate_test_string_leaves_device),
		TEST(emulate_test_ports),
		TEST(emulate_test_port_rights),
		TEST(emulate_test_single_step),
		TEST(emulate_test_rip_wraps),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
