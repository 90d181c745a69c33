/* What a cache asks for by itself, key after key. */
#include "models/cache_copies.h"

#include "engine/kernel/random.h"

/* The next key of `preload` is fetched, unless it is there. */
void cache_preload_next(struct agent *agent)
{
    struct cache *cache = agent->durable;
    const struct cache_config *config = agent->configs[0];
    const struct blueprint *b = agent->simulation->blueprint;
    uint32_t operation = 0;
    while (operation < b->operation_count && b->operations[operation].type != OPERATION_READ)
        operation++;
    if (!config->has_preload || cache->preload_next == config->preload_count ||
        operation == b->operation_count)
        return;
    uint64_t key = keys_at(&config->preload_keys, cache->preload_next++);
    if (!cache_is_fresh(cache, cache_table_find(&cache->table, 0, key))) {
        int64_t size = distribution_ns(&config->preload_sizes, random_mix(key));
        record_count(cache->record, CACHE_PRELOADED, operation, *cache->record->now, 1);
        cache_fetch(agent, (uint8_t)operation, key, (uint32_t)size, 0);
    }
    timer_after(agent, (int64_t)(1e9 / config->preload_rate), CACHE_TICK_PRELOAD, 0);
}
