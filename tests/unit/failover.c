/* A single leader and its followers: what is acknowledged, who leads after a fault, and what is
 * lost by the way. */
#include "models/parts/running_interval.h"
#include "models/replicated_leader.h"
#include "tests/stores.h"

#include <stdio.h>

#define STORE                                                                                      \
    "  n: {kind: database, count: 3, slots: 4, read: exp(1ms), write: exp(2ms)}\n"                 \
    "links: {default: {latency: 1ms}}\n"

static void play(struct played *p, const char *text, uint64_t seed)
{
    play_store(p, text, seed, 30 * SECOND, NULL);
}

static uint32_t leaders(const struct played *p)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < p->group->count; i++)
        count += leads(p->group->replicas[i]) && p->group->replicas[i]->agent->place->up;
    return count;
}

/* Every replica holds the same version of every key. */
static bool agree(const struct played *p)
{
    const struct registers *a = &p->group->replicas[0]->registers;
    for (uint32_t i = 1; i < p->group->count; i++) {
        const struct registers *b = &p->group->replicas[i]->registers;
        if (a->used != b->used)
            return false;
        for (uint32_t k = 0; k < a->room; k++)
            if (a->slots[k].version && registers_get(b, a->slots[k].key) != a->slots[k].version)
                return false;
    }
    return true;
}

static int64_t first_event(const struct played *p, bool suspect, bool on, int64_t after_ns)
{
    for (uint32_t i = 0; i < p->ledger.event_count; i++) {
        const struct ledger_event *e = &p->ledger.events[i];
        if (e->at_ns > after_ns && e->suspect == suspect && (suspect || e->on == on))
            return e->at_ns;
    }
    return -1;
}

/* ---- without failover ---- */

#define WRITERS(more)                                                                              \
    "orrery: 1\nrun: {warmup: 0s, duration: 20s, replications: 1, drain: 20s}\nnodes:\n"           \
    "  app: {kind: client, arrivals: [0s poisson(100/s), 15s poisson(0.001/s)], operations: "      \
    "{read: 50%, write: 50%}, "                                                                    \
    "keys: uniform(50), timeout: 1s, to: store}\n"                                                 \
    "  store: {kind: replicated, members: n, " more "}\n" STORE

static void followers_come_to_hold_what_the_leader_holds(void)
{
    static const char *const texts[] = {
        WRITERS("ack: async, reads: any"),
        WRITERS("ack: semi_sync, reads: any"),
        WRITERS("ack: quorum, reads: any"),
        WRITERS("ack: all, reads: any"),
    };
    for (int i = 0; i < 4; i++) {
        struct played p;
        play(&p, texts[i], 1);
        CU_ASSERT_TRUE(p.ledger.acked > 500);
        CU_ASSERT_EQUAL(p.ledger.failed + p.ledger.unknown, 0);
        CU_ASSERT_EQUAL(ledger_lost(&p.ledger), 0);
        CU_ASSERT_EQUAL(leaders(&p), 1);
        CU_ASSERT_TRUE(agree(&p));
        const struct log *log = &state_of(p.group->replicas[0])->log;
        CU_ASSERT_EQUAL(log->last, p.ledger.acked);
        CU_ASSERT_EQUAL(log->first, log->last + 1); /* all of it is final */
        played_free(&p);
    }
}

/* With `all` nothing is acknowledged while a follower is away, with `quorum` everything is. */
static void a_lost_follower_stops_only_those_who_wait_for_it(void)
{
    struct played p;
    play(&p, WRITERS("ack: all") "faults: [{at: 5s, for: 5s, crash: n.3}]\n", 1);
    CU_ASSERT_TRUE(p.ledger.unknown > 150 && p.ledger.unknown < 350); /* 5 s of 50/s */
    CU_ASSERT_TRUE(agree(&p));
    played_free(&p);
    play(&p, WRITERS("ack: quorum") "faults: [{at: 5s, for: 5s, crash: n.3}]\n", 1);
    CU_ASSERT_EQUAL(p.ledger.unknown, 0);
    CU_ASSERT_TRUE(agree(&p));
    played_free(&p);
    play(&p, WRITERS("ack: semi_sync") "faults: [{at: 5s, for: 5s, crash: n.2}]\n", 1);
    CU_ASSERT_TRUE(p.ledger.unknown < 150); /* another one takes its place within two ticks */
    CU_ASSERT_TRUE(agree(&p));
    played_free(&p);
}

/* Under loss, duplicates and reordering nothing is skipped, only late. */
static void a_bad_link_loses_no_entry(void)
{
    for (uint64_t seed = 1; seed <= 10; seed++) {
        struct played p;
        play(&p,
             WRITERS("ack: async, retransmit: 200ms") "faults: [{at: 1s, for: 14s, loss: n.1 <-> "
                                                      "n.2, by: 30%}, "
                                                      "{at: 2s, for: 10s, reorder: n.1 <-> n.3, "
                                                      "by: 50%}, "
                                                      "{at: 2s, for: 10s, duplicate: n.1 <-> n.3, "
                                                      "by: 50%}]\n",
             seed);
        CU_ASSERT_TRUE(agree(&p));
        CU_ASSERT_EQUAL(ledger_lost(&p.ledger), 0);
        played_free(&p);
    }
}

/* ---- failover ---- */

#define FAILOVER "failover: {heartbeat: 500ms, timeout: 2s}"

/* Heartbeats every 500 ms, 1 ms on the way: one that dies at 7.2 s was heard last at 7.001 s, and
 * is taken for dead 2 s later; the second member, whose turn is first, leads two messages after
 * that. */
static void a_dead_leader_is_replaced(void)
{
    struct played p;
    play(&p, WRITERS("ack: quorum, " FAILOVER) "faults: [{at: 7.2s, crash: n.1}]\n", 1);
    CU_ASSERT_EQUAL(first_event(&p, true, true, 0), 9001 * MILLISECOND);
    CU_ASSERT_EQUAL(first_event(&p, false, true, 1), 9003 * MILLISECOND);
    CU_ASSERT_EQUAL(p.group->leader, 1);
    CU_ASSERT_EQUAL(leaders(&p), 1);
    CU_ASSERT_EQUAL(ledger_lost(&p.ledger), 0);
    played_free(&p);
}

/* An asynchronous leader cut off from the others goes on for its own clients; what it has
 * acknowledged is lost when it comes back, unless it was fenced: then only what was not shipped in
 * time is. 50 writes/s for 8 s. */
static void a_cut_leader_loses_what_it_went_on_to_take(void)
{
    struct played open, fenced;
    play(&open,
         WRITERS("ack: async, " FAILOVER) "faults: [{at: 5s, for: 8s, partition: n.1, clients: "
                                          "with n.1}]\n",
         1);
    play(
        &fenced,
        WRITERS(
            "ack: async, failover: {heartbeat: 500ms, timeout: 2s, fencing: true}") "faults: [{at: "
                                                                                    "5s, for: 8s, "
                                                                                    "partition: "
                                                                                    "n.1, clients: "
                                                                                    "with n.1}]\n",
        1);
    uint64_t lost = ledger_lost(&open.ledger), less = ledger_lost(&fenced.ledger);
    CU_ASSERT_TRUE(lost > 340 && lost < 460);
    CU_ASSERT_TRUE(less > 45 && less < 105); /* 1.5 s: heard last at 4.5 s, dead at 6.5 s */
    CU_ASSERT_TRUE(agree(&open));
    CU_ASSERT_TRUE(agree(&fenced));
    CU_ASSERT_EQUAL(leaders(&open), 1);
    CU_ASSERT_EQUAL(leaders(&fenced), 1);
    played_free(&open);
    played_free(&fenced);
}

/* Nobody promotes itself without a majority, nor when a person is to do it. */
static void nobody_leads_without_a_majority(void)
{
    struct played p;
    play(&p, WRITERS("ack: async, " FAILOVER) "faults: [{at: 5s, crash: n.1 n.2}]\n", 1);
    CU_ASSERT_EQUAL(leaders(&p), 0);
    played_free(&p);
    play(
        &p,
        WRITERS(
            "ack: async, failover: {heartbeat: 500ms, timeout: 2s, promotion: manual}") "faults: "
                                                                                        "[{at: 5s, "
                                                                                        "crash: "
                                                                                        "n.1}]\n",
        1);
    CU_ASSERT_EQUAL(leaders(&p), 0);
    played_free(&p);
}

/* With a quorum and fencing no acknowledged write is ever lost, there is never more than one leader
 * that is up, and everything agrees in the end: whatever happens, 60 seeds of random faults. */
static void a_quorum_with_fencing_loses_nothing(void)
{
    static const char text[] = WRITERS(
        "ack: quorum, reads: any, retransmit: 300ms, failover: {heartbeat: 200ms, timeout: 700ms, "
        "fencing: true, discovery: 100ms}") "faults:\n"
                                            "  - {at: 1s, for: 700ms, every: 1300ms, partition: "
                                            "one of n}\n"
                                            "  - {at: 1500ms, for: 1s, every: 2900ms, pause: one "
                                            "of n}\n"
                                            "  - {at: 2s, for: 800ms, every: 3700ms, crash: one of "
                                            "n}\n"
                                            "  - {at: 1s, for: 12s, loss: default, by: 2%}\n"
                                            "  - {at: 1s, for: 12s, reorder: default, by: 5%}\n"
                                            "  - {at: 1s, for: 12s, duplicate: default, by: 5%}\n";
    uint64_t changes = 0;
    for (uint64_t seed = 1; seed <= 60; seed++) {
        struct played p;
        play(&p, text, seed);
        CU_ASSERT_EQUAL(ledger_lost(&p.ledger), 0);
        for (uint32_t i = 0; i < p.ledger.event_count; i++)
            changes += !p.ledger.events[i].suspect && p.ledger.events[i].on;
        played_free(&p);
    }
    CU_ASSERT_TRUE(changes > 120); /* or the faults have not done much */
}

/* ---- writes that are tried again ---- */

/* Applied how often beyond once, over all writes. */
static uint64_t again(const char *text)
{
    struct loaded l = load(text, false);
    struct ledger ledger = {0};
    struct probe probe = ledger_probe(&ledger);
    struct simulation_options options = {.probe = &probe};
    if (!l.scenario)
        diagnostic_print(l.diagnostics, stdout, false);
    CU_ASSERT_PTR_NOT_NULL_FATAL(l.scenario);
    struct simulation *s = simulation_create(l.blueprint, 1, 1, &options);
    simulation_run(s, NULL);
    uint64_t more = 0;
    for (uint32_t i = 0; i < ledger.room; i++)
        more += ledger.writes[i].created > 1 ? ledger.writes[i].created - 1 : 0;
    CU_ASSERT_TRUE(ledger.acked > 1000);
    simulation_free(s);
    ledger_free(&ledger);
    loaded_free(&l);
    return more;
}

/* One answer in five is lost, and the write tried again: 1500 writes, a quarter of them twice and
 * more; with a key none. */
static void a_key_makes_a_write_count_once(void)
{
#define GROUP(more) "{kind: replicated, members: n" more "}"
#define LOSSY(store, key)                                                                          \
    "orrery: 1\nrun: {warmup: 0s, duration: 20s, replications: 1, drain: 20s}\nnodes:\n"           \
    "  app: {kind: client, arrivals: [0s poisson(100/s), 15s poisson(0.001/s)], operations: "      \
    "{write: 100%}, keys: uniform(5), timeout: 50ms, retry: {attempts: 9}, idempotency_key: " key  \
    ", to: store}\n" store "links: {default: {latency: 1ms, loss: 20%}}\n"
#define N "  n: {kind: database, count: 3, slots: 4, read: exp(1ms), write: exp(2ms)}\n"
    static const char *const texts[][2] = {
        {LOSSY("  store: " GROUP("") "\n" N, "false"), LOSSY("  store: " GROUP("") "\n" N, "true")},
        {LOSSY("  store: " GROUP(", mode: raft") "\n" N, "false"),
         LOSSY("  store: " GROUP(", mode: raft") "\n" N, "true")},
        {LOSSY("  store: {kind: database, write: exp(2ms)}\n", "false"),
         LOSSY("  store: {kind: database, write: exp(2ms)}\n", "true")},
    };
    for (int i = 0; i < 3; i++) {
        CU_ASSERT_TRUE(again(texts[i][0]) > 200);
        CU_ASSERT_EQUAL(again(texts[i][1]), 0);
    }
}

/* ---- detectors ---- */

/* Hayashibara et al. 2004: mean 1 s, sd 0.1 s, phi 8: convicted 1.5612001 s after the last sign of
 * life, exponential (Cassandra) after 8 ln 10 s. */
static void phi_convicts_when_the_silence_is_improbable(void)
{
    struct running_interval intervals = {0};
    for (int i = 0; i < 64; i++) {
        running_interval_add(&intervals, 900 * MILLISECOND);
        running_interval_add(&intervals, 1100 * MILLISECOND);
    }
    double normal = running_interval_limit_ns(&intervals, INTERVALS_NORMAL, 8, 0);
    double exponential = running_interval_limit_ns(&intervals, INTERVALS_EXPONENTIAL, 8, 0);
    CU_ASSERT_DOUBLE_EQUAL(normal, 1.5612001e9, 1e2);
    CU_ASSERT_DOUBLE_EQUAL(exponential, 18.420681e9, 1e4);
    double earlier = running_interval_limit_ns(&intervals, INTERVALS_NORMAL, 1.6430161, 0);
    CU_ASSERT_DOUBLE_EQUAL(earlier, 1.2e9, 1e3);
}

/* ---- faults by role ---- */

/* The first strike brings the second member to the lead, so that the second one hits another; the
 * partition has the leader on a side of its own. */
static void a_fault_finds_who_leads(void)
{
    struct played p;
    play(&p,
         "orrery: 1\nrun: {warmup: 0s, duration: 60s, replications: 1, drain: 20s}\nnodes:\n"
         "  app: {kind: client, arrivals: poisson(50/s), operations: {write: 100%}, "
         "keys: uniform(50), timeout: 1s, to: store}\n"
         "  store: {kind: replicated, members: n, ack: quorum, failover: {heartbeat: 100ms, "
         "timeout: 1s, promotion: first}}\n" STORE "faults:\n"
         "  - {at: 10s, for: 30s, crash: store.leader}\n"
         "  - {at: 20s, for: 10s, pause: store.leader}\n"
         "  - {at: 50s, for: 5s, partition: store.leader | n, clients: with store.leader}\n"
         "  - {at: 58s, for: 1s, slow: store.followers, by: x2}\n",
         1);
    const struct simulation *s = p.simulation;
    uint32_t n = node_in(p.loaded.blueprint, "n")->first;
    uint32_t app = node_in(p.loaded.blueprint, "app")->first;
    CU_ASSERT_EQUAL_FATAL(s->strike_count, 4);
    CU_ASSERT_TRUE(s->strikes[0].agent_count == 1 && s->strikes[0].agents[0] == n);
    CU_ASSERT_TRUE(s->strikes[1].agent_count == 1 && s->strikes[1].agents[0] == n + 1);
    const struct strike *cut = &s->strikes[2];
    uint32_t last = n, side = 0;
    for (uint32_t i = n; i < n + 3; i++)
        if (strike_bit(cut->cuts[0].from, i)) {
            last = i;
            side++;
        }
    CU_ASSERT_TRUE(side == 1 && last != n); /* the first one came back as a follower */
    for (uint32_t i = n; i < n + 3; i++) {
        CU_ASSERT_EQUAL(strike_meets(cut, last, i), i != last);
        CU_ASSERT_EQUAL(strike_meets(cut, app, i), i != last);
    }
    CU_ASSERT_EQUAL(s->strikes[3].agent_count, 2);
    played_free(&p);
}

SUITE("a single leader", TEST(followers_come_to_hold_what_the_leader_holds),
      TEST(a_lost_follower_stops_only_those_who_wait_for_it), TEST(a_bad_link_loses_no_entry),
      TEST(a_dead_leader_is_replaced), TEST(a_cut_leader_loses_what_it_went_on_to_take),
      TEST(nobody_leads_without_a_majority), TEST(a_quorum_with_fencing_loses_nothing),
      TEST(a_key_makes_a_write_count_once), TEST(a_fault_finds_who_leads),
      TEST(phi_convicts_when_the_silence_is_improbable))
