/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The Internet checksum (RFC 1071) over pieces of any length. */
#ifndef LIB_CHECKSUM_H
#define LIB_CHECKSUM_H

#include "lib/types.h"

/*
 * A running sum. Add the pieces in the order in which they stand in the
 * packet; each may have any length and alignment. {0} is the empty sum.
 */
struct checksum {
	uint64_t sum; /* ones' complement, of words as they lie in memory */
	bool odd;     /* an odd number of bytes so far */
};

/* Reads every byte once; it may change meanwhile (guest memory). */
void checksum_add(struct checksum *c, const void *data, size_t len);
/* The pseudo-header of TCP and UDP: RFC 9293, 3.1 and RFC 8200, 8.1. Only at
 * an even place; l4_len: bytes of L4 header and payload. */
void checksum_add_pseudo4(struct checksum *c, const uint8_t source[4],
			  const uint8_t destination[4], uint8_t protocol,
			  uint16_t l4_len);
void checksum_add_pseudo6(struct checksum *c, const uint8_t source[16],
			  const uint8_t destination[16], uint8_t protocol,
			  uint32_t l4_len);
/* The sum folded to 16 bits, not inverted, to be stored as it is (memcpy): the
 * partial checksum that FRAME_CSUM_PARTIAL wants in the L4 field. */
uint16_t checksum_fold(const struct checksum *c);
/* The checksum to be stored as it is (memcpy); 0 over a packet whose checksum
 * field is right. */
uint16_t checksum_finish(const struct checksum *c);

#endif
