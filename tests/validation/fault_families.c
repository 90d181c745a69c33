/* Faults: V14, T09 and F12. */
#include "tests/validation/cases.h"

#define DOWN(what, node, metric, statistic, expected)                                              \
    {                                                                                              \
        "V14", what, node, NULL, metric, statistic, expected, ABSOLUTE, 1e-9, 0                    \
    }
#define STORM(what, metric, expected, tolerance)                                                   \
    {                                                                                              \
        "T09", what, "users", NULL, metric, "rate", expected, ABSOLUTE, tolerance, 0               \
    }
#define METASTABLE "stuck iff lam < mu < lam (1 + retries); Bronson et al. 2021"

/* Requests that failed, for each time it failed over, in the second row. */
static void failover_end(void *context, const struct result *result, struct quotient *rows)
{
    const struct result_cell *errors = played_cell(result, "users", NULL, "errors");
    (void)context;
    rows[1].numerator = (double)errors->numerator;
    for (uint32_t i = 0; i < result->strike_count; i++)
        rows[1].denominator += result->strikes[i].begin >= result->windows[0].parts[0].begin;
}
static const struct measure failover = {.end = failover_end};

const struct family fault_families[] = {
    {"a crash of ten seconds",
     "crash.yaml",
     {NULL},
     "counted by hand: 1,000 of 10,000 calls come while it is down",
     .replications = 2,
     .rows = {DOWN("availability", "users", "availability", "ratio", 0.9),
              DOWN("utilization, the time it was down included", "desk", "utilization", "mean",
                   0.45),
              DOWN("share of the time it was up", "desk", "up", "mean", 0.9),
              DOWN("utilization while up", "desk", "utilization_up", "mean", 0.5),
              /* From the refusal at 40.01 s to the answer to 50.01 s. */
              DOWN("time without service (ms)", "users", "unavailable_time", "total", 10005)}},
    /* Renewal reward: the share of the time it is up has variance (D^2 Var U) / (E U + D)^3 a
     * second, 0.21517, and the requests add p (1 - p) each. */
    {"a pair that fails over",
     "crash.yaml",
     {"nodes.users.arrivals=poisson(5/s)", "nodes.desk.time=0s",
      "faults=[{crash: desk, crash_answer: reset, mtbf: exp(1000s), mttr: 15s, name: down}]"},
     "MTBF / (MTBF + MTTR); renewal reward",
     .rate = 5,
     .requests = 1e7,
     .warmup = 5000,
     .measure = &failover,
     .rows = {{"F12", "availability", "users", NULL, "availability", "ratio", 0.98522167, ABSOLUTE,
               0.0015, 1.0599},
              {"F12", "failed requests per failover: 5/s x 15 s", NULL, NULL, NULL, "mean", 75,
               RELATIVE, 0.03, 0}}},
    {"before a surge",
     "storm.yaml",
     {"run={duration: 100s, warmup: 10s}"},
     METASTABLE,
     .replications = 5,
     .rows = {STORM("goodput of 280/s before the surge", "goodput", 280, 6)}},
    {"a retry storm at 280/s",
     "storm.yaml",
     {NULL},
     METASTABLE,
     .replications = 5,
     .rows = {STORM("goodput of 280/s long after a surge", "goodput", 0, 5.6),
              STORM("attempts of 280/s long after a surge", "attempts", 560, 11.2)}},
    {"a retry storm at 160/s",
     "storm.yaml",
     {"vars.rate=160/s", "vars.surge=x9.375"},
     METASTABLE,
     .replications = 5,
     .rows = {STORM("goodput of 160/s long after a surge", "goodput", 0, 3.2)}},
    {"a retry storm at 100/s",
     "storm.yaml",
     {"vars.rate=100/s", "vars.surge=x15"},
     METASTABLE,
     .replications = 5,
     .rows = {STORM("goodput of 100/s long after a surge", "goodput", 100, 1)}},
    {0},
};
