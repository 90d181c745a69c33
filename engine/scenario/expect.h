/* `expect`: TERM CMP TERM [+- d] [when CONDITION], into what the judge reads.
 *
 *     users.latency.p99 at design=queued < 0.5 * users.latency.p99 at design=straight
 *     web.utilization ~ 0.8 +- 0.01
 *     web[buy].errors.ratio < 1% when policy == power_of_two */
#ifndef ORRERY_SCENARIO_EXPECT_H
#define ORRERY_SCENARIO_EXPECT_H

#include "engine/kernel/blueprint.h"
#include "engine/kernel/report.h"
#include "engine/scenario/sweep.h"

struct expect_line;

struct expect_list {
    struct document *base;
    struct expect_line *lines;
    uint32_t count;
};

/* Reads the form of every line and finds the points it speaks of. Errors are told. */
void expect_read(struct expect_list *list, struct document *base, const struct sweep *sweep);

/* Checks every term that speaks of this point against its nodes, operations and metrics, and fills
 * in default statistics and units. Call it for every point. */
void expect_check(struct expect_list *list, uint32_t point, const struct blueprint *blueprint);

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
