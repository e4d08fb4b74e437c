/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The network card's control queue, by a driver sane and hostile. */
#include "vmm/dev/vnet_filter.h"
#include "vnet_checks.h"

#define CTRL_VQ	  F(VIRTIO_NET_F_CTRL_VQ)
#define CTRL_RX	  F(VIRTIO_NET_F_CTRL_RX)
#define RX_EXTRA  F(VIRTIO_NET_F_CTRL_RX_EXTRA)
#define CTRL_VLAN F(VIRTIO_NET_F_CTRL_VLAN)
#define CTRL_MAC  F(VIRTIO_NET_F_CTRL_MAC_ADDR)
#define ANNOUNCE  F(VIRTIO_NET_F_GUEST_ANNOUNCE)
#define ALL	  (CTRL_VQ | CTRL_RX | RX_EXTRA | CTRL_VLAN | CTRL_MAC | ANNOUNCE)

static const uint8_t mac_new[] = {0x52, 0x54, 0, 1, 7, 7};
static const uint8_t group[] = {0x33, 0x33, 0, 0, 0, 1};
static const uint8_t broadcast[] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff};

static void offer_both(void)
{
	start_with(&a, ALL, 64);
	start_with(&b, 0, 64);
	side_offer(&a, 32, 1000);
}

/* A command of a's driver, cut into pieces of this many bytes; the
 * answer, or -1: none came. */
static int command_cut(uint8_t class, uint8_t cmd, const void *data,
		       uint32_t len, uint32_t cut)
{
	struct guest_piece pieces[32];
	uint8_t *bytes = fake_vm_ptr(&a.vm, a.data);
	uint8_t *answer = fake_vm_ptr(&a.vm, a.hdr);
	struct vring_used_elem elem;
	unsigned count = 0;

	bytes[0] = class;
	bytes[1] = cmd;
	memcpy(bytes + 2, data, len);
	for (uint32_t at = 0; at < len + 2; at += cut)
		pieces[count++] = (struct guest_piece){
			a.data + at, MIN(cut, len + 2 - at), false};
	pieces[count++] = (struct guest_piece){a.hdr, 1, true};
	answer[0] = 0x77;
	answer[1] = 0x66;
	guest_post(&a.g.queues[QUEUE_CTRL], pieces, count);
	guest_kick(&a.g, QUEUE_CTRL);
	assert_int_equal(answer[1], 0x66);
	if (!guest_take(&a.g.queues[QUEUE_CTRL], &elem))
		return -1;
	assert_int_equal(elem.len, 1);
	return answer[0];
}

static int command(uint8_t class, uint8_t cmd, const void *data, uint32_t len)
{
	return command_cut(class, cmd, data, len, 4096);
}

#define OK(class, cmd, data, len) \
	assert_int_equal(command(class, cmd, data, len), VIRTIO_NET_OK)
#define ERR(class, cmd, data, len) \
	assert_int_equal(command(class, cmd, data, len), VIRTIO_NET_ERR)

static int mode(uint8_t which, uint8_t on)
{
	return command(VIRTIO_NET_CTRL_RX, which, &on, 1);
}

/* Does a get a frame from b to this address? */
static bool gets(const uint8_t *to)
{
	uint64_t before = refused(&a, DROP_FILTERED);
	struct vring_used_elem elem;

	side_send(&b, to, mac_b, 60);
	wire_release(WIRE_LIMIT);
	guest_take(&b.g.queues[QUEUE_TX], &elem);
	if (guest_take(&a.g.queues[QUEUE_RX], &elem)) {
		assert_int_equal(refused(&a, DROP_FILTERED), before);
		return true;
	}
	assert_int_equal(refused(&a, DROP_FILTERED), before + 1);
	return false;
}

static uint64_t config(unsigned offset, unsigned size)
{
	return guest_read_mem(&a.g, a.g.config + offset, size);
}

static unsigned generation(void)
{
	return (unsigned)guest_get(&a.g, VIRTIO_PCI_COMMON_CFGGENERATION, 1);
}

static void test_offered(void **state)
{
	assert_int_equal(guest_get(&a.g, VIRTIO_PCI_COMMON_NUMQ, 2), 3);
	guest_set(&a.g, VIRTIO_PCI_COMMON_Q_SELECT, 2, QUEUE_CTRL);
	assert_int_equal(guest_get(&a.g, VIRTIO_PCI_COMMON_Q_SIZE, 2), 64);
	assert_true(guest_negotiate(&a.g, ALL | F(VIRTIO_F_VERSION_1) |
						  F(VIRTIO_NET_F_MTU)));
	/* MAC, status, a pair of queues, and the MTU; no more. */
	assert_int_equal(config(0, 4), 0x01005452);
	assert_int_equal(config(6, 2), VIRTIO_NET_S_LINK_UP);
	assert_int_equal(config(8, 2), 1);
	assert_int_equal(config(10, 2), 1500);
	assert_int_equal(config(12, 8), 0);
}

static void test_modes(void **state)
{
	offer_both();
	/* Until told otherwise, everything. */
	assert_true(gets(group));
	assert_int_equal(mode(VIRTIO_NET_CTRL_RX_PROMISC, 0), VIRTIO_NET_OK);
	assert_false(gets(group));
	assert_true(gets(broadcast));
	assert_true(gets(mac_a));
	assert_int_equal(mode(VIRTIO_NET_CTRL_RX_ALLMULTI, 1), VIRTIO_NET_OK);
	assert_true(gets(group));
	assert_int_equal(mode(VIRTIO_NET_CTRL_RX_NOMULTI, 1), VIRTIO_NET_OK);
	assert_false(gets(group));
	assert_int_equal(mode(VIRTIO_NET_CTRL_RX_NOBCAST, 1), VIRTIO_NET_OK);
	assert_false(gets(broadcast));
	assert_int_equal(mode(VIRTIO_NET_CTRL_RX_NOUNI, 1), VIRTIO_NET_OK);
	assert_false(gets(mac_a));
	assert_int_equal(mode(VIRTIO_NET_CTRL_RX_NOUNI, 0), VIRTIO_NET_OK);
	assert_int_equal(mode(VIRTIO_NET_CTRL_RX_ALLUNI, 1), VIRTIO_NET_OK);
	assert_true(gets(mac_a));
	assert_int_equal(mode(VIRTIO_NET_CTRL_RX_PROMISC, 1), VIRTIO_NET_OK);
	assert_true(gets(group));
	assert_true(gets(broadcast));
	/* No such mode, no such value. */
	assert_int_equal(mode(VIRTIO_NET_CTRL_RX_NOBCAST + 1, 1),
			 VIRTIO_NET_ERR);
	assert_int_equal(mode(255, 1), VIRTIO_NET_ERR);
	assert_int_equal(mode(VIRTIO_NET_CTRL_RX_PROMISC, 2), VIRTIO_NET_ERR);
	assert_true(gets(group));
}

/* Two tables of so many addresses each, numbered; the length. */
static uint32_t make_tables(uint8_t *to, uint32_t uni, uint32_t multi)
{
	uint32_t at = 0, counts[] = {uni, multi};

	for (unsigned kind = 0; kind < 2; kind++) {
		memcpy(to + at, &counts[kind], 4);
		at += 4;
		for (uint32_t i = 0; i < counts[kind]; i++, at += 6)
			memcpy(to + at,
			       (uint8_t[]){kind ? 0x33 : 0x52, 0x54, 0, 1,
					   (uint8_t)(i >> 8), (uint8_t)i},
			       6);
	}
	return at;
}

static void test_tables(void **state)
{
	static uint8_t data[8 * 1024];
	uint8_t multi[] = {0x33, 0x54, 0, 1, 0, 63};
	uint32_t len;

	offer_both();
	mode(VIRTIO_NET_CTRL_RX_PROMISC, 0);
	len = make_tables(data, 1, 64);
	OK(VIRTIO_NET_CTRL_MAC, VIRTIO_NET_CTRL_MAC_TABLE_SET, data, len);
	assert_true(gets(multi));
	multi[5] = 64;
	assert_false(gets(multi));
	assert_false(gets(group));
	/* Modes outlive a table. */
	mode(VIRTIO_NET_CTRL_RX_NOMULTI, 1);
	OK(VIRTIO_NET_CTRL_MAC, VIRTIO_NET_CTRL_MAC_TABLE_SET, data, len);
	multi[5] = 63;
	assert_false(gets(multi));
	mode(VIRTIO_NET_CTRL_RX_NOMULTI, 0);
	assert_true(gets(multi));
	/* More than we hold: all of the kind. */
	len = make_tables(data, 0, 65);
	OK(VIRTIO_NET_CTRL_MAC, VIRTIO_NET_CTRL_MAC_TABLE_SET, data, len);
	assert_true(gets(group));
	len = make_tables(data, 300, 1000);
	OK(VIRTIO_NET_CTRL_MAC, VIRTIO_NET_CTRL_MAC_TABLE_SET, data, len);
	assert_true(gets(group));
	/* Empty ones. */
	len = make_tables(data, 0, 0);
	OK(VIRTIO_NET_CTRL_MAC, VIRTIO_NET_CTRL_MAC_TABLE_SET, data, len);
	assert_false(gets(group));
	assert_true(gets(mac_a));
	/* In pieces of any size. */
	for (uint32_t cut = 5; cut < 60; cut += 7) {
		len = make_tables(data, 3, 6);
		assert_int_equal(command_cut(VIRTIO_NET_CTRL_MAC,
					     VIRTIO_NET_CTRL_MAC_TABLE_SET,
					     data, len, cut),
				 VIRTIO_NET_OK);
		multi[5] = 5;
		assert_true(gets(multi));
		multi[5] = 6;
		assert_false(gets(multi));
	}
}

/* Counts that lie: refused, and the tables are as they were. */
static void test_bad_tables(void **state)
{
	static const uint32_t counts[] = {3, 1000, 0x2aaaaaab, 0x7fffffff,
					  0xffffffff};
	uint8_t multi[] = {0x33, 0x54, 0, 1, 0, 1};
	uint8_t data[64];
	uint32_t len;

	offer_both();
	mode(VIRTIO_NET_CTRL_RX_PROMISC, 0);
	len = make_tables(data, 2, 2);
	OK(VIRTIO_NET_CTRL_MAC, VIRTIO_NET_CTRL_MAC_TABLE_SET, data, len);
	for (unsigned i = 0; i < ARRAY_SIZE(counts); i++) {
		make_tables(data, 2, 2);
		memcpy(data + 16, &counts[i], 4);
		memset(data + 20, 0xee, 12);
		ERR(VIRTIO_NET_CTRL_MAC, VIRTIO_NET_CTRL_MAC_TABLE_SET, data,
		    len);
		memcpy(data, &counts[i], 4);
		if (i)
			ERR(VIRTIO_NET_CTRL_MAC, VIRTIO_NET_CTRL_MAC_TABLE_SET,
			    data, len);
	}
	make_tables(data, 2, 2);
	memset(data + 20, 0xee, 12);
	for (uint32_t cut = 0; cut < len; cut++)
		ERR(VIRTIO_NET_CTRL_MAC, VIRTIO_NET_CTRL_MAC_TABLE_SET, data,
		    cut);
	assert_true(gets(multi));
	assert_false(gets((uint8_t[]){0xef, 0xee, 0xee, 0xee, 0xee, 0xee}));
	ERR(VIRTIO_NET_CTRL_MAC, 2, data, len);
}

/* Only what it may send from can be its address. */
static void test_address(void **state)
{
	struct port *port = vnet_port(a.vnet);
	unsigned before;

	offer_both();
	mode(VIRTIO_NET_CTRL_RX_PROMISC, 0);
	before = generation();
	ERR(VIRTIO_NET_CTRL_MAC, VIRTIO_NET_CTRL_MAC_ADDR_SET, mac_new, 6);
	ERR(VIRTIO_NET_CTRL_MAC, VIRTIO_NET_CTRL_MAC_ADDR_SET, group, 6);
	ERR(VIRTIO_NET_CTRL_MAC, VIRTIO_NET_CTRL_MAC_ADDR_SET, mac_a, 5);
	assert_int_equal(generation(), before);
	OK(VIRTIO_NET_CTRL_MAC, VIRTIO_NET_CTRL_MAC_ADDR_SET, mac_a, 6);
	assert_int_equal(generation(), before + 1);
	assert_true(gets(mac_a));

	port->mac_count = 2;
	memcpy(port->macs[1], mac_new, 6);
	OK(VIRTIO_NET_CTRL_MAC, VIRTIO_NET_CTRL_MAC_ADDR_SET, mac_new, 6);
	assert_int_equal(generation(), before + 2);
	assert_int_equal(config(0, 4), 0x01005452);
	assert_int_equal(config(4, 2), 0x0707);
	assert_false(gets(mac_a));
	port->mac_count = 1;
	ERR(VIRTIO_NET_CTRL_MAC, VIRTIO_NET_CTRL_MAC_ADDR_SET, mac_far, 6);
	port->promiscuous = true;
	OK(VIRTIO_NET_CTRL_MAC, VIRTIO_NET_CTRL_MAC_ADDR_SET, mac_far, 6);
	ERR(VIRTIO_NET_CTRL_MAC, VIRTIO_NET_CTRL_MAC_ADDR_SET, broadcast, 6);
	port->promiscuous = false;
	assert_int_equal(config(4, 2), 0x0909);
	/* A reset brings it back, and the filter. */
	guest_set(&a.g, VIRTIO_PCI_COMMON_STATUS, 1, 0);
	assert_int_equal(guest_status(&a.g), 0);
	assert_int_equal(config(4, 2), 0x0a00);
	start_with(&a, CTRL_VQ, 64);
	side_offer(&a, 4, 1000);
	assert_true(gets(group));
	assert_true(gets(mac_a));
}

/* A tagged frame of b's reaches a? */
static bool gets_vlan(uint16_t vlan)
{
	uint8_t *frame;
	struct vring_used_elem elem;

	side_fill(&b, mac_a, mac_b, 64);
	frame = fake_vm_ptr(&b.vm, b.data);
	frame[12] = 0x81;
	frame[13] = 0;
	frame[14] = (uint8_t)(vlan >> 8);
	frame[15] = (uint8_t)vlan;
	side_queue(&b, 64);
	guest_kick(&b.g, QUEUE_TX);
	guest_take(&b.g.queues[QUEUE_TX], &elem);
	return guest_take(&a.g.queues[QUEUE_RX], &elem);
}

static void test_vlans(void **state)
{
	uint16_t vlan = 5;

	offer_both();
	assert_true(gets_vlan(5));
	mode(VIRTIO_NET_CTRL_RX_PROMISC, 0);
	assert_false(gets_vlan(5));
	OK(VIRTIO_NET_CTRL_VLAN, VIRTIO_NET_CTRL_VLAN_ADD, &vlan, 2);
	assert_true(gets_vlan(5));
	assert_false(gets_vlan(6));
	OK(VIRTIO_NET_CTRL_VLAN, VIRTIO_NET_CTRL_VLAN_DEL, &vlan, 2);
	assert_false(gets_vlan(5));
	assert_true(gets(mac_a));
	vlan = 4095;
	OK(VIRTIO_NET_CTRL_VLAN, VIRTIO_NET_CTRL_VLAN_ADD, &vlan, 2);
	assert_true(gets_vlan(4095));
	vlan = 4096;
	ERR(VIRTIO_NET_CTRL_VLAN, VIRTIO_NET_CTRL_VLAN_ADD, &vlan, 2);
	vlan = 0xffff;
	ERR(VIRTIO_NET_CTRL_VLAN, VIRTIO_NET_CTRL_VLAN_DEL, &vlan, 2);
	vlan = 5;
	ERR(VIRTIO_NET_CTRL_VLAN, VIRTIO_NET_CTRL_VLAN_ADD, &vlan, 1);
	ERR(VIRTIO_NET_CTRL_VLAN, 2, &vlan, 2);
	/* Not negotiated: tags are none of our business. */
	start_with(&a, CTRL_VQ | CTRL_RX, 64);
	side_offer(&a, 4, 1000);
	mode(VIRTIO_NET_CTRL_RX_PROMISC, 0);
	assert_true(gets_vlan(5));
	ERR(VIRTIO_NET_CTRL_VLAN, VIRTIO_NET_CTRL_VLAN_ADD, &vlan, 2);
}

/* Each command needs its feature. */
static void test_not_negotiated(void **state)
{
	static const struct {
		uint64_t feature;
		uint8_t class, cmd;
	} cases[] = {
		{CTRL_RX, VIRTIO_NET_CTRL_RX, VIRTIO_NET_CTRL_RX_PROMISC},
		{CTRL_RX, VIRTIO_NET_CTRL_RX, VIRTIO_NET_CTRL_RX_ALLMULTI},
		{RX_EXTRA, VIRTIO_NET_CTRL_RX, VIRTIO_NET_CTRL_RX_ALLUNI},
		{RX_EXTRA, VIRTIO_NET_CTRL_RX, VIRTIO_NET_CTRL_RX_NOMULTI},
		{RX_EXTRA, VIRTIO_NET_CTRL_RX, VIRTIO_NET_CTRL_RX_NOUNI},
		{RX_EXTRA, VIRTIO_NET_CTRL_RX, VIRTIO_NET_CTRL_RX_NOBCAST},
		{CTRL_RX, VIRTIO_NET_CTRL_MAC, VIRTIO_NET_CTRL_MAC_TABLE_SET},
		{CTRL_VLAN, VIRTIO_NET_CTRL_VLAN, VIRTIO_NET_CTRL_VLAN_ADD},
		{ANNOUNCE, VIRTIO_NET_CTRL_ANNOUNCE,
		 VIRTIO_NET_CTRL_ANNOUNCE_ACK},
	};
	static const uint8_t zeros[8];

	for (unsigned i = 0; i < ARRAY_SIZE(cases); i++) {
		start_with(&a, ALL, 16);
		OK(cases[i].class, cases[i].cmd, zeros, 8);
		start_with(&a, ALL & ~cases[i].feature, 16);
		ERR(cases[i].class, cases[i].cmd, zeros, 8);
		start_with(&a, CTRL_VQ | cases[i].feature, 16);
		OK(cases[i].class, cases[i].cmd, zeros, 8);
	}
	start_with(&a, ALL & ~CTRL_MAC, 16);
	ERR(VIRTIO_NET_CTRL_MAC, VIRTIO_NET_CTRL_MAC_ADDR_SET, mac_a, 6);
	/* Classes that we do not know, and some that we do not offer. */
	start_with(&a, ALL, 16);
	for (unsigned class = 0; class < 256; class ++)
		if (class > VIRTIO_NET_CTRL_ANNOUNCE)
			ERR((uint8_t) class, 0, zeros, 8);
	ERR(VIRTIO_NET_CTRL_ANNOUNCE, 1, zeros, 8);
}

static void test_counted(void **state)
{
	struct vnet_stats stats;

	start_with(&a, ALL, 16);
	mode(VIRTIO_NET_CTRL_RX_PROMISC, 0);
	mode(VIRTIO_NET_CTRL_RX_PROMISC, 7);
	mode(VIRTIO_NET_CTRL_RX_PROMISC, 1);
	vnet_stats(a.vnet, &stats);
	assert_int_equal(stats.ctrl_commands, 3);
	assert_int_equal(stats.ctrl_errors, 1);
	assert_int_equal(a.vm.message_count, 3);
	assert_int_equal(a.vm.messages[0].data, 0x43);
}

/* Chains without room for an answer, or without a command. */
static void test_bad_chains(void **state)
{
	struct guest_piece pieces[] = {
		{a.data, 3, false}, {a.hdr, 1, true}, {a.hdr + 1, 1, false}};
	struct vring_used_elem elem;
	struct vnet_stats stats;

	/* No header, or half of one: an error. */
	for (unsigned len = 0; len < 2; len++) {
		uint8_t *answer = fake_vm_ptr(&a.vm, a.hdr);

		start_with(&a, ALL, 16);
		*answer = 0x77;
		pieces[0].len = len;
		guest_post(&a.g.queues[QUEUE_CTRL], pieces + !len, 2 - !len);
		guest_kick(&a.g, QUEUE_CTRL);
		assert_true(guest_take(&a.g.queues[QUEUE_CTRL], &elem));
		assert_int_equal(*answer, VIRTIO_NET_ERR);
		assert_false(needs_reset(&a));
	}
	/* Nowhere to write: broken, and only that queue. */
	pieces[0].len = 3;
	memset(fake_vm_ptr(&a.vm, a.data), 0, 8);
	for (unsigned i = 0; i < 2; i++) {
		start_with(&a, ALL, 16);
		if (i)
			guest_post(&a.g.queues[QUEUE_CTRL], pieces, 3);
		else
			guest_post(&a.g.queues[QUEUE_CTRL], pieces, 1);
		guest_kick(&a.g, QUEUE_CTRL);
		expect_none(&a, QUEUE_CTRL);
		assert_true(needs_reset(&a));
		assert_int_equal(
			command(VIRTIO_NET_CTRL_RX, 0, (uint8_t[]){1}, 1), -1);
		memset(side_hdr(&a), 0, HDR_LEN);
		side_send(&a, mac_far, mac_a, 60);
		assert_int_equal(wire_release(WIRE_LIMIT), 1);
	}
	vnet_stats(a.vnet, &stats);
	assert_int_equal(stats.ctrl_faults[VIRTQUEUE_BAD_BUFFER], 1);
	assert_int_equal(stats.ctrl_faults[VIRTQUEUE_BAD_ORDER], 1);
	/* A reset mends it. */
	start_with(&a, ALL, 16);
	assert_int_equal(mode(VIRTIO_NET_CTRL_RX_PROMISC, 1), VIRTIO_NET_OK);
}

/* The answer may stand in a larger buffer: a byte is written. */
static void test_long_answer(void **state)
{
	uint8_t *answer = fake_vm_ptr(&a.vm, a.room);
	const struct guest_piece pieces[] = {{a.data, 3, false},
					     {a.room, 100, true},
					     {a.room + 100, 9, true}};

	start_with(&a, ALL, 16);
	memset(answer, 0x77, 109);
	memset(fake_vm_ptr(&a.vm, a.data), 0, 3);
	guest_post(&a.g.queues[QUEUE_CTRL], pieces, 3);
	guest_kick(&a.g, QUEUE_CTRL);
	assert_int_equal(take(&a, QUEUE_CTRL).len, 1);
	assert_int_equal(answer[0], VIRTIO_NET_OK);
	assert_int_equal(answer[1], 0x77);
}

/* A guest that floods the queue does not hold the CPU. */
static void test_budget(void **state)
{
	const struct guest_piece pieces[] = {{a.data, 3, false},
					     {a.hdr, 1, true}};
	struct guest_queue *q;
	struct vring_used_elem elem;
	unsigned done = 0;

	start_with(&a, ALL, 64);
	q = &a.g.queues[QUEUE_CTRL];
	memset(fake_vm_ptr(&a.vm, a.data), 0, 3);
	for (unsigned i = 0; i < 32; i++)
		guest_post(q, pieces, 2);
	guest_kick(&a.g, QUEUE_CTRL);
	while (guest_take(q, &elem))
		done++;
	assert_int_equal(done, 16);
	/* With work outstanding the card is not quiet. */
	assert_int_equal(plat_linux_run_work(), 1);
	while (guest_take(q, &elem))
		done++;
	assert_int_equal(done, 32);
	plat_linux_run_work();
	assert_int_equal(plat_linux_run_work(), 0);
	/* Reset while some is left. */
	for (unsigned i = 0; i < 32; i++)
		guest_post(q, pieces, 2);
	guest_kick(&a.g, QUEUE_CTRL);
	guest_set(&a.g, VIRTIO_PCI_COMMON_STATUS, 1, 0);
	assert_int_not_equal(guest_status(&a.g), 0);
	assert_int_equal(plat_linux_run_work(), 1);
	assert_int_equal(guest_status(&a.g), 0);
	assert_int_equal(plat_linux_run_work(), 0);
}

static void test_announce(void **state)
{
	unsigned before;

	start_with(&a, ALL, 16);
	start_with(&b, CTRL_VQ, 16); /* does not know of it */
	before = generation();
	assert_int_equal(a.vm.message_count, 0);
	vswitch_announce(&wire.port);
	assert_int_equal(config(6, 2),
			 VIRTIO_NET_S_LINK_UP | VIRTIO_NET_S_ANNOUNCE);
	assert_int_equal(generation(), before + 1);
	assert_int_equal(a.vm.message_count, 1);
	assert_int_equal(a.vm.messages[0].data, 0x40);
	assert_int_equal(guest_read_mem(&b.g, b.g.config + 6, 2),
			 VIRTIO_NET_S_LINK_UP);
	assert_int_equal(b.vm.message_count, 0);
	OK(VIRTIO_NET_CTRL_ANNOUNCE, VIRTIO_NET_CTRL_ANNOUNCE_ACK, "", 0);
	assert_int_equal(config(6, 2), VIRTIO_NET_S_LINK_UP);
	assert_int_equal(generation(), before + 2);
	/* Not to the port that asks; and a reset ends it. */
	vswitch_announce(vnet_port(a.vnet));
	assert_int_equal(config(6, 2), VIRTIO_NET_S_LINK_UP);
	vswitch_announce(vnet_port(b.vnet));
	assert_int_equal(config(6, 2),
			 VIRTIO_NET_S_LINK_UP | VIRTIO_NET_S_ANNOUNCE);
	guest_set(&a.g, VIRTIO_PCI_COMMON_STATUS, 1, 0);
	assert_int_equal(config(6, 2), VIRTIO_NET_S_LINK_UP);
	/* Nobody there: nothing to say, now or later. */
	vswitch_announce(&wire.port);
	assert_int_equal(config(6, 2), VIRTIO_NET_S_LINK_UP);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(test_offered),	T(test_modes),	 T(test_tables),
		T(test_bad_tables),	T(test_address), T(test_vlans),
		T(test_not_negotiated), T(test_counted), T(test_bad_chains),
		T(test_long_answer),	T(test_budget),	 T(test_announce),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
