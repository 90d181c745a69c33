/* The consistency judge on leaders: who took itself for one, when, and what that brought about. */
#include "output/consistency_tables.h"

static void dual_now(struct consistency *j, struct judged_store *store)
{
    bool dual = __builtin_popcountll(store->leaders) >= 2;
    if (dual && store->dual_since_ns == NEVER_NS) {
        store->dual_since_ns = now_of(j);
    } else if (!dual && store->dual_since_ns != NEVER_NS) {
        struct record *record = record_of(j, store->first);
        if (record && j->simulation->recorder->spans &&
            __builtin_popcountll(store->dual_acked) >= 2)
            record_span(record, CONSISTENCY_SPLIT_BRAIN,
                        (struct window){store->dual_first_ns, store->dual_last_ns});
        store->dual_acked = 0;
        if (record && j->simulation->recorder->spans)
            record_span(record, CONSISTENCY_DUAL_LEADER,
                        (struct window){store->dual_since_ns, now_of(j)});
        store->dual_since_ns = NEVER_NS;
    }
}

void leaders_role(void *context, const struct agent *at, uint32_t shard, uint64_t term, bool on)
{
    struct consistency *j = context;
    struct judged_store *store = store_of(j, at);
    told_leads(j, at, term, on);
    (void)shard;
    if (!on) {
        store->leaders &= ~bit_of(j, at);
        dual_now(j, store);
        return;
    }
    store->leaders |= bit_of(j, at);
    if (store->term && term > store->term) {
        const struct agent *before = &j->simulation->agents[store->leader];
        count(j, at->index, CONSISTENCY_ELECTIONS, 0, now_of(j), 1);
        count(j, at->index, CONSISTENCY_FALSE_FAILOVERS_COUNT, 0, now_of(j),
              before->place->up && before != at);
    }
    if (term > store->term) {
        store->term = term;
        store->leader = at->index;
    }
    dual_now(j, store);
}

void leaders_place_lost(void *context, const struct agent *at)
{
    struct consistency *j = context;
    struct judged_store *store = store_of(j, at);
    if (!store->count)
        return;
    told_leads(j, at, 0, false);
    store->leaders &= ~bit_of(j, at);
    dual_now(j, store);
}

/* What the last failover has cost: told when the next begins, or at the end. */
static void recovery_point(const struct consistency *j, struct judged_store *store)
{
    struct record *record = record_of(j, store->first);
    int64_t strike_ns = store->strike_ns;
    if (strike_ns == NEVER_NS || !record)
        return;
    record_duration(record, CONSISTENCY_RECOVERY_POINT_WRITES, 0, strike_ns,
                    (int64_t)store->lost_writes * 1000000000);
    record_duration(record, CONSISTENCY_RECOVERY_POINT, 0, strike_ns,
                    store->lost_ns < strike_ns ? strike_ns - store->lost_ns : 0);
    store->lost_writes = 0;
    store->lost_ns = NEVER_NS;
}

void leaders_lost(struct consistency *j, struct judged_store *store, const struct judged_write *w)
{
    (void)j;
    if (!w->acked || w->holders)
        return;
    store->lost_writes++;
    if (w->ack_ns < store->lost_ns)
        store->lost_ns = w->ack_ns;
}

/* The last strike that has begun, if its suspicion is still to come. */
void leaders_suspect(void *context, const struct agent *at, const struct agent *whom)
{
    struct consistency *j = context;
    struct judged_store *store = store_of(j, at);
    const struct simulation *s = j->simulation;
    struct record *record = record_of(j, at->index);
    int64_t begin_ns = NEVER_NS;
    (void)whom;
    for (uint32_t i = 0; i < s->strike_count && s->strikes[i].begin <= now_of(j); i++)
        begin_ns = s->strikes[i].begin;
    if (begin_ns == NEVER_NS || begin_ns == store->strike_ns)
        return;
    recovery_point(j, store);
    store->strike_ns = begin_ns;
    store->strike_term = store->term;
    store->recovers = true;
    if (record)
        record_duration(record, CONSISTENCY_DETECTION, 0, begin_ns, now_of(j) - begin_ns);
}

void leaders_acknowledge(void *context, const struct agent *at, uint32_t shard, uint64_t term,
                         const struct call *c)
{
    struct consistency *j = context;
    struct judged_store *store = store_of(j, at);
    struct record *record = record_of(j, at->index);
    (void)shard;
    if (store->dual_since_ns != NEVER_NS) {
        if (!store->dual_acked)
            store->dual_first_ns = now_of(j);
        store->dual_acked |= bit_of(j, at);
        store->dual_last_ns = now_of(j);
    }
    count(j, at->index, CONSISTENCY_SPLIT_BRAIN_WRITES, c->operation, now_of(j),
          term < store->term);
    if (!store->recovers || term <= store->strike_term)
        return;
    store->recovers = false;
    if (record)
        record_duration(record, CONSISTENCY_RECOVERY, 0, store->strike_ns,
                        now_of(j) - store->strike_ns);
}

void leaders_end(struct consistency *j)
{
    for (uint32_t i = 0; i < j->node_count; i++) {
        j->stores[i].leaders = 0;
        if (j->stores[i].count) {
            dual_now(j, &j->stores[i]);
            recovery_point(j, &j->stores[i]);
        }
    }
}
