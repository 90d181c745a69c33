/* CSV files from parts: a streaming merge, point by point, replications in index order. Of each
 * part only the packed bytes are held, and of one cell at a time the histograms. */
#include "output/csv.h"
#include "output/drift.h"
#include "output/estimate.h"
#include "output/judge.h"
#include "output/output.h"
#include "output/part.h"

#include "engine/kernel/check.h"
#include "engine/kernel/random.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { SUMMARY, REPLICATIONS, DISTRIBUTIONS, SERIES, FAULTS, HISTORY, LEADERS, FILES };
static const char *const file_names[FILES] = {
    "summary.csv", "replications.csv", "distributions.csv", "series.csv",
    "faults.csv",  "history.csv",      "leaders.csv"};
static const double csv_confidence = 0.95;

struct derivation {
    const char *dir;
    const struct report *report;
    struct outcome *outcome;
    struct judge *judge;
    struct confidence confidence;
    struct csv files[FILES];
    bool wanted[FILES];
    struct statistic *statistics; /* room for every cell's list */
    struct outcome_row *rows;     /* grows by doubling on the heap */
    size_t row_count, row_room;
    /* of the point at hand: */
    uint32_t point; /* from 0 */
    struct part **parts;
    const struct result **results;
    uint32_t *replications, *next;
    uint32_t part_count;
    bool drifts;        /* see output/drift.h */
    struct arena arena; /* reset for every cell */
};

static const char *operation_name(const struct result *result, uint32_t operation)
{
    return operation == RESULT_ALL ? "all" : result->operations[operation - 1];
}

/* ---- rows ---- */

static void put_texts(struct csv *csv, const char *const *texts, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        csv_text(csv, texts[i]);
}

static void put_header(struct csv *csv, const struct report *report, bool parameters,
                       const char *const *columns, uint32_t count)
{
    csv_text(csv, "point");
    if (parameters)
        put_texts(csv, report->parameters, report->parameter_count);
    put_texts(csv, columns, count);
    csv_end(csv);
}

#define COLUMNS(...)                                                                               \
    (const char *const[]){__VA_ARGS__}, sizeof((const char *const[]){__VA_ARGS__}) / sizeof(char *)

static void put_headers(struct derivation *d)
{
    put_header(&d->files[SUMMARY], d->report, true,
               COLUMNS("node", "operation", "metric", "statistic", "unit", "estimate", "ci95_low",
                       "ci95_high", "n", "replications", "method", "flags"));
    put_header(&d->files[REPLICATIONS], d->report, true,
               COLUMNS("node", "operation", "metric", "statistic", "unit", "replication", "seed",
                       "value", "weight"));
    put_header(
        &d->files[DISTRIBUTIONS], d->report, false,
        COLUMNS("node", "operation", "metric", "unit", "low", "high", "count", "cumulative"));
    if (d->wanted[SERIES])
        put_header(
            &d->files[SERIES], d->report, false,
            COLUMNS("replication", "time_s", "node", "metric", "statistic", "unit", "value"));
    if (d->wanted[FAULTS])
        put_header(
            &d->files[FAULTS], d->report, false,
            COLUMNS("replication", "start_s", "end_s", "name", "action", "target", "amount"));
    if (d->wanted[HISTORY])
        put_header(&d->files[HISTORY], d->report, false,
                   COLUMNS("replication", "process", "op", "key", "value", "invoke_ns",
                           "complete_ns", "status", "op_id", "session", "node", "invoke_seq",
                           "complete_seq", "version"));
    if (d->wanted[LEADERS])
        put_header(&d->files[LEADERS], d->report, false,
                   COLUMNS("replication", "start_s", "end_s", "group", "node", "term"));
}

/* What a row begins with in summary and replications. */
struct place {
    const char *node, *operation, *metric, *statistic, *unit;
};

static void put_place(const struct derivation *d, struct csv *csv, const struct place *at)
{
    csv_integer(csv, d->point + 1);
    put_texts(csv, d->report->points[d->point].values, d->report->parameter_count);
    put_texts(csv,
              (const char *const[]){at->node, at->operation, at->metric, at->statistic, at->unit},
              5);
}

/* Whether tables may show a row: pooled, all operations, not a far percentile. */
static bool shown(const struct result_cell *cell, const struct statistic *s)
{
    const struct result_key *key = &cell->key;
    if (key->instance != RESULT_POOLED || key->operation != RESULT_ALL)
        return false;
    if (s->type != STATISTIC_PERCENTILE)
        return s->type == STATISTIC_RUNS_WITH ? cell->type == METRIC_EVENT
                                              : s->type != STATISTIC_MIN;
    return !strcmp(s->percentile->name, "p50") || !strcmp(s->percentile->name, "p99");
}

static void keep_row(struct derivation *d, const struct place *at, const struct estimate *e)
{
    if (d->row_count == d->row_room) {
        d->row_room = d->row_room ? d->row_room * 2 : 256;
        d->rows = realloc(d->rows, d->row_room * sizeof *d->rows);
        if (!d->rows)
            check_machine("out of memory for the table");
    }
    struct arena *arena = &d->outcome->arena;
    d->rows[d->row_count++] = (struct outcome_row){
        .point = d->point,
        .node = arena_text(arena, at->node, strlen(at->node)),
        .metric = arena_text(arena, at->metric, strlen(at->metric)),
        .statistic = arena_text(arena, at->statistic, strlen(at->statistic)),
        .unit = arena_text(arena, at->unit, strlen(at->unit)),
        .estimate = e->value,
        .low = e->low,
        .high = e->high,
    };
}

/* Where an event never came the number is infinite; in files there is none then. */
static double known(double value)
{
    return isinf(value) ? (double)NAN : value;
}

static void put_summary(struct derivation *d, const struct place *at, const struct estimate *e)
{
    struct csv *csv = &d->files[SUMMARY];
    char flags[64];
    put_place(d, csv, at);
    csv_value(csv, known(e->value), at->unit);
    csv_value(csv, known(e->low), at->unit);
    csv_value(csv, known(e->high), at->unit);
    csv_integer(csv, e->n);
    csv_integer(csv, e->replications);
    csv_text(csv, method_name(e->method));
    csv_text(csv, flags_name(flags, e->flags));
    csv_end(csv);
}

static void put_replications(struct derivation *d, const struct place *at,
                             const struct sample *sample, const struct statistic *s)
{
    struct csv *csv = &d->files[REPLICATIONS];
    for (uint32_t r = 0; r < sample->count && s->type != STATISTIC_RUNS_WITH; r++) {
        put_place(d, csv, at);
        csv_integer(csv, sample->replications[r]);
        csv_integer(csv, d->results[r]->seed);
        csv_value(csv, known(estimate_single(&sample->cells[r], s)), at->unit);
        csv_general(csv, estimate_weight(&sample->cells[r]));
        csv_end(csv);
    }
}

static void put_distribution(struct derivation *d, const struct place *at,
                             const struct sample *sample)
{
    const struct result_cell *cell = &sample->cells[0];
    bool level = cell->type == METRIC_LEVEL;
    if (strcmp(cell->name, level ? "queue_length" : "latency"))
        return;
    uint64_t all = sample->merged.count, seen = 0;
    for (uint32_t r = 0; r < sample->count; r++)
        all += sample->cells[r].missing;
    struct sparse buckets = sparse_buckets(&d->arena, &sample->merged);
    struct csv *csv = &d->files[DISTRIBUTIONS];
    for (uint32_t i = 0; i < buckets.item_count; i++) {
        const struct sparse_item *item = &buckets.items[i];
        uint64_t width = histogram_width(histogram_octave((uint64_t)item->low));
        seen += item->count;
        csv_integer(csv, d->point + 1);
        put_texts(csv, (const char *const[]){at->node, at->operation, at->metric, at->unit}, 4);
        csv_value(csv, in_unit(cell, (double)item->low), at->unit);
        csv_value(csv, in_unit(cell, (double)item->low + (double)width), at->unit);
        if (level)
            csv_value(csv, (double)item->count / 1e9, "s");
        else
            csv_integer(csv, item->count);
        csv_general(csv, (double)seen / (double)all);
        csv_end(csv);
    }
}

/* The flags that no estimator sees in the numbers of one row. */
static uint32_t known_flags(const struct derivation *d, enum metric_type type, enum method method)
{
    bool average = type == METRIC_DURATION || type == METRIC_LEVEL || type == METRIC_SHARE;
    bool mean = average && (method == METHOD_T || method == METHOD_RATIO);
    return (d->report->warmup_short ? FLAG_WARMUP : 0u) |
           (mean && d->report->points[d->point].heavy ? FLAG_HEAVY : 0u) |
           (average && d->drifts ? FLAG_DRIFT : 0u);
}

static void put_sample(struct derivation *d, const struct sample *sample)
{
    const struct result_cell *cell = &sample->cells[0];
    const struct result *result = d->results[0];
    struct place at = {
        .node = result_label(&d->arena, &result->nodes[cell->key.node], cell->key.instance),
        .operation = operation_name(result, cell->key.operation),
        .metric = cell->name,
        .unit = cell->unit,
    };
    uint32_t count = statistics_of(d->report, cell, d->statistics);
    for (uint32_t i = 0; i < count; i++) {
        at.statistic = statistic_name(&d->statistics[i]);
        at.unit = d->statistics[i].type == STATISTIC_RUNS_WITH ? "1" : cell->unit;
        struct estimate e = estimate(&d->arena, sample, &d->statistics[i], &d->confidence);
        e.flags |= known_flags(d, cell->type, e.method);
        put_summary(d, &at, &e);
        put_replications(d, &at, sample, &d->statistics[i]);
        if (shown(cell, &d->statistics[i]))
            keep_row(d, &at, &e);
    }
    if (cell->has_histogram && cell->key.instance == RESULT_POOLED)
        put_distribution(d, &at, sample);
}

/* What the judge may want: of W and of every phase. */
static void see_sample(struct derivation *d, const struct sample *sample)
{
    const struct result_key *key = &sample->cells[0].key;
    const struct result *result = d->results[0];
    const struct result_node *node = &result->nodes[key->node];
    int64_t length = 0;
    for (uint32_t r = 0; r < sample->count; r++)
        length += window_set_length(&d->results[r]->windows[key->window]);
    struct judge_label label = {
        .point = d->point,
        .window = key->window,
        .node = result_label(&d->arena, node, key->instance),
        .operation = operation_name(result, key->operation),
        .single = node->instances == 1,
        .empty = !length,
    };
    judge_see(d->judge, &label, sample);
}

/* ---- the merge of one point's cells ---- */

/* The smallest key that is left; false where none is. */
static bool next_key(const struct derivation *d, struct result_cell *model)
{
    bool found = false;
    for (uint32_t r = 0; r < d->part_count; r++) {
        if (d->next[r] >= d->results[r]->cell_count)
            continue;
        const struct result_cell *cell = &d->results[r]->cells[d->next[r]];
        if (!found || result_compare(&cell->key, &model->key) < 0)
            *model = *cell;
        found = true;
    }
    return found;
}

/* What a replication holds in which an operation never came: nothing, in a window of its length. */
static struct result_cell nothing_like(const struct result_cell *model, const struct result *result)
{
    struct result_cell cell = {.key = model->key,
                               .name = model->name,
                               .unit = model->unit,
                               .type = model->type,
                               .has_histogram = model->has_histogram};
    const struct window_set *w = &result->windows[model->key.window];
    if (model->type == METRIC_TOTAL || model->type == METRIC_SPAN)
        cell.denominator = 1;
    if (model->type == METRIC_RATE)
        cell.denominator = window_set_length(w);
    cell.histogram.exact = true;
    return cell;
}

/* The cells of one key, of every replication; passes over it. */
static struct sample gather(struct derivation *d, const struct result_cell *model)
{
    struct result_cell *cells = arena_array(&d->arena, d->part_count, struct result_cell);
    for (uint32_t r = 0; r < d->part_count; r++) {
        uint32_t at = d->next[r];
        const struct result *result = d->results[r];
        if (at >= result->cell_count || result_compare(&result->cells[at].key, &model->key)) {
            cells[r] = nothing_like(model, result);
            continue;
        }
        cells[r] = result->cells[at];
        if (cells[r].has_histogram)
            cells[r].histogram = part_histogram(d->parts[r], at, &d->arena);
        d->next[r]++;
    }
    return sample_of(&d->arena, cells, d->replications, d->part_count);
}

/* ---- series ---- */

static void put_course(struct derivation *d, uint32_t r, const struct result_course *c,
                       uint32_t interval, const char *node, const char *statistic, double value)
{
    struct csv *csv = &d->files[SERIES];
    csv_integer(csv, d->point + 1);
    csv_integer(csv, d->replications[r]);
    csv_seconds(csv, (int64_t)interval * d->results[r]->series_interval);
    put_texts(csv, (const char *const[]){node, c->name, statistic, c->unit}, 4);
    csv_value(csv, value, c->unit);
    csv_end(csv);
}

static void put_series(struct derivation *d, uint32_t r)
{
    static const char *const statistics[] = {
        [METRIC_TOTAL] = "total",   [METRIC_RATE] = "rate",  [METRIC_RATIO] = "ratio",
        [METRIC_DURATION] = "mean", [METRIC_LEVEL] = "mean", [METRIC_SHARE] = "mean",
        [METRIC_SPAN] = "total",    [METRIC_EVENT] = "p50",  [METRIC_COST] = "total",
    };
    const struct result *result = d->results[r];
    for (uint32_t i = 0; i < result->course_count; i++) {
        const struct result_course *c = &result->courses[i];
        struct result_cell cell = {.type = c->type, .unit = c->unit};
        struct statistic value = {STATISTIC_MEAN, NULL};
        arena_reset(&d->arena);
        const char *node = result_label(&d->arena, &result->nodes[c->key.node], c->key.instance);
        for (uint32_t k = 0; k < result->interval_count; k++) {
            cell.numerator = c->numerator[k];
            cell.denominator = c->denominator[k];
            put_course(d, r, c, k, node, statistics[c->type], estimate_single(&cell, &value));
            if (!c->p50)
                continue;
            put_course(d, r, c, k, node, "p50", in_unit(&cell, c->p50[k]));
            put_course(d, r, c, k, node, "p99", in_unit(&cell, c->p99[k]));
        }
    }
}

/* ---- faults ---- */

static void put_faults(struct derivation *d, uint32_t r)
{
    const struct result *result = d->results[r];
    struct csv *csv = &d->files[FAULTS];
    for (uint32_t i = 0; i < result->strike_count; i++) {
        const struct result_strike *s = &result->strikes[i];
        const struct result_fault *f = &result->faults[s->fault];
        csv_integer(csv, d->point + 1);
        csv_integer(csv, d->replications[r]);
        csv_seconds(csv, s->begin);
        csv_seconds(csv, s->end);
        put_texts(csv, (const char *const[]){f->name, f->action, s->target, f->amount}, 4);
        csv_end(csv);
    }
}

static bool struck_alike(const struct result *a, const struct result *b)
{
    if (a->strike_count != b->strike_count)
        return false;
    for (uint32_t i = 0; i < a->strike_count; i++) {
        const struct result_strike *x = &a->strikes[i], *y = &b->strikes[i];
        if (x->fault != y->fault || x->begin != y->begin || x->end != y->end ||
            strcmp(x->target, y->target))
            return false;
    }
    return true;
}

static void keep_faults(struct derivation *d)
{
    const struct result *first = d->results[0];
    struct arena *arena = &d->outcome->arena;
    struct outcome_fault *faults = arena_array(arena, first->fault_count, struct outcome_fault);
    bool vary = false;
    for (uint32_t r = 1; r < d->part_count; r++)
        vary = vary || !struck_alike(first, d->results[r]);
    for (uint32_t f = 0; f < first->fault_count; f++) {
        const struct result_fault *x = &first->faults[f];
        faults[f] =
            (struct outcome_fault){.name = arena_text(arena, x->name, strlen(x->name)),
                                   .action = arena_text(arena, x->action, strlen(x->action)),
                                   .amount = arena_text(arena, x->amount, strlen(x->amount)),
                                   .target = "",
                                   .vary = vary};
    }
    for (uint32_t i = 0; i < first->strike_count; i++) {
        const struct result_strike *s = &first->strikes[i];
        struct outcome_fault *f = &faults[s->fault];
        if (f->strikes++)
            continue;
        f->target = arena_text(arena, s->target, strlen(s->target));
        f->begin = s->begin;
        f->end = s->end;
    }
    d->outcome->faults = faults;
    d->outcome->fault_count = first->fault_count;
}

/* ---- rows that are told as they are: cells without commas ---- */

static void put_rows(struct derivation *d, uint32_t r, struct csv *csv, const char *rows)
{
    while (*rows) {
        const char *end = strchr(rows, '\n');
        csv_integer(csv, d->point + 1);
        csv_integer(csv, d->replications[r]);
        for (const char *at = rows; at <= end;) {
            size_t length = strcspn(at, ",\n");
            csv_text(csv, arena_text(&d->arena, at, length));
            at += length + 1;
        }
        csv_end(csv);
        arena_reset(&d->arena);
        rows = end + 1;
    }
}

/* ---- points ---- */

static void note_totals(struct derivation *d, const struct result *result, uint32_t replication)
{
    struct outcome *o = d->outcome;
    o->events += result->totals.events;
    o->unfinished += result->totals.unfinished;
    o->fingerprint = random_mix(o->fingerprint ^ result->totals.fingerprint);
    if (!result->diverged || o->diverged++)
        return;
    const struct report *r = d->report;
    const char *which = arena_format(&o->arena, "point %u, ", d->point + 1);
    o->message = arena_format(&o->arena, "%sreplication %u: %s", r->point_count > 1 ? which : "",
                              replication, result->message);
}

static void open_point(struct derivation *d, const char *hash)
{
    d->part_count = 0;
    for (uint32_t r = 1; r <= d->report->replications; r++) {
        struct part_identity id = {hash, d->point + 1, r, d->report->seed};
        enum part_status status;
        struct part *part = part_read(d->dir, &id, &status);
        if (!part) {
            d->outcome->damaged += status != PART_MISSING;
            continue;
        }
        d->parts[d->part_count] = part;
        d->results[d->part_count] = part_result(part);
        d->replications[d->part_count] = r;
        d->next[d->part_count++] = 0;
        note_totals(d, part_result(part), r);
    }
    d->outcome->part_count += d->part_count;
}

static void derive_point(struct derivation *d)
{
    struct result_cell model;
    if (d->part_count && d->report->point_count == 1)
        keep_faults(d);
    d->drifts = drift_seen(d->results, d->part_count);
    while (next_key(d, &model)) {
        arena_reset(&d->arena);
        struct sample sample = gather(d, &model);
        if (model.key.window == 0)
            put_sample(d, &sample);
        see_sample(d, &sample);
    }
    for (uint32_t r = 0; r < d->part_count && d->wanted[SERIES]; r++)
        put_series(d, r);
    for (uint32_t r = 0; r < d->part_count && d->wanted[FAULTS]; r++)
        put_faults(d, r);
    for (uint32_t r = 0; r < d->part_count && d->wanted[HISTORY]; r++)
        put_rows(d, r, &d->files[HISTORY], d->results[r]->history);
    for (uint32_t r = 0; r < d->part_count && d->wanted[LEADERS]; r++)
        put_rows(d, r, &d->files[LEADERS], d->results[r]->leaders);
    for (uint32_t r = 0; r < d->part_count; r++)
        part_free(d->parts[r]);
}

/* All files are closed, and so known to be whole, before the first gets its name. */
static bool finish_files(struct derivation *d, struct output_error *error)
{
    bool good = true;
    for (int f = 0; f < FILES && good; f++)
        good = !d->wanted[f] || csv_close(&d->files[f], error);
    for (int f = 0; f < FILES && good; f++)
        good = !d->wanted[f] || csv_commit(&d->files[f], error);
    for (int f = 0; f < FILES && !good; f++)
        csv_discard(&d->files[f]);
    /* A file of an earlier run that had a series or faults would tell another run's story. */
    for (int f = 0; f < FILES && good; f++) {
        char path[sizeof d->files[f].path];
        int length = snprintf(path, sizeof path, "%s/%s", d->dir, file_names[f]);
        if (!d->wanted[f] && length < (int)sizeof path)
            unlink(path);
    }
    return good;
}

static void open_files(struct derivation *d)
{
    for (int f = 0; f < FILES; f++) {
        d->wanted[f] = f == SERIES    ? d->report->series_interval > 0
                       : f == FAULTS  ? d->report->faults
                       : f == HISTORY ? d->report->history
                       : f == LEADERS ? d->report->leaders
                                      : true;
        if (d->wanted[f])
            csv_open(&d->files[f], d->dir, file_names[f]);
    }
    put_headers(d);
}

static void finish_outcome(struct derivation *d)
{
    struct outcome *o = d->outcome;
    struct outcome_row *rows = arena_array(&o->arena, d->row_count, struct outcome_row);
    if (d->row_count)
        memcpy(rows, d->rows, d->row_count * sizeof *rows);
    o->rows = rows;
    o->row_count = (uint32_t)d->row_count;
    judge_end(d->judge, o);
}

struct outcome *output_derive(const char *dir, const struct report *report,
                              const char *scenario_hash, struct output_error *error)
{
    struct outcome *outcome = calloc(1, sizeof *outcome);
    if (!outcome)
        check_machine("out of memory for the outcome");
    struct arena *arena = &outcome->arena;
    struct derivation *d = arena_new(arena, struct derivation);
    *d = (struct derivation){
        .dir = dir,
        .report = report,
        .outcome = outcome,
        .judge = judge_begin(arena, report),
        .confidence = {.level = csv_confidence},
        .statistics = arena_array(arena, (size_t)report->percentile_count + 5, struct statistic),
        .parts = arena_array(arena, report->replications, struct part *),
        .results = arena_array(arena, report->replications, const struct result *),
        .replications = arena_array(arena, report->replications, uint32_t),
        .next = arena_array(arena, report->replications, uint32_t),
    };
    outcome->message = "";
    outcome->part_expected = report->point_count * report->replications;
    open_files(d);
    for (d->point = 0; d->point < report->point_count; d->point++) {
        open_point(d, scenario_hash);
        derive_point(d);
    }
    finish_outcome(d);
    bool good = finish_files(d, error);
    arena_free(&d->arena);
    free(d->rows);
    if (good)
        return outcome;
    outcome_free(outcome);
    return NULL;
}

void outcome_free(struct outcome *outcome)
{
    if (!outcome)
        return;
    arena_free(&outcome->arena);
    free(outcome);
}
