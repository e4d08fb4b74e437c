/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The 16550 ports: COM1 is the terminal, COM2 the control port. */
#include "vmkernel/console/serial.h"

#include <linux/serial_reg.h>

#include "plat/event.h"
#include "plat/lock.h"
#include "plat/plat.h"
#include "vmkernel/console/console.h"
#include "vmkernel/cpu/io.h"
#include "vmkernel/irq/irq.h"

#define SERIAL_COM1	0x3f8
#define SERIAL_COM2	0x2f8
#define SERIAL_COM1_IRQ 4
#define SERIAL_FIFO	16
#define SERIAL_DIVISOR	1 /* of 1.8432 MHz / 16: 115200 baud */
/* Status reads before a port counts as stuck. One takes about 1 us, the FIFO
 * empties in 1.4 ms. */
#define SERIAL_TRIES	100000
/* Bytes taken in one interrupt; the rest comes with the next. */
#define SERIAL_BUDGET	256

/* Register numbers (UART_*) are linux/serial_reg.h's; see the PC16550D data
 * sheet, section 8. */
struct serial {
	uint16_t base;
	bool present;
	bool stuck; /* the last wait ran out: ask once, do not wait again */
};

static struct serial serial_terminal = {.base = SERIAL_COM1};
static struct serial serial_control = {.base = SERIAL_COM2};
static struct timer serial_timer;

static void serial_probe(struct serial *s)
{
	/* The scratch register keeps what is written; where there is no port
	 * the bus reads as ones. */
	outb(s->base + UART_SCR, 0x5a);
	if (inb(s->base + UART_SCR) != 0x5a)
		return;
	outb(s->base + UART_SCR, 0xa5);
	if (inb(s->base + UART_SCR) != 0xa5)
		return;
	s->present = true;
	outb(s->base + UART_IER, 0);
	outb(s->base + UART_LCR, UART_LCR_DLAB | UART_LCR_WLEN8);
	outb(s->base + UART_DLL, SERIAL_DIVISOR);
	outb(s->base + UART_DLM, 0);
	outb(s->base + UART_LCR, UART_LCR_WLEN8);
	outb(s->base + UART_FCR,
	     UART_FCR_ENABLE_FIFO | UART_FCR_CLEAR_RCVR | UART_FCR_CLEAR_XMIT);
	/* OUT2 gates the interrupt line on a PC. */
	outb(s->base + UART_MCR, UART_MCR_DTR | UART_MCR_RTS | UART_MCR_OUT2);
}

void serial_init(void)
{
	serial_probe(&serial_terminal);
	serial_probe(&serial_control);
}

/* True when the transmit FIFO is empty. */
static bool serial_wait(struct serial *s)
{
	unsigned tries = s->stuck ? 1 : SERIAL_TRIES;

	while (tries--) {
		if (inb(s->base + UART_LSR) & UART_LSR_THRE) {
			s->stuck = false;
			return true;
		}
		plat_relax();
	}
	s->stuck = true;
	return false;
}

/* Polled: waits for the port, within a bound, and drops the rest then. */
static void serial_write(struct serial *s, const char *bytes, size_t count)
{
	if (!s->present)
		return;
	while (count) {
		size_t part = MIN(count, (size_t)SERIAL_FIFO);

		if (!serial_wait(s))
			return;
		for (size_t i = 0; i < part; i++)
			outb(s->base + UART_TX, (uint8_t)bytes[i]);
		bytes += part;
		count -= part;
	}
}

/*
 * The terminal's output. A port at 115200 baud takes 11 bytes in a millisecond,
 * and what a VM prints must hold nobody up: it goes through a ring. Whoever
 * adds to it hands over what the port takes at once; the rest follows after
 * exits and in idle (serial_pump()). What does not fit is lost, and counted.
 */
#define RING_SIZE KiB(64) /* a power of two */

static struct {
	struct lock lock;
	bool on; /* before, and in a panic, output is polled */
	uint32_t head, tail;
	uint64_t lost; /* bytes */
	char bytes[RING_SIZE];
} ring = {.lock = LOCK_INIT("serial", LOCK_SERIAL)};

/* A full FIFO's worth, if the port is ready; the lock is held. True: it was,
 * and there may be more. */
static bool ring_pump(void)
{
	struct serial *s = &serial_terminal;

	if (ring.head == ring.tail ||
	    !(inb(s->base + UART_LSR) & UART_LSR_THRE))
		return false;
	for (unsigned i = 0; i < SERIAL_FIFO && ring.head != ring.tail; i++)
		outb(s->base + UART_TX,
		     (uint8_t)ring.bytes[ring.head++ & (RING_SIZE - 1)]);
	return true;
}

bool serial_waits(void)
{
	return READ_ONCE(ring.head) != READ_ONCE(ring.tail);
}

void serial_pump(void)
{
	if (!lock_try(&ring.lock))
		return; /* somebody is at it */
	ring_pump();
	lock_release(&ring.lock);
}

void console_put(const char *bytes, size_t count)
{
	uint32_t room;
	size_t taken;

	if (!ring.on) {
		serial_write(&serial_terminal, bytes, count);
		return;
	}
	lock_acquire(&ring.lock);
	room = RING_SIZE - (ring.tail - ring.head);
	taken = MIN(count, (size_t)room);
	for (size_t i = 0; i < taken; i++)
		ring.bytes[ring.tail++ & (RING_SIZE - 1)] = bytes[i];
	ring.lost += count - taken;
	while (ring_pump())
		;
	lock_release(&ring.lock);
}

void serial_flush(void)
{
	ring.on = false;
	while (ring.head != ring.tail) {
		uint32_t at = ring.head & (RING_SIZE - 1);
		uint32_t part = MIN(ring.tail - ring.head, RING_SIZE - at);

		serial_write(&serial_terminal, ring.bytes + at, part);
		ring.head += part;
	}
	if (ring.lost)
		log_warn("serial", "%lu bytes of output were lost", ring.lost);
	ring.lost = 0;
}

bool serial_has_control(void)
{
	return serial_control.present;
}

void serial_write_control(const char *bytes, size_t count)
{
	serial_write(&serial_control, bytes, count);
}

static void serial_receive(void *arg, unsigned index)
{
	uint8_t bytes[SERIAL_BUDGET];
	unsigned count = 0;
	const struct serial *s = arg;

	while (count < SERIAL_BUDGET && (inb(s->base + UART_LSR) & UART_LSR_DR))
		bytes[count++] = inb(s->base + UART_RX);
	/* The line is edge-triggered: take it down and up again, so that what
	 * came in since, or is left over, is a new edge. */
	outb(s->base + UART_IER, 0);
	outb(s->base + UART_IER, UART_IER_RDI);
	console_input(bytes, count);
}

static void serial_settle(struct timer *timer)
{
	console_settle();
}

void console_defer(void)
{
	timer_arm(&serial_timer, plat_now_ns() + CONSOLE_SETTLE_NS);
}

void serial_init_interrupts(void)
{
	struct serial *s = &serial_terminal;
	int vector;

	timer_init(&serial_timer, serial_settle);
	if (!s->present)
		return;
	ring.on = true;
	vector = irq_alloc(serial_receive, s, 0, "com1");
	if (vector < 0 ||
	    irq_route_isa(SERIAL_COM1_IRQ, (unsigned)vector) < 0) {
		log_warn("serial",
			 "no interrupt for COM1: consoles take no "
			 "input");
		return;
	}
	outb(s->base + UART_IER, UART_IER_RDI);
}
