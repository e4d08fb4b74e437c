/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Storms: interrupts, their ends, timers, and the APICs' registers. */
#include "tests/guest/hostile_cpu/hostile_cpu.h"
#include "tests/guest/lib/apic.h"
#include "tests/guest/lib/x86.h"

#define VECTOR		0x61
#define VECTOR_TIMER	0x62
#define STORM		10000
#define RANDOM_WRITES	5000
#define APIC_BASE	0xfee00000ull
#define APIC_PAGE	4096
#define IOAPIC_INDEX	0xfec00000ull
#define IOAPIC_DATA	0xfec00010ull
#define IOAPIC_LINES	24
#define IOAPIC_RTE	0x10
#define UART_INTERRUPTS 0x3f9
#define UART_THRE	2
#define UART_MODEM	0x3fc
#define UART_OUT2	8 /* the wire to the I/O APIC */
#define UART_GSI	4

static volatile unsigned interrupts, ticks, eois_each = 1;

static void on_interrupt(const struct trap_frame *frame)
{
	(void)frame;
	interrupts++;
	for (unsigned i = 0; i < eois_each; i++)
		apic_eoi();
}

static void on_tick(const struct trap_frame *frame)
{
	(void)frame;
	ticks++;
	apic_eoi();
}

/* What is pending comes, and is over. */
static void take_all(void)
{
	apic_write(APIC_TIMER_INIT, 0);
	apic_write(APIC_LVT_TIMER, LVT_MASKED);
	apic_enable(false);
	for (unsigned i = 0; i < 256; i++)
		apic_eoi();
	x86_sti();
	apic_wait_a_little();
	x86_cli();
}

static void storm_of_interrupts(void)
{
	/* Held off: however many, it is one. */
	interrupts = 0;
	for (unsigned i = 0; i < STORM; i++)
		apic_send(0, ICR_SELF | ICR_ASSERT | VECTOR);
	x86_sti();
	apic_wait_a_little();
	payload_check_equal("a storm that is held off is one", interrupts, 1);
	interrupts = 0;
	for (unsigned i = 0; i < STORM; i++)
		apic_send(0, ICR_SELF | ICR_ASSERT | VECTOR);
	apic_wait_a_little();
	x86_cli();
	payload_check_equal("a storm of interrupts, one by one", interrupts,
			    STORM);
	/* To all, to others, to nobody, in modes that there are not. */
	for (unsigned i = 0; i < STORM; i++) {
		static const uint32_t modes[] = {0, 0x100, 0x200, 0x300, 0x700};
		static const uint32_t who[] = {0, ICR_ALL, ICR_OTHERS};

		apic_send(0x55, who[i % 3] | ICR_ASSERT |
					modes[i / 3 % ARRAY_SIZE(modes)] |
					(i & 0x2f));
	}
	hostile_expect("fault", "ipi", STORM / 2);
	hostile_expect("fault", "no_target", 100);
	take_all();
}

static void storm_of_ends(void)
{
	for (unsigned i = 0; i < STORM; i++)
		apic_eoi();
	interrupts = 0;
	eois_each = 50;
	x86_sti();
	for (unsigned i = 0; i < 100; i++) {
		apic_send(0, ICR_SELF | ICR_ASSERT | VECTOR);
		apic_wait_a_little();
	}
	x86_cli();
	eois_each = 1;
	payload_check_equal("ends that nothing began", interrupts, 100);
}

static void storm_of_ticks(void)
{
	unsigned progress = 0;
	uint64_t start;

	apic_write(APIC_TIMER_DIV, DIVIDE_BY_1);
	apic_write(APIC_LVT_TIMER, LVT_PERIODIC | VECTOR_TIMER);
	apic_write(APIC_TIMER_INIT, 1);
	x86_sti();
	for (start = x86_rdtsc(); x86_rdtsc() - start < 300000000;)
		progress++;
	x86_cli();
	apic_write(APIC_TIMER_INIT, 0);
	payload_log("%u ticks, %u rounds", ticks, progress);
	CHECK("a timer of a nanosecond ticks", ticks > 0);
	CHECK("and lets the guest come to its work", progress > 0);
	ticks = 0;
	apic_write(APIC_LVT_TIMER, LVT_DEADLINE | VECTOR_TIMER);
	x86_sti();
	for (unsigned i = 0; i < STORM; i++)
		x86_wrmsr(MSR_TSC_DEADLINE, 1 + (i & 1));
	apic_wait_a_little();
	x86_cli();
	/* Each is past at once; one may come while another is in service. */
	CHECK("deadlines that are past", ticks > STORM / 4 && ticks <= STORM);
	apic_write(APIC_LVT_TIMER, LVT_MASKED);
}

/* All but the ICR, by which it could reset itself, in all sizes. */
static void write_apic_at_random(void)
{
	for (unsigned i = 0; i < RANDOM_WRITES; i++) {
		uint32_t r = hostile_random(), value = hostile_random();
		unsigned reg = r % (APIC_PAGE - 8);
		volatile uint8_t *at = (volatile uint8_t *)(APIC_BASE + reg);

		if (reg > APIC_ICR_LOW - 8 && reg < APIC_ICR_HIGH + 16)
			continue;
		switch (r >> 24 & 7) {
		case 0:
			*at = (uint8_t)value;
			break;
		case 1:
			*(volatile uint16_t *)(volatile void *)at =
				(uint16_t)value;
			break;
		case 2:
			*(volatile uint64_t *)(volatile void *)at = value;
			break;
		default:
			*(volatile uint32_t *)(APIC_BASE + (reg & ~15u)) =
				value;
		}
	}
	take_all();
	hostile_expect("fault", "apic_access", 100);
}

static void ioapic_write(unsigned reg, uint32_t value)
{
	*(volatile uint32_t *)IOAPIC_INDEX = reg;
	*(volatile uint32_t *)IOAPIC_DATA = value;
}

static void abuse_ioapic(void)
{
	for (unsigned i = 0; i < RANDOM_WRITES; i++) {
		uint32_t r = hostile_random();
		volatile uint8_t *at =
			(volatile uint8_t *)(IOAPIC_INDEX + r % 0xff0);

		if (r & 1u << 20)
			ioapic_write(r >> 24, r & ~(7u << 8));
		else
			*at = (uint8_t)(r >> 8);
	}
	for (unsigned i = 0; i < 2 * IOAPIC_LINES; i++)
		ioapic_write(IOAPIC_RTE + i, 0x10000);
	/* A line that is asserted, and an entry that says nothing. */
	x86_out8(UART_MODEM, UART_OUT2);
	ioapic_write(IOAPIC_RTE + 2 * UART_GSI + 1, 0);
	for (unsigned mode = 0; mode < 8; mode++) {
		if (mode == 4 || mode == 5)
			continue; /* NMI, INIT: good, and the end of us */
		ioapic_write(IOAPIC_RTE + 2 * UART_GSI, mode << 8 | 5);
		x86_out8(UART_INTERRUPTS, UART_THRE);
		x86_out8(UART_INTERRUPTS, 0);
	}
	ioapic_write(IOAPIC_RTE + 2 * UART_GSI, 0x10000);
	hostile_expect("fault", "ioapic_entry", 6);
	hostile_expect("fault", "ioapic_access", 100);
}

void cpu_abuse_interrupts(void)
{
	payload_log("interrupts:");
	/* All of them: random registers may ask for any. */
	for (unsigned i = 0x20; i < 0x100; i++)
		trap_on_interrupt(i, on_interrupt);
	trap_on_interrupt(VECTOR_TIMER, on_tick);
	storm_of_interrupts();
	storm_of_ends();
	storm_of_ticks();
	hostile_prove("storms");
	write_apic_at_random();
	abuse_ioapic();
	hostile_prove("random registers of the APICs");
	/* The last thing: back is by reset only. */
	apic_enable(true);
	interrupts = 0;
	x86_sti();
	for (unsigned i = 0; i < STORM; i++)
		apic_send(0, ICR_SELF | ICR_ASSERT | VECTOR);
	for (unsigned i = 0; i < STORM; i++)
		apic_eoi();
	x86_cli();
	payload_check_equal("a storm of x2APIC interrupts", interrupts, STORM);
	hostile_prove("x2APIC storms");
}
