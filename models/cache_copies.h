/* A cache at work, for the files of the kind: its state, what a call remembers, its copies. */
#ifndef ORRERY_MODELS_CACHE_COPIES_H
#define ORRERY_MODELS_CACHE_COPIES_H

#include "models/cache.h"

enum { STATION_TABLE = 1, CALLER_TABLE, GUARD_TABLE, CACHE_TABLE };
enum { CACHE_TICK_FLUSH = 1, CACHE_TICK_PRELOAD };
enum { NO_STORE = UINT32_MAX };

struct cache {
    struct station station;
    struct guard *guard;
    struct record *record;
    struct cache_table table; /* what survives a crash is emptied by the start that follows */
    struct sketch asked;      /* for `admission: tinylfu`: how often names were looked up lately */
    struct registers flights; /* the read that asks the store, by name of the key */
    uint64_t flushes;         /* begun: numbers them */
    uint64_t preload_next;    /* rank of the key that is fetched next */
    uint32_t store;           /* an agent of the store behind, or NO_STORE */
    const struct pool
        *victims; /* the exclusive level behind, which takes what has to go; or NULL */
    bool opened;
};

enum cache_stage {
    STAGE_OWN,
    STAGE_STORE,
    STAGE_FOLLOWS,
    STAGE_LED,
    STAGE_REFRESH,
    STAGE_FLUSH,
    STAGE_LEASE, /* its own: somebody has been told to fetch the value */
};

struct cache_frame {
    struct station_visit visit; /* first: the station's */
    struct caller caller;
    uint64_t holder, version;
    int64_t asked_ns; /* when the store was asked */
    uint32_t next;    /* FOLLOWS: the one behind it; at the leader: the first */
    uint8_t stage;    /* enum cache_stage */
    uint8_t outcome;  /* LED: enum status */
    bool leads;
};

static inline const struct cache_config *cache_config_of(const struct agent *agent,
                                                         const struct call *c)
{
    return agent->configs[c->operation];
}

static inline struct cache_frame *cache_frame_of(struct call *c)
{
    return call_frame(c);
}

/* Whether copies expire. */
bool cache_has_ttl(const struct cache_config *config);

/* Counts an event of now. */
void cache_tell(const struct cache *cache, const struct call *c, enum cache_metric metric);

/* The levels follow what is held. */
void cache_show(const struct cache *cache);

/* Whose copies a call concerns. */
uint64_t cache_holder(const struct cache_config *config, const struct call *c);

/* An agent of the store behind, along the one call of every node on the way; or NO_STORE. */
uint32_t cache_find_store(const struct agent *agent);

/* It was looked up. */
void cache_count_asked(struct cache *cache, uint64_t holder, uint64_t key);

/* A copy goes. */
void cache_drop(struct agent *agent, uint32_t slot, enum cache_end why);

/* A call of its own for a key; `size` of the value. */
struct call *cache_own_call(struct agent *agent, uint8_t operation, uint64_t key, uint32_t size);

/* Asks the store in the background, unless somebody does already. */
void cache_fetch(struct agent *agent, uint8_t operation, uint64_t key, uint32_t size,
                 uint64_t holder);

/* The store is asked for the key of `c`, whose copy (slot 0: none) may still be fresh. */
void cache_tell_asked(const struct cache *cache, const struct call *c, uint32_t slot);

/* Sends a dirty copy on to the store. */
void cache_flush(struct agent *agent, uint32_t slot);

/* The version in `c` becomes the copy of its key; its slot, or 0 where it is larger than the whole
 * cache. What is too much goes. */
uint32_t cache_install(struct agent *agent, struct call *c, uint64_t holder);
void cache_uninstall(struct agent *agent, const struct call *c, uint64_t holder);

/* The same with what a read of the store has brought, which may be that there is nothing. */
void cache_take(struct agent *agent, struct call *c, uint64_t holder);

/* The copy answers `c`. */
void cache_serve(struct agent *agent, struct call *c, uint32_t slot);

/* Whether a copy has not expired, or not for longer than the grace; slot 0: there is none. */
bool cache_is_fresh(const struct cache *cache, uint32_t slot);
/* Whether a fresh copy is to be renewed by this read already (Vattani, Chierichetti, Lowenstein,
 * VLDB 2015, figure 3: XFetch). */
bool cache_is_early(const struct agent *agent, const struct call *c, uint32_t slot);
bool cache_is_within(const struct cache *cache, uint32_t slot, int64_t grace_ns);

/* `slot`: what there is of an expired copy, or 0. */
void cache_count_miss(const struct cache *cache, const struct call *c, uint64_t holder,
                      uint32_t slot);
void cache_count_hit(const struct cache *cache, const struct call *c);

/* An operation that reads, for messages of its own; 0 where there is none. */
uint8_t cache_read_operation(const struct agent *agent);

/* Sends what has to go to the level behind, if that is an exclusive one. */
void cache_hand_down(struct agent *agent, uint32_t slot);

/* The exclusive level behind an agent, or NULL. */
const struct pool *cache_find_victims(const struct agent *agent);

/* The next key of `preload` is fetched, unless it is there; sets a timer for the one behind it. */
void cache_preload_next(struct agent *agent);

/* Why a configuration cannot be, or NULL. */
const char *cache_check(const void *config);

#endif
