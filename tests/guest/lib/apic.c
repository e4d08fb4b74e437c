/* SPDX-License-Identifier: GPL-2.0-or-later */
/* xAPIC and x2APIC by one set of calls, and the start of the second CPU. */
#include "tests/guest/lib/apic.h"

#include "tests/guest/lib/payload.h"
#include "tests/guest/lib/x86.h"

#define XAPIC_BASE  0xfee00000u
#define MSR_X2APIC  0x800
#define BASE_X2APIC (1ull << 10)
#define SPURIOUS_ON 0x100
#define TRAMPOLINE  0x8000
/* Six seconds or more of any TSC there is. */
#define WAIT_CYCLES 30000000000ull

static bool x2apic;

bool apic_is_x2apic(void)
{
	return x2apic;
}

uint32_t apic_read(unsigned reg)
{
	if (x2apic)
		return (uint32_t)x86_rdmsr(MSR_X2APIC + reg / 16);
	return *(volatile uint32_t *)(uintptr_t)(XAPIC_BASE + reg);
}

void apic_write(unsigned reg, uint32_t value)
{
	if (x2apic)
		x86_wrmsr(MSR_X2APIC + reg / 16, value);
	else
		*(volatile uint32_t *)(uintptr_t)(XAPIC_BASE + reg) = value;
}

uint32_t apic_id(void)
{
	return x2apic ? apic_read(APIC_ID) : apic_read(APIC_ID) >> 24;
}

void apic_send(uint32_t target, uint32_t command)
{
	if (x2apic) {
		x86_wrmsr(MSR_X2APIC + APIC_ICR_LOW / 16,
			  (uint64_t)target << 32 | command);
		return;
	}
	apic_write(APIC_ICR_HIGH, target << 24);
	apic_write(APIC_ICR_LOW, command);
	for (unsigned i = 0; i < 100000; i++)
		if (!(apic_read(APIC_ICR_LOW) & ICR_PENDING))
			return;
}

bool apic_bit(unsigned reg, unsigned vector)
{
	return apic_read(reg + vector / 32 * 16) >> (vector % 32) & 1;
}

void apic_eoi(void)
{
	apic_write(APIC_EOI, 0);
}

void apic_enable(bool use_x2apic)
{
	x2apic = use_x2apic;
	if (use_x2apic)
		x86_wrmsr(MSR_APIC_BASE,
			  x86_rdmsr(MSR_APIC_BASE) | BASE_X2APIC);
	apic_write(APIC_SPURIOUS, SPURIOUS_ON | VECTOR_SPURIOUS);
	apic_write(APIC_TPR, 0);
}

void apic_send_startup(void)
{
	apic_send(APIC_OTHER_ID, ICR_STARTUP | ICR_ASSERT | TRAMPOLINE >> 12);
}

void apic_start_other(void)
{
	unsigned size =
		(unsigned)(payload_ap_trampoline_end - payload_ap_trampoline);

	for (unsigned i = 0; i < size; i++)
		((volatile char *)TRAMPOLINE)[i] = payload_ap_trampoline[i];
	apic_send(APIC_OTHER_ID, ICR_INIT | ICR_ASSERT);
	apic_wait_a_little();
	apic_send_startup();
}

void apic_wait_a_little(void)
{
	for (unsigned i = 0; i < 20000; i++)
		x86_pause();
}

bool apic_wait_for(volatile unsigned *what, unsigned value)
{
	uint64_t start = x86_rdtsc();

	while (*what < value) {
		if (x86_rdtsc() - start > WAIT_CYCLES)
			return false;
		x86_pause();
	}
	return true;
}
