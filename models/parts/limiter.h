/* Rate limiters: who may come in, by the number of those that came before. Those that are refused
 * do not count. Each instance of a node has a limiter of its own. */
#ifndef ORRERY_MODELS_PARTS_LIMITER_H
#define ORRERY_MODELS_PARTS_LIMITER_H

#include "engine/kernel/arena.h"
#include "engine/kernel/field.h"

#include <stdbool.h>
#include <stdint.h>

enum limiter_kind {
    LIMITER_NONE,
    LIMITER_TOKEN_BUCKET,
    LIMITER_LEAKY_BUCKET,
    LIMITER_FIXED_WINDOW,
    LIMITER_SLIDING_WINDOW,
};

enum { LIMITER_WINDOW_MAX = 1 << 20 }; /* requests a sliding window remembers */

struct limiter_config {
    double rate;    /* per second */
    uint64_t burst; /* token bucket: tokens it holds */
    uint64_t queue; /* leaky bucket: requests that wait for their turn */
    int64_t window_ns;
    uint8_t kind;
};

extern const struct field_table limiter_fields; /* `rate_limit` */

/* Zero before limiter_start. */
struct limiter {
    double full_ns;     /* token bucket: the instant at which it is full again */
    double free_ns;     /* leaky bucket: the next turn */
    int64_t window;     /* fixed window: its number */
    uint64_t count;     /* in it */
    uint64_t allowed;   /* requests in one window */
    int64_t *times_ns;  /* sliding window: the last `allowed` that came in */
    uint64_t at, known; /* of that ring */
};

void limiter_start(struct limiter *limiter, const struct limiter_config *config,
                   struct arena *arena);

/* Whether one more comes in at `now_ns`; *delay_ns is how long it has to wait for its turn (only a
 * leaky bucket lets wait). Calls must not go back in time. */
bool limiter_takes(struct limiter *limiter, const struct limiter_config *config, int64_t now_ns,
                   int64_t *delay_ns);

#endif
