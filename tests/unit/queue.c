/* Queues: what is lost, doubled and done twice, worked out by hand. */
#include "tests/queues.h"

/* ---- by hand ---- */

/* Ten a second from 0 on; each takes 250 ms, and there are four at a time: none waits. */
static void messages_go_through(void)
{
    struct played p;
    play(&p, 1, SYSTEM("constant(10/s)", "", "", "slots: 4, time: 250ms", ""));
    CU_ASSERT_EQUAL(of_queue(&p, QUEUE_PUBLISHED), 100);
    CU_ASSERT_EQUAL(of_mail(&p, DELIVERY_DELIVERED), 100);
    CU_ASSERT_EQUAL(of_mail(&p, DELIVERY_EFFECTS), 100);
    CU_ASSERT_EQUAL(of_mail(&p, DELIVERY_CONFIRMED), 100);
    CU_ASSERT_EQUAL(of_mail(&p, DELIVERY_LOST_COUNT), 0);
    CU_ASSERT_EQUAL(p.simulation->observed_held, 0);
    played_free(&p);
}

/* Work of 1 s against a visibility of 300 ms: deliveries at 0, 300, 600 and 900 ms, all to idle
 * slots, before the first answer at 1 s ends it; three more pieces of work end in vain. A memory of
 * 1 min makes the four one. */
static void an_answer_that_comes_late_still_counts(void)
{
    static const struct {
        const char *dedup;
        uint64_t twice, known;
    } cases[] = {{"0s", 3, 0}, {"1min", 0, 3}};
    for (int i = 0; i < 2; i++) {
        struct played p;
        play(&p, 1,
             SYSTEM("constant(0.1/s)", "", ", visibility: 300ms, dedup: %s", "slots: 9, time: 1s",
                    ""),
             cases[i].dedup);
        CU_ASSERT_EQUAL(of_mail(&p, DELIVERY_ARRIVALS), 4);
        CU_ASSERT_EQUAL(of_mail(&p, DELIVERY_DUPLICATE_COUNT), 3);
        CU_ASSERT_EQUAL(of_mail(&p, DELIVERY_EFFECTS), 1);
        CU_ASSERT_EQUAL(of_mail(&p, DELIVERY_DUPLICATE_EFFECT_COUNT), cases[i].twice);
        CU_ASSERT_EQUAL(of_mail(&p, DELIVERY_DEDUPLICATED), cases[i].known);
        played_free(&p);
    }
}

/* What always fails is delivered three times and then goes, to the morgue where there is one. */
static void a_poison_message_ends(void)
{
    struct played p;
    play(&p, 1,
         SYSTEM("constant(1/s)", "", ", max_deliveries: 3, dead_letter: morgue",
                "time: 10ms, fail: 100%%", "  morgue: {kind: queue}\n"));
    CU_ASSERT_EQUAL(of_mail(&p, DELIVERY_ARRIVALS), 30);
    CU_ASSERT_EQUAL(of_mail(&p, DELIVERY_REFUSALS), 30);
    CU_ASSERT_EQUAL(of_mail(&p, DELIVERY_DEAD_LETTERS), 10);
    CU_ASSERT_EQUAL(of_mail(&p, DELIVERY_LOST_EFFECT_COUNT), 0);
    CU_ASSERT_EQUAL(counted(&p, "morgue", QUEUE_TABLE, QUEUE_PUBLISHED), 10);
    played_free(&p);
    play(&p, 1, SYSTEM("constant(1/s)", "", ", max_deliveries: 3", "time: 10ms, fail: 100%%", ""));
    CU_ASSERT_EQUAL(of_mail(&p, DELIVERY_LOST_EFFECT_COUNT), 10);
    CU_ASSERT_EQUAL(of_mail(&p, DELIVERY_LOST_COUNT), 0);
    played_free(&p);
}

/* A consumer that refuses in no time does not stop the clock. */
static void refusals_in_no_time_take_time(void)
{
    struct played p;
    play(&p, 1, SYSTEM("constant(0.1/s)", "", ", max_deliveries: 9", "fail: 100%%", ""));
    CU_ASSERT_EQUAL(of_mail(&p, DELIVERY_ARRIVALS), 9);
    played_free(&p);
}

/* Ten a second, and nobody takes them: the consumer is down from the start. At 5.05 s 51 wait. In
 * memory the crash takes them all, synced every second those of the last 50 ms; the producer hears
 * of a message when it is synced, so none of the lost ones was acknowledged. */
static void a_crash_takes_what_was_not_synced(void)
{
    static const struct {
        const char *durability;
        uint64_t delivered, lost;
    } cases[] = {{"memory", 49, 51}, {"fsync(every=1s)", 99, 0}};
    for (int i = 0; i < 2; i++) {
        struct played p;
        play(&p, 1,
             SYSTEM("constant(10/s)", "durability: %s,", "", "slots: unlimited, time: 1ms",
                    "faults: [{at: 0s, for: 6s, crash: mailer}, {at: 5050ms, restart: inbox}]\n"),
             cases[i].durability);
        CU_ASSERT_EQUAL(of_mail(&p, DELIVERY_DELIVERED), cases[i].delivered);
        CU_ASSERT_EQUAL(of_mail(&p, DELIVERY_LOST_COUNT), cases[i].lost);
        CU_ASSERT_EQUAL(of_mail(&p, DELIVERY_DUPLICATE_COUNT), 0);
        played_free(&p);
    }
}

/* What was acknowledged since the last sync is delivered again after a crash. */
static void a_crash_undoes_acknowledgements(void)
{
    struct played p;
    play(&p, 1,
         SYSTEM("constant(10/s)", "durability: fsync(every=1s),", "", "slots: 4, time: 150ms",
                "faults: [{at: 5950ms, restart: inbox}]\n"));
    /* Published at 0, 100 ms .. 9900 ms. Synced at 5 s: those up to 4900 ms (5000 ms comes at the
     * same instant, behind the sync), acknowledged up to 4850 ms. Between 5 s and the crash those
     * of 4800 and 4900 ms were acknowledged (at 4950 ms it was that of 4800 ms: before the sync).
     */
    CU_ASSERT_EQUAL(of_mail(&p, DELIVERY_LOST_COUNT), 0);
    CU_ASSERT_EQUAL(of_mail(&p, DELIVERY_DUPLICATE_COUNT), 1);
    CU_ASSERT_EQUAL(of_mail(&p, DELIVERY_DUPLICATE_EFFECT_COUNT), 1);
    played_free(&p);
}

/* One is being worked on for 900 ms, and three may wait; of ten messages six find no room. */
static void what_finds_no_room(void)
{
    struct played p;
    play(&p, 1, SYSTEM("[0s batches(10 every 1000s)]", "max_length: 3,", "", "time: 900ms", ""));
    CU_ASSERT_EQUAL(of_queue(&p, QUEUE_PUBLISHED), 4);
    CU_ASSERT_EQUAL(of_mail(&p, DELIVERY_EFFECTS), 4);
    played_free(&p);
    play(&p, 1,
         SYSTEM("[0s batches(10 every 1000s)]", "max_length: 3, overflow: drop_oldest,", "",
                "time: 1s", ""));
    CU_ASSERT_EQUAL(of_queue(&p, QUEUE_PUBLISHED), 10);
    CU_ASSERT_EQUAL(of_mail(&p, DELIVERY_DROPPED), 6);
    CU_ASSERT_EQUAL(of_mail(&p, DELIVERY_LOST_COUNT), 6);
    CU_ASSERT_EQUAL(of_mail(&p, DELIVERY_SKIPPED), 6);
    CU_ASSERT_EQUAL(of_mail(&p, DELIVERY_EFFECTS), 4);
    played_free(&p);
    play(&p, 1,
         SYSTEM("[0s batches(10 every 1000s)]", "max_length: 3, overflow: block,", "",
                "time: 900ms", ""));
    CU_ASSERT_EQUAL(of_queue(&p, QUEUE_PUBLISHED), 10);
    CU_ASSERT_EQUAL(of_mail(&p, DELIVERY_EFFECTS), 10);
    played_free(&p);
}

/* One a second for 1.5 s each: message k waits 0.5 s x k, and from 2 s on it is too old. Those that
 * are taken up make room: it is counted step by step. */
static void what_is_too_old_goes(void)
{
    uint64_t delivered = 0;
    int64_t free_ms = 0;
    for (int64_t at = 0; at < 10000; at += 1000) {
        int64_t begin = at > free_ms ? at : free_ms;
        if (begin - at < 2000) {
            delivered++;
            free_ms = begin + 1500;
        }
    }
    struct played p;
    play(&p, 1, SYSTEM("constant(1/s)", "ttl: 2s,", "", "time: 1500ms", ""));
    CU_ASSERT_EQUAL(of_mail(&p, DELIVERY_DELIVERED), delivered);
    CU_ASSERT_EQUAL(of_mail(&p, DELIVERY_EXPIRED), 10 - delivered);
    CU_ASSERT_TRUE(delivered < 10);
    played_free(&p);
}

/* A producer that gives up after 50 ms and sends again: the answer takes 100 ms, so each message
 * comes three times. */
static void numbered_messages_are_stored_once(void)
{
    static const struct {
        const char *numbered;
        uint64_t stored;
    } cases[] = {{"false", 3}, {"true", 1}};
    for (int i = 0; i < 2; i++) {
        struct played p;
        play(&p, 1,
             "orrery: 1\nrun: {warmup: 0s, duration: 10s, replications: 1}\nnodes:\n"
             "  app: {kind: client, arrivals: constant(1/s), operations: {order: {share: 100%%, "
             "type: insert}}, timeout: 50ms, retry: {attempts: 3}, to: inbox}\n"
             "  inbox: {kind: queue, idempotent: %s, subscriptions: {mail: {to: mailer}}}\n"
             "  mailer: {kind: service, slots: 9}\n"
             "links: {app -> inbox: {latency: 100ms}}\n",
             cases[i].numbered);
        CU_ASSERT_EQUAL(of_queue(&p, QUEUE_PUBLISHED), 10);
        CU_ASSERT_EQUAL(of_queue(&p, QUEUE_COPIES), 20);
        CU_ASSERT_EQUAL(of_mail(&p, DELIVERY_ARRIVALS), 10 * cases[i].stored);
        CU_ASSERT_EQUAL(of_mail(&p, DELIVERY_DUPLICATE_COUNT), 10 * (cases[i].stored - 1));
        CU_ASSERT_EQUAL(of_mail(&p, DELIVERY_EFFECTS), 10);
        played_free(&p);
    }
}

/* A database that gets batches writes every message of them: 8 ms and 2 ms for each of five. */
static void a_batch_is_written_message_by_message(void)
{
    struct played p;
    play(&p, 1,
         "orrery: 1\nrun: {warmup: 0s, duration: 10s, replications: 1}\nnodes:\n"
         "  app: {kind: client, arrivals: constant(10/s), operations: {write: 100%%}, "
         "keys: sequential(1M), to: inbox}\n"
         "  inbox: {kind: queue, subscriptions: {mail: {to: db, batch: 5, linger: 1min}}}\n"
         "  db: {kind: database, write: batch(8ms each=2ms)}\n");
    uint64_t written = 100;
    CU_ASSERT_EQUAL(of_mail(&p, DELIVERY_EFFECTS), written);
    CU_ASSERT_EQUAL(counted(&p, "db", 0, VISIT_ARRIVALS), written / 5);
    const struct blueprint_node *db = node_in(p.loaded.blueprint, "db");
    const struct record *r = p.simulation->agents[db->first].records[1];
    wide work_ns = 0;
    for (uint32_t o = 0; o < p.simulation->blueprint->operation_count; o++)
        work_ns += r->tallies[(size_t)o * r->metric_count + STATION_SERVICE].moments.sum;
    CU_ASSERT_TRUE(work_ns == (wide)(written / 5) * 18000000);
    played_free(&p);
}

/* Of ten that come at once and take 1 s each, the two urgent ones are next, in their order. */
static void the_urgent_go_first(void)
{
    struct played p;
    play(&p, 1,
         "orrery: 1\nrun: {warmup: 0s, duration: 10s, replications: 1}\nnodes:\n"
         "  app: {kind: client, arrivals: poisson(20/s), operations: {child: {share: 10%%, type: "
         "insert}, adult: {share: 90%%, type: insert}}, to: inbox}\n"
         "  inbox: {kind: queue, priority: {child: 1, adult: 0}, subscriptions: {mail: {to: "
         "mailer}}}\n"
         "  mailer: {kind: service, slots: 1, time: 100ms}\n");
    const struct record *r = p.simulation->agents[node_in(p.loaded.blueprint, "inbox.mail")->first]
                                 .records[SUBSCRIPTION_TABLE];
    uint32_t child = operation_in(p.loaded.blueprint, "child");
    uint32_t adult = operation_in(p.loaded.blueprint, "adult");
    const struct moments *c = &r->tallies[child * r->metric_count + DELIVERY_TIME_IN_QUEUE].moments;
    const struct moments *a = &r->tallies[adult * r->metric_count + DELIVERY_TIME_IN_QUEUE].moments;
    CU_ASSERT_TRUE(c->count > 5 && a->count > 50);
    CU_ASSERT_TRUE(c->max < 500 * MILLISECOND); /* what is at work, and other children */
    CU_ASSERT_TRUE(a->max > 5 * SECOND);
    played_free(&p);
}

/* Each node of a graph hands every message on to its neighbours, but not to the one it came from,
 * and knows what it has had: a line of 25 takes 24 messages for each, a grid of 5 x 5 takes 56
 * (Maelstrom's guide, "broadcast"). */
static uint64_t flooded(const char *nodes)
{
    struct played p;
    play(&p, 1,
         "orrery: 1\nrun: {warmup: 0s, duration: 10s, replications: 1}\nnodes:\n"
         "  app: {kind: client, arrivals: constant(1/s), operations: {order: {share: 100%%, type: "
         "insert}}, to: n0}\n%slinks: {default: {latency: 10ms}}\n",
         nodes);
    uint64_t sum = 0;
    const struct blueprint *b = p.loaded.blueprint;
    for (uint32_t i = 0; i < b->node_count; i++)
        if (b->nodes[i].kind == &subscription_kind)
            sum += counted(&p, b->nodes[i].name, SUBSCRIPTION_TABLE, DELIVERY_ARRIVALS);
    played_free(&p);
    return sum;
}

static void put_neighbours(FILE *out, int node, const int *neighbours, int count)
{
    fprintf(out, "  n%d: {kind: queue, idempotent: true, subscriptions: {", node);
    for (int k = 0; k < count; k++)
        if (neighbours[k] >= 0 && neighbours[k] < 25)
            fprintf(out, "s%d: {to: n%d, no_local: true}, ", k, neighbours[k]);
    fprintf(out, "}}\n");
}

static void floods_take_as_many_messages_as_published(void)
{
    static const uint64_t published[] = {24, 56};
    for (int grid = 0; grid < 2; grid++) {
        char *nodes = NULL;
        size_t size = 0;
        FILE *out = open_memstream(&nodes, &size);
        CU_ASSERT_PTR_NOT_NULL_FATAL(out);
        for (int i = 0; i < 25; i++) {
            int beside[] = {i - 1, i + 1};
            int around[] = {i % 5 ? i - 1 : -1, i % 5 < 4 ? i + 1 : -1, i - 5, i + 5};
            put_neighbours(out, i, grid ? around : beside, grid ? 4 : 2);
        }
        fclose(out);
        CU_ASSERT_EQUAL(flooded(nodes), 10 * published[grid]);
        free(nodes);
    }
}

/* Messages come at 0, 1 s .. 9 s and can be delivered 300 ms later; each takes 10 ms. Who has asked
 * gets it then. Who asks every second asks at 0 and, after each piece of work and each second
 * without any, again: message k at k + 1 s and 10 ms for every piece of work before. */
static void who_asks_gets_messages(void)
{
    static const struct {
        const char *fetch;
        int64_t waited_ms;
    } cases[] = {{"push", 3000}, {"long_poll(wait=7s)", 3000}, {"poll(every=1s)", 10450}};
    for (int i = 0; i < 3; i++) {
        struct played p;
        play(&p, 1, SYSTEM("constant(1/s)", "delay: 300ms,", ", fetch: %s", "time: 10ms", ""),
             cases[i].fetch);
        const struct record *r =
            p.simulation->agents[node_in(p.loaded.blueprint, "inbox.mail")->first]
                .records[SUBSCRIPTION_TABLE];
        const struct moments *m =
            &r->tallies[operation_in(p.loaded.blueprint, "order") * r->metric_count +
                        DELIVERY_TIME_IN_QUEUE]
                 .moments;
        CU_ASSERT_EQUAL(m->count, 10);
        CU_ASSERT_TRUE(m->sum == (wide)cases[i].waited_ms * MILLISECOND);
        played_free(&p);
    }
}

/* 20 ms to look each message up and 10 ms to work on it; nobody else is there. */
static void looking_up_takes_its_time(void)
{
    struct played p;
    play(&p, 1, SYSTEM("constant(1/s)", "", ", dedup: 1min, dedup_time: 20ms", "time: 10ms", ""));
    const struct record *r = p.simulation->agents[node_in(p.loaded.blueprint, "inbox.mail")->first]
                                 .records[SUBSCRIPTION_TABLE];
    const struct moments *m =
        &r->tallies[operation_in(p.loaded.blueprint, "order") * r->metric_count +
                    DELIVERY_END_TO_END]
             .moments;
    CU_ASSERT_EQUAL(m->count, 10);
    CU_ASSERT_TRUE(m->sum == (wide)300 * MILLISECOND);
    played_free(&p);
}

/* What was accepted from 5 s to 8 s on is delivered once more at 8 s: 30 of 100 messages. */
static void what_is_kept_can_be_replayed(void)
{
    static const struct {
        const char *dedup;
        uint64_t twice;
    } cases[] = {{"0s", 30}, {"1min", 0}};
    for (int i = 0; i < 2; i++) {
        struct played p;
        play(&p, 1,
             SYSTEM("constant(10/s)", "retention: 1h,",
                    ", replay: {at: 7950ms, back: 2995ms}, "
                    "dedup: %s",
                    "slots: 4, time: 1ms", ""),
             cases[i].dedup);
        CU_ASSERT_EQUAL(of_mail(&p, DELIVERY_REPLAYED), 30);
        CU_ASSERT_EQUAL(of_mail(&p, DELIVERY_ARRIVALS), 130);
        CU_ASSERT_EQUAL(of_mail(&p, DELIVERY_EFFECTS), 100);
        CU_ASSERT_EQUAL(of_mail(&p, DELIVERY_DUPLICATE_EFFECT_COUNT), cases[i].twice);
        CU_ASSERT_EQUAL(p.simulation->observed_held, 0);
        played_free(&p);
    }
}

SUITE("queues", TEST(messages_go_through), TEST(an_answer_that_comes_late_still_counts),
      TEST(a_poison_message_ends), TEST(refusals_in_no_time_take_time),
      TEST(a_crash_takes_what_was_not_synced), TEST(a_crash_undoes_acknowledgements),
      TEST(what_finds_no_room), TEST(what_is_too_old_goes), TEST(numbered_messages_are_stored_once),
      TEST(a_batch_is_written_message_by_message), TEST(the_urgent_go_first),
      TEST(floods_take_as_many_messages_as_published), TEST(who_asks_gets_messages),
      TEST(looking_up_takes_its_time), TEST(what_is_kept_can_be_replayed))
