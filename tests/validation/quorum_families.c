/* Quorums: how old their reads are, how long they take, how often they can be had; clocks. */
#include "engine/kernel/random.h"
#include "models/registry.h"
#include "tests/validation/specials.h"

#include <stdio.h>
#include <stdlib.h>

/* ---- clocks ---- */

enum { PAIRS = 120000 };

struct skew {
    uint64_t wrong;
};

/* The second member sees every version. */
static void on_supersede(void *context, const struct agent *at, const struct version *winner,
                         const struct version *loser)
{
    if (at->number == 2)
        ((struct skew *)context)->wrong += loser->made_ns > winner->made_ns;
}

/* A pair of writes a second, each time with other errors of the two clocks. */
static void skewed_clocks(const struct family *family, uint32_t jobs, double *values,
                          uint64_t *events)
{
    (void)jobs;
    char path[128];
    struct diagnostics diagnostics = {0};
    struct scenario_request request = {.path = family_path(family, path), .kinds = model_kinds};
    struct scenario *scenario = scenario_load(&request, &diagnostics);
    if (!scenario) {
        diagnostic_print(&diagnostics, stderr, false);
        exit(2);
    }
    struct blueprint *b = scenario_blueprint(scenario, 0);
    struct skew skew = {0};
    struct probe probe = {.context = &skew, .supersede = on_supersede};
    struct simulation_options options = {.probe = &probe};
    uint64_t seed = family_seed(family, 0);
    struct simulation *s = simulation_create(b, seed, 1, &options);
    struct stream errors;
    stream_open(&errors, seed, 1, "clocks", "errors");
    int64_t shown_ns[2] = {0};
    uint32_t first = 0;
    while (b->nodes[first].kind->flags & KIND_CLIENT || b->nodes[first].count != 2 ||
           b->nodes[first].kind->flags & KIND_GROUP)
        first++;
    simulation_start(s);
    for (uint32_t pair = 0; pair < PAIRS; pair++) {
        for (uint32_t i = 0; i < 2; i++) {
            double error = random_normal(stream_next(&errors));
            int64_t ns = (int64_t)(1e7 * error);
            place_clock(s, s->agents[b->nodes[first].first + i].place->index, ns - shown_ns[i], 0);
            shown_ns[i] = ns;
        }
        simulation_advance(s, pair * INT64_C(1000000000) + 500000000);
    }
    *events = simulation_totals(s).events;
    values[0] = (double)skew.wrong / PAIRS;
    simulation_free(s);
    scenario_blueprint_free(b);
    scenario_free(scenario);
}

#define WARS "Bailis et al., PBS, PVLDB 5(8) 2012: WARS model, 4e6 trials of it"
#define SSD "mix(91.22% pareto(0.235ms 10) + 8.78% exp(0.602410ms))"
#define DISK "mix(38% pareto(1.05ms 1.51) + 62% exp(5.464481ms))"
#define FAST(var) "vars." var "=" SSD
#define YAMMER(var) "vars." var "=mix(98.2% pareto(1.5ms 3.8) + 1.8% exp(46.082949ms))"
#define ERRORS "users", NULL, "errors", "ratio"

const struct family quorum_families[] = {
    {"WARS: SSD, R = W = 1",
     "wars.yaml",
     {FAST("write"), FAST("read"), FAST("back"), "vars.direct=1000/s"},
     WARS,
     1000,
     1.1e5,
     0,
     .rows = {{"P01", "reads too old at once", ERRORS, 1 - 0.97350325, ABSOLUTE, 0.002, 6.0613},
              {"P01", "median of a read (ms)", "others", "read", "latency", "p50", 0.48892522,
               RELATIVE, 0.01, 0},
              {"P01", "median of a write (ms)", "others", "write", "latency", "p50", 0.48893469,
               RELATIVE, 0.01, 0}}},
    {"WARS: SSD, 1.976 ms later",
     "wars.yaml",
     {FAST("write"), FAST("read"), FAST("back"), "vars.pause=1.976284ms"},
     WARS,
     1000,
     1e5,
     0,
     .rows = {{"P01", "reads too old: 1 of 1000", ERRORS, 0.001, ABSOLUTE, 0.0004, 31.607}}},
    {"WARS: disks, R = W = 1",
     "wars.yaml",
     {"vars.write=" DISK, FAST("read"), FAST("back")},
     WARS,
     1000,
     1.2e5,
     0,
     .rows = {{"P02", "reads too old at once", ERRORS, 1 - 0.43696375, ABSOLUTE, 0.006, 0.88094}}},
    {"WARS: disks, R = 2, W = 1",
     "wars.yaml",
     {"vars.write=" DISK, FAST("read"), FAST("back"), "vars.r=2"},
     WARS,
     1000,
     1e5,
     0,
     .rows = {{"P02", "reads too old at once", ERRORS, 1 - 0.76299775, ABSOLUTE, 0.006, 1.7943}}},
    {"WARS: disks, R = W = 2",
     "wars.yaml",
     {"vars.write=" DISK, FAST("read"), FAST("back"), "vars.r=2", "vars.w=2"},
     "R + W > N",
     1000,
     2e4,
     0,
     .rows = {{"P02", "reads too old", ERRORS, 0, ABSOLUTE, 0, 0}}},
    {"WARS: disks, 2 replicas",
     "wars.yaml",
     {"vars.write=" DISK, FAST("read"), FAST("back"), "vars.n=2"},
     WARS,
     1000,
     1.2e5,
     0,
     .rows = {{"P05", "reads too old at once", ERRORS, 1 - 0.576147, ABSOLUTE, 0.006, 0.85770}}},
    {"WARS: disks, 5 replicas",
     "wars.yaml",
     {"vars.write=" DISK, FAST("read"), FAST("back"), "vars.n=5"},
     WARS,
     1000,
     1e5,
     0,
     .rows = {{"P05", "reads too old at once", ERRORS, 1 - 0.320256, ABSOLUTE, 0.006, 0.68641}}},
    /* Their code has 3.5 where the table of the paper prints 3.35; the values are their code's. */
    {"WARS: Yammer, R = W = 1",
     "wars.yaml",
     {"vars.write=mix(93.9% pareto(3ms 3.5) + 6.1% exp(357.142857ms))", YAMMER("read"),
      YAMMER("back")},
     WARS,
     1000,
     1.2e5,
     0,
     .rows = {{"P03", "reads too old at once", ERRORS, 1 - 0.89288275, ABSOLUTE, 0.004, 2.8872}}},
    {"WARS: exponential, writes of 0.25 ms",
     "wars.yaml",
     {"vars.write=exp(0.25ms)"},
     WARS,
     1000,
     1e5,
     0,
     .rows = {{"P06", "reads too old at once", ERRORS, 1 - 0.94298075, ABSOLUTE, 0.004, 4.0667}}},
    {"WARS: exponential, writes of 10 ms",
     "wars.yaml",
     {"vars.write=exp(10ms)"},
     WARS,
     1000,
     1.1e5,
     0,
     .rows = {{"P06", "reads too old at once", ERRORS, 1 - 0.41955975, ABSOLUTE, 0.006, 0.85020}}},
    {"quorums of 3, failures apart",
     "up.yaml",
     {NULL},
     "binomial tail",
     .rows = {{"P08", "refused: two of three are down, a = 0.99", ERRORS, 1 - 0.999702, ABSOLUTE,
               0.0002, 0}}},
    {"one of 3, failures apart",
     "up.yaml",
     {"vars.up=exp(9s)", "vars.r=1", "vars.w=1"},
     "binomial tail",
     .replications = 5,
     .rows = {{"P08", "refused: all three are down, a = 0.9", ERRORS, 0.001, ABSOLUTE, 0.0006, 0}}},
    {"all of 3, failures apart",
     "up.yaml",
     {"vars.up=exp(9s)", "vars.r=3", "vars.w=3"},
     "binomial tail",
     .rows = {{"P08", "refused: one of three is down, a = 0.9", ERRORS, 0.271, ABSOLUTE, 0.006,
               0}}},
    {"quorums of 5, failures apart",
     "up.yaml",
     {"vars.up=exp(9s)", "vars.n=5", "vars.r=3", "vars.w=3"},
     "binomial tail",
     .rows = {{"P08", "refused: three of five are down, a = 0.9", ERRORS, 1 - 0.99144, ABSOLUTE,
               0.002, 0}}},
    {"majorities, cut 3 | 2",
     "parted.yaml",
     {NULL},
     "the share of clients on the smaller side, for a tenth of the run",
     .replications = 1,
     .rows = {{"P09", "refused", ERRORS, 0.04, ABSOLUTE, 0.0005, 0},
              {"P09", "reads too old", "store", NULL, "stale_reads_realtime", "ratio", 0, ABSOLUTE,
               0, 0}}},
    {"any replica, cut 3 | 2",
     "parted.yaml",
     {"vars.q=1"},
     "every client has one beside it",
     .replications = 1,
     .rows = {{"P09", "refused", ERRORS, 0, ABSOLUTE, 0, 0}}},
    {"a write that two of 3 replicas answer",
     "order.yaml",
     {"vars.w=2"},
     "order statistics",
     20,
     4e4,
     0,
     .rows = {{"P16", "mean of a write (ms)", "users", NULL, "latency", "mean", 25.0 / 3, RELATIVE,
               0.015, 0.72111},
              {"P16", "p99 of it", "users", NULL, "latency", "p99", 28.31861, RELATIVE, 0.04, 0}}},
    {"a write that three of 5 replicas answer",
     "order.yaml",
     {"vars.n=5", "vars.w=3"},
     "order statistics",
     20,
     4e4,
     0,
     .rows = {{"P16", "mean of a write (ms)", "users", NULL, "latency", "mean", 47.0 / 6, RELATIVE,
               0.015, 0.55906}}},
    {"clocks that are 10 ms wrong",
     "skew.yaml",
     {NULL},
     "Phi(-gap / (sigma sqrt 2))",
     .special = skewed_clocks,
     .rows = {{"P17", "the older of two writes 10 ms apart wins", NULL, NULL, NULL, NULL,
               0.23975006, ABSOLUTE, 0.005, 0}}},
    {0},
};
