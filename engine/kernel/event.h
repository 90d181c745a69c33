/* The event queue: hands out events in the order of (time, sequence of the push).
 *
 * An event waits in two parts. Its payload (`struct event`, 16 bytes) lies in a slot from push to
 * pop and never moves. Its key (time and handle, 16 bytes) moves through up to three places:
 *
 *   ring    events pushed at the present instant, first in, first out. n events at one instant that
 *           each spawn one more at that instant cost O(n), not O(n^2).
 *   bottom  a small array sorted by falling time, so the next event is at its end. Every key with
 *           time < bottom_until that is not in the ring is here. With few events pending they are
 *           all here and nothing else is in use. In front of it stands a key that is later than
 *           all, so that sorting one in needs to look for no end.
 *   wheel   a radix wheel over all of int64 at 1 ns: 11 levels of 64 buckets, a level for each six
 *           bits of the time. A key whose time differs from `base` first in the six bits of a
 *           level lies in that level, in the bucket that these bits name. Every key here has
 *           time >= bottom_until and >= base.
 *
 * An empty bottom is refilled from the first bucket of the lowest level: a short bucket is sorted
 * into the bottom, a long one is dealt out to the levels below. Each key falls at most 11 levels.
 * (Six bits rather than eight: the buckets stay in the first-level cache and fewer hold a single
 * key.) Equal times are never reordered: buckets keep the order of pushing, dealing out is stable,
 * and what the bottom hands back to the wheel was earlier than anything in the wheel. So keys
 * compare by time alone.
 *
 * A handle is the slot and how often it has been used, so it is never given twice (before 2^40 uses
 * of one slot). Cancelling frees the slot; the stale key is dropped when it is met. When stale keys
 * outnumber the events pending by far they are all swept out, so memory follows the greatest number
 * of events pending at once and nothing else. The queue gives its memory back in event_queue_free.
 *
 * The idea of dealing out by the highest differing bit: Ahuja, Mehlhorn, Orlin, Tarjan, "Faster
 * algorithms for the shortest path problem", JACM 37 (1990), radix heaps; the levels of buckets:
 * Varghese and Lauck, "Hashed and hierarchical timing wheels", SOSP 1987. */
#ifndef ORRERY_KERNEL_EVENT_H
#define ORRERY_KERNEL_EVENT_H

#include <stdbool.h>
#include <stdint.h>

#include "engine/kernel/check.h"

typedef uint64_t event_handle; /* use << 24 | slot; 0 = none */

/* What is handed out: the type, target and argument mean what the one who pushed meant. */
struct event {
    event_handle id;
    uint32_t target;
    uint16_t argument;
    uint8_t type;
    uint8_t unused;
};

/* How an event waits: in two words, so that what was written last is read as it was written. (A
 * wider read of narrower writes waits until they have left the processor.) */
struct event_cell {
    event_handle id;
    uint64_t what; /* target | argument << 32 | type << 48; of a free slot the next free one */
};

struct event_key {
    int64_t time;
    event_handle id;
};

/* A bucket is a chain of chunks of EVENT_CHUNK cells from the common pool: cell 0 holds the link
 * to the next chunk, in the last chunk to the first; the other cells hold keys. All zero: empty. */
struct event_bucket {
    uint32_t end;    /* index of the cell behind the last key; a multiple of the chunk: full */
    uint32_t chunks; /* length of the chain */
};

enum {
    EVENT_SLOT_BITS = 24,
    EVENT_LEVEL_BITS = 6,
    EVENT_BUCKETS = 1 << EVENT_LEVEL_BITS,
    EVENT_LEVELS = (63 + EVENT_LEVEL_BITS - 1) / EVENT_LEVEL_BITS,
    EVENT_CHUNK = 16,
};
#define EVENT_SLOT_MASK ((1u << EVENT_SLOT_BITS) - 1)

struct queue {
    int64_t now;     /* ns; the time of the event popped last */
    uint64_t popped; /* events handed out */
    int64_t bottom_until;
    struct event_key *top;         /* behind the last key of the bottom */
    struct event_key *bottom;      /* the first key; in front of it stands one later than all */
    uint32_t ring_head, ring_tail; /* free-running; the ring is empty when they are equal */
    uint32_t ring_mask;
    struct event_cell *ring;  /* all are due at `now`; whole only where it has no slot */
    struct event_cell *slots; /* a free one has the id of its next use; 0 is never used */
    uint32_t slot_free;       /* first free slot, chained through `what`; 0 = none */
    uint32_t slot_capacity;
    uint64_t pushed;         /* events pushed so far */
    uint64_t cancelled;      /* events cancelled so far */
    uint64_t stale;          /* keys of cancelled events that still lie somewhere */
    uint64_t stale_limit;    /* sweep when `stale` exceeds it */
    struct event_key *cells; /* the pool of chunks */
    uint32_t chunk_free;     /* first free chunk, chained through `id` of cell 0; 0 = none */
    uint32_t chunk_capacity;
    int64_t base;
    uint32_t levels; /* bit i: level i is not empty */
    uint32_t bottom_capacity;
    uint32_t bottom_limit;      /* a longer bottom gives its later half to the wheel; >= 2 */
    uint32_t stale_slack;       /* stale keys always tolerated */
    uint64_t map[EVENT_LEVELS]; /* bit i: bucket i of the level is not empty */
    struct event_bucket wheel[EVENT_LEVELS][EVENT_BUCKETS];
};

/* An empty queue at time 0. `bottom_limit` and `stale_slack` may be lowered by tests before the
 * first push; results never depend on them. */
void event_queue_init(struct queue *q);
void event_queue_free(struct queue *q);

/* The longer paths, for the inline functions below only. */
void event_ring_grow(struct queue *q);
bool event_bottom_refill(struct queue *q, int64_t until_ns);
uint32_t event_bucket_extend(struct queue *q, struct event_bucket *bucket);
void event_sweep(struct queue *q);

static inline bool event_pending(const struct queue *q, event_handle h)
{
    return q->slots[h & EVENT_SLOT_MASK].id == h;
}

/* Events pending, without the cancelled. */
static inline uint64_t event_count(const struct queue *q)
{
    return q->pushed - q->popped - q->cancelled;
}

static inline uint64_t event_what(uint8_t type, uint32_t target, uint16_t argument)
{
    return target | (uint64_t)argument << 32 | (uint64_t)type << 48;
}

static inline uint32_t event_target(struct event_cell cell)
{
    return (uint32_t)cell.what;
}

static inline uint16_t event_argument(struct event_cell cell)
{
    return (uint16_t)(cell.what >> 32);
}

static inline uint8_t event_type(struct event_cell cell)
{
    return (uint8_t)(cell.what >> 48);
}

static inline struct event event_of_cell(struct event_cell cell)
{
    return (struct event){.id = cell.id,
                          .target = event_target(cell),
                          .argument = event_argument(cell),
                          .type = event_type(cell)};
}

static inline void event_slot_release(struct queue *q, uint32_t slot)
{
    struct event_cell *cell = &q->slots[slot];
    cell->id += 1u << EVENT_SLOT_BITS;
    cell->what = q->slot_free;
    q->slot_free = slot;
}

/* Requires key.time >= q->base. */
static inline void event_wheel_put(struct queue *q, struct event_key key)
{
    uint64_t difference = (uint64_t)(key.time ^ q->base) | 1;
    uint32_t level = (uint32_t)(63 - __builtin_clzll(difference)) / EVENT_LEVEL_BITS;
    uint32_t index = (uint32_t)(key.time >> (EVENT_LEVEL_BITS * level)) % EVENT_BUCKETS;
    struct event_bucket *bucket = &q->wheel[level][index];
    uint32_t end = bucket->end;
    if (UNLIKELY(end % EVENT_CHUNK == 0)) {
        end = event_bucket_extend(q, bucket);
        q->map[level] |= 1ull << index;
        q->levels |= 1u << level;
    }
    q->cells[end] = key;
    bucket->end = end + 1;
}

static inline void event_ring_put(struct queue *q, event_handle id, uint64_t what)
{
    if (UNLIKELY(q->ring_tail - q->ring_head > q->ring_mask))
        event_ring_grow(q);
    struct event_cell *cell = &q->ring[q->ring_tail++ & q->ring_mask];
    cell->id = id;
    cell->what = what;
}

/* Schedules an event at the present instant, behind all others of it. It has no slot, so it cannot
 * be cancelled: event_cancel passes over its handle, and who takes it back compares handles when it
 * is handed out. A third of the cost of event_push. */
static inline event_handle event_push_now(struct queue *q, uint8_t type, uint32_t target)
{
    event_handle id = ++q->pushed << EVENT_SLOT_BITS;
    event_ring_put(q, id, event_what(type, target, 0));
    return id;
}

/* An event without a slot that was handed out was taken back before: it counts as cancelled. */
static inline void event_disown(struct queue *q)
{
    q->popped--;
    q->cancelled++;
}

/* Schedules an event at time_ns >= q->now. O(1) amortised. */
event_handle event_push(struct queue *q, int64_t time_ns, uint8_t type, uint32_t target,
                        uint16_t argument);

/* Takes a pending event out, in O(1) amortised. 0 and events popped or cancelled before: nothing
 * happens. The handle must come from this queue. */
static inline void event_cancel(struct queue *q, event_handle h)
{
    if (!event_pending(q, h))
        return;
    event_slot_release(q, (uint32_t)h & EVENT_SLOT_MASK);
    q->cancelled++;
    if (UNLIKELY(++q->stale > q->stale_limit))
        event_sweep(q);
}

/* Hands out the first event with time <= until_ns and moves `now` to its time. False: there is
 * none; `now` stays, and later pops and pushes at any time >= now are as right as ever. */
static inline bool event_pop_cell(struct queue *q, struct event_cell *out, int64_t until_ns)
{
    for (;;) {
        struct event_key key = {q->now, 0};
        struct event_key *first = q->top - 1;
        if (q->ring_head != q->ring_tail && (first->time != q->now || first < q->bottom)) {
            /* Keys of `now` in the bottom were pushed before `now` was reached: they go first. */
            if (UNLIKELY(q->now > until_ns))
                return false;
            const struct event_cell *cell = &q->ring[q->ring_head++ & q->ring_mask];
            key.id = cell->id;
            if (LIKELY(!(key.id & EVENT_SLOT_MASK))) {
                *out = (struct event_cell){key.id, cell->what};
                q->popped++;
                return true;
            }
        } else if (LIKELY(first->time <= until_ns && first >= q->bottom)) {
            key = *first;
            q->top = first;
        } else if (first < q->bottom && event_bottom_refill(q, until_ns)) {
            continue;
        } else {
            return false;
        }
        uint32_t slot = (uint32_t)key.id & EVENT_SLOT_MASK;
        struct event_cell *cell = &q->slots[slot];
        if (UNLIKELY(cell->id != key.id)) {
            q->stale--;
            continue;
        }
        *out = (struct event_cell){key.id, cell->what};
        cell->id = key.id + (1u << EVENT_SLOT_BITS);
        cell->what = q->slot_free;
        q->slot_free = slot;
        q->now = key.time;
        q->popped++;
        return true;
    }
}

/* The same, told in fields. */
static inline bool event_pop(struct queue *q, struct event *out, int64_t until_ns)
{
    struct event_cell cell;
    if (!event_pop_cell(q, &cell, until_ns))
        return false;
    *out = event_of_cell(cell);
    return true;
}

/* The oracle: a binary heap of whole events with the same meaning, as simple as can be. The tests
 * run both side by side and the benchmark compares them; no run uses it. Memory grows by one byte
 * with every push. Its handles are not those of the queue. */
struct heap_entry {
    int64_t time;
    struct event event; /* id = number of the push, from 1 */
};

struct heap {
    int64_t now;
    uint64_t popped;
    struct heap_entry *entries; /* entries[i] is not after entries[2i+1] and entries[2i+2] */
    uint64_t count, capacity;   /* of entries, the cancelled included */
    uint8_t *pending;           /* by number of the push: 1 = neither popped nor cancelled */
    uint64_t pushed, pending_capacity, pending_count;
};

void heap_init(struct heap *h);
void heap_free(struct heap *h);
event_handle heap_push(struct heap *h, int64_t time_ns, uint8_t type, uint32_t target,
                       uint16_t argument);
void heap_cancel(struct heap *h, event_handle id);
bool heap_pop(struct heap *h, struct event *out, int64_t until_ns);
uint64_t heap_count(const struct heap *h);

#endif
