/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Patterns for registers, and what became of them. */
#include "tests/guest/switched_state/state.h"

#include <string.h>

#include "tests/guest/lib/x86.h"

#define CR4_OSXSAVE	(1ull << 18)
#define XCR0_X87_SSE	3u
#define XCR0_AVX	4u
#define CPUID1_ECX_AVX	(1u << 28)
#define CPUS		2

/* The XSAVE area (Intel SDM 1, 13.4): offsets of what is compared. */
#define AREA_SIZE	2048
#define AREA_FCW	0
#define AREA_FSW	2
#define AREA_FTW	4
#define AREA_MXCSR	24
#define AREA_ST(i)	(32 + 16 * (i))
#define AREA_XMM	160
#define AREA_XMM_SIZE	256
#define AREA_XSTATE_BV	512
#define ST_SIZE		10
/* CPUID 0xd, subleaf 2, says where the upper halves of YMM are. */
#define AREA_YMM_SIZE	256

#define FCW_FIXED	0x037f /* exceptions masked, 64-bit precision */
#define FCW_ROUNDING(n) (((n)&3) << 10)
#define FSW_TOP(n)	(((n)&7) << 11)
#define MXCSR_FIXED	0x1f80u /* exceptions masked */
#define MXCSR_FREE	0x603fu /* rounding, sticky flags */

#define DR7_FIXED	0x400u
#define DR7_FREE	0xffff0000u /* conditions; nothing is turned on */

struct area {
	uint8_t bytes[AREA_SIZE];
} __attribute__((aligned(64)));

static struct area loaded[CPUS], found[CPUS];
static uint32_t mask, ymm_at;

const char *const state_names[STATE_PARTS] = {
	[STATE_X87] = "x87 registers, control and status word",
	[STATE_XMM] = "XMM registers",
	[STATE_MXCSR] = "MXCSR",
	[STATE_YMM] = "upper halves of the YMM registers",
	[STATE_XCR0] = "XCR0",
	[STATE_DR] = "DR0 to DR3 and DR7",
	[STATE_CR2] = "CR2",
	[STATE_CR8] = "CR8",
	[STATE_TSC_AUX] = "TSC_AUX",
	[STATE_RDTSCP] = "TSC_AUX by RDTSCP",
	[STATE_BASES] = "FS, GS and kernel GS base",
	[STATE_SYSCALL] = "STAR, LSTAR, CSTAR, SFMASK",
	[STATE_SYSENTER] = "SYSENTER_CS, ESP, EIP",
};

/* MSRs, and which bits may have any value. */
enum state_kind {
	KIND_ADDRESS, /* canonical */
	KIND_32,
	KIND_16,
	KIND_64,
};

static const struct state_msr {
	uint32_t number;
	enum state_part part;
	enum state_kind kind;
} msrs[] = {
	{0x174, STATE_SYSENTER, KIND_16},
	{0x175, STATE_SYSENTER, KIND_ADDRESS},
	{0x176, STATE_SYSENTER, KIND_ADDRESS},
	{0xc0000081, STATE_SYSCALL, KIND_64},
	{0xc0000082, STATE_SYSCALL, KIND_ADDRESS},
	{0xc0000083, STATE_SYSCALL, KIND_ADDRESS},
	{0xc0000084, STATE_SYSCALL, KIND_32},
	{0xc0000100, STATE_BASES, KIND_ADDRESS},
	{0xc0000101, STATE_BASES, KIND_ADDRESS},
	{0xc0000102, STATE_BASES, KIND_ADDRESS},
	{0xc0000103, STATE_TSC_AUX, KIND_32},
};

/* A number that no other seed and index give (splitmix64). */
static uint64_t pattern(uint64_t seed, unsigned index)
{
	uint64_t z = seed + (index + 1) * 0x9e3779b97f4a7c15ull;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ull;
	z = (z ^ z >> 27) * 0x94d049bb133111ebull;
	return z ^ z >> 31;
}

static uint64_t msr_pattern(uint64_t seed, unsigned index)
{
	uint64_t value = pattern(seed, 1000 + index);

	switch (msrs[index].kind) {
	case KIND_ADDRESS: /* the lower half */
		return value >> 17;
	case KIND_32:
		return value >> 32;
	case KIND_16:
		return value >> 48;
	case KIND_64:
		break;
	}
	return value;
}

static void xsetbv(uint32_t value)
{
	__asm__ volatile("xsetbv" ::"c"(0), "a"(value), "d"(0));
}

static uint32_t xgetbv(void)
{
	uint32_t lo, hi;

	__asm__ volatile("xgetbv" : "=a"(lo), "=d"(hi) : "c"(0));
	return lo;
}

/* With some seeds AVX is off while others run: its registers must keep their
 * values, though their owner could not save them. */
static uint32_t xcr0_pattern(uint64_t seed)
{
	return seed & 1 ? mask : XCR0_X87_SSE;
}

static void put(struct area *area, unsigned at, unsigned size, uint64_t value)
{
	memcpy(area->bytes + at, &value, size);
}

static void area_make(struct area *area, uint64_t seed)
{
	memset(area, 0, sizeof(*area));
	put(area, AREA_FCW, 2, FCW_FIXED | FCW_ROUNDING(seed));
	put(area, AREA_FSW, 2, FSW_TOP(seed));
	put(area, AREA_FTW, 1, 0xff); /* none empty */
	put(area, AREA_MXCSR, 4, MXCSR_FIXED | (pattern(seed, 0) & MXCSR_FREE));
	for (unsigned i = 0; i < 8; i++) {
		put(area, AREA_ST(i), 8, pattern(seed, 1 + i) | 1ull << 63);
		put(area, AREA_ST(i) + 8, 2, 0x3fff);
	}
	for (unsigned i = 0; i < AREA_XMM_SIZE / 8; i++)
		put(area, AREA_XMM + 8 * i, 8, pattern(seed, 16 + i));
	for (unsigned i = 0; mask & XCR0_AVX && i < AREA_YMM_SIZE / 8; i++)
		put(area, ymm_at + 8 * i, 8, pattern(seed, 64 + i));
	put(area, AREA_XSTATE_BV, 8, mask);
}

static bool same(const struct area *a, const struct area *b, unsigned at,
		 unsigned size)
{
	for (unsigned i = at; i < at + size; i++)
		if (a->bytes[i] != b->bytes[i])
			return false;
	return true;
}

static bool same_x87(const struct area *a, const struct area *b)
{
	bool ok = same(a, b, AREA_FCW, 2) && same(a, b, AREA_FSW, 2) &&
		  same(a, b, AREA_FTW, 1);

	for (unsigned i = 0; i < 8; i++)
		ok = ok && same(a, b, AREA_ST(i), ST_SIZE);
	return ok;
}

void state_init_cpu(void)
{
	x86_write_cr4(x86_read_cr4() | CR4_OSXSAVE);
	mask = XCR0_X87_SSE;
	if (x86_cpuid(1, 0).ecx & CPUID1_ECX_AVX) {
		mask |= XCR0_AVX;
		ymm_at = x86_cpuid(0xd, 2).ebx;
	}
}

static void dr_load(uint64_t seed)
{
	x86_write_dr0(pattern(seed, 200) >> 17);
	x86_write_dr1(pattern(seed, 201) >> 17);
	x86_write_dr2(pattern(seed, 202) >> 17);
	x86_write_dr3(pattern(seed, 203) >> 17);
	x86_write_dr7(DR7_FIXED | (pattern(seed, 204) & DR7_FREE));
}

static bool dr_same(uint64_t seed)
{
	return x86_read_dr0() == pattern(seed, 200) >> 17 &&
	       x86_read_dr1() == pattern(seed, 201) >> 17 &&
	       x86_read_dr2() == pattern(seed, 202) >> 17 &&
	       x86_read_dr3() == pattern(seed, 203) >> 17 &&
	       x86_read_dr7() == (DR7_FIXED | (pattern(seed, 204) & DR7_FREE));
}

void state_load(unsigned cpu, uint64_t seed)
{
	xsetbv(mask);
	area_make(&loaded[cpu], seed);
	__asm__ volatile("xrstor64 %0" ::"m"(loaded[cpu]), "a"(mask), "d"(0));
	xsetbv(xcr0_pattern(seed));
	dr_load(seed);
	x86_write_cr2(pattern(seed, 300));
	x86_write_cr8(seed & 3); /* below the timer's vector */
	for (unsigned i = 0; i < ARRAY_SIZE(msrs); i++)
		x86_wrmsr(msrs[i].number, msr_pattern(seed, i));
}

static uint32_t rdtscp_aux(void)
{
	uint32_t lo, hi, aux;

	__asm__ volatile("rdtscp" : "=a"(lo), "=d"(hi), "=c"(aux));
	return aux;
}

void state_compare(unsigned cpu, uint64_t seed,
		   volatile unsigned differs[STATE_PARTS])
{
	const struct area *want = &loaded[cpu], *got = &found[cpu];

	differs[STATE_XCR0] += xgetbv() != xcr0_pattern(seed);
	xsetbv(mask);
	__asm__ volatile("xsave64 %0" : "+m"(found[cpu]) : "a"(mask), "d"(0));
	differs[STATE_X87] += !same_x87(want, got);
	differs[STATE_XMM] += !same(want, got, AREA_XMM, AREA_XMM_SIZE);
	differs[STATE_MXCSR] += !same(want, got, AREA_MXCSR, 4);
	if (mask & XCR0_AVX)
		differs[STATE_YMM] += !same(want, got, ymm_at, AREA_YMM_SIZE);
	differs[STATE_DR] += !dr_same(seed);
	differs[STATE_CR2] += x86_read_cr2() != pattern(seed, 300);
	differs[STATE_CR8] += x86_read_cr8() != (seed & 3);
	for (unsigned i = 0; i < ARRAY_SIZE(msrs); i++) {
		uint64_t value = msr_pattern(seed, i);

		differs[msrs[i].part] += x86_rdmsr(msrs[i].number) != value;
		if (msrs[i].part == STATE_TSC_AUX)
			differs[STATE_RDTSCP] += rdtscp_aux() != value;
	}
}
