/* Raft: elections to the millisecond, and what must hold whatever happens. */
#include "models/replicated_raft.h"
#include "tests/stores.h"

#include <stdio.h>

#define MEMBERS(count)                                                                             \
    "  n: {kind: database, count: " #count ", slots: 4, read: exp(1ms), write: exp(1ms)}\n"        \
    "links: {default: {latency: uniform(1ms..9ms)}}\n"
#define WRITERS(mode, keys, count)                                                                 \
    "orrery: 1\nrun: {warmup: 0s, duration: 20s, replications: 1, drain: 20s}\nnodes:\n"           \
    "  app: {kind: client, count: 3, arrivals: [0s poisson(40/s), 16s poisson(0.001/s)], "         \
    "operations: {read: 50%, write: 40%, cas: 10%}, keys: uniform(" keys "), timeout: 1s, "        \
    "to: store}\n"                                                                                 \
    "  store: {kind: replicated, members: n, mode: " mode "}\n" MEMBERS(count)
#define FAULTS                                                                                     \
    "faults:\n"                                                                                    \
    "  - {at: 1s, for: 700ms, every: 1300ms, partition: majority of n}\n"                          \
    "  - {at: 1500ms, for: 600ms, every: 2900ms, pause: one of n}\n"                               \
    "  - {at: 2s, for: 800ms, every: 1700ms, crash: minority of n}\n"                              \
    "  - {at: 1s, for: 900ms, every: 3100ms, partition: bridge of n}\n"                            \
    "  - {at: 1s, for: 14s, loss: default, by: 2%}\n"                                              \
    "  - {at: 1s, for: 14s, reorder: default, by: 10%}\n"                                          \
    "  - {at: 1s, for: 14s, duplicate: default, by: 5%}\n"

static void play(struct played *p, const char *text, uint64_t seed)
{
    play_store(p, text, seed, 30 * SECOND, NULL);
}

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

/* Begins of leadership; no term may have two leaders. */
static uint32_t elections(const struct played *p)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < p->ledger.event_count; i++) {
        const struct ledger_event *e = &p->ledger.events[i];
        count += e->on;
        for (uint32_t k = 0; k < i && e->on; k++)
            CU_ASSERT_FALSE(p->ledger.events[k].on && p->ledger.events[k].term == e->term &&
                            p->ledger.events[k].agent != e->agent);
    }
    return count;
}

static void a_calm_cluster_keeps_its_leader(void)
{
    struct played p;
    play(&p, WRITERS("raft", "50", 5), 1);
    CU_ASSERT_EQUAL(elections(&p), 1);
    CU_ASSERT_EQUAL(p.ledger.unknown, 0);
    CU_ASSERT_TRUE(p.ledger.reads > 700 && p.ledger.acked > 500);
    CU_ASSERT_EQUAL(p.ledger.stale, 0);
    CU_ASSERT_TRUE(agree(&p));
    const struct log *log = &raft_state(p.group->replicas[0])->log;
    CU_ASSERT_EQUAL(log->first, log->last + 1); /* all of it is everywhere */
    played_free(&p);
}

/* Two of five may be away; with three away nothing is acknowledged, and nothing is lost. */
static void a_majority_goes_on(void)
{
    struct played p;
    play(&p, WRITERS("raft", "50", 5) "faults: [{at: 5s, for: 5s, crash: n.4 n.5}]\n", 1);
    CU_ASSERT_EQUAL(p.ledger.unknown, 0);
    CU_ASSERT_TRUE(agree(&p));
    played_free(&p);
    play(&p, WRITERS("raft", "50", 5) "faults: [{at: 5s, for: 5s, crash: n.3 n.4 n.5}]\n", 1);
    CU_ASSERT_TRUE(p.ledger.unknown + p.ledger.failed > 200);
    CU_ASSERT_EQUAL(ledger_lost(&p.ledger), 0);
    CU_ASSERT_TRUE(agree(&p));
    played_free(&p);
}

/* Leader completeness, one leader a term, reads that are never old, and agreement at the end: under
 * partitions, pauses, crashes, loss, reordering and duplicates. */
static void hold_whatever_happens(const char *text, uint64_t seeds)
{
    uint64_t elected = 0, acked = 0;
    for (uint64_t seed = 1; seed <= seeds; seed++) {
        struct played p;
        play(&p, text, seed);
        CU_ASSERT_EQUAL(ledger_lost(&p.ledger), 0);
        CU_ASSERT_EQUAL(p.ledger.stale, 0);
        CU_ASSERT_TRUE(agree(&p));
        elected += elections(&p);
        acked += p.ledger.acked;
        played_free(&p);
    }
    CU_ASSERT_TRUE(elected > 5 * seeds); /* or the faults have not done much */
    CU_ASSERT_TRUE(acked > 100 * seeds);
}

static void three_members_stay_safe(void)
{
    hold_whatever_happens(WRITERS("raft", "5", 3) FAULTS, 70);
}

static void five_members_stay_safe_with_leases(void)
{
    hold_whatever_happens(WRITERS("raft(reads=lease)", "5", 5) FAULTS, 60);
}

static void without_pre_votes_too(void)
{
    hold_whatever_happens(WRITERS("raft(pre_vote=false)", "5", 5) FAULTS, 30);
}

SUITE("raft", TEST(a_calm_cluster_keeps_its_leader), TEST(a_majority_goes_on),
      TEST(three_members_stay_safe), TEST(five_members_stay_safe_with_leases),
      TEST(without_pre_votes_too))
