/* What users write for a store without a leader. */
#include "models/replicated_leaderless.h"

#include <stddef.h>

const struct field_word coordinator_words[] = {
    [QUORUM_ANY] = {"any", "One of all members, each as likely.", NULL},
    [QUORUM_NEAREST] = {"nearest",
                        "The one with the shortest way there and back from the caller; one that "
                        "stands beside the caller makes it a client that asks the replicas itself.",
                        NULL},
    [QUORUM_OWNER] = {"owner", "The first of those that keep the key.", NULL},
    {0},
};

const struct field_word quorum_words[] = {
    {"majority", "Every member keeps every key, more than half of them answer.", NULL},
    {0},
};

const struct field_table quorum_fields = {
    .fields =
        (const struct field[]){
            {.name = "replicas",
             .type = FIELD_COUNT,
             .offset = offsetof(struct replicated_config, replicas),
             .otherwise = "0",
             .flags = FIELD_PER_REQUEST | FIELD_WHOLE,
             .summary = "N: how many members in a row, from the hash of a key on, keep it. Left "
                        "out: all."},
            {.name = "read",
             .type = FIELD_COUNT,
             .offset = offsetof(struct replicated_config, read_quorum),
             .otherwise = "0",
             .flags = FIELD_PER_REQUEST,
             .summary = "R: answers that make a read. Left out: more than half of N."},
            {.name = "write",
             .type = FIELD_COUNT,
             .offset = offsetof(struct replicated_config, write_quorum),
             .otherwise = "0",
             .flags = FIELD_PER_REQUEST,
             .summary = "W: answers that make a write. Left out: more than half of N."},
            {.name = "sloppy",
             .type = FIELD_BOOL,
             .offset = offsetof(struct replicated_config, sloppy),
             .otherwise = "false",
             .flags = FIELD_WHOLE,
             .summary = "The next members stand in for those that do not answer; needs `repair: "
                        "{handoff: ..}`."},
            {.name = "timeout",
             .type = FIELD_TIME,
             .offset = offsetof(struct replicated_config, quorum_timeout),
             .otherwise = "0s",
             .flags = FIELD_PER_REQUEST | FIELD_WHOLE,
             .summary = "How long a coordinator waits for the members; who has not answered then "
                        "is suspected until it is heard of, at most from one handoff to the next "
                        "(without any: for ten timeouts). Left out: 500 ms."},
            {0},
        },
};

static const struct field_word read_repairs[] = {
    [QUORUM_NO_REPAIR] = {"none", "Who was behind stays behind.", NULL},
    [QUORUM_BLOCKING] = {"blocking",
                         "Those of the first R answers that were behind are brought up before the "
                         "read is answered.",
                         NULL},
    [QUORUM_ASYNC] = {"async",
                      "The read is answered; when all have answered or time is up, those that were "
                      "behind are brought up.",
                      NULL},
    {0},
};

const struct field_word repair_words[] = {
    {"none", "Nobody is brought up but by the next write.", NULL},
    {0},
};

const struct field_table repair_fields = {
    .fields =
        (const struct field[]){
            {.name = "read",
             .type = FIELD_WORD,
             .offset = offsetof(struct replicated_config, read_repair),
             .otherwise = "none",
             .flags = FIELD_WHOLE,
             .words = read_repairs,
             .summary = "What a read does for members that were behind."},
            {.name = "handoff",
             .type = FIELD_TIME,
             .offset = offsetof(struct replicated_config, handoff),
             .otherwise = "none",
             .flags = FIELD_WHOLE | FIELD_NONE,
             .min = 1,
             .summary = "What a write did without is kept for the members that missed it, by who "
                        "stood in or else by the coordinator, and tried to be handed over so "
                        "often."},
            {.name = "anti_entropy",
             .type = FIELD_TIME,
             .offset = offsetof(struct replicated_config, anti_entropy),
             .otherwise = "none",
             .flags = FIELD_WHOLE | FIELD_NONE,
             .min = 1,
             .summary = "How often each member compares what it holds with another one, at random; "
                        "costs both a `scan`, and a read or write for each key that differs."},
            {.name = "tree",
             .type = FIELD_SIZE,
             .offset = offsetof(struct replicated_config, tree),
             .otherwise = "64KiB",
             .flags = FIELD_WHOLE,
             .summary = "Size of the hash tree that each sends the other for that."},
            {0},
        },
};

static const char *check_leaderless(const struct replicated_config *config)
{
    uint64_t replicas = config->replicas ? config->replicas : config->members.count;
    if (config->failover == REPLICATED_FAILOVER)
        return "without a leader there is no `failover`";
    if (config->ack != REPLICATED_ASYNC)
        return "leaderless writes are answered by their `quorum`: there is no `ack`";
    if (config->reads != REPLICATED_READ_LEADER)
        return "leaderless reads go to a `coordinator`: there is no `reads`";
    if (config->session || config->batch || config->leader.count)
        return "`session`, `batch` and `leader` are a single leader's";
    if (config->conflict == CONFLICT_STICKY)
        return "`conflict: sticky` needs leaders for keys to stick to";
    if (replicas > config->members.count)
        return "`quorum: {replicas: ..}` is more than there are members";
    if (config->read_quorum > replicas || config->write_quorum > replicas)
        return "a quorum is more than the replicas of a key";
    if (config->sloppy && config->handoff <= 0)
        return "a sloppy quorum needs `repair: {handoff: ..}`: who stands in has to hand over";
    return NULL;
}

const char *quorum_check(const struct replicated_config *config)
{
    if (config->mode == REPLICATED_LEADERLESS)
        return check_leaderless(config);
    if (config->quorum || config->repair || config->coordinator)
        return "`quorum`, `coordinator` and `repair` need mode: leaderless";
    return NULL;
}
