/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the tests of the 82574L driver share: a started NIC, and frames. */
#ifndef TESTS_E1000E_FIXTURE_H
#define TESTS_E1000E_FIXTURE_H

#include "plat/plat.h"
#include "tests/unit/drivers/net/fake_82574.h"

#define RING   256
#define FRAMES 300

extern const uint8_t own_mac[ETH_ADDR_LEN], peer_mac[ETH_ADDR_LEN];

/* A frame to send with the memory it needs. */
struct test_frame {
	struct frame f;
	uint8_t head[256];
	uint8_t payload[2048];
};

struct test {
	struct fake_82574 *nic;
	struct netdev *dev;
	struct test_frame *tx;
};

/* cmocka's: *state is a struct test. Teardown stops and detaches, and fails on
 * a fault of the fake. */
int setup_stopped(void **state);
int setup(void **state);
int teardown(void **state);

/* For plat_linux_log_hook: the errors that tests provoke are no news. */
void drop_log(enum log_level level, const char *area, const char *line);

uint32_t reg(const struct test *t, uint32_t offset);
void put16(uint8_t *p, uint32_t v);

/*
 * An IPv4 frame of len bytes in all, the headers (14 + 20 + 8 of UDP or 20 of
 * TCP) in the head, the rest in seg_count about equal segments; the L4 field
 * holds the pseudo-header's sum.
 */
struct frame *make_frame(struct test_frame *t, uint8_t protocol, size_t len,
			 unsigned seg_count);
/* A frame of a single descriptor without offload, marked by number. */
struct frame *make_plain(struct test_frame *t, unsigned number);
unsigned number_of(const uint8_t *data);
/* Length and segments arrived; the head may differ by its checksum. */
bool sent_as_is(const struct fake_wire_frame *w, const struct frame *f);
/* A frame to us from the wire, TCP or UDP with a good checksum. */
void make_rx(uint8_t *data, uint8_t protocol, size_t len);

#endif
