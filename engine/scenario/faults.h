/* `faults:` of a scenario: the table of actions, of choices and of keys, which parser, manual and
 * schema share. A fault is a map with one action, `<action>: WHOM`, perhaps `by: HOW MUCH`, and
 * when:
 *
 *     - {at: 60s, for: 20s, crash: web.2}
 *     - {every: 10min, for: 5s, partition: minority of n, clients: with n.1}
 *     - {mtbf: exp(1h), mttr: exp(5min), loss: az1 <-> az2, by: 20%, name: noise}              */
#ifndef ORRERY_SCENARIO_FAULTS_H
#define ORRERY_SCENARIO_FAULTS_H

#include "engine/kernel/blueprint.h"
#include "engine/kernel/field.h"
#include "engine/scenario/bind.h"
#include "engine/scenario/settings.h"

enum { FAULT_STRIKES_MAX = 100000 }; /* of one fault in one replication, as expected */

enum fault_target {
    TARGET_PLACES,  /* a set of instances */
    TARGET_CLIENTS, /* the same, clients only */
    TARGET_NODE,    /* a whole node, no client */
    TARGET_LINKS,   /* `a <-> b`, `a -> b`, `default`, or a set: all its links */
    TARGET_ANY,     /* links where an arrow or `default` says so, else places */
    TARGET_SIDES,   /* `a | b`, `a -> b`, a choice, or a set */
};

enum fault_amount {
    AMOUNT_NONE,
    AMOUNT_FACTOR, /* x4 */
    AMOUNT_SHARE,  /* 20% */
    AMOUNT_TIME,   /* a distribution: 300ms, normal(50ms 10ms) */
    AMOUNT_CLOCK,  /* -500ms, 200ppm, strobe(200ms 10ms) */
    AMOUNT_CHANGE, /* +2, -1 */
};

/* One action. */
struct fault_word {
    const char *name;
    enum fault_action what;
    enum fault_target target;
    enum fault_amount amount;
    const char *whom, *by; /* for the manual: "links", "%"; by NULL: takes none */
    const char *summary;
};

/* One way to choose members of a set, `<name> of A`. */
struct fault_choice {
    const char *name;
    enum fault_pick pick;
    uint32_t least; /* members the set must have */
    bool split;     /* of partitions only */
    const char *summary;
};

/* The keys of a fault that are typed like a node's, and which of them the user wrote. */
struct fault_settings {
    int64_t at, every, duration;
    struct distribution mtbf, mttr;
    uint8_t crash_answer; /* 0: silence, 1: reset */
    bool has_at, has_every, has_for, has_mtbf, has_mttr, has_crash_answer;
};

extern const struct fault_word fault_words[];     /* ends with a name of NULL */
extern const struct fault_choice fault_choices[]; /* ends with a name of NULL */
extern const struct field_table settings_fault;
extern const struct settings_key settings_fault_keys[];

/* A change in the number of instances, `+2` or `-1`: not 0; or false. */
bool fault_change_read(const char *text, int32_t *change);

/* WHOM: fills sets, shape and, for TARGET_ANY, whether links are meant. False after an error. */
bool fault_target_read(struct binder *binder, const struct fault_word *word,
                       const struct node *value, struct blueprint_fault *fault);

/* `clients: with ADDRESS | both` of a partition that has been read. */
bool fault_target_clients(struct binder *binder, const struct node *value,
                          struct blueprint_fault *fault);

/* HOW MUCH. `value` may be NULL: not written. False after an error. */
bool fault_amount_read(struct binder *binder, const struct fault_word *word,
                       const struct node *action, const struct node *value,
                       struct blueprint_fault *fault);

#endif
