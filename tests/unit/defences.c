/* Defences worked out by hand, to the nanosecond: breakers and limiters by themselves; budgets,
 * deadlines, controlled delay and the ledger of writes through a client at a desk. */
#include "models/parts/effects.h"
#include "models/parts/guard.h"
#include "models/parts/shed.h"
#include "tests/desk.h"

/* ---- the breaker by itself ---- */

/* Half of at least four tries within 1000 ns, in tenths of 100 ns. */
static const struct breaker_config by_share = {.errors = BREAKER_SHARE,
                                               .share = 0.5,
                                               .calls = 4,
                                               .window_ns = 1000,
                                               .open_ns = 500,
                                               .probes = 2};

static void a_breaker_opens_at_its_share_and_not_before(void)
{
    struct breaker b = {0};
    bool probe = true;
    CU_ASSERT(!breaker_learns(&b, &by_share, 0, false, false));
    CU_ASSERT(!breaker_learns(&b, &by_share, 10, false, true));
    CU_ASSERT(!breaker_learns(&b, &by_share, 20, false, true));
    CU_ASSERT(!breaker_learns(&b, &by_share, 25, false, true));
    CU_ASSERT(!breaker_learns(&b, &by_share, 30, false, false)); /* two of five */
    CU_ASSERT(breaker_lets(&b, &by_share, 30, &probe) && !probe);
    CU_ASSERT(breaker_learns(&b, &by_share, 40, false, false)); /* three of six */
    CU_ASSERT(!breaker_lets(&b, &by_share, 40, &probe) && !probe);
    CU_ASSERT(!breaker_learns(&b, &by_share, 41, false, false)); /* sent before it opened */
    CU_ASSERT(!breaker_lets(&b, &by_share, 539, &probe));
    CU_ASSERT(breaker_lets(&b, &by_share, 540, &probe) && probe);
}

/* Three errors of the first tenth are still there at 999 ns, and gone at 1000. */
static void a_breaker_forgets_by_tenths_of_its_window(void)
{
    for (int64_t last_ns = 999; last_ns <= 1000; last_ns++) {
        struct breaker b = {0};
        for (int64_t at_ns = 97; at_ns < 100; at_ns++)
            CU_ASSERT(!breaker_learns(&b, &by_share, at_ns, false, false));
        CU_ASSERT_EQUAL(breaker_learns(&b, &by_share, last_ns, false, false), last_ns == 999);
    }
}

/* Opens at 3 by the third error in a row; an ok answer in between would have begun anew. */
static void half_open_it_closes_by_all_probes_and_opens_by_one(void)
{
    struct breaker_config config = by_share;
    struct breaker b = {0};
    bool probe;
    config.errors = BREAKER_CONSECUTIVE;
    config.consecutive = 3;
    CU_ASSERT(!breaker_learns(&b, &config, 0, false, false));
    CU_ASSERT(!breaker_learns(&b, &config, 0, false, true));
    for (int64_t at_ns = 1; at_ns <= 3; at_ns++)
        CU_ASSERT_EQUAL(breaker_learns(&b, &config, at_ns, false, false), at_ns == 3);
    CU_ASSERT(!breaker_lets(&b, &config, 502, &probe));
    CU_ASSERT(breaker_lets(&b, &config, 503, &probe) && probe);
    CU_ASSERT(breaker_lets(&b, &config, 503, &probe) && probe);
    CU_ASSERT(!breaker_lets(&b, &config, 503, &probe) && !probe); /* two are out */
    CU_ASSERT(!breaker_learns(&b, &config, 510, true, true));
    CU_ASSERT(breaker_learns(&b, &config, 520, true, false)); /* open again, from 520 on */
    CU_ASSERT(!breaker_lets(&b, &config, 1019, &probe));
    CU_ASSERT(breaker_lets(&b, &config, 1020, &probe) && probe);
    CU_ASSERT(breaker_lets(&b, &config, 1020, &probe) && probe);
    breaker_forgets(&b); /* one of them was taken back: another may go */
    CU_ASSERT(breaker_lets(&b, &config, 1021, &probe) && probe);
    CU_ASSERT(!breaker_learns(&b, &config, 1030, true, true));
    CU_ASSERT_EQUAL(b.state, BREAKER_HALF_OPEN);
    CU_ASSERT(!breaker_learns(&b, &config, 1031, true, true));
    CU_ASSERT_EQUAL(b.state, BREAKER_CLOSED);
    CU_ASSERT(!breaker_learns(&b, &config, 1032, false, false)); /* nothing is remembered */
    CU_ASSERT(!breaker_learns(&b, &config, 1033, false, false));
    CU_ASSERT(breaker_learns(&b, &config, 1034, false, false));
}

/* ---- limiters by themselves ---- */

/* Who comes when, whether it is let in, and how long it waits. */
struct asked {
    int64_t at_ns;
    bool takes;
    int64_t delay_ns;
};

static void judge_limiter(const struct limiter_config *config, const struct asked *asked,
                          size_t count)
{
    struct arena arena = {0};
    struct limiter limiter;
    limiter_start(&limiter, config, &arena);
    for (size_t i = 0; i < count; i++) {
        int64_t delay_ns = -1;
        bool takes = limiter_takes(&limiter, config, asked[i].at_ns, &delay_ns);
        CU_ASSERT_EQUAL(takes, asked[i].takes);
        CU_ASSERT_EQUAL(delay_ns, asked[i].delay_ns);
    }
    arena_free(&arena);
}
#define JUDGE_LIMITER(config, asked) judge_limiter(config, asked, sizeof(asked) / sizeof *(asked))
#define TEN_MS (10 * MILLISECOND)

/* A token each 10 ms, three at most; 1 ns is forgiven, because arrivals are whole ns. */
static void a_token_bucket_saves_up_for_a_burst_and_no_more(void)
{
    static const struct asked asked[] = {
        {0, true, 0},           {0, true, 0},      {0, true, 0},       {0, false, 0},
        {TEN_MS - 2, false, 0}, {TEN_MS, true, 0}, {TEN_MS, false, 0}, {SECOND, true, 0},
        {SECOND, true, 0},      {SECOND, true, 0}, {SECOND, false, 0}};
    struct limiter_config config = {.kind = LIMITER_TOKEN_BUCKET, .rate = 100, .burst = 3};
    JUDGE_LIMITER(&config, asked);
}

/* One each 10 ms, two may wait: the fourth is refused until the first turn has come. */
static void a_leaky_bucket_spaces_and_lets_two_wait(void)
{
    static const struct asked asked[] = {{0, true, 0},           {0, true, TEN_MS},
                                         {0, true, 2 * TEN_MS},  {0, false, 0},
                                         {TEN_MS - 2, false, 0}, {TEN_MS, true, 2 * TEN_MS},
                                         {TEN_MS, false, 0},     {SECOND, true, 0}};
    struct limiter_config config = {.kind = LIMITER_LEAKY_BUCKET, .rate = 100, .queue = 2};
    JUDGE_LIMITER(&config, asked);
}

/* Two in each 10 ms by the clock: four come in within 1 ns about a border. */
static void a_fixed_window_lets_twice_as_many_in_about_its_border(void)
{
    static const struct asked asked[] = {{TEN_MS - 1, true, 0},      {TEN_MS - 1, true, 0},
                                         {TEN_MS - 1, false, 0},     {TEN_MS, true, 0},
                                         {TEN_MS, true, 0},          {TEN_MS, false, 0},
                                         {2 * TEN_MS - 1, false, 0}, {2 * TEN_MS, true, 0}};
    struct limiter_config config = {.kind = LIMITER_FIXED_WINDOW, .rate = 200, .window_ns = TEN_MS};
    JUDGE_LIMITER(&config, asked);
}

/* The same at any border: each lets one more in exactly 10 ms after it has come. */
static void a_sliding_window_has_no_border(void)
{
    static const struct asked asked[] = {{TEN_MS - 2, true, 0},     {TEN_MS - 1, true, 0},
                                         {TEN_MS, false, 0},        {2 * TEN_MS - 3, false, 0},
                                         {2 * TEN_MS - 2, true, 0}, {2 * TEN_MS - 2, false, 0},
                                         {2 * TEN_MS - 1, true, 0}};
    struct limiter_config config = {
        .kind = LIMITER_SLIDING_WINDOW, .rate = 200, .window_ns = TEN_MS};
    JUDGE_LIMITER(&config, asked);
}

/* ---- at a desk ---- */

static uint64_t count_of(const struct agent *agent, const struct metric_table *table,
                         uint32_t metric)
{
    uint32_t t = 0;
    while (t < KIND_TABLES && agent->kind->tables[t] != table)
        t++;
    CU_ASSERT_FATAL(t < KIND_TABLES);
    return world_count(agent, t, metric, 0);
}

/* Opens by the second error, at 10 ms; a probe 100 ms later fails and opens it again. */
static void a_client_is_refused_by_its_breaker_until_the_probe(void)
{
    struct desk_bench b;
    bench_open(&b, SECOND);
    bench_arrivals(
        &b, (const int64_t[]){0, TEN_MS, TEN_MS + 1, 11 * TEN_MS - 1, 11 * TEN_MS, 11 * TEN_MS + 1},
        6);
    b.desk.station.fail = 1;
    b.users.caller.has_breaker = true;
    b.users.caller.breaker = (struct breaker_config){.errors = BREAKER_CONSECUTIVE,
                                                     .consecutive = 2,
                                                     .window_ns = SECOND,
                                                     .open_ns = 10 * TEN_MS,
                                                     .probes = 1};
    simulation_advance(bench_start(&b, NULL), SECOND);
    const struct agent *users = agent_of(&b, "users");
    CU_ASSERT_EQUAL(b.ended.count, 6);
    CU_ASSERT_EQUAL(count_of(users, &guard_metrics, GUARD_SHORT_COUNT), 3);
    CU_ASSERT_EQUAL(count_of(users, &guard_metrics, GUARD_TRIPS), 2);
    CU_ASSERT_EQUAL(client_count(&b, CLIENT_TRIES), 3);
    bench_close(&b);
}

/* Half a token for each operation, one at most and at first, and nothing ever succeeds. Tokens
 * before each wish: 1, 0 | 0.5 | 1, 0 | 0.5: six wishes, four of them denied. */
static void a_retry_budget_runs_out(void)
{
    struct desk_bench b;
    bench_open(&b, 10 * SECOND);
    bench_arrivals(&b, (const int64_t[]){0, SECOND, 2 * SECOND, 3 * SECOND}, 4);
    b.desk.station.fail = 1;
    b.users.caller.has_retry = true;
    b.users.caller.budget = CALLER_BUDGET;
    b.users.caller.budget_share = 0.5;
    b.users.caller.budget_burst = 1;
    simulation_advance(bench_start(&b, NULL), 10 * SECOND);
    const struct agent *users = agent_of(&b, "users");
    CU_ASSERT_EQUAL(count_of(users, &guard_metrics, GUARD_WANTED), 6);
    CU_ASSERT_EQUAL(count_of(users, &guard_metrics, GUARD_DENIED), 4);
    CU_ASSERT_EQUAL(client_count(&b, CLIENT_TRIES), 6);
    bench_close(&b);
}

/* 10 ms at the desk, then 20 ms at a store, and 25 ms for all of it. Of two at time 0 the first is
 * at work in the store when its time is over, and is finished all the same; the second would begin
 * there at 30 ms and is not worked on any more. */
static void a_deadline_travels_and_no_work_begins_after_it(void)
{
    struct desk_bench b;
    bench_open(&b, SECOND);
    b.with_store = true;
    bench_arrivals(&b, (const int64_t[]){0, 0}, 2);
    b.desk.station.time = world_constant(10 * MILLISECOND);
    b.store.station.time = world_constant(20 * MILLISECOND);
    b.users.caller.deadline = 25 * MILLISECOND;
    simulation_advance(bench_start(&b, NULL), SECOND);
    const struct agent *users = agent_of(&b, "users");
    CU_ASSERT(ended(&b, 0, STATUS_INFO, 25 * MILLISECOND));
    CU_ASSERT(ended(&b, 1, STATUS_INFO, 25 * MILLISECOND));
    CU_ASSERT_EQUAL(count_of(users, &guard_metrics, GUARD_BEGUN), 2);
    CU_ASSERT_EQUAL(count_of(users, &guard_metrics, GUARD_EXCEEDED), 2);
    CU_ASSERT_EQUAL(count_of(agent_of(&b, "store"), &station_metrics, STATION_EXPIRED_COUNT), 1);
    CU_ASSERT_EQUAL(integral(&b, "desk", STATION_TABLE, STATION_BUSY), 20 * MILLISECOND);
    CU_ASSERT_EQUAL(integral(&b, "store", STATION_TABLE, STATION_BUSY), 20 * MILLISECOND);
    bench_close(&b);
}

/* Target 5 ms, interval 30 ms, 10 ms of work. Four come at 0 and one at 26 ms. The queue stands
 * since 0: at 10 and at 20 ms a wait of up to 30 ms is suffered; at 30 ms it stands for the
 * interval, so that the fourth (30 ms) is turned away and the fifth (4 ms) is worked on. */
static void controlled_delay_turns_away_who_waited_in_a_standing_queue(void)
{
    struct desk_bench b;
    bench_open(&b, SECOND);
    bench_arrivals(&b, (const int64_t[]){0, 0, 0, 0, 26 * MILLISECOND}, 5);
    b.desk.station.time = world_constant(10 * MILLISECOND);
    b.desk.station.shed = SHED_CODEL;
    b.desk.station.shed_target_ns = 5 * MILLISECOND;
    b.desk.station.shed_interval_ns = 30 * MILLISECOND;
    simulation_advance(bench_start(&b, NULL), SECOND);
    CU_ASSERT_EQUAL(b.ended.count, 5);
    CU_ASSERT(ended(&b, 0, STATUS_OK, 10 * MILLISECOND));
    CU_ASSERT(ended(&b, 1, STATUS_OK, 20 * MILLISECOND));
    CU_ASSERT(ended(&b, 2, STATUS_OK, 30 * MILLISECOND));
    CU_ASSERT(ended(&b, 3, STATUS_FAIL, 30 * MILLISECOND));
    CU_ASSERT(ended(&b, 4, STATUS_OK, 40 * MILLISECOND));
    CU_ASSERT_EQUAL(count_of(agent_of(&b, "desk"), &station_metrics, STATION_SHED_COUNT), 1);
    bench_close(&b);
}

/* A write takes 30 ms and is tried again after 20: each of three is done at 30 ms and once more at
 * 50 ms, when its second try has ended. */
static void writes_case(bool key)
{
    struct desk_bench b;
    bench_open(&b, 10 * SECOND);
    b.world.operations[0].type = OPERATION_WRITE;
    bench_arrivals(&b, (const int64_t[]){0, SECOND, 2 * SECOND}, 3);
    b.desk.station.slots = 2;
    b.desk.station.time = world_constant(30 * MILLISECOND);
    b.users.caller.timeout = 20 * MILLISECOND;
    b.users.caller.has_retry = true;
    b.users.caller.attempts = 2;
    b.users.caller.idempotency_key = key;
    simulation_advance(bench_start(&b, NULL), 10 * SECOND);
    const struct agent *desk = agent_of(&b, "desk");
    CU_ASSERT(ended(&b, 0, STATUS_INFO, 40 * MILLISECOND)); /* the second is too late as well */
    CU_ASSERT_EQUAL(count_of(desk, &effect_metrics, EFFECT_DUPLICATES), key ? 0 : 3);
    CU_ASSERT_EQUAL(count_of(desk, &effect_metrics, EFFECT_DEDUPLICATED), key ? 3 : 0);
    bench_close(&b);
}

static void a_write_tried_again_is_done_twice_unless_it_carries_a_key(void)
{
    writes_case(false);
    writes_case(true);
}

SUITE("defences by hand", TEST(a_breaker_opens_at_its_share_and_not_before),
      TEST(a_breaker_forgets_by_tenths_of_its_window),
      TEST(half_open_it_closes_by_all_probes_and_opens_by_one),
      TEST(a_token_bucket_saves_up_for_a_burst_and_no_more),
      TEST(a_leaky_bucket_spaces_and_lets_two_wait),
      TEST(a_fixed_window_lets_twice_as_many_in_about_its_border),
      TEST(a_sliding_window_has_no_border),
      TEST(a_client_is_refused_by_its_breaker_until_the_probe), TEST(a_retry_budget_runs_out),
      TEST(a_deadline_travels_and_no_work_begins_after_it),
      TEST(controlled_delay_turns_away_who_waited_in_a_standing_queue),
      TEST(a_write_tried_again_is_done_twice_unless_it_carries_a_key))
