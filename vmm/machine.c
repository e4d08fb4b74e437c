/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The devices around a VM's vCPUs: made, wired, reset. */
#include "vmm/machine.h"

#include <linux/errno.h>
#include <string.h>

#include "lib/fmt.h"
#include "vmkernel/boot/acpi.h"
#include "vmkernel/console/console.h"
#include "vmkernel/cpu/regs.h"
#include "vmkernel/irq/time.h"
#include "vmm/acpi.h"
#include "vmm/load/bios.h"
#include "vswitch/vswitch.h"

#define PCI_SLOT_NICS 1 /* after the host bridge */

extern const uint8_t dsdt_aml[], dsdt_aml_end[];

uint64_t rtc_wall_seconds(void)
{
	return time_wall_seconds();
}

void pic_raised(struct pic *pic)
{
	struct vm *vm = container_of(pic, struct vm, pic);

	lapic_wake(vm->apics.apics[0]);
}

/* Only to the 8259: who uses the I/O APIC has better timers. Down and up, since
 * an edge must stay up until it is acknowledged. */
void pit_interrupt(struct pit *pit)
{
	struct vm *vm = container_of(pit, struct vm, pit);

	pic_set_line(&vm->pic, 0, false);
	pic_set_line(&vm->pic, 0, true);
}

void uart_output(struct uart *uart, const uint8_t *bytes, unsigned count)
{
	console_vm_output(uart->vm->index, bytes, count);
}

unsigned console_vm_input(unsigned vm, const uint8_t *bytes, unsigned count)
{
	return uart_input(&vm_at(vm)->uart, bytes, count);
}

/* Fixed ports of the guest machine: first and last. */
static const uint16_t machine_ports[][2] = {
	{0x000, 0x3ff}, /* what was on the first PCs' board, and COM1 */
	{PIC_PORT_ELCR, PIC_PORT_ELCR + 1},
	{ACPI_PORT_SLEEP_CONTROL, ACPI_PORT_SLEEP_STATUS},
	{PCI_PORT_ADDRESS, PCI_PORT_DATA + 3},
	{GUEST_PCI_IO_BASE, GUEST_PCI_IO_END - 1},
};

static uint16_t machine_pm_timer = ACPI_PORT_PM_TIMER;

/*
 * Guests read this machine's own PM timer where its port is free in theirs: it
 * tells them no more than the TSC does, and cannot be written (ACPI 6.4,
 * 4.8.2.1). Linux without KVM's clock has nothing else to calibrate an AMD
 * CPU's TSC against; it wants three reads within 50,000 cycles
 * (arch/x86/kernel/tsc.c, tsc_read_refs()), and if it never gets them the boot
 * stops for want of a timer. Three exits do not take that long on a CPU, but
 * they do on an emulated one.
 */
void machine_init(void)
{
	uint16_t port = acpi_info()->pm_timer_port;

	for (unsigned i = 0; i < ARRAY_SIZE(machine_ports); i++)
		if (port + PMTIMER_PORTS > machine_ports[i][0] &&
		    port <= machine_ports[i][1])
			return;
	if (cpu_ops->pass_ports(port, PMTIMER_PORTS))
		machine_pm_timer = port;
}

/* Do all CPUs' TSCs count as one, and never stop? An emulated or virtual
 * machine's come from one clock; a real one says so (CPUID 0x80000007). */
static bool machine_tsc_stable(void)
{
	uint32_t out[4];

	cpuid(1, 0, out);
	if (out[2] & 1u << 31)
		return true;
	cpuid(0x80000007, 0, out);
	return out[3] & 1u << 8;
}

static int machine_create_nic(struct vm *vm, unsigned index)
{
	const struct sluice_nic *nic =
		&vm->bundle->nics[vm->config->first_nic + index];
	struct vswitch *network = machine_network(nic->uplink);
	uint8_t allowed[SLUICE_MACS_MAX][ETH_ADDR_LEN];
	char name[PORT_NAME_SIZE];
	struct vnet_params params = {
		.name = name,
		.promiscuous = nic->flags & SLUICE_NIC_PROMISCUOUS,
		.allowed_count = (uint8_t)nic->mac_count,
		.allowed = allowed,
	};
	struct vnet *vnet;
	int error;

	fmt_snprintf(name, sizeof(name), "%s.%u", vm->name, index);
	for (unsigned i = 0; i < nic->mac_count; i++)
		memcpy(allowed[i], vm->bundle->macs[nic->first_mac + i].addr,
		       ETH_ADDR_LEN);
	memcpy(params.mac, nic->mac, ETH_ADDR_LEN);
	vnet = vnet_create(vm, &vm->pci, PCI_SLOT_NICS + index, &params);
	if (!vnet)
		return -ENOMEM;
	vm->nics[index].vnet = vnet;
	vm->nic_count = index + 1;
	error = vswitch_attach(network, vnet_port(vnet));
	if (error)
		log_error(vm->name, "NIC %u cannot be plugged in (%d)", index,
			  error);
	else
		machine_network_changed(nic->uplink);
	return error;
}

int machine_create_devices(struct vm *vm)
{
	uint64_t high = vm->config->memory > GUEST_LOW_MAX
				? vm->config->memory - GUEST_LOW_MAX
				: 0;
	int error = 0;

	ioapic_init(&vm->ioapic, &vm->apics);
	pci_init(&vm->pci, vm);
	uart_init(&vm->uart, vm, GUEST_GSI_COM1);
	pic_init(&vm->pic);
	pit_init(&vm->pit);
	rtc_init(&vm->rtc, vm->config->memory - high, high);
	for (unsigned i = 0; i < vm->vcpu_count; i++)
		pvclock_init(&vm->vcpus[i]->pvclock, &vm->mem, &vm->clock);
	for (unsigned i = 0; !error && i < vm->config->nic_count; i++)
		error = machine_create_nic(vm, i);
	/* Last: the console counts the VMs that vms[] will have, no others. */
	if (!error)
		console_add_vm(vm->name);
	return error;
}

int machine_build_acpi(struct vm *vm, gpa_t *rsdp)
{
	return acpi_build(&vm->mem, vm->vcpu_count, machine_pm_timer, dsdt_aml,
			  (size_t)(dsdt_aml_end - dsdt_aml), rsdp);
}

/*
 * The last of the ways in which a PC's system restarts it is a jump to the
 * BIOS in real mode, f000:fff0. It is the first of Linux on hardware-reduced
 * ACPI (arch/x86/kernel/reboot.c), which takes EFI for granted there.
 */
int machine_write_bios(struct vm *vm)
{
	static const uint8_t code[] = {
		0xba,
		ACPI_PORT_RESET & 0xff,
		ACPI_PORT_RESET >> 8, /* mov dx */
		0xb0,
		ACPI_RESET_VALUE, /* mov al */
		0xee,		  /* out */
		0xf4,		  /* hlt */
		0xeb,
		0xfd, /* jmp to the hlt */
	};

	int error = guest_write(&vm->mem, GPA(GUEST_BIOS_BASE), bios_image,
				(size_t)(bios_image_end - bios_image));

	return error ? error
		     : guest_write(&vm->mem, GPA(GUEST_RESET_VECTOR), code,
				   sizeof(code));
}

void machine_start_clock(struct vm *vm)
{
	vm->clock = (struct pvclock_base){
		.tsc = plat_cycles() + (uint64_t)vm->tsc_offset,
		.wall_seconds = rtc_wall_seconds(),
		.tsc_khz = (uint32_t)time_tsc_khz(),
		.tsc_stable = machine_tsc_stable(),
	};
	pmtimer_reset(&vm->pmtimer);
}

void machine_reset_devices(struct vm *vm)
{
	pci_reset(&vm->pci);
	ioapic_reset(&vm->ioapic);
	uart_reset(&vm->uart);
	pit_reset(&vm->pit);
	pic_reset(&vm->pic);
}

bool machine_quiet(struct vm *vm)
{
	bool quiet = true;

	for (unsigned i = 0; i < vm->nic_count; i++)
		quiet &= vnet_quiesce(vm->nics[i].vnet);
	return quiet;
}
