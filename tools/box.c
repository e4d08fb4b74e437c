/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The configuration file as its author wrote it, in C structs. */
#include "tools/box.h"
#include "tools/schema.h"
#include "sluice/config.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define NEEDED	 CYAML_FLAG_DEFAULT
#define OPTIONAL CYAML_FLAG_OPTIONAL

/* Required text may not be empty. */
#define TEXT(key, type, min)                                                 \
	CYAML_FIELD_STRING_PTR(#key, (min) ? NEEDED : OPTIONAL, struct type, \
			       key, min, CYAML_UNLIMITED)

static const cyaml_schema_field_t match_fields[] = {
	TEXT(mac, box_match, 0),
	TEXT(pci, box_match, 0),
	CYAML_FIELD_END,
};

static const cyaml_schema_field_t uplink_fields[] = {
	TEXT(name, box_uplink, 1),
	CYAML_FIELD_MAPPING_PTR("match", OPTIONAL, struct box_uplink, match,
				match_fields),
	CYAML_FIELD_END,
};

static const cyaml_schema_value_t mac_schema = {
	CYAML_VALUE_STRING(CYAML_FLAG_POINTER, char, 1, CYAML_UNLIMITED),
};

static const cyaml_schema_field_t nic_fields[] = {
	TEXT(network, box_nic, 1),
	TEXT(mac, box_nic, 0),
	CYAML_FIELD_BOOL("promiscuous", OPTIONAL, struct box_nic, promiscuous),
	CYAML_FIELD_SEQUENCE("allow_macs", OPTIONAL | CYAML_FLAG_POINTER,
			     struct box_nic, allow_macs, &mac_schema, 0,
			     SLUICE_MACS_MAX),
	CYAML_FIELD_END,
};

static const cyaml_schema_value_t nic_schema = {
	CYAML_VALUE_MAPPING(NEEDED, struct box_nic, nic_fields),
};

static const cyaml_schema_field_t vm_fields[] = {
	TEXT(name, box_vm, 1),
	CYAML_FIELD_UINT("cpus", NEEDED, struct box_vm, cpus),
	TEXT(memory, box_vm, 1),
	TEXT(kernel, box_vm, 1),
	TEXT(initrd, box_vm, 0),
	TEXT(cmdline, box_vm, 0),
	CYAML_FIELD_SEQUENCE("nics", OPTIONAL | CYAML_FLAG_POINTER,
			     struct box_vm, nics, &nic_schema, 0,
			     SLUICE_NICS_MAX),
	CYAML_FIELD_END,
};

static const cyaml_schema_value_t uplink_schema = {
	CYAML_VALUE_MAPPING(NEEDED, struct box_uplink, uplink_fields),
};
static const cyaml_schema_value_t vm_schema = {
	CYAML_VALUE_MAPPING(NEEDED, struct box_vm, vm_fields),
};

/* 0 is what an absent key leaves; box_load() makes these the ABI's. */
static const cyaml_strval_t log_levels[] = {
	{"error", 1},
	{"warn", 2},
	{"info", 3},
	{"debug", 4},
};

#define LOG_LEVEL_DEFAULT 3

static const cyaml_schema_field_t box_fields[] = {
	CYAML_FIELD_ENUM("log_level", OPTIONAL, struct box, log_level,
			 log_levels, ARRAY_SIZE(log_levels)),
	CYAML_FIELD_SEQUENCE("uplinks", OPTIONAL | CYAML_FLAG_POINTER,
			     struct box, uplinks, &uplink_schema, 0,
			     SLUICE_UPLINKS_MAX),
	CYAML_FIELD_SEQUENCE("vms", CYAML_FLAG_POINTER, struct box, vms,
			     &vm_schema, 1, SLUICE_VMS_MAX),
	CYAML_FIELD_END,
};

static const cyaml_schema_value_t box_schema = {
	CYAML_VALUE_MAPPING(CYAML_FLAG_POINTER, struct box, box_fields),
};

static const struct schema_example box_examples[] = {
	{"log_level", "log_level: info"},
	{"uplinks", "uplinks: [{name: up0}]"},
	{"vms", "vms: [{name: web, cpus: 1, memory: 256M, kernel: vmlinuz}]"},
	{"name", "name: web"},
	{"match", "match: {mac: \"52:54:00:00:00:02\"}"},
	{"mac", "mac: \"52:54:00:01:00:01\""},
	{"pci", "pci: \"00:02.0\""},
	{"cpus", "cpus: 1"},
	{"memory", "memory: 256M"},
	{"kernel", "kernel: vmlinuz"},
	{"initrd", "initrd: initrd.img"},
	{"cmdline", "cmdline: console=ttyS0"},
	{"nics", "nics: [{network: up0}]"},
	{"network", "network: up0"},
	{"promiscuous", "promiscuous: true"},
	{"allow_macs", "allow_macs: [\"00:00:5e:00:01:01\"]"},
	{NULL, NULL},
};

/* What cyaml has to say: the first complaint and the line nearest to it. */
struct cyaml_noise {
	char text[256];
	unsigned line;
};

static void box_listen(cyaml_log_t level, void *ctx, const char *fmt,
		       va_list args)
{
	struct cyaml_noise *noise = ctx;
	char text[256];
	const char *line;

	if (level < CYAML_LOG_ERROR)
		return;
	vsnprintf(text, sizeof(text), fmt, args);
	text[strcspn(text, "\n")] = 0;
	if (!noise->text[0])
		snprintf(noise->text, sizeof(noise->text), "%s", text);
	line = strstr(text, "(line: ");
	if (line && !noise->line)
		sscanf(line, "(line: %u", &noise->line);
}

static cyaml_config_t box_config(struct cyaml_noise *noise)
{
	return (cyaml_config_t){
		.log_fn = box_listen,
		.log_ctx = noise,
		.log_level = CYAML_LOG_ERROR,
		.mem_fn = cyaml_mem,
		.flags = CYAML_CFG_NO_ALIAS,
	};
}

int box_load(struct box **box, const struct doc *d, const char *text,
	     size_t size, struct fault *f)
{
	struct cyaml_noise noise = {0};
	const cyaml_config_t config = box_config(&noise);
	cyaml_err_t status;
	int err = schema_check(d, &box_schema, box_examples, f);

	*box = NULL;
	if (err)
		return err;
	status = cyaml_load_data((const uint8_t *)text, size, &config,
				 &box_schema, (cyaml_data_t **)box, NULL);
	if (status == CYAML_ERR_OOM)
		return fault_trouble(f, "out of memory");
	if (status != CYAML_OK)
		return fault_input(
			f, noise.line, "%s; compare with examples/two-vms.yaml",
			noise.text[0] ? noise.text : cyaml_strerror(status));
	if (!(*box)->log_level)
		(*box)->log_level = LOG_LEVEL_DEFAULT;
	(*box)->log_level--;
	return 0;
}

void box_free(struct box *box)
{
	struct cyaml_noise noise = {0};
	const cyaml_config_t config = box_config(&noise);

	cyaml_free(&config, &box_schema, box, 0);
}
