/* The copies a cache holds: found by key and holder, in one order of eviction for each holder. A
 * holder is the whole cache (0), or one of those that have a cache of their own.
 *
 * Invariant: every copy stands in the list of its holder, newest first, and in the index; lists of
 * dirty copies are in the order in which they became so. Slots of copies that went are used again.
 */
#ifndef ORRERY_MODELS_CACHE_TABLE_H
#define ORRERY_MODELS_CACHE_TABLE_H

#include "models/parts/registers.h"

#include <stdbool.h>

enum cache_eviction { CACHE_LRU, CACHE_FIFO, CACHE_SIEVE };

/* Why a key is no longer there. */
enum cache_end { CACHE_NEVER, CACHE_EVICTED, CACHE_EXPIRED, CACHE_INVALIDATED, CACHE_EMPTIED };

struct cache_copy {
    uint64_t name; /* of key and holder */
    uint64_t key, version;
    int64_t expires_ns; /* INT64_MAX: never */
    int64_t early_ns;   /* refresh_ahead: when it is renewed; XFetch: what it takes to fetch it */
    uint32_t newer, older;           /* slots of the holder's list; 0: none */
    uint32_t dirty_next, dirty_prev; /* of the dirty list; 0: none */
    uint32_t list, size;
    uint8_t operation; /* of the write, while it is dirty */
    bool used, dirty, visited, takes_part;
};

struct cache_list {
    uint32_t newest, oldest, hand;
    uint64_t count, bytes;
};

struct cache_table {
    struct arena *arena;
    struct cache_copy *copies; /* [0] is no copy */
    struct cache_list *lists;
    uint32_t copies_used, copies_room, free_head;
    uint32_t lists_used, lists_room;
    uint32_t dirty_first, dirty_last;
    uint64_t count, dirty;
    struct registers index;  /* slot by name */
    struct registers owners; /* 1 + list by holder */
    struct registers past;   /* enum cache_end by name */
};

void cache_table_init(struct cache_table *table, struct arena *arena);

/* The slot of a copy; 0: there is none. */
uint32_t cache_table_find(const struct cache_table *table, uint64_t holder, uint64_t key);

/* It has been read. */
void cache_table_touch(struct cache_table *table, uint32_t slot, enum cache_eviction eviction);

/* A new copy, which is not there yet. */
uint32_t cache_table_add(struct cache_table *table, uint64_t holder, uint64_t key);

/* The value of a copy has this size. */
void cache_table_resize(struct cache_table *table, uint32_t slot, uint32_t size);

/* Who goes next from the list of `slot`, which is not `slot` itself; 0: nobody. */
uint32_t cache_table_victim(struct cache_table *table, uint32_t slot, enum cache_eviction eviction);

void cache_table_remove(struct cache_table *table, uint32_t slot, enum cache_end why);
enum cache_end cache_table_past(const struct cache_table *table, uint64_t holder, uint64_t key);

void cache_table_soil(struct cache_table *table, uint32_t slot);
void cache_table_clean(struct cache_table *table, uint32_t slot);

#endif
