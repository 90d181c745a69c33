/* The station against a naive model, pathwise: the arrivals and demands of a run are written down
 * by an observer and every departure is computed again, by scanning all requests at every step. The
 * two agree to the nanosecond (processor sharing: to one). */
#include "tests/suite.h"
#include "tests/world.h"

#include <math.h>
#include <stdlib.h>

enum { TRACED = 20000, CLASSES = 2, SEEDS = 2 };

struct trace {
    uint32_t count; /* arrivals seen */
    uint32_t served_first;
    int64_t arrived[TRACED], demand[TRACED], left[TRACED];
    uint8_t class[TRACED];
    bool served[TRACED], refused[TRACED], gone[TRACED];
    double rank_sum, rank_variance; /* of picks among those that wait, against the middle */
    uint32_t low;                   /* all before it have been served */
};

static const uint32_t DESK = 0;

static void on_arrive(void *context, const struct agent *at, const struct call *c)
{
    struct trace *t = context;
    if (at->index != DESK || c->session >= TRACED)
        return;
    t->arrived[c->session] = simulation_now(at->simulation);
    t->class[c->session] = c->operation;
    if (c->session >= t->count)
        t->count = c->session + 1;
}

static void on_serve(void *context, const struct agent *at, const struct call *c, int64_t work_ns)
{
    struct trace *t = context;
    uint32_t waiting = 0, before = 0;
    if (at->index != DESK || c->session >= TRACED)
        return;
    t->demand[c->session] = work_ns;
    while (t->low < t->count && t->served[t->low])
        t->low++;
    for (uint32_t i = t->low; i < t->count; i++) {
        waiting += !t->served[i];
        before += !t->served[i] && i < c->session;
    }
    t->served[c->session] = true;
    if (waiting > 1) {
        t->rank_sum += before - (waiting - 1) / 2.0;
        t->rank_variance += ((double)waiting * waiting - 1) / 12;
    }
}

static void on_leave(void *context, const struct agent *at, const struct call *c)
{
    struct trace *t = context;
    if (at->index != DESK || c->session >= TRACED)
        return;
    t->left[c->session] = simulation_now(at->simulation);
    t->refused[c->session] = c->flags & CALL_REJECTED;
    t->gone[c->session] = c->flags & CALL_ABANDONED;
}

/* An open loop of two classes, 3 of 10 in the second, at one desk. */
static void trace_run(struct trace *t, const struct service_config *desk, double rate,
                      uint64_t seed, double speed)
{
    struct world w;
    struct client_config first = world_client(), second;
    struct service_config urgent = *desk;
    struct observer observer = {t, on_arrive, on_leave, on_serve};
    memset(t, 0, sizeof *t);
    world_open(&w, 0, (int64_t)((TRACED + 2000) / rate * 1e9));
    world_operation(&w, "urgent", OPERATION_READ);
    world_arrivals(&w, &first, true, rate);
    first.share = 0.7;
    second = first;
    second.share = 0.3;
    urgent.station.priority = 1;
    world_add(&w, "desk", &service_kind, 1, desk);
    world_add(&w, "users", &client_kind, 1, &first);
    world_override(&w, "desk", 1, &urgent);
    world_override(&w, "users", 1, &second);
    world_instance(&w, "desk", 1)->speed = speed;
    first.to = second.to = world_pool(&w, "desk");
    struct simulation *s = world_run_observed(&w, seed, &observer);
    CU_ASSERT_EQUAL(t->count, TRACED);
    CU_ASSERT_EQUAL(s->observed_open, 0);
    simulation_free(s);
    world_close(&w);
}

/* ---- the naive model ---- */

struct job {
    uint32_t number;
    int64_t left;
    bool serving;
};

struct naive {
    const struct trace *trace;
    enum station_discipline discipline;
    uint32_t slots;
    struct job *jobs; /* in order of arrival */
    uint32_t count;
};

/* True where a goes before b, by the rule of the discipline as its definition says. */
static bool naive_before(const struct naive *n, const struct job *a, const struct job *b)
{
    const uint8_t *class = n->trace->class;
    switch (n->discipline) {
    case STATION_LIFO:
        return a->number > b->number;
    case STATION_PRIORITY:
    case STATION_PREEMPTIVE_PRIORITY:
        if (class[a->number] != class[b->number])
            return class[a->number] > class[b->number];
        break;
    case STATION_SHORTEST_REMAINING:
        if (a->left != b->left)
            return a->left < b->left;
        break;
    default:
        break;
    }
    return a->number < b->number;
}

static struct job *naive_next(struct naive *n)
{
    struct job *best = NULL;
    for (uint32_t i = 0; i < n->count; i++)
        if (!n->jobs[i].serving && (!best || naive_before(n, &n->jobs[i], best)))
            best = &n->jobs[i];
    return best;
}

/* Everyone is put out, where that is allowed, and the best are taken in. */
static void naive_fill(struct naive *n)
{
    uint32_t serving = 0;
    bool preempt =
        n->discipline == STATION_PREEMPTIVE_PRIORITY || n->discipline == STATION_SHORTEST_REMAINING;
    for (uint32_t i = 0; i < n->count; i++) {
        n->jobs[i].serving &= !preempt;
        serving += n->jobs[i].serving;
    }
    for (struct job *next; serving < n->slots && (next = naive_next(n)) != NULL; serving++)
        next->serving = true;
}

static void naive_run(const struct trace *t, enum station_discipline discipline, uint32_t slots,
                      int64_t *departures)
{
    struct naive n = {t, discipline, slots, calloc(TRACED, sizeof *n.jobs), 0};
    int64_t now = 0;
    for (uint32_t arrived = 0; arrived < TRACED || n.count;) {
        uint32_t first = UINT32_MAX;
        for (uint32_t i = 0; i < n.count; i++)
            if (n.jobs[i].serving && (first == UINT32_MAX || n.jobs[i].left < n.jobs[first].left))
                first = i;
        int64_t finish = first == UINT32_MAX ? INT64_MAX : now + n.jobs[first].left;
        bool arrival = arrived < TRACED && t->arrived[arrived] < finish;
        int64_t next = arrival ? t->arrived[arrived] : finish;
        for (uint32_t i = 0; i < n.count; i++)
            n.jobs[i].left -= n.jobs[i].serving ? next - now : 0;
        now = next;
        if (arrival) {
            n.jobs[n.count++] = (struct job){arrived, t->demand[arrived], false};
            arrived++;
        } else {
            departures[n.jobs[first].number] = now;
            n.count--;
            memmove(&n.jobs[first], &n.jobs[first + 1], (n.count - first) * sizeof *n.jobs);
        }
        naive_fill(&n);
    }
    free(n.jobs);
}

/* Processor sharing in real numbers: the instants of the departures, before rounding up. */
static void naive_sharing(const struct trace *t, uint32_t slots, long double *departures)
{
    static long double left[TRACED];
    static uint32_t number[TRACED];
    uint32_t count = 0;
    long double now = 0;
    for (uint32_t arrived = 0; arrived < TRACED || count;) {
        uint32_t first = 0;
        for (uint32_t i = 1; i < count; i++)
            if (left[i] < left[first])
                first = i;
        long double share = count > slots ? (long double)slots / count : 1;
        long double finish = count ? now + left[first] / share : 1e30L;
        bool arrival = arrived < TRACED && (long double)t->arrived[arrived] < finish;
        long double next = arrival ? (long double)t->arrived[arrived] : finish;
        for (uint32_t i = 0; i < count; i++)
            left[i] -= (next - now) * share;
        now = next;
        if (arrival) {
            left[count] = (long double)t->demand[arrived];
            number[count++] = arrived++;
        } else {
            departures[number[first]] = now;
            count--;
            memmove(&left[first], &left[first + 1], (count - first) * sizeof *left);
            memmove(&number[first], &number[first + 1], (count - first) * sizeof *number);
        }
    }
}

/* ---- the comparisons ---- */

static struct trace trace, other;
static int64_t departures[TRACED];

static struct service_config desk_of(enum station_discipline discipline, uint64_t slots)
{
    struct service_config desk = world_service();
    desk.station.slots = slots;
    desk.station.discipline = (uint8_t)discipline;
    desk.station.time = world_exp((int64_t)slots * SECOND);
    return desk;
}

/* How many requests stand in busy periods that ended before the last one traced arrived: those
 * that came after the trace ended cannot touch them. */
static uint32_t complete(const struct trace *t)
{
    uint32_t count = 0;
    int64_t last = 0;
    for (uint32_t i = 0; i < TRACED; i++) {
        if (last < t->arrived[i])
            count = i;
        if (t->left[i] > last)
            last = t->left[i];
    }
    CU_ASSERT(count > TRACED / 2);
    return count;
}

static uint32_t differences(const struct trace *t)
{
    uint32_t wrong = 0;
    for (uint32_t i = 0, count = complete(t); i < count; i++)
        wrong += t->left[i] != departures[i];
    return wrong;
}

static void compare(enum station_discipline discipline)
{
    for (uint32_t slots = 1; slots <= 4; slots += 3) {
        for (uint64_t seed = 1; seed <= SEEDS; seed++) {
            struct service_config desk = desk_of(discipline, slots);
            trace_run(&trace, &desk, 0.9, seed, 1);
            naive_run(&trace, discipline, slots, departures);
            CU_ASSERT_EQUAL(differences(&trace), 0);
        }
    }
}

static void fifo_departs_as_a_naive_model_does(void)
{
    compare(STATION_FIFO);
}

static void lifo_departs_as_a_naive_model_does(void)
{
    compare(STATION_LIFO);
}

static void priority_departs_as_a_naive_model_does(void)
{
    compare(STATION_PRIORITY);
}

static void preemptive_priority_resumes_as_a_naive_model_does(void)
{
    compare(STATION_PREEMPTIVE_PRIORITY);
}

static void shortest_remaining_departs_as_a_naive_model_does(void)
{
    compare(STATION_SHORTEST_REMAINING);
}

/* Lindley's recursion, which knows nothing of queues: D(k) = max(A(k), D(k-1)) + S(k). */
static void fifo_with_one_slot_follows_lindley(void)
{
    struct service_config desk = desk_of(STATION_FIFO, 1);
    trace_run(&trace, &desk, 0.9, 3, 1);
    int64_t last = 0;
    for (uint32_t i = 0; i < TRACED; i++) {
        last = (last > trace.arrived[i] ? last : trace.arrived[i]) + trace.demand[i];
        departures[i] = last;
    }
    CU_ASSERT_EQUAL(differences(&trace), 0);
}

static void processor_sharing_departs_as_real_numbers_say(void)
{
    static long double exact[TRACED];
    for (uint32_t slots = 1; slots <= 4; slots += 3) {
        struct service_config desk = desk_of(STATION_PROCESSOR_SHARING, slots);
        trace_run(&trace, &desk, 0.9, 1, 1);
        naive_sharing(&trace, slots, exact);
        uint32_t wrong = 0;
        for (uint32_t i = 0, count = complete(&trace); i < count; i++) {
            long double late = (long double)trace.left[i] - exact[i];
            wrong += late < -0.01L || late > 1.01L;
        }
        CU_ASSERT_EQUAL(wrong, 0);
    }
}

/* Evenly among those that wait: the sum of the ranks picked, less their mean, over its deviation
 * is standard normal (the picks are independent given the numbers that wait). */
static void random_order_picks_evenly(void)
{
    struct service_config desk = desk_of(STATION_RANDOM, 1);
    trace_run(&trace, &desk, 0.9, 1, 1);
    CU_ASSERT(trace.rank_variance > TRACED);
    CU_ASSERT_DOUBLE_EQUAL(trace.rank_sum / sqrt(trace.rank_variance), 0, 4);
    desk = desk_of(STATION_FIFO, 1);
    trace_run(&other, &desk, 0.9, 1, 1);
    CU_ASSERT(other.rank_sum / sqrt(other.rank_variance) < -20);
}

/* The ends of the busy periods by the work alone; the last may be longer than the trace knows. */
static uint32_t busy_ends(const struct trace *t, int64_t *ends)
{
    uint32_t count = 0;
    int64_t work = 0;
    for (uint32_t i = 0; i < TRACED; i++) {
        if (work <= t->arrived[i]) {
            if (i)
                ends[count++] = work;
            work = t->arrived[i];
        }
        work += t->demand[i];
    }
    ends[count++] = work;
    return count;
}

/* Where nobody is left inside. */
static uint32_t empty_ends(const struct trace *t, int64_t *ends)
{
    uint32_t count = 0;
    int64_t last = 0;
    for (uint32_t i = 0; i < TRACED; i++) {
        if (i && t->arrived[i] >= last)
            ends[count++] = last;
        if (t->left[i] > last)
            last = t->left[i];
    }
    ends[count++] = last;
    return count;
}

static void every_discipline_has_the_same_busy_periods(void)
{
    static int64_t expected[TRACED], ends[TRACED];
    for (int d = STATION_FIFO; d <= STATION_PROCESSOR_SHARING; d++) {
        struct service_config desk = desk_of((enum station_discipline)d, 1);
        trace_run(&trace, &desk, 0.8, 5, 1);
        if (d == STATION_FIFO)
            other = trace;
        CU_ASSERT_EQUAL(memcmp(trace.demand, other.demand, sizeof trace.demand), 0);
        uint32_t count = busy_ends(&trace, expected);
        CU_ASSERT(count > TRACED / 10);
        CU_ASSERT_EQUAL(empty_ends(&trace, ends), count);
        CU_ASSERT_EQUAL(memcmp(ends, expected, (count - 1) * sizeof *ends), 0);
    }
}

/* A machine of twice the speed does each work in half of the time, to the rounding of one ns. */
static void twice_the_speed_halves_the_work(void)
{
    struct service_config desk = desk_of(STATION_FIFO, 1);
    trace_run(&trace, &desk, 1.8, 3, 2);
    int64_t last = 0;
    for (uint32_t i = 0; i < TRACED; i++) {
        last = (last > trace.arrived[i] ? last : trace.arrived[i]) +
               (int64_t)((double)trace.demand[i] / 2 + 0.5);
        departures[i] = last;
    }
    CU_ASSERT_EQUAL(differences(&trace), 0);
}

/* ---- limits ---- */

/* A newcomer who finds `slots` at work and `queue` waiting is refused: as many as a naive count of
 * those inside says. */
static void a_full_station_refuses_under_every_discipline(void)
{
    for (int d = STATION_FIFO; d <= STATION_PROCESSOR_SHARING; d++) {
        struct service_config desk = desk_of((enum station_discipline)d, 2);
        desk.station.queue = 3;
        trace_run(&trace, &desk, 1.2, 1, 1);
        uint32_t wrong = 0, refused = 0;
        for (uint32_t i = 0; i < TRACED; i++) {
            uint32_t inside = 0;
            for (uint32_t k = i > 3000 ? i - 3000 : 0; k < i; k++)
                inside += trace.left[k] > trace.arrived[i];
            wrong += trace.refused[i] != (inside >= 5);
            refused += trace.refused[i];
        }
        CU_ASSERT_EQUAL(wrong, 0);
        CU_ASSERT(refused > TRACED / 20);
    }
}

static void queue_0_has_no_place_to_wait(void)
{
    struct service_config desk = desk_of(STATION_FIFO, 1);
    desk.station.queue = 0;
    trace_run(&trace, &desk, 1, 1, 1);
    int64_t free_at = 0;
    uint32_t wrong = 0;
    for (uint32_t i = 0; i < TRACED; i++) {
        bool full = trace.arrived[i] < free_at;
        wrong += trace.refused[i] != full;
        wrong += trace.refused[i] && trace.left[i] != trace.arrived[i];
        if (!full)
            free_at = trace.left[i];
    }
    CU_ASSERT_EQUAL(wrong, 0);
}

/* Constant patience under fifo: who would have to wait longer leaves at that instant, unserved, and
 * costs nothing (Lindley with an exit). */
static void patience_counts_waiting_only_and_costs_no_work(void)
{
    struct service_config desk = desk_of(STATION_FIFO, 1);
    desk.station.patience = world_constant(SECOND / 2);
    trace_run(&trace, &desk, 0.9, 1, 1);
    int64_t free_at = 0;
    uint32_t wrong = 0, gone = 0;
    for (uint32_t i = 0; i < TRACED; i++) {
        int64_t arrived = trace.arrived[i];
        if (free_at - arrived > SECOND / 2) {
            wrong += !trace.gone[i] || trace.left[i] != arrived + SECOND / 2 || trace.served[i];
            gone++;
            continue;
        }
        free_at = (free_at > arrived ? free_at : arrived) + trace.demand[i];
        wrong += trace.gone[i] || trace.left[i] != free_at;
    }
    CU_ASSERT_EQUAL(wrong, 0);
    CU_ASSERT(gone > TRACED / 20);
}

/* ---- metrics and faults, by hand ---- */

/* Three requests at once at two slots, 10 ms each: waits 0, 0, 10. */
static void metrics_of_a_case_worked_out_by_hand(void)
{
    struct world w;
    struct client_config users = world_client();
    struct service_config desk = world_service();
    world_open(&w, 0, 100 * MILLISECOND);
    users.has_users = true;
    users.users = 3;
    users.think = world_constant(40 * MILLISECOND);
    desk.station.slots = 2;
    desk.station.time = world_constant(10 * MILLISECOND);
    world_add(&w, "desk", &service_kind, 1, &desk);
    world_add(&w, "users", &client_kind, 1, &users);
    users.to = world_pool(&w, "desk");
    /* 40: three arrive; 50: two answered, the third begins, ends at 60; 90: the two are back, end
     * at 100. The third comes back at 100, outside of the window. */
    struct simulation *s = world_run(&w, 1);
    const struct agent *a = world_agent(&w, s, "desk", 1);
    struct level *const *levels = a->records[1]->levels;
    CU_ASSERT_EQUAL(world_count(a, 1, STATION_VISITS, 0), 5);
    CU_ASSERT_EQUAL(world_count(a, 1, STATION_WAITED_COUNT, 0), 1);
    CU_ASSERT_EQUAL(world_count(a, 1, STATION_ARRIVALS, 0), 5);
    CU_ASSERT_EQUAL(world_count(a, 1, STATION_EMPTY_COUNT, 0), 2);
    CU_ASSERT(world_moments(a, 1, STATION_WAIT, 0).sum == 10 * MILLISECOND);
    CU_ASSERT(world_moments(a, 1, STATION_SERVICE, 0).sum == 50 * MILLISECOND);
    CU_ASSERT(world_moments(a, 1, STATION_SLOWDOWN, 0).sum == 6 * SECOND);
    CU_ASSERT_EQUAL(levels[STATION_BUSY]->max, 2);
    CU_ASSERT_EQUAL(levels[STATION_QUEUE_LENGTH]->max, 1);
    CU_ASSERT(levels[STATION_QUEUE_LENGTH]->kept->octave[0][1].count == 10 * (uint64_t)MILLISECOND);
    CU_ASSERT(levels[STATION_BUSY]->kept->octave[0][2].count == 20 * (uint64_t)MILLISECOND);
    CU_ASSERT(levels[STATION_SLOTS]->kept->octave[0][2].count == 100 * (uint64_t)MILLISECOND);
    simulation_free(s);
    world_close(&w);
}

/* One request of 10 ms, which begins at 5 ms, under a fault; when it is answered, in us. */
static int64_t struck(enum station_discipline discipline, const int64_t *pause_ms, double slow)
{
    struct world w;
    struct client_config users = world_client();
    struct service_config desk = world_service();
    world_open(&w, 0, 6 * MILLISECOND);
    users.has_users = true;
    users.users = 1;
    users.think = world_constant(5 * MILLISECOND);
    desk.station.discipline = (uint8_t)discipline;
    desk.station.time = world_constant(10 * MILLISECOND);
    world_add(&w, "desk", &service_kind, 1, &desk);
    world_add(&w, "users", &client_kind, 1, &users);
    users.to = world_pool(&w, "desk");
    struct simulation *s = simulation_create(&w.blueprint, 1, 1, NULL);
    simulation_start(s);
    world_advance(s, pause_ms[0] * MILLISECOND);
    if (slow != 0)
        place_slow(s, 0, slow);
    else
        place_pause(s, 0);
    world_advance(s, pause_ms[1] * MILLISECOND);
    if (slow != 0)
        place_slow(s, 0, 1);
    else
        place_resume(s, 0);
    simulation_advance(s, 60 * MILLISECOND);
    struct moments latency = world_moments(world_agent(&w, s, "users", 1), 0, CLIENT_LATENCY, 0);
    CU_ASSERT_EQUAL(latency.count, 1);
    simulation_free(s);
    world_close(&w);
    return 5000 + (int64_t)latency.sum / 1000;
}

static void a_pause_keeps_the_work_that_is_left(void)
{
    for (int d = STATION_FIFO; d <= STATION_PROCESSOR_SHARING; d++) {
        CU_ASSERT_EQUAL(struck(d, (int64_t[]){7, 17}, 0), 25000); /* in its work */
        CU_ASSERT_EQUAL(struck(d, (int64_t[]){2, 9}, 0), 19000);  /* before it came */
    }
}

/* At 7 ms 2 ms of the work are done, at 17 ms 2.5 ms more: 5.5 are left. */
static void a_slow_machine_stretches_the_work(void)
{
    for (int d = STATION_FIFO; d <= STATION_PROCESSOR_SHARING; d++) {
        CU_ASSERT_EQUAL(struck(d, (int64_t[]){7, 17}, 4), 22500);
        CU_ASSERT_EQUAL(struck(d, (int64_t[]){1, 50}, 2), 25000);
    }
}

/* All come at 5 ms and find two slots: 10 + 1 ms, 10 + 2 ms; the third begins at 16 ms beside the
 * second, 10 + 2 ms. Under `hold: request` it is the same. */
static void work_grows_by_the_number_at_work(void)
{
    for (uint8_t hold = STATION_HOLD_WORK; hold <= STATION_HOLD_REQUEST; hold++) {
        struct world w;
        struct client_config users = world_client();
        struct service_config desk = world_service();
        world_open(&w, 0, 6 * MILLISECOND);
        users.has_users = true;
        users.users = 3;
        users.think = world_constant(5 * MILLISECOND);
        desk.station.slots = 2;
        desk.station.hold = hold;
        desk.station.time = world_constant(10 * MILLISECOND);
        desk.station.time_per_busy = MILLISECOND;
        world_add(&w, "desk", &service_kind, 1, &desk);
        world_add(&w, "users", &client_kind, 1, &users);
        users.to = world_pool(&w, "desk");
        struct simulation *s = simulation_create(&w.blueprint, 1, 1, NULL);
        simulation_start(s);
        simulation_advance(s, 60 * MILLISECOND);
        struct moments latency =
            world_moments(world_agent(&w, s, "users", 1), 0, CLIENT_LATENCY, 0);
        CU_ASSERT_EQUAL(latency.count, 3);
        CU_ASSERT_EQUAL((int64_t)latency.sum, (11 + 12 + 23) * MILLISECOND);
        simulation_free(s);
        world_close(&w);
    }
}

SUITE("the station", TEST(fifo_departs_as_a_naive_model_does),
      TEST(fifo_with_one_slot_follows_lindley), TEST(lifo_departs_as_a_naive_model_does),
      TEST(priority_departs_as_a_naive_model_does),
      TEST(preemptive_priority_resumes_as_a_naive_model_does),
      TEST(shortest_remaining_departs_as_a_naive_model_does),
      TEST(processor_sharing_departs_as_real_numbers_say), TEST(random_order_picks_evenly),
      TEST(every_discipline_has_the_same_busy_periods), TEST(twice_the_speed_halves_the_work),
      TEST(a_full_station_refuses_under_every_discipline), TEST(queue_0_has_no_place_to_wait),
      TEST(patience_counts_waiting_only_and_costs_no_work),
      TEST(metrics_of_a_case_worked_out_by_hand), TEST(a_pause_keeps_the_work_that_is_left),
      TEST(a_slow_machine_stretches_the_work), TEST(work_grows_by_the_number_at_work))
