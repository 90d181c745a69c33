/* What strikes do to places and clients. The begins and ends of all strikes are events that are
 * pushed before anything else, so that a fault comes first at its instant; of two faults at one
 * instant the one that ends comes before the one that begins.
 *
 * Faults of one place may overlap. It is down while any crash lasts that has begun since it last
 * came up, so that a `restart` ends them all; paused while any pause lasts that has struck the
 * process that runs now, since a crash takes the paused process away; and slow by the product of
 * the factors. A crash or a pause of what is down already waits for nothing: the first keeps it
 * down, the second does nothing. Clocks belong to the machine: what bumps and drifts have done
 * outlives a crash, a bump is taken back when its fault ends, and what a drift has gained stays. */
#include "engine/kernel/arrivals.h"
#include "engine/kernel/mechanism.h"
#include "engine/kernel/scaler.h"

#include <stdlib.h>

enum strike_phase { STRIKE_BEGIN, STRIKE_JUMP, STRIKE_END };

static const struct blueprint_fault *fault_of(const struct simulation *s,
                                              const struct strike *strike)
{
    return &s->blueprint->faults[strike->fault];
}

/* ---- one place ---- */

static void crash_begin(struct simulation *s, struct place *place, bool reset)
{
    if (place->up)
        place->resets = reset;
    place_crash(s, place->index);
}

static void restart(struct simulation *s, struct place *place, bool reset)
{
    crash_begin(s, place, reset);
    place_restart(s, place->index);
}

/* The product of the factors, or the sum of the drifts, of the faults of a kind that concern a
 * place now. */
static double in_force(const struct simulation *s, const struct place *place,
                       enum fault_action what)
{
    double factor = 1, drift = 0;
    for (uint32_t i = 0; i < s->active_count; i++) {
        const struct strike *strike = &s->strikes[s->active[i]];
        const struct blueprint_fault *fault = fault_of(s, strike);
        for (uint32_t k = 0; fault->what == what && k < strike->agent_count; k++)
            if (s->agents[strike->agents[k]].place == place) {
                factor *= fault->factor;
                drift += fault->factor;
            }
    }
    return what == FAULT_CLOCK ? drift : factor;
}

static void clock_move(struct simulation *s, const struct place *place, int64_t by_ns)
{
    place_clock(s, place->index, by_ns, in_force(s, place, FAULT_CLOCK));
}

static void flush(struct simulation *s, const struct place *place)
{
    for (uint32_t i = 0; place->up && i < s->agent_count; i++)
        if (s->agents[i].place == place && s->agents[i].kind->flush)
            s->agents[i].kind->flush(&s->agents[i]);
}

static void place_struck(struct simulation *s, const struct blueprint_fault *fault,
                         struct place *place, uint32_t *mark)
{
    switch (fault->what) {
    case FAULT_CRASH:
        crash_begin(s, place, fault->reset);
        place->downs++;
        *mark = place->restarts;
        break;
    case FAULT_RESTART:
        restart(s, place, fault->reset);
        break;
    case FAULT_FLUSH:
        flush(s, place);
        break;
    case FAULT_PAUSE:
        *mark = place->up ? place->incarnation : place->incarnation - 1;
        if (place->up && !place->pauses++)
            place_pause(s, place->index);
        break;
    case FAULT_SLOW:
        place_slow(s, place->index, in_force(s, place, FAULT_SLOW));
        break;
    default:
        CHECK(fault->what == FAULT_CLOCK);
        *mark = 1;
        clock_move(s, place, fault->bump);
    }
}

static void place_freed(struct simulation *s, const struct blueprint_fault *fault,
                        struct place *place, const uint32_t *mark)
{
    switch (fault->what) {
    case FAULT_CRASH:
        if (*mark == place->restarts && !--place->downs)
            place_restart(s, place->index);
        break;
    case FAULT_PAUSE:
        if (*mark == place->incarnation && place->up && !--place->pauses)
            place_resume(s, place->index);
        break;
    case FAULT_SLOW:
        place_slow(s, place->index, in_force(s, place, FAULT_SLOW));
        break;
    case FAULT_CLOCK:
        clock_move(s, place, *mark ? -fault->bump : 0);
        break;
    default:
        CHECK(fault->what == FAULT_RESTART || fault->what == FAULT_FLUSH);
    }
}

/* ---- one strike ---- */

static void next_jump(struct simulation *s, uint32_t index)
{
    const struct strike *strike = &s->strikes[index];
    int64_t period = fault_of(s, strike)->period;
    if (period && s->queue.now < strike->end - period)
        event_push(&s->queue, s->queue.now + period, EVENT_STRIKE, index, STRIKE_JUMP);
}

static bool hits_places(const struct blueprint_fault *fault)
{
    return fault->what != FAULT_LOAD && fault->what != FAULT_SCALE;
}

static bool leads(void *context, uint32_t agent)
{
    const struct simulation *s = context;
    return s->agents[agent].kind->leads(&s->agents[agent]);
}

static void strike_begin(struct simulation *s, uint32_t index)
{
    struct strike *strike = &s->strikes[index];
    const struct blueprint_fault *fault = fault_of(s, strike);
    if (strike->aims)
        strike_aim(strike, s->blueprint, &s->arena, leads, s);
    s->active[s->active_count++] = index;
    s->marks[index] = arena_array(&s->arena, strike->agent_count, uint32_t);
    if (strike->cut_count)
        link_fault_begin(s, strike);
    for (uint32_t i = 0; hits_places(fault) && i < strike->agent_count; i++)
        place_struck(s, fault, s->agents[strike->agents[i]].place, &s->marks[index][i]);
    if (fault->what == FAULT_SCALE)
        scaler_change(s, s->agents[strike->agents[0]].node, fault->change);
    next_jump(s, index);
}

static void strike_end(struct simulation *s, uint32_t index)
{
    const struct strike *strike = &s->strikes[index];
    const struct blueprint_fault *fault = fault_of(s, strike);
    uint32_t at = 0;
    while (s->active[at] != index)
        at++;
    s->active_count--;
    for (; at < s->active_count; at++)
        s->active[at] = s->active[at + 1];
    if (strike->cut_count)
        link_fault_end(s, strike);
    for (uint32_t i = 0; hits_places(fault) && i < strike->agent_count; i++)
        place_freed(s, fault, s->agents[strike->agents[i]].place, &s->marks[index][i]);
    if (fault->what == FAULT_SCALE)
        scaler_change(s, s->agents[strike->agents[0]].node, -fault->change);
}

/* A strobing clock jumps back, or out again. */
static void strike_jump(struct simulation *s, uint32_t index)
{
    const struct strike *strike = &s->strikes[index];
    int64_t bump = fault_of(s, strike)->bump;
    for (uint32_t i = 0; i < strike->agent_count; i++) {
        uint32_t *out = &s->marks[index][i];
        clock_move(s, s->agents[strike->agents[i]].place, *out ? -bump : bump);
        *out = !*out;
    }
    next_jump(s, index);
}

void fault_dispatch(struct simulation *s, const struct event *event)
{
    static void (*const phases[])(struct simulation *, uint32_t) = {
        [STRIKE_BEGIN] = strike_begin, [STRIKE_JUMP] = strike_jump, [STRIKE_END] = strike_end};
    phases[event->argument](s, event->target);
}

/* ---- before the run ---- */

struct border {
    int64_t at_ns;
    uint32_t strike;
    uint16_t phase;
    uint16_t rank; /* at one instant: ends, begins, ends of what has only just begun */
};

static int by_time(const void *a, const void *b)
{
    const struct border *x = a, *y = b;
    if (x->at_ns != y->at_ns)
        return x->at_ns < y->at_ns ? -1 : 1;
    if (x->rank != y->rank)
        return x->rank < y->rank ? -1 : 1;
    return x->strike < y->strike ? -1 : x->strike > y->strike;
}

static void borders_push(struct simulation *s)
{
    struct border *borders = malloc((2 * (size_t)s->strike_count + 1) * sizeof *borders);
    uint32_t count = 0;
    if (!borders)
        check_machine("out of memory");
    for (uint32_t i = 0; i < s->strike_count; i++) {
        const struct strike *strike = &s->strikes[i];
        borders[count++] = (struct border){strike->begin, i, STRIKE_BEGIN, 1};
        if (strike->end != INT64_MAX)
            borders[count++] =
                (struct border){strike->end, i, STRIKE_END, strike->end > strike->begin ? 0 : 2};
    }
    qsort(borders, count, sizeof *borders, by_time);
    for (uint32_t i = 0; i < count; i++)
        event_push(&s->queue, borders[i].at_ns, EVENT_STRIKE, borders[i].strike, borders[i].phase);
    free(borders);
}

/* ---- load ---- */

static bool loads(const struct simulation *s, const struct strike *strike, uint32_t agent)
{
    if (fault_of(s, strike)->what != FAULT_LOAD)
        return false;
    for (uint32_t i = 0; i < strike->agent_count; i++)
        if (strike->agents[i] == agent)
            return true;
    return false;
}

/* The strikes of one agent that are on, while time goes over the borders. */
struct loading {
    const struct simulation *simulation;
    uint32_t agent, next; /* next: of all strikes */
    uint32_t *on, on_count;
};

/* The product of the factors at an instant, the instants ascending. */
static double load_at(struct loading *l, int64_t at_ns)
{
    const struct simulation *s = l->simulation;
    double factor = 1;
    uint32_t kept = 0;
    for (; l->next < s->strike_count && s->strikes[l->next].begin <= at_ns; l->next++)
        if (loads(s, &s->strikes[l->next], l->agent))
            l->on[l->on_count++] = l->next;
    for (uint32_t i = 0; i < l->on_count; i++)
        if (s->strikes[l->on[i]].end > at_ns) {
            factor *= fault_of(s, &s->strikes[l->on[i]])->factor;
            l->on[kept++] = l->on[i];
        }
    l->on_count = kept;
    return factor;
}

static int by_instant(const void *a, const void *b)
{
    const int64_t *x = a, *y = b;
    return *x < *y ? -1 : *x > *y;
}

/* The borders of the strikes that load an agent, with the factor that holds from each on. */
static void load_make(struct simulation *s, struct agent *agent)
{
    uint32_t count = 0, kept = 0;
    for (uint32_t i = 0; i < s->strike_count; i++)
        count += loads(s, &s->strikes[i], agent->index);
    if (!count)
        return;
    struct load *load = arena_new(&s->arena, struct load);
    int64_t *at = arena_array(&s->arena, 2 * (size_t)count, int64_t);
    double *factor = arena_array(&s->arena, 2 * (size_t)count, double);
    struct loading l = {.simulation = s, .agent = agent->index};
    l.on = arena_array(&s->arena, count, uint32_t);
    count = 0;
    for (uint32_t i = 0; i < s->strike_count; i++)
        if (loads(s, &s->strikes[i], agent->index)) {
            at[count++] = s->strikes[i].begin;
            at[count++] = s->strikes[i].end;
        }
    qsort(at, count, sizeof *at, by_instant);
    for (uint32_t i = 0; i < count; i++)
        if (at[i] != INT64_MAX && (!kept || at[i] != at[kept - 1])) {
            at[kept] = at[i];
            factor[kept++] = load_at(&l, at[i]);
        }
    *load = (struct load){.at_ns = at, .factor = factor, .count = kept};
    agent->load = load;
}

void fault_plan(struct simulation *s)
{
    if (!s->blueprint->fault_count)
        return;
    s->strikes = strikes_draw(s->blueprint, s->seed, s->replication, &s->arena, &s->strike_count);
    s->active = arena_array(&s->arena, s->strike_count, uint32_t);
    s->marks = arena_array(&s->arena, s->strike_count, uint32_t *);
    borders_push(s);
    for (uint32_t i = 0; i < s->agent_count; i++)
        if (s->agents[i].kind->flags & KIND_CLIENT)
            load_make(s, &s->agents[i]);
}
