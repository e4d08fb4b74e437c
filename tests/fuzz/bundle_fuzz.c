/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Fuzzes the bundle's reader: whatever opens can be walked to its end. */
#include "lib/bundle.h"
#include "lib/sha256.h"
#include "tests/fuzz/fuzz.h"

/*
 * The magic's place says what of the rest is made right, so that inputs get
 * past the checks of sizes, and past the hash.
 */
enum {
	SEAL_MAGIC = 1 << 0,
	SEAL_SIZES = 1 << 1,
	SEAL_CONFIG = 1 << 2, /* its size, its strings' */
	SEAL_HASH = 1 << 3,
	/* The input is the head, and a page for each of a few payloads is put
	 * behind it: a byte that matters is then one of few. */
	SEAL_PAYLOADS = 1 << 4,
};

#define PAYLOADS 4

static void seal_config(struct sluice_bundle *h, size_t size)
{
	struct sluice_config *c;
	uint64_t tables;

	if (h->config_offset % 8 || h->config_offset > h->head_size ||
	    h->head_size - h->config_offset < sizeof(*c) || h->head_size > size)
		return;
	h->config_size = h->head_size - h->config_offset;
	c = (struct sluice_config *)((char *)h + h->config_offset);
	c->magic = SLUICE_CONFIG_MAGIC;
	c->version = SLUICE_CONFIG_VERSION;
	c->size = h->config_size;
	tables = sizeof(*c) +
		 (uint64_t)c->uplink_count * sizeof(struct sluice_uplink) +
		 (uint64_t)c->vm_count * sizeof(struct sluice_vm) +
		 (uint64_t)c->nic_count * sizeof(struct sluice_nic) +
		 (uint64_t)c->mac_count * sizeof(struct sluice_mac);
	if (tables <= c->size)
		c->strings_size = (uint32_t)(c->size - tables);
}

static void seal(uint8_t *data, size_t size)
{
	struct sluice_bundle *h = (struct sluice_bundle *)data;
	uint8_t how;
	struct sha256 s;

	if (size < sizeof(*h))
		return;
	how = h->magic[0];
	if (how & SEAL_MAGIC) {
		memcpy(h->magic, SLUICE_BUNDLE_MAGIC, sizeof(h->magic));
		h->version = SLUICE_BUNDLE_VERSION;
	}
	if (how & SEAL_SIZES) {
		h->size = size;
		h->head_size = MIN(h->head_size, (uint32_t)size);
	}
	if (how & SEAL_CONFIG)
		seal_config(h, size);
	if (!(how & SEAL_HASH) || h->head_size > size ||
	    h->head_size < sizeof(*h))
		return;
	memset(h->head_sha256, 0, sizeof(h->head_sha256));
	sha256_init(&s);
	sha256_update(&s, data, h->head_size);
	sha256_final(&s, h->head_sha256);
}

static bool name_ends(const char *name)
{
	return name[0] && memchr(name, 0, SLUICE_NAME_SIZE);
}

/* Reads all that the kernel may: ASan watches. */
static void walk(const struct bundle *b)
{
	const struct sluice_config *c = b->config;
	volatile uint8_t sink = 0;
	uint32_t nics = 0;
	uint64_t size;

	for (uint32_t i = 0; i < b->header->payload_count; i++) {
		const uint8_t *p = bundle_payload(b, i, &size);

		REQUIRE(size);
		sink ^= p[0] ^ p[size - 1];
		(void)bundle_payload_intact(b, i);
	}
	for (uint32_t i = 0; i < c->uplink_count; i++)
		REQUIRE(name_ends(b->uplinks[i].name) &&
			b->uplinks[i].match <= SLUICE_MATCH_PCI);
	REQUIRE(c->vm_count && c->log_level <= 3);
	for (uint32_t i = 0; i < c->vm_count; i++) {
		const struct sluice_vm *vm = &b->vms[i];

		REQUIRE(name_ends(vm->name));
		REQUIRE(vm->cmdline < c->strings_size);
		REQUIRE(strnlen(bundle_cmdline(b, vm),
				c->strings_size - vm->cmdline) <
			MIN(c->strings_size - vm->cmdline,
			    SLUICE_CMDLINE_MAX + 1u));
		REQUIRE(vm->kernel < b->header->payload_count);
		REQUIRE(vm->initrd == SLUICE_NO_PAYLOAD ||
			vm->initrd < b->header->payload_count);
		REQUIRE(vm->cpus && vm->cpus <= SLUICE_VCPUS_MAX);
		REQUIRE(vm->memory >= SLUICE_MEMORY_MIN &&
			vm->memory <= SLUICE_MEMORY_MAX);
		REQUIRE(vm->nic_count <= SLUICE_NICS_MAX);
		for (uint32_t n = 0; n < vm->nic_count; n++, nics++) {
			const struct sluice_nic *nic =
				&b->nics[vm->first_nic + n];

			REQUIRE(nic->uplink < c->uplink_count);
			REQUIRE(nic->mac_count <= SLUICE_MACS_MAX);
			for (uint32_t m = 0; m < nic->mac_count; m++)
				sink ^= b->macs[nic->first_mac + m].addr[0];
		}
	}
	REQUIRE(nics == c->nic_count);
	(void)sink;
}

/* A copy of the input, *size bytes. */
static uint8_t *make_file(const uint8_t *data, size_t *size)
{
	size_t head = *size;
	uint8_t *file;

	if (head >= sizeof(struct sluice_bundle) && data[0] & SEAL_PAYLOADS)
		*size = ALIGN_UP(head, SLUICE_BUNDLE_ALIGN) +
			PAYLOADS * SLUICE_BUNDLE_ALIGN;
	file = calloc(1, *size ? *size : 1);
	REQUIRE(file);
	memcpy(file, data, head);
	if (*size != head)
		((struct sluice_bundle *)file)->head_size = (uint32_t)head;
	seal(file, *size);
	return file;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t *copy = make_file(data, &size);
	const char *why = NULL;
	struct bundle b;

	if (bundle_open(&b, copy, size, &why) == 0)
		walk(&b);
	else
		REQUIRE(why && *why);
	/* Nowhere but on a boundary of 8. */
	if (size)
		REQUIRE(bundle_open(&b, copy + 1, size - 1, &why) && why);
	free(copy);
	return 0;
}
