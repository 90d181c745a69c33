/* Which configurations of a cache cannot be. */
#include "models/cache_copies.h"

#include <stddef.h>

static const char *check_preload(const struct cache_config *cache)
{
    const struct key_chooser *keys = &cache->preload_keys;
    if (keys->kind == KEYS_FRESH || keys->kind == KEYS_TRACE)
        return "`preload` fetches keys by their rank: uniform, zipf, hotspot or sequential";
    if (keys->n && cache->preload_count > keys->n)
        return "`preload` has a `count` above the number of its keys";
    if (cache->scope != CACHE_SHARED)
        return "`preload` fills the one cache that all share: it needs `scope: shared`";
    return NULL;
}

static const char *check_alone(const struct cache_config *cache)
{
    if (cache->to.count || cache->to.group)
        return "store_only stands for itself: it has no `to`";
    if (cache->single_flight || cache->negative_ttl.kind != DISTRIBUTION_CONSTANT ||
        cache->negative_ttl.value > 0 || cache->early || cache->has_preload ||
        cache->stale_if_error > 0 || cache->stale_while_revalidate > 0)
        return "store_only has nobody to ask: no `single_flight`, `negative_ttl`, `early_refresh`, "
               "`preload` or "
               "stale "
               "answers";
    return NULL;
}

const char *cache_check(const void *config)
{
    const struct cache_config *cache = config;
    if (cache->admission == CACHE_ADMITS_ASKED && !eviction_policies[cache->eviction]->peeks)
        return "`admission: tinylfu` goes with lru, fifo, random, clock, lfu, slru and sieve: the "
               "other policies remember what they let go";
    const char *why = cache->pattern == CACHE_STORE_ONLY ? check_alone(cache) : NULL;
    if (why)
        return why;
    if (cache->pattern != CACHE_STORE_ONLY && !cache->to.count && !cache->to.group)
        return "`to` is missing: the store behind, or what stands before it";
    why = cache->has_preload ? check_preload(cache) : NULL;
    if (why)
        return why;
    if (cache->sliding && !cache_has_ttl(cache))
        return "`sliding` needs a `ttl` that slides";
    if (cache->pattern == CACHE_REFRESH_AHEAD && !cache_has_ttl(cache))
        return "refresh_ahead renews copies before they expire: it needs a `ttl`";
    if (cache->early && !cache_has_ttl(cache))
        return "`early_refresh` renews copies before they expire: it needs a `ttl`";
    if (cache->early && cache->pattern == CACHE_REFRESH_AHEAD)
        return "refresh_ahead renews copies early already, without `early_refresh`";
    if (cache->early && cache->pattern == CACHE_ASIDE && cache->early_cost == TIME_AUTO)
        return "under cache_aside the cache does not see what fetching takes: "
               "probabilistic(cost=200ms)";
    if (cache->pattern == CACHE_ASIDE &&
        (cache->stale_if_error > 0 || cache->stale_while_revalidate > 0))
        return "under cache_aside the cache does not ask the store: stale answers need another "
               "`pattern`";
    bool plain = cache->pattern == CACHE_READ_THROUGH || cache->pattern == CACHE_WRITE_AROUND;
    if (cache->exclusive && (!plain || cache->scope != CACHE_SHARED || cache->early ||
                             cache->stale_while_revalidate > 0 || cache->stale_if_error > 0))
        return "`exclusive` hands out every copy it has: it goes with read_through or "
               "write_around, "
               "`scope: shared`, and neither early nor stale answers";
    return station_check(&cache->station);
}
