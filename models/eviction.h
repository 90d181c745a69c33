/* Which copy of a cache goes next: one table of functions for each policy, in a file of its own. To
 * add one: models/eviction_NAME.c and a line below.
 *
 * A policy keeps the copies of one holder (struct cache_list) in up to four lists, newest first,
 * and whatever else it needs in `state`, which is NULL at first. Copies are told apart by their
 * slots, keys that are remembered without a copy by their names (ghosts). */
#ifndef ORRERY_MODELS_EVICTION_H
#define ORRERY_MODELS_EVICTION_H

#include "models/parts/registers.h"

#include <stdbool.h>

struct cache_table;
struct cache_list;

struct eviction {
    /* A copy will be made for this name, and has none yet: before a victim is asked for. Or NULL.
     */
    void (*miss)(struct cache_table *t, struct cache_list *list, uint64_t name);
    /* A new copy. */
    void (*add)(struct cache_table *t, struct cache_list *list, uint32_t slot);
    /* It was read. */
    void (*read)(struct cache_table *t, struct cache_list *list, uint32_t slot);
    /* Who goes; there is one at least. The policy remembers of it what it wants to: `remove` comes
     * next. */
    uint32_t (*victim)(struct cache_table *t, struct cache_list *list);
    /* It goes, as a victim or for another reason. */
    void (*remove)(struct cache_table *t, struct cache_list *list, uint32_t slot);
    bool peeks; /* `victim` may be asked who it would be, and who it is may stay */
};

#define EVICTIONS(X)                                                                               \
    X(lru, "The one that was not read for longest.")                                               \
    X(fifo, "The one that came first.")                                                            \
    X(random, "Any, each as likely, from the cache's stream `policy`.")                            \
    X(clock, "The oldest whose bit is not set; a read sets it, and who is passed over loses it.")  \
    X(lfu, "The one that was read least often since it came; of several the one not read for "     \
           "longest.")                                                                             \
    X(slru, "Four lists of a quarter each: a read lifts a copy into the next one, and the oldest " \
            "of a full list falls back (Karedla et al. 1994).")                                    \
    X(two_q,                                                                                       \
      "A quarter for newcomers in order of arrival; who comes back soon after it had to go "       \
      "is kept by its last read (2Q, Johnson and Shasha 1994).")                                   \
    X(arc, "Two lists, read once and read again, whose sizes follow what was let go too early "    \
           "(Megiddo and Modha 2003).")                                                            \
    X(lirs, "By the number of other keys between two reads; a hundredth of the room is for those " \
            "with a long one (Jiang and Zhang 2002).")                                             \
    X(sieve, "The oldest that was not read since a hand last passed it (Zhang et al. 2024).")      \
    X(s3_fifo,                                                                                     \
      "A tenth for newcomers; who is read twice there goes on, the others are remembered "         \
      "(Yang et al. 2023).")                                                                       \
    X(w_tinylfu, "A hundredth for newcomers, who must have been asked for more often lately than " \
                 "whom they replace (Einziger et al. 2017).")

#define EVICTION_NUMBER(name, summary) EVICTION_##name,
enum eviction_policy { EVICTIONS(EVICTION_NUMBER) EVICTION_COUNT };
#undef EVICTION_NUMBER

#define EVICTION_TABLE(name, summary) extern const struct eviction eviction_##name;
EVICTIONS(EVICTION_TABLE)
#undef EVICTION_TABLE
extern const struct eviction *const eviction_policies[EVICTION_COUNT];

/* ---- for policies ---- */

/* The room of a list, in copies: as configured, or, where it is counted in bytes, as many as there
 * are now. At least 1. */
uint64_t eviction_room(const struct cache_table *t, const struct cache_list *list);
/* A share of it, rounded down, at least 1. */
uint64_t eviction_share(const struct cache_table *t, const struct cache_list *list, double share);

/* The copy stands in front of list `segment`; or in none. */
void eviction_push(struct cache_table *t, struct cache_list *list, uint32_t slot, uint8_t segment);
void eviction_unlink(struct cache_table *t, struct cache_list *list, uint32_t slot);
static inline void eviction_move(struct cache_table *t, struct cache_list *list, uint32_t slot,
                                 uint8_t segment)
{
    eviction_unlink(t, list, slot);
    eviction_push(t, list, slot, segment);
}

/* Names in the order in which they were noted. */
struct ghost {
    uint64_t name;
    uint32_t number;
};
struct ghosts {
    struct arena *arena;
    struct registers at; /* number by name */
    struct ghost *items; /* a ring; those forgotten in between stay until they are the oldest */
    uint32_t first, used, room, count, numbers;
};
void ghosts_init(struct ghosts *g, struct arena *arena);
void ghosts_note(struct ghosts *g, uint64_t name);
bool ghosts_forget(struct ghosts *g, uint64_t name); /* false: it was not known */
void ghosts_forget_oldest(struct ghosts *g);

/* How often names were asked for lately: counters of 4 bits, the least of four tells; all are
 * halved when twelve times the room has been counted (TinyLFU). */
struct sketch {
    uint8_t *counters;
    uint32_t room; /* a power of two */
    uint64_t added, window;
};
void sketch_init(struct sketch *sketch, struct arena *arena, uint64_t copies);
void sketch_add(struct sketch *sketch, uint64_t name);
uint32_t sketch_count(const struct sketch *sketch, uint64_t name);

#endif
