/* A slow and simple witness of what a store does, for tests: it keeps everything it is told.
 *
 *     struct ledger ledger = {0};
 *     struct probe probe = ledger_probe(&ledger);
 *     ... simulate with it ...
 *     ledger_lost(&ledger)      acknowledged writes that no replica has any more
 *     ledger_free(&ledger); */
#ifndef ORRERY_TESTS_LEDGER_H
#define ORRERY_TESTS_LEDGER_H

#include "engine/kernel/probe.h"
#include "engine/kernel/random.h"
#include "engine/kernel/simulation.h"

#include <stdlib.h>

struct ledger_write {
    uint64_t op_id, key;
    struct version_order order;
    uint64_t
        holders; /* bit: a replica, by its number from 0, has applied it and not taken it back */
    int64_t acked_ns; /* 0: not acknowledged */
    uint32_t created, retracted;
    bool decided, superseded;
};

enum { LEDGER_KEYS = 1024 }; /* keys whose reads are judged are below */

struct ledger_event {
    int64_t at_ns;
    uint32_t agent; /* index */
    uint64_t term;
    bool on, suspect;
};

struct ledger {
    struct ledger_write *writes; /* open addressing by op_id */
    uint32_t room, used;
    struct ledger_event *events; /* of leaders, in order of time */
    uint32_t event_count, event_room;
    struct version_order floors[LEDGER_KEYS]; /* newest known to somebody: acknowledged or read */
    uint64_t reads, acked, failed, unknown, conflicts;
    uint64_t stale; /* reads of what was older than the floor when they began */
};

static inline struct ledger_write *ledger_find(struct ledger *l, uint64_t op_id)
{
    uint32_t at = (uint32_t)random_mix(op_id) & (l->room - 1);
    while (l->writes[at].op_id && l->writes[at].op_id != op_id)
        at = (at + 1) & (l->room - 1);
    return &l->writes[at];
}

static inline struct ledger_write *ledger_write(struct ledger *l, uint64_t op_id)
{
    if (2 * l->used >= l->room) {
        struct ledger_write *old = l->writes;
        uint32_t room = l->room;
        l->room = room ? 2 * room : 1024;
        l->writes = calloc(l->room, sizeof *l->writes);
        if (!l->writes)
            abort();
        for (uint32_t i = 0; i < room; i++)
            if (old[i].op_id)
                *ledger_find(l, old[i].op_id) = old[i];
        free(old);
    }
    struct ledger_write *w = ledger_find(l, op_id);
    l->used += !w->op_id;
    w->op_id = op_id;
    return w;
}

static inline void ledger_invoke(void *context, const struct agent *at, const struct call *c)
{
    struct ledger *l = context;
    enum operation_type type = at->simulation->blueprint->operations[c->operation].type;
    if (type == OPERATION_READ && c->key < LEDGER_KEYS)
        ledger_write(l, c->op_id)->order = l->floors[c->key];
}

static inline void ledger_raise(struct ledger *l, uint64_t key, struct version_order order)
{
    if (key < LEDGER_KEYS && version_compare(order, l->floors[key]) > 0)
        l->floors[key] = order;
}

static inline void ledger_complete(void *context, const struct agent *at, const struct call *c)
{
    struct ledger *l = context;
    enum operation_type type = at->simulation->blueprint->operations[c->operation].type;
    if (type == OPERATION_READ || type == OPERATION_SCAN) {
        struct version_order none = {0, 0}, floor = ledger_write(l, c->op_id)->order;
        struct version_order read = c->version ? ledger_write(l, c->version)->order : none;
        if (c->status != STATUS_OK)
            return;
        l->reads++;
        l->stale += version_compare(read, floor) < 0;
        ledger_raise(l, c->key, read);
        return;
    }
    l->acked += c->status == STATUS_OK;
    l->failed += c->status == STATUS_FAIL;
    l->unknown += c->status == STATUS_INFO;
    if (c->status != STATUS_OK)
        return;
    ledger_write(l, c->op_id)->acked_ns = simulation_now(at->simulation);
    ledger_raise(l, c->key, ledger_write(l, c->op_id)->order);
}

static inline void ledger_create(void *context, const struct agent *at, const struct call *c,
                                 const struct version *v)
{
    (void)at, (void)c;
    struct ledger_write *w = ledger_write(context, v->op_id);
    w->created++;
    w->key = v->key;
    w->order = v->order;
}

static inline void ledger_apply(void *context, const struct agent *at, const struct version *v)
{
    ledger_write(context, v->op_id)->holders |= UINT64_C(1) << (at->number - 1);
}

static inline void ledger_retract(void *context, const struct agent *at, const struct version *v)
{
    struct ledger_write *w = ledger_write(context, v->op_id);
    w->holders &= ~(UINT64_C(1) << (at->number - 1));
    w->retracted++;
}

static inline void ledger_supersede(void *context, const struct agent *at,
                                    const struct version *winner, const struct version *loser)
{
    (void)at, (void)winner;
    ledger_write(context, loser->op_id)->superseded = true;
}

static inline void ledger_conflict(void *context, const struct agent *at, uint64_t key,
                                   uint32_t siblings)
{
    (void)at, (void)key, (void)siblings;
    ((struct ledger *)context)->conflicts++;
}

static inline void ledger_decide(void *context, const struct agent *at, const struct version *v)
{
    (void)at;
    ledger_write(context, v->op_id)->decided = true;
}

static inline void ledger_event(struct ledger *l, struct ledger_event event)
{
    if (l->event_count == l->event_room) {
        l->event_room = l->event_room ? 2 * l->event_room : 64;
        l->events = realloc(l->events, l->event_room * sizeof *l->events);
        if (!l->events)
            abort();
    }
    l->events[l->event_count++] = event;
}

static inline void ledger_role(void *context, const struct agent *at, uint32_t shard, uint64_t term,
                               bool on)
{
    (void)shard;
    ledger_event(context, (struct ledger_event){.at_ns = simulation_now(at->simulation),
                                                .agent = at->index,
                                                .term = term,
                                                .on = on});
}

static inline void ledger_suspect(void *context, const struct agent *at, const struct agent *whom)
{
    (void)whom;
    ledger_event(context, (struct ledger_event){.at_ns = simulation_now(at->simulation),
                                                .agent = at->index,
                                                .suspect = true});
}

static inline struct probe ledger_probe(struct ledger *l)
{
    return (struct probe){.context = l,
                          .invoke = ledger_invoke,
                          .complete = ledger_complete,
                          .create = ledger_create,
                          .apply = ledger_apply,
                          .retract = ledger_retract,
                          .supersede = ledger_supersede,
                          .conflict = ledger_conflict,
                          .decide = ledger_decide,
                          .role = ledger_role,
                          .suspect = ledger_suspect};
}

/* Acknowledged writes that no replica has any more and that no rule of conflicts has discarded. */
static inline uint64_t ledger_lost(const struct ledger *l)
{
    uint64_t lost = 0;
    for (uint32_t i = 0; i < l->room; i++) {
        const struct ledger_write *w = &l->writes[i];
        lost += w->op_id && w->acked_ns && !w->holders && !w->superseded;
    }
    return lost;
}

static inline void ledger_free(struct ledger *l)
{
    free(l->writes);
    free(l->events);
    *l = (struct ledger){0};
}

#endif
