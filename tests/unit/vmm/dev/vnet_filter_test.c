/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The network card's receive filter, by virtio 1.2, 5.1.6.5. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "vmm/dev/vnet_filter.h"

static const uint8_t own[] = {0x52, 0x54, 0, 1, 0, 1};
static const uint8_t other[] = {0x52, 0x54, 0, 1, 0, 2};
static const uint8_t third[] = {0x52, 0x54, 0, 1, 0, 3};
static const uint8_t group[] = {0x33, 0x33, 0, 0, 0, 1};
static const uint8_t group2[] = {0x33, 0x33, 0, 0, 0, 2};
static const uint8_t broadcast[] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff};

static struct vnet_filter filter;

static int setup(void **state)
{
	memset(&filter, 0xa5, sizeof(filter));
	vnet_filter_reset(&filter, own);
	return 0;
}

/* An untagged frame to this address, with no more than its header in the head:
 * what lies behind is not looked at. */
static bool takes(const uint8_t *mac)
{
	uint8_t head[ETH_HEADER_LEN] = {0};
	struct frame frame = {
		.head = head, .len = 60, .head_len = sizeof(head)};

	memcpy(head, mac, ETH_ADDR_LEN);
	head[12] = 0x08;
	return vnet_filter_takes(&filter, &frame);
}

static bool takes_vlan(const uint8_t *mac, uint16_t tci)
{
	uint8_t head[ETH_HEADER_LEN + 4] = {0};
	struct frame frame = {
		.head = head, .len = 64, .head_len = sizeof(head)};

	memcpy(head, mac, ETH_ADDR_LEN);
	head[12] = 0x81;
	head[14] = (uint8_t)(tci >> 8);
	head[15] = (uint8_t)tci;
	return vnet_filter_takes(&filter, &frame);
}

static void add(enum vnet_filter_kind kind, const uint8_t *mac)
{
	struct vnet_filter_table *table = &filter.tables[kind];

	memcpy(table->macs[table->count++], mac, ETH_ADDR_LEN);
}

/* As a driver without a control queue expects it. */
static void after_reset(void **state)
{
	assert_true(takes(own));
	assert_true(takes(other));
	assert_true(takes(group));
	assert_true(takes(broadcast));
	assert_true(takes_vlan(other, 5));
	assert_memory_equal(filter.mac, own, ETH_ADDR_LEN);
	assert_int_equal(filter.tables[VNET_FILTER_UNICAST].count, 0);
	assert_int_equal(filter.vlans[17], 0);
}

static void addresses(void **state)
{
	filter.promiscuous = false;
	assert_true(takes(own));
	assert_true(takes(broadcast));
	assert_false(takes(other));
	assert_false(takes(group));
	add(VNET_FILTER_UNICAST, third);
	add(VNET_FILTER_UNICAST, other);
	add(VNET_FILTER_MULTICAST, group);
	assert_true(takes(other));
	assert_true(takes(third));
	assert_true(takes(group));
	assert_false(takes(group2));
	/* The last of a full table. */
	for (unsigned i = filter.tables[VNET_FILTER_MULTICAST].count;
	     i < VNET_FILTER_MACS - 1; i++)
		add(VNET_FILTER_MULTICAST, group);
	add(VNET_FILTER_MULTICAST, group2);
	assert_true(takes(group2));
	/* What is beyond the count is not there. */
	filter.tables[VNET_FILTER_MULTICAST].count--;
	assert_false(takes(group2));
	/* A changed address of its own. */
	memcpy(filter.mac, other, ETH_ADDR_LEN);
	filter.tables[VNET_FILTER_UNICAST].count = 0;
	assert_true(takes(other));
	assert_false(takes(own));
}

static void modes(void **state)
{
	struct vnet_filter_table *uni = &filter.tables[VNET_FILTER_UNICAST];
	struct vnet_filter_table *multi = &filter.tables[VNET_FILTER_MULTICAST];

	filter.promiscuous = false;
	uni->all = true;
	assert_true(takes(other));
	assert_false(takes(group));
	uni->all = false;
	multi->all = true;
	assert_true(takes(group));
	assert_false(takes(other));
	multi->all = false;
	uni->overflow = multi->overflow = true;
	assert_true(takes(other));
	assert_true(takes(group));
	/* None goes before all. */
	uni->all = multi->all = true;
	uni->none = true;
	assert_false(takes(own));
	assert_false(takes(other));
	assert_true(takes(group));
	multi->none = true;
	assert_false(takes(group));
	assert_true(takes(broadcast));
	filter.no_broadcast = true;
	assert_false(takes(broadcast));
	/* And promiscuous before all of them. */
	filter.promiscuous = true;
	assert_true(takes(own));
	assert_true(takes(group));
	assert_true(takes(broadcast));
}

static void vlans(void **state)
{
	uint8_t head[ETH_HEADER_LEN] = {0};
	struct frame cut = {.head = head, .len = 60, .head_len = sizeof(head)};

	filter.promiscuous = false;
	/* Not negotiated: no matter. */
	assert_true(takes_vlan(own, 5));
	filter.vlan_on = true;
	assert_true(takes(own));
	assert_false(takes_vlan(own, 5));
	assert_false(takes_vlan(broadcast, 5));
	for (unsigned vlan = 0; vlan < VNET_VLANS; vlan += 585) {
		vnet_filter_set_vlan(&filter, vlan, true);
		assert_true(takes_vlan(own, (uint16_t)vlan));
		/* Priority and DEI are no part of it. */
		assert_true(takes_vlan(own, (uint16_t)(0xf000 | vlan)));
		assert_false(takes_vlan(own, (uint16_t)(vlan ^ 1)));
		assert_false(takes_vlan(own, (uint16_t)(vlan ^ 64)));
		assert_false(takes_vlan(other, (uint16_t)vlan));
		vnet_filter_set_vlan(&filter, vlan, false);
		assert_false(takes_vlan(own, (uint16_t)vlan));
	}
	/* Taking away what is not there. */
	vnet_filter_set_vlan(&filter, 9, false);
	assert_false(takes_vlan(own, 9));
	filter.promiscuous = true;
	assert_true(takes_vlan(other, 9));
	/* A tag that is cut off is none. */
	filter.promiscuous = false;
	memcpy(head, own, ETH_ADDR_LEN);
	head[12] = 0x81;
	assert_true(vnet_filter_takes(&filter, &cut));
}

int main(void)
{
#define T(name) cmocka_unit_test_setup(name, setup)
	const struct CMUnitTest tests[] = {
		T(after_reset),
		T(addresses),
		T(modes),
		T(vlans),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
