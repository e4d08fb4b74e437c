/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The IDT of a payload kernel, and what happens to a trap. */
#include "tests/guest/lib/trap.h"

#include "tests/guest/lib/payload.h"
#include "tests/guest/lib/x86.h"

#define VECTOR_NMI 2
#define VECTOR_DF  8

/* Intel SDM 3A, 6.14.1. */
struct gate {
	uint16_t offset_low, selector;
	uint8_t ist, type;
	uint16_t offset_middle;
	uint32_t offset_high, reserved;
};
_Static_assert(sizeof(struct gate) == 16, "hardware");

#define GATE_INTERRUPT 0x8e /* present, DPL 0 */
#define GATE_USER      0xee /* the same, DPL 3 */
#define GATE_PRESENT   0x80

static struct gate idt[256];
static void (*interrupts[256])(const struct trap_frame *frame);
static bool catching;

struct trap trap_log[TRAP_LOG_MAX];
unsigned trap_count;
void (*trap_hook)(struct trap_frame *frame);

extern const char trap_stubs[], trap_landing[];
extern uint64_t trap_resume_rsp;
bool trap_run(void (*fn)(void), bool user);
void trap_handle(struct trap_frame *frame);

void trap_load(void)
{
	struct {
		uint16_t limit;
		uint64_t base;
	} PACKED pointer = {sizeof(idt) - 1, (uint64_t)idt};

	__asm__ volatile("lidt %0" ::"m"(pointer));
}

void trap_init(void)
{
	for (unsigned i = 0; i < ARRAY_SIZE(idt); i++) {
		uint64_t stub = (uint64_t)trap_stubs + i * 16;

		idt[i] = (struct gate){
			.offset_low = (uint16_t)stub,
			.selector = KERNEL_CS,
			.ist = i == VECTOR_DF,
			.type = i == TRAP_LEAVE || i == 3 ? GATE_USER
							  : GATE_INTERRUPT,
			.offset_middle = (uint16_t)(stub >> 16),
		};
	}
	trap_load();
}

void trap_set_gate(unsigned vector, bool present)
{
	uint8_t type = idt[vector].type;

	type = present ? type | GATE_PRESENT : type & ~GATE_PRESENT;
	*(volatile uint8_t *)&idt[vector].type = type;
}

void trap_set_ist(unsigned vector, unsigned ist)
{
	*(volatile uint8_t *)&idt[vector].ist = (uint8_t)ist;
}

void trap_on_interrupt(unsigned vector,
		       void (*fn)(const struct trap_frame *frame))
{
	interrupts[vector] = fn;
}

void trap_handle(struct trap_frame *frame)
{
	unsigned vector = (unsigned)frame->vector;

	if (interrupts[vector]) {
		interrupts[vector](frame);
		return;
	}
	if (!catching) {
		payload_log(
			"FAIL unexpected exception %u: error 0x%lx rip "
			"0x%lx cr2 0x%lx",
			vector, frame->error, frame->rip, x86_read_cr2());
		payload_exit();
	}
	if (trap_count < TRAP_LOG_MAX)
		trap_log[trap_count++] = (struct trap){
			.vector = vector,
			.error = frame->error,
			.rip = frame->rip,
			.cs = frame->cs,
			.cr2 = x86_read_cr2(),
			.dr6 = x86_read_dr6(),
			.rsp = (uint64_t)frame,
		};
	if (trap_hook)
		trap_hook(frame);
	frame->rip = (uint64_t)trap_landing;
	frame->cs = KERNEL_CS;
	frame->ss = KERNEL_DS;
	frame->rsp = trap_resume_rsp;
	frame->rflags = 2;
}

const struct trap *trap_catch(void (*fn)(void), bool user)
{
	bool trapped;

	trap_count = 0;
	catching = true;
	trapped = trap_run(fn, user);
	catching = false;
	if (!trapped || !trap_count)
		return NULL;
	return &trap_log[trap_count - 1];
}
