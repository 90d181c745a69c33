/* The yardstick of the speed tables: a hand-coded loop of an M/M/1 queue at load 0.8, made of
 * the next arrival, the next departure and the number inside; no event queue, no dispatch, the
 * time average of the number as its only statistic. */
#ifndef ORRERY_TESTS_BENCH_YARDSTICK_H
#define ORRERY_TESTS_BENCH_YARDSTICK_H

#include "engine/kernel/random.h"

#include <math.h>
#include <stdbool.h>
#include <time.h>

static inline double yardstick_seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

/* Objects a second; `mean` number inside (theory: 4) keeps the compiler from leaving it out. */
static inline double yardstick(uint64_t objects, double *mean)
{
    struct stream arrivals, services;
    stream_open(&arrivals, 1, 1, "hand", "arrivals");
    stream_open(&services, 1, 1, "hand", "services");
    double began = yardstick_seconds(), now = 0, area = 0;
    double arrival = 1.25 * random_exponential(stream_next(&arrivals)), departure = INFINITY;
    uint64_t inside = 0, served = 0;
    while (served < objects) {
        bool arrives = arrival < departure;
        double next = arrives ? arrival : departure;
        area += (double)inside * (next - now);
        now = next;
        if (arrives) {
            if (inside++ == 0)
                departure = now + random_exponential(stream_next(&services));
            arrival = now + 1.25 * random_exponential(stream_next(&arrivals));
        } else {
            served++;
            departure = --inside ? now + random_exponential(stream_next(&services)) : INFINITY;
        }
    }
    double spent = yardstick_seconds() - began;
    *mean = area / now;
    return (double)objects / spent;
}

#endif
