/* Scaling: V01 to V05. */
#include "tests/validation/cases.h"

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
#define LOCK(n, x, expected)                                                                       \
    {                                                                                              \
        "a lock and " #n " threads", "lock.yaml", {"nodes.users.users=" #n},                       \
            "finite-source birth and death; Palm 1947",                                            \
            .rate = x, .requests = 1e6, .warmup = 20, .rows = {                                    \
                THROUGHPUT("V03", "throughput of " #n " threads at a lock", expected, 0.01)        \
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
    LOCK(8, 78, 78.141305),
    LOCK(20, 173, 173.24771),
    LOCK(64, 200, 200),
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
             {"V05", "backlog when the ordered ones begin", "web", NULL, "in_system", "max", 11250,
              RELATIVE, 0.01, 0},
             /* 36 USD/h are 1 cent a second: three for 75 s, four from the order on for 60 s. */
             {"V05", "cost, from the order on", "web", NULL, "cost", "total", 4.65, ABSOLUTE, 1e-6,
              0},
         }},
    {0},
};
