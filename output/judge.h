/* The judge of expectations. While the CSV files are derived, point by point, it keeps the
 * estimates that an expectation names; at the end it compares them.
 *
 * Against a constant: on the two-sided interval of report->confidence: holds where all of it does,
 * fails where none of it does, else undecided; a bound that is NaN decides nothing. `~ x +- d` is
 * an equivalence: holds where the interval lies inside [x-d, x+d], fails where they are disjoint.
 * `==` and
 * `!=` are invariants over replications. Metric against metric: differences paired by replication
 * (the same seed, so the same arrivals and demands), sum of (d^A_r - d^B_r)^2 / (R(R-1)). */
#ifndef ORRERY_OUTPUT_JUDGE_H
#define ORRERY_OUTPUT_JUDGE_H

#include "output/estimate.h"
#include "output/output.h"

struct judge;

/* In `arena`. */
struct judge *judge_begin(struct arena *arena, const struct report *report);

/* Whose sample it is: its node and its operation as they are printed. */
struct judge_label {
    uint32_t point, window; /* from 0; window 0: W, others: phases */
    const char *node, *operation;
    bool single; /* the node has one instance, which is meant by `web.1` too */
    bool empty;  /* the window is, in every replication */
};

/* Offers a sample. */
void judge_see(struct judge *judge, const struct judge_label *label, const struct sample *sample);

/* The verdicts, in order of expectation and case; counts them in `outcome`. */
void judge_end(struct judge *judge, struct outcome *outcome);

#endif
