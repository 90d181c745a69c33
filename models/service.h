/* The configuration of a service, as the loader and the tests make it. */
#ifndef ORRERY_MODELS_SERVICE_H
#define ORRERY_MODELS_SERVICE_H

#include "models/parts/flow.h"

struct service_config {
    struct station_config station;
    struct caller_config caller;
    struct pool to;          /* count 0: it answers by itself */
    struct field_list steps; /* of struct flow_step; instead of `to` */
};

#endif
