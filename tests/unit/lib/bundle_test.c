/* SPDX-License-Identifier: GPL-2.0-or-later */
/* lib/bundle.c: a good bundle opens, each kind of bad one says why not. */
#include "lib/bundle.h"
#include "lib/sha256.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#define CMDLINE "console=ttyS0"

/* Two uplinks, two VMs with two NICs and one, three payloads of which the last
 * ends with the file. The layout is the format's, so that a mutation can name
 * what it breaks. */
struct image {
	struct sluice_bundle header;
	struct sluice_payload payloads[3];
	struct sluice_config config;
	struct sluice_uplink uplinks[2];
	struct sluice_vm vms[2];
	struct sluice_nic nics[3];
	struct sluice_mac macs[2];
	char strings[sizeof(CMDLINE) + 3];
	char payload[3][SLUICE_BUNDLE_ALIGN]
		__attribute__((aligned(SLUICE_BUNDLE_ALIGN)));
};

static const size_t image_size = sizeof(struct image) - 100;

static void hash(const void *data, size_t size, uint8_t *digest)
{
	struct sha256 s;

	sha256_init(&s);
	sha256_update(&s, data, size);
	sha256_final(&s, digest);
}

static void seal(struct image *m)
{
	memset(m->header.head_sha256, 0, SHA256_SIZE);
	hash(m, m->header.head_size, m->header.head_sha256);
}

static void set_mac(uint8_t *mac, uint8_t last)
{
	memcpy(mac, (uint8_t[]){0x52, 0x54, 0, 0, 0, last}, 6);
}

static void fill_payloads(struct image *m)
{
	for (unsigned i = 0; i < 3; i++) {
		struct sluice_payload *p = &m->payloads[i];

		p->offset = offsetof(struct image, payload[i]);
		p->size = i == 2 ? SLUICE_BUNDLE_ALIGN - 100 : 1000 + i;
		strcpy(p->name, "vmlinuz");
		memset(m->payload[i], 'a' + (int)i, p->size);
		hash(m->payload[i], p->size, p->sha256);
	}
}

static void fill_config(struct image *m)
{
	m->config = (struct sluice_config){
		.magic = SLUICE_CONFIG_MAGIC,
		.version = SLUICE_CONFIG_VERSION,
		.size = m->header.config_size,
		.uplink_count = 2,
		.vm_count = 2,
		.nic_count = 3,
		.mac_count = 2,
		.strings_size = sizeof(m->strings),
		.log_level = 3,
	};
	m->uplinks[0] = (struct sluice_uplink){.name = "up0",
					       .match = SLUICE_MATCH_MAC};
	set_mac(m->uplinks[0].mac, 1);
	m->uplinks[1] = (struct sluice_uplink){
		.name = "up1", .match = SLUICE_MATCH_PCI, .pci = 0x10};
	m->vms[0] = (struct sluice_vm){"web", 1, 0, 1, 0, MiB(256), 0, 2};
	m->vms[1] = (struct sluice_vm){
		"client",	 SLUICE_VCPUS_MAX,  0, SLUICE_NO_PAYLOAD,
		sizeof(CMDLINE), SLUICE_MEMORY_MIN, 2, 1};
	m->nics[0] = (struct sluice_nic){.mac_count = 2};
	m->nics[1] = (struct sluice_nic){.uplink = 1, .first_mac = 2};
	m->nics[2] = (struct sluice_nic){.flags = SLUICE_NIC_PROMISCUOUS,
					 .first_mac = 2};
	for (unsigned i = 0; i < 3; i++)
		set_mac(m->nics[i].mac, (uint8_t)(0x10 + i));
	set_mac(m->macs[0].addr, 0x20);
	set_mac(m->macs[1].addr, 0x21);
	strcpy(m->strings, CMDLINE);
	strcpy(m->strings + sizeof(CMDLINE), "ro");
}

static struct image *image_new(void)
{
	struct image *m = aligned_alloc(SLUICE_BUNDLE_ALIGN, sizeof(*m));

	assert_non_null(m);
	memset(m, 0, sizeof(*m));
	memcpy(m->header.magic, SLUICE_BUNDLE_MAGIC, 8);
	m->header.version = SLUICE_BUNDLE_VERSION;
	m->header.head_size =
		offsetof(struct image, strings) + sizeof(m->strings);
	m->header.size = image_size;
	m->header.payload_count = 3;
	m->header.config_offset = offsetof(struct image, config);
	m->header.config_size = m->header.head_size - m->header.config_offset;
	fill_payloads(m);
	fill_config(m);
	seal(m);
	return m;
}

/* Opens a copy of exactly size bytes, so that ASan sees any step beyond. */
static int open_copy(const struct image *m, size_t size, const char **why)
{
	char *copy = malloc(size ? size : 1);
	struct bundle b;
	int err;

	assert_non_null(copy);
	memcpy(copy, m, size);
	err = bundle_open(&b, copy, size, why);
	free(copy);
	return err;
}

static void test_good(void **state)
{
	struct image *m = image_new();
	const char *why = "unset";
	struct bundle b;
	uint64_t size;

	assert_int_equal(bundle_open(&b, m, image_size, &why), 0);
	assert_null(why);
	assert_ptr_equal(b.config, &m->config);
	assert_ptr_equal(b.uplinks, m->uplinks);
	assert_ptr_equal(b.vms, m->vms);
	assert_ptr_equal(b.nics, m->nics);
	assert_ptr_equal(b.macs, m->macs);
	assert_string_equal(bundle_cmdline(&b, &b.vms[0]), CMDLINE);
	assert_string_equal(bundle_cmdline(&b, &b.vms[1]), "ro");
	assert_ptr_equal(bundle_payload(&b, 2, &size), m->payload[2]);
	assert_int_equal(size, SLUICE_BUNDLE_ALIGN - 100);
	for (uint32_t i = 0; i < 3; i++)
		assert_true(bundle_payload_intact(&b, i));
	free(m);
}

static void test_payload_hash(void **state)
{
	struct image *m = image_new();
	const char *why;
	struct bundle b;

	m->payload[1][1000] ^= 1; /* its last byte */
	m->payload[0][1000] ^= 1; /* just after the end: nobody's */
	assert_int_equal(bundle_open(&b, m, image_size, &why), 0);
	assert_true(bundle_payload_intact(&b, 0));
	assert_false(bundle_payload_intact(&b, 1));
	assert_true(bundle_payload_intact(&b, 2));
	free(m);
}

/* No length but the right one opens, and none reads beyond it. */
static void test_truncated(void **state)
{
	struct image *m = image_new();
	const char *why;

	for (size_t size = 0; size < image_size; size += size < 1500 ? 1 : 97) {
		assert_int_equal(open_copy(m, size, &why), -EINVAL);
		assert_non_null(strstr(why, size < sizeof(m->header)
						    ? "shorter"
						    : "cut short"));
	}
	assert_int_equal(open_copy(m, image_size + 1, &why), -EINVAL);
	assert_non_null(strstr(why, "after its end"));
	free(m);
}

/* Any flipped bit of the head is noticed, whatever it means. */
static void test_bit_flips(void **state)
{
	struct image *m = image_new();
	uint8_t *bytes = (uint8_t *)m;
	const char *why;
	struct bundle b;

	for (size_t i = 0; i < m->header.head_size; i++) {
		bytes[i] ^= (uint8_t)(1 << i % 8);
		assert_int_equal(bundle_open(&b, m, image_size, &why), -EINVAL);
		assert_non_null(why);
		bytes[i] ^= (uint8_t)(1 << i % 8);
	}
	assert_int_equal(bundle_open(&b, m, image_size, &why), 0);
	free(m);
}

static void test_misaligned(void **state)
{
	char *p = aligned_alloc(4096, 8192);
	const char *why;
	struct bundle b;

	assert_non_null(p);
	memset(p, 0, 8192);
	assert_int_equal(bundle_open(&b, p + 4, 4096, &why), -EINVAL);
	assert_non_null(strstr(why, "odd address"));
	free(p);
}

/* One lie each, under a right hash; want is part of the sentence. */
#define MUTATIONS(X)                                                          \
	X("no Sluice bundle", m->header.magic[7] = '2')                       \
	X("bundle's version", m->header.version = 2)                          \
	X("size of the bundle's head", m->header.head_size = 95)              \
	X("size of the bundle's head", m->header.head_size = 0)               \
	X("size of the bundle's head", m->header.head_size = UINT32_MAX)      \
	X("too many payloads", m->header.payload_count = 129)                 \
	X("too many payloads", m->header.payload_count = UINT32_MAX)          \
	X("configuration is damaged", m->header.payload_count = 4)            \
	X("configuration is damaged", m->header.config_offset += 4)           \
	X("configuration is damaged",                                         \
	  m->header.config_offset = UINT32_MAX - 7)                           \
	X("configuration is damaged", m->header.config_size--)                \
	X("configuration is damaged", m->header.config_size = UINT32_MAX)     \
	X("configuration is damaged",                                         \
	  (m->header.config_offset = m->header.head_size & ~7u,               \
	   m->header.config_size = m->header.head_size & 7))                  \
	X("reserved field of the bundle", m->header.reserved = 1)             \
	X("reserved field of the bundle", m->header.reserved2[23] = 1)        \
	X("bad name", m->payloads[0].name[0] = 0)                             \
	X("bad name", memset(m->payloads[1].name, 'x', 48))                   \
	X("bad name", m->payloads[2].name[1] = '\033')                        \
	X("misplaced", m->payloads[0].offset += 8)                            \
	X("misplaced", m->payloads[0].offset = 0)                             \
	X("is empty", m->payloads[2].size = 0)                                \
	X("outside", m->payloads[2].size++)                                   \
	X("outside", m->payloads[2].size = UINT64_MAX)                        \
	X("outside", m->payloads[2].offset = UINT64_MAX - 4095)               \
	X("overlap", m->payloads[0].size = SLUICE_BUNDLE_ALIGN + 1)           \
	X("overlap", m->payloads[2].offset = m->payloads[0].offset)           \
	X("no configuration", m->config.magic = 0)                            \
	X("configuration's version", m->config.version = 0)                   \
	X("configuration's size", m->config.size--)                           \
	X("too many uplinks", m->config.uplink_count = 9)                     \
	X("no VM", m->config.vm_count = 0)                                    \
	X("too many VMs", m->config.vm_count = 65)                            \
	X("too many NICs", m->config.nic_count = 513)                         \
	X("too many NICs", m->config.mac_count = 3 * 15 + 1)                  \
	X("do not fill", m->config.mac_count = 45)                            \
	X("do not fill", m->config.uplink_count = 1)                          \
	X("do not fill", m->config.strings_size = UINT32_MAX)                 \
	X("log level", m->config.log_level = 4)                               \
	X("reserved field of the conf", m->config.reserved[6] = 1)            \
	X("uplink has a bad name", m->uplinks[0].name[0] = 0)                 \
	X("uplink has a bad name", memset(m->uplinks[1].name, 'a', 32))       \
	X("uplink has a bad name", m->uplinks[1].name[0] = 'U')               \
	X("unknown way", m->uplinks[0].match = 3)                             \
	X("unknown way", m->uplinks[0].reserved = 1)                          \
	X("uplink has a bad MAC", m->uplinks[0].mac[0] = 1)                   \
	X("uplink has a bad MAC", memset(m->uplinks[0].mac, 0, 6))            \
	X("uplinks have the same name", strcpy(m->uplinks[1].name, "up0"))    \
	X("name the same NIC",                                                \
	  (m->uplinks[1].match = SLUICE_MATCH_MAC,                            \
	   memcpy(m->uplinks[1].mac, m->uplinks[0].mac, 6)))                  \
	X("name the same NIC",                                                \
	  (m->uplinks[0].match = SLUICE_MATCH_PCI, m->uplinks[0].pci = 0x10)) \
	X("VM has a bad name", m->vms[0].name[1] = '/')                       \
	X("VM has a bad name", memset(m->vms[0].name, 'w', 32))               \
	X("VMs have the same name", strcpy(m->vms[1].name, "web"))            \
	X("number of CPUs", m->vms[0].cpus = 0)                               \
	X("number of CPUs", m->vms[1].cpus = 17)                              \
	X("memory size", m->vms[0].memory = MiB(14))                          \
	X("memory size", m->vms[0].memory += MiB(1))                          \
	X("memory size", m->vms[0].memory = SLUICE_MEMORY_MAX + MiB(2))       \
	X("kernel or initrd", m->vms[0].kernel = 3)                           \
	X("kernel or initrd", m->vms[0].kernel = SLUICE_NO_PAYLOAD)           \
	X("kernel or initrd", m->vms[0].initrd = 3)                           \
	X("line is misplaced", m->vms[0].cmdline = sizeof(m->strings))        \
	X("line is too long", m->strings[sizeof(m->strings) - 1] = 'x')       \
	X("NICs are misplaced", m->vms[0].first_nic = 1)                      \
	X("NICs are misplaced", m->vms[1].first_nic = 0)                      \
	X("NICs are misplaced", m->vms[0].nic_count = 9)                      \
	X("NICs are misplaced", m->vms[1].nic_count = 2)                      \
	X("belongs to none", m->vms[1].nic_count = 0)                         \
	X("no uplink", m->nics[0].uplink = 2)                                 \
	X("unknown setting", m->nics[0].flags = 2)                            \
	X("unknown setting", m->nics[0].reserved = 1)                         \
	X("NIC has a bad MAC", m->nics[0].mac[0] |= 1)                        \
	X("NIC has a bad MAC", memset(m->nics[0].mac, 0, 6))                  \
	X("NICs have the same MAC", m->nics[2].mac[5] = 0x10)                 \
	X("MACs are misplaced", m->nics[0].first_mac = 1)                     \
	X("MACs are misplaced", m->nics[0].mac_count = 3)                     \
	X("MACs are misplaced", m->nics[0].mac_count = 16)                    \
	X("belongs to none",                                                  \
	  (m->nics[0].mac_count = 1, m->nics[1].first_mac = 1,                \
	   m->nics[2].first_mac = 1))                                         \
	X("allowed MAC is bad", m->macs[1].addr[0] = 0xff)                    \
	X("allowed MAC is bad", memset(m->macs[1].addr, 0, 6))                \
	X("allowed MAC is bad", m->macs[0].reserved[1] = 1)

static void test_mutations(void **state)
{
	const char *why;

#define TRY(want, lie)                                                     \
	do {                                                               \
		struct image *m = image_new();                             \
                                                                           \
		(void)(lie);                                               \
		if (m->header.head_size <= image_size)                     \
			seal(m);                                           \
		if (!open_copy(m, image_size, &why) || !strstr(why, want)) \
			fail_msg("%s: %s", #lie, why ? why : "opened");    \
		free(m);                                                   \
	} while (0);
	MUTATIONS(TRY)
}

/* A command line of the longest allowed length opens, one more does not. */
static void test_cmdline_limit(void **state)
{
	size_t extra = SLUICE_CMDLINE_MAX + 2;
	struct image *m = image_new();
	char *p = aligned_alloc(4096, 4 * 4096);
	struct sluice_bundle *h = (void *)p;
	struct sluice_config *c;
	const char *why;
	struct bundle b;

	assert_non_null(p);
	memset(p, 0, 4 * 4096);
	memcpy(p, m, m->header.head_size);
	c = (void *)(p + h->config_offset);
	for (unsigned i = 0; i < 3; i++)
		((struct sluice_payload *)(h + 1))[i].offset = 4096 * (i + 1);
	memset(p + h->head_size, 'x', extra - 1);
	((struct image *)p)->vms[1].cmdline = c->strings_size;
	h->head_size += (uint32_t)extra;
	h->config_size += (uint32_t)extra;
	c->size += (uint32_t)extra;
	c->strings_size += (uint32_t)extra;
	seal((struct image *)p);
	h->size = 4 * 4096;
	seal((struct image *)p);
	assert_int_equal(bundle_open(&b, p, 4 * 4096, &why), -EINVAL);
	assert_non_null(strstr(why, "too long"));
	p[h->head_size - 2] = 0;
	seal((struct image *)p);
	assert_int_equal(bundle_open(&b, p, 4 * 4096, &why), 0);
	assert_int_equal(strlen(bundle_cmdline(&b, &b.vms[1])),
			 SLUICE_CMDLINE_MAX);
	free(p);
	free(m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_good),
		cmocka_unit_test(test_payload_hash),
		cmocka_unit_test(test_truncated),
		cmocka_unit_test(test_bit_flips),
		cmocka_unit_test(test_misaligned),
		cmocka_unit_test(test_mutations),
		cmocka_unit_test(test_cmdline_limit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
