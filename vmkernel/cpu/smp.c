/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Brings the other CPUs up, one after the other. */
#include <string.h>

#include "vmkernel/boot/acpi.h"
#include "vmkernel/cpu/cpu.h"
#include "vmkernel/irq/irq.h"
#include "vmkernel/mm/mm.h"
#include "vmkernel/sched/sched.h"

#define TRAMPOLINE     0x8000 /* boot/entry.S */
#define SMP_STACK      KiB(32)
#define SMP_TIMEOUT_NS 1000000000ull

extern const uint8_t trampoline_start[], trampoline_end[];

/* For boot/entry.S: the CPU that is starting now. */
struct smp_boot {
	void *stack;
	struct cpu *cpu;
	hpa_t cr3;
};
extern struct smp_boot smp_boot;
struct smp_boot smp_boot;

_Noreturn void smp_main(void);

_Noreturn void smp_main(void)
{
	struct cpu *cpu = cpu_this();

	cpu_init(cpu);
	apic_init_cpu();
	sched_init_cpu();
	if (world_enable_cpu() < 0)
		plat_panic("smp: virtualization cannot be turned on");
	__atomic_store_n(&cpu->online, true, __ATOMIC_RELEASE);
	sched_main();
}

static void smp_delay(uint64_t ns)
{
	uint64_t until = plat_now_ns() + ns;

	while (plat_now_ns() < until)
		plat_relax();
}

static bool smp_wait_online(const struct cpu *cpu, uint64_t ns)
{
	uint64_t until = plat_now_ns() + ns;

	while (!READ_ONCE(cpu->online))
		if (plat_now_ns() > until)
			return false;
		else
			plat_relax();
	return true;
}

static void smp_start_one(uint32_t id)
{
	struct cpu *cpu = cpu_create(id);
	void *stack = cpu ? mm_alloc_stack(SMP_STACK) : NULL;

	if (!stack) {
		log_error("smp", "no memory for CPU with APIC id %u", id);
		return;
	}
	smp_boot = (struct smp_boot){stack, cpu, mm_kernel_cr3()};
	/* INIT, 10 ms, SIPI, 200 us, SIPI (Intel SDM 3A, 9.4.4.1). */
	apic_start_cpu(id, 0);
	smp_delay(10000000);
	for (unsigned tries = 0; tries < 2; tries++) {
		apic_start_cpu(id, TRAMPOLINE >> PAGE_SHIFT);
		if (smp_wait_online(cpu, tries ? SMP_TIMEOUT_NS : 200000))
			return;
	}
	/* Its index is taken for good; the scheduler never picks it. Should it
	 * be on its way, it must not come with the next one's stack. */
	apic_start_cpu(id, 0);
	log_error("smp", "CPU with APIC id %u did not start", id);
}

void smp_start(void)
{
	const struct acpi_info *acpi = acpi_info();

	memcpy(phys_to_virt(HPA(TRAMPOLINE)), trampoline_start,
	       (size_t)(trampoline_end - trampoline_start));
	for (unsigned i = 0; i < acpi->cpu_count; i++)
		if (acpi->cpu_apic_ids[i] != apic_id())
			smp_start_one(acpi->cpu_apic_ids[i]);
	log_info("smp", "%u CPUs online", cpu_online_count());
}
