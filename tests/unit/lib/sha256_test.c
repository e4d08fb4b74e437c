/* SPDX-License-Identifier: GPL-2.0-or-later */
/* lib/sha256.c against the published vectors, in pieces of every size. */
#include "lib/sha256.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

static void hex(const uint8_t *digest, char *text)
{
	for (unsigned i = 0; i < SHA256_SIZE; i++)
		sprintf(text + 2 * i, "%02x", digest[i]);
}

static void hash(const void *data, size_t size, size_t piece, char *text)
{
	const uint8_t *p = data;
	struct sha256 s;
	uint8_t digest[SHA256_SIZE];

	sha256_init(&s);
	for (size_t done = 0; done < size; done += piece)
		sha256_update(&s, p + done, MIN(piece, size - done));
	sha256_final(&s, digest);
	hex(digest, text);
}

/* FIPS 180-4's examples and the empty message. */
static void test_vectors(void **state)
{
	static const struct {
		const char *message, *digest;
	} vectors[] = {
		{"",
		 "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b"
		 "7852b855"},
		{"abc",
		 "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410"
		 "ff61f20015ad"},
		{"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
		 "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd4"
		 "19db06c1"},
	};
	char text[65];

	for (size_t i = 0; i < ARRAY_SIZE(vectors); i++) {
		hash(vectors[i].message, strlen(vectors[i].message), 64, text);
		assert_string_equal(text, vectors[i].digest);
	}
}

static void test_million(void **state)
{
	static char message[1000000];
	char text[65];

	memset(message, 'a', sizeof(message));
	hash(message, sizeof(message), sizeof(message), text);
	assert_string_equal(text,
			    "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497"
			    "200e046d39ccc7112cd0");
}

/* However the message is cut, the digest is the same, at each length around
 * the block's edges. */
static void test_pieces(void **state)
{
	uint8_t message[200];
	char whole[65], cut[65];

	for (size_t i = 0; i < sizeof(message); i++)
		message[i] = (uint8_t)(i * 7 + 1);
	for (size_t size = 0; size <= sizeof(message); size++) {
		hash(message, size, sizeof(message), whole);
		for (size_t piece = 1; piece < 130; piece += 9) {
			hash(message, size, piece, cut);
			assert_string_equal(whole, cut);
		}
	}
}

/* The padding's three cases: room for the length, just none, a full block. */
static void test_padding(void **state)
{
	static const struct {
		size_t size;
		const char *digest;
	} vectors[] = {
		{55,
		 "9f4390f8d30c2dd92ec9f095b65e2b9ae9b0a925a5258e241c9f1e910"
		 "f734318"},
		{56,
		 "b35439a4ac6f0948b6d6f9e3c6af0f5f590ce20f1bde7090ef7970686"
		 "ec6738a"},
		{64,
		 "ffe054fe7ae0cb6dc65c3af9b61d5209f439851db43d0ba5997337df1"
		 "54668eb"},
	};
	char message[64], text[65];

	memset(message, 'a', sizeof(message));
	for (size_t i = 0; i < ARRAY_SIZE(vectors); i++) {
		hash(message, vectors[i].size, 64, text);
		assert_string_equal(text, vectors[i].digest);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_vectors),
		cmocka_unit_test(test_million),
		cmocka_unit_test(test_pieces),
		cmocka_unit_test(test_padding),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
