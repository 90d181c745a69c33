#include "engine/kernel/event.h"

#include <stdlib.h>
#include <string.h>

enum {
    FIRST_SLOTS = 256,
    FIRST_RING = 64,
    FIRST_CHUNKS = 64,
    BOTTOM_LIMIT = 32,
    STALE_SLACK = 1 << 16,
    CHUNK_KEYS = EVENT_CHUNK - 1,
};

/* A bucket taken out of the wheel, to be read chunk by chunk. */
struct chain {
    uint32_t chunk;
    uint32_t count; /* keys not read yet */
};

static void *allocated(void *memory, uint64_t count, size_t size)
{
    memory = realloc(memory, count * size);
    if (!memory)
        check_machine("no memory left for the events pending");
    return memory;
}

static uint32_t bottom_count(const struct queue *q)
{
    return (uint32_t)(q->top - q->bottom);
}

/* Room for `count` keys behind the one that is later than all. */
static void bottom_reserve(struct queue *q, uint32_t count)
{
    if (count <= q->bottom_capacity)
        return;
    uint32_t kept = q->bottom ? bottom_count(q) : 0;
    uint32_t capacity = q->bottom_capacity ? q->bottom_capacity : count;
    while (capacity < count)
        capacity *= 2;
    struct event_key *all =
        allocated(q->bottom ? q->bottom - 1 : NULL, capacity + 1, sizeof *q->bottom);
    all[0] = (struct event_key){INT64_MAX, 0};
    q->bottom = all + 1;
    q->top = q->bottom + kept;
    q->bottom_capacity = capacity;
}

/* Sorts the key in behind every key of the same time. Requires room. */
static void bottom_insert(struct queue *q, struct event_key key)
{
    struct event_key *at = q->top++;
    for (; at > q->bottom && at[-1].time <= key.time; at--)
        *at = at[-1];
    *at = key;
}

/* The end of the times that are sorted into the bottom: behind `last_ns`. */
static void bottom_ends_behind(struct queue *q, int64_t last_ns)
{
    q->bottom_until = last_ns < INT64_MAX ? last_ns + 1 : INT64_MAX;
}

/* Doubles the slots and chains the new ones. */
static void slots_grow(struct queue *q)
{
    uint32_t from = q->slot_capacity;
    if (from > EVENT_SLOT_MASK)
        check_machine("more than 16777215 events are pending at one time: the simulated system "
                      "is larger than this simulator can hold, or it is unstable and its queues "
                      "grow without end");
    uint32_t to = from ? 2 * from : FIRST_SLOTS;
    q->slots = allocated(q->slots, to, sizeof *q->slots);
    if (!from)
        q->slots[from++] = (struct event_cell){.id = UINT64_MAX};
    for (uint32_t i = from; i < to; i++)
        q->slots[i] = (struct event_cell){.id = UINT64_C(1) << EVENT_SLOT_BITS | i,
                                          .what = i + 1 < to ? i + 1 : 0};
    q->slot_free = from;
    q->slot_capacity = to;
}

void event_queue_init(struct queue *q)
{
    memset(q, 0, sizeof *q);
    q->bottom_until = INT64_MAX;
    q->bottom_limit = BOTTOM_LIMIT;
    bottom_reserve(q, 2 * BOTTOM_LIMIT);
    q->ring_mask = FIRST_RING - 1;
    q->ring = allocated(NULL, FIRST_RING, sizeof *q->ring);
    q->stale_slack = STALE_SLACK;
    q->stale_limit = 0; /* The first cancel sets it. */
    slots_grow(q);
}

void event_queue_free(struct queue *q)
{
    free(q->bottom ? q->bottom - 1 : NULL);
    free(q->ring);
    free(q->slots);
    free(q->cells);
    memset(q, 0, sizeof *q);
}

void event_ring_grow(struct queue *q)
{
    uint32_t count = q->ring_tail - q->ring_head;
    uint32_t capacity = 2 * (q->ring_mask + 1);
    struct event_cell *ring = allocated(NULL, capacity, sizeof *ring);
    for (uint32_t i = 0; i < count; i++)
        ring[i] = q->ring[(q->ring_head + i) & q->ring_mask];
    free(q->ring);
    q->ring = ring;
    q->ring_mask = capacity - 1;
    q->ring_head = 0;
    q->ring_tail = count;
}

static void chunk_release(struct queue *q, uint32_t chunk)
{
    q->cells[chunk * EVENT_CHUNK].id = q->chunk_free;
    q->chunk_free = chunk;
}

/* Adds a chunk to the end of the bucket; the index of its first cell for a key. */
uint32_t event_bucket_extend(struct queue *q, struct event_bucket *bucket)
{
    if (UNLIKELY(!q->chunk_free)) {
        uint32_t from = q->chunk_capacity;
        uint32_t to = from ? 2 * from : FIRST_CHUNKS;
        CHECK(to <= UINT32_MAX / EVENT_CHUNK);
        q->cells = allocated(q->cells, (uint64_t)to * EVENT_CHUNK, sizeof *q->cells);
        q->chunk_capacity = to;
        for (uint32_t chunk = to - 1; chunk > 0 && chunk >= from; chunk--)
            chunk_release(q, chunk);
    }
    uint32_t chunk = q->chunk_free;
    struct event_key *link = &q->cells[chunk * EVENT_CHUNK];
    q->chunk_free = (uint32_t)link->id;
    if (bucket->chunks) {
        struct event_key *tail = &q->cells[bucket->end - EVENT_CHUNK];
        link->id = tail->id;
        tail->id = chunk;
    } else {
        link->id = chunk;
    }
    bucket->chunks++;
    return chunk * EVENT_CHUNK + 1;
}

static struct chain bucket_take(struct queue *q, uint32_t level, uint32_t index)
{
    struct event_bucket *bucket = &q->wheel[level][index];
    uint32_t tail = (bucket->end - 1) / EVENT_CHUNK;
    struct chain chain = {
        .chunk = (uint32_t)q->cells[tail * EVENT_CHUNK].id,
        .count = (bucket->chunks - 1) * CHUNK_KEYS + (bucket->end - 1) % EVENT_CHUNK,
    };
    *bucket = (struct event_bucket){0};
    q->map[level] &= ~(1ull << index);
    if (!q->map[level])
        q->levels &= ~(1u << level);
    return chain;
}

static bool key_is_live(const struct queue *q, struct event_key key)
{
    return q->slots[key.id & EVENT_SLOT_MASK].id == key.id;
}

/* Copies the live keys of the next chunk and releases the chunk; how many (none is possible before
 * the end). Copying leaves the caller free to put keys, which may move the pool. */
static uint32_t chain_next(struct queue *q, struct chain *chain, struct event_key keys[CHUNK_KEYS])
{
    uint32_t count = chain->count < CHUNK_KEYS ? chain->count : CHUNK_KEYS;
    const struct event_key *cells = &q->cells[chain->chunk * EVENT_CHUNK];
    uint32_t next = (uint32_t)cells[0].id;
    chain->count -= count;
    if (chain->count)
        for (uint32_t i = 0; i < EVENT_CHUNK; i += 4)
            __builtin_prefetch(&q->cells[next * EVENT_CHUNK + i]);
    uint32_t live = count;
    if (!q->stale) {
        memcpy(keys, cells + 1, count * sizeof *keys);
    } else {
        live = 0;
        for (uint32_t i = 1; i <= count; i++) {
            keys[live] = cells[i];
            live += key_is_live(q, cells[i]);
        }
        q->stale -= count - live;
    }
    chunk_release(q, chain->chunk);
    chain->chunk = next;
    return live;
}

static void chain_to_wheel(struct queue *q, struct chain chain)
{
    struct event_key keys[CHUNK_KEYS];
    while (chain.count) {
        uint32_t count = chain_next(q, &chain, keys);
        for (uint32_t i = 0; i < count; i++)
            event_wheel_put(q, keys[i]);
    }
}

/* Sorts a short chain into the bottom. */
static void chain_to_bottom(struct queue *q, struct chain chain)
{
    bottom_reserve(q, bottom_count(q) + chain.count + 1);
    for (uint32_t left = chain.count, chunk = chain.chunk;;) {
        const struct event_key *cells = &q->cells[chunk * EVENT_CHUNK];
        uint32_t last = left < CHUNK_KEYS ? left : CHUNK_KEYS;
        for (uint32_t i = 1; i <= last; i++) {
            if (LIKELY(key_is_live(q, cells[i])))
                bottom_insert(q, cells[i]);
            else
                q->stale--;
        }
        left -= last;
        if (!left) {
            /* The chunks are a circle: cut behind the last, all are free at once. */
            q->cells[chunk * EVENT_CHUNK].id = q->chunk_free;
            q->chunk_free = chain.chunk;
            return;
        }
        chunk = (uint32_t)cells[0].id;
    }
}

/* Makes a chain of any length whose keys all have one time the bottom, which is empty. */
static void ties_to_bottom(struct queue *q, struct chain chain)
{
    struct event_key keys[CHUNK_KEYS];
    bottom_reserve(q, chain.count + 1);
    uint32_t end = chain.count;
    uint32_t first = end;
    while (chain.count) {
        uint32_t count = chain_next(q, &chain, keys);
        for (uint32_t i = 0; i < count; i++)
            q->bottom[--first] = keys[i];
    }
    q->top = q->bottom + (end - first);
    memmove(q->bottom, q->bottom + first, bottom_count(q) * sizeof *q->bottom);
}

static uint32_t first_bucket(const struct queue *q, uint32_t level)
{
    return (uint32_t)__builtin_ctzll(q->map[level]);
}

/* The first time that belongs to a bucket of the wheel. */
static int64_t bucket_start(const struct queue *q, uint32_t level, uint32_t index)
{
    uint32_t shift = EVENT_LEVEL_BITS * level;
    uint64_t within = ((uint64_t)EVENT_BUCKETS << shift) - 1;
    return (int64_t)(((uint64_t)q->base & ~within) | (uint64_t)index << shift);
}

/* Brings the next keys into the empty bottom while the ring is empty too. False: no bucket begins
 * at or before until_ns. A bucket that begins later is left alone, so that asking in vain does not
 * move `base` beyond the times that may still be pushed. */
bool event_bottom_refill(struct queue *q, int64_t until_ns)
{
    uint64_t stale = q->stale;
    while (q->levels) {
        uint32_t level = (uint32_t)__builtin_ctz(q->levels);
        uint32_t index = first_bucket(q, level);
        int64_t start = bucket_start(q, level, index);
        if (start > until_ns)
            return false;
        struct chain chain = bucket_take(q, level, index);
        q->base = start;
        if (level > 0 && chain.count > q->bottom_limit) {
            q->bottom_until = start; /* The keys stay in the wheel, even if we stop here. */
            chain_to_wheel(q, chain);
            continue;
        }
        bottom_ends_behind(q, start + (int64_t)((1ull << (EVENT_LEVEL_BITS * level)) - 1));
        if (level == 0)
            ties_to_bottom(q, chain);
        else
            chain_to_bottom(q, chain);
        if (q->top == q->bottom)
            continue;
        /* With few events pending all of them go to the bottom, and so do those pushed later. If
         * stale keys were met, though, the bottom ends at its last key: far timeouts that are soon
         * cancelled would fill it and make every insertion longer. */
        if (event_count(q) <= q->bottom_limit / 2) {
            while (q->levels) {
                level = (uint32_t)__builtin_ctz(q->levels);
                chain_to_bottom(q, bucket_take(q, level, first_bucket(q, level)));
            }
            bottom_ends_behind(q, q->stale == stale ? INT64_MAX : q->bottom[0].time);
        }
        return true;
    }
    q->bottom_until = INT64_MAX;
    return false;
}

/* Moves `base` back to `now` after it had run ahead in a vain search for events. The levels below
 * the first one in which the two differ belong into the one bucket that holds the old base; what
 * lies at that level or above has the same place for both. */
static void wheel_rebase(struct queue *q)
{
    uint32_t top =
        (uint32_t)(63 - __builtin_clzll((uint64_t)(q->base ^ q->now))) / EVENT_LEVEL_BITS;
    q->base = q->now;
    for (;;) {
        uint32_t below = q->levels & ((1u << top) - 1);
        if (!below)
            return;
        uint32_t level = (uint32_t)__builtin_ctz(below);
        chain_to_wheel(q, bucket_take(q, level, first_bucket(q, level)));
    }
}

static void bottom_drop_stale(struct queue *q)
{
    uint32_t live = 0;
    for (uint32_t i = 0; i < bottom_count(q); i++) {
        q->bottom[live] = q->bottom[i];
        live += key_is_live(q, q->bottom[i]);
    }
    q->stale -= bottom_count(q) - live;
    q->top = q->bottom + live;
}

/* Shortens a bottom that has become too long: drops stale keys and, if that was not enough, gives
 * the later half to the wheel. Keys of the present instant stay: behind the ring they would be out
 * of order. */
static void bottom_spill(struct queue *q)
{
    if (q->stale)
        bottom_drop_stale(q);
    if (bottom_count(q) <= q->bottom_limit / 2) {
        if (!q->levels) {
            /* The same measure against timeouts as in event_bottom_refill. */
            q->base = q->now;
            bottom_ends_behind(q, q->bottom[0].time);
        }
        return;
    }
    int64_t split = q->bottom[bottom_count(q) / 2].time;
    if (split <= q->now)
        split = q->now + 1; /* The key that made it too long is later than now: no overflow. */
    if (!q->levels)
        q->base = q->now;
    else if (q->base > split)
        wheel_rebase(q);
    uint32_t count = 0;
    while (count < bottom_count(q) && q->bottom[count].time >= split)
        count++;
    for (uint32_t i = count; i-- > 0;)
        event_wheel_put(q, q->bottom[i]);
    q->top -= count;
    memmove(q->bottom, q->bottom + count, bottom_count(q) * sizeof *q->bottom);
    q->bottom_until = split;
}

/* ---- pushing ----
 * The longer ways are calls at the very end, so that the short one saves no registers for them. */

APART static event_handle push_to_ring(struct queue *q, event_handle id)
{
    event_ring_put(q, id, 0);
    return id;
}

APART static event_handle pushed_too_many(struct queue *q, event_handle id)
{
    bottom_spill(q);
    return id;
}

/* The last nanosecond of time is never earlier than bottom_until, but is sorted in where all keys
 * are: nothing is in the wheel that belongs into the bottom. */
APART static event_handle push_to_wheel(struct queue *q, struct event_key key)
{
    if (LIKELY(key.time < INT64_MAX || q->bottom_until < INT64_MAX || q->levels)) {
        event_wheel_put(q, key);
        return key.id;
    }
    bottom_insert(q, key);
    return bottom_count(q) > q->bottom_limit ? pushed_too_many(q, key.id) : key.id;
}

SELDOM static event_handle push_growing(struct queue *q, int64_t time_ns, uint8_t type,
                                        uint32_t target, uint16_t argument)
{
    slots_grow(q);
    return event_push(q, time_ns, type, target, argument);
}

event_handle event_push(struct queue *q, int64_t time_ns, uint8_t type, uint32_t target,
                        uint16_t argument)
{
    uint32_t slot = q->slot_free;
    CHECK(time_ns >= q->now);
    if (UNLIKELY(!slot))
        return push_growing(q, time_ns, type, target, argument);
    struct event_cell *cell = &q->slots[slot];
    event_handle id = cell->id;
    q->slot_free = (uint32_t)cell->what;
    q->pushed++;
    cell->what = event_what(type, target, argument);
    if (time_ns == q->now)
        return push_to_ring(q, id);
    if (time_ns >= q->bottom_until)
        return push_to_wheel(q, (struct event_key){time_ns, id});
    struct event_key *at = q->top++;
    for (; at[-1].time <= time_ns; at--)
        *at = at[-1];
    *at = (struct event_key){time_ns, id};
    if (UNLIKELY(bottom_count(q) > q->bottom_limit))
        return pushed_too_many(q, id);
    return id;
}

/* Drops every stale key if there are many, and sets anew how many are tolerated. A sweep costs O(1)
 * for each cancel since the last one. */
void event_sweep(struct queue *q)
{
    uint64_t limit = q->stale_slack + 4 * event_count(q);
    q->stale_limit = limit;
    if (q->stale <= limit)
        return;
    bottom_drop_stale(q);
    uint32_t kept = q->ring_head;
    for (uint32_t i = q->ring_head; i != q->ring_tail; i++) {
        struct event_cell cell = q->ring[i & q->ring_mask];
        q->ring[kept & q->ring_mask] = cell;
        if (!(cell.id & EVENT_SLOT_MASK) || event_pending(q, cell.id))
            kept++;
        else
            q->stale--;
    }
    q->ring_tail = kept;
    for (uint32_t level = 0; level < EVENT_LEVELS; level++)
        for (uint32_t index = 0; index < EVENT_BUCKETS; index++)
            if (q->wheel[level][index].chunks)
                chain_to_wheel(q, bucket_take(q, level, index));
    CHECK(q->stale == 0);
}
