/* What the consistency judge writes down where it is asked to: every operation on a store
 * (history.csv) and who led when (leaders.csv), as rows that lack point and replication. */
#include "output/consistency.h"
#include "output/consistency_tables.h"

#include "engine/kernel/check.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* One operation of history.csv. */
struct told_operation {
    struct entry_name name; /* op_id */
    uint64_t key, value, from;
    uint64_t invoke, complete; /* by number; complete 0: it has not */
    int64_t invoke_ns, complete_ns;
    struct version_order order;
    uint32_t process, session;
    uint32_t node;  /* agent that answered or accepted; UINT32_MAX: nobody knows */
    uint32_t store; /* node; UINT32_MAX: nobody knows */
    uint8_t status;
    bool reads, versioned, based;
};

/* One line of leaders.csv. */
struct told_leader {
    int64_t begin_ns, end_ns;
    uint64_t term;
    uint32_t agent;
};

struct told {
    struct table operations;
    struct told_leader *leaders;
    uint32_t leader_count, leader_room;
    struct told_leader *present; /* by agent: who leads now; end_ns 0: it does not */
    char *history, *led;         /* the rows; owned */
    bool wants_history, wants_leaders;
};

static void *grown(void *items, size_t count, size_t size)
{
    items = realloc(items, count * size);
    if (!items)
        check_machine("out of memory");
    return items;
}

struct told *told_open(const struct blueprint *b)
{
    if (!b->history && !b->leaders)
        return NULL;
    struct told *t = calloc(1, sizeof *t);
    if (t)
        t->present = calloc(b->agent_count, sizeof *t->present);
    if (!t || !t->present)
        check_machine("out of memory");
    table_init(&t->operations, sizeof(struct told_operation));
    t->wants_history = b->history;
    t->wants_leaders = b->leaders;
    return t;
}

void told_free(struct told *t)
{
    if (!t)
        return;
    table_free(&t->operations);
    free(t->leaders);
    free(t->present);
    free(t->history);
    free(t->led);
    free(t);
}

/* ---- leaders ---- */

void told_leads(struct consistency *j, const struct agent *at, uint64_t term, bool on)
{
    struct told *t = j->told;
    if (!t || !t->wants_leaders)
        return;
    struct told_leader *now = &t->present[at->index];
    if (now->end_ns) {
        if (t->leader_count == t->leader_room) {
            t->leader_room = t->leader_room ? 2 * t->leader_room : 16;
            t->leaders = grown(t->leaders, t->leader_room, sizeof *t->leaders);
        }
        now->end_ns = now_of(j);
        t->leaders[t->leader_count++] = *now;
        now->end_ns = 0;
    }
    if (on)
        *now = (struct told_leader){now_of(j), INT64_MAX, term, at->index};
}

/* ---- operations ---- */

void told_completed(struct consistency *j, const struct agent *at, const struct call *c,
                    const struct judged_operation *o, const struct judged_answer *a)
{
    struct told *t = j->told;
    enum operation_type type = j->simulation->blueprint->operations[c->operation].type;
    if (!t || !t->wants_history || type > OPERATION_SCAN)
        return;
    bool reads = type == OPERATION_READ || type == OPERATION_SCAN;
    const struct judged_write *w = reads ? a ? a->write : NULL : table_find(&j->writes, c->op_id);
    struct told_operation *row = table_make(&t->operations, c->op_id);
    struct entry_name name = row->name;
    *row = (struct told_operation){.name = name,
                                   .key = c->key,
                                   .value = reads ? c->version : c->op_id,
                                   .invoke = o->invoke,
                                   .complete = ++j->sequence,
                                   .invoke_ns = o->invoke_ns,
                                   .complete_ns = now_of(j),
                                   .process = at->index,
                                   .session = c->session,
                                   .node = a   ? a->agent
                                           : w ? w->agent
                                               : UINT32_MAX,
                                   .status = (uint8_t)c->status,
                                   .reads = reads};
    row->store = row->node == UINT32_MAX ? row->node : j->simulation->agents[row->node].node;
    if (w)
        told_made(j, w);
    if (w && reads) {
        row->order = w->order;
        row->versioned = true;
    }
}

void told_made(struct consistency *j, const struct judged_write *w)
{
    struct told *t = j->told;
    struct told_operation *row =
        t && t->wants_history ? table_find(&t->operations, w->name.name) : NULL;
    if (!row || row->reads)
        return; /* it has not completed: told then */
    row->order = w->order;
    row->versioned = true;
    row->based = w->modifies;
    row->from = w->base;
    row->node = w->agent;
    row->store = j->simulation->agents[w->agent].node;
}

/* ---- the rows ---- */

struct rows {
    const struct consistency *j;
    char *text;
    size_t size, room;
    bool many; /* stores: keys are named with theirs */
};

static void add(struct rows *r, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void add(struct rows *r, const char *format, ...)
{
    va_list arguments;
    if (r->size + 512 > r->room) { /* no piece is longer: names have 64 characters at most */
        r->room = 2 * r->room + 4096;
        r->text = grown(r->text, r->room, 1);
    }
    va_start(arguments, format);
    int length = vsnprintf(r->text + r->size, r->room - r->size, format, arguments);
    va_end(arguments);
    CHECK(length >= 0 && r->size + (size_t)length < r->room);
    r->size += (size_t)length;
}

static void add_agent(struct rows *r, uint32_t index)
{
    const struct simulation *s = r->j->simulation;
    const struct agent *at = &s->agents[index];
    const struct blueprint_node *n = &s->blueprint->nodes[at->node];
    if (n->count == 1)
        add(r, "%s", n->name);
    else
        add(r, "%s.%" PRIu32, n->name, at->number);
}

static void add_value(struct rows *r, uint64_t value)
{
    if (value)
        add(r, "%" PRIu64, value);
    else
        add(r, "nil");
}

static void add_operation(struct rows *r, const struct told_operation *o)
{
    static const char *const statuses[] = {
        [STATUS_OK] = "ok", [STATUS_FAIL] = "fail", [STATUS_INFO] = "info"};
    const struct blueprint *b = r->j->simulation->blueprint;
    add_agent(r, o->process);
    add(r, ",%s,", o->reads ? "read" : o->based ? "cas" : "write");
    if (r->many && o->store != UINT32_MAX)
        add(r, "%s/", b->nodes[o->store].name);
    add(r, "%" PRIu64 ",", o->key);
    if (o->based) {
        add_value(r, o->from);
        add(r, ":");
    }
    add_value(r, o->value);
    add(r, ",%" PRId64 ",", o->invoke_ns);
    if (o->complete)
        add(r, "%" PRId64, o->complete_ns);
    add(r, ",%s,%" PRIu64 ",", statuses[o->status], o->name.name);
    add_agent(r, o->process);
    add(r, "/%" PRIu32 ",", o->session);
    if (o->node != UINT32_MAX)
        add_agent(r, o->node);
    add(r, ",%" PRIu64 ",", o->invoke);
    if (o->complete)
        add(r, "%" PRIu64, o->complete);
    add(r, ",");
    if (o->versioned)
        add(r, "%" PRIu64 ".%" PRIu64, o->order.high, o->order.low);
    add(r, "\n");
}

static int by_invoke(const void *a, const void *b)
{
    const struct told_operation *x = *(const struct told_operation *const *)a;
    const struct told_operation *y = *(const struct told_operation *const *)b;
    return x->invoke < y->invoke ? -1 : x->invoke > y->invoke;
}

struct gathering {
    const struct told_operation **rows;
    uint32_t count;
};

static void gather(void *context, void *entry)
{
    struct gathering *g = context;
    g->rows[g->count++] = entry;
}

/* Writes that have become versions and whose callers still wait when the run ends: reads may have
 * returned them, and without their rows these would look like reads of what nobody wrote. */
static void told_pending(struct consistency *j, struct told *t)
{
    for (const struct judged_operation *o = j->oldest; o; o = o->behind) {
        const struct judged_write *w = table_find(&j->writes, o->name.name);
        if (!w)
            continue;
        struct told_operation *row = table_make(&t->operations, o->name.name);
        struct entry_name name = row->name;
        *row = (struct told_operation){.name = name,
                                       .key = w->key,
                                       .value = o->name.name,
                                       .invoke = o->invoke,
                                       .invoke_ns = o->invoke_ns,
                                       .process = o->process,
                                       .session = o->session,
                                       .status = STATUS_INFO};
        told_made(j, w);
    }
}

static char *history_rows(const struct consistency *j, struct told *t)
{
    struct rows r = {.j = j};
    struct gathering g = {.rows = calloc(t->operations.count + 1u, sizeof *g.rows)};
    uint32_t one = UINT32_MAX;
    if (!g.rows)
        check_machine("out of memory");
    table_each(&t->operations, &g, gather);
    qsort(g.rows, g.count, sizeof *g.rows, by_invoke);
    for (uint32_t i = 0; i < g.count; i++) {
        uint32_t store = g.rows[i]->store;
        r.many = r.many || (store != UINT32_MAX && one != UINT32_MAX && store != one);
        one = store != UINT32_MAX ? store : one;
    }
    add(&r, "%s", "");
    for (uint32_t i = 0; i < g.count; i++)
        add_operation(&r, g.rows[i]);
    free(g.rows);
    return r.text;
}

static int by_begin(const void *a, const void *b)
{
    const struct told_leader *x = a, *y = b;
    if (x->begin_ns != y->begin_ns)
        return x->begin_ns < y->begin_ns ? -1 : 1;
    return x->agent < y->agent ? -1 : x->agent > y->agent;
}

static void add_seconds(struct rows *r, int64_t ns)
{
    int64_t us = (ns + 500) / 1000;
    add(r, "%" PRId64 ".%06" PRId64 ",", us / 1000000, us % 1000000);
}

static char *leader_rows(const struct consistency *j, const struct told *t)
{
    struct rows r = {.j = j};
    const struct blueprint *b = j->simulation->blueprint;
    add(&r, "%s", "");
    if (t->leader_count)
        qsort(t->leaders, t->leader_count, sizeof *t->leaders, by_begin);
    for (uint32_t i = 0; i < t->leader_count; i++) {
        const struct told_leader *l = &t->leaders[i];
        if (l->begin_ns >= b->duration)
            continue;
        add_seconds(&r, l->begin_ns);
        add_seconds(&r, l->end_ns < b->duration ? l->end_ns : b->duration);
        add(&r, "%s,", b->nodes[j->simulation->agents[l->agent].node].name);
        add_agent(&r, l->agent);
        add(&r, ",%" PRIu64 "\n", l->term);
    }
    return r.text;
}

void told_end(struct consistency *j)
{
    struct told *t = j->told;
    for (uint32_t i = 0; t && i < j->simulation->agent_count; i++)
        told_leads(j, &j->simulation->agents[i], 0, false);
    if (t && t->wants_history) {
        told_pending(j, t);
        t->history = history_rows(j, t);
    }
    if (t && t->wants_leaders)
        t->led = leader_rows(j, t);
}

void consistency_tell(const struct consistency *j, struct result_run *run)
{
    run->history = j->told ? j->told->history : NULL;
    run->leaders = j->told ? j->told->led : NULL;
}
