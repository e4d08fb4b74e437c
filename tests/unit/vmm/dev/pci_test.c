/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The guest's PCI bus: config space both ways, BARs, MSI-X, INTx. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <linux/errno.h>
#include <linux/pci_regs.h>

#include "fake_vm.h"
#include "vmm/dev/pci.h"

static struct vm vm;
static struct pci_bus bus;
static struct device card, other;
static unsigned writes, resets;

static void card_reset(struct device *dev)
{
	resets++;
}

static uint64_t card_read(struct device *dev, unsigned bar, uint64_t offset,
			  unsigned size)
{
	return device_msix_read(dev, offset, size);
}

static void card_write(struct device *dev, unsigned bar, uint64_t offset,
		       unsigned size, uint64_t value)
{
	device_msix_write(dev, offset, size, value);
}

static void card_written(struct device *dev, unsigned offset, unsigned size)
{
	writes++;
}

static const struct device_ops card_ops = {
	.name = "card",
	.reset = card_reset,
	.bar_read = card_read,
	.bar_write = card_write,
	.config_written = card_written,
};

static const struct device_identity card_id = {
	.vendor = 0x1234,
	.device = 0x5678,
	.class_code = 0x020000,
	.revision = 7,
	.intx = true,
};

/* BAR 0: 32 ports, 1: MSI-X, 2: 64 KiB, 4/5: 1 MiB, 64-bit. */
static void make_card(struct device *dev)
{
	device_init(dev, &card_ops, &vm, &card_id);
	device_add_bar(dev, 0, 32, true, false);
	device_add_bar(dev, 2, KiB(64), false, false);
	device_add_bar(dev, 4, MiB(1), false, true);
	device_add_msix(dev, 1, 4);
}

static int setup(void **state)
{
	fake_vm_init(&vm);
	pci_init(&bus, &vm);
	make_card(&card);
	make_card(&other);
	writes = resets = 0;
	return pci_add(&bus, &card, 3) || pci_add(&bus, &other, 11);
}

static int teardown(void **state)
{
	pci_remove(&card);
	fake_vm_destroy(&vm);
	return 0;
}

static uint32_t get(unsigned slot, unsigned offset, unsigned size)
{
	return pci_config_read(&bus, slot << 3, offset, size);
}

static void put(unsigned slot, unsigned offset, unsigned size, uint32_t value)
{
	pci_config_write(&bus, slot << 3, offset, size, value);
}

static void test_header(void **state)
{
	assert_int_equal(get(0, PCI_VENDOR_ID, 4), 0x00081b36);
	assert_int_equal(get(0, PCI_CLASS_REVISION, 4), 0x06000000);
	assert_int_equal(get(3, PCI_VENDOR_ID, 4), 0x56781234);
	assert_int_equal(get(3, PCI_CLASS_REVISION, 4), 0x02000007);
	assert_int_equal(get(3, PCI_HEADER_TYPE, 1), 0);
	assert_int_equal(get(3, PCI_INTERRUPT_PIN, 1), 1);
	assert_int_equal(get(3, PCI_STATUS, 2), PCI_STATUS_CAP_LIST);
	assert_int_equal(get(3, PCI_CAPABILITY_LIST, 1), 0x40);
	assert_int_equal(get(3, 0x40, 2), PCI_CAP_ID_MSIX);
	/* Nobody there: other slots, functions, buses; past the end. */
	assert_int_equal(get(4, PCI_VENDOR_ID, 4), 0xffffffff);
	assert_int_equal(get(4, PCI_VENDOR_ID, 2), 0xffff);
	assert_int_equal(pci_config_read(&bus, 3 << 3 | 1, 0, 2), 0xffff);
	assert_int_equal(pci_config_read(&bus, 1 << 8 | 3 << 3, 0, 1), 0xff);
	assert_int_equal(get(3, 3, 2), 0xffff); /* crosses a dword */
	assert_int_equal(get(3, 4096, 4), 0xffffffff);
	assert_int_equal(get(3, 0x100, 4), 0); /* no extended capability */
}

static void test_read_only(void **state)
{
	put(3, PCI_VENDOR_ID, 4, 0);
	put(3, PCI_STATUS, 2, 0xffff);
	put(3, PCI_INTERRUPT_PIN, 1, 9);
	assert_int_equal(get(3, PCI_VENDOR_ID, 4), 0x56781234);
	assert_int_equal(get(3, PCI_STATUS, 2), PCI_STATUS_CAP_LIST);
	assert_int_equal(get(3, PCI_INTERRUPT_PIN, 1), 1);
	put(3, PCI_INTERRUPT_LINE, 1, 0x5a);
	assert_int_equal(get(3, PCI_INTERRUPT_LINE, 1), 0x5a);
	put(3, PCI_COMMAND, 2, 0xffff);
	assert_int_equal(get(3, PCI_COMMAND, 2), 0x0407);
	assert_int_equal(writes, 5);
	put(5, 0, 4, 1); /* nobody there */
}

static void test_ports(void **state)
{
	pci_port_write(&bus, 0xcf8, 4, 0xffffffff);
	assert_int_equal(pci_port_read(&bus, 0xcf8, 4), 0x80fffffc);
	/* Bytes and words are not for the address register. */
	pci_port_write(&bus, 0xcfb, 1, 1);
	pci_port_write(&bus, 0xcf8, 2, 0);
	assert_int_equal(pci_port_read(&bus, 0xcf8, 4), 0x80fffffc);
	assert_int_equal(pci_port_read(&bus, 0xcf8, 1), 0xff);
	pci_port_write(&bus, 0xcf8, 4, 0x80000000 | 3 << 11 | 0x08);
	assert_int_equal(pci_port_read(&bus, 0xcfc, 4), 0x02000007);
	assert_int_equal(pci_port_read(&bus, 0xcfe, 2), 0x0200);
	assert_int_equal(pci_port_read(&bus, 0xcff, 1), 0x02);
	assert_int_equal(pci_port_read(&bus, 0xcfe, 4), 0xffffffff);
	pci_port_write(&bus, 0xcf8, 4, 0x80000000 | 3 << 11 | 0x3c);
	pci_port_write(&bus, 0xcfc, 1, 0x22);
	assert_int_equal(get(3, PCI_INTERRUPT_LINE, 1), 0x22);
	/* Not enabled: nobody answers. */
	pci_port_write(&bus, 0xcf8, 4, 3 << 11 | 0x3c);
	pci_port_write(&bus, 0xcfc, 1, 0x33);
	assert_int_equal(pci_port_read(&bus, 0xcfc, 1), 0xff);
	assert_int_equal(get(3, PCI_INTERRUPT_LINE, 1), 0x22);
}

static void test_ecam(void **state)
{
	uint64_t at = 3 << 15;

	assert_int_equal(pci_ecam_read(&bus, at, 8),
			 0x56781234ull | 0x0003ull << 32 |
				 (uint64_t)PCI_STATUS_CAP_LIST << 48);
	assert_int_equal(pci_ecam_read(&bus, at + 2, 2), 0x5678);
	pci_ecam_write(&bus, at + PCI_BASE_ADDRESS_4, 8, UINT64_MAX);
	assert_int_equal(pci_ecam_read(&bus, at + PCI_BASE_ADDRESS_4, 8),
			 0xfffffffffff00004);
	assert_int_equal(pci_ecam_read(&bus, at + 0xffc, 8),
			 0xffffffff00000000);
	assert_int_equal(pci_ecam_read(&bus, GUEST_ECAM_SIZE - 4, 4),
			 0xffffffff);
}

static void expect_io(unsigned port, unsigned size, struct device *want,
		      unsigned want_bar, uint64_t want_offset)
{
	uint64_t offset = 0;
	unsigned bar = 99;

	assert_ptr_equal(pci_find_io(&bus, (uint16_t)port, size, &bar, &offset),
			 want);
	if (want) {
		assert_int_equal(bar, want_bar);
		assert_int_equal(offset, want_offset);
	}
}

static void expect_mem(uint64_t gpa, unsigned size, struct device *want,
		       unsigned want_bar, uint64_t want_offset)
{
	uint64_t offset = 0;
	unsigned bar = 99;

	assert_ptr_equal(pci_find_mem(&bus, GPA(gpa), size, &bar, &offset),
			 want);
	if (want) {
		assert_int_equal(bar, want_bar);
		assert_int_equal(offset, want_offset);
	}
}

/* Assigned from the start, sized as a kernel does it, moved, switched off. */
static void test_bars(void **state)
{
	uint32_t io = get(3, PCI_BASE_ADDRESS_0, 4);
	uint32_t mem = get(3, PCI_BASE_ADDRESS_2, 4);

	assert_int_equal(io, 0xc001);
	assert_int_equal(get(11, PCI_BASE_ADDRESS_0, 4), 0xc021);
	assert_in_range(mem, GUEST_PCI_MMIO_BASE, GUEST_PCI_MMIO_END - 1);
	expect_io(0xc01e, 2, &card, 0, 0x1e);
	expect_io(0xc01f, 2, NULL, 0, 0); /* leaves the BAR */
	expect_io(0xc020, 2, &other, 0, 0);
	expect_io(0xbfff, 1, NULL, 0, 0);
	expect_mem(mem + 0xfff8, 8, &card, 2, 0xfff8);
	expect_mem(mem - 1, 1, NULL, 0, 0);

	put(3, PCI_BASE_ADDRESS_0, 4, 0xffffffff);
	assert_int_equal(get(3, PCI_BASE_ADDRESS_0, 4), 0xffffffe1);
	expect_io(0xc000, 1, NULL, 0, 0);
	put(3, PCI_BASE_ADDRESS_0, 4, 0xe040);
	expect_io(0xe040, 4, &card, 0, 0);
	put(3, PCI_BASE_ADDRESS_2, 4, 0xffffffff);
	assert_int_equal(get(3, PCI_BASE_ADDRESS_2, 4), 0xffff0000);
	put(3, PCI_BASE_ADDRESS_2, 4, 0xd0000000);
	expect_mem(0xd000ffff, 1, &card, 2, 0xffff);
	assert_int_equal(get(3, PCI_BASE_ADDRESS_3, 4), 0); /* not there */
	put(3, PCI_BASE_ADDRESS_3, 4, 0xffffffff);
	assert_int_equal(get(3, PCI_BASE_ADDRESS_3, 4), 0);

	put(3, PCI_COMMAND, 2, PCI_COMMAND_MEMORY);
	expect_io(0xe040, 4, NULL, 0, 0);
	expect_mem(0xd0000000, 1, &card, 2, 0);
	put(3, PCI_COMMAND, 2, 0);
	expect_mem(0xd0000000, 1, NULL, 0, 0);
}

/* A BAR anywhere but in its window is nowhere; so RAM is never shadowed. */
static void test_bar_nonsense(void **state)
{
	put(3, PCI_BASE_ADDRESS_2, 4, 0);
	expect_mem(0, 4, NULL, 0, 0);
	put(3, PCI_BASE_ADDRESS_2, 4, 0xbfff0000);
	expect_mem(0xbfff0000, 4, NULL, 0, 0);
	put(3, PCI_BASE_ADDRESS_2, 4, 0xe0000000); /* the ECAM */
	expect_mem(0xe0000000, 4, NULL, 0, 0);
	put(3, PCI_BASE_ADDRESS_0, 4, 0x60);
	expect_io(0x60, 1, NULL, 0, 0);
	/* 64-bit: high half set. */
	put(3, PCI_BASE_ADDRESS_4, 4, 0xc0100000);
	expect_mem(0xc0100000, 4, &card, 4, 0);
	put(3, PCI_BASE_ADDRESS_5, 4, 1);
	expect_mem(0xc0100000, 4, NULL, 0, 0);
	expect_mem(0x1c0100000, 4, NULL, 0, 0);
	/* Two at one place: the lower slot. */
	put(11, PCI_BASE_ADDRESS_2, 4, 0xd0000000);
	expect_mem(0xd0000010, 4, &other, 2, 0x10);
	put(3, PCI_BASE_ADDRESS_2, 4, 0xd0000000);
	expect_mem(0xd0000010, 4, &card, 2, 0x10);
}

static void msix_entry(unsigned v, uint64_t address, uint32_t data, bool mask)
{
	device_msix_write(&card, v * 16, 8, address);
	device_msix_write(&card, v * 16 + 8, 4, data);
	device_msix_write(&card, v * 16 + 12, 4, mask);
}

static void test_msix(void **state)
{
	unsigned flags = card.msix_cap + PCI_MSIX_FLAGS;

	assert_int_equal(get(3, flags, 2), 3);
	assert_int_equal(device_msix_read(&card, 12, 4), 1); /* masked */
	msix_entry(1, 0xfee01003, 0x41, true);
	assert_int_equal(device_msix_read(&card, 16, 8), 0xfee01000);
	assert_int_equal(device_msix_read(&card, 24, 8), 0x41 | 1ull << 32);
	assert_int_equal(device_msix_read(&card, 25, 1), 0);
	assert_int_equal(device_msix_read(&card, 24, 1), 0x41);
	/* Off: nothing at all. */
	device_msix_fire(&card, 1);
	assert_int_equal(device_msix_read(&card, 0x800, 8), 0);
	put(3, PCI_COMMAND, 2, 7);
	put(3, flags, 2, PCI_MSIX_FLAGS_ENABLE);
	/* Masked: pending, until it is let go. */
	device_msix_fire(&card, 1);
	device_msix_fire(&card, 1);
	assert_int_equal(vm.message_count, 0);
	assert_int_equal(device_msix_read(&card, 0x800, 8), 2);
	device_msix_write(&card, 0x800, 8, 0xff); /* read-only */
	assert_int_equal(device_msix_read(&card, 0x800, 4), 2);
	device_msix_write(&card, 28, 4, 0);
	assert_int_equal(vm.message_count, 1);
	assert_int_equal(vm.messages[0].address, 0xfee01000);
	assert_int_equal(vm.messages[0].data, 0x41);
	assert_int_equal(device_msix_read(&card, 0x800, 8), 0);
	/* All masked. */
	put(3, flags, 2, PCI_MSIX_FLAGS_ENABLE | PCI_MSIX_FLAGS_MASKALL);
	device_msix_fire(&card, 1);
	assert_int_equal(vm.message_count, 1);
	put(3, flags, 2, PCI_MSIX_FLAGS_ENABLE);
	assert_int_equal(vm.message_count, 2);
	/* No bus master: held back. */
	put(3, PCI_COMMAND, 2, 3);
	device_msix_fire(&card, 1);
	assert_int_equal(vm.message_count, 2);
	put(3, PCI_COMMAND, 2, 7);
	assert_int_equal(vm.message_count, 3);
	assert_int_equal(card.interrupts, 3);
	/* Past the table; crooked writes. */
	device_msix_fire(&card, 4);
	device_msix_fire(&card, 1000);
	device_msix_write(&card, 26, 4, 0x99);
	device_msix_write(&card, 24, 2, 0x99);
	device_msix_write(&card, 4 * 16, 8, 0x99);
	assert_int_equal(device_msix_read(&card, 24, 4), 0x41);
	assert_int_equal(device_msix_read(&card, 4 * 16, 8), 0);
	assert_int_equal(device_msix_read(&card, 0xffc, 4), 0);
	assert_int_equal(device_msix_read(&card, 0xff8, 8), 0);
	assert_int_equal(vm.message_count, 3);
}

/* Slots 3 and 11 share INTA's wire: its level is the OR. */
static void test_intx(void **state)
{
	unsigned gsi = GUEST_GSI_PCI(3);

	assert_int_equal(gsi, GUEST_GSI_PCI(11));
	device_isr_raise(&card, 1);
	device_isr_raise(&other, 2);
	device_isr_raise(&other, 1);
	assert_true(vm.gsi[gsi]);
	assert_int_equal(vm.gsi_changes, 1);
	assert_true(get(3, PCI_STATUS, 2) & PCI_STATUS_INTERRUPT);
	assert_int_equal(device_isr_take(&card), 1);
	assert_true(vm.gsi[gsi]);
	assert_false(get(3, PCI_STATUS, 2) & PCI_STATUS_INTERRUPT);
	assert_int_equal(device_isr_take(&other), 3);
	assert_false(vm.gsi[gsi]);
	assert_int_equal(device_isr_take(&other), 0);
	/* Disabled: the cause stays visible. */
	device_isr_raise(&card, 1);
	put(3, PCI_COMMAND, 2, 7 | PCI_COMMAND_INTX_DISABLE);
	assert_false(vm.gsi[gsi]);
	assert_true(get(3, PCI_STATUS, 2) & PCI_STATUS_INTERRUPT);
	put(3, PCI_COMMAND, 2, 7);
	assert_true(vm.gsi[gsi]);
	/* MSI-X takes the wire's place. */
	put(3, card.msix_cap + PCI_MSIX_FLAGS, 2, PCI_MSIX_FLAGS_ENABLE);
	assert_false(vm.gsi[gsi]);
}

static void test_reset(void **state)
{
	put(3, PCI_BASE_ADDRESS_2, 4, 0xd0000000);
	put(3, PCI_COMMAND, 2, 7);
	put(3, card.msix_cap + PCI_MSIX_FLAGS, 2, PCI_MSIX_FLAGS_ENABLE);
	msix_entry(0, 0xfee00000, 0x40, false);
	device_isr_raise(&other, 1);
	pci_reset(&bus);
	assert_int_equal(resets, 2);
	assert_int_equal(get(3, PCI_COMMAND, 2), 3);
	assert_int_equal(get(3, card.msix_cap + PCI_MSIX_FLAGS, 2), 3);
	assert_int_equal(device_msix_read(&card, 0, 8), 0);
	assert_int_equal(device_msix_read(&card, 12, 4), 1);
	assert_false(vm.gsi[GUEST_GSI_PCI(11)]);
	expect_mem(0xd0000000, 1, NULL, 0, 0);
	expect_mem(card.bars[2].home, 1, &card, 2, 0);
	assert_int_equal(get(3, PCI_VENDOR_ID, 4), 0x56781234);
}

static void test_add(void **state)
{
	static struct device many[2];

	make_card(&many[0]);
	assert_int_equal(pci_add(&bus, &many[0], 3), -EBUSY);
	pci_remove(&other);
	assert_int_equal(get(11, PCI_VENDOR_ID, 4), 0xffffffff);
	expect_io(0xc020, 1, NULL, 0, 0);
	/* 1 GiB does not fit in half of one; the window stays as it was. */
	device_init(&many[1], &card_ops, &vm, &card_id);
	device_add_bar(&many[1], 0, GiB(1), false, false);
	assert_int_equal(pci_add(&bus, &many[1], 5), -ENOSPC);
	assert_int_equal(get(5, PCI_VENDOR_ID, 4), 0xffffffff);
	assert_int_equal(pci_add(&bus, &many[0], 5), 0);
	expect_io(0xc040, 1, &many[0], 0, 0);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(test_header), T(test_read_only), T(test_ports),
		T(test_ecam),	T(test_bars),	   T(test_bar_nonsense),
		T(test_msix),	T(test_intx),	   T(test_reset),
		T(test_add),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
