/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Commands on the control queue that make no sense, where there is one. */
#include <linux/virtio_config.h>
#include <string.h>

#include "tests/guest/hostile_frame/hostile_frame.h"

/*
 * Virtio 1.2, 5.1.6.5. A command that is refused changes nothing: the card
 * still takes the answer to a broadcast question.
 */
#define DATA_MAX	128
#define CLASS_UNKNOWN	0x7f
#define RANDOM_COMMANDS 2000

static struct virtio_net_ctrl_hdr command;
static uint8_t data[PAGE_SIZE * 32];
static uint8_t answer;

/* The answer, or -1: none came. */
static int send_pieces(const struct net_piece *pieces, unsigned count)
{
	struct vring_used_elem elem;

	answer = 0xee;
	net_post(NET_CTRL, pieces, count);
	net_kick(NET_CTRL);
	return net_take(NET_CTRL, &elem) ? answer : -1;
}

static int send_command(uint8_t class, uint8_t cmd, uint32_t len)
{
	struct net_piece pieces[] = {
		{(uintptr_t)&command, sizeof(command), 0},
		{(uintptr_t)data, len, 0},
		{(uintptr_t)&answer, 1, VRING_DESC_F_WRITE},
	};

	command.class = class;
	command.cmd = cmd;
	if (len)
		return send_pieces(pieces, 3);
	pieces[1] = pieces[2];
	return send_pieces(pieces, 2);
}

static const struct {
	const char *name;
	uint8_t class, cmd;
	uint32_t len;
	uint8_t data[DATA_MAX];
} refused[] = {
	{"a class that is none", CLASS_UNKNOWN, 0, 1, {0}},
	{"a mode that is none", VIRTIO_NET_CTRL_RX, 6, 1, {1}},
	{"a mode far from any", VIRTIO_NET_CTRL_RX, 0xff, 1, {1}},
	{"a mode neither on nor off", VIRTIO_NET_CTRL_RX, 0, 1, {2}},
	{"a mode without its value", VIRTIO_NET_CTRL_RX, 0, 0, {0}},
	{"an address command that is none", VIRTIO_NET_CTRL_MAC, 7, 6, {0}},
	{"no address table", VIRTIO_NET_CTRL_MAC, 0, 0, {0}},
	{"half of a count", VIRTIO_NET_CTRL_MAC, 0, 2, {1}},
	{"one table of two", VIRTIO_NET_CTRL_MAC, 0, 4, {0}},
	{"a table of 4 billion",
	 VIRTIO_NET_CTRL_MAC,
	 0,
	 16,
	 {0xff, 0xff, 0xff, 0xff}},
	{"a table whose size wraps",
	 VIRTIO_NET_CTRL_MAC,
	 0,
	 16,
	 {0xab, 0xaa, 0xaa, 0x2a}},
	{"a table less a byte", VIRTIO_NET_CTRL_MAC, 0, 13, {1}},
	{"a second table too long", VIRTIO_NET_CTRL_MAC, 0, 8, {0, 0, 0, 0, 1}},
	{"a group's address", VIRTIO_NET_CTRL_MAC, 1, 6, {1, 0, 0x5e, 0, 0, 1}},
	{"somebody's address",
	 VIRTIO_NET_CTRL_MAC,
	 1,
	 6,
	 {0x52, 0x54, 0, 1, 0, 0x7f}},
	{"half of an address", VIRTIO_NET_CTRL_MAC, 1, 3, {0x52, 0x54, 0}},
	{"a VLAN that is none", VIRTIO_NET_CTRL_VLAN, 0, 2, {0, 0x10}},
	{"half of a VLAN", VIRTIO_NET_CTRL_VLAN, 0, 1, {1}},
	{"a VLAN command that is none", VIRTIO_NET_CTRL_VLAN, 2, 2, {1}},
	{"an announcement of another kind",
	 VIRTIO_NET_CTRL_ANNOUNCE,
	 1,
	 0,
	 {0}},
	{"pairs of queues", 4, 0, 2, {0xff, 0xff}},
};

static void send_refused(void)
{
	for (unsigned i = 0; i < ARRAY_SIZE(refused); i++) {
		memcpy(data, refused[i].data, DATA_MAX);
		payload_check_equal(refused[i].name,
				    (uint64_t)send_command(refused[i].class,
							   refused[i].cmd,
							   refused[i].len),
				    VIRTIO_NET_ERR);
		hostile_prove_as_is(refused[i].name);
	}
}

/* Long ones are good; their end is not looked at. */
static void send_long(void)
{
	struct net_piece pieces[NET_QUEUE_SIZE];
	unsigned count = 0;

	memset(data, 0, sizeof(data));
	data[1] = 0x10; /* 4096 addresses, which all are let pass */
	payload_check_equal(
		"a long table",
		(uint64_t)send_command(VIRTIO_NET_CTRL_MAC, 0, sizeof(data)),
		VIRTIO_NET_OK);
	memset(data, 0, DATA_MAX);
	data[0] = 1;
	command.class = VIRTIO_NET_CTRL_RX;
	command.cmd = VIRTIO_NET_CTRL_RX_PROMISC;
	pieces[count++] = (struct net_piece){(uintptr_t)&command, 1, 0};
	pieces[count++] = (struct net_piece){(uintptr_t)&command + 1, 1, 0};
	while (count < NET_QUEUE_SIZE - 1)
		pieces[count++] = (struct net_piece){(uintptr_t)data, 1, 0};
	pieces[count++] =
		(struct net_piece){(uintptr_t)&answer, 1, VRING_DESC_F_WRITE};
	payload_check_equal("a command in 64 pieces",
			    (uint64_t)send_pieces(pieces, count),
			    VIRTIO_NET_OK);
	hostile_prove_as_is("long commands");
}

/* No room for the answer: no command. */
static void send_unanswerable(void)
{
	const struct net_piece piece = {(uintptr_t)&command, sizeof(command),
					0};

	net_post(NET_CTRL, &piece, 1);
	net_kick(NET_CTRL);
	CHECK("a command without an answer", net_needs_reset());
	hostile_expect("ctrl", "bad_buffer", 1);
	hostile_prove("a command without an answer");
}

static void send_random(void)
{
	unsigned answered = 0;

	CHECK("the card starts with all it offers", net_start(net.offered));
	for (unsigned i = 0; i < RANDOM_COMMANDS; i++) {
		uint32_t r = hostile_random();
		int got;

		for (unsigned k = 0; k < DATA_MAX; k += 4) {
			uint32_t value = hostile_random();

			memcpy(data + k, &value, sizeof(value));
		}
		got = send_command(r & 7, r >> 3 & 7, r >> 6 & 0x7f);
		answered += got == VIRTIO_NET_OK || got == VIRTIO_NET_ERR;
	}
	payload_check_equal("random commands are answered", answered,
			    RANDOM_COMMANDS);
	hostile_prove("random commands");
}

void frame_abuse_commands(void)
{
	if (!(net.offered >> VIRTIO_NET_F_CTRL_VQ & 1)) {
		CHECK("no control queue, none offered",
		      net.queue_count == NET_CTRL);
		return;
	}
	payload_log("commands:");
	CHECK("the card starts with all it offers", net_start(net.offered));
	send_refused();
	send_long();
	send_unanswerable();
	send_random();
}
