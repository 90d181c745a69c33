/* Scaling: V01 to V05; and backlogs by a surge or a pause: M03, M08. */
#include "tests/validation/cases.h"

/* ---- backlogs: when they are gone, and how long one request waited ---- */

enum { CLEARED = 20 };

/* The number inside, by arrivals and departures; when it was last above CLEARED, and how long the
 * first request from 75 s on took; ns. */
struct backlog {
    int64_t inside, last_ns, marked_ns, delay_ns;
};

static void backlog_move(struct backlog *b, const struct agent *at, int64_t by)
{
    b->inside += by;
    if (b->inside > CLEARED)
        b->last_ns = simulation_now(at->simulation);
}

static void backlog_arrive(void *context, const struct agent *at, const struct call *call)
{
    struct backlog *b = context;
    int64_t mark_ns = INT64_C(75000000000);
    if (at->node_name[0] != 'd')
        return;
    if (!b->marked_ns && call->arrived_ns >= mark_ns)
        b->marked_ns = call->arrived_ns;
    backlog_move(b, at, 1);
}

static void backlog_leave(void *context, const struct agent *at, const struct call *call)
{
    struct backlog *b = context;
    if (at->node_name[0] != 'd')
        return;
    if (call->arrived_ns == b->marked_ns)
        b->delay_ns = simulation_now(at->simulation) - call->arrived_ns;
    backlog_move(b, at, -1);
}

/* Rows: when the backlog was gone (s), how long after the end of a fault or after 75 s; the delay
 * (s) of the one at 75 s. */
static void backlog_end(void *context, const struct result *result, struct quotient *rows)
{
    const struct backlog *b = context;
    int64_t from_ns = INT64_C(75000000000);
    if (result->strike_count && result->strikes[0].end < b->last_ns)
        from_ns = result->strikes[0].end;
    rows[0] = (struct quotient){(double)b->last_ns / 1e9, 1};
    rows[1] = (struct quotient){(double)(b->last_ns - from_ns) / 1e9, 1};
    rows[2] = (struct quotient){(double)b->delay_ns / 1e9, 1};
}
static const struct measure backlog = {.size = sizeof(struct backlog),
                                       .arrive = backlog_arrive,
                                       .leave = backlog_leave,
                                       .end = backlog_end};

#define OWN(id, what, expected, tolerance)                                                         \
    {                                                                                              \
        id, what, NULL, NULL, NULL, "max", expected, RELATIVE, tolerance, 0                        \
    }
#define DESK(id, what, metric, expected, tolerance)                                                \
    {                                                                                              \
        id, what, "desk", NULL, metric, "max", expected, RELATIVE, tolerance, 0                    \
    }
#define FLUID "(a - b) t, backlog / (b - a); fluid"

#define THROUGHPUT(id, what, expected, tol)                                                        \
    {                                                                                              \
        id, what, "users", NULL, "throughput", "rate", expected, RELATIVE, tol, 0                  \
    }
#define RESPONSE(what, expected, sigma)                                                            \
    {                                                                                              \
        "V04", what, "users", NULL, "latency", "mean", expected, RELATIVE, 0.015, sigma            \
    }

#define GUNTHER "g N / (1 + alpha (N - 1) + beta N (N - 1)); Gunther 1993, 2007"
#define LAW(n, expected)                                                                           \
    {                                                                                              \
        "universal law, " #n, "law.yaml", {"nodes.users.users=" #n}, GUNTHER,                      \
            .replications = 2, .rows = {                                                           \
                THROUGHPUT("V01", "throughput of " #n " at work", expected, 0.001)                 \
            }                                                                                      \
    }
#define AMDAHL(n, expected)                                                                        \
    {                                                                                              \
        "Amdahl's law, " #n, "law.yaml",                                                           \
            {"nodes.users.users=" #n, "nodes.machine.usl={alpha: 0.05}"},                          \
            "1 / (s + (1 - s) / N); Amdahl 1967", .replications = 2, .rows = {                     \
                THROUGHPUT("V02", "throughput of " #n " with 5 % serial", expected, 0.001)         \
            }                                                                                      \
    }
#define LOCK(n, x, expected, sigma)                                                                \
    {                                                                                              \
        "a lock and " #n " threads", "lock.yaml", {"nodes.users.users=" #n},                       \
            "finite-source birth and death; Palm 1947",                                            \
            .rate = x, .requests = 1e6, .warmup = 20, .rows = {                                    \
                {"V03", "throughput of " #n " threads at a lock", "users", NULL, "throughput",     \
                 "rate", expected, RELATIVE, 0.01, sigma}                                          \
            }                                                                                      \
    }

const struct family scale_families[] = {
    LAW(1, 1000),
    LAW(8, 6849.3151),
    LAW(32, 15122.873),
    LAW(44, 15680.684),
    LAW(64, 14967.259),
    AMDAHL(8, 5925.9259),
    AMDAHL(64, 15421.687),
    LOCK(8, 78, 78.141305, 0.889),
    LOCK(20, 173, 173.24771, 0.691),
    LOCK(64, 200, 200, 1.01),
    {"scaled up",
     "mm1.yaml",
     {"nodes.users.arrivals=poisson(16/s)", "nodes.desk.time=exp(50ms)"},
     "M/M/1: 1 / (b - a)",
     .rate = 16,
     .requests = 6e6,
     .warmup = 100,
     .rows = {RESPONSE("one server of 20/s", 250, 8.42)}},
    {"scaled out, one queue",
     "shared.yaml",
     {"nodes.users.arrivals=poisson(16/s)", "nodes.desk.time=exp(200ms)"},
     "Erlang C; Kleinrock 1975",
     .rate = 16,
     .requests = 3.5e6,
     .warmup = 100,
     .rows = {RESPONSE("four servers of 5/s, one queue", 349.10812, 6.2)}},
    {"scaled out, split at random",
     "four.yaml",
     {"nodes.users.arrivals=poisson(16/s)", "nodes.servers.time=exp(200ms)"},
     "four M/M/1 of a quarter each",
     .rate = 16,
     .requests = 6e6,
     .warmup = 200,
     .rows = {RESPONSE("four servers of 5/s, split at random", 1000, 8.42)}},
    {"a scaler that is too late",
     "late.yaml",
     {NULL},
     "(a - b) t; fluid",
     .replications = 1,
     .rows =
         {
             {"V05", "backlog when the ordered ones begin", "desk", NULL, "in_system", "max", 11250,
              RELATIVE, 0.01, 0},
             /* 36 USD/h are 1 cent a second: three for 75 s, four from the order on for 60 s. */
             {"V05", "cost, from the order on", "desk", NULL, "cost", "total", 4.65, ABSOLUTE, 1e-6,
              0},
         }},
    /* No jockeying: who came early stays behind one of the first three. All are busy to the end,
     * for newcomers join the shortest queue. */
    {"a scaler that is too late, to the end",
     "late.yaml",
     {"run.duration=400s", "nodes.balancer.policy=join_shortest_queue"},
     FLUID,
     .replications = 1,
     .measure = &backlog,
     .rows = {OWN("V05", "backlog of seven queues gone at (s)", 300, 0.01),
              OWN("V05", "time to work it off (s)", 225, 0.01)}},
    /* One queue, whose three slots become 7/3 as fast at 75 s. */
    {"capacity that comes too late",
     "spike.yaml",
     {"nodes.users.arrivals=constant(300/s)", "nodes.desk.slots=3", "nodes.desk.time=20ms",
      "faults=[{at: 75s, slow: desk, by: x0.42857142857, name: more}]", "run.duration=400s"},
     FLUID,
     .replications = 1,
     .measure = &backlog,
     .rows = {OWN("V05", "backlog of one queue gone at (s)", 300, 0.01),
              OWN("V05", "time to work it off, one queue (s)", 225, 0.01),
              OWN("V05", "delay of the arrival at 75 s (s)", 32.142857, 0.02),
              DESK("V05", "longest delay (ms), of the arrival at 37.5 s", "latency", 37500, 0.02),
              DESK("V05", "longest backlog of one queue", "in_system", 11250, 0.01)}},
    {"a spike",
     "spike.yaml",
     {NULL},
     FLUID,
     .replications = 1,
     .measure = &backlog,
     .rows = {OWN("M03", "backlog of the spike gone at (s)", 610, 0.01),
              OWN("M03", "time to work the spike off (s)", 450, 0.01),
              DESK("M03", "backlog at its end", "in_system", 9000, 0.01),
              DESK("M03", "longest delay (ms)", "latency", 90000, 0.01)}},
    {"a consumer that pauses",
     "spike.yaml",
     {"nodes.users.arrivals=constant(1k/s)", "nodes.desk.time=0.66666667ms",
      "faults=[{at: 75s, for: 30s, pause: desk, name: stop}]", "run.duration=200s"},
     "a P, a P / (b - a); fluid",
     .replications = 1,
     .measure = &backlog,
     .rows = {OWN("M08", "caught up at (s)", 165, 0.005),
              OWN("M08", "time to catch up (s)", 60, 0.01),
              {"M08", "longest delay (ms)", "users", NULL, "latency", "max", 30000, RELATIVE, 0.01,
               0},
              DESK("M08", "longest lag", "in_system", 30000, 0.01)}},
    {0},
};
