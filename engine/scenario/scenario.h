/* A scenario, loaded: from a YAML file to the blueprints of its points and to what is to be
 * reported of them.
 *
 *     struct diagnostics d = {0};
 *     struct scenario *s = scenario_load(&request, &d);
 *     diagnostic_print(&d, stderr, colour);
 *     if (!s) return 2;
 *     struct blueprint *b = scenario_blueprint(s, 0);    simulate it
 *     scenario_blueprint_free(b);
 *     scenario_free(s);
 *
 * Every point is bound once while loading, so that nothing runs when any point is wrong; afterwards
 * making a blueprint cannot fail. Blueprints are made point by point, because a sweep of thousands
 * need not stand in memory at once. */
#ifndef ORRERY_SCENARIO_SCENARIO_H
#define ORRERY_SCENARIO_SCENARIO_H

#include "engine/kernel/blueprint.h"
#include "engine/kernel/kind.h"
#include "engine/kernel/report.h"
#include "engine/scenario/diagnostic.h"

#include <stdbool.h>
#include <stdint.h>

enum {
    SCENARIO_POINTS_MAX = 1000000,     /* of a sweep, before `where` */
    SCENARIO_AGENTS_MAX = 1000000,     /* instances of all nodes of a point */
    SCENARIO_EXPECTATIONS_MAX = 10000, /* lines of `expect` */
};

struct scenario;

struct scenario_request {
    const char *path;        /* of the file; "-": standard input */
    const char *const *sets; /* `PATH=VALUE`, applied in this order */
    uint32_t set_count;
    bool has_seed, has_replications; /* the command line wins over the file */
    uint64_t seed;
    uint64_t replications;
    const struct kind *const *kinds; /* up to the first NULL; must outlive the scenario */
    bool sweep;                      /* true: all points; false: the document as written, one */
    bool validate; /* also warn of what is legal but odd: unused vars, inert nodes */
};

/* NULL when there are errors: all of them stand in `diagnostics`, warnings too. `diagnostics` must
 * outlive the scenario. */
struct scenario *scenario_load(const struct scenario_request *request,
                               struct diagnostics *diagnostics);

/* The same for a text in memory (tests, fuzzing); `request->path` names it. Includes are refused.
 */
struct scenario *scenario_load_text(const struct scenario_request *request, const char *text,
                                    size_t size, struct diagnostics *diagnostics);

void scenario_free(struct scenario *scenario);

/* Lives as long as the scenario. */
const struct report *scenario_report(const struct scenario *scenario);

/* The blueprint of a point (from 0, as in the report). Any number of threads may call this at once.
 * Freed with scenario_blueprint_free, before the scenario. */
struct blueprint *scenario_blueprint(const struct scenario *scenario, uint32_t point);
void scenario_blueprint_free(struct blueprint *blueprint);

/* Whether `warmup` is `auto`, and then the least it may be by the predicted load, in ns. Until
 * scenario_warmup_set the blueprints cut 10 % of the duration. */
bool scenario_warmup_auto(const struct scenario *scenario, double *floor_ns);

/* Sets what pilots found: 0 <= warmup_ns < duration. `too_short`: the run is too short for it. Not
 * while blueprints are being made. */
void scenario_warmup_set(struct scenario *scenario, int64_t warmup_ns, bool too_short);

/* 16 hexadecimal digits, equal where the runs are: for equal documents (includes and `--set` merged
 * in), whatever their layout, comments and number of replications, either played as they stand or
 * swept. */
const char *scenario_hash(const struct scenario *scenario);

/* The file's name without folder and `.yaml`; "stdin" for "-". */
const char *scenario_stem(const struct scenario *scenario);

/* The merged document as canonical YAML, for run.json. */
const char *scenario_canonical(const struct scenario *scenario);

#endif
