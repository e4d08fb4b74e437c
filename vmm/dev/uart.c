/* SPDX-License-Identifier: GPL-2.0-or-later */
/* 16550A UART: registers, FIFOs, interrupts, loopback. */
#include "vmm/dev/uart.h"

#include <linux/serial_reg.h>
#include <string.h>

#include "vmm/dev/device.h"

#define IER_WRITABLE  0x0f
#define MCR_WRITABLE  0x1f
#define FIFO_SIZE     16
/* Carrier, data set ready, clear to send: a terminal is always there. */
#define MSR_CONNECTED (UART_MSR_DCD | UART_MSR_DSR | UART_MSR_CTS)

static bool fifo_on(const struct uart *uart)
{
	return uart->fcr & UART_FCR_ENABLE_FIFO;
}

/* Bytes that the receiver shows: the FIFO's, or the one of the buffer. */
static unsigned fifo_count(const struct uart *uart)
{
	return MIN(uart->input_count, fifo_on(uart) ? FIFO_SIZE : 1u);
}

/* Receive trigger, in bytes (8.4, FCR 7:6). */
static unsigned fifo_trigger(const struct uart *uart)
{
	static const uint8_t levels[] = {1, 4, 8, 14};

	return fifo_on(uart) ? levels[uart->fcr >> 6] : 1;
}

static bool uart_push(struct uart *uart, uint8_t byte)
{
	unsigned at;

	if (uart->input_count == UART_INPUT_SIZE)
		return false;
	at = (uart->input_first + uart->input_count) % UART_INPUT_SIZE;
	uart->input[at] = byte;
	uart->input_count++;
	return true;
}

static uint8_t uart_pop(struct uart *uart)
{
	uint8_t byte;

	if (!uart->input_count)
		return 0;
	byte = uart->input[uart->input_first];
	uart->input_first = (uart->input_first + 1) % UART_INPUT_SIZE;
	uart->input_count--;
	return byte;
}

/* Modem lines; in loopback the outputs come back as inputs (8.7, MCR 4). */
static uint8_t uart_modem(const struct uart *uart)
{
	uint8_t lines = 0;

	if (!(uart->mcr & UART_MCR_LOOP))
		return MSR_CONNECTED;
	if (uart->mcr & UART_MCR_DTR)
		lines |= UART_MSR_DSR;
	if (uart->mcr & UART_MCR_RTS)
		lines |= UART_MSR_CTS;
	if (uart->mcr & UART_MCR_OUT1)
		lines |= UART_MSR_RI;
	if (uart->mcr & UART_MCR_OUT2)
		lines |= UART_MSR_DCD;
	return lines;
}

/* The pending interrupt of highest priority (8.5, table III). Input below the
 * trigger counts as timed out at once: nothing more is on the way. */
static uint8_t uart_iir(const struct uart *uart)
{
	unsigned count = fifo_count(uart);

	if ((uart->ier & UART_IER_RLSI) && uart->lsr_errors)
		return UART_IIR_RLSI;
	if ((uart->ier & UART_IER_RDI) && count)
		return count >= fifo_trigger(uart) ? UART_IIR_RDI
						   : UART_IIR_RX_TIMEOUT;
	if ((uart->ier & UART_IER_THRI) && uart->thr_interrupt)
		return UART_IIR_THRI;
	if ((uart->ier & UART_IER_MSI) && uart->msr_delta)
		return UART_IIR_MSI;
	return UART_IIR_NO_INT;
}

/* On a PC, OUT2 connects the interrupt to its wire; loopback cuts it off. */
static void uart_update(struct uart *uart)
{
	bool irq =
		uart_iir(uart) != UART_IIR_NO_INT &&
		(uart->mcr & (UART_MCR_OUT2 | UART_MCR_LOOP)) == UART_MCR_OUT2;

	if (irq == uart->irq)
		return;
	uart->irq = irq;
	vm_set_gsi(uart->vm, uart->gsi, irq);
}

static uint8_t uart_read_locked(struct uart *uart, unsigned reg)
{
	uint8_t value;

	switch (reg) {
	case UART_RX:
		if (uart->lcr & UART_LCR_DLAB)
			return uart->divisor_low;
		return uart_pop(uart);
	case UART_IER:
		if (uart->lcr & UART_LCR_DLAB)
			return uart->divisor_high;
		return uart->ier;
	case UART_IIR:
		value = uart_iir(uart);
		/* Reading it as the source ends this one (table III). */
		if (value == UART_IIR_THRI)
			uart->thr_interrupt = false;
		return value | (fifo_on(uart) ? 0xc0 : 0);
	case UART_LCR:
		return uart->lcr;
	case UART_MCR:
		return uart->mcr;
	case UART_LSR:
		value = UART_LSR_THRE | UART_LSR_TEMT | uart->lsr_errors;
		uart->lsr_errors = 0;
		return value | (uart->input_count ? UART_LSR_DR : 0);
	case UART_MSR:
		value = uart_modem(uart) | uart->msr_delta;
		uart->msr_delta = 0;
		return value;
	case UART_SCR:
		return uart->scratch;
	default:
		return 0xff;
	}
}

static void uart_transmit(struct uart *uart, uint8_t byte)
{
	if (uart->mcr & UART_MCR_LOOP) {
		if (fifo_count(uart) == (fifo_on(uart) ? FIFO_SIZE : 1u) ||
		    !uart_push(uart, byte))
			uart->lsr_errors |= UART_LSR_OE;
	} else {
		uart->output_bytes++;
		uart_output(uart, &byte, 1);
	}
	uart->thr_interrupt = true; /* it is empty again */
}

static void uart_write_fcr(struct uart *uart, uint8_t value)
{
	/* 8.4: switching the FIFOs on or off clears them. */
	if (((value ^ uart->fcr) & UART_FCR_ENABLE_FIFO) ||
	    ((value & UART_FCR_ENABLE_FIFO) && (value & UART_FCR_CLEAR_RCVR)))
		uart->input_count = 0;
	/* The other bits can only be written with the FIFOs on. */
	uart->fcr =
		value & UART_FCR_ENABLE_FIFO
			? value & (UART_FCR_ENABLE_FIFO | UART_FCR_TRIGGER_MASK)
			: 0;
}

/* Low nibble of MSR: which line changed; RI only when it falls (8.8). */
static void uart_write_mcr(struct uart *uart, uint8_t value)
{
	uint8_t before = uart_modem(uart), after;

	uart->mcr = value & MCR_WRITABLE;
	after = uart_modem(uart);
	uart->msr_delta |= ((before ^ after) &
			    (UART_MSR_DCD | UART_MSR_DSR | UART_MSR_CTS)) >>
			   4;
	if (before & ~after & UART_MSR_RI)
		uart->msr_delta |= UART_MSR_TERI;
}

static void uart_write_locked(struct uart *uart, unsigned reg, uint8_t value)
{
	switch (reg) {
	case UART_TX:
		if (uart->lcr & UART_LCR_DLAB)
			uart->divisor_low = value;
		else
			uart_transmit(uart, value);
		break;
	case UART_IER:
		if (uart->lcr & UART_LCR_DLAB) {
			uart->divisor_high = value;
			break;
		}
		/* Enabled while the transmitter is empty, it interrupts. */
		if (value & ~uart->ier & UART_IER_THRI)
			uart->thr_interrupt = true;
		uart->ier = value & IER_WRITABLE;
		break;
	case UART_FCR:
		uart_write_fcr(uart, value);
		break;
	case UART_LCR:
		uart->lcr = value;
		break;
	case UART_MCR:
		uart_write_mcr(uart, value);
		break;
	case UART_SCR:
		uart->scratch = value;
		break;
	default: /* LSR and MSR are read-only */
		break;
	}
}

uint8_t uart_read(struct uart *uart, unsigned reg)
{
	uint8_t value;

	lock_acquire(&uart->lock);
	value = uart_read_locked(uart, reg);
	uart_update(uart);
	lock_release(&uart->lock);
	return value;
}

void uart_write(struct uart *uart, unsigned reg, uint8_t value)
{
	lock_acquire(&uart->lock);
	uart_write_locked(uart, reg, value);
	uart_update(uart);
	lock_release(&uart->lock);
}

unsigned uart_input(struct uart *uart, const uint8_t *bytes, unsigned count)
{
	unsigned taken = 0;

	lock_acquire(&uart->lock);
	/* In loopback the receiver hears only the transmitter. */
	while (taken < count && !(uart->mcr & UART_MCR_LOOP) &&
	       uart_push(uart, bytes[taken]))
		taken++;
	uart->input_bytes += taken;
	uart_update(uart);
	lock_release(&uart->lock);
	return taken;
}

void uart_reset(struct uart *uart)
{
	lock_acquire(&uart->lock);
	uart->ier = uart->fcr = uart->lcr = uart->mcr = 0;
	uart->lsr_errors = uart->msr_delta = uart->scratch = 0;
	uart->divisor_low = 12; /* 9600 baud of 1.8432 MHz */
	uart->divisor_high = 0;
	uart->thr_interrupt = false;
	uart->input_first = uart->input_count = 0;
	uart_update(uart);
	lock_release(&uart->lock);
}

void uart_init(struct uart *uart, struct vm *vm, unsigned gsi)
{
	memset(uart, 0, sizeof(*uart));
	lock_init(&uart->lock, "uart", LOCK_DEVICE);
	uart->vm = vm;
	uart->gsi = gsi;
	uart_reset(uart);
}
