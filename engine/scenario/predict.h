/* The load that a point puts on its nodes, without playing it: flows from the clients along the
 * pools, as if nothing failed and nobody waited too long. */
#ifndef ORRERY_SCENARIO_PREDICT_H
#define ORRERY_SCENARIO_PREDICT_H

#include "engine/scenario/point.h"

/* One instance. */
struct predicted {
    double rate;     /* visits per second; of a client: operations begun */
    double busy;     /* mean number of slots taken, by own work, or by visits where it holds them */
    double slots;    /* INFINITY: unlimited */
    double work_ns;  /* mean own work of a visit, at the instance's speed; 0: none */
    double work_scv; /* variance of the work over its squared mean */
    bool holds;      /* slots are kept until the answer goes back, so `busy` is a lower bound */
    bool closed;     /* visited by a closed loop, so `rate` and `busy` are upper bounds */
};

/* [agent], in the arena of the point. A closed loop runs at its asymptotic bound: the lesser of
 * users / (think time + time without waiting) and what the busiest node can serve (Denning and
 * Buzen, 1978). Rates are means over [from_ns, to_ns). */
struct predicted *predict(struct point *point, int64_t from_ns, int64_t to_ns);

/* busy / slots; 0 where slots are unlimited. */
double predict_utilization(const struct predicted *predicted);

/* Relaxation time in ns of a station at this load, s (1 + cs2) / 2 / (1 - sqrt(rho))^2 with s the
 * mean work over the slots, for Poisson arrivals; 0 without work, INFINITY from load 1 on. The
 * warm-up should last 20 of them (Odoni and Roth, 1983). */
double predict_relaxation_ns(const struct predicted *predicted);

#endif
