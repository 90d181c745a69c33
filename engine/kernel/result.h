/* The outcome of one run, one (point, replication): lossless, all integers, apart from everything
 * that made it. Taken from a recorder, written to a part file and read back, merged by estimators.
 *
 * A cell is one metric of one node (its instances pooled, or one of several), of one operation (or
 * all of them), in one window. Every value is a quotient of two integers:
 *
 *     type       numerator                denominator
 *     TOTAL      events                   1
 *     RATE       events                   length of the window, ns
 *     RATIO      counted metric           counted metric
 *     DURATION   sum of observations, ns  observations; and their histogram
 *     LEVEL      integral, ns             length of the window, ns; and ns by value
 *     SHARE      integral, ns             integral, ns
 *     SPAN       time it lasted, ns       1
 *     EVENT      when it came to pass, ns 1; 0 in a run that tells nothing of it
 *
 * Metrics whose names begin with '.' have no cells; `.unfinished` stands in the cells of `latency`
 * of the same table, as `missing`. */
#ifndef ORRERY_KERNEL_RESULT_H
#define ORRERY_KERNEL_RESULT_H

#include "engine/kernel/record.h"
#include "engine/kernel/sparse.h"

#include <stdbool.h>
#include <stdint.h>

enum { RESULT_POOLED = 0, RESULT_ALL = 0 };

/* Where a cell stands; the order of cells compares the members from the first to the last. */
struct result_key {
    uint32_t window;
    uint32_t node;      /* index into the result's nodes */
    uint32_t instance;  /* RESULT_POOLED, or 1 .. of a node that has several */
    uint32_t operation; /* RESULT_ALL, or 1 + the index of the operation */
    uint32_t metric;    /* 256 x the index of the node's table + the index in the table */
};

struct result_cell {
    struct result_key key;
    const char *name, *unit;
    enum metric_type type;
    wide numerator, denominator;
    int64_t min, max; /* DURATION: of the observations; LEVEL: max; 0 where there is none */
    uint64_t missing; /* `latency`: observed operations that never ended; EVENT: 1 where it never
                         came to pass */
    bool has_histogram;
    struct sparse histogram;
};

/* One metric of a node or instance over the intervals of the duration, operations pooled. */
struct result_course {
    struct result_key key;
    const char *name, *unit;
    enum metric_type type;
    const wide *numerator, *denominator; /* [intervals]; RATE, LEVEL: denominator in ns */
    const double *p50, *p99; /* [intervals] of `latency`, ns; NaN where empty; or NULL */
};

/* A fault of the scenario, and one time it struck. */
struct result_fault {
    const char *name, *action, *amount; /* amount: "" where there is none */
};
struct result_strike {
    uint32_t fault;     /* index into the result's faults */
    const char *target; /* who was hit: "web.2" */
    int64_t begin, end; /* ns; no later than the end of the run */
};

struct result_node {
    const char *name;
    uint32_t instances;
};

/* What a run comes to beside its records. */
struct result_totals {
    uint64_t events, fingerprint;
    uint64_t live_max;   /* most calls alive at once */
    uint64_t unfinished; /* observed operations that had not ended after the drain */
    int64_t end_ns;      /* the clock when it stopped */
};

struct result_run {
    uint64_t seed;
    uint32_t replication;          /* from 1, as it is printed */
    const char *const *operations; /* [operation_count of the recorder] */
    struct result_totals totals;
    bool diverged;       /* it stopped before its end: totals.end_ns says where */
    const char *message; /* why it diverged, or NULL */
    const struct result_fault *faults;
    uint32_t fault_count;
    const struct result_strike *strikes;
    uint32_t strike_count;
    /* Rows of CSV that lack point and replication, or NULL: history.csv, leaders.csv. */
    const char *history, *leaders;
};

struct result {
    struct arena arena; /* of everything below; private */
    uint64_t seed;
    uint32_t replication;
    struct result_totals totals;
    bool diverged;
    const char *message;              /* "" where there is none */
    const struct window_set *windows; /* [0] is W, the others phases; drawn in to where it ended */
    uint32_t window_count;
    const struct result_node *nodes; /* in order of the recorder */
    uint32_t node_count;
    const char *const *operations;
    uint32_t operation_count;
    const struct result_cell *cells; /* ascending by key */
    uint32_t cell_count;
    int64_t series_interval;             /* ns; 0: no series */
    uint32_t interval_count;             /* of the part of the duration that was reached */
    int64_t series_end;                  /* ns: the end of the last interval */
    const struct result_course *courses; /* ascending by key */
    uint32_t course_count;
    const struct result_fault *faults;
    uint32_t fault_count;
    const struct result_strike *strikes; /* by begin, then in order of the faults */
    uint32_t strike_count;
    const char *history, *leaders; /* as in struct result_run; "" where there is none */
};

/* Takes the result of a run and closes its recorder. Everything is copied: recorder and run may go.
 * Cells of single operations exist where there are several operations and the node saw this one. */
struct result *recorder_result(struct recorder *recorder, const struct result_run *run);
void result_free(struct result *result);

/* -1, 0, 1 in the order of cells. */
int result_compare(const struct result_key *a, const struct result_key *b);

/* The cell of a key; NULL where there is none. */
const struct result_cell *result_find(const struct result *result, const struct result_key *key);

/* "web", or "web.2" for an instance of a node with several; in `arena`. */
const char *result_label(struct arena *arena, const struct result_node *node, uint32_t instance);

#endif
