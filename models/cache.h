/* The configuration of a cache, as the loader and the tests make it, and what its parts share. */
#ifndef ORRERY_MODELS_CACHE_H
#define ORRERY_MODELS_CACHE_H

#include "engine/kernel/keys.h"
#include "models/cache_table.h"
#include "models/parts/caller.h"
#include "models/parts/station.h"

enum cache_pattern {
    CACHE_ASIDE,
    CACHE_READ_THROUGH,
    CACHE_WRITE_THROUGH,
    CACHE_WRITE_BACK,
    CACHE_WRITE_AROUND,
    CACHE_REFRESH_AHEAD,
    CACHE_STORE_ONLY,
};
enum cache_on_write { CACHE_DELETES, CACHE_UPDATES, CACHE_LEAVES };
enum cache_early { CACHE_ON_TIME, CACHE_AT_RANDOM };
enum cache_admission { CACHE_ADMITS_ALL, CACHE_ADMITS_SOME, CACHE_ADMITS_ASKED };
enum cache_scope { CACHE_SHARED, CACHE_INSTANCE, CACHE_SESSION };

struct cache_config {
    struct station_config station;
    struct caller_config caller;
    struct pool to;
    struct distribution ttl;          /* ns; the constant 0: copies do not expire */
    struct distribution negative_ttl; /* ns; the constant 0: what is not there is not remembered */
    uint64_t capacity;                /* copies, or bytes with COUNT_BYTES; COUNT_UNLIMITED */
    int64_t stale_if_error, stale_while_revalidate; /* ns past the expiry */
    int64_t lease;                                  /* ns; > 0 */
    int64_t flush_every;                            /* ns */
    uint64_t flush_batch, flush_limit;              /* dirty copies */
    double refresh_after;                           /* share of the life */
    double early_beta;                              /* of XFetch */
    int64_t early_cost;                             /* ns, or TIME_AUTO: as measured */
    uint8_t pattern, on_write, eviction, admission, scope, flush, early;
    double admission_share; /* of new copies; of no meaning without CACHE_ADMITS_SOME */
    struct key_chooser preload_keys;
    struct distribution preload_sizes; /* bytes */
    uint64_t preload_count;
    double preload_rate; /* a second */
    bool sliding, single_flight, has_preload, exclusive;
};
extern const struct field_table cache_fields;

enum cache_metric {
    CACHE_LOOKUPS, /* hidden: reads looked up */
    CACHE_HITS,
    CACHE_HIT_RATIO,
    CACHE_BYTES,     /* hidden: of what was looked up */
    CACHE_HIT_BYTES, /* hidden */
    CACHE_BYTE_HIT_RATIO,
    CACHE_MISSES,
    CACHE_MISSES_COLD,
    CACHE_MISSES_CAPACITY,
    CACHE_MISSES_EXPIRED,
    CACHE_MISSES_INVALIDATED,
    CACHE_MISSES_EARLY,
    CACHE_SHARED_FILLS,
    CACHE_ASKED,   /* hidden: reads that asked the store, without a fresh copy */
    CACHE_BROUGHT, /* hidden: copies of them, the first of each time */
    CACHE_STAMPEDE_SIZE,
    CACHE_PRELOADED,
    CACHE_FILLS,  /* hidden: copies put in */
    CACHE_ENDED,  /* hidden: copies that went */
    CACHE_USEFUL, /* hidden: those of them that were read before */
    CACHE_USEFUL_FILL_RATIO,
    CACHE_EVICTIONS,
    CACHE_HANDED_DOWN,
    CACHE_STALE_COUNT, /* hidden */
    CACHE_STALE_HITS,
    CACHE_STALE_FILL_COUNT, /* hidden */
    CACHE_STALE_FILLS,
    CACHE_REFRESHES,
    CACHE_EXPIRED_ANSWERS,
    CACHE_NEGATIVE_HITS,
    CACHE_FLUSHED,
    CACHE_LOST_DIRTY,
    CACHE_ITEMS,
    CACHE_DIRTY,
    CACHE_METRICS,
};
extern const struct metric_table cache_metrics;

#endif
