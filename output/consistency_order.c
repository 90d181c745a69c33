/* The consistency judge on the order that clients can prove: linearizability, key by key, by the
 * zones of output/zones.h. Instants are the judge's own numbers. */
#include "output/consistency_tables.h"

void order_open(struct consistency *j, struct judged_operation *o)
{
    o->before = j->newest;
    if (j->newest)
        j->newest->behind = o;
    else
        j->oldest = o;
    j->newest = o;
}

void order_close(struct consistency *j, struct judged_operation *o)
{
    if (o->before)
        o->before->behind = o->behind;
    else
        j->oldest = o->behind;
    if (o->behind)
        o->behind->before = o->before;
    else
        j->newest = o->before;
}

static void violate(struct consistency *j, uint32_t agent, uint8_t operation, int64_t at_ns)
{
    struct judged_store *store = store_of(j, &j->simulation->agents[agent]);
    struct window w = j->simulation->window;
    count(j, agent, CONSISTENCY_ANOMALIES, operation, at_ns, 1);
    if (store->violated || at_ns < w.begin || at_ns >= w.end)
        return;
    store->violated = true;
    store->violation_ns = now_of(j);
}

void order_made(struct consistency *j, struct judged_write *w)
{
    struct judged_key *key = w->of;
    const struct judged_write *base = w->base ? table_find(&j->writes, w->base) : NULL;
    if (!key->zones.room) /* the first write of this key */
        key->initial = zones_initial(&key->zones);
    struct zone *on = !w->modifies ? NULL : base ? base->zone : w->base ? NULL : key->initial;
    w->zone = zone_new(on, w->invoke);
}

void order_completed(struct consistency *j, struct judged_write *w)
{
    if (!zones_completed(&w->of->zones, w->zone, w->ack))
        violate(j, w->agent, w->operation, w->at_ns);
}

/* What certainly did not happen has been seen. */
void order_failed(struct consistency *j, struct judged_write *w)
{
    if (w->reads)
        violate(j, w->agent, w->operation, w->at_ns);
}

void order_read(struct consistency *j, const struct call *c, const struct judged_operation *o,
                const struct judged_answer *a)
{
    struct judged_key *key = a->key;
    bool unknown = !a->write && a->version; /* the copy of what was final long ago */
    struct zone *zone = a->write ? a->write->zone : unknown ? NULL : key->initial;
    uint64_t now = ++j->sequence;
    if (!zone && !key->zones.room)
        return; /* never written: the value before any write is what it holds */
    if (unknown && a->staleness_ns < 0)
        return;
    bool good = zone && !(a->write && a->write->failed);
    if (!good || !zones_read(&key->zones, zone, o->invoke, now))
        violate(j, a->agent, c->operation, o->at_ns);
}

void order_forget(struct judged_write *w)
{
    if (w->zone)
        zones_forget(&w->of->zones, w->zone);
    w->zone = NULL;
}

void order_settle(struct consistency *j, struct judged_key *key)
{
    if (key->initial && key->everywhere && !key->initial_reads) {
        zones_forget(&key->zones, key->initial);
        key->initial = NULL;
    }
    zones_settle(&key->zones, j->oldest ? j->oldest->invoke : j->sequence + 1);
}

void order_end(struct consistency *j)
{
    for (uint32_t i = 0; i < j->node_count; i++) {
        const struct judged_store *store = &j->stores[i];
        struct record *record = store->count ? record_of(j, store->first) : NULL;
        if (record)
            record_event(record, CONSISTENCY_FIRST_VIOLATION,
                         store->violated ? store->violation_ns : RECORD_NEVER);
    }
}
