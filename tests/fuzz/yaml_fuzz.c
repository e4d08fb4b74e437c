/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Fuzzes the configuration's reader: a plan or one message, never both. */
#include "lib/bundle.h"
#include "lib/sha256.h"
#include "tests/fuzz/fuzz.h"
#include "tools/plan.h"

static uint8_t *put(uint8_t *to, const void *data, size_t size)
{
	memcpy(to, data, size);
	return to + size;
}

/* What the tool takes, the kernel takes: a bundle with the plan's tables and a
 * payload of one byte for every kernel must open. */
static void check_bundle(struct plan *p)
{
	const struct sluice_config *c = &p->config;
	uint32_t offset =
		sizeof(struct sluice_bundle) + sizeof(struct sluice_payload);
	uint32_t head = offset + c->size;
	uint64_t payload = ALIGN_UP(head, SLUICE_BUNDLE_ALIGN);
	uint8_t *file = calloc(1, payload + 1), *to;
	struct sluice_bundle *h = (struct sluice_bundle *)file;
	struct sluice_payload *entry = (struct sluice_payload *)(h + 1);
	const char *why = NULL;
	struct bundle b;
	struct sha256 s;

	REQUIRE(file);
	for (uint32_t i = 0; i < c->vm_count; i++)
		p->vms[i].kernel = 0;
	*h = (struct sluice_bundle){
		.version = SLUICE_BUNDLE_VERSION,
		.head_size = head,
		.size = payload + 1,
		.payload_count = 1,
		.config_offset = offset,
		.config_size = c->size,
	};
	memcpy(h->magic, SLUICE_BUNDLE_MAGIC, sizeof(h->magic));
	entry->offset = payload;
	entry->size = 1;
	entry->name[0] = 'k';
	to = put(file + offset, c, sizeof(*c));
	to = put(to, p->uplinks, c->uplink_count * sizeof(p->uplinks[0]));
	to = put(to, p->vms, c->vm_count * sizeof(p->vms[0]));
	to = put(to, p->nics, c->nic_count * sizeof(p->nics[0]));
	to = put(to, p->macs, c->mac_count * sizeof(p->macs[0]));
	to = put(to, p->strings, c->strings_size);
	REQUIRE(to == file + head);
	sha256_init(&s);
	sha256_update(&s, file, head);
	sha256_final(&s, h->head_sha256);
	if (bundle_open(&b, file, payload + 1, &why)) {
		fprintf(stderr, "the kernel refuses it: %s\n", why);
		abort();
	}
	free(file);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fault f = {0};
	struct plan *p = NULL;
	int err = plan_parse(&p, (const char *)data, size, &f);

	if (err) {
		/* One line of advice, and nothing a terminal would obey. */
		REQUIRE(!p && f.code == EXIT_INPUT && strchr(f.text, ';'));
		for (const char *c = f.text; *c; c++)
			REQUIRE((unsigned char)*c >= ' ' && *c != 0x7f);
		return 0;
	}
	REQUIRE(!f.text[0] && p->config.vm_count > 0);
	check_bundle(p);
	plan_free(p);
	return 0;
}
