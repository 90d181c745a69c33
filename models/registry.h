/* Every kind of node there is. engine/cli hands the table to whoever needs it; nothing else in
 * engine/ includes models/. */
#ifndef ORRERY_MODELS_REGISTRY_H
#define ORRERY_MODELS_REGISTRY_H

#include "engine/kernel/kind.h"

extern const struct kind queue_kind;
extern const struct kind cache_kind;
extern const struct kind client_kind;
extern const struct kind database_kind;
extern const struct kind load_balancer_kind;
extern const struct kind replicated_kind;
extern const struct kind service_kind;

extern const struct kind *const model_kinds[]; /* in order of name; ends with NULL */

#endif
