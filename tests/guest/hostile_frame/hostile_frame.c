/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A guest whose frames, offload requests and commands make no sense. */
#include <linux/virtio_config.h>
#include <string.h>

#include "tests/guest/hostile_frame/hostile_frame.h"

/*
 * Nothing here breaks a queue: a bad frame is dropped, its descriptors come
 * back, and the next good frame passes without a reset. Everything that the
 * card offers is negotiated, so that every path is open.
 */
#define ETHERTYPE_TEST 0x88b5 /* local experiments */
#define ETHERTYPE_IPV4 0x0800
#define ETHERTYPE_VLAN 0x8100
#define ETHERTYPE_IPV6 0x86dd
#define LEN	       60
#define L3	       14
#define L4	       34
#define TCP_LEN	       1400 /* of the whole frame */
#define HEADERS	       54   /* Ethernet, IPv4, TCP */
#define NEEDS_CSUM     VIRTIO_NET_HDR_F_NEEDS_CSUM
#define TCPV4	       VIRTIO_NET_HDR_GSO_TCPV4
#define TCPV6	       VIRTIO_NET_HDR_GSO_TCPV6
#define RANDOM_HEADERS 4000

static uint8_t nobody[6];

static void start(void)
{
	CHECK("the card starts with all it offers", net_start(net.offered));
	memcpy(nobody, net.mac, sizeof(nobody));
	nobody[0] ^= 4;
}

/* Sends what stands in net_hdr and net_frame; it must come back, and be
 * dropped for this reason (NULL: not at all). */
static void expect_drop(const char *name, uint32_t len, const char *why)
{
	payload_check(name, net_send(len) && !net_needs_reset(),
		      "it comes back and the card goes on");
	if (why)
		hostile_expect("drop", why, 1);
	memset(&net_hdr, 0, sizeof(net_hdr));
}

static void make_frame(const uint8_t *to, const uint8_t *from)
{
	for (unsigned i = 0; i < sizeof(net_frame); i++)
		net_frame[i] = (uint8_t)i;
	net_address(to, from, ETHERTYPE_TEST);
}

static void send_lengths(void)
{
	make_frame(nobody, net.mac);
	expect_drop("a header and no frame", 1, "runt");
	expect_drop("a byte less than Ethernet's header", 13, "runt");
	expect_drop("Ethernet's header alone", 14, NULL);
	expect_drop("the longest frame", NET_FRAME_MAX, NULL);
	expect_drop("a byte more", NET_FRAME_MAX + 1, "giant");
	hostile_prove_as_is("lengths");
}

/* Less than the virtio header, so no frame at all. */
static void send_half_header(void)
{
	const struct net_piece piece = {(uintptr_t)&net_hdr, NET_HDR - 1, 0};
	struct vring_used_elem elem;

	net_post(NET_TX, &piece, 1);
	net_kick(NET_TX);
	CHECK("half a header comes back", net_take(NET_TX, &elem));
	hostile_expect("drop", "bad_chain", 1);
	hostile_prove_as_is("half a header");
}

static void send_addresses(void)
{
	static const uint8_t group[] = {1, 0, 0x5e, 0, 0, 1}, zero[6];
	static const uint8_t reserved[] = {1, 0x80, 0xc2, 0, 0, 0};

	make_frame(nobody, group);
	expect_drop("from a group", LEN, "bad_source");
	make_frame(nobody, zero);
	expect_drop("from nobody", LEN, "bad_source");
	make_frame(nobody, nobody);
	expect_drop("from somebody else", LEN, "spoofed");
	make_frame(reserved, net.mac);
	expect_drop("to a bridge's own address", LEN, "reserved");
	make_frame(zero, net.mac);
	expect_drop("to address zero", LEN, NULL);
	hostile_prove_as_is("addresses");
}

static const struct offload {
	const char *name;
	struct virtio_net_hdr_v1 hdr;
} offloads[] = {
	{"checksum from the frame's end",
	 {.flags = NEEDS_CSUM, .csum_start = LEN}},
	{"checksum field over the frame's end",
	 {.flags = NEEDS_CSUM, .csum_start = L4, .csum_offset = LEN - L4 - 1}},
	{"checksum from past the frame's end",
	 {.flags = NEEDS_CSUM, .csum_start = 0xffff}},
	{"checksum whose sum wraps",
	 {.flags = NEEDS_CSUM, .csum_start = 0xffff, .csum_offset = 0xffff}},
	{"checksum whose sum wraps into the frame",
	 {.flags = NEEDS_CSUM, .csum_start = 0xfffe, .csum_offset = 0x20}},
	{"checksum of Ethernet's header",
	 {.flags = NEEDS_CSUM, .csum_start = 0, .csum_offset = 16}},
	{"a GSO type that is none", {.gso_type = 0x7f}},
	{"all bits of GSO's type", {.gso_type = 0xff}},
	{"GSO of no frame's type", {.gso_type = 2, .gso_size = 8}},
	{"GSO of a frame that is not IP",
	 {.flags = NEEDS_CSUM,
	  .gso_type = TCPV4,
	  .hdr_len = HEADERS,
	  .gso_size = 2,
	  .csum_start = L4,
	  .csum_offset = 16}},
	{"GSO without a checksum",
	 {.gso_type = TCPV4, .hdr_len = HEADERS, .gso_size = 2}},
	{"GSO of segments of no bytes",
	 {.flags = NEEDS_CSUM,
	  .gso_type = TCPV4,
	  .hdr_len = HEADERS,
	  .csum_start = L4,
	  .csum_offset = 16}},
	{"all bits of the header",
	 {.flags = 0xff,
	  .gso_type = 0xff,
	  .hdr_len = 0xffff,
	  .gso_size = 0xffff,
	  .csum_start = 0xffff,
	  .csum_offset = 0xffff,
	  .num_buffers = 0xffff}},
};

static void send_offloads(void)
{
	for (unsigned i = 0; i < ARRAY_SIZE(offloads); i++) {
		make_frame(nobody, net.mac);
		net_hdr = offloads[i].hdr;
		expect_drop(offloads[i].name, LEN, "bad_offload");
		hostile_prove_as_is(offloads[i].name);
	}
}

/* TCP in IPv4, right but for what the tests change. */
static void make_tcp(void)
{
	make_frame(nobody, net.mac);
	net_address(nobody, net.mac, ETHERTYPE_IPV4);
	memset(net_frame + L3, 0, HEADERS - L3);
	net_frame[L3] = 0x45;
	net_frame[L3 + 2] = (TCP_LEN - L3) >> 8;
	net_frame[L3 + 3] = (TCP_LEN - L3) & 0xff;
	net_frame[L3 + 8] = 64;
	net_frame[L3 + 9] = 6;
	net_frame[L3 + 12] = net_frame[L3 + 16] = 10;
	net_frame[L4 + 12] = 0x50;
	net_hdr = (struct virtio_net_hdr_v1){
		.flags = NEEDS_CSUM,
		.gso_type = TCPV4,
		.hdr_len = HEADERS,
		.gso_size = 100,
		.csum_start = L4,
		.csum_offset = 16,
	};
}

static bool has(unsigned bit)
{
	return net.offered >> bit & 1;
}

static void tcp_type(void)
{
	net_hdr.gso_type = TCPV6;
}

static void tcp_checksum_start(void)
{
	net_hdr.csum_start = L4 + 4;
}

static void tcp_checksum_field(void)
{
	net_hdr.csum_offset = 6;
}

static void tcp_ip_length(void)
{
	net_frame[L3] = 0x4f;
}

static void tcp_ip_short(void)
{
	net_frame[L3] = 0x44;
}

static void tcp_ip_version(void)
{
	net_frame[L3] = 0x65;
}

static void tcp_fragment(void)
{
	net_frame[L3 + 6] = 0x20;
}

static void tcp_protocol(void)
{
	net_frame[L3 + 9] = 17;
}

static void tcp_offset_short(void)
{
	net_frame[L4 + 12] = 0x40;
}

static void tcp_offset_long(void)
{
	net_frame[L4 + 12] = 0xf0;
	net_frame[L3] = 0x4f;
	net_hdr.csum_start = L3 + 60;
}

static void tcp_vlan_to_the_end(void)
{
	for (unsigned i = 12; i < 128; i += 4) {
		net_frame[i] = ETHERTYPE_VLAN >> 8;
		net_frame[i + 1] = ETHERTYPE_VLAN & 0xff;
	}
}

static void tcp_ipv6_extensions(void)
{
	/* Hop-by-hop headers (type 0) of 8 bytes, to the head's end. */
	net_address(nobody, net.mac, ETHERTYPE_IPV6);
	memset(net_frame + L3, 0, TCP_LEN - L3);
	net_frame[L3] = 0x60;
	net_hdr.gso_type = TCPV6;
}

static const struct {
	const char *name;
	void (*change)(void);
} tcp_frames[] = {
	{"IPv4 as IPv6", tcp_type},
	{"checksum not from TCP's start", tcp_checksum_start},
	{"checksum not where TCP has it", tcp_checksum_field},
	{"an IPv4 header over TCP's", tcp_ip_length},
	{"an IPv4 header too short", tcp_ip_short},
	{"an IP version that is none of IPv4", tcp_ip_version},
	{"a fragment", tcp_fragment},
	{"UDP as TCP", tcp_protocol},
	{"a TCP header too short", tcp_offset_short},
	{"headers longer than what is copied", tcp_offset_long},
	{"VLAN tags to the end", tcp_vlan_to_the_end},
	{"extension headers to the end", tcp_ipv6_extensions},
};

static void send_tcp(void)
{
	make_tcp();
	expect_drop("a good GSO frame", TCP_LEN,
		    has(VIRTIO_NET_F_HOST_TSO4) ? NULL : "bad_offload");
	for (unsigned i = 0; i < ARRAY_SIZE(tcp_frames); i++) {
		make_tcp();
		tcp_frames[i].change();
		expect_drop(tcp_frames[i].name, TCP_LEN, "bad_offload");
		hostile_prove_as_is(tcp_frames[i].name);
	}
}

/* Whatever becomes of each, it comes back; and in the end a good one passes. */
static void send_random_headers(void)
{
	unsigned back = 0;

	for (unsigned i = 0; i < RANDOM_HEADERS; i++) {
		uint32_t a = hostile_random(), b = hostile_random();

		make_tcp();
		net_hdr.gso_type = (uint8_t)(a & 7 ? a >> 8 & 0x87 : a >> 8);
		net_hdr.flags = (uint8_t)(a >> 16 & 3);
		if (a & 1u << 20)
			net_hdr.hdr_len = (uint16_t)b;
		if (a & 1u << 21)
			net_hdr.gso_size = (uint16_t)(b >> 16);
		if (a & 1u << 22)
			net_hdr.csum_start = (uint16_t)(b >> 8 & 0x7f);
		if (a & 1u << 23)
			net_hdr.csum_offset = (uint16_t)(b & 0x3f);
		if (a & 1u << 24)
			net_frame[L3 + (b >> 3) % 40] = (uint8_t)b;
		back += net_send(14 + hostile_random() % (TCP_LEN - 14));
	}
	payload_check_equal("random requests come back", back, RANDOM_HEADERS);
	CHECK("random requests break nothing", !net_needs_reset());
	memset(&net_hdr, 0, sizeof(net_hdr));
	hostile_prove_as_is("random requests");
}

void payload_main(void)
{
	hostile_begin();
	CHECK("the card is there", net_find());
	start();
	send_lengths();
	send_half_header();
	send_addresses();
	send_offloads();
	send_tcp();
	send_random_headers();
	frame_abuse_commands();
	hostile_end();
}
