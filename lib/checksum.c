/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The Internet checksum, eight bytes at a time. */
#include "lib/checksum.h"

/*
 * Ones' complement addition does not care about byte order nor word size (RFC
 * 1071, 2): words are summed as they lie in memory, 64 bits wide, each carry
 * added back in, and folded to 16 bits at the end. A piece that begins at an
 * odd place has all its bytes in the other half of their 16-bit words, so its
 * sum is rotated by eight bits.
 */
static inline uint64_t checksum_carry(uint64_t a, uint64_t b)
{
	uint64_t sum;

	return __builtin_add_overflow(a, b, &sum) ? sum + 1 : sum;
}

static inline uint64_t checksum_load64(const uint8_t *p)
{
	uint64_t word;

	__builtin_memcpy(&word, p, sizeof(word));
	return word;
}

static uint64_t checksum_piece(const uint8_t *p, size_t len)
{
	uint64_t a = 0, b = 0, tail = 0;
	unsigned at = 0;

	/* Two sums, so that one addition need not wait for the other's carry.
	 */
	for (; len >= 32; p += 32, len -= 32) {
		a = checksum_carry(a, checksum_load64(p));
		b = checksum_carry(b, checksum_load64(p + 8));
		a = checksum_carry(a, checksum_load64(p + 16));
		b = checksum_carry(b, checksum_load64(p + 24));
	}
	for (; len >= 8; p += 8, len -= 8)
		a = checksum_carry(a, checksum_load64(p));
	if (len & 4) {
		uint32_t word;

		__builtin_memcpy(&word, p, sizeof(word));
		tail = word;
		p += 4;
		at = 32;
	}
	if (len & 2) {
		uint16_t word;

		__builtin_memcpy(&word, p, sizeof(word));
		tail |= (uint64_t)word << at;
		p += 2;
		at += 16;
	}
	if (len & 1)
		tail |= (uint64_t)*p << at;
	return checksum_carry(checksum_carry(a, b), tail);
}

void checksum_add(struct checksum *c, const void *data, size_t len)
{
	uint64_t sum = checksum_piece(data, len);

	if (c->odd)
		sum = sum << 8 | sum >> 56;
	c->sum = checksum_carry(c->sum, sum);
	c->odd ^= len & 1;
}

void checksum_add_pseudo4(struct checksum *c, const uint8_t source[4],
			  const uint8_t destination[4], uint8_t protocol,
			  uint16_t l4_len)
{
	uint8_t rest[4] = {0, protocol, (uint8_t)(l4_len >> 8),
			   (uint8_t)l4_len};

	checksum_add(c, source, 4);
	checksum_add(c, destination, 4);
	checksum_add(c, rest, sizeof(rest));
}

void checksum_add_pseudo6(struct checksum *c, const uint8_t source[16],
			  const uint8_t destination[16], uint8_t protocol,
			  uint32_t l4_len)
{
	uint8_t rest[8] = {
		(uint8_t)(l4_len >> 24), (uint8_t)(l4_len >> 16),
		(uint8_t)(l4_len >> 8),	 (uint8_t)l4_len,
		[7] = protocol,
	};

	checksum_add(c, source, 16);
	checksum_add(c, destination, 16);
	checksum_add(c, rest, sizeof(rest));
}

uint16_t checksum_fold(const struct checksum *c)
{
	uint64_t sum = c->sum;

	sum = (sum >> 32) + (uint32_t)sum; /* up to 33 bits */
	sum = (sum >> 16) + (uint16_t)sum; /* up to 18 */
	sum = (sum >> 16) + (uint16_t)sum; /* up to 17 */
	sum = (sum >> 16) + (uint16_t)sum;
	return (uint16_t)sum;
}

uint16_t checksum_finish(const struct checksum *c)
{
	return (uint16_t)~checksum_fold(c);
}
