#include "output/judge.h"

#include "engine/kernel/check.h"
#include "output/number.h"
#include "output/student.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* One side of one comparison, as it was seen at its point. */
struct side {
    bool seen;
    bool empty;               /* there was no such time: of a phase */
    struct estimate estimate; /* at report->confidence */
    const double *values;     /* by replication */
    const uint32_t *replications;
    uint32_t count;
    const char *unit;
};

/* One comparison of one expectation. */
struct trial {
    uint32_t expectation;
    const struct expect_case *at;
    struct side left, right;
};

/* A side that waits for a sample. */
struct wanted {
    uint32_t point, order;
    const struct expect_term *term;
    struct side *side;
};

struct judge {
    struct arena *arena;
    const struct report *report;
    struct confidence confidence;
    struct trial *trials;
    uint32_t trial_count;
    struct wanted *wanted; /* by point */
    uint32_t wanted_count;
    uint32_t *first; /* [point_count + 1]: where a point's begin */
};

static int by_point(const void *left, const void *right)
{
    const struct wanted *a = left, *b = right;
    if (a->point != b->point)
        return a->point < b->point ? -1 : 1;
    return a->order < b->order ? -1 : a->order > b->order;
}

static void want(struct judge *j, uint32_t point, const struct expect_term *term, struct side *side)
{
    if (!term->is_metric)
        return;
    j->wanted[j->wanted_count] = (struct wanted){point, j->wanted_count, term, side};
    j->wanted_count++;
}

struct judge *judge_begin(struct arena *arena, const struct report *report)
{
    struct judge *j = arena_new(arena, struct judge);
    uint32_t trials = 0;
    for (uint32_t e = 0; e < report->expectation_count; e++)
        trials += report->expectations[e].skipped ? 0 : report->expectations[e].case_count;
    *j = (struct judge){
        .arena = arena,
        .report = report,
        .confidence = {.level = report->confidence},
        .trials = arena_array(arena, trials, struct trial),
        .wanted = arena_array(arena, 2 * (size_t)trials, struct wanted),
        .first = arena_array(arena, (size_t)report->point_count + 1, uint32_t),
    };
    for (uint32_t e = 0; e < report->expectation_count; e++) {
        const struct expectation *x = &report->expectations[e];
        for (uint32_t c = 0; c < x->case_count && !x->skipped; c++) {
            struct trial *t = &j->trials[j->trial_count++];
            t->expectation = e;
            t->at = &x->cases[c];
            want(j, t->at->left_point, &x->left, &t->left);
            want(j, t->at->right_point, &x->right, &t->right);
        }
    }
    if (j->wanted_count)
        qsort(j->wanted, j->wanted_count, sizeof *j->wanted, by_point);
    for (uint32_t p = 0, i = 0; p <= report->point_count; p++) {
        while (i < j->wanted_count && j->wanted[i].point < p)
            i++;
        j->first[p] = i;
    }
    return j;
}

static bool names_node(const char *text, const char *node, bool single)
{
    size_t length = strlen(node);
    return !strncmp(text, node, length) &&
           (!text[length] || (single && !strcmp(text + length, ".1")));
}

void judge_see(struct judge *j, const struct judge_label *label, const struct sample *sample)
{
    const struct result_cell *cell = &sample->cells[0];
    for (uint32_t i = j->first[label->point]; i < j->first[label->point + 1]; i++) {
        const struct expect_term *term = j->wanted[i].term;
        struct side *side = j->wanted[i].side;
        struct statistic statistic;
        if (term->window != label->window || strcmp(term->metric, cell->name) ||
            !names_node(term->node, label->node, label->single) ||
            strcmp(term->operation, label->operation) ||
            !statistic_find(j->report, cell->type, term->statistic, &statistic))
            continue;
        double *values = arena_array(j->arena, sample->count, double);
        uint32_t *replications = arena_array(j->arena, sample->count, uint32_t);
        for (uint32_t r = 0; r < sample->count; r++) {
            values[r] = estimate_single(&sample->cells[r], &statistic);
            replications[r] = sample->replications[r];
        }
        *side = (struct side){
            .seen = true,
            .empty = label->empty,
            .estimate = estimate(j->arena, sample, &statistic, &j->confidence),
            .values = values,
            .replications = replications,
            .count = sample->count,
            .unit = arena_text(j->arena, cell->unit, strlen(cell->unit)),
        };
    }
}

/* ---- judging ---- */

/* What is compared with a constant: a value and its interval, in the unit of the terms. */
struct measure {
    double value, low, high, se;
    uint32_t replications;
    enum way { WAY_APART, WAY_PAIRED, WAY_WELCH } way; /* of a difference: how it was made */
};

static struct measure scaled(const struct side *side, double factor)
{
    const struct estimate *e = &side->estimate;
    double a = e->low * factor, b = e->high * factor;
    return (struct measure){
        .value = e->value * factor,
        .low = factor < 0 ? b : a,
        .high = factor < 0 ? a : b,
        .se = e->se * fabs(factor),
        .replications = e->replications,
    };
}

/* Whether a side tells an error that may be added to another's. */
static bool has_error(const struct side *side)
{
    const struct estimate *e = &side->estimate;
    return e->influence && !isnan(e->se) && e->method != METHOD_RARE && side->count >= 2;
}

static bool same_replications(const struct side *a, const struct side *b)
{
    return a->count == b->count &&
           !memcmp(a->replications, b->replications, a->count * sizeof *a->replications);
}

/* What every replication adds to the difference, as it adds to both sides. */
static double paired_error(const struct expectation *x, const struct trial *t)
{
    double sum = 0, count = t->left.count;
    for (uint32_t r = 0; r < t->left.count; r++) {
        double d = t->left.estimate.influence[r] * x->left.factor -
                   t->right.estimate.influence[r] * x->right.factor;
        sum += d * d;
    }
    return sqrt(sum / (count * (count - 1)));
}

/* Degrees of freedom of a sum of two mean errors (Welch, 1947; Satterthwaite, 1946), rounded down;
 * 0 where neither has an error. */
static uint32_t welch_freedom(const struct measure *a, const struct measure *b)
{
    double left = a->se * a->se, right = b->se * b->se;
    double parts = left * left / (a->replications - 1) + right * right / (b->replications - 1);
    return parts > 0 ? (uint32_t)((left + right) * (left + right) / parts) : 0;
}

/* left - right: paired where both sides have the same replications, by Welch where they have
 * others, and where a side has no error of its own the two intervals. */
static struct measure difference(struct judge *j, const struct expectation *x,
                                 const struct trial *t)
{
    struct measure a = scaled(&t->left, x->left.factor), b = scaled(&t->right, x->right.factor);
    struct measure m = {.value = a.value - b.value,
                        .low = a.low - b.high,
                        .high = a.high - b.low,
                        .se = NAN,
                        .replications = a.replications,
                        .way = WAY_APART};
    if (!has_error(&t->left) || !has_error(&t->right))
        return m;
    if (same_replications(&t->left, &t->right)) {
        m.way = WAY_PAIRED;
        m.se = paired_error(x, t);
    } else if (welch_freedom(&a, &b)) {
        m.way = WAY_WELCH;
        m.se = sqrt(a.se * a.se + b.se * b.se);
        m.replications = welch_freedom(&a, &b) + 1;
    } else {
        return m;
    }
    double half = confidence_t(&j->confidence, m.replications) * m.se;
    m.low = m.value - half;
    m.high = m.value + half;
    return m;
}

static const char *way_text(struct arena *arena, const struct measure *m)
{
    switch (m->way) {
    case WAY_PAIRED:
        return arena_format(arena, "paired by %u replications", m->replications);
    case WAY_WELCH:
        return arena_format(arena,
                            "not paired, as they have other replications (Welch, %u degrees)",
                            m->replications - 1);
    case WAY_APART:
        break;
    }
    return "the two intervals compared";
}

static enum verdict_result decide(bool holds, bool fails)
{
    return holds ? VERDICT_HOLDS : fails ? VERDICT_FAILS : VERDICT_UNDECIDED;
}

/* A comparison with a NaN is false, so a bound that is NaN decides nothing. */
static enum verdict_result compare(const struct expectation *x, const struct measure *m,
                                   double bound)
{
    switch (x->comparison) {
    case COMPARE_LESS:
        return decide(m->high < bound, m->low >= bound);
    case COMPARE_LESS_EQUAL:
        return decide(m->high <= bound, m->low > bound);
    case COMPARE_GREATER:
        return decide(m->low > bound, m->high <= bound);
    case COMPARE_GREATER_EQUAL:
        return decide(m->low >= bound, m->high < bound);
    case COMPARE_NEAR:
        return decide(m->low >= bound - x->margin && m->high <= bound + x->margin,
                      m->low > bound + x->margin || m->high < bound - x->margin);
    case COMPARE_EQUAL:
    case COMPARE_NOT_EQUAL:
        break;
    }
    return VERDICT_UNDECIDED;
}

/* The two-sided probability of a distance like this from the border of what is expected. */
static double p_value(const struct expectation *x, const struct measure *m, double bound)
{
    double distance = fabs(m->value - bound);
    if (x->comparison == COMPARE_NEAR)
        distance = fabs(distance - x->margin);
    if (isnan(m->se) || isnan(distance) || m->replications < 2)
        return NAN;
    if (m->se <= 0)
        return distance > 0 ? 0 : NAN; /* exact and on the border: no chance is left to adjust */
    return 1 - student_inside(distance / m->se, m->replications - 1);
}

static const char *people(struct arena *arena, double value, const char *unit)
{
    char text[NUMBER_ROOM];
    if (isinf(value))
        return "never";
    number_for_people(text, value);
    bool plain = !strcmp(unit, "1") || !*unit;
    return arena_format(arena, "%s%s%s", text, plain ? "" : " ", plain ? "" : unit);
}

static void judge_interval(struct judge *j, const struct expectation *x, const struct trial *t,
                           struct verdict *v)
{
    bool swap = !x->left.is_metric; /* a constant on the left: 0 - the difference keeps its sense */
    struct measure m;
    double bound = 0;
    const char *unit = swap ? t->right.unit : t->left.unit;
    if (x->left.is_metric && x->right.is_metric) {
        m = difference(j, x, t);
    } else if (!swap) {
        m = scaled(&t->left, x->left.factor);
        bound = x->right.constant;
    } else {
        m = scaled(&t->right, -x->right.factor);
        bound = -x->left.constant;
    }
    v->result = compare(x, &m, bound);
    v->p_value = p_value(x, &m, bound);
    double sign = swap ? -1 : 1, low = swap ? -m.high : m.low, high = swap ? -m.low : m.high;
    struct arena *a = j->arena;
    char level[NUMBER_ROOM];
    number_general(level, 100 * j->report->confidence);
    const char *interval = arena_format(a, "%s %% interval %s .. %s", level, people(a, low, ""),
                                        people(a, high, unit));
    if (isnan(low) && isnan(high))
        interval = "no interval";
    if (isnan(m.value))
        v->sentence = "no value: nothing was observed, or some of it never ended";
    else if (x->left.is_metric && x->right.is_metric)
        v->sentence = arena_format(a, "%s against %s: difference %s, %s, %s",
                                   people(a, t->left.estimate.value, unit),
                                   people(a, t->right.estimate.value, unit),
                                   people(a, m.value, unit), interval, way_text(a, &m));
    else
        v->sentence = arena_format(a, "%s, %s, against %s", people(a, sign * m.value, unit),
                                   interval, people(a, sign * bound, unit));
}

/* The value a replication has on a side; a constant has it in every one. */
static double value_of(const struct expect_term *term, const struct side *side, uint32_t r)
{
    return term->is_metric ? term->factor * side->values[r] : term->constant;
}

static void judge_invariant(struct judge *j, const struct expectation *x, const struct trial *t,
                            struct verdict *v)
{
    const struct side *side = x->left.is_metric ? &t->left : &t->right;
    bool both = x->left.is_metric && x->right.is_metric, matched = true;
    if (both)
        matched = t->left.count == t->right.count &&
                  !memcmp(t->left.replications, t->right.replications,
                          t->left.count * sizeof *t->left.replications);
    uint32_t kept = 0, broken = 0, first = 0;
    for (uint32_t r = 0; matched && r < side->count; r++) {
        double left = value_of(&x->left, &t->left, r), right = value_of(&x->right, &t->right, r);
        if (isnan(left) || isnan(right))
            continue;
        if ((left == right) == (x->comparison == COMPARE_EQUAL)) {
            kept++;
        } else {
            first = broken++ ? first : r;
        }
    }
    v->result = broken ? VERDICT_FAILS : kept ? VERDICT_HOLDS : VERDICT_UNDECIDED;
    struct arena *a = j->arena;
    if (broken) {
        v->sentence = arena_format(
            a, "broken in %u of %u runs, first in replication %u (seed %llu): %s", broken,
            broken + kept, side->replications[first], (unsigned long long)j->report->seed,
            people(a, value_of(x->left.is_metric ? &x->left : &x->right, side, first), side->unit));
    } else if (kept) {
        double rarer = 100 * clopper_high(0, kept, 1 - j->report->confidence);
        char text[NUMBER_ROOM];
        v->sentence = arena_format(a, "in %u of %u runs (a run that breaks it is rarer than %s %%)",
                                   kept, kept, number_fixed(text, rarer, 1));
    } else {
        v->sentence = "no run has a value to compare";
    }
}

static void judge_trial(struct judge *j, const struct trial *t, struct verdict *v)
{
    const struct expectation *x = &j->report->expectations[t->expectation];
    *v = (struct verdict){
        .expectation = t->expectation,
        .left_point = t->at->left_point,
        .right_point = t->at->right_point,
        .result = VERDICT_UNDECIDED,
        .p_value = NAN,
    };
    if ((x->left.is_metric && !t->left.seen) || (x->right.is_metric && !t->right.seen))
        v->sentence = "no data: nothing of this was recorded";
    else if (t->left.empty || t->right.empty)
        v->sentence = "no such time: in no run does the phase lie in what is measured";
    else if (x->comparison == COMPARE_EQUAL || x->comparison == COMPARE_NOT_EQUAL)
        judge_invariant(j, x, t, v);
    else
        judge_interval(j, x, t, v);
    v->adjusted = v->result;
}

/* Holm (1979): the k-th smallest of m p-values (from 0) must lie below alpha/(m-k); from the first
 * that does not, all are undecided. Verdicts without a p-value (invariants) stand as they are. */
struct ranked {
    double p;
    uint32_t index;
};
static int by_p(const void *left, const void *right)
{
    const struct ranked *a = left, *b = right;
    if (a->p != b->p)
        return a->p < b->p ? -1 : 1;
    return a->index < b->index ? -1 : a->index > b->index;
}

static void adjust(struct judge *j, struct verdict *verdicts, uint32_t count)
{
    struct ranked *list = arena_array(j->arena, count, struct ranked);
    uint32_t m = 0;
    for (uint32_t i = 0; i < count; i++)
        if (!isnan(verdicts[i].p_value))
            list[m++] = (struct ranked){verdicts[i].p_value, i};
    if (m)
        qsort(list, m, sizeof *list, by_p);
    bool rejected = true;
    for (uint32_t k = 0; k < m; k++) {
        rejected = rejected && list[k].p <= (1 - j->report->confidence) / (m - k);
        if (!rejected)
            verdicts[list[k].index].adjusted = VERDICT_UNDECIDED;
    }
}

void judge_end(struct judge *j, struct outcome *outcome)
{
    struct verdict *verdicts = arena_array(j->arena, j->trial_count, struct verdict);
    for (uint32_t i = 0; i < j->trial_count; i++) {
        judge_trial(j, &j->trials[i], &verdicts[i]);
        outcome->holds += verdicts[i].result == VERDICT_HOLDS;
        outcome->fails += verdicts[i].result == VERDICT_FAILS;
        outcome->undecided += verdicts[i].result == VERDICT_UNDECIDED;
    }
    adjust(j, verdicts, j->trial_count);
    outcome->verdicts = verdicts;
    outcome->verdict_count = j->trial_count;
}
