/* The answer on a screen, in 100 columns of UTF-8. Every number stands with half the width of its
 * 95 % interval; latency never stands without errors beside it. */
#include "output/number.h"
#include "output/output.h"

#include <math.h>
#include <string.h>

enum { NAME_WIDTH = 16, CELL_WIDTH = 14, TEXT_ROOM = 512, PARAMETER_WIDTH = 24 };

static const char bold[] = "\033[1m", dim[] = "\033[2m", green[] = "\033[32m", red[] = "\033[1;31m",
                  yellow[] = "\033[33m", plain[] = "\033[0m";

struct screen {
    FILE *out;
    const struct report *report;
    const struct outcome *outcome;
    bool colour;
    const uint32_t *first; /* [points + 1]: the first row of each point, which stand in order */
};

static void paint(const struct screen *s, const char *colour)
{
    if (s->colour)
        fputs(colour, s->out);
}

/* Columns a text takes: bytes that do not continue a UTF-8 character. */
static int width_of(const char *text)
{
    int width = 0;
    for (; *text; text++)
        width += ((unsigned char)*text & 0xC0) != 0x80;
    return width;
}

/* A text in `width` columns: cut with an ellipsis where it is longer. */
static void put_left(const struct screen *s, const char *text, int width)
{
    int used = 0, all = width_of(text);
    for (; *text && (all < width || used < width - 2); used++) {
        do
            fputc(*text++, s->out);
        while (((unsigned char)*text & 0xC0) == 0x80);
    }
    if (all >= width)
        fputs("…", s->out), used++;
    fprintf(s->out, "%*s", width - used, "");
}

static void put_right(const struct screen *s, const char *text, int width)
{
    int pad = width - width_of(text);
    fprintf(s->out, "%*s%s", pad > 1 ? pad : 1, "", text);
}

/* ---- numbers ---- */

/* Decimals at which a half width shows two digits. */
static int decimals_for(double half)
{
    int decimals = 0;
    for (double step = 10; half < step && decimals < 6; step /= 10)
        decimals++;
    return decimals;
}

static const struct outcome_row *find(const struct screen *s, uint32_t point, const char *node,
                                      const char *metric, const char *statistic)
{
    for (uint32_t i = s->first[point]; i < s->first[point + 1]; i++) {
        const struct outcome_row *row = &s->outcome->rows[i];
        if (!strcmp(row->node, node) && !strcmp(row->metric, metric) &&
            !strcmp(row->statistic, statistic))
            return row;
    }
    return NULL;
}

/* "12.35 ±0.12", in hundredths where `percent`; a dash where there is no number. */
static const char *figure(char text[TEXT_ROOM], const struct outcome_row *row, bool percent)
{
    if (!row || isnan(row->estimate))
        return "–";
    char value[NUMBER_ROOM], half[NUMBER_ROOM];
    double scale = percent ? 100 : 1;
    double up = row->high - row->estimate, down = row->estimate - row->low;
    double width = (up > down || isnan(down) ? up : down) * scale;
    if (isnan(up) || isnan(down)) {
        snprintf(text, TEXT_ROOM, "%.100s", number_for_people(value, row->estimate * scale));
    } else if (up > 3 * down && !(row->low > 0)) {
        /* Rare events: half a width would suggest a symmetry that is not there. */
        snprintf(text, TEXT_ROOM, "%.100s (<%.100s)", number_short(value, row->estimate * scale, 2),
                 number_short(half, row->high * scale, 2));
    } else {
        int decimals = width > 0 ? decimals_for(width) : 0;
        if (width > 0)
            number_fixed(value, row->estimate * scale, decimals);
        else
            number_for_people(value, row->estimate * scale);
        snprintf(text, TEXT_ROOM, "%.100s ±%.100s", value, number_fixed(half, width, decimals));
    }
    return text;
}

struct column {
    const char *title, *metric, *statistic;
    bool percent;
};

static const struct column client_columns[] = {
    {"throughput /s", "throughput", "rate", false},
    {"errors %", "errors", "ratio", true},
    {"latency ms", "latency", "mean", false},
    {"p50 ms", "latency", "p50", false},
    {"p99 ms", "latency", "p99", false},
};
static const struct column node_columns[] = {
    {"used %", "utilization", "mean", true}, {"queue", "queue_length", "mean", false},
    {"wait ms", "wait", "mean", false},      {"service ms", "service", "mean", false},
    {"p99 ms", "latency", "p99", false},     {"errors %", "errors", "ratio", true},
};
enum {
    CLIENT_COLUMNS = sizeof client_columns / sizeof *client_columns,
    NODE_COLUMNS = sizeof node_columns / sizeof *node_columns,
};

static void put_titles(const struct screen *s, const char *first, const struct column *columns,
                       uint32_t count)
{
    paint(s, bold);
    put_left(s, first, NAME_WIDTH);
    for (uint32_t i = 0; i < count; i++)
        put_right(s, columns[i].title, CELL_WIDTH);
    paint(s, plain);
    fputc('\n', s->out);
}

static void put_figures(const struct screen *s, uint32_t point, const char *node,
                        const struct column *columns, uint32_t count)
{
    char text[TEXT_ROOM];
    for (uint32_t i = 0; i < count; i++) {
        const struct outcome_row *row =
            find(s, point, node, columns[i].metric, columns[i].statistic);
        put_right(s, figure(text, row, columns[i].percent), CELL_WIDTH);
    }
}

/* A client is who offers operations. */
static bool is_client(const struct screen *s, uint32_t point, const char *node)
{
    return find(s, point, node, "offered", "rate") != NULL;
}

static bool is_fault(const struct screen *s, uint32_t point, const char *node)
{
    return find(s, point, node, "recovery_time", "p50") != NULL;
}

/* The next node of a point, from its row `*at` on, in order of the summary; NULL at the end. */
static const char *next_node(const struct screen *s, uint32_t point, uint32_t *at, bool client)
{
    const struct outcome_row *rows = s->outcome->rows + s->first[point];
    uint32_t count = s->first[point + 1] - s->first[point];
    for (; *at < count; (*at)++) {
        bool begins = !*at || strcmp(rows[*at - 1].node, rows[*at].node);
        if (begins && is_client(s, point, rows[*at].node) == client &&
            !is_fault(s, point, rows[*at].node))
            return rows[(*at)++].node;
    }
    return NULL;
}

/* Whether there is a number in a row: a design may diverge before the warm-up is over. */
static bool measured(const struct screen *s, uint32_t point, const char *node,
                     const struct column *columns, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        const struct outcome_row *row =
            find(s, point, node, columns[i].metric, columns[i].statistic);
        if (row && !isnan(row->estimate))
            return true;
    }
    return false;
}

static void put_nodes(const struct screen *s, bool client)
{
    const struct column *columns = client ? client_columns : node_columns;
    uint32_t count = client ? CLIENT_COLUMNS : NODE_COLUMNS, at = 0;
    const char *node;
    bool any = false;
    while ((node = next_node(s, 0, &at, client))) {
        if (s->outcome->diverged && !measured(s, 0, node, columns, count))
            continue;
        if (!any)
            put_titles(s, client ? "client" : "node", columns, count);
        any = true;
        put_left(s, node, NAME_WIDTH);
        put_figures(s, 0, node, columns, count);
        fputc('\n', s->out);
    }
    if (any)
        fputc('\n', s->out);
    else if (client && s->outcome->diverged)
        fputs("Nothing was measured: no run came to the end of its warm-up.\n\n", s->out);
}

/* ---- faults ---- */

static const char *fault_when(char text[TEXT_ROOM], const struct outcome_fault *f)
{
    char begin[NUMBER_ROOM], end[NUMBER_ROOM];
    if (!f->strikes)
        return f->vary ? "not in run 1" : "never";
    int length =
        snprintf(text, TEXT_ROOM, "%.40s–%.40s s", number_short(begin, (double)f->begin / 1e9, 5),
                 number_short(end, (double)f->end / 1e9, 5));
    if (f->strikes > 1)
        snprintf(text + length, (size_t)(TEXT_ROOM - length), " .. (%u)", f->strikes);
    return text;
}

/* Seconds of a duration; for a recovery also in how many replications it came. */
static const char *fault_seconds(char text[TEXT_ROOM], const struct outcome_row *row,
                                 const struct outcome_row *share)
{
    char number[NUMBER_ROOM];
    if (!row || (isnan(row->estimate) && !isinf(row->estimate)))
        return "–";
    int length = isinf(row->estimate) ? snprintf(text, TEXT_ROOM, "never")
                                      : snprintf(text, TEXT_ROOM, "%.40s",
                                                 number_short(number, row->estimate / 1e3, 3));
    if (share && share->estimate < 1)
        snprintf(text + length, (size_t)(TEXT_ROOM - length), " (%.20s %% did)",
                 number_short(number, 100 * share->estimate, 3));
    return text;
}

/* A line for each: when (in the first replication), what, and what clients felt of it. */
static void put_faults(const struct screen *s)
{
    enum { WHEN = 20, WHAT = 22, SECONDS = 16 };
    const struct outcome *o = s->outcome;
    char text[TEXT_ROOM], what[TEXT_ROOM];
    bool vary = false;
    if (!o->fault_count)
        return;
    paint(s, bold);
    put_left(s, "fault", NAME_WIDTH - 2);
    put_left(s, "when", WHEN);
    put_left(s, "what", WHAT);
    put_right(s, "errors %", CELL_WIDTH);
    put_right(s, "unavailable s", CELL_WIDTH);
    put_right(s, "recovered after s", SECONDS + 2);
    paint(s, plain);
    fputc('\n', s->out);
    for (uint32_t i = 0; i < o->fault_count; i++) {
        const struct outcome_fault *f = &o->faults[i];
        vary = vary || f->vary;
        put_left(s, f->name, NAME_WIDTH - 2);
        put_left(s, fault_when(text, f), WHEN);
        snprintf(what, sizeof what, "%.100s %.200s %.100s", f->action, f->target, f->amount);
        put_left(s, what, WHAT);
        put_right(s, figure(text, find(s, 0, f->name, "errors", "ratio"), true), CELL_WIDTH);
        put_right(s, fault_seconds(text, find(s, 0, f->name, "unavailable_time", "total"), NULL),
                  CELL_WIDTH);
        put_right(s,
                  fault_seconds(text, find(s, 0, f->name, "recovery_time", "p50"),
                                find(s, 0, f->name, "recovery_time", "runs_with")),
                  SECONDS + 2);
        fputc('\n', s->out);
    }
    if (vary)
        fputs("when and what as in the first run; others were struck otherwise (faults.csv)\n",
              s->out);
    fputc('\n', s->out);
}

/* ---- sweeps ---- */

static int parameter_width(const struct report *report, uint32_t parameter)
{
    int width = width_of(report->parameters[parameter]);
    for (uint32_t p = 0; p < report->point_count; p++) {
        int own = width_of(report->points[p].values[parameter]);
        width = own > width ? own : width;
    }
    return (width < PARAMETER_WIDTH - 2 ? width : PARAMETER_WIDTH - 2) + 2;
}

/* "web 87 %": the node that works hardest. */
static const char *busiest(const struct screen *s, uint32_t point, char text[TEXT_ROOM])
{
    const struct outcome_row *most = NULL;
    for (uint32_t i = s->first[point]; i < s->first[point + 1]; i++) {
        const struct outcome_row *row = &s->outcome->rows[i];
        if (!strcmp(row->metric, "utilization") && !(most && !(row->estimate > most->estimate)) &&
            !isnan(row->estimate))
            most = row;
    }
    char number[NUMBER_ROOM];
    if (!most)
        return "–";
    snprintf(text, TEXT_ROOM, "%.100s %.20s %%", most->node,
             number_fixed(number, most->estimate * 100, 1));
    return text;
}

static void put_sweep(const struct screen *s, const char *client)
{
    const struct report *report = s->report;
    char text[TEXT_ROOM];
    paint(s, bold);
    fprintf(s->out, "%s\n%5s  ", client, "point");
    for (uint32_t i = 0; i < report->parameter_count; i++)
        put_left(s, report->parameters[i], parameter_width(report, i));
    for (uint32_t i = 0; i < CLIENT_COLUMNS; i++)
        put_right(s, client_columns[i].title, CELL_WIDTH);
    put_right(s, "busiest", CELL_WIDTH + 4);
    paint(s, plain);
    fputc('\n', s->out);
    for (uint32_t p = 0; p < report->point_count; p++) {
        fprintf(s->out, "%5u  ", p + 1);
        for (uint32_t i = 0; i < report->parameter_count; i++)
            put_left(s, report->points[p].values[i], parameter_width(report, i));
        put_figures(s, p, client, client_columns, CLIENT_COLUMNS);
        put_right(s, busiest(s, p, text), CELL_WIDTH + 4);
        fputc('\n', s->out);
    }
    fputc('\n', s->out);
}

/* A table for each client, in order of the first point it is at: points may have other nodes. */
static void put_clients(const struct screen *s)
{
    for (uint32_t p = 0; p < s->report->point_count; p++) {
        const char *client;
        uint32_t at = 0;
        while ((client = next_node(s, p, &at, true))) {
            bool seen = false;
            for (uint32_t before = 0; before < p && !seen; before++)
                seen = is_client(s, before, client);
            if (!seen)
                put_sweep(s, client);
        }
    }
}

/* ---- expectations ---- */

static void put_result(const struct screen *s, enum verdict_result result)
{
    static const char *const words[] = {"✓ holds", "✗ FAILS", "? undecided"};
    const char *const colours[] = {green, red, yellow};
    paint(s, colours[result]);
    put_left(s, words[result], 13);
    paint(s, plain);
}

static void put_point(const struct screen *s, uint32_t point)
{
    for (uint32_t i = 0; i < s->report->parameter_count; i++)
        fprintf(s->out, "%s%s=%s", i ? ", " : "", s->report->parameters[i],
                s->report->points[point].values[i]);
}

static void put_sentence(const struct screen *s, const struct verdict *v, bool where)
{
    paint(s, dim);
    fputs("             ", s->out);
    if (where) {
        fprintf(s->out, "point %u (", v->left_point + 1);
        put_point(s, v->left_point);
        fputs("): ", s->out);
    }
    fprintf(s->out, "%s\n", v->sentence);
    paint(s, plain);
}

/* One expectation: its worst result, the numbers of a single comparison or of every one that does
 * not hold. */
static void put_expectation(const struct screen *s, uint32_t expectation)
{
    enum { TOLD = 5 };
    const struct verdict *verdicts = s->outcome->verdicts;
    uint32_t counts[3] = {0}, told = 0, all = 0;
    for (uint32_t i = 0; i < s->outcome->verdict_count; i++)
        counts[verdicts[i].result] += verdicts[i].expectation == expectation;
    all = counts[0] + counts[1] + counts[2];
    if (!all)
        return;
    put_result(s, counts[VERDICT_FAILS]       ? VERDICT_FAILS
                  : counts[VERDICT_UNDECIDED] ? VERDICT_UNDECIDED
                                              : VERDICT_HOLDS);
    fprintf(s->out, "%s", s->report->expectations[expectation].text);
    if (all > 1)
        fprintf(s->out, "   (of %u: %u hold, %u fail, %u undecided)", all, counts[VERDICT_HOLDS],
                counts[VERDICT_FAILS], counts[VERDICT_UNDECIDED]);
    fputc('\n', s->out);
    for (uint32_t i = 0; i < s->outcome->verdict_count && told < TOLD; i++) {
        if (verdicts[i].expectation != expectation ||
            (all > 1 && verdicts[i].result == VERDICT_HOLDS))
            continue;
        put_sentence(s, &verdicts[i], s->report->point_count > 1);
        told++;
    }
}

static void put_expectations(const struct screen *s)
{
    const struct outcome *o = s->outcome;
    if (!o->verdict_count)
        return;
    paint(s, bold);
    fputs("expected\n", s->out);
    paint(s, plain);
    for (uint32_t e = 0; e < s->report->expectation_count; e++)
        put_expectation(s, e);
    if (o->verdict_count > 1) {
        uint32_t counts[3] = {0};
        for (uint32_t i = 0; i < o->verdict_count; i++)
            counts[o->verdicts[i].adjusted]++;
        fprintf(s->out,
                "%u comparisons; adjusted for their number (Holm) %u hold, %u fail, %u are "
                "undecided\n",
                o->verdict_count, counts[VERDICT_HOLDS], counts[VERDICT_FAILS],
                counts[VERDICT_UNDECIDED]);
    }
    fputc('\n', s->out);
}

/* ---- the whole ---- */

static void put_head(const struct screen *s)
{
    const struct report *r = s->report;
    char warmup[NUMBER_ROOM], duration[NUMBER_ROOM];
    paint(s, bold);
    fputs(r->name, s->out);
    paint(s, plain);
    fprintf(s->out, "   %u replication%s, %s s to %s s, seed %llu", r->replications,
            r->replications == 1 ? "" : "s", number_general(warmup, (double)r->warmup / 1e9),
            number_general(duration, (double)r->duration / 1e9), (unsigned long long)r->seed);
    if (r->point_count > 1)
        fprintf(s->out, ", %u points", r->point_count);
    fputc('\n', s->out);
    if (r->question)
        fprintf(s->out, "%s\n", r->question);
    fputc('\n', s->out);
}

static void put_notes(const struct screen *s)
{
    const struct outcome *o = s->outcome;
    if (o->part_count < o->part_expected)
        fprintf(s->out, "INCOMPLETE: %u of %u runs are here%s\n", o->part_count, o->part_expected,
                o->damaged ? " (damaged or foreign parts were left out)" : "");
    if (o->diverged)
        fprintf(s->out, "DIVERGED in %u of %u runs. The first: %s\n", o->diverged, o->part_count,
                o->message);
    if (o->unfinished)
        fprintf(s->out, "%llu operations never ended; they count as infinitely late\n",
                (unsigned long long)o->unfinished);
}

static const uint32_t *first_rows(struct arena *arena, const struct report *report,
                                  const struct outcome *outcome)
{
    uint32_t *first = arena_array(arena, (size_t)report->point_count + 1, uint32_t), row = 0;
    for (uint32_t p = 0; p <= report->point_count; p++) {
        while (row < outcome->row_count && outcome->rows[row].point < p)
            row++;
        first[p] = row;
    }
    return first;
}

void output_table(FILE *out, const struct report *report, const struct outcome *outcome,
                  bool colour)
{
    struct arena arena = {0};
    struct screen s = {out, report, outcome, colour, first_rows(&arena, report, outcome)};
    put_head(&s);
    if (report->point_count > 1) {
        put_clients(&s);
    } else {
        put_nodes(&s, true);
        put_nodes(&s, false);
        put_faults(&s);
    }
    put_expectations(&s);
    put_notes(&s);
    arena_free(&arena);
}
