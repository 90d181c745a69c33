/* The grammar inside a scalar: words, calls, ranges and sums.
 *
 *     exp(5ms)   uniform(1ms..9ms)   lognormal(p50=4ms p99=20ms)   5min..7min poisson(100/s..1k/s)
 *     mix(90% exp(1ms) + 10% exp(20ms))   hotspot(20% of 1M gets 80%)
 *
 * Arguments are separated by spaces. The tree holds offsets into the text, so that a caret can
 * point at an argument (document_place). */
#ifndef ORRERY_SCENARIO_CALL_H
#define ORRERY_SCENARIO_CALL_H

#include "engine/kernel/arena.h"

#include <stdbool.h>
#include <stdint.h>

enum { CALL_DEPTH_MAX = 16 };

enum call_type {
    CALL_WORD,  /* text: a name, number or operator: 5ms, round_robin, of */
    CALL_CALL,  /* text: the name; arguments */
    CALL_RANGE, /* a..b: two arguments */
    CALL_GROUP, /* several terms side by side: a term of a sum, or a text of several terms */
};

struct call {
    enum call_type type;
    const char *text;      /* WORD: the word; CALL: its name; RANGE, GROUP: as written */
    const char *parameter; /* `p50` of p50=4ms, or NULL */
    uint32_t offset;       /* of the term in the text, the parameter's name not included */
    uint32_t length;
    uint32_t parameter_offset;
    uint32_t count;
    bool sum; /* CALL: its arguments were joined by ` + `; each is a GROUP, also of one term */
    const struct call *arguments;
};

struct call_problem {
    char message[160];
    char hint[160];
    uint32_t offset, length; /* of the offending part of the text */
};

/* Reads the whole text: one term is returned as it is, several as a CALL_GROUP. NULL when it is not
 * of this grammar; `problem` tells why and must not be NULL. */
const struct call *call_parse(struct arena *arena, const char *text, struct call_problem *problem);

#endif
