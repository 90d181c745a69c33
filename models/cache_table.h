/* The copies a cache holds: found by key and holder, in the hands of one policy of eviction
 * (models/eviction.h) for each holder. A holder is the whole cache (0), or one of those that have a
 * cache of their own.
 *
 * Invariant: every copy is counted in the list of its holder, known to its policy, and in the
 * index; dirty copies are in the order in which they became so. Slots of copies that went are used
 * again. */
#ifndef ORRERY_MODELS_CACHE_TABLE_H
#define ORRERY_MODELS_CACHE_TABLE_H

#include "engine/kernel/random.h"
#include "models/eviction.h"
#include "models/parts/registers.h"

#include <stdbool.h>

/* Why a key is no longer there. */
enum cache_end { CACHE_NEVER, CACHE_EVICTED, CACHE_EXPIRED, CACHE_INVALIDATED, CACHE_EMPTIED };

struct cache_copy {
    uint64_t name; /* of key and holder */
    uint64_t key, version;
    int64_t expires_ns; /* INT64_MAX: never */
    int64_t early_ns;   /* refresh_ahead: when it is renewed; XFetch: what it takes to fetch it */
    uint32_t newer, older;           /* slots of the policy's list; 0: none */
    uint32_t reads;                  /* the policy's own */
    uint32_t dirty_next, dirty_prev; /* of the dirty list; 0: none */
    uint32_t list, size;
    uint8_t operation; /* of the write, while it is dirty */
    uint8_t segment;   /* the policy's list */
    bool used, dirty, takes_part;
    bool absent; /* of a key that holds nothing */
};

/* Of a policy: at most four for each holder. */
enum { CACHE_SEGMENTS = 4 };
struct cache_segment {
    uint32_t newest, oldest; /* slots; 0: it is empty */
    uint64_t count;
};

struct cache_list {
    struct cache_segment segments[CACHE_SEGMENTS];
    void *state; /* the policy's; NULL: none yet */
    uint32_t hand;
    uint64_t count, bytes;
};

struct cache_table {
    struct arena *arena;
    const struct eviction *policy;
    struct stream *stream;     /* for policies that draw; or NULL */
    uint64_t room;             /* of each holder, in copies; 0: not counted so */
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

/* `room`: copies of each holder; 0: it is not counted in copies. */
void cache_table_init(struct cache_table *table, struct arena *arena, const struct eviction *policy,
                      uint64_t room, struct stream *stream);

/* What policies know a key of a holder by. */
uint64_t cache_table_name(uint64_t holder, uint64_t key);

/* The slot of a copy; 0: there is none. */
uint32_t cache_table_find(const struct cache_table *table, uint64_t holder, uint64_t key);

/* It has been read. */
void cache_table_touch(struct cache_table *table, uint32_t slot);

/* The list of a holder; the index of one for good, its address until the next new holder. */
struct cache_list *cache_table_list(struct cache_table *table, uint64_t holder);

/* A copy of this key will be added; whatever has to go for it goes after this and before. */
void cache_table_miss(struct cache_table *table, uint64_t holder, uint64_t key);

/* A new copy, which is not there yet. */
uint32_t cache_table_add(struct cache_table *table, uint64_t holder, uint64_t key);

/* The value of a copy has this size. */
void cache_table_resize(struct cache_table *table, uint32_t slot, uint32_t size);

/* Who goes next; to be removed then. 0: there is nobody. */
uint32_t cache_table_victim(struct cache_table *table, struct cache_list *list);

void cache_table_remove(struct cache_table *table, uint32_t slot, enum cache_end why);
enum cache_end cache_table_past(const struct cache_table *table, uint64_t holder, uint64_t key);

void cache_table_soil(struct cache_table *table, uint32_t slot);
void cache_table_clean(struct cache_table *table, uint32_t slot);

#endif
