/* From what was played to verdicts and the table. */
#ifndef ORRERY_TESTS_VALIDATION_JUDGE_H
#define ORRERY_TESTS_VALIDATION_JUDGE_H

#include "tests/validation/cases.h"

#include <stdio.h>

struct judged {
    double value, low, high, se;
    double allowance; /* 4 sigma expected / sqrt(N), or the tolerance of a direct row */
    double frozen_se; /* sigma expected / sqrt(N); 0: a direct row */
    double requests;
    uint64_t events; /* of the family */
    bool passed;
    char reason[96]; /* of a failure */
};

/* Judges row `index` of a family. `trial`: shortened, so that its allowance is not held against the
 * tolerance. */
struct judged judge_row(const struct family *family, uint32_t index, const struct played *played,
                        bool trial);

/* The same for a family that has filled the values itself. */
struct judged judge_value(const struct row *row, double value);

/* The largest |L - X W| / L over the nodes that turn nobody away: time averages against the sum of
 * stays, so that only the edges of the window are left. */
double little_gap(const struct played *played);

void table_head(FILE *out);
void table_row(FILE *out, const struct row *row, const struct judged *judged);

/* Whether the allowance exceeds 1 % of a mean. */
bool is_wide(const struct row *row, const struct judged *judged);

#endif
