/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reads a bundle that may be hostile: every offset is checked first. */
#ifndef LIB_BUNDLE_H
#define LIB_BUNDLE_H

#include "lib/types.h"
#include "sluice/bundle.h"
#include "sluice/config.h"

/* Pointers into the bundle, all checked. */
struct bundle {
	const struct sluice_bundle *header;
	const struct sluice_payload *payloads;
	const struct sluice_config *config;
	const struct sluice_uplink *uplinks;
	const struct sluice_vm *vms;
	const struct sluice_nic *nics;
	const struct sluice_mac *macs;
	const char *strings;
};

/*
 * Checks header, table, hash and configuration of the size bytes at data (which
 * must not change any more). 0, or -EINVAL with *why a complete sentence that
 * says what is wrong and what to do.
 */
int bundle_open(struct bundle *b, const void *data, uint64_t size,
		const char **why);
const void *bundle_payload(const struct bundle *b, uint32_t index,
			   uint64_t *size);
const char *bundle_cmdline(const struct bundle *b, const struct sluice_vm *vm);
/* Is the payload's hash right? Slow for a large one. */
bool bundle_payload_intact(const struct bundle *b, uint32_t index);

#endif
