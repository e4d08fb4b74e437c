/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Segmentation against packets made and checked by the RFCs. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "lib/gso.h"
#include "tests/unit/lib/gso_packet.h"

static const uint8_t to_mac[6] = {0x52, 0x54, 0, 1, 0, 0xb};
static const uint8_t from_mac[6] = {0x52, 0x54, 0, 1, 0, 0xa};

static struct gso_packet packet;
static struct frame frame;
static uint8_t head[512]; /* more than segments may repeat */

static uint32_t random_state = 2463534242;

static uint32_t random_below(uint32_t n)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 17;
	random_state ^= random_state << 5;
	return random_state % n;
}

/* The packet as ordered, and its frame with this much of it in the head. */
static void make(const struct gso_packet *order, unsigned head_len)
{
	packet = *order;
	packet_build(&packet, to_mac, from_mac);
	packet_frame(&packet, &frame, head, MIN(head_len, packet.len), 3);
}

/* What is good, whole tables of it */

static void check_good(void **state)
{
	static const struct gso_packet orders[] = {
		{.payload = 3000},
		{.payload = 3000, .tcp_options = 40},
		{.payload = 3000, .ip_options = 4},
		{.payload = 3000, .ip_options = 40, .tcp_options = 40},
		{.payload = 3000, .tags = 1},
		{.payload = 3000, .tags = 2, .tcp_options = 12},
		{.payload = 3000,
		 .tags = 2,
		 .ip_options = 40,
		 .tcp_options = 40},
		{.payload = 3000, .v6 = true},
		{.payload = 3000, .v6 = true, .ip_options = 8},
		{.payload = 3000, .v6 = true, .ip_options = 48, .tags = 1},
		{.payload = 3000, .v6 = true, .ip_options = 80, .tags = 2},
		{.payload = 3000, .udp = true},
		{.payload = 3000, .udp = true, .ip_options = 12, .tags = 2},
		{.payload = 3000, .udp = true, .v6 = true},
		{.payload = 3000, .udp = true, .v6 = true, .ip_options = 24},
	};

	for (unsigned i = 0; i < ARRAY_SIZE(orders); i++) {
		struct gso_packet order = orders[i];

		order.gso_size = 1000;
		make(&order, 200);
		frame.l3_start = frame.header_len = 0xa5;
		assert_true(gso_check(&frame));
		assert_int_equal(frame.l3_start, packet.l3);
		assert_int_equal(frame.header_len, packet.header_len);
		assert_int_equal(frame.gso_size, 1000);
		assert_int_equal(gso_segment_count(&frame), 3);
		assert_int_equal(gso_wire_len(&frame),
				 packet.header_len + 1000);
		assert_int_equal(gso_is_ipv4(&frame), !order.v6);
		assert_false(gso_has_cwr(&frame));
		/* All of the headers in the head, and not a byte less. */
		make(&order, packet.header_len);
		assert_true(gso_check(&frame));
		make(&order, packet.header_len - 1);
		assert_false(gso_check(&frame));
	}
}

/* A routing header is passed over as well. */
static void check_routing(void **state)
{
	make(&(struct gso_packet){.v6 = true,
				  .ip_options = 24,
				  .payload = 3000,
				  .gso_size = 1000},
	     200);
	head[packet.l3 + 6] = 43;
	assert_true(gso_check(&frame));
	assert_int_equal(frame.header_len, packet.header_len);
}

/* And what is not. Each line spoils one thing in a good frame. */

static void check_bad(void **state)
{
#define BAD(v6_, udp_, spoil)                                          \
	do {                                                           \
		uint8_t *ip = head + 14, *l4 = ip + ((v6_) ? 40 : 20); \
		struct frame *f = &frame;                              \
                                                                       \
		make(&(struct gso_packet){.v6 = (v6_),                 \
					  .udp = (udp_),               \
					  .payload = 3000,             \
					  .gso_size = 1000},           \
		     128);                                             \
		assert_true(gso_check(f));                             \
		spoil;                                                 \
		(void)ip, (void)l4;                                    \
		if (gso_check(f))                                      \
			fail_msg("passed: %s", #spoil);                \
	} while (0)

	/* What the frame says */
	BAD(false, false, f->flags = 0);
	BAD(false, false, f->flags = FRAME_CSUM_VALID);
	BAD(false, false, f->gso_size = 0);
	BAD(false, false, f->gso_type = FRAME_GSO_TCPV6);
	BAD(false, false, f->gso_type = FRAME_GSO_UDP);
	BAD(false, false, f->gso_type = FRAME_GSO_UDP + 1);
	BAD(false, false, f->gso_type = 0xff);
	BAD(true, false, f->gso_type = FRAME_GSO_TCPV4);
	BAD(true, false, f->gso_type = FRAME_GSO_UDP);
	BAD(false, true, f->gso_type = FRAME_GSO_TCPV4);
	BAD(true, true, f->gso_type = FRAME_GSO_TCPV6);
	BAD(false, false, f->csum_start++);
	BAD(false, false, f->csum_start--);
	BAD(false, false, f->csum_start = 0xffff);
	BAD(false, false, f->csum_offset = 6);
	BAD(false, false, f->csum_offset = 17);
	BAD(false, true, f->csum_offset = 16);
	BAD(true, true, f->csum_start = 34);
	/* Where the payload begins, and how long it is */
	BAD(false, false, f->head_len = 53);
	BAD(false, false, f->head_len = 33);
	BAD(false, false, f->head_len = 14);
	BAD(true, false, f->head_len = 53);
	BAD(false, false, f->len = f->head_len = 54);
	BAD(false, false, f->len = 65536 + 14);
	BAD(true, false, f->len = 65576 + 14);
	BAD(false, false, f->seg_count = FRAME_SEGS_MAX);
	/* Ethernet */
	BAD(false, false, packet_put16(head + 12, 0x0806));
	BAD(false, false, packet_put16(head + 12, 0x86dd));
	BAD(true, false, packet_put16(head + 12, 0x0800));
	BAD(false, false, packet_put16(head + 12, 0x8100));
	/* IP */
	BAD(false, false, ip[0] = 0x44); /* 16 bytes */
	BAD(false, false, ip[0] = 0x46);
	BAD(false, false, ip[0] = 0x65);
	BAD(false, false, ip[6] = 0x20); /* more fragments */
	BAD(false, false, ip[7] = 1);	 /* not the first */
	BAD(false, false, ip[6] = 0x1f); /* nor this */
	BAD(false, false, ip[9] = 17);
	BAD(false, true, ip[9] = 6);
	BAD(false, true, ip[9] = 136); /* UDP-Lite */
	BAD(true, false, ip[0] = 0x40);
	BAD(true, false, ip[6] = 44); /* a fragment */
	BAD(true, false, ip[6] = 0);  /* TCP is no options header */
	BAD(true, false, (ip[6] = 60, l4[0] = 6, l4[1] = 255));
	BAD(true, true, ip[6] = 59); /* nothing follows */
	/* TCP */
	BAD(false, false, l4[12] = 0x40);
	BAD(false, false, (l4[12] = 0xf0, f->head_len = 93));
#undef BAD
}

/* A third tag is not looked behind. */
static void check_three_tags(void **state)
{
	make(&(struct gso_packet){.tags = 2, .payload = 3000, .gso_size = 1000},
	     128);
	packet_put16(head + 20, 0x8100);
	assert_false(gso_check(&frame));
	/* Tags to the very end of the head. */
	for (unsigned len = 14; len < 22; len++) {
		frame.head_len = (uint16_t)len;
		assert_false(gso_check(&frame));
	}
}

/* The longest header there can be: what is beyond 255 does not pass. */
static void check_long_headers(void **state)
{
	static const struct {
		unsigned options, tcp_options;
		bool good;
	} cases[] = {
		{176, 4, true},	 /* 14 + 40 + 176 + 24 = 254 */
		{176, 8, false}, /* 258 */
		{184, 0, false}, /* 258 */
		{0, 40, true},
	};

	for (unsigned i = 0; i < ARRAY_SIZE(cases); i++) {
		make(&(struct gso_packet){.v6 = true,
					  .ip_options = cases[i].options,
					  .tcp_options = cases[i].tcp_options,
					  .payload = 3000,
					  .gso_size = 1000},
		     300);
		assert_int_equal(gso_check(&frame), cases[i].good);
	}
}

/* Where a single segment ends and where there are too many. */
static void check_sizes(void **state)
{
	static const struct {
		uint32_t payload;
		uint16_t size;
		unsigned segments; /* 0: refused; 1: an ordinary frame */
	} cases[] = {
		{1000, 0, 0},	   {1000, 1, 1000},   {1000, 48, 21},
		{1000, 999, 2},	   {1000, 1000, 1},   {1000, 1001, 1},
		{1000, 65535, 1},  {1, 1, 1},	      {2, 1, 2},
		{2048, 1, 2048},   {2049, 1, 0},      {2049, 2, 1025},
		{65480, 32, 2047}, {65480, 31, 0},    {65480, 65535, 1},
		{65480, 65479, 2}, {47 * 20, 47, 20},
	};

	for (unsigned i = 0; i < ARRAY_SIZE(cases); i++) {
		bool single = cases[i].segments == 1;

		make(&(struct gso_packet){.payload = cases[i].payload,
					  .gso_size = cases[i].size},
		     128);
		assert_int_equal(gso_check(&frame), cases[i].segments != 0);
		if (!cases[i].segments)
			continue;
		assert_int_equal(frame.gso_type,
				 single ? FRAME_GSO_NONE : FRAME_GSO_TCPV4);
		assert_int_equal(frame.gso_size, single ? 0 : cases[i].size);
		assert_int_equal(frame.flags, FRAME_CSUM_PARTIAL);
		if (single)
			assert_int_equal(gso_wire_len(&frame), packet.len);
		else
			assert_int_equal(gso_segment_count(&frame),
					 cases[i].segments);
	}
}

/* The IP length has 16 bits; IPv6 does not count its own header. */
static void check_longest(void **state)
{
	make(&(struct gso_packet){.payload = 65495, .gso_size = 1448}, 128);
	assert_true(gso_check(&frame));
	make(&(struct gso_packet){.payload = 65496, .gso_size = 1448}, 128);
	assert_false(gso_check(&frame));
	make(&(struct gso_packet){.v6 = true,
				  .payload = 65515,
				  .gso_size = 1428},
	     128);
	assert_true(gso_check(&frame));
	assert_true(frame.len <= GSO_LEN_MAX);
	make(&(struct gso_packet){.v6 = true,
				  .payload = 65516,
				  .gso_size = 1428},
	     128);
	assert_false(gso_check(&frame));
}

/* Cutting up */

/* Every segment of the frame at hand, each checked; returns how many. */
static unsigned cut(void)
{
	static uint8_t bytes[GSO_PACKET_MAX], out_head[FRAME_HEAD_SIZE];
	struct frame out;
	struct gso gso;
	unsigned count = 0;

	gso_begin(&gso, &frame);
	assert_false(gso_done(&gso));
	memset(&out, 0xa5, sizeof(out));
	out.head = out_head;
	while (gso_next(&gso, &out)) {
		const char *wrong;
		uint32_t len;

		assert_true(out.seg_count <= FRAME_SEGS_MAX);
		for (unsigned i = 0; i < out.seg_count; i++)
			assert_int_not_equal(out.segs[i].len, 0);
		len = packet_gather(&out, bytes);
		assert_int_equal(len, out.len);
		assert_int_equal(out.head_len, packet.header_len);
		assert_int_equal(out.flags, FRAME_CSUM_PARTIAL);
		assert_int_equal(out.gso_type, FRAME_GSO_NONE);
		assert_int_equal(out.gso_size, 0);
		assert_int_equal(out.csum_start, packet.l4);
		assert_int_equal(out.csum_offset, packet_csum_offset(&packet));
		packet_finish(&packet, bytes, len);
		wrong = packet_segment_wrong(&packet, count, bytes, len);
		if (wrong)
			fail_msg("segment %u: %s", count, wrong);
		count++;
		assert_int_equal(gso.index, count);
		assert_int_equal(gso_done(&gso),
				 count == packet_segments(&packet));
		memset(out_head, 0xa5, sizeof(out_head));
	}
	assert_false(gso_next(&gso, &out));
	/* The frame itself is as it was: others get it, too. */
	assert_memory_equal(head, packet.bytes, frame.head_len);
	return count;
}

static void flags_and_numbers(void **state)
{
	make(&(struct gso_packet){.tcp_flags = TCP_FIN | TCP_PSH | TCP_ACK |
					       TCP_ECE | TCP_CWR,
				  .tcp_options = 12,
				  .id = 0xfffe,
				  .sequence = 0xfffffc00,
				  .payload = 4 * 1000 + 1,
				  .gso_size = 1000},
	     128);
	assert_true(gso_check(&frame));
	assert_true(gso_has_cwr(&frame));
	assert_int_equal(cut(), 5);
	/* In UDP there is no such flag, whatever stands there. */
	make(&(struct gso_packet){.udp = true, .payload = 64, .gso_size = 16},
	     packet.header_len + 20);
	memset(packet.bytes + packet.header_len, 0xff, 16);
	memset(head + packet.header_len, 0xff, 16);
	assert_true(gso_check(&frame));
	assert_false(gso_has_cwr(&frame));
	assert_int_equal(cut(), 4);
}

/* A segment in as many pieces as a frame can have. */
static void all_pieces(void **state)
{
	packet = (struct gso_packet){.payload = 42, .gso_size = 41};
	packet_build(&packet, to_mac, from_mac);
	packet_frame(&packet, &frame, head, packet.header_len, FRAME_SEGS_MAX);
	assert_int_equal(frame.seg_count, FRAME_SEGS_MAX);
	assert_true(gso_check(&frame));
	assert_int_equal(cut(), 2);
	packet_frame(&packet, &frame, head, packet.header_len + 1,
		     FRAME_SEGS_MAX - 1);
	assert_true(gso_check(&frame));
	assert_int_equal(cut(), 2);
	/* One more, and the first segment had 21. */
	packet_frame(&packet, &frame, head, packet.header_len + 1,
		     FRAME_SEGS_MAX);
	assert_false(gso_check(&frame));
}

/* Adding a length to a partial sum and taking it out again. */
static void change_length(void **state)
{
	static const uint32_t lens[] = {0, 1, 20, 0x1234, 65515, 65535};

	for (unsigned i = 0; i < ARRAY_SIZE(lens); i++)
		for (unsigned j = 0; j < ARRAY_SIZE(lens); j++) {
			uint32_t want, got;

			make(&(struct gso_packet){.payload = 100,
						  .gso_size = 50},
			     128);
			want = packet_get16(head + 50);
			gso_change_length(&frame, lens[i], lens[j]);
			got = packet_get16(head + 50);
			assert_int_equal(packet_fold(want + lens[j]) % 65535,
					 packet_fold(got + lens[i]) % 65535);
		}
}

/* Random packets, in random pieces. */
static void any_packet(void **state)
{
	unsigned segments = 0;

	for (unsigned round = 0; round < 3000; round++) {
		bool v6 = random_below(2);
		struct gso_packet order = {
			.v6 = v6,
			.udp = random_below(3) == 0,
			.tags = random_below(3),
			.ip_options = random_below(3) ? 0
				      : v6	      ? random_below(9) * 8
						      : random_below(11) * 4,
			.tcp_options = random_below(11) * 4,
			.tcp_flags = (uint8_t)random_below(256),
			.id = (uint16_t)random_below(65536),
			.sequence = random_below(~0u),
			.payload = 1 + random_below(round % 10 ? 3000 : 65280),
		};
		unsigned head_len;

		order.gso_size =
			(uint16_t)(1 + random_below(
					       MIN(order.payload + 10, 1480u)));
		if (order.payload / order.gso_size > 1000)
			order.gso_size += 100;
		packet = order;
		packet_build(&packet, to_mac, from_mac);
		head_len = packet.header_len +
			   random_below(FRAME_HEAD_SIZE - packet.header_len);
		packet_frame(&packet, &frame, head, MIN(head_len, packet.len),
			     1 + random_below(FRAME_SEGS_MAX - 1));
		if (order.v6 && packet.len - packet.l3 > 65575)
			continue;
		assert_true(gso_check(&frame));
		if (packet_segments(&packet) == 1) {
			assert_int_equal(frame.gso_type, FRAME_GSO_NONE);
			continue;
		}
		assert_int_equal(gso_segment_count(&frame),
				 packet_segments(&packet));
		assert_int_equal(gso_has_cwr(&frame),
				 !order.udp && order.tcp_flags & TCP_CWR);
		segments += cut();
	}
	assert_true(segments > 20000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(check_good),
		cmocka_unit_test(check_routing),
		cmocka_unit_test(check_bad),
		cmocka_unit_test(check_three_tags),
		cmocka_unit_test(check_long_headers),
		cmocka_unit_test(check_sizes),
		cmocka_unit_test(check_longest),
		cmocka_unit_test(flags_and_numbers),
		cmocka_unit_test(all_pieces),
		cmocka_unit_test(change_length),
		cmocka_unit_test(any_packet),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
