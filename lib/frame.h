/* SPDX-License-Identifier: GPL-2.0-or-later */
/* An Ethernet frame on its way through the switch, and who owns it. */
#ifndef LIB_FRAME_H
#define LIB_FRAME_H

#include "lib/types.h"

/*
 * A frame is a head (contiguous, in VMkernel memory, at least the Ethernet
 * header, normally all headers) followed by payload segments that stay where
 * the source has them: guest pages for a virtual NIC. The head is a private
 * copy, so what the switch checked is what the wire gets; payload in guest
 * memory may change under us and is never interpreted, only copied or sent.
 *
 * Ownership: a frame belongs to its source port, which lends it to
 * vswitch_input(). A port that copies is done with it on return; the one port
 * that holds (an uplink, while the NIC reads it) gives it back by
 * port_return(). Frames move in arrays of at most FRAME_BATCH_MAX.
 */
#define FRAME_BATCH_MAX 64
#define FRAME_HEAD_SIZE 256 /* room for a head in a VMkernel slot */
#define FRAME_SEGS_MAX	20  /* payload segments after the head */
#define ETH_HEADER_LEN	14
#define ETH_ADDR_LEN	6

enum frame_flags {
	/* csum_start and csum_offset are set; the L4 checksum field holds the
	 * pseudo-header sum and whoever delivers must finish it. */
	FRAME_CSUM_PARTIAL = 1 << 0,
	/* Somebody (the NIC, or a trusted neighbour) has checked L4. */
	FRAME_CSUM_VALID = 1 << 1,
};

enum frame_gso {
	FRAME_GSO_NONE = 0,
	FRAME_GSO_TCPV4,
	FRAME_GSO_TCPV6,
	FRAME_GSO_UDP, /* of either IP: datagrams of gso_size each */
};

struct frame_seg {
	void *base;
	uint32_t len;
};

struct port;

struct frame {
	struct frame *next;  /* for whoever owns it now */
	struct port *source; /* who gets it back */
	uint8_t *head;
	uint32_t len; /* bytes on the wire, without FCS: head and segments */
	uint16_t head_len;    /* at least ETH_HEADER_LEN */
	uint16_t csum_start;  /* from the start of the frame */
	uint16_t csum_offset; /* from csum_start */
	uint16_t gso_size;    /* payload bytes per segment; 0: not GSO */
	uint8_t gso_type;     /* enum frame_gso */
	uint8_t flags;	      /* enum frame_flags */
	uint8_t seg_count;
	uint8_t l3_start;   /* GSO: where IP begins (gso_check()) */
	uint8_t header_len; /* GSO: of all headers; the payload follows */
	uint16_t parts;	    /* for whoever holds it: segments that are out */
	uint32_t cookie;    /* the source's own */
	struct frame_seg segs[FRAME_SEGS_MAX];
};

#endif
