/* The mechanism: everything a simulated system does is calls that travel, wait, join, are answered,
 * lost or given up.
 *
 * A *place* is what faults hit: a machine or a process. An *agent* is a kind, its configuration and
 * its state, living on a place. A *call* is one pooled object that is message, activation and reply
 * in turn, with exactly one owner at any time:
 *
 *     call_to            arrives            call_reply           parent has seen it
 *   ---------> FLIGHT  ---------->  HELD  ------------>  BACK  --------------------> free
 *    (link)       \                  |  (agent)            \       (link)
 *                  \ lost, cut       | crash                \ lost, cut
 *                   `------------> LOST <-------------------'   ... give_up ... settles as info
 *
 * Return address: (parent index, parent generation, parent round). Generation differs: the parent
 * has gone. Round differs: the parent lives but awaits something newer. Either way the reply is
 * late and still reaches `settle`, exactly once for every child, as long as the calling place has
 * the same incarnation. No call waits for ever: a lost one stays with the core until the link gives
 * up.
 *
 *     struct simulation *s = simulation_create(&blueprint, seed, replication, NULL);
 *     simulation_start(s);
 *     while (simulation_advance(s, until_ns)) ...
 *     simulation_free(s);
 */
#ifndef ORRERY_KERNEL_SIMULATION_H
#define ORRERY_KERNEL_SIMULATION_H

#include "engine/kernel/arena.h"
#include "engine/kernel/blueprint.h"
#include "engine/kernel/check.h"
#include "engine/kernel/event.h"
#include "engine/kernel/probe.h"
#include "engine/kernel/random.h"
#include "engine/kernel/record.h"
#include "engine/kernel/strike.h"

#include <stdbool.h>
#include <stdint.h>

enum call_state { CALL_FREE, CALL_FLIGHT, CALL_HELD, CALL_BACK, CALL_LOST };

/* Three-valued: applied, certainly not applied, unknown. */
enum status { STATUS_OK, STATUS_FAIL, STATUS_INFO };

enum wake {
    WAKE_ARRIVED,   /* the request has come in (or the operation was begun) */
    WAKE_WORKED,    /* the station has finished the work */
    WAKE_JOINED,    /* enough children are ok */
    WAKE_SHORT,     /* the join can no longer succeed */
    WAKE_TIMEOUT,   /* the await's time is up */
    WAKE_CANCELLED, /* the caller has taken it back; to be answered or freed */
    WAKE_LOST,      /* a client's own operation, and its place has just crashed: account, free */
    WAKE_ABANDONED, /* it left a station's queue unserved (patience) */
    WAKE_REJECTED,  /* a station had no place for it */
};

enum call_flags {
    CALL_REJECTED = 1,    /* answered at once: no room */
    CALL_ABANDONED = 2,   /* left the queue unserved */
    CALL_LOCAL = 4,       /* a child on the same agent: no link */
    CALL_DUPLICATE = 8,   /* a copy made by a link */
    CALL_IN_STATION = 16, /* a station holds it: in its queue or at work */
    CALL_POST = 32,       /* has no parent and never had one */
    CALL_ANSWERED = 64,   /* its reply has gone already (call_answer); it lives on by itself */
    CALL_ORPHAN = 128,    /* the calling place has crashed: nobody is told of its end */
};

/* What travels with a request beside its line: bits of `traits`. */
enum request_trait {
    REQUEST_IDEMPOTENT = 1, /* it carries a key: what is done twice counts once */
    REQUEST_PEER = 2,       /* between the agents of a group: no visit of theirs */
    REQUEST_BATCH = 4,      /* it stands for several messages: engine/kernel/batch.h */
    REQUEST_ABSENT = 4,     /* told on the way back: there is nothing under this key */
};

/* Two cache lines, then the kind's frame. Line 0 is control; line 1, from op_id on, is the request
 * and is copied to every child. */
struct call {
    event_handle event;  /* flight, work or give-up; 0: none */
    event_handle timer;  /* the await's; 0: none */
    uint32_t generation; /* counts the lives of this object; never 0 for a live call */
    uint32_t parent;     /* index; 0: none */
    uint32_t parent_generation;
    uint32_t next;  /* list of whoever owns it: free list, a station's queue */
    uint32_t agent; /* where it is, or goes */
    uint32_t from;  /* where it came from: the caller's agent */
    uint16_t round, parent_round;
    uint16_t need, got, failed, sent; /* the join it waits for; need 0: waits for none */
    uint8_t state, status, wake, flags;
    uint16_t branch;  /* the caller's number for this child */
    uint16_t pc;      /* where a flow goes on */
    uint32_t sibling; /* next child of the same parent (for cancel) */

    uint64_t op_id; /* unique: the version it writes, idempotency id and draw key */
    uint64_t path;  /* tiers visited: three bits each by hash of the name (a Bloom filter) */
    uint64_t key;
    uint64_t version;
    int64_t deadline_ns;    /* 0: none */
    int64_t arrived_ns;     /* at the present agent */
    uint32_t session, size; /* size in bytes: of the request, then of the reply */
    uint32_t sub;           /* attempt, copy and branch, mixed: part of every draw */
    uint8_t operation, verb, traits, attempt;
};
_Static_assert(sizeof(struct call) == 128, "a call is two cache lines");

struct place;
struct link;
struct scaler;
struct simulation;
struct watch;
struct batches;

/* Something on a place that owns work in progress (a station): told of faults, which sweep. */
struct place_part {
    struct place_part *next;
    void (*pause)(struct place_part *part); /* work stops, keeps what is left */
    void (*resume)(struct place_part *part);
    void (*rescale)(struct place_part *part);                 /* the place's speed has changed */
    void (*crash)(struct place_part *part);                   /* forgets everything, wakes nobody */
    void (*drop)(struct place_part *part, struct call *call); /* one call is taken away */
};

struct place {
    const char *name; /* of its first agent: "web.2" */
    struct simulation *simulation;
    uint32_t index;
    uint32_t first_agent; /* index: names it in link rules */
    uint32_t incarnation; /* counts its crashes */
    bool up, paused;
    bool resets;            /* down, and answers callers at once that it is */
    uint32_t downs, pauses; /* faults that keep it down, or paused, now */
    uint32_t restarts;      /* counts how often it came up */
    int32_t zone;
    double speed; /* now: the configured one, divided by a `slow` fault */
    double configured_speed;
    int64_t clock_offset_ns;  /* bumps: of the wall clock only */
    int64_t clock_drifted_ns; /* what drift has added to both clocks up to clock_since_ns */
    int64_t clock_since_ns;
    double clock_drift;  /* of both clocks since then: 200 ppm = 0.0002 */
    struct arena memory; /* volatile: reset by a crash */
    struct place_part *parts;
    struct link **links; /* open addressing by destination place; owned */
    uint32_t link_room, link_used;
    struct event *deferred; /* events that came while paused, in order; owned */
    uint32_t deferred_count, deferred_room;
};

/* Purposes of draws. A request's draws and the agents' streams are named by them. Append only: the
 * numbers are part of every scenario's results. */
enum purpose {
    DRAW_SERVICE = 1, /* demand at a station */
    DRAW_LATENCY,     /* link delay of a request */
    DRAW_LATENCY_BACK,
    DRAW_LOSS,
    DRAW_LOSS_BACK,
    DRAW_DUPLICATE,
    DRAW_FAIL, /* the coin of `fail` */
    DRAW_PATIENCE,
    DRAW_BACKOFF,
    DRAW_OPERATION, /* a client's choices for an operation */
    DRAW_KEY,
    DRAW_SIZE,
    DRAW_SESSION,
    DRAW_THINK,
    DRAW_ORDER, /* place in a random-order queue */
    DRAW_REORDER,
    DRAW_REORDER_BACK,
    DRAW_DELAY, /* what a `delay` fault adds */
    DRAW_DELAY_BACK,
    DRAW_CHANCE,    /* the coin of a step */
    DRAW_LIFE,      /* of a session */
    DRAW_EXPIRY,    /* of a copy in a cache */
    DRAW_EARLY,     /* whether a read renews a copy before its expiry */
    DRAW_RIPENING,  /* until a message can be delivered */
    DRAW_ADMISSION, /* whether a value becomes a copy */
    STREAM_ARRIVALS = 64,
    STREAM_PICK, /* one of a pool, without a balancer */
    STREAM_POLICY,
    STREAM_FAULT,
    STREAM_LIFE,
    STREAM_COUNT_END,
};
enum { STREAM_FIRST = STREAM_ARRIVALS, STREAM_COUNT = STREAM_COUNT_END - STREAM_FIRST };

/* What every agent that holds calls of others measures; kept by the core. First table of a kind
 * that is visited: records[VISITS]. */
enum { VISITS = 0 };
enum visit_metric {
    VISIT_ARRIVALS,
    VISIT_DEPARTURES, /* left with an answer of the agent's own: not rejected, abandoned or lost */
    VISIT_THROUGHPUT,
    VISIT_LATENCY,
    VISIT_FAILED, /* hidden: arrivals answered with fail or info */
    VISIT_ERRORS,
    VISIT_REJECTED_COUNT,
    VISIT_REJECTED,
    VISIT_ABANDONED_COUNT,
    VISIT_ABANDONED,
    VISIT_LOST,
    VISIT_WASTED_COUNT, /* hidden: departures whose caller had gone or awaited something newer */
    VISIT_WASTED,
    VISIT_INSIDE,
    VISIT_UP_COUNT,  /* hidden: instances that are up */
    VISIT_INSTANCES, /* hidden: instances there are */
    VISIT_UP,
    VISIT_PRESENT, /* hidden: instances that are up and members of the pools that hold them */
    VISIT_PART,
    VISIT_IMBALANCE,
    VISIT_VARIATION,
    VISIT_LIVE,
    VISIT_PRICE, /* hidden: 1e-9 USD an hour of the instances that are paid for */
    VISIT_COST,
    VISIT_METRICS,
};
extern const struct metric_table visit_metrics;

/* The ends of a visit: answered by the agent itself, or not. */
enum visit_end { LEFT_DEPARTED, LEFT_REJECTED, LEFT_ABANDONED, LEFT_LOST, LEFT_ENDS };

/* What events read stands in the first two cache lines. The alignment makes the way from an index
 * to an agent a shift. */
struct agent {
    _Alignas(512) const struct kind *kind;
    struct simulation *simulation;
    struct level *inside; /* VISIT_INSIDE, calls it holds of others; NULL: no visit metrics */
    struct place *place;
    const void *const *configs; /* by operation */
    void *memory;               /* volatile_size bytes, zeroed by a crash */
    void *durable;              /* durable_size bytes */
    uint32_t index;
    bool gate;    /* its place is down or paused: look before acting */
    bool visited; /* keeps the visit metrics */
    bool member;  /* of the pools that hold it; not while it starts up, drains or is switched off */
    bool drains;  /* takes nothing new; the scaler is told when nothing is inside */
    bool cancels; /* it may take calls back: the core keeps a list of its calls' children */
    bool abandons; /* `on_timeout: cancel`: work whose caller has gone is taken back */
    bool aside;    /* a cache whose callers ask the store themselves */
    bool exists; /* the machine is there and on; else it has still to start, or was switched off */
    struct record *records[KIND_TABLES];
    uint64_t tier;      /* hash of the node's name */
    uint64_t tier_bits; /* its three bits in `path` */
    event_handle alarm; /* 0: not set */
    uint64_t alarm_argument;
    wide sojourn;          /* sum of |[arrive, leave) and W| in ns: Little's law, exactly */
    uint64_t id_base;      /* hash of seed, replication and the instance's name: for op_ids */
    uint64_t id_count;     /* posts so far */
    uint32_t node, number; /* number: 1 .. count */
    double weight;
    const struct load *load;      /* clients: how faults change their arrivals; NULL: they do not */
    uint64_t flow_out[LEFT_ENDS]; /* left in W without a departure */
    uint64_t inside_begin, inside_end;    /* calls inside at both ends of W */
    wide integral_begin, integral_end;    /* of `inside`, up to both ends of W */
    struct stream *streams[STREAM_COUNT]; /* opened at first use */
    const char *name;                     /* "web.2"; "web" where there is one */
    const char *node_name;
};

/* Told of what no CSV shows; for tests. Any member may be NULL. */
struct observer {
    void *context;
    void (*arrive)(void *context, const struct agent *at, const struct call *call);
    void (*leave)(void *context, const struct agent *at, const struct call *call);
    /* A station takes the call up with this much work (ns, at speed 1) for the first time. */
    void (*serve)(void *context, const struct agent *at, const struct call *call, int64_t work_ns);
};

/* What one run comes to, beside its records. */
struct simulation_totals {
    uint64_t events, calls_begun, live, live_max, late, dropped, duplicated, cancelled;
    uint64_t issued, ended; /* operations of clients */
    uint64_t fingerprint;   /* over all handled events */
    int64_t end_ns;         /* the clock when it stopped */
};

struct simulation {
    struct queue queue;
    unsigned char *pool; /* calls, 1 << `shift` bytes apart; index 0 is never used */
    uint32_t shift, pool_used, pool_room, free_head;
    uint32_t live;
    bool diverged;    /* more than blueprint.in_flight calls: no more events are handled */
    bool abandons;    /* some agent does */
    bool plain_links; /* no link has anything: every hop is at once */
    const struct blueprint *blueprint;
    struct agent *agents;
    struct place *places;
    uint32_t agent_count, place_count;
    struct link **link_table; /* [from][to], links used so far; NULL where there are many places */
    struct recorder *recorder;
    struct window window; /* W */
    const struct observer *observer;
    const struct probe *probe;
    struct arena arena;
    bool began, ended; /* both ends of W have passed */
    uint64_t seed;
    uint32_t replication;
    struct scaler **scalers; /* by node; NULL: nobody scales it */
    uint64_t membership;     /* moves with every `member`, crash and restart: views are old then */
    uint32_t absent;         /* agents that are no members */
    uint64_t observed_open;  /* observed operations that have not ended: the drain waits for them */
    struct simulation_totals totals;
    uint64_t observed_held; /* and what they have left behind, still to be done with: messages */
    struct timer *timers;   /* of agents; index 0 is never used; owned */
    uint32_t timer_used, timer_room, timer_free;
    struct strike *strikes; /* all of this replication, by begin; known before the start, but for
                               whom they hit by its role */
    uint32_t strike_count;
    uint32_t *active; /* strikes that have begun and not ended, in order of begin */
    uint32_t active_count;
    uint32_t **marks;        /* [strike][its agents]: the life of the place that it has hit */
    struct watch *watch;     /* NULL: nobody asks what clients feel of faults */
    struct batches *batches; /* NULL: there was none yet */
};

/* ---- making and running ---- */

struct simulation_options {
    const struct observer *observer; /* or NULL */
    const struct probe *probe;       /* or NULL */
};

/* A simulation at time 0, nothing started. Never NULL. `options` may be NULL. */
struct simulation *simulation_create(const struct blueprint *blueprint, uint64_t seed,
                                     uint32_t replication,
                                     const struct simulation_options *options);
void simulation_free(struct simulation *s);

/* Calls every agent's `start`, in order of index. Once. */
void simulation_start(struct simulation *s);

/* Handles every event up to and including `until_ns`. True while events are left beyond it. The
 * clock then stands at the last event handled. */
bool simulation_advance(struct simulation *s, int64_t until_ns);

/* The whole run: start, [0, duration), then the cool-down until every operation whose intended
 * start lies in W has ended or the drain is used up. `stop`, where not NULL, is looked at now and
 * then; a nonzero value ends the run early and returns false. False too when it diverged. */
bool simulation_run(struct simulation *s, const volatile int *stop);

/* The end of a run, once: every kind's `finish`, and the accounts of what is still inside. */
void simulation_close(struct simulation *s);

/* Exact identities, checked after a run: for every visited agent the integral of `inside` over W
 * equals the sum of its visits clipped to W, and arrivals = departures + rejected + abandoned +
 * lost
 * + inside at the end - inside at the beginning of W. Ends with CHECK where one is broken. */
void simulation_check_identities(struct simulation *s);

struct simulation_totals simulation_totals(const struct simulation *s);

/* A sentence that says why the run diverged: "N requests alive at t = 12.5 s, growing at web: this
 * design is unstable". Named is where most of them are, a request being where it waits for nobody
 * else's answer: at a node, at a client before it is sent, on the way. Lives in the simulation's
 * arena. */
const char *simulation_divergence(struct simulation *s);

/* Calls of others that the agent holds. */
static inline uint64_t agent_inside(const struct agent *agent)
{
    return agent->inside ? (uint64_t)agent->inside->value : 0;
}

static inline int64_t simulation_now(const struct simulation *s)
{
    return s->queue.now;
}

/* ---- for kinds: calls ---- */

static inline struct call *call_at(const struct simulation *s, uint32_t index)
{
    return (struct call *)(void *)(s->pool + ((uint64_t)index << s->shift));
}
static inline uint32_t call_index(const struct simulation *s, const struct call *c)
{
    return (uint32_t)((uint64_t)((const unsigned char *)c - s->pool) >> s->shift);
}
static inline struct agent *call_agent(const struct simulation *s, const struct call *c)
{
    return &s->agents[c->agent];
}
/* Behind the call: what only cancel messages and duplicates need. */
struct call_tail {
    uint32_t children; /* the youngest child that has not settled, of kinds with KIND_CANCELS */
    uint32_t twin;     /* the other copy a link has made; 0: none */
    uint64_t unused;
};
static inline struct call_tail *call_tail(struct call *c)
{
    return (struct call_tail *)(void *)(c + 1);
}
/* What the kind remembers of a call over an await: frame_size bytes, zeroed when the call arrives
 * or is begun, aligned to 16. */
static inline void *call_frame(struct call *c)
{
    return call_tail(c) + 1;
}

/* A new operation of `agent`'s own, HELD by it, with an op_id made of its name and `sequence`; no
 * parent. The request line is zero otherwise. The caller then runs its own step or awaits. */
struct call *call_begin(struct agent *agent, uint64_t sequence);

/* A child of `parent` on its way to agent `to`, with a copy of the parent's request line; the
 * caller may change the child's line (verb, key, size) before the event is handled, but `size` must
 * be set through `size` here because the link looks at it at once. `branch` is the caller's number
 * for it. */
struct call *call_to(struct call *parent, struct agent *from, uint32_t to, uint16_t branch,
                     uint32_t size);

/* A child on the agent itself: no link, no event; the agent's step is to be run by the caller. */
struct call *call_fork(struct call *parent, struct agent *agent, uint16_t branch);

/* A message without a parent: heartbeats, log shipping. */
struct call *call_post(struct agent *from, uint32_t to, uint32_t size);

/* The same with the request line of `request`, nobody awaits it. `salt` tells the messages of one
 * call apart: where the tier was visited before, they draw anew. */
struct call *call_send(struct call *request, struct agent *from, uint32_t to, uint32_t size,
                       uint32_t salt);

/* Waits until `need` children of this round are ok (JOINED), can no longer be (SHORT), or
 * `timeout_ns` of the place's monotonic clock have passed (TIMEOUT; TIME_NONE: never). need = 0
 * with a timeout is a pause (backoff): only TIMEOUT wakes it. */
void call_await(struct call *call, struct agent *agent, uint16_t need, int64_t timeout_ns);

/* A new round: earlier children become late. Cancels the timer. */
void call_round(struct call *call, struct agent *agent);

/* Answers: the same object travels back and belongs to the link from now on. `size` bytes. */
void call_reply(struct call *call, struct agent *agent, enum status status, uint32_t size);

/* Answers early with a copy; `call` lives on without a caller. */
void call_answer(struct call *call, struct agent *agent, enum status status, uint32_t size);

/* Ends a call without an answer: operations a client began itself, and posts. */
void call_free(struct call *call, struct agent *agent);

/* Work of a station: the call's step is woken with WORKED after `ns` of true time (>= 0), unless
 * call_stop comes first. One work event at a time. */
void call_work(struct call *call, struct agent *agent, int64_t ns);
void call_stop(struct call *call, struct agent *agent);

/* A timer of a call that awaits nothing (patience in a queue): TIMEOUT after `ns` of the place's
 * monotonic clock, unless call_timer_stop comes first. */
void call_timer(struct call *call, struct agent *agent, int64_t ns);
void call_timer_stop(struct call *call, struct agent *agent);

/* Takes the children with this branch back by a message to them, which takes the link's time and
 * may be lost. Only for agents with `cancels`; one that is still on its way is not reached. */
void call_cancel(struct call *parent, struct agent *agent, uint16_t branch);

/* The same for the children of the present round alone, and only at agents with `abandons`. */
void call_abandon(struct call *parent, struct agent *agent, uint16_t branch);

/* ---- for kinds: time, draws ---- */

/* The agent's `tick` with (tag, argument) after `ns` of its place's monotonic clock. */
void timer_after(struct agent *agent, int64_t ns, uint32_t tag, uint64_t argument);
/* The same at an instant of true time (arrival processes). */
void timer_at(struct agent *agent, int64_t at_ns, uint32_t tag, uint64_t argument);

/* The agent's one alarm: like timer_at, cheaper, and an earlier one that has not fired is taken
 * back. For what happens one at a time and often. `tag` < 65536. */
void alarm_at(struct agent *agent, int64_t at_ns, uint16_t tag, uint64_t argument);

int64_t clock_wall(const struct agent *agent);   /* ns; bumps and drift apply */
int64_t clock_steady(const struct agent *agent); /* ns; drift applies, bumps do not */

/* The draw of one request for one purpose at one tier: the same whatever policy sent it here. */
static inline uint64_t call_draw(const struct call *c, const struct agent *a, enum purpose purpose)
{
    uint64_t x =
        random_mix(c->op_id ^ (a->tier + (uint64_t)purpose * UINT64_C(0x9e3779b97f4a7c15)));
    return c->sub ? random_mix(x ^ ((uint64_t)c->sub * UINT64_C(0xd1b54a32d192ed03))) : x;
}

/* The agent's own stream for a purpose STREAM_..., named by the instance ("web.2"). */
struct stream *agent_stream(struct agent *agent, enum purpose purpose);

/* One of a pool's members, at random from the agent's stream `pick`; no draw where there is one. A
 * pool without any member is picked from as if all were. */
uint32_t pool_pick(const struct pool *pool, struct agent *agent);

/* Where a call that `agent` is about to send goes to: the same, or what a group says. */
static inline uint32_t pool_route(const struct pool *pool, struct agent *agent,
                                  const struct call *c)
{
    if (LIKELY(!pool->group))
        return pool_pick(pool, agent);
    uint32_t node = pool->group - 1;
    return agent->simulation->blueprint->nodes[node].kind->route(agent, node, c);
}

/* Takes an instance into the pools that hold it, or out of them. What it holds already it keeps. */
void member_set(struct agent *agent, bool member);

/* The mean latency (ns) of the links from one agent to another and back, as configured. */
double link_round_trip_ns(const struct agent *from, const struct agent *to);

/* Whether no partition cuts the link from one agent to another now. */
bool link_is_open(const struct agent *from, const struct agent *to);

/* ---- faults: they pay, traffic does not ---- */

void place_crash(struct simulation *s,
                 uint32_t place); /* calls it holds are lost, memory is reset */
void place_restart(struct simulation *s, uint32_t place);
void place_pause(struct simulation *s, uint32_t place);
void place_resume(struct simulation *s, uint32_t place);
void place_slow(struct simulation *s, uint32_t place, double factor); /* 4: four times as slow */
void place_clock(struct simulation *s, uint32_t place, int64_t bump_ns, double drift);
void link_cut(struct simulation *s, uint32_t from_place, uint32_t to_place); /* one way; counts */
void link_heal(struct simulation *s, uint32_t from_place, uint32_t to_place);

/* ---- flows: a step that reads like a program ----
 * Everything that lives over an AWAIT stands in the frame. No AWAIT inside another switch. */
#define FLOW_BEGIN(c)                                                                              \
    switch ((c)->pc) {                                                                             \
    case 0:;
#define AWAIT(c)                                                                                   \
    do {                                                                                           \
        (c)->pc = (uint16_t)__COUNTER__ + 1;                                                       \
        return;                                                                                    \
        /* fall through */                                                                         \
    case __COUNTER__:;                                                                             \
    } while (0)
#define FLOW_END(c) }

#endif
