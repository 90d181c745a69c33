/* Fan-out, hedges and stalls: T01 to T05, T07, T11; and runs that can be worked out by hand. */
#include "tests/validation/cases.h"
#include "tests/validation/specials.h"

#define ROOT(id, what, stat, expected, tol, sigma)                                                 \
    {                                                                                              \
        id, what, "users", NULL, "latency", stat, expected, RELATIVE, tol, sigma                   \
    }

#define EXACT(id, what, node, metric, stat, expected)                                              \
    {                                                                                              \
        id, what, node, NULL, metric, stat, expected, ABSOLUTE, 1e-9, 0                            \
    }

#define ANY_SLOW "1 - (1 - q)^n; Dean, Barroso 2013"
#define ORDER "order statistics: mean H(n), k-th H(n) - H(n-k), quantile -ln(1 - p^(1/n))"
#define TWO "(12 - load)/8 / (b - a); Flatto, Hahn 1984"
#define BIGTABLE "Dean, Barroso 2013: 1,800 ms, with hedges 74 ms for 2 % more requests"
#define LEAF "mix(98% uniform(1ms..9ms) + 2% pareto(10ms 0.936 max=1932ms))"
#define MORE "independent Monte Carlo of 2e7 jobs; approximation of Nelson, Tantawi 1988 beside it"

static void slow_end(void *context, const struct result *result, struct quotient *rows)
{
    (void)context;
    rows[0] = share_above(result, "users", 500000000);
}
static const struct measure slow = {.end = slow_end};

/* The closed loop beside the open one. */
static void stall_end(void *context, const struct result *result, struct quotient *rows)
{
    (void)context;
    rows[3] = share_above(result, "loop", 1000000000);
}
static const struct measure stall = {.end = stall_end};

/* Departures of those that came in the window; the source goes on after it. */
struct departures {
    int64_t last_ns[3];
};

static void departures_leave(void *context, const struct agent *at, const struct call *call)
{
    struct departures *d = context;
    if (at->node_name[0] == 's' && call->arrived_ns < 100000000)
        d->last_ns[at->number - 1] = simulation_now(at->simulation);
}

static void departures_end(void *context, const struct result *result, struct quotient *rows)
{
    const struct departures *d = context;
    int64_t last_ns = 0;
    (void)result;
    for (int k = 0; k < 3; k++)
        if (d->last_ns[k] > last_ns)
            last_ns = d->last_ns[k];
    rows[0] = (struct quotient){(double)last_ns / 1e6, 1};
}
static const struct measure departures = {
    .size = sizeof(struct departures), .leave = departures_leave, .end = departures_end};

const struct family tail_families[] = {
    {"fan-out of 100",
     "fanout.yaml",
     {NULL},
     ANY_SLOW,
     .rate = 100,
     .requests = 2.4e5,
     .warmup = 5,
     .measure = &slow,
     .rows = {{"T01", "slow, 1 % over 100 leaves", NULL, NULL, NULL, "ratio", 0.63396766, ABSOLUTE,
               0.004, 0.7598},
              EXACT("T05", "p99 without hedges", "users", "latency", "p99", 1000)}},
    {"hedged fan-out of 100",
     "fanout.yaml",
     {"nodes.root.steps=[{all: [{call: leaf, times: 100, hedge: {after: 20ms}}]}]"},
     "the second answers at 20 + 10 ms unless it is slow too: 1 - (1 - q^2)^100",
     .rate = 100,
     .requests = 1.8e5,
     .warmup = 5,
     .measure = &slow,
     .rows = {{"T05", "slow although hedged", NULL, NULL, NULL, "ratio", 0.0099506613, ABSOLUTE,
               0.001, 9.9748},
              {"T05", "second messages per leaf", "root", NULL, "hedges", "ratio", 0.01, ABSOLUTE,
               0.0005, 1.02},
              EXACT("T05", "p98, hedged", "users", "latency", "p98", 30),
              EXACT("T05", "p50, hedged", "users", "latency", "p50", 30)}},
    /* The published read is of 1,000 keys on 100 servers, here one message a server. No law of a
     * leaf is published: of those above 10 ms with 2 %, as published, the Pareto law has one form
     * and one bound with which a read's p99.9 is 1,800 ms without hedges and 74 ms with them. */
    {"a read of a hundred servers",
     "fanout.yaml",
     {"nodes.leaf.time=" LEAF},
     BIGTABLE,
     .rate = 100,
     .requests = 6e4,
     .warmup = 5,
     .rows = {ROOT("T07", "p99.9 of a read", "p99.9", 1800, 0.05, 1.44)}},
    {"a hedged read of a hundred servers",
     "fanout.yaml",
     {"nodes.leaf.time=" LEAF,
      "nodes.root.steps=[{all: [{call: leaf, times: 100, hedge: {after: 10ms}}]}]"},
     BIGTABLE,
     .rate = 100,
     .requests = 6.5e4,
     .warmup = 5,
     .rows = {ROOT("T07", "p99.9 of a read, hedged after 10 ms", "p99.9", 74, 0.3, 18.5),
              {"T07", "second messages", "root", NULL, "hedges", "ratio", 0.02, ABSOLUTE, 0.0005,
               0.77}}},
    {"fan-out of 2000",
     "fanout.yaml",
     {"nodes.root.steps=[{all: [{call: leaf, times: 2000}]}]",
      "nodes.leaf.time=mix(99.99% 10ms + 0.01% 1s)", "nodes.users.arrivals=poisson(20/s)"},
     ANY_SLOW,
     .rate = 20,
     .requests = 1.6e5,
     .warmup = 5,
     .measure = &slow,
     .rows = {{"T01", "slow, 0.01 % over 2000 leaves", NULL, NULL, NULL, "ratio", 0.18127743,
               ABSOLUTE, 0.004, 2.1253}}},
    {"fan-out of 10",
     "fanout.yaml",
     {"nodes.root.steps=[{all: [{call: leaf, times: 10}]}]"},
     ANY_SLOW,
     .rate = 100,
     .requests = 2e5,
     .warmup = 5,
     .measure = &slow,
     .rows = {{"T01", "slow, 1 % over 10 leaves", NULL, NULL, NULL, "ratio", 0.095617925, ABSOLUTE,
               0.003, 3.0755}}},
    {"slowest of 10",
     "fanout.yaml",
     {"nodes.root.steps=[{all: [{call: leaf, times: 10}]}]", "nodes.leaf.time=exp(10ms)"},
     ORDER,
     .rate = 100,
     .requests = 1e6,
     .warmup = 1,
     .rows = {ROOT("T02", "slowest of 10, mean", "mean", 29.289683, 0.01, 0.425)}},
    {"slowest of 100",
     "fanout.yaml",
     {"nodes.leaf.time=exp(10ms)"},
     ORDER,
     .rate = 100,
     .requests = 4e5,
     .warmup = 1,
     .rows =
         {
             ROOT("T02", "slowest of 100, mean", "mean", 51.873775, 0.01, 0.2466),
             ROOT("T02", "slowest of 100, p50", "p50", 49.751468, 0.01, 0.289),
             ROOT("T02", "slowest of 100, p99", "p99", 92.053697, 0.02, 1.086),
         }},
    {"fastest 90 of 100",
     "fanout.yaml",
     {"nodes.leaf.time=exp(10ms)",
      "nodes.root.steps=[{first: [{call: leaf, times: 100}], need: 90}]"},
     ORDER,
     .rate = 100,
     .requests = 2e5,
     .warmup = 1,
     .rows = {ROOT("T02", "fastest 90 of 100, mean", "mean", 22.584093, 0.01, 0.1293)}},
    {"fork and join of 2 at 0.8",
     "join.yaml",
     {NULL},
     TWO,
     .rate = 0.8,
     .requests = 5e6,
     .warmup = 2000,
     .rows = {ROOT("T03", "join of 2, load 0.8", "mean", 7000, 0.015, 7.5)}},
    {"fork and join of 2 at 0.5",
     "join.yaml",
     {"nodes.users.arrivals=poisson(0.5/s)"},
     TWO,
     .rate = 0.5,
     .requests = 1.5e6,
     .warmup = 500,
     .rows = {ROOT("T03", "join of 2, load 0.5", "mean", 2875, 0.01, 2.5)}},
    {"fork and join of 4 at 0.7",
     "join.yaml",
     {"nodes.users.arrivals=poisson(0.7/s)", "nodes.servers.count=4",
      "nodes.root.steps=[{all: [servers.1, servers.2, servers.3, servers.4]}]"},
     MORE,
     .rate = 0.7,
     .requests = 3e6,
     .warmup = 1000,
     .rows =
         {
             ROOT("T04", "join of 4, load 0.7", "mean", 6196.4, 0.015, 3.71),
             ROOT("T04", "join of 4, approximation within 5 %", "mean", 6073.2744, 0.04, 0),
         }},
    {"fork and join of 8 at 0.7",
     "join.yaml",
     {"nodes.users.arrivals=poisson(0.7/s)", "nodes.servers.count=8",
      "nodes.root.steps=[{all: [servers.1, servers.2, servers.3, servers.4, servers.5, servers.6, "
      "servers.7, servers.8]}]"},
     MORE,
     .rate = 0.7,
     .requests = 2e6,
     .warmup = 1000,
     .rows =
         {
             ROOT("T04", "join of 8, load 0.7", "mean", 7730.6, 0.015, 3.6),
             ROOT("T04", "join of 8, approximation within 5 %", "mean", 7557.996, 0.04, 0),
         }},
    /* Of the 20,000 half take 1 ms, the others 100 s - k 10 ms + 1 ms, k from 0. */
    {"stall",
     "stall.yaml",
     {NULL},
     "arithmetic; Tene 2013",
     .replications = 1,
     .measure = &stall,
     .rows =
         {
             EXACT("T11", "open loop, mean", "users", "latency", "mean", 25003.5),
             ROOT("T11", "open loop, p45", "p45", 1, 0.001, 0),
             ROOT("T11", "open loop, p75", "p75", 50001, 0.003, 0),
             {"T11", "closed loop, share above 1 s", NULL, NULL, NULL, "ratio", 1e-5, ABSOLUTE,
              1e-6, 0},
         }},
    {"a hundred in turn",
     "fixed.yaml",
     {NULL},
     "by hand",
     .replications = 1,
     .measure = &departures,
     .rows =
         {
             EXACT("fixed", "one each ms: last departure, ms", NULL, NULL, "max", 992),
             EXACT("fixed", "one each ms: response, p95", "users", "latency", "p95", 759),
             EXACT("fixed", "one each ms: response, p99", "users", "latency", "p99", 867),
             EXACT("fixed", "one each ms: wait, mean", "servers", "wait", "mean", 271.59),
         }},
    {"a hundred at once",
     "fixed.yaml",
     {"nodes.users.arrivals=batches(100 every 1000s)"},
     "by hand",
     .replications = 1,
     .measure = &departures,
     .rows =
         {
             EXACT("fixed", "all at once: last departure, ms", NULL, NULL, "max", 990),
             EXACT("fixed", "all at once: response, p95", "users", "latency", "p95", 840),
             EXACT("fixed", "all at once: response, p99", "users", "latency", "p99", 960),
             EXACT("fixed", "all at once: wait, mean", "servers", "wait", "mean", 320.1),
         }},
    /* Request k of 12,000 waits k (10 ms - 1/120 s); the gaps are rounded to whole ns. */
    {"overload",
     "overload.yaml",
     {NULL},
     "arithmetic: completions in the window alone would show 8.34 s",
     .replications = 1,
     .rows =
         {
             {"V8", "response, mean", "users", NULL, "latency", "mean", 10009.166667, ABSOLUTE,
              1e-5, 0},
             ROOT("V8", "response, p99", "p99", 19808.333, 0.002, 0),
             {"V8", "response, max", "users", NULL, "latency", "max", 20008.333333, ABSOLUTE, 1e-5,
              0},
         }},
    {0},
};
