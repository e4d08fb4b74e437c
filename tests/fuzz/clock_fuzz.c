/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Fuzzes the guest's clocks: CMOS registers, and the paravirtual clock. */
#include <time.h>

#include <linux/errno.h>

#include "tests/fuzz/fuzz.h"
#include "vmm/dev/pvclock.h"
#include "vmm/dev/rtc.h"

/*
 * CMOS: whatever is written, the registers tell the time of day that the C
 * library makes of the same second, in the format that register B asks for.
 * Paravirtual clock: only the structure that the guest registered is written,
 * its version is even, and a second of cycles is a second.
 */
#define OP_SIZE	 12
#define RAM_SIZE 512
#define RAM_AT	 0x1000

#define B_SET	 0x80
#define B_BINARY 0x04
#define B_24H	 0x02

static uint64_t wall;
static struct rtc rtc;
static _Alignas(4096) uint8_t ram[RAM_SIZE], before[RAM_SIZE];
static struct guest_mem mem;
static struct pvclock_base base;
static struct pvclock clock_;

uint64_t rtc_wall_seconds(void)
{
	return wall;
}

static uint8_t cmos(uint8_t index)
{
	rtc_write(&rtc, RTC_PORT_INDEX, index);
	return rtc_read(&rtc, RTC_PORT_DATA);
}

static int field(uint8_t index, uint8_t b)
{
	uint8_t value = cmos(index);

	return b & B_BINARY ? value : (value >> 4) * 10 + (value & 15);
}

static int hours(uint8_t b)
{
	uint8_t value = cmos(4);
	bool pm = value & 0x80 && !(b & B_24H);
	int hour;

	value = b & B_24H ? value : value & 0x7f;
	hour = b & B_BINARY ? value : (value >> 4) * 10 + (value & 15);
	if (b & B_24H)
		return hour;
	REQUIRE(hour >= 1 && hour <= 12);
	return hour % 12 + (pm ? 12 : 0);
}

/* The clock runs, unless the guest is setting it. */
static void check_rtc(void)
{
	uint8_t index = rtc.index, b = cmos(11);
	time_t now = (time_t)((int64_t)wall + rtc.offset);
	struct tm tm;

	REQUIRE(!(b & 0x70) && cmos(13) == 0x80 && !(cmos(10) & 0x80));
	if (!(b & B_SET)) {
		REQUIRE(gmtime_r(&now, &tm) != NULL);
		REQUIRE(field(0, b) == tm.tm_sec && field(2, b) == tm.tm_min &&
			hours(b) == tm.tm_hour &&
			field(6, b) == tm.tm_wday + 1 &&
			field(7, b) == tm.tm_mday &&
			field(8, b) == tm.tm_mon + 1 &&
			field(9, b) == tm.tm_year % 100 &&
			field(0x32, b) == (tm.tm_year + 1900) / 100);
	}
	rtc_write(&rtc, RTC_PORT_INDEX, index);
}

static void check_pvclock(uint64_t written, size_t count)
{
	struct pvclock_vcpu_time_info info;
	uint64_t at = clock_.system_time_msr & ~1ull, ns, delta;

	/* Only what was just registered, or is, may have changed. */
	for (uint64_t i = 0; i < RAM_SIZE; i++) {
		uint64_t gpa = RAM_AT + i;

		REQUIRE(ram[i] == before[i] || gpa - written < count ||
			(clock_.info && gpa - at < sizeof(info)));
	}
	if (!clock_.info)
		return;
	/* The wall clock may have been put on top of it. */
	if (count)
		pvclock_tsc_moved(&clock_, clock_.tsc_adjust);
	memcpy(&info, ram + (at - RAM_AT), sizeof(info));
	REQUIRE(!(info.version & 1) &&
		info.tsc_timestamp == base.tsc + clock_.tsc_adjust);
	delta = base.tsc_khz * 1000ull;
	delta = info.tsc_shift < 0 ? delta >> -info.tsc_shift
				   : delta << info.tsc_shift;
	ns = (uint64_t)((unsigned __int128)delta * info.tsc_to_system_mul >>
			32);
	REQUIRE(info.tsc_to_system_mul >> 31); /* as exact as it can be */
	/* A cycle is lost to the shift, or a nanosecond to rounding. */
	REQUIRE(ns <= 1000000000 &&
		ns + 2 + 1000000u / base.tsc_khz >= 1000000000);
}

static void run(const uint8_t *op)
{
	static const uint32_t msrs[] = {MSR_KVM_WALL_CLOCK, MSR_KVM_SYSTEM_TIME,
					MSR_KVM_WALL_CLOCK_OLD,
					MSR_KVM_SYSTEM_TIME_OLD, 0x10};
	uint32_t msr = msrs[op[1] % ARRAY_SIZE(msrs)];
	uint64_t value, read, count = 0;
	int err;

	memcpy(&value, op + 4, sizeof(value));
	memcpy(before, ram, sizeof(ram));
	switch (op[0] & 7) {
	case 0:
		rtc_write(&rtc, RTC_PORT_INDEX, op[1]);
		break;
	case 1:
		rtc_write(&rtc, RTC_PORT_DATA, op[1]);
		break;
	case 2: /* both, at a register that matters */
		rtc_write(&rtc, RTC_PORT_INDEX, op[2] & 0xf);
		rtc_write(&rtc, RTC_PORT_DATA, op[1]);
		break;
	case 3:
		rtc_read(&rtc, RTC_PORT_INDEX + (op[1] & 1));
		wall += value & 0xffffffff;
		break;
	case 4:
	case 5:
		if (op[0] & 8)
			value = RAM_AT + (value & 0x3ff);
		err = pvclock_msr_write(&clock_, msr, value);
		REQUIRE(err == 0 || err == -EPERM);
		if (!err && op[1] % ARRAY_SIZE(msrs) % 2 == 0)
			count = sizeof(struct pvclock_wall_clock);
		if (!err)
			REQUIRE(!pvclock_msr_read(&clock_, msr, &read) &&
				read == value);
		break;
	case 6:
		pvclock_tsc_moved(&clock_, value);
		break;
	default:
		if (op[1] & 1)
			pvclock_reset(&clock_);
		ram[value % RAM_SIZE] ^= op[2];
		/* The guest may scribble over the structure as well. */
		pvclock_tsc_moved(&clock_, value);
		memcpy(before, ram, sizeof(ram));
	}
	check_rtc();
	check_pvclock(value, count);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size < OP_SIZE)
		return 0;
	if (!mem.count)
		guest_mem_add(&mem, GPA(RAM_AT), RAM_SIZE, ram);
	wall = 1700000000;
	rtc_init(&rtc, MiB((uint64_t)data[0]) * 64, MiB((uint64_t)data[1]));
	memcpy(&base.tsc, data, sizeof(base.tsc));
	memcpy(&base.tsc_khz, data + 8, sizeof(base.tsc_khz));
	base.tsc_khz |= base.tsc_khz ? 0 : 1;
	base.tsc_stable = data[0] & 1;
	base.wall_seconds = wall;
	memset(ram, 0x5a, sizeof(ram));
	pvclock_init(&clock_, &mem, &base);
	while (size >= 2 * OP_SIZE) {
		data += OP_SIZE;
		size -= OP_SIZE;
		run(data);
	}
	return 0;
}
