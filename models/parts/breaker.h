/* A circuit breaker: one for each target of a caller.
 *
 *     CLOSED --too many errors--> OPEN --`open` has passed, next try--> HALF_OPEN
 *        ^                          ^                                      |
 *        |                          `------------ a probe failed ---------'|
 *        `----------------- all probes were answered ok -------------------'
 *
 * An error is every try that was not answered ok in time. What is answered while it is not closed
 * counts only where it is a probe. The share of errors is taken over a window that moves on in
 * tenths, as in Netflix's Hystrix. */
#ifndef ORRERY_MODELS_PARTS_BREAKER_H
#define ORRERY_MODELS_PARTS_BREAKER_H

#include "engine/kernel/field.h"

#include <stdbool.h>
#include <stdint.h>

enum breaker_errors { BREAKER_SHARE, BREAKER_CONSECUTIVE };

struct breaker_config {
    double share;         /* of the tries in the window */
    uint64_t consecutive; /* errors in a row */
    uint64_t calls;       /* BREAKER_SHARE: fewer in the window open nothing */
    int64_t window_ns, open_ns;
    uint64_t probes;
    uint8_t errors;
};

extern const struct field_table breaker_fields; /* of the record `breaker` */

enum breaker_state { BREAKER_CLOSED, BREAKER_OPEN, BREAKER_HALF_OPEN };
enum { BREAKER_PARTS = 10 };

/* Zero: closed. */
struct breaker {
    int64_t opened_ns;
    int64_t part; /* number of the present tenth of a window */
    uint32_t ok[BREAKER_PARTS], bad[BREAKER_PARTS];
    uint64_t in_a_row;       /* errors */
    uint64_t probes, passed; /* let out and answered ok since it is half open */
    uint8_t state;
};

/* Whether a try may go out at `now_ns`; *probe: it is one of the few that test the target. */
bool breaker_lets(struct breaker *breaker, const struct breaker_config *config, int64_t now_ns,
                  bool *probe);

/* What became of a try that went out. True where the breaker has just opened or opened again. */
bool breaker_learns(struct breaker *breaker, const struct breaker_config *config, int64_t now_ns,
                    bool probe, bool ok);

/* A probe that will never tell: another may go out in its place. */
void breaker_forgets(struct breaker *breaker);

#endif
