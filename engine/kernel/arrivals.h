/* Arrival processes: when a client's requests begin. A process is a list of segments, each from its
 * start to exactly the next one's; a plain process is one segment from 0 on. The configuration is
 * read-only and shared; what a client instance has reached stands in its `arrivals_state`.
 *
 *     struct arrivals_segment s = {0};
 *     arrivals_make_poisson(&s, 200, 200, &why) && arrivals_make(&arrivals, arena, &s, 1, &why);
 *     arrivals_begin(&arrivals, &state);
 *     int64_t at_ns = arrivals_next(&arrivals, &state, &stream);
 *
 * constant, and batches with a constant gap, begin at the start of their segment, all others after
 * one gap. The zeroed process has no arrivals. Rates are per second, times in ns. */
#ifndef ORRERY_KERNEL_ARRIVALS_H
#define ORRERY_KERNEL_ARRIVALS_H

#include "engine/kernel/arena.h"
#include "engine/kernel/distribution.h"
#include "engine/kernel/random.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ARRIVALS_NEVER INT64_MAX

enum arrivals_kind {
    ARRIVALS_NONE,
    ARRIVALS_POISSON,
    ARRIVALS_CONSTANT,
    ARRIVALS_BATCHES,
    ARRIVALS_MMPP,
    ARRIVALS_TRACE,
};

struct arrivals_segment {
    enum arrivals_kind kind;
    int64_t start_ns;     /* set by the caller after making; 0 for a plain process */
    int64_t ramp_end_ns;  /* likewise: until then the rate goes from rate to rate_to, linearly, and
                             stays there; 0: no ramp, the rate is `rate` (must equal rate_to) */
    int64_t end_ns;       /* set by arrivals_make: the next start, or ARRIVALS_NEVER */
    double rate, rate_to; /* per second; mmpp: of its two states */
    double hold_ns;       /* mmpp: mean time in a state */
    struct distribution gap; /* batches: between two of them, in ns */
    uint64_t batch;          /* batches: arrivals in each; 0: geometric */
    double mean_batch;       /* batches: mean arrivals in each */
    const int64_t *times_ns; /* trace: ascending, from the segment's start */
    size_t count;
};

struct arrivals {
    const struct arrivals_segment *segments;
    size_t count;
};

/* How a fault changes the load of a client: from at_ns[i] on `factor[i]` > 0 times the rate, before
 * the first instant the rate itself. Instants ascend. */
struct load {
    const int64_t *at_ns;
    const double *factor;
    uint32_t count;
};

struct arrivals_state {
    const struct load *load; /* NULL: none */
    double load_factor;      /* where `load_next` - 1 has led to */
    double load_plain;       /* measure of the segment up to there, without the factors */
    double load_measure;     /* and with them */
    uint32_t load_next;      /* the next change */
    size_t segment;          /* the one that is being played */
    int64_t base_ns;         /* its start */
    double gap_ns;           /* mean gap while a Poisson process of one rate is played, else 0 */
    double mass;             /* rate integrated over the segment up to the last arrival */
    double mass_end;         /* the same up to the segment's end */
    double pending;          /* unit exponential not yet used up by the segments so far */
    double at_ns;            /* batches, mmpp: what the segment has reached, from its start */
    double switch_ns;        /* mmpp: end of the present state */
    uint64_t index;          /* arrivals of this segment so far */
    bool second;             /* mmpp: in the second state */
    bool entered, has_pending;
};

/* Each fills everything but start_ns and ramp_end_ns, which it zeroes. False and a sentence in *why
 * when the parameters are impossible. `from` == `to` unless there is a ramp. */
bool arrivals_make_poisson(struct arrivals_segment *s, double from, double to, const char **why);
bool arrivals_make_constant(struct arrivals_segment *s, double from, double to, const char **why);
bool arrivals_make_batches(struct arrivals_segment *s, uint64_t batch,
                           const struct distribution *gap_ns, const char **why);
/* The size of each is geometric, 1 or more, with this mean >= 1. */
bool arrivals_make_geometric_batches(struct arrivals_segment *s, double mean,
                                     const struct distribution *gap_ns, const char **why);
bool arrivals_make_mmpp(struct arrivals_segment *s, double first, double second, double hold_ns,
                        const char **why);
bool arrivals_make_trace(struct arrivals_segment *s, struct arena *arena, const int64_t *times_ns,
                         size_t count, const char **why);

/* Puts `count` >= 1 segments together, which it copies into the arena. Starts must ascend; a ramp
 * must end before the next segment starts; before the first start nothing arrives. */
bool arrivals_make(struct arrivals *arrivals, struct arena *arena,
                   const struct arrivals_segment *segments, size_t count, const char **why);

void arrivals_begin(const struct arrivals *arrivals, struct arrivals_state *state);

/* Right after arrivals_begin: `load` (or NULL), which must outlive the state. Under a load a
 * process with a rate has the rate times the factor at every instant; of the others - batches,
 * mmpp, trace - the time itself runs so many times as fast within each item of a profile. Items
 * begin and end when the profile says. */
void arrivals_load(struct arrivals_state *state, const struct load *load);

int64_t arrivals_next_slowly(const struct arrivals *arrivals, struct arrivals_state *state,
                             struct stream *stream);

/* The absolute time of the next arrival, never before the last one; ARRIVALS_NEVER when there is
 * none any more. A Poisson process with rate over time L'(t) has its arrivals where L(t) reaches
 * the sums of unit exponentials, one draw an arrival, so changed rates keep the draws paired. */
static inline int64_t arrivals_next(const struct arrivals *arrivals, struct arrivals_state *state,
                                    struct stream *stream)
{
    if (LIKELY(state->gap_ns > 0)) {
        double unit = random_exponential(stream_next(stream));
        double mass = state->mass + unit;
        if (LIKELY(mass < state->mass_end)) {
            state->mass = mass;
            return state->base_ns + (int64_t)(mass * state->gap_ns + 0.5);
        }
        state->pending = unit;
        state->has_pending = true;
    }
    return arrivals_next_slowly(arrivals, state, stream);
}

/* The mean number of arrivals per second in [from_ns, to_ns), from < to; mmpp by its long-run mean,
 * batches by their mean gap. */
double arrivals_mean_rate(const struct arrivals *arrivals, int64_t from_ns, int64_t to_ns);

#endif
