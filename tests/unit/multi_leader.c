/* Stores with several leaders: by hand, and what must hold whatever happens. */
#include "models/replicated_conflict.h"
#include "tests/stores.h"

#define LINKS "links: {default: {latency: uniform(1ms..9ms)}}\n"
#define STORE(rest)                                                                                \
    "orrery: 1\nrun: {warmup: 0s, duration: 20s, replications: 1, drain: 20s}\n"                   \
    "zones: {a: [app.1, n.1, n.2], b: [app.2, n.3], c: [app.3, n.4, n.5]}\nnodes:\n"               \
    "  app: {kind: client, count: 3, arrivals: [0s poisson(40/s), 16s poisson(0.001/s)], "         \
    "operations: {read: 50%, write: 25%, update: 20%, cas: 5%}, keys: uniform(20), "               \
    "timeout: 1s, idempotency_key: true, retry: {attempts: 2}, to: store}\n"                       \
    "  store: {kind: replicated, members: n, mode: multi_leader, reads: any, " rest "}\n"          \
    "  n: {kind: database, count: 5, slots: 4, read: exp(1ms), write: exp(1ms)}\n" LINKS
#define FAULTS                                                                                     \
    "faults:\n"                                                                                    \
    "  - {at: 1s, for: 700ms, every: 1300ms, partition: majority of n}\n"                          \
    "  - {at: 1500ms, for: 600ms, every: 2900ms, pause: one of n}\n"                               \
    "  - {at: 2s, for: 800ms, every: 1700ms, crash: minority of n}\n"                              \
    "  - {at: 1s, for: 900ms, every: 3100ms, partition: bridge of n}\n"                            \
    "  - {at: 3s, for: 500ms, every: 4100ms, crash: store.leader}\n"                               \
    "  - {at: 1s, for: 14s, loss: default, by: 2%}\n"                                              \
    "  - {at: 1s, for: 14s, reorder: default, by: 10%}\n"                                          \
    "  - {at: 1s, for: 14s, duplicate: default, by: 5%}\n"

static void play(struct played *p, const char *text, uint64_t seed)
{
    play_store(p, text, seed, 100 * SECOND, NULL);
}

/* Every member holds the same of every key. */
static bool agree(const struct played *p, uint64_t keys)
{
    const struct group *group = p->group;
    for (uint64_t key = 0; key < keys; key++) {
        version_handle all = registers_get(&group->replicas[0]->registers, key);
        for (uint32_t i = 0; i < group->count; i++) {
            version_handle held = registers_get(&group->replicas[i]->registers, key);
            if (!conflict_covers(group, held, all) || !conflict_covers(group, all, held))
                return false;
        }
    }
    return true;
}

/* Whatever is lost, cut or crashed: at the end all agree, nothing acknowledged has gone but for a
 * rule, and every call has ended. */
static void everything_converges(void)
{
    static const char *const texts[] = {
        STORE("topology: all_to_all") FAULTS,
        STORE("topology: ring") FAULTS,
        STORE("topology: star, conflict: highest_node") FAULTS,
        STORE("topology: ring, conflict: siblings, leader: [n.1, n.3, n.4, n.5]") FAULTS,
        STORE("topology: star, conflict: last_write_wins(client), leader: per_zone") FAULTS,
        STORE("topology: all_to_all, conflict: siblings, leader: n") FAULTS,
        STORE("topology: ring, conflict: sticky, retransmit: 300ms") FAULTS,
    };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        uint64_t conflicts = 0;
        for (uint64_t seed = 1; seed <= 40; seed++) {
            struct played p;
            play(&p, texts[i], seed);
            CU_ASSERT_TRUE(p.ledger.acked > 300);
            CU_ASSERT_TRUE(agree(&p, 20));
            CU_ASSERT_EQUAL(ledger_lost(&p.ledger), 0);
            CU_ASSERT_EQUAL(p.simulation->live, 0);
            conflicts += p.ledger.conflicts;
            played_free(&p);
        }
        CU_ASSERT_TRUE(conflicts > 10 || i == 6);
    }
}

/* All writes of a key go to one leader: versions never meet that have not seen one another. */
static void sticky_keys_never_conflict(void)
{
    for (uint64_t seed = 1; seed <= 5; seed++) {
        struct played p;
        play(&p, STORE("conflict: sticky") "faults: [{at: 2s, for: 3s, partition: n.1 n.2}]\n",
             seed);
        CU_ASSERT_TRUE(p.ledger.acked > 300);
        CU_ASSERT_EQUAL(p.ledger.conflicts, 0);
        CU_ASSERT_TRUE(agree(&p, 20));
        played_free(&p);
    }
}

#define PAIR(rest)                                                                                 \
    "orrery: 1\nrun: {warmup: 0s, duration: 10s, replications: 1, drain: 10s}\n"                   \
    "zones: {west: [w, n.1], east: [e, n.2]}\nnodes:\n"                                            \
    "  w: {kind: client, arrivals: constant(1/s), operations: {write: 100%}, timeout: 1s, "        \
    "to: store}\n"                                                                                 \
    "  e: {kind: client, arrivals: [0s poisson(0.0001/s), 500ms constant(1/s)], "                  \
    "operations: {write: 100%}, timeout: 1s, to: store}\n"                                         \
    "  store: {kind: replicated, members: n, mode: multi_leader, " rest "}\n"                      \
    "  n: {kind: database, count: 2, write: 1ms}\n"                                                \
    "links: {default: {latency: 0.1ms}, west <-> east: {latency: 50ms}}\n"

/* Half a second apart over 50 ms: the other has always seen what was there. Cut off for 6 s, the
 * two write on (about 12 writes), and the last one of either side meet. */
static void only_what_has_not_been_seen_conflicts(void)
{
    struct played p;
    play(&p, PAIR("conflict: last_write_wins"), 1);
    CU_ASSERT_EQUAL(p.ledger.conflicts, 0);
    CU_ASSERT_TRUE(p.ledger.acked >= 18 && agree(&p, 1));
    played_free(&p);
    play(&p, PAIR("conflict: siblings") "faults: [{at: 1800ms, for: 6s, partition: zone west}]\n",
         1);
    CU_ASSERT_TRUE(p.ledger.conflicts >= 1 && p.ledger.conflicts <= 2);
    CU_ASSERT_EQUAL(p.ledger.unknown + p.ledger.failed, 0); /* both sides go on */
    CU_ASSERT_EQUAL(ledger_lost(&p.ledger), 0);
    CU_ASSERT_TRUE(agree(&p, 1));
    played_free(&p);
}

static void mistakes_are_told(void)
{
    CU_ASSERT_TRUE(refused(STORE("session: both"), false, "promise sessions nothing"));
    CU_ASSERT_TRUE(refused(STORE("topology: line"), false, "`topology` cannot be `line`"));
    CU_ASSERT_TRUE(refused("orrery: 1\nnodes:\n"
                           "  app: {kind: client, arrivals: poisson(1/s), to: store}\n"
                           "  store: {kind: replicated, members: n, leader: per_zone}\n"
                           "  n: {kind: database, count: 2}\n",
                           false, "needs `mode: multi_leader`"));
}

SUITE("several leaders", TEST(everything_converges), TEST(sticky_keys_never_conflict),
      TEST(only_what_has_not_been_seen_conflicts), TEST(mistakes_are_told))
