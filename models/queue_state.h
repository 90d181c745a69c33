/* A queue at work, for the files of the kind: what a broker stores, what it owes its subscriptions,
 * and to whom it delivers.
 *
 *     publish --> message, one claim for each subscription that wants it
 *     claim:  RIPENS --> WAITS --> OUT (a delivery) --> acknowledged: DONE, or ended at once
 *             HELD -------^  ^      |- refused, or unanswered for `visibility`: WAITS again,
 *             (several brokers) RESTS <' after a pause, or DEAD, on its way to the dead letters
 *
 * RIPENS while its delay lasts, HELD until a majority of several brokers has it.
 *
 * Claims that wait stand in lanes, one for each partition, by priority and then in the order of
 * acceptance; one that comes back stands where it stood. A lane is served by whichever consumer has
 * room or, where there are several partitions, by the one that owns it. */
#ifndef ORRERY_MODELS_QUEUE_STATE_H
#define ORRERY_MODELS_QUEUE_STATE_H

#include "models/parts/recall.h"
#include "models/queue.h"
#include "models/queue_ledger.h"

enum { QUEUE_STATION_TABLE = 1, QUEUE_DELIVERY_TABLE, QUEUE_TABLE };
enum { SUBSCRIPTION_TABLE = 1 }; /* of delivery_metrics, at a subscription's instances */

/* How long producers' requests are known again (`idempotent`): as Amazon SQS does for FIFO queues.
 */
#define QUEUE_IDEMPOTENT_NS INT64_C(300000000000)

/* In the `verb` of posts to a broker. */
enum queue_verb {
    QUEUE_SUBSCRIBES = 112,
    QUEUE_FETCHES,    /* a consumer asks for a delivery */
    QUEUE_REPLICATES, /* leader to follower: entries beyond `key` up to `version` */
    QUEUE_HOLDS,      /* its answer: what it holds safely, up to `version` */
    QUEUE_ASKS_VOTE,  /* candidate of term `session` that holds up to `version` */
    QUEUE_VOTES,
};

/* What a broker stores, once for all subscriptions. */
struct message {
    uint64_t op_id, path, key, version;
    int64_t accepted_ns;
    uint32_t session, size, sub, producer;
    uint32_t entry; /* of the ledger */
    uint32_t lane;  /* its partition */

    uint32_t claims;  /* subscriptions that have not done with it, and whoever waits for its sync */
    uint64_t log;     /* its number in the log */
    uint32_t waiting; /* claims that wait */
    uint32_t deliveries;   /* of all: draws anew each time */
    uint32_t older, newer; /* all that are stored, in order of acceptance; free: `older` */
    uint8_t operation, traits;
    bool synced;         /* a crash does not take it */
    bool expired;        /* older than `ttl` */
    bool retained, idle; /* it is kept for a time; and for nothing else */
};

enum claim_state {
    CLAIM_FREE,
    CLAIM_RIPENS,
    CLAIM_HELD, /* not before a majority of brokers has it */
    CLAIM_WAITS,
    CLAIM_OUT,
    CLAIM_RESTS,
    CLAIM_DONE, /* acknowledged; a crash before the next sync takes that back */
    CLAIM_DEAD,
};

struct claim {
    uint32_t message, subscription;
    uint32_t before, behind; /* in its lane, its delivery or the list of what is done */
    uint32_t same;           /* the next claim of the same ledger entry */
    uint32_t delivery;       /* OUT, DEAD: index of the call */
    uint32_t deliveries;
    int64_t since_ns; /* WAITS: since when it could be delivered */
    uint64_t order;   /* of acceptance */
    uint64_t log;     /* DONE: the number of the acknowledgement in the log */
    uint8_t state, level;
};

struct claim_list {
    uint32_t first, last;
};

struct lane {
    struct claim_list *levels; /* [levels], the most urgent first */
    uint32_t waiting, out;
    uint32_t owner, out_owner; /* consumers: index + 1; 0: nobody */
    int64_t linger_until;      /* a timer is set for then; 0: none */
    uint64_t reached;          /* the highest order that has reached a consumer */
    uint64_t missing;          /* lost before they reached one, and not passed yet */
    uint64_t missing_last;     /* the highest order among them */
};

struct consumer {
    uint32_t agent;  /* the subscription's, on the consumer's place */
    uint32_t target; /* the consumer itself; UINT32_MAX: a group */
    uint64_t used;   /* deliveries under way */
    uint64_t most;
    uint32_t turn; /* ordered: the lane that is looked at first */
    bool stands;   /* in the ring of those with room */
    bool asks;     /* it has asked, and got nothing since */
};

struct subscription {
    struct broker *queue;
    const struct subscription_config *config;
    uint32_t number; /* bit in the ledger */

    struct record *record;
    bool *wants; /* [operation] */
    struct lane *lanes;
    struct consumer *consumers;
    uint32_t consumer_count;
    uint32_t *ring; /* competing: consumers with room, who had none for longest first */
    uint32_t ring_first, ring_count;
    uint64_t membership; /* of the simulation when lanes were given their owners; 0: never */
    struct claim_list done;
    uint64_t depth, unacked, lag;
    uint64_t shown_depth, shown_unacked, shown_lag, shown_age; /* in the record */
    uint64_t peak;
    int64_t peak_ns, drained_ns; /* drained_ns < 0: not since */
    struct registers newest;     /* by lane and producer: index in `newest_ns` */
    int64_t *newest_ns;
    uint32_t newest_count, newest_room;
};

/* What a broker knows of the log of several, whose entries are messages and acknowledgements. */
struct replica {
    uint64_t has, safe;   /* up to which it holds the log; and a crash would not take it */
    int64_t heard_ns;     /* when a leader's message came last */
    uint64_t term, voted; /* the highest it has heard of; the last it has voted in */
    uint32_t votes;       /* for itself, in `term` */
    bool sync_due;
    uint32_t leader; /* agent that told it last */
    int64_t told_ns; /* when the newest message of its was sent */
    int64_t mute_ns; /* until then it has no vote: it came back empty and has not caught up */
    struct {
        uint64_t from, to;
    } ahead[8]; /* what came before its turn */
    uint32_t ahead_count;
    /* Of a follower, as the leader knows it. */
    uint64_t sent, known;
    int64_t echo_ns; /* when the last message it has answered was sent */
};

struct broker {
    struct place_part part; /* first: the place hands it back */
    struct station station;
    struct broker *queue; /* the first broker, which keeps what all of them share */
    struct agent *self;
    struct replica replica;
    uint32_t leader;               /* shared: index of the leading broker's agent */
    bool leads;                    /* shared: there is one */
    uint64_t log, term, committed; /* shared */
    struct agent *agent;           /* shared: the leader's, or the last one's; else its own */
    const struct queue_config *config;
    struct record *record, *deliveries;
    struct subscription *subscriptions;
    uint32_t subscription_count, lane_count, level_count;
    uint8_t *levels; /* [operation] */
    struct ledger ledger;
    struct message *messages; /* index 0 is never used */
    uint32_t message_used, message_room, message_free;
    uint32_t oldest, newest; /* stored */
    uint32_t unexpired;      /* the oldest that has not expired; 0: none */
    uint32_t kept;           /* the oldest that is retained; 0: none */
    uint64_t idle;           /* messages that are retained alone */
    struct claim *claims;    /* index 0 is never used */
    uint32_t claim_used, claim_room, claim_free;
    uint64_t order, stored, ready; /* ready: messages that wait for some subscription */
    uint64_t shown_depth, shown_unacked, shown_lag, shown_age;
    uint64_t peak;
    int64_t peak_ns, drained_ns;
    uint64_t begun; /* deliveries: numbers them */
    struct recall known;
    struct claim_list unsynced; /* calls whose messages wait for the sync */
    struct claim_list blocked;  /* calls that wait for room */
    struct claim_list held;     /* claims that wait for a majority of brokers */
    bool sync_due, expiry_due, watch_due, retention_due, opened;
};

/* What a call of a producer, or a delivery, remembers. */
struct queue_frame {
    struct station_visit visit; /* first: the station's */
    uint32_t before, behind;    /* in `unsynced` or `blocked` */
    uint32_t message;           /* the last message it became, until that is safe */
    uint32_t term;              /* of a delivery: in which it was made */
    uint64_t log;               /* its number in the log */
    uint32_t subscription, lane, consumer;
    uint32_t claims, count; /* of a delivery: the first claim; how many there were */
    uint8_t stage;          /* enum queue_stage */
};

enum queue_stage { STAGE_STATION, STAGE_UNSYNCED, STAGE_BLOCKED, STAGE_DELIVERY, STAGE_BURIAL };

enum queue_tick {
    TICK_SYNC = 1,
    TICK_LINGER, /* argument: subscription << 32 | lane */
    TICK_EXPIRY,
    TICK_RIPE, /* argument: claim << 32 | low bits of its order */
    TICK_WATCH,
    TICK_RETENTION,
    TICK_REPLAY, /* argument: subscription */
    TICK_BEAT,   /* of the leader */
    TICK_SILENT, /* of a follower */
    TICK_HOLD,   /* a follower's sync */
};

static inline struct queue_frame *queue_frame_of(struct call *c)
{
    return call_frame(c);
}
static inline struct message *queue_message(const struct broker *q, uint32_t index)
{
    return &q->messages[index];
}
static inline struct claim *queue_claim(const struct broker *q, uint32_t index)
{
    return &q->claims[index];
}

/* ---- queue_store.c: messages and claims in memory ---- */

uint32_t queue_message_new(struct broker *q);
/* It is kept no longer than it is needed. */
void queue_unretain(struct broker *q, uint32_t message);
/* One claim less; the message goes with the last. */
void queue_message_release(struct broker *q, uint32_t message);
uint32_t queue_claim_new(struct broker *q, uint32_t message, uint32_t subscription);
/* The claim is over: it stands in no list any more. */
void queue_claim_end(struct broker *q, uint32_t claim);

void queue_list_push(struct broker *q, struct claim_list *list, uint32_t claim);
void queue_list_remove(struct broker *q, struct claim_list *list, uint32_t claim);

/* The claim waits in its lane from now on, where its priority and its order put it; or no longer.
 */
void queue_wait(struct broker *q, uint32_t claim);
void queue_unwait(struct broker *q, uint32_t claim);

/* As many messages wait as may. */
bool queue_is_full(const struct broker *q);
/* Takes the oldest message that waits away from whoever waits for it; false: there is none. */
bool queue_drop_oldest(struct broker *q);

/* ---- queue_producers.c, queue_faults.c ---- */

/* A producer's call has passed the station, or was turned away. */
void queue_go_on(struct broker *q, struct call *c, enum station_outcome outcome);
/* The producer has taken it back; what is stored stays. */
void queue_cancel(struct broker *q, struct call *c);
/* The producer is told that what it has sent is stored. */
void queue_confirm(struct broker *q, const struct call *c);
/* Whoever has waited longest for room comes in as soon as there is some. */
void queue_admit_blocked(struct broker *q);
/* Timers for the expiry of what is stored, and for the look at its age. */
void queue_expire_soon(struct broker *q);
void queue_watch_soon(struct broker *q);
void queue_retention_soon(struct broker *q);
/* Timers for replays that are still to come. */
void queue_replays_soon(struct broker *q);
void queue_tick(struct agent *agent, uint32_t tag, uint64_t argument);

/* A producer that has waited for room waits no longer. */
void queue_unblock(struct broker *q, struct call *c);
/* The message of a producer's call is held for its sake no longer. */
void queue_let_go(struct broker *q, struct call *c);
/* The producer is told that its messages are stored; and so are the accounts. */
void queue_answer(struct broker *q, struct call *c);
/* It waits for its sync no longer. */
void queue_unlist(struct broker *q, struct call *c);
/* It is answered, but not with ok. */
void queue_refuse(struct broker *q, struct call *c, enum status status);
/* Answers whoever waits for it, and lets go what was acknowledged, up to what cannot be lost. */
void queue_settle_log(struct broker *q);
/* The leader has gone, or leads no more: its deliveries and all that waits for its answers are
 * over. `crashed`: its calls are gone already. */
void queue_stop_leading(struct broker *q, bool crashed);
/* The log ends at `upto` for all: later messages are gone, later acknowledgements undone. */
void queue_truncate(struct broker *q, uint64_t upto);
/* Another broker leads, or the only one is back: timers, deliveries. */
void queue_take_over(struct broker *q);

/* ---- queue_replicas.c: brokers that hold the same ---- */

static inline bool queue_is_replicated(const struct broker *q)
{
    return q->config->replicas > 1;
}
void queue_replicas_start(struct broker *b);
/* A message between brokers; it is freed. */
void queue_replicas_hear(struct broker *b, struct call *c);
void queue_replicas_tick(struct broker *b, uint32_t tag);
/* There are new entries in the log. */
void queue_replicate(struct broker *q);
void queue_replicas_crash(struct broker *b);
/* Up to which entry the log cannot be lost any more. */
uint64_t queue_committed(const struct broker *q);
uint32_t queue_route(struct agent *caller, uint32_t node, const struct call *call);

/* From now on the broker's place tells of its crashes. */
void queue_watch_faults(struct broker *b);

/* ---- queue_accounts.c: what is measured ---- */

/* Counts what happens to a message, by the instant of its acceptance. */
void queue_count(const struct subscription *s, enum delivery_metric metric,
                 const struct ledger_entry *entry, uint64_t amount);
void queue_duration(const struct subscription *s, enum delivery_metric metric,
                    const struct ledger_entry *entry, int64_t ns);
/* The levels follow what is held. */
void queue_show(struct broker *q, struct subscription *s);
void queue_accounts_end(void *context, const struct ledger_entry *entry);
void queue_accounts_finish(struct broker *q);
/* A message has reached a consumer of the subscription, or its work was done there. `op_id` names
 * it. `applied`: false where the consumer knew it already and did nothing. */
void queue_arrived(struct subscription *s, uint64_t op_id, uint8_t operation);
void queue_effected(struct subscription *s, uint64_t op_id, uint8_t operation, bool applied);
/* How long the oldest that waits has been there, once a second. */
void queue_show_ages(struct broker *q);

/* ---- queue_delivery.c ---- */

/* Delivers what can be: of one lane, or of all. */
void queue_dispatch(struct broker *q, struct subscription *s, uint32_t lane);
void queue_dispatch_all(struct broker *q);
/* A consumer's instance (agent) asks for a delivery. */
void queue_asked(struct broker *q, uint32_t agent);
/* A delivery, or the way to the dead letters, was woken. */
void queue_delivery_wake(struct broker *q, struct call *c);
/* An answer that came too late for its delivery. */
void queue_late(struct broker *q, const struct call *child);
/* Acknowledged: it ends, at once or with the next sync. */
void queue_acknowledge(struct broker *q, uint32_t claim);
void queue_consumers_start(struct broker *q, struct subscription *s, const struct pool *instances);
/* The broker has crashed: whoever was at work for it is not any more. */
void queue_consumers_reset(struct subscription *s);
void queue_sync_soon(struct broker *q);

extern const struct kind subscription_kind;

/* What a consumer can have under way by its configuration. */
uint64_t queue_prefetch(const struct simulation *s, const struct subscription_config *config,
                        uint32_t target);

/* Of an instance since its last restart. */
struct subscriber_memory {
    uint64_t busy;  /* deliveries under way */
    uint64_t asked; /* numbers its questions: an older one's timer says nothing */
};

/* What the instances of a subscription keep, on the places of the consumers. */
struct subscriber {
    struct subscriber *first; /* of its node */
    struct recall known;      /* of the node, at its first instance: outlives crashes */
    uint32_t part;            /* its number at every broker */
    uint32_t queue_node;      /* the brokers */
    uint64_t most;            /* deliveries under way at once */
    bool opened;
};

#endif
