/* SPDX-License-Identifier: GPL-2.0-or-later */
/* GSO packets for tests, and what their segments must look like. */
#ifndef TESTS_GSO_PACKET_H
#define TESTS_GSO_PACKET_H

#include <string.h>

#include "lib/frame.h"

/*
 * Written from the RFCs, byte by byte and with a naive sum, and not from
 * lib/gso.c. A packet is made whole, as a guest's stack does: with its length
 * in the IP header and in the L4 field's pseudo-header sum.
 */
#define GSO_PACKET_MAX 66000

#define TCP_FIN	       0x01
#define TCP_PSH	       0x08
#define TCP_ACK	       0x10
#define TCP_ECE	       0x40
#define TCP_CWR	       0x80

struct gso_packet {
	/* The order */
	bool v6, udp;
	unsigned tags;	      /* VLAN tags */
	unsigned ip_options;  /* bytes; of IPv6: extension headers */
	unsigned tcp_options; /* bytes, a multiple of 4 */
	uint8_t tcp_flags;
	uint16_t id;	   /* of IPv4 */
	uint32_t sequence; /* of TCP */
	uint32_t payload;
	uint16_t gso_size;

	/* The result */
	unsigned l3, l4, header_len;
	uint32_t len;
	uint8_t bytes[GSO_PACKET_MAX];
};

static inline uint32_t packet_get16(const uint8_t *p)
{
	return (uint32_t)p[0] << 8 | p[1];
}

static inline void packet_put16(uint8_t *p, uint32_t v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
}

static inline void packet_put32(uint8_t *p, uint32_t v)
{
	packet_put16(p, v >> 16);
	packet_put16(p + 2, v);
}

static inline uint32_t packet_fold(uint32_t sum)
{
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return sum;
}

static inline uint32_t packet_sum(const uint8_t *p, size_t len, uint32_t sum)
{
	/* At most 64 KiB: that fits 32 bits. */
	for (size_t i = 0; i < len; i++)
		sum += i & 1 ? p[i] : (uint32_t)p[i] << 8;
	return packet_fold(sum);
}

static inline uint32_t packet_pseudo(const uint8_t *ip, uint8_t protocol,
				     uint32_t l4_len)
{
	uint32_t sum = packet_fold(protocol + l4_len);

	return ip[0] >> 4 == 4 ? packet_sum(ip + 12, 8, sum)
			       : packet_sum(ip + 8, 32, sum);
}

static inline uint16_t packet_csum_offset(const struct gso_packet *p)
{
	return p->udp ? 6 : 16;
}

static inline void packet_build_ip(struct gso_packet *p)
{
	uint8_t *ip = p->bytes + p->l3;
	uint8_t protocol = p->udp ? 17 : 6;
	unsigned at = 40;

	if (!p->v6) {
		ip[0] = (uint8_t)(0x40 | (20 + p->ip_options) / 4);
		packet_put16(ip + 2, p->len - p->l3);
		packet_put16(ip + 4, p->id);
		ip[6] = 0x40; /* do not fragment */
		ip[8] = 64;
		ip[9] = protocol;
		memcpy(ip + 12, "\x0a\x00\x02\x0f\x0a\x00\x02\x02", 8);
		memset(ip + 20, 1, p->ip_options); /* no operation */
		packet_put16(ip + 10, ~packet_sum(ip, 20 + p->ip_options, 0));
		return;
	}
	ip[0] = 0x60;
	packet_put16(ip + 4, p->len - p->l3 - 40);
	ip[6] = protocol;
	ip[7] = 64;
	for (unsigned i = 8; i < 40; i++)
		ip[i] = (uint8_t)(i * 31);
	/* Hop-by-hop, then destination options, of 8 or 16 bytes each. */
	if (p->ip_options)
		ip[6] = 0;
	while (at - 40 < p->ip_options) {
		unsigned left = p->ip_options - (at - 40);
		unsigned len = left % 16 ? 8 : 16;

		ip[at] = left > len ? 60 : protocol;
		ip[at + 1] = (uint8_t)(len / 8 - 1);
		ip[at + 2] = 1; /* padding */
		ip[at + 3] = (uint8_t)(len - 4);
		at += len;
	}
}

/* What the order says; the addresses are the caller's. */
static inline void packet_build(struct gso_packet *p, const uint8_t *to,
				const uint8_t *from)
{
	uint8_t *l4;

	memset(p->bytes, 0, 512);
	memcpy(p->bytes, to, 6);
	memcpy(p->bytes + 6, from, 6);
	p->l3 = 14;
	for (unsigned i = 0; i < p->tags; i++, p->l3 += 4) {
		packet_put16(p->bytes + p->l3 - 2,
			     i + 1 < p->tags ? 0x88a8 : 0x8100);
		packet_put16(p->bytes + p->l3, 100 + i);
	}
	packet_put16(p->bytes + p->l3 - 2, p->v6 ? 0x86dd : 0x0800);
	p->l4 = p->l3 + (p->v6 ? 40 : 20) + p->ip_options;
	p->header_len = p->l4 + (p->udp ? 8 : 20 + p->tcp_options);
	p->len = p->header_len + p->payload;
	packet_build_ip(p);
	l4 = p->bytes + p->l4;
	packet_put16(l4, 5001);
	packet_put16(l4 + 2, 80);
	if (p->udp) {
		packet_put16(l4 + 4, p->len - p->l4);
	} else {
		packet_put32(l4 + 4, p->sequence);
		packet_put32(l4 + 8, 0x01020304);
		l4[12] = (uint8_t)((20 + p->tcp_options) / 4 << 4);
		l4[13] = p->tcp_flags;
		packet_put16(l4 + 14, 512);
		memset(l4 + 20, 1, p->tcp_options);
	}
	packet_put16(l4 + packet_csum_offset(p),
		     packet_pseudo(p->bytes + p->l3, p->udp ? 17 : 6,
				   p->len - p->l4));
	for (uint32_t i = 0; i < p->payload; i++)
		p->bytes[p->header_len + i] = (uint8_t)(i * 7 + i / 251 + 3);
}

static inline unsigned packet_segments(const struct gso_packet *p)
{
	return (p->payload + p->gso_size - 1) / p->gso_size;
}

/* Its frame: head_len bytes in the head (a buffer apart, a copy), the rest in
 * at most count pieces; count is not 0 if there is a rest. */
static inline void packet_frame(struct gso_packet *p, struct frame *f,
				uint8_t *head, unsigned head_len,
				unsigned count)
{
	uint32_t at = head_len, left = p->len - head_len;

	memcpy(head, p->bytes, head_len);
	f->head = head;
	f->head_len = (uint16_t)head_len;
	f->len = p->len;
	f->flags = FRAME_CSUM_PARTIAL;
	f->csum_start = (uint16_t)p->l4;
	f->csum_offset = packet_csum_offset(p);
	f->gso_size = p->gso_size;
	f->gso_type = p->udp  ? FRAME_GSO_UDP
		      : p->v6 ? FRAME_GSO_TCPV6
			      : FRAME_GSO_TCPV4;
	f->seg_count = 0;
	for (unsigned i = 0; left; i++) {
		uint32_t piece =
			i + 1 == count ? left : MAX(left / (count - i), 1u);

		f->segs[f->seg_count++] =
			(struct frame_seg){p->bytes + at, piece};
		at += piece;
		left -= piece;
	}
}

/* The bytes of a frame, one after another; how many. */
static inline uint32_t packet_gather(const struct frame *f, uint8_t *to)
{
	uint32_t at = f->head_len;

	memcpy(to, f->head, f->head_len);
	for (unsigned i = 0; i < f->seg_count; i++) {
		memcpy(to + at, f->segs[i].base, f->segs[i].len);
		at += f->segs[i].len;
	}
	return at;
}

/* Does what a receiver would: sums the finished checksum of a frame's bytes. */
static inline bool packet_csum_good(const struct gso_packet *p,
				    const uint8_t *bytes, uint32_t len)
{
	uint32_t l4_len = len - p->l4;

	return packet_sum(bytes + p->l4, l4_len,
			  packet_pseudo(bytes + p->l3, p->udp ? 17 : 6,
					l4_len)) == 0xffff;
}

/* Finishes a partial checksum in place. */
static inline void packet_finish(const struct gso_packet *p, uint8_t *bytes,
				 uint32_t len)
{
	packet_put16(bytes + p->l4 + packet_csum_offset(p),
		     ~packet_sum(bytes + p->l4, len - p->l4, 0));
}

/*
 * What is wrong with the bytes of segment number index, its checksum finished;
 * NULL: nothing.
 */
static inline const char *packet_segment_wrong(const struct gso_packet *p,
					       unsigned index,
					       const uint8_t *bytes,
					       uint32_t len)
{
	uint32_t offset = index * p->gso_size;
	uint32_t payload = MIN(p->payload - offset, (uint32_t)p->gso_size);
	bool last = offset + payload == p->payload;
	uint8_t want[512], got[512];
	uint8_t *ip = want + p->l3, *l4 = want + p->l4;

	if (len != p->header_len + payload)
		return "length";
	if (memcmp(bytes + p->header_len, p->bytes + p->header_len + offset,
		   payload))
		return "payload";
	if (!packet_csum_good(p, bytes, len))
		return "L4 checksum";
	if (!p->v6 && packet_sum(bytes + p->l3, p->l4 - p->l3, 0) != 0xffff)
		return "IP checksum";
	memcpy(want, p->bytes, p->header_len);
	memcpy(got, bytes, p->header_len);
	if (p->v6) {
		packet_put16(ip + 4, len - p->l3 - 40);
	} else {
		packet_put16(ip + 2, len - p->l3);
		packet_put16(ip + 4, p->id + index);
		packet_put16(ip + 10, 0);
		packet_put16(got + p->l3 + 10, 0);
	}
	if (p->udp) {
		packet_put16(l4 + 4, len - p->l4);
	} else {
		packet_put32(l4 + 4, p->sequence + offset);
		if (index)
			l4[13] &= (uint8_t)~TCP_CWR;
		if (!last)
			l4[13] &= (uint8_t) ~(TCP_FIN | TCP_PSH);
	}
	packet_put16(l4 + packet_csum_offset(p), 0);
	packet_put16(got + p->l4 + packet_csum_offset(p), 0);
	return memcmp(want, got, p->header_len) ? "headers" : NULL;
}

#endif
