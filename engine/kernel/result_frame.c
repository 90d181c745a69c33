#include "engine/kernel/result_frame.h"

#include <string.h>

const char *result_copy(struct arena *arena, const char *text)
{
    return text ? arena_text(arena, text, strlen(text)) : "";
}

static void take_strikes(struct result *result, const struct result_run *run)
{
    struct arena *arena = &result->arena;
    struct result_fault *faults = arena_array(arena, run->fault_count, struct result_fault);
    for (uint32_t i = 0; i < run->fault_count; i++) {
        const struct result_fault *f = &run->faults[i];
        faults[i] =
            (struct result_fault){result_copy(arena, f->name), result_copy(arena, f->action),
                                  result_copy(arena, f->amount)};
    }
    struct result_strike *strikes = arena_array(arena, run->strike_count, struct result_strike);
    for (uint32_t i = 0; i < run->strike_count; i++) {
        strikes[i] = run->strikes[i];
        strikes[i].target = result_copy(arena, strikes[i].target);
    }
    result->faults = faults;
    result->fault_count = run->fault_count;
    result->strikes = strikes;
    result->strike_count = run->strike_count;
}

void result_take_frame(struct result *result, const struct recorder *r,
                       const struct result_run *run)
{
    struct arena *arena = &result->arena;
    struct window_set *windows = arena_array(arena, r->window_count, struct window_set);
    for (uint32_t w = 0; w < r->window_count; w++)
        windows[w] = recorder_clip_set(r, arena, &r->windows[w]);
    const char **operations = arena_array(arena, r->operation_count, const char *);
    for (uint32_t o = 0; o < r->operation_count; o++)
        operations[o] = result_copy(arena, run->operations[o]);
    result->seed = run->seed;
    result->replication = run->replication;
    result->totals = run->totals;
    result->diverged = run->diverged;
    result->message = result_copy(arena, run->message);
    result->windows = windows;
    result->window_count = r->window_count;
    result->operations = operations;
    result->operation_count = r->operation_count;
    result->series_interval = r->series_interval;
    for (uint32_t i = 0; i < series_length(r); i++) {
        struct window reached = recorder_clip(r, series_window(r, i));
        result->interval_count += reached.end > reached.begin;
        result->series_end = reached.end;
    }
    result->history = result_copy(arena, run->history);
    result->leaders = result_copy(arena, run->leaders);
    take_strikes(result, run);
}
