/* What users write for a replicated store. */
#include "models/parts/running_interval.h"
#include "models/replicated.h"
#include "models/replicated_leaderless.h"

#include <stddef.h>

static const struct field_word raft_read_words[] = {
    [REPLICATED_READ_INDEX] =
        {"read_index", "A majority confirms, after the read has come, that the leader still leads.",
         NULL},
    [REPLICATED_LEASE] =
        {"lease",
         "Answered at once while a majority has confirmed it within nine tenths of election_min, "
         "by the leader's own clock; else as read_index.",
         NULL},
    {0},
};

static const struct field raft_fields[] = {
    {.name = "election_min",
     .type = FIELD_TIME,
     .offset = offsetof(struct replicated_config, election_min),
     .otherwise = "150ms",
     .flags = FIELD_WHOLE,
     .min = 1,
     .summary = "A member that hears no leader for so long to ..."},
    {.name = "election_max",
     .type = FIELD_TIME,
     .offset = offsetof(struct replicated_config, election_max),
     .otherwise = "300ms",
     .flags = FIELD_WHOLE,
     .min = 1,
     .summary = "... so long, drawn evenly each time, asks for votes. A leader that no majority "
                "answers for so long steps down."},
    {.name = "heartbeat",
     .type = FIELD_TIME,
     .offset = offsetof(struct replicated_config, raft_heartbeat),
     .otherwise = "50ms",
     .flags = FIELD_WHOLE,
     .min = 1,
     .summary = "From one sign of life of the leader to the next."},
    {.name = "pre_vote",
     .type = FIELD_BOOL,
     .offset = offsetof(struct replicated_config, pre_vote),
     .otherwise = "true",
     .flags = FIELD_WHOLE,
     .summary = "Who wants votes asks first whether there would be any, and disturbs nobody else."},
    {.name = "reads",
     .type = FIELD_WORD,
     .offset = offsetof(struct replicated_config, raft_reads),
     .otherwise = "read_index",
     .flags = FIELD_WHOLE,
     .words = raft_read_words,
     .summary = "How the leader knows that what it reads is not old."},
    {0},
};

static const struct field_word mode_words[] = {
    [REPLICATED_SINGLE_LEADER] =
        {"single_leader",
         "All writes go to one member, the leader, which sends its log to the others, the "
         "followers.",
         NULL},
    [REPLICATED_RAFT] =
        {"raft",
         "Consensus: a write takes effect when a majority has it on disk; leaders are elected by "
         "majorities, for terms. `ack` and `failover` have no meaning here.",
         &(const struct field_table){.fields = raft_fields}},
    [REPLICATED_LEADERLESS] =
        {"leaderless",
         "The members that keep a key are all asked, whoever of them answer first make a `quorum`; "
         "another member or one of them coordinates (Dynamo).",
         NULL},
    [REPLICATED_MULTI_LEADER] =
        {"multi_leader",
         "Several members accept writes, each by itself, and tell the others, by `topology`, until "
         "these have confirmed it; what meets goes by `conflict`. Callers write to the "
         "leader of their zone, else the nearest one, and every leader goes on in a partition.",
         NULL},
    {0},
};

static const struct field_word topologies[] = {
    [REPLICATED_ALL_TO_ALL] = {"all_to_all", "Every leader tells all others.", NULL},
    [REPLICATED_RING] = {"ring", "The next one, which passes it on.", NULL},
    [REPLICATED_STAR] = {"star", "The first one, which passes it on.", NULL},
    {0},
};

static const struct field_word per_zone[] = {
    {"per_zone", "Several leaders: the first member of every zone, and members in none.", NULL},
    {0},
};

static const struct field_word ack_words[] = {
    [REPLICATED_ASYNC] = {"async", "The leader answers as soon as it has written itself.", NULL},
    [REPLICATED_SEMI_SYNC] = {"semi_sync", "When one follower has written it too.", NULL},
    [REPLICATED_QUORUM] = {"quorum", "When a majority of the members has, the leader included.",
                           NULL},
    [REPLICATED_ALL] = {"all", "When every member has.", NULL},
    {0},
};

static const struct field nearest_fields[] = {
    {.name = "lag",
     .type = FIELD_TIME,
     .offset = offsetof(struct replicated_config, lag),
     .otherwise = "none",
     .flags = FIELD_NONE,
     .summary = "A follower that has not heard for so long that it is up to date hands the read on "
                "to the leader."},
    {0},
};

static const struct field_word read_words[] = {
    [REPLICATED_READ_LEADER] = {"leader", "Reads go where the writes go.", NULL},
    [REPLICATED_READ_FOLLOWER] = {"follower", "To one of the others, each as likely.", NULL},
    [REPLICATED_READ_ANY] = {"any", "To one of all members, each as likely.", NULL},
    [REPLICATED_READ_NEAREST] =
        {"nearest", "To the member with the shortest way there and back from the caller.",
         &(const struct field_table){.fields = nearest_fields}},
    {0},
};

static const struct field timeout_fields[] = {
    {.name = "after",
     .type = FIELD_TIME,
     .offset = offsetof(struct replicated_config, timeout),
     .otherwise = "3s",
     .flags = FIELD_WHOLE,
     .min = 1,
     .summary = "Without a sign of life."},
    {0},
};

static const struct field_word phi_laws[] = {
    [INTERVALS_NORMAL] = {"normal", "Intervals are taken for normally distributed (Akka).", NULL},
    [INTERVALS_EXPONENTIAL] = {"exponential", "For exponentially distributed ones (Cassandra).",
                               NULL},
    {0},
};

static const struct field phi_fields[] = {
    {.name = "phi",
     .type = FIELD_NUMBER,
     .offset = offsetof(struct replicated_config, phi),
     .otherwise = "8",
     .flags = FIELD_WHOLE,
     .min = 0.01,
     .summary = "A longer silence has the probability 10^-phi."},
    {.name = "law",
     .type = FIELD_WORD,
     .offset = offsetof(struct replicated_config, phi_law),
     .otherwise = "normal",
     .flags = FIELD_WHOLE,
     .words = phi_laws,
     .summary = "What the last 128 intervals are taken for."},
    {0},
};

static const struct field_word detectors[] = {
    [REPLICATED_TIMEOUT] = {"timeout", "A silence of this length.",
                            &(const struct field_table){.fields = timeout_fields}},
    [REPLICATED_PHI_ACCRUAL] =
        {"phi_accrual",
         "A silence that is improbable by the intervals seen so far (Hayashibara et al. 2004).",
         &(const struct field_table){.fields = phi_fields}},
    {0},
};

static const struct field_word promotions[] = {
    [REPLICATED_MOST_RECENT] = {"most_recent",
                                "A member with the longest log among those that vote.", NULL},
    [REPLICATED_FIRST] = {"first", "Who asks first, whatever it has.", NULL},
    [REPLICATED_PRIORITY] = {"priority",
                             "The first of the members as they are written that can be reached.",
                             NULL},
    [REPLICATED_MANUAL] = {"manual", "Nobody: the store waits for its leader.", NULL},
    {0},
};

static const struct field_word pings[] = {
    [REPLICATED_PINGS_APART] = {"apart", "Signs of life do not wait for the machine.", NULL},
    [REPLICATED_PINGS_QUEUED] =
        {"queued", "They wait in the machine's queue like everybody: a busy leader looks dead.",
         NULL},
    {0},
};

static const struct field_word returns[] = {
    [REPLICATED_RETURNS] = {"follower", "It follows the new one; what it had alone is taken back.",
                            NULL},
    [REPLICATED_STAYS_AWAY] = {"none", "It stays out.", NULL},
    {0},
};

static const struct field failover_record[] = {
    {.name = "heartbeat",
     .type = FIELD_TIME,
     .offset = offsetof(struct replicated_config, heartbeat),
     .otherwise = "500ms",
     .flags = FIELD_WHOLE,
     .min = 1,
     .summary = "From one sign of life of the leader to the next."},
    {.name = "timeout",
     .type = FIELD_TIME,
     .offset = offsetof(struct replicated_config, timeout),
     .otherwise = "3s",
     .flags = FIELD_WHOLE,
     .min = 1,
     .summary = "Short for detector: timeout(..)."},
    {.name = "detector",
     .type = FIELD_WORD,
     .offset = offsetof(struct replicated_config, detector),
     .otherwise = "timeout",
     .flags = FIELD_WHOLE,
     .words = detectors,
     .summary = "When a member takes the leader for dead."},
    {.name = "promotion",
     .type = FIELD_WORD,
     .offset = offsetof(struct replicated_config, promotion),
     .otherwise = "most_recent",
     .flags = FIELD_WHOLE,
     .words = promotions,
     .summary = "Who leads then. Of three and more members a majority must agree, of a pair the "
                "other one does it alone."},
    {.name = "fencing",
     .type = FIELD_BOOL,
     .offset = offsetof(struct replicated_config, fencing),
     .otherwise = "false",
     .flags = FIELD_WHOLE,
     .summary = "The promotion shuts the old leader off at once, by a way of its own that no "
                "partition cuts; without it that one goes on until it hears of the new one."},
    {.name = "discovery",
     .type = FIELD_TIME,
     .offset = offsetof(struct replicated_config, discovery),
     .otherwise = "0s",
     .flags = FIELD_WHOLE,
     .summary = "How long after a promotion callers learn of it, who can reach the new leader; "
                "those who ask another member are sent on by it and know from then on."},
    {.name = "pings",
     .type = FIELD_WORD,
     .offset = offsetof(struct replicated_config, pings),
     .otherwise = "apart",
     .flags = FIELD_WHOLE,
     .words = pings,
     .summary = "What a sign of life waits for."},
    {.name = "return",
     .type = FIELD_WORD,
     .offset = offsetof(struct replicated_config, comes_back),
     .otherwise = "follower",
     .flags = FIELD_WHOLE,
     .words = returns,
     .summary = "What becomes of a leader that was deposed."},
    {0},
};

static const struct field_word sessions[] = {
    [REPLICATED_SESSION_NONE] = {"none", "Every read is answered where it comes.", NULL},
    [REPLICATED_OWN_WRITES] = {"read_your_writes", "What the session has written must be there.",
                               NULL},
    [REPLICATED_MONOTONIC] = {"monotonic", "So must be all that was there when it read last.",
                              NULL},
    [REPLICATED_BOTH] = {"both", "Both.", NULL},
    {0},
};

static const struct field_word no_failover[] = {
    [REPLICATED_NO_FAILOVER] = {"none", "The leader stays the leader, up or down.", NULL},
    {0},
};

static const struct field_word partitions[] = {
    [REPLICATED_REFUSES] = {"refuse",
                            "It refuses reads too, as soon as it takes the leader for dead.", NULL},
    [REPLICATED_STALE_READS] = {"stale_reads", "It answers reads with what it has.", NULL},
    [REPLICATED_ACCEPTS] =
        {"accept",
         "It answers reads, and leads itself as soon as it takes the leader for dead, whoever "
         "agrees; needs `failover`.",
         NULL},
    {0},
};

const struct field_table replicated_fields = {
    .fields =
        (const struct field[]){
            {.name = "mode",
             .type = FIELD_WORD,
             .offset = offsetof(struct replicated_config, mode),
             .otherwise = "single_leader",
             .flags = FIELD_WHOLE,
             .words = mode_words,
             .summary = "How the members keep the same data."},
            {.name = "members",
             .type = FIELD_POOL,
             .offset = offsetof(struct replicated_config, members),
             .flags = FIELD_REQUIRED | FIELD_WHOLE,
             .summary = "The machines: databases, a counted one or a list; each keeps a copy."},
            {.name = "ack",
             .type = FIELD_WORD,
             .offset = offsetof(struct replicated_config, ack),
             .otherwise = "async",
             .flags = FIELD_WHOLE,
             .words = ack_words,
             .summary = "When a write is answered."},
            {.name = "reads",
             .type = FIELD_WORD,
             .offset = offsetof(struct replicated_config, reads),
             .otherwise = "leader",
             .words = read_words,
             .summary = "Where reads go."},
            {.name = "leader",
             .type = FIELD_POOL,
             .offset = offsetof(struct replicated_config, leader),
             .flags = FIELD_PER_REQUEST | FIELD_WHOLE,
             .words = per_zone,
             .summary = "The member that leads at the beginning; of several leaders all of them. "
                        "Left out: the first, or per_zone: the first of every zone."},
            {.name = "topology",
             .type = FIELD_WORD,
             .offset = offsetof(struct replicated_config, topology),
             .otherwise = "all_to_all",
             .flags = FIELD_WHOLE,
             .words = topologies,
             .summary = "Whom each of several leaders tells of its writes, beside its followers."},
            {.name = "failover",
             .type = FIELD_RECORD,
             .offset = offsetof(struct replicated_config, failover),
             .otherwise = "none",
             .flags = FIELD_WHOLE,
             .words = no_failover,
             .record = &(const struct field_table){.fields = failover_record},
             .summary = "Whether another member leads when the leader falls silent."},
            {.name = "on_partition",
             .type = FIELD_WORD,
             .offset = offsetof(struct replicated_config, on_partition),
             .otherwise = "refuse",
             .flags = FIELD_WHOLE,
             .words = partitions,
             .summary = "What a member does that does not hear its leader, as the "
                        "detector of `failover` tells."},
            {.name = "conflict",
             .type = FIELD_WORD,
             .offset = offsetof(struct replicated_config, conflict),
             .present = offsetof(struct replicated_config, has_conflict),
             .otherwise = "last_write_wins",
             .flags = FIELD_WHOLE,
             .words = conflict_words,
             .summary = "Where several members accept writes: what becomes of two that have not "
                        "seen one another."},
            {.name = "session",
             .type = FIELD_WORD,
             .offset = offsetof(struct replicated_config, session),
             .otherwise = "none",
             .flags = FIELD_WHOLE,
             .words = sessions,
             .summary =
                 "What a single leader's store promises a session of one caller; a follower that "
                 "cannot keep it yet sends the read on to the leader."},
            {.name = "batch",
             .type = FIELD_TIME,
             .offset = offsetof(struct replicated_config, batch),
             .otherwise = "0s",
             .flags = FIELD_WHOLE,
             .summary = "How long a single leader gathers new entries of its log before it sends "
                        "them on, in one message; 0s: each at once."},
            {.name = "coordinator",
             .type = FIELD_WORD,
             .offset = offsetof(struct replicated_config, coordinator),
             .otherwise = "any",
             .words = coordinator_words,
             .summary = "Whom a leaderless store's callers ask, up or not: it asks the replicas."},
            {.name = "quorum",
             .type = FIELD_RECORD,
             .offset = offsetof(struct replicated_config, quorum),
             .otherwise = "majority",
             .words = quorum_words,
             .record = &quorum_fields,
             .summary = "How many members keep a key, and how many answers make a read and a "
                        "write."},
            {.name = "repair",
             .type = FIELD_RECORD,
             .offset = offsetof(struct replicated_config, repair),
             .otherwise = "none",
             .flags = FIELD_WHOLE,
             .words = repair_words,
             .record = &repair_fields,
             .summary = "How members of a leaderless store get what they have missed."},
            {.name = "retransmit",
             .type = FIELD_TIME,
             .offset = offsetof(struct replicated_config, retransmit),
             .otherwise = "1s",
             .flags = FIELD_WHOLE,
             .min = 1,
             .summary = "What another member has not confirmed by then is sent once more."},
            {0},
        },
};
