/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Formatted text where there is no libc. */
#ifndef LIB_FMT_H
#define LIB_FMT_H

#include "lib/types.h"
#include <stdarg.h>

/*
 * The part of C17 7.21.6.5 that we use: %c %s %d %i %u %x %X %p %%; lengths
 * hh h l ll z; flags - and 0; a width; a precision for %s. Width and precision
 * may be *. Anything else is copied as it stands (and no argument is taken).
 * %s of NULL is "(null)"; %p is 0x and hexadecimal digits.
 *
 * Writes at most size bytes with the closing NUL (none when size is 0) and
 * returns the length that the whole text has, without the NUL: the text was
 * cut if that is size or more.
 */
int fmt_snprintf(char *buf, size_t size, const char *fmt, ...) PRINTF(3, 4);
int fmt_vsnprintf(char *buf, size_t size, const char *fmt, va_list args)
	PRINTF(3, 0);

#endif
