/* What the commands call: parts in, CSV files, verdicts and tables out.
 *
 *     output_part_write(dir, &identity, result, &error)     once per (point, replication), any
 * order struct outcome *outcome = output_derive(dir, &report, hash, &error); output_table(stdout,
 * &report, outcome, colour); outcome_free(outcome);
 */
#ifndef ORRERY_OUTPUT_OUTPUT_H
#define ORRERY_OUTPUT_OUTPUT_H

#include "engine/kernel/arena.h"
#include "engine/kernel/report.h"
#include "engine/kernel/result.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

/* A part is taken for the one asked for only if all of this matches. */
struct part_identity {
    const char *scenario; /* hash of the resolved scenario, as text */
    uint32_t point;       /* from 1 */
    uint32_t replication; /* from 1 */
    uint64_t seed;        /* of the scenario: report->seed */
};

struct output_error {
    char message[512]; /* a sentence with the file and the machine's reason */
};

/* Writes DIR/parts/POINT-REPLICATION.part; DIR exists. False when the machine refuses (full disk,
 * no permission): nothing half-written is left. The caller exits with 3. Safe in several threads.
 */
bool output_part_write(const char *dir, const struct part_identity *identity,
                       const struct result *result, struct output_error *error);

/* Whether that part is there, whole and of this scenario: what --resume need not run again. */
bool output_part_valid(const char *dir, const struct part_identity *identity);

enum verdict_result { VERDICT_HOLDS, VERDICT_FAILS, VERDICT_UNDECIDED };

/* One comparison of one expectation. */
struct verdict {
    uint32_t expectation, left_point, right_point; /* from 0 */
    enum verdict_result result;
    enum verdict_result adjusted; /* by Holm over all comparisons */
    double p_value;               /* two-sided, of no difference; NaN where there is none */
    const char *sentence;         /* with the numbers */
};

/* A number of the summary that tables show: of pooled nodes, all operations. */
struct outcome_row {
    uint32_t point; /* from 0 */
    const char *node, *metric, *statistic, *unit;
    double estimate, low, high;
};

/* A fault of the only point: its first strike in the first replication, and how many there are. */
struct outcome_fault {
    const char *name, *action, *target, *amount;
    int64_t begin, end; /* ns */
    uint32_t strikes;   /* 0: it does not strike in the first replication */
    bool vary;          /* other replications were struck otherwise */
};

struct outcome {
    struct arena arena;
    const struct verdict *verdicts; /* in order of expectation and case */
    uint32_t verdict_count;
    uint32_t holds, fails, undecided;
    const struct outcome_row *rows; /* in order of the summary */
    uint32_t row_count;
    const struct outcome_fault *faults; /* none where there are several points */
    uint32_t fault_count;
    uint32_t part_count, part_expected;
    uint32_t damaged;     /* parts that were there but could not be used; they count as missing */
    uint32_t diverged;    /* replications that were stopped */
    const char *message;  /* of the first that was, with its point and replication; "" if none */
    uint64_t events;      /* of all parts */
    uint64_t fingerprint; /* over the parts' fingerprints, in order of point and replication */
    uint64_t unfinished;
};

/* Derives summary.csv, replications.csv, distributions.csv and, with an interval, series.csv in DIR
 * from the parts that are there, and judges the expectations. NULL when the machine refuses, and
 * then no file has changed. Missing parts are no error: compare part_count with part_expected. */
struct outcome *output_derive(const char *dir, const struct report *report,
                              const char *scenario_hash, struct output_error *error);
void outcome_free(struct outcome *outcome);

/* The answer on a screen of 100 columns: clients, nodes, expectations; one row a point of a sweep.
 */
void output_table(FILE *out, const struct report *report, const struct outcome *outcome,
                  bool colour);

/* The same as one JSON document: the rows of DIR/summary.csv and the verdicts. */
bool output_json(FILE *out, const char *dir, const struct report *report,
                 const struct outcome *outcome, struct output_error *error);

/* `text` with the quotes around it, escaped for JSON, in `arena`. */
const char *output_json_text(struct arena *arena, const char *text);

#endif
