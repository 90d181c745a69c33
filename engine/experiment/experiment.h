/* An experiment: every replication of every point, each an independent run, on several threads.
 *
 *   report (points x replications) -> workers: blueprint -> simulation -> result -> sink
 *
 * A run depends on (scenario, point, seed, replication) alone, so neither the number of threads nor
 * the order in which they finish can be seen in a result. Workers take the tasks in order; whatever
 * has been handed to the sink is kept when the experiment is stopped. */
#ifndef ORRERY_EXPERIMENT_EXPERIMENT_H
#define ORRERY_EXPERIMENT_EXPERIMENT_H

#include "engine/kernel/result.h"
#include "engine/kernel/simulation.h"
#include "engine/scenario/scenario.h"

#include <stdbool.h>
#include <stdint.h>

enum {
    EXPERIMENT_JOBS_MAX = 256,
    EXPERIMENT_PILOT_INTERVALS = 200, /* of the series that pilots have */
};

/* Where results go. Both functions may be called from several threads at once, never twice for the
 * same (point, replication); both count from 0. */
struct sink {
    void *context;
    bool (*has)(void *context, uint32_t point, uint32_t replication); /* already done: skip it */
    bool (*store)(void *context, uint32_t point, uint32_t replication,
                  const struct result *result); /* false: cannot be kept; the experiment stops */
};

/* Told after every run, under a lock; `done` of `total` runs are finished or were there before. */
struct watcher {
    void *context;
    void (*progress)(void *context, uint64_t done, uint64_t total);
};

/* Sees every run: its probe is told of all that happens. All functions may be called from several
 * threads at once, for different runs. */
struct experiment_judge {
    void *(*open)(const struct blueprint *blueprint); /* NULL: this one needs no judge */
    const struct probe *(*probe)(const void *judge);
    void (*begin)(void *judge, struct simulation *s); /* before the start */
    void (*end)(void *judge); /* after simulation_close, before the results are taken */
    void (*tell)(const void *judge, struct result_run *run); /* what it adds to the result */
    void (*free)(void *judge);
};

struct experiment {
    const struct scenario *scenario;
    struct sink sink;
    struct watcher watcher; /* .progress may be NULL */
    const struct experiment_judge *judge; /* or NULL */
    uint32_t jobs;          /* threads, 1 .. EXPERIMENT_JOBS_MAX */
    /* 0, or: play this many pilots of each point instead of the replications. They have seeds that
     * no replication has, and a series of EXPERIMENT_PILOT_INTERVALS intervals. */
    uint32_t pilots;
    const volatile int *stop; /* nonzero: finish nothing more; or NULL */
};

struct experiment_outcome {
    uint64_t runs;        /* finished by this call */
    uint64_t skipped;     /* found by the sink */
    uint64_t missing;     /* not played: stopped, or the sink failed */
    uint64_t events;      /* handled by this call */
    uint64_t fingerprint; /* over the runs of this call, whatever their order */
    uint64_t diverged;    /* runs of this call that ended because the design is unstable */
    uint32_t diverged_point, diverged_replication; /* the first of them in order; from 0 */
    char divergence[256];                          /* its sentence */
    bool sink_failed;
    bool stopped; /* by `stop` */
};

/* Plays what is missing. */
void experiment_run(const struct experiment *experiment, struct experiment_outcome *outcome);

#endif
