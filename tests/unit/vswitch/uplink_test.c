/* SPDX-License-Identifier: GPL-2.0-or-later */
/* vswitch/uplink.c over a NIC played by the test. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>
#include <linux/errno.h>
#include "tests/unit/vswitch/uplink_fixture.h"

#define RX_BUDGET 256

static const uint8_t broadcast[6] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff};

static void no_memory(void **state)
{
	plat_linux_fail_alloc(0);
	assert_null(uplink_create(&nic.dev, "x"));
	plat_linux_fail_alloc(-1);
	uplink_destroy(NULL);
}

static void starts_and_stops(void **state)
{
	struct netdev_link link;

	for (unsigned v = 0; v < NETDEV_VECTORS_MAX; v++)
		assert_true(nic.unmasked[v]);
	assert_int_equal(uplink_start(up), -EALREADY);
	uplink_link(up, &link);
	assert_true(link.up);
	assert_int_equal(link.mbps, 1000);
	uplink_stop(up);
	assert_false(nic.running);
	uplink_stop(up);
	uplink_link(up, &link);
	assert_false(link.up);
	send_frames(A, 0, 3);
	assert_int_equal(egress()->drops[DROP_DOWN], 3);
	assert_int_equal(vms[A].completions, 3);
	assert_int_equal(nic.transmits, 0);

	nic.start_error = -ETIMEDOUT;
	assert_int_equal(uplink_start(up), -ETIMEDOUT);
	assert_false(nic.unmasked[0]);
	nic.start_error = 0;
	assert_int_equal(uplink_start(up), 0);
	send_frames(A, 0, 1);
	assert_int_equal(egress()->in_flight, 1);
}

static void sends_a_batch_at_once(void **state)
{
	send_frames(A, 0, 10);
	assert_int_equal(nic.transmits, 1);
	assert_int_equal(nic.put, 10);
	assert_on_ring(0, 0, 10);
	assert_int_equal(egress()->frames, 10);
	assert_int_equal(egress()->bytes, 600);
	assert_int_equal(egress()->in_flight, 10);
	assert_int_equal(vms[A].completions, 0);
	assert_int_equal(uplink_reap(up), 0);

	fake_nic_finish(&nic, 4);
	assert_int_equal(uplink_reap(up), 4);
	assert_int_equal(vms[A].completions, 4);
	assert_int_equal(egress()->delivered, 4);
	assert_int_equal(egress()->in_flight, 6);

	fake_nic_finish(&nic, 6);
	uplink_interrupt(up, NETDEV_VECTOR_TX);
	assert_int_equal(vms[A].completions, 10);
	assert_true(nic.unmasked[NETDEV_VECTOR_TX]);
	assert_int_equal(up->stats.irqs[NETDEV_VECTOR_TX], 1);
}

static void waits_when_the_ring_is_full(void **state)
{
	nic.ring_size = 4;
	send_frames(A, 0, 10);
	assert_int_equal(nic.put, 4);
	assert_int_equal(egress()->in_flight, 10);
	assert_int_equal(up->stats.waited, 6);
	/* Nobody overtakes, though there is room now. */
	nic.ring_size = 6;
	send_frames(B, 10, 2);
	assert_int_equal(nic.put, 4);
	for (unsigned i = 0; i < 20 && nic.reaped < 12; i++) {
		fake_nic_finish(&nic, 3);
		uplink_interrupt(up, NETDEV_VECTOR_TX);
	}
	assert_int_equal(nic.put, 12);
	assert_on_ring(0, 0, 12);
	assert_int_equal(egress()->delivered, 12);
	assert_int_equal(vms[A].completions, 10);
	assert_int_equal(vms[B].completions, 2);
	/* The list is empty again, and works again. */
	send_frames(A, 12, 8);
	assert_int_equal(nic.put, 18);
	assert_on_ring(12, 12, 6);
}

static void long_pending_list(void **state)
{
	nic.ring_size = 1;
	send_frames(A, 0, 60);
	send_frames(A, 60, 60);
	send_frames(B, 120, 60);
	nic.ring_size = 150;
	fake_nic_finish(&nic, 1);
	assert_int_equal(uplink_reap(up), 1);
	assert_int_equal(nic.put, 151);
	fake_nic_finish(&nic, 200);
	/* Two batches at least, and then what was waiting. */
	assert_int_equal(uplink_reap(up), 150);
	assert_int_equal(nic.put, 180);
	assert_on_ring(0, 0, 180);
}

static void busy_senders_reap(void **state)
{
	send_frames(A, 0, 40);
	fake_nic_finish(&nic, 40);
	assert_int_equal(vms[A].completions, 0);
	send_frames(B, 40, 1);
	assert_int_equal(vms[A].completions, 40);
	assert_int_equal(egress()->in_flight, 1);
	/* With little outstanding nobody looks. */
	fake_nic_finish(&nic, 1);
	send_frames(B, 41, 1);
	assert_int_equal(vms[B].completions, 0);
}

static void too_big_goes_back(void **state)
{
	struct frame *batch[4];

	for (unsigned i = 0; i < 4; i++)
		batch[i] = outbound(A);
	vms[A].port.frame_max = 9000; /* the guest's side allows more */
	batch[0]->len = 1519;
	batch[1]->len = 1518;
	batch[2]->len = 9000;
	vswitch_input(&vms[A].port, batch, 4);
	assert_int_equal(egress()->frames, 4);
	assert_int_equal(egress()->drops[DROP_TOO_BIG], 2);
	assert_int_equal(nic.put, 2);
	assert_ptr_equal(nic.ring[0], batch[1]);
	assert_ptr_equal(nic.ring[1], batch[3]);
	assert_int_equal(vms[A].completions, 2);
}

static void stop_brings_all_back(void **state)
{
	nic.ring_size = 100;
	send_frames(A, 0, 64);
	send_frames(A, 64, 64);
	send_frames(B, 0, 64);
	fake_nic_finish(&nic, 5);
	uplink_stop(up);
	assert_int_equal(egress()->in_flight, 0);
	/* Five, and five that then went out in their place, given up. */
	assert_int_equal(egress()->delivered, 5);
	assert_int_equal(egress()->drops[DROP_DEVICE_ERROR], 187);
	assert_int_equal(vms[A].completions, 128);
	assert_int_equal(vms[B].completions, 64);
	assert_int_equal(uplink_reap(up), 0);
	/* Late messages are harmless. */
	for (unsigned v = 0; v < NETDEV_VECTORS_MAX; v++)
		uplink_interrupt(up, (enum netdev_vector)v);
	assert_int_equal(uplink_poll(up, 10), 0);
}

/* Checksums */

static uint16_t naive(const struct frame *f)
{
	uint32_t sum = 0;
	unsigned at = f->csum_start, n = 0;

	for (; at < f->head_len; at++, n++)
		sum += n & 1 ? f->head[at] : (uint32_t)f->head[at] << 8;
	for (unsigned i = 0; i < f->seg_count; i++)
		for (unsigned j = 0; j < f->segs[i].len; j++, n++) {
			uint32_t byte = ((uint8_t *)f->segs[i].base)[j];

			sum += n & 1 ? byte : byte << 8;
		}
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)~sum;
}

static struct frame *csum_frame(uint8_t *payload, size_t len)
{
	struct frame *f = outbound(A);

	for (unsigned i = ETH_HEADER_LEN; i < f->head_len; i++)
		f->head[i] = (uint8_t)(i * 37);
	for (unsigned i = 0; i < len; i++)
		payload[i] = (uint8_t)(i * 59 + 1);
	f->flags = FRAME_CSUM_PARTIAL;
	f->csum_start = 34;
	f->csum_offset = 6;
	/* In odd pieces */
	f->segs[0] = (struct frame_seg){payload, 1};
	f->segs[1] = (struct frame_seg){payload + 1, 7};
	f->segs[2] = (struct frame_seg){payload + 8, (uint32_t)len - 8};
	f->seg_count = 3;
	f->len = f->head_len + (uint32_t)len;
	return f;
}

static uint16_t csum_of(const struct frame *f)
{
	const uint8_t *field = f->head + f->csum_start + f->csum_offset;

	return (uint16_t)(field[0] << 8 | field[1]);
}

static void csum_in_software(void **state)
{
	uint8_t payload[501], untouched[501];
	struct frame *f = csum_frame(payload, sizeof(payload));
	uint16_t want = naive(f);

	memcpy(untouched, payload, sizeof(payload));
	vswitch_input(&vms[A].port, &f, 1);
	assert_int_equal(nic.put, 1);
	assert_int_equal(csum_of(f), want);
	assert_false(f->flags & FRAME_CSUM_PARTIAL);
	assert_memory_equal(payload, untouched, sizeof(payload));
	assert_int_equal(up->stats.csum_in_software, 1);
}

static void csum_of_a_flooded_frame(void **state)
{
	uint8_t payload[64];
	struct frame *f = csum_frame(payload, sizeof(payload));
	uint16_t want;

	memcpy(f->head, broadcast, ETH_ADDR_LEN);
	want = naive(f);
	vswitch_input(&vms[A].port, &f, 1);
	assert_int_equal(vms[B].got_count, 1);
	assert_int_equal(csum_of(f), want);
}

static void csum_zero_is_sent_as_ones(void **state)
{
	struct frame *f = outbound(A);

	memset(f->head + ETH_HEADER_LEN, 0, 28);
	f->flags = FRAME_CSUM_PARTIAL;
	f->csum_start = 34;
	f->csum_offset = 6;
	f->head[34] = f->head[35] = 0xff; /* sums up to ffff */
	f->len = f->head_len;
	vswitch_input(&vms[A].port, &f, 1);
	assert_int_equal(csum_of(f), 0xffff);
}

static void csum_left_to_the_nic(void **state)
{
	uint8_t payload[100];
	struct frame *f = csum_frame(payload, sizeof(payload));
	uint16_t before = csum_of(f);

	nic.dev.caps = NETDEV_CSUM;
	vswitch_input(&vms[A].port, &f, 1);
	assert_int_equal(csum_of(f), before);
	assert_true(f->flags & FRAME_CSUM_PARTIAL);
	assert_int_equal(up->stats.csum_in_software, 0);

	/* Where the NIC's reach ends */
	for (unsigned end = 255; end <= 257; end++) {
		static uint8_t head[400];

		f = outbound(A);
		memcpy(head, f->head, ETH_HEADER_LEN);
		f->head = head;
		f->len = f->head_len = sizeof(head);
		f->flags = FRAME_CSUM_PARTIAL;
		f->csum_start = (uint16_t)(end - 8);
		f->csum_offset = 6;
		vswitch_input(&vms[A].port, &f, 1);
		assert_int_equal(up->stats.csum_in_software, end == 257);
	}
}

/* Receive */

static void from_the_wire(unsigned to, unsigned source, unsigned count)
{
	uint8_t dst[ETH_ADDR_LEN], src[ETH_ADDR_LEN];

	fake_mac(dst, to + 1);
	fake_mac(src, source);
	for (unsigned i = 0; i < count; i++)
		fake_nic_receive(&nic, dst, src);
}

static void receives(void **state)
{
	from_the_wire(A, STRANGER, 5);
	from_the_wire(B, STRANGER, 2);
	uplink_interrupt(up, NETDEV_VECTOR_RX);
	assert_int_equal(vms[A].got_count, 5);
	assert_int_equal(vms[A].deliveries, 1);
	assert_int_equal(vms[B].got_count, 2);
	assert_int_equal(up->port.ingress.forwarded, 7);
	assert_int_equal(up->stats.polls, 1);
	assert_true(nic.unmasked[NETDEV_VECTOR_RX]);
	/* Nothing there: unmasked all the same. */
	uplink_interrupt(up, NETDEV_VECTOR_RX);
	assert_int_equal(nic.acks[NETDEV_VECTOR_RX], 2);
	assert_true(nic.unmasked[NETDEV_VECTOR_RX]);
	assert_int_equal(plat_linux_run_work(), 0);
	/* Answers find their way back to the wire. */
	send_frames(A, 0, 1);
	assert_int_equal(vms[A].port.ingress.forwarded, 1);
}

static void polls_with_a_budget(void **state)
{
	from_the_wire(A, STRANGER, 2 * RX_BUDGET + 3);
	uplink_interrupt(up, NETDEV_VECTOR_RX);
	assert_int_equal(vms[A].got_count, RX_BUDGET);
	assert_false(nic.unmasked[NETDEV_VECTOR_RX]);
	assert_int_equal(plat_linux_run_work(), 1);
	assert_int_equal(vms[A].got_count, 2 * RX_BUDGET);
	assert_false(nic.unmasked[NETDEV_VECTOR_RX]);
	assert_int_equal(plat_linux_run_work(), 1);
	assert_int_equal(vms[A].got_count, 2 * RX_BUDGET + 3);
	assert_true(nic.unmasked[NETDEV_VECTOR_RX]);
	assert_int_equal(plat_linux_run_work(), 0);
	assert_int_equal(up->stats.budget_spent, 2);

	from_the_wire(A, STRANGER, 100);
	assert_int_equal(uplink_poll(up, 70), 70);
	assert_int_equal(uplink_poll(up, 70), 30);
	assert_int_equal(uplink_poll(up, 70), 0);
}

static void work_after_the_stop(void **state)
{
	from_the_wire(A, STRANGER, RX_BUDGET + 10);
	uplink_interrupt(up, NETDEV_VECTOR_RX);
	uplink_stop(up);
	assert_int_equal(plat_linux_run_work(), 1);
	assert_int_equal(vms[A].got_count, RX_BUDGET);
	assert_false(nic.unmasked[NETDEV_VECTOR_RX]);
}

static void forged_on_the_wire(void **state)
{
	from_the_wire(B, A + 1, 1);
	from_the_wire(B, B + 1, 1);
	uplink_interrupt(up, NETDEV_VECTOR_RX);
	assert_int_equal(up->port.ingress.drops[DROP_SPOOFED], 2);
	assert_int_equal(vms[B].got_count, 0);
	assert_int_equal(warnings, 0);
}

/* Link and filter */

static void link_goes_and_comes(void **state)
{
	nic.ring_size = 2;
	send_frames(A, 0, 5);
	nic.link.up = false;
	uplink_interrupt(up, NETDEV_VECTOR_OTHER);
	assert_int_equal(warnings, 1);
	assert_true(nic.unmasked[NETDEV_VECTOR_OTHER]);
	/* Nothing is left with a NIC that will not send it. */
	assert_int_equal(egress()->drops[DROP_DOWN], 5);
	assert_int_equal(egress()->in_flight, 0);
	assert_int_equal(vms[A].completions, 5);
	assert_int_equal(nic.starts, 2);
	assert_true(nic.running);
	send_frames(A, 5, 2);
	assert_int_equal(egress()->drops[DROP_DOWN], 7);
	assert_int_equal(warnings, 1);
	/* Up again: found even without a message. */
	nic.link.up = true;
	send_frames(A, 7, 1);
	assert_int_equal(egress()->in_flight, 1);
	assert_int_equal(nic.put, 3);
	/* What was sent before counts as such; nothing to save, no restart. */
	fake_nic_finish(&nic, 1);
	nic.link.up = false;
	uplink_interrupt(up, NETDEV_VECTOR_OTHER);
	assert_int_equal(egress()->delivered, 1);
	assert_int_equal(egress()->drops[DROP_DOWN], 7);
	uplink_interrupt(up, NETDEV_VECTOR_OTHER);
	assert_int_equal(nic.starts, 3);
}

/* It says so, and nobody waits for frames. */
static void nic_does_not_come_back(void **state)
{
	send_frames(A, 0, 2);
	nic.link.up = false;
	nic.start_error = -ETIMEDOUT;
	uplink_interrupt(up, NETDEV_VECTOR_OTHER);
	assert_int_equal(egress()->in_flight, 0);
	assert_int_equal(vms[A].completions, 2);
	nic.link.up = true;
	send_frames(A, 2, 1);
	assert_int_equal(egress()->drops[DROP_DOWN], 3);
	nic.start_error = 0;
}

static void filter_follows_the_ports(void **state)
{
	uplink_update_filter(up);
	assert_int_equal(nic.mac_count, 2);
	assert_memory_equal(nic.macs[A], vms[A].port.macs[0], ETH_ADDR_LEN);
	assert_memory_equal(nic.macs[B], vms[B].port.macs[0], ETH_ADDR_LEN);
	assert_false(nic.promiscuous);

	vswitch_detach(&vms[B].port);
	uplink_update_filter(up);
	assert_int_equal(nic.mac_count, 1);
	vms[B].port.promiscuous = true;
	assert_int_equal(vswitch_attach(sw, &vms[B].port), 0);
	uplink_update_filter(up);
	assert_true(nic.promiscuous);

	vswitch_detach(&vms[B].port);
	vms[B].port.promiscuous = false;
	for (unsigned n = NETDEV_FILTER_MAX - 2; n < 16; n++) {
		vms[B].port.mac_count = (uint8_t)n;
		for (unsigned i = 1; i < n; i++)
			fake_mac(vms[B].port.macs[i], 1000 + i);
		assert_int_equal(vswitch_attach(sw, &vms[B].port), 0);
		uplink_update_filter(up);
		assert_int_equal(nic.promiscuous, n + 1 > NETDEV_FILTER_MAX);
		vswitch_detach(&vms[B].port);
	}
	uplink_detach(up);
	uplink_update_filter(up);
	assert_int_equal(nic.mac_count, 0);
	assert_false(nic.promiscuous);
	assert_int_equal(uplink_attach(up, sw), 0);
}

/* All of it at random, with stops and starts in between. */
static void random_load(void **state)
{
	struct port *all[] = {&up->port, &vms[A].port, &vms[B].port};
	uint32_t seed = 88172645;
	unsigned next = 0;

	for (unsigned round = 0; round < 5000; round++) {
		unsigned vm, room, count;

		seed ^= seed << 13;
		seed ^= seed >> 17;
		seed ^= seed << 5;
		vm = seed >> 8 & 1;
		count = 1 + (seed >> 9) % 40;
		switch (seed % 8) {
		case 0:
			nic.ring_size = 1 + (seed >> 9) % 64;
			break;
		case 1:
			fake_nic_finish(&nic, count);
			uplink_interrupt(up, NETDEV_VECTOR_TX);
			break;
		case 2:
			fake_nic_finish(&nic, count);
			break;
		case 3:
			from_the_wire(vm, STRANGER + vm, count);
			uplink_interrupt(up, NETDEV_VECTOR_RX);
			break;
		case 4:
			if (count > 1)
				break;
			uplink_stop(up);
			assert_int_equal(egress()->in_flight, 0);
			assert_int_equal(uplink_start(up), 0);
			break;
		default:
			room = fake_free(&vms[vm]);
			if (room)
				send_frames(vm, next, MIN(count, room));
			next += count;
		}
		assert_true(fake_ledgers_ok(sw, all, ARRAY_SIZE(all)));
	}
	assert_true(egress()->delivered > 1000);
	assert_true(up->stats.waited > 100);
	assert_true(egress()->drops[DROP_DEVICE_ERROR] > 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(no_memory),
		TEST(starts_and_stops),
		TEST(sends_a_batch_at_once),
		TEST(waits_when_the_ring_is_full),
		TEST(long_pending_list),
		TEST(busy_senders_reap),
		TEST(too_big_goes_back),
		TEST(stop_brings_all_back),
		TEST(csum_in_software),
		TEST(csum_of_a_flooded_frame),
		TEST(csum_zero_is_sent_as_ones),
		TEST(csum_left_to_the_nic),
		TEST(receives),
		TEST(polls_with_a_budget),
		TEST(work_after_the_stop),
		TEST(forged_on_the_wire),
		TEST(link_goes_and_comes),
		TEST(nic_does_not_come_back),
		TEST(filter_follows_the_ports),
		TEST(random_load),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
