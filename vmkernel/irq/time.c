/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The clock: TSC, calibrated against the ACPI PM timer; wall time. */
#include "vmkernel/irq/time.h"

#include "plat/plat.h"
#include "vmkernel/boot/acpi.h"
#include "vmkernel/cpu/io.h"

#define PM_TIMER_HZ	3579545ull /* ACPI 6.4, 4.8.3.3 */
#define PM_TIMER_MASK	0xffffffu
#define CALIBRATE_TICKS (PM_TIMER_HZ / 20) /* 50 ms */
#define CMOS_WAIT_READS 100000

/* ns = cycles * mult >> 32. */
static uint64_t time_mult;
static uint64_t time_khz;
static uint64_t time_wall_at_zero;

uint64_t plat_now_ns(void)
{
	return (uint64_t)((unsigned __int128)plat_cycles() * time_mult >> 32);
}

uint64_t time_tsc_khz(void)
{
	return time_khz;
}

uint64_t time_wall_seconds(void)
{
	return time_wall_at_zero + plat_now_ns() / 1000000000;
}

static void time_calibrate(uint16_t port)
{
	uint32_t last = inl(port) & PM_TIMER_MASK, now;
	uint64_t start, cycles, ticks = 0;

	while ((now = inl(port) & PM_TIMER_MASK) == last)
		; /* start on an edge */
	last = now;
	start = plat_cycles();
	do {
		now = inl(port) & PM_TIMER_MASK;
		ticks += (now - last) & PM_TIMER_MASK;
		last = now;
	} while (ticks < CALIBRATE_TICKS);
	cycles = plat_cycles() - start;
	time_khz = cycles * PM_TIMER_HZ / ticks / 1000;
}

static unsigned cmos_read(unsigned reg)
{
	outb(0x70, (uint8_t)reg);
	return inb(0x71);
}

static unsigned cmos_field(unsigned reg, bool binary)
{
	unsigned v = cmos_read(reg);

	return binary ? v : (v >> 4) * 10 + (v & 15);
}

/* Days from 1970-01-01 in the proleptic Gregorian calendar. */
static uint64_t days_since_epoch(unsigned year, unsigned month, unsigned day)
{
	unsigned y = month <= 2 ? year - 1 : year;
	unsigned shifted = (month + 9) % 12; /* March is 0 */

	return 365ull * y + y / 4 - y / 100 + y / 400 +
	       (153 * shifted + 2) / 5 + day - 1 - 719468;
}

/* MC146818: register A bit 7 says that an update is in progress. */
static uint64_t cmos_seconds(void)
{
	bool binary = cmos_read(0x0b) & 4;
	unsigned hour;

	for (unsigned i = 0; i < CMOS_WAIT_READS && cmos_read(0x0a) & 0x80; i++)
		;
	hour = cmos_read(4);
	if (!(cmos_read(0x0b) & 2)) { /* 12-hour form, bit 7 is PM */
		bool pm = hour & 0x80;

		hour &= 0x7f;
		hour = binary ? hour : (hour >> 4) * 10 + (hour & 15);
		hour = hour % 12 + (pm ? 12 : 0);
	} else {
		hour = binary ? hour : (hour >> 4) * 10 + (hour & 15);
	}
	return days_since_epoch(2000 + cmos_field(9, binary),
				cmos_field(8, binary), cmos_field(7, binary)) *
		       86400 +
	       hour * 3600 + cmos_field(2, binary) * 60 + cmos_field(0, binary);
}

void time_init(void)
{
	const struct acpi_info *acpi = acpi_info();

	if (!acpi->pm_timer_port)
		plat_panic(
			"time: this machine has no ACPI PM timer to "
			"calibrate its clock against");
	time_calibrate(acpi->pm_timer_port);
	time_mult = (1000000ull << 32) / time_khz;
	time_wall_at_zero = cmos_seconds() - plat_now_ns() / 1000000000;
	log_info("time", "TSC at %lu kHz", time_khz);
}
