/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Formatted text where there is no libc. */
#include "lib/fmt.h"
#include <limits.h>
#include <string.h>

/* Widths and precisions past this are nonsense, and are cut to it. */
#define FMT_WIDTH_MAX 4096

struct fmt_out {
	char *buf;
	size_t size;
	size_t length; /* of the whole text, cut or not */
};

struct fmt_spec {
	bool left, zero;
	int width;
	int precision; /* -1: none given */
	int length;    /* -2 hh, -1 h, 0, 1 l, 2 ll; z is l on x86-64 */
};

static void fmt_putc(struct fmt_out *out, char c)
{
	if (out->length + 1 < out->size)
		out->buf[out->length] = c;
	out->length++;
}

static void fmt_pad(struct fmt_out *out, char c, int count)
{
	while (count-- > 0)
		fmt_putc(out, c);
}

static void fmt_text(struct fmt_out *out, const struct fmt_spec *spec,
		     const char *s)
{
	int length = 0;

	if (!s)
		s = "(null)";
	/* Not strlen(): with a precision the text need not end in NUL. */
	while ((spec->precision < 0 || length < spec->precision) && s[length])
		length++;
	if (!spec->left)
		fmt_pad(out, ' ', spec->width - length);
	for (int i = 0; i < length; i++)
		fmt_putc(out, s[i]);
	if (spec->left)
		fmt_pad(out, ' ', spec->width - length);
}

static void fmt_number(struct fmt_out *out, const struct fmt_spec *spec,
		       uint64_t value, unsigned base, bool upper,
		       const char *prefix)
{
	const char *digits = upper ? "0123456789ABCDEF" : "0123456789abcdef";
	char text[20]; /* 2^64 - 1 has 20 decimal digits */
	int count = 0;
	int pad;

	do {
		text[count++] = digits[value % base];
		value /= base;
	} while (value);
	pad = spec->width - count - (int)strlen(prefix);

	if (!spec->left && !spec->zero)
		fmt_pad(out, ' ', pad);
	while (*prefix)
		fmt_putc(out, *prefix++);
	if (!spec->left && spec->zero)
		fmt_pad(out, '0', pad);
	while (count > 0)
		fmt_putc(out, text[--count]);
	if (spec->left)
		fmt_pad(out, ' ', pad);
}

static const char *fmt_digits(const char *p, int *value)
{
	*value = 0;
	for (; *p >= '0' && *p <= '9'; p++)
		if (*value < FMT_WIDTH_MAX)
			*value = *value * 10 + (*p - '0');
	*value = MIN(*value, FMT_WIDTH_MAX);
	return p;
}

static int fmt_star(int value)
{
	return MAX(MIN(value, FMT_WIDTH_MAX), -FMT_WIDTH_MAX);
}

static const char *fmt_length(const char *p, struct fmt_spec *spec)
{
	for (;; p++) {
		if (*p == 'l' && spec->length < 2)
			spec->length++;
		else if (*p == 'h' && spec->length > -2)
			spec->length--;
		else if (*p == 'z' && !spec->length)
			spec->length = 1;
		else
			return p;
	}
}

/* What a short argument was promoted from (C17 6.5.2.2). */
static uint64_t fmt_narrow(uint64_t value, int length, bool is_signed)
{
	switch (length) {
	case -2:
		return is_signed ? (uint64_t)(int8_t)value : (uint8_t)value;
	case -1:
		return is_signed ? (uint64_t)(int16_t)value : (uint16_t)value;
	case 0:
		return is_signed ? (uint64_t)(int32_t)value : (uint32_t)value;
	default:
		return value;
	}
}

int fmt_vsnprintf(char *buf, size_t size, const char *fmt, va_list args)
{
	struct fmt_out out = {.buf = buf, .size = size};
	va_list ap;

	va_copy(ap, args);
	for (const char *p = fmt; *p; p++) {
		struct fmt_spec spec = {.precision = -1};
		const char *start = p;
		uint64_t value;

		if (*p != '%') {
			fmt_putc(&out, *p);
			continue;
		}
		for (p++; *p == '-' || *p == '0'; p++) {
			spec.left |= *p == '-';
			spec.zero |= *p == '0';
		}
		if (*p == '*') {
			spec.width = fmt_star(va_arg(ap, int));
			p++;
		} else {
			p = fmt_digits(p, &spec.width);
		}
		if (spec.width < 0) {
			spec.left = true;
			spec.width = -spec.width;
		}
		if (p[0] == '.' && p[1] == '*') {
			spec.precision = fmt_star(va_arg(ap, int));
			p += 2;
		} else if (*p == '.') {
			p = fmt_digits(p + 1, &spec.precision);
		}
		p = fmt_length(p, &spec);

		switch (*p) {
		case '%':
			fmt_putc(&out, '%');
			break;
		case 'c': {
			char c = (char)va_arg(ap, int);

			fmt_pad(&out, ' ', spec.left ? 0 : spec.width - 1);
			fmt_putc(&out, c);
			fmt_pad(&out, ' ', spec.left ? spec.width - 1 : 0);
			break;
		}
		case 's':
			fmt_text(&out, &spec, va_arg(ap, const char *));
			break;
		case 'p':
			value = (uintptr_t)va_arg(ap, void *);
			fmt_number(&out, &spec, value, 16, false, "0x");
			break;
		case 'd':
		case 'i':
			value = spec.length > 0
					? va_arg(ap, unsigned long)
					: fmt_narrow(va_arg(ap, unsigned),
						     spec.length, true);
			if ((int64_t)value < 0)
				fmt_number(&out, &spec, 0 - value, 10, false,
					   "-");
			else
				fmt_number(&out, &spec, value, 10, false, "");
			break;
		case 'u':
		case 'x':
		case 'X':
			value = spec.length > 0
					? va_arg(ap, unsigned long)
					: fmt_narrow(va_arg(ap, unsigned),
						     spec.length, false);
			fmt_number(&out, &spec, value, *p == 'u' ? 10 : 16,
				   *p == 'X', "");
			break;
		default:
			/* Not ours: show it. A format may end within it. */
			while (start < p)
				fmt_putc(&out, *start++);
			if (!*p)
				p--;
			else
				fmt_putc(&out, *p);
			break;
		}
	}
	va_end(ap);
	if (size)
		buf[MIN(out.length, size - 1)] = '\0';
	return out.length > INT_MAX ? INT_MAX : (int)out.length;
}

int fmt_snprintf(char *buf, size_t size, const char *fmt, ...)
{
	va_list args;
	int length;

	va_start(args, fmt);
	length = fmt_vsnprintf(buf, size, fmt, args);
	va_end(args);
	return length;
}
