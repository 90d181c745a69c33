/* What passed through the stations of a run, to the nanosecond, told by an observer; and a source
 * of calls that knows no client. For tests that compute every departure anew from (arrival, work).
 */
#ifndef ORRERY_TESTS_TRACE_H
#define ORRERY_TESTS_TRACE_H

#include "tests/world.h"

#include <stdlib.h>

/* One visit of one station, in order of arrival. */
struct visit {
    uint64_t op_id;
    int64_t arrive, leave; /* ns */
    int64_t work;          /* ns at speed 1; -1: it was never taken up */
    int64_t serve;         /* ns: when it was taken up first */
    uint64_t rank;         /* among those taken up at this station, from 0 */
    uint32_t at;           /* agent */
    uint8_t operation;
    bool left;
};

struct trace {
    const char *node; /* watched; set by the caller */
    struct visit *visits;
    uint64_t count, room, served;
    uint64_t *of_call; /* visit by call index */
    uint32_t calls;
};

static inline void *trace_grow(void *old, uint64_t count, size_t size)
{
    void *bigger = realloc(old, count * size);
    if (!bigger)
        check_machine("out of memory");
    return bigger;
}

static inline uint64_t *trace_slot(struct trace *t, const struct agent *at, const struct call *call)
{
    uint32_t index = call_index(at->simulation, call);
    if (index >= t->calls) {
        t->calls = index * 2 + 64;
        t->of_call = trace_grow(t->of_call, t->calls, sizeof *t->of_call);
    }
    return &t->of_call[index];
}

static inline void trace_arrive(void *context, const struct agent *at, const struct call *call)
{
    struct trace *t = context;
    if (strcmp(at->node_name, t->node))
        return;
    if (t->count == t->room) {
        t->room = t->room * 2 + 1024;
        t->visits = trace_grow(t->visits, t->room, sizeof *t->visits);
    }
    *trace_slot(t, at, call) = t->count;
    t->visits[t->count++] = (struct visit){.op_id = call->op_id,
                                           .arrive = simulation_now(at->simulation),
                                           .work = -1,
                                           .at = at->index,
                                           .operation = call->operation};
}

static inline void trace_serve(void *context, const struct agent *at, const struct call *call,
                               int64_t work_ns)
{
    struct trace *t = context;
    if (strcmp(at->node_name, t->node))
        return;
    struct visit *v = &t->visits[*trace_slot(t, at, call)];
    v->work = work_ns;
    v->serve = simulation_now(at->simulation);
    v->rank = t->served++;
}

static inline void trace_leave(void *context, const struct agent *at, const struct call *call)
{
    struct trace *t = context;
    if (strcmp(at->node_name, t->node))
        return;
    struct visit *v = &t->visits[*trace_slot(t, at, call)];
    v->leave = simulation_now(at->simulation);
    v->left = true;
}

static inline struct observer trace_observer(struct trace *t)
{
    return (struct observer){t, trace_arrive, trace_leave, trace_serve};
}

static inline void trace_free(struct trace *t)
{
    free(t->visits);
    free(t->of_call);
}

/* ---- the source: `count` operations, one after each gap, kinds of operation dealt by a draw ----
 */

struct source_config {
    struct distribution gap; /* ns */
    int64_t grid;            /* ns: gaps are whole multiples of it; at least 1 */
    uint64_t count;
    struct pool to;
};

static inline void source_next(struct agent *a, uint64_t number)
{
    const struct source_config *config = a->configs[0];
    uint64_t draw = stream_next(agent_stream(a, STREAM_ARRIVALS));
    int64_t gap = distribution_ns(&config->gap, draw) / config->grid * config->grid;
    if (number < config->count)
        timer_after(a, gap, 0, number);
}

static inline void source_start(struct agent *a)
{
    source_next(a, 0);
}

static inline void source_tick(struct agent *a, uint32_t tag, uint64_t number)
{
    (void)tag;
    const struct source_config *config = a->configs[0];
    uint32_t operations = a->simulation->blueprint->operation_count;
    struct call *c = call_begin(a, number);
    c->operation = (uint8_t)(call_draw(c, a, DRAW_OPERATION) % operations);
    call_to(c, a, pool_pick(&config->to, a), 0, 0);
    call_await(c, a, 1, TIME_NONE);
    source_next(a, number + 1);
}

static inline void source_step(struct agent *a, struct call *c)
{
    call_free(c, a);
}

static inline void source_settle(struct agent *a, struct call *parent, struct call *child)
{
    (void)a, (void)parent, (void)child;
}

static const struct metric_table source_metrics = {0};
static const struct kind source_kind = {
    .name = "source",
    .summary = "Begins operations and waits for their answers.",
    .semantics = "For tests.",
    .tables = {&source_metrics},
    .config_size = sizeof(struct source_config),
    .start = source_start,
    .step = source_step,
    .settle = source_settle,
    .tick = source_tick,
};

/* Plays a world until nothing is left to happen: the source has ended and everybody has left. */
static inline void trace_play(struct world *w, uint64_t seed, struct trace *t)
{
    struct observer observer = trace_observer(t);
    struct simulation_options options = {.observer = &observer};
    struct simulation *s = simulation_create(&w->blueprint, seed, 1, &options);
    simulation_start(s);
    CHECK(!simulation_advance(s, w->blueprint.duration));
    CHECK(!simulation_totals(s).live);
    simulation_close(s);
    simulation_check_identities(s);
    simulation_free(s);
}

#endif
