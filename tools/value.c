/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The values a user writes: sizes, MACs, PCI addresses, names, numbers. */
#include "tools/value.h"
#include "lib/sha256.h"
#include "sluice/config.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* Digits at *text, which moves behind them; false for none or overflow. */
static bool take_number(const char **text, uint64_t *number)
{
	const char *start = *text;
	uint64_t n = 0;

	for (; **text >= '0' && **text <= '9'; (*text)++)
		if (__builtin_mul_overflow(n, 10, &n) ||
		    __builtin_add_overflow(n, (uint64_t)(**text - '0'), &n))
			return false;
	*number = n;
	return *text != start;
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

/* Two hexadecimal digits; -1 if they are not (the end included). */
static int hex_byte(const char *text)
{
	int high = hex_digit(text[0]);
	int low = high < 0 ? -1 : hex_digit(text[1]);

	return low < 0 ? -1 : high << 4 | low;
}

bool value_parse_size(const char *text, uint64_t *bytes)
{
	uint64_t n;
	unsigned shift;

	if (!take_number(&text, &n))
		return false;
	switch (*text++) {
	case 'K':
	case 'k':
		shift = 10;
		break;
	case 'M':
	case 'm':
		shift = 20;
		break;
	case 'G':
	case 'g':
		shift = 30;
		break;
	default:
		return false;
	}
	*bytes = n << shift;
	return !*text && *bytes >> shift == n;
}

const char *value_format_size(uint64_t bytes, char text[VALUE_SIZE_TEXT])
{
	static const char units[] = "KMG";
	const char *format = "%" PRIu64 "%c";
	unsigned unit = 0;

	if (bytes % 1024) {
		snprintf(text, VALUE_SIZE_TEXT, "%" PRIu64, bytes);
		return text;
	}
	for (bytes >>= 10; bytes && bytes % 1024 == 0 && unit < 2; unit++)
		bytes >>= 10;
	snprintf(text, VALUE_SIZE_TEXT, format, bytes, units[unit]);
	return text;
}

bool value_parse_mac(const char *text, uint8_t mac[6])
{
	if (strlen(text) != 17)
		return false;
	for (unsigned i = 0; i < 6; i++) {
		int byte = hex_byte(text + 3 * i);

		if (byte < 0 || (i < 5 && text[3 * i + 2] != ':'))
			return false;
		mac[i] = (uint8_t)byte;
	}
	return true;
}

bool value_parse_pci(const char *text, uint16_t *pci)
{
	int bus, device;

	if (strlen(text) != 7 || text[2] != ':' || text[5] != '.' ||
	    text[6] < '0' || text[6] > '7')
		return false;
	bus = hex_byte(text);
	device = hex_byte(text + 3);
	if (bus < 0 || device < 0 || device > 31)
		return false;
	*pci = (uint16_t)(bus << 8 | device << 3 | (text[6] - '0'));
	return true;
}

bool value_parse_number(const char *text, uint64_t min, uint64_t max,
			uint64_t *number)
{
	return take_number(&text, number) && !*text && *number >= min &&
	       *number <= max;
}

bool value_name_valid(const char *name)
{
	size_t n = strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_-");

	return n > 0 && n < SLUICE_NAME_SIZE && !name[n];
}

bool value_mac_unicast(const uint8_t mac[6])
{
	static const uint8_t none[6];

	return !(mac[0] & 1) && memcmp(mac, none, sizeof(none)) != 0;
}

void value_derive_mac(const char *vm, unsigned nic, uint8_t mac[6])
{
	uint8_t digest[SHA256_SIZE];
	uint8_t index = (uint8_t)nic;
	struct sha256 s;

	sha256_init(&s);
	sha256_update(&s, vm, strlen(vm) + 1);
	sha256_update(&s, &index, sizeof(index));
	sha256_final(&s, digest);
	memcpy(mac, digest, 6);
	mac[0] = (mac[0] & 0xfc) | 0x02; /* one station's, locally given */
}
