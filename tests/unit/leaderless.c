/* Stores without a leader: quorums worked out by hand, and what must hold whatever happens. */
#include "models/replicated_leaderless.h"
#include "tests/ledger.h"
#include "tests/scenario.h"

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

struct played {
    struct loaded loaded;
    struct ledger ledger;
    struct probe probe;
    struct simulation *simulation;
    const struct group *group;
};

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
    *p = (struct played){.loaded = load(text, false)};
    if (!p->loaded.scenario)
        diagnostic_print(p->loaded.diagnostics, stdout, false);
    CU_ASSERT_PTR_NOT_NULL_FATAL(p->loaded.scenario);
    p->probe = ledger_probe(&p->ledger);
    p->probe.supersede = ledger_supersede;
    if (!atomic)
        p->probe.complete = regular_complete;
    struct simulation_options options = {.probe = &p->probe};
    p->simulation = simulation_create(p->loaded.blueprint, seed, 1, &options);
    simulation_run(p->simulation, NULL);
    simulation_advance(p->simulation, 100 * SECOND); /* no faults any more: it settles */
    const struct blueprint_node *store = node_in(p->loaded.blueprint, "store");
    p->group = replica_of(&p->simulation->agents[store->first])->group;
}

static void played_free(struct played *p)
{
    simulation_free(p->simulation);
    ledger_free(&p->ledger);
    loaded_free(&p->loaded);
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

SUITE("leaderless", TEST(a_calm_store_never_reads_old_data),
      TEST(strict_quorums_never_read_old_data), TEST(with_blocking_repair_they_are_atomic),
      TEST(the_last_write_wins_everywhere_at_last), TEST(siblings_meet_at_last),
      TEST(what_others_have_stood_in_for_comes_home))
