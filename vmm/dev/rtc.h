/* SPDX-License-Identifier: GPL-2.0-or-later */
/* CMOS clock and its battery-backed bytes, ports 0x70 and 0x71. */
#ifndef VMM_DEV_RTC_H
#define VMM_DEV_RTC_H

#include "plat/lock.h"

/*
 * Motorola MC146818A datasheet. Time of day only: alarm, periodic and update
 * interrupts cannot be enabled (register B reads back without them), and IRQ 8
 * never comes. A guest that sets the clock sets its own.
 */
#define RTC_PORT_INDEX 0x70
#define RTC_PORT_DATA  0x71
#define RTC_CMOS_SIZE  128

struct rtc {
	struct lock lock; /* LOCK_DEVICE; protects all below */
	uint8_t index;
	uint8_t cmos[RTC_CMOS_SIZE]; /* 0 to 9 and century: while SET is on */
	int64_t offset;		     /* guest's clock - rtc_wall_seconds() */
};

/* Hook: UTC, seconds since 1970. */
uint64_t rtc_wall_seconds(void);

/* RAM below and above 4 GiB, bytes. */
void rtc_init(struct rtc *rtc, uint64_t low_ram, uint64_t high_ram);
/* port: RTC_PORT_INDEX or RTC_PORT_DATA. */
uint8_t rtc_read(struct rtc *rtc, unsigned port);
void rtc_write(struct rtc *rtc, unsigned port, uint8_t value);

#endif
