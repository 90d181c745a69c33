/* The configuration of a queue and of its subscriptions, as the loader and the tests make it, and
 * what both measure. */
#ifndef ORRERY_MODELS_QUEUE_H
#define ORRERY_MODELS_QUEUE_H

#include "engine/kernel/field.h"
#include "models/parts/station.h"

enum queue_ack { QUEUE_ACK_ALL, QUEUE_ACK_ONE, QUEUE_ACK_NONE };
enum queue_durability { QUEUE_MEMORY, QUEUE_FSYNC };
enum queue_overflow { QUEUE_REJECTS, QUEUE_DROPS_OLDEST, QUEUE_BLOCKS };

/* Subscriptions of one queue at most: what became of a message stands in bits. */
enum { QUEUE_SUBSCRIPTIONS_MAX = 64 };

struct queue_config {
    struct station_config station;
    struct distribution delay; /* ns from the acceptance until a message can be delivered */
    uint64_t max_length;       /* messages that wait; COUNT_UNLIMITED */
    uint64_t partitions;
    uint64_t replicas;             /* brokers that hold each message */
    int64_t heartbeat, dead_after; /* ns; of no meaning with one */
    int64_t sync_every;            /* ns between two syncs; of no meaning in memory */
    int64_t ttl;                   /* ns, or TIME_NONE */
    int64_t retention;    /* ns from the acceptance, or TIME_NONE: until it is acknowledged */
    struct field_list to; /* of struct pool: the only subscription's instances, or empty */
    struct field_list subscriptions; /* of struct pool: each one's instances */
    uint8_t ack, durability, overflow;
    bool idempotent;
};

enum subscription_fetch { SUBSCRIPTION_PUSH, SUBSCRIPTION_LONG_POLL, SUBSCRIPTION_POLL };
enum subscription_ack { SUBSCRIPTION_AFTER, SUBSCRIPTION_BEFORE };

struct subscription_config {
    struct pool to;
    struct pool dead_letter;  /* nobody: what is given up is dropped */
    struct field_list filter; /* of uint32_t: operations; empty: all */
    uint64_t prefetch;        /* deliveries under way to each consumer; 0: as many as its slots */
    uint64_t batch, max_deliveries;
    int64_t linger, visibility, dedup, pause; /* ns */
    int64_t replay_at, replay_back;           /* ns; of no meaning without has_replay */
    int64_t wait, every;                      /* ns: until a consumer asks again */
    int64_t dedup_time;                       /* ns to look a message up in what is remembered */
    uint8_t ack, fetch;
    bool no_local, has_replay;
};

extern const struct field_table queue_fields, subscription_fields;

/* What a queue (over all subscriptions) and each subscription measure. */
enum delivery_metric {
    DELIVERY_OFFERED,   /* hidden: messages taken in for it */
    DELIVERY_CONFIRMED, /* hidden: those whose producer was told so */
    DELIVERY_DELIVERED,
    DELIVERY_ARRIVALS, /* hidden */
    DELIVERY_PER_MESSAGE,
    DELIVERY_REDELIVERIES,
    DELIVERY_AGAIN, /* hidden: messages delivered more than once */
    DELIVERY_REDELIVERED,
    DELIVERY_DUPLICATES,
    DELIVERY_DUPLICATE_COUNT,
    DELIVERY_EFFECTS,
    DELIVERY_DUPLICATE_EFFECTS,
    DELIVERY_DUPLICATE_EFFECT_COUNT,
    DELIVERY_DEDUPLICATED,
    DELIVERY_LOST,
    DELIVERY_LOST_COUNT,
    DELIVERY_LOST_EFFECTS,
    DELIVERY_LOST_EFFECT_COUNT,
    DELIVERY_RECOVERED,
    DELIVERY_REORDERED,
    DELIVERY_REORDERED_COUNT,
    DELIVERY_REORDER_EXTENT,
    DELIVERY_SKIPPED,
    DELIVERY_REFUSALS,
    DELIVERY_VISIBILITY_ENDS,
    DELIVERY_EXPIRED,
    DELIVERY_DROPPED,
    DELIVERY_DEAD_LETTERS,
    DELIVERY_REBALANCES,
    DELIVERY_REPLAYED,
    DELIVERY_BATCH_SIZE,
    DELIVERY_TIME_IN_QUEUE,
    DELIVERY_END_TO_END,
    DELIVERY_OLDEST_AGE,
    DELIVERY_DEPTH,
    DELIVERY_UNACKED,
    DELIVERY_LAG,
    DELIVERY_DRAIN_TIME,
    DELIVERY_METRICS,
};
extern const struct metric_table delivery_metrics;

/* What the broker alone measures. */
enum queue_metric {
    QUEUE_PUBLISHED,
    QUEUE_PUBLISH_RATE,
    QUEUE_COPIES,
    QUEUE_BLOCKED,
    QUEUE_BLOCKED_TIME,
    QUEUE_ELECTIONS,
    QUEUE_RETAINED,
    QUEUE_METRICS,
};
extern const struct metric_table queue_metrics;

#endif
