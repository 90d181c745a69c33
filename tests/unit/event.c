/* The event queue against its oracle, a binary heap: random programs of push, cancel and pop must
 * hand out the same events at the same times from both. Then the cases that a random program meets
 * seldom, the limits, and the cost of the two patterns that make simpler queues quadratic. */
#include "engine/kernel/event.h"

#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "tests/suite.h"

enum { REMEMBERED = 4096 };

struct twins {
    struct queue queue;
    struct heap heap;
    uint64_t random;
    uint32_t labels; /* events pushed so far; an event's target is its label */
    event_handle in_queue[REMEMBERED], in_heap[REMEMBERED]; /* of the latest, by label */
    unsigned classes;                                       /* bit i: delays of class i are used */
};

static uint64_t draw(struct twins *t, uint64_t bound)
{
    t->random ^= t->random << 13;
    t->random ^= t->random >> 7;
    t->random ^= t->random << 17;
    return (t->random >> 11) % bound;
}

static struct twins *twins_new(uint64_t seed)
{
    struct twins *t = calloc(1, sizeof *t);
    event_queue_init(&t->queue);
    heap_init(&t->heap);
    t->random = seed * 0x9e3779b97f4a7c15 + 1;
    for (int i = 0; i < 8; i++)
        draw(t, 2);
    return t;
}

static void twins_free(struct twins *t)
{
    event_queue_free(&t->queue);
    heap_free(&t->heap);
    free(t);
}

static int64_t later(int64_t now, int64_t delay)
{
    return delay > INT64_MAX - now ? INT64_MAX : now + delay;
}

static void push(struct twins *t, int64_t time)
{
    uint32_t label = ++t->labels;
    uint8_t type = (uint8_t)draw(t, 256);
    uint16_t argument = (uint16_t)draw(t, 65536);
    if (time == t->queue.now && label % 2) { /* it cannot be cancelled */
        t->in_queue[label % REMEMBERED] = event_push_now(&t->queue, type, label);
        t->in_heap[label % REMEMBERED] = 0;
        heap_push(&t->heap, time, type, label, 0);
        return;
    }
    t->in_queue[label % REMEMBERED] = event_push(&t->queue, time, type, label, argument);
    t->in_heap[label % REMEMBERED] = heap_push(&t->heap, time, type, label, argument);
}

static void cancel(struct twins *t, uint32_t label)
{
    event_cancel(&t->queue, t->in_queue[label % REMEMBERED]);
    heap_cancel(&t->heap, t->in_heap[label % REMEMBERED]);
}

/* One pop of both: 1 = the same event, 0 = none from both, -1 = they differ. */
static int pop(struct twins *t, int64_t until)
{
    struct event a = {0}, b = {0};
    bool from_queue = event_pop(&t->queue, &a, until);
    bool from_heap = heap_pop(&t->heap, &b, until);
    if (from_queue != from_heap || t->queue.now != t->heap.now ||
        t->queue.popped != t->heap.popped || event_count(&t->queue) != heap_count(&t->heap))
        return -1;
    if (a.target != b.target || a.type != b.type || a.argument != b.argument)
        return -1;
    return from_queue;
}

/* True: both gave the same events to the end and are empty. */
static bool drain(struct twins *t)
{
    int same;
    while ((same = pop(t, INT64_MAX)) == 1)
        continue;
    return same == 0 && event_count(&t->queue) == 0;
}

static int64_t draw_delay(struct twins *t)
{
    unsigned class;
    do
        class = (unsigned)draw(t, 10);
    while (!(t->classes >> class & 1));
    switch (class) {
    case 0:
        return 0;
    case 1:
        return 1 + (int64_t)draw(t, 3);
    case 2:
        return 255 + (int64_t)draw(t, 3);
    case 3:
        return (int64_t)draw(t, 1 << 16);
    case 4:
        return (1 << 16) - 1 + (int64_t)draw(t, 3);
    case 5:
        return (int64_t)draw(t, 1 << 28);
    case 6:
        return (int64_t)draw(t, 1ull << 38);
    case 7:
        return (int64_t)(1ull << 38) - 1 + (int64_t)draw(t, 3);
    case 8:
        return 62 + (int64_t)draw(t, 4);
    default:
        class = (unsigned)draw(t, 3);
        return t->queue.now > INT64_MAX - 3 ? 0 : INT64_MAX - class - t->queue.now;
    }
}

/* Pops `count` events at most and pushes as a handler would; false: the twins differ. */
static bool pop_some(struct twins *t, uint64_t count, int64_t until)
{
    for (uint64_t i = 0; i < count; i++) {
        int same = pop(t, until);
        if (same < 0)
            return false;
        if (same == 0)
            return true;
        if (draw(t, 2))
            push(t, later(t->queue.now, draw_delay(t)));
        if (!draw(t, 4))
            push(t, t->queue.now);
    }
    return true;
}

static bool step(struct twins *t)
{
    int64_t now = t->queue.now;
    uint64_t action = draw(t, 64);
    if (action < 24) {
        push(t, later(now, draw_delay(t)));
    } else if (action < 30) {
        cancel(t, t->labels - (uint32_t)draw(t, REMEMBERED));
    } else if (action < 34) {
        cancel(t, t->labels - (uint32_t)draw(t, 8));
    } else if (action == 34) {
        int64_t time = later(now, draw_delay(t));
        for (int i = 0; i < 300; i++)
            push(t, time);
    } else if (action == 35) {
        for (uint32_t i = 0; i < REMEMBERED; i++)
            if (draw(t, 2))
                cancel(t, i);
    } else if (action == 36 && !draw(t, 8)) {
        for (uint32_t i = 0; i < REMEMBERED; i++)
            cancel(t, i);
    } else if (action == 37) {
        for (uint64_t i = draw(t, 200); i > 0; i--)
            push(t, later(now, draw_delay(t)));
    } else if (action == 38) {
        return pop_some(t, 500, later(now, draw_delay(t)));
    } else if (action == 39) {
        return pop(t, now - 1) == 0;
    } else if (action < 48) {
        return pop_some(t, 20, later(now, draw_delay(t)));
    } else if (action < 52) {
        return pop_some(t, draw(t, 8), now);
    } else {
        return pop_some(t, draw(t, 8), later(now, 1ll << 40));
    }
    return event_count(&t->queue) == heap_count(&t->heap);
}

static bool program_agrees(uint64_t seed)
{
    static const uint32_t bottom_limits[] = {2, 3, 4, 7, 16, 24, 32};
    static const uint32_t stale_slacks[] = {0, 5, 100, 1 << 16};
    struct twins *t = twins_new(seed);
    t->queue.bottom_limit = bottom_limits[draw(t, 7)];
    t->queue.stale_slack = stale_slacks[draw(t, 4)];
    do
        t->classes = (unsigned)(draw(t, 1024) & (draw(t, 2) ? draw(t, 1024) : 1023));
    while (!t->classes);
    bool agree = true;
    int steps = draw(t, 4) ? 200 : 2000;
    for (int i = 0; i < steps && agree && event_count(&t->queue) < 20000; i++)
        agree = step(t);
    agree = agree && drain(t);
    twins_free(t);
    if (!agree)
        printf("the program of seed %llu differs\n", (unsigned long long)seed);
    return agree;
}

static void random_programs_pop_the_same_from_the_queue_and_the_heap(void)
{
    int different = 0;
    for (uint64_t seed = 1; seed <= 1500 && different < 5; seed++)
        different += !program_agrees(seed);
    CU_ASSERT_EQUAL(different, 0);
}

static void events_of_one_instant_pop_in_the_order_they_were_pushed(void)
{
    struct queue *q = malloc(sizeof *q);
    event_queue_init(q);
    /* 300 for one time, pushed from afar, from nearer, and from the very instant. */
    for (uint32_t i = 0; i < 100; i++)
        event_push(q, 1000000, 0, i, 0);
    event_push(q, 999999, 1, 0, 0);
    struct event e;
    CU_ASSERT(event_pop(q, &e, INT64_MAX) && e.type == 1);
    for (uint32_t i = 100; i < 200; i++)
        event_push(q, 1000000, 0, i, 0);
    uint32_t in_order = 0;
    for (uint32_t i = 0; i < 300; i++) {
        in_order += event_pop(q, &e, INT64_MAX) && e.target == i && q->now == 1000000;
        if (i < 100)
            event_push(q, 1000000, 0, 200 + i, 0);
    }
    CU_ASSERT_EQUAL(in_order, 300);
    CU_ASSERT_FALSE(event_pop(q, &e, INT64_MAX));
    event_queue_free(q);
    free(q);
}

static void ties_at_now_stay_ahead_of_events_pushed_at_now_when_the_bottom_overflows(void)
{
    struct twins *t = twins_new(1);
    t->queue.bottom_limit = 4;
    for (int i = 0; i < 4; i++)
        push(t, 10);
    CU_ASSERT_EQUAL(pop(t, INT64_MAX), 1);
    push(t, 10);
    for (int i = 0; i < 20; i++)
        push(t, 11 + i % 3);
    CU_ASSERT(drain(t));
    twins_free(t);
}

static void a_search_in_vain_does_not_disturb_events_pushed_before_the_place_it_reached(void)
{
    struct twins *t = twins_new(1);
    t->queue.bottom_limit = 4;
    /* Two events that leave the bottom empty, then twenty in one far bucket, so that the search
     * deals it out, and none before `until`. */
    push(t, 1);
    push(t, 1);
    for (int i = 0; i < 20; i++)
        push(t, 0x12345000 + 16 * i);
    CU_ASSERT_EQUAL(pop(t, 1), 1);
    CU_ASSERT_EQUAL(pop(t, 1), 1);
    CU_ASSERT_EQUAL(pop(t, 0x12345000 - 1), 0);
    CU_ASSERT_EQUAL(t->queue.now, 1);
    CU_ASSERT(t->queue.base > 1); /* It did search. */
    for (int i = 0; i < 40; i++)
        push(t, 2 + 0x01000000 * (int64_t)(i * 7 % 20));
    push(t, 0x12345001);
    CU_ASSERT(drain(t));
    twins_free(t);
}

static void a_pop_that_reaches_nothing_keeps_the_time_and_loses_nothing(void)
{
    struct twins *t = twins_new(1);
    push(t, 5);
    push(t, 100);
    CU_ASSERT_EQUAL(pop(t, 4), 0);
    CU_ASSERT_EQUAL(pop(t, 50), 1);
    CU_ASSERT_EQUAL(pop(t, 99), 0);
    CU_ASSERT_EQUAL(t->queue.now, 5);
    CU_ASSERT_EQUAL(event_count(&t->queue), 1);
    push(t, 6);
    CU_ASSERT_EQUAL(pop(t, 100), 1);
    CU_ASSERT_EQUAL(t->queue.now, 6);
    CU_ASSERT_EQUAL(pop(t, 100), 1);
    CU_ASSERT_EQUAL(t->queue.now, 100);
    twins_free(t);
}

static void cancelling_is_exact_even_when_the_slot_is_used_again(void)
{
    struct queue *q = malloc(sizeof *q);
    event_queue_init(q);
    struct event e;
    event_cancel(q, 0);
    CU_ASSERT_FALSE(event_pending(q, 0));
    event_handle first = event_push(q, 10, 1, 1, 0);
    CU_ASSERT(event_pending(q, first));
    event_cancel(q, first);
    CU_ASSERT_FALSE(event_pending(q, first));
    event_handle second = event_push(q, 10, 1, 2, 0);
    CU_ASSERT_EQUAL(second & EVENT_SLOT_MASK, first & EVENT_SLOT_MASK);
    event_cancel(q, first);
    CU_ASSERT(event_pending(q, second));
    CU_ASSERT_EQUAL(event_count(q), 1);
    CU_ASSERT(event_pop(q, &e, INT64_MAX) && e.target == 2 && e.id == second);
    event_cancel(q, second);
    CU_ASSERT_EQUAL(event_count(q), 0);
    CU_ASSERT_FALSE(event_pop(q, &e, INT64_MAX));
    event_queue_free(q);
    free(q);
}

static double processor_seconds(void)
{
    return (double)clock() / CLOCKS_PER_SEC;
}

static void many_events_of_one_instant_that_each_spawn_two_cost_linear_time(void)
{
    /* A quadratic queue takes minutes here, a linear one some milliseconds. */
    enum { MANY = 200000 };
    struct queue *q = malloc(sizeof *q);
    event_queue_init(q);
    double start = processor_seconds();
    for (uint32_t i = 0; i < MANY; i++)
        event_push(q, 1000, 0, i, 0);
    struct event e;
    uint64_t spawned = 0;
    while (event_pop(q, &e, INT64_MAX)) {
        if (e.type)
            continue;
        event_push(q, q->now, 1, 0, 0);
        event_push(q, q->now + 1, 1, 0, 0);
        spawned += 2;
    }
    CU_ASSERT_EQUAL(spawned, 2 * MANY);
    CU_ASSERT_EQUAL(q->popped, 3 * MANY);
    CU_ASSERT(processor_seconds() - start < 5);
    event_queue_free(q);
    free(q);
}

static void cancelled_timeouts_do_not_pile_up_in_memory(void)
{
    struct queue *q = malloc(sizeof *q);
    event_queue_init(q);
    struct event e;
    for (uint32_t i = 0; i < 100; i++)
        event_push(q, i, 0, i, 0);
    for (int i = 0; i < 3000000; i++) {
        CU_ASSERT_FATAL(event_pop(q, &e, INT64_MAX));
        event_cancel(q, event_push(q, q->now + 3600000000000, 1, 0, 0));
        event_push(q, q->now + 100, 0, 0, 0);
        if (i % 3 == 0)
            event_cancel(q, event_push(q, q->now, 1, 0, 0));
    }
    CU_ASSERT_EQUAL(event_count(q), 100);
    CU_ASSERT(q->stale <= (1 << 16) + 4 * 100);
    CU_ASSERT(q->slot_capacity <= 1024);
    CU_ASSERT((uint64_t)q->chunk_capacity * EVENT_CHUNK <= 1 << 18);
    CU_ASSERT(q->ring_mask < 1 << 18);
    event_queue_free(q);
    free(q);
}

/* Runs `act` in a child; its exit code, and what it wrote to stderr in `text`. */
static int exit_code_of(void (*act)(struct queue *), char *text, size_t size)
{
    int ends[2];
    if (pipe(ends))
        return -1;
    fflush(NULL);
    pid_t child = fork();
    if (child == 0) {
        dup2(ends[1], STDERR_FILENO);
        struct queue *q = malloc(sizeof *q);
        event_queue_init(q);
        act(q);
        _exit(0);
    }
    close(ends[1]);
    size_t length = 0;
    ssize_t got;
    while (length + 1 < size && (got = read(ends[0], text + length, size - 1 - length)) > 0)
        length += (size_t)got;
    text[length] = 0;
    close(ends[0]);
    int status = 0;
    waitpid(child, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void use_every_slot(struct queue *q)
{
    q->slot_capacity = 1 << 24;
    q->slot_free = 0;
    event_push(q, 1, 0, 0, 0);
}

static void push_into_the_past(struct queue *q)
{
    struct event e;
    event_push(q, 10, 0, 0, 0);
    event_pop(q, &e, 10);
    event_push(q, 9, 0, 0, 0);
}

static void the_limits_of_the_fields_end_the_run_with_a_message_for_users(void)
{
    char text[512];
    CU_ASSERT_EQUAL(exit_code_of(use_every_slot, text, sizeof text), 3);
    CU_ASSERT_PTR_NOT_NULL(strstr(text, "orrery: more than 16777215 events are pending"));
    CU_ASSERT_EQUAL(exit_code_of(push_into_the_past, text, sizeof text), 70);
    CU_ASSERT_PTR_NOT_NULL(strstr(text, "time_ns >= q->now"));
}

static void the_last_nanosecond_of_time_is_a_time_like_any_other(void)
{
    struct twins *t = twins_new(1);
    for (int i = 0; i < 200; i++)
        push(t, INT64_MAX - i % 3);
    CU_ASSERT_EQUAL(pop(t, INT64_MAX - 3), 0);
    for (int i = 0; i < 150; i++)
        CU_ASSERT_EQUAL(pop(t, INT64_MAX), 1);
    CU_ASSERT_EQUAL(t->queue.now, INT64_MAX);
    push(t, INT64_MAX);
    CU_ASSERT(drain(t));
    twins_free(t);
}

SUITE("the event queue", TEST(random_programs_pop_the_same_from_the_queue_and_the_heap),
      TEST(events_of_one_instant_pop_in_the_order_they_were_pushed),
      TEST(ties_at_now_stay_ahead_of_events_pushed_at_now_when_the_bottom_overflows),
      TEST(a_search_in_vain_does_not_disturb_events_pushed_before_the_place_it_reached),
      TEST(a_pop_that_reaches_nothing_keeps_the_time_and_loses_nothing),
      TEST(cancelling_is_exact_even_when_the_slot_is_used_again),
      TEST(many_events_of_one_instant_that_each_spawn_two_cost_linear_time),
      TEST(cancelled_timeouts_do_not_pile_up_in_memory),
      TEST(the_limits_of_the_fields_end_the_run_with_a_message_for_users),
      TEST(the_last_nanosecond_of_time_is_a_time_like_any_other))
