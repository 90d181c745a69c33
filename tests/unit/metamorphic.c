/* Changes of a system whose effect is known without knowing the system: all times doubled, a node
 * that does nothing put in between, a node nobody calls put beside. Compared request by request. */
#include "tests/suite.h"
#include "tests/trace.h"

enum { REQUESTS = 20000 };

/* What is changed. */
struct change {
    int64_t stretch;     /* of all times; 1: none */
    const char *between; /* name of a node without work in front of the desk, after "desk" in order
                            of name; NULL: none */
    bool beside;         /* nodes nobody calls, before and after in order of name */
    enum station_discipline discipline;
};

static void play_changed(const struct change *change, struct trace *t)
{
    struct world w;
    struct service_config desk = world_service(), pass = world_service(), idle = world_service();
    desk.station.time = world_exp(9 * MILLISECOND * change->stretch);
    desk.station.discipline = (uint8_t)change->discipline;
    pass.station.slots = COUNT_UNLIMITED;
    idle.station.time = world_exp(SECOND);
    world_open(&w, 0, INT64_C(1) << 60);
    if (change->beside)
        world_add(&w, "aside", &service_kind, 3, &idle);
    world_add(&w, "desk", &service_kind, 1, &desk);
    if (change->between)
        world_add(&w, change->between, &service_kind, 1, &pass);
    pass.to = world_pool(&w, "desk");
    struct source_config source = {world_exp(10 * MILLISECOND * change->stretch), 1, REQUESTS,
                                   world_pool(&w, change->between ? change->between : "desk")};
    world_add(&w, "users", &source_kind, 1, &source);
    if (change->beside)
        world_add(&w, "zone", &service_kind, 1, &idle);
    t->node = "desk";
    trace_play(&w, 41, t);
    world_close(&w);
}

/* Equal visits, to the nanosecond. */
static uint64_t differences(const struct trace *a, const struct trace *b)
{
    uint64_t different = a->count != b->count;
    for (uint64_t i = 0; i < a->count && i < b->count; i++) {
        const struct visit *x = &a->visits[i], *y = &b->visits[i];
        different += x->op_id != y->op_id || x->arrive != y->arrive || x->work != y->work ||
                     x->leave != y->leave;
    }
    return different;
}

static void judge_same(struct change change)
{
    for (int d = STATION_FIFO; d <= STATION_PROCESSOR_SHARING; d++) {
        struct change plain = {.stretch = 1, .discipline = (enum station_discipline)d};
        struct trace a = {0}, b = {0};
        change.discipline = plain.discipline;
        play_changed(&plain, &a);
        play_changed(&change, &b);
        CU_ASSERT_EQUAL(a.count, REQUESTS);
        CU_ASSERT_EQUAL(differences(&a, &b), 0);
        trace_free(&a);
        trace_free(&b);
    }
}

static void a_node_without_work_in_between_changes_nobody(void)
{
    judge_same((struct change){.stretch = 1, .between = "pass"});
}

/* The first six bits of the hashes of both names are equal: tiers that are told apart by them alone
 * would be taken for a second visit, and the desk would draw anew. */
static void names_whose_hashes_begin_alike_are_told_apart(void)
{
    CU_ASSERT_EQUAL(random_hash("gateway", 7) >> 58, random_hash("desk", 4) >> 58);
    judge_same((struct change){.stretch = 1, .between = "gateway"});
}

static void nodes_nobody_calls_change_nobody(void)
{
    judge_same((struct change){.stretch = 1, .beside = true});
}

/* Every draw is rounded to a nanosecond by itself: instants of request i drift by up to 1/2 ns for
 * each gap and, within a busy period, each work before it. Ratios are what they were. */
static void doubling_all_times_doubles_all_stays(void)
{
    struct change plain = {.stretch = 1}, twice = {.stretch = 2};
    struct trace a = {0}, b = {0};
    play_changed(&plain, &a);
    play_changed(&twice, &b);
    CU_ASSERT_EQUAL(a.count, REQUESTS);
    CU_ASSERT_EQUAL(b.count, REQUESTS);
    uint64_t wrong = 0;
    int64_t served = 0;
    for (uint64_t i = 0; i < a.count; i++) {
        const struct visit *x = &a.visits[i], *y = &b.visits[i];
        bool alone = !i || a.visits[i - 1].leave <= x->arrive;
        served = alone ? 1 : served + 1;
        int64_t stay = x->leave - x->arrive, doubled = y->leave - y->arrive;
        wrong += llabs(y->work - 2 * x->work) > 1 || llabs(doubled - 2 * stay) > 4 * served + 4;
    }
    CU_ASSERT_EQUAL(wrong, 0);
    trace_free(&a);
    trace_free(&b);
}

/* The comparison itself can fail. */
static void another_discipline_is_seen(void)
{
    struct change first = {.stretch = 1}, last = {.stretch = 1, .discipline = STATION_LIFO};
    struct trace a = {0}, b = {0};
    play_changed(&first, &a);
    play_changed(&last, &b);
    CU_ASSERT(differences(&a, &b) > 1000);
    trace_free(&a);
    trace_free(&b);
}

SUITE("metamorphic", TEST(a_node_without_work_in_between_changes_nobody),
      TEST(names_whose_hashes_begin_alike_are_told_apart), TEST(nodes_nobody_calls_change_nobody),
      TEST(doubling_all_times_doubles_all_stays), TEST(another_discipline_is_seen))
