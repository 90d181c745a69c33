/* Plays one system of the validation: loads its scenario, runs the replications on threads, keeps
 * their results, and what observers have seen that no CSV shows. */
#ifndef ORRERY_TESTS_VALIDATION_PLAY_H
#define ORRERY_TESTS_VALIDATION_PLAY_H

#include "engine/kernel/result.h"
#include "engine/kernel/simulation.h"
#include "engine/scenario/scenario.h"

enum { ROWS_MAX = 16, SETS_MAX = 8 };

/* What one replication adds to a row: the estimate is the quotient of the sums. */
struct quotient {
    double numerator, denominator;
};

/* Measures what no CSV shows. `size` zeroed bytes for each replication are the observer's context;
 * `end` fills one quotient for every row, from the context or from the result. The functions of the
 * observer may be NULL. */
struct measure {
    size_t size;
    void (*arrive)(void *context, const struct agent *at, const struct call *call);
    void (*leave)(void *context, const struct agent *at, const struct call *call);
    void (*serve)(void *context, const struct agent *at, const struct call *call, int64_t work_ns);
    void (*end)(void *context, const struct result *result, struct quotient *rows);
};

struct play_request {
    const char *path;        /* of the scenario */
    const char *const *sets; /* up to the first NULL */
    uint64_t seed;
    uint32_t replications, jobs;
    const struct measure *measure; /* or NULL */
};

struct played {
    struct scenario *scenario;
    const struct report *report;
    struct result **results; /* [replications] */
    struct quotient *own;    /* [replications][ROWS_MAX], where measured */
    uint32_t replications;
    uint64_t events;
    double requests; /* operations observed, over all clients and replications */
};

/* Ends the program with the diagnostics where the scenario is wrong or a run diverges. */
struct played *play(const struct play_request *request);
void played_free(struct played *played);

/* The cell of a metric in W; node "desk", or "desk.2" for one instance; operation NULL: all. NULL
 * where there is none. */
const struct result_cell *played_cell(const struct result *result, const char *node,
                                      const char *operation, const char *metric);
/* Where a ratio and the count it is made of share a name, the count; else the same. */
const struct result_cell *played_count(const struct result *result, const char *node,
                                       const char *operation, const char *metric);

/* The mean of a cell, in ns, plain numbers or per second. */
double played_mean(const struct result *result, const char *node, const char *operation,
                   const char *metric);

#endif
