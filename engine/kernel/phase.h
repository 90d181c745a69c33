/* Phases: the time before, in and after the strikes of a fault, as sets of windows. In every
 * replication a fault strikes when it does, so a phase is a set of its own in each.
 *
 *     until F            up to the first strike; all of W where there is none
 *     during F           while a strike lasts
 *     after F            after the first strike has begun, while none lasts
 *     within T after F   from T after the begin of a strike on, up to the begin of the next one
 *
 * All are drawn in to W. The first three share W out: every instant of it lies in exactly one. */
#ifndef ORRERY_KERNEL_PHASE_H
#define ORRERY_KERNEL_PHASE_H

#include "engine/kernel/window.h"

enum phase_kind {
    PHASE_DURING,
    PHASE_UNTIL,
    PHASE_AFTER,
    PHASE_WITHIN,
};

struct phase {
    enum phase_kind kind;
    uint32_t fault;   /* index into the faults of the blueprint; PHASE_NO_FAULT: there is none */
    int64_t delay_ns; /* T of PHASE_WITHIN */
};
enum { PHASE_NO_FAULT = UINT32_MAX };

/* The windows of a phase, given all strikes of its fault in one replication, in any order, `end`
 * >= `begin`. W is `measured`. In `arena`. */
struct window_set phase_windows(struct arena *arena, const struct phase *phase,
                                const struct window *strikes, uint32_t count,
                                struct window measured);

#endif
