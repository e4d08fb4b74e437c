/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Routes a guest's port and memory accesses to its devices. */
#include "vmm/io.h"

#include "vmm/acpi.h"
#include "vmm/emulate.h"
#include "vmm/layout.h"

#define PORT_POST	 0x80 /* POST code; Linux's I/O delay */
#define PORT_KBD_COMMAND 0x64
#define KBD_PULSE_RESET	 0xfe
#define PORT_COM1	 0x3f8
#define PORT_FAST_A20	 0x92
#define FAST_A20_ENABLED 2
#define FAST_A20_RESET	 1

static uint32_t io_ones(unsigned size)
{
	return size == 4 ? 0xffffffffu : (1u << 8 * size) - 1;
}

static void io_count(uint64_t *counter)
{
	__atomic_fetch_add(counter, 1, __ATOMIC_RELAXED);
}

static bool io_is_pci(uint16_t port)
{
	return port >= PCI_PORT_ADDRESS && port < PCI_PORT_DATA + 4;
}

static bool io_is_pm_timer(uint16_t port)
{
	return port >= ACPI_PORT_PM_TIMER &&
	       port < ACPI_PORT_PM_TIMER + PMTIMER_PORTS;
}

static bool io_is_pit(uint16_t port)
{
	return (port >= PIT_PORT && port < PIT_PORT + PIT_PORTS) ||
	       port == PIT_PORT_B;
}

/* Interrupts and timer of the first PCs. */
static bool io_legacy_read(struct vm *vm, uint16_t port, uint8_t *value)
{
	if (pic_has_port(port))
		*value = pic_read(&vm->pic, port);
	else if (io_is_pit(port))
		*value = pit_read(&vm->pit, port);
	else
		return false;
	return true;
}

static bool io_legacy_write(struct vm *vm, uint16_t port, uint8_t value)
{
	if (pic_has_port(port))
		pic_write(&vm->pic, port, value);
	else if (io_is_pit(port))
		pit_write(&vm->pit, port, value);
	else
		return false;
	return true;
}

/* Devices of a PC at fixed ports, a byte wide. */
static bool io_platform_read(struct vm *vm, uint16_t port, uint8_t *value)
{
	switch (port) {
	case PORT_COM1 ... PORT_COM1 + 7:
		*value = uart_read(&vm->uart, port - PORT_COM1);
		return true;
	case RTC_PORT_INDEX:
	case RTC_PORT_DATA:
		*value = rtc_read(&vm->rtc, port);
		return true;
	case PORT_FAST_A20:
		*value = FAST_A20_ENABLED;
		return true;
	case ACPI_PORT_SLEEP_CONTROL:
	case ACPI_PORT_SLEEP_STATUS:
		*value = 0;
		return true;
	case PORT_POST:
		*value = 0;
		return true;
	default:
		return io_legacy_read(vm, port, value);
	}
}

static bool io_platform_write(struct vm *vm, uint16_t port, uint8_t value)
{
	switch (port) {
	case PORT_COM1 ... PORT_COM1 + 7:
		uart_write(&vm->uart, port - PORT_COM1, value);
		return true;
	case RTC_PORT_INDEX:
	case RTC_PORT_DATA:
		rtc_write(&vm->rtc, port, value);
		return true;
	case ACPI_PORT_SLEEP_CONTROL:
		if (value == ACPI_SLEEP_S5)
			vm_stop(vm, VM_POWER_OFF);
		return true;
	case ACPI_PORT_RESET:
		if (value == ACPI_RESET_VALUE)
			vm_stop(vm, VM_RESET);
		return true;
	case PORT_KBD_COMMAND:
		if (value == KBD_PULSE_RESET)
			vm_stop(vm, VM_RESET);
		return true;
	case PORT_FAST_A20:
		if (value & FAST_A20_RESET)
			vm_stop(vm, VM_RESET);
		return true;
	case ACPI_PORT_SLEEP_STATUS:
	case PORT_POST:
		return true;
	default:
		return io_legacy_write(vm, port, value);
	}
}

uint32_t io_port_read(struct vcpu *vcpu, uint16_t port, unsigned size)
{
	struct vm *vm = vcpu->vm;
	uint64_t offset;
	unsigned bar;
	struct device *dev = pci_find_io(&vm->pci, port, size, &bar, &offset);
	uint8_t byte;

	if (dev)
		return (uint32_t)dev->ops->bar_read(dev, bar, offset, size);
	if (io_is_pci(port))
		return pci_port_read(&vm->pci, port, size);
	if (size == 1 && io_platform_read(vm, port, &byte))
		return byte;
	if (io_is_pm_timer(port))
		return pmtimer_read(&vm->pmtimer, port - ACPI_PORT_PM_TIMER,
				    size);
	io_count(&vm->bad_io);
	return io_ones(size);
}

void io_port_write(struct vcpu *vcpu, uint16_t port, unsigned size,
		   uint32_t value)
{
	struct vm *vm = vcpu->vm;
	uint64_t offset;
	unsigned bar;
	/* The doorbell's way: first of all. */
	struct device *dev = pci_find_io(&vm->pci, port, size, &bar, &offset);

	if (dev) {
		dev->ops->bar_write(dev, bar, offset, size, value);
		return;
	}
	if (size == 1 && io_platform_write(vm, port, (uint8_t)value))
		return;
	if (io_is_pci(port)) {
		pci_port_write(&vm->pci, port, size, value);
		return;
	}
	if (io_is_pm_timer(port))
		return; /* read-only */
	io_count(&vm->bad_io);
}

static bool io_within(gpa_t gpa, unsigned size, uint64_t base, uint64_t length)
{
	return gpa.v >= base && gpa.v - base <= length - size;
}

static uint64_t io_cut(uint64_t value, unsigned size)
{
	return size == 8 ? value : value & ((1ull << 8 * size) - 1);
}

uint64_t io_memory_read(struct vcpu *vcpu, gpa_t gpa, unsigned size)
{
	struct vm *vm = vcpu->vm;
	struct device *dev;
	uint64_t offset;
	unsigned bar;

	if (io_within(gpa, size, GUEST_LAPIC_BASE, LAPIC_MMIO_SIZE))
		return lapic_read(&vcpu->lapic,
				  (uint32_t)(gpa.v - GUEST_LAPIC_BASE), size);
	if (io_within(gpa, size, GUEST_IOAPIC_BASE, PAGE_SIZE))
		return ioapic_read(&vm->ioapic,
				   (uint32_t)(gpa.v - GUEST_IOAPIC_BASE), size);
	if (io_within(gpa, size, GUEST_ECAM_BASE, GUEST_ECAM_SIZE))
		return pci_ecam_read(&vm->pci, gpa.v - GUEST_ECAM_BASE, size);
	dev = pci_find_mem(&vm->pci, gpa, size, &bar, &offset);
	if (dev)
		return dev->ops->bar_read(dev, bar, offset, size);
	io_count(&vm->bad_mmio);
	return io_cut(UINT64_MAX, size);
}

void io_memory_write(struct vcpu *vcpu, gpa_t gpa, unsigned size,
		     uint64_t value)
{
	struct vm *vm = vcpu->vm;
	struct device *dev;
	uint64_t offset;
	unsigned bar;

	if (io_within(gpa, size, GUEST_LAPIC_BASE, LAPIC_MMIO_SIZE)) {
		lapic_write(&vcpu->lapic, (uint32_t)(gpa.v - GUEST_LAPIC_BASE),
			    size, (uint32_t)value);
		return;
	}
	if (io_within(gpa, size, GUEST_IOAPIC_BASE, PAGE_SIZE)) {
		ioapic_write(&vm->ioapic, (uint32_t)(gpa.v - GUEST_IOAPIC_BASE),
			     size, (uint32_t)value);
		return;
	}
	if (io_within(gpa, size, GUEST_ECAM_BASE, GUEST_ECAM_SIZE)) {
		pci_ecam_write(&vm->pci, gpa.v - GUEST_ECAM_BASE, size, value);
		return;
	}
	dev = pci_find_mem(&vm->pci, gpa, size, &bar, &offset);
	if (dev)
		dev->ops->bar_write(dev, bar, offset, size, value);
	else
		io_count(&vm->bad_mmio);
}

/* The emulator's hooks. */
uint64_t emulate_mmio_read(void *vcpu, gpa_t gpa, unsigned size)
{
	return io_memory_read(vcpu, gpa, size);
}

void emulate_mmio_write(void *vcpu, gpa_t gpa, unsigned size, uint64_t value)
{
	io_memory_write(vcpu, gpa, size, value);
}

uint32_t emulate_pio_in(void *vcpu, uint16_t port, unsigned size)
{
	return io_port_read(vcpu, port, size);
}

void emulate_pio_out(void *vcpu, uint16_t port, unsigned size, uint32_t value)
{
	io_port_write(vcpu, port, size, value);
}
