/* SPDX-License-Identifier: GPL-2.0-or-later */
/* vmm/dev/ioapic.c by the 82093AA datasheet. */
#include "tests/unit/vmm/dev/lapic_fixture.h"

#define ENTRY_LEVEL  (1u << 15)
#define ENTRY_REMOTE (1u << 14)
#define ENTRY_MASKED (1u << 16)

static uint32_t reg_read(unsigned reg)
{
	ioapic_write(&m->ioapic, 0x00, 4, reg);
	return ioapic_read(&m->ioapic, 0x10, 4);
}

static void reg_write(unsigned reg, uint32_t value)
{
	ioapic_write(&m->ioapic, 0x00, 4, reg);
	ioapic_write(&m->ioapic, 0x10, 4, value);
}

static uint32_t entry_low(unsigned pin)
{
	return reg_read(0x10 + 2 * pin);
}

static void entry_set(unsigned pin, unsigned dest, uint32_t low)
{
	reg_write(0x10 + 2 * pin + 1, dest << 24);
	reg_write(0x10 + 2 * pin, low);
}

static void line(unsigned gsi, bool level)
{
	ioapic_set_line(&m->ioapic, gsi, level);
}

static void eoi(unsigned cpu)
{
	wr(cpu, EOI, 0);
}

static void test_registers(void **state)
{
	assert_int_equal(reg_read(1), 0x00170020);
	reg_write(1, 0xffffffff);
	assert_int_equal(reg_read(1), 0x00170020);
	reg_write(0, 0xffffffff);
	assert_int_equal(reg_read(0), 0x0f000000);
	assert_int_equal(reg_read(2), 0x0f000000);
	for (unsigned pin = 0; pin < IOAPIC_PINS; pin++)
		assert_int_equal(entry_low(pin), ENTRY_MASKED);
	/* Delivery status and remote IRR are read-only, the rest reserved. */
	entry_set(3, 0xff, 0xffffffff);
	assert_int_equal(entry_low(3), 0x1afff);
	assert_int_equal(reg_read(0x10 + 7), 0xff000000);
	reg_write(0x10 + 7, 0xffffffff);
	assert_int_equal(reg_read(0x10 + 7), 0xff000000);
	/* Behind the table, and in the gap before it. */
	reg_write(0x40, 0xffffffff);
	reg_write(0x0f, 0xffffffff);
	reg_write(0xff, 0xffffffff);
	assert_int_equal(reg_read(0x40), 0);
	assert_int_equal(reg_read(0x0f), 0);
	assert_int_equal(reg_read(0xff), 0);
	assert_int_equal(ioapic_read(&m->ioapic, 0, 4), 0xff);

	assert_int_equal(m->ioapic.bad_access, 0);
	assert_int_equal(ioapic_read(&m->ioapic, 0x10, 8), 0);
	assert_int_equal(ioapic_read(&m->ioapic, 0x14, 4), 0);
	assert_int_equal(ioapic_read(&m->ioapic, 0xfff, 1), 0);
	ioapic_write(&m->ioapic, 0x10, 1, 0xff);
	ioapic_write(&m->ioapic, 0x20, 4, 0xff);
	assert_int_equal(m->ioapic.bad_access, 5);
}

static void test_edge(void **state)
{
	entry_set(4, 1, 0x51);
	line(4, true);
	assert_int_equal(take(1), 0x51);
	assert_int_equal(rd(1, TMR + 0x20), 0);
	assert_int_equal(entry_low(4), 0x51); /* no remote IRR */
	eoi(1);
	line(4, true); /* still high: no edge */
	assert_int_equal(take(1), -1);
	line(4, false);
	assert_int_equal(take(1), -1);
	line(4, true);
	assert_int_equal(take(1), 0x51);
	eoi(1);
	/* An edge while masked is lost. */
	line(4, false);
	entry_set(4, 1, ENTRY_MASKED | 0x51);
	line(4, true);
	entry_set(4, 1, 0x51);
	assert_int_equal(take(1), -1);
	line(24, true);
	line(0xffffffff, true);
	assert_int_equal(m->ioapic.lines, 1u << 4);
}

static void test_level(void **state)
{
	entry_set(10, 2, ENTRY_LEVEL | 0x61);
	line(10, true);
	assert_int_equal(entry_low(10), ENTRY_LEVEL | ENTRY_REMOTE | 0x61);
	assert_int_equal(take(2), 0x61);
	line(10, false);
	line(10, true); /* in service: not sent again */
	assert_int_equal(rd(2, IRR + 0x30), 0);
	eoi(2);
	assert_int_equal(entry_low(10), ENTRY_LEVEL | ENTRY_REMOTE | 0x61);
	assert_int_equal(take(2), 0x61); /* it is high again */
	line(10, false);
	eoi(2);
	assert_int_equal(entry_low(10), ENTRY_LEVEL | 0x61);
	assert_int_equal(take(2), -1);
	/* Masked it waits; unmasked it comes. */
	entry_set(10, 2, ENTRY_LEVEL | ENTRY_MASKED | 0x61);
	line(10, true);
	assert_int_equal(take(2), -1);
	reg_write(0x10 + 20, ENTRY_LEVEL | 0x61);
	assert_int_equal(take(2), 0x61);
	/* Masked in service: the EOI does not send it again, unmask does. */
	reg_write(0x10 + 20, ENTRY_LEVEL | ENTRY_MASKED | 0x61);
	assert_int_equal(entry_low(10),
			 ENTRY_LEVEL | ENTRY_MASKED | ENTRY_REMOTE | 0x61);
	eoi(2);
	assert_int_equal(take(2), -1);
	reg_write(0x10 + 20, ENTRY_LEVEL | 0x61);
	assert_int_equal(take(2), 0x61);
}

/* Two inputs with one vector: an EOI is for both. */
static void test_shared_vector(void **state)
{
	entry_set(10, 0, ENTRY_LEVEL | 0x61);
	entry_set(11, 0, ENTRY_LEVEL | 0x61);
	line(10, true);
	line(11, true);
	assert_int_equal(take(0), 0x61);
	line(10, false);
	eoi(0);
	assert_int_equal(entry_low(10), ENTRY_LEVEL | 0x61);
	assert_int_equal(take(0), 0x61);
	line(11, false);
	eoi(0);
	assert_int_equal(take(0), -1);
}

static void test_eoi_register(void **state)
{
	entry_set(10, 0, ENTRY_LEVEL | 0x61);
	line(10, true);
	line(10, false);
	ioapic_write(&m->ioapic, 0x40, 4, 0x62); /* another vector */
	assert_int_equal(entry_low(10), ENTRY_LEVEL | ENTRY_REMOTE | 0x61);
	ioapic_write(&m->ioapic, 0x40, 4, 0x61);
	assert_int_equal(entry_low(10), ENTRY_LEVEL | 0x61);
	/* The old way: to edge and back. */
	assert_int_equal(take(0), 0x61);
	eoi(0);
	line(10, true);
	reg_write(0x10 + 20, ENTRY_MASKED | 0x61);
	reg_write(0x10 + 20, ENTRY_LEVEL | ENTRY_MASKED | 0x61);
	assert_int_equal(entry_low(10), ENTRY_LEVEL | ENTRY_MASKED | 0x61);
}

static void test_destinations(void **state)
{
	for (unsigned i = 0; i < CPUS; i++)
		wr(i, LDR, 1u << (24 + i));
	entry_set(5, 0x05, 0x851); /* logical, fixed: 0 and 2 */
	line(5, true);
	assert_int_equal(take(0), 0x51);
	assert_int_equal(take(1), -1);
	assert_int_equal(take(2), 0x51);
	lapic_set_tpr(&m->apics[0], 8);
	lapic_set_tpr(&m->apics[2], 7);
	entry_set(6, 0x05, 0x991); /* lowest priority */
	line(6, true);
	assert_int_equal(take(0), -1);
	assert_int_equal(take(2), 0x91);
	/* Nobody takes it: no remote IRR; a new try when something changes. */
	entry_set(7, 0x80, ENTRY_LEVEL | 0x8a1);
	line(7, true);
	assert_int_equal(entry_low(7), ENTRY_LEVEL | 0x8a1);
	assert_true(m->set.no_target > 0);
	reg_write(0x10 + 15, 2u << 24);
	assert_int_equal(take(1), 0xa1);
}

static void test_other_modes(void **state)
{
	entry_set(1, 2, LAPIC_NMI << 8);
	line(1, true);
	assert_int_equal(m->event[2], LAPIC_NMI);
	assert_int_equal(m->events[2], 1);
	/* Level makes no difference to it. */
	entry_set(2, 2, ENTRY_LEVEL | LAPIC_NMI << 8);
	line(2, true);
	assert_int_equal(m->events[2], 2);
	assert_int_equal(entry_low(2), ENTRY_LEVEL | LAPIC_NMI << 8);
	/* SMI, reserved, start-up, ExtINT, and a bad vector. */
	entry_set(3, 2, 0x241);
	entry_set(4, 2, 0x341);
	entry_set(5, 2, 0x641);
	entry_set(6, 2, 0x741);
	entry_set(7, 2, 0x00f);
	entry_set(8, 2, ENTRY_LEVEL | 0x00f);
	for (unsigned pin = 3; pin < 9; pin++)
		line(pin, true);
	assert_int_equal(m->ioapic.bad_entry, 6);
	assert_int_equal(m->events[2], 2);
	assert_int_equal(take(2), -1);
	assert_int_equal(entry_low(8), ENTRY_LEVEL | 0x00f);
}

static void test_reset(void **state)
{
	entry_set(10, 0, ENTRY_LEVEL | 0x61);
	line(10, true);
	ioapic_reset(&m->ioapic);
	assert_int_equal(entry_low(10), ENTRY_MASKED);
	assert_int_equal(take(0), 0x61);
	eoi(0);
	/* The device still pulls its line. */
	entry_set(10, 0, ENTRY_LEVEL | 0x62);
	assert_int_equal(take(0), 0x62);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_registers),	 TEST(test_edge),
		TEST(test_level),	 TEST(test_shared_vector),
		TEST(test_eoi_register), TEST(test_destinations),
		TEST(test_other_modes),	 TEST(test_reset),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
