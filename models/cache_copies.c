/* The copies of a cache: how they come and go, what is counted of them, and what the judge of data
 * is told. */
#include "models/cache_copies.h"

#include "models/parts/store.h"

void cache_tell(const struct cache *cache, const struct call *c, enum cache_metric metric)
{
    record_count(cache->record, metric, c->operation, *cache->record->now, 1);
}

void cache_show(const struct cache *cache)
{
    record_level_to(cache->record, CACHE_ITEMS, (int64_t)cache->table.count);
    record_level_to(cache->record, CACHE_DIRTY, (int64_t)cache->table.dirty);
}

uint64_t cache_holder(const struct cache_config *config, const struct call *c)
{
    switch ((enum cache_scope)config->scope) {
    case CACHE_SHARED:
        break;
    case CACHE_INSTANCE:
        return (uint64_t)c->from + 1;
    case CACHE_SESSION:
        return ((uint64_t)c->from + 1) << 32 | c->session;
    }
    return 0;
}

/* ---- what the judge of data knows ---- */

/* The judge follows copies of what a store has made; what waits to be written on is none of it. */
static bool is_judged(const struct agent *agent, const struct cache *cache)
{
    const struct cache_config *config = agent->configs[0];
    return cache->store != NO_STORE && config->pattern != CACHE_WRITE_BACK &&
           agent->simulation->probe;
}

static const struct agent *store_agent(const struct agent *agent, const struct cache *cache)
{
    return &agent->simulation->agents[cache->store];
}

/* The store behind: along the one call of every node on the way. */
uint32_t cache_find_store(const struct agent *agent)
{
    const struct simulation *s = agent->simulation;
    for (uint32_t hop = 0; hop < s->blueprint->node_count; hop++) {
        const struct kind_load *load = agent->kind->load;
        const struct pool *pool = load && load->target ? load->target(agent->configs[0]) : NULL;
        if (!pool || (!pool->count && !pool->group))
            return NO_STORE;
        agent = pool->group ? &s->agents[s->blueprint->nodes[pool->group - 1].first]
                            : &s->agents[pool->agents[0]];
        if (agent->kind->flags & KIND_STORE)
            return agent->index;
    }
    return NO_STORE;
}

/* ---- copies ---- */

void cache_drop(struct agent *agent, uint32_t slot, enum cache_end why)
{
    struct cache *cache = agent->durable;
    const struct cache_copy *copy = &cache->table.copies[slot];
    int64_t now = simulation_now(agent->simulation);
    if (is_judged(agent, cache))
        PROBE(agent->simulation, copy_drop, store_agent(agent, cache), copy->key, copy->version);
    record_count(cache->record, CACHE_ENDED, 0, now, 1);
    if (copy->used)
        record_count(cache->record, CACHE_USEFUL, 0, now, 1);
    if (copy->dirty && why == CACHE_EMPTIED)
        record_count(cache->record, CACHE_LOST_DIRTY, copy->operation, now, 1);
    cache_table_remove(&cache->table, slot, why);
}

/* Whether so many copies and bytes more are too much. */
static bool is_full(const struct cache_config *config, const struct cache_list *list,
                    uint32_t copies, uint32_t bytes)
{
    if (config->capacity == COUNT_UNLIMITED)
        return false;
    if (config->capacity & COUNT_BYTES)
        return list->bytes + bytes > (config->capacity & ~COUNT_BYTES);
    return list->count + copies > config->capacity;
}

/* Copies go until there is room for so many copies and bytes more, or until none is left. */
static void make_room(struct agent *agent, const struct cache_config *config, uint64_t holder,
                      uint32_t copies, uint32_t bytes)
{
    struct cache *cache = agent->durable;
    struct cache_list *list = cache_table_list(&cache->table, holder);
    while (list->count && is_full(config, list, copies, bytes)) {
        uint32_t victim = cache_table_victim(&cache->table, list);
        if (cache->table.copies[victim].dirty)
            cache_flush(agent, victim);
        else if (UNLIKELY(cache->victims != NULL))
            cache_hand_down(agent, victim);
        record_count(cache->record, CACHE_EVICTIONS, 0, simulation_now(agent->simulation), 1);
        cache_drop(agent, victim, CACHE_EVICTED);
    }
}

void cache_count_asked(struct cache *cache, uint64_t holder, uint64_t key)
{
    if (UNLIKELY(cache->asked.room))
        sketch_add(&cache->asked, cache_table_name(holder, key));
}

/* Whether a new copy may come at all. */
static bool admits(struct agent *agent, struct call *c, uint64_t holder)
{
    struct cache *cache = agent->durable;
    const struct cache_config *config = cache_config_of(agent, c);
    static const struct cache_list empty;
    if (is_full(config, &empty, 1, c->size))
        return false; /* it is larger than the whole cache */
    if (config->admission == CACHE_ADMITS_SOME &&
        !random_chance(call_draw(c, agent, DRAW_ADMISSION), config->admission_share))
        return false;
    cache_table_miss(&cache->table, holder, c->key);
    struct cache_list *list = cache_table_list(&cache->table, holder);
    if (config->admission != CACHE_ADMITS_ASKED || !is_full(config, list, 1, c->size))
        return true;
    const struct cache_copy *victim = &cache->table.copies[cache_table_victim(&cache->table, list)];
    return sketch_count(&cache->asked, cache_table_name(holder, c->key)) >
           sketch_count(&cache->asked, victim->name);
}

/* The constant 0 stands for none. */
bool cache_has_ttl(const struct cache_config *config)
{
    return config->ttl.kind != DISTRIBUTION_CONSTANT || config->ttl.value > 0;
}

/* From now on the copy is fresh for a `ttl`. */
static void renew(struct agent *agent, const struct call *c, struct cache_copy *copy)
{
    const struct cache_config *config = cache_config_of(agent, c);
    int64_t now = simulation_now(agent->simulation);
    copy->expires_ns = INT64_MAX;
    if (!copy->absent && !cache_has_ttl(config))
        return;
    int64_t life_ns = distribution_ns(copy->absent ? &config->negative_ttl : &config->ttl,
                                      call_draw(c, agent, DRAW_EXPIRY));
    copy->expires_ns = now + life_ns;
    if (config->pattern == CACHE_REFRESH_AHEAD)
        copy->early_ns = now + (int64_t)((double)life_ns * config->refresh_after);
}

/* Whether the store has answered that there is nothing. */
static bool is_absent(const struct agent *agent, const struct call *c)
{
    return UNLIKELY(c->traits & REQUEST_ABSENT) && !store_writes(store_type(agent, c));
}

void cache_take(struct agent *agent, struct call *c, uint64_t holder)
{
    const struct distribution *life = &cache_config_of(agent, c)->negative_ttl;
    bool remembers = life->kind != DISTRIBUTION_CONSTANT || life->value > 0;
    if (remembers || !is_absent(agent, c))
        cache_install(agent, c, holder);
    else
        cache_uninstall(agent, c, holder);
}

/* What it took to get the value in `c` from the store; 0: it was not asked. */
static int64_t fetch_time(const struct agent *agent, struct call *c)
{
    int64_t asked_ns = cache_frame_of(c)->asked_ns;
    return asked_ns ? simulation_now(agent->simulation) - asked_ns : 0;
}

/* The version in `c` becomes the copy of its key; its slot. */
uint32_t cache_install(struct agent *agent, struct call *c, uint64_t holder)
{
    struct cache *cache = agent->durable;
    const struct cache_config *config = cache_config_of(agent, c);
    uint32_t slot = cache_table_find(&cache->table, holder, c->key);
    bool is_new = !slot, brought = !cache_is_fresh(cache, slot);
    if (is_new && !admits(agent, c, holder))
        return 0;
    if (is_new) {
        make_room(agent, config, holder, 1, c->size);
        slot = cache_table_add(&cache->table, holder, c->key);
    }
    struct cache_copy *copy = &cache->table.copies[slot];
    cache_tell(cache, c, CACHE_FILLS);
    if (brought && !store_writes(store_type(agent, c)))
        cache_tell(cache, c, CACHE_BROUGHT);
    if (is_judged(agent, cache) && agent->simulation->probe->copy_take) {
        const struct probe *probe = agent->simulation->probe;
        const struct agent *store = store_agent(agent, cache);
        if (!is_new)
            PROBE(agent->simulation, copy_drop, store, copy->key, copy->version);
        if (probe->copy_take(probe->context, store, c->key, c->version))
            cache_tell(cache, c, CACHE_STALE_FILL_COUNT);
    }
    copy->version = c->version;
    copy->absent = is_absent(agent, c);
    cache_table_resize(&cache->table, slot, copy->absent ? 0 : c->size);
    renew(agent, c, copy);
    if (config->early && config->early_cost != TIME_AUTO)
        copy->early_ns = config->early_cost;
    else if (config->early)
        copy->early_ns = fetch_time(agent, c);
    make_room(agent, config, holder, 0, 0); /* its value may have grown */
    cache_show(cache);
    return cache->table.copies[slot].takes_part ? slot : 0;
}

void cache_uninstall(struct agent *agent, const struct call *c, uint64_t holder)
{
    struct cache *cache = agent->durable;
    uint32_t slot = cache_table_find(&cache->table, holder, c->key);
    if (slot)
        cache_drop(agent, slot, CACHE_INVALIDATED);
    cache_show(cache);
}

void cache_serve(struct agent *agent, struct call *c, uint32_t slot)
{
    struct cache *cache = agent->durable;
    const struct cache_config *config = cache_config_of(agent, c);
    struct cache_copy *copy = &cache->table.copies[slot];
    const struct probe *probe = agent->simulation->probe;
    c->version = copy->version;
    c->traits &= (uint8_t)~REQUEST_ABSENT;
    if (UNLIKELY(copy->absent)) {
        c->traits |= REQUEST_ABSENT;
        c->size = 0;
        cache_tell(cache, c, CACHE_NEGATIVE_HITS);
    }
    if (is_judged(agent, cache) && probe->copy_serve &&
        probe->copy_serve(probe->context, store_agent(agent, cache), c))
        cache_tell(cache, c, CACHE_STALE_COUNT);
    if (config->sliding && copy->expires_ns > simulation_now(agent->simulation))
        renew(agent, c, copy);
    cache_table_touch(&cache->table, slot);
}

bool cache_is_fresh(const struct cache *cache, uint32_t slot)
{
    return slot && cache->table.copies[slot].expires_ns > *cache->record->now;
}

bool cache_is_early(const struct agent *agent, const struct call *c, uint32_t slot)
{
    const struct cache *cache = agent->durable;
    const struct cache_config *config = cache_config_of(agent, c);
    const struct cache_copy *copy = &cache->table.copies[slot];
    if (LIKELY(!config->early))
        return false;
    double gap = (double)copy->early_ns * config->early_beta *
                 random_exponential(call_draw(c, agent, DRAW_EARLY));
    return gap >= (double)(copy->expires_ns - simulation_now(agent->simulation));
}

bool cache_is_within(const struct cache *cache, uint32_t slot, int64_t grace_ns)
{
    return slot && grace_ns > 0 &&
           cache->table.copies[slot].expires_ns + grace_ns > *cache->record->now;
}

void cache_count_miss(const struct cache *cache, const struct call *c, uint64_t holder,
                      uint32_t slot)
{
    static const enum cache_metric causes[] = {
        [CACHE_NEVER] = CACHE_MISSES_COLD,      [CACHE_EVICTED] = CACHE_MISSES_CAPACITY,
        [CACHE_EXPIRED] = CACHE_MISSES_EXPIRED, [CACHE_INVALIDATED] = CACHE_MISSES_INVALIDATED,
        [CACHE_EMPTIED] = CACHE_MISSES_COLD,
    };
    cache_tell(cache, c, CACHE_MISSES);
    cache_tell(cache, c,
               slot ? CACHE_MISSES_EXPIRED
                    : causes[cache_table_past(&cache->table, holder, c->key)]);
}

void cache_count_hit(const struct cache *cache, const struct call *c)
{
    cache_tell(cache, c, CACHE_HITS);
    record_count(cache->record, CACHE_HIT_BYTES, c->operation, *cache->record->now, c->size);
}
void cache_tell_asked(const struct cache *cache, const struct call *c, uint32_t slot)
{
    if (!cache_is_fresh(cache, slot))
        cache_tell(cache, c, CACHE_ASKED);
}
