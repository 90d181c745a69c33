/* What a station does not work on though it could let it wait: requests past their deadline, and
 * those it sheds under overload. Inside of the station; nothing of it is asked where neither a
 * deadline nor `shed` is used (station.watchful). */
#ifndef ORRERY_MODELS_PARTS_SHED_H
#define ORRERY_MODELS_PARTS_SHED_H

#include "models/parts/station.h"

enum shed_policy { SHED_NONE, SHED_QUEUE, SHED_CODEL, SHED_PRIORITY };

/* Why a call leaves without having been worked on; kept in the `place` of its visit. */
enum shed_cause { SHED_LATE = 1, SHED_SHED };

extern const struct field_word shed_words[];

/* Whether the station has to ask at all. */
bool shed_watches(const struct station *station);

/* Whether the deadline of the call has come. */
static inline bool shed_is_late(const struct station *station, const struct call *call)
{
    return call->deadline_ns && *station->now >= call->deadline_ns;
}

/* How many may wait where nobody that waits can be turned away. */
static inline uint64_t shed_bound(const struct station *station)
{
    bool bounds = station->config->shed == SHED_QUEUE || station->config->shed == SHED_PRIORITY;
    return bounds ? station->config->shed_places : COUNT_UNLIMITED;
}

/* Whether a newcomer that has to wait is turned away. *victim: one that waits and has to go instead
 * of it, or NULL. */
bool shed_refuses(const struct station *station, const struct call *call, struct call **victim);

/* Whether one that has just been taken from the queue is not worked on, and why; 0: it is. */
enum shed_cause shed_drops(const struct station *station, const struct call *call);

/* One that has left the queue leaves the station too, by an event at this instant. */
void shed_drop(struct station *station, struct call *call, enum shed_cause cause);

/* The accounts of a call that leaves for that cause, and its flag: STATION_LEFT. */
enum station_outcome shed_turns_away(struct station *station, struct call *call,
                                     enum shed_cause cause);

#endif
