/* The table of kinds: one line for each. */
#include "models/registry.h"

const struct kind *const model_kinds[] = {
    &cache_kind, &client_kind,     &database_kind, &load_balancer_kind,
    &queue_kind, &replicated_kind, &service_kind,  0,
};
