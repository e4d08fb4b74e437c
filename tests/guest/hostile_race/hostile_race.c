/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One CPU uses the card, the other rewrites what it looks at. */
#include <linux/pci_regs.h>
#include <linux/virtio_config.h>
#include <linux/virtio_pci.h>
#include <string.h>

#include "tests/guest/lib/apic.h"
#include "tests/guest/lib/hostile.h"
#include "tests/guest/lib/pci.h"
#include "tests/guest/lib/x86.h"

#define LEN    60
#define ROUNDS 250
/* Chains left to the card at a time. */
#define BATCH  16

/* What the second CPU does over and over while the first one is at work. */
enum trick {
	TRICK_NONE,
	TRICK_HEADERS,
	TRICK_DESCRIPTORS,
	TRICK_INDEX,
	TRICK_RESET,
	TRICK_BARS,
	TRICK_VECTORS,
};

static volatile enum trick trick;
static volatile unsigned tricks_done, other_ready, other_idle;
static unsigned restarts;

static void trick_headers(uint32_t r)
{
	volatile uint8_t *hdr = (volatile uint8_t *)&net_hdr;
	volatile uint8_t *frame = net_frame;

	hdr[r % NET_HDR] = (uint8_t)(r >> 8);
	/* Another source, another length of IP: what is checked. */
	frame[r >> 16 & 0x1f] = (uint8_t)(r >> 24);
	hdr[r % NET_HDR] = 0;
	frame[r >> 16 & 0x1f] = net.mac[0];
}

static void trick_descriptors(uint32_t r)
{
	struct vring_desc *desc = &net.queues[NET_TX].desc[r & 7];

	switch (r >> 8 & 3) {
	case 0:
		WRITE_ONCE(desc->addr, (uint64_t)r << (r >> 10 & 31));
		WRITE_ONCE(desc->addr, (uintptr_t)net_frame);
		break;
	case 1:
		WRITE_ONCE(desc->len, r);
		WRITE_ONCE(desc->len, LEN);
		break;
	case 2:
		WRITE_ONCE(desc->flags, (uint16_t)(r >> 16 & 7));
		WRITE_ONCE(desc->flags, 0);
		break;
	default:
		WRITE_ONCE(desc->next, (uint16_t)(r >> 16));
		WRITE_ONCE(net.queues[NET_TX].avail->ring[r >> 12 & 63],
			   (uint16_t)(r >> 16 & 63));
	}
}

/* Ever further: the card always finds something to do. */
static void trick_index(uint32_t r)
{
	struct net_queue *q = &net.queues[NET_TX];
	uint16_t used = READ_ONCE(q->used->idx);

	WRITE_ONCE(q->avail->idx, (uint16_t)(used + (r & 63)));
}

static void trick_reset(uint32_t r)
{
	volatile uint8_t *status = net.common + VIRTIO_PCI_COMMON_STATUS;

	if ((r & 15) == 0)
		*status = 0;
	else
		*status = (uint8_t)r;
	if ((r >> 8 & 15) == 0)
		pci_write(net.slot, PCI_COMMAND, 2,
			  PCI_COMMAND_IO | PCI_COMMAND_MEMORY |
				  (r >> 12 & PCI_COMMAND_MASTER));
}

/* By ECAM: the two CPUs would take each other's CF8. */
static void trick_bars(uint32_t r)
{
	static const uint32_t places[] = {0,	      0x100000,	  0xc0000000,
					  0xdffff000, 0xe0000000, 0xfee00000,
					  0xffffffff};
	unsigned bar = r % 3;
	volatile uint32_t *at =
		pci_ecam(net.slot, PCI_BASE_ADDRESS_0 + bar * 4);
	uint32_t home = *at;

	*at = places[(r >> 8) % ARRAY_SIZE(places)];
	*at = home;
}

static void trick_vectors(uint32_t r)
{
	volatile uint32_t *entry = net.msix + (r & 3) * 4;
	volatile uint32_t *control = pci_ecam(net.slot, net.msix_cap & ~3u);

	/* Fixed, lowest priority, and two modes that there are not: no INIT or
	 * NMI, which would end us. Interrupts are off. */
	static const uint32_t modes[] = {0, 0x100, 0x300, 0x700};

	switch (r >> 2 & 3) {
	case 0:
		entry[0] = r & 1u << 30 ? r : 0xfee00000;
		break;
	case 1:
		entry[1] = r & 1u << 30 ? r >> 3 : 0;
		break;
	case 2:
		entry[2] = (r >> 8 & 0xc0ff) | modes[r >> 4 & 3];
		break;
	default:
		entry[3] = r >> 9;
	}
	*control = r & 1u << 31 ? 0xc0000000 : 0x80000000;
	*control = 0;
}

void payload_ap_main(void)
{
	other_ready = 1;
	for (;;) {
		uint32_t r = hostile_random();

		other_idle = trick == TRICK_NONE;
		tricks_done++;
		switch (trick) {
		case TRICK_NONE:
			x86_pause();
			break;
		case TRICK_HEADERS:
			trick_headers(r);
			break;
		case TRICK_DESCRIPTORS:
			trick_descriptors(r);
			break;
		case TRICK_INDEX:
			trick_index(r);
			break;
		case TRICK_RESET:
			trick_reset(r);
			break;
		case TRICK_BARS:
			trick_bars(r);
			break;
		case TRICK_VECTORS:
			trick_vectors(r);
			break;
		}
	}
}

static void make_frames(void)
{
	memset(net_frame, 0, LEN);
	net_address(net.mac, net.mac, 0x88b5);
	net_frame[0] ^= 4;
}

/* Some chains, whatever the other one makes of them. */
static void send_some(void)
{
	const struct net_piece pieces[] = {
		{(uintptr_t)&net_hdr, NET_HDR, 0},
		{(uintptr_t)net_frame, LEN, 0},
	};

	for (unsigned i = 0; i < BATCH; i++)
		net_post(NET_TX, pieces, 2);
	net_kick(NET_TX);
	if (net_needs_reset()) {
		restarts++;
		net_start(0);
	}
}

static void send_with_interrupts(void)
{
	for (unsigned i = 0; i < 2; i++) {
		net.queues[i].avail->flags = 0;
		net_set(VIRTIO_PCI_COMMON_Q_SELECT, 2, i);
		net_set(VIRTIO_PCI_COMMON_Q_MSIX, 2, i + 1);
	}
	send_some();
}

static void read_registers(void)
{
	net_get(VIRTIO_PCI_COMMON_Q_DESCLO, 4);
	*net.isr;
	*(volatile uint32_t *)net.config;
	net.msix[1];
	net_kick(NET_RX);
}

static void race(enum trick which, const char *name, void (*work)(void))
{
	unsigned before;

	CHECK("the card starts", net_start(0));
	make_frames();
	restarts = 0;
	before = tricks_done;
	trick = which;
	for (unsigned i = 0; i < ROUNDS; i++)
		work();
	trick = TRICK_NONE;
	other_idle = 0;
	payload_check(name, apic_wait_for(&other_idle, 1),
		      "the other CPU is still there");
	payload_log("%s: %u tricks, %u restarts", name, tricks_done - before,
		    restarts);
	payload_check(name, tricks_done - before > ROUNDS / 16,
		      "the other CPU did it often");
	pci_write(net.slot, PCI_COMMAND, 2,
		  PCI_COMMAND_IO | PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
	hostile_prove(name);
}

void payload_main(void)
{
	hostile_begin();
	CHECK("the card is there", net_find());
	apic_start_other();
	CHECK("the other CPU is there", apic_wait_for(&other_ready, 1));
	hostile_prove("nothing yet");
	race(TRICK_HEADERS, "headers rewritten", send_some);
	race(TRICK_DESCRIPTORS, "descriptors rewritten", send_some);
	race(TRICK_INDEX, "index ever ahead", send_some);
	race(TRICK_RESET, "reset by the other CPU", send_some);
	race(TRICK_BARS, "BARs moved meanwhile", read_registers);
	race(TRICK_VECTORS, "vectors rewritten", send_with_interrupts);
	hostile_end();
}
