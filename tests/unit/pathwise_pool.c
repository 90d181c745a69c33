/* Pathwise, for several stations: what a balancer chose is checked against the true number inside
 * every backend at that instant, which over links of no latency is what it has in hand. And work
 * conservation: disciplines that never idle while there is work share every busy period. */
#include "tests/suite.h"
#include "tests/trace.h"

enum { REQUESTS = 100000, BACKENDS = 4 };

static void play_pool(const struct load_balancer_config *policy, uint64_t seed, struct trace *t)
{
    struct world w;
    struct load_balancer_config balancer = *policy;
    struct service_config desk = world_service();
    desk.station.time = world_exp(36 * MILLISECOND);
    world_open(&w, 0, INT64_C(1) << 60);
    world_add(&w, "balancer", &load_balancer_kind, 1, &balancer);
    world_add(&w, "desk", &service_kind, BACKENDS, &desk);
    balancer.to = world_pool(&w, "desk");
    struct source_config source = {world_exp(10 * MILLISECOND), 1, REQUESTS,
                                   world_pool(&w, "balancer")};
    world_add(&w, "users", &source_kind, 1, &source);
    t->node = "desk";
    trace_play(&w, seed, t);
    world_close(&w);
}

/* Numbers inside at the arrival of visit `i`, by looking at all that came before: `first` is the
 * earliest of them that may still be there. */
static void inside_at(const struct trace *t, uint64_t i, uint64_t *first, uint32_t *inside)
{
    int64_t now = t->visits[i].arrive;
    memset(inside, 0, BACKENDS * sizeof *inside);
    while (*first < i && t->visits[*first].leave <= now)
        ++*first;
    for (uint64_t k = *first; k < i; k++)
        if (t->visits[k].leave > now)
            inside[t->visits[k].at - 1]++;
}

/* Every backend by itself is a first-come queue. */
static void judge_backends(const struct trace *t)
{
    int64_t free_at[BACKENDS] = {0};
    uint64_t wrong = 0;
    for (uint64_t i = 0; i < t->count; i++) {
        const struct visit *v = &t->visits[i];
        int64_t *mine = &free_at[v->at - 1];
        *mine = (v->arrive > *mine ? v->arrive : *mine) + v->work;
        wrong += v->leave != *mine;
    }
    CU_ASSERT_EQUAL(t->count, REQUESTS);
    CU_ASSERT_EQUAL(wrong, 0);
}

/* The chosen backend has at most `above` others strictly below it. Of ties for the least each of
 * the tied is chosen as often as the others: 5 standard deviations. */
static void judge_choices(const struct load_balancer_config *policy, uint64_t seed, int above)
{
    struct trace t = {0};
    play_pool(policy, seed, &t);
    judge_backends(&t);
    uint64_t first = 0, wrong = 0, all_empty = 0, chosen[BACKENDS] = {0};
    for (uint64_t i = 0; i < t.count; i++) {
        uint32_t inside[BACKENDS], mine = t.visits[i].at - 1;
        inside_at(&t, i, &first, inside);
        int below = 0, empty = 0;
        for (int k = 0; k < BACKENDS; k++) {
            below += inside[k] < inside[mine];
            empty += !inside[k];
        }
        wrong += below > above;
        if (empty == BACKENDS) {
            all_empty++;
            chosen[mine]++;
        }
    }
    CU_ASSERT_EQUAL(wrong, 0);
    CU_ASSERT(all_empty > 100);
    double even = (double)all_empty / BACKENDS;
    for (int k = 0; k < BACKENDS; k++) {
        double off = (double)chosen[k] - even;
        CU_ASSERT(off * off < 25 * even * (1 - 1.0 / BACKENDS));
    }
    trace_free(&t);
}

static void least_connections_joins_a_shortest_queue(void)
{
    struct load_balancer_config policy = world_balancer(BALANCER_LEAST_CONNECTIONS);
    judge_choices(&policy, 21, 0);
}

static void looking_at_all_backends_joins_a_shortest_queue(void)
{
    struct load_balancer_config policy = world_balancer(BALANCER_POWER_OF_TWO);
    policy.choices = BACKENDS;
    judge_choices(&policy, 22, 0);
}

/* d distinct of n: the chosen one is the least of d, so at most n - d others are below it. Drawn
 * with replacement this would be broken now and then. */
static void choices_are_distinct(void)
{
    struct load_balancer_config policy = world_balancer(BALANCER_POWER_OF_TWO);
    judge_choices(&policy, 23, 2);
    policy.choices = 3;
    judge_choices(&policy, 24, 1);
}

static void drawing_with_replacement_breaks_that_now_and_then(void)
{
    struct load_balancer_config policy = world_balancer(BALANCER_POWER_OF_TWO);
    policy.replacement = true;
    struct trace t = {0};
    play_pool(&policy, 25, &t);
    judge_backends(&t);
    uint64_t first = 0, worst = 0;
    for (uint64_t i = 0; i < t.count; i++) {
        uint32_t inside[BACKENDS], mine = t.visits[i].at - 1;
        inside_at(&t, i, &first, inside);
        int below = 0;
        for (int k = 0; k < BACKENDS; k++)
            below += inside[k] < inside[mine];
        worst += below == 3;
    }
    CU_ASSERT(worst > 100);
    trace_free(&t);
}

static void round_robin_goes_round_from_the_first(void)
{
    struct load_balancer_config policy = world_balancer(BALANCER_ROUND_ROBIN);
    struct trace t = {0};
    play_pool(&policy, 26, &t);
    judge_backends(&t);
    uint64_t wrong = 0;
    for (uint64_t i = 0; i < t.count; i++)
        wrong += t.visits[i].at - 1 != i % BACKENDS;
    CU_ASSERT_EQUAL(wrong, 0);
    trace_free(&t);
}

/* ---- work conservation ---- */

static void play_desk(enum station_discipline discipline, struct trace *t)
{
    struct world w;
    world_open(&w, 0, INT64_C(1) << 60);
    world_operation(&w, "gold", OPERATION_UNTYPED);
    struct service_config plain = world_service();
    plain.station.discipline = (uint8_t)discipline;
    plain.station.time = world_exp(9 * MILLISECOND);
    struct service_config gold = plain;
    gold.station.priority = 1;
    world_add(&w, "desk", &service_kind, 1, &plain);
    world_override(&w, "desk", 1, &gold);
    struct source_config source = {world_exp(10 * MILLISECOND), 1, REQUESTS,
                                   world_pool(&w, "desk")};
    world_add(&w, "users", &source_kind, 1, &source);
    t->node = "desk";
    trace_play(&w, 31, t);
    world_close(&w);
}

/* The busy period that begins with visit *i; moves *i on to the first visit of the next one. */
struct busy {
    int64_t begin, end;
    uint64_t served;
};

static struct busy busy_next(const struct trace *t, uint64_t *i)
{
    struct busy b = {t->visits[*i].arrive, t->visits[*i].leave, 0};
    while (*i < t->count && (!b.served || t->visits[*i].arrive < b.end)) {
        if (t->visits[*i].leave > b.end)
            b.end = t->visits[*i].leave;
        b.served++;
        ++*i;
    }
    return b;
}

/* Under processor sharing the last departure of a busy period is told at the next whole nanosecond:
 * fractions may move it by 1. */
static void judge_busy_periods(enum station_discipline discipline)
{
    struct trace a = {0}, b = {0};
    play_desk(STATION_FIFO, &a);
    play_desk(discipline, &b);
    CU_ASSERT_EQUAL(a.count, REQUESTS);
    CU_ASSERT_EQUAL(b.count, REQUESTS);
    uint64_t wrong = 0, periods = 0;
    for (uint64_t i = 0; i < a.count; i++)
        wrong += a.visits[i].op_id != b.visits[i].op_id || a.visits[i].work != b.visits[i].work ||
                 a.visits[i].arrive != b.visits[i].arrive;
    CU_ASSERT_EQUAL(wrong, 0);
    for (uint64_t i = 0, k = 0; i < a.count && k < b.count; periods++) {
        struct busy x = busy_next(&a, &i), y = busy_next(&b, &k);
        int64_t late = y.end - x.end;
        int64_t slack = discipline == STATION_PROCESSOR_SHARING;
        wrong += x.begin != y.begin || x.served != y.served || late < 0 || late > slack;
    }
    CU_ASSERT_EQUAL(wrong, 0);
    CU_ASSERT(periods > 5000);
    trace_free(&a);
    trace_free(&b);
}

static void every_discipline_has_the_same_busy_periods(void)
{
    for (int d = STATION_LIFO; d <= STATION_ADAPTIVE_LIFO; d++)
        judge_busy_periods((enum station_discipline)d);
}

SUITE("pathwise pool", TEST(least_connections_joins_a_shortest_queue),
      TEST(looking_at_all_backends_joins_a_shortest_queue), TEST(choices_are_distinct),
      TEST(drawing_with_replacement_breaks_that_now_and_then),
      TEST(round_robin_goes_round_from_the_first), TEST(every_discipline_has_the_same_busy_periods))
