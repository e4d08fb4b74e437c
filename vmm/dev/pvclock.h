/* SPDX-License-Identifier: GPL-2.0-or-later */
/* KVM's paravirtual clock: TSC to nanoseconds, told in guest memory. */
#ifndef VMM_DEV_PVCLOCK_H
#define VMM_DEV_PVCLOCK_H

#include "vmm/dev/guest_mem.h"

/* Linux, Documentation/virt/kvm/x86/msr.rst. */
#define MSR_KVM_WALL_CLOCK_OLD	0x11u
#define MSR_KVM_SYSTEM_TIME_OLD 0x12u
#define MSR_KVM_WALL_CLOCK	0x4b564d00u
#define MSR_KVM_SYSTEM_TIME	0x4b564d01u

#define PVCLOCK_ENABLE		1u
#define PVCLOCK_TSC_STABLE	1u

/* An odd version: being written. The guest computes, with delta = its TSC -
 * tsc_timestamp: system_time + ((delta << tsc_shift) * tsc_to_system_mul >> 32)
 * (a negative shift is to the right). */
struct pvclock_vcpu_time_info {
	uint32_t version;
	uint32_t pad0;
	uint64_t tsc_timestamp;
	uint64_t system_time; /* ns since the VM was started */
	uint32_t tsc_to_system_mul;
	int8_t tsc_shift;
	uint8_t flags;
	uint8_t pad[2];
};

/* The time of day at system_time 0. */
struct pvclock_wall_clock {
	uint32_t version;
	uint32_t sec;
	uint32_t nsec;
};

_Static_assert(sizeof(struct pvclock_vcpu_time_info) == 32, "msr.rst");
_Static_assert(sizeof(struct pvclock_wall_clock) == 12, "msr.rst");

/* Of one VM: the same for all its vCPUs, so that they agree to the ns. */
struct pvclock_base {
	uint64_t tsc;	       /* guest TSC when the VM was started */
	uint64_t wall_seconds; /* rtc_wall_seconds() at that moment */
	uint32_t tsc_khz;
	bool tsc_stable; /* all CPUs' TSCs are in step and never stop */
};

/* One for each vCPU; only its own CPU uses it. */
struct pvclock {
	const struct guest_mem *mem;
	const struct pvclock_base *base;
	uint64_t system_time_msr, wall_clock_msr; /* as last written */
	uint8_t *info; /* in guest memory; NULL when off */
	uint32_t version;
	uint64_t tsc_adjust; /* how far this vCPU's TSC has been moved */
};

/* Exact to 2^-31: ns = ((cycles << shift) * mul) >> 32. khz is not 0. */
void pvclock_scale(uint32_t khz, uint32_t *mul, int8_t *shift);

void pvclock_init(struct pvclock *clock, const struct guest_mem *mem,
		  const struct pvclock_base *base);
/* Off; also when base has been set anew. */
void pvclock_reset(struct pvclock *clock);
/* The guest wrote its TSC, which is now adjust ahead of what it was when the VM
 * was started: system time must not jump. */
void pvclock_tsc_moved(struct pvclock *clock, uint64_t adjust);

/* The four MSRs above. 0, or -EPERM: #GP(0) (the address is not RAM). */
int pvclock_msr_read(const struct pvclock *clock, uint32_t msr,
		     uint64_t *value);
int pvclock_msr_write(struct pvclock *clock, uint32_t msr, uint64_t value);

#endif
