/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The closed loop of the receive works: sink in the guest grants, flood sends.
 */
#ifndef BENCH_SYSTEM_CREDIT_H
#define BENCH_SYSTEM_CREDIT_H

#include <stdint.h>

#define CREDIT_MAGIC 0x43554c53u /* "SLUC" */
#define CREDIT_PORT  999	 /* flood's, in the frames' UDP headers */
#define SINK_PORT    9		 /* discard (RFC 863); blast's and flood's */
#define PAYLOAD_MAX  1472u	 /* 1500 without IPv4 and UDP headers */

/* All fields in network order: what flood may have sent by now in this run. */
struct credit {
	uint32_t magic;	  /* CREDIT_MAGIC */
	uint32_t run;	  /* another number than before: count from 0 again */
	uint32_t payload; /* bytes in each datagram, 18 to PAYLOAD_MAX */
	uint32_t allowed; /* datagrams in all since the run's begin */
};

/* The instruction that opens and closes a window of bench/system/icnt.c. */
static inline void credit_mark(void)
{
	__asm__ volatile("xchg %%bx, %%bx" ::: "memory");
}

#endif
