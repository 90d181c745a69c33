/* Balancers: L01 to L03, L05 to L08. A service takes 1 s on average. */
#include "tests/validation/cases.h"

#define RESPONSE(id, what, expected, tol, sigma)                                                   \
    {                                                                                              \
        id, what, "users", NULL, "latency", "mean", expected, RELATIVE, tol, sigma                 \
    }

#define SPLIT "random split: n M/M/1 queues"
#define MONTE_CARLO                                                                                \
    "independent Monte Carlo, n = 100, 1e8 events; formula for n = oo: Mitzenmacher 2001"
#define SHORTEST "global balance of the chain of sorted queues, truncated"

#define DISTINCT(id, d, load, arrivals, n, expected, sigma)                                        \
    {                                                                                              \
        d " choices at " load, "balance.yaml",                                                     \
            {"nodes.users.arrivals=poisson(" #arrivals "/s)",                                      \
             "nodes.balancer.policy=power_of_two", "nodes.balancer.choices=" d},                   \
            MONTE_CARLO, .rate = arrivals, .requests = n, .warmup = 400, .rows = {                 \
                RESPONSE(id, "d = " d " distinct, load " load, expected, 0.008, sigma)             \
            }                                                                                      \
    }
#define AGAIN(id, d, load, arrivals, n, expected, sigma)                                           \
    {                                                                                              \
        d " choices with replacement at " load, "balance.yaml",                                    \
            {"nodes.users.arrivals=poisson(" #arrivals "/s)",                                      \
             "nodes.balancer.policy=power_of_two(replacement=true)", "nodes.balancer.choices=" d}, \
            MONTE_CARLO, .rate = arrivals, .requests = n, .warmup = 400, .rows = {                 \
                RESPONSE(id, "d = " d " with replacement, load " load, expected, 0.008, sigma)     \
            }                                                                                      \
    }
#define JOIN(count, load, arrivals, n, expected, tol, sigma)                                       \
    {                                                                                              \
        "shortest of " #count " at " load, "balance.yaml",                                         \
            {"nodes.users.arrivals=poisson(" #arrivals "/s)", "nodes.servers.count=" #count,       \
             "nodes.balancer.policy=least_connections"},                                           \
            SHORTEST, .rate = arrivals, .requests = n, .warmup = 3000, .rows = {                   \
                RESPONSE("L06", "shortest of " #count ", load " load, expected, tol, sigma)        \
            }                                                                                      \
    }

#define ONE(load, arrivals, n, head, expected, tol, sigma)                                         \
    {                                                                                              \
        "one choice at " load, "balance.yaml", {"nodes.users.arrivals=poisson(" #arrivals "/s)"},  \
            SPLIT, .rate = arrivals, .requests = n, .warmup = head, .rows = {                      \
                RESPONSE("L01", "d = 1, load " load, expected, tol, sigma)                         \
            }                                                                                      \
    }

const struct family balance_families[] = {
    ONE("0.5", 50, 2e6, 250, 2000, 0.01, 3.0),
    ONE("0.7", 70, 6e6, 500, 3333.3333, 0.01, 5.8),
    ONE("0.8", 80, 1.5e7, 1000, 5000, 0.01, 9.0),
    ONE("0.9", 90, 6.2e7, 2000, 10000, 0.01, 19),
    ONE("0.95", 95, 3e7, 5000, 20000, 0.03, 39),
    DISTINCT("L02", "2", "0.5", 50, 1e6, 1267.9, 1.6),
    DISTINCT("L02", "2", "0.7", 70, 1.9e6, 1621.36, 2.55),
    DISTINCT("L02", "2", "0.8", 80, 3.6e6, 1961.64, 3.5),
    DISTINCT("L02", "2", "0.9", 90, 1.1e7, 2650.89, 6),
    DISTINCT("L02", "2", "0.95", 95, 3.2e7, 3471.3, 11),
    AGAIN("L02", "2", "0.5", 50, 1e6, 1271.63, 1.6),
    AGAIN("L02", "2", "0.7", 70, 1.9e6, 1625.87, 2.55),
    AGAIN("L02", "2", "0.8", 80, 3.6e6, 1967.26, 3.5),
    AGAIN("L02", "2", "0.9", 90, 1.1e7, 2658.36, 6),
    AGAIN("L02", "2", "0.95", 95, 3.2e7, 3479.12, 11),
    DISTINCT("L03", "3", "0.5", 50, 1e6, 1127.33, 1.5),
    DISTINCT("L03", "3", "0.7", 70, 1.5e6, 1364.53, 1.94),
    DISTINCT("L03", "3", "0.8", 80, 3e6, 1596.35, 3),
    DISTINCT("L03", "3", "0.9", 90, 9e6, 2066.38, 5.6),
    DISTINCT("L03", "3", "0.95", 95, 2.7e7, 2627.23, 10),
    AGAIN("L03", "3", "0.5", 50, 1e6, 1131.22, 1.5),
    AGAIN("L03", "3", "0.7", 70, 1.5e6, 1369.61, 1.94),
    AGAIN("L03", "3", "0.8", 80, 3e6, 1602.39, 3),
    AGAIN("L03", "3", "0.9", 90, 9e6, 2074.68, 5.6),
    AGAIN("L03", "3", "0.95", 95, 2.7e7, 2633.34, 10),
    AGAIN("L05", "5", "0.5", 50, 1e6, 1037, 1.2),
    AGAIN("L05", "5", "0.7", 70, 1.5e6, 1183.03, 1.87),
    AGAIN("L05", "5", "0.8", 80, 3e6, 1349.98, 2.87),
    AGAIN("L05", "5", "0.9", 90, 8e6, 1683.16, 5.2),
    AGAIN("L05", "5", "0.95", 95, 2.5e7, 2091.8, 9.5),
    JOIN(2, "0.7", 1.4, 5e6, 2108.1973, 0.01, 4.56),
    JOIN(2, "0.9", 1.8, 5.5e7, 5474.9128, 0.01, 18.2),
    JOIN(3, "0.8", 2.4, 8e6, 2285.5476, 0.01, 6.5),
    JOIN(4, "0.9", 3.6, 1.65e7, 3240.7093, 0.015, 14.7),
    {"random over four",
     "four.yaml",
     {NULL},
     SPLIT,
     .rate = 3.2,
     .requests = 1.4e7,
     .warmup = 1000,
     .rows = {RESPONSE("L07", "random over 4", 5000, 0.01, 8.42)}},
    {"round robin over four",
     "four.yaml",
     {"nodes.balancer.policy=round_robin"},
     "E4/M/1: s = (4 a/(4 a + b (1 - s)))^4, stay ~ Exp(b (1 - s))",
     .rate = 3.2,
     .requests = 1.2e7,
     .warmup = 1000,
     .rows =
         {
             RESPONSE("L07", "round robin over 4", 3267.3836, 0.01, 8.21),
             {"L07", "round robin over 4, p99", "users", NULL, "latency", "p99", 15046.858,
              RELATIVE, 0.02, 15.4},
         }},
    {"shortest of four at 0.8",
     "four.yaml",
     {"nodes.balancer.policy=least_connections"},
     "between one shared queue and round robin",
     .rate = 3.2,
     .requests = 2e6,
     .warmup = 500,
     .rows = {{"L07", "shortest of 4: between shared and in turn", "users", NULL, "latency",
               "mean", 2506.462, ABSOLUTE, 760.9, 0}}},
    {"one queue for four",
     "shared.yaml",
     {NULL},
     "Erlang C; Kleinrock 1975",
     .rate = 3.2,
     .requests = 8e6,
     .warmup = 600,
     .rows = {RESPONSE("L07", "one queue for 4", 1745.5406, 0.01, 6.2)}},
    {"uneven servers by weight",
     "uneven.yaml",
     {NULL},
     "2/3 of M/M/1 1.6 on 2, 1/3 of M/M/1 0.8 on 1",
     .rate = 2.4,
     .requests = 6e6,
     .warmup = 1000,
     .rows = {RESPONSE("L08", "split by weight", 3333.3333, 0.02, 9.52)}},
    /* From empty: N(t) = 0.2 t + the idle time at the beginning, 1/0.2 s, times 1/s. */
    {"uneven servers evenly",
     "uneven.yaml",
     {"nodes.balancer.policy=random", "run.warmup=0s", "run.duration=100000s"},
     "fluid growth 1.2 - 1, over [0, T]: 0.1 T + 5; noise of Brownian motion, 4 se = 2.4 %",
     .rows = {{"L08", "mean queue of the slow one, T = 1e5 s", "servers.2", NULL, "in_system",
               "mean", 10005, RELATIVE, 0.025, 0}}},
    {0},
};
