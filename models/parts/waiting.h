/* The queue before a station's slots, by discipline. Inside of the station: it counts and measures
 * nothing itself. */
#ifndef ORRERY_MODELS_PARTS_WAITING_H
#define ORRERY_MODELS_PARTS_WAITING_H

#include "models/parts/station.h"

/* Joins the queue: a newcomer, or one whose work was interrupted. */
void waiting_add(struct station *station, struct call *call);

/* Takes out whoever is next; somebody waits. */
struct call *waiting_take(struct station *station);

/* Takes out one that waits. */
void waiting_remove(struct station *station, struct call *call);

/* The priority of a call as an integer: the higher, the sooner. The bits of a double, read as an
 * integer with its sign, are in its order. */
int64_t waiting_priority(const struct station *station, const struct call *call);

#endif
