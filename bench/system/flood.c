/* SPDX-License-Identifier: GPL-2.0-or-later */
/* flood PORT QEMU_PORT: sends frames into QEMU's "dgram" wire, on credit. */
#include "bench/system/credit.h"

#include <arpa/inet.h>
#include <assert.h>
#include <linux/if_ether.h>
#include <linux/ip.h>
#include <linux/udp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>

struct headers {
	struct ethhdr ethernet;
	struct iphdr ip;
	struct udphdr udp;
} __attribute__((packed));

static_assert(sizeof(struct headers) == 42, "Ethernet, IPv4, UDP");

struct frame {
	struct headers headers;
	union {
		struct credit credit;
		uint8_t bytes[PAYLOAD_MAX];
	} payload;
} __attribute__((packed));

/* The Internet checksum (RFC 1071), before it is folded. */
static uint32_t flood_sum(const void *data, size_t size, uint32_t sum)
{
	const uint8_t *p = data;

	for (size_t i = 0; i + 1 < size; i += 2)
		sum += (uint32_t)p[i] << 8 | p[i + 1];
	if (size % 2)
		sum += (uint32_t)p[size - 1] << 8;
	return sum;
}

static uint16_t flood_fold(uint32_t sum)
{
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return htons((uint16_t)~sum);
}

/* The datagrams asked for go where the credit came from. */
static void flood_make_frame(struct frame *f, const struct headers *from,
			     uint32_t payload)
{
	struct headers *h = &f->headers;

	memset(f, 0, sizeof(*f));
	memcpy(h->ethernet.h_dest, from->ethernet.h_source, ETH_ALEN);
	memcpy(h->ethernet.h_source, from->ethernet.h_dest, ETH_ALEN);
	h->ethernet.h_proto = htons(ETH_P_IP);
	h->ip.version = 4;
	h->ip.ihl = sizeof(h->ip) / 4;
	h->ip.tot_len =
		htons((uint16_t)(sizeof(h->ip) + sizeof(h->udp) + payload));
	h->ip.frag_off = htons(0x4000); /* don't fragment (RFC 791) */
	h->ip.ttl = 64;
	h->ip.protocol = IPPROTO_UDP;
	h->ip.saddr = from->ip.daddr;
	h->ip.daddr = from->ip.saddr;
	h->ip.check = flood_fold(flood_sum(&h->ip, sizeof(h->ip), 0));
	h->udp.source = from->udp.dest;
	h->udp.dest = from->udp.source;
	h->udp.len = htons((uint16_t)(sizeof(h->udp) + payload));
	/* The pseudo header: addresses, protocol, length (RFC 768). */
	h->udp.check = flood_fold(flood_sum(
		&h->udp, sizeof(h->udp) + payload,
		flood_sum(&h->ip.saddr, 8, IPPROTO_UDP) + ntohs(h->udp.len)));
}

static bool flood_is_credit(const struct frame *f, size_t size)
{
	return size >= sizeof(f->headers) + sizeof(f->payload.credit) &&
	       f->headers.ethernet.h_proto == htons(ETH_P_IP) &&
	       f->headers.ip.protocol == IPPROTO_UDP &&
	       f->headers.udp.dest == htons(CREDIT_PORT) &&
	       f->payload.credit.magic == htonl(CREDIT_MAGIC) &&
	       ntohl(f->payload.credit.payload) >= 18 &&
	       ntohl(f->payload.credit.payload) <= PAYLOAD_MAX;
}

/* Both ends on 127.0.0.1. */
static int flood_open(uint16_t here, uint16_t there)
{
	struct sockaddr_in a = {
		.sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
		.sin_port = htons(here),
	};
	int s = socket(AF_INET, SOCK_DGRAM, 0);

	if (s < 0 || bind(s, (struct sockaddr *)&a, sizeof(a)))
		return -1;
	a.sin_port = htons(there);
	return connect(s, (struct sockaddr *)&a, sizeof(a)) ? -1 : s;
}

int main(int argc, char **argv)
{
	uint32_t run = 0, sent = 0;
	struct frame in, out;
	int s;

	/* Whoever started us may end without a chance to end us. */
	prctl(PR_SET_PDEATHSIG, SIGTERM);
	if (argc != 3) {
		fprintf(stderr, "usage: flood PORT QEMU_PORT\n");
		return 2;
	}
	s = flood_open((uint16_t)atoi(argv[1]), (uint16_t)atoi(argv[2]));
	if (s < 0) {
		perror("flood");
		return 1;
	}
	for (;;) {
		ssize_t size = recv(s, &in, sizeof(in), 0);
		uint32_t payload;

		/* Errors are of frames sent before QEMU was there. */
		if (size < 0 || !flood_is_credit(&in, (size_t)size))
			continue;
		if (ntohl(in.payload.credit.run) != run) {
			run = ntohl(in.payload.credit.run);
			sent = 0;
		}
		payload = ntohl(in.payload.credit.payload);
		flood_make_frame(&out, &in.headers, payload);
		while (sent < ntohl(in.payload.credit.allowed)) {
			send(s, &out, sizeof(out.headers) + payload, 0);
			sent++;
		}
	}
}
