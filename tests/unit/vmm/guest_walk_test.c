/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Page-table walks in every paging mode, and the page faults they give. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <linux/errno.h>

#include "vmm/guest_walk.h"

#define RAM_SIZE MiB(4)
#define P	 1ull
#define W	 2ull
#define U	 4ull
#define A	 0x20ull
#define D	 0x40ull
#define PS	 0x80ull
#define NX	 (1ull << 63)

static _Alignas(4096) uint8_t ram[RAM_SIZE];
static struct guest_mem mem;
static struct vcpu_state s;
static struct exception exc;

static uint64_t *entry64(uint64_t gpa)
{
	return (uint64_t *)(ram + gpa);
}

static uint32_t *entry32(uint64_t gpa)
{
	return (uint32_t *)(ram + gpa);
}

static int setup(void **state)
{
	memset(ram, 0, sizeof(ram));
	mem = (struct guest_mem){0};
	assert_int_equal(guest_mem_add(&mem, GPA(0), RAM_SIZE, ram), 0);
	s = (struct vcpu_state){
		.cr0 = CR0_PE | CR0_PG | CR0_WP,
		.cr3 = 0x1000,
		.cr4 = CR4_PAE | CR4_PSE,
		.efer = EFER_LME | EFER_LMA | EFER_NXE,
		.rflags = RFLAGS_FIXED,
	};
	exc = (struct exception){0};
	return 0;
}

/* Maps 0x7f0000123000 to 0x200000 + ..., by a 4 KiB page. */
#define LINEAR 0x7f0000123000ull
static uint64_t *map_4level(uint64_t flags)
{
	uint64_t *pte = entry64(0x4000 + (LINEAR >> 12 & 0x1ff) * 8);

	*entry64(0x1000 + (LINEAR >> 39 & 0x1ff) * 8) = 0x2000 | P | W | U;
	*entry64(0x2000 + (LINEAR >> 30 & 0x1ff) * 8) = 0x3000 | P | W | U;
	*entry64(0x3000 + (LINEAR >> 21 & 0x1ff) * 8) = 0x4000 | P | W | U;
	*pte = 0x200000 | flags;
	return pte;
}

static void expect_gpa(uint64_t linear, unsigned access, uint64_t gpa)
{
	gpa_t out = GPA(0);

	assert_int_equal(guest_walk(&s, &mem, linear, access, &out, &exc), 0);
	assert_int_equal(out.v, gpa);
}

static void expect_fault(uint64_t linear, unsigned access, uint32_t error)
{
	gpa_t out = GPA(0x55);

	assert_int_equal(guest_walk(&s, &mem, linear, access, &out, &exc),
			 -EFAULT);
	assert_int_equal(exc.vector, EXC_PF);
	assert_true(exc.has_error);
	assert_int_equal(exc.error, error);
	assert_int_equal(exc.address, linear);
	assert_int_equal(out.v, 0x55);
}

static void guest_walk_test_off(void **state)
{
	s.cr0 = CR0_PE;
	s.efer = 0;
	expect_gpa(0x12345678, GUEST_WRITE, 0x12345678);
	expect_gpa(0x512345678, GUEST_READ, 0x12345678);
}

static void guest_walk_test_4level(void **state)
{
	uint64_t *pte = map_4level(P | W | U);

	expect_gpa(LINEAR + 0xabc, GUEST_READ, 0x200abc);
	assert_int_equal(*pte, 0x200000 | P | W | U | A);
	expect_gpa(LINEAR + 0xabc, GUEST_WRITE, 0x200abc);
	assert_int_equal(*pte, 0x200000 | P | W | U | A | D);
	/* The levels above are accessed, never dirty. */
	assert_int_equal(*entry64(0x3000), 0x4000 | P | W | U | A);
	expect_fault(LINEAR + 0x1000, GUEST_READ, 0);
	expect_fault(LINEAR + 0x1000, GUEST_WRITE, 2);
	expect_fault(LINEAR + 0x1000, GUEST_FETCH, 0x10);
	s.cpl = 3;
	expect_fault(LINEAR + 0x1000, GUEST_FETCH, 0x14);
	expect_fault(LINEAR + 0x1000, GUEST_READ | GUEST_IMPLICIT, 0);
	/* Without NX and SMEP the fetch is not told apart. */
	s.efer &= ~EFER_NXE;
	expect_fault(LINEAR + 0x1000, GUEST_FETCH, 4);
}

static void guest_walk_test_large(void **state)
{
	*entry64(0x1000) = 0x2000 | P | W;
	*entry64(0x2000) = 0x3000 | P | W;
	*entry64(0x2008) = 0x40000000 | P | W | PS;
	*entry64(0x3008) = 0xc0200000 | P | PS;
	expect_gpa(0x212345, GUEST_READ, 0xc0212345);
	expect_gpa(0x7fffffff, GUEST_WRITE, 0x7fffffff);
	assert_int_equal(*entry64(0x2008), 0x40000000 | P | W | PS | A | D);
	expect_fault(0x212345, GUEST_WRITE, 3);
	/* Address bits below the page's size are reserved, PAT is not. */
	*entry64(0x3008) = 0xc0201000 | P | PS;
	expect_gpa(0x200000, GUEST_READ, 0xc0200000);
	*entry64(0x3008) = 0xc0202000 | P | PS;
	expect_fault(0x200000, GUEST_READ, 9);
	*entry64(0x2008) = 0x40200000 | P | PS;
	expect_fault(0x40000000, GUEST_READ, 9);
	*entry64(0x1000) = 0x2000 | P | W | PS;
	expect_fault(0x40000000, GUEST_READ, 9);
}

static void guest_walk_test_rights(void **state)
{
	uint64_t *pte = map_4level(P | U);

	/* Read-only: WP decides for the supervisor. */
	expect_fault(LINEAR, GUEST_WRITE, 3);
	s.cr0 &= ~CR0_WP;
	expect_gpa(LINEAR, GUEST_WRITE, 0x200000);
	s.cpl = 3;
	expect_fault(LINEAR, GUEST_WRITE, 7);
	expect_gpa(LINEAR, GUEST_READ, 0x200000);
	expect_gpa(LINEAR, GUEST_FETCH, 0x200000);
	/* Supervisor page. */
	*pte = 0x200000 | P | W;
	expect_fault(LINEAR, GUEST_READ, 5);
	expect_gpa(LINEAR, GUEST_READ | GUEST_IMPLICIT, 0x200000);
	/* One level suffices to take a right away. */
	*pte = 0x200000 | P | W | U;
	*entry64(0x3000) &= ~U;
	expect_fault(LINEAR, GUEST_READ, 5);
	*entry64(0x3000) = 0x4000 | P | U;
	expect_fault(LINEAR, GUEST_WRITE, 7);
	*entry64(0x3000) |= NX;
	expect_fault(LINEAR, GUEST_FETCH, 0x15);
	expect_gpa(LINEAR, GUEST_READ, 0x200000);
	/* NX without EFER.NXE is a reserved bit. */
	s.efer &= ~EFER_NXE;
	expect_fault(LINEAR, GUEST_READ, 0xd);
}

static void guest_walk_test_smep_smap(void **state)
{
	map_4level(P | W | U);
	expect_gpa(LINEAR, GUEST_FETCH, 0x200000);
	s.cr4 |= CR4_SMEP;
	expect_fault(LINEAR, GUEST_FETCH, 0x11);
	expect_gpa(LINEAR, GUEST_READ, 0x200000);
	s.cr4 |= CR4_SMAP;
	expect_fault(LINEAR, GUEST_READ, 1);
	expect_fault(LINEAR, GUEST_WRITE, 3);
	s.rflags |= RFLAGS_AC;
	expect_gpa(LINEAR, GUEST_WRITE, 0x200000);
	expect_fault(LINEAR, GUEST_READ | GUEST_IMPLICIT, 1);
	s.cpl = 3;
	s.rflags &= ~RFLAGS_AC;
	expect_gpa(LINEAR, GUEST_WRITE, 0x200000);
	expect_gpa(LINEAR, GUEST_FETCH, 0x200000);
}

static void guest_walk_test_refused(void **state)
{
	gpa_t out;

	assert_int_equal(
		guest_walk(&s, &mem, 0x800000000000, GUEST_READ, &out, &exc),
		-EFAULT);
	assert_int_equal(exc.vector, EXC_GP);
	map_4level(P | W);
	s.cr4 |= CR4_LA57;
	exc = (struct exception){0};
	assert_int_equal(guest_walk(&s, &mem, LINEAR, GUEST_READ, &out, &exc),
			 -EFAULT);
	assert_int_equal(exc.vector, EXC_GP);
}

static void guest_walk_test_tables_not_in_ram(void **state)
{
	map_4level(P | W);
	*entry64(0x3000) = 0xfee00000 | P | W;
	expect_fault(LINEAR, GUEST_READ, 0);
	*entry64(0x3000) = 0x000ffffffffff000 | P | W;
	expect_fault(LINEAR, GUEST_READ, 0);
	s.cr3 = RAM_SIZE;
	expect_fault(LINEAR, GUEST_READ, 0);
}

static void guest_walk_test_32(void **state)
{
	s.efer = 0;
	s.cr4 = CR4_PSE;
	*entry32(0x1000 + 0x300 * 4) = 0x2000 | P | W | U;
	*entry32(0x2000 + 5 * 4) = 0x300000 | P | W;
	expect_gpa(0xc0005123, GUEST_WRITE, 0x300123);
	assert_int_equal(*entry32(0x2014), 0x300000 | P | W | A | D);
	assert_int_equal(*entry32(0x2018), 0);
	/* The linear address has 32 bits. */
	expect_gpa(0x1c0005123, GUEST_WRITE, 0x300123);
	expect_fault(0xc0006000, GUEST_FETCH, 0);
	s.cr4 |= CR4_SMEP;
	expect_fault(0xc0006000, GUEST_FETCH, 0x10);
	/* 4 MiB page, address bits 39:32 in 20:13. */
	*entry32(0x1004) = 0x00c00000 | 0x5u << 13 | P | PS;
	expect_gpa(0x00456789, GUEST_READ, 0x500c56789);
	*entry32(0x1004) |= 1u << 21;
	expect_fault(0x00400000, GUEST_READ, 9);
	/* Without PSE the bit means nothing. */
	s.cr4 = 0;
	*entry32(0x1004) = 0x2000 | P | PS;
	expect_gpa(0x00405000, GUEST_READ, 0x300000);
}

static void guest_walk_test_pae(void **state)
{
	s.efer = EFER_NXE;
	s.cr3 = 0x1020;
	*entry64(0x1020 + 3 * 8) = 0x2000 | P;
	*entry64(0x2000 + 1 * 8) = 0x3000 | P | W | U;
	*entry64(0x3000 + 2 * 8) = 0x300000 | P | W | U | NX;
	*entry64(0x2000 + 2 * 8) = 0x1234e00000 | P | W | PS;
	expect_gpa(0xc0202765, GUEST_WRITE, 0x300765);
	/* The PDPTE has no accessed bit. */
	assert_int_equal(*entry64(0x1038), 0x2000 | P);
	s.cpl = 3;
	expect_gpa(0xc0202765, GUEST_WRITE, 0x300765);
	expect_fault(0xc0202765, GUEST_FETCH, 0x15);
	s.cpl = 0;
	expect_gpa(0xc0412345, GUEST_READ, 0x1234e12345);
	*entry64(0x1038) |= W;
	expect_fault(0xc0202765, GUEST_READ, 9);
	*entry64(0x1038) = 0x2000 | P;
	*entry64(0x3010) |= 1ull << 52;
	expect_fault(0xc0202765, GUEST_READ, 9);
	expect_fault(0x00000000, GUEST_READ, 0);
}

static void guest_walk_test_linear_copies(void **state)
{
	uint8_t buf[64], pattern[64];
	uint64_t *pte = map_4level(P | W);
	int err;

	for (unsigned i = 0; i < sizeof(pattern); i++)
		pattern[i] = i + 1;
	pte[1] = 0x100000 | P | W; /* the next page lies elsewhere */
	err = guest_linear_write(&s, &mem, LINEAR + 0xfe0, 0, pattern, 64,
				 &exc);
	assert_int_equal(err, 0);
	assert_memory_equal(ram + 0x200fe0, pattern, 32);
	assert_memory_equal(ram + 0x100000, pattern + 32, 32);
	assert_true(pte[0] & D && pte[1] & D);
	err = guest_linear_read(&s, &mem, LINEAR + 0xfe0, GUEST_READ, buf, 64,
				&exc);
	assert_int_equal(err, 0);
	assert_memory_equal(buf, pattern, 64);

	/* The second page's fault has its own address; nothing is written. */
	pte[1] = 0x100000 | P;
	memset(ram + 0x200000, 0, 4096);
	err = guest_linear_write(&s, &mem, LINEAR + 0xfe0, 0, pattern, 64,
				 &exc);
	assert_int_equal(err, -EFAULT);
	assert_int_equal(exc.address, LINEAR + 0x1000);
	assert_int_equal(exc.error, 3);
	assert_int_equal(ram[0x200fe0], 0);

	pte[1] = 0xfee00000 | P | W;
	err = guest_linear_read(&s, &mem, LINEAR + 0xfe0, GUEST_READ, buf, 64,
				&exc);
	assert_int_equal(err, -ENXIO);
	err = guest_linear_read(&s, &mem, LINEAR, GUEST_READ, buf, 0, &exc);
	assert_int_equal(err, -EINVAL);
	err = guest_linear_read(&s, &mem, LINEAR, GUEST_READ, buf, 4097, &exc);
	assert_int_equal(err, -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(guest_walk_test_off, setup),
		cmocka_unit_test_setup(guest_walk_test_4level, setup),
		cmocka_unit_test_setup(guest_walk_test_large, setup),
		cmocka_unit_test_setup(guest_walk_test_rights, setup),
		cmocka_unit_test_setup(guest_walk_test_smep_smap, setup),
		cmocka_unit_test_setup(guest_walk_test_refused, setup),
		cmocka_unit_test_setup(guest_walk_test_tables_not_in_ram,
				       setup),
		cmocka_unit_test_setup(guest_walk_test_32, setup),
		cmocka_unit_test_setup(guest_walk_test_pae, setup),
		cmocka_unit_test_setup(guest_walk_test_linear_copies, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
