#include "tests/validation/judge.h"

#include "output/estimate.h"
#include "output/student.h"

#include <math.h>
#include <string.h>

static double scale_of(const struct row *row)
{
    return row->expected != 0 ? fabs(row->expected) : 1;
}

static double tolerance_of(const struct row *row)
{
    return row->type == RELATIVE ? row->tolerance * fabs(row->expected) : row->tolerance;
}

/* ---- estimates ---- */

/* Of a ratio and the count it is made of, under one name, these statistics are the count's. */
static bool of_count(const char *statistic)
{
    return !strcmp(statistic, "total") || !strcmp(statistic, "runs_with");
}

static struct estimate of_cells(struct arena *arena, const struct row *row, const struct played *p,
                                struct confidence *confidence)
{
    struct result_cell *cells = arena_array(arena, p->replications, struct result_cell);
    uint32_t *numbers = arena_array(arena, p->replications, uint32_t), count = 0;
    struct estimate none = {.value = (double)NAN, .low = (double)NAN, .high = (double)NAN};
    struct statistic statistic;
    for (uint32_t r = 0; r < p->replications; r++) {
        const struct result_cell *c =
            of_count(row->statistic)
                ? played_count(p->results[r], row->node, row->operation, row->metric)
                : played_cell(p->results[r], row->node, row->operation, row->metric);
        if (c) {
            cells[count] = *c;
            numbers[count++] = r + 1;
        }
    }
    if (!count || !statistic_find(p->report, cells[0].type, row->statistic, &statistic))
        return none;
    struct sample sample = sample_of(arena, cells, numbers, count);
    return estimate(arena, &sample, &statistic, confidence);
}

/* Of the family's own quotients: the quotient of the sums, as for every mean. */
static struct estimate of_quotients(const struct played *p, uint32_t index,
                                    struct confidence *confidence)
{
    double numerator = 0, denominator = 0, sum = 0, count = p->replications;
    for (uint32_t r = 0; r < p->replications; r++) {
        numerator += p->own[r * ROWS_MAX + index].numerator;
        denominator += p->own[r * ROWS_MAX + index].denominator;
    }
    struct estimate e = {.value = numerator / denominator,
                         .low = (double)NAN,
                         .high = (double)NAN,
                         .se = (double)NAN};
    for (uint32_t r = 0; r < p->replications; r++) {
        struct quotient q = p->own[r * ROWS_MAX + index];
        double d = (q.numerator - e.value * q.denominator) / (denominator / count);
        sum += d * d;
    }
    if (p->replications > 1) {
        double t = confidence_t(confidence, p->replications);
        e.se = sqrt(sum / (count * (count - 1)));
        e.low = e.value - t * e.se;
        e.high = e.value + t * e.se;
    }
    return e;
}

/* ---- verdicts ---- */

static void judge_direct(struct judged *j, const struct row *row)
{
    j->allowance = tolerance_of(row);
    /* The expected values are printed decimals: a hair for their last digit's rounding. */
    j->passed = fabs(j->value - row->expected) <= j->allowance + 1e-12 * fabs(row->expected);
    if (!j->passed)
        snprintf(j->reason, sizeof j->reason, "FAILED: not within its tolerance");
}

static void judge_frozen(struct judged *j, const struct row *row, bool trial)
{
    j->frozen_se = row->sigma * scale_of(row) / sqrt(j->requests);
    j->allowance = 4 * j->frozen_se;
    double off = fabs(j->value - row->expected), ratio = j->se / j->frozen_se;
    if (!(off <= j->allowance))
        snprintf(j->reason, sizeof j->reason, "FAILED: off by %.1f standard errors",
                 off / j->frozen_se);
    else if (!trial && !(j->allowance <= tolerance_of(row) * (1 + 1e-9)))
        snprintf(j->reason, sizeof j->reason, "FAILED: too short, allowance is %.2f tolerances",
                 j->allowance / tolerance_of(row));
    else if (!(ratio >= 0.45 && ratio <= 1.75))
        snprintf(j->reason, sizeof j->reason, "FAILED: its error is %.2f of the frozen one", ratio);
    else
        j->passed = true;
}

struct judged judge_row(const struct family *family, uint32_t index, const struct played *played,
                        bool trial)
{
    const struct row *row = &family->rows[index];
    struct confidence confidence = {.level = 0.95};
    struct arena arena = {0};
    struct estimate e = row->metric ? of_cells(&arena, row, played, &confidence)
                                    : of_quotients(played, index, &confidence);
    struct judged j = {.value = e.value,
                       .low = e.low,
                       .high = e.high,
                       .se = e.se,
                       .requests = played->requests,
                       .events = played->events};
    if (row->sigma > 0)
        judge_frozen(&j, row, trial);
    else
        judge_direct(&j, row);
    arena_free(&arena);
    return j;
}

struct judged judge_value(const struct row *row, double value)
{
    struct judged j = {.value = value, .low = (double)NAN, .high = (double)NAN, .se = (double)NAN};
    judge_direct(&j, row);
    return j;
}

double little_gap(const struct played *p)
{
    const struct result *first = p->results[0];
    double worst = 0;
    for (uint32_t i = 0; i < first->cell_count; i++) {
        const struct result_cell *c = &first->cells[i];
        const char *node = first->nodes[c->key.node].name;
        if (c->key.window || c->key.instance || c->key.operation || strcmp(c->name, "inside"))
            continue;
        double inside = 0, stays = 0, turned_away = 0;
        for (uint32_t r = 0; r < p->replications; r++) {
            const struct result_cell *errors = played_cell(p->results[r], node, NULL, "errors");
            inside += (double)played_cell(p->results[r], node, NULL, "inside")->numerator;
            stays += (double)played_cell(p->results[r], node, NULL, "latency")->numerator;
            turned_away += errors ? (double)errors->numerator : 0;
        }
        if (inside > 0 && turned_away == 0 && fabs(inside - stays) > worst * inside)
            worst = fabs(inside - stays) / inside;
    }
    return worst;
}

bool is_wide(const struct row *row, const struct judged *j)
{
    return row->sigma > 0 && !strcmp(row->statistic, "mean") && row->expected != 0 &&
           j->allowance > 0.01 * fabs(row->expected);
}

/* ---- the table ---- */

void table_head(FILE *out)
{
    fputs("| case | what | expected | measured | 95 % interval | allowance | verdict | requests | "
          "error |\n|---|---|---|---|---|---|---|---|---|\n",
          out);
}

void table_row(FILE *out, const struct row *row, const struct judged *j)
{
    fprintf(out, "| %s | %s | %.7g | %.6g | ", row->id, row->what, row->expected, j->value);
    if (isnan(j->low) && isnan(j->high))
        fputs("- | ", out);
    else
        fprintf(out, "%.6g .. %.6g | ", j->low, j->high);
    if (row->expected != 0)
        fprintf(out, "%.2g %% | ", 100 * j->allowance / fabs(row->expected));
    else
        fprintf(out, "%.2g | ", j->allowance);
    fprintf(out, "%s | ", j->passed ? "passed" : j->reason);
    if (j->requests > 0)
        fprintf(out, "%.2g | ", j->requests);
    else
        fputs("- | ", out);
    if (j->frozen_se > 0)
        fprintf(out, "%.2g of %.2g |\n", j->se, j->frozen_se);
    else
        fputs("- |\n", out);
}
