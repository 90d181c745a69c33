/* What the files of Raft share: replicated_raft.c (operations, the log) and
 * replicated_raft_election.c (terms, votes). After D. Ongaro, Consensus: Bridging Theory and
 * Practice, 2014; sections are his. */
#ifndef ORRERY_MODELS_REPLICATED_RAFT_H
#define ORRERY_MODELS_REPLICATED_RAFT_H

#include "models/parts/log.h"
#include "models/replicated.h"

/* Messages; all but RAFT_FORWARD are posts, whose request line is the sender's own. */
enum raft_verb {
    RAFT_APPEND = STORE_OWN, /* entries first .. last of the sender's log, last < first: none */
    RAFT_ACCEPT,             /* the log agrees with the leader's up to `last`, and is on disk */
    RAFT_REFUSE,             /* it has no entry first - 1 of that kind; try behind `last` */
    RAFT_ASK_FIRST,          /* would you vote for me? (9.6) my log ends with (first, last) */
    RAFT_ASK,                /* vote for me */
    RAFT_WOULD,
    RAFT_VOTE,
    RAFT_FORWARD, /* an operation, for the leader */
};

static inline uint64_t *raft_first(struct call *c)
{
    return &c->key;
}
static inline uint64_t *raft_last(struct call *c)
{
    return &c->version;
}
static inline uint32_t *raft_term(struct call *c)
{
    return &c->session;
}
/* Steady clock of the leader when it sent an APPEND; ACCEPT and REFUSE give it back. */
static inline int64_t *raft_sent_ns(struct call *c)
{
    return &c->deadline_ns;
}
/* How far the leader knows the log to be committed: behind the sender's index, mod 2^32. */
static inline uint32_t *raft_uncommitted(struct call *c)
{
    return &c->size;
}

enum raft_tick { RAFT_TICK_BEAT, RAFT_TICK_ELECT };
enum raft_role { RAFT_FOLLOWS, RAFT_SOUNDS, RAFT_STANDS, RAFT_LEADS }; /* asks first; asks */

enum raft_stage {
    RAFT_NEW,
    RAFT_WRITE_WAITS, /* for its entry to be committed */
    RAFT_READ_WAITS,  /* for the leader to know that it still leads */
    RAFT_READ_WORKS,
    RAFT_FORWARDED,
    RAFT_PERSISTS, /* its own: entries go to disk */
};

/* On disk. */
struct raft_state {
    struct log log;
    uint64_t persisted; /* what of the log is on disk: the rest is lost by a crash */
    uint64_t applied;
    uint64_t begun; /* calls of its own so far */
    uint32_t term;
    uint32_t voted; /* 1 + the member it has voted for in `term`; 0: nobody */
    bool opened;
};

struct raft_peer {
    uint64_t next;    /* to be sent */
    uint64_t matched; /* known to be on its disk */
    int64_t heard_ns; /* it has answered what was sent then */
};

struct raft_waiting {
    uint64_t index;   /* a write: its entry */
    int64_t since_ns; /* a read: steady clock at its arrival */
    uint32_t call;
    bool fails; /* a compare-and-set that does not match, to be told when `index` is committed */
};

struct raft_memory {
    enum raft_role role;
    uint32_t leader;         /* 1 + the member that leads in `term`; 0: not known */
    uint64_t committed;      /* known to be */
    uint64_t first_index;    /* the leader: its own first entry */
    uint64_t agreed;         /* a follower's log is the leader's up to here, in this term */
    uint64_t persisting;     /* the machine writes up to here; 0: it writes nothing */
    uint64_t votes;          /* bits: members */
    int64_t heard_ns;        /* steady: of the leader, or when it voted or stood */
    int64_t leader_ns;       /* steady: of the leader */
    int64_t election_ns;     /* how long it waits this time */
    int64_t armed_ns;        /* steady: when it looks next; 0: not set */
    int64_t answer_ns;       /* what the leader's last message said, to be given back */
    int64_t beat_ns;         /* steady: when it sent to all last */
    struct raft_peer *peers; /* by number; the leader's */
    struct raft_waiting *waiting;
    uint32_t waiting_count, waiting_room;
    bool ticks;
};

static inline struct raft_state *raft_state(const struct replica *r)
{
    return r->state;
}
static inline struct raft_memory *raft_memory(const struct replica *r)
{
    return replica_memory(r);
}
static inline const struct replicated_config *raft_config(const struct replica *r)
{
    return r->group->config;
}
static inline bool raft_leads(const struct replica *r)
{
    return raft_memory(r)->role == RAFT_LEADS;
}
static inline uint32_t raft_majority(const struct replica *r)
{
    return r->group->count / 2 + 1;
}

/* ---- replicated_raft.c ---- */

struct call *raft_post(struct replica *r, uint32_t number, enum raft_verb verb, uint32_t bytes);

/* It leads from now on: an entry of its own term goes first (8), so that what came before can be
 * committed. */
void raft_begins(struct replica *r);

/* It does not lead any more: nobody knows what becomes of the writes that wait. */
void raft_ends(struct replica *r);

/* Sends to everybody what is new, at least a sign of life. */
void raft_beat(struct replica *r);

/* Steady clock at which a majority was last known to follow. */
int64_t raft_confirmed_ns(const struct replica *r);

/* The entry of its log at `index`. */
const struct version *raft_entry(const struct replica *r, uint64_t index);

/* The machine writes what has gathered, if it writes nothing. */
void raft_persist(struct replica *r);

/* ---- replicated_raft_operations.c ---- */

/* An operation has come, from a caller or sent on. */
void raft_operation(struct replica *r, struct call *c);

/* The machine has done the work of a read. */
void raft_worked(struct replica *r, struct call *c);

/* Goes on with all that wait for no longer. */
void raft_answer(struct replica *r);

/* A caller has taken its operation back. */
void raft_forget(struct replica *r, const struct call *c);

/* A new entry of the leader's log; returns its index. */
uint64_t raft_append(struct replica *r, struct version version);

/* ---- replicated_raft_election.c ---- */

void raft_election_start(struct replica *r);
void raft_election_tick(struct replica *r);

/* A message of this term: false where its sender is behind. A higher term makes this replica a
 * follower of nobody yet. */
bool raft_hears(struct replica *r, uint32_t term);

/* A sign of life of the leader. */
void raft_follows(struct replica *r, uint32_t leader);

/* It has heard nothing of a majority for too long, or of a higher term. */
void raft_steps_down(struct replica *r);

void raft_asked(struct replica *r, struct call *c, bool first);
void raft_voted(struct replica *r, struct call *c, bool first);

#endif
