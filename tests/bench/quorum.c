/* Quorum 2 of 3 over links that lose 1 % of the messages, from C until a kind does it: what
 * fan-out, joins, timeouts and give-up cost. One ratio to the yardstick, measured in one run. */
#include "engine/kernel/simulation.h"
#include "tests/bench/yardstick.h"

#include <stdio.h>
#include <stdlib.h>

enum { MEMBERS = 3, CLIENT = 0, QUORUM = 1, MEMBER = 2, AGENTS = 5, ROUNDS = 3 };
static const int64_t MS = 1000000;

struct tally_of_bench {
    uint64_t ok, other;
};

static struct tally_of_bench *bench_of(struct agent *agent)
{
    struct tally_of_bench *const *config = agent->configs[0];
    return *config;
}

static void settle_none(struct agent *a, struct call *parent, struct call *child)
{
    (void)a, (void)parent, (void)child;
}

static void start_none(struct agent *a)
{
    (void)a;
}

static void tick_none(struct agent *a, uint32_t tag, uint64_t argument)
{
    (void)a, (void)tag, (void)argument;
}

static void client_start(struct agent *a)
{
    timer_after(a, 1, 0, 0);
}

static void client_tick(struct agent *a, uint32_t tag, uint64_t argument)
{
    (void)tag;
    struct call *c = call_begin(a, argument);
    call_to(c, a, QUORUM, 0, 0);
    call_await(c, a, 1, 1000 * MS);
    double gap = random_exponential(stream_next(agent_stream(a, STREAM_ARRIVALS))) * 1e9 / 800;
    timer_after(a, (int64_t)gap, 0, argument + 1);
}

static void client_step(struct agent *a, struct call *c)
{
    if (c->wake == WAKE_JOINED)
        bench_of(a)->ok++;
    else
        bench_of(a)->other++;
    call_free(c, a);
}

static void quorum_step(struct agent *a, struct call *c)
{
    FLOW_BEGIN(c)
    for (uint16_t i = 0; i < MEMBERS; i++)
        call_to(c, a, MEMBER + i, i, 0);
    call_await(c, a, 2, 400 * MS);
    AWAIT(c);
    call_reply(c, a, c->wake == WAKE_JOINED ? STATUS_OK : STATUS_INFO, 0);
    return;
    FLOW_END(c)
}

static void member_step(struct agent *a, struct call *c)
{
    if (c->wake == WAKE_ARRIVED)
        call_work(c, a, (int64_t)(random_exponential(call_draw(c, a, DRAW_SERVICE)) * 1e6));
    else
        call_reply(c, a, STATUS_OK, 0);
}

static const struct kind client_kind = {.name = "client",
                                        .flags = KIND_CLIENT,
                                        .start = client_start,
                                        .step = client_step,
                                        .settle = settle_none,
                                        .tick = client_tick};
static const struct kind quorum_kind = {.name = "quorum",
                                        .tables = {&visit_metrics},
                                        .flags = KIND_VISITED,
                                        .start = start_none,
                                        .step = quorum_step,
                                        .settle = settle_none,
                                        .tick = tick_none};
static const struct kind member_kind = {.name = "member",
                                        .tables = {&visit_metrics},
                                        .flags = KIND_VISITED,
                                        .start = start_none,
                                        .step = member_step,
                                        .settle = settle_none,
                                        .tick = tick_none};

/* Operations a second of one run of `seconds` of virtual time. */
static double play(int64_t seconds, double *events)
{
    struct tally_of_bench counted = {0}, *config = &counted;
    const void *configs[1] = {&config};
    struct instance instances[MEMBERS];
    for (int i = 0; i < MEMBERS; i++)
        instances[i] =
            (struct instance){.configs = configs, .weight = 1, .speed = 1, .zone = ZONE_NONE};
    const struct blueprint_node nodes[] = {
        {.name = "client",
         .kind = &client_kind,
         .count = 1,
         .first = CLIENT,
         .instances = instances},
        {.name = "quorum",
         .kind = &quorum_kind,
         .count = 1,
         .first = QUORUM,
         .instances = instances},
        {.name = "member",
         .kind = &member_kind,
         .count = MEMBERS,
         .first = MEMBER,
         .instances = instances},
    };
    struct link_rule rule = {.keys = LINK_LATENCY | LINK_LOSS | LINK_GIVE_UP,
                             .config = {.loss = 0.01, .give_up = 3000 * MS}};
    const char *why;
    if (!distribution_make_constant(&rule.config.latency, 300000, &why))
        exit(1);
    const struct operation operation = {"read", OPERATION_READ};
    const struct window window = {0, seconds * 1000 * MS};
    const struct blueprint blueprint = {.operations = &operation,
                                        .operation_count = 1,
                                        .nodes = nodes,
                                        .node_count = 3,
                                        .agent_count = AGENTS,
                                        .links = &rule,
                                        .link_count = 1,
                                        .windows = &window,
                                        .window_count = 1,
                                        .duration = window.end,
                                        .in_flight = 1000000};
    struct simulation *s = simulation_create(&blueprint, 1, 1, NULL);
    double began = yardstick_seconds();
    simulation_start(s);
    simulation_advance(s, window.end);
    double spent = yardstick_seconds() - began;
    *events = (double)simulation_totals(s).events / spent;
    simulation_free(s);
    if (counted.ok < 20 * counted.other) /* request and reply of the client: about 2 % */
        exit(1);
    return (double)(counted.ok + counted.other) / spent;
}

int main(void)
{
    double best = 0, best_rate = 0, best_events = 0;
    for (int i = 0; i < ROUNDS; i++) {
        double mean, events;
        double loop = yardstick(10000000, &mean);
        double rate = play(2000, &events);
        if (rate / loop > best) {
            best = rate / loop;
            best_rate = rate;
            best_events = events;
        }
    }
    printf("%-46s %6.3f x the loop (asked %.3f)  %5.2f M/s  %5.1f M events/s\n",
           "quorum 2 of 3, 1 % loss, operations", best, 0.035, best_rate * 1e-6,
           best_events * 1e-6);
    return 0;
}
