/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Generic segmentation: a frame of many segments, checked and cut up. */
#ifndef LIB_GSO_H
#define LIB_GSO_H

#include "lib/frame.h"

/*
 * A GSO frame is one TCP or UDP packet with more payload than a wire takes; it
 * travels as one until somebody cannot take it whole (Linux, Documentation/
 * networking/segmentation-offloads.rst). Its headers lie in the head, so they
 * are a private copy; its payload is never looked at.
 */

/* An IP length has 16 bits; an IPv6 one does not count its own header. With
 * two VLAN tags. */
#define GSO_LEN_MAX	 (65535u + 40 + ETH_HEADER_LEN + 8)
/* So that nobody is made to cut a frame into very many pieces: enough for the
 * longest with the least segments of Linux's TCP (TCP_MIN_SND_MSS, 48 bytes,
 * less 12 of a timestamp). */
#define GSO_SEGMENTS_MAX 2048u

/*
 * Does the head hold what the frame's gso_type, csum_start and csum_offset
 * say? Ethernet with at most two VLAN tags; IPv4, no fragment, or IPv6, with
 * extension headers or not; TCP or UDP; all of it within the head; at most
 * GSO_SEGMENTS_MAX segments. Sets l3_start and header_len. A frame of a single
 * segment becomes an ordinary one.
 */
bool gso_check(struct frame *frame);

/* The rest is for frames that gso_check() has passed. */

/* At least 2. */
unsigned gso_segment_count(const struct frame *frame);
/* What a wire must be able to take, of any frame: its length, or that of its
 * longest segment, headers included. */
static inline uint32_t gso_wire_len(const struct frame *frame)
{
	return likely(frame->gso_type == FRAME_GSO_NONE)
		       ? frame->len
		       : (uint32_t)frame->header_len + frame->gso_size;
}
static inline bool gso_is_ipv4(const struct frame *frame)
{
	return frame->head[frame->l3_start] >> 4 == 4;
}
/* Is TCP's CWR flag set? It belongs on the first segment only (RFC 3168). */
bool gso_has_cwr(const struct frame *frame);
/* Adds to the partial checksum in a head's L4 field that its length has become
 * `now` instead of `was` (bytes of L4 header and payload; 0: left out). */
void gso_change_length(struct frame *frame, uint32_t was, uint32_t now);

/* Where a frame's segmentation stands. */
struct gso {
	const struct frame *frame;
	uint32_t offset;   /* of payload done */
	uint32_t piece_at; /* bytes of the piece done */
	uint8_t piece;	   /* 0: the head's payload; then segs[piece - 1] */
	uint16_t index;	   /* segments done */
};

void gso_begin(struct gso *gso, const struct frame *frame);
/*
 * The next segment: its headers in out->head (room for FRAME_HEAD_SIZE), its
 * payload where the frame has it; FRAME_CSUM_PARTIAL. Source and cookie are the
 * caller's to set. False: there is none left.
 */
bool gso_next(struct gso *gso, struct frame *out);
static inline bool gso_done(const struct gso *gso)
{
	return gso->offset == gso->frame->len - gso->frame->header_len;
}

#endif
