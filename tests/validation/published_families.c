/* Runs that others have published, played with their own numbers: retry budgets, backoff,
 * congestive collapse, old load information. */
#include "tests/validation/cases.h"
#include "tests/validation/specials.h"

#include <stdio.h>
#include <string.h>

#define DIRECT(id, what, expected, tolerance)                                                      \
    {                                                                                              \
        id, what, NULL, NULL, NULL, "mean", expected, RELATIVE, tolerance, 0                       \
    }

/* ---- a hundred clients and one row ---- */

/* Tries of all clients, which are the writes that reached the row, and the last answer in s. */
static void row_end(void *context, const struct result *result, struct quotient *rows)
{
    const struct result_cell *tries = played_cell(result, "users", NULL, "attempts");
    const struct result_cell *latency = played_cell(result, "users", NULL, "latency");
    (void)context;
    rows[0] = (struct quotient){(double)tries->numerator, 1};
    rows[1] = (struct quotient){(double)latency->max / 1e9, 1};
}
static const struct measure row_measure = {.end = row_end};

#define JITTER "Brooker 2015, Exponential Backoff And Jitter; means of 100 runs of its program"
/* The tolerances are four standard errors of the difference of two means of 100 runs. */
#define BACKOFF(name, backoff, calls, calls_tolerance, time_s, time_tolerance)                     \
    {                                                                                              \
        "one row, " name, "row.yaml", {"nodes.users.retry={attempts: unlimited" backoff "}"},      \
            JITTER, .replications = 100, .measure = &row_measure, .rows = {                        \
                DIRECT("backoff", "writes of 100 clients, " name, calls, calls_tolerance),         \
                DIRECT("backoff", "time of 100 clients (s), " name, time_s, time_tolerance),       \
            }                                                                                      \
    }

/* ---- retries within a budget ---- */

/* Messages and successes for each operation. */
static void budget_end(void *context, const struct result *result, struct quotient *rows)
{
    const struct result_cell *offered = played_cell(result, "users", NULL, "offered");
    const struct result_cell *arrivals = played_cell(result, "server", NULL, "arrivals");
    const struct result_cell *ok = played_cell(result, "users", NULL, "availability");
    (void)context;
    rows[0] = (struct quotient){(double)arrivals->numerator, (double)offered->numerator};
    rows[1] = (struct quotient){(double)ok->numerator, (double)ok->denominator};
}
static const struct measure budget_measure = {.end = budget_end};

#define BUCKET "Brooker 2022, Fixing retries with token buckets and circuit breakers; one run"
/* One published run of 20,000 operations: the tolerances are four of its standard errors. */
#define BUDGET(share, messages, ok, tolerance)                                                     \
    {                                                                                              \
        "a hundred budgets, " share " fail", "budget.yaml", {"nodes.server.fail=" share}, BUCKET,  \
            .replications = 20, .measure = &budget_measure, .rows = {                              \
                DIRECT("T08", "published: messages per request, budget, " share, messages, 0.006), \
                DIRECT("T08", "published: share that succeeds, budget, " share, ok, tolerance),    \
            }                                                                                      \
    }

/* ---- collapse ---- */

/* Answers per second about 60 s and about 40 s; whether there is hardly one about 60 s. */
static void collapse_end(void *context, const struct result *result, struct quotient *rows)
{
    (void)context;
    for (uint32_t i = 0; i < result->course_count; i++) {
        const struct result_course *c = &result->courses[i];
        if (strcmp(c->name, "throughput") || strcmp(result->nodes[c->key.node].name, "users"))
            continue;
        double late = 0, early = 0;
        for (uint32_t second = 55; second < 65; second++)
            late += (double)c->numerator[second];
        for (uint32_t second = 38; second < 42; second++)
            early += (double)c->numerator[second];
        rows[0] = (struct quotient){late, 10};
        rows[1] = (struct quotient){early, 4};
        rows[2] = (struct quotient){late < 100, 1};
    }
}
static const struct measure collapse_measure = {.end = collapse_end};

#define COLLAPSE                                                                                   \
    "Brooker 2023, simple_collapse_sim; independent Monte Carlo of its rules, 1,500 runs"
#define SPIKE(what, expected, tolerance)                                                           \
    {                                                                                              \
        "collapse", what, NULL, NULL, NULL, "mean", expected, ABSOLUTE, tolerance, 0               \
    }

/* ---- old load information ---- */

/* Mean waits of one at random, and of the best of 2, 3 and all 10 at copies made every 10, 40, 70
 * and 100 s. */
static void ticking_waits(const struct family *family, uint32_t jobs, double *values,
                          uint64_t *events)
{
    static const int ages[] = {10, 40, 70, 100}, choices[] = {2, 3, 10};
    char path[128], age[64], choice[64];
    const char *sets[] = {age, choice, NULL};
    for (int k = 0; k < 13; k++) {
        struct quotient q = {0, 0};
        snprintf(age, sizeof age, "vars.age=%ds", k ? ages[(k - 1) % 4] : 10);
        snprintf(choice, sizeof choice, "vars.choices=%d", k ? choices[(k - 1) / 4] : 1);
        struct play_request request = {
            family_path(family, path), sets, family_seed(family, (uint64_t)k), 6, jobs, NULL};
        struct played *p = play(&request);
        for (uint32_t r = 0; r < p->replications; r++) {
            const struct result_cell *cell = played_cell(p->results[r], "users", NULL, "latency");
            q.numerator += (double)cell->numerator;
            q.denominator += (double)cell->denominator;
        }
        values[k] = q.numerator / q.denominator / 1e9;
        *events += p->events;
        played_free(p);
    }
}

#define OLD "one reading of Brooker 2012, The power of two random choices; its ties are unknown"

const struct family published_families[] = {
    BACKOFF("no pause", "", 2423, 0.008, 2.03, 0.015),
    BACKOFF("exponential", ", backoff: exponential(10ms max=2s)", 1861, 0.017, 64.1, 0.035),
    BACKOFF("equal jitter", ", backoff: exponential(10ms max=2s), jitter: equal", 813, 0.005, 6.59,
            0.055),
    BACKOFF("full jitter", ", backoff: exponential(10ms max=2s), jitter: full", 796, 0.005, 4.94,
            0.065),
    BACKOFF("decorrelated jitter", ", backoff: exponential(5ms max=2s), jitter: decorrelated", 1002,
            0.017, 4.51, 0.083),
    BUDGET("50%", 1.121, 0.557, 0.025),
    BUDGET("10%", 1.098, 0.988, 0.006),
    /* The published figure is the mean of ten runs, of which each recovers or not. */
    {"collapse without backoff",
     "collapse.yaml",
     {NULL},
     COLLAPSE,
     .replications = 400,
     .measure = &collapse_measure,
     .rows = {SPIKE("answers per second at 60 s, without backoff; published 11", 9.4, 4),
              SPIKE("the same at 40 s", 9.9, 4),
              SPIKE("share of runs that never recover", 0.76, 0.1)}},
    {"collapse and backoff",
     "collapse.yaml",
     {"nodes.users.retry={attempts: 3, backoff: exponential(20s), jitter: full}"},
     COLLAPSE,
     .replications = 100,
     .measure = &collapse_measure,
     .rows = {SPIKE("answers per second at 60 s, with backoff and jitter", 40.1, 1.5),
              SPIKE("the same at 40 s: more than come", 47.1, 2),
              SPIKE("share of runs that never recover, with backoff", 0, 0)}},
    {"old load information, read as printed",
     "ticking.yaml",
     {NULL},
     OLD,
     .special = ticking_waits,
     .rows =
         {
             DIRECT("stale", "wait (s), one at random: (0.56 / 0.4 + 0.45) / 0.1", 18.5, 0.03),
             DIRECT("stale", "wait (s), best of two, copies every 10 s", 9.4, 0.1),
             DIRECT("stale", "wait (s), best of two, copies every 40 s", 14.9, 0.1),
             DIRECT("stale", "wait (s), best of two, copies every 70 s", 19.6, 0.1),
             DIRECT("stale", "wait (s), best of two, copies every 100 s", 23.6, 0.1),
             DIRECT("stale", "wait (s), best of three, copies every 10 s", 9.6, 0.1),
             DIRECT("stale", "wait (s), best of three, copies every 40 s", 19.2, 0.1),
             DIRECT("stale", "wait (s), best of three, copies every 70 s", 27.2, 0.1),
             DIRECT("stale", "wait (s), best of three, copies every 100 s", 34.7, 0.1),
             DIRECT("stale", "wait (s), best of all, copies every 10 s", 11.2, 0.25),
             DIRECT("stale", "wait (s), best of all, copies every 40 s", 41.7, 0.25),
             DIRECT("stale", "wait (s), best of all, copies every 70 s", 84, 0.25),
             DIRECT("stale", "wait (s), best of all, copies every 100 s", 127, 0.25),
         }},
    {0},
};
