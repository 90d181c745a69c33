/* The manual and the schema, both written from the same tables as the parser. */
#ifndef ORRERY_SCENARIO_DESCRIBE_H
#define ORRERY_SCENARIO_DESCRIBE_H

#include "engine/kernel/kind.h"

#include <stdbool.h>
#include <stdio.h>

/* Prints the manual of one kind, or with `name` NULL of the whole language: every kind, the keys of
 * every node and link, `run`, `output`, and how values are written. At most 100 columns. Kinds: up
 * to the first NULL. False (and nothing printed) when no kind is called `name`. */
bool describe_models(const struct kind *const *kinds, const char *name, FILE *out);

/* Prints a JSON Schema (draft-07) of a scenario document, for editors. */
void describe_schema(const struct kind *const *kinds, FILE *out);

/* The value of `type` in words, as the manual shows it: "count", "time", "word". */
const char *describe_type(enum field_type type);

#endif
