/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Fuzzes the local APICs of a VM: registers, MSRs, MSIs, time. */
#include "plat/linux/linux.h"
#include "tests/fuzz/fuzz.h"
#include "vmm/dev/ioapic.h"
#include "vmm/dev/lapic.h"

#define CPUS 3

static struct lapic_set set;
static struct ioapic ioapic;
static struct lapic apics[CPUS];
static uint8_t ram[4096];

void lapic_wake(struct lapic *target)
{
	if (target != set.apics[target->id])
		abort();
}

void lapic_signal(struct lapic *target, enum lapic_mode event, uint8_t vector)
{
	if (event == LAPIC_INIT)
		lapic_init_reset(target);
}

static void init(void)
{
	static struct guest_mem mem;

	memset(&set, 0, sizeof(set));
	memset(&mem, 0, sizeof(mem));
	plat_linux_set_time(1000000000);
	if (guest_mem_add(&mem, GPA(0), sizeof(ram), ram) < 0)
		abort();
	ioapic_init(&ioapic, &set);
	for (unsigned i = 0; i < CPUS; i++)
		lapic_init(&apics[i], &set, i, &mem, 2600000);
}

static int highest(const uint32_t *bits)
{
	for (int v = 255; v >= 0; v--)
		if (bits[v / 32] >> (v % 32) & 1)
			return v;
	return -1;
}

/* Intel SDM 3A, 11.8.3.1: the processor priority is the higher of TPR and the
 * class in service; what is pending is the highest request above it. Vectors
 * below 16 are never requested. */
static void check_priority(struct lapic *apic)
{
	/* First: it looks at the timer and at the paravirtual EOI. */
	int pending = lapic_pending(apic);
	int request = highest(apic->irr), service = highest(apic->isr);
	uint32_t priority = apic->tpr >> 4 & 0xf;

	REQUIRE(!(apic->irr[0] & 0xffff));
	if (service >= 0)
		priority = MAX(priority, (uint32_t)service >> 4);
	if (request < 0 || (uint32_t)request >> 4 <= priority)
		REQUIRE(pending == -1);
	else
		REQUIRE(pending == request);
}

/* As a guest that wants ticks: mode, divider, then count or deadline. */
static void program_timer(struct lapic *apic, const uint8_t *op, uint64_t value)
{
	lapic_write(apic, 0xf0, 4, 0x1ff);
	lapic_write(apic, 0x320, 4, (op[1] & 3u) << 17 | (0x20 + op[3]));
	if (op[2] & 2)
		lapic_write(apic, 0x3e0, 4, op[1] >> 4 & 0xb);
	if ((op[1] & 3) == 2)
		lapic_msr_write(apic, MSR_TSC_DEADLINE,
				plat_cycles() + apic->tsc_offset +
					(value & 0xffffffff));
	else
		lapic_write(apic, 0x380, 4, (uint32_t)value);
}

static void run(const uint8_t *op)
{
	struct lapic *apic = &apics[op[0] % CPUS];
	uint32_t offset = (uint32_t)(op[1] | op[2] << 8) & 0xfff;
	uint32_t msr = MSR_X2APIC_FIRST + op[1];
	uint64_t value;
	int vector;

	memcpy(&value, op + 8, sizeof(value));
	switch (op[0] >> 4) {
	case 0:
		lapic_read(apic, offset, 1u << (op[3] & 3));
		break;
	case 1:
		lapic_write(apic, offset & ~15u, 4, (uint32_t)value);
		break;
	case 2:
		lapic_write(apic, offset, 1u << (op[3] & 3), (uint32_t)value);
		break;
	case 3: {
		static const uint32_t others[] = {
			MSR_APIC_BASE, MSR_TSC_DEADLINE, MSR_KVM_PV_EOI, 0x10};

		lapic_msr_read(apic, op[2] & 1 ? others[op[1] & 3] : msr,
			       &value);
		break;
	}
	case 4:
		lapic_msr_write(apic, msr, value);
		break;
	case 5:
		lapic_msr_write(apic, MSR_APIC_BASE,
				LAPIC_BASE_GPA | (value & 0xc00));
		break;
	case 6:
		lapic_msr_write(apic, MSR_TSC_DEADLINE, value);
		break;
	case 7:
		lapic_msr_write(apic, MSR_KVM_PV_EOI, value & 0x1fff);
		break;
	case 8:
		lapic_deliver_msi(&set, LAPIC_BASE_GPA | (value & 0xfffff),
				  (uint32_t)(value >> 32));
		break;
	case 9:
		lapic_deliver_msi(&set, value, (uint32_t)value);
		break;
	case 10:
		plat_linux_set_time(plat_now_ns() + (value & 0xffffffff));
		/* However short the period: one event for each APIC's timer,
		 * until the next look at the clock. */
		if (plat_linux_run_timers() > CPUS)
			abort();
		break;
	case 11:
		ioapic_set_line(&ioapic, op[1], op[2] & 1);
		break;
	case 12:
		lapic_set_tpr(apic, op[1]);
		break;
	case 13:
		lapic_set_tsc_offset(apic, value);
		break;
	case 14:
		if (op[2] & 1)
			program_timer(apic, op, value);
		else
			ram[value & 0xfff] = op[1];
		break;
	default:
		lapic_write(apic, 0xf0, 4, 0x1ff);
		vector = lapic_pending(apic);
		if (vector < 0)
			break;
		if (vector < 16 || vector > 255 ||
		    vector >> 4 <= lapic_get_tpr(apic))
			abort();
		lapic_accept(apic, (uint8_t)vector);
		if (lapic_pending(apic) >> 4 == vector >> 4)
			abort(); /* its own class is in service now */
		break;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	init();
	for (; size >= 16; data += 16, size -= 16) {
		run(data);
		check_priority(&apics[data[0] % CPUS]);
	}
	for (unsigned i = 0; i < CPUS; i++)
		lapic_reset(&apics[i]);
	if (plat_linux_next_timer() != UINT64_MAX)
		abort();
	return 0;
}
