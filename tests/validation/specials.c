#include "tests/validation/specials.h"

#include "engine/kernel/random.h"
#include "output/estimate.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

uint64_t family_seed(const struct family *family, uint64_t part)
{
    uint64_t hash = UINT64_C(0xcbf29ce484222325); /* FNV-1a */
    for (const char *c = family->name; *c; c++)
        hash = (hash ^ (unsigned char)*c) * UINT64_C(0x100000001b3);
    return random_mix(hash ^ part * UINT64_C(0x9e3779b97f4a7c15)) >> 1;
}

const char *family_path(const struct family *family, char *text)
{
    snprintf(text, 128, "tests/validation/%s", family->file);
    return text;
}

/* ---- shares ---- */

struct quotient share_above(const struct result *result, const char *client, int64_t limit_ns)
{
    const struct result_cell *c = played_cell(result, client, NULL, "latency");
    struct quotient q = {0, 0};
    for (uint32_t i = 0; i < c->histogram.item_count; i++) {
        const struct sparse_item *item = &c->histogram.items[i];
        q.numerator += item->low >= limit_ns ? (double)item->count : 0;
        q.denominator += (double)item->count;
    }
    return q;
}

/* ---- the number inside at instants ---- */

enum { INSTANTS = 7 };
static const int64_t instants_s[INSTANTS] = {1, 5, 10, 20, 50, 100, 200};

struct instants {
    double inside, at[INSTANTS];
    int passed;
};

/* What holds just before `now_ns` holds at every instant since the last change. */
static void instants_pass(struct instants *t, int64_t now_ns)
{
    while (t->passed < INSTANTS && instants_s[t->passed] * 1000000000 < now_ns)
        t->at[t->passed++] = t->inside;
}

static void instants_arrive(void *context, const struct agent *at, const struct call *call)
{
    struct instants *t = context;
    (void)call;
    instants_pass(t, simulation_now(at->simulation));
    t->inside++;
}

static void instants_leave(void *context, const struct agent *at, const struct call *call)
{
    struct instants *t = context;
    (void)call;
    instants_pass(t, simulation_now(at->simulation));
    t->inside--;
}

static void instants_end(void *context, const struct result *result, struct quotient *rows)
{
    struct instants *t = context;
    (void)result;
    instants_pass(t, INT64_MAX);
    for (int i = 0; i < INSTANTS; i++) {
        rows[i] = (struct quotient){t->at[i], 1};
        rows[INSTANTS + i] = (struct quotient){t->at[i] > 0 ? 0 : 1, 1};
    }
}
const struct measure transient = {.size = sizeof(struct instants),
                                  .arrive = instants_arrive,
                                  .leave = instants_leave,
                                  .end = instants_end};

/* Intervals of 200 ms: the two that meet at an instant. */
static void course_end(void *context, const struct result *result, struct quotient *rows)
{
    static const uint32_t seconds[] = {1, 5, 10, 20};
    (void)context;
    for (uint32_t i = 0; i < result->course_count; i++) {
        const struct result_course *c = &result->courses[i];
        if (strcmp(c->name, "in_system") || strcmp(result->nodes[c->key.node].name, "desk"))
            continue;
        for (uint32_t k = 0; k < 4; k++) {
            uint32_t after = seconds[k] * 5, before = after - 1;
            double area = (double)(c->numerator[before] + c->numerator[after]);
            rows[k] =
                (struct quotient){area, (double)(c->denominator[before] + c->denominator[after])};
        }
    }
}
const struct measure course = {.end = course_end};

/* ---- independence ---- */

static double correlation(const double *x, const double *y, uint32_t count)
{
    double sx = 0, sy = 0, xx = 0, yy = 0, xy = 0, n = count;
    for (uint32_t i = 0; i < count; i++) {
        sx += x[i];
        sy += y[i];
        xx += x[i] * x[i];
        yy += y[i] * y[i];
        xy += x[i] * y[i];
    }
    return (xy - sx * sy / n) / sqrt((xx - sx * sx / n) * (yy - sy * sy / n));
}

void independence(const struct family *family, uint32_t jobs, double *values, uint64_t *events)
{
    enum { COUNT = 1000 };
    char path[128];
    struct play_request request = {family_path(family, path), family->sets, family_seed(family, 0),
                                   family->replications,      jobs,         NULL};
    struct played *p = play(&request);
    static double mine[COUNT], other[COUNT]; /* s; one family, one call */
    double sum = 0, square = 0, waits = 0;
    CHECK(p->replications == COUNT);
    for (uint32_t r = 0; r < COUNT; r++) {
        mine[r] = played_mean(p->results[r], "desk", NULL, "wait") / 1e9;
        other[r] = played_mean(p->results[r], "counter", NULL, "wait") / 1e9;
        waits += (double)played_cell(p->results[r], "desk", NULL, "wait")->denominator;
        sum += mine[r];
        square += mine[r] * mine[r];
    }
    double variance = (square - sum * sum / COUNT) / (COUNT - 1);
    values[0] = variance * waits / COUNT; /* the wait is 1 s */
    values[1] = correlation(mine, mine + 1, COUNT - 1);
    values[2] = correlation(mine, other, COUNT);
    *events += p->events;
    played_free(p);
}

/* ---- intervals ---- */

static struct estimate estimate_of(struct arena *arena, const struct played *p, const char *name,
                                   struct confidence *confidence)
{
    struct result_cell *cells = arena_array(arena, p->replications, struct result_cell);
    uint32_t *numbers = arena_array(arena, p->replications, uint32_t);
    struct statistic statistic;
    for (uint32_t r = 0; r < p->replications; r++) {
        cells[r] = *played_cell(p->results[r], "users", NULL, "latency");
        numbers[r] = r + 1;
    }
    CHECK(statistic_find(p->report, METRIC_DURATION, name, &statistic));
    struct sample sample = sample_of(arena, cells, numbers, p->replications);
    return estimate(arena, &sample, &statistic, confidence);
}

enum { REPLICATIONS = 20, SHORT_EXPERIMENTS = 400, EXPERIMENTS = 2000 };

/* One experiment of a family, by its number. */
static struct played *experiment(const struct family *family, uint32_t jobs, uint64_t number)
{
    char path[128];
    struct play_request request = {family_path(family, path),
                                   family->sets,
                                   family_seed(family, number + 1),
                                   REPLICATIONS,
                                   jobs,
                                   NULL};
    return play(&request);
}

void pivots(const struct family *family, uint32_t jobs, double *values, uint64_t *events)
{
    static const double truth = 20; /* ms: M/M/1 at 0.5, work 10 ms */
    struct confidence confidence = {.level = 0.95};
    double sum = 0, square = 0, above = 0, below = 0;
    for (uint64_t k = 0; k < SHORT_EXPERIMENTS; k++) {
        struct arena arena = {0};
        struct played *p = experiment(family, jobs, k);
        struct estimate e = estimate_of(&arena, p, "mean", &confidence);
        double t = (e.value - truth) / e.se;
        sum += t;
        square += t * t;
        above += e.low > truth;
        below += e.high < truth;
        *events += p->events;
        played_free(p);
        arena_free(&arena);
    }
    double mean = sum / SHORT_EXPERIMENTS;
    values[0] = mean;
    values[1] = (square - mean * sum) / (SHORT_EXPERIMENTS - 1);
    values[2] = above / SHORT_EXPERIMENTS;
    values[3] = below / SHORT_EXPERIMENTS;
}

/* The truth stands in the rate: 1/(b - a), and ln(100) of it. */
void coverage(const struct family *family, uint32_t jobs, double *values, uint64_t *events)
{
    double mean_ms = 1000 / (100 - family->rate), p99_ms = mean_ms * 4.605170186;
    struct confidence confidence = {.level = 0.95};
    double hold[2] = {0, 0};
    for (uint64_t k = 0; k < EXPERIMENTS; k++) {
        struct arena arena = {0};
        struct played *p = experiment(family, jobs, k);
        struct estimate mean = estimate_of(&arena, p, "mean", &confidence);
        struct estimate p99 = estimate_of(&arena, p, "p99", &confidence);
        hold[0] += mean.low <= mean_ms && mean_ms <= mean.high;
        hold[1] += p99.low <= p99_ms && p99_ms <= p99.high;
        *events += p->events;
        played_free(p);
        arena_free(&arena);
    }
    values[0] = hold[0] / EXPERIMENTS;
    values[1] = hold[1] / EXPERIMENTS;
}
