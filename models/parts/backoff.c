#include "models/parts/backoff.h"

#include "engine/kernel/random.h"

#include <stddef.h>

static const struct field constant_fields[] = {
    {.name = "pause",
     .type = FIELD_TIME,
     .offset = offsetof(struct backoff_config, base_ns),
     .otherwise = "0s",
     .summary = "From the end of one try to the next."},
    {0},
};

static const struct field exponential_fields[] = {
    {.name = "base",
     .type = FIELD_TIME,
     .offset = offsetof(struct backoff_config, base_ns),
     .otherwise = "100ms",
     .min = 1,
     .summary = "Before the second try."},
    {.name = "max",
     .type = FIELD_TIME,
     .offset = offsetof(struct backoff_config, max_ns),
     .otherwise = "none",
     .flags = FIELD_NONE,
     .min = 1,
     .summary = "No pause is longer."},
    {0},
};

static const struct field_word growths[] = {
    [BACKOFF_CONSTANT] = {"constant", "The same pause before every further try.",
                          &(const struct field_table){.fields = constant_fields}},
    [BACKOFF_EXPONENTIAL] = {"exponential", "Twice as long before each further try.",
                             &(const struct field_table){.fields = exponential_fields}},
    {0},
};

static const struct field_word jitters[] = {
    [BACKOFF_NONE] = {"none", "Exactly the pause.", NULL},
    [BACKOFF_FULL] = {"full", "Anything between 0 and the pause.", NULL},
    [BACKOFF_EQUAL] = {"equal", "Half of the pause, and anything up to the other half.", NULL},
    [BACKOFF_DECORRELATED] = {"decorrelated",
                              "Anything between the first pause and three times the previous one, "
                              "up to `max`.",
                              NULL},
    {0},
};

const struct field_table backoff_fields = {
    .fields =
        (const struct field[]){
            {.name = "backoff",
             .type = FIELD_WORD,
             .offset = offsetof(struct backoff_config, growth),
             .otherwise = "constant(0s)",
             .words = growths,
             .summary = "The pause before a further try, by the clock of the caller."},
            {.name = "jitter",
             .type = FIELD_WORD,
             .offset = offsetof(struct backoff_config, jitter),
             .otherwise = "none",
             .words = jitters,
             .summary = "How chance changes the pause, so that callers that failed together do not "
                        "come back together; drawn from the request."},
            {0},
        },
};

static int64_t least(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

int64_t backoff_pause(const struct backoff_config *config, uint64_t retry, int64_t previous_ns,
                      uint64_t draw)
{
    int64_t most = config->max_ns > 0 ? config->max_ns : INT64_C(1) << 61;
    int64_t pause = least(config->base_ns, most);
    if (config->growth == BACKOFF_EXPONENTIAL)
        for (uint64_t i = 1; i < retry && pause < most; i++)
            pause = least(2 * pause, most);
    if (config->jitter == BACKOFF_NONE)
        return pause;
    double share = random_unit(draw);
    switch ((enum backoff_jitter)config->jitter) {
    case BACKOFF_FULL:
        return (int64_t)(share * (double)pause + 0.5);
    case BACKOFF_EQUAL:
        return pause / 2 + (int64_t)(share * (double)(pause - pause / 2) + 0.5);
    case BACKOFF_DECORRELATED: {
        int64_t before = previous_ns > config->base_ns ? previous_ns : config->base_ns;
        double high = 3 * (double)least(before, most), low = (double)config->base_ns;
        double ns = low + share * (high - low) + 0.5;
        return ns < (double)most ? (int64_t)ns : most;
    }
    case BACKOFF_NONE:
        break;
    }
    return pause;
}
