#include "engine/kernel/consistency.h"

#define READS "Share of the ok reads "
#define LEADERS "failover mode=raft"              /* of stores whose leaders change */
#define RULES "mode=leaderless mode=multi_leader" /* of those whose members all accept writes */
#define EVENT_OF(name, keys, text)                                                                 \
    {                                                                                              \
        name, "1", METRIC_TOTAL, 0, 0, text, keys                                                  \
    }
#define EVENT(name, text) EVENT_OF(name, NULL, text)
#define HIDDEN(name) EVENT(name, "Of a ratio the denominator.")
/* A ratio and the count it is made of, under one name. */
#define SHARE_OF(name, keys, count, of, text)                                                      \
    {name, "1", METRIC_RATIO, count, of, text, keys},                                              \
    {                                                                                              \
        name, "1", METRIC_TOTAL, 0, 0, "The same, counted.", keys                                  \
    }
#define SHARE(name, count, of, text) SHARE_OF(name, NULL, count, of, text)

const struct metric_table consistency_metrics = {
    .metrics =
        (const struct metric[]){
            HIDDEN(".reads"),
            SHARE("stale_reads", CONSISTENCY_STALE_COUNT, CONSISTENCY_READS,
                  READS
                  "that began after a newer version had been acknowledged, by the store's own "
                  "order of versions."),
            SHARE("stale_reads_realtime", CONSISTENCY_STALE_REALTIME_COUNT, CONSISTENCY_READS,
                  READS
                  "that a client could prove to be stale: some write began after the one that "
                  "was read had been acknowledged, and was acknowledged before the read "
                  "began."),
            {"staleness", "ms", METRIC_DURATION, 0, 0,
             "Of an ok read: from the first acknowledgement of a newer version to its begin; 0 "
             "where "
             "it was not stale."},
            HIDDEN(".own_reads"),
            SHARE("read_your_writes_violations", CONSISTENCY_READ_YOUR_WRITES_COUNT,
                  CONSISTENCY_OWN_READS,
                  "Of the ok reads of a key that the session had written before, the share that "
                  "returned an older version than its newest acknowledged one."),
            SHARE("read_your_writes_violations_realtime",
                  CONSISTENCY_READ_YOUR_WRITES_REALTIME_COUNT, CONSISTENCY_OWN_READS,
                  "The same as a client could prove it: what was read had been acknowledged before "
                  "the session's own write began."),
            HIDDEN(".again_reads"),
            SHARE("monotonic_reads_violations", CONSISTENCY_MONOTONIC_READS_COUNT,
                  CONSISTENCY_AGAIN_READS,
                  "Of the ok reads of a key that the session had read before, the share that "
                  "returned an older version than the newest it had seen."),
            SHARE("monotonic_reads_violations_realtime", CONSISTENCY_MONOTONIC_READS_REALTIME_COUNT,
                  CONSISTENCY_AGAIN_READS,
                  "The same as a client could prove it: what was read had been acknowledged before "
                  "the write of what it had seen began."),
            EVENT("aborted_reads", "Ok reads of what a write left that had failed."),
            EVENT("rolled_back_reads", "Ok reads of a version that was taken back later."),
            EVENT("phantom_reads", "Ok reads of what nobody had written: a fault of the store."),
            HIDDEN(".writes"),
            SHARE("lost_writes", CONSISTENCY_LOST_COUNT, CONSISTENCY_WRITES,
                  "Share of the acknowledged writes of which in the end nobody has anything: taken "
                  "back everywhere. What a rule of conflicts has discarded is not lost but "
                  "overwritten."),
            HIDDEN(".unknown"),
            SHARE("recovered_writes", CONSISTENCY_RECOVERED_COUNT, CONSISTENCY_UNKNOWN,
                  "Share of the writes that ended as unknown which took effect all the same."),
            EVENT_OF(
                "overwritten_concurrent", RULES,
                "Acknowledged writes that a rule of conflicts discarded for one that had not seen "
                "them and was under way at the same time."),
            EVENT_OF(
                "overwritten_later", RULES,
                "The same, where the one discarded had begun after the one that was kept had been "
                "acknowledged: clocks are skewed."),
            EVENT_OF("conflicts", RULES,
                     "Times two versions met neither of which had seen the other."),
            {"siblings_max", "1", METRIC_DURATION, 0, 0,
             "How many versions of a key a member kept when two met neither of which had seen the "
             "other; its `max` is the largest set.",
             RULES},
            EVENT("lost_updates",
                  "Read-modify-writes whose base was no longer the newest acknowledged version: "
                  "one for each acknowledged version of others that they passed over."),
            EVENT_OF("elections", LEADERS, "Leaders that began in a new term."),
            SHARE_OF("false_failovers", LEADERS, CONSISTENCY_FALSE_FAILOVERS_COUNT,
                     CONSISTENCY_ELECTIONS,
                     "Share of the elections begun while the leader before was up."),
            {"dual_leader_time", "ms", METRIC_SPAN, 0, 0,
             "Time in which two or more members that were up took themselves for the leader.",
             LEADERS},
            EVENT_OF(
                "split_brain_writes", LEADERS,
                "Writes acknowledged by a leader whose term was over: another one led already."),
            {"detection_time", "ms", METRIC_DURATION, 0, 0,
             "From the begin of the last strike before it to the first suspicion of the leader.",
             LEADERS},
            {"recovery_time", "ms", METRIC_DURATION, 0, 0,
             "From the begin of that strike to the first write that the new leader acknowledged.",
             LEADERS},
            {"visibility_delay", "ms", METRIC_DURATION, 0, 0,
             "Of an acknowledged write: from its acknowledgement until every replica that is up "
             "holds it or a newer version; 0 where that came first."},
        },
    .count = CONSISTENCY_METRICS,
};

struct record *consistency_record(const struct agent *agent)
{
    for (int t = 0; t < KIND_TABLES && agent->kind->tables[t]; t++)
        if (agent->kind->tables[t] == &consistency_metrics)
            return agent->records[t];
    return NULL;
}
