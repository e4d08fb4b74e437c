/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Console, results and power-off of payload kernels. */
#include "tests/guest/lib/payload.h"

#include <stdarg.h>
#include <string.h>

#include "tests/guest/lib/trap.h"
#include "tests/guest/lib/x86.h"

#define UART_DATA	 0x3f8
#define UART_STATUS	 0x3fd
#define UART_TX_EMPTY	 0x20

/* Sleep control register of the guest's hardware-reduced FADT, and the value
 * for S5: SLP_TYP 5, SLP_EN (ACPI 6.4, 4.8.3.7). */
#define SLEEP_CONTROL	 0x600
#define SLEEP_CONTROL_S5 (5 << 2 | 0x20)
#define PIC1_MASK	 0x21
#define PIC2_MASK	 0xa1
/* QEMU's isa-debug-exit, for trying a payload without a hypervisor. */
#define DEBUG_EXIT	 0xf4

static unsigned passed, failed;

static void put_char(char c)
{
	for (int i = 0; i < 100000; i++)
		if (x86_in8(UART_STATUS) & UART_TX_EMPTY)
			break;
	x86_out8(UART_DATA, (uint8_t)c);
}

static void put_string(const char *s)
{
	while (*s)
		put_char(*s++);
}

static void put_number(uint64_t value, unsigned base)
{
	char digits[24];
	int i = sizeof(digits);

	digits[--i] = 0;
	do {
		digits[--i] = "0123456789abcdef"[value % base];
		value /= base;
	} while (value);
	put_string(digits + i);
}

static void put_signed(int64_t value)
{
	if (value < 0) {
		put_char('-');
		value = -value;
	}
	put_number((uint64_t)value, 10);
}

static void put_format(const char *fmt, va_list ap)
{
	for (; *fmt; fmt++) {
		bool wide = false;

		if (*fmt != '%') {
			put_char(*fmt);
			continue;
		}
		if (*++fmt == 'l') {
			wide = true;
			fmt++;
		}
		switch (*fmt) {
		case 's':
			put_string(va_arg(ap, const char *));
			break;
		case 'c':
			put_char((char)va_arg(ap, int));
			break;
		case 'd':
			put_signed(wide ? va_arg(ap, int64_t)
					: va_arg(ap, int));
			break;
		case 'u':
		case 'x':
			put_number(wide ? va_arg(ap, uint64_t)
					: va_arg(ap, unsigned),
				   *fmt == 'x' ? 16 : 10);
			break;
		case 0:
			return;
		default:
			put_char(*fmt);
		}
	}
}

void payload_log(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	put_format(fmt, ap);
	va_end(ap);
	put_char('\n');
}

void payload_check(const char *name, bool ok, const char *what)
{
	if (ok) {
		passed++;
		payload_log("PASS %s", name);
	} else {
		failed++;
		payload_log("FAIL %s: not so: %s", name, what);
	}
}

void payload_check_equal(const char *name, uint64_t got, uint64_t expected)
{
	if (got == expected) {
		passed++;
		payload_log("PASS %s", name);
	} else {
		failed++;
		payload_log("FAIL %s: got 0x%lx, expected 0x%lx", name, got,
			    expected);
	}
}

/* Multiboot Specification 0.6.96, 3.3. */
#define MULTIBOOT_FLAGS	      0
#define MULTIBOOT_CMDLINE     16
#define MULTIBOOT_HAS_CMDLINE (1u << 2)

static uint32_t multiboot_field(unsigned offset)
{
	return *(const uint32_t *)(uintptr_t)(multiboot_info + offset);
}

uint64_t payload_parameter(const char *name, uint64_t otherwise)
{
	const char *at, *want;
	uint64_t value = 0;

	if (!(multiboot_field(MULTIBOOT_FLAGS) & MULTIBOOT_HAS_CMDLINE))
		return otherwise;
	at = (const char *)(uintptr_t)multiboot_field(MULTIBOOT_CMDLINE);
	while (*at) {
		for (want = name; *want && *at == *want; want++)
			at++;
		if (!*want && *at == '=') {
			while (*++at >= '0' && *at <= '9')
				value = value * 10 + (uint64_t)(*at - '0');
			return value;
		}
		while (*at && *at++ != ' ')
			;
	}
	return otherwise;
}

void *payload_window_map(unsigned index, uint64_t entry)
{
	void *page = (void *)(PAYLOAD_WINDOW + index * PAGE_SIZE);

	WRITE_ONCE(payload_window_pt[index], entry);
	x86_invlpg(page);
	return page;
}

_Noreturn void payload_exit(void)
{
	payload_log("guest-result: pass %u fail %u", passed, failed);
	x86_out8(SLEEP_CONTROL, SLEEP_CONTROL_S5);
	x86_out8(DEBUG_EXIT, failed ? 1 : 0);
	for (;;)
		__asm__ volatile("cli; hlt");
}

void payload_start(void);
void payload_start(void)
{
	/* A PC's 8259s, where there are any: their vectors look like traps. */
	x86_out8(PIC1_MASK, 0xff);
	x86_out8(PIC2_MASK, 0xff);
	trap_init();
	payload_main();
	payload_exit();
}

void payload_ap_start(void);
void payload_ap_start(void)
{
	trap_load();
	payload_ap_main();
}

/* For payloads with one CPU. */
__attribute__((weak)) void payload_ap_main(void)
{
}

/* The compiler may call these; a payload has no libc. */
void *memcpy(void *to, const void *from, size_t size)
{
	void *start = to;

	__asm__ volatile("rep movsb"
			 : "+D"(to), "+S"(from), "+c"(size)::"memory");
	return start;
}

void *memset(void *to, int value, size_t size)
{
	void *start = to;

	__asm__ volatile("rep stosb"
			 : "+D"(to), "+c"(size)
			 : "a"(value)
			 : "memory");
	return start;
}
