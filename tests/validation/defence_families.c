/* Defences: retries and their budget, hedges, breakers, rate limits. T06, T08, T10, M09, M10. */
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

#define RATIO(id, what, metric, expected, tolerance, sigma)                                        \
    {                                                                                              \
        id, what, "users", NULL, metric, "ratio", expected, ABSOLUTE, tolerance, sigma             \
    }
#define OWN(id, what, expected, tolerance)                                                         \
    {                                                                                              \
        id, what, NULL, NULL, NULL, "ratio", expected, ABSOLUTE, tolerance, 0                      \
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
               0},
              {"T06", "latency, p99", "users", NULL, "latency", "p99", 2802.5851, RELATIVE, 0.02,
               0},
              RATIO("T06", "second messages per request", "hedges", 0.36787944, 0.003, 0)}},
    {"four tries, half of them fail",
     "defence.yaml",
     {AT_ONCE, "nodes.server.fail=50%", "nodes.users.retry={attempts: 4}"},
     "(1 - p^r) / (1 - p); " BROOKER,
     .rate = 100,
     .requests = 1e6,
     .warmup = 5,
     .measure = &per_operation,
     .rows = {OWN("T08", "messages per request, p = 0.5", 1.875, 0.009),
              RATIO("T08", "share that succeeds, p = 0.5", "availability", 0.9375, 0.003, 0)}},
    {"four tries, a tenth of them fail",
     "defence.yaml",
     {AT_ONCE, "nodes.server.fail=10%", "nodes.users.retry={attempts: 4}"},
     BROOKER,
     .rate = 100,
     .requests = 1e6,
     .warmup = 5,
     .measure = &per_operation,
     .rows = {OWN("T08", "messages per request, p = 0.1", 1.111, 0.002),
              RATIO("T08", "share that succeeds, p = 0.1", "availability", 0.9999, 0.0001, 0)}},
    /* Brooker prints 1.121 messages and 0.557 ok, which this rule of deposits does not give. */
    {"retries within a budget, half of the tries fail",
     "defence.yaml",
     {AT_ONCE, "nodes.server.fail=50%",
      "nodes.users.retry={attempts: 4, budget: budget(10% burst=5)}"},
     "balance of tokens: wanted above supply, a tenth of a retry for each request",
     .rate = 100,
     .requests = 1e6,
     .warmup = 5,
     .measure = &per_operation,
     .rows = {OWN("T08", "messages per request, budget, p = 0.5", 1.1, 0.002),
              RATIO("T08", "share that succeeds, budget, p = 0.5", "availability", 0.55, 0.002,
                    0)}},
    {"three layers of four tries",
     "layers.yaml",
     {NULL},
     "r^layers; Beyer and others, Site Reliability Engineering 2016, chapter 22",
     .rate = 100,
     .requests = 2e4,
     .warmup = 0,
     .measure = &at_server,
     .rows = {OWN("T08", "calls at the bottom of three layers", 64, 1e-9)}},
    {"breaker after five errors in a row",
     "defence.yaml",
     {AT_ONCE, "nodes.server.fail=50%", "nodes.users.breaker={errors: consecutive(5), open: 100ms}",
      "nodes.users.arrivals=constant(50/s)"},
     "(p^-k - 1) / (1 - p); Feller, Introduction to Probability I, XIII.7",
     .rate = 50,
     .requests = 2e6,
     .warmup = 0,
     .measure = &to_open,
     .rows = {OWN("T10", "calls until it opens", 62, 1.8)}},
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
     .requests = 4e6,
     .warmup = 10,
     .rows = {RATIO("M09", "share refused", "rate_limited", 0.016631748, 0.00033, 0)}},
    {"token bucket of 20 at 1.2",
     "defence.yaml",
     {AT_ONCE, "nodes.users.arrivals=poisson(120/s)",
      "nodes.users.rate_limit=token_bucket(100/s burst=20)"},
     BUCKET,
     .rate = 120,
     .requests = 1e6,
     .warmup = 10,
     .rows = {RATIO("M10", "share refused", "rate_limited", 0.16676267, 0.0033, 0)}},
    {0},
};
