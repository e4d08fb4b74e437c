/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Fuzzes the bundle's reader: whatever opens can be walked to its end. */
#include "lib/bundle.h"
#include "lib/sha256.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What can be made right from the rest, so that inputs get past the hash. */
static void seal(uint8_t *data, size_t size)
{
	struct sluice_bundle *h = (struct sluice_bundle *)data;
	struct sha256 s;

	if (size < sizeof(*h))
		return;
	memcpy(h->magic, SLUICE_BUNDLE_MAGIC, sizeof(h->magic));
	h->version = SLUICE_BUNDLE_VERSION;
	h->size = size;
	if (h->head_size > size)
		h->head_size = (uint32_t)size;
	memset(h->head_sha256, 0, sizeof(h->head_sha256));
	sha256_init(&s);
	sha256_update(&s, data, h->head_size);
	sha256_final(&s, h->head_sha256);
}

static void require(bool ok)
{
	if (!ok)
		abort();
}

/* Reads all that the kernel may: ASan watches. */
static void walk(const struct bundle *b)
{
	const struct sluice_config *c = b->config;
	volatile uint8_t sink = 0;
	uint64_t size;

	for (uint32_t i = 0; i < b->header->payload_count; i++) {
		const uint8_t *p = bundle_payload(b, i, &size);

		sink ^= p[0] ^ p[size - 1];
		(void)bundle_payload_intact(b, i);
	}
	for (uint32_t i = 0; i < c->uplink_count; i++)
		require(strlen(b->uplinks[i].name) < SLUICE_NAME_SIZE);
	for (uint32_t i = 0; i < c->vm_count; i++) {
		const struct sluice_vm *vm = &b->vms[i];

		require(strlen(bundle_cmdline(b, vm)) <= SLUICE_CMDLINE_MAX);
		require(vm->kernel < b->header->payload_count);
		for (uint32_t n = 0; n < vm->nic_count; n++) {
			const struct sluice_nic *nic =
				&b->nics[vm->first_nic + n];

			require(nic->uplink < c->uplink_count);
			for (uint32_t m = 0; m < nic->mac_count; m++)
				sink ^= b->macs[nic->first_mac + m].addr[0];
		}
	}
	(void)sink;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t *copy = malloc(size ? size : 1);
	const char *why = NULL;
	struct bundle b;

	require(copy);
	memcpy(copy, data, size);
	seal(copy, size);
	if (bundle_open(&b, copy, size, &why) == 0)
		walk(&b);
	else
		require(why && *why);
	free(copy);
	return 0;
}
