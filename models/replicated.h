/* A replicated store: a group of agents, one on the machine of every member, that keep copies of
 * the same data and talk to one another by messages. What they say is the mode's; this header is
 * what the modes share.
 *
 *     caller --(the member that `route` picks)--> replica --local--> machine (a database: the work)
 *                                                 |   ^
 *                                                 v   |   messages between replicas, over the links
 *                                               other replicas
 *
 * A replica is one instance of the node: `store.2` lives on the place of the second member. What it
 * holds - registers, log, term - is durable; what it is about to do dies with its place. Versions
 * stand in one table of the group, to which replicas and messages keep handles: content never
 * changes, so that looking a handle up is as good as having carried the bytes. */
#ifndef ORRERY_MODELS_REPLICATED_H
#define ORRERY_MODELS_REPLICATED_H

#include "engine/kernel/distribution.h"
#include "models/parts/caller.h"
#include "models/parts/registers.h"
#include "models/parts/store.h"

enum { REPLICATED_NO_FAILOVER = 0, REPLICATED_FAILOVER = 1 }; /* words, then the map */
enum replicated_modes {
    REPLICATED_SINGLE_LEADER,
    REPLICATED_RAFT,
    REPLICATED_LEADERLESS,
    REPLICATED_MULTI_LEADER,
    REPLICATED_MODES
};
enum { REPLICATED_MEMBERS_MAX = 63 };
enum replicated_topology { REPLICATED_ALL_TO_ALL, REPLICATED_RING, REPLICATED_STAR };
#define REPLICATED_PER_ZONE UINT32_MAX /* in the `group` of an empty pool of leaders */
enum replicated_ack { REPLICATED_ASYNC, REPLICATED_SEMI_SYNC, REPLICATED_QUORUM, REPLICATED_ALL };
enum replicated_reads {
    REPLICATED_READ_LEADER,
    REPLICATED_READ_FOLLOWER,
    REPLICATED_READ_ANY,
    REPLICATED_READ_NEAREST,
};

struct replicated_config {
    struct pool members; /* of machines: databases */
    int64_t lag;         /* ns: `nearest(lag=..)`; TIME_NONE: however far behind */
    int64_t retransmit;  /* ns until what was not confirmed is sent once more */
    int64_t batch;       /* ns from the first new entry until the leader sends; 0: at once */
    uint8_t mode, ack, reads, on_partition, session;
    uint8_t topology;
    struct pool leader; /* the first ones; count 0: the first member, or of every zone */
    /* Failover; of no meaning where `failover` is REPLICATED_NO_FAILOVER. */
    int64_t heartbeat, timeout, discovery; /* ns */
    double phi;
    uint8_t failover, detector, phi_law, promotion, pings, comes_back;
    bool fencing;
    /* Raft. */
    int64_t election_min, election_max, raft_heartbeat; /* ns */
    uint8_t raft_reads;                                 /* enum replicated_raft_reads */
    bool pre_vote;
    /* Where several members accept writes. */
    uint8_t conflict, conflict_clock; /* enums of models/replicated_conflict.h */
    bool has_conflict;                /* the user has written it */
    /* Leaderless (models/replicated_leaderless_tables.c); 0: what is told there. */
    uint64_t replicas, read_quorum, write_quorum;
    int64_t quorum_timeout, handoff, anti_entropy; /* ns */
    struct distribution tree;                      /* bytes */
    uint8_t quorum, repair;                        /* 0: the word, else a map */
    uint8_t coordinator, read_repair;
    bool sloppy;
};

struct group;
struct replica;

/* What every call of a replica remembers; a mode's own frame begins with it. */
struct replica_frame {
    version_handle held[2]; /* versions that must not be collected while the call lives; 0: none */
    uint32_t number;        /* for the mode's use */
    uint32_t stage;
};

/* A way to replicate: models/replicated_<name>.c. All functions are as in struct kind, for the
 * agents of the group; those that may be NULL say so. */
struct replicated_mode {
    uint32_t state_size;  /* of replica->state: durable, zeroed at the beginning */
    uint32_t memory_size; /* of replica_memory: at most REPLICATED_MEMORY, zeroed by a crash */
    uint32_t frame_size;  /* at most REPLICATED_FRAME */
    uint32_t vector;      /* 1: versions carry version vectors over the members */
    void (*start)(struct agent *agent);
    void (*step)(struct agent *agent, struct call *call);
    void (*settle)(struct agent *agent, struct call *parent, struct call *child);
    void (*tick)(struct agent *agent, uint32_t tag, uint64_t argument);
    void (*finish)(struct agent *agent); /* or NULL */
    /* The member (0 ..) a call of `caller` goes to. */
    uint32_t (*route)(struct agent *caller, struct group *group, const struct call *call);
    /* Whether the replica leads now: it is hit by faults of `name.leader`. NULL: nobody ever does.
     */
    bool (*leads)(const struct replica *replica);
    /* Marks the versions that logs and the like hold, in a collection. */
    void (*keep)(struct group *group);
    /* Mean number of members that do the work of one operation of this type, for `validate`. */
    double (*copies)(const struct replicated_config *config, enum operation_type type);
};
enum { REPLICATED_FRAME = 128, REPLICATED_MEMORY = 4096 };

enum replicated_raft_reads { REPLICATED_READ_INDEX, REPLICATED_LEASE };
enum replicated_session {
    REPLICATED_SESSION_NONE,
    REPLICATED_OWN_WRITES,
    REPLICATED_MONOTONIC,
    REPLICATED_BOTH,
};
enum replicated_detector { REPLICATED_TIMEOUT, REPLICATED_PHI_ACCRUAL };
enum replicated_promotion {
    REPLICATED_MOST_RECENT,
    REPLICATED_FIRST,
    REPLICATED_PRIORITY,
    REPLICATED_MANUAL,
};
enum replicated_pings { REPLICATED_PINGS_APART, REPLICATED_PINGS_QUEUED };
enum replicated_return { REPLICATED_RETURNS, REPLICATED_STAYS_AWAY };
enum replicated_partition {
    REPLICATED_REFUSES,
    REPLICATED_STALE_READS,
    REPLICATED_ACCEPTS,
};

/* Shared by the replicas of one store. */
struct group {
    struct simulation *simulation;
    const struct replicated_config *config;
    const struct replicated_mode *mode;
    struct versions versions;
    struct replica **replicas; /* by number */
    uint32_t count;
    uint32_t first;       /* agent of replica 0; the others follow */
    uint32_t *views;      /* [agent]: the member it takes for the leader (callers and replicas) */
    uint32_t *view_terms; /* [agent]: in which term */
    uint32_t leader_term; /* the last one that was made known, its leader and when */
    uint32_t leader;
    int64_t known_ns;
    struct registers known; /* writes with an idempotency key: op_id to index in the log */
    struct registers pins;  /* by caller and session: the least index its reads must be up to */
    struct conflict_stamps *stamps; /* by operation: what its client's clock showed; or NULL */
    version_handle *scratch;        /* for the while of a merge */
    uint32_t scratch_room;
};

struct replica {
    struct group *group;
    struct agent *agent;
    uint32_t number;  /* 0 .. count - 1 */
    uint32_t machine; /* agent of the member */
    struct registers registers;
    uint32_t accepted; /* writes, by models/replicated_conflict.h */
    void *state;       /* of the mode; durable */
};

/* The record of an agent of the group. */
static inline struct replica *replica_of(const struct agent *agent)
{
    return *(struct replica **)agent->durable;
}
static inline struct agent *replica_agent(const struct group *group, uint32_t number)
{
    return &group->simulation->agents[group->first + number];
}

/* Of the mode; volatile: all zero after a crash, also while the place is down. */
static inline void *replica_memory(const struct replica *replica)
{
    return replica->agent->memory;
}

/* Whether a message comes from another replica of the same group, in which case its verb says what
 * it is; else it is an operation. */
static inline bool replica_is_peer(const struct replica *replica, uint32_t agent)
{
    return agent - replica->group->first < replica->group->count;
}

/* A new version of the group; may collect, so that no pointer into the table lives on. */
version_handle replica_version(struct replica *replica, const struct version *version);

/* The replica holds this version now, and the probe is told. */
void replica_apply(struct replica *replica, version_handle version);

/* Asks the machine of the replica for the work of an operation; the call is woken with JOINED when
 * it is done, with SHORT where it was refused. */
void replica_work(struct replica *replica, struct call *call, enum store_verb work);

/* A message of this verb to another replica, as a child of `call` (branch: the other's number),
 * with `bytes` on the link. */
struct call *replica_tell(struct replica *replica, struct call *call, uint32_t number, uint8_t verb,
                          uint32_t bytes);

/* A read is answered with the version that the replica holds. */
void replica_serve(struct replica *replica, struct call *call);

/* Answers with ok as replica_reply does; the call lives on without its caller. A call that nobody
 * awaits just lives on. */
void replica_answer(struct replica *replica, struct call *call);

/* Answers a call with a status; nothing but its own size travels. */
void replica_reply(struct replica *replica, struct call *call, enum status status);

/* The member that is nearest to `caller`: the least mean latency there and back, the first of
 * several. */
uint32_t replicated_nearest(const struct agent *caller, const struct group *group);

/* The member that a caller takes for the leader: the last one that was made known so long ago that
 * callers know of it, and that it can reach. */
uint32_t replicated_view(struct group *group, const struct agent *caller);

/* In a collection: writes with a key are known, and kept in `known`, as long as somebody may come
 * with one once more. For modes that keep versions there. */
void replicated_keep_known(struct group *group);

/* Where a read goes by `reads`, with this leader. */
uint32_t replicated_reader(struct agent *caller, const struct group *group, const struct call *call,
                           uint32_t leader);

/* Modes with one leader: whether the group knows this one as its last. */
bool replica_leads(const struct replica *replica);

/* The member that leads at the beginning. */
uint32_t replicated_first_leader(const struct group *group);

extern const struct field_table replicated_fields;
extern const struct replicated_mode replicated_leaderless;
extern const struct replicated_mode replicated_multi_leader;
extern const struct replicated_mode replicated_raft;
extern const struct replicated_mode replicated_single_leader;

#endif
