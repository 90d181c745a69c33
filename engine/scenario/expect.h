/* `expect`: TERM CMP TERM [+- d] [PHASE] [when CONDITION], into what the judge reads. A phase
 * behind the left term is that term's own; one at the end is that of every term that has none.
 *
 *     users.latency.p99 at design=queued < 0.5 * users.latency.p99 at design=straight
 *     web.utilization ~ 0.8 +- 0.01
 *     web[buy].errors.ratio < 1% when policy == power_of_two
 *     users.availability > 99% within 5s after crash
 *     users.latency.p99 during crash < 2 * users.latency.p99 until crash
 *     store.recovery_time.max < detect + 3s          `detect` is swept: its value at each point */
#ifndef ORRERY_SCENARIO_EXPECT_H
#define ORRERY_SCENARIO_EXPECT_H

#include "engine/kernel/blueprint.h"
#include "engine/kernel/phase.h"
#include "engine/kernel/report.h"
#include "engine/scenario/sweep.h"

struct expect_line;

/* A phase that some line names, whatever the point. */
struct expect_phase {
    enum phase_kind kind;
    const char *fault;
    int64_t delay_ns; /* of `within` */
};

struct expect_list {
    struct document *base;
    struct expect_line *lines;
    uint32_t count;
    struct expect_phase *phases; /* all different; window 1 + index of the recorder */
    uint32_t phase_count;
    bool spans; /* some line names a metric of spans of time; after expect_check */
};

/* Reads the form of every line and finds the points it speaks of. Errors are told. */
void expect_read(struct expect_list *list, struct document *base, const struct sweep *sweep);

/* Checks every term that speaks of this point against its nodes, operations and metrics, and fills
 * in default statistics and units. Call it for every point. */
void expect_check(struct expect_list *list, uint32_t point, const struct blueprint *blueprint);

/* The phases of all lines at a point, [phase_count], in `arena`. After expect_read. */
struct phase *expect_phases(const struct expect_list *list, struct arena *arena,
                            const struct blueprint *blueprint);

/* The finished expectations, after expect_check for every point. */
const struct expectation *expect_finish(struct expect_list *list, uint32_t *count);

/* Receives a percentile that a line names (`p99.9`). `instance`: whose own is meant, from 1; 0: the
 * whole node's. `node` has the instance behind it: "web.1". */
typedef void expect_visit(void *context, const struct node *at, const char *percentile,
                          const char *node, uint32_t instance);

void expect_percentiles(const struct expect_list *list, expect_visit *visit, void *context);

/* A percentile's exact fraction: p99.9 is 999/1000. False when the text is none. */
bool expect_percentile(struct arena *arena, const char *text, struct percentile *percentile);

#endif
