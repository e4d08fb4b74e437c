/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the hostile payloads share: cue, proof and expectations. */
#include "tests/guest/lib/hostile.h"

#include "tests/guest/lib/apic.h"
#include "tests/guest/lib/trap.h"
#include "tests/guest/lib/x86.h"

#define UART_DATA	 0x3f8
#define UART_STATUS	 0x3fd
#define UART_RX_READY	 1
#define VECTOR_LOOK	 0xe0
#define LOOK_COUNT	 3125000 /* of 16 ns: 50 ms */
#define EXPECTATIONS_MAX 48

static struct expectation {
	const char *kind, *name;
	unsigned count;
} expectations[EXPECTATIONS_MAX];

static void on_look(const struct trap_frame *frame)
{
	(void)frame;
	apic_eoi();
}

/* Halted, so that it costs the others nothing. */
static void wait_for_key(void)
{
	trap_on_interrupt(VECTOR_LOOK, on_look);
	apic_write(APIC_TIMER_DIV, DIVIDE_BY_16);
	apic_write(APIC_LVT_TIMER, LVT_PERIODIC | VECTOR_LOOK);
	apic_write(APIC_TIMER_INIT, LOOK_COUNT);
	while (!(x86_in8(UART_STATUS) & UART_RX_READY))
		x86_sti_hlt();
	x86_in8(UART_DATA);
	apic_write(APIC_TIMER_INIT, 0);
	apic_write(APIC_LVT_TIMER, LVT_MASKED);
}

void hostile_begin(void)
{
	apic_enable(false);
	payload_log("ready");
	if (payload_parameter("gate", 0))
		wait_for_key();
}

void hostile_prove_as_is(const char *after)
{
	unsigned peer = (unsigned)payload_parameter("peer", HOSTILE_WIRE_HOST);
	bool ok = net_arp(HOSTILE_WIRE_HOST);

	if (ok && peer != HOSTILE_WIRE_HOST)
		ok = net_arp(peer);
	if (!ok)
		payload_log("wedged after: %s", after);
	payload_check(after, ok, "a good frame passes afterwards");
}

void hostile_prove(const char *after)
{
	if (net_start(0))
		hostile_prove_as_is(after);
	else
		payload_check(after, false, "the card starts afterwards");
}

void hostile_expect(const char *kind, const char *name, unsigned count)
{
	struct expectation *e = expectations;

	/* The same literal may have several addresses: one line each is as
	 * good, since whoever compares adds them up. */
	while (e->name && (e->name != name || e->kind != kind))
		if (++e == expectations + EXPECTATIONS_MAX) {
			payload_check(name, false, "room for expectations");
			return;
		}
	*e = (struct expectation){kind, name, e->count + count};
}

void hostile_end(void)
{
	for (struct expectation *e = expectations;
	     e < expectations + EXPECTATIONS_MAX && e->name; e++)
		payload_log("expect %s %s %u", e->kind, e->name, e->count);
}

/* Multiboot 0.6.96, 3.3: mem_upper, KiB from 1 MiB on. */
uint64_t hostile_memory_end(void)
{
	return MiB(1) + KiB(*(const uint32_t *)(uintptr_t)(multiboot_info + 8));
}

uint32_t hostile_random(void)
{
	static uint32_t state = 0x5111ce01;

	state ^= state << 13;
	state ^= state >> 17;
	state ^= state << 5;
	return state;
}
