/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Three vCPUs' APICs and an I/O APIC, for the tests of the local APIC. */
#ifndef TESTS_UNIT_VMM_DEV_LAPIC_FIXTURE_H
#define TESTS_UNIT_VMM_DEV_LAPIC_FIXTURE_H

#include "vmm/dev/lapic.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

#include "plat/linux/linux.h"
#include "plat/plat.h"
#include "vmm/dev/ioapic.h"

#define CPUS	 3
#define TSC_KHZ	 1000000u
#define T0	 1000000000ull /* fake time at the start */
#define RAM	 0x10000u

/* MMIO offsets */
#define ID	 0x20
#define VERSION	 0x30
#define TPR	 0x80
#define PPR	 0xa0
#define EOI	 0xb0
#define LDR	 0xd0
#define DFR	 0xe0
#define SVR	 0xf0
#define ISR	 0x100
#define TMR	 0x180
#define IRR	 0x200
#define ESR	 0x280
#define ICR	 0x300
#define ICR2	 0x310
#define LVTT	 0x320
#define LVTPC	 0x340
#define LVT0	 0x350
#define LVTERR	 0x370
#define TMICT	 0x380
#define TMCCT	 0x390
#define TDCR	 0x3e0
#define X2(reg)	 (MSR_X2APIC_FIRST + (reg) / 16)

#define MASKED	 (1u << 16)
#define PERIODIC (1u << 17)
#define DEADLINE (2u << 17)
#define BY_1	 0xb

struct machine {
	struct lapic_set set;
	struct ioapic ioapic;
	struct lapic apics[CPUS];
	struct guest_mem mem;
	unsigned wakes[CPUS];
	enum lapic_mode event[CPUS];
	uint8_t event_vector[CPUS];
	unsigned events[CPUS];
	_Alignas(64) uint8_t ram[RAM];
};

static struct machine *m;

void lapic_wake(struct lapic *target)
{
	__atomic_fetch_add(&m->wakes[target->id], 1, __ATOMIC_RELAXED);
}

void lapic_signal(struct lapic *target, enum lapic_mode event, uint8_t vector)
{
	m->event[target->id] = event;
	m->event_vector[target->id] = vector;
	m->events[target->id]++;
}

static inline int setup(void **state)
{
	m = aligned_alloc(64, ALIGN_UP(sizeof(*m), 64ul));
	memset(m, 0, sizeof(*m));
	plat_linux_set_time(T0);
	assert_int_equal(guest_mem_add(&m->mem, GPA(0), RAM, m->ram), 0);
	ioapic_init(&m->ioapic, &m->set);
	for (unsigned i = 0; i < CPUS; i++) {
		lapic_init(&m->apics[i], &m->set, i, &m->mem, TSC_KHZ);
		lapic_write(&m->apics[i], SVR, 4, 0x1ff);
	}
	return 0;
}

static inline int teardown(void **state)
{
	for (unsigned i = 0; i < CPUS; i++)
		lapic_reset(&m->apics[i]);
	assert_int_equal(plat_linux_next_timer(), UINT64_MAX);
	free(m);
	return 0;
}

static inline uint32_t rd(unsigned cpu, uint32_t offset)
{
	return lapic_read(&m->apics[cpu], offset, 4);
}

static inline void wr(unsigned cpu, uint32_t offset, uint32_t value)
{
	lapic_write(&m->apics[cpu], offset, 4, value);
}

static inline int rdmsr(unsigned cpu, uint32_t msr, uint64_t *value)
{
	return lapic_msr_read(&m->apics[cpu], msr, value);
}

static inline int wrmsr(unsigned cpu, uint32_t msr, uint64_t value)
{
	return lapic_msr_write(&m->apics[cpu], msr, value);
}

/* The vCPU takes what is pending; the vector, or -1. */
static inline int take(unsigned cpu)
{
	int vector = lapic_pending(&m->apics[cpu]);

	if (vector >= 0)
		lapic_accept(&m->apics[cpu], (uint8_t)vector);
	return vector;
}

static inline void x2apic(unsigned cpu)
{
	assert_int_equal(
		wrmsr(cpu, MSR_APIC_BASE,
		      LAPIC_BASE_GPA | APIC_BASE_ENABLE | APIC_BASE_X2APIC),
		0);
}

static inline void advance(uint64_t ns)
{
	plat_linux_set_time(plat_now_ns() + ns);
	plat_linux_run_timers();
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

#endif
