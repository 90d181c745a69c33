/* The oracle of the event queue: a binary heap ordered by (time, number of the push) whose
 * cancelled entries stay until they reach the top. Every line is meant to be plainly right. */
#include <stdlib.h>
#include <string.h>

#include "engine/kernel/event.h"

void heap_init(struct heap *h)
{
    *h = (struct heap){0};
}

void heap_free(struct heap *h)
{
    free(h->entries);
    free(h->pending);
    *h = (struct heap){0};
}

static void *grown(void *memory, uint64_t *capacity, size_t size)
{
    *capacity = *capacity ? 2 * *capacity : 64;
    memory = realloc(memory, *capacity * size);
    if (!memory)
        check_machine("no memory for the heap of events");
    return memory;
}

static bool before(const struct heap_entry *a, const struct heap_entry *b)
{
    if (a->time != b->time)
        return a->time < b->time;
    return a->event.id < b->event.id;
}

event_handle heap_push(struct heap *h, int64_t time_ns, uint8_t type, uint32_t target,
                       uint16_t argument)
{
    CHECK(time_ns >= h->now);
    if (h->count == h->capacity)
        h->entries = grown(h->entries, &h->capacity, sizeof *h->entries);
    uint64_t id = ++h->pushed;
    if (id >= h->pending_capacity)
        h->pending = grown(h->pending, &h->pending_capacity, sizeof *h->pending);
    h->pending[id] = 1;
    h->pending_count++;

    struct heap_entry entry = {
        .time = time_ns,
        .event = {.id = id, .target = target, .argument = argument, .type = type},
    };
    uint64_t i = h->count++;
    while (i > 0 && before(&entry, &h->entries[(i - 1) / 2])) {
        h->entries[i] = h->entries[(i - 1) / 2];
        i = (i - 1) / 2;
    }
    h->entries[i] = entry;
    return id;
}

void heap_cancel(struct heap *h, event_handle id)
{
    if (!id || !h->pending[id])
        return;
    h->pending[id] = 0;
    h->pending_count--;
}

static void remove_top(struct heap *h)
{
    struct heap_entry last = h->entries[--h->count];
    uint64_t i = 0;
    for (;;) {
        uint64_t child = 2 * i + 1;
        if (child >= h->count)
            break;
        if (child + 1 < h->count && before(&h->entries[child + 1], &h->entries[child]))
            child++;
        if (before(&last, &h->entries[child]))
            break;
        h->entries[i] = h->entries[child];
        i = child;
    }
    h->entries[i] = last;
}

bool heap_pop(struct heap *h, struct event *out, int64_t until_ns)
{
    while (h->count && h->entries[0].time <= until_ns) {
        struct heap_entry top = h->entries[0];
        remove_top(h);
        if (!h->pending[top.event.id])
            continue;
        h->pending[top.event.id] = 0;
        h->pending_count--;
        h->popped++;
        h->now = top.time;
        *out = top.event;
        return true;
    }
    return false;
}

uint64_t heap_count(const struct heap *h)
{
    return h->pending_count;
}
