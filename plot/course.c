#include "plot/course.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { INTERVALS_MAX = 600, QUARTILES_FROM = 5 };

/* One number of the file. */
struct sample {
    unsigned metric, line;
    double time_s, value;
};

struct samples {
    struct sample *items;
    size_t count, capacity;
};

enum { POINT, TIME, NODE, METRIC, STATISTIC, VALUE, COLUMNS };
static const char *const columns[] = {"point", "time_s", "node", "metric", "statistic", "value"};

static int by_place_and_value(const void *left, const void *right)
{
    const struct sample *a = left, *b = right;
    if (a->metric != b->metric)
        return a->metric < b->metric ? -1 : 1;
    if (a->line != b->line)
        return a->line < b->line ? -1 : 1;
    if (a->time_s != b->time_s)
        return a->time_s < b->time_s ? -1 : 1;
    /* NaN last, so that the numbers of an interval stand together. */
    if (isnan(a->value) || isnan(b->value))
        return isnan(a->value) - isnan(b->value);
    return (a->value > b->value) - (a->value < b->value);
}

static void add(struct folder *folder, struct samples *samples, struct sample sample)
{
    if (samples->count == samples->capacity) {
        size_t capacity = samples->capacity ? samples->capacity * 2 : 4096;
        struct sample *grown = arena_array(&folder->arena, capacity, struct sample);
        if (samples->count)
            memcpy(grown, samples->items, samples->count * sizeof *grown);
        samples->items = grown;
        samples->capacity = capacity;
    }
    samples->items[samples->count++] = sample;
}

static int read_samples(struct folder *folder, const struct pick *pick,
                        const struct course_metric *metrics, size_t metric_count,
                        struct samples *samples)
{
    struct rows rows;
    size_t at[COLUMNS];
    int status = folder_table_open(folder, &rows, "series.csv", columns, at, COLUMNS);
    while (!status && rows_next(&rows)) {
        unsigned metric = 0;
        while (metric < metric_count &&
               (strcmp(rows_field(&rows, at[METRIC]), metrics[metric].metric) != 0 ||
                strcmp(rows_field(&rows, at[STATISTIC]), metrics[metric].statistic) != 0))
            metric++;
        double time_s = rows_number(&rows, at[TIME]);
        if (metric == metric_count || !(time_s >= 0 && time_s < 1e12))
            continue;
        size_t point = folder_point_find(folder, rows_number(&rows, at[POINT]));
        size_t node = roster_find(&folder->node_names, rows_field(&rows, at[NODE]));
        for (unsigned line = 0; line < pick->count; line++)
            if (pick->lines[line].point == point && pick->lines[line].node == node)
                add(folder, samples,
                    (struct sample){metric, line, time_s, rows_number(&rows, at[VALUE])});
    }
    if (!status)
        status = folder_table_end(folder, &rows, "series.csv");
    rows_close(&rows);
    if (samples->count)
        qsort(samples->items, samples->count, sizeof *samples->items, by_place_and_value);
    return status;
}

/* The quantile p of sorted values, by the nearest rank. */
static double quantile(const struct sample *sorted, size_t count, size_t numerator,
                       size_t denominator)
{
    size_t rank = (count * numerator + denominator - 1) / denominator;
    return sorted[rank ? rank - 1 : 0].value;
}

/* One interval from the samples of all its replications, sorted with NaN at the end. */
static struct course_value summarise(const struct sample *samples, size_t count)
{
    struct course_value value = {samples->time_s, NAN, NAN, NAN};
    double sum = 0;
    size_t numbers = 0;
    while (numbers < count && !isnan(samples[numbers].value))
        sum += samples[numbers++].value;
    if (numbers)
        value.mean = sum / (double)numbers;
    if (numbers >= QUARTILES_FROM) {
        value.low = quantile(samples, numbers, 1, 4);
        value.high = quantile(samples, numbers, 3, 4);
    }
    return value;
}

/* The means of neighbouring intervals; an interval without a number counts for nothing. */
static struct course_value mean_value(const struct course_value *values, size_t count)
{
    double sums[3] = {0, 0, 0}, numbers[3] = {0, 0, 0};
    for (size_t i = 0; i < count; i++) {
        double own[3] = {values[i].mean, values[i].low, values[i].high};
        for (size_t k = 0; k < 3; k++) {
            sums[k] += isnan(own[k]) ? 0 : own[k];
            numbers[k] += isnan(own[k]) ? 0 : 1;
        }
    }
    return (struct course_value){values->time_s, numbers[0] > 0 ? sums[0] / numbers[0] : NAN,
                                 numbers[1] > 0 ? sums[1] / numbers[1] : NAN,
                                 numbers[2] > 0 ? sums[2] / numbers[2] : NAN};
}

/* Takes `merged` neighbours together; their number afterwards. */
static size_t merge(struct course_value *values, size_t count, size_t merged)
{
    size_t kept = 0;
    for (size_t i = 0; i < count; i += merged) {
        size_t part = count - i < merged ? count - i : merged;
        values[kept++] = mean_value(values + i, part);
    }
    return kept;
}

/* Leaves out the lines without a row, and moves the others up. */
static void drop_empty(struct pick *pick, struct course *course)
{
    for (size_t line = pick->count; line-- > 0;) {
        if (course->counts[0][line] + course->counts[1][line])
            continue;
        pick_drop(pick, line);
        for (size_t metric = 0; metric < 2; metric++)
            for (size_t i = line; i < pick->count; i++) {
                course->counts[metric][i] = course->counts[metric][i + 1];
                course->values[metric][i] = course->values[metric][i + 1];
            }
    }
}

int course_read(struct folder *folder, struct pick *pick, const struct course_metric *metrics,
                size_t metric_count, struct course *course)
{
    struct samples samples = {0};
    *course = (struct course){.merged = 1};
    if (read_samples(folder, pick, metrics, metric_count, &samples))
        return 3;
    size_t longest = 0;
    double step = HUGE_VAL, last = 0;
    for (size_t from = 0, to; from < samples.count; from = to) {
        const struct sample *first = &samples.items[from];
        for (to = from;
             to < samples.count && samples.items[to].metric == first->metric &&
             samples.items[to].line == first->line && samples.items[to].time_s == first->time_s;
             to++)
            continue;
        size_t *count = &course->counts[first->metric][first->line];
        struct course_value **values = &course->values[first->metric][first->line];
        if (!*count)
            *values = arena_array(&folder->arena, samples.count - from, struct course_value);
        struct course_value value = summarise(first, to - from);
        if (*count && value.time_s - (*values)[*count - 1].time_s < step)
            step = value.time_s - (*values)[*count - 1].time_s;
        (*values)[(*count)++] = value;
        if (to - from > course->replications)
            course->replications = to - from;
        longest = *count > longest ? *count : longest;
        last = value.time_s > last ? value.time_s : last;
    }
    if (!(step < HUGE_VAL))
        step = last > 0 ? last : 1;
    course->end_s = last + step;
    /* The last interval may be a part: the file tells only where it begins, run.json where it ends.
     */
    if (folder->duration_s > last && folder->duration_s < course->end_s)
        course->end_s = folder->duration_s;
    course->merged = (longest + INTERVALS_MAX - 1) / INTERVALS_MAX;
    if (course->merged > 1)
        for (size_t metric = 0; metric < metric_count; metric++)
            for (size_t line = 0; line < pick->count; line++)
                course->counts[metric][line] = merge(course->values[metric][line],
                                                     course->counts[metric][line], course->merged);
    else
        course->merged = 1;
    course->step_s = step * (double)course->merged;
    drop_empty(pick, course);
    return 0;
}

static void write_values(struct sheet *sheet, const struct course_value *value, bool last)
{
    sheet_number(sheet, value ? value->mean : (double)NAN);
    sheet_number(sheet, value && !last ? value->low : (double)NAN);
    sheet_number(sheet, value && !last ? value->high : (double)NAN);
}

/* Rows of one line; the metrics of one line have the same intervals, as series.csv writes a row for
 * each. Where one has fewer, the rest is NaN. */
static void write_line(struct sheet *sheet, const struct course *course, size_t line,
                       size_t metric_count)
{
    size_t longest = 0;
    for (size_t metric = 1; metric < metric_count; metric++)
        if (course->counts[metric][line] > course->counts[longest][line])
            longest = metric;
    size_t count = course->counts[longest][line], next[2] = {0, 0};
    for (size_t i = 0; i < count; i++) {
        double time_s = course->values[longest][line][i].time_s;
        double end_s = time_s + course->step_s;
        if (end_s > course->end_s)
            end_s = course->end_s;
        for (int closing = 0; closing < (i + 1 == count ? 2 : 1); closing++) {
            sheet_number(sheet, (double)(line + 1));
            sheet_number(sheet, closing ? end_s : time_s);
            sheet_number(sheet, closing ? (double)NAN : (time_s + end_s) / 2);
            for (size_t metric = 0; metric < metric_count; metric++) {
                const struct course_value *values = course->values[metric][line];
                size_t *at = &next[metric];
                while (*at < course->counts[metric][line] && values[*at].time_s < time_s)
                    ++*at;
                bool here = *at < course->counts[metric][line] && values[*at].time_s == time_s;
                write_values(sheet, here ? &values[*at] : NULL, closing);
            }
            sheet_end_row(sheet);
        }
    }
}

int course_write(struct folder *folder, const char *figure, const struct course *course,
                 const struct pick *pick, const char *const *names, size_t metric_count)
{
    struct sheet sheet;
    if (sheet_open(&sheet, folder, figure, ".csv"))
        return 3;
    const char *header = "line,time_s,mid_s";
    for (size_t i = 0; i < metric_count; i++)
        header = arena_format(&folder->arena, "%s,%s,%s_low,%s_high", header, names[i], names[i],
                              names[i]);
    sheet_header(&sheet, header);
    for (size_t line = 0; line < pick->count; line++)
        write_line(&sheet, course, line, metric_count);
    return sheet_close(&sheet);
}
