/* What is to be reported of a scenario: its points, the statistics asked for and the expectations.
 * Written by the loader, read by whoever derives tables, CSV files and verdicts. Plain data,
 * read-only after loading. */
#ifndef ORRERY_KERNEL_REPORT_H
#define ORRERY_KERNEL_REPORT_H

#include <stdbool.h>
#include <stdint.h>

/* A percentile as an exact fraction, so that ranks are integer arithmetic: p99.9 is 999/1000. */
struct percentile {
    const char *name; /* "p99.9" */
    uint32_t numerator, denominator;
    bool named; /* by `output` or an expectation: then instances have it too, where it is kept */
};

struct report_point {
    const char *const *values; /* [parameter_count]: each parameter's value as written */
    bool heavy;                /* something in it has an infinite variance: means converge slowly */
};

enum comparison {
    COMPARE_LESS,
    COMPARE_LESS_EQUAL,
    COMPARE_GREATER,
    COMPARE_GREATER_EQUAL,
    COMPARE_EQUAL,
    COMPARE_NOT_EQUAL,
    COMPARE_NEAR /* ~ x +- d */
};

/* One side of an expectation: `factor` x a metric, or a constant in the metric's CSV unit (ms, /s,
 * 1, B). */
struct expect_term {
    bool is_metric;
    double factor;         /* of the metric; 1 where none is written */
    double constant;       /* where it is no metric */
    const char *node;      /* "users", "web.1" */
    const char *operation; /* "all" or a name */
    const char *metric;
    const char *statistic; /* never NULL: the metric's own default is filled in */
    uint32_t window;       /* 0: W; 1 + index of a phase of the scenario */
};

/* One comparison to be judged: the terms at these points (the same unless `at` says otherwise). */
struct expect_case {
    uint32_t left_point, right_point; /* from 0 */
};

struct expectation {
    const char *text; /* as written */
    uint32_t line;
    struct expect_term left, right;
    enum comparison comparison;
    double margin; /* +- d, in the unit of the terms; 0: none */
    const struct expect_case *cases;
    uint32_t case_count; /* 0: `when` holds at no point that is played */
    bool skipped;        /* under `run`: names another point than the one that is played */
};

struct report {
    const char *name;              /* of the scenario, or its file's stem */
    const char *question;          /* or NULL */
    const char *const *parameters; /* swept, as they are written; the last varies fastest */
    uint32_t parameter_count;
    const struct report_point *points;
    uint32_t point_count; /* >= 1 */
    uint32_t replications;
    uint64_t seed;
    double confidence;                    /* 0.95: of the intervals on which `expect` is judged */
    const struct percentile *percentiles; /* the standard ones, then those asked for; ascending */
    uint32_t percentile_count;
    int64_t warmup, duration, series_interval; /* ns */
    bool faults;                               /* some point has some */
    bool history, leaders;                     /* asked for */
    bool warmup_short; /* `warmup: auto` found none that leaves half of the run */
    const struct expectation *expectations;
    uint32_t expectation_count;
};

#endif
