/* Disciplines, tandems, feedback, breaks, closed loops: Q18 to Q24, Q28. */
#include "tests/validation/cases.h"

#include <math.h>

#define LATENCY(id, what, stat, expected, tol, sigma)                                              \
    {                                                                                              \
        id, what, "users", NULL, "latency", stat, expected, RELATIVE, tol, sigma                   \
    }
#define KIND(id, what, node, operation, metric, expected, tol, sigma)                              \
    {                                                                                              \
        id, what, node, operation, metric, "mean", expected, RELATIVE, tol, sigma                  \
    }

#define SHARING "E[work] / (1 - load) for every law of the work; Kleinrock 1976"
#define COBHAM "W0 / ((1 - s(k-1)) (1 - s(k))); Cobham 1954"
#define REPAIR "finite-source birth and death; Palm 1947"

/* N - X (R + Z): the users who are neither thinking nor waiting; nobody. */
static void identity_end(void *context, const struct result *result, struct quotient *rows)
{
    (void)context;
    double x = played_mean(result, "users", NULL, "throughput");
    double r = played_mean(result, "users", NULL, "latency") / 1e9;
    rows[2] = (struct quotient){60 - x * (r + 5), 1};
}
static const struct measure identity = {.end = identity_end};

const struct family station_families[] = {
#define SHARED(law, time, n, tol, sigma, slow)                                                     \
    {                                                                                              \
        "M/G/1 sharing " law, "one.yaml",                                                          \
            {"nodes.desk.discipline=processor_sharing", "nodes.desk.time=" time}, SHARING,         \
            .rate = 0.8, .requests = n, .warmup = 2000, .rows = {                                  \
                LATENCY("Q18", "response, " law, "mean", 5000, tol, sigma),                        \
                {"Q18", "slowdown, " law, "desk", NULL, "slowdown", "mean", 5, RELATIVE, 0.03,     \
                 slow},                                                                            \
            }                                                                                      \
    }
    SHARED("exponential", "exp(1s)", 8e6, 0.02, 8, 7),
    SHARED("constant", "1s", 8e6, 0.02, 6, 6),
    SHARED("lognormal", "lognormal(mean=1s sd=2s)", 1.2e7, 0.03, 14.6, 12.2),
    {"M/M/1 shortest remaining at 0.8",
     "one.yaml",
     {"nodes.desk.discipline=shortest_remaining"},
     "Schrage, Miller 1966, integrated numerically",
     .rate = 0.8,
     .requests = 5e6,
     .warmup = 2000,
     .rows = {LATENCY("Q19", "response, mean", "mean", 2352.7733, 0.015, 5.0)}},
    {"two classes",
     "priority.yaml",
     {NULL},
     COBHAM,
     .rate = 0.8,
     .requests = 1e7,
     .warmup = 2000,
     .rows =
         {
             KIND("Q20", "wait of the first class", "desk", "gold", "wait", 1142.8571, 0.02, 4.15),
             KIND("Q20", "wait of the second class", "desk", "plain", "wait", 5714.2857, 0.03,
                  11.3),
             KIND("Q20", "wait of both: as without classes", "desk", NULL, "wait", 4000, 0.03,
                  10.4),
         }},
    {"two classes, preemptive",
     "priority.yaml",
     {"nodes.desk.discipline=preemptive_priority"},
     "preemptive resume; Kleinrock 1976",
     .rate = 0.8,
     .requests = 1e7,
     .warmup = 2000,
     .rows =
         {
             KIND("Q20", "response of the first class, preemptive", "users", "gold", "latency",
                  1428.5714, 0.015, 2.76),
             KIND("Q20", "response of the second class, preemptive", "users", "plain", "latency",
                  7142.8571, 0.03, 10),
         }},
    {"tandem of three",
     "tandem.yaml",
     {NULL},
     "sum of Exp(5), Exp(3), Exp(1); Burke 1956, Reich 1957",
     .rate = 5,
     .requests = 2.2e7,
     .warmup = 500,
     .rows =
         {
             LATENCY("Q21", "response, mean", "mean", 1533.3333, 0.01, 7.5),
             KIND("Q21", "stay at the last, mean", "store", NULL, "latency", 1000, 0.01, 11),
             LATENCY("Q21", "response, p99", "p99", 5233.7599, 0.02, 16.9),
             LATENCY("Q21", "response, p50", "p50", 1268.9464, 0.015, 6),
         }},
    {"feedback",
     "feedback.yaml",
     {NULL},
     "a/(1 - p), r/(1 - r), Little; Jackson 1957",
     .rate = 6,
     .requests = 1e7,
     .warmup = 200,
     .rows =
         {
             {"Q22", "tries per second", "users", NULL, "attempts", "rate", 8, RELATIVE, 0.005,
              1.03},
             KIND("Q22", "number inside, mean", "desk", NULL, "in_system", 4, 0.02, 9),
             LATENCY("Q22", "response with retries, mean", "mean", 666.66667, 0.02, 8.5),
             {"Q22", "tries after the first", "users", NULL, "retries", "ratio", 1.0 / 3, RELATIVE,
              0.012, 2.0},
         }},
    {"a server that breaks",
     "wear.yaml",
     {NULL},
     "E[C] = E[S] (1 + f E[D]), then Pollaczek-Khinchine; Gaver 1962, Avi-Itzhak, Naor 1963",
     .rate = 0.5,
     .requests = 4e6,
     .warmup = 2000,
     .rows =
         {
             LATENCY("Q28", "response of a server that breaks", "mean", 4000, 0.015, 6.9),
             {"Q28", "busy or down", "desk", NULL, "utilization", "mean", 0.6, ABSOLUTE, 0.004,
              1.7},
         }},
    {"open loop at 0.8",
     "one.yaml",
     {"nodes.users.arrivals=poisson(8/s)", "nodes.desk.time=exp(100ms)"},
     "M/M/1: stay ~ Exp(b - a), mean 0.5 s; Kleinrock 1975",
     .rate = 8,
     .requests = 5e6,
     .warmup = 100,
     .rows =
         {
             LATENCY("omission", "open loop at 0.8, mean", "mean", 500, 0.02, 9.5),
             LATENCY("omission", "open loop at 0.8, p99", "p99", 2302.5851, 0.04, 21),
         }},
    {"closed loop of 10",
     "closed.yaml",
     {"nodes.users.users=10", "nodes.users.think=exp(1.145s)"},
     REPAIR,
     .rate = 7.2099968,
     .requests = 1e6,
     .warmup = 200,
     .rows =
         {
             {"omission", "closed loop of 10, throughput", "users", NULL, "throughput", "rate",
              7.2099968, RELATIVE, 0.005, 0.77},
             LATENCY("omission", "closed loop of 10, response", "mean", 241.96317, 0.01, 2.3),
         }},
    {"closed loop of 20",
     "closed.yaml",
     {NULL},
     REPAIR,
     .rate = 3.8790535,
     .requests = 5e6,
     .warmup = 200,
     .rows =
         {
             {"Q23", "throughput of 20", "users", NULL, "throughput", "rate", 3.8790535, RELATIVE,
              0.006, 0.905},
             LATENCY("Q23", "response of 20, mean", "mean", 155.89694, 0.015, 1.9),
         }},
    {"closed loop of 60",
     "closed.yaml",
     {"nodes.users.users=60"},
     REPAIR,
     .rate = 9.7833153,
     .requests = 2e7,
     .warmup = 500,
     .measure = &identity,
     .rows =
         {
             {"Q23", "throughput of 60", "users", NULL, "throughput", "rate", 9.7833153, RELATIVE,
              0.004, 0.767},
             LATENCY("Q23", "response of 60, mean", "mean", 1132.8904, 0.015, 5.06),
             {"Q23", "N - X (R + Z) of 60", NULL, NULL, NULL, "mean", 0, ABSOLUTE, 0.3, 44.5},
         }},
    {"closed network",
     "network.yaml",
     {NULL},
     "mean value analysis; Reiser, Lavenberg 1980",
     .rate = 18.326051,
     .requests = 1e7,
     .warmup = 100,
     .rows =
         {
             {"Q24", "throughput", "users", NULL, "throughput", "rate", 18.326051, RELATIVE, 0.006,
              0.701},
             LATENCY("Q24", "response, mean", "mean", 364.17824, 0.02, 2.65),
             KIND("Q24", "utilization of the processor", "cpu", NULL, "utilization", 0.36652102,
                  0.016, 1.18),
             KIND("Q24", "utilization of disk A", "disk_a", NULL, "utilization", 0.91630255, 0.006,
                  0.656),
             KIND("Q24", "number at disk A", "disk_a", NULL, "in_system", 4.9518412, 0.03, 3.23),
         }},
    {0},
};
