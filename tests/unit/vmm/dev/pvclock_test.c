/* SPDX-License-Identifier: GPL-2.0-or-later */
/* vmm/dev/pvclock.c, read as a guest reads it. */
#include "vmm/dev/pvclock.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>

#define RAM 0x4000

static uint8_t ram[RAM] __attribute__((aligned(16)));
static struct guest_mem mem;
static struct pvclock_base base;
static struct pvclock clock_;

static int setup(void **state)
{
	memset(&mem, 0, sizeof(mem));
	memset(ram, 0xa5, sizeof(ram));
	base = (struct pvclock_base){
		.tsc = 1000000,
		.wall_seconds = 1700000000,
		.tsc_khz = 2600000,
		.tsc_stable = true,
	};
	guest_mem_add(&mem, GPA(0), RAM, ram);
	pvclock_init(&clock_, &mem, &base);
	return 0;
}

/* The guest's arithmetic: Linux, arch/x86/include/asm/pvclock.h. */
static uint64_t guest_ns(const struct pvclock_vcpu_time_info *info,
			 uint64_t tsc)
{
	uint64_t delta = tsc - info->tsc_timestamp;

	if (info->tsc_shift < 0)
		delta >>= -info->tsc_shift;
	else
		delta <<= info->tsc_shift;
	return info->system_time +
	       (uint64_t)((unsigned __int128)delta * info->tsc_to_system_mul >>
			  32);
}

static struct pvclock_vcpu_time_info info_at(uint64_t gpa)
{
	struct pvclock_vcpu_time_info info;

	memcpy(&info, ram + gpa, sizeof(info));
	return info;
}

static void test_scale(void **state)
{
	static const uint32_t khzs[] = {
		1,	 1000,	  999999,  1000000, 1000001,	1193182,
		2600000, 2999999, 4000000, 5123456, 0x7fffffff, 0xffffffff};

	for (unsigned i = 0; i < sizeof(khzs) / sizeof(khzs[0]); i++) {
		struct pvclock_vcpu_time_info info = {0};
		uint64_t ns;

		pvclock_scale(khzs[i], &info.tsc_to_system_mul,
			      &info.tsc_shift);
		/* All 31 bits are used. */
		assert_true(info.tsc_to_system_mul >= 1u << 31);
		/* After an hour it is off by two in 2^32 at most. */
		ns = guest_ns(&info, khzs[i] * 3600000ull);
		assert_in_range(ns, 3600000000000ull - 1700, 3600000000000ull);
	}
}

static void test_system_time(void **state)
{
	struct pvclock_vcpu_time_info info;
	uint64_t value;

	assert_int_equal(
		pvclock_msr_write(&clock_, MSR_KVM_SYSTEM_TIME, 0x1001), 0);
	info = info_at(0x1000);
	assert_int_equal(info.version & 1, 0);
	assert_int_not_equal(info.version, 0);
	assert_int_equal(info.flags, PVCLOCK_TSC_STABLE);
	assert_int_equal(info.tsc_timestamp, 1000000);
	assert_int_equal(guest_ns(&info, 1000000), 0);
	assert_in_range(guest_ns(&info, 1000000 + 2600000), 999999, 1000000);
	assert_int_equal(ram[0x1020], 0xa5); /* no more than its 32 bytes */
	assert_int_equal(ram[0xfff], 0xa5);
	assert_int_equal(
		pvclock_msr_read(&clock_, MSR_KVM_SYSTEM_TIME_OLD, &value), 0);
	assert_int_equal(value, 0x1001);

	/* Off: not touched any more. */
	assert_int_equal(
		pvclock_msr_write(&clock_, MSR_KVM_SYSTEM_TIME_OLD, 0x1000), 0);
	memset(ram, 0xa5, sizeof(ram));
	pvclock_tsc_moved(&clock_, 5);
	assert_int_equal(ram[0x1000], 0xa5);
}

/* Each update has a new even version; time goes on where it was. */
static void test_tsc_moved(void **state)
{
	struct pvclock_vcpu_time_info before, after;

	pvclock_msr_write(&clock_, MSR_KVM_SYSTEM_TIME, 0x2001);
	before = info_at(0x2000);
	pvclock_tsc_moved(&clock_, 0 - 400000ull);
	after = info_at(0x2000);
	assert_true(after.version > before.version);
	assert_int_equal(after.version & 1, 0);
	assert_int_equal(guest_ns(&before, 90000000),
			 guest_ns(&after, 90000000 - 400000));
}

static void test_unstable(void **state)
{
	base.tsc_stable = false;
	pvclock_msr_write(&clock_, MSR_KVM_SYSTEM_TIME_OLD, 0x1001);
	assert_int_equal(info_at(0x1000).flags, 0);
}

static void test_wall_clock(void **state)
{
	struct pvclock_wall_clock wall;
	uint64_t value;

	assert_int_equal(pvclock_msr_write(&clock_, MSR_KVM_WALL_CLOCK, 0x3000),
			 0);
	memcpy(&wall, ram + 0x3000, sizeof(wall));
	assert_int_equal(wall.version & 1, 0);
	assert_int_equal(wall.sec, 1700000000);
	assert_int_equal(wall.nsec, 0);
	assert_int_equal(ram[0x300c], 0xa5);
	assert_int_equal(
		pvclock_msr_write(&clock_, MSR_KVM_WALL_CLOCK_OLD, RAM - 12),
		0);
	assert_int_equal(pvclock_msr_read(&clock_, MSR_KVM_WALL_CLOCK, &value),
			 0);
	assert_int_equal(value, RAM - 12);
}

static void test_bad_addresses(void **state)
{
	static const uint64_t times[] = {RAM | 1,	  (RAM - 28) | 1,
					 0x1003,	  UINT64_MAX,
					 ~0ull << 12 | 1, 1ull << 63 | 1};
	static const uint64_t walls[] = {RAM - 8, RAM, 0x1001, UINT64_MAX};
	uint64_t value;

	for (unsigned i = 0; i < sizeof(times) / sizeof(times[0]); i++)
		assert_int_equal(pvclock_msr_write(&clock_, MSR_KVM_SYSTEM_TIME,
						   times[i]),
				 -EPERM);
	for (unsigned i = 0; i < sizeof(walls) / sizeof(walls[0]); i++)
		assert_int_equal(pvclock_msr_write(&clock_, MSR_KVM_WALL_CLOCK,
						   walls[i]),
				 -EPERM);
	for (unsigned i = 0; i < RAM; i++)
		assert_int_equal(ram[i], 0xa5);
	assert_int_equal(pvclock_msr_read(&clock_, 0x4b564d02, &value), -EPERM);
	assert_int_equal(pvclock_msr_write(&clock_, 0x10, 1), -EPERM);
}

static void test_reset(void **state)
{
	uint64_t value;

	pvclock_msr_write(&clock_, MSR_KVM_SYSTEM_TIME, 0x1001);
	pvclock_reset(&clock_);
	memset(ram, 0xa5, sizeof(ram));
	pvclock_tsc_moved(&clock_, 0);
	assert_int_equal(ram[0x1000], 0xa5);
	pvclock_msr_read(&clock_, MSR_KVM_SYSTEM_TIME, &value);
	assert_int_equal(value, 0);
}

#define TEST(name) cmocka_unit_test_setup(name, setup)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_scale),      TEST(test_system_time),
		TEST(test_tsc_moved),  TEST(test_unstable),
		TEST(test_wall_clock), TEST(test_bad_addresses),
		TEST(test_reset),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
