/* Defences: retries and their budget, hedges, breakers, rate limits. T06, T08, T10, M09, M10. Where
 * requests are independent the sigmas are exact: sqrt((1 - p) / p) of a share, standard deviation
 * over mean of a mean, sqrt(p (1 - p)) / (f(q) q) of a quantile. */
#include "tests/validation/cases.h"

#define BROOKER "Brooker 2022, Fixing retries with token buckets and circuit breakers"
#define BUCKET "tokens missing are the work of an M/D/1 that admits below b - 1; Erlang's series"

/* Messages sent for each operation. */
static void per_operation_end(void *context, const struct result *result, struct quotient *rows)
{
    const struct result_cell *attempts = played_cell(result, "users", NULL, "attempts");
    const struct result_cell *offered = played_cell(result, "users", NULL, "offered");
    (void)context;
    rows[0] = (struct quotient){(double)attempts->numerator, (double)offered->numerator};
}
static const struct measure per_operation = {.end = per_operation_end};

/* Calls at the server for each operation. */
static void at_server_end(void *context, const struct result *result, struct quotient *rows)
{
    const struct result_cell *arrivals = played_cell(result, "server", NULL, "arrivals");
    const struct result_cell *offered = played_cell(result, "users", NULL, "offered");
    (void)context;
    rows[0] = (struct quotient){(double)arrivals->numerator, (double)offered->numerator};
}
static const struct measure at_server = {.end = at_server_end};

/* From closed to closed: n calls until it opens, then probes, two on average, of which all but the
 * last open it again: (n + 2) calls for 2 trips. */
static void to_open_end(void *context, const struct result *result, struct quotient *rows)
{
    const struct result_cell *arrivals = played_cell(result, "server", NULL, "arrivals");
    const struct result_cell *trips = played_cell(result, "users", NULL, "breaker_trips");
    (void)context;
    double cycles = (double)trips->numerator / 2;
    rows[0] = (struct quotient){(double)arrivals->numerator - 2 * cycles, cycles};
}
static const struct measure to_open = {.end = to_open_end};

/* ---- rate limiters: the most that come in within a second ---- */

enum { RECENT = 4096 };

/* Arrivals at the server, a ring; the most in [t - 1 s, t] and in (t - 1 s, t]. */
struct recent {
    int64_t times_ns[RECENT];
    uint64_t count, first_closed, first_open, most_closed, most_open;
};

static uint64_t recent_since(const struct recent *r, uint64_t first, int64_t from_ns)
{
    while (r->times_ns[first % RECENT] < from_ns)
        first++;
    return first;
}

static void recent_arrive(void *context, const struct agent *at, const struct call *call)
{
    struct recent *r = context;
    int64_t second_ns = 1000000000, now_ns = simulation_now(at->simulation);
    (void)call;
    CHECK(r->count - r->first_closed < RECENT);
    r->times_ns[r->count++ % RECENT] = now_ns;
    r->first_closed = recent_since(r, r->first_closed, now_ns - second_ns);
    r->first_open = recent_since(r, r->first_open, now_ns - second_ns + 1);
    if (r->count - r->first_closed > r->most_closed)
        r->most_closed = r->count - r->first_closed;
    if (r->count - r->first_open > r->most_open)
        r->most_open = r->count - r->first_open;
}

static void recent_end(void *context, const struct result *result, struct quotient *rows)
{
    const struct recent *r = context;
    (void)result;
    rows[0] = (struct quotient){(double)r->most_closed, 1};
    rows[1] = (struct quotient){(double)r->most_open, 1};
}
static const struct measure recent = {
    .size = sizeof(struct recent), .arrive = recent_arrive, .end = recent_end};

/* Replications in which more than burst + rate x 1 s came in, in the second row. */
static void bucket_end(void *context, const struct result *result, struct quotient *rows,
                       double most)
{
    const struct recent *r = context;
    (void)result;
    rows[1] = (struct quotient){(double)r->most_closed > most, 1};
}
static void small_bucket_end(void *context, const struct result *result, struct quotient *rows)
{
    bucket_end(context, result, rows, 110);
}
static void large_bucket_end(void *context, const struct result *result, struct quotient *rows)
{
    bucket_end(context, result, rows, 120);
}
static const struct measure small_bucket = {
    .size = sizeof(struct recent), .arrive = recent_arrive, .end = small_bucket_end};
static const struct measure large_bucket = {
    .size = sizeof(struct recent), .arrive = recent_arrive, .end = large_bucket_end};

#define MOST(what, expected)                                                                       \
    {                                                                                              \
        "limit", what, NULL, NULL, NULL, "max", expected, ABSOLUTE, 0, 0                           \
    }
/* A flood; the server takes no time, so that nothing but the limiter spaces its arrivals. */
#define FLOOD(name, arrivals, limiter, why, closed, half_open)                                     \
    {                                                                                              \
        "flood before a " name, "defence.yaml",                                                    \
            {"nodes.server.time=0s", "nodes.users.arrivals=" arrivals,                             \
             "nodes.users.rate_limit=" limiter, "run.warmup=0s", "run.duration=20s"},              \
            why, .replications = 1, .measure = &recent, .rows = {                                  \
                MOST(name ": most in a second, both ends in it", closed),                          \
                MOST(name ": most in a second, one end in it", half_open),                         \
            }                                                                                      \
    }

#define RATIO(id, what, metric, expected, tolerance, sigma)                                        \
    {                                                                                              \
        id, what, "users", NULL, metric, "ratio", expected, ABSOLUTE, tolerance, sigma             \
    }
#define OWN(id, what, expected, tolerance, sigma)                                                  \
    {                                                                                              \
        id, what, NULL, NULL, NULL, "ratio", expected, ABSOLUTE, tolerance, sigma                  \
    }
#define AT_ONCE "nodes.server.time=10ms"

const struct family defence_families[] = {
    {"hedged exponential",
     "defence.yaml",
     {"nodes.users.hedge={after: 1s}"},
     "the hazard doubles after the delay; derived",
     .rate = 100,
     .requests = 1e6,
     .warmup = 20,
     .rows = {{"T06", "latency, mean", "users", NULL, "latency", "mean", 816.06028, RELATIVE, 0.01,
               0.78879},
              {"T06", "latency, p99", "users", NULL, "latency", "p99", 2802.5851, RELATIVE, 0.02,
               1.775},
              RATIO("T06", "second messages per request", "hedges", 0.36787944, 0.003, 1.3108)}},
    {"one try, a tenth of them fail",
     "defence.yaml",
     {AT_ONCE, "nodes.server.fail=10%"},
     BROOKER,
     .rate = 100,
     .requests = 4e5,
     .warmup = 5,
     .rows = {RATIO("T08", "share that succeeds without retries, p = 0.1", "availability", 0.9,
                    0.003, 0.33333)}},
    {"four tries, half of them fail",
     "defence.yaml",
     {AT_ONCE, "nodes.server.fail=50%", "nodes.users.retry={attempts: 4}"},
     "(1 - p^r) / (1 - p); " BROOKER,
     .rate = 100,
     .requests = 1e6,
     .warmup = 5,
     .measure = &per_operation,
     .rows = {OWN("T08", "messages per request, p = 0.5", 1.875, 0.009, 0.56174),
              RATIO("T08", "share that succeeds, p = 0.5", "availability", 0.9375, 0.003, 0.2582)}},
    {"four tries, a tenth of them fail",
     "defence.yaml",
     {AT_ONCE, "nodes.server.fail=10%", "nodes.users.retry={attempts: 4}"},
     BROOKER,
     .rate = 100,
     .requests = 1e6,
     .warmup = 5,
     .measure = &per_operation,
     .rows = {OWN("T08", "messages per request, p = 0.1", 1.111, 0.002, 0.31526),
              RATIO("T08", "share that succeeds, p = 0.1", "availability", 0.9999, 0.0001, 0.01)}},
    /* In the long run; what a short one with full buckets gives stands among the published runs. */
    {"retries within a budget, half of the tries fail",
     "defence.yaml",
     {AT_ONCE, "nodes.server.fail=50%",
      "nodes.users.retry={attempts: 4, budget: budget(10% burst=5)}"},
     "balance of tokens: wanted above supply, a tenth of a retry for each request",
     .rate = 100,
     .requests = 1.4e6,
     .warmup = 5,
     .measure = &per_operation,
     .rows = {OWN("T08", "messages per request, budget, p = 0.5", 1.1, 0.002, 0),
              RATIO("T08", "share that succeeds, budget, p = 0.5", "availability", 0.55, 0.002,
                    1.02)}},
    {"three layers of four tries",
     "layers.yaml",
     {NULL},
     "r^layers; Beyer and others, Site Reliability Engineering 2016, chapter 22",
     .rate = 100,
     .requests = 2e4,
     .warmup = 0,
     .measure = &at_server,
     .rows = {OWN("T08", "calls at the bottom of three layers", 64, 1e-9, 0)}},
    {"breaker after five errors in a row",
     "defence.yaml",
     {AT_ONCE, "nodes.server.fail=50%", "nodes.users.breaker={errors: consecutive(5), open: 100ms}",
      "nodes.users.arrivals=constant(50/s)"},
     "(p^-k - 1) / (1 - p); Feller, Introduction to Probability I, XIII.7",
     .rate = 50,
     .requests = 2.4e6,
     .warmup = 0,
     .measure = &to_open,
     .rows = {OWN("T10", "calls until it opens", 62, 1.8, 10.8)}},
    {"breaker before a server that is down",
     "defence.yaml",
     {AT_ONCE, "nodes.server.fail=100%", "nodes.users.breaker={errors: consecutive(5), open: 10s}"},
     "one probe for each time it is open",
     .rate = 100,
     .requests = 1e6,
     .warmup = 100,
     .rows = {{"T10", "calls at the server per second", "users", NULL, "attempts", "rate", 0.1,
               RELATIVE, 0.02, 0}}},
    {"token bucket of 10 at 0.9",
     "defence.yaml",
     {AT_ONCE, "nodes.users.arrivals=poisson(90/s)",
      "nodes.users.rate_limit=token_bucket(100/s burst=10)"},
     BUCKET,
     .rate = 90,
     .requests = 1.35e7,
     .warmup = 10,
     .measure = &small_bucket,
     .rows = {RATIO("M09", "share refused", "rate_limited", 0.016631748, 0.00033, 17.7),
              OWN("M09", "runs in which more than 110 came in within a second", 0, 0, 0)}},
    {"token bucket of 20 at 1.2",
     "defence.yaml",
     {AT_ONCE, "nodes.users.arrivals=poisson(120/s)",
      "nodes.users.rate_limit=token_bucket(100/s burst=20)"},
     BUCKET,
     .rate = 120,
     .requests = 1.2e6,
     .warmup = 10,
     .measure = &large_bucket,
     .rows = {RATIO("M10", "share refused", "rate_limited", 0.16676267, 0.0033, 5.1),
              OWN("M10", "runs in which more than 120 came in within a second", 0, 0, 0)}},
    {"leaky bucket of 10 at 0.9",
     "defence.yaml",
     {AT_ONCE, "nodes.users.arrivals=poisson(90/s)",
      "nodes.users.rate_limit=leaky_bucket(100/s queue=9)"},
     BUCKET,
     .rate = 90,
     .requests = 6e6,
     .warmup = 10,
     .rows = {RATIO("limit", "leaky bucket, share refused", "rate_limited", 0.016631748, 0.0005,
                    17.7)}},
    /* Who came in takes one of 25 places for a second. */
    {"sliding window of 25 at 20/s",
     "defence.yaml",
     {AT_ONCE, "nodes.users.arrivals=poisson(20/s)",
      "nodes.users.rate_limit=sliding_window(25/s window=1s)"},
     "Erlang's B formula with constant work of one window",
     .rate = 20,
     .requests = 1e6,
     .warmup = 10,
     .rows = {RATIO("limit", "sliding window, share refused", "rate_limited", 0.050221778, 0.0025,
                    8.4)}},
    {"fixed window of 25 at 20/s",
     "defence.yaml",
     {AT_ONCE, "nodes.users.arrivals=poisson(20/s)",
      "nodes.users.rate_limit=fixed_window(25/s window=1s)"},
     "E[(N - 25)+] / 20 with N ~ Poisson(20)",
     .rate = 20,
     .requests = 1e6,
     .warmup = 10,
     .rows = {RATIO("limit", "fixed window, share refused", "rate_limited", 0.016541406, 0.0011,
                    15.256)}},
    /* Four messages in flight, the others wait at the caller: M/M/4. */
    {"bulkhead of four",
     "defence.yaml",
     {"nodes.users.arrivals=poisson(3.2/s)", "nodes.users.limit=4"},
     "Erlang C; Kleinrock 1975",
     .rate = 3.2,
     .requests = 1.8e6,
     .warmup = 500,
     .rows = {{"limit", "response behind a bulkhead of 4", "users", NULL, "latency", "mean",
               1745.5406, RELATIVE, 0.02, 6.5}}},
    /* The percentile is learned from answers that hedges shorten, and comes near slowly. */
    {"hedged beyond p95",
     "defence.yaml",
     {"nodes.users.hedge={after: p95}"},
     "the hazard doubles after ln 20: 1 - 0.05/2; derived",
     .rate = 100,
     .requests = 2e6,
     .warmup = 20,
     .replications = 4,
     .rows = {RATIO("T06", "second messages per request, after p95", "hedges", 0.05, 0.003, 0),
              {"T06", "latency, mean, hedged after p95", "users", NULL, "latency", "mean", 975,
               RELATIVE, 0.01, 0}}},
    FLOOD("token bucket", "constant(10k/s)", "token_bucket(100/s burst=10)",
          "burst + rate x 1 s, both ends counted", 110, 109),
    FLOOD("leaky bucket", "constant(10k/s)", "leaky_bucket(100/s queue=20)",
          "one each 10 ms, the waiting ones too", 101, 100),
    /* Batches of 200 at 0, 0.9, 1.8 and 2.7 s: the last two fill two windows within 0.9 s. */
    FLOOD("fixed window", "batches(200 every 900ms)", "fixed_window(100/s window=1s)",
          "2 x limit about a border", 200, 200),
    FLOOD("sliding window", "constant(10k/s)", "sliding_window(100/s window=1s)",
          "the limit; one more where both ends are counted", 101, 100),
    {0},
};
