/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A YAML text as a tree with line numbers, to say where something is wrong. */
#include "tools/doc.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DOC_DEPTH_MAX 32 /* far beyond any schema of ours */

static void parser_start(yaml_parser_t *p, const char *text, size_t size)
{
	if (!yaml_parser_initialize(p))
		abort(); /* out of memory at the first few KB */
	yaml_parser_set_input_string(p, (const unsigned char *)text, size);
}

static int parser_fault(const yaml_parser_t *p, const char *text, size_t size,
			struct fault *f)
{
	size_t line = p->problem_mark.line + 1;

	if (p->error == YAML_MEMORY_ERROR)
		return fault_trouble(f, "out of memory");
	if (p->error == YAML_READER_ERROR) {
		line = 1;
		for (size_t i = 0; i < size && i < p->problem_offset; i++)
			line += text[i] == '\n';
		return fault_input(f, (unsigned)line,
				   "%s; save the file as UTF-8 text",
				   p->problem);
	}
	return fault_input(f, (unsigned)line,
			   "this is not YAML: %s%s%s; check quotes, colons and "
			   "brackets, and indent with spaces only",
			   p->problem ? p->problem : "unknown error",
			   p->context ? " " : "", p->context ? p->context : "");
}

/* +1 where a list or set of keys starts, -1 where it ends. */
static int nesting(yaml_event_type_t type)
{
	return (type == YAML_SEQUENCE_START_EVENT ||
		type == YAML_MAPPING_START_EVENT) -
	       (type == YAML_SEQUENCE_END_EVENT ||
		type == YAML_MAPPING_END_EVENT);
}

/* The tree has aliases resolved and one document: those need the events. So
 * does its depth, which libyaml takes quadratic time for. */
static int scan_events(const char *text, size_t size, struct fault *f)
{
	unsigned documents = 0;
	int depth = 0;
	yaml_event_type_t type;
	yaml_parser_t p;
	int err = 0;

	parser_start(&p, text, size);
	do {
		yaml_event_t event;
		unsigned line;

		if (!yaml_parser_parse(&p, &event)) {
			err = parser_fault(&p, text, size, f);
			break;
		}
		type = event.type;
		line = (unsigned)event.start_mark.line + 1;
		yaml_event_delete(&event);
		if (type == YAML_ALIAS_EVENT)
			err = fault_input(f, line,
					  "aliases (*name) are not supported; "
					  "write the value out");
		depth += nesting(type);
		if (depth > DOC_DEPTH_MAX)
			err = fault_input(f, line,
					  "lists or keys are nested more than "
					  "%d deep; see examples/two-vms.yaml",
					  DOC_DEPTH_MAX);
		if (type == YAML_DOCUMENT_START_EVENT && ++documents > 1)
			err = fault_input(f, line,
					  "a second document starts here; keep "
					  "one in a file");
	} while (!err && type != YAML_STREAM_END_EVENT);
	yaml_parser_delete(&p);
	return err;
}

int doc_parse(struct doc *d, const char *text, size_t size, struct fault *f)
{
	yaml_parser_t p;
	int err = scan_events(text, size, f);

	if (err)
		return err;
	parser_start(&p, text, size);
	if (!yaml_parser_load(&p, &d->yaml))
		err = parser_fault(&p, text, size, f);
	yaml_parser_delete(&p);
	if (!err && !yaml_document_get_root_node(&d->yaml)) {
		yaml_document_delete(&d->yaml);
		err = fault_input(f, 0,
				  "there is nothing in it; it needs 'vms:' "
				  "(see examples/two-vms.yaml)");
	}
	return err;
}

void doc_free(struct doc *d)
{
	yaml_document_delete(&d->yaml);
}

/* The node of one step: a key up to '.', '[' or the end, or "[index]". */
static yaml_node_t *step(yaml_document_t *yaml, const yaml_node_t *node,
			 const char **path)
{
	if (**path == '[' && node->type == YAML_SEQUENCE_NODE) {
		char *end;
		long index = strtol(*path + 1, &end, 10);
		const yaml_node_item_t *item =
			node->data.sequence.items.start + index;

		*path = end + 1;
		return item < node->data.sequence.items.top
			       ? yaml_document_get_node(yaml, *item)
			       : NULL;
	}
	if (node->type == YAML_MAPPING_NODE) {
		size_t n = strcspn(*path, ".[");
		const yaml_node_pair_t *p = node->data.mapping.pairs.start;

		for (; p < node->data.mapping.pairs.top; p++) {
			yaml_node_t *key = yaml_document_get_node(yaml, p->key);

			if (key->type != YAML_SCALAR_NODE ||
			    strncmp(doc_scalar(key), *path, n) != 0 ||
			    doc_scalar(key)[n])
				continue;
			*path += n;
			return yaml_document_get_node(yaml, p->value);
		}
	}
	return NULL;
}

unsigned doc_line(const struct doc *d, const char *path, ...)
{
	yaml_document_t *yaml = (yaml_document_t *)&d->yaml;
	const yaml_node_t *node = yaml_document_get_root_node(yaml);
	unsigned line = 0;
	char text[128];
	const char *rest = text;
	va_list args;

	va_start(args, path);
	vsnprintf(text, sizeof(text), path, args);
	va_end(args);
	while (node) {
		line = doc_node_line(node);
		if (*rest == '.')
			rest++;
		if (!*rest)
			break;
		node = step(yaml, node, &rest);
	}
	return line;
}
