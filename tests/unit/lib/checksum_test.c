/* SPDX-License-Identifier: GPL-2.0-or-later */
/* lib/checksum.c against the definition, word by word. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "lib/checksum.h"

static uint32_t seed = 12345;

static uint32_t random_below(uint32_t limit)
{
	seed ^= seed << 13;
	seed ^= seed >> 17;
	seed ^= seed << 5;
	return seed % limit;
}

/* RFC 1071, 4.1, in network order; returned as it would lie in memory. */
static uint16_t naive(const uint8_t *p, size_t len)
{
	uint32_t sum = 0;

	for (size_t i = 0; i < len; i++)
		sum += i & 1 ? p[i] : (uint32_t)p[i] << 8;
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return __builtin_bswap16((uint16_t)~sum);
}

static uint16_t whole(const uint8_t *p, size_t len)
{
	struct checksum c = {0};

	checksum_add(&c, p, len);
	return checksum_finish(&c);
}

static void known_header(void **state)
{
	/* An IPv4 header: its checksum b861 stands at 10. */
	static const uint8_t header[20] = {
		0x45, 0x00, 0x00, 0x73, 0x00, 0x00, 0x40, 0x00, 0x40, 0x11,
		0xb8, 0x61, 0xc0, 0xa8, 0x00, 0x01, 0xc0, 0xa8, 0x00, 0xc7};
	uint8_t blank[20];
	uint16_t sum;

	assert_int_equal(whole(header, sizeof(header)), 0);
	memcpy(blank, header, sizeof(blank));
	blank[10] = blank[11] = 0;
	sum = whole(blank, sizeof(blank));
	assert_memory_equal(&sum, header + 10, 2);
}

static void every_length(void **state)
{
	static const uint8_t fills[] = {0x00, 0xff, 0xfe, 0x80};
	uint8_t *data;

	for (size_t len = 0; len < 200; len++) {
		/* Of the exact size: ASan sees a read past it. */
		data = malloc(len + 1);
		for (unsigned f = 0; f < ARRAY_SIZE(fills); f++) {
			memset(data, fills[f], len + 1);
			assert_int_equal(whole(data, len), naive(data, len));
		}
		for (size_t i = 0; i < len + 1; i++)
			data[i] = (uint8_t)random_below(256);
		assert_int_equal(whole(data, len), naive(data, len));
		assert_int_equal(whole(data + 1, len), naive(data + 1, len));
		free(data);
	}
}

static void large(void **state)
{
	size_t len = 65535;
	uint8_t *data = malloc(len);

	memset(data, 0xff, len);
	assert_int_equal(whole(data, len), naive(data, len));
	for (size_t i = 0; i < len; i++)
		data[i] = (uint8_t)random_below(256);
	assert_int_equal(whole(data, len), naive(data, len));
	free(data);
}

/* However it is cut, odd and empty pieces too, the sum is the same. */
static void pieces(void **state)
{
	uint8_t data[1500];

	for (size_t i = 0; i < sizeof(data); i++)
		data[i] = (uint8_t)random_below(256);
	for (unsigned round = 0; round < 2000; round++) {
		size_t len = random_below(sizeof(data) + 1), at = 0;
		uint32_t limit = 1 + random_below(400);
		struct checksum c = {0};

		while (at < len) {
			size_t piece = random_below(limit + 1);

			if (piece > len - at)
				piece = len - at;
			checksum_add(&c, data + at, piece);
			at += piece;
		}
		assert_int_equal(checksum_finish(&c), naive(data, len));
	}
}

static void pseudo_headers(void **state)
{
	uint8_t packet[40 + 33], payload[33];
	struct checksum c;

	for (unsigned round = 0; round < 200; round++) {
		uint8_t *p = packet;

		for (size_t i = 0; i < sizeof(packet); i++)
			packet[i] = (uint8_t)random_below(256);
		memcpy(payload, packet + 40, sizeof(payload));

		/* IPv4: addresses, 0, protocol, length */
		p = packet + 28;
		p[8] = 0;
		p[9] = 17;
		p[10] = 0;
		p[11] = sizeof(payload);
		c = (struct checksum){0};
		checksum_add_pseudo4(&c, p, p + 4, 17, sizeof(payload));
		assert_int_equal((uint16_t)~checksum_fold(&c), naive(p, 12));
		checksum_add(&c, payload, sizeof(payload));
		assert_int_equal(checksum_finish(&c),
				 naive(p, 12 + sizeof(payload)));

		/* IPv6: addresses, 32-bit length, 0, next header */
		p = packet;
		p[32] = 0;
		p[33] = 1;
		p[34] = 2;
		p[35] = 3;
		p[36] = p[37] = p[38] = 0;
		p[39] = 6;
		c = (struct checksum){0};
		checksum_add_pseudo6(&c, p, p + 16, 6, 0x00010203);
		checksum_add(&c, payload, sizeof(payload));
		assert_int_equal(checksum_finish(&c), naive(p, sizeof(packet)));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(known_header),
		cmocka_unit_test(every_length),
		cmocka_unit_test(large),
		cmocka_unit_test(pieces),
		cmocka_unit_test(pseudo_headers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
