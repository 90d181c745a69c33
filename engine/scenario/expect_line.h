/* A line of `expect` while it is being read: shared by expect.c (form, points) and metrics.c
 * (names, units). */
#ifndef ORRERY_SCENARIO_EXPECT_LINE_H
#define ORRERY_SCENARIO_EXPECT_LINE_H

#include "engine/kernel/metric.h"
#include "engine/kernel/report.h"
#include "engine/scenario/condition.h"
#include "engine/scenario/expect.h"
#include "engine/scenario/unit.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { EXPECT_AT_MAX = 16, EXPECT_LENGTH_MAX = 1000 };

/* A stretch of the line's text. */
struct expect_token {
    size_t at, length;
};

/* `design=queued` after `at`. */
struct expect_at {
    uint32_t parameter, value; /* indices of the sweep */
};

struct expect_side {
    struct expect_term term;
    struct expect_token place;       /* of the metric or of the value */
    const char *text;                /* of the metric as written */
    struct quantity quantity;        /* of a constant */
    uint32_t instance;               /* named in the address, from 1; 0: the whole node */
    struct expect_token phase_place; /* of the name of its fault */
    const struct metric *metric;     /* once it is resolved */
    bool of_spans;                   /* the metric is kept only where it is asked for */
    struct expect_at at[EXPECT_AT_MAX];
    uint32_t at_count;
};

struct expect_line {
    const struct node *scalar;
    struct expectation expectation; /* its terms are filled in from the sides at the end */
    struct expect_side left, right;
    bool has_margin;
    struct expect_token margin_place, comparison_place;
    struct quantity margin;
    const struct condition *when;
    uint32_t parameter, value; /* 1 + a swept parameter that stands for a value, and which of its
                                  values; 0: none */
    bool valueless;            /* that has none at the point that is played */
    bool failed;               /* told: no more of it */
    bool finished;             /* units are converted */
    uint8_t *speaks_of;        /* [point]: 1 the left side, 2 the right side, 3 both */
};

/* Finds the points that a line is judged at. */
void expect_cases(struct expect_list *list, struct expect_line *line, const struct sweep *sweep);

/* Splits the address of a side's metric into node, instance, operation, metric and statistic. False
 * after an error. */
bool metrics_split(struct document *base, struct expect_line *line, struct expect_side *side);

/* Resolves a side against the nodes of a point. False after an error. */
bool metrics_resolve(struct document *base, struct expect_line *line, struct expect_side *side,
                     const struct blueprint *blueprint);

/* Brings constants and margin into the unit of the metric. False after an error. */
bool metrics_units(struct document *base, struct expect_line *line);

#endif
