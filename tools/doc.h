/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A YAML text as a tree with line numbers, to say where something is wrong. */
#ifndef TOOLS_DOC_H
#define TOOLS_DOC_H

#include "tools/fault.h"

#include <yaml.h>

struct doc {
	yaml_document_t yaml;
};

/* A node's line, from 1, and a scalar node's text. */
static inline unsigned doc_node_line(const yaml_node_t *node)
{
	return (unsigned)node->start_mark.line + 1;
}

static inline const char *doc_scalar(const yaml_node_t *node)
{
	return (const char *)node->data.scalar.value;
}

/*
 * One document without aliases. After 0 the caller ends it with doc_free().
 * cyaml would load more than this, but says less about what it cannot load.
 */
int doc_parse(struct doc *d, const char *text, size_t size, struct fault *f);
void doc_free(struct doc *d);

/*
 * The line of a path such as "vms[0].nics[1].mac", or of as much of it as
 * there is.
 */
unsigned doc_line(const struct doc *d, const char *path, ...) PRINTF(2, 3);

#endif
