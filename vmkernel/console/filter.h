/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What of a VM's console output may reach the terminal. */
#ifndef VMKERNEL_CONSOLE_FILTER_H
#define VMKERNEL_CONSOLE_FILTER_H

#include "lib/types.h"

/* The longest that passes as one: an escape sequence. */
#define FILTER_UNIT_MAX 20

enum filter_result {
	FILTER_NOTHING,
	FILTER_TEXT,	  /* append the unit to the line */
	FILTER_OVERWRITE, /* go to the start of the line, then the same */
	FILTER_NEWLINE,
};

enum filter_state {
	FILTER_GROUND,
	FILTER_UTF8,   /* within a character */
	FILTER_ESCAPE, /* after ESC */
	FILTER_CSI,    /* after ESC [ */
	FILTER_STRING, /* OSC, DCS and the like: up to BEL, ESC or newline */
};

struct filter {
	uint8_t state;	   /* enum filter_state */
	bool carriage;	   /* a carriage return waits for what follows */
	bool styled;	   /* the line has set a colour */
	bool bad;	   /* the escape sequence is not one that passes */
	uint8_t need;	   /* bytes that the character still lacks */
	uint8_t unit_size; /* bytes of unit[] */
	char unit[FILTER_UNIT_MAX];
	/* How far backspace may go: never more than what the terminal has
	 * advanced since the prefix. Only printable ASCII counts. */
	unsigned columns;
};

/* One byte in; for TEXT and OVERWRITE, unit and *count say what to show, and
 * the caller answers with filter_count() if it does. */
enum filter_result filter_byte(struct filter *f, uint8_t byte,
			       bool allow_escapes, char unit[FILTER_UNIT_MAX],
			       unsigned *count);
void filter_count(struct filter *f, const char *unit, unsigned count);
/* The line has ended or starts again: column 0, no colour. */
void filter_end_line(struct filter *f);

#endif
