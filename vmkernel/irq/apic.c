/* SPDX-License-Identifier: GPL-2.0-or-later */
/* This CPU's local APIC in xAPIC mode (Intel SDM 3A, chapter 11). */
#include "plat/lock.h"
#include "vmkernel/boot/acpi.h"
#include "vmkernel/cpu/cpu.h"
#include "vmkernel/cpu/io.h"
#include "vmkernel/cpu/regs.h"
#include "vmkernel/irq/irq.h"
#include "vmkernel/irq/irq_priv.h"
#include "vmkernel/irq/time.h"
#include "vmkernel/mm/mm.h"

/* SDM 3A, table 11-1. */
#define APIC_ID		 0x020
#define APIC_TPR	 0x080
#define APIC_EOI	 0x0b0
#define APIC_LDR	 0x0d0
#define APIC_SVR	 0x0f0
#define APIC_ESR	 0x280
#define APIC_ICR_LOW	 0x300
#define APIC_ICR_HIGH	 0x310
#define APIC_LVT_TIMER	 0x320
#define APIC_LVT_LINT0	 0x350
#define APIC_LVT_LINT1	 0x360
#define APIC_LVT_ERROR	 0x370
#define APIC_TIMER_INIT	 0x380
#define APIC_TIMER_COUNT 0x390
#define APIC_TIMER_DIV	 0x3e0

#define SVR_ENABLE	 (1u << 8)
#define LVT_MASKED	 (1u << 16)
#define LVT_NMI		 0x400
#define ICR_PENDING	 (1u << 12)
#define ICR_NMI		 0x4400
#define ICR_INIT	 0x4500
#define ICR_STARTUP	 0x4600
#define ICR_FIXED	 0x4000
#define TIMER_DIV_1	 0xb
#define APIC_BASE_ENABLE (1ull << 11)
#define APIC_BASE_X2APIC (1ull << 10)
#define APIC_DEFAULT_PA	 0xfee00000
#define ICR_WAIT_NS	 10000000ull
#define CALIBRATE_NS	 10000000ull

static volatile uint8_t *apic_regs;
static uint64_t apic_timer_khz;

static uint32_t apic_read(unsigned reg)
{
	return *(volatile uint32_t *)(apic_regs + reg);
}

static void apic_write(unsigned reg, uint32_t value)
{
	*(volatile uint32_t *)(apic_regs + reg) = value;
}

uint32_t apic_id(void)
{
	return apic_read(APIC_ID) >> 24;
}

void apic_ask_again(void)
{
	apic_write(APIC_TPR, 0);
}

void apic_eoi(void)
{
	apic_write(APIC_EOI, 0);
}

/* dest: physical APIC id. The bus is ours as C code runs with interrupts off;
 * a pending bit that never clears means that the target is gone. */
static void apic_send(uint32_t dest, uint32_t command)
{
	uint64_t until = 0;

	while (apic_read(APIC_ICR_LOW) & ICR_PENDING) {
		if (!until)
			until = plat_now_ns() + ICR_WAIT_NS;
		else if (plat_now_ns() > until)
			break;
		plat_relax();
	}
	apic_write(APIC_ICR_HIGH, dest << 24);
	apic_write(APIC_ICR_LOW, command);
}

void apic_kick(unsigned cpu)
{
	apic_send(cpu_at(cpu)->apic_id, ICR_FIXED | VECTOR_KICK);
}

void apic_nmi(unsigned cpu)
{
	apic_send(cpu_at(cpu)->apic_id, ICR_NMI);
}

void apic_start_cpu(uint32_t id, unsigned start_page)
{
	apic_send(id, start_page ? ICR_STARTUP | start_page : ICR_INIT);
}

void apic_timer_arm(uint64_t delta_ns)
{
	uint64_t ticks =
		MIN(delta_ns, 4000000000ull) * apic_timer_khz / 1000000;

	/* 0 would stop it; longer than 32 bits fires early, and re-arms. */
	apic_write(APIC_TIMER_INIT,
		   (uint32_t)MAX(MIN(ticks, 0xffffffffull), 1));
}

void apic_timer_stop(void)
{
	apic_write(APIC_TIMER_INIT, 0);
}

void apic_init_cpu(void)
{
	uint64_t base = rdmsr(MSR_APIC_BASE);

	/* Firmware may have left x2APIC mode on (SDM 3A, 11.12.5): it is left
	 * only through disabled. Written only then: QEMU 7.2 loses an APIC
	 * that was disabled. */
	if (base & APIC_BASE_X2APIC) {
		base &= ~(APIC_BASE_X2APIC | APIC_BASE_ENABLE);
		wrmsr(MSR_APIC_BASE, base);
		wrmsr(MSR_APIC_BASE, base | APIC_BASE_ENABLE);
	}
	apic_write(APIC_SVR, SVR_ENABLE | VECTOR_SPURIOUS);
	apic_write(APIC_TPR, 0);
	apic_write(APIC_LVT_TIMER, VECTOR_TIMER);
	apic_write(APIC_LVT_LINT0, LVT_MASKED);
	apic_write(APIC_LVT_LINT1, LVT_NMI);
	apic_write(APIC_LVT_ERROR, LVT_MASKED);
	apic_write(APIC_TIMER_DIV, TIMER_DIV_1);
	apic_write(APIC_ESR, 0);
	cpu_this()->apic_id = apic_id();
}

/* The 8259s stay masked for good, off the exception vectors. */
static void pic_mask(void)
{
	outb(0x20, 0x11);
	outb(0xa0, 0x11);
	outb(0x21, 0x20);
	outb(0xa1, 0x28);
	outb(0x21, 4);
	outb(0xa1, 2);
	outb(0x21, 1);
	outb(0xa1, 1);
	outb(0x21, 0xff);
	outb(0xa1, 0xff);
}

static void apic_calibrate(void)
{
	uint64_t start, ns;

	apic_write(APIC_LVT_TIMER, LVT_MASKED | VECTOR_TIMER);
	apic_write(APIC_TIMER_DIV, TIMER_DIV_1);
	apic_write(APIC_TIMER_INIT, 0xffffffff);
	start = plat_now_ns();
	while ((ns = plat_now_ns() - start) < CALIBRATE_NS)
		plat_relax();
	apic_timer_khz =
		(0xffffffffull - apic_read(APIC_TIMER_COUNT)) * 1000000 / ns;
	apic_timer_stop();
	log_info("apic", "timer at %lu kHz", apic_timer_khz);
}

void apic_init(void)
{
	pic_mask();
	apic_regs = mm_map_mmio(HPA(APIC_DEFAULT_PA), PAGE_SIZE);
	if (!apic_regs)
		plat_panic("apic: out of memory");
	apic_calibrate();
	apic_init_cpu();
}
