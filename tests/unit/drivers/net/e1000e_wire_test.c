/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The wire's worst through NIC, driver, uplink and switch: each frame counted
 * once, and what must not pass does not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "drivers/net/e1000e_reg.h"
#include "tests/unit/drivers/net/e1000e_fixture.h"
#include "tests/unit/vswitch/fake_port.h"
#include "vswitch/uplink.h"

#define GOOD (RXD_DD | RXD_EOP)

/* A guest with the address of host 7, and the wire with all of the above. */
static struct test *t;
static struct vswitch *sw;
static struct uplink *uplink;
static struct fake_port guest;

static int setup_switch(void **state)
{
	setup_stopped(state);
	t = *state;
	sw = vswitch_create("net");
	uplink = uplink_create(t->dev, "up0");
	fake_init(&guest, "a.0", 7);
	assert_int_equal(uplink_attach(uplink, sw), 0);
	assert_int_equal(vswitch_attach(sw, &guest.port), 0);
	assert_int_equal(uplink_start(uplink), 0);
	return 0;
}

static int teardown_switch(void **state)
{
	struct port *ports[] = {&uplink->port, &guest.port};
	bool ok = fake_ledgers_ok(sw, ports, ARRAY_SIZE(ports));

	uplink_stop(uplink);
	plat_linux_run_work();
	vswitch_detach(&guest.port);
	uplink_detach(uplink);
	uplink_destroy(uplink);
	vswitch_destroy(sw);
	assert_true(ok);
	return teardown(state);
}

/* The frame in the buffer that the NIC writes to next. */
static uint8_t *next_buffer(void)
{
	struct e1000e_rx_desc *ring =
		(void *)(uintptr_t)((uint64_t)reg(t, E1000E_RDBAH) << 32 |
				    reg(t, E1000E_RDBAL));

	return (void *)(uintptr_t)ring[reg(t, E1000E_RDH)].address;
}

static void from_the_wire(const uint8_t *to, const uint8_t *source,
			  uint32_t status, uint16_t length)
{
	uint8_t *frame = next_buffer();

	memcpy(frame, to, ETH_ADDR_LEN);
	memcpy(frame + ETH_ADDR_LEN, source, ETH_ADDR_LEN);
	assert_true(fake_82574_write_back(t->nic, status, length));
	uplink_poll(uplink, 1);
}

/* Every frame is a drop or the guest's, once. */
static void assert_counted(uint64_t all)
{
	const struct netdev_stats *stats = &t->dev->stats;
	const struct port_ingress *in = &uplink->port.ingress;

	assert_int_equal(stats->rx_errors + stats->device_nonsense + in->frames,
			 all);
	assert_int_equal(in->frames, in->forwarded + in->flooded +
					     fake_sum_drops(in->drops));
	assert_int_equal(guest.got_count, in->forwarded + in->flooded);
}

static void any_length(void **state)
{
	static const uint16_t lengths[] = {2048, 2049, 4096, 9000, 65535};
	const struct netdev_stats *stats = &t->dev->stats;
	uint64_t all = 0;

	for (uint16_t length = 0; length < 1600; length++, all++)
		from_the_wire(guest.port.macs[0], peer_mac, GOOD, length);
	for (unsigned i = 0; i < ARRAY_SIZE(lengths); i++, all++)
		from_the_wire(guest.port.macs[0], peer_mac, GOOD, lengths[i]);
	assert_counted(all);
	assert_int_equal(guest.got_count, 1518 - 14 + 1);
	assert_int_equal(uplink->port.ingress.drops[DROP_GIANT],
			 1599 - 1518 + 1);
	/* Shorter than a header, longer than the buffer: no NIC does that. */
	assert_int_equal(stats->device_nonsense, 14 + 4);
	assert_int_equal(stats->rx_errors, 0);
}

/* Each status bit by itself, and all at once. */
static void any_status(void **state)
{
	const uint32_t bad =
		1u << 24 | 1u << 25 | 1u << 26 | 1u << 28 | 1u << 31;
	uint64_t all = 0, good = 0;

	for (unsigned bit = 2; bit <= 32; bit++, all++) {
		uint32_t status = bit < 32 ? GOOD | 1u << bit : ~0u;

		from_the_wire(guest.port.macs[0], peer_mac, status, 60);
		good += !(status & bad);
	}
	assert_counted(all);
	assert_int_equal(guest.got_count, good);
	assert_int_equal(t->dev->stats.rx_errors, all - good);
}

/* A frame over several descriptors is none, up to its last. */
static void split_frames(void **state)
{
	uint64_t all = 0;

	for (unsigned parts = 1; parts < 40; parts++) {
		for (unsigned i = 1; i < parts; i++, all++)
			from_the_wire(guest.port.macs[0], peer_mac, RXD_DD,
				      2048);
		from_the_wire(guest.port.macs[0], peer_mac, GOOD, 60);
		all++;
	}
	assert_counted(all);
	assert_int_equal(guest.got_count, 1); /* the one of one part */
	assert_int_equal(t->dev->stats.device_nonsense, all - 1);
}

static void any_address(void **state)
{
	static const uint8_t zero[6];
	uint8_t group[6] = {0x01, 0x80, 0xc2};
	const uint8_t *own = guest.port.macs[0];
	uint64_t *drops = uplink->port.ingress.drops, all = 0;

	for (unsigned i = 0; i < 256; i++, all += 2) {
		group[5] = (uint8_t)i;
		from_the_wire(group, peer_mac, GOOD, 60);
		from_the_wire(own, group, GOOD, 60);
	}
	from_the_wire(own, zero, GOOD, 60);
	from_the_wire(own, own, GOOD, 60);
	from_the_wire(group, own, GOOD, 60);
	from_the_wire(zero, peer_mac, GOOD, 60);
	from_the_wire(own_mac, peer_mac, GOOD, 60);
	from_the_wire(peer_mac, peer_mac, GOOD, 60);
	all += 6;
	assert_counted(all);
	assert_int_equal(drops[DROP_RESERVED], 16);
	assert_int_equal(drops[DROP_BAD_SOURCE], 257);
	assert_int_equal(drops[DROP_SPOOFED], 2);
	assert_int_equal(drops[DROP_NO_PORT], 2);
	assert_int_equal(drops[DROP_HAIRPIN], 1);
	assert_int_equal(guest.got_count, 256 - 16);
}

/* Many full rings, each frame from another address: all memory was taken before
 * the first. */
static void flood(void **state)
{
	size_t allocated = plat_linux_allocated();
	uint64_t all = 0;

	for (unsigned round = 0; round < 400; round++) {
		while (fake_82574_rx_room(t->nic)) {
			uint8_t *frame = next_buffer();

			memcpy(frame, guest.port.macs[0], ETH_ADDR_LEN);
			fake_mac(frame + ETH_ADDR_LEN, 1000 + (unsigned)all++);
			fake_82574_write_back(t->nic, GOOD, 60);
		}
		uplink_interrupt(uplink, NETDEV_VECTOR_RX);
	}
	while (uplink_poll(uplink, RING))
		;
	assert_counted(all);
	assert_int_equal(guest.got_count, all);
	assert_true(all > 90000);
	assert_int_equal(plat_linux_allocated(), allocated);
}

#define TEST(name) \
	cmocka_unit_test_setup_teardown(name, setup_switch, teardown_switch)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(any_length),  TEST(any_status), TEST(split_frames),
		TEST(any_address), TEST(flood),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
