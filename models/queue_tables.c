/* What users write for a queue and its subscriptions, and what both measure. */
#include "models/queue.h"

#include <stddef.h>

static const struct field_word acks[] = {
    [QUEUE_ACK_ALL] = {"all",
                       "When a crash cannot take it any more; of several brokers, when a majority "
                       "has it so. It is delivered only then.",
                       NULL},
    [QUEUE_ACK_ONE] = {"one", "When the broker that has taken it in has it so.", NULL},
    [QUEUE_ACK_NONE] = {"none", "At once, whatever becomes of it.", NULL},
    {0},
};

static const struct field sync_fields[] = {
    {.name = "every",
     .type = FIELD_TIME,
     .offset = offsetof(struct queue_config, sync_every),
     .otherwise = "10ms",
     .flags = FIELD_WHOLE,
     .min = 1,
     .summary = "From one sync to the next."},
    {0},
};

static const struct field_word durabilities[] = {
    [QUEUE_MEMORY] = {"memory", "A crash takes all messages.", NULL},
    [QUEUE_FSYNC] = {"fsync",
                     "A crash takes what came, and undoes what was acknowledged, since the last "
                     "sync.",
                     &(const struct field_table){.fields = sync_fields}},
    {0},
};

static const struct field failover_fields[] = {
    {.name = "heartbeat",
     .type = FIELD_TIME,
     .offset = offsetof(struct queue_config, heartbeat),
     .otherwise = "500ms",
     .flags = FIELD_WHOLE,
     .min = 1,
     .summary = "From one sign of life of the leader to the next."},
    {.name = "timeout",
     .type = FIELD_TIME,
     .offset = offsetof(struct queue_config, dead_after),
     .otherwise = "3s",
     .flags = FIELD_WHOLE,
     .min = 1,
     .summary = "A follower that hears none for so long asks for votes; a leader that no majority "
                "answers for so long leads no more."},
    {0},
};

static const struct field_word overflows[] = {
    [QUEUE_REJECTS] = {"reject", "The send fails.", NULL},
    [QUEUE_DROPS_OLDEST] = {"drop_oldest", "The oldest message that waits goes.", NULL},
    [QUEUE_BLOCKS] = {"block",
                      "The sender gets no answer before there is room; what is sent without "
                      "waiting is rejected.",
                      NULL},
    {0},
};

const struct field_table queue_fields = {
    .fields =
        (const struct field[]){
            {.name = "to",
             .type = FIELD_PARTS,
             .offset = offsetof(struct queue_config, to),
             .flags = FIELD_PER_REQUEST | FIELD_WHOLE,
             .summary =
                 "The consumers of the only subscription, which is called NAME.to. Left out: "
                 "`subscriptions`, or messages just stay."},
            {.name = "subscriptions",
             .type = FIELD_PARTS,
             .offset = offsetof(struct queue_config, subscriptions),
             .flags = FIELD_PER_REQUEST | FIELD_WHOLE,
             .record = &subscription_fields,
             .summary = "Who gets every message, by name; each is a node NAME.SUBSCRIPTION with "
                        "metrics of its own."},
            {.name = "ack",
             .type = FIELD_WORD,
             .offset = offsetof(struct queue_config, ack),
             .otherwise = "all",
             .flags = FIELD_WHOLE,
             .words = acks,
             .summary = "When a send is answered."},
            {.name = "durability",
             .type = FIELD_WORD,
             .offset = offsetof(struct queue_config, durability),
             .otherwise = "memory",
             .flags = FIELD_WHOLE,
             .words = durabilities,
             .summary = "What a crash takes."},
            {.name = "replicas",
             .type = FIELD_COUNT,
             .offset = offsetof(struct queue_config, replicas),
             .otherwise = "1",
             .flags = FIELD_WHOLE,
             .min = 1,
             .max = 63,
             .summary = "Brokers (NAME.1, NAME.2 ..) that hold each message: one leads, the others "
                        "follow; a majority elects another when it falls silent."},
            {.name = "failover",
             .type = FIELD_RECORD,
             .otherwise = "{}",
             .flags = FIELD_WHOLE,
             .record = &(const struct field_table){.fields = failover_fields},
             .summary = "When followers take their leader for dead."},
            {.name = "partitions",
             .type = FIELD_COUNT,
             .offset = offsetof(struct queue_config, partitions),
             .otherwise = "1",
             .flags = FIELD_WHOLE,
             .min = 1,
             .max = 4096,
             .summary =
                 "With 1 the consumers of a subscription compete; with more the key modulo their "
                 "number names the partition, and each belongs to one consumer, which keeps its "
                 "order."},
            {.name = "max_length",
             .type = FIELD_COUNT,
             .offset = offsetof(struct queue_config, max_length),
             .otherwise = "unlimited",
             .flags = FIELD_UNLIMITED | FIELD_WHOLE,
             .min = 1,
             .summary = "Messages that may wait for a delivery; those under way are not counted."},
            {.name = "overflow",
             .type = FIELD_WORD,
             .offset = offsetof(struct queue_config, overflow),
             .otherwise = "reject",
             .flags = FIELD_WHOLE,
             .words = overflows,
             .summary = "What becomes of a message for which there is no room."},
            {.name = "ttl",
             .type = FIELD_TIME,
             .offset = offsetof(struct queue_config, ttl),
             .otherwise = "none",
             .flags = FIELD_NONE | FIELD_WHOLE,
             .min = 1,
             .summary = "What waits for so long is dropped."},
            {.name = "retention",
             .type = FIELD_TIME,
             .offset = offsetof(struct queue_config, retention),
             .otherwise = "none",
             .flags = FIELD_NONE | FIELD_WHOLE,
             .min = 1,
             .summary =
                 "Messages stay for so long, acknowledged or not, so that a subscription can "
                 "`replay` them; none: until all have acknowledged them."},
            {.name = "delay",
             .type = FIELD_DURATION,
             .offset = offsetof(struct queue_config, delay),
             .otherwise = "0s",
             .flags = FIELD_PER_OPERATION,
             .summary = "How long a message rests before it can be delivered."},
            {.name = "idempotent",
             .type = FIELD_BOOL,
             .offset = offsetof(struct queue_config, idempotent),
             .otherwise = "false",
             .flags = FIELD_WHOLE,
             .summary = "Producers number their messages: one that is sent again within 5 min is "
                        "stored once."},
            {0},
        },
    .includes =
        (const struct field_include[]){
            {&station_slots_one, offsetof(struct queue_config, station)},
            {&station_fields, offsetof(struct queue_config, station)},
            {0},
        },
};

static const struct field long_poll_fields[] = {
    {.name = "wait",
     .type = FIELD_TIME,
     .offset = offsetof(struct subscription_config, wait),
     .otherwise = "500ms",
     .flags = FIELD_WHOLE,
     .min = 1,
     .summary = "Without a message it asks again after so long."},
    {0},
};

static const struct field poll_fields[] = {
    {.name = "every",
     .type = FIELD_TIME,
     .offset = offsetof(struct subscription_config, every),
     .otherwise = "1s",
     .flags = FIELD_WHOLE,
     .min = 1,
     .summary = "Where there was none it asks again after so long."},
    {0},
};

static const struct field_word fetches[] = {
    [SUBSCRIPTION_PUSH] = {"push", "The broker delivers while a consumer has less than `prefetch`.",
                           NULL},
    [SUBSCRIPTION_LONG_POLL] = {"long_poll",
                                "A consumer with less than `prefetch` asks, and the broker answers "
                                "as soon as there is a message.",
                                &(const struct field_table){.fields = long_poll_fields}},
    [SUBSCRIPTION_POLL] = {"poll", "It asks, and the broker answers at once, or has nothing.",
                           &(const struct field_table){.fields = poll_fields}},
    {0},
};

static const struct field replay_fields[] = {
    {.name = "at",
     .type = FIELD_TIME,
     .offset = offsetof(struct subscription_config, replay_at),
     .flags = FIELD_REQUIRED | FIELD_WHOLE,
     .summary = "When, from the start of the run on."},
    {.name = "back",
     .type = FIELD_TIME,
     .offset = offsetof(struct subscription_config, replay_back),
     .flags = FIELD_REQUIRED | FIELD_WHOLE,
     .min = 1,
     .summary = "How far back: what was accepted since then."},
    {0},
};

static const struct field_word confirmations[] = {
    [SUBSCRIPTION_AFTER] = {"after", "When the consumer has done its work: at least once.", NULL},
    [SUBSCRIPTION_BEFORE] = {"before", "When it is sent: at most once.", NULL},
    {0},
};

const struct field_table subscription_fields = {
    .fields =
        (const struct field[]){
            {.name = "to",
             .type = FIELD_POOL,
             .offset = offsetof(struct subscription_config, to),
             .flags = FIELD_REQUIRED | FIELD_WHOLE,
             .summary = "The consumers: instances of services, databases, other queues, ..."},
            {.name = "ack",
             .type = FIELD_WORD,
             .offset = offsetof(struct subscription_config, ack),
             .otherwise = "after",
             .flags = FIELD_WHOLE,
             .words = confirmations,
             .summary = "When the broker may forget a message."},
            {.name = "fetch",
             .type = FIELD_WORD,
             .offset = offsetof(struct subscription_config, fetch),
             .otherwise = "push",
             .flags = FIELD_WHOLE,
             .words = fetches,
             .summary =
                 "Who sets a delivery going. Asking takes a message of its own, which may be "
                 "late or lost."},
            {.name = "prefetch",
             .type = FIELD_COUNT,
             .offset = offsetof(struct subscription_config, prefetch),
             .flags = FIELD_PER_REQUEST | FIELD_UNLIMITED | FIELD_WHOLE,
             .min = 1,
             .summary = "Deliveries under way to each consumer. Left out: as many as it has "
                        "`slots`."},
            {.name = "batch",
             .type = FIELD_COUNT,
             .offset = offsetof(struct subscription_config, batch),
             .otherwise = "1",
             .flags = FIELD_UNLIMITED | FIELD_WHOLE,
             .min = 1,
             .summary = "Messages in one delivery at most; it has the operation of its first."},
            {.name = "linger",
             .type = FIELD_TIME,
             .offset = offsetof(struct subscription_config, linger),
             .otherwise = "0s",
             .flags = FIELD_WHOLE,
             .summary = "How long a batch waits, from its first message on, to be full."},
            {.name = "visibility",
             .type = FIELD_TIME,
             .offset = offsetof(struct subscription_config, visibility),
             .otherwise = "30s",
             .flags = FIELD_WHOLE,
             .min = 1,
             .summary = "A delivery that is not acknowledged by then is made again."},
            {.name = "pause",
             .type = FIELD_TIME,
             .offset = offsetof(struct subscription_config, pause),
             .otherwise = "0s",
             .flags = FIELD_WHOLE,
             .summary = "Between a delivery that has failed and the next; what is refused at the "
                        "very instant of its delivery rests 1 ms at least."},
            {.name = "max_deliveries",
             .type = FIELD_COUNT,
             .offset = offsetof(struct subscription_config, max_deliveries),
             .otherwise = "unlimited",
             .flags = FIELD_UNLIMITED | FIELD_WHOLE,
             .min = 1,
             .summary = "When the last of them has failed the message is a dead letter."},
            {.name = "dead_letter",
             .type = FIELD_POOL,
             .offset = offsetof(struct subscription_config, dead_letter),
             .flags = FIELD_PER_REQUEST | FIELD_WHOLE,
             .summary = "The queue for dead letters. Left out: they are dropped."},
            {.name = "dedup",
             .type = FIELD_TIME,
             .offset = offsetof(struct subscription_config, dedup),
             .otherwise = "0s",
             .flags = FIELD_WHOLE,
             .summary = "How long the consumers remember what they have done, and do not do it "
                        "again."},
            {.name = "dedup_time",
             .type = FIELD_TIME,
             .offset = offsetof(struct subscription_config, dedup_time),
             .otherwise = "0s",
             .flags = FIELD_WHOLE,
             .summary = "How long it takes to look a message up there, before it is worked on."},
            {.name = "filter",
             .type = FIELD_OPERATIONS,
             .offset = offsetof(struct subscription_config, filter),
             .flags = FIELD_PER_REQUEST | FIELD_WHOLE,
             .summary = "Messages of these operations only. Left out: all."},
            {.name = "replay",
             .type = FIELD_RECORD,
             .offset = 0,
             .present = offsetof(struct subscription_config, has_replay),
             .flags = FIELD_NONE | FIELD_WHOLE,
             .record = &(const struct field_table){.fields = replay_fields},
             .summary = "Once, messages that are still there are delivered again: the subscription "
                        "goes back to an earlier offset."},
            {.name = "no_local",
             .type = FIELD_BOOL,
             .offset = offsetof(struct subscription_config, no_local),
             .otherwise = "false",
             .flags = FIELD_WHOLE,
             .summary = "Not what the consumer has sent itself (JMS: noLocal)."},
            {0},
        },
};

#define HIDDEN(name, what)                                                                         \
    {                                                                                              \
        name, "1", METRIC_TOTAL, 0, 0, what, NULL, true                                            \
    }
/* A count and its share of another count, under one name. */
#define SHARE(name, of, below, what, when)                                                         \
    {                                                                                              \
        name, "1", METRIC_RATIO, of, below, what, when, true                                       \
    }
#define TOTAL(name, what, when)                                                                    \
    {                                                                                              \
        name, "1", METRIC_TOTAL, 0, 0, what, when, true                                            \
    }
#define TIME(name, what)                                                                           \
    {                                                                                              \
        name, "ms", METRIC_DURATION, 0, 0, what, NULL, true                                        \
    }
#define LEVEL(name, unit, what)                                                                    \
    {                                                                                              \
        name, unit, METRIC_LEVEL, 0, 0, what, NULL, true                                           \
    }

const struct metric_table delivery_metrics = {
    .metrics =
        (const struct metric[]){
            [DELIVERY_OFFERED] = HIDDEN(".offered", "Messages taken in for the subscription."),
            [DELIVERY_CONFIRMED] = HIDDEN(".confirmed", "Those that were acknowledged."),
            [DELIVERY_DELIVERED] = TOTAL(
                "delivered", "Messages accepted within the window that reached a consumer.", NULL),
            [DELIVERY_ARRIVALS] = HIDDEN(".arrivals", "All their arrivals there."),
            [DELIVERY_PER_MESSAGE] =
                SHARE("deliveries_per_message", DELIVERY_ARRIVALS, DELIVERY_DELIVERED,
                      "How often a message that reached a consumer did so.", NULL),
            [DELIVERY_REDELIVERIES] =
                TOTAL("redeliveries", "Deliveries that were not a message's first.", NULL),
            [DELIVERY_AGAIN] = HIDDEN(".again", "Messages that arrived more than once."),
            [DELIVERY_REDELIVERED] = SHARE(
                "redelivered_messages", DELIVERY_AGAIN, DELIVERY_DELIVERED,
                "Share of the messages delivered that reached consumers more than once.", NULL),
            [DELIVERY_DUPLICATES] =
                SHARE("duplicate_messages", DELIVERY_DUPLICATE_COUNT, DELIVERY_DELIVERED,
                      "Arrivals beyond a message's first, over the messages delivered.", NULL),
            [DELIVERY_DUPLICATE_COUNT] =
                TOTAL("duplicate_messages", "Arrivals beyond a message's first.", NULL),
            [DELIVERY_EFFECTS] =
                TOTAL("effects", "Messages whose work a consumer has done with success.", NULL),
            [DELIVERY_DUPLICATE_EFFECTS] = SHARE(
                "duplicate_effects", DELIVERY_DUPLICATE_EFFECT_COUNT, DELIVERY_EFFECTS,
                "Work done with success beyond a message's first time, over the effects.", NULL),
            [DELIVERY_DUPLICATE_EFFECT_COUNT] = TOTAL(
                "duplicate_effects", "Work done with success beyond a message's first time.", NULL),
            [DELIVERY_DEDUPLICATED] = TOTAL(
                "deduplicated", "Arrivals whose work the consumers knew to be done.", "*dedup"),
            [DELIVERY_LOST] =
                SHARE("lost_messages", DELIVERY_LOST_COUNT, DELIVERY_CONFIRMED,
                      "Share of the acknowledged messages that never reached a consumer and are "
                      "stored no more.",
                      NULL),
            [DELIVERY_LOST_COUNT] = TOTAL("lost_messages",
                                          "Acknowledged messages that never reached a consumer "
                                          "and are stored no more.",
                                          NULL),
            [DELIVERY_LOST_EFFECTS] =
                SHARE("lost_effects", DELIVERY_LOST_EFFECT_COUNT, DELIVERY_CONFIRMED,
                      "Share of the acknowledged messages whose work was never done and that are "
                      "stored no more.",
                      NULL),
            [DELIVERY_LOST_EFFECT_COUNT] = TOTAL("lost_effects",
                                                 "Acknowledged messages whose work was never done "
                                                 "and that are stored no more.",
                                                 NULL),
            [DELIVERY_RECOVERED] =
                TOTAL("recovered_messages",
                      "Messages delivered although they were never acknowledged.", NULL),
            [DELIVERY_REORDERED] =
                SHARE("reordered_messages", DELIVERY_REORDERED_COUNT, DELIVERY_DELIVERED,
                      "Share of the messages that reached a consumer for the first time behind a "
                      "later one of the same producer and partition.",
                      NULL),
            [DELIVERY_REORDERED_COUNT] = TOTAL("reordered_messages",
                                               "Messages that reached a consumer for the first "
                                               "time behind a later one of the same producer and "
                                               "partition.",
                                               NULL),
            [DELIVERY_REORDER_EXTENT] =
                TIME("reorder_extent", "How much later than a reordered message the latest "
                                       "one before it had been produced."),
            [DELIVERY_SKIPPED] = TOTAL("skipped_messages",
                                       "Messages that never reached a consumer while a later one "
                                       "of their partition did.",
                                       NULL),
            [DELIVERY_REFUSALS] = TOTAL("refusals",
                                        "Messages in deliveries that the consumer answered with an "
                                        "error.",
                                        NULL),
            [DELIVERY_VISIBILITY_ENDS] = TOTAL(
                "visibility_ends", "Messages in deliveries that were not answered in time.", NULL),
            [DELIVERY_EXPIRED] = TOTAL("expired", "Messages dropped for their age.", "*ttl"),
            [DELIVERY_DROPPED] = TOTAL("dropped", "Messages dropped for a newer one.", "*overflow"),
            [DELIVERY_DEAD_LETTERS] = TOTAL(
                "dead_letters", "Messages given up after their last delivery.", "*max_deliveries"),
            [DELIVERY_REBALANCES] = TOTAL(
                "rebalances", "Times partitions were given to other consumers.", "*partitions"),
            [DELIVERY_REPLAYED] =
                TOTAL("replayed", "Messages that were to be delivered once more.", "*replay"),
            [DELIVERY_BATCH_SIZE] = {"batch_size", "1", METRIC_DURATION, 0, 0,
                                     "Messages in a delivery.", NULL, true},
            [DELIVERY_TIME_IN_QUEUE] =
                TIME("time_in_queue", "From the acceptance of a message to its first delivery."),
            [DELIVERY_END_TO_END] =
                TIME("end_to_end", "From the acceptance of a message to the first time its "
                                   "work was done; those for which it was."),
            [DELIVERY_OLDEST_AGE] =
                LEVEL("oldest_age", "ms",
                      "Time since the acceptance of the oldest message that waits, looked at every "
                      "second; 0 where none does."),
            [DELIVERY_DEPTH] = LEVEL("depth", "1",
                                     "Messages that wait for a delivery; at the queue: to one "
                                     "subscription at least."),
            [DELIVERY_UNACKED] = LEVEL("unacked", "1", "Messages in deliveries under way."),
            [DELIVERY_LAG] = LEVEL("lag", "1",
                                   "Messages accepted and not yet acknowledged; at the queue: "
                                   "stored."),
            [DELIVERY_DRAIN_TIME] = {"drain_time", "ms", METRIC_EVENT, 0, 0,
                                     "From the instant at which most messages waited to the first "
                                     "one after it at which none did.",
                                     NULL, true},
        },
    .count = DELIVERY_METRICS,
};

const struct metric_table queue_metrics = {
    .metrics =
        (const struct metric[]){
            [QUEUE_PUBLISHED] = {"published", "1", METRIC_TOTAL, 0, 0,
                                 "Messages accepted within the window.", NULL, true},
            [QUEUE_PUBLISH_RATE] = {"publish_rate", "/s", METRIC_RATE, 1 + QUEUE_PUBLISHED, 0,
                                    "The same per second.", NULL, true},
            [QUEUE_COPIES] = {"copies", "1", METRIC_TOTAL, 0, 0,
                              "Messages that came once more: stored again, or left out where the "
                              "queue is `idempotent`.",
                              NULL, true},
            [QUEUE_BLOCKED] = {"blocked", "1", METRIC_LEVEL, 0, 0, "Senders that wait for room.",
                               "overflow", true},
            [QUEUE_BLOCKED_TIME] = {"blocked_time", "ms", METRIC_DURATION, 0, 0,
                                    "How long senders waited for room that found none.", "overflow",
                                    true},
            [QUEUE_RETAINED] = {"retained", "1", METRIC_LEVEL, 0, 0,
                                "Messages that all have acknowledged and that are kept.",
                                "retention", true},
            [QUEUE_ELECTIONS] = {"elections", "1", METRIC_TOTAL, 0, 0,
                                 "Times another broker was made the leader.", "replicas", true},
        },
    .count = QUEUE_METRICS,
};
