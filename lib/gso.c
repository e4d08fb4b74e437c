/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Segmentation of TCP and UDP frames in software. */
#include "lib/gso.h"

#include "lib/checksum.h"

#define ETHERTYPE_IPV4	 0x0800
#define ETHERTYPE_IPV6	 0x86dd
#define ETHERTYPE_VLAN	 0x8100 /* IEEE 802.1Q, 9.6 */
#define ETHERTYPE_SVLAN	 0x88a8
#define VLAN_TAG_LEN	 4
#define VLAN_TAGS_MAX	 2

#define PROTOCOL_TCP	 6
#define PROTOCOL_UDP	 17
/* IPv6 extension headers that may stand before L4 (RFC 8200, 4). */
#define PROTOCOL_HOP	 0
#define PROTOCOL_ROUTING 43
#define PROTOCOL_DEST	 60

/* Offsets: RFC 791, 3.1; RFC 8200, 3; RFC 9293, 3.1; RFC 768. */
#define IPV4_HEADER_LEN	 20
#define IPV4_TOTAL_LEN	 2
#define IPV4_ID		 4
#define IPV4_FRAGMENT	 6
#define IPV4_PROTOCOL	 9
#define IPV4_CHECKSUM	 10
#define IPV6_HEADER_LEN	 40
#define IPV6_PAYLOAD_LEN 4
#define IPV6_NEXT	 6
#define TCP_HEADER_LEN	 20
#define TCP_SEQUENCE	 4
#define TCP_DATA_OFFSET	 12
#define TCP_FLAGS	 13
#define TCP_CHECKSUM	 16
#define UDP_HEADER_LEN	 8
#define UDP_LEN		 4
#define UDP_CHECKSUM	 6

#define TCP_FIN		 0x01
#define TCP_PSH		 0x08
#define TCP_CWR		 0x80

static uint16_t gso_get16(const uint8_t *p)
{
	return (uint16_t)(p[0] << 8 | p[1]);
}

static void gso_put16(uint8_t *p, uint32_t value)
{
	p[0] = (uint8_t)(value >> 8);
	p[1] = (uint8_t)value;
}

static uint32_t gso_get32(const uint8_t *p)
{
	return (uint32_t)gso_get16(p) << 16 | gso_get16(p + 2);
}

static void gso_put32(uint8_t *p, uint32_t value)
{
	gso_put16(p, value >> 16);
	gso_put16(p + 2, value);
}

static bool gso_is_tcp(const struct frame *f)
{
	return f->gso_type != FRAME_GSO_UDP;
}

/* Where IP begins, and its EtherType; 0: past the head. */
static unsigned gso_find_l3(const struct frame *f, uint16_t *ethertype)
{
	unsigned at = ETH_HEADER_LEN;

	*ethertype = gso_get16(f->head + at - 2);
	for (unsigned tags = 0; tags < VLAN_TAGS_MAX; tags++) {
		if (*ethertype != ETHERTYPE_VLAN &&
		    *ethertype != ETHERTYPE_SVLAN)
			break;
		at += VLAN_TAG_LEN;
		if (at > f->head_len)
			return 0;
		*ethertype = gso_get16(f->head + at - 2);
	}
	return at;
}

/* Where L4 begins, and its protocol; 0: no such packet. */
static unsigned gso_find_l4_ipv4(const struct frame *f, unsigned at,
				 uint8_t *protocol)
{
	const uint8_t *ip = f->head + at;
	unsigned len;

	if (at + IPV4_HEADER_LEN > f->head_len)
		return 0;
	len = (ip[0] & 0xfu) * 4;
	if (ip[0] >> 4 != 4 || len < IPV4_HEADER_LEN ||
	    /* More fragments, or not the first: no L4 header to repeat. */
	    gso_get16(ip + IPV4_FRAGMENT) & 0x3fff)
		return 0;
	*protocol = ip[IPV4_PROTOCOL];
	return at + len;
}

static unsigned gso_find_l4_ipv6(const struct frame *f, unsigned at,
				 uint8_t *protocol)
{
	uint8_t next;

	if (at + IPV6_HEADER_LEN > f->head_len || f->head[at] >> 4 != 6)
		return 0;
	next = f->head[at + IPV6_NEXT];
	at += IPV6_HEADER_LEN;
	/* Each is at least 8 bytes long, so the head's end is the bound. */
	while (next == PROTOCOL_HOP || next == PROTOCOL_ROUTING ||
	       next == PROTOCOL_DEST) {
		if (at + 8 > f->head_len)
			return 0;
		next = f->head[at];
		at += 8u + f->head[at + 1] * 8u;
	}
	*protocol = next;
	return at;
}

/* The length of all headers up to the payload; 0: no such packet. */
static unsigned gso_find_payload(const struct frame *f, unsigned l4,
				 uint8_t protocol)
{
	unsigned len = UDP_HEADER_LEN, csum = UDP_CHECKSUM;

	if (gso_is_tcp(f)) {
		if (protocol != PROTOCOL_TCP ||
		    l4 + TCP_HEADER_LEN > f->head_len)
			return 0;
		len = (f->head[l4 + TCP_DATA_OFFSET] >> 4) * 4u;
		csum = TCP_CHECKSUM;
		if (len < TCP_HEADER_LEN)
			return 0;
	} else if (protocol != PROTOCOL_UDP) {
		return 0;
	}
	if (l4 + len > f->head_len || f->csum_start != l4 ||
	    f->csum_offset != csum)
		return 0;
	return l4 + len;
}

bool gso_check(struct frame *f)
{
	uint16_t ethertype;
	uint8_t protocol;
	unsigned l3, l4, payload;

	if (f->gso_type > FRAME_GSO_UDP || !f->gso_size ||
	    !(f->flags & FRAME_CSUM_PARTIAL))
		return false;
	l3 = gso_find_l3(f, &ethertype);
	if (!l3)
		return false;
	if (ethertype == ETHERTYPE_IPV4 && f->gso_type != FRAME_GSO_TCPV6)
		l4 = gso_find_l4_ipv4(f, l3, &protocol);
	else if (ethertype == ETHERTYPE_IPV6 && f->gso_type != FRAME_GSO_TCPV4)
		l4 = gso_find_l4_ipv6(f, l3, &protocol);
	else
		return false;
	payload = l4 ? gso_find_payload(f, l4, protocol) : 0;
	/* The IP length of a segment has 16 bits: so has the whole's. */
	if (!payload || payload > UINT8_MAX || f->len <= payload ||
	    f->len - l3 > 65535u + (ethertype == ETHERTYPE_IPV6 ? 40 : 0) ||
	    f->len - payload > (uint32_t)f->gso_size * GSO_SEGMENTS_MAX ||
	    /* A segment may begin in the head, and have all pieces after it. */
	    (f->head_len > payload && f->seg_count == FRAME_SEGS_MAX))
		return false;
	f->l3_start = (uint8_t)l3;
	f->header_len = (uint8_t)payload;
	if (f->len - payload <= f->gso_size) {
		f->gso_type = FRAME_GSO_NONE;
		f->gso_size = 0;
	}
	return true;
}

unsigned gso_segment_count(const struct frame *f)
{
	return (f->len - f->header_len + f->gso_size - 1) / f->gso_size;
}

bool gso_has_cwr(const struct frame *f)
{
	return gso_is_tcp(f) && f->head[f->csum_start + TCP_FLAGS] & TCP_CWR;
}

/* RFC 1624: what goes out of a sum is added as its complement. */
void gso_change_length(struct frame *f, uint32_t was, uint32_t now)
{
	uint8_t *field = f->head + f->csum_start + f->csum_offset;
	uint32_t sum = gso_get16(field) + (0xffffu - was) + now;

	sum = (sum >> 16) + (sum & 0xffff);
	gso_put16(field, (sum >> 16) + sum);
}

void gso_begin(struct gso *gso, const struct frame *frame)
{
	*gso = (struct gso){
		.frame = frame,
		/* Is there payload in the head? */
		.piece = frame->head_len == frame->header_len,
	};
}

/* len bytes of payload, from where gso stands, become out's segments. */
static void gso_refer(struct gso *gso, struct frame *out, uint32_t len)
{
	const struct frame *f = gso->frame;

	while (len) {
		struct frame_seg piece = {f->head + f->header_len,
					  (uint32_t)f->head_len -
						  f->header_len};
		uint32_t part;

		if (gso->piece)
			piece = f->segs[gso->piece - 1];
		part = MIN(len, piece.len - gso->piece_at);
		out->segs[out->seg_count++] = (struct frame_seg){
			(uint8_t *)piece.base + gso->piece_at, part};
		gso->piece_at += part;
		len -= part;
		if (gso->piece_at == piece.len) {
			gso->piece++;
			gso->piece_at = 0;
		}
	}
}

static void gso_write_ip(const struct gso *gso, struct frame *out)
{
	uint8_t *ip = out->head + out->l3_start;
	struct checksum sum = {0};
	uint16_t check = 0;

	if (!gso_is_ipv4(out)) {
		gso_put16(ip + IPV6_PAYLOAD_LEN,
			  out->len - out->l3_start - IPV6_HEADER_LEN);
		return;
	}
	gso_put16(ip + IPV4_TOTAL_LEN, out->len - out->l3_start);
	gso_put16(ip + IPV4_ID, gso_get16(ip + IPV4_ID) + gso->index);
	__builtin_memcpy(ip + IPV4_CHECKSUM, &check, sizeof(check));
	checksum_add(&sum, ip, (ip[0] & 0xfu) * 4);
	check = checksum_finish(&sum);
	__builtin_memcpy(ip + IPV4_CHECKSUM, &check, sizeof(check));
}

static void gso_write_l4(const struct gso *gso, struct frame *out, bool last)
{
	uint8_t *l4 = out->head + out->csum_start;

	gso_change_length(out, gso->frame->len - out->csum_start,
			  out->len - out->csum_start);
	if (!gso_is_tcp(gso->frame)) {
		gso_put16(l4 + UDP_LEN, out->len - out->csum_start);
		return;
	}
	gso_put32(l4 + TCP_SEQUENCE,
		  gso_get32(l4 + TCP_SEQUENCE) + gso->offset);
	if (gso->index)
		l4[TCP_FLAGS] &= (uint8_t)~TCP_CWR;
	if (!last)
		l4[TCP_FLAGS] &= (uint8_t) ~(TCP_FIN | TCP_PSH);
}

bool gso_next(struct gso *gso, struct frame *out)
{
	const struct frame *f = gso->frame;
	uint32_t left = f->len - f->header_len - gso->offset;
	uint32_t len = MIN(left, (uint32_t)f->gso_size);

	if (!left)
		return false;
	__builtin_memcpy(out->head, f->head, f->header_len);
	out->len = f->header_len + len;
	out->head_len = f->header_len;
	out->csum_start = f->csum_start;
	out->csum_offset = f->csum_offset;
	out->gso_size = 0;
	out->gso_type = FRAME_GSO_NONE;
	out->flags = FRAME_CSUM_PARTIAL;
	out->seg_count = 0;
	out->l3_start = f->l3_start;
	out->header_len = f->header_len;
	gso_refer(gso, out, len);
	gso_write_ip(gso, out);
	gso_write_l4(gso, out, len == left);
	gso->offset += len;
	gso->index++;
	return true;
}
