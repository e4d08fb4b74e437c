/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The 82574L driver against a fake 82574: set-up, stop, filter, interrupts. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <linux/errno.h>

#include "drivers/net/e1000e_reg.h"
#include "plat/linux/linux.h"
#include "tests/unit/drivers/net/e1000e_fixture.h"

/* Attach */

static void test_known(void **state)
{
	assert_true(netdev_known(0x8086, 0x10d3));
	assert_false(netdev_known(0x8086, 0x100e));
	assert_false(netdev_known(0x10d3, 0x8086));
}

static void test_attach(void **state)
{
	struct fake_82574 *nic = calloc(1, sizeof(*nic));
	static const uint8_t zero[6], group[] = {1, 0, 0x5e, 0, 0, 1};
	struct netdev_resources res;
	struct netdev *dev;

	plat_linux_log_hook = drop_log;
	fake_82574_init(nic, own_mac);
	res = fake_82574_resources(nic);
	dev = netdev_attach(&res);
	assert_non_null(dev);
	assert_memory_equal(dev->mac, own_mac, 6);
	assert_int_equal(dev->caps, NETDEV_CSUM | NETDEV_RX_CSUM | NETDEV_TSO);
	assert_int_equal(dev->frame_max, 1518);
	assert_string_equal(dev->ops->name, "e1000e");
	assert_int_equal(nic->log_count, 0); /* nothing is started */
	netdev_detach(dev);
	netdev_detach(NULL);
	assert_int_equal(plat_linux_allocated(), 0);

	res.device = 0x1533;
	assert_null(netdev_attach(&res));
	res.device = 0x10d3;
	res.regs.size = 0x4000;
	assert_null(netdev_attach(&res));

	/* The NVM's word, when RAR 0 is empty. */
	fake_82574_init(nic, own_mac);
	nic->regs[E1000E_RAH(0) / 4] = 0;
	res = fake_82574_resources(nic);
	dev = netdev_attach(&res);
	assert_non_null(dev);
	assert_memory_equal(dev->mac, own_mac, 6);
	netdev_detach(dev);

	nic->nvm_stuck = true;
	assert_null(netdev_attach(&res));
	fake_82574_init(nic, zero);
	assert_null(netdev_attach(&res));
	fake_82574_init(nic, group);
	assert_null(netdev_attach(&res));
	assert_null(nic->fault);
	free(nic);
}

/* Start */

static void test_start_values(void **state)
{
	struct test *t = *state;
	uint64_t ring;

	assert_int_equal(t->nic->resets, 1);
	assert_int_equal(reg(t, 0x100),
			 1u << 1 | 1u << 4 | 1u << 15 | 1u << 26); /* RCTL */
	assert_int_equal(reg(t, 0x400),				   /* TCTL */
			 1u << 1 | 1u << 3 | 0x0f << 4 | 0x3f << 12);
	assert_int_equal(reg(t, 0x410), 8 | 2 << 10 | 10 << 20); /* TIPG */
	assert_int_equal(reg(t, 0) & (1u << 6 | 1u << 5 | 1u << 2), 1u << 6);
	assert_int_equal(reg(t, 0xd0), 0);		     /* IMS */
	assert_int_equal(reg(t, 0xe4), 0x800a0908);	     /* IVAR */
	assert_int_equal(reg(t, 0xdc), 1u << 20 | 1u << 22); /* EIAC */
	assert_int_equal(reg(t, 0xe0), 1u << 20 | 1u << 22); /* IAM */
	assert_int_equal(reg(t, 0xe8), 20000 / 256);	     /* EITR 0 */
	assert_int_equal(reg(t, 0x18) & (1u << 24 | 1u << 27 | 1u << 31),
			 1u << 24 | 1u << 31);		     /* CTRL_EXT */
	assert_int_equal(reg(t, 0x5000), 1u << 8 | 1u << 9); /* RXCSUM */
	assert_true(reg(t, 0x5008) & 1u << 15);		     /* RFCTL */
	assert_true(reg(t, 0x5008) & 1u << 12);
	assert_int_equal(reg(t, 0x3828), 31 | 1 << 8 | 1 << 22 | 1 << 24);
	assert_int_equal(reg(t, 0x5400), 0x00005452); /* RAL 0 */
	assert_int_equal(reg(t, 0x5404), 1u << 31 | 0x0200);
	for (unsigned i = 1; i < 16; i++)
		assert_int_equal(reg(t, 0x5404 + 8 * i), 0);
	for (unsigned i = 0; i < 128; i++)
		assert_int_equal(reg(t, 0x5200 + 4 * i), 0);
	assert_int_equal(reg(t, 0x2808), RING * 16);
	assert_int_equal(reg(t, 0x3808), RING * 16);
	assert_int_equal(reg(t, 0x2810), 0);
	assert_int_equal(reg(t, 0x2818), RING - 1);
	assert_int_equal(reg(t, 0x3810), 0);
	assert_int_equal(reg(t, 0x3818), 0);
	ring = (uint64_t)reg(t, 0x2804) << 32 | reg(t, 0x2800);
	assert_int_equal(ring % 128, 0);
	assert_int_not_equal(ring, 0);
	assert_int_equal(fake_82574_rx_room(t->nic), RING - 1);
}

/* The datasheet's order (4.6): masked, quiet, reset, masked, rings, receiver
 * on last. */
static void test_start_order(void **state)
{
	struct test *t = *state;
	const struct fake_82574 *nic = t->nic;
	int mask = fake_82574_find_write(nic, 0, E1000E_IMC);
	int off = fake_82574_find_write(nic, 0, E1000E_RCTL);
	int reset = fake_82574_find_write(nic, 0, E1000E_CTRL);
	int again, tail, last;

	while (!(nic->log[reset].value & CTRL_RST))
		reset = fake_82574_find_write(nic, (unsigned)reset + 1,
					      E1000E_CTRL);
	assert_int_equal(mask, 0);
	assert_int_equal(nic->log[mask].value, 0xffffffff);
	assert_true(off >= 0 && off < reset);
	assert_false(nic->log[off].value & RCTL_EN);
	again = fake_82574_find_write(nic, (unsigned)reset, E1000E_IMC);
	tail = fake_82574_find_write(nic, (unsigned)reset, E1000E_RDT);
	last = fake_82574_find_write(nic, (unsigned)reset, E1000E_RCTL);
	assert_true(again > reset && tail > again && last > tail);
	assert_int_equal(last, nic->log_count - 1);
	assert_true(nic->log[last].value & RCTL_EN);
	assert_true(fake_82574_find_write(nic, (unsigned)reset, E1000E_TCTL) >
		    fake_82574_find_write(nic, (unsigned)reset, E1000E_TDT));
	assert_int_equal(nic->messages[0] + nic->messages[1] + nic->messages[2],
			 0);
}

static void test_start_errors(void **state)
{
	struct test *t = *state;
	uint64_t begin;

	t->nic->gone = true;
	assert_int_equal(t->dev->ops->start(t->dev), -ENODEV);
	t->nic->gone = false;

	t->nic->reset_stuck = true;
	begin = plat_now_ns();
	assert_int_equal(t->dev->ops->start(t->dev), -ETIMEDOUT);
	assert_true(plat_now_ns() - begin < 5000000000u);
	t->nic->reset_stuck = false;

	t->nic->nvm_stuck = true;
	assert_int_equal(t->dev->ops->start(t->dev), -ETIMEDOUT);
	t->nic->nvm_stuck = false;
	assert_int_equal(reg(t, E1000E_RCTL), 0);
	assert_int_equal(reg(t, E1000E_IMS), 0);

	/* Not running: nothing works, nothing crashes. */
	{
		struct frame *f = make_plain(&t->tx[0], 0), *out[4];
		struct netdev_link link;

		assert_int_equal(t->dev->ops->transmit(t->dev, &f, 1), 0);
		assert_int_equal(t->dev->ops->reap(t->dev, out, 4), 0);
		assert_int_equal(t->dev->ops->poll(t->dev, out, 4), 0);
		t->dev->ops->irq_enable(t->dev, NETDEV_VECTOR_RX, true);
		assert_int_equal(reg(t, E1000E_IMS), 0);
		t->dev->ops->link(t->dev, &link);
		t->dev->ops->stop(t->dev);
	}

	/* A master that does not go quiet is reset all the same. */
	t->nic->master_stuck = true;
	assert_int_equal(t->dev->ops->start(t->dev), 0);
	assert_false(reg(t, E1000E_CTRL) & CTRL_GIO_MASTER_DISABLE);
	assert_true(reg(t, E1000E_RCTL) & RCTL_EN);
}

/* Out of memory at every step: said, nothing lost, and better luck later. */
static void test_no_memory(void **state)
{
	struct test *t = *state;
	struct netdev_resources res = fake_82574_resources(t->nic);
	size_t before = plat_linux_allocated();

	plat_linux_fail_alloc(0);
	assert_null(netdev_attach(&res));
	for (int count = 0; count < 4; count++) {
		plat_linux_fail_alloc(count);
		assert_int_equal(t->dev->ops->start(t->dev), -ENOMEM);
		assert_int_equal(plat_linux_allocated(), before);
	}
	assert_int_equal(t->nic->resets, 0);
	plat_linux_fail_alloc(-1);
	assert_int_equal(t->dev->ops->start(t->dev), 0);
	assert_true(plat_linux_allocated() > before);
}

static void test_stop_returns_frames(void **state)
{
	struct test *t = *state;
	struct frame *f[10], *back[10];

	for (unsigned i = 0; i < 10; i++)
		f[i] = make_frame(&t->tx[i], 6, 400, 2);
	t->nic->hold_tx = true;
	assert_int_equal(t->dev->ops->transmit(t->dev, f, 10), 10);
	t->dev->ops->irq_enable(t->dev, NETDEV_VECTOR_TX, true);
	t->dev->ops->stop(t->dev);
	assert_false(reg(t, E1000E_RCTL) & RCTL_EN);
	assert_false(reg(t, E1000E_TCTL) & TCTL_EN);
	assert_false(reg(t, E1000E_STATUS) & STATUS_GIO_MASTER_ENABLE);
	assert_int_equal(reg(t, E1000E_IMS), 0);
	assert_int_equal(fake_82574_send(t->nic, ~0u), 0);
	assert_int_equal(t->dev->ops->transmit(t->dev, f, 1), 0);
	assert_int_equal(t->dev->ops->reap(t->dev, back, 4), 4);
	assert_int_equal(t->dev->ops->reap(t->dev, back + 4, 10), 6);
	assert_memory_equal(back, f, sizeof(f));
	assert_int_equal(t->dev->ops->reap(t->dev, back, 10), 0);

	/* And off again, with nothing left over. */
	t->nic->hold_tx = false;
	assert_int_equal(t->dev->ops->start(t->dev), 0);
	assert_int_equal(t->dev->ops->transmit(t->dev, f, 10), 10);
	assert_int_equal(t->nic->wire_count, 10);
	assert_int_equal(t->dev->ops->reap(t->dev, back, 10), 10);

	/* Where the master will not stop, only a reset ends DMA. */
	t->nic->master_stuck = true;
	t->nic->resets = 0;
	t->dev->ops->stop(t->dev);
	assert_int_equal(t->nic->resets, 1);
}

static void test_filter(void **state)
{
	static const uint8_t broadcast[] = {255, 255, 255, 255, 255, 255};
	static const uint8_t group[] = {0x33, 0x33, 0, 0, 0, 1};
	struct test *t = *state;
	uint8_t macs[20][ETH_ADDR_LEN], data[64] = {0};

	for (unsigned i = 0; i < 20; i++)
		memcpy(macs[i], (uint8_t[]){2, 0, 0, 0, 1, (uint8_t)i}, 6);

	memcpy(data, own_mac, 6);
	assert_true(fake_82574_receive(t->nic, data, 64));
	memcpy(data, broadcast, 6);
	assert_true(fake_82574_receive(t->nic, data, 64));
	memcpy(data, group, 6);
	assert_true(fake_82574_receive(t->nic, data, 64));
	memcpy(data, macs[0], 6);
	assert_false(fake_82574_receive(t->nic, data, 64));

	t->dev->ops->filter(t->dev, (const uint8_t(*)[6])macs, 15, false);
	for (unsigned i = 0; i < 20; i++) {
		memcpy(data, macs[i], 6);
		assert_int_equal(fake_82574_receive(t->nic, data, 64), i < 15);
	}
	t->dev->ops->filter(t->dev, (const uint8_t(*)[6])macs, 2, false);
	for (unsigned i = 0; i < 20; i++) {
		memcpy(data, macs[i], 6);
		assert_int_equal(fake_82574_receive(t->nic, data, 64), i < 2);
	}
	t->dev->ops->filter(t->dev, (const uint8_t(*)[6])macs, 16, false);
	memcpy(data, peer_mac, 6);
	assert_true(fake_82574_receive(t->nic, data, 64));
	t->dev->ops->filter(t->dev, NULL, 0, false);
	assert_false(fake_82574_receive(t->nic, data, 64));
	t->dev->ops->filter(t->dev, NULL, 0, true);
	assert_true(fake_82574_receive(t->nic, data, 64));
	memcpy(data, own_mac, 6);
	assert_true(fake_82574_receive(t->nic, data, 64));

	/* Set while stopped, and kept over a restart. */
	t->dev->ops->stop(t->dev);
	t->dev->ops->filter(t->dev, (const uint8_t(*)[6])macs, 3, false);
	assert_int_equal(t->dev->ops->start(t->dev), 0);
	memcpy(data, macs[2], 6);
	assert_true(fake_82574_receive(t->nic, data, 64));
	memcpy(data, peer_mac, 6);
	assert_false(fake_82574_receive(t->nic, data, 64));
}

/* Interrupts */

static void test_irq_rx(void **state)
{
	struct test *t = *state;
	const struct netdev_ops *ops = t->dev->ops;
	uint64_t *messages = &t->nic->messages[NETDEV_VECTOR_RX];
	uint8_t data[64] = {0};
	struct frame *got[16];

	memcpy(data, own_mac, 6);
	/* Masked from the start; a cause that came up fires on unmasking. */
	fake_82574_receive(t->nic, data, 64);
	assert_int_equal(*messages, 0);
	ops->irq_enable(t->dev, NETDEV_VECTOR_RX, true);
	assert_int_equal(*messages, 1);
	ops->irq_ack(t->dev, NETDEV_VECTOR_RX);
	assert_int_equal(t->dev->stats.interrupts[NETDEV_VECTOR_RX], 1);

	/* Masked by the message itself. */
	assert_int_equal(ops->poll(t->dev, got, 16), 1);
	fake_82574_receive(t->nic, data, 64);
	assert_int_equal(*messages, 1);
	assert_int_equal(ops->poll(t->dev, got, 16), 1);
	assert_int_equal(ops->poll(t->dev, got, 16), 0);
	ops->irq_enable(t->dev, NETDEV_VECTOR_RX, true);
	assert_int_equal(*messages, 2);
	ops->irq_ack(t->dev, NETDEV_VECTOR_RX);

	/* A dry ring and no cause: silence, then an edge. */
	ops->irq_enable(t->dev, NETDEV_VECTOR_RX, true);
	assert_int_equal(*messages, 2);
	fake_82574_receive(t->nic, data, 64);
	assert_int_equal(*messages, 3);
	fake_82574_receive(t->nic, data, 64);
	fake_82574_receive(t->nic, data, 64);
	ops->irq_ack(t->dev, NETDEV_VECTOR_RX);

	/* The budget ran out after the causes were spent: it comes back. */
	ops->irq_enable(t->dev, NETDEV_VECTOR_RX, true);
	assert_int_equal(*messages, 4);
	assert_int_equal(reg(t, E1000E_ICR) & CAUSE_RXQ0, 0);
	assert_int_equal(ops->poll(t->dev, got, 2), 2);
	ops->irq_enable(t->dev, NETDEV_VECTOR_RX, true);
	assert_int_equal(*messages, 5);
	assert_int_equal(ops->poll(t->dev, got, 2), 1);
	ops->irq_enable(t->dev, NETDEV_VECTOR_RX, true);
	assert_int_equal(*messages, 5);

	/* Explicit masking. */
	ops->irq_enable(t->dev, NETDEV_VECTOR_RX, false);
	fake_82574_receive(t->nic, data, 64);
	assert_int_equal(*messages, 5);
	ops->irq_enable(t->dev, NETDEV_VECTOR_RX, true);
	assert_int_equal(*messages, 6);
	assert_int_equal(t->nic->messages[NETDEV_VECTOR_TX], 0);
	assert_int_equal(t->nic->messages[NETDEV_VECTOR_OTHER], 0);
}

static void test_irq_tx(void **state)
{
	struct test *t = *state;
	const struct netdev_ops *ops = t->dev->ops;
	uint64_t *messages = &t->nic->messages[NETDEV_VECTOR_TX];
	struct frame *f[4], *back[4];

	for (unsigned i = 0; i < 4; i++)
		f[i] = make_plain(&t->tx[i], i);
	ops->transmit(t->dev, f, 2);
	assert_int_equal(*messages, 0);
	ops->irq_enable(t->dev, NETDEV_VECTOR_TX, true);
	assert_int_equal(*messages, 1);
	ops->irq_ack(t->dev, NETDEV_VECTOR_TX);
	/* One of two reaped: the other raises it again. */
	assert_int_equal(ops->reap(t->dev, back, 1), 1);
	ops->irq_enable(t->dev, NETDEV_VECTOR_TX, true);
	assert_int_equal(*messages, 2);
	assert_int_equal(ops->reap(t->dev, back, 4), 1);
	ops->irq_enable(t->dev, NETDEV_VECTOR_TX, true);
	assert_int_equal(*messages, 2);
	/* Not finished is not pending. */
	t->nic->hold_tx = true;
	ops->transmit(t->dev, f + 2, 2);
	ops->irq_enable(t->dev, NETDEV_VECTOR_TX, true);
	assert_int_equal(*messages, 2);
	fake_82574_send(t->nic, ~0u);
	assert_int_equal(*messages, 3);
	/* Reported, not reaped, cause spent: comes back. */
	ops->irq_enable(t->dev, NETDEV_VECTOR_TX, true);
	assert_int_equal(*messages, 4);
	assert_int_equal(ops->reap(t->dev, back, 4), 2);
	assert_int_equal(t->nic->messages[NETDEV_VECTOR_RX], 0);
	assert_int_equal(t->dev->stats.interrupts[NETDEV_VECTOR_TX], 1);
}

static void test_irq_other(void **state)
{
	struct test *t = *state;
	const struct netdev_ops *ops = t->dev->ops;
	uint64_t *messages = &t->nic->messages[NETDEV_VECTOR_OTHER];
	struct netdev_link link;
	uint8_t data[64] = {0};

	ops->link(t->dev, &link);
	assert_true(link.up && link.full_duplex);
	assert_int_equal(link.mbps, 1000);
	assert_true(t->dev->caps & NETDEV_TSO);

	ops->irq_enable(t->dev, NETDEV_VECTOR_OTHER, true);
	fake_82574_set_link(t->nic, false);
	assert_int_equal(*messages, 1);

	/* A queue's cause that stands meanwhile is not taken away. */
	memcpy(data, own_mac, 6);
	fake_82574_set_link(t->nic, true);
	fake_82574_receive(t->nic, data, 64);
	ops->irq_ack(t->dev, NETDEV_VECTOR_OTHER);
	assert_int_equal(reg(t, E1000E_ICR), CAUSE_RXQ0);
	fake_82574_set_link(t->nic, false); /* masked: waits */
	assert_int_equal(*messages, 1);
	ops->irq_enable(t->dev, NETDEV_VECTOR_OTHER, true);
	assert_int_equal(*messages, 2);
	ops->irq_ack(t->dev, NETDEV_VECTOR_OTHER);
	ops->irq_enable(t->dev, NETDEV_VECTOR_OTHER, true);
	assert_int_equal(*messages, 2);
	ops->link(t->dev, &link);
	assert_false(link.up);
	assert_int_equal(link.mbps, 0);

	t->nic->regs[E1000E_STATUS / 4] = STATUS_LU | 1u << 6;
	ops->link(t->dev, &link);
	assert_true(link.up && !link.full_duplex);
	assert_int_equal(link.mbps, 100);
	assert_int_equal(t->dev->caps, NETDEV_CSUM | NETDEV_RX_CSUM);
	t->nic->regs[E1000E_STATUS / 4] = STATUS_LU | 2u << 6;
	ops->link(t->dev, &link);
	assert_true(t->dev->caps & NETDEV_TSO);
	t->nic->gone = true;
	ops->link(t->dev, &link);
	assert_false(link.up);
	t->nic->gone = false;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_known),
		cmocka_unit_test(test_attach),
		TEST(test_start_values),
		TEST(test_start_order),
		cmocka_unit_test_setup_teardown(test_start_errors,
						setup_stopped, teardown),
		cmocka_unit_test_setup_teardown(test_no_memory, setup_stopped,
						teardown),
		TEST(test_stop_returns_frames),
		TEST(test_filter),
		TEST(test_irq_rx),
		TEST(test_irq_tx),
		TEST(test_irq_other),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
