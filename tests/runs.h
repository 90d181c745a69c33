/* Small made-up runs for the tests of what comes after a run: a client `users` and a node `web`
 * with two instances, two operations, recorded by hand, so that every number is known. */
#ifndef ORRERY_TESTS_RUNS_H
#define ORRERY_TESTS_RUNS_H

#include "engine/kernel/report.h"
#include "engine/kernel/result.h"
#include "output/output.h"

#include <ftw.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    USERS_DONE,
    USERS_THROUGHPUT,
    USERS_OFFERED,
    USERS_FAILED,
    USERS_ERRORS,
    USERS_LATENCY,
    USERS_UNFINISHED,
    USERS_TIMEOUTS,
    USERS_METRICS,
};
static const struct metric users_metrics[USERS_METRICS] = {
    [USERS_DONE] = {.name = ".done", .unit = "1", .type = METRIC_TOTAL, .summary = "Ended."},
    [USERS_THROUGHPUT] = {.name = "throughput",
                          .unit = "/s",
                          .type = METRIC_RATE,
                          .summary = "Ok."},
    [USERS_OFFERED] = {.name = "offered", .unit = "/s", .type = METRIC_RATE, .summary = "Begun."},
    [USERS_FAILED] = {.name = ".failed", .unit = "1", .type = METRIC_TOTAL, .summary = "Failed."},
    [USERS_ERRORS] = {.name = "errors",
                      .unit = "1",
                      .type = METRIC_RATIO,
                      .numerator = USERS_FAILED,
                      .denominator = USERS_DONE,
                      .summary = "Share."},
    [USERS_LATENCY] = {.name = "latency",
                       .unit = "ms",
                       .type = METRIC_DURATION,
                       .summary = "Time."},
    [USERS_UNFINISHED] = {.name = ".unfinished",
                          .unit = "1",
                          .type = METRIC_TOTAL,
                          .summary = "Open."},
    [USERS_TIMEOUTS] = {.name = "timeouts", .unit = "1", .type = METRIC_TOTAL, .summary = "Late."},
};
enum { WEB_BUSY, WEB_SLOTS, WEB_UTILIZATION, WEB_QUEUE, WEB_METRICS };
static const struct metric web_metrics[WEB_METRICS] = {
    [WEB_BUSY] = {.name = "busy", .unit = "1", .type = METRIC_LEVEL, .summary = "Busy slots."},
    [WEB_SLOTS] = {.name = ".slots", .unit = "1", .type = METRIC_LEVEL, .summary = "Slots."},
    [WEB_UTILIZATION] = {.name = "utilization",
                         .unit = "1",
                         .type = METRIC_SHARE,
                         .numerator = WEB_BUSY,
                         .denominator = WEB_SLOTS,
                         .summary = "Share."},
    [WEB_QUEUE] = {.name = "queue_length", .unit = "1", .type = METRIC_LEVEL, .summary = "Queue."},
};
static const struct metric_table users_table = {users_metrics, USERS_METRICS};
static const struct metric_table web_table = {web_metrics, WEB_METRICS};

static const int64_t SECOND = 1000000000, MILLISECOND = 1000000;

/* One run of 12 s whose window is [2 s, 12 s), with a series of 4 s. Every 100 ms from 0 on one
 * operation begins, read and write in turn, read takes 10 ms + (replication) ms, write 20 ms. With
 * `failures`, so many of the last fail; `unfinished` more never end. web.1 is busy throughout,
 * web.2 from second 7 on; the queue of web.1 is `replication` long from second 2 to 4. */
struct made_up {
    uint32_t replication, failures, unfinished;
};

static inline struct result *make_run(const struct made_up *m)
{
    static const char *const operations[] = {"read", "write"};
    static const struct window windows[] = {{2000000000, 12000000000}};
    int64_t now = 0;
    struct recorder_plan plan = {.windows = windows,
                                 .window_count = 1,
                                 .operation_count = 2,
                                 .series_interval = 4 * SECOND,
                                 .series_end = 12 * SECOND};
    struct recorder *r = recorder_create(&plan, &now);
    struct record *users = recorder_add(r, "users", 1, 1, &users_table, false);
    struct record *web[2] = {recorder_add(r, "web", 1, 2, &web_table, false),
                             recorder_add(r, "web", 2, 2, &web_table, false)};
    for (int i = 0; i < 2; i++)
        record_level(web[i], WEB_SLOTS, 1);
    record_level(web[0], WEB_BUSY, 1);
    for (int64_t at = 0; at < 12 * SECOND; at += 100 * MILLISECOND) {
        while (recorder_next_edge(r) <= at)
            recorder_edge(r);
        now = at;
        if (at == 2 * SECOND || at == 4 * SECOND)
            record_level(web[0], WEB_QUEUE,
                         at == 2 * SECOND ? m->replication : -(int64_t)m->replication);
        if (at == 7 * SECOND)
            record_level(web[1], WEB_BUSY, 1);
        uint32_t operation = at / (100 * MILLISECOND) % 2 == 1;
        int64_t left = (12 * SECOND - at) / (100 * MILLISECOND); /* 1: the last one */
        record_count(users, USERS_OFFERED, operation, at, 1);
        record_count(users, USERS_DONE, operation, at, 1);
        if (left <= m->unfinished) {
            record_count(users, USERS_UNFINISHED, operation, at, 1);
        } else if (left <= m->unfinished + m->failures) {
            record_count(users, USERS_FAILED, operation, at, 1);
            record_count(users, USERS_TIMEOUTS, operation, at, 1);
        } else {
            record_count(users, USERS_THROUGHPUT, operation, at, 1);
            record_duration(users, USERS_LATENCY, operation, at,
                            operation ? 20 * MILLISECOND : (10 + m->replication) * MILLISECOND);
        }
    }
    struct result_run run = {.seed = 7,
                             .replication = m->replication,
                             .operations = operations,
                             .totals = {.events = 100,
                                        .fingerprint = m->replication,
                                        .unfinished = m->unfinished,
                                        .end_ns = 12 * SECOND}};
    struct result *result = recorder_result(r, &run);
    recorder_free(r);
    return result;
}

static inline const struct result_cell *cell_of(const struct result *r, const char *node,
                                                uint32_t instance, uint32_t operation,
                                                const char *metric)
{
    for (uint32_t i = 0; i < r->cell_count; i++) {
        const struct result_cell *c = &r->cells[i];
        if (!strcmp(r->nodes[c->key.node].name, node) && c->key.instance == instance &&
            c->key.operation == operation && !strcmp(c->name, metric))
            return c;
    }
    return NULL;
}

static const struct percentile standard_percentiles[] = {{"p50", 1, 2, false},
                                                         {"p99", 99, 100, false}};
static const struct report_point one_point = {NULL};

static inline struct report make_report(uint32_t replications)
{
    return (struct report){.name = "made up",
                           .points = &one_point,
                           .point_count = 1,
                           .replications = replications,
                           .seed = 7,
                           .confidence = 0.95,
                           .percentiles = standard_percentiles,
                           .percentile_count = 2,
                           .warmup = 2 * SECOND,
                           .duration = 12 * SECOND,
                           .series_interval = 4 * SECOND};
}

/* A folder of its own below the build's temporary place. */
static inline char *make_folder(void)
{
    char pattern[] = "/tmp/orrery-test-XXXXXX";
    char *made = mkdtemp(pattern);
    return made ? strdup(made) : NULL;
}
static inline int remove_one(const char *path, const struct stat *status, int type,
                             struct FTW *where)
{
    (void)status, (void)type, (void)where;
    return remove(path);
}
static inline void drop_folder(char *folder)
{
    if (nftw(folder, remove_one, 8, FTW_DEPTH | FTW_PHYS))
        perror(folder);
    free(folder);
}

#endif
