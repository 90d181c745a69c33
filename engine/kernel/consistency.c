#include "engine/kernel/consistency.h"

#define READS "Share of the ok reads "
#define LEADERS "failover mode=raft"              /* of stores whose leaders change */
#define RULES "mode=leaderless mode=multi_leader" /* of those whose members all accept writes */
#define COPIES "members"                          /* of stores of several copies */
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
            HIDDEN(".operations"),
            HIDDEN(".ok"),
            {"availability", "1", METRIC_RATIO, CONSISTENCY_OK, CONSISTENCY_OPERATIONS,
             "Share of the operations that were sent to the group, by intended start, that were "
             "ok.",
             COPIES},
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
            {"staleness_versions", "1", METRIC_DURATION, 0, 0,
             "Of an ok read: how many newer versions had been acknowledged when it began."},
            {"read_age", "ms", METRIC_DURATION, 0, 0,
             "Of an ok read: its begin since the newest version acknowledged by then was. With the "
             "next "
             "one it gives the curve of t-visibility: the share of fresh reads by age.",
             COPIES},
            {"stale_read_age", "ms", METRIC_DURATION, 0, 0, "The same of stale reads alone.",
             COPIES},
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
            HIDDEN(".write_pairs"),
            SHARE("monotonic_writes_violations", CONSISTENCY_MONOTONIC_WRITES_COUNT,
                  CONSISTENCY_WRITE_PAIRS,
                  "Of the acknowledged writes of a key that the session had written before, the "
                  "share that stand before the one acknowledged last, by the store's own order."),
            HIDDEN(".writes_after_reads"),
            SHARE("writes_follow_reads_violations", CONSISTENCY_WRITES_FOLLOW_READS_COUNT,
                  CONSISTENCY_WRITES_AFTER_READS,
                  "Of the acknowledged writes of a key that the session had read before, the share "
                  "that stand before the newest version it had seen."),
            {"linearizable", "1", METRIC_NONE, CONSISTENCY_ANOMALIES, 0,
             "Whether one copy, and every operation on it at some instant between its begin and "
             "its "
             "end, could have given the same answers: 1 or 0 in each replication."},
            EVENT(
                "linearizability_anomalies",
                "Operations that no such order could hold beside those before them: 0 if and only "
                "if the history is linearizable. Exact (zones of Gibbons and Korach; updates "
                "follow what they were made on at once)."),
            {"first_linearizability_violation", "ms", METRIC_EVENT, 0, 0,
             "When the first of them was seen, from the begin of the run."},
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
            {"split_brain_time", "ms", METRIC_SPAN, 0, 0,
             "Of that time, where two or more of them acknowledged writes: from the first of these "
             "writes to the last.",
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
            {"recovery_point_writes", "1", METRIC_DURATION, 0, 0,
             "Of a failover: acknowledged writes that it took back for good.", LEADERS},
            {"recovery_point", "ms", METRIC_DURATION, 0, 0,
             "Of a failover: from the earliest acknowledgement of those writes to the begin of the "
             "fault; 0 where they were all acknowledged after it, or none was lost.",
             LEADERS},
            {"visibility_delay", "ms", METRIC_DURATION, 0, 0,
             "Of an acknowledged write: from its acknowledgement until every replica that is up "
             "holds it or a newer version; 0 where that came first."},
            {"convergence_time", "ms", METRIC_DURATION, 0, 0,
             "From the end of a crash, pause or fault of links until every member that is up "
             "holds, "
             "of every key, the newest version that some of them held then, or a newer one. Not "
             "told where the next fault ends, or the run does, before that.",
             COPIES},
            EVENT_OF(
                "diverged_keys", COPIES,
                "Keys of which some member that is up holds, when the run ends, an older version "
                "than was the newest 10 s, or a tenth of the measured time, before it."),
            {".keys", "1", METRIC_LEVEL, 0, 0, "Keys that some member has held."},
            {".agreed", "1", METRIC_LEVEL, 0, 0, "Those of which all members hold the same."},
            {"replica_agreement", "1", METRIC_SHARE, CONSISTENCY_AGREED, CONSISTENCY_KEYS,
             "Share of keys, over time, of which all members hold the same version, those included "
             "that are down.",
             COPIES},
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
