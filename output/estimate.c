#include "output/estimate.h"

#include "engine/kernel/check.h"
#include "output/student.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    QUANTILE_REPLICATIONS = 5, /* fewer give no interval of a quantile */
    RARE = 5,
    FEW = 20,
    PLENTY_EACH = 10, /* events a replication: then few replications do not make events rare */
    EFFECTIVE_MIN = 10,
    SKEW_REPLICATIONS = 30,
};
static const double skew_limit = 1.5;

/* ---- names ---- */

static const char *const names[] = {
    [STATISTIC_MEAN] = "mean",   [STATISTIC_PERCENTILE] = "",         [STATISTIC_MIN] = "min",
    [STATISTIC_MAX] = "max",     [STATISTIC_RATE] = "rate",           [STATISTIC_RATIO] = "ratio",
    [STATISTIC_TOTAL] = "total", [STATISTIC_RUNS_WITH] = "runs_with",
};

const char *statistic_name(const struct statistic *s)
{
    return s->type == STATISTIC_PERCENTILE ? s->percentile->name : names[s->type];
}

/* Which percentiles a list has. */
enum wanted { WANT_NONE, WANT_NAMED, WANT_ALL };

static uint32_t list_of(const struct report *report, enum metric_type type, enum wanted wanted,
                        struct statistic *list)
{
    static const struct percentile median = {"p50", 1, 2, false};
    uint32_t count = 0;
    bool observed = type == METRIC_DURATION || type == METRIC_LEVEL;
    bool summed = type == METRIC_TOTAL || type == METRIC_SPAN, event = type == METRIC_EVENT;
    if (summed)
        list[count++] = (struct statistic){STATISTIC_TOTAL, NULL};
    if (summed || event)
        list[count++] = (struct statistic){STATISTIC_RUNS_WITH, NULL};
    if (type == METRIC_RATE)
        list[count++] = (struct statistic){STATISTIC_RATE, NULL};
    if (type == METRIC_RATIO)
        list[count++] = (struct statistic){STATISTIC_RATIO, NULL};
    if (observed || event || type == METRIC_SHARE)
        list[count++] = (struct statistic){STATISTIC_MEAN, NULL};
    for (uint32_t i = 0; observed && wanted && i < report->percentile_count; i++)
        if (wanted == WANT_ALL || report->percentiles[i].named)
            list[count++] = (struct statistic){STATISTIC_PERCENTILE, &report->percentiles[i]};
    if (event)
        list[count++] = (struct statistic){STATISTIC_PERCENTILE, &median};
    if (event || type == METRIC_DURATION)
        list[count++] = (struct statistic){STATISTIC_MIN, NULL};
    if (observed || event)
        list[count++] = (struct statistic){STATISTIC_MAX, NULL};
    return count;
}

uint32_t statistics_of(const struct report *report, const struct result_cell *cell,
                       struct statistic *list)
{
    enum wanted wanted = !cell->has_histogram                  ? WANT_NONE
                         : cell->key.instance == RESULT_POOLED ? WANT_ALL
                                                               : WANT_NAMED;
    return list_of(report, cell->type, wanted, list);
}

bool statistic_find(const struct report *report, enum metric_type type, const char *name,
                    struct statistic *found)
{
    bool observed = type == METRIC_DURATION || type == METRIC_LEVEL;
    for (uint32_t i = 0; observed && i < report->percentile_count; i++) {
        if (strcmp(report->percentiles[i].name, name))
            continue;
        *found = (struct statistic){STATISTIC_PERCENTILE, &report->percentiles[i]};
        return true;
    }
    struct statistic plain[8];
    uint32_t count = list_of(report, type, WANT_NONE, plain);
    for (uint32_t i = 0; i < count; i++) {
        if (!strcmp(statistic_name(&plain[i]), name)) {
            *found = plain[i];
            return true;
        }
    }
    return false;
}

const char *method_name(enum method method)
{
    static const char *const methods[] = {
        [METHOD_T] = "t",
        [METHOD_RATIO] = "ratio",
        [METHOD_WOODRUFF] = "woodruff",
        [METHOD_CLOPPER] = "clopper",
        [METHOD_ORDER] = "order",
        [METHOD_RARE] = "rare",
        [METHOD_NONE] = "none",
    };
    return methods[method];
}

const char *flags_name(char *text, uint32_t flags)
{
    static const char *const flag_names[] = {"few",    "tail",  "skew", "censored",
                                             "warmup", "heavy", "drift"};
    size_t used = 0;
    text[0] = 0;
    for (uint32_t i = 0; i < sizeof flag_names / sizeof *flag_names; i++)
        if (flags >> i & 1)
            used +=
                (size_t)snprintf(text + used, 64 - used, "%s%s", used ? " " : "", flag_names[i]);
    return text;
}

/* ---- units ---- */

double in_unit(const struct result_cell *cell, double value)
{
    if (cell->type == METRIC_DURATION || cell->type == METRIC_SPAN || cell->type == METRIC_EVENT)
        return value / (strcmp(cell->unit, "ms") ? 1e9 : 1e6);
    return cell->type == METRIC_RATE ? value * 1e9 : value;
}

double estimate_weight(const struct result_cell *cell)
{
    bool time =
        cell->type == METRIC_RATE || cell->type == METRIC_LEVEL || cell->type == METRIC_SHARE;
    return (double)cell->denominator / (time ? 1e9 : 1);
}

static double quotient(wide numerator, wide denominator)
{
    return denominator ? (double)numerator / (double)denominator : NAN;
}

/* The integer rank ceil(p count) of a percentile. */
static uint64_t rank_of(const struct percentile *p, uint64_t count)
{
    wide product = (wide)count * p->numerator;
    return (uint64_t)((product + p->denominator - 1) / p->denominator);
}

/* The value at a rank among the observations and, above them all, those that never ended. */
static double at_rank(const struct sparse *s, uint64_t rank)
{
    if (!s->count || rank > s->count)
        return NAN;
    return sparse_value(&s->items[sparse_find(s, rank ? rank : 1)]);
}

double estimate_single(const struct result_cell *cell, const struct statistic *s)
{
    bool event = cell->type == METRIC_EVENT;
    bool empty = (event || cell->type == METRIC_DURATION) && !cell->denominator;
    switch (s->type) {
    case STATISTIC_PERCENTILE:
        if (event)
            break;
        return in_unit(cell,
                       at_rank(&cell->histogram,
                               rank_of(s->percentile, cell->histogram.count + cell->missing)));
    case STATISTIC_MIN:
        return empty || (event && cell->missing) ? NAN : in_unit(cell, (double)cell->min);
    case STATISTIC_MAX:
        return empty || cell->missing ? NAN : in_unit(cell, (double)cell->max);
    case STATISTIC_RUNS_WITH:
        return event ? (empty ? NAN : !cell->missing) : cell->numerator > 0;
    case STATISTIC_MEAN:
    case STATISTIC_RATE:
    case STATISTIC_RATIO:
    case STATISTIC_TOTAL:
        break;
    }
    return cell->missing ? NAN : in_unit(cell, quotient(cell->numerator, cell->denominator));
}

struct sample sample_of(struct arena *arena, const struct result_cell *cells,
                        const uint32_t *replications, uint32_t count)
{
    struct sample sample = {.cells = cells, .replications = replications, .count = count};
    struct sparse *parts = arena_array(arena, count, struct sparse);
    for (uint32_t r = 0; r < count; r++)
        parts[r] = cells[r].histogram;
    sample.merged = sparse_merge(arena, parts, count);
    return sample;
}

double confidence_t(struct confidence *confidence, uint32_t replications)
{
    if (confidence->count != replications) {
        confidence->count = replications;
        confidence->t = student_quantile(confidence->level, replications - 1);
    }
    return confidence->t;
}

/* ---- a, b, d, e: quotients of sums ---- */

static double spread(const double *d, uint32_t count)
{
    double sum = 0;
    for (uint32_t r = 0; r < count; r++)
        sum += d[r] * d[r];
    return count > 1 ? sqrt(sum / ((double)count * (double)(count - 1))) : NAN;
}

static bool skewed(const double *d, uint32_t count)
{
    double mean = 0, second = 0, third = 0;
    if (count < 3 || count >= SKEW_REPLICATIONS)
        return false;
    for (uint32_t r = 0; r < count; r++)
        mean += d[r] / count;
    for (uint32_t r = 0; r < count; r++) {
        double x = d[r] - mean;
        second += x * x / count;
        third += x * x * x / count;
    }
    return second > 0 && fabs(third) > skew_limit * second * sqrt(second);
}

/* What is known of rarity: replications with an event, replications with a non-event (for shares),
 * and whether a share can exceed 1. */
struct rarity {
    uint32_t with, with_other;
    bool bounded, seldom, seldom_other; /* too few for a t interval */
    bool few;
};

static bool too_few(uint32_t with, uint32_t count, wide events, uint32_t limit)
{
    return with < limit && !(with == count && events >= (wide)PLENTY_EACH * count);
}

static struct rarity rarity_of(const struct sample *s)
{
    struct rarity k = {.bounded = s->cells[0].type == METRIC_RATIO};
    enum metric_type type = s->cells[0].type;
    bool counted = k.bounded || type == METRIC_TOTAL || type == METRIC_RATE || type == METRIC_SPAN;
    wide events = 0, others = 0;
    for (uint32_t r = 0; r < s->count; r++) {
        const struct result_cell *c = &s->cells[r];
        k.with += c->numerator > 0;
        k.with_other += c->denominator > c->numerator;
        k.bounded = k.bounded && c->numerator <= c->denominator;
        events += c->numerator;
        others += c->denominator - c->numerator;
    }
    if (!counted)
        return (struct rarity){0};
    k.seldom = too_few(k.with, s->count, events, RARE);
    k.seldom_other = k.bounded && !k.seldom && too_few(k.with_other, s->count, others, RARE);
    k.few = too_few(k.with, s->count, events, FEW) ||
            (k.bounded && too_few(k.with_other, s->count, others, FEW));
    return k;
}

static void bound_rare(struct estimate *e, const struct rarity *k, uint32_t count, double tail)
{
    e->method = METHOD_RARE;
    e->low = k->seldom_other ? 1 - clopper_high(k->with_other, count, tail) : 0;
    e->high = k->seldom_other ? 1 : k->bounded ? clopper_high(k->with, count, tail) : NAN;
}

static bool equal_denominators(const struct sample *s)
{
    for (uint32_t r = 1; r < s->count; r++)
        if (s->cells[r].denominator != s->cells[0].denominator)
            return false;
    return true;
}

static void estimate_quotient(struct arena *arena, struct estimate *e, const struct sample *s,
                              struct confidence *confidence)
{
    const struct result_cell *cell = &s->cells[0];
    wide numerator = 0, denominator = 0;
    uint64_t missing = 0;
    bool share = cell->type == METRIC_RATIO || cell->type == METRIC_SHARE;
    for (uint32_t r = 0; r < s->count; r++) {
        numerator += s->cells[r].numerator;
        denominator += s->cells[r].denominator;
        missing += s->cells[r].missing;
        share = share && s->cells[r].numerator <= s->cells[r].denominator;
    }
    bool events = cell->type == METRIC_TOTAL || cell->type == METRIC_RATE;
    bool average =
        cell->type == METRIC_LEVEL || cell->type == METRIC_SHARE || cell->type == METRIC_SPAN;
    e->n = events ? (uint64_t)numerator : average ? s->count : (uint64_t)denominator;
    if (missing)
        e->flags |= FLAG_CENSORED;
    if (missing || !denominator)
        return;
    double theta = quotient(numerator, denominator), mean = (double)denominator / s->count;
    double *d = arena_array(arena, s->count, double);
    for (uint32_t r = 0; r < s->count; r++) {
        const struct result_cell *c = &s->cells[r];
        d[r] = in_unit(cell, ((double)c->numerator - theta * (double)c->denominator) / mean);
    }
    e->value = in_unit(cell, theta);
    e->influence = d;
    e->se = spread(d, s->count);
    struct rarity k = rarity_of(s);
    if (s->count > 1 || k.seldom || k.seldom_other) {
        bool plain = cell->type != METRIC_DURATION && cell->type != METRIC_RATIO;
        e->method = plain && equal_denominators(s) ? METHOD_T : METHOD_RATIO;
        double half = s->count > 1 ? confidence_t(confidence, s->count) * e->se : NAN;
        e->low = e->value - half;
        e->high = e->value + half;
    }
    if (k.seldom || k.seldom_other)
        bound_rare(e, &k, s->count, (1 - confidence->level) / 2);
    else if (k.few)
        e->flags |= FLAG_FEW;
    if (e->low < 0)
        e->low = 0;
    if (share && e->high > 1)
        e->high = 1;
    if (e->method != METHOD_RARE && e->method != METHOD_NONE && skewed(d, s->count))
        e->flags |= FLAG_SKEW;
}

/* ---- c: quantiles ---- */

/* The value at a level of the merged histogram, those that never ended above it. */
static double at_level(const struct sample *s, uint64_t all, double level)
{
    double rank = ceil(level * (double)all);
    if (rank < 1)
        rank = 1;
    return rank > (double)s->merged.count ? NAN : at_rank(&s->merged, (uint64_t)rank);
}

/* The slope of the quantile function at p, over +- se and wider where that spans but a few buckets:
 * within one bucket the slope would be 0 and the error with it. 0 where there is but one value. */
static double slope_at(const struct sample *s, uint64_t all, double p, double se)
{
    enum { SPAN = 8 };
    double h = se;
    if (!(se > 0))
        return 0;
    for (;;) {
        double from = ceil((p - h) * (double)all), to = ceil((p + h) * (double)all);
        bool inside = from >= 1 && to <= (double)s->merged.count;
        uint32_t items =
            inside ? sparse_find(&s->merged, (uint64_t)to) - sparse_find(&s->merged, (uint64_t)from)
                   : SPAN;
        if (items >= SPAN || p - 2 * h <= p / 2 || p + 2 * h >= 1 - (1 - p) / 2)
            return (at_level(s, all, p + h) - at_level(s, all, p - h)) / (2 * h);
        h *= 2;
    }
}

static void estimate_quantile(struct arena *arena, struct estimate *e, const struct sample *s,
                              const struct percentile *percentile, struct confidence *confidence)
{
    const struct result_cell *cell = &s->cells[0];
    uint64_t missing = 0, all;
    for (uint32_t r = 0; r < s->count; r++)
        missing += s->cells[r].missing;
    all = s->merged.count + missing;
    e->n = cell->type == METRIC_LEVEL ? s->count : s->merged.count;
    uint64_t rank = rank_of(percentile, all);
    if (rank > s->merged.count)
        e->flags |= FLAG_CENSORED;
    if (!all || rank > s->merged.count)
        return;
    uint32_t item = sparse_find(&s->merged, rank ? rank : 1);
    e->value = in_unit(cell, sparse_value(&s->merged.items[item]));
    double p = (double)percentile->numerator / percentile->denominator;
    double mean = (double)all / s->count, *d = arena_array(arena, s->count, double);
    double share = (double)sparse_upto(&s->merged, &s->merged, item) / (double)all;
    for (uint32_t r = 0; r < s->count; r++) {
        const struct result_cell *c = &s->cells[r];
        double upto = (double)sparse_upto(&c->histogram, &s->merged, item);
        d[r] = (upto - share * (double)(c->histogram.count + c->missing)) / mean;
    }
    double se = spread(d, s->count);
    /* N(1-p)/deff, where nbar cancels, so that it holds for weights of time as well. */
    double effective = p * (1 - p) * (1 - p) / (se * se);
    if (s->count < QUANTILE_REPLICATIONS ? (double)all * (1 - p) < EFFECTIVE_MIN
                                         : effective < EFFECTIVE_MIN)
        e->flags |= FLAG_TAIL;
    if (s->count < QUANTILE_REPLICATIONS)
        return;
    e->method = METHOD_WOODRUFF;
    double t = confidence_t(confidence, s->count);
    e->low = in_unit(cell, at_level(s, all, p - t * se));
    if (p + t * se >= 1)
        e->flags |= FLAG_TAIL;
    else
        e->high = in_unit(cell, at_level(s, all, p + t * se));
    if (isnan(e->high) && missing)
        e->flags |= FLAG_CENSORED;
    if (p + se >= 1)
        return;
    double slope = slope_at(s, all, p, se);
    for (uint32_t r = 0; r < s->count; r++)
        d[r] = in_unit(cell, -d[r] * slope);
    e->se = in_unit(cell, slope * se);
    e->influence = isnan(slope) ? NULL : d;
}

/* ---- f, rare events ---- */

static void estimate_extreme(struct estimate *e, const struct sample *s,
                             const struct statistic *statistic)
{
    for (uint32_t r = 0; r < s->count; r++) {
        const struct result_cell *c = &s->cells[r];
        double value = estimate_single(c, statistic);
        e->n += c->type == METRIC_DURATION ? (uint64_t)c->denominator : 1;
        if (c->missing && statistic->type == STATISTIC_MAX)
            e->flags |= FLAG_CENSORED;
        if (isnan(e->value) ||
            (statistic->type == STATISTIC_MIN ? value < e->value : value > e->value))
            e->value = value;
    }
    if (e->flags & FLAG_CENSORED)
        e->value = NAN;
}

static void estimate_runs_with(struct estimate *e, const struct sample *s, double tail)
{
    uint32_t with = 0;
    for (uint32_t r = 0; r < s->count; r++) {
        with += s->cells[r].numerator > 0;
        e->n += s->cells[r].type == METRIC_SPAN ? s->cells[r].numerator > 0
                                                : (uint64_t)s->cells[r].numerator;
    }
    e->value = (double)with / s->count;
    e->low = clopper_low(with, s->count, tail);
    e->high = clopper_high(with, s->count, tail);
    e->method = METHOD_CLOPPER;
}

/* ---- g: when something came to pass ---- */

/* The replications that tell of it. */
static struct sample told_of(struct arena *arena, const struct sample *s)
{
    struct result_cell *cells = arena_array(arena, s->count, struct result_cell);
    struct sample told = {.cells = cells};
    for (uint32_t r = 0; r < s->count; r++)
        if (s->cells[r].denominator)
            cells[told.count++] = s->cells[r];
    return told;
}

static int ascending(const void *left, const void *right)
{
    double a = *(const double *)left, b = *(const double *)right;
    return (a > b) - (a < b);
}

/* The median with the interval of its order statistics: ranks l and R + 1 - l with the largest l
 * for which P(X < l) <= tail, X binomial of R halves. */
static void estimate_median(struct arena *arena, struct estimate *e, const struct sample *s,
                            double tail)
{
    double *values = arena_array(arena, s->count, double);
    uint32_t count = s->count, low = 0;
    for (uint32_t r = 0; r < count; r++) {
        const struct result_cell *c = &s->cells[r];
        values[r] = c->missing ? (double)INFINITY : in_unit(c, (double)c->numerator);
    }
    qsort(values, count, sizeof *values, ascending);
    e->value = values[(count + 1) / 2 - 1];
    while (low < count && binomial_below(low, count, 0.5) <= tail)
        low++;
    if (!low)
        return;
    e->method = METHOD_ORDER;
    e->low = values[low - 1];
    e->high = values[count - low];
}

static void estimate_event(struct arena *arena, struct estimate *e, const struct sample *s,
                           const struct statistic *statistic, struct confidence *confidence)
{
    struct sample told = told_of(arena, s);
    double tail = (1 - confidence->level) / 2;
    uint32_t with = 0;
    for (uint32_t r = 0; r < told.count; r++)
        with += !told.cells[r].missing;
    e->replications = told.count;
    if (!told.count)
        return;
    if (statistic->type == STATISTIC_RUNS_WITH) {
        e->value = (double)with / told.count;
        e->low = clopper_low(with, told.count, tail);
        e->high = clopper_high(with, told.count, tail);
        e->method = METHOD_CLOPPER;
    } else if (statistic->type == STATISTIC_PERCENTILE) {
        estimate_median(arena, e, &told, tail);
    } else if (statistic->type == STATISTIC_MEAN) {
        estimate_quotient(arena, e, &told, confidence);
        if (told.count != s->count)
            e->influence = NULL; /* of other replications than the sample's */
    } else {
        estimate_extreme(e, &told, statistic);
    }
    e->n = with;
    if (with < told.count && statistic->type != STATISTIC_RUNS_WITH)
        e->flags |= FLAG_CENSORED;
}

struct estimate estimate(struct arena *arena, const struct sample *sample,
                         const struct statistic *statistic, struct confidence *confidence)
{
    struct estimate e = {
        .value = NAN,
        .low = NAN,
        .high = NAN,
        .se = NAN,
        .replications = sample->count,
        .method = METHOD_NONE,
    };
    if (!sample->count)
        return e;
    if (sample->cells[0].type == METRIC_EVENT) {
        estimate_event(arena, &e, sample, statistic, confidence);
        return e;
    }
    switch (statistic->type) {
    case STATISTIC_PERCENTILE:
        estimate_quantile(arena, &e, sample, statistic->percentile, confidence);
        break;
    case STATISTIC_MIN:
    case STATISTIC_MAX:
        estimate_extreme(&e, sample, statistic);
        break;
    case STATISTIC_RUNS_WITH:
        estimate_runs_with(&e, sample, (1 - confidence->level) / 2);
        break;
    case STATISTIC_MEAN:
    case STATISTIC_RATE:
    case STATISTIC_RATIO:
    case STATISTIC_TOTAL:
        estimate_quotient(arena, &e, sample, confidence);
        break;
    }
    return e;
}
