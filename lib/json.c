/* SPDX-License-Identifier: GPL-2.0-or-later */
/* JSON text, written piece by piece into a buffer. */
#include "lib/json.h"
#include "lib/fmt.h"

void json_init(struct json *json, char *buf, size_t size)
{
	*json = (struct json){.buf = buf, .size = size};
}

static void json_putc(struct json *json, char c)
{
	if (json->length == json->size) {
		json->cut = true;
		return;
	}
	json->buf[json->length++] = c;
}

static void json_raw(struct json *json, const char *text)
{
	while (*text)
		json_putc(json, *text++);
}

/* RFC 8259, section 7. */
static void json_quote(struct json *json, const char *text)
{
	json_putc(json, '"');
	for (; *text; text++) {
		unsigned char c = (unsigned char)*text;

		if (c == '"' || c == '\\') {
			json_putc(json, '\\');
			json_putc(json, (char)c);
		} else if (c < ' ') {
			char code[8];

			fmt_snprintf(code, sizeof(code), "\\u%04x", c);
			json_raw(json, code);
		} else {
			json_putc(json, c < 0x7f ? (char)c : '?');
		}
	}
	json_putc(json, '"');
}

/* What stands before every value: the comma and the key. */
static void json_begin(struct json *json, const char *key)
{
	uint32_t bit = (uint32_t)1 << json->depth;

	if (json->has_member & bit)
		json_putc(json, ',');
	json->has_member |= bit;
	if (key) {
		json_quote(json, key);
		json_putc(json, ':');
	}
}

static void json_open(struct json *json, const char *key, bool array)
{
	uint32_t bit;

	json_begin(json, key);
	if (json->depth + 1 == JSON_DEPTH_MAX) {
		json->cut = true;
		return;
	}
	json_putc(json, array ? '[' : '{');
	json->depth++;
	bit = (uint32_t)1 << json->depth;
	json->has_member &= ~bit;
	json->is_array = array ? json->is_array | bit : json->is_array & ~bit;
}

void json_object(struct json *json, const char *key)
{
	json_open(json, key, false);
}

void json_array(struct json *json, const char *key)
{
	json_open(json, key, true);
}

void json_end(struct json *json)
{
	uint32_t bit = (uint32_t)1 << json->depth;

	if (!json->depth) {
		json->cut = true;
		return;
	}
	json_putc(json, json->is_array & bit ? ']' : '}');
	json->depth--;
}

void json_string(struct json *json, const char *key, const char *text)
{
	json_begin(json, key);
	json_quote(json, text);
}

void json_u64(struct json *json, const char *key, uint64_t value)
{
	char digits[24];

	json_begin(json, key);
	fmt_snprintf(digits, sizeof(digits), "%llu", (unsigned long long)value);
	json_raw(json, digits);
}

void json_bool(struct json *json, const char *key, bool value)
{
	json_begin(json, key);
	json_raw(json, value ? "true" : "false");
}

const char *json_take(struct json *json, size_t *length)
{
	*length = json->length;
	json->length = 0;
	return json->buf;
}
