/* Stores without a leader: quorums worked out by hand, and what must hold whatever happens. */
#include "models/replicated_leaderless.h"
#include "tests/stores.h"

#include <stdio.h>

#define STORE(keys, rest)                                                                          \
    "orrery: 1\nrun: {warmup: 0s, duration: 20s, replications: 1, drain: 20s}\nnodes:\n"           \
    "  app: {kind: client, count: 3, arrivals: [0s poisson(40/s), 16s poisson(0.001/s)], "         \
    "operations: {read: 50%, write: 25%, update: 20%, cas: 5%}, keys: uniform(" keys "), "         \
    "timeout: 1s, idempotency_key: true, retry: {attempts: 2}, to: store}\n"                       \
    "  store: {kind: replicated, members: n, mode: leaderless, " rest "}\n"                        \
    "  n: {kind: database, count: 5, slots: 4, read: exp(1ms), write: exp(1ms)}\n"                 \
    "links: {default: {latency: uniform(1ms..9ms)}}\n"
#define FAULTS                                                                                     \
    "faults:\n"                                                                                    \
    "  - {at: 1s, for: 700ms, every: 1300ms, partition: majority of n}\n"                          \
    "  - {at: 1500ms, for: 600ms, every: 2900ms, pause: one of n}\n"                               \
    "  - {at: 2s, for: 800ms, every: 1700ms, crash: minority of n}\n"                              \
    "  - {at: 1s, for: 900ms, every: 3100ms, partition: bridge of n}\n"                            \
    "  - {at: 1s, for: 14s, loss: default, by: 2%}\n"                                              \
    "  - {at: 1s, for: 14s, reorder: default, by: 10%}\n"                                          \
    "  - {at: 1s, for: 14s, duplicate: default, by: 5%}\n"
#define REPAIR "repair: {read: async, handoff: 500ms, anti_entropy: 1s}"

/* Regular, not atomic: what was read need not be read by others that begin later. */
static void regular_complete(void *context, const struct agent *at, const struct call *c)
{
    struct ledger *l = context;
    enum operation_type type = at->simulation->blueprint->operations[c->operation].type;
    struct version_order floor = c->key < LEDGER_KEYS ? l->floors[c->key] : l->floors[0];
    ledger_complete(context, at, c);
    if (type == OPERATION_READ && c->key < LEDGER_KEYS)
        l->floors[c->key] = floor;
}

static void play(struct played *p, const char *text, uint64_t seed, bool atomic)
{
    play_store(p, text, seed, 100 * SECOND, atomic ? NULL : regular_complete);
}

/* Whether all that keep a key hold the same of it, and nobody else holds anything. */
static bool agree(const struct played *p, uint64_t keys)
{
    const struct group *group = p->group;
    for (uint64_t key = 0; key < keys; key++) {
        uint64_t homes = quorum_homes(group, key);
        version_handle all =
            registers_get(&group->replicas[quorum_first(group, key)]->registers, key);
        for (uint32_t i = 0; i < group->count; i++) {
            version_handle held = registers_get(&group->replicas[i]->registers, key);
            bool same = conflict_covers(group, held, all) && conflict_covers(group, all, held);
            if (homes >> i & 1 ? !same : held != 0)
                return false;
        }
    }
    return true;
}

/* Every call has ended: at some instant there is none, as exchanges come and go. */
static bool nothing_leaks(struct played *p)
{
    for (int64_t at = 100 * SECOND; at < 102 * SECOND; at += MILLISECOND) {
        simulation_advance(p->simulation, at);
        if (!p->simulation->live)
            return true;
    }
    return false;
}

static void a_calm_store_never_reads_old_data(void)
{
    struct played p;
    play(&p, STORE("20", "quorum: {replicas: 3, read: 2, write: 2}"), 1, false);
    CU_ASSERT_EQUAL(p.ledger.unknown, 0);
    CU_ASSERT_TRUE(p.ledger.reads > 700 && p.ledger.acked > 700);
    CU_ASSERT_EQUAL(p.ledger.stale, 0);
    CU_ASSERT_EQUAL(ledger_lost(&p.ledger), 0);
    CU_ASSERT_TRUE(nothing_leaks(&p));
    CU_ASSERT_TRUE(agree(&p, 20)); /* all get all */
    played_free(&p);
}

/* A write with a key becomes one version, however often it is tried. */
static bool made_once(const struct played *p)
{
    for (uint32_t i = 0; i < p->ledger.room; i++)
        if (p->ledger.writes[i].created > 1)
            return false;
    return true;
}

struct told {
    uint64_t acked, stale, conflicts;
};

/* Over many seeds: nothing acknowledged is lost, every call ends; `reads` whether none may be old.
 */
static struct told hold_whatever_happens(const char *text, uint64_t seeds, bool atomic,
                                         bool converges)
{
    struct told told = {0};
    for (uint64_t seed = 1; seed <= seeds; seed++) {
        struct played p;
        play(&p, text, seed, atomic);
        CU_ASSERT_EQUAL(ledger_lost(&p.ledger), 0);
        CU_ASSERT_TRUE(nothing_leaks(&p));
        CU_ASSERT_TRUE(made_once(&p));
        if (converges)
            CU_ASSERT_TRUE(agree(&p, 5));
        told.stale += p.ledger.stale;
        told.acked += p.ledger.acked;
        told.conflicts += p.ledger.conflicts;
        played_free(&p);
    }
    CU_ASSERT_TRUE(told.acked > 100 * seeds);
    return told;
}

static void strict_quorums_never_read_old_data(void)
{
    struct told told = hold_whatever_happens(
        STORE("5", "quorum: {replicas: 3, timeout: 200ms}") FAULTS, 40, false, false);
    CU_ASSERT_EQUAL(told.stale, 0);
}

/* A majority reads and writes, and reads bring up who is behind first: a register as of one copy.
 */
static void with_blocking_repair_they_are_atomic(void)
{
    struct told told = hold_whatever_happens(
        STORE("5", "quorum: {timeout: 200ms}, repair: {read: blocking}") FAULTS, 40, true, false);
    CU_ASSERT_EQUAL(told.stale, 0);
}

static void the_last_write_wins_everywhere_at_last(void)
{
    struct told told = hold_whatever_happens(
        STORE("5", "quorum: {replicas: 3, read: 1, write: 1, timeout: 200ms}, " REPAIR) FAULTS, 30,
        false, true);
    CU_ASSERT_TRUE(told.stale > 0);
    CU_ASSERT_TRUE(told.conflicts > 0);
}

static void siblings_meet_at_last(void)
{
    struct told told = hold_whatever_happens(
        STORE("5", "conflict: siblings, quorum: {replicas: 3, timeout: 200ms}, " REPAIR) FAULTS, 30,
        false, true);
    CU_ASSERT_EQUAL(told.stale, 0);
    CU_ASSERT_TRUE(told.conflicts > 0);
}

static void what_others_have_stood_in_for_comes_home(void)
{
    hold_whatever_happens(STORE("5", "quorum: {replicas: 3, sloppy: true, timeout: 200ms}, " REPAIR)
                              FAULTS,
                          30, false, true);
    hold_whatever_happens(
        STORE("5", "conflict: siblings, quorum: {replicas: 3, sloppy: true, write: 1, timeout: "
                   "200ms}, " REPAIR) FAULTS,
        30, false, true);
}

/* Writes for eight seconds, the last three with a member away, and reads for sixteen. */
#define AWAY(keys, rest)                                                                           \
    "orrery: 1\nrun: {warmup: 0s, duration: 20s, replications: 1, drain: 20s}\nnodes:\n"           \
    "  writer: &c {kind: client, arrivals: [0s poisson(80/s), 8s poisson(0.001/s)], "              \
    "operations: {write: 100%}, keys: uniform(" keys "), timeout: 1s, to: store}\n"                \
    "  reader: {<<: *c, arrivals: [0s poisson(80/s), 16s poisson(0.001/s)], "                      \
    "operations: {read: 100%}}\n"                                                                  \
    "  store: {kind: replicated, members: n, mode: leaderless, " rest "}\n"                        \
    "  n: {kind: database, count: 5, slots: 4, read: exp(1ms), write: exp(1ms)}\n"                 \
    "links: {default: {latency: uniform(1ms..9ms)}}\n"                                             \
    "faults: [{at: 5s, for: 4s, partition: n.2}]\n"

static bool agree_after(const char *text, uint64_t keys)
{
    struct played p;
    play(&p, text, 1, false);
    CU_ASSERT_EQUAL(ledger_lost(&p.ledger), 0);
    CU_ASSERT_TRUE(nothing_leaks(&p));
    bool same = agree(&p, keys);
    played_free(&p);
    return same;
}

/* Each way by itself; with none of them what was missed stays missed. */
static void whoever_was_away_gets_what_it_has_missed(void)
{
    CU_ASSERT_FALSE(agree_after(AWAY("2000", "quorum: {replicas: 3, timeout: 200ms}"), 2000));
    CU_ASSERT_TRUE(agree_after(AWAY("2000", "quorum: {replicas: 3, timeout: 200ms}, "
                                            "repair: {handoff: 500ms}"),
                               2000));
    CU_ASSERT_TRUE(agree_after(AWAY("2000", "quorum: {replicas: 3, timeout: 200ms}, "
                                            "repair: {anti_entropy: 2s}"),
                               2000));
    CU_ASSERT_FALSE(agree_after(AWAY("20", "quorum: {replicas: 3, timeout: 200ms}"), 20));
    CU_ASSERT_TRUE(agree_after(AWAY("20", "quorum: {replicas: 3, timeout: 200ms}, "
                                          "repair: {read: async}"),
                               20));
    CU_ASSERT_TRUE(agree_after(AWAY("20", "quorum: {replicas: 3, read: 3, timeout: 200ms}, "
                                          "repair: {read: blocking}"),
                               20));
}

/* All three have to answer, and one is away for three seconds: others stand in for it. */
static void others_stand_in_for_who_is_away(void)
{
    uint64_t unknown[2];
    for (int sloppy = 0; sloppy < 2; sloppy++) {
        struct played p;
        play(&p,
             sloppy ? AWAY("2000", "quorum: {replicas: 3, write: 3, timeout: 200ms, sloppy: true}, "
                                   "repair: {handoff: 500ms}")
                    : AWAY("2000", "quorum: {replicas: 3, write: 3, timeout: 200ms}, "
                                   "repair: {handoff: 500ms}"),
             1, false);
        unknown[sloppy] = p.ledger.unknown;
        CU_ASSERT_TRUE(agree(&p, 2000));
        played_free(&p);
    }
    /* 240 writes, of which three fifths want it, or have it for a coordinator. */
    CU_ASSERT_TRUE(unknown[0] > 120 && unknown[0] < 220);
    CU_ASSERT_TRUE(unknown[1] < 60); /* those that it coordinates itself, alone */
}

/* What one read asks for goes for it alone: three answers meet a write that one has made. */
static void an_operation_has_a_quorum_of_its_own(void)
{
    static const char slow[] =
        "orrery: 1\nrun: {warmup: 0s, duration: 20s, replications: 1, drain: 20s}\nnodes:\n"
        "  app: {kind: client, arrivals: poisson(80/s), keys: uniform(5), "
        "operations: {read: 50%%, write: 50%%}, to: store}\n"
        "  store: {kind: replicated, members: n, mode: leaderless, quorum: {replicas: 3, read: 1, "
        "write: 1}%s}\n"
        "  n: {kind: database, count: 5, slots: unlimited, read: exp(1ms), write: exp(30ms)}\n";
    char text[1024];
    struct played p;
    snprintf(text, sizeof text, slow, "");
    play(&p, text, 1, false);
    CU_ASSERT_TRUE(p.ledger.stale > 50);
    played_free(&p);
    snprintf(text, sizeof text, slow, ", operations: {read: {quorum: {read: 3, write: 1}}}");
    play(&p, text, 1, false);
    CU_ASSERT_EQUAL(p.ledger.stale, 0);
    played_free(&p);
}

/* Memory follows what is held and what is on its way, never the length of the run. */
static void memory_does_not_grow_with_the_run(void)
{
    static const char *const rules[] = {"siblings", "last_write_wins(client)"};
    for (int i = 0; i < 2; i++) {
        char text[1024];
        snprintf(
            text, sizeof text,
            "orrery: 1\nrun: {warmup: 0s, duration: 400s, replications: 1}\nnodes:\n"
            "  app: {kind: client, arrivals: poisson(300/s), keys: uniform(50), "
            "operations: {update: 50%%, write: 50%%}, idempotency_key: true, retry: {attempts: "
            "2}, timeout: 50ms, to: store}\n"
            "  store: {kind: replicated, members: n, mode: leaderless, conflict: %s, "
            "quorum: {replicas: 3, read: 1, write: 1}, repair: {read: async, handoff: 1s}}\n"
            "  n: {kind: database, count: 5, slots: 8, read: exp(1ms), write: exp(1ms)}\n"
            "links: {default: {latency: exp(5ms), give_up: 1s}}\n"
            "faults: [{at: 1s, every: 10s, for: 5s, partition: minority of n}]\n",
            rules[i]);
        struct played p;
        play(&p, text, 1, false);
        CU_ASSERT_TRUE(p.ledger.acked > 50000);
        CU_ASSERT_TRUE(p.group->versions.used < 20000);
        CU_ASSERT_TRUE(p.group->known.used < 8000);
        played_free(&p);
    }
}

/* The first copy of a message is refused by a place that is down, the second one finds it up: it
 * says what the sender has made of it since it left. */
static void a_copy_that_comes_after_a_restart_says_the_same(void)
{
    for (uint64_t seed = 1; seed <= 5; seed++) {
        struct played p;
        play(&p,
             "orrery: 1\nrun: {warmup: 0s, duration: 60s, replications: 1, drain: 20s}\nnodes:\n"
             "  app: {kind: client, arrivals: poisson(60/s), timeout: 1s, retry: {attempts: 4}, "
             "operations: {read: 40%, cas: 30%, update: 30%}, keys: uniform(5), to: front}\n"
             "  front: {kind: service, slots: unlimited, steps: [{call: store, times: 3}]}\n"
             "  store: {kind: replicated, members: n, mode: leaderless, coordinator: owner, "
             "quorum: {read: 1, write: 1, timeout: 3s}}\n"
             "  n: {kind: database, count: 3}\n"
             "links: {default: {latency: uniform(0s..300ms), duplicate: 50%, give_up: 2s}}\n"
             "faults: [{at: 1s, every: 500ms, for: 100ms, crash: one of n, crash_answer: reset}]\n",
             seed, false);
        CU_ASSERT_TRUE(p.ledger.acked > 100);
        CU_ASSERT_EQUAL(ledger_lost(&p.ledger), 0);
        for (uint32_t i = 0; i < p.ledger.room; i++)
            CU_ASSERT_TRUE(!p.ledger.writes[i].holders || p.ledger.writes[i].created);
        played_free(&p);
    }
}

SUITE("leaderless", TEST(a_calm_store_never_reads_old_data),
      TEST(strict_quorums_never_read_old_data), TEST(with_blocking_repair_they_are_atomic),
      TEST(the_last_write_wins_everywhere_at_last), TEST(siblings_meet_at_last),
      TEST(what_others_have_stood_in_for_comes_home),
      TEST(whoever_was_away_gets_what_it_has_missed), TEST(others_stand_in_for_who_is_away),
      TEST(an_operation_has_a_quorum_of_its_own), TEST(memory_does_not_grow_with_the_run),
      TEST(a_copy_that_comes_after_a_restart_says_the_same))
