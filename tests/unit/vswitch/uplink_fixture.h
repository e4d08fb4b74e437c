/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the tests of the uplink share: it, two VMs' ports, and a NIC played. */
#ifndef TESTS_UNIT_VSWITCH_UPLINK_FIXTURE_H
#define TESTS_UNIT_VSWITCH_UPLINK_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>
#include "tests/unit/vswitch/fake_nic.h"
#include "tests/unit/vswitch/fake_port.h"

enum {
	A,
	B,
	VMS
};

#define STRANGER 99

static struct fake_nic nic;
static struct uplink *up;
static struct vswitch *sw;
static struct fake_port vms[VMS];
static unsigned warnings;

static inline void count_warnings(enum log_level level, const char *area,
				  const char *line)
{
	warnings += level == LOG_WARN;
}

static inline int setup(void **state)
{
	warnings = 0;
	plat_linux_log_hook = count_warnings;
	fake_nic_init(&nic, FAKE_RING_MAX);
	sw = vswitch_create("net");
	up = uplink_create(&nic.dev, "up0");
	nic.uplink = up;
	assert_int_equal(uplink_attach(up, sw), 0);
	for (unsigned i = 0; i < VMS; i++) {
		fake_init(&vms[i], i ? "b/0" : "a/0", i + 1);
		assert_int_equal(vswitch_attach(sw, &vms[i].port), 0);
	}
	assert_int_equal(uplink_start(up), 0);
	/* The link is up: that is announced. */
	assert_int_equal(plat_linux_run_work(), 1);
	return 0;
}

/* Whatever a test did: after the stop all is back, and it adds up. */
static inline int teardown(void **state)
{
	struct port *all[] = {&up->port, &vms[A].port, &vms[B].port}, *port;
	bool ok;

	uplink_stop(up);
	ok = fake_ledgers_ok(sw, all, ARRAY_SIZE(all)) &&
	     up->port.egress.in_flight == 0;
	for (unsigned i = 0; i < VMS; i++)
		if (fake_free(&vms[i]) != FAKE_FRAMES)
			ok = false;
	plat_linux_run_work();
	while ((port = vswitch_port(sw, 0)) != NULL)
		vswitch_detach(port);
	uplink_destroy(up);
	vswitch_destroy(sw);
	plat_linux_log_hook = NULL;
	return !ok || plat_linux_allocated() != 0;
}

static inline struct frame *outbound(unsigned vm)
{
	uint8_t to[ETH_ADDR_LEN];

	fake_mac(to, STRANGER);
	return fake_frame(&vms[vm], to, vms[vm].port.macs[0]);
}

/* count frames in one batch, numbered from first on. */
static inline void send_frames(unsigned vm, unsigned first, unsigned count)
{
	struct frame *batch[FRAME_BATCH_MAX];

	for (unsigned i = 0; i < count; i++) {
		batch[i] = outbound(vm);
		batch[i]->cookie = first + i;
	}
	vswitch_input(&vms[vm].port, batch, count);
}

/* Are these on the NIC's ring, in order? */
static inline void assert_on_ring(unsigned from, unsigned first, unsigned count)
{
	for (unsigned i = 0; i < count; i++)
		assert_int_equal(nic.ring[from + i]->cookie, first + i);
}

static inline struct port_egress *egress(void)
{
	return &up->port.egress;
}

#endif
