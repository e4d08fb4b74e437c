/* SPDX-License-Identifier: GPL-2.0-or-later */
/* SHA-256 (FIPS 180-4), streaming. */
#ifndef LIB_SHA256_H
#define LIB_SHA256_H

#include "lib/types.h"

#define SHA256_SIZE  32
#define SHA256_BLOCK 64

struct sha256 {
	uint32_t state[8];
	uint64_t length;	     /* bytes taken so far */
	uint8_t block[SHA256_BLOCK]; /* the block being filled */
};

void sha256_init(struct sha256 *s);
/* Any number of calls, size in bytes, 0 allowed. */
void sha256_update(struct sha256 *s, const void *data, size_t size);
/* Ends the stream; s must be initialised again before it is used again. */
void sha256_final(struct sha256 *s, uint8_t digest[SHA256_SIZE]);

#endif
