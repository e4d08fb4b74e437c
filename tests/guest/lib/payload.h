/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The runtime of payload kernels: checks, reports, the end. */
#ifndef GUEST_PAYLOAD_H
#define GUEST_PAYLOAD_H

#include "lib/types.h"

/* A payload's own part; the runtime reports and powers off when it returns. */
void payload_main(void);
/* What the second CPU runs, once somebody has started it. */
void payload_ap_main(void);
/* Copied to a page below 1 MiB, it brings a second CPU to payload_ap_main(). */
extern const char payload_ap_trampoline[], payload_ap_trampoline_end[];

/* A line on the console; %s, %d, %u, %x, %lx, %lu, %c. */
void payload_log(const char *fmt, ...) PRINTF(1, 2);

/* "PASS name", or "FAIL name: got 0x1, expected 0x2". */
void payload_check_equal(const char *name, uint64_t got, uint64_t expected);
void payload_check(const char *name, bool ok, const char *what);
#define CHECK(name, cond) payload_check(name, cond, #cond)

/* Powers the machine off; for a payload that ends early. */
_Noreturn void payload_exit(void);

/* EBX and EAX at the entry. */
extern uint32_t multiboot_info, multiboot_magic;

/* NAME=NUMBER on the Multiboot command line, decimal; otherwise, if it is not
 * there. */
uint64_t payload_parameter(const char *name, uint64_t otherwise);

/* The image, from here to there in memory. */
extern const char payload_image[], payload_image_end[];

/* 512 pages at this address are the payload's to map; entries start empty. */
#define PAYLOAD_WINDOW ((uint64_t)1 << 39)
extern uint64_t payload_window_pt[512];

#define PTE_P  (1ull << 0)
#define PTE_W  (1ull << 1)
#define PTE_U  (1ull << 2)
#define PTE_NX (1ull << 63)
/* Puts entry in the window's slot index; its address. */
void *payload_window_map(unsigned index, uint64_t entry);

#endif
