/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What of a VM's console output may reach the terminal. */
#include "vmkernel/console/filter.h"

#include <string.h>

#define ESC 0x1b
#define BEL 0x07
#define DEL 0x7f

void filter_end_line(struct filter *f)
{
	f->columns = 0;
	f->styled = false;
}

void filter_count(struct filter *f, const char *unit, unsigned count)
{
	if (unit[0] == '\b')
		f->columns--;
	else if (unit[0] == ESC)
		f->styled |= unit[count - 1] == 'm';
	else if (unit[0] >= ' ' && unit[0] < DEL)
		f->columns++;
}

static enum filter_result filter_emit(struct filter *f, const char *bytes,
				      unsigned size, char unit[FILTER_UNIT_MAX],
				      unsigned *count)
{
	bool overwrite = f->carriage;

	f->carriage = false;
	f->state = FILTER_GROUND;
	memcpy(unit, bytes, size);
	*count = size;
	return overwrite ? FILTER_OVERWRITE : FILTER_TEXT;
}

static void filter_start(struct filter *f, enum filter_state state,
			 uint8_t byte)
{
	f->state = (uint8_t)state;
	f->unit[0] = (char)byte;
	f->unit_size = 1;
	f->bad = false;
}

/* The bytes that may begin a character of two to four (RFC 3629, section 4);
 * 0 for all others. */
static uint8_t filter_utf8_need(uint8_t byte)
{
	if (byte >= 0xc2 && byte <= 0xdf)
		return 1;
	if (byte >= 0xe0 && byte <= 0xef)
		return 2;
	if (byte >= 0xf0 && byte <= 0xf4)
		return 3;
	return 0;
}

/* May byte come second? Keeps out overlong forms, surrogates, what is past
 * U+10FFFF, and the control characters U+0080 to U+009F. */
static bool filter_utf8_second(uint8_t first, uint8_t byte)
{
	switch (first) {
	case 0xc2:
	case 0xe0:
		return byte >= 0xa0;
	case 0xed:
		return byte <= 0x9f;
	case 0xf0:
		return byte >= 0x90;
	case 0xf4:
		return byte <= 0x8f;
	default:
		return true;
	}
}

/* Colour (SGR), and erasing from the cursor on (EL, ED): ECMA-48, 8.3. All
 * others could move the cursor to where another's line starts. */
static bool filter_csi_passes(const struct filter *f)
{
	const char *parameters = f->unit + 2;
	unsigned count = f->unit_size - 3u;
	char final = f->unit[f->unit_size - 1];

	if (final == 'm') {
		for (unsigned i = 0; i < count; i++)
			if (parameters[i] != ';' &&
			    (parameters[i] < '0' || parameters[i] > '9'))
				return false;
		return true;
	}
	if (final == 'J' || final == 'K')
		return count == 0 || (count == 1 && parameters[0] == '0');
	return false;
}

/* Takes the byte if it belongs to the sequence begun; false: it does not, and
 * stands for itself. */
static bool filter_continue(struct filter *f, uint8_t byte)
{
	switch (f->state) {
	case FILTER_UTF8:
		if (byte < 0x80 || byte > 0xbf ||
		    (f->unit_size == 1 &&
		     !filter_utf8_second((uint8_t)f->unit[0], byte)))
			break;
		f->unit[f->unit_size++] = (char)byte;
		f->need--;
		return true;
	case FILTER_ESCAPE:
		if (byte == '[') {
			f->unit[f->unit_size++] = (char)byte;
			f->state = FILTER_CSI;
			return true;
		}
		/* OSC, DCS, SOS, PM, APC: a text follows. */
		if (byte == ']' || byte == 'P' || byte == 'X' || byte == '^' ||
		    byte == '_') {
			f->state = FILTER_STRING;
			return true;
		}
		if (byte >= ' ' && byte < DEL) {
			/* Intermediate bytes go on, any other one ends it. */
			if (byte > '/')
				f->state = FILTER_GROUND;
			return true;
		}
		break;
	case FILTER_CSI:
		if (byte < ' ' || byte >= DEL)
			break;
		if (f->unit_size == FILTER_UNIT_MAX)
			f->bad = true;
		else
			f->unit[f->unit_size++] = (char)byte;
		return true;
	case FILTER_STRING:
		if (byte == '\n' || byte == ESC)
			break;
		if (byte == BEL)
			f->state = FILTER_GROUND;
		return true;
	}
	f->state = FILTER_GROUND;
	return false;
}

enum filter_result filter_byte(struct filter *f, uint8_t byte,
			       bool allow_escapes, char unit[FILTER_UNIT_MAX],
			       unsigned *count)
{
	char text = (char)byte;

	if (f->state != FILTER_GROUND && filter_continue(f, byte)) {
		if (f->state == FILTER_UTF8 && !f->need)
			return filter_emit(f, f->unit, f->unit_size, unit,
					   count);
		if (f->state == FILTER_CSI && byte >= '@' &&
		    (f->unit_size > 2 || f->bad)) {
			if (!f->bad && allow_escapes && filter_csi_passes(f))
				return filter_emit(f, f->unit, f->unit_size,
						   unit, count);
			f->state = FILTER_GROUND;
		}
		return FILTER_NOTHING;
	}
	switch (byte) {
	case '\n':
		f->carriage = false;
		return FILTER_NEWLINE;
	case '\r':
		f->carriage = true;
		return FILTER_NOTHING;
	case '\b':
		if (f->carriage || !f->columns)
			return FILTER_NOTHING;
		break;
	case '\t':
		break;
	case ESC:
		filter_start(f, FILTER_ESCAPE, byte);
		return FILTER_NOTHING;
	default:
		if (byte >= ' ' && byte < DEL)
			break;
		f->need = filter_utf8_need(byte);
		if (f->need) {
			filter_start(f, FILTER_UTF8, byte);
			return FILTER_NOTHING;
		}
		if (byte < 0x80)
			return FILTER_NOTHING;
		text = '?';
		break;
	}
	return filter_emit(f, &text, 1, unit, count);
}
