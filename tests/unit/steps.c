/* Steps, each verb and modifier against instants worked out by hand: one operation a second, every
 * hop 1 ms, works constant. `bad` fails after 5 ms, `deaf` answers after 10 s. */
#include "models/parts/flow.h"
#include "tests/scenario.h"
#include "tests/world.h"

struct seen {
    int64_t end_ns; /* operations that begin from here on are not looked at */
    uint64_t ok, fail, info;
    int64_t least_ns, most_ns; /* from begin to end */
    uint64_t arrivals[8];      /* at a, b, c, bad, deaf, mail */
};

static const char *const watched[] = {"a", "b", "c", "bad", "deaf", "mail"};

static void on_complete(void *context, const struct agent *at, const struct call *c)
{
    struct seen *seen = context;
    int64_t took = simulation_now(at->simulation) - c->arrived_ns;
    if (c->arrived_ns >= seen->end_ns)
        return;
    seen->ok += c->status == STATUS_OK;
    seen->fail += c->status == STATUS_FAIL;
    seen->info += c->status == STATUS_INFO;
    seen->least_ns = took < seen->least_ns ? took : seen->least_ns;
    seen->most_ns = took > seen->most_ns ? took : seen->most_ns;
}

static void on_arrive(void *context, const struct agent *at, const struct call *c)
{
    struct seen *seen = context;
    if (simulation_now(at->simulation) >= seen->end_ns)
        return;
    (void)c;
    for (size_t i = 0; i < sizeof watched / sizeof *watched; i++)
        seen->arrivals[i] += !strcmp(at->node_name, watched[i]);
}

/* Plays ten operations, or `seconds`, through `web`, whose keys are `keys`. */
static struct seen play(const char *keys, const char *web_keys, int seconds)
{
    char text[2000];
    snprintf(text, sizeof text,
             "orrery: 1\n"
             "run: {warmup: 0s, duration: %ds, replications: 1, drain: 1h}\n"
             "links: {default: {latency: 1ms}}\n"
             "nodes:\n"
             "  users: {kind: client, arrivals: constant(1/s), operations: {read: 100%%, write: "
             "0%%}, to: web}\n"
             "  web: {kind: service, slots: 2, steps: %s%s}\n"
             "  a: {kind: service, slots: 9, time: {read: 10ms, write: 40ms}}\n"
             "  b: {kind: service, slots: 9, time: 20ms}\n"
             "  c: {kind: service, slots: 9, time: 30ms}\n"
             "  bad: {kind: service, slots: 9, time: 5ms, fail: 100%%}\n"
             "  deaf: {kind: service, slots: unlimited, time: 10s}\n"
             "  mail: {kind: service, slots: unlimited, time: {read: 500ms, write: 500ms}}\n",
             seconds, keys, web_keys);
    struct loaded l = load(text, false);
    struct seen seen = {.end_ns = seconds * SECOND, .least_ns = INT64_MAX};
    if (!l.scenario) {
        diagnostic_print(l.diagnostics, stdout, false);
        CU_ASSERT_FATAL(false);
    }
    struct probe probe = {.context = &seen, .complete = on_complete};
    struct observer observer = {.context = &seen, .arrive = on_arrive};
    struct simulation_options options = {.probe = &probe, .observer = &observer};
    struct simulation *s = simulation_create(l.blueprint, 1, 1, &options);
    CU_ASSERT(simulation_run(s, NULL));
    simulation_close(s);
    simulation_check_identities(s);
    simulation_free(s);
    loaded_free(&l);
    return seen;
}

enum { OK, FAIL, INFO };

struct expected {
    const char *steps;
    int took_ms;
    int status;
    const char *more;             /* keys of web, or NULL */
    int a, b, c, bad, deaf, mail; /* arrivals for each operation */
};

static void judge(const struct expected *e)
{
    struct seen seen = play(e->steps, e->more ? e->more : "", 10);
    uint64_t counts[] = {seen.ok, seen.fail, seen.info};
    const int arrivals[] = {e->a, e->b, e->c, e->bad, e->deaf, e->mail};
    bool same = seen.least_ns == e->took_ms * MILLISECOND &&
                seen.most_ns == e->took_ms * MILLISECOND && counts[e->status] == 10;
    for (size_t i = 0; i < sizeof watched / sizeof *watched; i++)
        same = same && seen.arrivals[i] == 10 * (uint64_t)arrivals[i];
    CU_ASSERT(same);
    if (!same)
        printf(
            "%s %s: %lld..%lld ms, ok %d fail %d info %d; a %d b %d c %d bad %d deaf %d mail %d\n",
            e->steps, e->more ? e->more : "", (long long)(seen.least_ns / MILLISECOND),
            (long long)(seen.most_ns / MILLISECOND), (int)seen.ok, (int)seen.fail, (int)seen.info,
            (int)seen.arrivals[0], (int)seen.arrivals[1], (int)seen.arrivals[2],
            (int)seen.arrivals[3], (int)seen.arrivals[4], (int)seen.arrivals[5]);
}

static void judge_all(const struct expected *all)
{
    for (; all->steps; all++)
        judge(all);
}

/* Client and web are 2 ms; a call to a, b, c takes 12, 22, 32 ms, to bad 7 ms. */
static void steps_in_turn_add_up(void)
{
    judge_all((const struct expected[]){
        {"[a]", 14, OK, .a = 1},
        {"[a, b, c]", 68, OK, .a = 1, .b = 1, .c = 1},
        {"[{call: a}, {work: 5ms}, b]", 41, OK, .a = 1, .b = 1},
        {"[{work: 5ms}, {work: 6ms}]", 13, OK, .more = NULL},
        {"[{work: 5ms}]", 10, OK, .more = ", time: 3ms"},
        {"[{call: a, times: 3}]", 38, OK, .a = 3},
        {"[{work: 2ms, times: 4}, b]", 32, OK, .b = 1},
        {"[{steps: [a, {work: 1ms}], times: 2}, b]", 50, OK, .a = 2, .b = 1},
        {"[{call: a, as: write}, a]", 56, OK, .a = 2},
        {0},
    });
}

static void branches_run_side_by_side(void)
{
    judge_all((const struct expected[]){
        {"[{all: [a, b, c]}]", 34, OK, .a = 1, .b = 1, .c = 1},
        {"[{any: [a, b, c]}]", 14, OK, .a = 1, .b = 1, .c = 1},
        {"[{first: [a, b, c], need: 2}, a]", 36, OK, .a = 2, .b = 1, .c = 1},
        {"[{first: [{call: a, times: 3}, c], need: 3}]", 14, OK, .a = 3, .c = 1},
        {"[{all: [{steps: [a, b]}, c]}]", 36, OK, .a = 1, .b = 1, .c = 1},
        {"[{all: [{any: [a, c]}, {all: [b, b]}]}, a]", 36, OK, .a = 2, .b = 2, .c = 1},
        {"[{all: [a, b], times: 2}]", 46, OK, .a = 2, .b = 2},
        {"[{any: [bad, c]}]", 34, OK, .c = 1, .bad = 1},
        {"[{all: [{work: 5ms}, {work: 5ms}, {work: 5ms}]}]", 12, OK, .more = NULL}, /* two slots */
        {"[{all: [{work: 5ms, times: 4}, b]}]", 24, OK, .b = 1},
        {0},
    });
}

static void what_fails_ends_the_list(void)
{
    judge_all((const struct expected[]){
        {"[bad, a]", 9, FAIL, .bad = 1},
        {"[{call: bad, times: 3}, a]", 9, FAIL, .bad = 1},
        {"[{all: [bad, bad]}]", 9, INFO, .bad = 2}, /* the other is under way */
        {"[{all: [{call: bad, timeout: 1s}]}, a]", 9, FAIL, .bad = 1},
        {"[{all: [bad, {steps: [bad, a]}, c]}]", 9, INFO, .bad = 2, .c = 1},
        {"[{any: [bad, {steps: [{work: 3ms}, bad]}]}]", 12, FAIL, .bad = 2},
        {"[{first: [bad, a, b], need: 3}]", 9, INFO, .a = 1, .b = 1, .bad = 1},
        {"[{first: [bad, {call: bad, retry: {attempts: 2}}], need: 1}]", 16, FAIL, .bad = 3},
        {0},
    });
}

static void an_error_is_caught_by_the_next_step_that_asks_for_it(void)
{
    judge_all((const struct expected[]){
        {"[a, {call: b, if: error}]", 14, OK, .a = 1},
        {"[bad, a, {call: b, if: error}, c]", 63, OK, .b = 1, .c = 1, .bad = 1},
        {"[bad, {call: bad, if: error}, {call: b, if: error}]", 38, OK, .b = 1, .bad = 2},
        {"[bad, {call: bad, if: error}]", 16, FAIL, .bad = 2},
        {"[{call: deaf, timeout: 50ms}, {call: a, if: error}]", 64, OK, .a = 1, .deaf = 1},
        {"[{steps: [bad, a]}, {steps: [{work: 1ms}, b], if: error}]", 32, OK, .b = 1, .bad = 1},
        {0},
    });
}

static void timeouts_and_retries_belong_to_a_step(void)
{
    judge_all((const struct expected[]){
        {"[{call: deaf, timeout: 50ms}]", 52, INFO, .deaf = 1},
        {"[deaf]", 52, INFO, .more = ", timeout: 50ms",
         .deaf = 1}, /* the node's holds for its steps */
        {"[{call: deaf, timeout: 20ms}]", 22, INFO, .more = ", timeout: 50ms", .deaf = 1},
        {"[{call: bad, retry: {attempts: 3, backoff: constant(4ms)}}, a]", 31, FAIL, .bad = 3},
        {"[{call: deaf, timeout: 10ms, retry: {attempts: 3}}]", 32, INFO, .deaf = 3},
        {"[{call: a, deadline: 15ms}, b]", 36, OK, .a = 1, .b = 1},
        {"[{call: deaf, deadline: 15ms}, {call: b, if: error}]", 39, OK, .b = 1, .deaf = 1},
        {"[{all: [a, deaf], timeout: 30ms}]", 32, INFO, .a = 1, .deaf = 1},
        {"[{all: [a, deaf], timeout: 30ms}, {call: b, if: error}]", 54, OK, .a = 1, .b = 1,
         .deaf = 1},
        {"[{all: [a, {call: deaf, timeout: 30ms}]}]", 32, INFO, .a = 1, .deaf = 1},
        {"[{steps: [a, deaf], timeout: 30ms}]", 32, INFO, .a = 1, .deaf = 1},
        {"[{any: [{steps: [deaf], timeout: 9ms}, {all: [c], timeout: 40ms}]}]", 34, OK, .c = 1,
         .deaf = 1},
        {0},
    });
}

/* Opens for good after two errors at one target, after four at the other. */
static void every_target_has_the_breaker_of_its_step(void)
{
    struct seen seen =
        play("[{call: bad, breaker: {errors: consecutive(2), open: 1h}},"
             " {call: deaf, if: error, timeout: 5ms, breaker: {errors: consecutive(4), open: 1h}}]",
             "", 10);
    CU_ASSERT_EQUAL(seen.arrivals[3], 2);
    CU_ASSERT_EQUAL(seen.arrivals[4], 4);
}

static void a_message_is_not_waited_for(void)
{
    judge_all((const struct expected[]){
        {"[{send: mail}, a]", 14, OK, .a = 1, .mail = 1},
        {"[{send: mail}]", 2, OK, .mail = 1},
        {"[{send: mail, times: 3}]", 2, OK, .mail = 3},
        {"[{all: [{send: mail, as: write, times: 2}, a]}]", 14, OK, .a = 1, .mail = 2},
        {"[{all: [{send: mail}]}, a]", 14, OK, .a = 1, .mail = 1},
        {"[{send: bad}, {call: b, if: error}]", 2, OK, .bad = 1},
        {0},
    });
}

/* web has two slots: the third branch of work waits for one. */
static void a_slot_is_held_for_own_work_or_for_the_request(void)
{
    judge_all((const struct expected[]){
        {"[a, {work: 5ms}, a, {work: 5ms}]", 36, OK, .more = ", hold: request", .a = 2},
        {"[{work: 5ms}, {work: 5ms}]", 16, OK, .more = ", hold: request, time: 4ms"},
        {"[{work: 5ms, times: 2}, a]", 24, OK,
         .more = ", hold: request, discipline: processor_sharing", .a = 1},
        {"[{work: 5ms, times: 2}, a]", 24, OK,
         .more = ", hold: request, discipline: shortest_remaining", .a = 1},
        {"[{all: [{work: 5ms}, {work: 5ms}]}]", 12, OK,
         .more = ", hold: request"}, /* one slot is left */
        {"[{work: 5ms}]", 2, FAIL, .more = ", fail: 100%"},
        {"[{work: 5ms}]", 5, OK, .more = ", speed: x1.6666666666666667"},
        {0},
    });
}

/* A chance of 30 % each: binomial counts within 4.5 sigma; both draws of one operation together in
 * 9 %, so the coins of two steps, two turns and two branches are independent. */
static void coins_fall_apart(void)
{
    static const char *const pairs[] = {
        "[{call: a, chance: 30%}, {call: b, chance: 30%}]",
        "[{steps: [{call: a, chance: 30%}], chance: 100%}, {call: b, chance: 30%}]",
        "[{all: [{call: a, chance: 30%}, {call: b, chance: 30%}]}]",
        "[{steps: [{call: a, chance: 30%}], times: 2}]",
        "[{call: a, chance: 30%, times: 2}]",
        "[{all: [{call: a, chance: 30%, times: 2}]}]",
        "[{all: [{call: a, chance: 30%}], times: 2}]",
        "[{steps: [{all: [{call: a, chance: 30%}]}], times: 2}]",
        "[{all: [{steps: [{call: a, chance: 30%}], times: 2}]}]",
    };
    enum { OPERATIONS = 4000 };
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
        struct seen seen = play(pairs[i], "", OPERATIONS);
        double both = (double)(seen.arrivals[0] + seen.arrivals[1]);
        /* The number of arrivals has mean 2 n p and variance 2 n p (1 - p) only when no coin is
         * another's. */
        double off = both - 2 * OPERATIONS * 0.3;
        CU_ASSERT(off * off < 20 * 2 * OPERATIONS * 0.3 * 0.7);
        if (off * off >= 20 * 2 * OPERATIONS * 0.3 * 0.7)
            printf("%s: %g arrivals\n", pairs[i], both);
    }
    /* Nested: a chance within a chance is 9 %. */
    struct seen seen = play("[{steps: [{call: a, chance: 30%}], chance: 30%}]", "", OPERATIONS);
    double off = (double)seen.arrivals[0] - OPERATIONS * 0.09;
    CU_ASSERT(off * off < 20 * OPERATIONS * 0.09 * 0.91);
}

static void wrong_steps_are_told(void)
{
#define STEPS(text)                                                                                \
    "orrery: 1\nnodes:\n  u: {kind: client, users: 1, to: w}\n  w: {kind: service, steps: " text   \
    "}\n  x: {kind: service}\n"
    CU_ASSERT(refused(STEPS("[x], to: x"), false, "`steps` and `to`: one of the two"));
    CU_ASSERT(refused(STEPS("x"), false, "`steps` is a list of steps"));
    CU_ASSERT(refused(STEPS("[]"), false, "holds no step"));
    CU_ASSERT(refused(STEPS("[[x]]"), false, "a step is a name or a record"));
    CU_ASSERT(refused(STEPS("[{call: x, work: 1ms}]"), false, "`call` and `work` are two"));
    CU_ASSERT(refused(STEPS("[{times: 2}]"), false, "a step has a verb"));
    CU_ASSERT(
        refused(STEPS("[{work: 1ms, timeout: 1s}]"), false, "`timeout` does not go with `work`"));
    CU_ASSERT(refused(STEPS("[{all: [x], need: 1}]"), false, "`need` does not go with `all`"));
    CU_ASSERT(refused(STEPS("[{first: [x], need: 2}]"), false, "more branches than it has"));
    CU_ASSERT(refused(STEPS("[{all: [{call: x, if: error}]}]"), false, "branches begin at once"));
    CU_ASSERT(refused(STEPS("[{all: [{call: x, times: 60k}, {call: x, times: 60k}]}]"), false,
                      "more than 65535 branches"));
    CU_ASSERT(refused(STEPS("[{call: x, key: fresh}]"), false, "the key of a step is drawn"));
    CU_ASSERT(refused(STEPS("[{cal: x}]"), false, "a step has a verb"));
    CU_ASSERT(refused(STEPS("[{call: x, chnace: 5%}]"), false, "unknown key `chnace` of a step"));
    CU_ASSERT(refused(STEPS("[y]"), false, "no node is called `y`"));
    CU_ASSERT(refused(STEPS("[x, {all: [x, {send: w}]}]"), false, "calls go in a circle: w -> w"));
#undef STEPS
}

/* As another operation a node may be called again: the pairs of node and operation make the graph.
 */
static void a_circle_is_one_of_nodes_and_operations(void)
{
    struct loaded l = load("orrery: 1\nnodes:\n"
                           "  u: {kind: client, users: 1, to: w}\n"
                           "  w: {kind: service, operations: {read: {steps: [{call: x, as: deep}]},"
                           " deep: {time: 1ms}}}\n"
                           "  x: {kind: service, to: w}\n",
                           false);
    CU_ASSERT_PTR_NOT_NULL(l.scenario);
    loaded_free(&l);
    CU_ASSERT(refused("orrery: 1\nnodes:\n"
                      "  u: {kind: client, users: 1, to: w}\n"
                      "  w: {kind: service, steps: [{call: x, as: deep}]}\n"
                      "  x: {kind: service, to: w}\n",
                      false, "calls go in a circle: w -> x -> w"));
}

/* What a metric's `when` asks: the node's own keys, those of its steps and of the steps in them. */
static void what_a_step_uses_its_node_uses(void)
{
    struct loaded l =
        load("orrery: 1\n"
             "nodes:\n"
             "  users: {kind: client, arrivals: constant(1/s), to: web}\n"
             "  web: {kind: service, steps: [b, {all: [{steps: [{call: a, hedge: "
             "{after: 5ms}}]}]}]}\n"
             "  a: {kind: service, time: 10ms}\n"
             "  b: {kind: service, steps: [{call: a, retry: {budget: budget(10%)}}]}\n",
             false);
    CU_ASSERT_FATAL(l.blueprint != NULL);
    for (uint32_t n = 0; n < l.blueprint->node_count; n++) {
        const struct blueprint_node *node = &l.blueprint->nodes[n];
        if (node->kind->flags & KIND_CLIENT)
            continue;
        bool is_web = !strcmp(node->name, "web"), is_b = !strcmp(node->name, "b");
        CU_ASSERT_EQUAL(blueprint_measures(l.blueprint, node, "hedge"), is_web);
        CU_ASSERT_EQUAL(blueprint_measures(l.blueprint, node, "retry.budget"), is_b);
        CU_ASSERT(blueprint_measures(l.blueprint, node, "*hedge"));
        CU_ASSERT(!blueprint_measures(l.blueprint, node, "breaker *rate_limit"));
    }
    CU_ASSERT(blueprint_uses(l.blueprint, "retry"));
    CU_ASSERT(!blueprint_uses(l.blueprint, "deadline"));
    loaded_free(&l);
}

SUITE("steps", TEST(steps_in_turn_add_up), TEST(branches_run_side_by_side),
      TEST(what_fails_ends_the_list), TEST(an_error_is_caught_by_the_next_step_that_asks_for_it),
      TEST(timeouts_and_retries_belong_to_a_step), TEST(every_target_has_the_breaker_of_its_step),
      TEST(a_message_is_not_waited_for), TEST(a_slot_is_held_for_own_work_or_for_the_request),
      TEST(coins_fall_apart), TEST(wrong_steps_are_told),
      TEST(a_circle_is_one_of_nodes_and_operations), TEST(what_a_step_uses_its_node_uses))
