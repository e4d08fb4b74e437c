/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Does a YAML tree fit the schema that cyaml will load it by? */
#include "tools/schema.h"

#include <stdio.h>
#include <string.h>

struct check {
	yaml_document_t *yaml;
	const struct schema_example *examples;
	struct fault *fault;
};

static int check_value(const struct check *c, const cyaml_schema_value_t *v,
		       const yaml_node_t *node, const char *key);

static yaml_node_t *get(const struct check *c, int index)
{
	return yaml_document_get_node(c->yaml, index);
}

/* Can it be printed, and is its NUL its end? UTF-8 passes. */
static bool clean(const yaml_node_t *node)
{
	for (size_t i = 0; i < node->data.scalar.length; i++) {
		unsigned char byte = node->data.scalar.value[i];

		if (byte < ' ' || byte == 0x7f)
			return false;
	}
	return true;
}

static const char *example(const struct check *c, const char *key)
{
	const struct schema_example *e = c->examples;

	while (e->key && strcmp(e->key, key) != 0)
		e++;
	return e->key ? e->example : "";
}

static int wrong_type(const struct check *c, const yaml_node_t *node,
		      const char *key, const char *wanted)
{
	const char *found = "a list";

	if (!*key)
		return fault_input(c->fault, doc_node_line(node),
				   "the file must hold keys and values at its "
				   "top; start with 'vms:'");
	if (node->type == YAML_SCALAR_NODE && !node->data.scalar.length)
		found = "empty";
	else if (node->type == YAML_SCALAR_NODE && clean(node))
		return fault_input(
			c->fault, doc_node_line(node),
			"'%s' must be %s, not '%.64s'; write it like "
			"this: %s",
			key, wanted, doc_scalar(node), example(c, key));
	else if (node->type == YAML_SCALAR_NODE)
		found = "text with control characters";
	else if (node->type == YAML_MAPPING_NODE)
		found = "a set of keys";
	return fault_input(c->fault, doc_node_line(node),
			   "'%s' must be %s, not %s; write it like this: %s",
			   key, wanted, found, example(c, key));
}

static void append(char *text, size_t size, const char *more)
{
	size_t n = strlen(text);

	snprintf(text + n, size - n, "%s", more);
}

/* How many letters to add, drop or change (Levenshtein); long words differ. */
static size_t distance(const char *a, const char *b)
{
	size_t row[33];
	size_t n = strlen(b);

	if (strlen(a) > 32 || n > 32)
		return 99;
	for (size_t j = 0; j <= n; j++)
		row[j] = j;
	for (size_t i = 1; a[i - 1]; i++) {
		size_t diagonal = row[0];

		row[0] = i;
		for (size_t j = 1; j <= n; j++) {
			size_t change = diagonal + (a[i - 1] != b[j - 1]);

			diagonal = row[j];
			row[j] = MIN(MIN(row[j] + 1, row[j - 1] + 1), change);
		}
	}
	return row[n];
}

static int unknown_key(const struct check *c, const yaml_node_t *node,
		       const cyaml_schema_field_t *fields, const char *in)
{
	char allowed[256] = "";
	const char *nearest = NULL;
	size_t best = 3; /* further away is another word */

	for (const cyaml_schema_field_t *f = fields; f->key; f++) {
		size_t far = distance(doc_scalar(node), f->key);

		if (far < best && far < strlen(f->key)) {
			best = far;
			nearest = f->key;
		}
		append(allowed, sizeof(allowed), f == fields ? "" : ", ");
		append(allowed, sizeof(allowed), f->key);
	}
	if (nearest)
		return fault_input(c->fault, doc_node_line(node),
				   "unknown key '%s'%s; did you mean '%s'? "
				   "(known here: %s)",
				   doc_scalar(node), in, nearest, allowed);
	return fault_input(c->fault, doc_node_line(node),
			   "unknown key '%.64s'%s; known here: %s",
			   doc_scalar(node), in, allowed);
}

static int check_pair(const struct check *c, const yaml_node_t *map,
		      const yaml_node_pair_t *pair,
		      const cyaml_schema_field_t *fields, const char *in)
{
	const yaml_node_t *key = get(c, pair->key);
	const cyaml_schema_field_t *field = fields;

	if (key->type != YAML_SCALAR_NODE || !clean(key))
		return fault_input(c->fault, doc_node_line(key),
				   "a key%s is no plain word; see "
				   "examples/two-vms.yaml",
				   in);
	while (field->key && strcmp(field->key, doc_scalar(key)) != 0)
		field++;
	if (!field->key)
		return unknown_key(c, key, fields, in);
	for (const yaml_node_pair_t *p = map->data.mapping.pairs.start;
	     p < pair; p++)
		if (strcmp(doc_scalar(get(c, p->key)), doc_scalar(key)) == 0)
			return fault_input(c->fault, doc_node_line(key),
					   "'%s' is here twice, first on line "
					   "%u; keep one",
					   doc_scalar(key),
					   doc_node_line(get(c, p->key)));
	return check_value(c, &field->value, get(c, pair->value), field->key);
}

static bool has_key(const struct check *c, const yaml_node_t *map,
		    const char *key)
{
	const yaml_node_pair_t *p = map->data.mapping.pairs.start;

	for (; p < map->data.mapping.pairs.top; p++)
		if (strcmp(doc_scalar(get(c, p->key)), key) == 0)
			return true;
	return false;
}

static int check_mapping(const struct check *c, const cyaml_schema_value_t *v,
			 const yaml_node_t *node, const char *key)
{
	const cyaml_schema_field_t *field = v->mapping.fields;
	const yaml_node_pair_t *p;
	char in[64] = "";
	int err;

	if (node->type != YAML_MAPPING_NODE)
		return wrong_type(c, node, key, "a set of keys");
	if (*key)
		snprintf(in, sizeof(in), " in '%s'", key);
	for (p = node->data.mapping.pairs.start;
	     p < node->data.mapping.pairs.top; p++) {
		err = check_pair(c, node, p, v->mapping.fields, in);
		if (err)
			return err;
	}
	for (; field->key; field++)
		if (!(field->value.flags & CYAML_FLAG_OPTIONAL) &&
		    !has_key(c, node, field->key))
			return fault_input(c->fault, doc_node_line(node),
					   "'%s' is missing%s; add it like "
					   "this: %s",
					   field->key, in,
					   example(c, field->key));
	return 0;
}

static int check_sequence(const struct check *c, const cyaml_schema_value_t *v,
			  const yaml_node_t *node, const char *key)
{
	const yaml_node_item_t *item;
	size_t count;
	int err;

	if (node->type != YAML_SEQUENCE_NODE)
		return wrong_type(c, node, key, "a list");
	count = (size_t)(node->data.sequence.items.top -
			 node->data.sequence.items.start);
	if (count < v->sequence.min)
		return fault_input(c->fault, doc_node_line(node),
				   "'%s' is an empty list; write it like "
				   "this: %s",
				   key, example(c, key));
	if (count > v->sequence.max)
		return fault_input(c->fault, doc_node_line(node),
				   "'%s' has %zu entries; at most %u are "
				   "possible",
				   key, count, v->sequence.max);
	for (item = node->data.sequence.items.start;
	     item < node->data.sequence.items.top; item++) {
		err = check_value(c, v->sequence.entry, get(c, *item), key);
		if (err)
			return err;
	}
	return 0;
}

static bool any_of(const char *text, const char *const *words)
{
	while (*words && strcmp(*words, text) != 0)
		words++;
	return *words;
}

static bool whole_number(const char *text)
{
	/* cyaml reads a leading 0 as octal; more digits would not fit. */
	return *text && strlen(text) < 10 &&
	       text[strspn(text, "0123456789")] == 0 &&
	       (text[0] != '0' || !text[1]);
}

static int check_enum(const struct check *c, const cyaml_schema_value_t *v,
		      const yaml_node_t *node, const char *key)
{
	char wanted[128] = "";

	for (uint32_t i = 0; i < v->enumeration.count; i++) {
		const char *word = v->enumeration.strings[i].str;

		if (strcmp(word, doc_scalar(node)) == 0)
			return 0;
		if (i)
			append(wanted, sizeof(wanted),
			       i + 1 < v->enumeration.count ? ", " : " or ");
		append(wanted, sizeof(wanted), word);
	}
	return wrong_type(c, node, key, wanted);
}

static int check_scalar(const struct check *c, const cyaml_schema_value_t *v,
			const yaml_node_t *node, const char *key)
{
	/* cyaml takes any other word for true. */
	static const char *const bools[] = {"true", "yes", "on", "false",
					    "no",   "off", NULL};

	if (node->type == YAML_SCALAR_NODE && !clean(node))
		return fault_input(c->fault, doc_node_line(node),
				   "'%s' has a control character (line feed, "
				   "tab, NUL) in it; take it out",
				   key);
	switch (v->type) {
	case CYAML_UINT:
		if (node->type != YAML_SCALAR_NODE ||
		    !whole_number(doc_scalar(node)))
			return wrong_type(c, node, key, "a whole number");
		return 0;
	case CYAML_BOOL:
		if (node->type != YAML_SCALAR_NODE ||
		    !any_of(doc_scalar(node), bools))
			return wrong_type(c, node, key, "true or false");
		return 0;
	case CYAML_ENUM:
		if (node->type != YAML_SCALAR_NODE)
			return wrong_type(c, node, key, "one word");
		return check_enum(c, v, node, key);
	default:
		if (node->type != YAML_SCALAR_NODE ||
		    node->data.scalar.length < v->string.min)
			return wrong_type(c, node, key, "text");
		return 0;
	}
}

static int check_value(const struct check *c, const cyaml_schema_value_t *v,
		       const yaml_node_t *node, const char *key)
{
	switch (v->type) {
	case CYAML_MAPPING:
		return check_mapping(c, v, node, key);
	case CYAML_SEQUENCE:
		return check_sequence(c, v, node, key);
	default:
		return check_scalar(c, v, node, key);
	}
}

int schema_check(const struct doc *d, const cyaml_schema_value_t *schema,
		 const struct schema_example *examples, struct fault *f)
{
	/* libyaml's getters take no const, though they change nothing. */
	const struct check c = {(yaml_document_t *)&d->yaml, examples, f};

	return check_value(&c, schema, get(&c, 1), "");
}
