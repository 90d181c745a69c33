#include "models/parts/limiter.h"

#include <stddef.h>

#define RATE                                                                                       \
    {                                                                                              \
        .name = "rate", .type = FIELD_RATE, .offset = offsetof(struct limiter_config, rate),       \
        .otherwise = "100/s", .min = 1e-9, .max = 1e9, .summary = "On average, in the long run."   \
    }
#define WINDOW                                                                                     \
    {                                                                                              \
        .name = "window", .type = FIELD_TIME,                                                      \
        .offset = offsetof(struct limiter_config, window_ns), .otherwise = "1s", .min = 1,         \
        .summary = "Its length; it holds `rate` x `window` requests, rounded, at least one."       \
    }

static const struct field token_fields[] = {
    RATE,
    {.name = "burst",
     .type = FIELD_COUNT,
     .offset = offsetof(struct limiter_config, burst),
     .otherwise = "1",
     .min = 1,
     .max = 1e9,
     .summary = "Tokens it holds, and begins with: as many may come at once."},
    {0},
};
static const struct field leaky_fields[] = {
    RATE,
    {.name = "queue",
     .type = FIELD_COUNT,
     .offset = offsetof(struct limiter_config, queue),
     .otherwise = "0",
     .max = 1e9,
     .summary = "How many may wait for their turn."},
    {0},
};
static const struct field window_fields[] = {RATE, WINDOW, {0}};

static const struct field_word kinds[] = {
    [LIMITER_NONE] = {"none", "Everyone comes in.", NULL},
    [LIMITER_TOKEN_BUCKET] = {"token_bucket",
                              "Each request takes one token; tokens come at the rate until the "
                              "bucket is full.",
                              &(const struct field_table){.fields = token_fields}},
    [LIMITER_LEAKY_BUCKET] = {"leaky_bucket",
                              "Requests go on evenly spaced, 1/rate apart; some may wait for their "
                              "turn.",
                              &(const struct field_table){.fields = leaky_fields}},
    [LIMITER_FIXED_WINDOW] = {"fixed_window",
                              "So many in each window of time, counted from time 0: up to twice as "
                              "many about a border.",
                              &(const struct field_table){.fields = window_fields}},
    [LIMITER_SLIDING_WINDOW] = {"sliding_window",
                                "No more than so many in any window of that length; remembers when "
                                "each came.",
                                &(const struct field_table){.fields = window_fields}},
    {0},
};

const struct field_table limiter_fields = {
    .fields =
        (const struct field[]){
            {.name = "rate_limit",
             .type = FIELD_WORD,
             .offset = offsetof(struct limiter_config, kind),
             .otherwise = "none",
             .flags = FIELD_WHOLE,
             .words = kinds,
             .summary = "At a client: before an operation is sent, its further tries not counted. "
                        "At any other node: on arrival, before its own work. Who is refused is "
                        "rejected at once. Each instance counts for itself."},
            {0},
        },
};

void limiter_start(struct limiter *limiter, const struct limiter_config *config,
                   struct arena *arena)
{
    double allowed = config->rate * (double)config->window_ns / 1e9 + 0.5;
    *limiter = (struct limiter){.window = -1};
    limiter->allowed = allowed < 1 ? 1 : allowed < 0x1p62 ? (uint64_t)allowed : UINT64_MAX;
    if (config->kind != LIMITER_SLIDING_WINDOW)
        return;
    if (limiter->allowed > LIMITER_WINDOW_MAX)
        limiter->allowed = LIMITER_WINDOW_MAX;
    limiter->times_ns = arena_array(arena, limiter->allowed, int64_t);
}

/* Whole ns of slack: arrivals are rounded to them, tokens are not. */
static bool token_takes(struct limiter *limiter, const struct limiter_config *config, double now_ns)
{
    double period_ns = 1e9 / config->rate;
    double full_ns = limiter->full_ns > now_ns ? limiter->full_ns : now_ns;
    if (full_ns - now_ns > (double)(config->burst - 1) * period_ns + 1)
        return false;
    limiter->full_ns = full_ns + period_ns;
    return true;
}

/* Of those let in, the ones whose turn is still to come stand period by period before `free`. */
static bool leaky_takes(struct limiter *limiter, const struct limiter_config *config, double now_ns,
                        int64_t *delay_ns)
{
    double period_ns = 1e9 / config->rate;
    double wait_ns = limiter->free_ns - now_ns;
    if (wait_ns <= 1) {
        limiter->free_ns = now_ns + period_ns;
        return true;
    }
    if (wait_ns > (double)config->queue * period_ns + 1)
        return false;
    limiter->free_ns += period_ns;
    *delay_ns = (int64_t)(wait_ns + 0.5);
    return true;
}

static bool sliding_takes(struct limiter *limiter, const struct limiter_config *config,
                          int64_t now_ns)
{
    if (limiter->known == limiter->allowed &&
        now_ns - limiter->times_ns[limiter->at] < config->window_ns)
        return false;
    limiter->times_ns[limiter->at] = now_ns;
    limiter->at = limiter->at + 1 < limiter->allowed ? limiter->at + 1 : 0;
    limiter->known += limiter->known < limiter->allowed;
    return true;
}

bool limiter_takes(struct limiter *limiter, const struct limiter_config *config, int64_t now_ns,
                   int64_t *delay_ns)
{
    *delay_ns = 0;
    switch ((enum limiter_kind)config->kind) {
    case LIMITER_TOKEN_BUCKET:
        return token_takes(limiter, config, (double)now_ns);
    case LIMITER_LEAKY_BUCKET:
        return leaky_takes(limiter, config, (double)now_ns, delay_ns);
    case LIMITER_FIXED_WINDOW:
        if (now_ns / config->window_ns != limiter->window) {
            limiter->window = now_ns / config->window_ns;
            limiter->count = 0;
        }
        return limiter->count < limiter->allowed && ++limiter->count;
    case LIMITER_SLIDING_WINDOW:
        return sliding_takes(limiter, config, now_ns);
    case LIMITER_NONE:
        break;
    }
    return true;
}
