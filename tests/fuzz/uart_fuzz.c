/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Fuzzes the UART: any register program, with input coming in. */
#include <stdint.h>
#include <stdlib.h>

#include "vmm/dev/device.h"
#include "vmm/dev/uart.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct uart uart;
static bool irq;
static unsigned sent;

void uart_output(struct uart *u, const uint8_t *bytes, unsigned count)
{
	sent += count;
}

void vm_set_gsi(struct vm *vm, unsigned gsi, bool level)
{
	if (level == irq)
		abort();
	irq = level;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const uint8_t text[128] = "the quick brown fox";

	irq = false;
	uart_init(&uart, NULL, 4);
	for (; size >= 2; data += 2, size -= 2) {
		unsigned before = uart.input_count, taken;

		if (data[0] & 0x80) {
			taken = uart_input(&uart, text, data[1] & 127);
			if (uart.input_count != before + taken)
				abort();
		} else if (data[0] & 0x40) {
			uart_write(&uart, data[0] & 15, data[1]);
		} else {
			uart_read(&uart, data[0] & 15);
		}
		if (uart.input_count > UART_INPUT_SIZE)
			abort();
	}
	uart_reset(&uart);
	/* As good as new, and the line is down. */
	sent = 0;
	uart_write(&uart, 0, 'x');
	if (irq || sent != 1)
		abort();
	return 0;
}
