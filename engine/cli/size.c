#include "engine/cli/size.h"

#include "engine/scenario/point.h"
#include "engine/scenario/predict.h"

#include <string.h>

/* Bytes as they were seen in parts and CSV files of the scenarios that come with the program. */
static const double cell_bytes = 36, course_bytes = 7, value_bytes = 3.5, bucket_bytes = 7;
static const double summary_row = 82, replication_row = 62, series_row = 44, distribution_row = 58;
static const double values_kept = 8192; /* exactly; beyond, a histogram has buckets */
static const double buckets = 1000,
                    merged = 1700; /* of a wide distribution: one run, all of them */
static const double levels = 60;   /* of a queue length */

/* What one point comes to: rows and histograms are counted, and then weighed. */
struct count {
    double cells, summary_rows, replication_rows; /* the latter of one replication */
    double histogram_bytes;                       /* of one part */
    double course_values;                         /* of one interval */
    double distribution_rows;
};

static double histogram_bytes(double observations)
{
    return observations <= values_kept ? observations * value_bytes : buckets * bucket_bytes;
}

static double at_most(double value, double limit)
{
    return value < limit ? value : limit;
}

/* One duration or level of a node: `pools` histograms of all observations, each once more dealt
 * over the operations. */
static void count_histograms(struct count *c, const struct metric *m, double pools,
                             double operations, double observations)
{
    if (m->type == METRIC_LEVEL) {
        c->histogram_bytes += pools * levels * bucket_bytes;
        return;
    }
    c->histogram_bytes += pools * histogram_bytes(observations);
    if (operations > 0)
        c->histogram_bytes += pools * operations * histogram_bytes(observations / operations);
}

static void count_metric(struct count *c, const struct report *report, const struct metric *m,
                         const struct blueprint_node *n, double operations, double observations)
{
    bool whole = m->type == METRIC_LEVEL || m->type == METRIC_SHARE || m->type == METRIC_SPAN ||
                 m->type == METRIC_NONE || m->type == METRIC_EVENT;
    bool observed = m->type == METRIC_LEVEL || m->type == METRIC_DURATION;
    double instances = n->count > 1 ? n->count : 0, per = whole ? 1 : 1 + operations;
    double kept = n->instances[0].percentiles ? instances : 0;
    double plain = m->type == METRIC_DURATION ? 3 : m->type == METRIC_LEVEL ? 2 : 1;
    double rows = per * ((1 + instances) * plain + (observed ? report->percentile_count : 0));
    c->cells += (1 + instances) * per;
    c->replication_rows += rows;
    c->summary_rows +=
        rows + (m->type == METRIC_TOTAL || m->type == METRIC_SPAN ? (1 + instances) * per : 0);
    c->course_values += strcmp(m->name, "latency") ? 1 : 3; /* with p50 and p99 */
    if (!observed)
        return;
    count_histograms(c, m, 1 + kept, whole ? 0 : operations, observations);
    if (!strcmp(m->name, "latency"))
        c->distribution_rows += per * at_most(observations * report->replications, merged);
    if (!strcmp(m->name, "queue_length"))
        c->distribution_rows += levels;
}

static struct count count_point(struct point *point, const struct report *report)
{
    struct count c = {0};
    const struct blueprint *b = point->blueprint;
    const struct predicted *all = predict(point, point->run.warmup, point->run.duration);
    double window_s = (double)(point->run.duration - point->run.warmup) * 1e-9;
    bool spans = b->spans || b->fault_count;
    double operations = b->operation_count > 1 ? b->operation_count : 0;
    for (uint32_t i = 0; i < b->node_count; i++) {
        const struct blueprint_node *n = &b->nodes[i];
        double visits = 0;
        for (uint32_t k = 0; k < n->count; k++)
            visits += all[n->first + k].rate * window_s;
        for (int t = 0; t < KIND_TABLES && n->kind->tables[t]; t++)
            for (uint32_t m = 0; m < n->kind->tables[t]->count; m++)
                if (n->kind->tables[t]->metrics[m].name[0] != '.' &&
                    (spans || !metric_of_spans(n->kind->tables[t], m)))
                    count_metric(&c, report, &n->kind->tables[t]->metrics[m], n, operations,
                                 visits);
    }
    return c;
}

struct size size_predict(const struct scenario *scenario)
{
    const struct report *report = scenario_report(scenario);
    struct size size = {0};
    struct arena arena = {0};
    double replications = report->replications;
    double intervals = report->series_interval > 0
                           ? (double)report->duration / (double)report->series_interval
                           : 0;
    for (uint32_t at = 0; at < report->point_count; at++) {
        struct blueprint blueprint = {0};
        struct point point;
        scenario_point(scenario, at, &arena, &blueprint, &point);
        struct count c = count_point(&point, report);
        size.parts += replications * (c.cells * cell_bytes + c.histogram_bytes +
                                      c.course_values * intervals * course_bytes);
        size.csv += c.summary_rows * summary_row +
                    replications * c.replication_rows * replication_row +
                    c.distribution_rows * distribution_row +
                    replications * c.course_values * intervals * series_row;
        arena_reset(&arena);
    }
    arena_free(&arena);
    return size;
}
