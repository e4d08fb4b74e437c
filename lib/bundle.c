/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reads a bundle that may be hostile: every offset is checked first. */
#include "lib/bundle.h"
#include "lib/sha256.h"

#include <linux/errno.h>
#include <string.h>

/*
 * Order matters: nothing is read before the check that it lies inside the file,
 * and the hash comes before any check of the content, so that damage is called
 * damage. Whoever forges a bundle forges its hash too: content is checked all
 * the same. Each step returns NULL or the sentence for *why.
 */
#define BUILD_ANEW "build it anew with 'sluice build'."
#define DAMAGED	   "is damaged; copy it again or " BUILD_ANEW

static bool zero(const void *data, size_t size)
{
	const uint8_t *p = data;

	for (size_t i = 0; i < size; i++)
		if (p[i])
			return false;
	return true;
}

/* A group address or none at all cannot name a NIC (IEEE 802, 8.2). */
static bool unicast(const uint8_t mac[6])
{
	return !(mac[0] & 1) && !zero(mac, 6);
}

/* Length of the string in a field of size bytes, or size if it never ends. */
static size_t length(const char *s, size_t size)
{
	size_t n = 0;

	while (n < size && s[n])
		n++;
	return n;
}

static bool name_valid(const char name[SLUICE_NAME_SIZE])
{
	size_t n = length(name, SLUICE_NAME_SIZE);

	if (n == 0 || n == SLUICE_NAME_SIZE)
		return false;
	for (size_t i = 0; i < n; i++) {
		char c = name[i];

		if (!(c >= 'a' && c <= 'z') && !(c >= '0' && c <= '9') &&
		    c != '-' && c != '_')
			return false;
	}
	return true;
}

static bool printable(const char *s, size_t size)
{
	for (size_t i = 0; i < size; i++)
		if (s[i] < ' ' || s[i] > '~')
			return false;
	return true;
}

static const char *check_header(const struct sluice_bundle *h, uint64_t size)
{
	if (size < sizeof(*h))
		return "The bundle is shorter than its header; " BUILD_ANEW;
	if (memcmp(h->magic, SLUICE_BUNDLE_MAGIC, sizeof(h->magic)) != 0)
		return "This is no Sluice bundle; give the file that 'sluice "
		       "build' wrote as the initrd.";
	if (h->version != SLUICE_BUNDLE_VERSION)
		return "The bundle's version is not this hypervisor's; build "
		       "it with the 'sluice' that came with it.";
	if (size < h->size)
		return "The bundle is cut short; copy it again or give the "
		       "machine more memory.";
	if (size > h->size)
		return "The bundle has bytes after its end; " BUILD_ANEW;
	if (h->head_size < sizeof(*h) || h->head_size > size ||
	    h->head_size > SLUICE_BUNDLE_HEAD_MAX)
		return "The size of the bundle's head " DAMAGED;
	if (h->payload_count > SLUICE_BUNDLE_PAYLOADS_MAX)
		return "The bundle has too many payloads; " BUILD_ANEW;
	if (h->config_offset % 8 ||
	    h->config_offset <
		    sizeof(*h) +
			    h->payload_count * sizeof(struct sluice_payload) ||
	    h->config_offset > h->head_size ||
	    h->config_size != h->head_size - h->config_offset ||
	    h->config_size < sizeof(struct sluice_config))
		return "The place of the bundle's configuration " DAMAGED;
	return NULL;
}

static bool head_intact(const struct sluice_bundle *h)
{
	static const uint8_t none[SHA256_SIZE];
	const size_t start = offsetof(struct sluice_bundle, head_sha256);
	const size_t end = start + SHA256_SIZE;
	uint8_t digest[SHA256_SIZE];
	struct sha256 s;

	sha256_init(&s);
	sha256_update(&s, h, start);
	sha256_update(&s, none, sizeof(none));
	sha256_update(&s, (const uint8_t *)h + end, h->head_size - end);
	sha256_final(&s, digest);
	return memcmp(digest, h->head_sha256, SHA256_SIZE) == 0;
}

static const char *check_payload(const struct bundle *b, uint32_t index)
{
	const struct sluice_payload *p = &b->payloads[index];
	uint64_t end = b->header->size;
	size_t n = length(p->name, sizeof(p->name));

	if (n == 0 || n == sizeof(p->name) || !printable(p->name, n))
		return "A payload of the bundle has a bad name; " BUILD_ANEW;
	if (p->offset % SLUICE_BUNDLE_ALIGN || p->offset < b->header->head_size)
		return "A payload of the bundle is misplaced; " BUILD_ANEW;
	if (p->size == 0)
		return "A payload of the bundle is empty; " BUILD_ANEW;
	if (p->offset > end || p->size > end - p->offset)
		return "A payload lies outside the bundle; " BUILD_ANEW;
	for (uint32_t i = 0; i < index; i++) {
		const struct sluice_payload *q = &b->payloads[i];

		if (p->offset < q->offset + q->size &&
		    q->offset < p->offset + p->size)
			return "Payloads of the bundle overlap; " BUILD_ANEW;
	}
	return NULL;
}

static const char *check_sizes(const struct sluice_config *c, uint32_t size)
{
	if (c->magic != SLUICE_CONFIG_MAGIC)
		return "The bundle has no configuration; " BUILD_ANEW;
	if (c->version != SLUICE_CONFIG_VERSION)
		return "The configuration's version is not this hypervisor's; "
		       "build it with the 'sluice' that came with it.";
	if (c->size != size)
		return "The configuration's size is wrong; " BUILD_ANEW;
	if (c->uplink_count > SLUICE_UPLINKS_MAX)
		return "The bundle has too many uplinks; " BUILD_ANEW;
	if (c->vm_count == 0)
		return "The bundle has no VM; add one and " BUILD_ANEW;
	if (c->vm_count > SLUICE_VMS_MAX)
		return "The bundle has too many VMs; " BUILD_ANEW;
	if (c->nic_count > SLUICE_VMS_MAX * SLUICE_NICS_MAX ||
	    c->mac_count > c->nic_count * SLUICE_MACS_MAX)
		return "The bundle has too many NICs or MACs; " BUILD_ANEW;
	/* The counts are bounded: these 64-bit sums cannot overflow. */
	if (sizeof(*c) + c->uplink_count * sizeof(struct sluice_uplink) +
		    c->vm_count * sizeof(struct sluice_vm) +
		    c->nic_count * sizeof(struct sluice_nic) +
		    c->mac_count * sizeof(struct sluice_mac) +
		    (uint64_t)c->strings_size !=
	    c->size)
		return "The configuration's tables do not fill it; " BUILD_ANEW;
	if (c->log_level > 3)
		return "The log level is unknown; " BUILD_ANEW;
	if (!zero(c->reserved, sizeof(c->reserved)))
		return "A reserved field of the configuration is set; build "
		       "it with the 'sluice' that came with it.";
	return NULL;
}

static void find_tables(struct bundle *b)
{
	const struct sluice_config *c = b->config;

	b->uplinks = (const void *)(c + 1);
	b->vms = (const void *)(b->uplinks + c->uplink_count);
	b->nics = (const void *)(b->vms + c->vm_count);
	b->macs = (const void *)(b->nics + c->nic_count);
	b->strings = (const void *)(b->macs + c->mac_count);
}

static bool same_match(const struct sluice_uplink *u,
		       const struct sluice_uplink *v)
{
	if (u->match != v->match)
		return false;
	switch (u->match) {
	case SLUICE_MATCH_MAC:
		return memcmp(u->mac, v->mac, sizeof(u->mac)) == 0;
	case SLUICE_MATCH_PCI:
		return u->pci == v->pci;
	default:
		return false;
	}
}

static const char *check_uplink(const struct bundle *b, uint32_t index)
{
	const struct sluice_uplink *u = &b->uplinks[index];

	if (!name_valid(u->name))
		return "An uplink has a bad name; " BUILD_ANEW;
	if (u->match > SLUICE_MATCH_PCI || u->reserved)
		return "An uplink names its NIC in an unknown way; build it "
		       "with the 'sluice' that came with it.";
	if (u->match == SLUICE_MATCH_MAC && !unicast(u->mac))
		return "An uplink has a bad MAC; " BUILD_ANEW;
	for (uint32_t i = 0; i < index; i++) {
		if (strcmp(u->name, b->uplinks[i].name) == 0)
			return "Two uplinks have the same name; " BUILD_ANEW;
		if (same_match(u, &b->uplinks[i]))
			return "Two uplinks name the same NIC; " BUILD_ANEW;
	}
	return NULL;
}

/* The VMs' NICs and the NICs' MACs stand in order and belong to one each. */
static const char *check_vm(const struct bundle *b, uint32_t index,
			    uint32_t *nics)
{
	const struct sluice_vm *vm = &b->vms[index];
	uint32_t payloads = b->header->payload_count, n;

	if (!name_valid(vm->name))
		return "A VM has a bad name; " BUILD_ANEW;
	for (uint32_t i = 0; i < index; i++)
		if (strcmp(vm->name, b->vms[i].name) == 0)
			return "Two VMs have the same name; " BUILD_ANEW;
	if (vm->cpus == 0 || vm->cpus > SLUICE_VCPUS_MAX)
		return "A VM has a bad number of CPUs; " BUILD_ANEW;
	if (vm->memory < SLUICE_MEMORY_MIN || vm->memory > SLUICE_MEMORY_MAX ||
	    vm->memory % SLUICE_MEMORY_ALIGN)
		return "A VM has a bad memory size; " BUILD_ANEW;
	if (vm->kernel >= payloads ||
	    (vm->initrd >= payloads && vm->initrd != SLUICE_NO_PAYLOAD))
		return "A VM's kernel or initrd is not in the "
		       "bundle; " BUILD_ANEW;
	if (vm->cmdline >= b->config->strings_size)
		return "A VM's command line is misplaced; " BUILD_ANEW;
	n = b->config->strings_size - vm->cmdline;
	if (length(b->strings + vm->cmdline, n) >
	    MIN(n - 1, SLUICE_CMDLINE_MAX))
		return "A VM's command line is too long; " BUILD_ANEW;
	if (vm->first_nic != *nics || vm->nic_count > SLUICE_NICS_MAX ||
	    vm->nic_count > b->config->nic_count - *nics)
		return "A VM's NICs are misplaced; " BUILD_ANEW;
	*nics += vm->nic_count;
	return NULL;
}

static const char *check_nic(const struct bundle *b, uint32_t index,
			     uint32_t *macs)
{
	const struct sluice_nic *nic = &b->nics[index];

	if (nic->uplink >= b->config->uplink_count)
		return "A VM's NIC has no uplink; " BUILD_ANEW;
	if (nic->flags & ~(uint32_t)SLUICE_NIC_PROMISCUOUS || nic->reserved)
		return "A VM's NIC has an unknown setting; build it with the "
		       "'sluice' that came with it.";
	if (!unicast(nic->mac))
		return "A VM's NIC has a bad MAC; " BUILD_ANEW;
	for (uint32_t i = 0; i < index; i++)
		if (memcmp(nic->mac, b->nics[i].mac, sizeof(nic->mac)) == 0)
			return "Two NICs have the same MAC; " BUILD_ANEW;
	if (nic->first_mac != *macs || nic->mac_count > SLUICE_MACS_MAX ||
	    nic->mac_count > b->config->mac_count - *macs)
		return "A NIC's allowed MACs are misplaced; " BUILD_ANEW;
	*macs += nic->mac_count;
	return NULL;
}

static const char *check_tables(const struct bundle *b)
{
	const struct sluice_config *c = b->config;
	uint32_t nics = 0, macs = 0;
	const char *why = NULL;

	for (uint32_t i = 0; i < c->uplink_count && !why; i++)
		why = check_uplink(b, i);
	for (uint32_t i = 0; i < c->vm_count && !why; i++)
		why = check_vm(b, i, &nics);
	for (uint32_t i = 0; i < c->nic_count && !why; i++)
		why = check_nic(b, i, &macs);
	if (!why && (nics != c->nic_count || macs != c->mac_count))
		why = "A NIC or MAC of the bundle belongs to none; " BUILD_ANEW;
	for (uint32_t i = 0; i < c->mac_count && !why; i++)
		if (!unicast(b->macs[i].addr) ||
		    !zero(b->macs[i].reserved, sizeof(b->macs[i].reserved)))
			why = "An allowed MAC is bad; " BUILD_ANEW;
	return why;
}

static const char *check_all(struct bundle *b, const void *data, uint64_t size)
{
	const struct sluice_bundle *h = data;
	const char *why;

	if ((uintptr_t)data % 8)
		return "The bundle lies at an odd address; load it on a page.";
	why = check_header(h, size);
	if (why)
		return why;
	if (!head_intact(h))
		return "The bundle's head " DAMAGED;
	if (h->reserved || !zero(h->reserved2, sizeof(h->reserved2)))
		return "A reserved field of the bundle is set; build it with "
		       "the 'sluice' that came with it.";

	b->header = h;
	b->payloads = (const void *)(h + 1);
	for (uint32_t i = 0; i < h->payload_count && !why; i++)
		why = check_payload(b, i);
	if (why)
		return why;

	b->config = (const void *)((const char *)data + h->config_offset);
	why = check_sizes(b->config, h->config_size);
	if (why)
		return why;
	find_tables(b);
	return check_tables(b);
}

int bundle_open(struct bundle *b, const void *data, uint64_t size,
		const char **why)
{
	*why = check_all(b, data, size);
	return *why ? -EINVAL : 0;
}

const void *bundle_payload(const struct bundle *b, uint32_t index,
			   uint64_t *size)
{
	const struct sluice_payload *p = &b->payloads[index];

	*size = p->size;
	return (const char *)b->header + p->offset;
}

const char *bundle_cmdline(const struct bundle *b, const struct sluice_vm *vm)
{
	return b->strings + vm->cmdline;
}

bool bundle_payload_intact(const struct bundle *b, uint32_t index)
{
	uint8_t digest[SHA256_SIZE];
	struct sha256 s;
	uint64_t size;
	const void *data = bundle_payload(b, index, &size);

	sha256_init(&s);
	sha256_update(&s, data, size);
	sha256_final(&s, digest);
	return memcmp(digest, b->payloads[index].sha256, SHA256_SIZE) == 0;
}
