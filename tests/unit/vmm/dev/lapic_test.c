/* SPDX-License-Identifier: GPL-2.0-or-later */
/* vmm/dev/lapic.c and lapic_ipi.c by Intel SDM 3A, chapter 11. */
#include <pthread.h>
#include <sched.h>

#include "tests/unit/vmm/dev/lapic_fixture.h"

static void test_reset_state(void **state)
{
	struct lapic *apic = &m->apics[1];
	uint64_t base;

	lapic_reset(apic);
	assert_int_equal(rd(1, ID), 1u << 24);
	assert_int_equal(rd(1, VERSION), 0x50014);
	assert_int_equal(rd(1, SVR), 0xff);
	assert_int_equal(rd(1, DFR), 0xffffffff);
	assert_int_equal(rd(1, LDR), 0);
	assert_int_equal(rd(1, LVTT), MASKED);
	assert_int_equal(rd(1, LVTERR), MASKED);
	assert_int_equal(rdmsr(1, MSR_APIC_BASE, &base), 0);
	assert_int_equal(base, 0xfee00800);
	assert_int_equal(rdmsr(0, MSR_APIC_BASE, &base), 0);
	assert_int_equal(base, 0xfee00900);
	/* Software-disabled: nothing is taken, LVT masks stay. */
	assert_false(lapic_post(apic, 0x40, false));
	wr(1, LVTT, 0x40);
	assert_int_equal(rd(1, LVTT), MASKED | 0x40);
}

static void test_priorities(void **state)
{
	struct lapic *apic = &m->apics[0];

	assert_int_equal(lapic_pending(apic), -1);
	lapic_post(apic, 0x45, false);
	lapic_post(apic, 0x31, false);
	assert_int_equal(m->wakes[0], 2);
	lapic_post(apic, 0x31, false); /* still pending: no second wake */
	assert_int_equal(m->wakes[0], 2);
	assert_int_equal(rd(0, IRR + 0x10), 1u << 0x11);
	assert_int_equal(rd(0, IRR + 0x20), 1u << 5);

	assert_int_equal(take(0), 0x45);
	assert_int_equal(rd(0, ISR + 0x20), 1u << 5);
	assert_int_equal(rd(0, PPR), 0x40);
	assert_int_equal(lapic_pending(apic), -1);
	lapic_post(apic, 0x4f, false); /* same class: waits */
	assert_int_equal(lapic_pending(apic), -1);
	lapic_post(apic, 0x50, false); /* higher: nests */
	assert_int_equal(take(0), 0x50);
	wr(0, EOI, 0); /* ends 0x50 */
	assert_int_equal(rd(0, PPR), 0x40);
	assert_int_equal(lapic_pending(apic), -1);
	wr(0, EOI, 0); /* ends 0x45 */
	assert_int_equal(take(0), 0x4f);
	wr(0, EOI, 0);
	assert_int_equal(take(0), 0x31);
	wr(0, EOI, 0);
	wr(0, EOI, 0); /* nothing in service: nothing happens */
	assert_int_equal(rd(0, PPR), 0);
	assert_int_equal(lapic_pending(apic), -1);
}

static void test_tpr(void **state)
{
	struct lapic *apic = &m->apics[0];

	lapic_post(apic, 0x61, false);
	lapic_set_tpr(apic, 6);
	assert_int_equal(rd(0, TPR), 0x60);
	assert_int_equal(rd(0, PPR), 0x60);
	assert_int_equal(lapic_pending(apic), -1);
	wr(0, TPR, 0x5f);
	assert_int_equal(lapic_get_tpr(apic), 5);
	assert_int_equal(rd(0, PPR), 0x5f);
	assert_int_equal(take(0), 0x61);
	/* 11.8.3.1: the class in service, with a zero subclass. */
	assert_int_equal(rd(0, PPR), 0x60);
	lapic_set_tpr(apic, 15);
	lapic_post(apic, 0xff, false);
	assert_int_equal(lapic_pending(apic), -1);
}

static void test_eoi_is_broadcast_for_level(void **state)
{
	/* Input 5: level, fixed, vector 0x71, physical 1. */
	ioapic_write(&m->ioapic, 0x00, 4, 0x10 + 2 * 5 + 1);
	ioapic_write(&m->ioapic, 0x10, 4, 1u << 24);
	ioapic_write(&m->ioapic, 0x00, 4, 0x10 + 2 * 5);
	ioapic_write(&m->ioapic, 0x10, 4, 0x8071);

	ioapic_set_line(&m->ioapic, 5, true);
	assert_int_equal(rd(1, TMR + 0x30), 1u << 0x11);
	assert_int_equal(take(1), 0x71);
	assert_int_equal(ioapic_read(&m->ioapic, 0x10, 4), 0xc071);
	wr(1, EOI, 0); /* the line is still high: comes again */
	assert_int_equal(take(1), 0x71);
	ioapic_set_line(&m->ioapic, 5, false);
	/* An edge of the same vector meanwhile clears TMR, but what is in
	 * service was level and its EOI must reach the I/O APIC. */
	lapic_post(&m->apics[1], 0x71, false);
	assert_int_equal(rd(1, TMR + 0x30), 0);
	wr(1, EOI, 0);
	assert_int_equal(ioapic_read(&m->ioapic, 0x10, 4), 0x8071);
	assert_int_equal(take(1), 0x71);
	wr(1, EOI, 0);
	assert_int_equal(lapic_pending(&m->apics[1]), -1);
}

static void test_ipi_physical(void **state)
{
	wr(0, ICR2, 2u << 24);
	wr(0, ICR, 0x4040);
	assert_int_equal(lapic_pending(&m->apics[0]), -1);
	assert_int_equal(lapic_pending(&m->apics[1]), -1);
	assert_int_equal(take(2), 0x40);
	assert_int_equal(rd(0, ICR), 0x4040); /* delivered: idle */
	assert_int_equal(rd(0, ICR2), 2u << 24);

	wr(0, ICR2, 0xffu << 24); /* broadcast: the sender as well */
	wr(0, ICR, 0x51);
	for (unsigned i = 0; i < CPUS; i++)
		assert_int_equal(take(i), 0x51);
	wr(0, ICR2, 9u << 24); /* nobody */
	wr(0, ICR, 0x51);
	assert_int_equal(m->set.no_target, 1);
}

static void test_ipi_shorthands(void **state)
{
	wr(1, ICR, 1u << 18 | 0x41); /* self */
	assert_int_equal(take(1), 0x41);
	assert_int_equal(lapic_pending(&m->apics[0]), -1);
	wr(1, ICR, 2u << 18 | 0x51); /* all */
	for (unsigned i = 0; i < CPUS; i++)
		assert_int_equal(take(i), 0x51);
	wr(1, ICR, 3u << 18 | 0x61); /* all others */
	assert_int_equal(take(0), 0x61);
	assert_int_equal(lapic_pending(&m->apics[1]), -1);
	assert_int_equal(take(2), 0x61);
	wr(1, ICR, 3u << 18 | LAPIC_NMI << 8);
	assert_int_equal(m->events[0], 1);
	assert_int_equal(m->events[1], 0);
	assert_int_equal(m->event[2], LAPIC_NMI);
	wr(1, ICR, 1u << 18 | LAPIC_INIT << 8); /* INIT to self: no */
	assert_int_equal(m->events[1], 0);
	assert_int_equal(m->set.bad_ipi, 1);
}

static void test_init_and_sipi(void **state)
{
	wr(0, ICR2, 1u << 24);
	wr(0, ICR, 0xc500); /* INIT, level, assert */
	assert_int_equal(m->events[1], 1);
	assert_int_equal(m->event[1], LAPIC_INIT);
	wr(0, ICR, 0x8500); /* de-assert: nothing */
	assert_int_equal(m->events[1], 1);
	wr(0, ICR, 0x4608);
	assert_int_equal(m->event[1], LAPIC_SIPI);
	assert_int_equal(m->event_vector[1], 8);
	/* Also where the APIC is software-disabled, as before start-up. */
	lapic_init_reset(&m->apics[1]);
	wr(0, ICR, 0x4609);
	assert_int_equal(m->event_vector[1], 9);
	assert_int_equal(m->events[1], 3);
	assert_int_equal(m->events[2], 0);
}

static void test_init_reset(void **state)
{
	struct lapic *apic = &m->apics[1];
	uint64_t base;

	x2apic(1);
	lapic_post(apic, 0x40, false);
	assert_int_equal(take(1), 0x40);
	lapic_post(apic, 0x30, false);
	lapic_init_reset(apic);
	assert_int_equal(lapic_pending(apic), -1);
	assert_int_equal(rdmsr(1, MSR_APIC_BASE, &base), 0);
	assert_int_equal(base, 0xfee00c00); /* stays in x2APIC mode */
	assert_int_equal(rdmsr(1, X2(SVR), &base), 0);
	assert_int_equal(base, 0xff);
}

static void test_logical_flat(void **state)
{
	for (unsigned i = 0; i < CPUS; i++)
		wr(i, LDR, 1u << (24 + i));
	wr(0, ICR2, 0x06u << 24);
	wr(0, ICR, 0x0841);
	assert_int_equal(lapic_pending(&m->apics[0]), -1);
	assert_int_equal(take(1), 0x41);
	assert_int_equal(take(2), 0x41);
	wr(0, ICR2, 0x38u << 24);
	wr(0, ICR, 0x0842);
	assert_int_equal(m->set.no_target, 1);
}

static void test_logical_cluster(void **state)
{
	static const uint32_t ldr[CPUS] = {0x11, 0x12, 0x21};

	for (unsigned i = 0; i < CPUS; i++) {
		wr(i, DFR, 0);
		assert_int_equal(rd(i, DFR), 0x0fffffff);
		wr(i, LDR, ldr[i] << 24);
	}
	wr(0, ICR2, 0x12u << 24); /* cluster 1, second */
	wr(0, ICR, 0x0841);
	assert_int_equal(lapic_pending(&m->apics[0]), -1);
	assert_int_equal(take(1), 0x41);
	assert_int_equal(lapic_pending(&m->apics[2]), -1);
	wr(0, ICR2, 0x1fu << 24); /* all of cluster 1 */
	wr(0, ICR, 0x0851);
	assert_int_equal(take(0), 0x51);
	assert_int_equal(take(1), 0x51);
	assert_int_equal(lapic_pending(&m->apics[2]), -1);
	wr(0, ICR2, 0xffu << 24); /* everybody */
	wr(0, ICR, 0x0861);
	assert_int_equal(take(2), 0x61);
}

static void test_lowest_priority(void **state)
{
	unsigned first, taken[CPUS] = {0};

	lapic_set_tpr(&m->apics[0], 3);
	lapic_set_tpr(&m->apics[2], 2);
	wr(0, ICR2, 0xffu << 24);
	wr(0, ICR, 0x0141);
	assert_int_equal(take(1), 0x41);
	assert_int_equal(rd(0, IRR + 0x20) | rd(2, IRR + 0x20), 0);
	/* Not to one that takes none. */
	wr(1, SVR, 0xff);
	wr(0, ICR, 0x0142);
	assert_int_equal(take(2), 0x42);
	/* Equals: by vector, so that all get some and each keeps its own. */
	wr(1, SVR, 0x1ff);
	for (unsigned i = 0; i < CPUS; i++)
		lapic_set_tpr(&m->apics[i], 0);
	for (unsigned vector = 0x50; vector < 0x53; vector++) {
		wr(0, ICR, 0x100 | vector);
		for (unsigned i = 0; i < CPUS; i++)
			taken[i] += lapic_pending(&m->apics[i]) == (int)vector;
	}
	assert_int_equal(taken[0], 1);
	assert_int_equal(taken[1], 1);
	assert_int_equal(taken[2], 1);
	first = rd(0, IRR + 0x20);
	wr(0, ICR, 0x150);
	wr(0, ICR, 0x151);
	wr(0, ICR, 0x152);
	assert_int_equal(rd(0, IRR + 0x20), first);
}

static void test_bad_ipi(void **state)
{
	wr(0, LVTERR, 0xfe);
	wr(0, ICR2, 1u << 24);
	wr(0, ICR, 0x000f); /* vector below 16: send illegal vector */
	assert_int_equal(lapic_pending(&m->apics[1]), -1);
	assert_int_equal(rd(0, ESR), 0); /* not before a write latches it */
	wr(0, ESR, 0);
	assert_int_equal(rd(0, ESR), 0x20);
	assert_int_equal(take(0), 0xfe);
	wr(0, ESR, 0);
	assert_int_equal(rd(0, ESR), 0);
	wr(0, ICR, 0x0240); /* SMI */
	wr(0, ICR, 0x0340); /* reserved */
	wr(0, ICR, 0x0740); /* ExtINT */
	assert_int_equal(m->set.bad_ipi, 4);
	assert_int_equal(m->events[1], 0);
}

static void test_illegal_registers(void **state)
{
	uint64_t bad = m->apics[0].bad_access;

	wr(0, LVTERR, 0xfe);
	assert_int_equal(rd(0, 0x40), 0);
	assert_int_equal(take(0), 0xfe);
	wr(0, 0x3f0, 0x41); /* SELF IPI: x2APIC only */
	assert_int_equal(lapic_pending(&m->apics[0]), -1);
	wr(0, ESR, 0);
	assert_int_equal(rd(0, ESR), 0x80);
	assert_int_equal(m->apics[0].bad_access - bad, 2);
	/* Sizes: parts can be read, only whole registers be written. */
	assert_int_equal(lapic_read(&m->apics[1], ID + 3, 1), 1);
	assert_int_equal(lapic_read(&m->apics[1], ID, 8), 0);
	assert_int_equal(lapic_read(&m->apics[1], ID + 2, 4), 0);
	assert_int_equal(lapic_read(&m->apics[1], 0xfff, 4), 0);
	lapic_write(&m->apics[1], TPR, 1, 0x50);
	lapic_write(&m->apics[1], TPR + 4, 4, 0x50);
	assert_int_equal(rd(1, TPR), 0);
	/* A bad error vector does not make errors of its own for ever. */
	wr(0, LVTERR, 0x05);
	rd(0, 0x40);
	wr(0, ESR, 0);
	assert_int_equal(rd(0, ESR), 0xc0);
}

static void test_msi(void **state)
{
	struct lapic_set *set = &m->set;

	for (unsigned i = 0; i < CPUS; i++)
		wr(i, LDR, 1u << (24 + i));
	assert_int_equal(lapic_deliver_msi(set, 0xfee02000, 0x0041), 0);
	assert_int_equal(take(2), 0x41);
	assert_int_equal(lapic_deliver_msi(set, 0xfee06004, 0x0051), 0);
	assert_int_equal(take(1), 0x51);
	assert_int_equal(take(2), 0x51);
	/* With the redirection hint only one of the group. */
	assert_int_equal(lapic_deliver_msi(set, 0xfee0600c, 0x0061), 0);
	assert_int_equal((take(1) == 0x61) + (take(2) == 0x61), 1);
	/* Lowest priority, level, NMI. */
	lapic_set_tpr(&m->apics[1], 9);
	assert_int_equal(lapic_deliver_msi(set, 0xfee06004, 0x0171), 0);
	assert_int_equal(take(2), 0x71);
	assert_int_equal(lapic_deliver_msi(set, 0xfee00000, 0xc081), 0);
	assert_int_equal(rd(0, TMR + 0x40), 2);
	assert_int_equal(lapic_deliver_msi(set, 0xfee00000, 0x8091), 0);
	assert_int_equal(rd(0, IRR + 0x40), 2); /* not asserted */
	assert_int_equal(lapic_deliver_msi(set, 0xfee01000, 0x0400), 0);
	assert_int_equal(m->event[1], LAPIC_NMI);
	assert_int_equal(set->bad_msi, 0);
	assert_int_equal(set->no_target, 0);
	/* Nonsense. */
	assert_int_equal(lapic_deliver_msi(set, 0xfed00000, 0x41), -EINVAL);
	assert_int_equal(lapic_deliver_msi(set, 0x1fee00000, 0x41), -EINVAL);
	assert_int_equal(lapic_deliver_msi(set, 0, 0), -EINVAL);
	assert_int_equal(lapic_deliver_msi(set, 0xfee00000, 0x0f), -EINVAL);
	assert_int_equal(lapic_deliver_msi(set, 0xfee00000, 0x241), -EINVAL);
	assert_int_equal(lapic_deliver_msi(set, 0xfee00000, 0x641), -EINVAL);
	assert_int_equal(lapic_deliver_msi(set, 0xfee00000, 0x741), -EINVAL);
	assert_int_equal(set->bad_msi, 7);
	/* Nobody there is no error of the sender's. */
	assert_int_equal(lapic_deliver_msi(set, 0xfee0f000, 0x41), 0);
	assert_int_equal(set->no_target, 1);
}

static void test_base_transitions(void **state)
{
	const uint64_t xapic = LAPIC_BASE_GPA | APIC_BASE_ENABLE;
	const uint64_t x2 = xapic | APIC_BASE_X2APIC;
	const uint64_t off = LAPIC_BASE_GPA;
	uint64_t value;

	/* Reserved bits, another page, EXTD without EN. */
	assert_int_equal(wrmsr(0, MSR_APIC_BASE, xapic | 1), -EPERM);
	assert_int_equal(wrmsr(0, MSR_APIC_BASE, xapic | 1ull << 52), -EPERM);
	assert_int_equal(wrmsr(0, MSR_APIC_BASE, 0xfee01800), -EPERM);
	assert_int_equal(wrmsr(0, MSR_APIC_BASE, off | APIC_BASE_X2APIC),
			 -EPERM);
	/* In xAPIC mode there are no MSRs. */
	assert_int_equal(rdmsr(0, X2(ID), &value), -EPERM);
	assert_int_equal(wrmsr(0, X2(TPR), 0), -EPERM);
	assert_int_equal(wrmsr(0, MSR_APIC_BASE, x2), 0);
	assert_int_equal(rdmsr(0, MSR_APIC_BASE, &value), 0);
	assert_int_equal(value, x2 | APIC_BASE_BSP);
	/* In x2APIC mode there is no page. */
	assert_int_equal(rd(0, ID), 0xffffffff);
	wr(0, TPR, 0x50);
	assert_int_equal(lapic_get_tpr(&m->apics[0]), 0);
	/* Back only by way of disabled, which forgets everything. */
	assert_int_equal(wrmsr(0, MSR_APIC_BASE, xapic), -EPERM);
	assert_int_equal(wrmsr(0, X2(TPR), 0x50), 0);
	assert_int_equal(wrmsr(0, MSR_APIC_BASE, off), 0);
	assert_false(lapic_post(&m->apics[0], 0x40, false));
	assert_int_equal(lapic_deliver_msi(&m->set, 0xfee00000, 0x400), 0);
	assert_int_equal(m->events[0], 0);
	assert_int_equal(rdmsr(0, X2(ID), &value), -EPERM);
	assert_int_equal(rd(0, ID), 0xffffffff);
	assert_int_equal(wrmsr(0, MSR_APIC_BASE, x2), -EPERM);
	assert_int_equal(wrmsr(0, MSR_APIC_BASE, xapic), 0);
	assert_int_equal(rd(0, TPR), 0);
	assert_int_equal(rd(0, SVR), 0xff);
}

static void test_x2apic_registers(void **state)
{
	uint64_t value;

	x2apic(2);
	assert_int_equal(rdmsr(2, X2(ID), &value), 0);
	assert_int_equal(value, 2);
	assert_int_equal(rdmsr(2, X2(LDR), &value), 0);
	assert_int_equal(value, 1u << 2);
	assert_int_equal(rdmsr(2, X2(VERSION), &value), 0);
	assert_int_equal(value, 0x50014);
	/* Write-only, read-only, absent, reserved bits. */
	assert_int_equal(rdmsr(2, X2(EOI), &value), -EPERM);
	assert_int_equal(rdmsr(2, X2(0x3f0), &value), -EPERM);
	assert_int_equal(rdmsr(2, X2(DFR), &value), -EPERM);
	assert_int_equal(rdmsr(2, X2(ICR2), &value), -EPERM);
	assert_int_equal(rdmsr(2, X2(0x2f0), &value), -EPERM);
	assert_int_equal(rdmsr(2, MSR_X2APIC_LAST, &value), -EPERM);
	assert_int_equal(wrmsr(2, X2(ID), 2), -EPERM);
	assert_int_equal(wrmsr(2, X2(LDR), 1), -EPERM);
	assert_int_equal(wrmsr(2, X2(IRR), 0), -EPERM);
	assert_int_equal(wrmsr(2, X2(TMCCT), 0), -EPERM);
	assert_int_equal(wrmsr(2, X2(EOI), 1), -EPERM);
	assert_int_equal(wrmsr(2, X2(EOI), 0), 0);
	assert_int_equal(wrmsr(2, X2(ESR), 1), -EPERM);
	assert_int_equal(wrmsr(2, X2(TPR), 0x100), -EPERM);
	assert_int_equal(wrmsr(2, X2(TPR), 1ull << 32), -EPERM);
	assert_int_equal(wrmsr(2, X2(SVR), 1u << 12), -EPERM);
	assert_int_equal(wrmsr(2, X2(LVTT), 1u << 20), -EPERM);
	assert_int_equal(wrmsr(2, X2(TDCR), 4), -EPERM);
	assert_int_equal(wrmsr(2, X2(ICR), 1u << 20), -EPERM);
	assert_int_equal(wrmsr(2, X2(0x3f0), 0x141), -EPERM);

	assert_int_equal(wrmsr(2, X2(0x3f0), 0x41), 0); /* SELF IPI */
	assert_int_equal(take(2), 0x41);
	assert_int_equal(wrmsr(2, X2(ICR), 1ull << 32 | 0x52), 0);
	assert_int_equal(take(1), 0x52);
	assert_int_equal(rdmsr(2, X2(ICR), &value), 0);
	assert_int_equal(value, 1ull << 32 | 0x52);
	assert_int_equal(wrmsr(2, X2(ICR), 0xffffffffull << 32 | 0x62), 0);
	for (unsigned i = 0; i < CPUS; i++)
		assert_int_equal(take(i), 0x62);
	/* 0xff is no broadcast here. */
	assert_int_equal(wrmsr(2, X2(ICR), 0xffull << 32 | 0x63), 0);
	assert_int_equal(m->set.no_target, 1);
}

static void test_x2apic_logical(void **state)
{
	for (unsigned i = 0; i < CPUS; i++)
		x2apic(i);
	/* Cluster 0, members 0 and 2. */
	assert_int_equal(wrmsr(1, X2(ICR), 5ull << 32 | 0x0871), 0);
	assert_int_equal(take(0), 0x71);
	assert_int_equal(lapic_pending(&m->apics[1]), -1);
	assert_int_equal(take(2), 0x71);
	/* Cluster 1 has nobody. */
	assert_int_equal(wrmsr(1, X2(ICR), 0x10001ull << 32 | 0x0872), 0);
	assert_int_equal(m->set.no_target, 1);
	/* An MSI's eight bits all set are everybody, also here. */
	assert_int_equal(lapic_deliver_msi(&m->set, 0xfeeff000, 0x81), 0);
	assert_int_equal(take(1), 0x81);
}

static void test_svr_disable_masks(void **state)
{
	wr(0, TDCR, BY_1);
	wr(0, LVTT, PERIODIC | 0x40);
	wr(0, LVT0, 0x8700);
	wr(0, TMICT, 1000000);
	wr(0, SVR, 0xff);
	assert_int_equal(rd(0, LVTT), MASKED | PERIODIC | 0x40);
	assert_int_equal(rd(0, LVT0), MASKED | 0x8700);
	assert_int_equal(plat_linux_next_timer(), UINT64_MAX);
	wr(0, SVR, 0x1ff);
	assert_int_equal(rd(0, LVTT), MASKED | PERIODIC | 0x40);
	wr(0, LVTPC, 0xffffffff);
	assert_int_equal(rd(0, LVTPC), 0x107ff);
}

static void test_pv_eoi(void **state)
{
	struct lapic *apic = &m->apics[0];
	uint8_t *flag = &m->ram[0x1004];
	uint64_t value;

	assert_int_equal(wrmsr(0, MSR_KVM_PV_EOI, 0x1004 | 2), -EPERM);
	assert_int_equal(wrmsr(0, MSR_KVM_PV_EOI, RAM | 1), -EPERM);
	assert_int_equal(wrmsr(0, MSR_KVM_PV_EOI, (RAM - 4) | 1), 0);
	assert_int_equal(wrmsr(0, MSR_KVM_PV_EOI, UINT64_MAX & ~2ull), -EPERM);
	assert_int_equal(wrmsr(0, MSR_KVM_PV_EOI, 0x1005), 0);
	assert_int_equal(rdmsr(0, MSR_KVM_PV_EOI, &value), 0);
	assert_int_equal(value, 0x1005);
	*flag = 0;

	/* The guest clears the flag: that was the EOI. */
	lapic_post(apic, 0x41, false);
	assert_int_equal(take(0), 0x41);
	assert_int_equal(*flag, 1);
	assert_int_equal(lapic_pending(apic), -1);
	assert_int_equal(*flag, 1); /* stays offered over exits */
	*flag = 0;
	assert_int_equal(rd(0, ISR + 0x20), 0);

	/* Something comes up meanwhile: taken back, a true EOI is needed. */
	lapic_post(apic, 0x41, false);
	assert_int_equal(take(0), 0x41);
	lapic_post(apic, 0x31, false);
	assert_int_equal(lapic_pending(apic), -1);
	assert_int_equal(*flag, 0);
	assert_int_equal(rd(0, ISR + 0x20), 2);
	wr(0, EOI, 0);
	assert_int_equal(take(0), 0x31);
	assert_int_equal(*flag, 1);

	/* Nested: the inner by the flag, the outer by a write. */
	lapic_post(apic, 0x51, false);
	assert_int_equal(lapic_pending(apic), 0x51);
	assert_int_equal(*flag, 0);
	lapic_accept(apic, 0x51);
	assert_int_equal(*flag, 1);
	*flag = 0;
	wr(0, EOI, 0);
	assert_int_equal(rd(0, ISR + 0x10), 0);
	assert_int_equal(rd(0, ISR + 0x20), 0);

	/* Never for level, never with more pending. */
	lapic_post(apic, 0x61, true);
	assert_int_equal(take(0), 0x61);
	assert_int_equal(*flag, 0);
	wr(0, EOI, 0);
	lapic_post(apic, 0x61, false);
	lapic_post(apic, 0x62, false);
	assert_int_equal(take(0), 0x62);
	assert_int_equal(*flag, 0);
	wr(0, EOI, 0);
	assert_int_equal(take(0), 0x61);
	assert_int_equal(*flag, 1);
	/* Switched off while offered. */
	assert_int_equal(wrmsr(0, MSR_KVM_PV_EOI, 0), 0);
	assert_int_equal(*flag, 0);
	assert_int_equal(rd(0, ISR + 0x30), 2);
}

/* Other CPUs post while the own one accepts: nothing is lost or doubled. */
#define POSTS 20000

static _Atomic unsigned posted[2], ended[2];

static void *poster(void *arg)
{
	unsigned me = *(unsigned *)arg;

	for (unsigned i = 0; i < POSTS; i++) {
		posted[me]++;
		lapic_post(&m->apics[0], (uint8_t)(0x40 + me), me);
		while (ended[me] < posted[me])
			sched_yield();
	}
	return NULL;
}

static void test_concurrent_posts(void **state)
{
	static unsigned ids[2] = {0, 1};
	pthread_t threads[2];

	for (unsigned i = 0; i < 2; i++)
		assert_int_equal(
			pthread_create(&threads[i], NULL, poster, &ids[i]), 0);
	while (ended[0] < POSTS || ended[1] < POSTS) {
		int vector = take(0);

		if (vector < 0) {
			sched_yield();
			continue;
		}
		assert_in_range(vector, 0x40, 0x41);
		wr(0, EOI, 0);
		ended[vector - 0x40]++;
		assert_true(ended[vector - 0x40] <= posted[vector - 0x40]);
	}
	for (unsigned i = 0; i < 2; i++)
		pthread_join(threads[i], NULL);
	assert_int_equal(lapic_pending(&m->apics[0]), -1);
	assert_int_equal(m->wakes[0], 2 * POSTS);
	assert_int_equal(rd(0, TMR + 0x20), 2);
}

/* Whatever is written, wherever: no error but the defined ones, and an
 * interrupt that is accepted can be ended. */
static void test_hostile_program(void **state)
{
	uint64_t random = 88172645463325252ull, value;

	m->set.ioapic = &m->ioapic;
	for (unsigned i = 0; i < 200000; i++) {
		unsigned cpu;

		random ^= random << 13;
		random ^= random >> 7;
		random ^= random << 17;
		cpu = random % CPUS;
		switch (random >> 8 & 7) {
		case 0:
			rd(cpu, random >> 16 & 0xfff);
			break;
		case 1:
			wr(cpu, random >> 16 & 0xff0, (uint32_t)(random >> 32));
			break;
		case 2:
			wrmsr(cpu, MSR_X2APIC_FIRST + (random >> 16 & 0x3f),
			      random >> 32);
			break;
		case 3:
			rdmsr(cpu, MSR_X2APIC_FIRST + (random >> 16 & 0xff),
			      &value);
			break;
		case 4:
			wrmsr(cpu, MSR_APIC_BASE,
			      LAPIC_BASE_GPA | (random >> 16 & 0xc00));
			wr(cpu, SVR, 0x1ff);
			break;
		case 5:
			wrmsr(cpu,
			      random >> 60 ? MSR_TSC_DEADLINE : MSR_KVM_PV_EOI,
			      random >> 16);
			break;
		case 6:
			take(cpu);
			break;
		case 7:
			advance(random >> 44);
			break;
		}
	}
	for (unsigned cpu = 0; cpu < CPUS; cpu++) {
		lapic_reset(&m->apics[cpu]);
		wr(cpu, SVR, 0x1ff);
		for (unsigned vector = 16; vector < 256; vector++)
			lapic_post(&m->apics[cpu], (uint8_t)vector, false);
		for (unsigned vector = 255; vector >= 16; vector--) {
			assert_int_equal(take(cpu), vector);
			wr(cpu, EOI, 0);
		}
		assert_int_equal(lapic_pending(&m->apics[cpu]), -1);
	}
}

/* 11.5.1: the 8259 gets through LINT0 as ExtINT, or an APIC that is off. */
static void test_extint(void **state)
{
	struct lapic *apic = &m->apics[0];

	assert_false(lapic_takes_extint(apic));
	wr(0, 0x350, 0x700);
	assert_true(lapic_takes_extint(apic));
	wr(0, 0x350, 0x10700); /* masked */
	assert_false(lapic_takes_extint(apic));
	wr(0, 0x350, 0x400); /* NMI */
	assert_false(lapic_takes_extint(apic));
	assert_int_equal(wrmsr(0, MSR_APIC_BASE, LAPIC_BASE_GPA), 0);
	assert_true(lapic_takes_extint(apic));

	/* As a BIOS leaves it. */
	apic = &m->apics[1];
	lapic_reset(apic);
	assert_false(lapic_takes_extint(apic));
	lapic_virtual_wire(apic);
	assert_true(lapic_takes_extint(apic));
	assert_int_equal(rd(1, SVR), 0x1ff);
	assert_int_equal(rd(1, 0x350), 0x700);
	assert_int_equal(rd(1, 0x360), 0x400);
	/* Software-disabled, all entries are masked. */
	wr(1, SVR, 0xff);
	assert_false(lapic_takes_extint(apic));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_reset_state),
		TEST(test_priorities),
		TEST(test_tpr),
		TEST(test_eoi_is_broadcast_for_level),
		TEST(test_ipi_physical),
		TEST(test_ipi_shorthands),
		TEST(test_init_and_sipi),
		TEST(test_init_reset),
		TEST(test_logical_flat),
		TEST(test_logical_cluster),
		TEST(test_lowest_priority),
		TEST(test_bad_ipi),
		TEST(test_illegal_registers),
		TEST(test_msi),
		TEST(test_base_transitions),
		TEST(test_x2apic_registers),
		TEST(test_x2apic_logical),
		TEST(test_svr_disable_masks),
		TEST(test_pv_eoi),
		TEST(test_concurrent_posts),
		TEST(test_hostile_program),
		TEST(test_extint),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
