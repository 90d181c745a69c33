/* A blueprint: one point of a scenario, complete and typed, from which simulations are made. The
 * loader writes it from YAML; tests write it in C. It is read-only while simulations run, shared by
 * all threads, and holds no pointer into a simulation. */
#ifndef ORRERY_KERNEL_BLUEPRINT_H
#define ORRERY_KERNEL_BLUEPRINT_H

#include "engine/kernel/distribution.h"
#include "engine/kernel/field.h"
#include "engine/kernel/kind.h"
#include "engine/kernel/phase.h"
#include "engine/kernel/record.h"

#include <stdbool.h>
#include <stdint.h>

enum { OPERATIONS_MAX = 250, ZONE_NONE = -1 };

/* The operation of a message that only asks whether a machine is there: answered by the place that
 * it reaches, at once and unseen by its agents. */
enum { OPERATION_PROBE = 255 };
#define LINK_GIVE_UP_NS INT64_C(60000000000) /* until the sender of a lost message is told */

/* Types of operations (LANGUAGE: `type`). */
enum operation_type {
    OPERATION_READ,
    OPERATION_WRITE,
    OPERATION_INSERT,
    OPERATION_UPDATE,
    OPERATION_CAS,
    OPERATION_DELETE,
    OPERATION_SCAN,
    OPERATION_TRANSACTION,
    OPERATION_SEND,
    OPERATION_LOGIN,
    OPERATION_LOGOUT,
    OPERATION_UNTYPED, /* a name that is no type and reaches no store */
};

struct operation {
    const char *name;
    enum operation_type type;
};

/* What every instance of every kind has beside its kind's configuration. */
struct instance {
    const void *const *configs; /* [operation count]: the kind's configuration for each operation */
    double weight;              /* > 0; share in weighted pools */
    double speed;               /* > 0; divides every service time */
    int64_t price;              /* 1e-9 USD an hour, from the order to the end */
    int32_t zone;               /* index, or ZONE_NONE */
    bool percentiles;           /* its own percentiles are asked for */
};

/* So many instances are wanted from an instant on. */
struct scaling_point {
    int64_t at; /* ns >= 0, ascending */
    uint32_t count;
};

/* How the number of a node's instances follows its load: engine/kernel/scaler.h. Exactly one of
 * target, in_system and schedule is set. */
struct scaling {
    double target;    /* utilization aimed at, 0..1; 0: not set */
    double in_system; /* requests aimed at for each instance; 0: not set */
    const struct scaling_point *schedule;
    uint32_t schedule_count;
    uint32_t min, max; /* 1 <= min <= max */
    int64_t period;    /* ns between two looks */
    int64_t start_up;  /* ns from the order of an instance to its first request */
    int64_t cooldown;  /* ns after a change in which none is taken away */
};

struct blueprint_node {
    const char *name;
    const struct kind *kind;
    uint32_t count;                /* >= 1: those that can ever be */
    uint32_t present;              /* those that are there from the start; 0: all */
    bool routed;                   /* its instances are one to callers: kind->route picks */
    const struct scaling *scaling; /* or NULL */
    uint32_t first;                /* index of the first instance's agent; instances follow */
    const struct instance *instances;
};

/* One end of a link rule, most general first: the larger, the more specific. */
enum link_end {
    LINK_ANY,
    LINK_ZONE,     /* id: zone */
    LINK_NODE,     /* id: node */
    LINK_INSTANCE, /* id: agent */
};

/* The properties of a one-way link. */
struct link_config {
    struct distribution latency; /* ns, one way */
    double bandwidth;            /* bytes per second; 0: unlimited */
    double loss;                 /* share of messages, 0..1 */
    double duplicate;            /* share of messages */
    double reorder;              /* share of messages that take a second latency on top */
    uint64_t queue;              /* messages that wait for the bandwidth at most; COUNT_UNLIMITED */
    bool stream;                 /* loss becomes retransmission: see link.c */
    int64_t give_up; /* ns until the sender of a lost message is told; LINK_GIVE_UP_NS */
};

enum link_key {
    LINK_LATENCY = 1,
    LINK_BANDWIDTH = 2,
    LINK_LOSS = 4,
    LINK_DUPLICATE = 8,
    LINK_GIVE_UP = 16,
    LINK_REORDER = 32,
    LINK_QUEUE = 64,
    LINK_TRANSPORT = 128,
};

/* Applies to every ordered pair (from, to) it matches; a pair takes each key from the most specific
 * rule (largest sum of ends) that sets it, the rest from the defaults (latency 0, no limits,
 * give_up 60 s, messages). Two rules of equal specificity that set the same key for a pair are
 * refused by the loader. */
struct link_rule {
    enum link_end from, to;
    uint32_t from_id, to_id;
    uint32_t keys; /* enum link_key: which ones it sets */
    struct link_config config;
};

enum fault_action {
    FAULT_CRASH,
    FAULT_RESTART, /* an instant: what is down comes up, what is up crashes and comes back */
    FAULT_PAUSE,
    FAULT_SLOW, /* places: work takes `factor` times as long */
    FAULT_PARTITION,
    FAULT_SLOW_LINK, /* latency times `factor`, bandwidth over it */
    FAULT_LOSS,
    FAULT_DELAY,
    FAULT_DUPLICATE,
    FAULT_REORDER,
    FAULT_HOLD, /* what would arrive meanwhile arrives at the end */
    FAULT_CLOCK,
    FAULT_LOAD, /* clients: `factor` times the arrivals or users */
    FAULT_SCALE,
    FAULT_FLUSH, /* an instant: caches are empty */
};

/* Which of a set's members are struck; all but PICK_ALL and PICK_HALVES are drawn anew for every
 * strike. With n members a minority is (n - 1) / 2 of them, rounded down, a majority the rest, and
 * a third (n - 1) / 3 rounded down. */
enum fault_pick {
    PICK_ALL,
    PICK_ONE,
    PICK_MINORITY,
    PICK_MAJORITY,
    PICK_MINORITY_THIRD,
    PICK_SOME,            /* any subset but the empty one, all as likely */
    PICK_HALVES,          /* the first n / 2, rounded down, as written */
    PICK_RANDOM_HALVES,   /* as many at random */
    PICK_UNIFORM_SIZE,    /* 1 to n - 1, each number as likely */
    PICK_UNIFORM,         /* each member by a coin; perhaps none */
    PICK_BRIDGE,          /* partitions only: two random halves, one member sees both */
    PICK_MAJORITIES_RING, /* partitions only: each sees a majority, no two the same */
    /* Roles in a group, known only when the fault strikes: `agents` are then the machines of its
     * members, one for each. */
    PICK_LEADERS,
    PICK_FOLLOWERS, /* the members that do not lead */
};

struct fault_set {
    enum fault_pick pick;
    const uint32_t *agents; /* indices, each once, in the order written */
    uint32_t count;         /* >= 1 */
    uint32_t group;         /* node; of PICK_LEADERS and PICK_FOLLOWERS */
};

/* Whether whom it means is known only when it strikes. */
static inline bool fault_set_aims(const struct fault_set *set)
{
    return set->pick == PICK_LEADERS || set->pick == PICK_FOLLOWERS;
}

/* What a fault of links or a partition does with its sets. */
enum fault_shape {
    SHAPE_BETWEEN, /* every side against every other one, both ways */
    SHAPE_ONE_WAY, /* from the first side to the second */
    SHAPE_WITHIN,  /* the chosen members of the one set against its others; a partition's */
    SHAPE_AROUND,  /* the one set against everybody else, both ways */
    SHAPE_EVERY,   /* every link; no set */
};

/* One fault, as written and as resolved. A fault strikes at `at` and, with `every`, each time that
 * has passed again; or, `random`, whenever `mtbf` has passed since the last repair (the first time:
 * since `at`). It ends `duration` after its begin, or after a draw of `mttr`. */
struct blueprint_fault {
    const char *name;   /* never NULL; "f1", "f2" .. by its place in the file where none is given */
    const char *action; /* as written: "crash" */
    const char *target; /* as written: "n.1 | n.2 n.3" */
    const char *amount; /* as written: "x4"; "" where there is none */
    enum fault_action what;
    int64_t at;                     /* ns >= 0 */
    int64_t every;                  /* ns; 0: once */
    int64_t duration;               /* ns; INT64_MAX: to the end */
    bool random;                    /* by `mtbf` */
    bool repaired;                  /* by `mttr` instead of `duration` */
    struct distribution mtbf, mttr; /* ns */
    const struct fault_set *sets;   /* places, clients: one; else by `shape` */
    uint32_t set_count;
    enum fault_shape shape;
    bool sided;            /* partition: all clients stand where `clients_with` does */
    uint32_t clients_with; /* agent */
    const struct fault_set
        *clients_of;           /* instead of clients_with: the first in this role; or NULL */
    double factor;             /* slow, slow link, load: > 0; loss, duplicate, reorder: 0..1;
                                  clock: drift, 200 ppm = 0.0002 */
    struct distribution delay; /* delay: ns on top */
    int64_t bump;              /* clock: ns, either sign; strobe: how far to and fro */
    int64_t period;            /* clock: ns between two jumps of a strobe; 0: no strobe */
    int32_t change;            /* scale: instances more (+) or fewer (-) */
    bool reset;                /* crash: callers are told at once */
};

struct blueprint {
    const struct operation *operations;
    uint32_t operation_count;           /* >= 1 */
    const struct blueprint_node *nodes; /* in order of name: they start in this order */
    uint32_t node_count;
    uint32_t agent_count;  /* sum of counts */
    const uint32_t *hosts; /* [agent]: on whose place it lives (itself: its own), or NULL: all do */
    const char *const *zones;
    uint32_t zone_count;
    const struct link_rule *links;
    uint32_t link_count;
    const struct blueprint_fault *faults; /* in the order of the file */
    uint32_t fault_count;
    const struct window *windows; /* [0] is W = [warmup, duration) */
    uint32_t window_count;
    const struct phase *phases; /* further windows, which differ with the strikes of every run */
    uint32_t phase_count;
    bool spans;              /* keep SPAN metrics: always where there are faults */
    int64_t duration;        /* ns */
    int64_t drain;           /* ns: longest cool-down after the duration */
    int64_t series_interval; /* ns; 0: none */
    bool history, leaders;   /* history.csv, leaders.csv are asked for */
    uint64_t in_flight;      /* calls alive at once; beyond, the design diverges */
};

/* Whether some node uses a key of this name in some operation (field_used). */
bool blueprint_uses(const struct blueprint *blueprint, const char *key);

/* Whether one of the keys in `when` is used (struct metric, in metric.h). */
bool blueprint_measures(const struct blueprint *blueprint, const struct blueprint_node *node,
                        const char *when);

/* Told of the calls of one visit: `times` of them on average, to one of `to`, as operation `as`
 * (OPERATION_SAME: the one that came in). Returns the mean time (ns) of one, its links included. */
enum { OPERATION_SAME = UINT32_MAX };
struct load_visitor {
    void *context;
    enum operation_type type; /* of the operation that came in */
    double (*call)(void *context, const struct pool *to, double times, uint32_t as);
};

/* What `orrery validate` needs of a kind to predict the load of its nodes. Every function gets the
 * configuration of one operation. */
struct kind_load {
    double (*work_ns)(const void *config); /* mean own work of one visit; before `speed` */
    /* The same by type of operation; where not NULL, it is asked instead. */
    double (*work_of_ns)(const void *config, enum operation_type type);
    double (*slots)(const void *config);              /* INFINITY: unlimited */
    const struct pool *(*target)(const void *config); /* where a visit goes on to; NULL: nowhere */
    bool (*weighted)(const void *config); /* true: the pool is shared by weight, else evenly */
    bool (*adaptive)(const void *config); /* true: by what its members can do; NULL: never */
    bool (*near)(const void *config); /* true: among those of the own zone, if any; NULL: never */
    double (*attempts)(const void *config); /* calls to `target` for each visit (retries); >= 0 */
    double (*offered)(const void *config, int64_t from_ns, int64_t to_ns, uint32_t operation);
    /* clients: operations/s; INFINITY: closed loop */
    /* How visits go over `target`, for people: part of a sentence, in `text`; NULL: as all do. */
    const char *(*spread)(const void *config, char *text, size_t size);
    /* Where a visit makes several calls; NULL, or else instead of `target`, `weighted`, `attempts`:
     * tells `visitor` of each and returns the mean time (ns) of the visit after its own `time`. 0
     * calls told and a negative time: this configuration has no steps, look at `target`. */
    double (*walk)(const void *config, double speed, const struct load_visitor *visitor);
};

#endif
