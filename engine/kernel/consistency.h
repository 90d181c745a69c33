/* What is measured of the data of a store: the names, the formulas (CONSISTENCY in README's
 * tables), and where they are recorded. Whoever judges a run (a probe) finds a store's records by
 * consistency_record. */
#ifndef ORRERY_KERNEL_CONSISTENCY_H
#define ORRERY_KERNEL_CONSISTENCY_H

#include "engine/kernel/simulation.h"

enum consistency_metric {
    CONSISTENCY_READS, /* hidden: ok reads */
    CONSISTENCY_STALE,
    CONSISTENCY_STALE_COUNT,
    CONSISTENCY_STALE_REALTIME,
    CONSISTENCY_STALE_REALTIME_COUNT,
    CONSISTENCY_STALENESS,
    CONSISTENCY_OWN_READS, /* hidden: reads of a session that has written the key */
    CONSISTENCY_READ_YOUR_WRITES,
    CONSISTENCY_READ_YOUR_WRITES_COUNT,
    CONSISTENCY_READ_YOUR_WRITES_REALTIME,
    CONSISTENCY_READ_YOUR_WRITES_REALTIME_COUNT,
    CONSISTENCY_AGAIN_READS, /* hidden: reads of a session that has read the key */
    CONSISTENCY_MONOTONIC_READS,
    CONSISTENCY_MONOTONIC_READS_COUNT,
    CONSISTENCY_MONOTONIC_READS_REALTIME,
    CONSISTENCY_MONOTONIC_READS_REALTIME_COUNT,
    CONSISTENCY_ABORTED_READS,
    CONSISTENCY_ROLLED_BACK_READS,
    CONSISTENCY_PHANTOM_READS,
    CONSISTENCY_WRITES, /* hidden: acknowledged writes */
    CONSISTENCY_LOST,
    CONSISTENCY_LOST_COUNT,
    CONSISTENCY_UNKNOWN, /* hidden: writes that ended as info */
    CONSISTENCY_RECOVERED,
    CONSISTENCY_RECOVERED_COUNT,
    CONSISTENCY_OVERWRITTEN_CONCURRENT,
    CONSISTENCY_OVERWRITTEN_LATER,
    CONSISTENCY_CONFLICTS,
    CONSISTENCY_SIBLINGS,
    CONSISTENCY_LOST_UPDATES,
    CONSISTENCY_ELECTIONS,
    CONSISTENCY_FALSE_FAILOVERS,
    CONSISTENCY_FALSE_FAILOVERS_COUNT,
    CONSISTENCY_DUAL_LEADER,
    CONSISTENCY_SPLIT_BRAIN_WRITES,
    CONSISTENCY_DETECTION,
    CONSISTENCY_RECOVERY,
    CONSISTENCY_VISIBILITY,
    CONSISTENCY_METRICS,
};
extern const struct metric_table consistency_metrics;

/* The record of an agent whose kind keeps consistency_metrics, or NULL. */
struct record *consistency_record(const struct agent *agent);

#endif
