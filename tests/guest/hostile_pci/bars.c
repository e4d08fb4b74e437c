/* SPDX-License-Identifier: GPL-2.0-or-later */
/* BARs over RAM, over each other and over the platform; the decoders off. */
#include <linux/pci_regs.h>
#include <linux/virtio_pci.h>
#include <string.h>

#include "tests/guest/hostile_pci/hostile_pci.h"
#include "tests/guest/lib/pci.h"
#include "tests/guest/lib/x86.h"

#define BAR_DOORBELL  0
#define BAR_MSIX      1
#define BAR_REGISTERS 2
#define NEW_MEMORY    0xd4000000u /* free, and within the window */
#define NEW_IO	      0xd000u
#define PATTERN	      0x5111ce00

static volatile uint32_t ram[PAGE_SIZE / 4 * 4] __attribute__((aligned(16384)));

static uint32_t load(uint32_t address)
{
	return *(volatile uint32_t *)(uintptr_t)address;
}

/* RAM stays RAM, whatever is said to lie over it. */
static void move_over_ram(unsigned bar, uint32_t home)
{
	bool same = true;

	for (unsigned i = 0; i < ARRAY_SIZE(ram); i++)
		ram[i] = PATTERN + i;
	pci_set_bar(net.slot, bar, (uint32_t)(uintptr_t)ram);
	for (unsigned i = 0; i < ARRAY_SIZE(ram); i++)
		same &= ram[i] == PATTERN + i;
	CHECK("RAM under a BAR reads as before", same);
	for (unsigned i = 0; i < ARRAY_SIZE(ram); i++)
		ram[i] = ~(PATTERN + i);
	payload_check_equal("a BAR over RAM is not decoded", load(home), ~0u);
	/* Not even by a reset that the stores might have been. */
	pci_set_bar(net.slot, bar, home);
	for (unsigned i = 0; i < ARRAY_SIZE(ram); i++)
		same &= ram[i] == ~(PATTERN + i);
	CHECK("RAM under a BAR is written as before", same);
	hostile_prove("a BAR over RAM");
}

/* Where nothing of it may answer in place of what is there. */
static void move_over_platform(unsigned bar, uint32_t home)
{
	static const struct {
		const char *what;
		uint32_t at;
		uint32_t probe; /* offset of a register that is known */
	} places[] = {
		{"a BAR over the ECAM", 0xe0000000, 0},
		{"a BAR over the I/O APIC", 0xfec00000, 0x10},
		{"a BAR over the local APIC", 0xfee00000, 0x30},
		{"a BAR over the reset vector", 0xffffc000, 0},
		{"a BAR at zero", 0, 0x500},
	};

	for (unsigned i = 0; i < ARRAY_SIZE(places); i++) {
		uint32_t before = load(places[i].at + places[i].probe);

		pci_set_bar(net.slot, bar, places[i].at);
		payload_check_equal(places[i].what,
				    load(places[i].at + places[i].probe),
				    before);
		pci_set_bar(net.slot, bar, home);
		hostile_prove(places[i].what);
	}
}

/* One of the two answers; neither hides for good. */
static void move_over_each_other(uint32_t registers, uint32_t msix)
{
	pci_set_bar(net.slot, BAR_REGISTERS, msix);
	for (unsigned i = 0; i < 4 * PAGE_SIZE; i += 4)
		*(volatile uint32_t *)(uintptr_t)((msix & ~0x3fffu) + i) =
			hostile_random();
	pci_set_bar(net.slot, BAR_REGISTERS, registers);
	pci_set_bar(net.slot, BAR_MSIX, registers);
	for (unsigned i = 0; i < PAGE_SIZE; i += 4)
		*(volatile uint32_t *)(uintptr_t)(registers + i) =
			hostile_random();
	pci_set_bar(net.slot, BAR_MSIX, msix);
	hostile_prove("a BAR over another one");
}

static void move_elsewhere(uint32_t registers)
{
	volatile uint8_t *common = net.common;
	uint16_t doorbell = net.doorbell;

	pci_set_bar(net.slot, BAR_REGISTERS, NEW_MEMORY);
	pci_set_bar(net.slot, BAR_DOORBELL, NEW_IO);
	net.common = (volatile uint8_t *)(uintptr_t)NEW_MEMORY +
		     ((uintptr_t)common - registers);
	net.doorbell = NEW_IO;
	hostile_prove("BARs at another place");
	payload_check_equal("nothing where a BAR was", load(registers), ~0u);
	/* With the queues running. */
	pci_set_bar(net.slot, BAR_REGISTERS, registers);
	pci_set_bar(net.slot, BAR_DOORBELL, doorbell);
	net.common = common;
	net.doorbell = doorbell;
	hostile_prove_as_is("BARs moved under running queues");
}

/* The ports of others: this line would not come through, or the VM be off. */
static void move_over_ports(void)
{
	static const uint32_t places[] = {0x3f0, 0xcf0, 0x600,	0x60,
					  0,	 0x70,	0xfff0, 0xbff0};
	uint32_t home = pci_bar(net.slot, BAR_DOORBELL);

	for (unsigned i = 0; i < ARRAY_SIZE(places); i++) {
		pci_set_bar(net.slot, BAR_DOORBELL, places[i]);
		/* Config space by port still answers, so CF8 is its own. */
		payload_check_equal("an I/O BAR over other ports",
				    pci_read(net.slot, PCI_VENDOR_ID, 2),
				    0x1af4);
		x86_out16((uint16_t)places[i], NET_TX);
		if (places[i] == 0xcf0 || places[i] == 0x60)
			x86_in16((uint16_t)places[i]);
	}
	pci_set_bar(net.slot, BAR_DOORBELL, home);
	hostile_prove("an I/O BAR over other ports");
}

static void decoders_off(void)
{
	CHECK("the card starts", net_start(0));
	pci_write(net.slot, PCI_COMMAND, 2, 0);
	payload_check_equal("memory decoder off",
			    net_get(VIRTIO_PCI_COMMON_NUMQ, 2), 0xffff);
	payload_check_equal("I/O decoder off", x86_in16(net.doorbell), 0xffff);
	net_kick(NET_TX);
	pci_restore();
	hostile_prove("decoders off and on");
	for (unsigned i = 0; i < 100; i++) {
		pci_write(net.slot, PCI_COMMAND, 2, i & 7);
		net_kick(NET_TX);
	}
	pci_restore();
	hostile_prove("bus master off and on");
}

void pci_abuse_bars(void)
{
	uint32_t registers = pci_bar(net.slot, BAR_REGISTERS);
	uint32_t msix = pci_bar(net.slot, BAR_MSIX);

	payload_log("BARs:");
	move_over_ram(BAR_REGISTERS, registers);
	move_over_ram(BAR_MSIX, msix);
	move_over_platform(BAR_REGISTERS, registers);
	move_over_platform(BAR_MSIX, msix);
	move_over_each_other(registers, msix);
	move_elsewhere(registers);
	move_over_ports();
	decoders_off();
}
