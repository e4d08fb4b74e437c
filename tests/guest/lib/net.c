/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A virtio 1.x network card, driven register by register. */
#include "tests/guest/lib/net.h"

#include <linux/pci_regs.h>
#include <linux/virtio_config.h>
#include <linux/virtio_pci.h>
#include <string.h>

#include "tests/guest/lib/pci.h"
#include "tests/guest/lib/x86.h"

#define VIRTIO_VENDOR	 0x1af4
#define VIRTIO_NET	 0x1041
/* Some seconds of any TSC there is. */
#define WAIT_CYCLES	 12000000000ull
/* How long an answer may take before it is asked again. */
#define ARP_CYCLES	 3000000000ull
#define ARP_TRIES	 8
#define ETHERTYPE_ARP	 0x0806
#define ARP_LENGTH	 42
#define ARP_MIN_LENGTH	 60 /* what a NIC would pad to */
#define ARP_REPLY_OFFSET 20 /* the operation */

struct net net;
uint8_t net_frame[NET_BUFFER_SIZE] __attribute__((aligned(4096)));
struct virtio_net_hdr_v1 net_hdr;

static struct {
	struct vring_desc desc[NET_QUEUE_SIZE] __attribute__((aligned(4096)));
	uint8_t avail[6 + 2 * NET_QUEUE_SIZE] __attribute__((aligned(64)));
	uint8_t used[6 + 8 * NET_QUEUE_SIZE] __attribute__((aligned(64)));
} rings[NET_QUEUES_MAX];
static uint8_t rx_buffers[NET_QUEUE_SIZE][NET_BUFFER_SIZE]
	__attribute__((aligned(4096)));

/* Where a vendor capability's registers are. */
static uint32_t net_cap_base(unsigned at)
{
	unsigned bar = pci_read(net.slot, at + VIRTIO_PCI_CAP_BAR, 1);

	return pci_bar(net.slot, bar) +
	       pci_read(net.slot, at + VIRTIO_PCI_CAP_OFFSET, 4);
}

static volatile uint8_t *net_pointer(uint32_t base)
{
	return (volatile uint8_t *)(uintptr_t)base;
}

static void net_find_registers(void)
{
	unsigned at = 0;

	while ((at = pci_capability(net.slot, PCI_CAP_ID_VNDR, at))) {
		uint32_t base = net_cap_base(at);

		switch (pci_read(net.slot, at + VIRTIO_PCI_CAP_CFG_TYPE, 1)) {
		case VIRTIO_PCI_CAP_COMMON_CFG:
			net.common = net_pointer(base);
			break;
		case VIRTIO_PCI_CAP_NOTIFY_CFG:
			if (base < 0x10000)
				net.doorbell = (uint16_t)base;
			else
				net.notify = net_pointer(base);
			break;
		case VIRTIO_PCI_CAP_ISR_CFG:
			net.isr = net_pointer(base);
			break;
		case VIRTIO_PCI_CAP_DEVICE_CFG:
			net.config = net_pointer(base);
			break;
		default:
			break;
		}
	}
}

static uint32_t net_offered_word(unsigned word)
{
	net_set(VIRTIO_PCI_COMMON_DFSELECT, 4, word);
	return net_get(VIRTIO_PCI_COMMON_DF, 4);
}

bool net_find(void)
{
	memset(&net, 0, sizeof(net));
	net.slot = pci_find(VIRTIO_VENDOR, VIRTIO_NET);
	if (net.slot == PCI_NONE)
		return false;
	net_find_registers();
	net.msix_cap = pci_capability(net.slot, PCI_CAP_ID_MSIX, 0);
	if (!net.common || !net.isr || !net.config || !net.notify ||
	    !net.doorbell || !net.msix_cap)
		return false;
	net.msix = (volatile uint32_t *)net_pointer(pci_bar(
		net.slot,
		pci_read(net.slot, net.msix_cap + PCI_MSIX_TABLE, 4) & 7));
	pci_write(net.slot, PCI_COMMAND, 2,
		  PCI_COMMAND_IO | PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
	net.queue_count = net_get(VIRTIO_PCI_COMMON_NUMQ, 2);
	if (net.queue_count > NET_QUEUES_MAX)
		net.queue_count = NET_QUEUES_MAX;
	net.offered = (uint64_t)net_offered_word(1) << 32 | net_offered_word(0);
	for (unsigned i = 0; i < sizeof(net.mac); i++)
		net.mac[i] = net.config[i];
	return net.queue_count >= 2;
}

uint32_t net_get(unsigned reg, unsigned size)
{
	volatile uint8_t *at = net.common + reg;

	if (size == 4)
		return *(volatile uint32_t *)at;
	return size == 2 ? *(volatile uint16_t *)at : *at;
}

void net_set(unsigned reg, unsigned size, uint32_t value)
{
	volatile uint8_t *at = net.common + reg;

	if (size == 4)
		*(volatile uint32_t *)at = value;
	else if (size == 2)
		*(volatile uint16_t *)at = (uint16_t)value;
	else
		*at = (uint8_t)value;
}

uint8_t net_status(void)
{
	return (uint8_t)net_get(VIRTIO_PCI_COMMON_STATUS, 1);
}

bool net_needs_reset(void)
{
	return net_status() & VIRTIO_CONFIG_S_NEEDS_RESET;
}

bool net_reset(void)
{
	uint64_t start = x86_rdtsc();

	net_set(VIRTIO_PCI_COMMON_STATUS, 1, 0);
	while (net_status())
		if (x86_rdtsc() - start > WAIT_CYCLES)
			return false;
	return true;
}

bool net_negotiate(uint64_t features)
{
	uint8_t status = VIRTIO_CONFIG_S_ACKNOWLEDGE | VIRTIO_CONFIG_S_DRIVER;

	if (!net_reset())
		return false;
	net_set(VIRTIO_PCI_COMMON_STATUS, 1, VIRTIO_CONFIG_S_ACKNOWLEDGE);
	net_set(VIRTIO_PCI_COMMON_STATUS, 1, status);
	net.features = features;
	for (unsigned word = 0; word < 2; word++) {
		net_set(VIRTIO_PCI_COMMON_GFSELECT, 4, word);
		net_set(VIRTIO_PCI_COMMON_GF, 4,
			(uint32_t)(features >> word * 32));
	}
	net_set(VIRTIO_PCI_COMMON_STATUS, 1,
		status | VIRTIO_CONFIG_S_FEATURES_OK);
	return net_status() & VIRTIO_CONFIG_S_FEATURES_OK;
}

void net_make_queue(unsigned index)
{
	memset(&rings[index], 0, sizeof(rings[index]));
	net.queues[index] = (struct net_queue){
		.size = NET_QUEUE_SIZE,
		.desc = rings[index].desc,
		.avail = (void *)rings[index].avail,
		.used = (void *)rings[index].used,
	};
	net.queues[index].avail->flags = VRING_AVAIL_F_NO_INTERRUPT;
}

void net_write_queue(unsigned index)
{
	const struct net_queue *q = &net.queues[index];

	net_set(VIRTIO_PCI_COMMON_Q_SELECT, 2, index);
	net_set(VIRTIO_PCI_COMMON_Q_SIZE, 2, q->size);
	net_set(VIRTIO_PCI_COMMON_Q_DESCLO, 4, (uint32_t)(uintptr_t)q->desc);
	net_set(VIRTIO_PCI_COMMON_Q_DESCHI, 4, 0);
	net_set(VIRTIO_PCI_COMMON_Q_AVAILLO, 4, (uint32_t)(uintptr_t)q->avail);
	net_set(VIRTIO_PCI_COMMON_Q_AVAILHI, 4, 0);
	net_set(VIRTIO_PCI_COMMON_Q_USEDLO, 4, (uint32_t)(uintptr_t)q->used);
	net_set(VIRTIO_PCI_COMMON_Q_USEDHI, 4, 0);
}

void net_enable_queue(unsigned index)
{
	net_set(VIRTIO_PCI_COMMON_Q_SELECT, 2, index);
	net_set(VIRTIO_PCI_COMMON_Q_ENABLE, 2, 1);
}

static void net_post_buffer(unsigned at)
{
	net_put_desc(NET_RX, at, (uintptr_t)rx_buffers[at], NET_BUFFER_SIZE,
		     VRING_DESC_F_WRITE, 0);
	net_offer(NET_RX, (uint16_t)at);
}

bool net_prepare(uint64_t features)
{
	if (!net_negotiate(features | NET_BIT(VIRTIO_F_VERSION_1)))
		return false;
	for (unsigned i = 0; i < net.queue_count; i++) {
		net_make_queue(i);
		net_write_queue(i);
	}
	memset(&net_hdr, 0, sizeof(net_hdr));
	return true;
}

bool net_go(void)
{
	for (unsigned i = 0; i < net.queue_count; i++)
		net_enable_queue(i);
	net_set(VIRTIO_PCI_COMMON_STATUS, 1,
		net_status() | VIRTIO_CONFIG_S_DRIVER_OK);
	return net_status() & VIRTIO_CONFIG_S_DRIVER_OK;
}

bool net_start(uint64_t features)
{
	if (!net_prepare(features))
		return false;
	for (unsigned i = 0; i < NET_QUEUE_SIZE; i++)
		net_post_buffer(i);
	return net_go();
}

void net_put_desc(unsigned index, unsigned at, uint64_t gpa, uint32_t len,
		  uint16_t flags, uint16_t next)
{
	struct vring_desc desc = {gpa, len, flags, next};

	net.queues[index].desc[at] = desc;
}

void net_offer(unsigned index, uint16_t head)
{
	struct net_queue *q = &net.queues[index];

	q->avail->ring[q->avail_idx % q->size] = head;
	__atomic_store_n(&q->avail->idx, ++q->avail_idx, __ATOMIC_RELEASE);
}

uint16_t net_post(unsigned index, const struct net_piece *pieces,
		  unsigned count)
{
	struct net_queue *q = &net.queues[index];
	uint16_t head = q->next_desc;

	for (unsigned i = 0; i < count; i++) {
		uint16_t at = q->next_desc;
		uint16_t more = i + 1 < count ? VRING_DESC_F_NEXT : 0;

		q->next_desc = (uint16_t)((at + 1) % q->size);
		net_put_desc(index, at, pieces[i].gpa, pieces[i].len,
			     pieces[i].flags | more, q->next_desc);
	}
	net_offer(index, head);
	return head;
}

void net_kick(unsigned index)
{
	x86_out16(net.doorbell, (uint16_t)index);
}

/* One look. */
static bool net_poll(unsigned index, struct vring_used_elem *elem)
{
	struct net_queue *q = &net.queues[index];

	if (__atomic_load_n(&q->used->idx, __ATOMIC_ACQUIRE) == q->used_seen)
		return false;
	*elem = q->used->ring[q->used_seen++ % q->size];
	return true;
}

bool net_take(unsigned index, struct vring_used_elem *elem)
{
	uint64_t start = x86_rdtsc();

	while (!net_poll(index, elem)) {
		if (x86_rdtsc() - start > WAIT_CYCLES)
			return false;
		x86_pause();
	}
	return true;
}

void net_address(const uint8_t *to, const uint8_t *from, uint16_t type)
{
	memcpy(net_frame, to, 6);
	memcpy(net_frame + 6, from, 6);
	net_frame[12] = (uint8_t)(type >> 8);
	net_frame[13] = (uint8_t)type;
}

bool net_send(uint32_t len)
{
	const struct net_piece pieces[] = {
		{(uintptr_t)&net_hdr, NET_HDR, 0},
		{(uintptr_t)net_frame, len, 0},
	};
	struct vring_used_elem elem;
	uint16_t head = net_post(NET_TX, pieces, 2);

	net_kick(NET_TX);
	return net_take(NET_TX, &elem) && elem.id == head;
}

/* RFC 826, for Ethernet and IPv4. */
static void net_make_arp(unsigned host)
{
	static const uint8_t everybody[] = {255, 255, 255, 255, 255, 255};
	static const uint8_t fixed[] = {0, 1, 8, 0, 6, 4, 0, 1};
	/* Each payload another one, by its card's last byte. */
	const uint8_t own[] = {10, 0, 2, (uint8_t)(100 + net.mac[5])};
	const uint8_t target[] = {10, 0, 2, (uint8_t)host};

	memset(net_frame, 0, ARP_MIN_LENGTH);
	net_address(everybody, net.mac, ETHERTYPE_ARP);
	memcpy(net_frame + 14, fixed, sizeof(fixed));
	memcpy(net_frame + 22, net.mac, 6);
	memcpy(net_frame + 28, own, 4);
	memcpy(net_frame + 38, target, 4);
}

/* Takes what has come; is the answer among it? */
static bool net_find_answer(unsigned host)
{
	struct vring_used_elem elem;
	bool found = false;

	while (net_poll(NET_RX, &elem)) {
		const uint8_t *frame;

		if (elem.id >= NET_QUEUE_SIZE)
			return false;
		frame = rx_buffers[elem.id] + NET_HDR;
		found |= elem.len >= NET_HDR + ARP_LENGTH && frame[12] == 8 &&
			 frame[13] == 6 && frame[ARP_REPLY_OFFSET + 1] == 2 &&
			 frame[28] == 10 && frame[31] == host &&
			 frame[41] == (uint8_t)(100 + net.mac[5]);
		net_post_buffer(elem.id);
	}
	return found;
}

bool net_arp_ask(unsigned host)
{
	net_make_arp(host);
	return net_send(ARP_MIN_LENGTH);
}

bool net_arp(unsigned host)
{
	for (unsigned i = 0; i < ARP_TRIES; i++) {
		uint64_t start = x86_rdtsc();

		if (!net_arp_ask(host))
			return false;
		while (x86_rdtsc() - start < ARP_CYCLES) {
			if (net_find_answer(host))
				return true;
			x86_pause();
		}
	}
	return false;
}
