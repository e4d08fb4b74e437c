/* SPDX-License-Identifier: GPL-2.0-or-later */
/* CMOS clock: time of day, its formats, memory-size bytes. */
#include "vmm/dev/rtc.h"

#include <string.h>

/* MC146818A, figure 9 on; the century's place is the PC's. */
#define CMOS_SECONDS   0x00
#define CMOS_MINUTES   0x02
#define CMOS_HOURS     0x04
#define CMOS_WEEKDAY   0x06 /* 1: Sunday */
#define CMOS_DAY       0x07
#define CMOS_MONTH     0x08
#define CMOS_YEAR      0x09
#define CMOS_A	       0x0a
#define CMOS_B	       0x0b
#define CMOS_C	       0x0c
#define CMOS_D	       0x0d
#define CMOS_CENTURY   0x32

#define A_UIP	       0x80 /* never: the clock cannot be caught updating */
#define A_RESET	       0x26 /* 32.768 kHz, 1024 Hz */
#define B_SET	       0x80
#define B_INTERRUPTS   0x70
#define B_BINARY       0x04
#define B_24H	       0x02
#define D_VALID	       0x80
#define HOURS_PM       0x80

#define DAY_SECONDS    86400
#define DAYS_400_YEARS 146097
#define YEAR_MAX       9999

struct rtc_time {
	unsigned second, minute, hour, weekday, day, month, year;
};

/* Days since 1970-01-01 of the proleptic Gregorian calendar. The year begins
 * in March, so that the leap day comes last; from 0000-03-01 to the epoch it is
 * 719468 days. */
static int64_t date_to_days(unsigned year, unsigned month, unsigned day)
{
	unsigned y = month <= 2 ? year - 1 : year;
	unsigned m = (month + 9) % 12;
	unsigned era = y / 400, in_era = y % 400;
	unsigned in_year = (153 * m + 2) / 5 + day - 1;

	return (int64_t)era * DAYS_400_YEARS +
	       (in_era * 365 + in_era / 4 - in_era / 100 + in_year) - 719468;
}

static void days_to_date(int64_t days, struct rtc_time *t)
{
	int64_t z = days + 719468;
	unsigned era = (unsigned)(z / DAYS_400_YEARS);
	unsigned d = (unsigned)(z % DAYS_400_YEARS);
	unsigned y = (d - d / 1460 + d / 36524 - d / 146096) / 365;
	unsigned in_year = d - (365 * y + y / 4 - y / 100);
	unsigned m = (5 * in_year + 2) / 153;

	t->day = in_year - (153 * m + 2) / 5 + 1;
	t->month = m < 10 ? m + 3 : m - 9;
	t->year = era * 400 + y + (t->month <= 2);
	t->weekday = (unsigned)((days % 7 + 11) % 7) + 1; /* day 0: Thursday */
}

static uint8_t field_encode(const struct rtc *rtc, unsigned value)
{
	if (rtc->cmos[CMOS_B] & B_BINARY)
		return (uint8_t)value;
	return (uint8_t)(value / 10 << 4 | value % 10);
}

static unsigned field_decode(const struct rtc *rtc, uint8_t value)
{
	if (rtc->cmos[CMOS_B] & B_BINARY)
		return value;
	return (value >> 4) * 10u + (value & 15);
}

static uint8_t hours_encode(const struct rtc *rtc, unsigned hour)
{
	uint8_t twelve;

	if (rtc->cmos[CMOS_B] & B_24H)
		return field_encode(rtc, hour);
	twelve = field_encode(rtc, hour % 12 ? hour % 12 : 12);
	return hour >= 12 ? twelve | HOURS_PM : twelve;
}

static unsigned hours_decode(const struct rtc *rtc, uint8_t value)
{
	unsigned hour;

	if (rtc->cmos[CMOS_B] & B_24H)
		return field_decode(rtc, value);
	hour = field_decode(rtc, value & ~HOURS_PM) % 12;
	return value & HOURS_PM ? hour + 12 : hour;
}

/* The clock into its registers. */
static void rtc_latch(struct rtc *rtc)
{
	int64_t now = (int64_t)rtc_wall_seconds() + rtc->offset;
	unsigned in_day = (unsigned)(now % DAY_SECONDS);
	struct rtc_time t;

	days_to_date(now / DAY_SECONDS, &t);
	rtc->cmos[CMOS_SECONDS] = field_encode(rtc, in_day % 60);
	rtc->cmos[CMOS_MINUTES] = field_encode(rtc, in_day / 60 % 60);
	rtc->cmos[CMOS_HOURS] = hours_encode(rtc, in_day / 3600);
	rtc->cmos[CMOS_WEEKDAY] = field_encode(rtc, t.weekday);
	rtc->cmos[CMOS_DAY] = field_encode(rtc, t.day);
	rtc->cmos[CMOS_MONTH] = field_encode(rtc, t.month);
	rtc->cmos[CMOS_YEAR] = field_encode(rtc, t.year % 100);
	rtc->cmos[CMOS_CENTURY] = field_encode(rtc, t.year / 100);
}

/* The clock from its registers. Fields out of range are brought into it: no
 * clock of this kind checks them, and all that shows is this guest's time. */
static void rtc_set(struct rtc *rtc)
{
	unsigned second = field_decode(rtc, rtc->cmos[CMOS_SECONDS]) % 60;
	unsigned minute = field_decode(rtc, rtc->cmos[CMOS_MINUTES]) % 60;
	unsigned hour = hours_decode(rtc, rtc->cmos[CMOS_HOURS]) % 24;
	unsigned day = field_decode(rtc, rtc->cmos[CMOS_DAY]);
	unsigned month = field_decode(rtc, rtc->cmos[CMOS_MONTH]);
	unsigned year = field_decode(rtc, rtc->cmos[CMOS_YEAR]) % 100 +
			field_decode(rtc, rtc->cmos[CMOS_CENTURY]) * 100;
	int64_t days;

	day = MAX(MIN(day, 31u), 1u);
	month = MAX(MIN(month, 12u), 1u);
	year = MAX(MIN(year, (unsigned)YEAR_MAX), 1970u);
	days = date_to_days(year, month, day);
	rtc->offset = days * DAY_SECONDS + hour * 3600 + minute * 60 + second -
		      (int64_t)rtc_wall_seconds();
}

static bool rtc_is_time(uint8_t index)
{
	switch (index) {
	case CMOS_SECONDS:
	case CMOS_MINUTES:
	case CMOS_HOURS:
	case CMOS_WEEKDAY:
	case CMOS_DAY:
	case CMOS_MONTH:
	case CMOS_YEAR:
	case CMOS_CENTURY:
		return true;
	default:
		return false;
	}
}

static uint8_t rtc_read_locked(struct rtc *rtc)
{
	if (rtc_is_time(rtc->index) && !(rtc->cmos[CMOS_B] & B_SET))
		rtc_latch(rtc);
	return rtc->cmos[rtc->index];
}

static void rtc_write_locked(struct rtc *rtc, uint8_t value)
{
	uint8_t old_b = rtc->cmos[CMOS_B];

	switch (rtc->index) {
	case CMOS_A:
		rtc->cmos[CMOS_A] = value & ~A_UIP;
		return;
	case CMOS_B:
		/* The time stands still while SET is on (MC146818A, register
		 * B). A change of format leaves registers as they are. */
		if (!(old_b & B_SET))
			rtc_latch(rtc);
		rtc->cmos[CMOS_B] = value & ~B_INTERRUPTS;
		if ((old_b & B_SET) && !(value & B_SET))
			rtc_set(rtc);
		return;
	case CMOS_C:
	case CMOS_D:
		return; /* read-only */
	}
	if (!rtc_is_time(rtc->index) || (old_b & B_SET)) {
		rtc->cmos[rtc->index] = value;
		return;
	}
	rtc_latch(rtc);
	rtc->cmos[rtc->index] = value;
	rtc_set(rtc);
}

uint8_t rtc_read(struct rtc *rtc, unsigned port)
{
	uint8_t value = 0xff; /* the index is write-only */

	if (port != RTC_PORT_DATA)
		return value;
	lock_acquire(&rtc->lock);
	value = rtc_read_locked(rtc);
	lock_release(&rtc->lock);
	return value;
}

void rtc_write(struct rtc *rtc, unsigned port, uint8_t value)
{
	lock_acquire(&rtc->lock);
	if (port == RTC_PORT_INDEX)
		rtc->index = value & (RTC_CMOS_SIZE - 1); /* bit 7: NMI gate */
	else if (port == RTC_PORT_DATA)
		rtc_write_locked(rtc, value);
	lock_release(&rtc->lock);
}

static void cmos_put(struct rtc *rtc, unsigned at, unsigned bytes,
		     uint64_t value)
{
	for (unsigned i = 0; i < bytes; i++)
		rtc->cmos[at + i] = (uint8_t)(value >> (8 * i));
}

void rtc_init(struct rtc *rtc, uint64_t low_ram, uint64_t high_ram)
{
	uint64_t extended = low_ram > MiB(1) ? (low_ram - MiB(1)) / KiB(1) : 0;
	uint64_t above_16m =
		low_ram > MiB(16) ? (low_ram - MiB(16)) / KiB(64) : 0;

	memset(rtc, 0, sizeof(*rtc));
	lock_init(&rtc->lock, "rtc", LOCK_DEVICE);
	rtc->cmos[CMOS_A] = A_RESET;
	rtc->cmos[CMOS_B] = B_24H;
	rtc->cmos[CMOS_D] = D_VALID;
	/* Where the PC's BIOS puts memory sizes: base and from 1 MiB in KiB,
	 * from 16 MiB and from 4 GiB in 64 KiB. */
	cmos_put(rtc, 0x15, 2, MIN(low_ram / KiB(1), 640u));
	cmos_put(rtc, 0x17, 2, MIN(extended, 0xffffu));
	cmos_put(rtc, 0x30, 2, MIN(extended, 0xffffu));
	cmos_put(rtc, 0x34, 2, MIN(above_16m, 0xffffu));
	cmos_put(rtc, 0x5b, 3, MIN(high_ram / KiB(64), 0xffffffu));
}
