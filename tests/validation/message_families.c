/* Messages without a broker: redelivery, lost acks, spikes, consumers, batches, quorums, and
 * hashing of passwords as work. M01, M02, M04, M05, P08, P16, A01, A03, C17, S07 as far as
 * services and clients say them. */
#include "tests/validation/cases.h"
#include "tests/validation/specials.h"

#define RATIO(id, what, metric, expected, type, tolerance, sigma)                                  \
    {                                                                                              \
        id, what, "users", NULL, metric, "ratio", expected, type, tolerance, sigma                 \
    }
#define LATENCY(id, what, stat, expected, tolerance, sigma)                                        \
    {                                                                                              \
        id, what, "users", NULL, "latency", stat, expected, RELATIVE, tolerance, sigma             \
    }

/* Messages for each operation; operations that took more than one, by their latency. */
static void deliveries_end(void *context, const struct result *result, struct quotient *rows)
{
    const struct result_cell *attempts = played_cell(result, "users", NULL, "attempts");
    const struct result_cell *offered = played_cell(result, "users", NULL, "offered");
    (void)context;
    rows[0] = (struct quotient){(double)attempts->numerator, (double)offered->numerator};
    rows[1] = share_above(result, "users", 900000000);
    rows[2] = (struct quotient){
        (double)played_cell(result, "worker", NULL, "arrivals")->numerator -
            (double)played_cell(result, "worker", NULL, "deduplicated")->numerator,
        (double)offered->numerator};
}
static const struct measure deliveries = {.end = deliveries_end};

#define QUORUM(name, need, count, chance, expected, tolerance, sigma)                              \
    {                                                                                              \
        name, "fanout.yaml",                                                                       \
            {"nodes.root.steps=[{first: [{call: leaf, times: " count "}], need: " need "}]",       \
             "nodes.leaf={kind: service, slots: unlimited, fail: " chance "}"},                    \
            "binomial tail", .rate = 100, .requests = 6e5, .warmup = 1, .rows = {                  \
                RATIO("P08", name, "availability", expected, ABSOLUTE, tolerance, sigma)           \
            }                                                                                      \
    }
#define FASTEST(need, count)                                                                       \
    "fanout.yaml",                                                                                 \
    {                                                                                              \
        "nodes.leaf.time=exp(10ms)",                                                               \
            "nodes.root.steps=[{first: [{call: leaf, times: " count "}], need: " need "}]"         \
    }
#define ORDER "order statistics: mean of the k-th of n is H(n) - H(n-k)"

const struct family message_families[] = {
    {"redelivery after a time",
     "delivery.yaml",
     {"nodes.users.timeout=30s", "nodes.users.retry={attempts: 2}", "nodes.worker.time=exp(10s)",
      "vars.lost=0%"},
     "P(S > T) = e^(-mu T)",
     .rate = 1000,
     .requests = 5e5,
     .warmup = 300,
     .measure = &deliveries,
     .rows = {{"M01", "deliveries of a message, visibility of 30 s", NULL, NULL, NULL, "mean",
               1.0497871, ABSOLUTE, 0.004, 0.2072},
              RATIO("M01", "delivered again", "retries", 0.049787068, ABSOLUTE, 0.003, 4.369)}},
    {"acks that are lost",
     "delivery.yaml",
     {NULL},
     "geometric: 1 / (1 - p)",
     .rate = 1000,
     .requests = 1e6,
     .warmup = 20,
     .measure = &deliveries,
     .rows = {{"M02", "deliveries until an ack gets through", NULL, NULL, NULL, "mean", 1.0526316,
               RELATIVE, 0.003, 0.2236},
              {"M02", "delivered more than once", NULL, NULL, NULL, "mean", 0.05, ABSOLUTE, 0.001,
               4.359},
              {"M02", "applied, of an idempotent consumer", NULL, NULL, NULL, "mean", 1, ABSOLUTE,
               0.0005, 0}}},
    {"competing consumers",
     "shared.yaml",
     {"nodes.users.arrivals=poisson(9/s)", "nodes.desk.slots=10"},
     "Erlang C; Kleinrock 1975",
     .rate = 9,
     .requests = 6e6,
     .warmup = 500,
     .rows = {LATENCY("M04", "one queue, ten consumers", "mean", 1668.7315, 0.02, 10.4),
              LATENCY("M04", "one queue, ten consumers, p99", "p99", 6249.8767, 0.03, 16.3)}},
    {"ordered partitions",
     "balance.yaml",
     {"nodes.users.arrivals=poisson(9/s)", "nodes.users.keys=uniform(1G)", "nodes.servers.count=10",
      "nodes.balancer.policy=hash"},
     "M/M/1; Kleinrock 1975",
     .rate = 9,
     .requests = 2.3e7,
     .warmup = 2000,
     .rows = {LATENCY("M04", "ten partitions by key", "mean", 10000, 0.02, 19),
              LATENCY("M04", "ten partitions by key, p99", "p99", 46051.702, 0.03, 35)}},
    {"batches of ten",
     "one.yaml",
     {"nodes.users.arrivals=batches(10 every exp(12.5s))"},
     "M^X/M/1: (E[X^2] + E[X]) / (2 E[X] mu (1 - load))",
     .rate = 0.8,
     .requests = 1.8e7,
     .warmup = 5000,
     .rows = {LATENCY("M05", "response, batches of ten", "mean", 27500, 0.02, 20.4)}},
    {"batches of five on average",
     "one.yaml",
     {"nodes.users.arrivals=batches(geometric(5) every exp(6.25s))"},
     "M^X/M/1: (E[X^2] + E[X]) / (2 E[X] mu (1 - load)), E[X^2] = 2 m^2 - m",
     .rate = 0.8,
     .requests = 1.6e7,
     .warmup = 5000,
     .rows = {LATENCY("M05", "response, geometric batches of five", "mean", 25000, 0.02, 20)}},
    QUORUM("two of three up, 0.99 each", "2", "3", "1%", 0.999702, 0.0002, 0.01727),
    QUORUM("three of five up, 0.9 each", "3", "5", "10%", 0.99144, 0.002, 0.09292),
    QUORUM("one of three up, 0.9 each", "1", "3", "10%", 0.999, 0.002, 0.03164),
    QUORUM("three of three up, 0.9 each", "3", "3", "10%", 0.729, 0.003, 0.6097),
    {"first of three", FASTEST("1", "3"), ORDER, .rate = 100, .requests = 2e5, .warmup = 1,
     .rows = {LATENCY("P16", "first of 3, mean", "mean", 3.3333333, 0.01, 1)}},
    {"second of three", FASTEST("2", "3"), ORDER, .rate = 100, .requests = 3e5, .warmup = 1,
     .rows = {LATENCY("P16", "second of 3, mean", "mean", 8.3333333, 0.01, 0.7211),
              LATENCY("P16", "second of 3, p99", "p99", 28.31861, 0.02, 1.8)}},
    {"third of three", FASTEST("3", "3"), ORDER, .rate = 100, .requests = 3e5, .warmup = 1,
     .rows = {LATENCY("P16", "third of 3, mean", "mean", 18.333333, 0.01, 0.6364),
              LATENCY("P16", "third of 3, p99", "p99", 57.004361, 0.02, 1.75)}},
    {"third of five", FASTEST("3", "5"), ORDER, .rate = 100, .requests = 2e5, .warmup = 1,
     .rows = {LATENCY("P16", "third of 5, mean", "mean", 7.8333333, 0.01, 0.5903)}},
    {"passwords on four cores",
     "shared.yaml",
     {"nodes.users.arrivals=poisson(12/s)", "nodes.desk.time=250ms"},
     "M/D/4, computed numerically",
     .rate = 12,
     .requests = 1.5e6,
     .warmup = 100,
     .rows = {{"A01", "wait, mean", "desk", NULL, "wait", "mean", 66.74029, RELATIVE, 0.03, 8.13},
              LATENCY("A01", "response, mean", "mean", 316.74029, 0.01, 1.71)}},
    {"passwords beyond the ceiling",
     "shared.yaml",
     {"nodes.users.arrivals=constant(20/s)", "nodes.desk.time=250ms", "run.warmup=0s",
      "run.duration=1000s"},
     "slots / work; fluid",
     .replications = 1,
     .rows = {{"A01", "logins per second", "desk", NULL, "throughput", "rate", 16, RELATIVE, 0.01,
               0},
              {"A01", "queue after 1,000 s of 4/s too many", "desk", NULL, "queue_length", "max",
               4000, RELATIVE, 0.03, 0}}},
    {"passwords at twice the cost",
     "shared.yaml",
     {"nodes.users.arrivals=constant(20/s)", "nodes.desk.time=500ms", "run.warmup=0s",
      "run.duration=1000s"},
     "slots / work",
     .replications = 1,
     .rows = {{"A01", "logins per second, one more step of cost", "desk", NULL, "throughput",
               "rate", 8, RELATIVE, 0.01, 0}}},
    {"a cache as a chance",
     "fanout.yaml",
     {"nodes.root.slots=unlimited", "nodes.root.time=1ms",
      "nodes.root.steps=[{work: 20ms, chance: 10%}]"},
     "mixture: 1 ms, and 20 ms more with 10 %",
     .rate = 100,
     .requests = 7e5,
     .warmup = 1,
     .rows = {LATENCY("C17", "effective latency, mean", "mean", 3, 0.01, 2),
              {"C17", "effective latency, p50", "users", NULL, "latency", "p50", 1, ABSOLUTE, 1e-9,
               0},
              {"C17", "effective latency, p91", "users", NULL, "latency", "p91", 21, ABSOLUTE, 1e-9,
               0}}},
    {"one disk",
     "mm1.yaml",
     {"nodes.users.arrivals=poisson(60/s)"},
     "M/M/1: 1 / (b - a)",
     .rate = 60,
     .requests = 1.2e6,
     .warmup = 50,
     .rows = {LATENCY("S07", "reads of one disk", "mean", 25, 0.015, 3.9)}},
    {"two mirrored disks at random",
     "balance.yaml",
     {"nodes.users.arrivals=poisson(60/s)", "nodes.servers.count=2",
      "nodes.servers.time=exp(10ms)"},
     "two M/M/1 of half the load",
     .rate = 60,
     .requests = 6e5,
     .warmup = 50,
     .rows = {LATENCY("S07", "reads of two mirrors at random", "mean", 14.285714, 0.01, 1.8)}},
    {"two mirrored disks by queue",
     "balance.yaml",
     {"nodes.users.arrivals=poisson(60/s)", "nodes.servers.count=2", "nodes.servers.time=exp(10ms)",
      "nodes.balancer.policy=join_shortest_queue"},
     "global balance of the chain of two queues, truncated",
     .rate = 60,
     .requests = 5e5,
     .warmup = 50,
     .rows = {LATENCY("S07", "reads of the shorter of two", "mean", 11.440251, 0.01, 1.3)}},
    {"a session store",
     "mm1.yaml",
     {"nodes.users.arrivals=poisson(2k/s)", "nodes.desk.time=exp(0.4ms)"},
     "M/M/1: stay ~ Exp(b - a); Kleinrock 1975",
     .rate = 2000,
     .requests = 8e6,
     .warmup = 5,
     .rows = {LATENCY("A03", "lookup of a session, mean", "mean", 2, 0.015, 9),
              LATENCY("A03", "lookup of a session, p99", "p99", 9.2103404, 0.03, 20)}},
    {0},
};
