/* What the files of the single leader share: replicated_single_leader.c (operations, the log and
 * its shipping) and replicated_failover.c (who leads). */
#ifndef ORRERY_MODELS_REPLICATED_LEADER_H
#define ORRERY_MODELS_REPLICATED_LEADER_H

#include "models/parts/log.h"
#include "models/parts/running_interval.h"
#include "models/replicated.h"

/* What a message between replicas carries, beside its verb: in the request line, which is the
 * sender's own. */
enum peer_verb {
    PEER_APPEND = STORE_OWN, /* entries first .. last of the sender's log, last < first: none; from
                                the leader of `term`: also its sign of life */
    PEER_BEAT,               /* the same, on a heartbeat: a sign of life */
    PEER_CONFIRM,            /* the sender has written its log up to `last` */
    PEER_FORWARD,            /* an operation, for the leader */
    PEER_ASK,                /* the sender wants to lead in `term`; its log ends with the version
                                `last` at `first` */
    PEER_VOTE,               /* the sender agrees */
};

static inline uint64_t *peer_first(struct call *c)
{
    return &c->key;
}
static inline uint64_t *peer_last(struct call *c)
{
    return &c->version;
}
static inline uint32_t *peer_term(struct call *c)
{
    return &c->session;
}
/* Of a heartbeat: how long it had to wait for its machine, in us. */
static inline uint32_t *peer_waited_us(struct call *c)
{
    return &c->sub;
}
static inline int64_t *peer_sent_ns(struct call *c)
{
    return &c->deadline_ns;
}

/* What a call of a replica waits for. */
enum leader_stage {
    STAGE_NEW,
    STAGE_WORKS,     /* an operation: its machine */
    STAGE_WAITS,     /* a write: other members */
    STAGE_FORWARDED, /* an operation: the leader */
    STAGE_WRITES,    /* its own: the machine writes an entry */
    STAGE_PINGS,     /* its own: the queue of the machine */
};

enum leader_tick { TICK_SHIP, TICK_BATCH, TICK_DETECT, TICK_ASK };

enum leader_role {
    ROLE_FOLLOWS,
    ROLE_ASKS,       /* for votes */
    ROLE_CATCHES_UP, /* it is to lead and writes what it has received first */
    ROLE_LEADS,
    ROLE_AWAY, /* was deposed, and does not come back */
};

/* Durable. */
struct leader_state {
    struct log log;
    uint64_t applied; /* entries written by the machine, and held */
    uint64_t begun;   /* calls of its own so far */
    uint32_t term;    /* the latest it knows */
    uint32_t voted;   /* the latest it has voted in */
    uint32_t joined;  /* the latest whose leader its log agrees with */
    bool opened;
    bool led;  /* it has led in `term` */
    bool away; /* it was deposed and stays out */
};

/* What the leader knows of another member. */
struct follower {
    uint64_t sent, confirmed;
    uint64_t seen; /* confirmed at the last tick */
    bool behind;   /* nothing was confirmed for a tick although something was sent */
};

struct waiting {
    uint64_t index; /* of its entry */
    uint32_t call;
};

struct early {
    uint64_t first, last;
};
enum { EARLY_MOST = 64 }; /* ranges that came too early; more are dropped and sent again */

/* Volatile. */
struct leader_memory {
    enum leader_role role;
    struct follower *followers; /* by number; the leader's */
    struct waiting *waiting;    /* writes that are not answered yet, in order of index */
    uint32_t waiting_count, waiting_room;
    struct early early[EARLY_MOST]; /* a follower's */
    uint32_t early_count;
    bool writes;           /* its machine is writing an entry */
    bool ticks;            /* TICK_SHIP is set */
    bool gathers;          /* TICK_BATCH is */
    int64_t fresh_ns;      /* it holds all that the leader had then */
    int64_t fresh_next_ns; /* the same, once it has written up to fresh_upto */
    uint64_t fresh_upto;
    int64_t heard_ns;                  /* steady: the last sign of life of a leader */
    int64_t armed_ns;                  /* steady: when the detector looks next; 0: not set */
    struct running_interval intervals; /* between signs of life */
    uint32_t beat_term;                /* of the last sign of life */
    uint32_t votes;                    /* granted to it, itself included */
    bool suspects;                     /* it takes the leader for dead */
};

static inline struct leader_state *state_of(const struct replica *r)
{
    return r->state;
}
static inline struct leader_memory *memory_of(const struct replica *r)
{
    return replica_memory(r);
}
/* The member that the replica takes for the leader. */
static inline uint32_t leader_of(const struct replica *r)
{
    return r->group->views[r->agent->index];
}
static inline bool leads(const struct replica *r)
{
    return memory_of(r)->role == ROLE_LEADS;
}

/* ---- the log (replicated_single_leader.c) ---- */

/* A message to another replica that nobody answers. */
struct call *leader_post(struct replica *r, uint32_t number, enum peer_verb verb, uint32_t bytes);

/* Its own log ends here because it follows `leader` now: takes back what that one has not, as far
 * as it was applied, and forgets the rest. */
void leader_rejoin(struct replica *r, const struct replica *leader);

/* Sends what is new to everybody who keeps up. */
void leader_ship(struct replica *r);

/* The write of entry `index` is answered when enough members have it; leader_forget: its caller has
 * taken it back. */
void leader_wait(struct replica *r, struct call *c, uint64_t index);
void leader_forget(struct replica *r, const struct call *c);

/* Answers what may be answered by now. */
void leader_answer(struct replica *r);

/* The replica holds entry `index` of its log, the next one, from now on. */
void leader_apply(struct replica *r, uint64_t index);

/* Messages and wakes. */
void leader_receive(struct replica *r, struct call *c);
void leader_confirmed(struct replica *r, struct call *c);
void leader_written(struct replica *r, struct call *c);
void leader_pinged(struct replica *r, int64_t waited_ns);
void leader_tick(struct replica *r);

/* What has gathered for `batch` goes out. */
void leader_gathered(struct replica *r);

/* The replica begins to lead: what the others have is not known yet. */
void leader_begins(struct replica *r);

/* It ceases to: nobody knows what becomes of the writes that wait. */
void leader_ends(struct replica *r);

/* The machine takes up the next entry, if it writes none. */
void leader_write_next(struct replica *r);

/* ---- who leads (replicated_failover.c) ---- */

void failover_start(struct replica *r);

/* A message of term `term` has come: true where it is to be looked at, false where its sender has
 * been deposed (who is told). A higher term makes this replica follow `from`, a member number,
 * where that one leads. */
bool failover_hears(struct replica *r, uint32_t from, uint32_t term, bool from_leader);

/* A sign of life of the leader, which had waited so long (ns) before it was sent. */
void failover_beat(struct replica *r, int64_t waited_ns);

/* Everything that was received has been written: who waited for that begins to lead. */
void failover_caught_up(struct replica *r);

void failover_asked(struct replica *r, struct call *c);
void failover_voted(struct replica *r, struct call *c);
/* `term`: in which the timer was set. */
void failover_tick(struct replica *r, enum leader_tick tag, uint64_t term);

/* Whether the replica, no leader, may answer reads itself. */
bool failover_serves(const struct replica *r);

#endif
