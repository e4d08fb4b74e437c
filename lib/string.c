/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The part of <string.h> that ring 0 needs; Linux processes have their own. */
#include <string.h>

#include "lib/types.h"

/*
 * Large copies are left to the CPU's microcode: `rep movsb` where CPUID says
 * that it is fast (ERMS), else `rep movsq`. Starting it takes some 30 cycles,
 * so small ones go word by word, in general registers only: the vector
 * registers hold a guest's values.
 *
 * Compilers recognize loops that copy or fill and turn them into calls to the
 * very functions that stand here. OPAQUE() hides that a pointer moves
 * regularly, which both gcc and clang then leave alone.
 */
#define OPAQUE(ptr)    __asm__("" : "+r"(ptr))

#define REP_MIN	       256u /* bytes from which on `rep` pays */
#define CPUID_7_B_ERMS (1u << 9)

static inline uint64_t load64(const uint8_t *p)
{
	uint64_t v;

	__builtin_memcpy(&v, p, sizeof(v));
	return v;
}

static inline void store64(uint8_t *p, uint64_t v)
{
	__builtin_memcpy(p, &v, sizeof(v));
}

/* 0: not asked yet, 1: no, 2: yes. Written with the same value whoever comes
 * first. */
static uint8_t string_erms;

/* Enhanced `rep movsb` and `rep stosb`: CPUID leaf 7, EBX bit 9. */
static bool string_has_erms(void)
{
	uint32_t eax = 0, ebx, ecx = 0, edx;

	if (likely(READ_ONCE(string_erms)))
		return READ_ONCE(string_erms) == 2;
	__asm__("cpuid" : "+a"(eax), "=b"(ebx), "+c"(ecx), "=d"(edx));
	if (eax >= 7) {
		eax = 7;
		ecx = 0;
		__asm__("cpuid" : "+a"(eax), "=b"(ebx), "+c"(ecx), "=d"(edx));
	} else {
		ebx = 0;
	}
	WRITE_ONCE(string_erms, ebx & CPUID_7_B_ERMS ? 2 : 1);
	return ebx & CPUID_7_B_ERMS;
}

/* n below 8, in any overlap: all is loaded before the first store. */
static inline void copy_tiny(uint8_t *d, const uint8_t *s, size_t n)
{
	if (n >= 4) {
		uint32_t first, last;

		__builtin_memcpy(&first, s, 4);
		__builtin_memcpy(&last, s + n - 4, 4);
		__builtin_memcpy(d, &first, 4);
		__builtin_memcpy(d + n - 4, &last, 4);
	} else if (n) {
		uint8_t first = s[0], middle = s[n / 2], last = s[n - 1];

		d[0] = first;
		d[n / 2] = middle;
		d[n - 1] = last;
	}
}

/* Upwards; the last word is loaded first, so any overlap with dst below src
 * is fine. */
static void copy_up(uint8_t *d, const uint8_t *s, size_t n)
{
	uint8_t *last_to = d + n - 8;
	uint64_t last;

	if (n < 8) {
		copy_tiny(d, s, n);
		return;
	}
	last = load64(s + n - 8);
	if (n < REP_MIN) {
		for (; n > 8; n -= 8) {
			store64(d, load64(s));
			d += 8;
			s += 8;
			OPAQUE(d);
		}
	} else if (string_has_erms()) {
		__asm__ volatile("rep movsb"
				 : "+D"(d), "+S"(s), "+c"(n)::"memory");
		return;
	} else {
		n /= 8;
		__asm__ volatile("rep movsq"
				 : "+D"(d), "+S"(s), "+c"(n)::"memory");
	}
	store64(last_to, last);
}

/* Downwards; the first word is loaded first. */
static void copy_down(uint8_t *d, const uint8_t *s, size_t n)
{
	uint64_t first;

	if (n < 8) {
		copy_tiny(d, s, n);
		return;
	}
	first = load64(s);
	for (; n > 8; n -= 8) {
		store64(d + n - 8, load64(s + n - 8));
		OPAQUE(d);
	}
	store64(d, first);
}

void *memcpy(void *restrict dst, const void *restrict src, size_t n)
{
	copy_up(dst, src, n);
	return dst;
}

void *memmove(void *dst, const void *src, size_t n)
{
	/* Downwards only where dst begins within src. */
	if ((uintptr_t)dst - (uintptr_t)src >= n)
		copy_up(dst, src, n);
	else
		copy_down(dst, src, n);
	return dst;
}

void *memset(void *dst, int c, size_t n)
{
	uint64_t fill = (uint8_t)c * 0x0101010101010101ull;
	uint8_t *d = dst, *end = d + n;

	if (n < 8) {
		for (; d != end; d++) {
			OPAQUE(d);
			*d = (uint8_t)c;
		}
		return dst;
	}
	store64(end - 8, fill);
	if (n < REP_MIN) {
		for (; n > 8; n -= 8) {
			store64(d, fill);
			d += 8;
			OPAQUE(d);
		}
	} else if (string_has_erms()) {
		__asm__ volatile("rep stosb"
				 : "+D"(d), "+c"(n)
				 : "a"(fill)
				 : "memory");
	} else {
		n /= 8;
		__asm__ volatile("rep stosq"
				 : "+D"(d), "+c"(n)
				 : "a"(fill)
				 : "memory");
	}
	return dst;
}

int memcmp(const void *a, const void *b, size_t n)
{
	const uint8_t *p = a, *q = b;

	for (; n >= 8 && load64(p) == load64(q); n -= 8) {
		p += 8;
		q += 8;
	}
	for (; n; n--, p++, q++) {
		if (*p != *q)
			return *p - *q;
		OPAQUE(p);
	}
	return 0;
}

void *memchr(const void *s, int c, size_t n)
{
	const uint8_t *p = s;

	for (; n; n--, p++)
		if (*p == (uint8_t)c)
			return (void *)p;
	return NULL;
}

size_t strlen(const char *s)
{
	const char *p = s;

	for (; *p; p++)
		OPAQUE(p);
	return (size_t)(p - s);
}

int strncmp(const char *a, const char *b, size_t n)
{
	for (; n; n--, a++, b++) {
		if (*a != *b || !*a)
			return (uint8_t)*a - (uint8_t)*b;
	}
	return 0;
}

int strcmp(const char *a, const char *b)
{
	return strncmp(a, b, SIZE_MAX);
}

char *strchr(const char *s, int c)
{
	for (; *s != (char)c; s++)
		if (!*s)
			return NULL;
	return (char *)s;
}

char *strrchr(const char *s, int c)
{
	const char *found = NULL;

	for (;; s++) {
		if (*s == (char)c)
			found = s;
		if (!*s)
			return (char *)found;
	}
}
