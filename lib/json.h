/* SPDX-License-Identifier: GPL-2.0-or-later */
/* JSON text, written piece by piece into a buffer. */
#ifndef LIB_JSON_H
#define LIB_JSON_H

#include "lib/types.h"

#define JSON_DEPTH_MAX 32

/*
 * Commas, quotes and braces come by themselves. A key is given exactly within
 * an object and NULL elsewhere. A text longer than the buffer is written in
 * parts: take what is there whenever it is convenient, with json_take().
 */
struct json {
	char *buf;
	size_t size, length;
	unsigned depth;
	uint32_t is_array; /* bit: the value open at this depth */
	uint32_t has_member;
	bool cut; /* the buffer ran over: the text is not valid */
};

void json_init(struct json *json, char *buf, size_t size);
void json_object(struct json *json, const char *key);
void json_array(struct json *json, const char *key);
/* Closes the innermost object or array. */
void json_end(struct json *json);
/* text is ASCII: other bytes become '?'. */
void json_string(struct json *json, const char *key, const char *text);
void json_u64(struct json *json, const char *key, uint64_t value);
void json_bool(struct json *json, const char *key, bool value);
/* The text since the last call (no closing NUL), *length bytes; it stays until
 * the next piece is written. */
const char *json_take(struct json *json, size_t *length);

#endif
