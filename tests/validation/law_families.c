/* Laws beyond the means of single queues: V3 to V7, V9 to V13, V15, V16. What no CSV shows is read
 * by observers. Work takes 1 s on average unless said otherwise. */
#include "tests/validation/cases.h"
#include "tests/validation/specials.h"

#include <string.h>

#define RESPONSE(id, what, stat, expected, tol, sigma)                                             \
    {                                                                                              \
        id, what, "users", NULL, "latency", stat, expected, RELATIVE, tol, sigma                   \
    }
#define CELL(id, what, node, operation, metric, stat, expected, tol, sigma)                        \
    {                                                                                              \
        id, what, node, operation, metric, stat, expected, RELATIVE, tol, sigma                    \
    }
#define OWN(id, what, expected, type, tol, sigma)                                                  \
    {                                                                                              \
        id, what, NULL, NULL, NULL, "mean", expected, type, tol, sigma                             \
    }

/* ---- second moments of the wait ---- */

struct squares {
    double sum, count;
};

static void squares_serve(void *context, const struct agent *at, const struct call *call,
                          int64_t work_ns)
{
    struct squares *s = context;
    double wait = (double)(simulation_now(at->simulation) - call->arrived_ns) / 1e9;
    (void)work_ns;
    s->sum += wait * wait;
    s->count++;
}

static void squares_end(void *context, const struct result *result, struct quotient *rows)
{
    const struct squares *s = context;
    (void)result;
    rows[1] = (struct quotient){s->sum, s->count};
}
static const struct measure squares = {
    .size = sizeof(struct squares), .serve = squares_serve, .end = squares_end};

/* ---- the number an arrival sees ---- */

struct seen {
    double inside, sum, count;
};

static void seen_arrive(void *context, const struct agent *at, const struct call *call)
{
    struct seen *s = context;
    (void)at, (void)call;
    s->sum += s->inside++;
    s->count++;
}

static void seen_leave(void *context, const struct agent *at, const struct call *call)
{
    struct seen *s = context;
    (void)at, (void)call;
    s->inside--;
}

static void seen_end(void *context, const struct result *result, struct quotient *rows)
{
    const struct seen *s = context;
    (void)result;
    rows[0] = (struct quotient){s->sum, s->count};
}
static const struct measure seen = {
    .size = sizeof(struct seen), .arrive = seen_arrive, .leave = seen_leave, .end = seen_end};

/* ---- gaps between arrivals or departures at the first server ---- */

struct gaps {
    int64_t last_ns;
    double before, count, sum, square, product, above;
    bool begun;
};

static void gaps_note(struct gaps *g, const struct agent *at)
{
    int64_t now_ns = simulation_now(at->simulation);
    double gap = (double)(now_ns - g->last_ns) / 1e9;
    if (g->begun) {
        g->count++;
        g->sum += gap;
        g->square += gap * gap;
        g->product += gap * g->before;
        g->above += gap > 1.25;
    }
    g->begun = true;
    g->last_ns = now_ns;
    g->before = gap;
}

static void gaps_leave(void *context, const struct agent *at, const struct call *call)
{
    (void)call;
    gaps_note(context, at);
}

static void gaps_arrive(void *context, const struct agent *at, const struct call *call)
{
    (void)call;
    if (!strcmp(at->name, "servers.1"))
        gaps_note(context, at);
}

static void gaps_end(void *context, const struct result *result, struct quotient *rows)
{
    const struct gaps *g = context;
    double mean = g->sum / g->count, variance = g->square / g->count - mean * mean;
    (void)result;
    rows[0] = (struct quotient){variance / (mean * mean), 1};
    rows[1] = (struct quotient){(g->product / g->count - mean * mean) / variance, 1};
    rows[2] = (struct quotient){g->sum, g->count};
    rows[3] = (struct quotient){g->above, g->count};
}
static const struct measure departing = {
    .size = sizeof(struct gaps), .leave = gaps_leave, .end = gaps_end};
static const struct measure arriving = {
    .size = sizeof(struct gaps), .arrive = gaps_arrive, .end = gaps_end};

/* ---- busy periods ---- */

struct busy {
    int64_t begin_ns;
    double inside, served, periods, sum, square, all_served, alone;
};

static void busy_arrive(void *context, const struct agent *at, const struct call *call)
{
    struct busy *b = context;
    (void)call;
    if (!b->inside++)
        b->begin_ns = simulation_now(at->simulation);
}

static void busy_leave(void *context, const struct agent *at, const struct call *call)
{
    struct busy *b = context;
    (void)call;
    b->served++;
    if (--b->inside > 0)
        return;
    double length = (double)(simulation_now(at->simulation) - b->begin_ns) / 1e9;
    b->periods++;
    b->sum += length;
    b->square += length * length;
    b->all_served += b->served;
    b->alone += b->served == 1;
    b->served = 0;
}

static void busy_end(void *context, const struct result *result, struct quotient *rows)
{
    const struct busy *b = context;
    (void)result;
    rows[0] = (struct quotient){b->sum, b->periods};
    rows[1] = (struct quotient){b->square, b->periods};
    rows[2] = (struct quotient){b->all_served, b->periods};
    rows[3] = (struct quotient){b->alone, b->periods};
}
static const struct measure busy = {
    .size = sizeof(struct busy), .arrive = busy_arrive, .leave = busy_leave, .end = busy_end};

/* ---- the variance of a level over time about its mean of 10, from its histogram ---- */

static void spread_end(void *context, const struct result *result, struct quotient *rows)
{
    const struct result_cell *c = played_cell(result, "desk", NULL, "in_system");
    double square = 0, time = 0;
    (void)context;
    for (uint32_t i = 0; i < c->histogram.item_count; i++) {
        const struct sparse_item *item = &c->histogram.items[i];
        double value = (double)item->low, weight = (double)item->count;
        time += weight;
        square += weight * (value - 10) * (value - 10);
    }
    rows[1] = (struct quotient){square, time};
}
static const struct measure spread = {.end = spread_end};

#define IDLE_NEVER                                                                                 \
    "M/M/1: E[W^2] 2 r/(b - a)^2 in order of arrival, x 1/(1 - r) last first, x 2/(2 - r)"         \
    " at random (r = 0.8; Kingman 1962, Takacs 1963)"
#define ORDERED(order, square, sigma, tail)                                                        \
    {                                                                                              \
        "order of service " order, "one.yaml", {"nodes.desk.discipline=" order}, IDLE_NEVER,       \
            .rate = 0.8, .requests = 1e7, .warmup = 2000, .measure = &squares, .rows = {           \
                CELL("V3", "wait, mean, " order, "desk", NULL, "wait", "mean", 4000, 0.02, 11.1),  \
                OWN("V3", "wait squared, s2, " order, square, RELATIVE, 0.2, sigma),               \
                CELL("V3", "wait, p99, " order, "desk", NULL, "wait", "p99", tail, 0.05, 0),       \
            }                                                                                      \
    }

#define CROWD(law, time, mean, square)                                                             \
    {                                                                                              \
        "crowd " law, "crowd.yaml", {"nodes.desk.time=" time},                                     \
            "number inside ~ Poisson(10) for every law of the work",                               \
            .rate = 10, .requests = 4e6, .warmup = 100, .measure = &spread, .rows = {              \
                CELL("V11", "number inside, mean, " law, "desk", NULL, "in_system", "mean", 10,    \
                     0.02, mean),                                                                  \
                OWN("V11", "number inside, variance, " law, 10, RELATIVE, 0.03, square),           \
                {"V11", "p50, " law, "desk", NULL, "in_system", "p50", 10, ABSOLUTE, 0, 0},        \
                {"V11", "p90, " law, "desk", NULL, "in_system", "p90", 14, ABSOLUTE, 0, 0},        \
                {"V11", "p95, " law, "desk", NULL, "in_system", "p95", 15, ABSOLUTE, 0, 0},        \
                {"V11", "p99, " law, "desk", NULL, "in_system", "p99", 18, ABSOLUTE, 0, 0},        \
                {"V11", "p99.9, " law, "desk", NULL, "in_system", "p99.9", 21, ABSOLUTE, 0, 0},    \
            }                                                                                      \
    }

const struct family law_families[] = {
    ORDERED("fifo", 40, 26, 21910),
    ORDERED("random", 66.666667, 30, 34100),
    ORDERED("lifo", 200, 55, 61900),
    {"preemption of constant work",
     "priority.yaml",
     {"nodes.desk.discipline=preemptive_priority", "nodes.desk.time=1s",
      "nodes.users.arrivals=poisson(0.6/s)", "nodes.users.operations.gold=50%",
      "nodes.users.operations.plain=50%"},
     "preemptive resume (a restart would show 3.42 s); Kleinrock 1976",
     .rate = 0.6,
     .requests = 4e6,
     .warmup = 500,
     .rows =
         {
             CELL("V4", "first class, 0.3 and 0.3", "users", "gold", "latency", "mean", 1214.2857,
                  0.01, 0.812),
             CELL("V4", "second class, 0.3 and 0.3", "users", "plain", "latency", "mean", 2500,
                  0.02, 2.6),
         }},
    {"preemption of constant work at 0.8",
     "priority.yaml",
     {"nodes.desk.discipline=preemptive_priority", "nodes.desk.time=1s"},
     "preemptive resume (a restart has no steady state)",
     .rate = 0.8,
     .requests = 6e6,
     .warmup = 1000,
     .rows = {CELL("V4", "second class, 0.3 and 0.5", "users", "plain", "latency", "mean",
                   4285.7143, 0.02, 5.79)}},
    {"classes of constant work",
     "priority.yaml",
     {"nodes.desk.time=1s", "nodes.users.arrivals=poisson(0.6/s)",
      "nodes.users.operations.gold=50%", "nodes.users.operations.plain=50%"},
     "Cobham 1954",
     .rate = 0.6,
     .requests = 4e6,
     .warmup = 500,
     .rows =
         {
             CELL("V4", "wait of the first class", "desk", "gold", "wait", "mean", 428.57143, 0.02,
                  2.92),
             CELL("V4", "wait of the second class", "desk", "plain", "wait", "mean", 1071.4286,
                  0.02, 5.78),
         }},
    {"what an arrival sees, closed",
     "closed.yaml",
     {NULL},
     "an arrival sees the system without itself; Sevcik, Mitrani 1981",
     .rate = 3.8790535,
     .requests = 4e6,
     .warmup = 200,
     .measure = &seen,
     .rows =
         {
             OWN("V5", "number seen, 20 users", 0.558969, RELATIVE, 0.02, 3.03),
             CELL("V5", "share that waits", "desk", NULL, "waited", "ratio", 0.368821, 0.02, 1.97),
             CELL("V5", "busy share of time", "desk", NULL, "utilization", "mean", 0.387905, 0.01,
                  1.37),
             CELL("V5", "number inside over time", "desk", NULL, "in_system", "mean", 0.604733,
                  0.02, 2.41),
         }},
    {"what an arrival sees, paced",
     "one.yaml",
     {"nodes.users.arrivals=constant(0.8/s)"},
     "D/M/1: geometric at arrivals, not over time",
     .rate = 0.8,
     .requests = 4e6,
     .warmup = 1000,
     .measure = &seen,
     .rows =
         {
             OWN("V5", "number seen, D/M/1", 1.69273, RELATIVE, 0.03, 7.27),
             CELL("V5", "number inside over time, D/M/1", "desk", NULL, "in_system", "mean",
                  2.15418, 0.02, 6.5),
             CELL("V5", "busy share of time, D/M/1", "desk", NULL, "utilization", "mean", 0.8, 0.01,
                  1.0),
         }},
#define GAPS(id, what, square, lag, scv, one)                                                      \
    OWN(id, "gaps of " what ", squared variation", square, RELATIVE, 0.05, scv),                   \
        OWN(id, "gaps of " what ", next to next", lag, ABSOLUTE, 0.02, one)
    {"departures of M/M/1",
     "one.yaml",
     {NULL},
     "departures are Poisson again; Burke 1956",
     .rate = 0.8,
     .requests = 4e6,
     .warmup = 1000,
     .measure = &departing,
     .rows =
         {
             GAPS("V6", "M/M/1 departures", 1, 0, 1.9, 0.94),
             OWN("V6", "gaps of M/M/1 departures, s", 1.25, RELATIVE, 0.01, 0.912),
             OWN("V6", "gaps above 1.25 s", 0.36787944, RELATIVE, 0.01, 1.18),
         }},
    {"departures of M/D/1",
     "one.yaml",
     {"nodes.desk.time=1s"},
     "1 - load^2",
     .rate = 0.8,
     .requests = 4e6,
     .warmup = 1000,
     .measure = &departing,
     .rows = {OWN("V6", "gaps of M/D/1 departures, squared variation", 0.36, RELATIVE, 0.05, 4.1),
              OWN("V6", "gaps of M/D/1 departures, next to next", 0.139, ABSOLUTE, 0.015, 0)}},
    {"departures of M/H2/1",
     "one.yaml",
     {"nodes.desk.time=hyperexp(mean=1s cv=2)"},
     "1 + load^2 (scv - 1)",
     .rate = 0.8,
     .requests = 6e6,
     .warmup = 2000,
     .measure = &departing,
     .rows = {OWN("V6", "gaps of M/H2/1 departures, squared variation", 2.92, RELATIVE, 0.05,
                  5.22)}},
    {"random split",
     "four.yaml",
     {NULL},
     "a random share of a Poisson stream is Poisson",
     .rate = 3.2,
     .requests = 8e6,
     .warmup = 100,
     .measure = &arriving,
     .rows = {GAPS("V6", "a random share", 1, 0, 4, 2.1)}},
    {"every fourth",
     "four.yaml",
     {"nodes.balancer.policy=round_robin"},
     "sum of four exponentials: Erlang",
     .rate = 3.2,
     .requests = 4e6,
     .warmup = 100,
     .measure = &arriving,
     .rows = {GAPS("V6", "every fourth", 0.25, 0, 3.05, 1.93)}},
    {"busy periods",
     "one.yaml",
     {NULL},
     "mean 1/(b - a), variance (1 + r)/(1 - r)^3, P(1 served) = 1/(1 + r); Takacs 1962",
     .rate = 0.8,
     .requests = 2e7,
     .warmup = 1000,
     .measure = &busy,
     .rows =
         {
             OWN("V7", "length, s", 5, RELATIVE, 0.02, 6.29),
             OWN("V7", "length squared, s2", 250, RELATIVE, 0.2, 23.5),
             OWN("V7", "served in one", 5, RELATIVE, 0.02, 5.58),
             OWN("V7", "served alone", 0.55555556, RELATIVE, 0.01, 2.0),
         }},
    {"transient at 0.8",
     "one.yaml",
     {"run.warmup=0s", "run.duration=200.1s"},
     "from empty: the uniformised chain",
     .replications = 10000,
     .measure = &transient,
     .rows =
         {
             OWN("V9", "number at 1 s", 0.551552, RELATIVE, 0.07, 20),
             OWN("V9", "number at 5 s", 1.469461, RELATIVE, 0.06, 14),
             OWN("V9", "number at 10 s", 2.030282, RELATIVE, 0.06, 13.2),
             OWN("V9", "number at 20 s", 2.647635, RELATIVE, 0.06, 13),
             OWN("V9", "number at 50 s", 3.405039, RELATIVE, 0.06, 13.3),
             OWN("V9", "number at 100 s", 3.791873, RELATIVE, 0.06, 13.8),
             OWN("V9", "number at 200 s", 3.962982, RELATIVE, 0.06, 14),
             OWN("V9", "empty at 1 s", 0.597399, RELATIVE, 0.05, 10.4),
             OWN("V9", "empty at 5 s", 0.348968, RELATIVE, 0.08, 17.3),
             OWN("V9", "empty at 10 s", 0.286423, RELATIVE, 0.1, 20),
             OWN("V9", "empty at 20 s", 0.244852, RELATIVE, 0.1, 22.2),
             OWN("V9", "empty at 50 s", 0.214118, RELATIVE, 0.1, 24.2),
             OWN("V9", "empty at 100 s", 0.203976, RELATIVE, 0.1, 25),
             OWN("V9", "empty at 200 s", 0.200592, RELATIVE, 0.1, 25.3),
         }},
    {"transient in series.csv",
     "one.yaml",
     {"run.warmup=0s", "run.duration=20.4s", "output.series=200ms"},
     "the two intervals about an instant",
     .replications = 10000,
     .measure = &course,
     .rows =
         {
             OWN("V9", "series about 1 s", 0.551552, RELATIVE, 0.06, 6),
             OWN("V9", "series about 5 s", 1.469461, RELATIVE, 0.06, 4.5),
             OWN("V9", "series about 10 s", 2.030282, RELATIVE, 0.06, 4.2),
             OWN("V9", "series about 20 s", 2.647635, RELATIVE, 0.06, 4.1),
         }},
    {"independent replications",
     "pair.yaml",
     {"run.warmup=2000s", "run.duration=42000s"},
     "variance constant 29 of the wait at load 0.5; Blomqvist 1967",
     .replications = 1000,
     .special = independence,
     .rows =
         {
             OWN("V10", "variance of the mean wait x n / wait^2", 29, RELATIVE, 0.18, 0),
             OWN("V10", "correlation of one replication with the next", 0, ABSOLUTE, 0.127, 0),
             OWN("V10", "correlation of two unconnected systems", 0, ABSOLUTE, 0.127, 0),
         }},
    CROWD("constant", "1s", 0.98, 3.5),
    CROWD("exponential", "exp(1s)", 1.5, 4.8),
    CROWD("lognormal", "lognormal(mean=1s sd=2s)", 2.3, 6.7),
    CROWD("Pareto", "pareto(0.3442075s 1.5 max=344.2075s)", 3.3, 5.6),
    {"constant thinking of 20",
     "closed.yaml",
     {"nodes.users.think=5s"},
     "any law of thinking gives the same; Baskett et al. 1975",
     .rate = 3.8790535,
     .requests = 2e6,
     .warmup = 200,
     .rows = {CELL("V12", "throughput of 20", "users", NULL, "throughput", "rate", 3.8790535, 0.006,
                   0.0837)}},
    {"constant thinking of 60",
     "closed.yaml",
     {"nodes.users.think=5s", "nodes.users.users=60"},
     "any law of thinking gives the same; Baskett et al. 1975",
     .rate = 9.7833153,
     .requests = 2e6,
     .warmup = 500,
     .rows = {CELL("V12", "throughput of 60", "users", NULL, "throughput", "rate", 9.7833153, 0.006,
                   0.763)}},
    {"link",
     "link.yaml",
     {NULL},
     "M/D/1 at 0.8: 20 ms of waiting and 10 ms of sending",
     .rate = 80,
     .requests = 6e6,
     .warmup = 20,
     .rows = {RESPONSE("V13", "messages of one size", "mean", 30, 0.01, 5)}},
    {"link, any size",
     "link.yaml",
     {"nodes.users.sizes=exp(1250B)"},
     "M/M/1 at 0.8: 50 ms",
     .rate = 80,
     .requests = 1.5e7,
     .warmup = 20,
     .rows = {RESPONSE("V13", "messages of exponential size", "mean", 50, 0.01, 9)}},
    {"inspection",
     "one.yaml",
     {"nodes.users.arrivals=poisson(5/s)", "nodes.desk.time=mix(90% 10ms + 10% 100ms)"},
     "load / (1 - load) x mean residual 28.684 ms, not 9.5",
     .rate = 5,
     .requests = 6e6,
     .warmup = 10,
     .rows =
         {
             CELL("V15", "wait, mean", "desk", NULL, "wait", "mean", 3.01105, 0.01, 6.04),
             CELL("V15", "share that waits", "desk", NULL, "waited", "ratio", 0.095, 0.01, 3.58),
         }},
    {"two halves",
     "split.yaml",
     {NULL},
     "two streams of half the rate are one",
     .rate = 80,
     .requests = 1.5e7,
     .warmup = 20,
     .rows =
         {
             CELL("V16", "response of one half", "here", NULL, "latency", "mean", 50, 0.01, 9),
             CELL("V16", "response of the other", "there", NULL, "latency", "mean", 50, 0.01, 9),
         }},
    {"pivots",
     "mm1.yaml",
     {"run.warmup=10s", "run.duration=110s"},
     "400 experiments of 20 replications: t with 19 degrees of freedom, its variance 19/17",
     .special = pivots,
     .rows =
         {
             OWN("t", "mean of (estimate - truth)/se", 0, ABSOLUTE, 0.2, 0),
             OWN("t", "variance of it", 1.1176, RELATIVE, 0.25, 0),
             OWN("t", "share of intervals above the truth", 0.0275, ABSOLUTE, 0.0225, 0),
             OWN("t", "share of intervals below the truth", 0.0275, ABSOLUTE, 0.0225, 0),
         }},
    {0},
};
