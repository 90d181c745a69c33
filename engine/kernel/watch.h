/* What clients feel of faults, kept where a scenario has faults or asks for it: when they were
 * served and when not, and what every fault did to them. A kind of client puts `watch_metrics` into
 * its tables and tells of its operations here; of groups that have them the consistency judge
 * tells, as of the first member, and faults leave them out; faults have `fault_metrics`, under
 * their own names.
 *
 * Unavailable is a client from the intended start of an operation that is not ok to the next ok
 * answer it gets, whichever operation that belongs to; `unavailable_time` is the length of the
 * union. Memory: one item for every time between two ok answers in which an operation began that
 * has not ended, and one bit of every WATCH_BIN_NS of the duration. */
#ifndef ORRERY_KERNEL_WATCH_H
#define ORRERY_KERNEL_WATCH_H

#include "engine/kernel/metric.h"

#include <stdbool.h>
#include <stdint.h>

struct agent;
struct simulation;
struct watch;

/* The bins of `available_time`, from time 0 on. */
#define WATCH_BIN_NS INT64_C(100000000)

enum watch_metric {
    WATCH_UNAVAILABLE,
    WATCH_USED, /* hidden: bins in which an operation began */
    WATCH_OK,   /* hidden: those in which one began that was ok */
    WATCH_AVAILABLE,
    WATCH_METRICS,
};
extern const struct metric_table watch_metrics;

enum fault_metric {
    FAULT_OPERATIONS, /* hidden */
    FAULT_FAILED,     /* hidden */
    FAULT_ERRORS,
    FAULT_UNAVAILABLE,
    FAULT_RECOVERY,
    FAULT_METRICS,
};
extern const struct metric_table fault_metrics;

/* Of a simulation whose agents and strikes are there. */
struct watch *watch_create(struct simulation *s);
void watch_free(struct watch *watch);

/* An operation begins, now; its client keeps the number until the end. */
uint32_t watch_begin(struct watch *watch, const struct agent *client, int64_t intended_ns);

/* It ends, now, or with the run. */
void watch_end(struct watch *watch, const struct agent *client, uint32_t number, uint32_t operation,
               bool ok, int64_t intended_ns);

/* Every operation has ended: writes down what came of them. Once, before the results are taken. */
void watch_finish(struct watch *watch);

#endif
