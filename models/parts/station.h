/* A station: slots, a queue before them and a discipline; the only owner of work. Service, load
 * balancer and whatever else works on calls embed one in their durable state.
 *
 * The life of a visit, told by the return values of station_enter and station_wake:
 *
 *     enter --> waits --> works --> DONE  (hold: work; the slot is free again)
 *        |        |         |`----> DONE  (hold: request; the slot is kept until station_release)
 *        |        |         `<--> waits   (preempted, goes on with what was left)
 *        |        `-------> LEFT          (patience: CALL_ABANDONED is set)
 *        `----------------> LEFT          (no place, or shed: CALL_REJECTED is set)
 *
 * One whose deadline has come is not begun: it leaves with CALL_ABANDONED, at its arrival or when
 * its turn has come. One that is dropped from the queue is woken by an event at the same instant.
 *
 * The demand is drawn once per visit, at its arrival, from the request: nanoseconds at speed 1. At
 * another speed work takes demand / speed, rounded to the nearest nanosecond each time it is taken
 * up. Patience counts from the arrival until a slot is had for the first time and uses the call's
 * own timer, which is free because a call in a station awaits nothing.
 *
 * Under `usl` those at work slow one another down: each of N goes at 1 / (1 + alpha (N - 1) + beta
 * N (N - 1)) of the speed, from every change of N on; `service` then tells how long it took. Under
 * `time_per_busy` a request's work is longer by so much for each at work when it first begins,
 * itself included, and stays so; its `slowdown` is over the demand without that.
 *
 * Ties: the queue is in order of arrival among equals, also for those that were preempted; the one
 * in service stays when a newcomer is equal. `random` picks evenly among all that wait each time a
 * slot falls free, from the agent's stream `policy`. */
#ifndef ORRERY_MODELS_PARTS_STATION_H
#define ORRERY_MODELS_PARTS_STATION_H

#include "engine/kernel/distribution.h"
#include "engine/kernel/simulation.h"
#include "models/parts/ranking.h"

enum station_discipline {
    STATION_FIFO,
    STATION_LIFO,
    STATION_RANDOM,
    STATION_PRIORITY,
    STATION_PREEMPTIVE_PRIORITY,
    STATION_SHORTEST_REMAINING,
    STATION_PROCESSOR_SHARING,
    STATION_ADAPTIVE_LIFO,
};

enum station_hold { STATION_HOLD_WORK, STATION_HOLD_REQUEST };
enum station_on_timeout { STATION_CONTINUES, STATION_CANCELS };

/* Slots, queue, discipline and hold are read from the first operation's configuration; the others
 * from that of the visit's operation. */
struct station_config {
    uint64_t slots;               /* COUNT_UNLIMITED: everyone works at once */
    uint64_t queue;               /* places beyond the slots */
    struct distribution time;     /* ns */
    struct distribution patience; /* ns; the constant 0: none */
    double priority;
    double fail;        /* 0..1 */
    double alpha, beta; /* of the universal scalability law; of no meaning without has_usl */
    bool has_usl;
    int64_t time_per_busy; /* ns of more work for each at work when one begins, itself included */
    uint64_t lifo_above;   /* adaptive_lifo: waiting, beyond which the newest goes first */
    uint64_t shed_places;
    int64_t shed_target_ns, shed_interval_ns;
    uint8_t discipline, hold;
    uint8_t on_timeout; /* read by the core, by its name */
    uint8_t shed;       /* enum shed_policy */
};

/* For a kind's table of includes, all at the offset of its station_config: one of the first two,
 * and the rest. */
extern const struct field_table station_slots_one;       /* `slots`, default 1 */
extern const struct field_table station_slots_unlimited; /* `slots`, default unlimited */
extern const struct field_table station_fields;
extern const struct field_table station_crowd; /* `usl`, `time_per_busy`: for machines */

enum station_metric {
    STATION_WAIT,
    STATION_SERVICE,
    STATION_SLOWDOWN,
    STATION_VISITS,       /* hidden: visits that were served or abandoned */
    STATION_WAITED_COUNT, /* hidden: those of them that waited */
    STATION_WAITED,
    STATION_ARRIVALS,    /* hidden */
    STATION_EMPTY_COUNT, /* hidden: arrivals that found no one */
    STATION_SEEN_EMPTY,
    STATION_QUEUE_LENGTH,
    STATION_IN_SYSTEM,
    STATION_BUSY,
    STATION_WORKING,
    STATION_SLOTS,     /* hidden: as configured; 0 where unlimited, so that shares of it are NaN */
    STATION_AVAILABLE, /* hidden: the same while up */
    STATION_UTILIZATION,
    STATION_UTILIZATION_UP,
    STATION_SHED_COUNT, /* hidden */
    STATION_SHED,
    STATION_EXPIRED_COUNT, /* hidden */
    STATION_EXPIRED,
    STATION_CANCELLED,
    STATION_METRICS,
};
extern const struct metric_table station_metrics;

/* What the station remembers of a visit; MUST stand at the start of the kind's frame. */
struct station_visit {
    int64_t demand_ns; /* drawn; at speed 1 */
    int64_t left_ns;   /* of the demand, when it was last interrupted */
    int64_t since_ns;  /* when the present waiting or working began */
    int64_t waited_ns; /* before the present state */
    uint64_t order;    /* of arrival at the station */
    uint32_t place;    /* index in the ranking, or in the array of those that wait */
    uint32_t before;   /* fifo, lifo: the call in front, 0: none */
    uint8_t state;     /* enum station_state */
    bool served;       /* it has had a slot */
    bool again;        /* at work once more in the slot it holds */
};

enum station_state {
    STATION_AWAY,
    STATION_WAITS,
    STATION_WORKS,
    STATION_HOLDS,
    STATION_DROPPED, /* out of the queue unserved, and about to be woken */
};

struct station {
    struct place_part part;              /* first: the place hands it back */
    struct agent *agent;                 /* NULL: never started */
    const struct station_config *config; /* of the first operation */
    size_t config_offset;                /* of the station_config in a kind's configuration */
    struct record *record;               /* of station_metrics */
    const int64_t *now;                  /* the simulation's clock */
    bool plain;                          /* fifo under `hold: work`: the short way through */
    bool watchful;                       /* it may leave requests undone: models/parts/shed.h */
    bool separate;                       /* slots at work are other than slots taken */
    double speed;                        /* at which what is at work was taken up */
    bool paused;
    bool contended; /* those at work slow one another down: their finishes stand in `serving` */
    uint64_t slots;
    uint64_t taken;   /* slots: at work or kept; under processor sharing everyone inside */
    uint64_t working; /* at work */
    uint64_t waiting;
    uint64_t order;         /* arrivals so far */
    uint32_t head, tail;    /* fifo, lifo: intrusive list of those that wait */
    struct ranking queue;   /* priorities and shortest remaining; random: a plain array */
    struct ranking serving; /* preemptive: the worst first; sharing: the first to finish */
    /* Processor sharing: work everyone inside has attained since the station was last idle, in
     * 2^-40 ns of demand; true at the instant `attained_at`, in 2^-40 ns. */
    ranking_key attained;
    ranking_key attained_at;
    struct call *next;   /* the call with a work event */
    int64_t standing_ns; /* when the queue was empty last; watchful stations only */
};

enum station_outcome {
    STATION_KEPT, /* the station keeps the call and wakes it later */
    STATION_DONE, /* its own work is done; the kind goes on with it */
    STATION_LEFT, /* it is to be answered with fail: rejected or abandoned */
};

/* The part is the station's first member. */
static inline struct station *station_of_part(struct place_part *part)
{
    return (struct station *)(void *)part;
}

static inline struct station_visit *station_visit(struct call *c)
{
    return call_frame(c);
}
static inline const struct station_visit *station_visit_const(const struct call *c)
{
    return (const void *)((const unsigned char *)(c + 1) + sizeof(struct call_tail));
}

static inline const struct station_config *station_config(const struct station *st,
                                                          const struct call *c)
{
    const unsigned char *base = st->agent->configs[c->operation];
    return (const void *)(base + st->config_offset);
}

/* What work that begins now is longer by, for the number at work, itself included (ns). */
static inline int64_t station_crowd_ns(const struct station *st)
{
    return st->config->time_per_busy * (int64_t)(st->working + 1);
}

/* Called by the kind's `start`. `table` is the index of station_metrics among the agent's records;
 * `offset` of the station_config in the kind's configuration. */
void station_start(struct station *station, struct agent *agent, uint32_t table, size_t offset);

/* A call that has just arrived. */
enum station_outcome station_enter(struct station *station, struct call *call);

/* The same with other work than the configured `time`. */
enum station_outcome station_enter_work(struct station *station, struct call *call,
                                        const struct distribution *work);

/* Whether a call keeps a slot although its work is done (`hold: request`). */
static inline bool station_holds(struct call *call)
{
    return station_visit(call)->state == STATION_HOLDS;
}

/* A call that keeps its slot works in it once more: `work_ns` at speed 1. */
enum station_outcome station_work_again(struct station *station, struct call *call,
                                        int64_t work_ns);

/* A call with CALL_IN_STATION was woken (WORKED or TIMEOUT). */
enum station_outcome station_wake(struct station *station, struct call *call);

void station_release_slot(struct station *station, struct call *call);
bool station_coin(const struct station *station, const struct call *call, double share);

/* Gives the slot back that a call under `hold: request` has kept; nothing happens where it keeps
 * none. Called before the call is answered or freed. */
static inline void station_release(struct station *station, struct call *call)
{
    if (UNLIKELY(station_visit(call)->state == STATION_HOLDS))
        station_release_slot(station, call);
}

/* The accounts of a visit that its caller has taken back (WAKE_CANCELLED), before it is answered.
 */
void station_cancel(struct station *station, struct call *call);

/* The coin of `fail` for this visit. */
static inline bool station_fails(const struct station *station, const struct call *call)
{
    double share = station_config(station, call)->fail;
    return UNLIKELY(share > 0) && station_coin(station, call, share);
}

/* Whether a call has no work here and keeps no slot, so that it need not ask for one. */
static inline bool station_is_idle(const struct station *station, const struct call *call)
{
    const struct distribution *time = &station_config(station, call)->time;
    return time->kind == DISTRIBUTION_CONSTANT && time->value < 0.5 &&
           station->config->hold == STATION_HOLD_WORK;
}

/* Whether any operation may leave the queue unserved. */
bool station_has_patience(const struct station *station);

/* True where calls of this configuration pass without cost: no work and no limit. */
bool station_passes(const struct station_config *config);

/* Why this configuration cannot be, or NULL. */
const char *station_check(const struct station_config *config);

/* Mean own work (ns at speed 1) and slots (INFINITY: unlimited), for kind_load. */
double station_work_ns(const struct station_config *config);
double station_slots(const struct station_config *config);

#endif
