/* Measures and families that take more than a few lines. */
#ifndef ORRERY_TESTS_VALIDATION_SPECIALS_H
#define ORRERY_TESTS_VALIDATION_SPECIALS_H

#include "tests/validation/cases.h"

/* The number inside at seven instants (rows 0 to 6) and whether nobody is there (7 to 13). */
extern const struct measure transient;

/* The same number from two intervals of the series about 1, 5, 10 and 20 s. */
extern const struct measure course;

/* Variance of a replication's mean wait, correlation with the next, and with the other system. */
void independence(const struct family *family, uint32_t jobs, double *values, uint64_t *events);

/* 400 small experiments, judged by their pivots (mean response). */
void pivots(const struct family *family, uint32_t jobs, double *values, uint64_t *events);

/* 2,000 experiments: the share of 95 % intervals that hold the truth, of the mean and of p99. */
void coverage(const struct family *family, uint32_t jobs, double *values, uint64_t *events);

/* Observations of a client's latency of at least `limit_ns`, and all of them. */
struct quotient share_above(const struct result *result, const char *client, int64_t limit_ns);

/* The seed of a family: the hash of its name; further ones for `part` > 0. */
uint64_t family_seed(const struct family *family, uint64_t part);

/* "tests/validation/mm1.yaml", in `text` of at least 128 bytes. */
const char *family_path(const struct family *family, char *text);

#endif
