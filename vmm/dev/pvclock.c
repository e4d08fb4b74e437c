/* SPDX-License-Identifier: GPL-2.0-or-later */
/* KVM's paravirtual clock: the structures, written by the version protocol. */
#include "vmm/dev/pvclock.h"

#include <linux/errno.h>
#include <string.h>

/*
 * Nanoseconds per cycle is 10^6 / khz. The shift brings it between 1/2 and 1,
 * so that mul, a fraction of 2^32, has 31 significant bits at least. Numerator
 * and denominator stay below 2^32, whatever khz is.
 */
void pvclock_scale(uint32_t khz, uint32_t *mul, int8_t *shift)
{
	uint64_t numerator = 1000000, denominator = khz;
	int by = 0;

	while (numerator >= denominator) {
		denominator <<= 1;
		by++;
	}
	while (numerator * 2 < denominator) {
		numerator <<= 1;
		by--;
	}
	*shift = (int8_t)by;
	*mul = (uint32_t)((numerator << 32) / denominator);
}

/* First version odd, then the body, then even: a reader that sees the same even
 * version before and after has read one consistent body. */
static void pvclock_publish(uint8_t *to, uint32_t *version, const void *from,
			    size_t size)
{
	uint32_t *version_word = (uint32_t *)to;

	__atomic_store_n(version_word, *version + 1, __ATOMIC_RELAXED);
	__atomic_thread_fence(__ATOMIC_RELEASE); /* odd before the body */
	memcpy(to + 4, (const uint8_t *)from + 4, size - 4);
	*version += 2;
	__atomic_store_n(version_word, *version, __ATOMIC_RELEASE);
}

static void pvclock_update(struct pvclock *clock)
{
	struct pvclock_vcpu_time_info info = {
		.tsc_timestamp = clock->base->tsc + clock->tsc_adjust,
		.flags = clock->base->tsc_stable ? PVCLOCK_TSC_STABLE : 0,
	};

	if (!clock->info)
		return;
	pvclock_scale(clock->base->tsc_khz, &info.tsc_to_system_mul,
		      &info.tsc_shift);
	pvclock_publish(clock->info, &clock->version, &info, sizeof(info));
}

static int pvclock_write_wall(struct pvclock *clock, uint64_t gpa)
{
	struct pvclock_wall_clock wall = {
		/* 32 bits: the ABI's own end is in 2106. */
		.sec = (uint32_t)clock->base->wall_seconds,
	};
	uint8_t *to = guest_range(clock->mem, GPA(gpa), sizeof(wall));
	uint32_t version = 0;

	if (!to || gpa & 3)
		return -EPERM;
	pvclock_publish(to, &version, &wall, sizeof(wall));
	clock->wall_clock_msr = gpa;
	return 0;
}

static int pvclock_write_time(struct pvclock *clock, uint64_t value)
{
	uint64_t gpa = value & ~(uint64_t)PVCLOCK_ENABLE;
	uint8_t *info = NULL;

	if (value & PVCLOCK_ENABLE) {
		info = guest_range(clock->mem, GPA(gpa),
				   sizeof(struct pvclock_vcpu_time_info));
		if (!info || gpa & 3)
			return -EPERM;
	}
	clock->system_time_msr = value;
	clock->info = info;
	pvclock_update(clock);
	return 0;
}

int pvclock_msr_read(const struct pvclock *clock, uint32_t msr, uint64_t *value)
{
	switch (msr) {
	case MSR_KVM_WALL_CLOCK:
	case MSR_KVM_WALL_CLOCK_OLD:
		*value = clock->wall_clock_msr;
		return 0;
	case MSR_KVM_SYSTEM_TIME:
	case MSR_KVM_SYSTEM_TIME_OLD:
		*value = clock->system_time_msr;
		return 0;
	default:
		return -EPERM;
	}
}

int pvclock_msr_write(struct pvclock *clock, uint32_t msr, uint64_t value)
{
	switch (msr) {
	case MSR_KVM_WALL_CLOCK:
	case MSR_KVM_WALL_CLOCK_OLD:
		return pvclock_write_wall(clock, value);
	case MSR_KVM_SYSTEM_TIME:
	case MSR_KVM_SYSTEM_TIME_OLD:
		return pvclock_write_time(clock, value);
	default:
		return -EPERM;
	}
}

void pvclock_tsc_moved(struct pvclock *clock, uint64_t adjust)
{
	clock->tsc_adjust = adjust;
	pvclock_update(clock);
}

void pvclock_reset(struct pvclock *clock)
{
	clock->system_time_msr = clock->wall_clock_msr = 0;
	clock->info = NULL;
	clock->version = 0;
	clock->tsc_adjust = 0;
}

void pvclock_init(struct pvclock *clock, const struct guest_mem *mem,
		  const struct pvclock_base *base)
{
	memset(clock, 0, sizeof(*clock));
	clock->mem = mem;
	clock->base = base;
}
