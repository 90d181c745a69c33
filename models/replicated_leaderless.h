/* What the files of the leaderless mode share: replicated_leaderless.c (the mode),
 * _members.c (who keeps what), _coordinator.c (operations), _repair.c (handoff, anti-entropy) and
 * _tables.c (keys). After G. DeCandia et al., Dynamo, SOSP 2007; sections are
 * theirs. */
#ifndef ORRERY_MODELS_REPLICATED_LEADERLESS_H
#define ORRERY_MODELS_REPLICATED_LEADERLESS_H

#include "models/replicated_conflict.h"

/* Messages between replicas; each is a call that is answered. `version` is a value, `key` its key.
 */
enum quorum_verb {
    QUORUM_READ = STORE_OWN, /* answered with what the replica holds */
    QUORUM_WRITE,            /* merge this */
    QUORUM_HINT,             /* merge this, and hand it over to member `session` when you can */
    QUORUM_FORWARD,          /* an operation, for a member that keeps its key */
    QUORUM_TREE,             /* answered with what the replica holds of all keys */
};

enum quorum_tick { QUORUM_TICK_HANDOFF, QUORUM_TICK_EXCHANGE };

enum quorum_stage {
    QUORUM_NEW,
    /* Operations, at their coordinator. */
    QUORUM_FORWARDED,
    QUORUM_READS,        /* for `read` answers */
    QUORUM_REPAIRS,      /* for those that were behind */
    QUORUM_READS_REST,   /* answered; for the other members */
    QUORUM_WRITES_FIRST, /* for its own machine */
    QUORUM_WRITES,       /* for `write` answers */
    QUORUM_WRITES_REST,  /* answered; for the other members */
    /* What another replica has asked for. */
    QUORUM_PEER_WORKS,
    QUORUM_PEER_TREE,
    /* Its own. */
    QUORUM_OWN_HANDOFF,
    QUORUM_OWN_SCAN,
    QUORUM_OWN_TREE,
    QUORUM_OWN_EXCHANGE,
};

enum quorum_coordinator { QUORUM_ANY, QUORUM_NEAREST, QUORUM_OWNER };
enum quorum_read_repair { QUORUM_NO_REPAIR, QUORUM_BLOCKING, QUORUM_ASYNC };

struct quorum_frame {
    struct replica_frame base; /* held[0]: the value that is read or written */
    uint64_t asked;            /* bits: members a message of this phase has gone to */
    uint64_t answered;         /* of them: with ok */
    uint64_t behind;           /* of them: they held less than all together */
    uint64_t wanted;  /* members that keep the key: asked themselves, or somebody for them */
    uint64_t covered; /* of those somebody was asked for: it has answered */
    uint8_t verb;     /* of this phase */
    uint8_t refused;  /* how many have said: certainly not */
    bool extended;    /* others have been asked to stand in */
};

/* Durable. */
struct quorum_state {
    struct registers hints[REPLICATED_MEMBERS_MAX]; /* by member: by key, what it has missed */
    struct registers mirror;                        /* what the other one of an exchange holds */
    uint64_t begun;                                 /* calls of its own so far */
    uint32_t exchange; /* counts them; what comes late is known by it */
    bool opened;
};

/* Volatile. */
struct quorum_memory {
    uint64_t suspected;                           /* bits: members that did not answer */
    int64_t suspected_ns[REPLICATED_MEMBERS_MAX]; /* steady: since when */
    uint64_t handing;                             /* bits: a handover to it is under way */
    uint32_t cursor;                              /* of an exchange: slots looked at */
    bool exchanges;                               /* one is under way */
};

static inline struct quorum_state *quorum_state(const struct replica *r)
{
    return r->state;
}
static inline struct quorum_memory *quorum_memory(const struct replica *r)
{
    return replica_memory(r);
}
static inline struct quorum_frame *quorum_frame(struct call *c)
{
    return call_frame(c);
}
static inline uint64_t quorum_bit(uint32_t member)
{
    return UINT64_C(1) << member;
}

/* How long an answer of another member is waited for (ns). */
int64_t quorum_timeout(const struct replica *r);

/* ---- replicated_leaderless_members.c ---- */

/* How many members keep each key: the configured number, or all. */
uint32_t quorum_replicas(const struct group *group);

/* The first member of a key's list, and the nth (0 ..): successors on the ring (4.2), all of them.
 */
uint32_t quorum_first(const struct group *group, uint64_t key);
uint32_t quorum_nth(const struct group *group, uint64_t key, uint32_t n);

/* The members that keep a key, as bits, and whether this one does. */
uint64_t quorum_homes(const struct group *group, uint64_t key);
bool quorum_keeps(const struct replica *r, uint64_t key);

/* A member has not answered, or has. It is suspected until it is heard of, or for the time between
 * two handovers: then it is asked again. */
void quorum_suspect(struct replica *r, uint32_t member);
void quorum_trust(struct replica *r, uint32_t member);
bool quorum_suspects(const struct replica *r, uint32_t member);

/* Bits: whom to ask. Those that keep the key; under a sloppy quorum the first N in a row that are
 * not suspected, and where there are not as many, the first suspected ones too. */
uint64_t quorum_targets(const struct replica *r, uint64_t key);

/* ---- replicated_leaderless_coordinator.c ---- */

/* An operation has come, from a caller or sent on. */
void quorum_begin(struct replica *r, struct call *c);

/* One that has begun is woken, and one of its messages is answered. */
void quorum_woken(struct replica *r, struct call *c);
void quorum_settled(struct replica *r, struct call *parent, const struct call *child);

/* A message of the call `c` with a value to another member, or to itself. */
struct call *quorum_write_to(struct replica *r, struct call *c, uint32_t member,
                             enum quorum_verb verb, version_handle value);

/* ---- replicated_leaderless_repair.c ---- */

void repair_start(struct replica *r);
void repair_tick(struct replica *r, enum quorum_tick tag);

/* The member has missed this value: it is kept for it. Nothing where nobody hands over. */
void repair_hint(struct replica *r, uint32_t member, version_handle value);

/* A call of its own, or a QUORUM_TREE of another, has been woken; a child has answered. */
void repair_step(struct replica *r, struct call *c);
void repair_settle(struct replica *r, struct call *parent, struct call *child);

/* A QUORUM_TREE has come. */
void repair_asked(struct replica *r, struct call *c);

/* Marks hints and mirrors, in a collection. */
void repair_keep(struct group *group);

/* ---- replicated_leaderless_tables.c ---- */

extern const struct field_table quorum_fields;
extern const struct field_word quorum_words[];
extern const struct field_table repair_fields;
extern const struct field_word repair_words[];
extern const struct field_word coordinator_words[];

/* Why a configuration cannot be, or NULL. */
const char *quorum_check(const struct replicated_config *config);

#endif
