/* The configuration of a load balancer, as the loader and the tests make it. */
#ifndef ORRERY_MODELS_LOAD_BALANCER_H
#define ORRERY_MODELS_LOAD_BALANCER_H

#include "models/parts/caller.h"
#include "models/parts/station.h"

enum load_balancer_policy {
    BALANCER_RANDOM,
    BALANCER_WEIGHTED_RANDOM,
    BALANCER_ROUND_ROBIN,
    BALANCER_WEIGHTED_ROUND_ROBIN,
    BALANCER_LEAST_CONNECTIONS,
    BALANCER_POWER_OF_TWO,
};

struct load_balancer_config {
    struct station_config station;
    struct caller_config caller;
    struct pool to;
    uint64_t choices; /* power_of_two: backends looked at, >= 1 */
    uint8_t policy;
    bool replacement; /* power_of_two: one may be drawn twice */
};

#endif
