/* SPDX-License-Identifier: GPL-2.0-or-later */
/* vmm/dev/uart.c by the PC16550D datasheet, and as Linux' 8250 probes it. */
#include "vmm/dev/uart.h"

#include <linux/serial_reg.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>

#include "vmm/dev/device.h"

#define GSI 4

static struct uart uart;
static uint8_t output[256];
static unsigned output_count;
static bool irq;
static unsigned irq_changes;

void uart_output(struct uart *u, const uint8_t *bytes, unsigned count)
{
	assert_ptr_equal(u, &uart);
	for (unsigned i = 0; i < count; i++)
		output[output_count++ % sizeof(output)] = bytes[i];
}

void vm_set_gsi(struct vm *vm, unsigned gsi, bool level)
{
	assert_int_equal(gsi, GSI);
	assert_int_not_equal(level, irq);
	irq = level;
	irq_changes++;
}

static int setup(void **state)
{
	irq = false;
	output_count = irq_changes = 0;
	uart_init(&uart, NULL, GSI);
	return 0;
}

static uint8_t in(unsigned reg)
{
	return uart_read(&uart, reg);
}

static void out(unsigned reg, uint8_t value)
{
	uart_write(&uart, reg, value);
}

static unsigned input(const char *text)
{
	return uart_input(&uart, (const uint8_t *)text, strlen(text));
}

/* Interrupts enabled and wired, as Linux does at open. */
static void open_port(uint8_t ier)
{
	out(UART_FCR, UART_FCR_ENABLE_FIFO | UART_FCR_R_TRIG_10);
	out(UART_LCR, UART_LCR_WLEN8);
	out(UART_MCR, UART_MCR_DTR | UART_MCR_RTS | UART_MCR_OUT2);
	out(UART_IER, ier);
}

static void test_output(void **state)
{
	assert_int_equal(in(UART_LSR), UART_LSR_THRE | UART_LSR_TEMT);
	for (const char *p = "Sluice\n"; *p; p++)
		out(UART_TX, (uint8_t)*p);
	assert_int_equal(output_count, 7);
	assert_memory_equal(output, "Sluice\n", 7);
	assert_int_equal(in(UART_LSR), UART_LSR_THRE | UART_LSR_TEMT);
	assert_int_equal(irq_changes, 0);
	/* The divisor is not data. */
	out(UART_LCR, UART_LCR_DLAB);
	out(UART_DLL, 1);
	out(UART_DLM, 2);
	assert_int_equal(in(UART_DLL), 1);
	assert_int_equal(in(UART_DLM), 2);
	out(UART_LCR, UART_LCR_WLEN8);
	assert_int_equal(in(UART_IER), 0);
	assert_int_equal(output_count, 7);
}

/* The steps of Linux' autoconfig() and autoconfig_16550a(), in order. */
static void test_linux_autoconfig(void **state)
{
	out(UART_IER, 0);
	assert_int_equal(in(UART_IER)&0x0f, 0);
	out(UART_IER, 0x0f);
	assert_int_equal(in(UART_IER), 0x0f);
	out(UART_IER, 0);
	out(UART_MCR, UART_MCR_LOOP | UART_MCR_OUT2 | UART_MCR_RTS);
	assert_int_equal(in(UART_MSR)&0xf0, 0x90);
	out(UART_MCR, 0);
	out(UART_LCR, UART_LCR_CONF_MODE_B);
	out(UART_EFR, 0); /* is the FIFO control register here */
	out(UART_LCR, 0);
	out(UART_FCR, UART_FCR_ENABLE_FIFO);
	assert_int_equal(in(UART_IIR) >> 6, 3);
	/* No EFR in either mode: no 16650, 16850 or 16750. */
	out(UART_LCR, UART_LCR_CONF_MODE_A);
	assert_int_not_equal(in(UART_EFR), 0);
	out(UART_LCR, UART_LCR_CONF_MODE_B);
	assert_int_not_equal(in(UART_EFR), 0);
	out(UART_LCR, 0);
	out(UART_FCR, UART_FCR_ENABLE_FIFO | UART_FCR7_64BYTE);
	assert_int_equal(in(UART_IIR)&0xe0, 0xc0);
	out(UART_IER, UART_IER_UUE); /* no XScale */
	assert_int_equal(in(UART_IER), 0);
	out(UART_SCR, 0x5a);
	assert_int_equal(in(UART_SCR), 0x5a);
	/* serial8250_do_startup(): no THRE and no TXEN bug. */
	out(UART_IER, UART_IER_THRI);
	assert_int_equal(in(UART_IIR)&0x0f, UART_IIR_THRI);
	out(UART_IER, 0);
	out(UART_IER, UART_IER_THRI);
	assert_int_equal(in(UART_IIR)&0x0f, UART_IIR_THRI);
	assert_int_equal(in(UART_IIR)&0x0f, UART_IIR_NO_INT);
}

static void test_transmit_interrupt(void **state)
{
	open_port(0);
	out(UART_IER, UART_IER_THRI);
	assert_true(irq);
	assert_int_equal(in(UART_IIR), 0xc0 | UART_IIR_THRI);
	assert_false(irq); /* reading it was the end of it */
	assert_int_equal(in(UART_IIR), 0xc0 | UART_IIR_NO_INT);
	out(UART_TX, 'x');
	assert_true(irq);
	out(UART_IER, 0);
	assert_false(irq);
	/* OUT2 is the wire's switch. */
	out(UART_IER, UART_IER_THRI);
	assert_true(irq);
	out(UART_MCR, UART_MCR_DTR);
	assert_false(irq);
	out(UART_MCR, UART_MCR_OUT2);
	assert_true(irq);
	uart_reset(&uart);
	assert_false(irq);
}

static void test_input_interrupt(void **state)
{
	open_port(UART_IER_RDI);
	assert_int_equal(input("abc"), 3);
	assert_true(irq);
	/* Below the trigger of 8: a timeout. */
	assert_int_equal(in(UART_IIR), 0xc0 | UART_IIR_RX_TIMEOUT);
	assert_int_equal(in(UART_LSR)&UART_LSR_DR, UART_LSR_DR);
	assert_int_equal(in(UART_RX), 'a');
	assert_int_equal(input("defghij"), 7);
	assert_int_equal(in(UART_IIR), 0xc0 | UART_IIR_RDI);
	for (char c = 'b'; c <= 'j'; c++) {
		assert_true(irq);
		assert_int_equal(in(UART_RX), c);
	}
	assert_false(irq);
	assert_int_equal(in(UART_LSR)&UART_LSR_DR, 0);
	assert_int_equal(in(UART_IIR), 0xc0 | UART_IIR_NO_INT);
	assert_int_equal(in(UART_RX), 0); /* empty */
	/* Input before transmit in priority. */
	out(UART_IER, UART_IER_RDI | UART_IER_THRI);
	input("x");
	assert_int_equal(in(UART_IIR), 0xc0 | UART_IIR_RX_TIMEOUT);
	in(UART_RX);
	assert_int_equal(in(UART_IIR), 0xc0 | UART_IIR_THRI);
}

static void test_input_is_bounded(void **state)
{
	char text[400];

	memset(text, 'y', sizeof(text));
	text[sizeof(text) - 1] = 0;
	open_port(UART_IER_RDI);
	assert_int_equal(input(text), UART_INPUT_SIZE);
	assert_int_equal(input("z"), 0);
	for (unsigned i = 0; i < 10; i++)
		assert_int_equal(in(UART_RX), 'y');
	assert_int_equal(input(text), 10); /* around the ring's end */
	for (unsigned i = 0; i < UART_INPUT_SIZE; i++)
		assert_int_equal(in(UART_RX), 'y');
	assert_int_equal(in(UART_LSR)&UART_LSR_DR, 0);
	/* Cleared by command, and by turning FIFOs off. */
	input("abc");
	out(UART_FCR, UART_FCR_ENABLE_FIFO | UART_FCR_CLEAR_RCVR);
	assert_false(irq);
	input("abc");
	out(UART_FCR, 0);
	assert_int_equal(in(UART_LSR)&UART_LSR_DR, 0);
	assert_int_equal(in(UART_IIR), UART_IIR_NO_INT);
}

static void test_loopback(void **state)
{
	open_port(UART_IER_RDI);
	out(UART_MCR, UART_MCR_LOOP | UART_MCR_OUT2);
	for (unsigned i = 0; i < 17; i++)
		out(UART_TX, (uint8_t)('a' + i));
	assert_int_equal(output_count, 0);
	assert_false(irq); /* cut off from the wire */
	assert_int_equal(input("x"), 0);
	/* The 17th did not fit; reading LSR forgets the error. */
	assert_int_equal(in(UART_LSR) & (UART_LSR_OE | UART_LSR_DR),
			 UART_LSR_OE | UART_LSR_DR);
	assert_int_equal(in(UART_LSR)&UART_LSR_OE, 0);
	for (unsigned i = 0; i < 16; i++)
		assert_int_equal(in(UART_RX), 'a' + i);
	assert_int_equal(in(UART_LSR)&UART_LSR_DR, 0);
}

static void test_modem_lines(void **state)
{
	static const struct {
		uint8_t mcr, msr;
	} loops[] = {
		{UART_MCR_DTR, UART_MSR_DSR},
		{UART_MCR_RTS, UART_MSR_CTS},
		{UART_MCR_OUT1, UART_MSR_RI},
		{UART_MCR_OUT2, UART_MSR_DCD},
	};

	assert_int_equal(in(UART_MSR),
			 UART_MSR_DCD | UART_MSR_DSR | UART_MSR_CTS);
	for (unsigned i = 0; i < ARRAY_SIZE(loops); i++) {
		out(UART_MCR, UART_MCR_LOOP | loops[i].mcr);
		assert_int_equal(in(UART_MSR)&0xf0, loops[i].msr);
		assert_int_equal(in(UART_MSR)&0x0f, 0); /* read once */
	}
	/* A change interrupts, RI when it falls. */
	out(UART_MCR, UART_MCR_OUT2);
	in(UART_MSR);
	out(UART_IER, UART_IER_MSI);
	out(UART_MCR, UART_MCR_LOOP | UART_MCR_OUT1);
	assert_int_equal(in(UART_IIR)&0x0f, UART_IIR_MSI);
	in(UART_MSR);
	out(UART_MCR, UART_MCR_LOOP);
	assert_int_equal(in(UART_MSR)&0x0f, UART_MSR_TERI);
}

static void test_hostile_program(void **state)
{
	uint64_t random = 88172645463325252ull;
	uint8_t bytes[64] = {0};

	for (unsigned i = 0; i < 200000; i++) {
		random ^= random << 13;
		random ^= random >> 7;
		random ^= random << 17;
		if (random & 1)
			in(random >> 8 & 15);
		else if (random & 6)
			out(random >> 8 & 15, (uint8_t)(random >> 16));
		else
			uart_input(&uart, bytes, random >> 8 & 63);
		assert_true(uart.input_count <= UART_INPUT_SIZE);
	}
	assert_int_equal(in(8), 0xff);
	uart_reset(&uart);
	assert_false(irq);
}

#define TEST(name) cmocka_unit_test_setup(name, setup)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_output),
		TEST(test_linux_autoconfig),
		TEST(test_transmit_interrupt),
		TEST(test_input_interrupt),
		TEST(test_input_is_bounded),
		TEST(test_loopback),
		TEST(test_modem_lines),
		TEST(test_hostile_program),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
