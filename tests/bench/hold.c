/* The hold model: with n events pending, pop the first and push one at an exponential delay; the
 * nanoseconds of one hold for the event queue, for its oracle and for the bare loop that only draws
 * the delay and writes the event to a random place. "Half cancelled": every other hold also cancels
 * one of n/2 timeouts and arms it anew, so that half of what is pushed never happens.
 *
 *     build/release/tests/bench/hold [holds per measurement, default 2000000]
 *
 * Judge by the ratio to the bare loop: the machine may be shared. The least of three is printed.
 * The mean delay is 10 ms, so a million pending events still stand 10 ns apart. */
#include "engine/kernel/event.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { DELAYS = 4096, MEAN_NS = 10000000, REPEATS = 3 };

struct bench {
    uint64_t random;
    int64_t delays[DELAYS];
    struct queue queue;
    struct heap heap;
    struct event *places; /* the bare loop's n events */
    event_handle *timeouts;
};

typedef uint64_t hold_function(struct bench *b, uint32_t pending, uint64_t holds);

static uint64_t draw(struct bench *b)
{
    b->random ^= b->random << 13;
    b->random ^= b->random >> 7;
    b->random ^= b->random << 17;
    return b->random;
}

/* Exponential delays from a table of quantiles, spread by the low bits: cheap and good enough. */
static int64_t draw_delay(struct bench *b)
{
    uint64_t bits = draw(b);
    return b->delays[bits >> 52] + (int64_t)(bits & 127) + 1;
}

static double seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static uint64_t hold_bare(struct bench *b, uint32_t pending, uint64_t holds)
{
    uint64_t sum = 0;
    for (uint64_t i = 0; i < holds; i++) {
        int64_t delay = draw_delay(b);
        struct event *e = &b->places[(uint64_t)(uint32_t)b->random * pending >> 32];
        sum += e->target;
        *e = (struct event){.id = (uint64_t)delay, .target = (uint32_t)i, .type = 1};
    }
    return sum;
}

static uint64_t hold_queue(struct bench *b, uint32_t pending, uint64_t holds)
{
    struct queue *q = &b->queue;
    struct event e = {0};
    uint64_t sum = 0;
    (void)pending;
    for (uint64_t i = 0; i < holds; i++) {
        event_pop(q, &e, INT64_MAX);
        sum += e.target;
        event_push(q, q->now + draw_delay(b), 1, e.target, 0);
    }
    return sum;
}

static uint64_t hold_heap(struct bench *b, uint32_t pending, uint64_t holds)
{
    struct heap *h = &b->heap;
    struct event e = {0};
    uint64_t sum = 0;
    (void)pending;
    for (uint64_t i = 0; i < holds; i++) {
        heap_pop(h, &e, INT64_MAX);
        sum += e.target;
        heap_push(h, h->now + draw_delay(b), 1, e.target, 0);
    }
    return sum;
}

/* A timeout is far (ten mean delays) and seldom happens; if it does, it is armed anew. */
static uint64_t hold_queue_cancelling(struct bench *b, uint32_t pending, uint64_t holds)
{
    struct queue *q = &b->queue;
    struct event e = {0};
    uint64_t sum = 0;
    uint32_t timeouts = pending / 2;
    for (uint64_t i = 0; i < holds; i++) {
        event_pop(q, &e, INT64_MAX);
        sum += e.target;
        if (UNLIKELY(e.type == 2)) {
            b->timeouts[e.target] = event_push(q, q->now + 10 * MEAN_NS, 2, e.target, 0);
            continue;
        }
        event_push(q, q->now + draw_delay(b), 1, e.target, 0);
        if (i % 2) {
            uint32_t which = (uint32_t)((uint64_t)(uint32_t)b->random * timeouts >> 32);
            event_cancel(q, b->timeouts[which]);
            b->timeouts[which] = event_push(q, q->now + 10 * MEAN_NS, 2, which, 0);
        }
    }
    return sum;
}

static uint64_t hold_heap_cancelling(struct bench *b, uint32_t pending, uint64_t holds)
{
    struct heap *h = &b->heap;
    struct event e = {0};
    uint64_t sum = 0;
    uint32_t timeouts = pending / 2;
    for (uint64_t i = 0; i < holds; i++) {
        heap_pop(h, &e, INT64_MAX);
        sum += e.target;
        if (UNLIKELY(e.type == 2)) {
            b->timeouts[e.target] = heap_push(h, h->now + 10 * MEAN_NS, 2, e.target, 0);
            continue;
        }
        heap_push(h, h->now + draw_delay(b), 1, e.target, 0);
        if (i % 2) {
            uint32_t which = (uint32_t)((uint64_t)(uint32_t)b->random * timeouts >> 32);
            heap_cancel(h, b->timeouts[which]);
            b->timeouts[which] = heap_push(h, h->now + 10 * MEAN_NS, 2, which, 0);
        }
    }
    return sum;
}

/* Fills both with `pending` events, for the cancelling kind half of them timeouts. */
static void fill(struct bench *b, uint32_t pending, bool is_heap, bool cancelling)
{
    event_queue_init(&b->queue);
    heap_init(&b->heap);
    b->places = calloc(pending, sizeof *b->places);
    b->timeouts = calloc(pending, sizeof *b->timeouts);
    if (!b->places || !b->timeouts)
        check_machine("no memory for the benchmark");
    for (uint32_t i = 0; i < pending; i++) {
        bool is_timeout = cancelling && i < pending / 2;
        int64_t time = is_timeout ? 10 * MEAN_NS : draw_delay(b);
        uint8_t type = is_timeout ? 2 : 1;
        b->timeouts[i] = is_heap ? heap_push(&b->heap, time, type, i, 0)
                                 : event_push(&b->queue, time, type, i, 0);
    }
}

/* Nanoseconds of one hold, the least of the repeats; the first tenth only warms up. */
static double measure(struct bench *b, hold_function *hold, uint32_t pending, uint64_t holds)
{
    bool is_heap = hold == hold_heap || hold == hold_heap_cancelling;
    bool cancelling = hold == hold_queue_cancelling || hold == hold_heap_cancelling;
    fill(b, pending, is_heap, cancelling);
    uint64_t sum = hold(b, pending, 2 * pending > holds / 10 ? 2 * pending : holds / 10);
    double least = INFINITY;
    for (int i = 0; i < REPEATS; i++) {
        double start = seconds();
        sum += hold(b, pending, holds);
        double spent = seconds() - start;
        least = spent < least ? spent : least;
    }
    if (sum == 42)
        printf("\n"); /* The sum must be used, or the loops could vanish. */
    event_queue_free(&b->queue);
    heap_free(&b->heap);
    free(b->places);
    free(b->timeouts);
    return least / (double)holds * 1e9;
}

int main(int argc, char **argv)
{
    uint64_t holds = argc > 1 ? strtoull(argv[1], NULL, 10) : 2000000;
    struct bench *b = calloc(1, sizeof *b);
    if (!b || !holds)
        return 2;
    b->random = 88172645463325252;
    for (int i = 0; i < DELAYS; i++)
        b->delays[i] = (int64_t)(-log((i + 0.5) / DELAYS) * MEAN_NS);
    printf("ns per hold, least of %d times %llu\n", REPEATS, (unsigned long long)holds);
    printf("%9s %8s %8s %8s %10s %10s %12s %12s\n", "pending", "bare", "queue", "heap", "queue/2",
           "heap/2", "queue:bare", "queue/2:queue");
    for (uint32_t pending = 10; pending <= 1000000; pending *= 10) {
        double bare = measure(b, hold_bare, pending, holds);
        double queue = measure(b, hold_queue, pending, holds);
        double heap = measure(b, hold_heap, pending, holds);
        double queue_half = measure(b, hold_queue_cancelling, pending, holds);
        double heap_half = measure(b, hold_heap_cancelling, pending, holds);
        printf("%9u %8.1f %8.1f %8.1f %10.1f %10.1f %12.2f %12.2f\n", pending, bare, queue, heap,
               queue_half, heap_half, queue / bare, queue_half / queue);
        fflush(stdout);
    }
    free(b);
    return 0;
}
