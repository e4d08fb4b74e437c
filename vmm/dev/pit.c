/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The PC's 8254 timer: three counters, and the port that gates the third. */
#include "vmm/dev/pit.h"

#include <string.h>

#define NS_PER_S       1000000000ull

/* Control word: counter 7:6, access 5:4, mode 3:1, BCD 0. */
#define CONTROL_BCD    0x01
#define CONTROL_LOW    0x10
#define CONTROL_HIGH   0x20
#define CONTROL_ACCESS 0x30
#define CONTROL_KEPT   0x3f
#define READ_BACK      3 /* in place of a counter */
#define BACK_NO_COUNT  0x20
#define BACK_NO_STATUS 0x10
#define STATUS_OUTPUT  0x80
#define STATUS_NULL    0x40 /* the count is not in the counter yet */

/* Port 0x61. */
#define B_GATE	       0x01
#define B_SPEAKER      0x02
#define B_REFRESH      0x10 /* toggles with each refresh request, 15 us */
#define B_OUTPUT       0x20
#define REFRESH_NS     15085u

enum pit_mode {
	MODE_TERMINAL_COUNT, /* interrupt on terminal count */
	MODE_ONE_SHOT,	     /* triggered by the gate */
	MODE_RATE,
	MODE_SQUARE,
	MODE_SOFTWARE_STROBE,
	MODE_HARDWARE_STROBE, /* triggered by the gate */
};

/* Modes 2 and 3 have a don't-care bit ("Control Word Format"). */
static enum pit_mode counter_mode(const struct pit_counter *c)
{
	unsigned mode = c->control >> 1 & 7;

	return mode > MODE_HARDWARE_STROBE ? mode & 3 : mode;
}

static bool counter_repeats(const struct pit_counter *c)
{
	return counter_mode(c) == MODE_RATE || counter_mode(c) == MODE_SQUARE;
}

static bool counter_triggered(const struct pit_counter *c)
{
	return counter_mode(c) == MODE_ONE_SHOT ||
	       counter_mode(c) == MODE_HARDWARE_STROBE;
}

/* Both without overflow: years in ns, and their ticks, fit into 64 bits. */
static uint64_t ticks_of(uint64_t ns)
{
	return ns / NS_PER_S * PIT_HZ + ns % NS_PER_S * PIT_HZ / NS_PER_S;
}

/* The first ns at which so many ticks have passed. */
static uint64_t ns_of(uint64_t ticks)
{
	return ticks / PIT_HZ * NS_PER_S +
	       (ticks % PIT_HZ * NS_PER_S + PIT_HZ - 1) / PIT_HZ;
}

static uint64_t counter_ns(const struct pit_counter *c)
{
	return c->running ? plat_now_ns() - c->start_ns : c->paused_ns;
}

/* The counting element: what it holds now, in binary. */
static uint32_t counter_value(const struct pit_counter *c)
{
	uint32_t wrap = c->control & CONTROL_BCD ? 10000 : 65536;
	uint64_t ticks = ticks_of(counter_ns(c));

	if (!c->loaded)
		return 0;
	switch (counter_mode(c)) {
	case MODE_RATE:
		return c->count - (uint32_t)(ticks % c->count);
	case MODE_SQUARE: /* by two, and so twice through each period */
		return (c->count - (uint32_t)(ticks * 2 % c->count)) & ~1u;
	default: /* goes on through 0 */
		return (c->count + wrap - (uint32_t)(ticks % wrap)) % wrap;
	}
}

static bool counter_output(const struct pit_counter *c)
{
	uint64_t ticks = ticks_of(counter_ns(c));

	switch (counter_mode(c)) {
	case MODE_TERMINAL_COUNT:
		return c->loaded && ticks >= c->count;
	case MODE_ONE_SHOT: /* low from the trigger on */
		return !c->loaded || !c->running || ticks >= c->count;
	case MODE_RATE: /* low for the last tick */
		return !c->loaded || !c->gate || counter_value(c) != 1;
	case MODE_SQUARE: /* high for the first half, and the odd tick */
		return !c->loaded || !c->gate ||
		       ticks % c->count < (c->count + 1) / 2;
	default: /* a strobe of one tick at the end */
		return !c->loaded || !c->running || ticks != c->count;
	}
}

static uint16_t counter_encode(const struct pit_counter *c, uint32_t value)
{
	if (!(c->control & CONTROL_BCD))
		return (uint16_t)value;
	value %= 10000;
	return (uint16_t)(value / 1000 << 12 | value / 100 % 10 << 8 |
			  value / 10 % 10 << 4 | value % 10);
}

static uint32_t counter_decode(const struct pit_counter *c, uint16_t value)
{
	uint32_t count = value;

	if (c->control & CONTROL_BCD)
		count = (value >> 12) * 1000u + (value >> 8 & 15) * 100u +
			(value >> 4 & 15) * 10u + (value & 15);
	if (count)
		return count;
	return c->control & CONTROL_BCD ? 10000 : 65536;
}

static void counter_start(struct pit_counter *c)
{
	c->running = true;
	c->start_ns = plat_now_ns();
}

/* When the output of counter 0 rises next, at or after from_ns; 0: never. */
static uint64_t counter_next_rise(const struct pit_counter *c, uint64_t from_ns)
{
	uint64_t period = ns_of(c->count), passed;

	if (!c->loaded || !c->running || counter_triggered(c))
		return 0;
	if (!counter_repeats(c)) {
		/* A strobe rises again one tick later. */
		unsigned strobe = counter_mode(c) == MODE_SOFTWARE_STROBE;
		uint64_t at = c->start_ns + ns_of(c->count + strobe);

		return at >= from_ns ? at : 0;
	}
	passed = from_ns > c->start_ns ? ticks_of(from_ns - c->start_ns) : 0;
	if (period >= PIT_PERIOD_MIN_NS)
		return c->start_ns + ns_of((passed / c->count + 1) * c->count);
	passed += ticks_of(PIT_PERIOD_MIN_NS);
	return c->start_ns + ns_of((passed / c->count + 1) * c->count);
}

/* Counter 0 has changed. */
static void pit_rearm(struct pit *pit, uint64_t from_ns)
{
	pit->next_ns = counter_next_rise(&pit->counters[0], from_ns);
	if (pit->next_ns)
		timer_arm(&pit->timer, pit->next_ns);
	else
		timer_cancel(&pit->timer);
}

static void pit_timer(struct timer *timer)
{
	struct pit *pit = container_of(timer, struct pit, timer);
	uint64_t now;

	lock_acquire(&pit->lock);
	now = plat_now_ns();
	/* It may have been set anew since this event was on its way. */
	if (pit->next_ns && now >= pit->next_ns) {
		pit->interrupts++;
		pit_interrupt(pit);
		/* What was missed while nobody looked is missed. */
		pit_rearm(pit, now + 1);
	}
	lock_release(&pit->lock);
}

static void counter_load(struct pit_counter *c, uint16_t value)
{
	c->count = counter_decode(c, value);
	/* In modes 2 and 3 a new count is for the next period; that a guest
	 * sees it at once is the one liberty taken here. */
	c->loaded = true;
	c->paused_ns = 0;
	c->running = false;
	if (c->gate && !counter_triggered(c))
		counter_start(c);
}

static void counter_write(struct pit_counter *c, uint8_t value)
{
	switch (c->control & CONTROL_ACCESS) {
	case CONTROL_LOW:
		counter_load(c, value);
		break;
	case CONTROL_HIGH:
		counter_load(c, (uint16_t)(value << 8));
		break;
	case CONTROL_ACCESS:
		c->low_written = !c->low_written;
		if (c->low_written) {
			c->low = value;
			/* Mode 0: the first byte stops it (82C54, "Mode 0"). */
			if (counter_mode(c) == MODE_TERMINAL_COUNT)
				c->loaded = c->running = false;
		} else {
			counter_load(c, (uint16_t)(value << 8 | c->low));
		}
		break;
	}
}

static void counter_latch(struct pit_counter *c)
{
	if (c->latched)
		return; /* the first one holds until it is read */
	c->latch = counter_encode(c, counter_value(c));
	c->latched = (c->control & CONTROL_ACCESS) == CONTROL_ACCESS ? 2 : 1;
}

static void counter_latch_status(struct pit_counter *c)
{
	if (c->status_latched)
		return;
	c->status_latched = true;
	c->status = c->control | (counter_output(c) ? STATUS_OUTPUT : 0) |
		    (c->loaded ? 0 : STATUS_NULL);
}

static uint8_t counter_read(struct pit_counter *c)
{
	uint16_t value = c->latch;
	bool high;

	if (c->status_latched) {
		c->status_latched = false;
		return c->status;
	}
	if (c->latched)
		c->latched--;
	else
		value = counter_encode(c, counter_value(c));
	if ((c->control & CONTROL_ACCESS) != CONTROL_ACCESS)
		return (uint8_t)(c->control & CONTROL_HIGH ? value >> 8
							   : value);
	high = c->read_high;
	c->read_high = !high;
	return (uint8_t)(high ? value >> 8 : value);
}

static void counter_control(struct pit_counter *c, uint8_t value)
{
	bool gate = c->gate;

	*c = (struct pit_counter){
		.control = value & CONTROL_KEPT,
		.gate = gate,
		.count = 65536,
	};
}

/* "Read-Back Command": count, status or both of several counters. */
static void pit_read_back(struct pit *pit, uint8_t value)
{
	for (unsigned i = 0; i < 3; i++) {
		if (!(value & 2u << i))
			continue;
		if (!(value & BACK_NO_COUNT))
			counter_latch(&pit->counters[i]);
		if (!(value & BACK_NO_STATUS))
			counter_latch_status(&pit->counters[i]);
	}
}

static void pit_write_control(struct pit *pit, uint8_t value)
{
	unsigned which = value >> 6;

	if (which == READ_BACK) {
		pit_read_back(pit, value);
	} else if (!(value & CONTROL_ACCESS)) {
		counter_latch(&pit->counters[which]);
	} else {
		counter_control(&pit->counters[which], value);
		if (which == 0)
			pit_rearm(pit, plat_now_ns());
	}
}

/* "Gate Pin Operations Summary". */
static void counter_set_gate(struct pit_counter *c, bool gate)
{
	bool rises = gate && !c->gate;
	bool falls = !gate && c->gate;

	c->gate = gate;
	if (!c->loaded)
		return;
	if (rises && (counter_triggered(c) || counter_repeats(c))) {
		counter_start(c);
	} else if (rises) {
		c->running = true;
		c->start_ns = plat_now_ns() - c->paused_ns;
	} else if (falls && !counter_triggered(c)) {
		c->paused_ns = counter_ns(c);
		c->running = false;
	}
}

static uint8_t pit_read_port_b(const struct pit *pit)
{
	const struct pit_counter *c = &pit->counters[2];

	return (c->gate ? B_GATE : 0) | (pit->speaker ? B_SPEAKER : 0) |
	       (plat_now_ns() / REFRESH_NS & 1 ? B_REFRESH : 0) |
	       (counter_output(c) ? B_OUTPUT : 0);
}

uint8_t pit_read(struct pit *pit, uint16_t port)
{
	uint8_t value = 0xff; /* the control word cannot be read */

	lock_acquire(&pit->lock);
	if (port == PIT_PORT_B)
		value = pit_read_port_b(pit);
	else if (port < PIT_PORT + 3)
		value = counter_read(&pit->counters[port - PIT_PORT]);
	lock_release(&pit->lock);
	return value;
}

void pit_write(struct pit *pit, uint16_t port, uint8_t value)
{
	lock_acquire(&pit->lock);
	if (port == PIT_PORT_B) {
		pit->speaker = value & B_SPEAKER;
		counter_set_gate(&pit->counters[2], value & B_GATE);
	} else if (port == PIT_PORT + 3) {
		pit_write_control(pit, value);
	} else {
		counter_write(&pit->counters[port - PIT_PORT], value);
		if (port == PIT_PORT)
			pit_rearm(pit, plat_now_ns());
	}
	lock_release(&pit->lock);
}

void pit_reset(struct pit *pit)
{
	lock_acquire(&pit->lock);
	for (unsigned i = 0; i < 3; i++)
		pit->counters[i] = (struct pit_counter){
			.control = CONTROL_ACCESS,
			.gate = i != 2,
			.count = 65536,
		};
	pit->speaker = false;
	pit_rearm(pit, 0);
	lock_release(&pit->lock);
}

void pit_init(struct pit *pit)
{
	memset(pit, 0, sizeof(*pit));
	lock_init(&pit->lock, "pit", LOCK_DEVICE);
	timer_init(&pit->timer, pit_timer);
	pit_reset(pit);
}
