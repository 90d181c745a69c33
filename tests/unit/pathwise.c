/* The pathwise oracle: for every request that went through a station, the departure is computed
 * anew from all (arrival, work) by the plainest program there is for the discipline, and must be
 * equal to the nanosecond. No statistics, no tolerance: a path is right or wrong.
 *
 * Processor sharing is computed in real time, and a departure told at the next whole nanosecond;
 * the rounding of long double, or of the model's fractions, may move one by 1 ns. */
#include "tests/suite.h"
#include "tests/trace.h"

#include <math.h>

enum { REQUESTS = 100000, SERVERS = 4, LIFO_ABOVE = 3 };

struct shape {
    enum station_discipline discipline;
    uint64_t slots, queue;
    struct distribution gap, work;
    int64_t grid, patience; /* ns; patience 0: none */
};

/* A source and a desk; two kinds of operation, the second with the higher priority. */
static void play_desk(const struct shape *shape, uint64_t seed, struct trace *t)
{
    struct world w;
    world_open(&w, 0, INT64_C(1) << 60);
    world_operation(&w, "gold", OPERATION_UNTYPED);
    struct service_config plain = world_service();
    plain.station.discipline = (uint8_t)shape->discipline;
    plain.station.slots = shape->slots;
    plain.station.queue = shape->queue;
    plain.station.time = shape->work;
    plain.station.lifo_above = LIFO_ABOVE;
    plain.station.patience = world_constant(shape->patience);
    struct service_config gold = plain;
    gold.station.priority = 1;
    world_add(&w, "desk", &service_kind, 1, &plain);
    world_override(&w, "desk", 1, &gold);
    struct source_config source = {shape->gap, shape->grid, REQUESTS, world_pool(&w, "desk")};
    world_add(&w, "users", &source_kind, 1, &source);
    t->node = "desk";
    trace_play(&w, seed, t);
    world_close(&w);
}

static struct shape shape_of(enum station_discipline discipline, uint64_t slots)
{
    struct shape s = {.discipline = discipline,
                      .slots = slots,
                      .queue = COUNT_UNLIMITED,
                      .gap = world_exp(10 * MILLISECOND / (int64_t)slots),
                      .grid = 1};
    s.work = world_exp(9 * MILLISECOND);
    return s;
}

/* Squared coefficient of variation 4 for both gaps and work: neither is exponential. */
static void make_rough(struct shape *s)
{
    const char *why;
    double gap = (double)s->gap.mean;
    CHECK(distribution_make_lognormal(&s->gap, gap, 2 * gap, &why));
    CHECK(distribution_make_lognormal(&s->work, 8e6, 16e6, &why));
}

/* Departures by the oracle beside those of the run; a difference of more than `slack` ns fails. */
static void compare(const struct trace *t, const int64_t *leave, int64_t slack)
{
    uint64_t wrong = 0;
    CU_ASSERT_EQUAL(t->count, REQUESTS);
    for (uint64_t i = 0; i < t->count; i++)
        wrong += !t->visits[i].left || llabs(t->visits[i].leave - leave[i]) > slack;
    CU_ASSERT_EQUAL(wrong, 0);
}

static int64_t *departures(const struct trace *t)
{
    return trace_grow(NULL, t->count, sizeof(int64_t));
}

/* ---- first come, first served ---- */

/* Lindley 1952: a request begins when the one before has left, or at once. */
static void lindley(const struct trace *t, int64_t *leave)
{
    int64_t free_at = 0;
    for (uint64_t i = 0; i < t->count; i++) {
        const struct visit *v = &t->visits[i];
        free_at = (v->arrive > free_at ? v->arrive : free_at) + v->work;
        leave[i] = free_at;
    }
}

static void judge_lindley(struct shape shape, uint64_t seed)
{
    struct trace t = {0};
    play_desk(&shape, seed, &t);
    int64_t *leave = departures(&t);
    lindley(&t, leave);
    compare(&t, leave, 0);
    free(leave);
    trace_free(&t);
}

static void one_server_first_come_first_served_obeys_lindley(void)
{
    struct shape shape = shape_of(STATION_FIFO, 1);
    judge_lindley(shape, 1);
    make_rough(&shape);
    judge_lindley(shape, 2);
}

static void ties_on_a_grid_of_a_millisecond_change_nothing(void)
{
    struct shape shape = shape_of(STATION_FIFO, 1);
    shape.grid = MILLISECOND;
    shape.work = world_constant(8 * MILLISECOND);
    judge_lindley(shape, 3);
}

/* Kiefer and Wolfowitz 1955: the vector of what each server still has to do, sorted. */
static void four_servers_obey_kiefer_and_wolfowitz(void)
{
    for (int round = 0; round < 2; round++) {
        struct shape shape = shape_of(STATION_FIFO, SERVERS);
        if (round)
            make_rough(&shape);
        struct trace t = {0};
        play_desk(&shape, 4, &t);
        int64_t free_at[SERVERS] = {0}, *leave = departures(&t);
        for (uint64_t i = 0; i < t.count; i++) {
            int first = 0;
            for (int k = 1; k < SERVERS; k++)
                if (free_at[k] < free_at[first])
                    first = k;
            int64_t begin =
                t.visits[i].arrive > free_at[first] ? t.visits[i].arrive : free_at[first];
            free_at[first] = leave[i] = begin + t.visits[i].work;
        }
        compare(&t, leave, 0);
        free(leave);
        trace_free(&t);
    }
}

/* ---- one server, any order: a program that looks at everyone present at every step ---- */

struct naive {
    const struct trace *trace;
    enum station_discipline discipline;
    int64_t *left; /* work, by visit */
    uint64_t *inside, count;
};

/* Whether visit a is to be served before visit b. */
static bool before(const struct naive *n, uint64_t a, uint64_t b)
{
    const struct visit *x = &n->trace->visits[a], *y = &n->trace->visits[b];
    switch (n->discipline) {
    case STATION_LIFO:
        return a > b;
    case STATION_ADAPTIVE_LIFO: /* asked when the slot is free: all inside wait */
        return n->count > LIFO_ABOVE ? a > b : a < b;
    case STATION_RANDOM:
        return x->rank < y->rank;
    case STATION_PRIORITY:
    case STATION_PREEMPTIVE_PRIORITY:
        return x->operation != y->operation ? x->operation > y->operation : a < b;
    case STATION_SHORTEST_REMAINING:
        return n->left[a] != n->left[b] ? n->left[a] < n->left[b] : a < b;
    case STATION_FIFO:
    case STATION_PROCESSOR_SHARING:
        break;
    }
    return a < b;
}

static uint64_t first_inside(const struct naive *n)
{
    uint64_t best = 0;
    for (uint64_t k = 1; k < n->count; k++)
        if (before(n, n->inside[k], n->inside[best]))
            best = k;
    return best;
}

static bool interrupts(const struct naive *n, uint64_t newcomer, uint64_t served)
{
    bool preempts =
        n->discipline == STATION_PREEMPTIVE_PRIORITY || n->discipline == STATION_SHORTEST_REMAINING;
    return preempts && before(n, newcomer, served);
}

static void serve_naively(struct naive *n, int64_t *leave)
{
    const struct visit *visits = n->trace->visits;
    uint64_t next = 0, serving = 0;
    int64_t now = 0;
    bool busy = false;
    while (next < n->trace->count || n->count) {
        if (!n->count) {
            now = visits[next].arrive;
            n->inside[n->count++] = next++;
        }
        if (!busy)
            serving = first_inside(n);
        busy = true;
        uint64_t job = n->inside[serving];
        if (next < n->trace->count && visits[next].arrive < now + n->left[job]) {
            n->left[job] -= visits[next].arrive - now;
            now = visits[next].arrive;
            if (interrupts(n, next, job))
                serving = n->count;
            n->inside[n->count++] = next++;
        } else {
            now += n->left[job];
            leave[job] = now;
            n->inside[serving] = n->inside[--n->count];
            busy = false;
        }
    }
}

static void judge_naively(enum station_discipline discipline, uint64_t seed)
{
    for (int round = 0; round < 2; round++) {
        struct shape shape = shape_of(discipline, 1);
        if (round)
            make_rough(&shape);
        struct trace t = {0};
        play_desk(&shape, seed, &t);
        struct naive n = {.trace = &t, .discipline = discipline};
        n.left = departures(&t);
        n.inside = trace_grow(NULL, t.count, sizeof *n.inside);
        for (uint64_t i = 0; i < t.count; i++)
            n.left[i] = t.visits[i].work;
        int64_t *leave = departures(&t);
        serve_naively(&n, leave);
        compare(&t, leave, 0);
        free(leave);
        free(n.left);
        free(n.inside);
        trace_free(&t);
    }
}

static void last_come_first_served_is_exact(void)
{
    judge_naively(STATION_LIFO, 5);
}

static void adaptive_lifo_is_exact(void)
{
    judge_naively(STATION_ADAPTIVE_LIFO, 12);
}

/* The order is the run's own; that nobody is idle or late under it is what is judged. */
static void random_order_is_exact_given_the_order(void)
{
    judge_naively(STATION_RANDOM, 6);
}

static void priority_is_exact(void)
{
    judge_naively(STATION_PRIORITY, 7);
}

static void preemptive_priority_resumes_exactly(void)
{
    judge_naively(STATION_PREEMPTIVE_PRIORITY, 8);
}

static void shortest_remaining_is_exact(void)
{
    judge_naively(STATION_SHORTEST_REMAINING, 9);
}

/* ---- processor sharing ---- */

struct share {
    long double left; /* ns of work */
    uint64_t visit;
};

/* In real time: an instant is whole nanoseconds and a fraction. Arrivals are whole, departures are
 * told at the next whole nanosecond, but whoever has finished shares no longer. */
static void share_naively(const struct trace *t, uint64_t slots, int64_t *leave)
{
    struct share *inside = trace_grow(NULL, t->count, sizeof *inside);
    uint64_t count = 0, next = 0;
    long double now = 0;
    while (next < t->count || count) {
        long double rate = count > slots ? (long double)slots / (long double)count : 1;
        uint64_t least = 0;
        for (uint64_t k = 1; k < count; k++)
            if (inside[k].left < inside[least].left)
                least = k;
        long double then = count ? now + inside[least].left / rate : INFINITY;
        bool arrival = next < t->count && (long double)t->visits[next].arrive < then;
        if (arrival)
            then = (long double)t->visits[next].arrive;
        for (uint64_t k = 0; k < count; k++)
            inside[k].left -= (then - now) * rate;
        now = then;
        if (arrival) {
            inside[count++] = (struct share){(long double)t->visits[next].work, next};
            next++;
        } else {
            leave[inside[least].visit] = (int64_t)ceill(now);
            inside[least] = inside[--count];
        }
    }
    free(inside);
}

static void processor_sharing_is_exact(void)
{
    for (int round = 0; round < 4; round++) {
        struct shape shape = shape_of(STATION_PROCESSOR_SHARING, round & 1 ? 3 : 1);
        if (round & 2)
            make_rough(&shape);
        struct trace t = {0};
        play_desk(&shape, 10, &t);
        int64_t *leave = departures(&t);
        share_naively(&t, shape.slots, leave);
        compare(&t, leave, 1);
        free(leave);
        trace_free(&t);
    }
}

/* ---- who is not served ---- */

static void a_full_queue_turns_away_exactly_those_it_has_no_place_for(void)
{
    struct shape shape = shape_of(STATION_FIFO, 1);
    shape.queue = 5;
    struct trace t = {0};
    play_desk(&shape, 11, &t);
    int64_t *leave = departures(&t), free_at = 0;
    uint64_t wrong = 0, refused = 0, first = 0;
    for (uint64_t i = 0; i < t.count; i++) {
        const struct visit *v = &t.visits[i];
        uint64_t inside = 0;
        while (first < i && leave[first] <= v->arrive)
            first++;
        for (uint64_t k = first; k < i; k++)
            inside += leave[k] > v->arrive;
        bool full = inside >= 6;
        refused += full;
        leave[i] = v->arrive;
        if (!full)
            leave[i] = free_at = (v->arrive > free_at ? v->arrive : free_at) + v->work;
        wrong += full != (v->work < 0);
    }
    CU_ASSERT(refused > 1000);
    CU_ASSERT_EQUAL(wrong, 0);
    compare(&t, leave, 0);
    free(leave);
    trace_free(&t);
}

/* Who would wait longer than the patience leaves when it is used up, and costs nothing. */
static void patience_ends_waits_exactly(void)
{
    struct shape shape = shape_of(STATION_FIFO, 1);
    shape.patience = 30 * MILLISECOND;
    struct trace t = {0};
    play_desk(&shape, 12, &t);
    int64_t *leave = departures(&t), free_at = 0;
    uint64_t wrong = 0, gone = 0;
    for (uint64_t i = 0; i < t.count; i++) {
        const struct visit *v = &t.visits[i];
        int64_t begin = v->arrive > free_at ? v->arrive : free_at;
        bool leaves = begin - v->arrive > shape.patience;
        gone += leaves;
        leave[i] = v->arrive + shape.patience;
        if (!leaves)
            leave[i] = free_at = begin + v->work;
        wrong += leaves != (v->work < 0);
    }
    CU_ASSERT(gone > 1000);
    CU_ASSERT_EQUAL(wrong, 0);
    compare(&t, leave, 0);
    free(leave);
    trace_free(&t);
}

SUITE("pathwise", TEST(one_server_first_come_first_served_obeys_lindley),
      TEST(ties_on_a_grid_of_a_millisecond_change_nothing),
      TEST(four_servers_obey_kiefer_and_wolfowitz), TEST(adaptive_lifo_is_exact),
      TEST(last_come_first_served_is_exact), TEST(random_order_is_exact_given_the_order),
      TEST(priority_is_exact), TEST(preemptive_priority_resumes_exactly),
      TEST(shortest_remaining_is_exact), TEST(processor_sharing_is_exact),
      TEST(a_full_queue_turns_away_exactly_those_it_has_no_place_for),
      TEST(patience_ends_waits_exactly))
