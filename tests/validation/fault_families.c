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

/* Of two that fail and are repaired by themselves: from an instant at which both are up to the
 * first at which both are down (s), again and again. The laws have no memory, so that each is a
 * life of a new pair. The strikes of both come in order of begin. */
static void mirror_end(void *context, const struct result *result, struct quotient *rows)
{
    int64_t since_ns = 0, down_until_ns[2] = {0, 0};
    bool lost = false;
    (void)context;
    for (uint32_t i = 0; i < result->strike_count; i++) {
        const struct result_strike *strike = &result->strikes[i];
        uint32_t me = strike->fault, other = 1 - me;
        int64_t both_up_ns =
            down_until_ns[me] > down_until_ns[other] ? down_until_ns[me] : down_until_ns[other];
        if (lost && strike->begin >= both_up_ns) {
            lost = false;
            since_ns = both_up_ns;
        }
        if (!lost && strike->begin < down_until_ns[other]) {
            rows[0].numerator += (double)(strike->begin - since_ns) / 1e9;
            rows[0].denominator++;
            lost = true;
        }
        down_until_ns[me] = strike->end;
    }
}
static const struct measure mirror = {.end = mirror_end};

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
    /* An hour of the case is a second here. */
    {"a mirrored pair",
     "crash.yaml",
     {"nodes.users.arrivals=constant(1/min)", "nodes.users.to=[desk, standby]",
      "nodes.standby={kind: service, time: 5ms}", "run.duration=6000000s",
      "faults=[{crash: desk, mtbf: exp(1000s), mttr: exp(50s), name: first}, "
      "{crash: standby, mtbf: exp(1000s), mttr: exp(50s), name: second}]"},
     "(3 lam + mu) / (2 lam^2); Gibson 1990. 10,000 losses: 4 se = 3.9 %",
     .measure = &mirror,
     .rows = {{"F13", "time to the loss of both (s)", NULL, NULL, NULL, "mean", 11500, RELATIVE,
               0.04, 0}}},
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
