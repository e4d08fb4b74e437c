/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The boot bundle, version 1: one file with configuration and payloads. */
#ifndef SLUICE_BUNDLE_H
#define SLUICE_BUNDLE_H

#include <stdint.h>

/*
 * Layout: header, payload table, configuration (8-aligned), then the payloads,
 * each on a page. head_sha256 covers [0, head_size) with itself as zero:
 * header, table and configuration; it is checked at boot. A payload's hash is
 * checked before the first VM that uses it starts. A file that several VMs name
 * is stored once.
 */
#define SLUICE_BUNDLE_MAGIC	   "SLUICEB1"
#define SLUICE_BUNDLE_VERSION	   1
#define SLUICE_BUNDLE_ALIGN	   4096
#define SLUICE_BUNDLE_HEAD_MAX	   (1u << 20)
#define SLUICE_BUNDLE_PAYLOADS_MAX 128
#define SLUICE_PAYLOAD_NAME_SIZE   48

struct sluice_bundle {
	uint8_t magic[8];
	uint32_t version;
	uint32_t head_size;	/* header, table and configuration */
	uint64_t size;		/* of the whole file */
	uint32_t payload_count; /* table follows the header */
	uint32_t config_offset;
	uint32_t config_size;
	uint32_t reserved;
	uint8_t head_sha256[32];
	uint8_t reserved2[24];
};

struct sluice_payload {
	uint64_t offset; /* multiple of SLUICE_BUNDLE_ALIGN */
	uint64_t size;	 /* bytes, not 0 */
	uint8_t sha256[32];
	char name[SLUICE_PAYLOAD_NAME_SIZE]; /* file name, for messages */
};

_Static_assert(sizeof(struct sluice_bundle) == 96, "ABI");
_Static_assert(sizeof(struct sluice_payload) == 96, "ABI");

#endif
