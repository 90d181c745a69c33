/* Processor sharing: n calls at work share min(n, slots) servers evenly. Inside of the station.
 *
 * Everyone attains work at the same rate, speed x min(n, slots) / n, so the station keeps one
 * number, the work attained since it was last idle, and each call its finish: what was attained at
 * its arrival plus its demand. The exact instants of the departures are followed in integers of
 * 2^-40 ns, each rounded down once; a call is answered at the first whole nanosecond at or after
 * its own (2^-10 ns are forgiven), but shares the servers no longer than until its own. So no
 * rounding to nanoseconds is ever handed on: each departure is exact to 1 ns, and busy periods are
 * those of any other discipline. Calls that finish together depart in order of finish, then of
 * arrival.
 *
 * Bounds: times below 2^52 ns (52 days) between two events, 2^24 calls at once. */
#ifndef ORRERY_MODELS_PARTS_SHARING_H
#define ORRERY_MODELS_PARTS_SHARING_H

#include "models/parts/station.h"

/* Moves the attained work on to now, and takes those out that have finished by now, whose work
 * events are due now. To be called before anything changes; then sharing_schedule. */
void sharing_advance(struct station *station);

/* Sets the work event of the call that finishes first. */
void sharing_schedule(struct station *station);

/* Takes a call in among those at work, with what is left of its demand, and schedules anew. */
void sharing_join(struct station *station, struct call *call);

/* Takes one out that has not finished; between sharing_advance and sharing_schedule. */
void sharing_remove(struct station *station, struct call *call);

#endif
