/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Fuzzes segmentation: any frame; what passes is cut up and each part checked.
 */
#include <stdint.h>
#include <stdlib.h>

#include "lib/gso.h"
#include "tests/unit/lib/gso_packet.h"

#define CONTROL 20 /* bytes before those of the frame */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void fuzz_check(bool good)
{
	if (!good)
		abort();
}

static uint16_t fuzz_word(const uint8_t *p)
{
	return (uint16_t)(p[0] | p[1] << 8);
}

/* A packet by the book, and then bytes of its headers changed. */
static void fuzz_order(struct gso_packet *p, const uint8_t *c,
		       const uint8_t *data, size_t size)
{
	*p = (struct gso_packet){
		.v6 = c[0] & 2,
		.udp = c[0] & 4,
		.tags = c[1] % 3,
		.ip_options = c[0] & 2 ? c[2] % 9 * 8 : c[2] % 11 * 4,
		.tcp_options = c[3] % 11 * 4,
		.tcp_flags = c[4],
		.payload = fuzz_word(c + 6) % (c[0] & 8 ? 65536 : 4096),
		.gso_size = fuzz_word(c + 8),
	};
	packet_build(p, c, c + 6);
	for (; size >= 2; data += 2, size -= 2)
		p->bytes[data[0] % MIN(p->len, 200u)] ^= data[1];
}

/* What passed, as the reference needs it: with the sum of its lengths. */
static void fuzz_adopt(struct gso_packet *p, struct frame *f, uint8_t *head)
{
	const uint8_t *ip = head + f->l3_start, *l4 = head + f->csum_start;

	p->l3 = f->l3_start;
	p->l4 = f->csum_start;
	p->header_len = f->header_len;
	p->v6 = !gso_is_ipv4(f);
	p->udp = f->gso_type == FRAME_GSO_UDP;
	p->payload = f->len - f->header_len;
	p->gso_size = f->gso_size;
	p->id = (uint16_t)packet_get16(ip + 4);
	p->sequence = packet_get16(l4 + 4) << 16 | packet_get16(l4 + 6);
	packet_put16(head + p->l4 + f->csum_offset,
		     packet_pseudo(ip, p->udp ? 17 : 6, p->len - p->l4));
	memcpy(p->bytes, head, f->head_len);
}

static void fuzz_cut(const struct gso_packet *p, struct frame *f)
{
	static uint8_t bytes[GSO_PACKET_MAX];
	uint8_t head[FRAME_HEAD_SIZE];
	struct frame out = {.head = head};
	unsigned count = 0;
	struct gso gso;

	fuzz_check(gso_segment_count(f) == packet_segments(p) &&
		   packet_segments(p) >= 2 &&
		   packet_segments(p) <= GSO_SEGMENTS_MAX);
	gso_begin(&gso, f);
	while (gso_next(&gso, &out)) {
		fuzz_check(out.seg_count <= FRAME_SEGS_MAX &&
			   packet_gather(&out, bytes) == out.len &&
			   out.len <= gso_wire_len(f));
		packet_finish(p, bytes, out.len);
		fuzz_check(!packet_segment_wrong(p, count++, bytes, out.len));
	}
	fuzz_check(count == packet_segments(p) && gso_done(&gso));
	fuzz_check(!memcmp(f->head, p->bytes, f->head_len));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct gso_packet packet;
	uint8_t head[FRAME_HEAD_SIZE];
	const uint8_t *c = data;
	struct frame f = {0};
	unsigned head_len, room;

	if (size < CONTROL)
		return 0;
	data += CONTROL;
	size -= CONTROL;
	if (c[0] & 1) {
		fuzz_order(&packet, c, data, size);
	} else {
		memset(&packet, 0, offsetof(struct gso_packet, bytes));
		size = MIN(size, (size_t)4096);
		memcpy(packet.bytes, data, size);
		packet.len = (uint32_t)size;
		packet.l4 = c[10];
		packet.gso_size = fuzz_word(c + 8);
		packet.udp = c[0] & 4;
		packet.v6 = c[0] & 2;
	}
	if (packet.len < ETH_HEADER_LEN)
		return 0;
	room = MIN(packet.len, (unsigned)FRAME_HEAD_SIZE) - ETH_HEADER_LEN;
	head_len = ETH_HEADER_LEN + (room ? c[11] % (room + 1) : 0);
	packet_frame(&packet, &f, head, head_len, 1 + c[12] % FRAME_SEGS_MAX);
	if (c[0] & 16) {
		f.gso_type = c[13];
		f.csum_start = fuzz_word(c + 14);
		f.csum_offset = fuzz_word(c + 16);
		f.flags = c[18];
	}
	if (!gso_check(&f))
		return 0;
	fuzz_check(f.flags & FRAME_CSUM_PARTIAL && f.header_len <= f.head_len &&
		   f.csum_start + f.csum_offset + 2u <= f.header_len);
	if (f.gso_type == FRAME_GSO_NONE)
		return 0;
	fuzz_adopt(&packet, &f, head);
	fuzz_cut(&packet, &f);
	return 0;
}
