/* What the consistency judge remembers. For output/consistency*.c only. */
#ifndef ORRERY_OUTPUT_CONSISTENCY_TABLES_H
#define ORRERY_OUTPUT_CONSISTENCY_TABLES_H

#include "engine/kernel/consistency.h"
#include "engine/kernel/probe.h"
#include "output/zones.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Entries of one size, found by a 64-bit name (its first member, never 0), that stay where they
 * are: a hash of chains over blocks. */
struct table {
    size_t size;
    void **heads; /* chains by hash; owned */
    void **blocks;
    uint32_t room, count, block_count, block_used;
    void *free;
};

/* Every entry begins with it. */
struct entry_name {
    uint64_t name;
    void *next;
};

void table_init(struct table *table, size_t size);
void table_free(struct table *table);
void *table_find(const struct table *table, uint64_t name); /* NULL: not there */
void *table_make(struct table *table, uint64_t name);       /* all zero where it is new */
void table_drop(struct table *table, void *entry);
/* Calls `see` for every entry, in the order of names. */
void table_each(const struct table *table, void *context, void (*see)(void *context, void *entry));

/* One version of a key. Named by its op_id. */
struct judged_write {
    struct entry_name name;
    struct judged_write *after; /* the next one of its key that was made */
    struct judged_key *of;
    struct zone *zone; /* in the order that clients can prove */
    uint64_t key, base;
    struct version_order order;
    int64_t at_ns; /* what windows go by */
    int64_t ack_ns;
    uint64_t invoke, ack; /* instants by number; ack: NEVER before it, or for ever; invoke: 0 where
                             nobody knows */
    int64_t visible_ns;   /* every replica that is up holds it or a newer one; 0: not yet */
    uint64_t holders;     /* bits: replicas that have applied it and not taken it back */
    int64_t last_read_ns;
    uint64_t reads;      /* ok reads that returned it */
    uint64_t client;     /* who wrote it */
    uint64_t winner_ack; /* of the version it was discarded for */
    uint64_t newer_ack;  /* first acknowledgement of a newer one; 0: there was none yet */
    int64_t newer_ack_ns;
    uint32_t agent;  /* that created it */
    uint32_t copies; /* in caches; among those of `held` */
    uint32_t held;   /* replicas whose present version it is, and reads under way */
    uint8_t operation;
    bool acked, failed, unknown, ended, decided, superseded, counted, modifies;
};

/* From an acknowledgement on: the newest version that has been acknowledged, and the latest begin
 * of an acknowledged write. */
struct judged_mark {
    int64_t ack_ns;
    uint64_t ack; /* by number */
    struct version_order order;
    uint64_t invoke;
};

struct judged_key {
    struct entry_name name;            /* of store and key */
    struct judged_write *first, *last; /* in the order in which they were made */
    struct judged_mark *marks;         /* ascending in all; owned */
    uint32_t mark_count, mark_room;
    uint64_t members; /* bits: those that keep a copy; 0: all */
    struct version_order decided;
    uint64_t first_ack; /* of any write to it; 0: none yet */
    int64_t first_ack_ns;
    struct judged_store *store;
    struct zones zones;             /* once it was written */
    struct zone *initial;           /* the value before any write, while it can be read; or NULL */
    uint32_t initial_reads;         /* under way that it was the answer of, and copies of it */
    bool everywhere;                /* all that keep it hold, or have held, some version */
    bool agrees;                    /* all of them hold the same */
    bool behind;                    /* not all of them hold `target` yet, after a fault */
    struct version_order target;    /* the newest when the fault had ended */
    struct version_order newest;    /* the newest a while before the end */
    struct judged_write **replicas; /* what each replica holds; owned */
};

/* What a session has seen of a key. */
struct judged_session {
    struct entry_name name;
    struct version_order wrote, read; /* the newest */
    struct version_order wrote_last;
    uint64_t wrote_invoke, read_invoke; /* latest of what was written, of what was read */
    bool has_written, has_read;
};

enum { SERVED_MOST = 4 };

/* What a store has answered, as far as the version tells. */
struct judged_answer {
    struct judged_key *key;
    uint64_t version;
    struct version_order order;
    int64_t age_ns;             /* since the newest acknowledged version was; -1: there was none */
    int64_t staleness_ns;       /* -1: it was not stale */
    uint64_t ack;               /* latest of what was answered; NEVER: not acknowledged by then */
    uint64_t invoke;            /* of the write, by number; 0: nobody knows */
    uint64_t latest_invoke;     /* of writes acknowledged before the read began */
    struct judged_write *write; /* kept until the read has ended; NULL: the value before any */
    uint32_t agent;
};

struct judged_operation {
    struct entry_name name;                   /* op_id */
    int64_t at_ns;                            /* intended start: what windows go by */
    int64_t invoke_ns;                        /* true begin */
    uint64_t invoke;                          /* the same, by number */
    struct judged_operation *before, *behind; /* those under way, in order of begin */
    struct judged_store *store;               /* a group that it was sent to, or NULL */
    int64_t asked_ns;                         /* when it was first sent there */
    uint32_t watched;                         /* its number there, see watch.h; 0: nobody watches */
    struct judged_answer answers[SERVED_MOST];
    uint32_t answer_count;
    uint32_t process, session; /* who asked: agent, session of it */
    uint8_t operation;
};

#define NEVER_NS INT64_MAX
#define NEVER UINT64_MAX

/* One store: a node with consistency_metrics. */
struct judged_store {
    uint32_t first, count; /* agents */
    uint64_t leaders;      /* bits: members that take themselves for the leader */
    uint64_t term;         /* the newest */
    uint32_t leader;       /* agent; of the newest term */
    int64_t dual_since_ns; /* NEVER_NS: there are not two */
    int64_t strike_ns;     /* begin of the strike that was suspected; NEVER_NS: none */
    uint64_t strike_term;  /* the newest term at that suspicion */
    bool recovers;
    uint64_t lost_writes; /* acknowledged, taken back since that suspicion */
    int64_t lost_ns;      /* the earliest acknowledgement of them; NEVER_NS: none */
    uint64_t dual_acked;  /* bits: members that have acknowledged while there were two leaders */
    int64_t dual_first_ns, dual_last_ns;
    uint32_t heal;        /* the next of `heals` */
    uint32_t behind;      /* keys */
    bool settled;         /* the end is near: `newest` of its keys are known */
    int64_t heal_ns;      /* end of the fault after which they are; NEVER_NS: nothing to settle */
    int64_t violation_ns; /* the first against linearizability */
    bool violated;
};

struct consistency {
    struct probe probe;
    struct simulation *simulation;
    struct table operations, writes, keys, sessions;
    struct judged_store *stores; /* by node; count 0: no store; owned */
    bool *has_sessions;          /* by agent: its sessions come again; owned */
    struct told *told;           /* or NULL: nobody asks */
    uint32_t node_count;
    struct judged_operation *oldest, *newest; /* under way */
    int64_t *heals; /* ends of faults of places and links, ascending; owned */
    uint32_t heal_count;
    int64_t settle_ns; /* what is newest then all are to have in the end */
    uint64_t sequence; /* numbers what the judge is told: orders what is at one nanosecond */
};

static inline int64_t now_of(const struct consistency *j)
{
    return simulation_now(j->simulation);
}

static inline struct record *record_of(const struct consistency *j, uint32_t agent)
{
    return consistency_record(&j->simulation->agents[agent]);
}

static inline void count(const struct consistency *j, uint32_t agent,
                         enum consistency_metric metric, uint8_t operation, int64_t at_ns,
                         uint64_t amount)
{
    struct record *record = record_of(j, agent);
    if (record && amount)
        record_count(record, metric, operation, at_ns, amount);
}

static inline struct judged_store *store_of(const struct consistency *j, const struct agent *at)
{
    return &j->stores[at->node];
}

/* Of a member, by its number in its store. */
static inline uint64_t bit_of(const struct consistency *j, const struct agent *at)
{
    return UINT64_C(1) << ((at->index - store_of(j, at)->first) & 63);
}

/* Whether a member that is up is one of those that keep a copy of the key. */
static inline bool keeps_live(const struct consistency *j, const struct judged_store *store,
                              const struct judged_key *key, uint32_t member)
{
    bool keeps = !key->members || key->members >> (member & 63) & 1;
    return keeps && j->simulation->agents[store->first + member].place->up;
}

static inline struct judged_key *key_of(struct consistency *j, const struct agent *at, uint64_t key)
{
    uint64_t name = random_mix(key ^ random_mix(at->node + UINT64_C(1)));
    struct judged_key *found = table_make(&j->keys, name ? name : 1);
    found->store = store_of(j, at);
    return found;
}

/* The probe is told who keeps a key. */
static inline void replicas_keeps(void *context, const struct agent *at, uint64_t key,
                                  uint64_t members)
{
    key_of(context, at, key)->members = members;
}

/* What the probe is told of leaders and of crashes. */
void leaders_role(void *context, const struct agent *at, uint32_t shard, uint64_t term, bool on);
void leaders_suspect(void *context, const struct agent *at, const struct agent *whom);
void leaders_acknowledge(void *context, const struct agent *at, uint32_t shard, uint64_t term,
                         const struct call *c);
void leaders_place_lost(void *context, const struct agent *at);

/* An acknowledged write was taken back by one of its replicas. */
void leaders_lost(struct consistency *j, struct judged_store *store, const struct judged_write *w);

/* The run is over: nobody leads any more. */
void leaders_end(struct consistency *j);

/* ---- consistency.c ---- */

/* Versions that nobody can serve any more are forgotten. */
void judge_prune(struct consistency *j, struct judged_key *key);

/* The write has been acknowledged, or is held by all: whatever of it comes second. */
void judge_visible(const struct consistency *j, const struct judged_write *w);

/* Of a read that is under way: an answer more. What it has is kept until the read has ended. */
void judge_answer(struct consistency *j, struct judged_operation *o,
                  const struct judged_answer *answer);

/* ---- consistency_copies.c: what caches tell ---- */

bool copies_take(void *context, const struct agent *at, uint64_t key, uint64_t version);
void copies_drop(void *context, const struct agent *at, uint64_t key, uint64_t version);
bool copies_serve(void *context, const struct agent *at, const struct call *c);

/* A write has been acknowledged: whoever reads a copy of what is older reads something stale. */
void copies_acked(struct judged_key *key, const struct judged_write *acked);

/* ---- consistency_marks.c ---- */

/* The write has been acknowledged. */
void marks_add(struct judged_key *key, const struct judged_write *w);

/* Marks that no read to come can need: every replica, up or not, holds something at least as new.
 */
void marks_forget(struct judged_key *key, struct version_order held);

/* From the first acknowledgement of something newer than `order` to the begin of the operation; -1:
 * there was none. */
int64_t marks_staleness_ns(const struct judged_key *key, struct version_order order,
                           const struct judged_operation *o);

/* From the acknowledgement of the newest version that was acknowledged before the operation began
 * to its begin; -1: there is none. */
int64_t marks_age_ns(const struct judged_key *key, const struct judged_operation *o);

/* The latest begin of a write that was acknowledged before `begin`; 0: there is none. */
uint64_t marks_latest_invoke(const struct judged_key *key, uint64_t begin);

/* ---- consistency_replicas.c ---- */

void replicas_begin(struct consistency *j);
void replicas_apply(void *context, const struct agent *at, const struct version *v);
void replicas_retract(void *context, const struct agent *at, const struct version *v);
void replicas_end(struct consistency *j);

/* ---- consistency_order.c: linearizability, by output/zones.h ---- */

void order_open(struct consistency *j, struct judged_operation *o);
void order_close(struct consistency *j, struct judged_operation *o);
void order_made(struct consistency *j, struct judged_write *w);
void order_completed(struct consistency *j, struct judged_write *w);
void order_failed(struct consistency *j, struct judged_write *w);
void order_read(struct consistency *j, const struct call *c, const struct judged_operation *o,
                const struct judged_answer *a);
void order_forget(struct judged_write *w);
void order_settle(struct consistency *j, struct judged_key *key);
void order_end(struct consistency *j);

/* ---- consistency_told.c: what is asked for by `output` ---- */

struct told *told_open(const struct blueprint *blueprint);
void told_free(struct told *told);
void told_leads(struct consistency *j, const struct agent *at, uint64_t term, bool on);
/* `answer`: of a read that was ok; else NULL. */
void told_completed(struct consistency *j, const struct agent *at, const struct call *c,
                    const struct judged_operation *o, const struct judged_answer *answer);
/* The write has become a version, perhaps after its caller had given up. */
void told_made(struct consistency *j, const struct judged_write *w);
void told_end(struct consistency *j);

#endif
