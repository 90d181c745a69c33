/* The long suite: load 0.99, a thousand servers, load 0.95, the coverage of intervals. */
#include "tests/validation/cases.h"
#include "tests/validation/specials.h"

#define RESPONSE(id, what, expected, tol, sigma)                                                   \
    {                                                                                              \
        id, what, "users", NULL, "latency", "mean", expected, RELATIVE, tol, sigma                 \
    }

#define MONTE_CARLO "independent Monte Carlo, n = 100, 1e8 events"
#define FIELD "sum of load^((d^i - d)/(d - 1)), many servers; Mitzenmacher 2001"

#define CROWDED(id, d, how, policy, expected, sigma)                                               \
    {                                                                                              \
        d " choices " how " at 0.99", "balance.yaml",                                              \
            {"nodes.users.arrivals=poisson(99/s)", "nodes.balancer.policy=" policy,                \
             "nodes.balancer.choices=" d},                                                         \
            MONTE_CARLO, .rate = 99, .requests = 6e7, .warmup = 5000, .lengthy = true, .rows = {   \
                RESPONSE(id, "d = " d " " how ", load 0.99", expected, 0.03, sigma)                \
            }                                                                                      \
    }
/* The distance of n = 1000 from infinitely many is part of the tolerance. */
#define MANY(id, d, load, arrivals, n, expected, tol)                                              \
    {                                                                                              \
        d " choices of 1000 at " load, "balance.yaml",                                             \
            {"nodes.users.arrivals=poisson(" #arrivals "/s)", "nodes.servers.count=1000",          \
             "nodes.balancer.policy=power_of_two", "nodes.balancer.choices=" d},                   \
            FIELD, .rate = arrivals, .requests = n, .warmup = 300, .lengthy = true, .rows = {      \
                RESPONSE(id, "d = " d ", n = 1000, load " load, expected, tol, 0)                  \
            }                                                                                      \
    }
#define HUGE_POOL(id, d, expected)                                                                 \
    {                                                                                              \
        d " choices of 2000 at 0.99", "balance.yaml",                                              \
            {"nodes.users.arrivals=poisson(1980/s)", "nodes.servers.count=2000",                   \
             "nodes.balancer.policy=power_of_two", "nodes.balancer.choices=" d},                   \
            FIELD, .rate = 1980, .requests = 1e8, .warmup = 600, .lengthy = true, .rows = {        \
                RESPONSE(id, "d = " d ", n = 2000, load 0.99", expected, 0.06, 0)                  \
            }                                                                                      \
    }
#define COVERED(load, arrivals, duration)                                                          \
    {                                                                                              \
        "coverage at " load, "mm1.yaml",                                                           \
            {"nodes.users.arrivals=poisson(" #arrivals "/s)", "run.warmup=40s",                    \
             "run.duration=" duration},                                                            \
            "2,000 experiments: 99.9 % of correct ones lie within 0.9335 and 0.9655",              \
            .rate = arrivals, .lengthy = true, .special = coverage, .rows = {                      \
                {"coverage", "of the mean, load " load, NULL, NULL, NULL, "share", 0.9495,         \
                 ABSOLUTE, 0.016, 0},                                                              \
                {"coverage", "of p99, load " load, NULL, NULL, NULL, "share", 0.9495, ABSOLUTE,    \
                 0.016, 0},                                                                        \
            }                                                                                      \
    }

const struct family long_families[] = {
    {"M/M/1 at 0.95",
     "mm1.yaml",
     {"nodes.users.arrivals=poisson(95/s)"},
     "stay ~ Exp(b - a); Kleinrock 1975",
     .rate = 95,
     .requests = 2.5e8,
     .warmup = 320,
     .lengthy = true,
     .rows = {RESPONSE("M/M/1", "response, load 0.95", 200, 0.01, 39)}},
    {"one choice at 0.99",
     "balance.yaml",
     {"nodes.users.arrivals=poisson(3.96/s)", "nodes.servers.count=4"},
     "random split: n M/M/1 queues",
     .rate = 3.96,
     .requests = 1.8e8,
     .warmup = 60000,
     .lengthy = true,
     .rows = {RESPONSE("L01", "d = 1, load 0.99", 100000, 0.06, 199)}},
    CROWDED("L02", "2", "distinct", "power_of_two", 5975.2, 40),
    CROWDED("L02", "2", "with replacement", "power_of_two(replacement=true)", 5966.57, 40),
    CROWDED("L03", "3", "distinct", "power_of_two", 4472.46, 45),
    CROWDED("L03", "3", "with replacement", "power_of_two(replacement=true)", 4436.41, 45),
    CROWDED("L05", "5", "with replacement", "power_of_two(replacement=true)", 3517.67, 50),
    MANY("L02", "2", "0.5", 500, 2e6, 1265.686, 0.01),
    MANY("L02", "2", "0.7", 700, 3e6, 1614.4538, 0.01),
    MANY("L02", "2", "0.8", 800, 6e6, 1947.3634, 0.01),
    MANY("L02", "2", "0.9", 900, 2e7, 2614.0574, 0.01),
    MANY("L02", "2", "0.95", 950, 3e7, 3383.046, 0.03),
    MANY("L03", "3", "0.5", 500, 2e6, 1125.2441, 0.01),
    MANY("L03", "3", "0.7", 700, 3e6, 1356.8422, 0.01),
    MANY("L03", "3", "0.8", 800, 6e6, 1580.8856, 0.01),
    MANY("L03", "3", "0.9", 900, 2e7, 2027.856, 0.01),
    MANY("L03", "3", "0.95", 950, 3e7, 2535.1335, 0.03),
    MANY("L05", "5", "0.5", 500, 2e6, 1031.25, 0.01),
    MANY("L05", "5", "0.7", 700, 3e6, 1168.0925, 0.01),
    MANY("L05", "5", "0.8", 800, 6e6, 1328.9179, 0.01),
    MANY("L05", "5", "0.9", 900, 2e7, 1632.8812, 0.01),
    MANY("L05", "5", "0.95", 950, 3e7, 1988.7722, 0.03),
    HUGE_POOL("L02", "2", 5431.9966),
    HUGE_POOL("L03", "3", 3857.8465),
    HUGE_POOL("L05", "5", 2901.6828),
    COVERED("0.5", 50, "140s"),
    COVERED("0.8", 80, "290s"),
    COVERED("0.9", 90, "596s"),
    {0},
};
