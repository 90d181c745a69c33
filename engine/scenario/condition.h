/* Conditions over the swept names and vars of a point, for `where` and `when`:
 *
 *     ack == quorum and r + w > 3        not (engine == btree and writes == 95%)
 *
 * Words: and or not, == != < <= > >=, + - * /, parentheses. Quantities are typed: 5ms compares with
 * times only. A word equals a choice with parameters by its bare head: `policy == bounded_load`
 * holds for bounded_load(125%). */
#ifndef ORRERY_SCENARIO_CONDITION_H
#define ORRERY_SCENARIO_CONDITION_H

#include "engine/scenario/document.h"

#include <stdbool.h>
#include <stdint.h>

/* What a name stands for at a point: its text, or NULL when the name is not known. */
struct condition_names {
    const char *(*value)(const void *context, const char *name);
    const char *const *(*known)(const void *context, size_t *count); /* for the nearest name */
    const void *context;
};

struct condition;

/* Reads the part of a scalar from `offset` on, `length` bytes. NULL after an error (told). */
const struct condition *condition_parse(const struct document *document, const struct node *scalar,
                                        size_t offset, size_t length);

/* Whether one of its words is among those that `wanted` says yes to. */
bool condition_mentions(const struct condition *condition,
                        bool (*wanted)(const void *context, const char *word), const void *context);

/* Whether it holds. A type error is told at its place and leaves `*ok` false. */
bool condition_holds(const struct condition *condition, const struct condition_names *names,
                     bool *ok);

/* Whether a value as written meets another: quantities by value, choices by their bare head. */
bool condition_equal(const char *value, const char *wanted);

#endif
