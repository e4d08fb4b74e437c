/* SPDX-License-Identifier: GPL-2.0-or-later */
/* MSI-X tables aimed anywhere. */
#include <linux/pci_regs.h>
#include <linux/virtio_pci.h>
#include <string.h>

#include "tests/guest/hostile_pci/hostile_pci.h"
#include "tests/guest/lib/apic.h"
#include "tests/guest/lib/pci.h"
#include "tests/guest/lib/trap.h"
#include "tests/guest/lib/x86.h"

#define VECTOR	     0x51
#define APIC_TARGET  0xfee00000u
#define LEN	     60
#define MASKED	     1u
#define MASK_ROUNDS  2000
#define TABLE_RANDOM 4000

static volatile unsigned interrupts, nmis;
static uint32_t page[PAGE_SIZE / 4] __attribute__((aligned(4096)));

static void on_interrupt(const struct trap_frame *frame)
{
	(void)frame;
	interrupts++;
	apic_eoi();
}

static void on_nmi(const struct trap_frame *frame)
{
	(void)frame;
	nmis++;
}

static void set_entry(unsigned entry, uint64_t address, uint32_t data,
		      uint32_t control)
{
	volatile uint32_t *at = net.msix + entry * 4;

	at[0] = (uint32_t)address;
	at[1] = (uint32_t)(address >> 32);
	at[2] = data;
	at[3] = control;
}

/* Started with interrupts by vector 1 for each frame that is sent. */
static bool start(void)
{
	if (!net_start(0))
		return false;
	for (unsigned i = 0; i < 2; i++) {
		net_set(VIRTIO_PCI_COMMON_Q_SELECT, 2, i);
		net_set(VIRTIO_PCI_COMMON_Q_MSIX, 2, i ? 1 : 0xffff);
	}
	pci_write(net.slot, net.msix_cap + PCI_MSIX_FLAGS, 2,
		  PCI_MSIX_FLAGS_ENABLE);
	net.queues[NET_TX].avail->flags = 0;
	memset(net_frame, 0, LEN);
	net_address(net.mac, net.mac, 0x88b5);
	net_frame[0] ^= 4;
	return true;
}

static void stop(void)
{
	pci_write(net.slot, net.msix_cap + PCI_MSIX_FLAGS, 2, 0);
}

/* Sends a frame, whose interrupt goes wherever the entry says. */
static void fire(uint64_t address, uint32_t data)
{
	set_entry(1, address, data, 0);
	net_send(LEN);
	x86_sti();
	apic_wait_a_little();
	x86_cli();
}

static void good_vector(const char *after)
{
	unsigned before = interrupts;

	fire(APIC_TARGET, VECTOR);
	payload_check(after, interrupts > before, "a good interrupt comes");
}

static const struct {
	const char *what;
	uint64_t address;
	uint32_t data;
	const char *fault;
} aims[] = {
	{"a message to address zero", 0, VECTOR, "msi"},
	{"a message to a BAR", 0xc0000000, VECTOR, "msi"},
	{"a message to the ECAM", 0xe0000000, 0, "msi"},
	{"a message to the I/O APIC", 0xfec00000, 0x10, "msi"},
	{"a message above 4 GiB", 0x1fee00000, VECTOR, "msi"},
	{"a message to the last address", ~0ull, VECTOR, "msi"},
	{"a message to no CPU", APIC_TARGET | 0x55000, VECTOR, "no_target"},
	{"a message to no logical CPU", APIC_TARGET | 0x55004, VECTOR,
	 "no_target"},
	{"an SMI", APIC_TARGET, 0x200, "msi"},
	{"a reserved mode", APIC_TARGET, 0x300 | VECTOR, "msi"},
	{"a start-up message", APIC_TARGET, 0x600, "msi"},
	{"a message for an 8259", APIC_TARGET, 0x700, "msi"},
	{"an exception's vector", APIC_TARGET, 0x0d, "msi"},
	{"vector zero", APIC_TARGET, 0, "msi"},
	{"INIT to no CPU", APIC_TARGET | 0x55000, 0x500, "no_target"},
};

static void aim_everywhere(void)
{
	bool same = true;

	CHECK("the card starts", start());
	good_vector("nothing yet");
	for (unsigned i = 0; i < ARRAY_SIZE(aims); i++) {
		fire(aims[i].address, aims[i].data);
		hostile_expect("fault", aims[i].fault, 1);
		good_vector(aims[i].what);
	}
	for (unsigned i = 0; i < ARRAY_SIZE(page); i++)
		page[i] = i;
	fire((uintptr_t)page, 0x12345678);
	fire((uintptr_t)page + PAGE_SIZE - 4, 0x12345678);
	hostile_expect("fault", "msi", 2);
	for (unsigned i = 0; i < ARRAY_SIZE(page); i++)
		same &= page[i] == i;
	CHECK("no message is written to memory", same);
	good_vector("a message to memory");
	fire(APIC_TARGET, 0x400);
	payload_check_equal("an NMI by message", nmis, 1);
	/* A level that nobody takes back: one interrupt, at its EOI no other.
	 */
	fire(APIC_TARGET, 0xc000 | VECTOR);
	good_vector("a level-triggered message");
	fire(APIC_TARGET | 0xff000, VECTOR);
	good_vector("a message to all");
	stop();
	hostile_prove("messages aimed anywhere");
}

static void mask_storm(void)
{
	CHECK("the card starts", start());
	set_entry(1, APIC_TARGET, VECTOR, MASKED);
	net_send(LEN);
	for (unsigned i = 0; i < MASK_ROUNDS; i++) {
		net.msix[7] = i & 1;
		pci_write(net.slot, net.msix_cap + PCI_MSIX_FLAGS, 2,
			  PCI_MSIX_FLAGS_ENABLE |
				  (i & 2 ? PCI_MSIX_FLAGS_MASKALL : 0));
		if (i % 16 == 0)
			net_send(LEN);
	}
	pci_write(net.slot, net.msix_cap + PCI_MSIX_FLAGS, 2,
		  PCI_MSIX_FLAGS_ENABLE);
	good_vector("masks to and fro");
	stop();
	hostile_prove("masks to and fro");
}

/* All of the BAR, in all sizes, also over its end. */
static void write_table(void)
{
	volatile uint8_t *table = (volatile uint8_t *)net.msix;

	CHECK("the card starts", start());
	/* Function mask on, so that nothing of it is sent. */
	pci_write(net.slot, net.msix_cap + PCI_MSIX_FLAGS, 2,
		  PCI_MSIX_FLAGS_ENABLE | PCI_MSIX_FLAGS_MASKALL);
	for (unsigned i = 0; i < TABLE_RANDOM; i++) {
		uint32_t r = hostile_random();
		volatile uint8_t *at = table + r % (PAGE_SIZE - 8);

		switch (r >> 20 & 3) {
		case 0:
			*at = (uint8_t)(r >> 24);
			break;
		case 1:
			*(volatile uint16_t *)(volatile void *)at =
				(uint16_t)(r >> 16);
			break;
		case 2:
			*(volatile uint32_t *)(volatile void *)at = r;
			break;
		default:
			*(volatile uint64_t *)(volatile void *)at = r;
		}
	}
	for (unsigned i = 0; i < PAGE_SIZE; i += 4)
		net.msix[i / 4] = 0;
	payload_check_equal("the table ends where its size says",
			    net.msix[PAGE_SIZE / 8 - 4], 0);
	pci_write(net.slot, net.msix_cap + PCI_MSIX_FLAGS, 2,
		  PCI_MSIX_FLAGS_ENABLE);
	good_vector("random writes to the table");
	stop();
	hostile_prove("random writes to the table");
}

void pci_abuse_vectors(void)
{
	payload_log("vectors:");
	trap_on_interrupt(VECTOR, on_interrupt);
	trap_on_interrupt(VECTOR_NMI, on_nmi);
	aim_everywhere();
	mask_storm();
	write_table();
}
