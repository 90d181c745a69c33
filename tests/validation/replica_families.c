/* Replicated stores: elections, failure detectors, what is lost and what is stale. */
#include "engine/kernel/arithmetic.h"
#include "engine/kernel/random.h"
#include "models/registry.h"
#include "tests/validation/specials.h"

#include <stdio.h>
#include <stdlib.h>

/* ---- elections ---- */

struct election {
    int64_t first_ns;  /* when the first of them gave up waiting */
    int64_t leader_ns; /* when somebody had a majority */
    uint64_t term;
};

static void on_role(void *context, const struct agent *at, uint32_t shard, uint64_t term, bool on)
{
    struct election *e = context;
    (void)shard;
    if (!on || term < 2 || e->leader_ns)
        return;
    e->leader_ns = simulation_now(at->simulation);
    e->term = term;
}

static void on_suspect(void *context, const struct agent *at, const struct agent *whom)
{
    struct election *e = context;
    (void)whom;
    if (!e->first_ns)
        e->first_ns = simulation_now(at->simulation);
}

static struct election elect(const struct blueprint *b, uint64_t seed, uint32_t number,
                             uint64_t *events)
{
    struct election e = {0};
    struct probe probe = {.context = &e, .role = on_role, .suspect = on_suspect};
    struct simulation_options options = {.probe = &probe};
    struct simulation *s = simulation_create(b, seed, number, &options);
    simulation_start(s);
    for (int64_t until_ns = 0; !e.leader_ns && until_ns < b->duration;)
        simulation_advance(s, until_ns += 50000000);
    *events += simulation_totals(s).events;
    simulation_free(s);
    return e;
}

enum { ELECTIONS = 20000 };

static int ascending(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return x < y ? -1 : x > y;
}

/* All others hear the leader last at 0 and never again, as the partition at 0 drops what is on its
 * way. Rows: share of terms without a leader; mean and p99 (ms) from a crash at an even time within
 * `heartbeat` after the last sign of life; mean first timeout beyond the least (ms). */
static void elections(const struct family *family, double heartbeat_ns, double *values,
                      uint64_t *events)
{
    static double took_ns[ELECTIONS];
    char path[128];
    struct diagnostics diagnostics = {0};
    uint32_t sets = 0;
    while (family->sets[sets])
        sets++;
    struct scenario_request request = {.path = family_path(family, path),
                                       .kinds = model_kinds,
                                       .sets = family->sets,
                                       .set_count = sets};
    struct scenario *scenario = scenario_load(&request, &diagnostics);
    if (!scenario) {
        diagnostic_print(&diagnostics, stderr, false);
        exit(2);
    }
    struct blueprint *b = scenario_blueprint(scenario, 0);
    double sum = 0, first = 0;
    uint64_t failed = 0, seed = family_seed(family, 0);
    struct stream crash;
    stream_open(&crash, seed, 0, "elections", "crash");
    for (uint32_t i = 0; i < ELECTIONS; i++) {
        struct election e = elect(b, seed, i + 1, events);
        took_ns[i] = (double)e.leader_ns - heartbeat_ns * random_unit(stream_next(&crash));
        sum += took_ns[i];
        first += (double)e.first_ns;
        failed += e.term - 2;
    }
    qsort(took_ns, ELECTIONS, sizeof *took_ns, ascending);
    values[0] = (double)failed / (double)(failed + ELECTIONS);
    values[1] = sum / ELECTIONS / 1e6;
    values[2] = took_ns[ELECTIONS * 99 / 100] / 1e6;
    values[3] = first / ELECTIONS / 1e6 - 150;
    values[4] = took_ns[ELECTIONS - ELECTIONS / 1000] / 1e6;
    scenario_blueprint_free(b);
    scenario_free(scenario);
}

static void lan_elections(const struct family *family, uint32_t jobs, double *values,
                          uint64_t *events)
{
    (void)jobs;
    elections(family, 75e6, values, events);
}

static void fresh_elections(const struct family *family, uint32_t jobs, double *values,
                            uint64_t *events)
{
    (void)jobs;
    elections(family, 0, values, events);
    values[0] = values[1];
    values[1] = values[4];
}

#define DIRECT(id, what, expected, type, tolerance)                                                \
    {                                                                                              \
        id, what, NULL, NULL, NULL, NULL, expected, type, tolerance, 0                             \
    }
#define ONGARO "Ongaro 2014, ch. 9: sum_{k>=c-1} C(s,k) l^k (1-l)^(s-k), l = L/range; full exchange"

/* Rates that Ongaro quotes: 0.06 %, 5.2 % and 18.1 %. */
#define QUOTED(ms, expected, tolerance)                                                            \
    {                                                                                              \
        "votes split, " ms " ms apart", "raft.yaml", {"vars.most=250ms", "vars.latency=" ms "ms"}, \
            ONGARO,                                                                                \
            .special = lan_elections,                                                              \
            .rows = {DIRECT("F07", "split votes per term", expected, ABSOLUTE, tolerance)},        \
    }

const struct family replica_families[] = {
    {"elections of 4 of 5, 10 ms apart",
     "raft.yaml",
     {NULL},
     ONGARO,
     .special = lan_elections,
     .rows =
         {
             DIRECT("F04", "split votes per term", 0.024355556, ABSOLUTE, 0.0045),
             DIRECT("F04", "mean time without a leader (ms)", 167.12, RELATIVE, 0.015),
             DIRECT("F04", "p99 of it", 375.07, RELATIVE, 0.04),
             DIRECT("F04", "first timeout beyond the least (ms)", 30, RELATIVE, 0.02),
         }},
    {"elections of 3 of 5, 15 ms apart",
     "raft.yaml",
     {"vars.latency=15ms", "vars.gone=n.1 n.2"},
     ONGARO,
     .special = lan_elections,
     .rows =
         {
             DIRECT("F05", "split votes per term", 0.271, RELATIVE, 0.04),
             DIRECT("F05", "mean time without a leader (ms)", 251.77, RELATIVE, 0.015),
             DIRECT("F05", "p99 of it", 812.47, RELATIVE, 0.04),
             DIRECT("F05", "first timeout beyond the least (ms)", 37.5, RELATIVE, 0.02),
         }},
    {"elections of 5 of 9, 15 ms apart",
     "raft.yaml",
     {"vars.servers=9", "vars.latency=15ms", "vars.gone=n.1 n.2 n.3 n.4"},
     ONGARO,
     .special = lan_elections,
     .rows =
         {
             DIRECT("F06", "split votes per term", 0.40951, RELATIVE, 0.03),
             DIRECT("F06", "mean time without a leader (ms)", 292.35, RELATIVE, 0.015),
             DIRECT("F06", "p99 of it", 1020.65, RELATIVE, 0.04),
             DIRECT("F06", "first timeout beyond the least (ms)", 25, RELATIVE, 0.02),
         }},
    {"a leader that is not heard any more",
     "detect.yaml",
     {NULL},
     "timeout + one way - U(0, heartbeat)",
     .replications = 2500,
     .rows = {{"F01", "time to suspect it", "store", NULL, "detection_time", "mean", 2520, RELATIVE,
               0.01, 0}}},
    {"two leaders for 50 s of 60",
     "brain.yaml",
     {NULL},
     "rate x time",
     .replications = 100,
     .rows = {{"F11", "writes of the old one beside the new one", "store", NULL,
               "split_brain_writes", "total", 1000, RELATIVE, 0.03, 0},
              {"F11", "taken back: 1200 of 5800 acknowledged", "store", NULL, "lost_writes",
               "ratio", 1200.0 / 5800, RELATIVE, 0.03, 0}}},
    {"two leaders, and a fence",
     "brain.yaml",
     {"vars.fencing=true"},
     "rate x time",
     .replications = 100,
     .rows = {{"F11", "taken back: 200 of 4800 acknowledged", "store", NULL, "lost_writes", "ratio",
               200.0 / 4800, RELATIVE, 0.05, 0}}},
    {"a leader dies, its follower 25 ms behind",
     "lost.yaml",
     {NULL},
     "Poisson(40/s x 25 ms) writes are on their way",
     .replications = 20000,
     .rows = {{"P10", "writes lost", "store", NULL, "lost_writes", "total", 1, RELATIVE, 0.03, 0},
              {"P10", "deaths that lose some, 1 - exp(-1)", "store", NULL, "lost_writes",
               "runs_with", 0.632120559, ABSOLUTE, 0.0137, 0}}},
    {"a leader dies, its follower has all",
     "lost.yaml",
     {"vars.ack=semi_sync"},
     "acknowledged when the follower has it",
     .replications = 2000,
     .rows = {{"P10", "writes lost", "store", NULL, "lost_writes", "total", 0, ABSOLUTE, 0, 0}}},
    {"a follower 50 ms behind",
     "lag.yaml",
     {NULL},
     "a write within the lag: 1 - exp(-2/s x 50 ms)",
     .replications = 4,
     .rows = {{"P12", "stale reads", "store", NULL, "stale_reads", "ratio", 0.0951625820, RELATIVE,
               0.02, 0}}},
    {"elections over a wide area, one away",
     "raft.yaml",
     {"vars.least=300ms", "vars.most=600ms", "vars.latency=uniform(30ms..40ms)"},
     "Ongaro 2014, ch. 9: AvailSim says about 475 ms, 99.9 % within 1.5 s; by full exchange 467.7",
     .special = fresh_elections,
     .rows =
         {
             DIRECT("F08", "mean time without a leader (ms)", 467.7, RELATIVE, 0.015),
             DIRECT("F08", "99.9 % of it; published: within 1500", 1422, RELATIVE, 0.06),
         }},
    {"elections over a wide area, two away",
     "raft.yaml",
     {"vars.least=300ms", "vars.most=600ms", "vars.latency=uniform(30ms..40ms)",
      "vars.gone=n.1 n.2"},
     "Ongaro 2014, ch. 9: AvailSim says about 650 ms, 99.9 % within 3 s; by full exchange 621.4",
     .special = fresh_elections,
     .rows =
         {
             DIRECT("F08", "mean time without a leader (ms)", 621.4, RELATIVE, 0.02),
             DIRECT("F08", "99.9 % of it; published: within 3000", 2670, RELATIVE, 0.08),
         }},
    QUOTED("1", 0.00059203, 0.0003),
    QUOTED("10", 0.0523, 0.004),
    QUOTED("20", 0.1808, 0.006),
    {"signs of life that are lost",
     "suspect.yaml",
     {NULL},
     "Feller: (p^-3 - 1) / (1 - p) = 1110 of them until three in a row are lost; half a second "
     "more",
     .replications = 40,
     .rows = {{"F02", "false failovers in 1,000,000 s", "store", NULL, "false_failovers", "total",
               900.5, RELATIVE, 0.03, 0}}},
    {0},
};
