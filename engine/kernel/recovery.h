/* How long clients need to recover from every strike: the time from its begin until throughput and
 * p99 latency are back within a tenth of what they were before it.
 *
 * Fed with the ok answers of all clients, in order of time. Precisely, for a strike that begins at
 * b inside W = [a, e):
 *   before    the answers that came in [f, b), f the last end of a strike up to b, or a: n of them.
 *             Fewer than 100 tell nothing, and then the strike is left out.
 *   bins      [b + i w, b + (i + 1) w), w the least of 100, 200, 500 ms, 1 s, 2 s .. in which 200
 *             answers came before on average; those that end by u, where the strike's aftermath
 *             ends: at the begin of the next strike of any fault that begins after b and not before
 *             its own end, or at e. Fewer than two tell nothing.
 *   good      a bin with at least 0.9 n w / (b - f) answers, of which at most 1 % took longer than
 *             1.1 times the p99 of those before: throughput and p99 are within a tenth, or better.
 *   recovered at the begin of the first two good bins in a row; 0 where the first two are.
 * A fault that strikes several times in a replication takes the longest of them; one strike that is
 * never recovered from makes it never. */
#ifndef ORRERY_KERNEL_RECOVERY_H
#define ORRERY_KERNEL_RECOVERY_H

#include "engine/kernel/strike.h"
#include "engine/kernel/window.h"

struct recovery;

/* In `arena`, but for a histogram that recovery_end or recovery_free gives back. `strikes` are
 * sorted by begin. */
struct recovery *recovery_begin(struct arena *arena, const struct strike *strikes, uint32_t count,
                                struct window measured);

/* An ok answer that came at `now_ns` (never before the last one) after `latency_ns`. */
void recovery_answer(struct recovery *r, int64_t now_ns, int64_t latency_ns);

/* No answers come any more before the end of W. Once. */
void recovery_end(struct recovery *r);

/* Gives back what does not stand in the arena; of a run that was stopped too. */
void recovery_free(struct recovery *r);

/* How long a fault's strikes took (ns), INT64_MAX for never; false where they tell nothing. After
 * recovery_end. */
bool recovery_of(const struct recovery *r, uint32_t fault, int64_t *taken_ns);

/* Where the aftermath of a strike ends, drawn in to W. */
int64_t recovery_until(const struct strike *strikes, uint32_t count, uint32_t strike,
                       struct window measured);

#endif
