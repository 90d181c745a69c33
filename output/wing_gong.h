/* Linearizability by search, for histories that the zones cannot judge: values that come twice,
 * failed compare-and-sets that tell something, values that grow by appends. Wing and Gong, 1993,
 * "Testing and verifying concurrent objects", with Lowe's memory of what has been tried (set of
 * operations done, state), 2017, "Testing for linearizability". Exponential at worst: so it has a
 * budget of steps, and may answer that it does not know. */
#ifndef ORRERY_OUTPUT_WING_GONG_H
#define ORRERY_OUTPUT_WING_GONG_H

#include "output/history.h"

enum linearizable { LINEARIZABLE_YES, LINEARIZABLE_NO, LINEARIZABLE_UNKNOWN };

struct wing_gong {
    uint32_t initial;  /* text: the value at the begin */
    bool cas_mismatch; /* a failed compare-and-set saw another value; else it tells nothing */
    uint64_t budget;   /* steps at most */
    uint64_t steps;    /* taken */
    uint32_t longest;  /* most operations that were put in an order */
    uint32_t stuck;    /* line of the operation that fitted nowhere then; 0: none */
};

/* Judges one key of a history. A precedes B where it completed before B was invoked; equal instants
 * are concurrent. The texts of a value that grows are added to the history. */
enum linearizable wing_gong_judge(struct wing_gong *w, struct history *history, uint32_t key);

#endif
