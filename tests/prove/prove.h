/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a proof may ask of its executor (executor.py). */
#ifndef PROVE_H
#define PROVE_H

#include <stdbool.h>
#include <stdint.h>

/* Any number: the proof holds for all. */
uint64_t prove_any(void);

/* Only inputs for which it is so. */
void prove_assume(bool condition);

/* It is so, for all inputs, on each path that leads here. A call that no path
 * reaches fails the proof, too: it would say nothing. */
void prove_check(bool condition, const char *what);

/* At least one path leads here. */
void prove_reach(const char *what);

/* Memory that a guest shares, at most 16 TiB: each load brings anything. */
void *prove_shared(uint64_t size);

/* Does all of [p, p + len) lie in the memory that starts at whole? */
bool prove_inside(const void *p, uint64_t len, const void *whole);

/* Stores to shared memory so far. */
uint64_t prove_stores(void);

int main(void);

#endif
