#include "engine/kernel/arrivals.h"

#include "engine/kernel/arithmetic.h"
#include "engine/kernel/check.h"

#include <math.h>
#include <string.h>

#define NS_PER_S 1e9
#define FAR_NS 0x1p62 /* 146 years: an arrival beyond it never comes */

static bool refuse(const char **why, const char *sentence)
{
    *why = sentence;
    return false;
}

static bool rate_ok(double rate, const char **why)
{
    if (!(rate >= 0 && rate <= 1e12))
        return refuse(why, "a rate must lie between 0/s and 1000000000000/s");
    return true;
}

bool arrivals_make_poisson(struct arrivals_segment *s, double from, double to, const char **why)
{
    if (!rate_ok(from, why) || !rate_ok(to, why))
        return false;
    *s = (struct arrivals_segment){.kind = ARRIVALS_POISSON, .rate = from, .rate_to = to};
    return true;
}

bool arrivals_make_constant(struct arrivals_segment *s, double from, double to, const char **why)
{
    if (!arrivals_make_poisson(s, from, to, why))
        return false;
    s->kind = ARRIVALS_CONSTANT;
    return true;
}

bool arrivals_make_batches(struct arrivals_segment *s, uint64_t batch,
                           const struct distribution *gap_ns, const char **why)
{
    if (!batch)
        return refuse(why, "a batch must hold at least one request");
    if (!(distribution_mean(gap_ns) > 0))
        return refuse(why, "the time between batches must be above 0");
    *s = (struct arrivals_segment){
        .kind = ARRIVALS_BATCHES, .gap = *gap_ns, .batch = batch, .mean_batch = (double)batch};
    return true;
}

bool arrivals_make_geometric_batches(struct arrivals_segment *s, double mean,
                                     const struct distribution *gap_ns, const char **why)
{
    if (!(mean >= 1) || !(mean < 1e9))
        return refuse(why, "a batch holds at least one request, on average too");
    if (!arrivals_make_batches(s, 1, gap_ns, why))
        return false;
    s->batch = 0;
    s->mean_batch = mean;
    return true;
}

bool arrivals_make_mmpp(struct arrivals_segment *s, double first, double second, double hold_ns,
                        const char **why)
{
    if (!rate_ok(first, why) || !rate_ok(second, why))
        return false;
    if (!(hold_ns >= 1) || !(hold_ns < FAR_NS))
        return refuse(why, "the time in each state must be above 0");
    *s = (struct arrivals_segment){
        .kind = ARRIVALS_MMPP, .rate = first, .rate_to = second, .hold_ns = hold_ns};
    return true;
}

bool arrivals_make_trace(struct arrivals_segment *s, struct arena *arena, const int64_t *times_ns,
                         size_t count, const char **why)
{
    for (size_t i = 0; i < count; i++) {
        if (times_ns[i] < 0 || times_ns[i] > DISTRIBUTION_NS_MAX)
            return refuse(why, "a recorded time must not be negative");
        if (i && times_ns[i] < times_ns[i - 1])
            return refuse(why, "recorded times must not go back");
    }
    int64_t *copy = arena_array(arena, count, int64_t);
    if (count)
        memcpy(copy, times_ns, count * sizeof *copy);
    *s = (struct arrivals_segment){.kind = ARRIVALS_TRACE, .times_ns = copy, .count = count};
    return true;
}

static bool rated(const struct arrivals_segment *s)
{
    return s->kind == ARRIVALS_POISSON || s->kind == ARRIVALS_CONSTANT;
}

static bool segment_ok(const struct arrivals_segment *s, const char **why)
{
    bool has_rate = rated(s);
    if (s->start_ns < 0 || s->start_ns > DISTRIBUTION_NS_MAX)
        return refuse(why, "a profile must not start before time 0");
    if (!s->ramp_end_ns)
        return has_rate && s->rate != s->rate_to
                   ? refuse(why, "a rate from a to b needs a time from t1 to t2")
                   : true;
    if (!has_rate)
        return refuse(why, "only poisson and constant can go from one rate to another");
    if (s->ramp_end_ns <= s->start_ns)
        return refuse(why, "a ramp must end after it starts");
    if (s->ramp_end_ns > s->end_ns)
        return refuse(why, "a ramp must end before the next item of the profile starts");
    return true;
}

bool arrivals_make(struct arrivals *arrivals, struct arena *arena,
                   const struct arrivals_segment *segments, size_t count, const char **why)
{
    if (!count)
        return refuse(why, "a profile needs at least one item");
    struct arrivals_segment *copy = arena_array(arena, count, struct arrivals_segment);
    for (size_t i = 0; i < count; i++) {
        copy[i] = segments[i];
        copy[i].end_ns = i + 1 < count ? segments[i + 1].start_ns : ARRIVALS_NEVER;
        if (copy[i].end_ns <= copy[i].start_ns)
            return refuse(why, "the items of a profile must start one after the other");
        if (!segment_ok(&copy[i], why))
            return false;
    }
    *arrivals = (struct arrivals){.segments = copy, .count = count};
    return true;
}

/* ---- rates over time; all times from the segment's start ---- */

static double span_of(const struct arrivals_segment *s)
{
    return s->end_ns == ARRIVALS_NEVER ? FAR_NS : (double)(s->end_ns - s->start_ns);
}

static double ramp_of(const struct arrivals_segment *s)
{
    return s->ramp_end_ns ? (double)(s->ramp_end_ns - s->start_ns) : 0.0;
}

/* The integral of the rate over [0, t]. */
static double mass_at(const struct arrivals_segment *s, double t)
{
    double ramp = ramp_of(s), a = s->rate / NS_PER_S, b = s->rate_to / NS_PER_S;
    if (t < ramp)
        return t * (a + 0.5 * (b - a) * (t / ramp));
    return 0.5 * (a + b) * ramp + b * (t - ramp);
}

/* Where that integral reaches `mass`, which lies below its value at the segment's end. On the ramp
 * the root of a t + (b - a) t^2 / (2 ramp) = mass in the form that does not cancel. */
static double time_of_mass(const struct arrivals_segment *s, double mass)
{
    double ramp = ramp_of(s), a = s->rate / NS_PER_S, b = s->rate_to / NS_PER_S;
    double of_ramp = 0.5 * (a + b) * ramp;
    if (mass >= of_ramp)
        return ramp + (mass - of_ramp) / b;
    if (mass <= 0)
        return 0.0;
    double under = a * a + 2.0 * (b - a) * (mass / ramp);
    return 2.0 * mass / (a + arithmetic_sqrt(under > 0 ? under : 0.0));
}

/* ---- load: a measure of the segment - mass where it has a rate, else time - grows faster ---- */

static double measure_at(const struct arrivals_segment *s, double t)
{
    return rated(s) ? mass_at(s, t) : t;
}

/* The time from the segment's start of the next change of the load; beyond its end: none. */
static double next_change(const struct arrivals_segment *s, const struct arrivals_state *state)
{
    const struct load *load = state->load;
    if (state->load_next >= load->count)
        return 2 * FAR_NS;
    return (double)(load->at_ns[state->load_next] - s->start_ns);
}

static void change_load(const struct arrivals_segment *s, struct arrivals_state *state, double t)
{
    double plain = measure_at(s, t);
    state->load_measure += state->load_factor * (plain - state->load_plain);
    state->load_plain = plain;
    state->load_factor = state->load->factor[state->load_next++];
}

/* Goes to the segment's start: the factor there is that of the last change before. */
static void enter_load(const struct arrivals_segment *s, struct arrivals_state *state)
{
    state->load_factor = 1.0;
    while (next_change(s, state) <= 0)
        state->load_factor = state->load->factor[state->load_next++];
}

/* The measure with the factors over the whole segment. */
static double loaded_end(const struct arrivals_segment *s, const struct arrivals_state *state)
{
    struct arrivals_state ahead = *state;
    double span = span_of(s);
    while (next_change(s, &ahead) < span)
        change_load(s, &ahead, next_change(s, &ahead));
    return ahead.load_measure + ahead.load_factor * (measure_at(s, span) - ahead.load_plain);
}

/* When the measure with the factors reaches `measure`, which never goes back. */
static double loaded_time(const struct arrivals_segment *s, struct arrivals_state *state,
                          double measure)
{
    for (;;) {
        double change = next_change(s, state);
        double plain = state->load_plain + (measure - state->load_measure) / state->load_factor;
        if (change >= span_of(s) || plain < measure_at(s, change))
            return rated(s) ? time_of_mass(s, plain) : plain;
        change_load(s, state, change);
    }
}

/* ---- one segment: each gives the time from its start, or -1 when its end comes first ---- */

static double unit_exponential(struct arrivals_state *state, struct stream *stream)
{
    if (!state->has_pending)
        return random_exponential(stream_next(stream));
    state->has_pending = false;
    return state->pending;
}

static double next_poisson(const struct arrivals_segment *s, struct arrivals_state *state,
                           struct stream *stream)
{
    double mass = state->mass + unit_exponential(state, stream);
    if (!(mass < state->mass_end)) {
        state->pending = mass - state->mass_end;
        state->has_pending = true;
        return -1.0;
    }
    state->mass = mass;
    if (state->load)
        return loaded_time(s, state, mass);
    if (s->rate == s->rate_to) {
        state->gap_ns = NS_PER_S / s->rate; /* from here on arrivals_next finds its way alone */
        return mass * state->gap_ns;
    }
    return time_of_mass(s, mass);
}

static double next_constant(const struct arrivals_segment *s, struct arrivals_state *state)
{
    double k = (double)state->index;
    if (!(k < state->mass_end))
        return -1.0;
    state->index++;
    if (state->load)
        return loaded_time(s, state, k);
    return s->rate == s->rate_to ? k * NS_PER_S / s->rate : time_of_mass(s, k);
}

/* After every arrival the batch ends with the probability 1 / mean. */
static double next_in_geometric_batch(const struct arrivals_segment *s,
                                      struct arrivals_state *state, struct stream *stream)
{
    bool first = state->index++ == 0, constant = s->gap.kind == DISTRIBUTION_CONSTANT;
    if (!first && !random_chance(stream_next(stream), 1 / s->mean_batch))
        return state->at_ns;
    if (constant && !first)
        state->at_ns += s->gap.value;
    else if (!constant)
        state->at_ns += distribution_sample(&s->gap, stream_next(stream));
    return state->at_ns;
}

static double next_in_batch(const struct arrivals_segment *s, struct arrivals_state *state,
                            struct stream *stream)
{
    bool constant = s->gap.kind == DISTRIBUTION_CONSTANT;
    uint64_t batches = state->index / s->batch;
    if (state->index++ % s->batch == 0) {
        if (constant)
            state->at_ns = (double)batches * s->gap.value;
        else
            state->at_ns += distribution_sample(&s->gap, stream_next(stream));
    }
    return state->at_ns;
}

/* The rate of the present state, integrated until it reaches a unit exponential. */
static double next_mmpp(const struct arrivals_segment *s, struct arrivals_state *state,
                        struct stream *stream)
{
    double unit = random_exponential(stream_next(stream));
    double span = state->load ? loaded_end(s, state) : span_of(s);
    while (state->at_ns < span) {
        double rate = (state->second ? s->rate_to : s->rate) / NS_PER_S;
        double until_switch = rate * (state->switch_ns - state->at_ns);
        if (unit < until_switch) {
            state->at_ns += unit / rate;
            return state->at_ns;
        }
        unit -= until_switch;
        state->at_ns = state->switch_ns;
        state->second = !state->second;
        state->switch_ns += s->hold_ns * random_exponential(stream_next(stream));
    }
    return -1.0;
}

static double next_recorded(const struct arrivals_segment *s, struct arrivals_state *state)
{
    return state->index < s->count ? (double)s->times_ns[state->index++] : -1.0;
}

static double next_in_segment(const struct arrivals_segment *s, struct arrivals_state *state,
                              struct stream *stream)
{
    switch (s->kind) {
    case ARRIVALS_NONE:
        return -1.0;
    case ARRIVALS_POISSON:
        return next_poisson(s, state, stream);
    case ARRIVALS_CONSTANT:
        return next_constant(s, state);
    case ARRIVALS_BATCHES:
        return s->batch ? next_in_batch(s, state, stream)
                        : next_in_geometric_batch(s, state, stream);
    case ARRIVALS_MMPP:
        return s->rate > 0 || s->rate_to > 0 ? next_mmpp(s, state, stream) : -1.0;
    case ARRIVALS_TRACE:
        return next_recorded(s, state);
    }
    CHECK(!"a kind of arrivals");
    return -1.0;
}

static void enter(const struct arrivals_segment *s, struct arrivals_state *state,
                  struct stream *stream)
{
    *state = (struct arrivals_state){.segment = state->segment,
                                     .base_ns = s->start_ns,
                                     .load = state->load,
                                     .pending = state->pending,
                                     .has_pending = state->has_pending,
                                     .entered = true};
    if (state->load)
        enter_load(s, state);
    state->mass_end = state->load ? loaded_end(s, state) : mass_at(s, span_of(s));
    if (s->kind == ARRIVALS_MMPP)
        state->switch_ns = s->hold_ns * random_exponential(stream_next(stream));
}

void arrivals_begin(const struct arrivals *arrivals, struct arrivals_state *state)
{
    CHECK(arrivals->count == 0 || arrivals->segments != NULL);
    *state = (struct arrivals_state){0};
}

void arrivals_load(struct arrivals_state *state, const struct load *load)
{
    state->load = load;
}

int64_t arrivals_next_slowly(const struct arrivals *arrivals, struct arrivals_state *state,
                             struct stream *stream)
{
    while (state->segment < arrivals->count) {
        const struct arrivals_segment *s = &arrivals->segments[state->segment];
        if (!state->entered)
            enter(s, state, stream);
        double at = next_in_segment(s, state, stream);
        if (state->load && at >= 0 && !rated(s))
            at = loaded_time(s, state, at);
        if (at >= 0 && at < span_of(s)) {
            int64_t rounded = s->start_ns + (int64_t)(at + 0.5);
            return rounded < s->end_ns ? rounded : s->end_ns - 1;
        }
        state->segment++;
        state->entered = false;
        state->gap_ns = 0;
    }
    return ARRIVALS_NEVER;
}

/* ---- what validate prints ---- */

static double expected_in(const struct arrivals_segment *s, double from, double to)
{
    double count = 0.0;
    switch (s->kind) {
    case ARRIVALS_NONE:
        return 0.0;
    case ARRIVALS_POISSON:
    case ARRIVALS_CONSTANT:
        return mass_at(s, to) - mass_at(s, from);
    case ARRIVALS_BATCHES:
        return s->mean_batch / distribution_mean(&s->gap) * (to - from);
    case ARRIVALS_MMPP:
        return 0.5 * (s->rate + s->rate_to) / NS_PER_S * (to - from);
    case ARRIVALS_TRACE:
        for (size_t i = 0; i < s->count; i++)
            count += (double)s->times_ns[i] >= from && (double)s->times_ns[i] < to;
        return count;
    }
    CHECK(!"a kind of arrivals");
    return 0.0;
}

double arrivals_mean_rate(const struct arrivals *arrivals, int64_t from_ns, int64_t to_ns)
{
    CHECK(from_ns < to_ns);
    double count = 0.0;
    for (size_t i = 0; i < arrivals->count; i++) {
        const struct arrivals_segment *s = &arrivals->segments[i];
        int64_t from = from_ns > s->start_ns ? from_ns : s->start_ns;
        int64_t to = to_ns < s->end_ns ? to_ns : s->end_ns;
        if (from < to)
            count += expected_in(s, (double)(from - s->start_ns), (double)(to - s->start_ns));
    }
    return count / ((double)(to_ns - from_ns) / NS_PER_S);
}
