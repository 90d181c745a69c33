/* From values of the document tree to a configuration struct, by a field table.
 *
 *     bind_defaults(&binder, table, config);
 *     bind_map(&binder, table, config, map, extra);
 *
 * The tree is a point's: vars and each(...) are resolved. Errors are collected in the document's
 * diagnostics; a field in error keeps its default. */
#ifndef ORRERY_SCENARIO_BIND_H
#define ORRERY_SCENARIO_BIND_H

#include "engine/kernel/blueprint.h"
#include "engine/kernel/field.h"
#include "engine/scenario/document.h"
#include "engine/scenario/sampler.h"

#include <stdbool.h>
#include <stdint.h>

#define BIND_NO_NODE UINT32_MAX
#define BIND_SAME UINT32_MAX

/* A pool that names a node: what the search for cycles reads. */
struct bind_edge {
    uint32_t from, to; /* nodes of the blueprint */
    uint32_t operation;
    uint32_t as;           /* the operation that goes on; BIND_SAME: the same */
    const struct node *at; /* the name in the document */
};

struct binder {
    struct document *document;
    struct arena *arena;               /* receives what configurations point to */
    const struct blueprint *blueprint; /* names for pools and operations; NULL: none are known */
    uint32_t node;                     /* whose configuration is bound, or BIND_NO_NODE */
    uint32_t operation;                /* for which values are read (short form) */
    uint32_t as;                       /* as which one the calls of a pool go on, or BIND_SAME */
    bool overrides; /* the keys of one operation: what belongs to the whole node stays as it is */
    struct bind_edge *edges;           /* found so far, in the arena */
    uint32_t edge_count, edge_room;
    struct sampler_shared *shared; /* files and tables; NULL: none */
};

/* A field as found by name. */
struct bind_field {
    const struct field *field; /* NULL: no such field */
    size_t offset;             /* of the value in the whole configuration */
    size_t base;               /* of the struct that the field's own offsets count from */
};

struct bind_field bind_find(const struct field_table *table, const char *name);

/* Fills in the defaults of every field that has one. */
void bind_defaults(struct binder *binder, const struct field_table *table, void *config);

/* Reads every key of `map` into `config`. Keys that are no field are errors, unless they stand in
 * `extra` (ends with NULL; may be NULL), which the caller reads itself. `what` ends the message:
 * "unknown key `x` of a link". */
void bind_map(struct binder *binder, const struct field_table *table, void *config,
              const struct node *map, const char *const *extra, const char *what);

/* Tells of a key that is no field, with the nearest that is one. */
void bind_unknown(const struct binder *binder, const struct field_table *table,
                  const char *const *extra, const struct node *key, const char *what);

/* Reads the lists of steps of a configuration, after all of its other keys: `over` (may be NULL),
 * the keys of one operation, goes before `map`. */
void bind_steps(struct binder *binder, const struct field_table *table, void *config,
                const struct node *map, const struct node *over);

/* Reads one value. */
void bind_value(struct binder *binder, const struct field *field, void *base,
                const struct node *value);

/* Tells of every REQUIRED field that stands in neither of the maps (`over` may be NULL). */
void bind_required(struct binder *binder, const struct field_table *table, const struct node *map,
                   const struct node *over, const char *what);

/* Index of an operation of the blueprint, or false. */
bool bind_operation(const struct binder *binder, const char *name, uint32_t *index);

/* Index of a node of the blueprint, or BIND_NO_NODE. */
uint32_t bind_node(const struct blueprint *blueprint, const char *name);

/* Reads a name or a list of names into the struct pool of a field, and notes the edges. */
void bind_pool(struct binder *binder, const struct field *field, void *base,
               const struct node *value);

/* The nodes that stand under this key in the node at hand, into the pools of a FIELD_PARTS. */
void bind_parts(struct binder *binder, const struct field *field, void *base,
                const struct node *value);

/* Reads a name or a list of names into the struct field_list of a FIELD_OPERATIONS. */
void bind_operations(const struct binder *binder, const struct field *field, void *base,
                     const struct node *value);

/* Reads the address of nodes (`web`, `web.2`) into a range of agents: `first` and `count`. False
 * with an error at `at` when there is none. */
bool bind_address(const struct binder *binder, const struct node *at, const char *text,
                  uint32_t *first, uint32_t *count, uint32_t *node);

#endif
