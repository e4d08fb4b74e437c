/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Does a YAML tree fit the schema that cyaml will load it by? */
#ifndef TOOLS_SCHEMA_H
#define TOOLS_SCHEMA_H

#include "tools/doc.h"

#include <cyaml/cyaml.h>

/* How a key is written, for messages; an array ends with a NULL key. */
struct schema_example {
	const char *key, *example;
};

/*
 * Refuses what cyaml would refuse with less to say (unknown and missing keys,
 * wrong types, too many entries) and what it would let pass: repeated keys,
 * control characters, octal numbers, odd booleans.
 */
int schema_check(const struct doc *d, const cyaml_schema_value_t *schema,
		 const struct schema_example *examples, struct fault *f);

#endif
