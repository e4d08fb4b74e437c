/* SPDX-License-Identifier: GPL-2.0-or-later */
/* 16550A UART: a VM's serial console. */
#ifndef VMM_DEV_UART_H
#define VMM_DEV_UART_H

#include "plat/lock.h"

/*
 * National Semiconductor PC16550D datasheet, section 8. The line is infinitely
 * fast: what is written is sent at once, so the transmitter is always empty.
 * Input waits in a queue that stands for the far end of the cable; the guest
 * sees the 16 bytes of the FIFO.
 */
#define UART_PORTS	8
#define UART_INPUT_SIZE 256

struct vm;

struct uart {
	struct lock lock; /* LOCK_DEVICE; protects all below */
	struct vm *vm;
	unsigned gsi;
	bool irq; /* level as last told to the VM */

	uint8_t ier, fcr, lcr, mcr, lsr_errors, msr_delta, scratch;
	uint8_t divisor_low, divisor_high;
	bool thr_interrupt; /* transmitter-empty interrupt is pending */

	uint8_t input[UART_INPUT_SIZE];
	unsigned input_first, input_count;
	uint64_t output_bytes, input_bytes;
};

/* Hook: the guest has sent these bytes. Called on the guest's CPU with
 * LOCK_DEVICE held. */
void uart_output(struct uart *uart, const uint8_t *bytes, unsigned count);

void uart_init(struct uart *uart, struct vm *vm, unsigned gsi);
void uart_reset(struct uart *uart);
/* reg: port - base, 0 to 7 (others: all ones, nothing). */
uint8_t uart_read(struct uart *uart, unsigned reg);
void uart_write(struct uart *uart, unsigned reg, uint8_t value);
/* Bytes for the guest; returns how many fitted. Any CPU. */
unsigned uart_input(struct uart *uart, const uint8_t *bytes, unsigned count);

#endif
