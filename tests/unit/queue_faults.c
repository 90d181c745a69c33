/* Queues: what must hold whatever happens, over many seeds and faults. */
#include "tests/queues.h"

#define TROUBLED(queue, subscription)                                                              \
    "orrery: 1\nrun: {warmup: 0s, duration: 20s, replications: 1, drain: 400s}\nnodes:\n"          \
    "  app: {kind: client, count: 2, arrivals: [0s poisson(60/s), 15s poisson(0.001/s)], "         \
    "operations: {order: {share: 90%%, type: insert}, vip: {share: 10%%, type: insert}}, keys: "   \
    "uniform(40), timeout: 300ms, retry: {attempts: 3}, to: inbox}\n"                              \
    "  inbox: {kind: queue, " queue " subscriptions: {mail: {to: mailer, visibility: 2s, "         \
    "" subscription "}, log: {to: logger, filter: vip}}}\n"                                        \
    "  mailer: {kind: service, count: 3, slots: 2, time: exp(20ms), fail: 1%%}\n"                  \
    "  logger: {kind: service, time: exp(10ms)}\n"                                                 \
    "links: {default: {latency: uniform(0.1ms..3ms), give_up: 5s}, inbox <-> mailer: {latency: "   \
    "uniform(0.1ms..3ms), loss: 2%%, give_up: 5s}}\n"                                              \
    "faults:\n"                                                                                    \
    "  - {at: 2s, for: 500ms, every: 5700ms, crash: mailer.2}\n"                                   \
    "  - {at: 3s, for: 700ms, every: 4300ms, partition: inbox | mailer.1}\n"                       \
    "  - {at: 4s, for: 600ms, every: 7900ms, crash: inbox}\n"                                      \
    "  - {at: 5s, for: 800ms, every: 5900ms, pause: mailer.3}\n"

enum { SEEDS = 60 };

static void what_holds_for_all(const struct played *p)
{
    const struct blueprint_node *n = node_in(p->loaded.blueprint, "inbox");
    const struct broker *q = p->simulation->agents[n->first].durable;
    CU_ASSERT_EQUAL(p->simulation->observed_held, 0);
    CU_ASSERT_EQUAL(q->stored, 0);
    CU_ASSERT_EQUAL(q->ready, 0);
    for (uint32_t i = 0; i < q->subscription_count; i++) {
        CU_ASSERT_EQUAL(q->subscriptions[i].depth, 0);
        CU_ASSERT_EQUAL(q->subscriptions[i].lag, 0);
        CU_ASSERT_EQUAL(q->subscriptions[i].unacked, 0);
        for (uint32_t k = 0; k < q->subscriptions[i].consumer_count; k++)
            CU_ASSERT_EQUAL(q->subscriptions[i].consumers[k].used, 0);
    }
    CU_ASSERT_TRUE(of_mail(p, DELIVERY_EFFECTS) > 500);
    CU_ASSERT_EQUAL(of_mail(p, DELIVERY_ARRIVALS),
                    of_mail(p, DELIVERY_DELIVERED) + of_mail(p, DELIVERY_DUPLICATE_COUNT));
    simulation_check_identities(p->simulation);
}

static void at_most_once_never_doubles(void)
{
    uint64_t lost = 0;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        struct played p;
        play(&p, seed, TROUBLED("idempotent: true,", "ack: before"));
        what_holds_for_all(&p);
        CU_ASSERT_EQUAL(of_mail(&p, DELIVERY_DUPLICATE_COUNT), 0);
        CU_ASSERT_EQUAL(of_mail(&p, DELIVERY_DUPLICATE_EFFECT_COUNT), 0);
        lost += of_mail(&p, DELIVERY_LOST_EFFECT_COUNT);
        played_free(&p);
    }
    CU_ASSERT_TRUE(lost > SEEDS);
}

static void at_least_once_never_loses(void)
{
    static const char *const queues[] = {"durability: fsync(every=7ms),",
                                         "durability: fsync(every=7ms), partitions: 7,",
                                         "durability: fsync(every=30ms), idempotent: true, "
                                         "priority: {vip: 1, order: 0},"};
    static const char *const subscriptions[] = {"prefetch: 4, fetch: poll(every=50ms)",
                                                "dedup: 5min, fetch: long_poll(wait=300ms)",
                                                "batch: 5, linger: 5ms, dedup: 5min"};
    uint64_t twice = 0;
    for (uint64_t seed = 1; seed <= SEEDS; seed++)
        for (int i = 0; i < 3; i++) {
            struct played p;
            play(&p, seed, TROUBLED("%s", "%s"), queues[i], subscriptions[i]);
            what_holds_for_all(&p);
            CU_ASSERT_EQUAL(of_mail(&p, DELIVERY_LOST_COUNT), 0);
            CU_ASSERT_EQUAL(of_mail(&p, DELIVERY_LOST_EFFECT_COUNT), 0);
            CU_ASSERT_EQUAL(counted(&p, "inbox.log", SUBSCRIPTION_TABLE, DELIVERY_LOST_COUNT), 0);
            CU_ASSERT_TRUE(of_mail(&p, DELIVERY_EFFECTS) >= of_mail(&p, DELIVERY_CONFIRMED));
            if (i)
                CU_ASSERT_EQUAL(of_mail(&p, DELIVERY_DUPLICATE_EFFECT_COUNT), 0);
            twice += i ? 0 : of_mail(&p, DELIVERY_DUPLICATE_EFFECT_COUNT);
            played_free(&p);
        }
    CU_ASSERT_TRUE(twice > SEEDS);
}

/* Consumers that remember for less than it takes until a message comes again do it again. */
static void a_short_memory_does_it_twice(void)
{
    uint64_t twice = 0;
    for (uint64_t seed = 1; seed <= 10; seed++) {
        struct played p;
        play(&p, seed, TROUBLED("durability: fsync(every=7ms),", "dedup: 500ms"));
        twice += of_mail(&p, DELIVERY_DUPLICATE_EFFECT_COUNT);
        played_free(&p);
    }
    CU_ASSERT_TRUE(twice > 20); /* lost answers: 2 s later */
}

static void partitions_keep_their_order(void)
{
    for (uint64_t seed = 1; seed <= SEEDS; seed++)
        for (int i = 0; i < 2; i++) {
            struct played p;
            play(&p, seed,
                 "orrery: 1\nrun: {warmup: 0s, duration: 20s, replications: 1, drain: 400s}\n"
                 "nodes:\n"
                 "  app: {kind: client, count: 2, arrivals: poisson(60/s), operations: {order: "
                 "{share: 100%%, type: insert}}, keys: uniform(40), to: inbox}\n"
                 "  inbox: {kind: queue, partitions: %d, subscriptions: {mail: {to: mailer, "
                 "visibility: 1s, prefetch: 3}}}\n"
                 "  mailer: {kind: service, count: 3, slots: 2, time: exp(20ms), fail: 2%%}\n"
                 "links: {inbox -> mailer: {latency: %s}, mailer -> inbox: {loss: 2%%}}\n"
                 "faults:\n"
                 "  - {at: 2s, for: 500ms, every: 3700ms, crash: mailer.2}\n"
                 "  - {at: 3s, for: 900ms, every: 4300ms, crash: mailer.1}\n",
                 i ? 1 : 7, i ? "uniform(0.1ms..9ms)" : "2ms");
            if (i)
                CU_ASSERT_TRUE(of_mail(&p, DELIVERY_REORDERED_COUNT) > 0)
            else
                CU_ASSERT_EQUAL(of_mail(&p, DELIVERY_REORDERED_COUNT), 0)
            CU_ASSERT_TRUE(i || of_mail(&p, DELIVERY_REBALANCES) >= 10);
            CU_ASSERT_EQUAL(of_mail(&p, DELIVERY_LOST_COUNT), 0);
            played_free(&p);
        }
}

/* Three brokers, one of which is down or cut off at a time: a majority keeps what it has confirmed,
 * in memory too. One broker's word alone is not enough. */
static void a_majority_keeps_what_it_has_confirmed(void)
{
    static const char *const queues[] = {"ack: all, durability: fsync(every=5ms)", "ack: all",
                                         "ack: all, partitions: 5, idempotent: true",
                                         "ack: one, delay: 1s"};
    uint64_t elections = 0, lost_by_one = 0, recovered = 0;
    for (uint64_t seed = 1; seed <= SEEDS; seed++)
        for (int i = 0; i < 4; i++) {
            struct played p;
            play(&p, seed,
                 "orrery: 1\nrun: {warmup: 0s, duration: 40s, replications: 1, drain: 400s}\n"
                 "nodes:\n"
                 "  app: {kind: client, arrivals: [0s poisson(100/s), 32s poisson(0.001/s)], "
                 "operations: {order: {share: 100%%, type: insert}}, keys: uniform(40), timeout: "
                 "900ms, retry: {attempts: 3}, to: inbox}\n"
                 "  inbox: {kind: queue, replicas: 3, %s, failover: {heartbeat: 100ms, timeout: "
                 "500ms}, subscriptions: {mail: {to: mailer, visibility: 2s, prefetch: 3}}}\n"
                 "  mailer: {kind: service, count: 3, slots: 2, time: exp(10ms)}\n"
                 "links: {default: {latency: uniform(0.1ms..20ms), give_up: 2s}, inbox <-> inbox: "
                 "{latency: uniform(0.1ms..20ms), loss: 2%%, duplicate: 1%%, give_up: 2s}}\n"
                 "faults:\n"
                 "  - {at: 2s, every: 9s, for: 1s, crash: one of inbox}\n"
                 "  - {at: 5s, every: 9s, for: 2s, partition: one of inbox}\n"
                 "  - {at: 9s, every: 9s, for: 1s, pause: one of inbox}\n",
                 queues[i]);
            what_holds_for_all(&p);
            elections += of_queue(&p, QUEUE_ELECTIONS);
            recovered += of_mail(&p, DELIVERY_RECOVERED);
            if (i < 3) {
                CU_ASSERT_EQUAL(of_mail(&p, DELIVERY_LOST_COUNT), 0);
                CU_ASSERT_EQUAL(of_mail(&p, DELIVERY_LOST_EFFECT_COUNT), 0);
            } else {
                lost_by_one += of_mail(&p, DELIVERY_LOST_COUNT);
            }
            played_free(&p);
        }
    CU_ASSERT_TRUE(elections > 3 * SEEDS);
    CU_ASSERT_TRUE(lost_by_one > SEEDS / 4);
    CU_ASSERT_TRUE(recovered > 0);
}

/* A service that dies between its write and its message leaves a write without one; with an outbox
 * there is a message for every write, and for nothing else, whoever dies. */
static void an_outbox_sends_what_was_written(void)
{
    uint64_t missing = 0;
    for (uint64_t seed = 1; seed <= 40; seed++)
        for (int i = 0; i < 2; i++) {
            struct played p;
            play(&p, seed,
                 "orrery: 1\nrun: {warmup: 0s, duration: 60s, replications: 1, drain: 400s}\n"
                 "nodes:\n"
                 "  app: {kind: client, arrivals: [0s poisson(50/s), 50s poisson(0.001/s)], "
                 "operations: {order: {share: 100%%, type: insert}}, keys: uniform(40), timeout: "
                 "1s, to: checkout}\n"
                 "  checkout: {kind: service, slots: 9, steps: [orders, {work: 5ms}, {send: inbox%s"
                 "}]}\n"
                 "  orders: {kind: database, slots: 4, write: exp(2ms)}\n"
                 "  inbox: {kind: queue, durability: fsync(every=5ms), idempotent: true, "
                 "subscriptions: {mail: {to: mailer}}}\n"
                 "  mailer: {kind: service, slots: 2, time: exp(2ms)}\n"
                 "links: {default: {latency: uniform(0.1ms..9ms), give_up: 2s}, orders -> inbox: "
                 "{latency: 1ms, loss: 10%%}}\n"
                 "faults:\n"
                 "  - {at: 2s, every: 3s, for: 500ms, crash: checkout}\n"
                 "  - {at: 4s, every: 7s, for: 2s, crash: inbox}\n"
                 "  - {at: 5s, every: 9s, for: 1s, crash: orders}\n",
                 i ? ", outbox: orders" : "");
            uint64_t written = counted(&p, "orders", 0, VISIT_DEPARTURES);
            uint64_t sent = of_queue(&p, QUEUE_PUBLISHED);
            CU_ASSERT_TRUE(sent > 1000);
            if (i)
                CU_ASSERT_EQUAL(sent, written)
            else
                missing += written - sent;
            played_free(&p);
        }
    CU_ASSERT_TRUE(missing > 40);
}

/* Memory follows what is stored: half an hour takes no more than a minute. */
static void memory_follows_what_is_stored(void)
{
    uint32_t entries[2], messages[2];
    for (int i = 0; i < 2; i++) {
        struct played p;
        play(&p, 1,
             "orrery: 1\nrun: {warmup: 0s, duration: %s, replications: 1}\nnodes:\n"
             "  app: {kind: client, arrivals: poisson(200/s), operations: {order: {share: 100%%, "
             "type: insert}}, to: inbox}\n"
             "  inbox: {kind: queue, idempotent: true, subscriptions: {mail: {to: mailer, dedup: "
             "5s, batch: 4}}}\n"
             "  mailer: {kind: service, slots: 4, time: exp(10ms)}\n",
             i ? "1800s" : "400s");
        const struct broker *q =
            p.simulation->agents[node_in(p.loaded.blueprint, "inbox")->first].durable;
        entries[i] = q->ledger.room;
        messages[i] = q->message_room;
        played_free(&p);
    }
    CU_ASSERT_EQUAL(entries[0], entries[1]);
    CU_ASSERT_TRUE(messages[1] <= 2 * messages[0]);
}

SUITE("queues under faults", TEST(at_most_once_never_doubles), TEST(at_least_once_never_loses),
      TEST(a_short_memory_does_it_twice), TEST(partitions_keep_their_order),
      TEST(an_outbox_sends_what_was_written), TEST(a_majority_keeps_what_it_has_confirmed),
      TEST(memory_follows_what_is_stored))
