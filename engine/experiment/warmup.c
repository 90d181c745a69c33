#include "engine/experiment/warmup.h"

#include "engine/kernel/check.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

/* What counts as having settled, by the names of metrics that kinds share. */
static const char *const gauges[] = {"latency", "in_system"};

/* Sums over the pilots of one point: [course x interval], of the courses that are gauges. Whole
 * numbers, so that the order in which pilots end cannot be seen. */
struct sums {
    wide *numerators, *denominators;
    uint32_t course_count, interval_count, pilots;
};

struct finder {
    pthread_mutex_t lock;
    struct sums *points; /* [point]: freed once all of its pilots are in */
    uint32_t cut;        /* intervals: the largest so far */
    int64_t interval_ns;
    uint32_t interval_count;
};

static bool is_gauge(const struct result_course *course)
{
    for (size_t i = 0; i < sizeof gauges / sizeof *gauges; i++)
        if (!strcmp(course->name, gauges[i]))
            return true;
    return false;
}

uint32_t warmup_mser(const double *values, uint32_t count)
{
    /* From the back, by Welford's updates: n values with this mean and sum of squared deviations.
     */
    double mean = 0, squares = 0, best = 0;
    uint32_t cut = 0;
    for (uint32_t d = count; d-- > 0;) {
        double n = count - d, step = values[d] - mean;
        mean += step / n;
        squares += step * (values[d] - mean);
        double judged = squares / (n * n);
        if (d == count / 2 || (d < count / 2 && judged <= best)) {
            best = judged;
            cut = d;
        }
    }
    return cut;
}

static void sums_add(struct sums *sums, const struct result *result)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < result->course_count; i++)
        count += is_gauge(&result->courses[i]);
    if (!sums->pilots) {
        size_t room = (size_t)count * result->interval_count + 1;
        sums->numerators = calloc(room, sizeof(wide));
        sums->denominators = calloc(room, sizeof(wide));
        if (!sums->numerators || !sums->denominators)
            check_machine("out of memory for the warm-up");
        sums->course_count = count;
        sums->interval_count = result->interval_count;
    }
    CHECK(count == sums->course_count && result->interval_count == sums->interval_count);
    size_t at = 0;
    for (uint32_t i = 0; i < result->course_count; i++) {
        for (uint32_t k = 0; is_gauge(&result->courses[i]) && k < sums->interval_count; k++) {
            sums->numerators[at] += result->courses[i].numerator[k];
            sums->denominators[at++] += result->courses[i].denominator[k];
        }
    }
    sums->pilots++;
}

/* The cut of one point in intervals. Intervals in which nothing was seen say nothing. */
static uint32_t sums_cut(const struct sums *sums)
{
    double *values = calloc((size_t)sums->interval_count + 1, sizeof *values);
    uint32_t *intervals = calloc((size_t)sums->interval_count + 1, sizeof *intervals);
    uint32_t largest = 0;
    if (!values || !intervals)
        check_machine("out of memory for the warm-up");
    for (uint32_t c = 0; c < sums->course_count; c++) {
        uint32_t count = 0;
        for (uint32_t k = 0; k < sums->interval_count; k++) {
            size_t at = (size_t)c * sums->interval_count + k;
            if (!sums->denominators[at])
                continue;
            values[count] = (double)sums->numerators[at] / (double)sums->denominators[at];
            intervals[count++] = k;
        }
        uint32_t cut = count ? intervals[warmup_mser(values, count)] : 0;
        largest = cut > largest ? cut : largest;
    }
    free(values);
    free(intervals);
    return largest;
}

static void sums_free(struct sums *sums)
{
    free(sums->numerators);
    free(sums->denominators);
    sums->numerators = sums->denominators = NULL;
}

static bool finder_store(void *context, uint32_t point, uint32_t pilot, const struct result *result)
{
    (void)pilot;
    struct finder *finder = context;
    if (result->diverged)
        return true; /* the outcome tells it */
    pthread_mutex_lock(&finder->lock);
    struct sums *sums = &finder->points[point];
    finder->interval_ns = result->series_interval;
    finder->interval_count = result->interval_count;
    sums_add(sums, result);
    if (sums->pilots == WARMUP_PILOTS) {
        uint32_t cut = sums_cut(sums);
        finder->cut = cut > finder->cut ? cut : finder->cut;
        sums_free(sums);
    }
    pthread_mutex_unlock(&finder->lock);
    return true;
}

void warmup_find(const struct experiment *experiment, struct warmup *found)
{
    const struct report *report = scenario_report(experiment->scenario);
    struct finder finder = {.points = calloc(report->point_count, sizeof(struct sums))};
    double floor_ns;
    bool asked = scenario_warmup_auto(experiment->scenario, &floor_ns);
    CHECK(asked);
    if (!finder.points || pthread_mutex_init(&finder.lock, NULL))
        check_machine("out of memory for the warm-up");
    struct experiment pilots = *experiment;
    pilots.sink = (struct sink){.context = &finder, .store = finder_store};
    pilots.pilots = WARMUP_PILOTS;
    *found = (struct warmup){0};
    experiment_run(&pilots, &found->pilots);
    for (uint32_t i = 0; i < report->point_count; i++)
        sums_free(&finder.points[i]);
    free(finder.points);
    pthread_mutex_destroy(&finder.lock);
    if (found->pilots.missing || found->pilots.diverged)
        return;
    uint32_t half = finder.interval_count / 2, least = 0;
    while (least <= half && (double)least * (double)finder.interval_ns < floor_ns)
        least++;
    uint32_t cut = finder.cut > least ? finder.cut : least;
    /* A minimum at the last place that was looked at may well lie beyond it. */
    found->too_short = cut > half || finder.cut == half;
    found->cut_ns = (cut < half ? cut : half) * finder.interval_ns;
}
