/* `warmup: auto` wants a steady state to wait for: whether a point has one, and the least time
 * after which it can be there. */
#ifndef ORRERY_SCENARIO_STEADY_H
#define ORRERY_SCENARIO_STEADY_H

#include "engine/scenario/point.h"

/* The least warm-up in ns: the larger of 10 % of the duration and 20 times the largest relaxation
 * time of the predicted load (see predict_relaxation_ns). An error at `warmup`, and 0, where there
 * is no steady state: a fault has a time of its own, the load changes with time, or is more than a
 * node can do. `point` must have
 * been built without an error. */
double steady_floor_ns(struct point *point);

#endif
