/* The queue before a station's slots, by discipline. Inside of the station: it counts and measures
 * nothing itself. */
#ifndef ORRERY_MODELS_PARTS_WAITING_H
#define ORRERY_MODELS_PARTS_WAITING_H

#include "models/parts/station.h"

/* The list of fifo and lifo: head is next to go, `before` is the one nearer to it. */
static inline void waiting_append(struct station *st, struct call *c)
{
    struct simulation *s = st->agent->simulation;
    uint32_t index = call_index(s, c);
    c->next = 0;
    station_visit(c)->before = st->tail;
    if (st->tail)
        call_at(s, st->tail)->next = index;
    else
        st->head = index;
    st->tail = index;
}

/* Takes the head, which there is. */
static inline struct call *waiting_shift(struct station *st)
{
    struct simulation *s = st->agent->simulation;
    struct call *c = call_at(s, st->head);
    st->head = c->next;
    if (c->next)
        station_visit(call_at(s, c->next))->before = 0;
    else
        st->tail = 0;
    return c;
}

/* Joins the queue: a newcomer, or one whose work was interrupted. */
void waiting_add(struct station *station, struct call *call);

/* Takes out whoever is next; somebody waits. */
struct call *waiting_take(struct station *station);

/* Takes out one that waits. */
void waiting_remove(struct station *station, struct call *call);

/* The rank among those at work, the first to be interrupted first: the lowest priority, or the last
 * to finish; among equals the latest to arrive. */
struct ranked waiting_serving_rank(const struct station *station, struct call *call,
                                   int64_t time_ns);

/* The priority of a call as an integer: the higher, the sooner. The bits of a double, read as an
 * integer with its sign, are in its order. */
int64_t waiting_priority(const struct station *station, const struct call *call);

#endif
