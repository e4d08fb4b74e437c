/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The checked configuration: the kernel's tables, before files are opened. */
#include "tools/plan.h"
#include "tools/value.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PLAN_FILE_MAX MiB(1) /* the largest configuration that is read */

#define NAME_RULE     "use 1 to 31 of the characters a-z, 0-9, '-' and '_'"
#define MAC_RULE      "write six bytes like this: \"52:54:00:01:00:01\""

/* Reads a MAC that must be one station's. path says where it stands. */
static int plan_mac(const struct plan *p, const char *text, const char *path,
		    uint8_t mac[6], struct fault *f)
{
	unsigned line = doc_line(&p->doc, "%s", path);

	if (!value_parse_mac(text, mac))
		return fault_input(f, line, "'%.64s' is no MAC; %s", text,
				   MAC_RULE);
	if (mac[0] & 1)
		return fault_input(f, line,
				   "MAC %s is a group address (its first byte "
				   "is odd); take an even first byte, 52 for "
				   "example",
				   text);
	if (!value_mac_unicast(mac))
		return fault_input(
			f, line, "MAC %s is zero; give the NIC one of its own",
			text);
	return 0;
}

/* ---- uplinks ---- */

static int plan_match(struct plan *p, unsigned index, struct fault *f)
{
	const struct box_match *match = p->box->uplinks[index].match;
	struct sluice_uplink *u = &p->uplinks[index];
	unsigned line = doc_line(&p->doc, "uplinks[%u].match", index);
	char path[64];

	if (!match)
		return 0;
	if (!match->mac == !match->pci)
		return fault_input(f, line,
				   "'match' must name the NIC by one of 'mac' "
				   "and 'pci'; leave 'match' out for any NIC");
	if (match->mac) {
		u->match = SLUICE_MATCH_MAC;
		snprintf(path, sizeof(path), "uplinks[%u].match.mac", index);
		return plan_mac(p, match->mac, path, u->mac, f);
	}
	u->match = SLUICE_MATCH_PCI;
	if (!value_parse_pci(match->pci, &u->pci))
		return fault_input(
			f, doc_line(&p->doc, "uplinks[%u].match.pci", index),
			"'%.64s' is no PCI address; write bus, device and "
			"function like this: \"00:02.0\"",
			match->pci);
	return 0;
}

static bool plan_same_nic(const struct sluice_uplink *u,
			  const struct sluice_uplink *v)
{
	return u->match == v->match &&
	       ((u->match == SLUICE_MATCH_MAC && !memcmp(u->mac, v->mac, 6)) ||
		(u->match == SLUICE_MATCH_PCI && u->pci == v->pci));
}

static int plan_uplink(struct plan *p, unsigned index, struct fault *f)
{
	const char *name = p->box->uplinks[index].name;
	struct sluice_uplink *u = &p->uplinks[index];
	int err;

	if (!value_name_valid(name))
		return fault_input(
			f, doc_line(&p->doc, "uplinks[%u].name", index),
			"'%.64s' is no name for an uplink; " NAME_RULE, name);
	strcpy(u->name, name);
	err = plan_match(p, index, f);
	if (err)
		return err;
	for (unsigned i = 0; i < index; i++) {
		const struct sluice_uplink *v = &p->uplinks[i];

		if (strcmp(v->name, name) == 0)
			return fault_input(
				f, doc_line(&p->doc, "uplinks[%u].name", index),
				"uplink '%s' is already on line %u; give this "
				"one another name",
				name, doc_line(&p->doc, "uplinks[%u].name", i));
		if (plan_same_nic(u, v))
			return fault_input(
				f,
				doc_line(&p->doc, "uplinks[%u].match", index),
				"uplink '%s' on line %u has this NIC already; "
				"name another one",
				v->name,
				doc_line(&p->doc, "uplinks[%u].match", i));
	}
	return 0;
}

/* ---- NICs ---- */

static int plan_network(const struct plan *p, const char *network,
			unsigned line, uint32_t *uplink, struct fault *f)
{
	char known[SLUICE_UPLINKS_MAX * (SLUICE_NAME_SIZE + 2)] = "";
	size_t n = 0;

	for (unsigned i = 0; i < p->config.uplink_count; i++) {
		const char *name = p->uplinks[i].name;

		if (strcmp(name, network) == 0) {
			*uplink = i;
			return 0;
		}
		n += (size_t)snprintf(known + n, sizeof(known) - n, "%s%s",
				      i ? ", " : "", name);
	}
	if (!n)
		return fault_input(f, line,
				   "there is no network '%.64s'; add it like "
				   "this: uplinks: [{name: up0}]",
				   network);
	return fault_input(f, line,
			   "there is no network '%.64s'; take one of the "
			   "uplinks (%s) or add it to 'uplinks'",
			   network, known);
}

/* The line of NIC number index of all, and its VM. */
static unsigned plan_nic_line(const struct plan *p, unsigned index,
			      const struct sluice_vm **owner)
{
	unsigned v = 0;

	while (index >= p->vms[v].first_nic + p->vms[v].nic_count)
		v++;
	*owner = &p->vms[v];
	return doc_line(&p->doc, "vms[%u].nics[%u].mac", v,
			index - p->vms[v].first_nic);
}

static int plan_unique_mac(const struct plan *p, unsigned index,
			   struct fault *f)
{
	const struct sluice_vm *owner;
	const uint8_t *mac = p->nics[index].mac;

	for (unsigned i = 0; i < index; i++) {
		unsigned line;

		if (memcmp(p->nics[i].mac, mac, 6) != 0)
			continue;
		line = plan_nic_line(p, i, &owner);
		return fault_input(f, plan_nic_line(p, index, &owner),
				   "MAC %02x:%02x:%02x:%02x:%02x:%02x is "
				   "already on line %u; each NIC needs its own",
				   mac[0], mac[1], mac[2], mac[3], mac[4],
				   mac[5], line);
	}
	return 0;
}

static int plan_nic(struct plan *p, unsigned vm, unsigned index,
		    struct fault *f)
{
	const struct box_nic *from = &p->box->vms[vm].nics[index];
	struct sluice_nic *nic = &p->nics[p->config.nic_count++];
	char path[64];
	int err;

	p->vms[vm].nic_count++;
	err = plan_network(
		p, from->network,
		doc_line(&p->doc, "vms[%u].nics[%u].network", vm, index),
		&nic->uplink, f);
	if (err)
		return err;
	nic->flags = from->promiscuous ? SLUICE_NIC_PROMISCUOUS : 0;
	if (from->mac) {
		snprintf(path, sizeof(path), "vms[%u].nics[%u].mac", vm, index);
		err = plan_mac(p, from->mac, path, nic->mac, f);
	} else {
		value_derive_mac(p->vms[vm].name, index, nic->mac);
	}
	if (!err)
		err = plan_unique_mac(p, p->config.nic_count - 1, f);

	nic->first_mac = p->config.mac_count;
	for (unsigned i = 0; i < from->allow_macs_count && !err; i++) {
		snprintf(path, sizeof(path), "vms[%u].nics[%u].allow_macs[%u]",
			 vm, index, i);
		err = plan_mac(p, from->allow_macs[i], path,
			       p->macs[p->config.mac_count++].addr, f);
		nic->mac_count++;
	}
	return err;
}

/* ---- VMs ---- */

static int plan_vm_memory(const char *text, unsigned line, uint64_t *memory,
			  struct fault *f)
{
	char min[VALUE_SIZE_TEXT], max[VALUE_SIZE_TEXT];

	value_format_size(SLUICE_MEMORY_MIN, min);
	value_format_size(SLUICE_MEMORY_MAX, max);
	if (!value_parse_size(text, memory))
		return fault_input(f, line,
				   "'%.64s' is no memory size; write a whole "
				   "number with K, M or G, like this: 256M",
				   text);
	if (*memory < SLUICE_MEMORY_MIN)
		return fault_input(f, line,
				   "%s of memory is too little for a VM; give "
				   "it %s or more",
				   text, min);
	if (*memory > SLUICE_MEMORY_MAX)
		return fault_input(f, line,
				   "%s of memory is too much for a VM; give it "
				   "%s at most",
				   text, max);
	if (*memory % SLUICE_MEMORY_ALIGN)
		return fault_input(
			f, line,
			"memory must be a multiple of 2M, not %s; the next is "
			"%s",
			text,
			value_format_size(
				ALIGN_UP(*memory, SLUICE_MEMORY_ALIGN), min));
	return 0;
}

static int plan_vm_name(struct plan *p, unsigned index, struct fault *f)
{
	const char *name = p->box->vms[index].name;
	unsigned line = doc_line(&p->doc, "vms[%u].name", index);

	if (!value_name_valid(name))
		return fault_input(f, line,
				   "'%.64s' is no name for a VM; " NAME_RULE,
				   name);
	for (unsigned i = 0; i < index; i++)
		if (strcmp(p->vms[i].name, name) == 0)
			return fault_input(
				f, line,
				"VM '%s' is already on line %u; "
				"give this one another name",
				name, doc_line(&p->doc, "vms[%u].name", i));
	strcpy(p->vms[index].name, name);
	return 0;
}

static int plan_vm(struct plan *p, unsigned index, struct fault *f)
{
	const struct box_vm *from = &p->box->vms[index];
	const char *cmdline = from->cmdline ? from->cmdline : "";
	struct sluice_vm *vm = &p->vms[index];
	size_t n = strlen(cmdline);
	int err = plan_vm_name(p, index, f);

	if (err)
		return err;
	if (from->cpus < 1 || from->cpus > SLUICE_VCPUS_MAX)
		return fault_input(f, doc_line(&p->doc, "vms[%u].cpus", index),
				   "VM '%s' cannot have %u CPUs; give it 1 to "
				   "%u",
				   vm->name, from->cpus, SLUICE_VCPUS_MAX);
	vm->cpus = from->cpus;
	err = plan_vm_memory(from->memory,
			     doc_line(&p->doc, "vms[%u].memory", index),
			     &vm->memory, f);
	if (err)
		return err;
	if (n > SLUICE_CMDLINE_MAX)
		return fault_input(f,
				   doc_line(&p->doc, "vms[%u].cmdline", index),
				   "the command line of VM '%s' has %zu bytes; "
				   "at most %u are possible",
				   vm->name, n, SLUICE_CMDLINE_MAX);
	vm->cmdline = p->config.strings_size;
	memcpy(p->strings + vm->cmdline, cmdline, n + 1);
	p->config.strings_size += (uint32_t)n + 1;
	vm->kernel = SLUICE_NO_PAYLOAD;
	vm->initrd = SLUICE_NO_PAYLOAD;
	vm->first_nic = p->config.nic_count;
	for (unsigned i = 0; i < from->nics_count && !err; i++)
		err = plan_nic(p, index, i, f);
	return err;
}

static void plan_finish(struct plan *p)
{
	struct sluice_config *c = &p->config;

	c->magic = SLUICE_CONFIG_MAGIC;
	c->version = SLUICE_CONFIG_VERSION;
	c->vm_count = p->box->vms_count;
	c->log_level = p->box->log_level;
	c->size =
		(uint32_t)(sizeof(*c) +
			   c->uplink_count * sizeof(p->uplinks[0]) +
			   c->vm_count * sizeof(p->vms[0]) +
			   c->nic_count * sizeof(p->nics[0]) +
			   c->mac_count * sizeof(p->macs[0]) + c->strings_size);
}

int plan_parse(struct plan **plan, const char *text, size_t size,
	       struct fault *f)
{
	struct plan *p = calloc(1, sizeof(*p));
	int err;

	*plan = NULL;
	if (!p)
		return fault_trouble(f, "out of memory");
	err = doc_parse(&p->doc, text, size, f);
	if (err) {
		free(p);
		return err;
	}
	err = box_load(&p->box, &p->doc, text, size, f);
	if (err)
		goto out;
	p->config.uplink_count = p->box->uplinks_count;
	for (unsigned i = 0; i < p->box->uplinks_count && !err; i++)
		err = plan_uplink(p, i, f);
	for (unsigned i = 0; i < p->box->vms_count && !err; i++)
		err = plan_vm(p, i, f);
out:
	if (err) {
		plan_free(p);
		return err;
	}
	plan_finish(p);
	*plan = p;
	return 0;
}

static int plan_read(FILE *file, char *text, size_t *size, struct fault *f)
{
	*size = fread(text, 1, PLAN_FILE_MAX + 1, file);
	if (ferror(file))
		return fault_input(f, 0, "cannot be read: %s; give a YAML file",
				   strerror(errno));
	if (*size > PLAN_FILE_MAX)
		return fault_input(f, 0,
				   "has more than 1 MiB; this is no "
				   "configuration file");
	return 0;
}

int plan_load(struct plan **plan, const char *path, struct fault *f)
{
	char *text = malloc(PLAN_FILE_MAX + 1);
	FILE *file = NULL;
	size_t size = 0;
	int err;

	*plan = NULL;
	f->file = path;
	if (!text)
		return fault_trouble(f, "out of memory");
	file = fopen(path, "re");
	if (!file)
		err = fault_input(f, 0,
				  "cannot be opened: %s; check the path of the "
				  "configuration file",
				  strerror(errno));
	else
		err = plan_read(file, text, &size, f);
	if (!err)
		err = plan_parse(plan, text, size, f);
	if (file)
		fclose(file);
	free(text);
	return err;
}

void plan_free(struct plan *plan)
{
	if (plan->box)
		box_free(plan->box);
	doc_free(&plan->doc);
	free(plan);
}
