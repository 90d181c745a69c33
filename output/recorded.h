/* The judgement of a recorded history, key by key: linearizability by zones where every value is
 * written once, by search elsewhere; and what sessions are promised, as far as times prove it. */
#ifndef ORRERY_OUTPUT_RECORDED_H
#define ORRERY_OUTPUT_RECORDED_H

#include "output/history.h"
#include "output/wing_gong.h"

struct recorded_options {
    const char
        *initial;      /* the value of every key at the begin; NULL: `nil`, or "" where appended */
    bool cas_mismatch; /* see wing_gong.h */
    uint64_t budget;   /* steps of the search in all */
};

struct recorded_key {
    enum linearizable verdict;
    bool searched;      /* else by zones */
    uint32_t line;      /* of the first operation that fits nowhere; 0: all fit */
    uint32_t longest;   /* searched, not linearizable: operations that fit before it */
    uint64_t anomalies; /* zones: operations that are to be left out, counted greedily */
    /* Reads of a session that had acknowledged writes of the key, and had read it, before; those
     * that returned a value that had been overwritten by then. 0 where values come twice. */
    uint64_t own_reads, own_violations, again_reads, again_violations;
    bool sessions; /* the four were judged */
};

/* keys: [history->key_count], written. */
void recorded_judge(struct history *history, const struct recorded_options *options,
                    struct recorded_key *keys);

#endif
