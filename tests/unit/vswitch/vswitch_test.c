/* SPDX-License-Identifier: GPL-2.0-or-later */
/* vswitch/vswitch.c: ports come and go, also while others are busy. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <pthread.h>
#include <stdlib.h>
#include <cmocka.h>
#include <linux/errno.h>
#include "tests/unit/vswitch/fake_port.h"

#define PORTS	   4
#define BATCHES	   400
#define ROUNDS	   100
#define BATCH_SIZE 8

static const uint8_t broadcast[6] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff};

static struct vswitch *sw;
static struct fake_port ports[PORTS];

static int setup(void **state)
{
	sw = vswitch_create("net");
	for (unsigned i = 0; i < PORTS; i++)
		fake_init(&ports[i], "vm", i + 1);
	return 0;
}

static int teardown(void **state)
{
	struct port *port;

	while ((port = vswitch_port(sw, 0)) != NULL)
		vswitch_detach(port);
	vswitch_destroy(sw);
	return plat_linux_allocated() != 0;
}

static void no_memory(void **state)
{
	plat_linux_fail_alloc(0);
	assert_null(vswitch_create("x"));
	plat_linux_fail_alloc(-1);
	vswitch_destroy(NULL);
}

static void name_is_cut(void **state)
{
	struct vswitch *other = vswitch_create(
		"a-name-that-is-longer-than-the-room-that-is-there-for-it");

	assert_string_equal(vswitch_name(sw), "net");
	assert_int_equal(strlen(vswitch_name(other)), PORT_NAME_SIZE - 1);
	vswitch_destroy(other);
}

static void attach_in_order(void **state)
{
	for (unsigned i = 0; i < PORTS; i++) {
		assert_int_equal(vswitch_attach(sw, &ports[i].port), 0);
		assert_ptr_equal(ports[i].port.vswitch, sw);
		assert_int_equal(ports[i].port.index, i);
	}
	for (unsigned i = 0; i < PORTS; i++)
		assert_ptr_equal(vswitch_port(sw, i), &ports[i].port);
	assert_null(vswitch_port(sw, PORTS));
	vswitch_detach(&ports[1].port);
	assert_null(ports[1].port.vswitch);
	assert_ptr_equal(vswitch_port(sw, 1), &ports[2].port);
	assert_null(vswitch_port(sw, PORTS - 1));
	/* Its place is free again, and its address. */
	assert_int_equal(vswitch_attach(sw, &ports[1].port), 0);
	assert_int_equal(ports[1].port.index, 1);
}

static void refuses(void **state)
{
	struct fake_port twin;

	assert_int_equal(vswitch_attach(sw, &ports[0].port), 0);
	fake_init(&twin, "twin", 1);
	assert_int_equal(vswitch_attach(sw, &twin.port), -EEXIST);
	assert_null(twin.port.vswitch);

	memset(twin.port.macs[0], 0, ETH_ADDR_LEN);
	assert_int_equal(vswitch_attach(sw, &twin.port), -EINVAL);
	memset(twin.port.macs[0], 0xff, ETH_ADDR_LEN);
	assert_int_equal(vswitch_attach(sw, &twin.port), -EINVAL);
	fake_mac(twin.port.macs[0], 77);
	twin.port.mac_count = PORT_ALLOWED_MACS + 1;
	assert_int_equal(vswitch_attach(sw, &twin.port), -EINVAL);

	/* Addresses that are only allowed may be shared. */
	fake_mac(twin.port.macs[1], 1);
	twin.port.mac_count = 2;
	assert_int_equal(vswitch_attach(sw, &twin.port), 0);
}

static void one_holder(void **state)
{
	fake_init_uplink(&ports[0], "up0");
	fake_init_uplink(&ports[1], "up1");
	assert_int_equal(vswitch_attach(sw, &ports[0].port), 0);
	assert_int_equal(vswitch_attach(sw, &ports[1].port), -EBUSY);
	vswitch_detach(&ports[0].port);
	assert_int_equal(vswitch_attach(sw, &ports[1].port), 0);
}

static void full(void **state)
{
	struct fake_port *many = calloc(VSWITCH_PORTS_MAX + 1, sizeof(*many));

	for (unsigned i = 0; i <= VSWITCH_PORTS_MAX; i++) {
		fake_init(&many[i], "vm", i + 1);
		assert_int_equal(vswitch_attach(sw, &many[i].port),
				 i < VSWITCH_PORTS_MAX ? 0 : -ENOSPC);
	}
	assert_ptr_equal(vswitch_port(sw, VSWITCH_PORTS_MAX - 1),
			 &many[VSWITCH_PORTS_MAX - 1].port);
	assert_null(vswitch_port(sw, VSWITCH_PORTS_MAX));

	/* All the way around: every port gets a broadcast. */
	struct frame *f =
		fake_frame(&many[100], broadcast, many[100].port.macs[0]);

	vswitch_input(&many[100].port, &f, 1);
	assert_int_equal(vswitch_copies(sw), VSWITCH_PORTS_MAX - 1);
	for (unsigned i = 0; i < VSWITCH_PORTS_MAX; i++) {
		assert_int_equal(many[i].got_count, i != 100);
		vswitch_detach(&many[i].port);
	}
	free(many);
}

static void lists_macs(void **state)
{
	uint8_t macs[4][ETH_ADDR_LEN];
	bool promiscuous = true;

	fake_init_uplink(&ports[0], "up0");
	fake_mac(ports[1].port.macs[1], 50);
	fake_mac(ports[2].port.macs[1], 50);
	ports[1].port.mac_count = ports[2].port.mac_count = 2;
	for (unsigned i = 0; i < 3; i++)
		assert_int_equal(vswitch_attach(sw, &ports[i].port), 0);
	memset(macs, 0, sizeof(macs));
	assert_int_equal(
		vswitch_macs(sw, &ports[0].port, macs, 4, &promiscuous), 3);
	assert_false(promiscuous);
	assert_memory_equal(macs[0], ports[1].port.macs[0], 6);
	assert_memory_equal(macs[1], ports[1].port.macs[1], 6);
	assert_memory_equal(macs[2], ports[2].port.macs[0], 6);

	ports[3].port.promiscuous = true;
	assert_int_equal(vswitch_attach(sw, &ports[3].port), 0);
	memset(macs, 0, sizeof(macs));
	assert_true(vswitch_macs(sw, NULL, macs, 2, &promiscuous) > 2);
	assert_true(promiscuous);
	assert_int_equal(macs[2][0], 0); /* no more than max */
	/* Not for oneself */
	vswitch_macs(sw, &ports[3].port, macs, 4, &promiscuous);
	assert_false(promiscuous);
}

/* After a detach its addresses lead nowhere, and the next port in its place
 * does not inherit them. */
static void forgets_the_detached(void **state)
{
	struct frame *f;

	for (unsigned i = 0; i < 2; i++)
		assert_int_equal(vswitch_attach(sw, &ports[i].port), 0);
	vswitch_detach(&ports[1].port);
	ports[1].detached_for_good = true;
	assert_int_equal(vswitch_attach(sw, &ports[2].port), 0);
	assert_int_equal(ports[2].port.index, 1);
	f = fake_frame(&ports[0], ports[1].port.macs[0], ports[0].port.macs[0]);
	vswitch_input(&ports[0].port, &f, 1);
	assert_int_equal(ports[2].got_count, 0);
	assert_int_equal(ports[0].port.ingress.drops[DROP_NO_PORT], 1);
}

/* Three CPUs feed ports; another attaches and detaches a fourth. */

static void *feed(void *arg)
{
	struct fake_port *fake = arg;
	struct frame *batch[BATCH_SIZE];

	plat_linux_set_cpu((unsigned)(fake - ports) + 1);
	for (unsigned i = 0; i < BATCHES; i++) {
		for (unsigned j = 0; j < BATCH_SIZE; j++) {
			uint8_t to[ETH_ADDR_LEN];

			fake_mac(to, 1 + (i + j) % (PORTS + 1));
			batch[j] = fake_frame(fake, j ? to : broadcast,
					      fake->port.macs[0]);
		}
		vswitch_input(&fake->port, batch, BATCH_SIZE);
	}
	return NULL;
}

static void detach_while_busy(void **state)
{
	struct port *all[PORTS];
	pthread_t threads[PORTS - 1];

	plat_linux_set_cpu_count(PORTS);
	for (unsigned i = 0; i < PORTS; i++)
		all[i] = &ports[i].port;
	ports[0].port.promiscuous = true;
	for (unsigned i = 0; i < PORTS - 1; i++)
		assert_int_equal(vswitch_attach(sw, all[i]), 0);
	for (unsigned i = 0; i < PORTS - 1; i++)
		assert_int_equal(
			pthread_create(&threads[i], NULL, feed, &ports[i]), 0);
	for (unsigned i = 0; i < ROUNDS; i++) {
		ports[3].port.promiscuous = i & 1;
		ports[3].detached_for_good = false;
		assert_int_equal(vswitch_attach(sw, all[3]), 0);
		for (unsigned j = 0; j < 2000; j++)
			plat_relax();
		vswitch_detach(all[3]);
		ports[3].detached_for_good = true;
	}
	for (unsigned i = 0; i < PORTS - 1; i++)
		assert_int_equal(pthread_join(threads[i], NULL), 0);
	assert_true(fake_ledgers_ok(sw, all, PORTS));
	for (unsigned i = 0; i < PORTS - 1; i++) {
		assert_int_equal(ports[i].completions, BATCHES * BATCH_SIZE);
		assert_int_equal(fake_free(&ports[i]), FAKE_FRAMES);
	}
	plat_linux_set_cpu_count(1);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(no_memory),	 TEST(name_is_cut),
		TEST(attach_in_order),	 TEST(refuses),
		TEST(one_holder),	 TEST(full),
		TEST(lists_macs),	 TEST(forgets_the_detached),
		TEST(detach_while_busy),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
