/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the network card's unit tests share: set-up and assertions. */
#ifndef TESTS_VNET_CHECKS_H
#define TESTS_VNET_CHECKS_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <linux/errno.h>

#include "vnet_fixture.h"

static inline int setup(void **state)
{
	fixture_make();
	return 0;
}

static inline int teardown(void **state)
{
	assert_true(ledger_adds_up());
	fixture_free();
	assert_int_equal(plat_linux_allocated(), 0);
	return 0;
}

static inline void start_with(struct side *s, uint64_t features, unsigned size)
{
	guest_enable_msix(&s->g);
	assert_true(guest_start(&s->g, features, size));
}

static inline uint64_t dropped(struct side *s, enum port_drop why)
{
	return vnet_port(s->vnet)->ingress.drops[why];
}

static inline uint64_t refused(struct side *s, enum port_drop why)
{
	return vnet_port(s->vnet)->egress.drops[why];
}

/* Next used element of a queue, which must be there. */
static inline struct vring_used_elem take(struct side *s, unsigned queue)
{
	struct vring_used_elem elem = {0};

	assert_true(guest_take(&s->g.queues[queue], &elem));
	return elem;
}

static inline void expect_none(struct side *s, unsigned queue)
{
	struct vring_used_elem elem;

	assert_false(guest_take(&s->g.queues[queue], &elem));
}

static inline bool needs_reset(struct side *s)
{
	return guest_status(&s->g) & VIRTIO_CONFIG_S_NEEDS_RESET;
}

#endif
