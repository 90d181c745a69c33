/* What a kind of node measures, as a table. From it come the recorders, the names in the CSV files
 * and the pages of `orrery models`. The definitions themselves stand in the `summary` texts. */
#ifndef ORRERY_KERNEL_METRIC_H
#define ORRERY_KERNEL_METRIC_H

#include <stdbool.h>
#include <stdint.h>

enum metric_type {
    METRIC_TOTAL, /* events counted, per operation; statistic `total` (per replication) */
    METRIC_RATE,  /* events counted, per operation; statistic `rate` (per second of the window) */
    METRIC_RATIO, /* numerator / denominator: two counted metrics of the same table; `ratio` */
    METRIC_DURATION, /* observations per operation, in 1e-9 of `unit`'s base: `mean`, `p50` .. */
    METRIC_LEVEL, /* a whole number over time, per agent: time-weighted `mean`, `p50` .., `max` */
    METRIC_SHARE, /* integral of one level or span / integral of another, of the same table; `mean`
                   */
    METRIC_PART,  /* of an instance: its part of its node's count; `ratio` */
    METRIC_IMBALANCE, /* over instances: highest rate over the mean rate of a counted metric, each
                         while a level of the same table stood at 1; `mean` */
    METRIC_VARIATION, /* over instances: coefficient of variation of these rates; `mean` */
    METRIC_SPAN,      /* time in which something lasted, per agent; `total` (per replication) */
    METRIC_COST,      /* integral of the level `numerator` in 1e-9 of the unit an hour; `total` */
    METRIC_EVENT, /* when something came to pass, at most once a replication; `p50` of all of them,
                     where those in which it never did count as infinite; `runs_with`, `mean` .. */
    METRIC_NONE,  /* 1 in a replication in which a counted metric of the same table (numerator)
                     stayed at 0, else 0; `ratio` */
};

enum { METRIC_TYPES = METRIC_NONE + 1 };

/* Units as they stand in the CSV. Recorded values are integers: nanoseconds for "ms", 1e-9 for
 * "1" observations; counts and levels are plain. */
struct metric {
    const char *name; /* the CSV name; a name that begins with '.' is kept but not printed */
    const char *unit; /* "ms", "1", "/s" */
    enum metric_type type;
    uint8_t
        numerator; /* RATIO, SHARE and below: index in the same table. TOTAL, RATE: 0, or 1 + index
                      of the metric that counts the same events, which alone is recorded */
    uint8_t denominator; /* RATIO, SHARE and below: index in the same table, but for PART */
    const char *summary; /* one sentence: the definition, with the population it is taken over */
    const char *when; /* printed only where the node uses one of these keys of its own, separated by
                         spaces; behind a `*` any node's key. `key=word`: where it is this word.
                         NULL: always */
    bool of_node;     /* told of the node alone, whichever instance has written it down */
};

struct metric_table {
    const struct metric *metrics;
    uint32_t count;
};

/* The metric whose counts or observations are those of `metric`: mostly itself. */
static inline uint32_t metric_counted(const struct metric_table *table, uint32_t metric)
{
    const struct metric *m = &table->metrics[metric];
    bool refers = (m->type == METRIC_TOTAL || m->type == METRIC_RATE) && m->numerator;
    return refers ? m->numerator - 1u : metric;
}

/* Whether a metric is one of spans of time, which are kept only where somebody asks for them. */
static inline bool metric_of_spans(const struct metric_table *table, uint32_t metric)
{
    const struct metric *m = &table->metrics[metric];
    if (m->type == METRIC_SHARE)
        m = &table->metrics[m->numerator];
    return m->type == METRIC_SPAN;
}

#endif
