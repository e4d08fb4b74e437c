/* SPDX-License-Identifier: GPL-2.0-or-later */
/* SHA-256 (FIPS 180-4), streaming. */
#include "lib/sha256.h"

#include <string.h>

/* FIPS 180-4, 5.3.3. */
static const uint32_t sha256_start[8] = {
	0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
	0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19,
};

/* FIPS 180-4, 4.2.2. */
static const uint32_t sha256_k[64] = {
	0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1,
	0x923f82a4, 0xab1c5ed5, 0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3,
	0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174, 0xe49b69c1, 0xefbe4786,
	0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
	0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147,
	0x06ca6351, 0x14292967, 0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13,
	0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85, 0xa2bfe8a1, 0xa81a664b,
	0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
	0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a,
	0x5b9cca4f, 0x682e6ff3, 0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208,
	0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
};

static uint32_t ror(uint32_t v, unsigned n)
{
	return v >> n | v << (32 - n);
}

static uint32_t be32(const uint8_t *p)
{
	uint32_t v;

	memcpy(&v, p, sizeof(v));
	return __builtin_bswap32(v);
}

/* FIPS 180-4, 6.2.2; the schedule is kept as a ring of its last 16 words. */
static void sha256_block(uint32_t state[8], const uint8_t *block)
{
	uint32_t w[16];
	uint32_t s[8];

	memcpy(s, state, sizeof(s));
	for (unsigned i = 0; i < 64; i++) {
		if (i < 16) {
			w[i] = be32(block + 4 * i);
		} else {
			uint32_t a = w[(i + 1) % 16], b = w[(i + 14) % 16];

			w[i % 16] += (ror(a, 7) ^ ror(a, 18) ^ a >> 3) +
				     w[(i + 9) % 16] +
				     (ror(b, 17) ^ ror(b, 19) ^ b >> 10);
		}

		uint32_t e = s[4], a = s[0];
		uint32_t t1 = s[7] + (ror(e, 6) ^ ror(e, 11) ^ ror(e, 25)) +
			      ((e & s[5]) ^ (~e & s[6])) + sha256_k[i] +
			      w[i % 16];
		uint32_t t2 = (ror(a, 2) ^ ror(a, 13) ^ ror(a, 22)) +
			      ((a & s[1]) ^ (a & s[2]) ^ (s[1] & s[2]));

		s[7] = s[6];
		s[6] = s[5];
		s[5] = s[4];
		s[4] = s[3] + t1;
		s[3] = s[2];
		s[2] = s[1];
		s[1] = s[0];
		s[0] = t1 + t2;
	}
	for (unsigned i = 0; i < 8; i++)
		state[i] += s[i];
}

void sha256_init(struct sha256 *s)
{
	memcpy(s->state, sha256_start, sizeof(s->state));
	s->length = 0;
}

void sha256_update(struct sha256 *s, const void *data, size_t size)
{
	const uint8_t *p = data;
	size_t held = s->length % SHA256_BLOCK;

	if (!size)
		return;
	s->length += size;
	if (held) {
		size_t n = MIN(SHA256_BLOCK - held, size);

		memcpy(s->block + held, p, n);
		p += n;
		size -= n;
		if (held + n < SHA256_BLOCK)
			return;
		sha256_block(s->state, s->block);
	}
	for (; size >= SHA256_BLOCK; size -= SHA256_BLOCK, p += SHA256_BLOCK)
		sha256_block(s->state, p);
	memcpy(s->block, p, size);
}

void sha256_final(struct sha256 *s, uint8_t digest[SHA256_SIZE])
{
	uint64_t bits = __builtin_bswap64(s->length * 8);
	size_t held = s->length % SHA256_BLOCK;

	/* FIPS 180-4, 5.1.1: a one bit, zeros, the length in bits. */
	s->block[held++] = 0x80;
	if (held > SHA256_BLOCK - sizeof(bits)) {
		memset(s->block + held, 0, SHA256_BLOCK - held);
		sha256_block(s->state, s->block);
		held = 0;
	}
	memset(s->block + held, 0, SHA256_BLOCK - sizeof(bits) - held);
	memcpy(s->block + SHA256_BLOCK - sizeof(bits), &bits, sizeof(bits));
	sha256_block(s->state, s->block);

	for (unsigned i = 0; i < 8; i++) {
		uint32_t v = __builtin_bswap32(s->state[i]);

		memcpy(digest + 4 * i, &v, sizeof(v));
	}
}
