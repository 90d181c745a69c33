/* The pause before a further try. Sources of the jitters: M. Brooker, "Exponential Backoff And
 * Jitter", AWS Architecture Blog, 2015. */
#ifndef ORRERY_MODELS_PARTS_BACKOFF_H
#define ORRERY_MODELS_PARTS_BACKOFF_H

#include "engine/kernel/field.h"

#include <stdint.h>

enum backoff_growth { BACKOFF_CONSTANT, BACKOFF_EXPONENTIAL };
enum backoff_jitter { BACKOFF_NONE, BACKOFF_FULL, BACKOFF_EQUAL, BACKOFF_DECORRELATED };

struct backoff_config {
    int64_t base_ns; /* of the first pause, before jitter */
    int64_t max_ns;  /* no pause is longer; TIME_NONE or 0: without bound */
    uint8_t growth, jitter;
};

extern const struct field_table backoff_fields; /* `backoff` and `jitter` */

/* The pause in ns before try `retry` + 1 (retry >= 1). `draw` is well mixed and of its own for each
 * retry; `previous_ns` is the pause before (0: there was none), which decorrelated jitter needs. */
int64_t backoff_pause(const struct backoff_config *config, uint64_t retry, int64_t previous_ns,
                      uint64_t draw);

#endif
