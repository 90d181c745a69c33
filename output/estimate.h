/* Estimators: from one metric at one point, over all its replications, to a number with an
 * interval.
 *
 * For replication r: numerator s_r, denominator n_r (see engine/kernel/result.h), R replications,
 * N = sum n_r, nbar = N/R, t = the quantile of Student's t with R-1 degrees of freedom.
 *
 * a. Mean of observations, b. ratio: th = sum s_r / sum n_r (both are ratios of random sums, so
 *    replications with an empty denominator enter as (0,0)); d_r = (s_r - th n_r)/nbar,
 *    se^2 = sum d_r^2 / (R(R-1)), th +- t se; clipped to [0,1] where s_r <= n_r always.
 * c. Quantile p: the value at integer rank ceil(pN) of the merged histogram; D_r = (c_r - C
 * n_r)/nbar with c_r the observations of r up to the quantile's item and C their pooled share;
 *    se_F^2 = sum D_r^2/(R(R-1)); the interval is [Q(p - t se_F), Q(p + t se_F)] of the same merged
 *    histogram (Woodruff 1952). From R = 5 on. Never Student-t on the replications' percentiles:
 *    their mean has a bias that more replications do not cure.
 * d. Time averages, e. totals and rates: the same formula as a, where all n_r are equal: mean +- t
 * se. f. max, min: the largest and smallest of all; they estimate no parameter and have no
 * interval. Rare events: K = replications with an event (or, for a share, with a non-event). The
 * unit that is independent is the replication. `runs_with` is K/R with the Clopper-Pearson
 * interval. With K < 5 (and not simply few replications full of events) a share has [0,
 * Clopper-Pearson high of K/R], since E[X] <= P(X > 0), and a count has no upper bound; with K < 20
 * the t interval is flagged.
 *
 * g. Time to an event (recovery): replications that never saw it are censored, and count as
 *    infinite: `runs_with` is the share that did, with Clopper-Pearson; `p50` the median over all,
 *    with the interval of its order statistics (R = 10: ranks 2 and 9, R = 30: 10 and 21; R < 6:
 *    none); a mean exists only where all did. A bound that is never is infinite here.
 *
 * Flags: `few`; `tail`: fewer than 10 effective exceedances m = N(1-p)/deff, deff = Var(D_r) nbar /
 * (p(1-p)), or an upper level beyond 1; `skew`: R < 30 and |skewness of d_r| > 1.5; `censored`:
 * operations that never ended count as infinite. The caller knows, and
 * sets: `warmup`, `warmup: auto` found no cut that leaves half of the run; `heavy`, a mean where
 * some distribution has no variance; `drift`, see output/drift.h.
 *
 * No recorded quantity is negative, so no interval begins below 0; a share's ends at 1. */
#ifndef ORRERY_OUTPUT_ESTIMATE_H
#define ORRERY_OUTPUT_ESTIMATE_H

#include "engine/kernel/report.h"
#include "engine/kernel/result.h"

#include <stdbool.h>
#include <stdint.h>

enum statistic_type {
    STATISTIC_MEAN,
    STATISTIC_PERCENTILE,
    STATISTIC_MIN,
    STATISTIC_MAX,
    STATISTIC_RATE,
    STATISTIC_RATIO,
    STATISTIC_TOTAL,
    STATISTIC_RUNS_WITH,
};

struct statistic {
    enum statistic_type type;
    const struct percentile *percentile; /* of STATISTIC_PERCENTILE */
};

/* "mean", "p99.9", .. */
const char *statistic_name(const struct statistic *statistic);

/* The statistics a cell has in the summary, in order: at most percentile_count + 5. */
uint32_t statistics_of(const struct report *report, const struct result_cell *cell,
                       struct statistic *list);

/* Finds one by its name. False where a metric of this type has none such. */
bool statistic_find(const struct report *report, enum metric_type type, const char *name,
                    struct statistic *found);

/* One metric at one point: a cell for each replication that is there, in order of replication. */
struct sample {
    const struct result_cell *cells; /* [count]; histograms unpacked */
    const uint32_t *replications;    /* [count], ascending */
    uint32_t count;
    struct sparse merged; /* of the cells' histograms */
};

/* Merges the histograms. The sample keeps pointing at `cells`. */
struct sample sample_of(struct arena *arena, const struct result_cell *cells,
                        const uint32_t *replications, uint32_t count);

enum method {
    METHOD_T,
    METHOD_RATIO,
    METHOD_WOODRUFF,
    METHOD_CLOPPER,
    METHOD_ORDER,
    METHOD_RARE,
    METHOD_NONE,
};

enum estimate_flag {
    FLAG_FEW = 1,
    FLAG_TAIL = 2,
    FLAG_SKEW = 4,
    FLAG_CENSORED = 8,
    FLAG_WARMUP = 16,
    FLAG_HEAVY = 32,
    FLAG_DRIFT = 64,
};

struct estimate {
    double value, low, high; /* in the unit of the CSV; NaN where there is none */
    uint64_t n;              /* pooled observations; events for counts; replications for averages */
    uint32_t replications;
    enum method method;
    uint32_t flags;
    double se; /* standard error; NaN where there is none */
    /* [replications]: what each replication adds to the error, in the unit of the CSV, so that
     * se^2 = sum influence^2 / (R(R-1)); for paired differences. NULL where there is none. */
    const double *influence;
};

/* Student's quantile for one confidence, remembered by the last number of replications. */
struct confidence {
    double level;   /* 0.95 */
    uint32_t count; /* replications `t` belongs to; 0: none yet */
    double t;
};
double confidence_t(struct confidence *confidence, uint32_t replications);

/* Everything that is pointed at lives in `arena`. */
struct estimate estimate(struct arena *arena, const struct sample *sample,
                         const struct statistic *statistic, struct confidence *confidence);

/* The value of one replication alone, in the unit of the CSV; NaN where it has none. */
double estimate_single(const struct result_cell *cell, const struct statistic *statistic);

/* What the value of one replication weighs: its denominator (seconds for times). */
double estimate_weight(const struct result_cell *cell);

const char *method_name(enum method method);

/* "few tail", in `text` of at least 64 bytes. */
const char *flags_name(char *text, uint32_t flags);

/* A value of a cell (ns, a quotient) in the unit of the CSV. */
double in_unit(const struct result_cell *cell, double value);

#endif
