/* The points of a scenario: `sweep` spelled out, `where` applied, in odometer order (the last key
 * varies fastest).
 *
 *     rate: 200/s..1400/s step 200/s        a range
 *     nodes.cache.capacity: 1k..1M log 7    seven values, each the same multiple of the one before
 *     ack: [async, quorum]                  a list
 *     design: {straight: {nodes.api.to: db}, queued: {nodes.api.to: inbox}}   named points
 *
 * Not played (`orrery run`), a sweep has the one point that the document is as it stands, and its
 * names stand for what is written there. */
#ifndef ORRERY_SCENARIO_SWEEP_H
#define ORRERY_SCENARIO_SWEEP_H

#include "engine/scenario/condition.h"
#include "engine/scenario/document.h"

#include <stdbool.h>
#include <stdint.h>

struct sweep_value {
    const char *text;         /* as written; of a named point its name */
    struct node *value;       /* put at the parameter's path; NULL for a named point */
    const struct node *named; /* a named point's map of path: value */
};

struct sweep_parameter {
    const char *name; /* a var or a path, as written */
    const struct node *key;
    struct sweep_value *values;
    uint32_t count;
    const char
        *written; /* what stands in the document as it is; NULL: no value of this parameter */
};

struct sweep {
    const struct document *base; /* unresolved: vars still stand as $name */
    struct sweep_parameter *parameters;
    uint32_t parameter_count;
    bool played;
    uint32_t *choices; /* [point][parameter]: index of the value */
    uint32_t point_count;
};

/* Reads `sweep` and `where` of the document. Errors are told in the document's diagnostics. */
void sweep_read(struct sweep *sweep, struct document *base, bool play);

/* The text that a parameter has at a point; NULL where the sweep is not played and the document
 * stands at none of its values. */
const char *sweep_text(const struct sweep *sweep, uint32_t point, uint32_t parameter);

/* The document of a point, values put in place and vars resolved, in `arena`. */
struct document sweep_document(const struct sweep *sweep, uint32_t point, struct arena *arena);

/* What conditions and expectations may name at a point. The document is made when a var is asked
 * for that is not swept, and lives in `arena`. */
struct sweep_names {
    const struct sweep *sweep;
    uint32_t point;
    struct arena *arena;
    struct document *document;
};

struct condition_names sweep_condition_names(struct sweep_names *names);

/* Index of the parameter, or UINT32_MAX. */
uint32_t sweep_find(const struct sweep *sweep, const char *name);

#endif
