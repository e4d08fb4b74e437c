/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The PC's 8254 timer: three counters, and the port that gates the third. */
#ifndef VMM_DEV_PIT_H
#define VMM_DEV_PIT_H

#include "plat/event.h"
#include "plat/lock.h"

/*
 * Intel 82C54 datasheet (order number 231244). What a counter shows is worked
 * out from the clock when it is asked for; only counter 0, whose output is
 * IRQ 0, has a timer, and that only while it counts towards an interrupt.
 * Counters 0 and 1 have their gates tied high; that of 2, its output and the
 * refresh toggle are in port 0x61 (82371AB datasheet, 4.2.6). The speaker is
 * nobody's.
 */
#define PIT_HZ		  1193182u
#define PIT_PORT	  0x40u
#define PIT_PORTS	  4
#define PIT_PORT_B	  0x61u
/* Counter 0 interrupts no more often than this; faster ones skip. */
#define PIT_PERIOD_MIN_NS 50000u

struct pit_counter {
	uint8_t control; /* access, mode, BCD: as the status byte has them */
	bool loaded;	 /* a count has been written since the control word */
	bool gate;
	bool low_written; /* of a count of two bytes */
	bool read_high;	  /* the next read is of the high byte */
	uint8_t low;
	uint32_t count; /* 1 to 65536 (10000 in BCD) */
	bool running;
	uint64_t start_ns;  /* running: when it had the whole count */
	uint64_t paused_ns; /* not running: for how long it had counted */
	uint8_t latched;    /* bytes of latch yet to be read */
	uint16_t latch;
	bool status_latched;
	uint8_t status;
};

struct pit {
	struct lock lock; /* LOCK_DEVICE; protects all below */
	struct pit_counter counters[3];
	bool speaker; /* port 0x61, bit 1: only kept */
	struct timer timer;
	uint64_t next_ns; /* when counter 0 interrupts next; 0: never */
	uint64_t interrupts;
};

/* Hook: an edge on IRQ 0. Called with LOCK_DEVICE held. */
void pit_interrupt(struct pit *pit);

void pit_init(struct pit *pit);
void pit_reset(struct pit *pit);
/* port: PIT_PORT to PIT_PORT + 3, or PIT_PORT_B. The CPU of any vCPU. */
uint8_t pit_read(struct pit *pit, uint16_t port);
void pit_write(struct pit *pit, uint16_t port, uint8_t value);

#endif
