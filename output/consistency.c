/* The consistency judge. Order of events is order of time, and at one instant the order in which
 * they are handled: what was acknowledged in an earlier event precedes what is invoked in a later
 * one.
 *
 * Reads are judged against what had been acknowledged when they began (`floor`, noted then). A
 * version's record is kept while a replica may serve it: until a newer version of its key is final
 * (nothing can go back beyond it), no replica holds it and its operation has ended. */
#include "output/consistency.h"

#include "engine/kernel/consistency.h"
#include "engine/kernel/watch.h"
#include "output/consistency_tables.h"

#include <stdlib.h>
#include <string.h>

static bool is_read(enum operation_type type)
{
    return type == OPERATION_READ || type == OPERATION_SCAN;
}

static enum operation_type type_of(const struct consistency *j, const struct call *c)
{
    return j->simulation->blueprint->operations[c->operation].type;
}

/* ---- versions that nobody can serve any more ---- */

static uint64_t up_members(const struct consistency *j, const struct judged_store *store)
{
    uint64_t up = 0;
    for (uint32_t i = 0; i < store->count && i < 64; i++)
        if (j->simulation->agents[store->first + i].place->up)
            up |= UINT64_C(1) << i;
    return up;
}

/* What became of a version, once that is certain. */
static void account_write(const struct consistency *j, const struct judged_write *w, bool gone)
{
    if (w->acked && gone)
        count(j, w->agent, CONSISTENCY_LOST_COUNT, w->operation, w->at_ns, 1);
    if (w->unknown && !gone)
        count(j, w->agent, CONSISTENCY_RECOVERED_COUNT, w->operation, w->at_ns, 1);
}

void judge_prune(struct consistency *j, struct judged_key *key)
{
    while (key->first && key->first != key->last) {
        struct judged_write *w = key->first;
        bool old = version_compare(w->order, key->decided) < 0;
        if (!old || w->held || !w->ended)
            break;
        account_write(j, w, !w->holders && !w->superseded);
        key->first = w->after;
        order_forget(w);
        table_drop(&j->writes, w);
    }
    order_settle(j, key);
}

/* ---- operations ---- */

/* How many acknowledged versions a stale read has missed. */
static uint64_t versions_missed(const struct judged_answer *a, const struct judged_operation *o)
{
    uint64_t missed = 0;
    for (const struct judged_write *w = a->key->first; w; w = w->after)
        missed += w->acked && w->ack < o->invoke && version_compare(w->order, a->order) > 0;
    return missed;
}

static void on_invoke(void *context, const struct agent *at, const struct call *c)
{
    struct consistency *j = context;
    struct judged_operation *o = table_make(&j->operations, c->op_id);
    o->at_ns = c->arrived_ns;
    o->process = at->index;
    o->session = c->session;
    o->operation = c->operation;
    o->invoke_ns = now_of(j);
    o->invoke = ++j->sequence;
    order_open(j, o);
}

static void on_ask(void *context, const struct agent *at, const struct call *c)
{
    struct consistency *j = context;
    struct judged_operation *o = table_find(&j->operations, c->op_id);
    struct watch *watch = j->simulation->watch;
    if (!o || o->store)
        return; /* tried once more */
    o->store = store_of(j, at);
    o->asked_ns = now_of(j);
    o->watched = watch ? watch_begin(watch, at, o->asked_ns) : 0;
}

/* It has ended, or will never. */
static void account_operation(struct consistency *j, const struct judged_operation *o,
                              uint8_t operation, bool ok)
{
    if (!o->store)
        return;
    uint32_t first = o->store->first;
    count(j, first, CONSISTENCY_OPERATIONS, operation, o->at_ns, 1);
    count(j, first, CONSISTENCY_OK, operation, o->at_ns, ok);
    if (o->watched)
        watch_end(j->simulation->watch, &j->simulation->agents[first], o->watched, operation, ok,
                  o->asked_ns);
}

static struct judged_session *session_of(struct consistency *j, const struct agent *at,
                                         const struct call *c, uint32_t store)
{
    if (!j->has_sessions[at->index])
        return NULL;
    uint64_t who = random_mix((uint64_t)at->index << 32 | c->session);
    uint64_t name =
        random_mix(who ^ random_mix(c->key ^ random_mix(j->simulation->agents[store].node + 1)));
    return table_make(&j->sessions, name ? name : 1);
}

/* What the completed read returned; NULL: no store has told of it. */
static const struct judged_answer *answer_of(const struct judged_operation *o, uint64_t version)
{
    for (uint32_t i = o->answer_count; i-- > 0;)
        if (o->answers[i].version == version)
            return &o->answers[i];
    return NULL;
}

/* Guarantees within a session: what it has written, what it has read. */
static void judge_session(struct consistency *j, struct judged_session *seen, const struct call *c,
                          const struct judged_operation *o, const struct judged_answer *a,
                          uint64_t ack)
{
    if (seen->has_written) {
        count(j, a->agent, CONSISTENCY_OWN_READS, c->operation, o->at_ns, 1);
        count(j, a->agent, CONSISTENCY_READ_YOUR_WRITES_COUNT, c->operation, o->at_ns,
              version_compare(a->order, seen->wrote) < 0);
        count(j, a->agent, CONSISTENCY_READ_YOUR_WRITES_REALTIME_COUNT, c->operation, o->at_ns,
              ack < seen->wrote_invoke);
    }
    if (seen->has_read) {
        count(j, a->agent, CONSISTENCY_AGAIN_READS, c->operation, o->at_ns, 1);
        count(j, a->agent, CONSISTENCY_MONOTONIC_READS_COUNT, c->operation, o->at_ns,
              version_compare(a->order, seen->read) < 0);
        count(j, a->agent, CONSISTENCY_MONOTONIC_READS_REALTIME_COUNT, c->operation, o->at_ns,
              ack < seen->read_invoke);
    }
    if (!seen->has_read || version_compare(a->order, seen->read) > 0)
        seen->read = a->order;
    if (!seen->has_read || a->invoke > seen->read_invoke)
        seen->read_invoke = a->invoke;
    seen->has_read = true;
}

static void judge_read(struct consistency *j, const struct agent *at, const struct call *c,
                       const struct judged_operation *o)
{
    const struct judged_answer *a = answer_of(o, c->version);
    if (!a)
        return;
    struct judged_write *w = a->write;
    uint64_t ack = a->ack;
    bool stale = a->staleness_ns >= 0;
    count(j, a->agent, CONSISTENCY_READS, c->operation, o->at_ns, 1);
    count(j, a->agent, CONSISTENCY_STALE_COUNT, c->operation, o->at_ns, stale);
    count(j, a->agent, CONSISTENCY_STALE_REALTIME_COUNT, c->operation, o->at_ns,
          ack < a->latest_invoke);
    struct record *record = record_of(j, a->agent);
    if (record) {
        record_duration(record, CONSISTENCY_STALENESS, c->operation, o->at_ns,
                        stale ? a->staleness_ns : 0);
        record_duration(record, CONSISTENCY_STALENESS_VERSIONS, c->operation, o->at_ns,
                        stale ? (int64_t)versions_missed(a, o) * 1000000000 : 0);
        if (a->age_ns >= 0)
            record_duration(record, CONSISTENCY_READ_AGE, c->operation, o->at_ns, a->age_ns);
        if (a->age_ns >= 0 && stale)
            record_duration(record, CONSISTENCY_STALE_READ_AGE, c->operation, o->at_ns, a->age_ns);
    }
    if (w) {
        w->reads++;
        w->last_read_ns = o->at_ns;
        count(j, a->agent, CONSISTENCY_ABORTED_READS, c->operation, o->at_ns, w->failed);
    }
    order_read(j, c, o, a);
    struct judged_session *seen = session_of(j, at, c, a->agent);
    if (seen)
        judge_session(j, seen, c, o, a, ack);
}

/* Versions of others between what it was made on and itself. */
static void judge_update(const struct consistency *j, const struct judged_key *key,
                         const struct judged_write *w)
{
    const struct judged_write *base = w->base ? table_find(&j->writes, w->base) : NULL;
    struct version_order from = base ? base->order : (struct version_order){0, 0};
    uint64_t passed = 0;
    if (w->base && !base)
        return; /* its record is gone: something newer was final before this write began */
    for (const struct judged_write *o = key->first; o; o = o->after)
        passed += o != w && o->acked && o->client != w->client &&
                  version_compare(o->order, from) > 0 && version_compare(o->order, w->order) < 0;
    count(j, w->agent, CONSISTENCY_LOST_UPDATES, w->operation, w->at_ns, passed);
}

/* The one discarded has been acknowledged: it counts, once. */
static void judge_overwritten(const struct consistency *j, struct judged_write *loser)
{
    if (loser->counted || !loser->acked)
        return;
    loser->counted = true;
    count(j, loser->agent,
          loser->winner_ack < loser->invoke ? CONSISTENCY_OVERWRITTEN_LATER
                                            : CONSISTENCY_OVERWRITTEN_CONCURRENT,
          loser->operation, loser->at_ns, 1);
}

void judge_visible(const struct consistency *j, const struct judged_write *w)
{
    struct record *record = record_of(j, w->agent);
    int64_t delay_ns = w->visible_ns - w->ack_ns;
    if (record && w->acked && w->visible_ns)
        record_duration(record, CONSISTENCY_VISIBILITY, w->operation, w->at_ns,
                        delay_ns > 0 ? delay_ns : 0);
}

/* What the session had written and read before this write is older than it. */
static void judge_writes(const struct consistency *j, struct judged_session *seen,
                         const struct call *c, const struct judged_operation *o,
                         const struct judged_write *w)
{
    if (seen->has_written) {
        count(j, w->agent, CONSISTENCY_WRITE_PAIRS, c->operation, o->at_ns, 1);
        count(j, w->agent, CONSISTENCY_MONOTONIC_WRITES_COUNT, c->operation, o->at_ns,
              version_compare(w->order, seen->wrote_last) < 0);
    }
    if (seen->has_read) {
        count(j, w->agent, CONSISTENCY_WRITES_AFTER_READS, c->operation, o->at_ns, 1);
        count(j, w->agent, CONSISTENCY_WRITES_FOLLOW_READS_COUNT, c->operation, o->at_ns,
              version_compare(w->order, seen->read) < 0);
    }
    seen->wrote_last = w->order;
}

static void judge_write(struct consistency *j, const struct agent *at, const struct call *c,
                        const struct judged_operation *o)
{
    struct judged_write *w = table_find(&j->writes, c->op_id);
    if (!w)
        return;
    struct judged_key *key = key_of(j, &j->simulation->agents[w->agent], c->key);
    w->ended = true;
    w->failed = c->status == STATUS_FAIL;
    w->unknown = c->status == STATUS_INFO;
    if (w->failed)
        order_failed(j, w);
    count(j, w->agent, CONSISTENCY_UNKNOWN, w->operation, w->at_ns, w->unknown);
    if (c->status == STATUS_OK) {
        w->acked = true;
        w->ack_ns = now_of(j);
        w->ack = ++j->sequence;
        count(j, w->agent, CONSISTENCY_WRITES, w->operation, w->at_ns, 1);
        marks_add(key, w);
        copies_acked(key, w);
        order_completed(j, w);
        if (w->modifies)
            judge_update(j, key, w);
        if (w->superseded)
            judge_overwritten(j, w);
        judge_visible(j, w);
        struct judged_session *seen = session_of(j, at, c, w->agent);
        if (seen) {
            judge_writes(j, seen, c, o, w);
            if (!seen->has_written || version_compare(w->order, seen->wrote) > 0)
                seen->wrote = w->order;
            seen->wrote_invoke = o->invoke;
            seen->has_written = true;
        }
    }
    judge_prune(j, key);
}

/* The read has ended: what it had may be forgotten. */
static void let_go(struct consistency *j, const struct judged_answer *a)
{
    if (a->write)
        a->write->held--;
    else
        a->key->initial_reads--;
    judge_prune(j, a->key);
}

static void on_complete(void *context, const struct agent *at, const struct call *c)
{
    struct consistency *j = context;
    struct judged_operation *o = table_find(&j->operations, c->op_id);
    if (!o)
        return;
    if (!is_read(type_of(j, c)))
        judge_write(j, at, c, o);
    else if (c->status == STATUS_OK)
        judge_read(j, at, c, o);
    for (uint32_t i = 0; i < o->answer_count; i++)
        let_go(j, &o->answers[i]);
    order_close(j, o);
    account_operation(j, o, c->operation, c->status == STATUS_OK);
    bool answered = is_read(type_of(j, c)) && c->status == STATUS_OK;
    told_completed(j, at, c, o, answered ? answer_of(o, c->version) : NULL);
    table_drop(&j->operations, o);
}

/* ---- stores ---- */

static void on_create(void *context, const struct agent *at, const struct call *c,
                      const struct version *v)
{
    struct consistency *j = context;
    struct judged_write *w = table_find(&j->writes, v->op_id);
    const struct judged_operation *o = table_find(&j->operations, v->op_id);
    struct judged_key *key = key_of(j, at, v->key);
    (void)c;
    if (w) { /* applied once more: the newer version counts from now on */
        w->order = v->order;
        w->agent = at->index;
        told_made(j, w);
        return;
    }
    w = table_make(&j->writes, v->op_id);
    w->key = v->key;
    w->of = key;
    w->base = v->base;
    w->order = v->order;
    w->at_ns = o ? o->at_ns : v->made_ns;
    w->invoke = o ? o->invoke : 0;
    w->ack = w->winner_ack = NEVER;
    w->client = random_mix((uint64_t)v->session << 1 | 1) ^ (c ? c->from : 0);
    w->agent = at->index;
    w->operation = v->operation;
    w->modifies = v->modifies;
    w->ended = !o; /* its caller has given up before */
    w->unknown = !o;
    count(j, w->agent, CONSISTENCY_UNKNOWN, w->operation, w->at_ns, w->unknown);
    if (key->last)
        key->last->after = w;
    else
        key->first = w;
    key->last = w;
    order_made(j, w);
    told_made(j, w);
}

static void on_supersede(void *context, const struct agent *at, const struct version *winner,
                         const struct version *loser)
{
    struct consistency *j = context;
    struct judged_write *lost = table_find(&j->writes, loser->op_id);
    const struct judged_write *kept = table_find(&j->writes, winner->op_id);
    (void)at;
    if (!lost || lost->superseded)
        return;
    lost->superseded = true;
    lost->winner_ack = kept ? kept->ack : NEVER;
    judge_overwritten(j, lost);
}

static void on_conflict(void *context, const struct agent *at, uint64_t key, uint32_t siblings)
{
    const struct consistency *j = context;
    struct record *record = record_of(j, at->index);
    (void)key;
    count(j, at->index, CONSISTENCY_CONFLICTS, 0, now_of(j), 1);
    if (record)
        record_duration(record, CONSISTENCY_SIBLINGS, 0, now_of(j), siblings * INT64_C(1000000000));
}

static void on_decide(void *context, const struct agent *at, const struct version *v)
{
    struct consistency *j = context;
    struct judged_key *key = key_of(j, at, v->key);
    struct judged_write *w = table_find(&j->writes, v->op_id);
    (void)at;
    if (w)
        w->decided = true;
    if (version_compare(v->order, key->decided) > 0)
        key->decided = v->order;
    judge_prune(j, key);
}

void judge_answer(struct consistency *j, struct judged_operation *o,
                  const struct judged_answer *answer)
{
    if (answer->write)
        answer->write->held++;
    else
        answer->key->initial_reads++;
    if (o->answer_count == SERVED_MOST) {
        let_go(j, &o->answers[0]);
        memmove(o->answers, o->answers + 1, (SERVED_MOST - 1) * sizeof *o->answers);
        o->answer_count--;
    }
    o->answers[o->answer_count++] = *answer;
}

static void on_serve(void *context, const struct agent *at, const struct call *c,
                     const struct version *const *versions, uint32_t number)
{
    struct consistency *j = context;
    struct judged_operation *o = table_find(&j->operations, c->op_id);
    if (!o)
        return;
    struct judged_key *key = key_of(j, at, c->key);
    struct judged_answer answer = {.key = key, .agent = at->index};
    for (uint32_t i = 0; i < number; i++) { /* of siblings the newest by the store's order */
        struct judged_write *w = table_find(&j->writes, versions[i]->op_id);
        answer.ack = !w ? NEVER : w->ack > answer.ack ? w->ack : answer.ack;
        if (i && version_compare(versions[i]->order, answer.order) <= 0)
            continue;
        answer.version = versions[i]->op_id;
        answer.order = versions[i]->order;
        answer.invoke = w ? w->invoke : 0;
        answer.write = w;
    }
    answer.staleness_ns = marks_staleness_ns(key, answer.order, o);
    answer.latest_invoke = marks_latest_invoke(key, o->invoke);
    answer.age_ns = marks_age_ns(key, o);
    judge_answer(j, o, &answer);
}

/* ---- a run ---- */

static bool is_store(const struct kind *kind)
{
    for (int t = 0; t < KIND_TABLES && kind->tables[t]; t++)
        if (kind->tables[t] == &consistency_metrics)
            return true;
    return false;
}

/* Whether the sessions of a client come again: they are numbered, or are those of its users. */
static bool sessions_last(const struct blueprint_node *n)
{
    static const char *const keys[] = {"sessions", "users"};
    for (int k = 0; k < 2; k++) {
        struct field_found found = field_find(n->kind->fields, keys[k]);
        if (found.field && field_used(&found, n->instances[0].configs[0]))
            return true;
    }
    return false;
}

struct consistency *consistency_open(const struct blueprint *b)
{
    bool any = false;
    for (uint32_t i = 0; i < b->node_count; i++)
        any = any || is_store(b->nodes[i].kind);
    if (!any)
        return NULL;
    struct consistency *j = calloc(1, sizeof *j);
    if (!j)
        check_machine("out of memory");
    j->probe = (struct probe){
        .context = j,
        .invoke = on_invoke,
        .ask = on_ask,
        .complete = on_complete,
        .keeps = replicas_keeps,
        .create = on_create,
        .apply = replicas_apply,
        .supersede = on_supersede,
        .conflict = on_conflict,
        .retract = replicas_retract,
        .decide = on_decide,
        .serve = on_serve,
        .copy_take = copies_take,
        .copy_drop = copies_drop,
        .copy_serve = copies_serve,
        .role = leaders_role,
        .suspect = leaders_suspect,
        .acknowledge = leaders_acknowledge,
        .place_lost = leaders_place_lost,
    };
    table_init(&j->operations, sizeof(struct judged_operation));
    table_init(&j->writes, sizeof(struct judged_write));
    table_init(&j->keys, sizeof(struct judged_key));
    table_init(&j->sessions, sizeof(struct judged_session));
    j->stores = calloc(b->node_count, sizeof *j->stores);
    j->has_sessions = calloc(b->agent_count, sizeof *j->has_sessions);
    if (!j->stores || !j->has_sessions)
        check_machine("out of memory");
    for (uint32_t i = 0; i < b->node_count; i++) {
        const struct blueprint_node *n = &b->nodes[i];
        j->stores[i].lost_ns = j->stores[i].heal_ns = j->stores[i].strike_ns =
            j->stores[i].dual_since_ns = NEVER_NS;
        if (is_store(n->kind)) {
            j->stores[i].first = n->first;
            j->stores[i].count = n->count;
        }
        for (uint32_t k = 0; k < n->count && n->kind->flags & KIND_CLIENT; k++)
            j->has_sessions[n->first + k] = sessions_last(n);
    }
    j->node_count = b->node_count;
    j->told = told_open(b);
    return j;
}

const struct probe *consistency_probe(const struct consistency *j)
{
    return &j->probe;
}

void consistency_begin(struct consistency *j, struct simulation *s)
{
    j->simulation = s;
    replicas_begin(j);
}

static void end_operation(void *context, void *entry)
{
    struct judged_operation *o = entry;
    o->watched = 0; /* the watch is over */
    account_operation(context, o, o->operation, false);
}

static void end_write(void *context, void *entry)
{
    const struct consistency *j = context;
    const struct judged_write *w = entry;
    const struct judged_store *store = store_of(j, &j->simulation->agents[w->agent]);
    uint64_t up = up_members(j, store);
    account_write(j, w, !(w->holders & up) && !w->superseded && !w->decided);
}

void consistency_end(struct consistency *j)
{
    table_each(&j->operations, j, end_operation);
    leaders_end(j);
    replicas_end(j);
    order_end(j);
    told_end(j);
    table_each(&j->writes, j, end_write);
}

static void free_write(void *context, void *entry)
{
    (void)context;
    order_forget(entry);
}

static void free_key(void *context, void *entry)
{
    struct judged_key *key = entry;
    (void)context;
    if (key->initial)
        zones_forget(&key->zones, key->initial);
    zones_free(&key->zones);
    free(key->marks);
    free(key->replicas);
}

void consistency_free(struct consistency *j)
{
    if (!j)
        return;
    table_each(&j->writes, NULL, free_write);
    table_each(&j->keys, NULL, free_key);
    table_free(&j->operations);
    table_free(&j->writes);
    table_free(&j->keys);
    table_free(&j->sessions);
    free(j->stores);
    free(j->heals);
    told_free(j->told);
    free(j->has_sessions);
    free(j);
}
