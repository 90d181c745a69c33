/* Reads of one key that wait for one answer: the first of them leads, all others follow it.
 *
 * Where the cache asks the store itself the leader is the read that asks. Under cache_aside it is a
 * lease: a call of the cache's own which stands for the caller that was told to fetch the value. A
 * lease ends when a copy is brought, by whomever; after `lease` the earliest of those who wait is
 * sent to fetch it in turn (Nishtala et al., NSDI 2013).
 *
 * Invariant: `flights` of the cache names for each key and holder its one leader; followers stand
 * in a list behind it, the latest first. */
#ifndef ORRERY_MODELS_CACHE_FLIGHT_H
#define ORRERY_MODELS_CACHE_FLIGHT_H

#include "models/cache_copies.h"

/* True where somebody asks for this key already: `c` waits from now on, and is woken at stage LED
 * with the outcome in its frame. */
bool cache_flight_joins(struct agent *agent, struct call *c, uint64_t holder);

/* Whether somebody asks for the key of `c`. */
bool cache_flight_is_on(const struct agent *agent, const struct call *c, uint64_t holder);

/* `c` asks for its key from now on, and nobody has before. */
void cache_flight_leads(struct agent *agent, struct call *c, uint64_t holder);

/* What `leader` has asked for is known: all who wait are woken at this instant, by an event each,
 * in order of arrival. Does nothing to a call that leads nobody. */
void cache_flight_lands(struct agent *agent, struct call *leader, enum status status);

/* A follower waits no more. */
void cache_flight_leaves(struct agent *agent, struct call *c);

/* The caller of `c` is told to fetch the value. */
void cache_flight_lease(struct agent *agent, const struct call *c, uint64_t holder);

/* A copy of the key of `c` was brought: its lease, if there is one, is over. */
void cache_flight_brought(struct agent *agent, const struct call *c, uint64_t holder);

/* The time of a lease is over. */
void cache_flight_expires(struct agent *agent, struct call *lease);

#endif
