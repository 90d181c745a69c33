/* One question for all who wait for the same answer. */
#include "models/cache_flight.h"

#include "engine/kernel/random.h"

static uint64_t flight_of(const struct call *c, uint64_t holder)
{
    return random_mix(c->key ^ random_mix(holder));
}

bool cache_flight_is_on(const struct agent *agent, const struct call *c, uint64_t holder)
{
    const struct cache *cache = agent->durable;
    return registers_get(&cache->flights, flight_of(c, holder)) != 0;
}

bool cache_flight_joins(struct agent *agent, struct call *c, uint64_t holder)
{
    struct cache *cache = agent->durable;
    uint32_t leader = registers_get(&cache->flights, flight_of(c, holder));
    if (!leader)
        return false;
    struct cache_frame *f = cache_frame_of(c);
    struct cache_frame *l = cache_frame_of(call_at(agent->simulation, leader));
    f->stage = STAGE_FOLLOWS;
    f->next = l->next;
    l->next = call_index(agent->simulation, c);
    cache_tell(cache, c, CACHE_SHARED_FILLS);
    return true;
}

void cache_flight_leads(struct agent *agent, struct call *c, uint64_t holder)
{
    struct cache *cache = agent->durable;
    cache_frame_of(c)->leads = true;
    cache_frame_of(c)->holder = holder;
    registers_set(&cache->flights, flight_of(c, holder), call_index(agent->simulation, c));
}

/* Its next step is taken by an event of this instant. */
static void wake(struct agent *agent, struct call *follower, enum status status,
                 const struct call *leader)
{
    struct cache_frame *f = cache_frame_of(follower);
    f->stage = STAGE_LED;
    f->outcome = (uint8_t)status;
    follower->version = leader->version;
    follower->traits =
        (uint8_t)((follower->traits & ~REQUEST_ABSENT) | (leader->traits & REQUEST_ABSENT));
    call_timer(follower, agent, 0);
}

void cache_flight_lands(struct agent *agent, struct call *leader, enum status status)
{
    struct cache *cache = agent->durable;
    struct simulation *s = agent->simulation;
    struct cache_frame *l = cache_frame_of(leader);
    if (!l->leads)
        return;
    registers_erase(&cache->flights, flight_of(leader, l->holder));
    uint32_t at = l->next, reversed = 0;
    while (at) {
        struct cache_frame *f = cache_frame_of(call_at(s, at));
        uint32_t next = f->next;
        f->next = reversed;
        reversed = at;
        at = next;
    }
    for (at = reversed; at;) {
        struct call *c = call_at(s, at);
        at = cache_frame_of(c)->next;
        wake(agent, c, status, leader);
    }
    l->leads = false;
    l->next = 0;
}

void cache_flight_leaves(struct agent *agent, struct call *c)
{
    struct cache *cache = agent->durable;
    struct simulation *s = agent->simulation;
    uint32_t me = call_index(s, c);
    uint32_t at = registers_get(&cache->flights, flight_of(c, cache_frame_of(c)->holder));
    while (at && cache_frame_of(call_at(s, at))->next != me)
        at = cache_frame_of(call_at(s, at))->next;
    if (at)
        cache_frame_of(call_at(s, at))->next = cache_frame_of(c)->next;
}

/* ---- leases ---- */

void cache_flight_lease(struct agent *agent, const struct call *c, uint64_t holder)
{
    const struct cache_config *config = cache_config_of(agent, c);
    struct call *lease = cache_own_call(agent, c->operation, c->key, c->size);
    cache_frame_of(lease)->stage = STAGE_LEASE;
    cache_flight_leads(agent, lease, holder);
    call_timer(lease, agent, config->lease);
}

void cache_flight_brought(struct agent *agent, const struct call *c, uint64_t holder)
{
    struct cache *cache = agent->durable;
    uint32_t at = registers_get(&cache->flights, flight_of(c, holder));
    if (!at)
        return;
    struct call *lease = call_at(agent->simulation, at);
    lease->version = c->version;
    lease->traits = c->traits;
    cache_flight_lands(agent, lease, STATUS_OK);
    call_timer_stop(lease, agent);
    call_free(lease, agent);
}

/* The earliest follower stands last in the list. */
void cache_flight_expires(struct agent *agent, struct call *lease)
{
    struct simulation *s = agent->simulation;
    uint32_t *at = &cache_frame_of(lease)->next;
    if (!*at) {
        cache_flight_lands(agent, lease, STATUS_FAIL);
        call_free(lease, agent);
        return;
    }
    while (cache_frame_of(call_at(s, *at))->next)
        at = &cache_frame_of(call_at(s, *at))->next;
    struct call *first = call_at(s, *at);
    *at = 0;
    wake(agent, first, STATUS_FAIL, lease);
    call_timer(lease, agent, cache_config_of(agent, lease)->lease);
}
