/* `warmup: auto`: finds by pilots how much of a run is to be cut.
 *
 *   pilots (5 of each point) -> mean course of each client's latency and of each node's number
 * inside
 *   -> MSER -> the largest cut of all, never below the floor of the predicted load
 *
 * One cut for all replications and all points, so that points stay paired. (Cut by cut of single
 * runs, MSER keeps the quiet stretch of each and biases means more than no cut at all.) */
#ifndef ORRERY_EXPERIMENT_WARMUP_H
#define ORRERY_EXPERIMENT_WARMUP_H

#include "engine/experiment/experiment.h"

enum { WARMUP_PILOTS = 5 };

struct warmup {
    int64_t
        cut_ns; /* whole intervals of duration / EXPERIMENT_PILOT_INTERVALS, at most half of it */
    bool too_short;                   /* more than half of the run would have to go */
    struct experiment_outcome pilots; /* stopped or diverged: nothing was found */
};

/* Plays the pilots with `jobs`, `watcher` and `stop` of `experiment`; the rest of it is not looked
 * at. The scenario must have `warmup: auto`. */
void warmup_find(const struct experiment *experiment, struct warmup *found);

/* The cut of one course: the number d of leading values, at most count / 2, that minimises
 * sum over i >= d of (y_i - mean)^2 / (count - d)^2, the mean taken over the same values (White,
 * 1997: MSER); the least d of equals. 0 where count < 2. */
uint32_t warmup_mser(const double *values, uint32_t count);

#endif
