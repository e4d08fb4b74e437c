/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Fuzzes the console: no VM can forge a prefix or escape its line. */
#include <setjmp.h>

#include "tests/fuzz/fuzz.h"
#include "plat/linux/linux.h"
#include "vmkernel/console/console.h"
#include "vmkernel/console/report.h"
#include "vmkernel/cpu/power.h"

/*
 * The input is a program: what VMs print, what is typed, log lines, time. The
 * terminal below looks at every byte that comes out: each line starts with who
 * says it, nothing moves the cursor to the left of that, escape sequences are
 * those for colour and erasing, colours end with the line, and all else is
 * printable ASCII, tab or well-formed UTF-8 without control characters.
 */
#define VMS	  3
#define CHUNK_MAX 32
#define TYPED_MAX 4096
#define ESC	  0x1b

static const char *const names[VMS] = {"web", "db", "web-2"};
static const char *const prefixes[] = {"web| ", "db| ", "web-2| ", "-- ", "L "};

/* The terminal. */
static struct {
	char head[8]; /* of the line, until it is a prefix */
	unsigned head_size;
	bool prefixed;
	unsigned columns; /* that the cursor has advanced since, at least */
	bool styled, carriage;
	char escape[24];
	unsigned escape_size;
	uint8_t utf8[4];
	unsigned utf8_size, utf8_need;
} term;

static bool deferred;
static unsigned typed, taken; /* by all VMs */
static unsigned room[VMS];
static jmp_buf powered_off;

static void term_head(uint8_t byte)
{
	REQUIRE(term.head_size < sizeof(term.head));
	term.head[term.head_size++] = (char)byte;
	for (unsigned i = 0; i < ARRAY_SIZE(prefixes); i++)
		if (term.head_size == strlen(prefixes[i]) &&
		    !memcmp(term.head, prefixes[i], term.head_size))
			term.prefixed = true;
}

/* ECMA-48 CSI: parameters and a final byte. */
static void term_escape(uint8_t byte)
{
	unsigned n = term.escape_size;
	bool zero;

	REQUIRE(n < sizeof(term.escape));
	term.escape[term.escape_size++] = (char)byte;
	if (n == 1) {
		REQUIRE(byte == '[');
		return;
	}
	if ((byte >= '0' && byte <= '9') || byte == ';')
		return;
	zero = n == 2 || (n == 3 && term.escape[2] == '0');
	REQUIRE(byte == 'm' || ((byte == 'J' || byte == 'K') && zero));
	if (byte == 'm')
		term.styled = !(n == 3 && term.escape[2] == '0');
	term.escape_size = 0;
}

static void term_utf8(uint8_t byte)
{
	uint32_t code;

	if (!term.utf8_size) {
		REQUIRE((byte >= 0xc2 && byte <= 0xf4));
		term.utf8_need = byte < 0xe0 ? 2 : byte < 0xf0 ? 3 : 4;
	} else {
		REQUIRE((byte & 0xc0) == 0x80);
	}
	term.utf8[term.utf8_size++] = byte;
	if (term.utf8_size < term.utf8_need)
		return;
	code = term.utf8[0] & (0xffu >> (term.utf8_need + 1));
	for (unsigned i = 1; i < term.utf8_need; i++)
		code = code << 6 | (term.utf8[i] & 0x3f);
	/* Not overlong, no C1 control, no surrogate, no more than there is. */
	REQUIRE(code >= 0xa0 && (term.utf8_need != 3 || code >= 0x800) &&
		(term.utf8_need != 4 || code >= 0x10000) && code <= 0x10ffff &&
		(code < 0xd800 || code > 0xdfff));
	term.utf8_size = 0;
}

static void term_byte(uint8_t byte)
{
	if (term.escape_size) {
		term_escape(byte);
		return;
	}
	if (term.utf8_size || byte >= 0x80) {
		REQUIRE(term.prefixed);
		term_utf8(byte);
		return;
	}
	if (byte == '\n') {
		REQUIRE(term.carriage);
		term.carriage = false;
		return;
	}
	term.carriage = false;
	switch (byte) {
	case '\r':
		REQUIRE(!term.styled);
		term.head_size = term.columns = 0;
		term.prefixed = false;
		term.carriage = true;
		return;
	case '\b':
		REQUIRE(term.prefixed && term.columns);
		term.columns--;
		return;
	case '\t':
		REQUIRE(term.prefixed);
		return;
	case ESC:
		REQUIRE(term.prefixed);
		term.escape[0] = ESC;
		term.escape_size = 1;
		return;
	}
	REQUIRE(byte >= ' ' && byte < 0x7f);
	if (term.prefixed)
		term.columns++;
	else
		term_head(byte);
}

void console_put(const char *bytes, size_t count)
{
	for (size_t i = 0; i < count; i++)
		term_byte((uint8_t)bytes[i]);
}

void console_defer(void)
{
	REQUIRE(!deferred);
	deferred = true;
}

unsigned console_vm_input(unsigned vm, const uint8_t *bytes, unsigned count)
{
	unsigned n;

	REQUIRE(vm < VMS && count);
	n = MIN(count, room[vm]);
	room[vm] -= n;
	taken += n;
	return n;
}

void report_write(void)
{
}

_Noreturn void power_off(void)
{
	longjmp(powered_off, 1);
}

static void settle(void)
{
	deferred = false;
	console_settle();
}

static void type(const uint8_t *bytes, unsigned count)
{
	typed += count;
	if (!setjmp(powered_off))
		console_input(bytes, count);
	REQUIRE(taken <= typed);
}

/* The console is one for good: to where every input starts from. */
static void start_over(void)
{
	static bool added;

	for (unsigned i = 0; !added && i < VMS; i++)
		console_add_vm(names[i]);
	added = true;
	memset(room, 0, sizeof(room));
	for (unsigned i = 0; i < VMS; i++)
		console_vm_output(i, (const uint8_t *)"\n", 1);
	type((const uint8_t *)"x\x1d" "1", 3);
	for (unsigned i = 0; deferred && i < 200; i++)
		settle();
	typed = taken = 0;
}

/* One step; how many bytes it took. */
static size_t step(const uint8_t *data, size_t size)
{
	unsigned count = MIN(size - 1, data[0] % CHUNK_MAX);

	switch (data[0] >> 5) {
	case 0:
	case 1:
	case 2:
		console_vm_output(data[0] >> 5, data + 1, count);
		return 1 + count;
	case 3:
		type(data + 1, count);
		return 1 + count;
	case 4:
		console_log("L log", 5);
		return 1;
	case 5:
		if (deferred)
			settle();
		return 1;
	case 6:
		room[data[0] % VMS] = MIN(size, 64u);
		return 1;
	default: { /* a line longer than any buffer */
		uint8_t same[600];

		memset(same, size > 1 ? data[1] : 'x', sizeof(same));
		console_vm_output(data[0] % VMS, same, sizeof(same));
		return 2;
	}
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	start_over();
	while (size) {
		size_t n = step(data, size);

		n = MIN(n, size);
		data += n;
		size -= n;
	}
	return 0;
}
