/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the tests of the 82574L driver share: a started NIC, and frames. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "plat/linux/linux.h"
#include "tests/unit/drivers/net/e1000e_fixture.h"

const uint8_t own_mac[ETH_ADDR_LEN] = {0x52, 0x54, 0, 0, 0, 2};
const uint8_t peer_mac[ETH_ADDR_LEN] = {0x52, 0x54, 0, 9, 9, 9};

uint32_t reg(const struct test *t, uint32_t offset)
{
	return t->nic->regs[offset / 4];
}

void drop_log(enum log_level level, const char *area, const char *line)
{
}

int setup_stopped(void **state)
{
	struct test *t = calloc(1, sizeof(*t));
	struct netdev_resources res;

	t->nic = calloc(1, sizeof(*t->nic));
	t->tx = calloc(FRAMES, sizeof(*t->tx));
	plat_linux_log_hook = drop_log;
	fake_82574_init(t->nic, own_mac);
	res = fake_82574_resources(t->nic);
	t->dev = netdev_attach(&res);
	assert_non_null(t->dev);
	*state = t;
	return 0;
}

int setup(void **state)
{
	struct test *t;

	setup_stopped(state);
	t = *state;
	assert_int_equal(t->dev->ops->start(t->dev), 0);
	return 0;
}

int teardown(void **state)
{
	struct test *t = *state;
	struct frame *frames[RING];

	t->dev->ops->stop(t->dev);
	while (t->dev->ops->reap(t->dev, frames, RING))
		;
	netdev_detach(t->dev);
	assert_int_equal(plat_linux_allocated(), 0);
	if (t->nic->fault)
		fail_msg("%s", t->nic->fault);
	free(t->tx);
	free(t->nic);
	free(t);
	return 0;
}

void put16(uint8_t *p, uint32_t v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
}

static uint32_t fold(uint32_t sum)
{
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return sum;
}

struct frame *make_frame(struct test_frame *t, uint8_t protocol, size_t len,
			 unsigned seg_count)
{
	size_t head_len = 34 + (protocol == 6 ? 20 : 8);
	size_t payload = len - head_len, at = 0;
	uint8_t *h = t->head;
	uint32_t l4_len = (uint32_t)len - 34;
	uint32_t sum = protocol + l4_len;

	memset(t, 0, sizeof(*t));
	memcpy(h, peer_mac, 6);
	memcpy(h + 6, own_mac, 6);
	put16(h + 12, 0x0800);
	h[14] = 0x45;
	put16(h + 16, (uint32_t)len - 14);
	h[23] = protocol;
	memcpy(h + 26, "\x0a\x00\x02\x0f\x0a\x00\x02\x02", 8);
	for (unsigned i = 26; i < 34; i += 2)
		sum += (uint32_t)h[i] << 8 | h[i + 1];
	put16(h + 34, 5001);
	put16(h + 36, 80);
	if (protocol == 17)
		put16(h + 38, l4_len);
	t->f.csum_start = 34;
	t->f.csum_offset = protocol == 6 ? 16 : 6;
	put16(h + 34 + t->f.csum_offset, fold(sum));
	for (size_t i = 0; i < payload; i++)
		t->payload[i] = (uint8_t)(i * 7 + len);
	t->f.flags = FRAME_CSUM_PARTIAL;
	t->f.head = h;
	t->f.head_len = (uint16_t)head_len;
	t->f.len = (uint32_t)len;
	t->f.seg_count = (uint8_t)seg_count;
	for (unsigned i = 0; i < seg_count; i++) {
		size_t n =
			i + 1 < seg_count ? payload / seg_count : payload - at;

		t->f.segs[i] = (struct frame_seg){t->payload + at, (uint32_t)n};
		at += n;
	}
	return &t->f;
}

struct frame *make_plain(struct test_frame *t, unsigned number)
{
	memset(t, 0, sizeof(*t));
	memcpy(t->head, peer_mac, 6);
	memcpy(t->head + 6, own_mac, 6);
	put16(t->head + 12, 0x88b5);
	put16(t->head + 14, number);
	t->f.head = t->head;
	t->f.head_len = 64;
	t->f.len = 64;
	return &t->f;
}

unsigned number_of(const uint8_t *data)
{
	return (unsigned)data[14] << 8 | data[15];
}

bool sent_as_is(const struct fake_wire_frame *w, const struct frame *f)
{
	size_t at = f->head_len;

	if (w->len != f->len)
		return false;
	for (unsigned i = 0; i < f->seg_count; i++) {
		if (memcmp(w->data + at, f->segs[i].base, f->segs[i].len))
			return false;
		at += f->segs[i].len;
	}
	return at == w->len;
}

void make_rx(uint8_t *data, uint8_t protocol, size_t len)
{
	struct test_frame t;
	uint32_t sum = 0;

	make_frame(&t, protocol, len, 1);
	memcpy(data, t.head, t.f.head_len);
	memcpy(data + t.f.head_len, t.payload, len - t.f.head_len);
	memcpy(data, own_mac, 6);
	memcpy(data + 6, peer_mac, 6);
	for (size_t i = 34; i < len; i++)
		sum += i & 1 ? data[i] : (uint32_t)data[i] << 8;
	put16(data + 34 + t.f.csum_offset, ~fold(sum));
	assert_true(fake_82574_l4_good(data, len));
}
