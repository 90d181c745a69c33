/* The validation suite: every model against theory and published results.
 *
 *     run [-j N] [-f FRACTION] [-m] [CASE...]
 *     -j N         threads (2)
 *     -f FRACTION  a trial: plays this share of the requests; allowances grow accordingly
 *     -m           measures: prints each row's sigma from 200 batches instead of judging
 *     CASE         plays only these: numbers (Q03) or names of systems ("M/M/1 at 0.9")
 *
 * LONG=1 in the environment plays the long suite instead. The table is printed in Markdown; the
 * last line is `validation: N passed, N failed`. */
#include "tests/validation/judge.h"
#include "tests/validation/specials.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { REPLICATIONS = 20, BATCHES = 200, FAMILIES_MAX = 512 };

struct options {
    double fraction;
    uint32_t jobs;
    bool measures, lengthy;
    char **cases;
    int case_count;
};

struct outcome {
    const struct family *family;
    struct judged judged[ROWS_MAX];
};

static bool wanted(const struct options *options, const struct family *f)
{
    if (f->lengthy != options->lengthy)
        return false;
    for (int i = 0; i < options->case_count; i++)
        for (uint32_t k = 0; k < ROWS_MAX && f->rows[k].id; k++)
            if (!strcmp(options->cases[i], f->rows[k].id) || !strcmp(options->cases[i], f->name))
                return true;
    return !options->case_count;
}

/* Longest first: what a failure waits for is told early. */
static int by_requests(const void *a, const void *b)
{
    const struct outcome *x = a, *y = b;
    double p = x->family->requests, q = y->family->requests;
    if (p != q)
        return p < q ? 1 : -1;
    return strcmp(x->family->name, y->family->name);
}

static uint32_t collect(const struct options *options, struct outcome *outcomes)
{
    static const struct family *const all[] = {
        queue_families,     station_families, balance_families, tail_families,   law_families,
        long_families,      defence_families, fault_families,   hash_families,   scale_families,
        published_families, message_families, replica_families, quorum_families, cache_families,
        broker_families,    cold_families};
    uint32_t count = 0;
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        for (const struct family *f = all[i]; f->name; f++)
            if (wanted(options, f)) {
                CHECK(count < FAMILIES_MAX);
                outcomes[count++].family = f;
            }
    qsort(outcomes, count, sizeof *outcomes, by_requests);
    return count;
}

static struct played *play_family(const struct family *f, const struct options *options)
{
    char path[128], warmup[64], duration[64];
    const char *sets[SETS_MAX + 3] = {NULL};
    uint32_t count = 0, replications = f->replications;
    if (!replications)
        replications = options->measures ? BATCHES : REPLICATIONS;
    while (f->sets[count]) {
        sets[count] = f->sets[count];
        count++;
    }
    if (f->requests > 0) {
        double seconds = f->requests * options->fraction / f->rate / replications;
        snprintf(warmup, sizeof warmup, "run.warmup=%.0fms", f->warmup * 1e3);
        snprintf(duration, sizeof duration, "run.duration=%.0fms", (f->warmup + seconds) * 1e3);
        sets[count++] = duration;
        sets[count++] = warmup;
    }
    struct play_request request = {family_path(f, path), sets,          family_seed(f, 0),
                                   replications,         options->jobs, f->measure};
    return play(&request);
}

static void measure_print(const struct outcome *o)
{
    for (uint32_t i = 0; i < ROWS_MAX && o->family->rows[i].id; i++) {
        const struct row *row = &o->family->rows[i];
        const struct judged *j = &o->judged[i];
        double scale = row->expected != 0 ? fabs(row->expected) : 1;
        double sigma = j->se * sqrt(j->requests) / scale;
        double tolerance = row->type == RELATIVE ? row->tolerance : row->tolerance / scale;
        printf("%-6s %-45s sigma %8.3g frozen %8.3g off %5.2f se, needs %.2g\n", row->id, row->what,
               sigma, row->sigma, (j->value - row->expected) / j->se,
               16 * sigma * sigma / (tolerance * tolerance));
    }
    fflush(stdout);
}

static void play_and_judge(struct outcome *o, const struct options *options, double *gap)
{
    const struct family *f = o->family;
    if (f->special) {
        double values[ROWS_MAX] = {0};
        uint64_t events = 0;
        f->special(f, options->jobs, values, &events);
        for (uint32_t i = 0; i < ROWS_MAX && f->rows[i].id; i++) {
            o->judged[i] = judge_value(&f->rows[i], values[i]);
            o->judged[i].events = events;
        }
        return;
    }
    struct played *p = play_family(f, options);
    for (uint32_t i = 0; i < ROWS_MAX && f->rows[i].id; i++)
        o->judged[i] = judge_row(f, i, p, options->fraction < 1);
    double mine = f->requests >= 1e6 ? little_gap(p) : 0;
    *gap = mine > *gap ? mine : *gap;
    if (options->measures)
        measure_print(o);
    played_free(p);
}

static void note_progress(const struct outcome *o)
{
    uint32_t failed = 0;
    for (uint32_t i = 0; i < ROWS_MAX && o->family->rows[i].id; i++)
        failed += !o->judged[i].passed;
    fprintf(stderr, "%s: %.2g events%s\n", o->family->name, (double)o->judged[0].events,
            failed ? ", FAILED" : "");
}

/* Families in the order of the tables, not in that of play. */
static int by_table(const void *a, const void *b)
{
    const struct outcome *x = a, *y = b;
    int order = strcmp(x->family->rows[0].id, y->family->rows[0].id);
    return order ? order : strcmp(x->family->name, y->family->name);
}

static void print_wide(const struct outcome *outcomes, uint32_t count)
{
    printf("\nRows whose allowance exceeds 1 %% of a mean:");
    const char *between = " ";
    for (uint32_t k = 0; k < count; k++)
        for (uint32_t i = 0; i < ROWS_MAX && outcomes[k].family->rows[i].id; i++) {
            const struct row *row = &outcomes[k].family->rows[i];
            if (!is_wide(row, &outcomes[k].judged[i]))
                continue;
            printf("%s%s %s", between, row->id, row->what);
            between = "; ";
        }
    printf(".\n");
}

static int print_all(struct outcome *outcomes, uint32_t count, double gap)
{
    uint32_t passed = 0, failed = 0;
    double events = 0;
    qsort(outcomes, count, sizeof *outcomes, by_table);
    table_head(stdout);
    for (uint32_t k = 0; k < count; k++) {
        events += (double)outcomes[k].judged[0].events;
        for (uint32_t i = 0; i < ROWS_MAX && outcomes[k].family->rows[i].id; i++) {
            table_row(stdout, &outcomes[k].family->rows[i], &outcomes[k].judged[i]);
            passed += outcomes[k].judged[i].passed;
            failed += !outcomes[k].judged[i].passed;
        }
    }
    /* That arrivals = departures + rejected + abandoned + lost + inside, and Little's law with
     * clipped stays, hold exactly in integers was checked after every run: it would have ended. */
    static const struct row little = {
        "Q29", "largest gap of L = X W over all nodes, edges included",
        NULL,  NULL,
        NULL,  "max",
        0,     ABSOLUTE,
        0.001, 0};
    struct judged j = judge_value(&little, gap);
    table_row(stdout, &little, &j);
    passed += j.passed;
    failed += !j.passed;
    print_wide(outcomes, count);
    printf("\n%.2g events in all.\n", events);
    printf("validation: %u passed, %u failed\n", passed, failed);
    return failed != 0;
}

int main(int argc, char **argv)
{
    static struct outcome outcomes[FAMILIES_MAX];
    const char *lengthy = getenv("LONG");
    struct options options = {.fraction = 1, .jobs = 2, .lengthy = lengthy && *lengthy == '1'};
    int first = 1;
    for (; first < argc && argv[first][0] == '-'; first++) {
        if (!strcmp(argv[first], "-m"))
            options.measures = true;
        else if (!strcmp(argv[first], "-j") && first + 1 < argc)
            options.jobs = (uint32_t)strtoul(argv[++first], NULL, 10);
        else if (!strcmp(argv[first], "-f") && first + 1 < argc)
            options.fraction = strtod(argv[++first], NULL);
        else {
            fprintf(stderr, "usage: %s [-j N] [-f FRACTION] [-m] [CASE...]\n", argv[0]);
            return 2;
        }
    }
    options.cases = argv + first;
    options.case_count = argc - first;
    uint32_t count = collect(&options, outcomes);
    double gap = 0;
    for (uint32_t i = 0; i < count; i++) {
        play_and_judge(&outcomes[i], &options, &gap);
        if (!options.measures)
            note_progress(&outcomes[i]);
    }
    return options.measures ? 0 : print_all(outcomes, count, gap);
}
