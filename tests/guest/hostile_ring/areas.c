/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Rings at places where no ring can be, and registers written at random. */
#include <linux/virtio_config.h>
#include <linux/virtio_pci.h>

#include "tests/guest/hostile_ring/hostile_ring.h"

#define STATUS_AGREED                                           \
	(VIRTIO_CONFIG_S_ACKNOWLEDGE | VIRTIO_CONFIG_S_DRIVER | \
	 VIRTIO_CONFIG_S_FEATURES_OK)
#define NO_VECTOR     0xffff
#define RANDOM_WRITES 20000
#define COMMON_SIZE   56
#define REGISTER_PAGE 4096

static const unsigned area_registers[] = {
	VIRTIO_PCI_COMMON_Q_DESCLO,
	VIRTIO_PCI_COMMON_Q_AVAILLO,
	VIRTIO_PCI_COMMON_Q_USEDLO,
};

static const char *const area_names[] = {
	"descriptors",
	"available ring",
	"used ring",
};

/* The transmit queue with one area elsewhere; must it break at once? */
static void abuse_area(unsigned area, const char *what, uint64_t gpa,
		       bool breaks)
{
	if (!net_prepare(0)) {
		payload_check(what, false, "the card starts");
		return;
	}
	net_set(VIRTIO_PCI_COMMON_Q_SELECT, 2, NET_TX);
	net_set(area_registers[area], 4, (uint32_t)gpa);
	net_set(area_registers[area] + 4, 4, (uint32_t)(gpa >> 32));
	net_go();
	net_kick(NET_TX);
	if (breaks) {
		payload_check(area_names[area], ring_broken(), what);
		hostile_expect("tx", "bad_ring", 1);
	}
	hostile_prove(what);
}

void ring_abuse_areas(void)
{
	uint64_t end = hostile_memory_end();
	uint64_t frame = (uintptr_t)net_frame;

	for (unsigned i = 0; i < ARRAY_SIZE(area_registers); i++) {
		abuse_area(i, "ring past the end of memory", end, true);
		abuse_area(i, "ring over the end of memory", end - 64, true);
		abuse_area(i, "ring at the end of the address space",
			   ~0ull - 63, true);
		abuse_area(i, "ring in a BAR", 0xc0000000, true);
		abuse_area(i, "ring at an odd address", frame + 1, true);
	}
	/* What is written there goes over what is read: the guest's loss. */
	abuse_area(0, "descriptors over the used ring",
		   ALIGN_UP((uintptr_t)net.queues[NET_TX].used, 16), false);
	abuse_area(2, "used ring over the available ring",
		   ALIGN_UP((uintptr_t)net.queues[NET_TX].avail, 4), false);
	abuse_area(2, "used ring over the receive queue's descriptors",
		   (uintptr_t)net.queues[NET_RX].desc, false);
}

static void check_sizes(void)
{
	static const uint16_t bad[] = {0, 3, 257, 512, 0x8000, 0xffff};

	net_set(VIRTIO_PCI_COMMON_Q_SELECT, 2, NET_TX);
	for (unsigned i = 0; i < ARRAY_SIZE(bad); i++) {
		net_set(VIRTIO_PCI_COMMON_Q_SIZE, 2, bad[i]);
		payload_check_equal("a queue size that cannot be",
				    net_get(VIRTIO_PCI_COMMON_Q_SIZE, 2),
				    NET_QUEUE_SIZE);
	}
}

static void check_no_queue(void)
{
	net_set(VIRTIO_PCI_COMMON_Q_SELECT, 2, 0xffff);
	payload_check_equal("no such queue: no size",
			    net_get(VIRTIO_PCI_COMMON_Q_SIZE, 2), 0);
	net_set(VIRTIO_PCI_COMMON_Q_ENABLE, 2, 1);
	payload_check_equal("no such queue: not enabled",
			    net_get(VIRTIO_PCI_COMMON_Q_ENABLE, 2), 0);
	net_set(VIRTIO_PCI_COMMON_Q_MSIX, 2, 0);
	payload_check_equal("no such queue: no vector",
			    net_get(VIRTIO_PCI_COMMON_Q_MSIX, 2), NO_VECTOR);
	net_kick(0xffff);
	net_kick(NET_QUEUES_MAX);
	net_set(VIRTIO_PCI_COMMON_Q_SELECT, 2, NET_TX);
	net_set(VIRTIO_PCI_COMMON_Q_MSIX, 2, 0x100);
	payload_check_equal("no such vector",
			    net_get(VIRTIO_PCI_COMMON_Q_MSIX, 2), NO_VECTOR);
}

static void check_enabled_queue(void)
{
	uint32_t desc;

	net_enable_queue(NET_TX);
	desc = net_get(VIRTIO_PCI_COMMON_Q_DESCLO, 4);
	net_set(VIRTIO_PCI_COMMON_Q_DESCLO, 4, 0x1000);
	net_set(VIRTIO_PCI_COMMON_Q_SIZE, 2, 2);
	net_set(VIRTIO_PCI_COMMON_Q_ENABLE, 2, 0);
	net_set(VIRTIO_PCI_COMMON_Q_ENABLE, 2, 2);
	payload_check_equal("an enabled queue stays where it is",
			    net_get(VIRTIO_PCI_COMMON_Q_DESCLO, 4), desc);
	payload_check_equal("an enabled queue stays as long as it is",
			    net_get(VIRTIO_PCI_COMMON_Q_SIZE, 2),
			    NET_QUEUE_SIZE);
	payload_check_equal("an enabled queue stays enabled",
			    net_get(VIRTIO_PCI_COMMON_Q_ENABLE, 2), 1);
}

static void check_status(void)
{
	CHECK("features that were not offered", !net_negotiate(~0ull));
	net_set(VIRTIO_PCI_COMMON_STATUS, 1,
		STATUS_AGREED | VIRTIO_CONFIG_S_DRIVER_OK);
	CHECK("no start without agreed features",
	      !(net_status() & VIRTIO_CONFIG_S_DRIVER_OK));
	CHECK("features without VERSION_1", !net_negotiate(0));
	CHECK("good features", net_negotiate(NET_BIT(VIRTIO_F_VERSION_1)));
	net_set(VIRTIO_PCI_COMMON_GFSELECT, 4, 0);
	net_set(VIRTIO_PCI_COMMON_GF, 4, 0xffffffff);
	payload_check_equal("agreed features stay as they are",
			    net_get(VIRTIO_PCI_COMMON_GF, 4), 0);
	/* No status bit is taken back but by a reset. */
	net_set(VIRTIO_PCI_COMMON_STATUS, 1, 0x20);
	payload_check_equal("status bits stay", net_status(), STATUS_AGREED);
}

/* Whatever comes of it, a reset mends it. */
static void write_registers_at_random(void)
{
	for (unsigned i = 0; i < RANDOM_WRITES; i++) {
		uint32_t r = hostile_random(), value = hostile_random();
		unsigned reg = r % COMMON_SIZE;
		volatile uint8_t *at = net.common + reg;

		/* Half of them are small enough to mean something. */
		if (r & 1u << 16)
			value &= 0xff;
		switch (r >> 24 & 3) {
		case 0:
			*at = (uint8_t)value;
			break;
		case 1:
			*(volatile uint16_t *)(void *)at = (uint16_t)value;
			break;
		case 2:
			*(volatile uint32_t *)(void *)at = value;
			break;
		default:
			*(volatile uint64_t *)(void *)at = value;
		}
		if (r >> 26 == 0)
			net_kick(value % 4);
	}
}

/* All sizes, at and over the ends of the register blocks. */
static void read_everywhere(void)
{
	uint64_t sum = 0;

	for (unsigned i = 0; i < 4 * REGISTER_PAGE; i += 61) {
		volatile uint8_t *at = net.common + i;

		sum += *at + *(volatile uint16_t *)(void *)at +
		       *(volatile uint32_t *)(void *)at +
		       *(volatile uint64_t *)(void *)at;
	}
	/* The value is whatever it is; that we are still here is the point. */
	payload_log("registers read, sum 0x%lx", sum);
}

void ring_abuse_registers(void)
{
	payload_log("registers:");
	CHECK("the card starts", net_prepare(0));
	check_sizes();
	check_no_queue();
	check_enabled_queue();
	check_status();
	hostile_prove("registers of nothing");
	net_negotiate(NET_BIT(VIRTIO_F_VERSION_1));
	write_registers_at_random();
	hostile_prove("20000 register writes at random");
	read_everywhere();
	hostile_prove("registers read everywhere");
}
