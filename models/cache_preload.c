/* What a cache asks for by itself, key after key. */
#include "models/cache_copies.h"

#include "engine/kernel/random.h"

uint8_t cache_read_operation(const struct agent *agent)
{
    const struct blueprint *b = agent->simulation->blueprint;
    for (uint32_t o = 0; o < b->operation_count; o++)
        if (b->operations[o].type == OPERATION_READ)
            return (uint8_t)o;
    return 0;
}

/* The next key of `preload` is fetched, unless it is there. */
void cache_preload_next(struct agent *agent)
{
    struct cache *cache = agent->durable;
    const struct cache_config *config = agent->configs[0];
    uint8_t operation = cache_read_operation(agent);
    if (!config->has_preload || cache->preload_next == config->preload_count)
        return;
    uint64_t key = keys_at(&config->preload_keys, cache->preload_next++);
    if (!cache_is_fresh(cache, cache_table_find(&cache->table, 0, key))) {
        int64_t size = distribution_ns(&config->preload_sizes, random_mix(key));
        record_count(cache->record, CACHE_PRELOADED, operation, *cache->record->now, 1);
        cache_fetch(agent, operation, key, (uint32_t)size, 0);
    }
    timer_after(agent, (int64_t)(1e9 / config->preload_rate), CACHE_TICK_PRELOAD, 0);
}
