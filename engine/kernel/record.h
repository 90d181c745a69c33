/* Recorders: what a run writes down while it runs, as integers, in windows of virtual time.
 *
 * A recorder belongs to one simulation. Each agent has one `record` for every metric table of its
 * kind. Windows: window 0 is W = [warm-up, duration); further ones are phases (before, during,
 * after a fault), each a set of stretches of time. An event belongs to a window by an instant its
 * caller names: `now` for flows, the intended start for operations, the arrival for visits. Levels
 * are integrals of a whole number over a window. With a series interval every metric is also kept
 * per interval of [0, duration), pooled over operations.
 *
 * Owner: the simulation's recorder owns all memory; agents hold pointers into it. */
#ifndef ORRERY_KERNEL_RECORD_H
#define ORRERY_KERNEL_RECORD_H

#include "engine/kernel/check.h"
#include "engine/kernel/histogram.h"
#include "engine/kernel/metric.h"
#include "engine/kernel/window.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef __int128 wide; /* sums of nanoseconds times counts */

struct moments {
    uint64_t count;
    wide sum;
    int64_t min, max; /* while count is 0: of a tally INT64_MAX and -1, else of no meaning */
};

/* One duration metric of one agent and operation, in one window. */
struct tally {
    struct moments moments;      /* of this agent */
    struct histogram *histogram; /* shared by the node's instances; never NULL */
    struct histogram *own; /* of this agent alone, where its percentiles are asked for; or NULL */
};

enum { LEVEL_DWELLS = 64 };

/* One level: of an agent, or pooled over a node's instances. It moves with every event, so a move
 * only adds the time that has passed to the `dwell` of the value it leaves; integral, maximum and
 * histogram take it from there when somebody asks (level_close). */
struct level {
    int64_t value;
    int64_t since;                /* ns of the last change or edge */
    struct level *pooled;         /* the node's level that moves with this one, or NULL */
    uint64_t dwell[LEVEL_DWELLS]; /* ns at each small value that are not yet accounted for */
    wide integral;                /* ns x value from time 0 to `since`, without the dwells */
    int64_t max;                  /* over states of positive duration in window 0 */
    struct histogram *histogram; /* ns by value, from the begin of window 0 to its end, else NULL */
    struct histogram *kept;      /* the same histogram, also when it no longer moves */
    wide *at_edge;               /* integral at every edge of the recorder, in order of time */
    struct level_phases *phases; /* the histogram again, by window; NULL: there is only W */
};

struct record;
struct series;
struct recorder_store;
struct level_phases;

struct recorder {
    const int64_t *now;               /* the simulation's clock */
    const struct window_set *windows; /* [0] is W, in one part */
    uint32_t window_count;            /* >= 1 */
    uint32_t operation_count;         /* >= 1 */
    int64_t series_interval;          /* ns; 0: no series */
    int64_t series_end;               /* ns: the duration */
    bool measuring;                   /* inside window 0: levels fill their histograms */
    bool spans;                       /* SPAN metrics are kept; else they have no cells */
    struct recorder_store *store;
};

/* One node and table over the intervals of [0, duration), pooled over operations and instances;
 * what a metric has no use for is NULL. Levels are told by their integrals at the edges. */
struct series {
    uint64_t **counts;              /* [metric][interval], by the instant an event belongs to */
    struct moments **moments;       /* [metric][interval], of durations */
    struct histogram ***histograms; /* [metric][interval], of `latency` alone; NULL while empty */
};

/* All of one table at one agent. What every event reads stands first, in one cache line. */
struct record {
    int64_t begin;         /* of window 0 */
    uint64_t length;       /* of window 0; 0 where there are further windows or series */
    const int64_t *now;    /* the recorder's */
    uint64_t *counts;      /* [window][operation][metric], of TOTAL and RATE metrics */
    struct tally *tallies; /* the same, of DURATION metrics */
    struct level **levels; /* [metric], of LEVEL metrics; NULL elsewhere */
    uint32_t metric_count; /* of the table */
    bool percentiles;      /* of this instance alone are kept too */
    struct series *series; /* of the node, or NULL */
    const struct metric_table *table;
    struct recorder *recorder;
    struct level **pooled; /* the group's */
    uint64_t hidden;       /* by metric: of no meaning at this instance, so not reported */
};

/* Leaves a metric of this instance out of the results, where it could say nothing. */
static inline void record_hide(struct record *r, uint32_t metric)
{
    r->hidden |= UINT64_C(1) << metric;
}

/* What one event writes down at one instant for one operation: the windows are looked up once for
 * all of its counts and durations.
 *
 *     struct entry e = record_at(r, operation, at_ns);
 *     entry_count(&e, VISITS, 1);
 *     entry_duration(&e, WAIT, wait_ns);
 */
struct entry {
    struct record *record;
    uint64_t *counts;      /* [metric], of window 0 and the operation */
    struct tally *tallies; /* likewise */
    int64_t at_ns;
    uint32_t operation;
    bool plain; /* inside of the only window: the two arrays are all there is to it */
};

static inline struct entry record_at(struct record *r, uint32_t operation, int64_t at_ns)
{
    size_t first = (size_t)operation * r->metric_count;
    return (struct entry){
        .record = r,
        .counts = r->counts + first,
        .tallies = r->tallies + first,
        .at_ns = at_ns,
        .operation = operation,
        .plain = (uint64_t)(at_ns - r->begin) < r->length,
    };
}

/* The slow ways: outside of the window, every window and the series. (They take no pointer to an
 * entry, so that entries stay in registers.) */
void record_count_slow(struct record *r, uint32_t metric, uint32_t operation, int64_t at_ns,
                       uint64_t amount);
void record_duration_slow(struct record *r, uint32_t metric, uint32_t operation, int64_t at_ns,
                          int64_t value);

static inline void tally_add(struct tally *t, int64_t value)
{
    struct moments *m = &t->moments;
    if (UNLIKELY(value < m->min))
        m->min = value;
    if (UNLIKELY(value > m->max))
        m->max = value;
    m->count++;
    m->sum += (wide)(uint64_t)value;
    histogram_add(t->histogram, value);
    if (UNLIKELY(t->own))
        histogram_add(t->own, value);
}

/* Counts `amount` events of a metric. */
static inline void entry_count(const struct entry *e, uint32_t metric, uint64_t amount)
{
    if (LIKELY(e->plain))
        e->counts[metric] += amount;
    else
        record_count_slow(e->record, metric, e->operation, e->at_ns, amount);
}

/* Adds one observation of a duration metric, >= 0. */
static inline void entry_duration(const struct entry *e, uint32_t metric, int64_t value)
{
    if (LIKELY(e->plain))
        tally_add(&e->tallies[metric], value);
    else
        record_duration_slow(e->record, metric, e->operation, e->at_ns, value);
}

/* The same for events that write down one thing only. */
static inline void record_count(struct record *r, uint32_t metric, uint32_t operation,
                                int64_t at_ns, uint64_t amount)
{
    struct entry e = record_at(r, operation, at_ns);
    entry_count(&e, metric, amount);
}
static inline void record_duration(struct record *r, uint32_t metric, uint32_t operation,
                                   int64_t at_ns, int64_t value)
{
    struct entry e = record_at(r, operation, at_ns);
    entry_duration(&e, metric, value);
}

/* Accounts for `spent` ns at a value; for the functions below only. */
void level_account(struct level *l, int64_t value, uint64_t spent);

/* Ends the time at the present value at `now_ns`. */
static inline void level_touch(struct level *l, int64_t now_ns)
{
    uint64_t spent = (uint64_t)(now_ns - l->since);
    uint64_t value = (uint64_t)l->value;
    l->since = now_ns;
    if (LIKELY(value < LEVEL_DWELLS))
        l->dwell[value] += spent;
    else
        level_account(l, l->value, spent);
}

/* Ends the time at the present value at `now_ns` and accounts for all that has passed: integral,
 * maximum and histogram are true then. */
void level_close(struct level *l, int64_t now_ns);

/* Moves a level by `change`, and the node's pooled level with it. A level never falls below 0. */
static inline void level_move(struct level *l, int64_t now_ns, int64_t change)
{
    do {
        level_touch(l, now_ns);
        l->value += change;
        l = l->pooled;
    } while (UNLIKELY(l != 0));
}

static inline void record_level(struct record *r, uint32_t metric, int64_t change)
{
    level_move(r->levels[metric], *r->now, change);
}

/* Moves a level to `value`. */
static inline void record_level_to(struct record *r, uint32_t metric, int64_t value)
{
    int64_t change = value - r->levels[metric]->value;
    if (change)
        record_level(r, metric, change);
}

/* Says before any event that a level is always equal to another one of the same record, which is
 * from now on the only one to be moved. */
void record_level_equal(struct record *r, uint32_t metric, uint32_t other);

/* What a recorder is made from. Windows: [0] is W; phases follow them. The arrays are copied. */
struct recorder_plan {
    const struct window *windows;
    uint32_t window_count;
    uint32_t operation_count;
    int64_t series_interval, series_end; /* ns; interval 0: no series */
    const struct window_set *phases;
    uint32_t phase_count;
    bool spans; /* keep SPAN metrics too */
};

/* `now` is the clock the recorder reads; it must outlive the recorder. */
struct recorder *recorder_create(const struct recorder_plan *plan, const int64_t *now);
void recorder_free(struct recorder *recorder);

/* One table of one node: the records of its instances and what they share. Read by whoever takes
 * the result of a run; in the order in which nodes and tables were added. */
struct record_group {
    struct record_group *next;
    const char *node;
    const struct metric_table *table;
    uint32_t instances;
    struct record **records; /* [instances] */
    struct level **pooled;   /* [metric]: sums over the instances; NULL where there is one */
    struct series *series;   /* or NULL */
    bool aside;              /* of no node: in window 0 alone, without series */
};
struct record_group *recorder_groups(const struct recorder *recorder);

/* One table of one agent. Instances of a node come one after another, from 1 to `instances`; all
 * of them share the node's histograms, and with several of them every level also moves the node's
 * pooled one. `percentiles_of_instance`: keep this instance's own histograms too. */
struct record *recorder_add(struct recorder *recorder, const char *node, uint32_t instance,
                            uint32_t instances, const struct metric_table *table,
                            bool percentiles_of_instance);

/* The same for what is no node, such as a fault: one instance, window 0 alone and no series. */
struct record *recorder_add_aside(struct recorder *recorder, const char *name,
                                  const struct metric_table *table);

/* A stretch of time in which something lasted: its parts in every window and interval are added to
 * a SPAN metric. Stretches of one record and metric must not overlap. */
void record_span(struct record *r, uint32_t metric, struct window span);

/* An EVENT metric, once a run: how long it took (ns, >= 0), or RECORD_NEVER. Without a call the run
 * tells nothing of it. */
#define RECORD_NEVER INT64_MAX
void record_event(struct record *r, uint32_t metric, int64_t value);

/* The next instant (ns) at which recorder_edge wants to be called, before anything else happens at
 * that instant: window borders and series intervals. INT64_MAX: none. */
int64_t recorder_next_edge(const struct recorder *recorder);
void recorder_edge(struct recorder *recorder);

/* Ends the recording at `at_ns`, which no event comes after: edges up to there take place, later
 * ones are drawn in to it. A whole run ends at its duration or later, a stopped one where it
 * stopped. */
void recorder_close(struct recorder *recorder, int64_t at_ns);

/* What is left of a window of time after closing: its end drawn in to where the recording ended. */
struct window recorder_clip(const struct recorder *recorder, struct window w);
struct window_set recorder_clip_set(const struct recorder *recorder, struct arena *arena,
                                    const struct window_set *set);

/* The integral of a level (ns x value) over a window of the recorder or an interval of its series.
 * After recorder_close. */
wide level_between(const struct recorder *recorder, const struct level *level, struct window w);

/* The same over a window by its index; its histogram, which `sparse_of` may put in order, and the
 * largest value of positive duration in it. */
wide level_over(const struct recorder *recorder, const struct level *level, uint32_t window);
struct histogram *level_histogram(const struct level *level, uint32_t window);
int64_t level_max(const struct level *level, uint32_t window);

/* One interval of a series: [index x interval, + interval), the last one drawn in to the duration.
 */
struct window series_window(const struct recorder *recorder, uint32_t index);
uint32_t series_length(const struct recorder *recorder); /* intervals; 0: no series */

#endif
