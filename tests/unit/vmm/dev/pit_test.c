/* SPDX-License-Identifier: GPL-2.0-or-later */
/* vmm/dev/pit.c by the 82C54 datasheet, with a clock of its own. */
#include "vmm/dev/pit.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "plat/linux/linux.h"

#define CONTROL 0x43
#define PORT_B	0x61
#define OUTPUT	0x20
#define GATE	0x01

static struct pit pit;
static uint64_t now;
static unsigned interrupts;

void pit_interrupt(struct pit *p)
{
	assert_ptr_equal(p, &pit);
	interrupts++;
}

/* In ticks of the 8254, each of 838 ns; a bit more, to be past the edge. */
static void advance(uint64_t ticks)
{
	now += (ticks * 1000000000 + PIT_HZ - 1) / PIT_HZ;
	plat_linux_set_time(now);
	plat_linux_run_timers();
}

static int setup(void **state)
{
	now = 5000000000;
	plat_linux_set_time(now);
	pit_init(&pit);
	interrupts = 0;
	return 0;
}

static int teardown(void **state)
{
	pit_reset(&pit); /* no timer stays behind */
	assert_int_equal(plat_linux_next_timer(), UINT64_MAX);
	return 0;
}

static void out(unsigned port, unsigned value)
{
	pit_write(&pit, (uint16_t)port, (uint8_t)value);
}

static unsigned in(unsigned port)
{
	return pit_read(&pit, (uint16_t)port);
}

static void load(unsigned counter, unsigned mode, unsigned count)
{
	out(CONTROL, counter << 6 | 0x30 | mode << 1);
	out(0x40 + counter, count & 0xff);
	out(0x40 + counter, count >> 8);
}

static unsigned latched(unsigned counter)
{
	unsigned low;

	out(CONTROL, counter << 6);
	low = in(0x40 + counter);
	return low | in(0x40 + counter) << 8;
}

/* As Linux and iPXE calibrate: counter 2, mode 0, output by port 0x61. */
static void test_one_shot_of_counter_2(void **state)
{
	out(PORT_B, GATE);
	load(2, 0, 11932); /* 10 ms */
	assert_int_equal(in(PORT_B) & (OUTPUT | 3), GATE);
	assert_int_equal(latched(2), 11932);
	advance(1000);
	assert_int_equal(latched(2), 10932);
	/* With the gate low it stands still. */
	out(PORT_B, 2);
	advance(5000);
	assert_int_equal(latched(2), 10932);
	assert_int_equal(in(PORT_B) & (OUTPUT | 3), 2);
	out(PORT_B, GATE);
	advance(10931);
	assert_int_equal(in(PORT_B)&OUTPUT, 0);
	advance(1);
	assert_int_equal(in(PORT_B)&OUTPUT, OUTPUT);
	/* The counter goes on through 0, the output stays. */
	advance(10);
	assert_int_equal(latched(2), 0x10000 - 10);
	advance(0x10000);
	assert_int_equal(in(PORT_B)&OUTPUT, OUTPUT);
	assert_int_equal(interrupts, 0);
}

static void test_rate(void **state)
{
	load(0, 2, 11932);
	advance(11931);
	assert_int_equal(latched(0), 1);
	assert_int_equal(interrupts, 0);
	advance(1);
	assert_int_equal(interrupts, 1);
	for (unsigned i = 0; i < 100; i++)
		advance(11932);
	assert_int_equal(interrupts, 101);
	/* What was missed is missed. */
	advance(11932 * 10);
	assert_int_equal(interrupts, 102);
	/* A new control word stops it. */
	out(CONTROL, 0x34);
	advance(11932 * 3);
	assert_int_equal(interrupts, 102);
}

/* The BIOS' tick: mode 3, a count of 0 is 65536; 18.2 a second. */
static void test_square(void **state)
{
	load(0, 3, 0);
	for (unsigned i = 0; i < 1820; i++)
		advance(PIT_HZ / 182 / 10 * 10 + 1);
	assert_in_range(interrupts, 180, 184);
	/* By two, twice in a period; the output is low in the second half. */
	out(PORT_B, GATE);
	load(2, 3, 1000);
	advance(100);
	assert_int_equal(latched(2), 800);
	assert_int_equal(in(PORT_B)&OUTPUT, OUTPUT);
	advance(500);
	assert_int_equal(latched(2), 800);
	assert_int_equal(in(PORT_B)&OUTPUT, 0);
	advance(400);
	assert_int_equal(in(PORT_B)&OUTPUT, OUTPUT);
	/* Without gate the output is high, and the gate starts it anew. */
	out(PORT_B, 0);
	advance(600);
	assert_int_equal(in(PORT_B)&OUTPUT, OUTPUT);
	out(PORT_B, GATE);
	assert_int_equal(latched(2), 1000);
}

static void test_terminal_count_interrupts_once(void **state)
{
	load(0, 0, 1000);
	advance(999);
	assert_int_equal(interrupts, 0);
	advance(1);
	assert_int_equal(interrupts, 1);
	advance(200000);
	assert_int_equal(interrupts, 1);
	/* The first byte of a new count stops it, the second starts it. */
	load(0, 0, 1000);
	advance(500);
	out(0x40, 100);
	advance(1000);
	assert_int_equal(interrupts, 1);
	out(0x40, 0);
	advance(100);
	assert_int_equal(interrupts, 2);
}

static void test_strobes(void **state)
{
	load(0, 4, 1000);
	advance(1001);
	assert_int_equal(interrupts, 1);
	out(PORT_B, GATE);
	load(2, 4, 1000);
	advance(999);
	assert_int_equal(in(PORT_B)&OUTPUT, OUTPUT);
	advance(1);
	assert_int_equal(in(PORT_B)&OUTPUT, 0);
	advance(1);
	assert_int_equal(in(PORT_B)&OUTPUT, OUTPUT);
	/* Modes 1 and 5 wait for the gate to rise; that of 0 never does. */
	for (unsigned mode = 1; mode <= 5; mode += 4) {
		load(0, mode, 100);
		out(PORT_B, GATE);
		load(2, mode, 1000);
		advance(2000);
		assert_int_equal(in(PORT_B)&OUTPUT, OUTPUT);
		out(PORT_B, 0);
		out(PORT_B, GATE);
		assert_int_equal(in(PORT_B)&OUTPUT, mode == 1 ? 0 : OUTPUT);
		advance(1000);
		assert_int_equal(in(PORT_B)&OUTPUT, mode == 1 ? OUTPUT : 0);
		advance(1);
		assert_int_equal(in(PORT_B)&OUTPUT, OUTPUT);
	}
	assert_int_equal(interrupts, 1);
}

static void test_access(void **state)
{
	out(PORT_B, GATE);
	out(CONTROL, 0x94); /* counter 2, low byte, mode 2 */
	out(0x42, 200);
	advance(10);
	assert_int_equal(in(0x42), 190);
	assert_int_equal(in(0x42), 190);
	out(CONTROL, 0xa4); /* high byte */
	out(0x42, 2);
	advance(1);
	assert_int_equal(in(0x42), 1);
	/* A latch holds until it is read; a second one changes nothing. */
	load(2, 2, 5000);
	advance(1);
	out(CONTROL, 0x80);
	advance(1000);
	out(CONTROL, 0x80);
	assert_int_equal(in(0x42) | in(0x42) << 8, 4999);
	assert_int_equal(in(0x42) | in(0x42) << 8, 3999);
	/* The control word cannot be read. */
	assert_int_equal(in(CONTROL), 0xff);
}

static void test_bcd(void **state)
{
	out(PORT_B, GATE);
	out(CONTROL, 0xb1); /* counter 2, mode 0, BCD */
	out(0x42, 0x34);
	out(0x42, 0x12);
	advance(235);
	assert_int_equal(latched(2), 0x0999);
	advance(1000);
	assert_int_equal(latched(2), 0x9999);
	out(0x42, 0);
	out(0x42, 0);
	advance(1);
	assert_int_equal(latched(2), 0x9999);
}

static void test_read_back(void **state)
{
	load(1, 2, 100);
	out(PORT_B, 0);
	load(2, 0, 4000);
	/* Status of all: output, null count, access, mode. */
	out(CONTROL, 0xee);
	assert_int_equal(in(0x40), 0x70); /* never loaded */
	assert_int_equal(in(0x41), 0xb4);
	assert_int_equal(in(0x42), 0x30);
	/* Count and status: the status comes first. */
	out(CONTROL, 0xc8);
	assert_int_equal(in(0x42), 0x30);
	assert_int_equal(in(0x42) | in(0x42) << 8, 4000);
	out(CONTROL, 0xb0);
	out(CONTROL, 0xe8);
	assert_int_equal(in(0x42), 0x70);
}

/* The shortest count a guest can ask for does not flood the machine. */
static void test_fast_rate(void **state)
{
	uint64_t end = now + 10000000;

	load(0, 2, 2);
	while (now < end) {
		now = MIN(plat_linux_next_timer(), end);
		plat_linux_set_time(now);
		plat_linux_run_timers();
	}
	assert_in_range(interrupts, 100, 10000000 / PIT_PERIOD_MIN_NS);
}

static void test_refresh_toggles(void **state)
{
	unsigned changes = 0, last = in(PORT_B)&0x10;

	for (unsigned i = 0; i < 1000; i++) {
		unsigned bit;

		now += 5000;
		plat_linux_set_time(now);
		bit = in(PORT_B)&0x10;
		changes += bit != last;
		last = bit;
	}
	assert_in_range(changes, 320, 340);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
		TEST(test_one_shot_of_counter_2),
		TEST(test_rate),
		TEST(test_square),
		TEST(test_terminal_count_interrupts_once),
		TEST(test_strobes),
		TEST(test_access),
		TEST(test_bcd),
		TEST(test_read_back),
		TEST(test_fast_rate),
		TEST(test_refresh_toggles),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
