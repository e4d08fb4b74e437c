/* SPDX-License-Identifier: GPL-2.0-or-later */
/* From the first line of C to running VMs: the steps, in order. */
#include "lib/bundle.h"
#include "vmkernel/boot/acpi.h"
#include "vmkernel/boot/multiboot2.h"
#include "vmkernel/boot/network.h"
#include "vmkernel/boot/pvh.h"
#include "vmkernel/console/log.h"
#include "vmkernel/console/report.h"
#include "vmkernel/console/serial.h"
#include "vmkernel/cpu/cpu.h"
#include "vmkernel/cpu/power.h"
#include "vmkernel/irq/irq.h"
#include "vmkernel/irq/time.h"
#include "vmkernel/pci/pci.h"
#include "vmkernel/sched/sched.h"
#include "vmm/machine.h"

#define BOOT_STACK KiB(32)

_Noreturn void boot_main(uint64_t info, uint32_t magic);
_Noreturn void boot_switch_stack(void *top, void (*fn)(void));

extern char image_start[], image_end[];

static struct boot_info boot_info;
static struct bundle boot_bundle;

/* A mistake of the person who set this up: say it, and leave the machine in a
 * state that the person sees. */
static _Noreturn void boot_give_up(void)
{
	log_error("boot", "nothing to run: powering off");
	power_tell_failure();
	power_off();
}

static void boot_open_bundle(void)
{
	const char *why;

	if (!boot_info.bundle_size) {
		log_error("boot",
			  "no bundle was given: pass the file that "
			  "'sluice build' wrote as the initrd, or, in GRUB, "
			  "by module2");
		boot_give_up();
	}
	if (bundle_open(&boot_bundle, phys_to_virt(boot_info.bundle),
			boot_info.bundle_size, &why) < 0) {
		log_error("boot", "the bundle is not usable: %s", why);
		boot_give_up();
	}
	log_set_level(boot_bundle.config->log_level);
}

static void boot_cpu_ops(void)
{
	const char *why = cpu_ops_choose();

	if (why) {
		log_error("boot", "cannot run virtual machines: %s", why);
		boot_give_up();
	}
	if (world_enable_cpu() < 0)
		plat_panic("boot: %s cannot be turned on", cpu_ops->name);
}

/* On the final stack, with its guard page. */
static void boot_on_stack(void)
{
	struct cpu *cpu = cpu_this();

	if (cpu_alloc_stacks(cpu) < 0)
		plat_panic("boot: no memory for exception stacks");
	if (acpi_init(boot_info.rsdp) < 0)
		plat_panic("boot: no usable ACPI tables");
	time_init();
	apic_init();
	serial_init_interrupts();
	sched_init_cpu();
	cpu->online = true;
	boot_open_bundle();
	boot_cpu_ops();
	smp_start();
	pci_init_host();
	if (network_init(&boot_bundle) < 0)
		boot_give_up();
	if (!vm_create_all(&boot_bundle))
		boot_give_up();
	vm_start_all();
	sched_main();
}

/* The boot tables map 4 GiB, and both protocols are 32-bit ones. */
static void boot_multiboot2(uint64_t info)
{
	const char *why = multiboot2_parse(
		phys_to_virt(HPA(info)), GiB(4) - info, HPA(info), &boot_info);

	if (why)
		plat_panic("boot: %s", why);
}

/* From entry.S. magic 0: PVH. */
_Noreturn void boot_main(uint64_t info, uint32_t magic)
{
	void *stack;

	serial_init();
	cpu_init_boot();
	log_info("boot", "Sluice");
	boot_info_reserve(&boot_info, HPA(0), MiB(1)); /* BIOS, trampoline */
	boot_info_reserve(&boot_info, virt_to_phys(image_start),
			  (uint64_t)(image_end - image_start));
	if (!magic)
		pvh_parse(HPA(info), &boot_info);
	else if (magic == MULTIBOOT2_BOOT_MAGIC)
		boot_multiboot2(info);
	else
		plat_panic(
			"boot: this boot loader speaks neither PVH nor "
			"Multiboot 2");
	mm_init(&boot_info.map);
	stack = mm_alloc_stack(BOOT_STACK);
	if (!stack)
		plat_panic("boot: no memory for a stack");
	boot_switch_stack(stack, boot_on_stack);
}

void machine_all_off(void)
{
	log_info("boot", "all VMs are off");
	network_stop();
	report_write();
	power_off();
}
