/* The times between signs of life, as a phi-accrual detector learns them (Hayashibara, Defago,
 * Yared and Katayama, SRDS 2004): mean and standard deviation of the last INTERVALS_KEPT of them.
 */
#ifndef ORRERY_MODELS_PARTS_RUNNING_INTERVAL_H
#define ORRERY_MODELS_PARTS_RUNNING_INTERVAL_H

#include <stdint.h>

enum { INTERVALS_KEPT = 128 };

enum interval_law { INTERVALS_NORMAL, INTERVALS_EXPONENTIAL };

struct running_interval {
    int64_t kept[INTERVALS_KEPT]; /* ns; a ring */
    uint32_t count, next;
};

void running_interval_add(struct running_interval *intervals, int64_t ns);

/* The time (ns) since the last sign of life at which phi = -log10 P(a longer interval) reaches
 * `phi` > 0. Normal: mean + z sd, the standard deviation at least a tenth of the mean, as Akka's
 * minimum keeps a perfectly regular heart from being suspected at once; exponential (Cassandra):
 * phi ln 10 mean. Before the first interval has been seen `first_ns` stands for the mean. */
double running_interval_limit_ns(const struct running_interval *intervals, enum interval_law law,
                                 double phi, double first_ns);

#endif
