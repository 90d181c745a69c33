/* The validation table. A family is one system, played once for all of its rows; a row is one
 * number with the value theory or a published source gives it.
 *
 * A row passes iff  |estimate - expected| <= 4 sigma expected / sqrt(N),  this allowance is no
 * larger than the row's tolerance, and the run's own standard error lies within 0.45 .. 1.75 of
 * sigma expected / sqrt(N). N is the number of requests observed; sigma, relative and per request,
 * is frozen: a noisy estimator cannot hide a wrong one, and replications that are not independent
 * or equal are seen. Most sigmas were measured once, by `run -m -f 0.3` (200 independent
 * batches, +-5 %); those of the means of M/M/1 (Blomqvist 1967), of shares of independent requests
 * and of order statistics are exact. Seeds are hashes of the family's name. Rows without sigma are
 * exact or already carry their standard error in the tolerance: |estimate - expected| <= tolerance.
 */
#ifndef ORRERY_TESTS_VALIDATION_CASES_H
#define ORRERY_TESTS_VALIDATION_CASES_H

#include "tests/validation/play.h"

enum tolerance { RELATIVE, ABSOLUTE };

struct row {
    const char *id; /* "Q03" */
    const char *what;
    const char *node, *operation, *metric, *statistic; /* metric NULL: of the family's measure */
    double expected;                                   /* in the unit of the CSV */
    enum tolerance type;
    double tolerance;
    double sigma; /* relative to expected (to 1 where that is 0), per request; 0: direct */
};

struct family {
    const char *name; /* unique; the seed is its hash */
    const char *file; /* below tests/validation */
    const char *sets[SETS_MAX];
    const char *source; /* formula and paper */
    double rate;        /* requests per simulated second: turns requests into a duration */
    double requests;    /* to be observed, over all replications; 0: the scenario's own duration */
    double warmup;      /* seconds */
    uint32_t replications; /* 0: 20 */
    bool lengthy;          /* of the long suite */
    const struct measure *measure;
    /* Where it is not played as it stands: fills the rows' values itself. */
    void (*special)(const struct family *family, uint32_t jobs, double *values, uint64_t *events);
    struct row rows[ROWS_MAX]; /* up to the first without id */
};

/* Each ends with a family without name. */
extern const struct family queue_families[], station_families[], balance_families[],
    tail_families[], law_families[], long_families[], hash_families[], scale_families[],
    defence_families[], fault_families[], published_families[], message_families[],
    replica_families[], quorum_families[], cache_families[], broker_families[], cold_families[];

#endif
