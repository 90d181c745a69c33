/* The consistency judge on replicas: what each of them holds, when all have come to hold a version,
 * how long they differ, and how soon they agree again once faults have ended. */
#include "output/consistency_tables.h"

#include "engine/kernel/check.h"

#include <stdlib.h>

#define SECOND_NS INT64_C(1000000000)
#define SETTLE_NS (10 * SECOND_NS)
#include <string.h>

static struct record *group_record(const struct consistency *j, const struct judged_store *store)
{
    return record_of(j, store->first);
}

static bool keeps(const struct judged_key *key, uint32_t member)
{
    return !key->members || key->members >> (member & 63) & 1;
}

/* ---- agreement ---- */

/* Whether all members that keep the key hold the same version. */
static bool agree(const struct judged_store *store, const struct judged_key *key)
{
    const struct judged_write *one = NULL;
    bool any = false;
    for (uint32_t i = 0; i < store->count; i++) {
        if (!keeps(key, i))
            continue;
        if (any && key->replicas[i] != one)
            return false;
        one = key->replicas[i];
        any = true;
    }
    return true;
}

static void see_agreement(const struct consistency *j, const struct judged_store *store,
                          struct judged_key *key)
{
    struct record *record = group_record(j, store);
    bool agrees = agree(store, key);
    if (agrees == key->agrees || !record)
        return;
    key->agrees = agrees;
    record_level(record, CONSISTENCY_AGREED, agrees ? 1 : -1);
}

/* ---- after the end of a fault ---- */

static bool is_behind(const struct consistency *j, const struct judged_store *store,
                      const struct judged_key *key, struct version_order target)
{
    for (uint32_t i = 0; i < store->count; i++) {
        if (!keeps_live(j, store, key, i))
            continue;
        const struct judged_write *w = key->replicas[i];
        if (!w || version_compare(w->order, target) < 0)
            return true;
    }
    return false;
}

/* The newest that some member that is up holds: what all of them are to reach. */
static struct version_order newest(const struct consistency *j, const struct judged_store *store,
                                   const struct judged_key *key)
{
    struct version_order most = {0, 0};
    for (uint32_t i = 0; i < store->count; i++) {
        const struct judged_write *w = key->replicas[i];
        if (w && keeps_live(j, store, key, i) && version_compare(w->order, most) > 0)
            most = w->order;
    }
    return most;
}

static void see_convergence(struct consistency *j, struct judged_store *store)
{
    struct record *record = group_record(j, store);
    if (store->behind || store->heal_ns == NEVER_NS)
        return;
    if (record)
        record_duration(record, CONSISTENCY_CONVERGENCE, 0, store->heal_ns,
                        now_of(j) - store->heal_ns);
    store->heal_ns = NEVER_NS;
}

static void catch_up(struct consistency *j, struct judged_store *store, struct judged_key *key)
{
    if (!key->behind || is_behind(j, store, key, key->target))
        return;
    key->behind = false;
    store->behind--;
    see_convergence(j, store);
}

struct healing {
    struct consistency *j;
    struct judged_store *store;
};

static void begin_healing(void *context, void *entry)
{
    const struct healing *h = context;
    struct judged_key *key = entry;
    if (key->store != h->store || !key->replicas)
        return;
    key->target = newest(h->j, h->store, key);
    key->behind = is_behind(h->j, h->store, key, key->target);
    h->store->behind += key->behind;
}

static void begin_end(void *context, void *entry)
{
    const struct healing *h = context;
    struct judged_key *key = entry;
    if (key->store == h->store && key->replicas)
        key->newest = newest(h->j, h->store, key);
}

/* What is newest a while before the end of the measurement, every member is to have in the end. */
static void settle(struct consistency *j, struct judged_store *store)
{
    if (store->settled || now_of(j) < j->settle_ns)
        return;
    store->settled = true;
    table_each(&j->keys, &(struct healing){j, store}, begin_end);
}

/* Ends of faults that have passed since this store was last told of anything: all that its members
 * differ in then is to be settled. A fault that ends before that begins it anew. */
static void heal(struct consistency *j, struct judged_store *store)
{
    int64_t end_ns = NEVER_NS;
    while (store->heal < j->heal_count && j->heals[store->heal] <= now_of(j))
        end_ns = j->heals[store->heal++];
    if (end_ns == NEVER_NS || store->count < 2)
        return;
    store->behind = 0;
    store->heal_ns = end_ns;
    table_each(&j->keys, &(struct healing){j, store}, begin_healing);
    if (!store->behind) { /* they had never differed */
        struct record *record = group_record(j, store);
        if (record)
            record_duration(record, CONSISTENCY_CONVERGENCE, 0, end_ns, 0);
        store->heal_ns = NEVER_NS;
    }
}

static int by_instant(const void *a, const void *b)
{
    const int64_t *x = a, *y = b;
    return *x < *y ? -1 : *x > *y;
}

void replicas_begin(struct consistency *j)
{
    const struct simulation *s = j->simulation;
    j->heals = calloc(s->strike_count + 1u, sizeof *j->heals);
    if (!j->heals)
        check_machine("out of memory");
    for (uint32_t i = 0; i < s->strike_count; i++) {
        enum fault_action what = s->blueprint->faults[s->strikes[i].fault].what;
        bool parts = what <= FAULT_PAUSE || (what >= FAULT_PARTITION && what <= FAULT_HOLD);
        if (parts && s->strikes[i].end < INT64_MAX)
            j->heals[j->heal_count++] = s->strikes[i].end;
    }
    int64_t measured_ns = s->window.end - s->window.begin;
    j->settle_ns = s->window.end - (measured_ns < 100 * SECOND_NS ? measured_ns / 10 : SETTLE_NS);
    qsort(j->heals, j->heal_count, sizeof *j->heals, by_instant);
}

/* ---- when all have it ---- */

/* The least that the replicas that are up hold of a key; false: some holds nothing. */
static bool least_held(const struct consistency *j, const struct judged_store *store,
                       const struct judged_key *key, bool up_only, struct version_order *least)
{
    bool any = false;
    for (uint32_t i = 0; i < store->count; i++) {
        if (!keeps(key, i) || (up_only && !keeps_live(j, store, key, i)))
            continue;
        const struct judged_write *w = key->replicas[i];
        if (!w)
            return false;
        if (!any || version_compare(w->order, *least) < 0)
            *least = w->order;
        any = true;
    }
    return any;
}

static void see_visible(struct consistency *j, const struct judged_store *store,
                        struct judged_key *key)
{
    struct version_order least = {0, 0};
    if (!least_held(j, store, key, true, &least))
        return;
    for (struct judged_write *w = key->first; w; w = w->after)
        if (!w->visible_ns && version_compare(w->order, least) <= 0) {
            w->visible_ns = now_of(j) ? now_of(j) : 1;
            judge_visible(j, w);
        }
    /* Who is down may come back and be read. */
    if (least_held(j, store, key, false, &least)) {
        marks_forget(key, least);
        key->everywhere = true;
    }
}

/* ---- what the probe is told ---- */

void replicas_apply(void *context, const struct agent *at, const struct version *v)
{
    struct consistency *j = context;
    struct judged_store *store = store_of(j, at);
    struct judged_key *key = key_of(j, at, v->key);
    struct judged_write *w = table_find(&j->writes, v->op_id);
    settle(j, store);
    heal(j, store);
    if (!w)
        return; /* its record is gone: something newer is final */
    if (!key->replicas) {
        struct record *record = group_record(j, store);
        key->replicas = calloc(store->count, sizeof(struct judged_write *));
        if (!key->replicas)
            check_machine("out of memory");
        key->agrees = true; /* all held nothing */
        if (record) {
            record_level(record, CONSISTENCY_KEYS, 1);
            record_level(record, CONSISTENCY_AGREED, 1);
        }
    }
    struct judged_write **held = &key->replicas[at->index - store->first];
    if (*held)
        (*held)->held--;
    *held = w;
    w->held++;
    w->holders |= bit_of(j, at);
    see_agreement(j, store, key);
    see_visible(j, store, key);
    catch_up(j, store, key);
    judge_prune(j, key);
}

/* The newest that the replica has applied and not taken back, among those that are known. */
void replicas_retract(void *context, const struct agent *at, const struct version *v)
{
    struct consistency *j = context;
    struct judged_store *store = store_of(j, at);
    struct judged_key *key = key_of(j, at, v->key);
    struct judged_write *w = table_find(&j->writes, v->op_id), *best = NULL;
    settle(j, store);
    heal(j, store);
    if (!w)
        return;
    w->holders &= ~bit_of(j, at);
    count(j, at->index, CONSISTENCY_ROLLED_BACK_READS, w->operation, w->last_read_ns, w->reads);
    w->reads = 0;
    leaders_lost(j, store, w);
    if (!key->replicas || key->replicas[at->index - store->first] != w)
        return;
    for (struct judged_write *o = key->first; o; o = o->after)
        if (o->holders & bit_of(j, at) && (!best || version_compare(o->order, best->order) > 0))
            best = o;
    w->held--;
    key->replicas[at->index - store->first] = best;
    if (best)
        best->held++;
    if (store->settled && !version_compare(w->order, key->newest))
        key->newest = newest(j, store, key); /* it was never to be had by all */
    see_agreement(j, store, key);
    if (key->behind)
        key->target = newest(j, store, key);
    catch_up(j, store, key);
}

/* ---- the end ---- */

static void end_key(void *context, void *entry)
{
    struct consistency *j = context;
    const struct judged_key *key = entry;
    if (!key->replicas || !is_behind(j, key->store, key, key->newest))
        return;
    count(j, key->store->first, CONSISTENCY_DIVERGED, 0, j->simulation->window.end - 1, 1);
}

void replicas_end(struct consistency *j)
{
    for (uint32_t i = 0; i < j->node_count; i++)
        if (j->stores[i].count) {
            settle(j, &j->stores[i]);
            heal(j, &j->stores[i]);
        }
    table_each(&j->keys, j, end_key);
}
