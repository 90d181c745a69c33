/* Distributions without a variance: the means of whatever depends on them converge slowly, and
 * their intervals hold less often than they say. */
#ifndef ORRERY_SCENARIO_HEAVY_H
#define ORRERY_SCENARIO_HEAVY_H

#include "engine/scenario/point.h"

struct heavy {
    bool listed;       /* `validate` prints and judges it with its node or link */
    const char *what;  /* "`time` of `web`", in the arena of the point */
    struct spot place; /* where it is written, or the node's name */
};

/* The first distribution of infinite variance of a point, in order of nodes, links, faults: times
 * of nodes that a client reaches, gaps between batches, sizes where a link has a bandwidth,
 * latencies of links. Limits, which may be `none`, lengthen nothing and are left out. False where
 * there is none. `point` must have been built without an error. */
bool heavy_find(struct point *point, struct heavy *found);

#endif
