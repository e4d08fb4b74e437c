/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ACPI tables as a guest finds them: from the RSDP down, by the book. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <linux/errno.h>

#include "vmm/acpi.h"
#include "vmm/layout.h"

static uint8_t *ram;
static struct guest_mem mem;
static uint8_t dsdt[300];

#define PM_TIMER 0x1808

static int setup(void **state)
{
	uint32_t length = sizeof(dsdt);

	ram = calloc(1, MiB(2));
	mem = (struct guest_mem){0};
	memcpy(dsdt, "DSDT", 4);
	memcpy(dsdt + 4, &length, 4);
	return !ram || guest_mem_add(&mem, GPA(0), MiB(2), ram);
}

static int teardown(void **state)
{
	free(ram);
	return 0;
}

static uint64_t get(uint64_t gpa, unsigned size)
{
	uint64_t value = 0;

	memcpy(&value, ram + gpa, size);
	return value;
}

static uint8_t sum(uint64_t gpa, uint64_t size)
{
	uint8_t total = 0;

	while (size--)
		total += ram[gpa++];
	return total;
}

static void expect_table(uint64_t gpa, const char *signature, uint32_t length)
{
	assert_in_range(gpa, GUEST_ACPI_BASE, GUEST_ACPI_END - 1);
	assert_memory_equal(ram + gpa, signature, 4);
	assert_int_equal(get(gpa + 4, 4), length);
	assert_int_equal(sum(gpa, length), 0);
}

static uint64_t build(unsigned cpus)
{
	gpa_t rsdp = GPA(0);

	assert_int_equal(
		acpi_build(&mem, cpus, PM_TIMER, dsdt, sizeof(dsdt), &rsdp), 0);
	assert_memory_equal(ram + rsdp.v, "RSD PTR ", 8);
	assert_int_equal(rsdp.v % 16, 0);
	assert_int_equal(sum(rsdp.v, 20), 0);
	assert_int_equal(sum(rsdp.v, 36), 0);
	assert_int_equal(ram[rsdp.v + 15], 2);
	return get(rsdp.v + 24, 8);
}

static void acpi_test_fadt(void **state)
{
	uint64_t xsdt = build(1), fadt = get(xsdt + 36, 8);

	expect_table(xsdt, "XSDT", 36 + 3 * 8);
	expect_table(fadt, "FACP", 276);
	/* Hardware-reduced, with reset register; no SCI, no PM events. */
	assert_int_equal(get(fadt + 112, 4) & (1 << 20 | 1 << 10),
			 1 << 20 | 1 << 10);
	assert_int_equal(get(fadt + 46, 2), 0);
	assert_int_equal(get(fadt + 56, 8), 0);
	/* But a PM timer of 24 bits. */
	assert_int_equal(get(fadt + 112, 4) & 1 << 8, 0);
	assert_int_equal(get(fadt + 76, 4), PM_TIMER);
	assert_int_equal(ram[fadt + 91], 4);
	assert_int_equal(get(fadt + 208, 4), 0x03002001);
	assert_int_equal(get(fadt + 212, 8), PM_TIMER);
	for (unsigned gas = 148; gas < 244; gas += 12)
		if (gas != 208)
			assert_int_equal(get(fadt + gas + 4, 8), 0);
	/* Registers: system I/O, 8 bits wide, byte access. */
	assert_int_equal(get(fadt + 116, 4), 0x01000801);
	assert_int_equal(get(fadt + 120, 8), ACPI_PORT_RESET);
	assert_int_equal(ram[fadt + 128], ACPI_RESET_VALUE);
	assert_int_equal(get(fadt + 244, 4), 0x01000801);
	assert_int_equal(get(fadt + 248, 8), ACPI_PORT_SLEEP_CONTROL);
	assert_int_equal(get(fadt + 256, 4), 0x01000801);
	assert_int_equal(get(fadt + 260, 8), ACPI_PORT_SLEEP_STATUS);
	/* The DSDT is the one that was given. */
	assert_memory_equal(ram + get(fadt + 140, 8), dsdt, sizeof(dsdt));
}

static void acpi_test_madt(void **state)
{
	for (unsigned cpus = 1; cpus <= ACPI_CPUS_MAX; cpus++) {
		uint64_t madt = get(build(cpus) + 44, 8), at = madt + 44;
		uint64_t end = madt + get(madt + 4, 4);
		unsigned lapics = 0, ioapics = 0;

		expect_table(madt, "APIC", end - madt);
		assert_int_equal(get(madt + 36, 4), GUEST_LAPIC_BASE);
		assert_int_equal(get(madt + 40, 4), 1); /* 8259s */
		for (; at < end; at += ram[at + 1]) {
			assert_true(ram[at + 1] >= 2);
			if (ram[at] == 0) {
				assert_int_equal(ram[at + 1], 8);
				assert_int_equal(ram[at + 3], lapics++);
				assert_int_equal(get(at + 4, 4), 1);
			} else {
				assert_int_equal(ram[at], 1);
				assert_int_equal(ram[at + 1], 12);
				assert_int_equal(get(at + 4, 4),
						 GUEST_IOAPIC_BASE);
				assert_int_equal(get(at + 8, 4), 0);
				ioapics++;
			}
		}
		assert_int_equal(at, end);
		assert_int_equal(lapics, cpus);
		assert_int_equal(ioapics, 1);
	}
}

static void acpi_test_mcfg(void **state)
{
	uint64_t mcfg = get(build(2) + 52, 8);

	expect_table(mcfg, "MCFG", 60);
	assert_int_equal(get(mcfg + 44, 8), GUEST_ECAM_BASE);
	assert_int_equal(get(mcfg + 52, 4), 0); /* segment 0, bus 0 to 0 */
}

static void acpi_test_refuses(void **state)
{
	static uint8_t large[GUEST_ACPI_END - GUEST_ACPI_BASE];
	uint32_t length = sizeof(large);
	struct guest_mem none = {0};
	gpa_t rsdp;

	assert_int_equal(
		acpi_build(&mem, 0, PM_TIMER, dsdt, sizeof(dsdt), &rsdp),
		-EINVAL);
	assert_int_equal(acpi_build(&mem, ACPI_CPUS_MAX + 1, PM_TIMER, dsdt,
				    sizeof(dsdt), &rsdp),
			 -EINVAL);
	assert_int_equal(acpi_build(&mem, 1, PM_TIMER, dsdt, 20, &rsdp),
			 -EINVAL);
	/* The length within must be the length given. */
	assert_int_equal(
		acpi_build(&mem, 1, PM_TIMER, dsdt, sizeof(dsdt) - 1, &rsdp),
		-EINVAL);
	memcpy(large, "DSDT", 4);
	memcpy(large + 4, &length, 4);
	assert_int_equal(
		acpi_build(&mem, 1, PM_TIMER, large, sizeof(large), &rsdp),
		-ENOSPC);
	assert_int_equal(
		acpi_build(&none, 1, PM_TIMER, dsdt, sizeof(dsdt), &rsdp),
		-EFAULT);
	dsdt[0] = 'X';
	assert_int_equal(
		acpi_build(&mem, 1, PM_TIMER, dsdt, sizeof(dsdt), &rsdp),
		-EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(acpi_test_fadt, setup,
						teardown),
		cmocka_unit_test_setup_teardown(acpi_test_madt, setup,
						teardown),
		cmocka_unit_test_setup_teardown(acpi_test_mcfg, setup,
						teardown),
		cmocka_unit_test_setup_teardown(acpi_test_refuses, setup,
						teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
