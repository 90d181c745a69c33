#include "engine/kernel/watch.h"

#include "engine/kernel/recovery.h"
#include "engine/kernel/simulation.h"

#include <stdlib.h>
#include <string.h>

const struct metric_table watch_metrics = {
    .metrics =
        (const struct metric[]){
            [WATCH_UNAVAILABLE] = {"unavailable_time", "ms", METRIC_SPAN, 0, 0,
                                   "Time from the intended start of an operation that was not ok "
                                   "to the next ok answer the client got, each instant once; of "
                                   "several instances the sum. Kept where there are faults or an "
                                   "expectation names it."},
            [WATCH_USED] = {".used_time", "ms", METRIC_SPAN, 0, 0,
                            "Tenths of a second in which an operation was to start."},
            [WATCH_OK] = {".ok_time", "ms", METRIC_SPAN, 0, 0,
                          "Those in which one was to start that was ok."},
            [WATCH_AVAILABLE] = {"available_time", "1", METRIC_SHARE, WATCH_OK, WATCH_USED,
                                 "Of the tenths of a second in which an operation was to start, "
                                 "the share in which one of them was ok. Kept where there are "
                                 "faults or an expectation names it."},
        },
    .count = WATCH_METRICS,
};

#define AFTERMATH                                                                                  \
    " A fault's window reaches from the begin of each of its strikes to the begin of the next "    \
    "strike of any fault after its own end, or to the end of the measurement."

const struct metric_table fault_metrics = {
    .metrics =
        (const struct metric[]){
            [FAULT_OPERATIONS] = {".operations", "1", METRIC_TOTAL, 0, 0,
                                  "Operations of all clients by intended start."},
            [FAULT_FAILED] = {".failed", "1", METRIC_TOTAL, 0, 0, "Those that were not ok."},
            [FAULT_ERRORS] = {"errors", "1", METRIC_RATIO, FAULT_FAILED, FAULT_OPERATIONS,
                              "Share of the operations of all clients that were not ok, by "
                              "intended start." AFTERMATH},
            [FAULT_UNAVAILABLE] = {"unavailable_time", "ms", METRIC_SPAN, 0, 0,
                                   "Time in the fault's window in which some client was "
                                   "unavailable: see `unavailable_time` of a client."},
            [FAULT_RECOVERY] =
                {"recovery_time", "ms", METRIC_EVENT, 0, 0,
                 "From the begin of a strike until throughput and p99 latency of all clients "
                 "together are within a tenth of what they were before it, or better. Before it: "
                 "since the begin of the measurement or the end of the last strike, at least 100 "
                 "ok answers, else the strike does not count. Counted in bins from the begin of "
                 "the strike on, each the least of 100, 200, 500 ms, 1 s, 2 s .. in which 200 ok "
                 "answers came before: the begin of the first two bins in a row with at least 90 % "
                 "of the answers per second, at most 1 % of which took longer than 1.1 times the "
                 "p99 before. The longest of a fault's strikes; never, where one of them was not "
                 "recovered from within its window. `runs_with` is the share of replications that "
                 "recovered, `p50` the median of all, those that never did being infinite."},
        },
    .count = FAULT_METRICS,
};

/* The time between two ok answers of a client. */
struct gap {
    int64_t begin_ns, end_ns; /* end: WATCH_OPEN while it lasts */
    int64_t failed_ns;        /* least intended start of an operation that was not ok */
    uint32_t held;            /* operations that began in it and have not ended */
    uint32_t next_free;
};
#define WATCH_OPEN INT64_MAX

/* One client. Gap 0 is none. */
struct seen {
    struct record *record; /* NULL: it is no client, or tells nothing */
    struct gap *gaps;      /* owned */
    uint32_t gap_count, gap_room, gap_free;
    bool is_client;   /* else a store: no fault counts what its callers count already */
    uint32_t gap_now; /* the one that lasts; 0: nothing has begun since the last ok answer */
    int64_t last_ok_ns;
    unsigned char *bins; /* two bits each: used, ok; owned by the arena */
};
enum { BIN_USED = 1, BIN_OK = 2, BINS_A_BYTE = 4 };

struct watch {
    struct simulation *simulation;
    struct seen *seen; /* by agent */
    uint64_t bin_count;
    struct recovery *recovery;
    struct record **faults;   /* [fault] */
    struct window_set *reach; /* [fault]: where its operations are counted */
    struct window *spans;     /* of all clients, within W; owned */
    uint32_t span_count, span_room;
};

/* ---- making ---- */

static struct record *record_of(const struct agent *agent)
{
    for (int t = 0; t < KIND_TABLES && agent->kind->tables[t]; t++)
        if (agent->kind->tables[t] == &watch_metrics)
            return agent->records[t];
    return NULL;
}

static struct window_set reach_of(struct simulation *s, uint32_t fault)
{
    struct window *parts = arena_array(&s->arena, s->strike_count, struct window);
    uint32_t count = 0;
    for (uint32_t i = 0; i < s->strike_count; i++)
        if (s->strikes[i].fault == fault)
            parts[count++] = (struct window){
                s->strikes[i].begin, recovery_until(s->strikes, s->strike_count, i, s->window)};
    return window_set_union(&s->arena, parts, count, s->window);
}

struct watch *watch_create(struct simulation *s)
{
    const struct blueprint *b = s->blueprint;
    struct watch *w = arena_new(&s->arena, struct watch);
    w->simulation = s;
    w->seen = arena_array(&s->arena, s->agent_count, struct seen);
    w->bin_count = (uint64_t)((b->duration + WATCH_BIN_NS - 1) / WATCH_BIN_NS);
    for (uint32_t i = 0; i < s->agent_count; i++) {
        struct seen *seen = &w->seen[i];
        seen->record = record_of(&s->agents[i]);
        seen->is_client = s->agents[i].kind->flags & KIND_CLIENT;
        if (seen->record)
            seen->bins = arena_array(&s->arena, w->bin_count / BINS_A_BYTE + 1, unsigned char);
    }
    w->recovery = recovery_begin(&s->arena, s->strikes, s->strike_count, s->window);
    w->faults = arena_array(&s->arena, b->fault_count, struct record *);
    w->reach = arena_array(&s->arena, b->fault_count, struct window_set);
    for (uint32_t f = 0; f < b->fault_count; f++) {
        w->faults[f] = recorder_add_aside(s->recorder, b->faults[f].name, &fault_metrics);
        w->reach[f] = reach_of(s, f);
    }
    return w;
}

void watch_free(struct watch *w)
{
    if (!w)
        return;
    for (uint32_t i = 0; i < w->simulation->agent_count; i++)
        free(w->seen[i].gaps);
    recovery_free(w->recovery);
    free(w->spans);
}

/* ---- spans ---- */

static void *grown(void *items, uint32_t count, uint32_t *room, size_t size)
{
    if (count < *room)
        return items;
    *room = *room ? *room * 2 : 64;
    items = realloc(items, *room * size);
    if (!items)
        check_machine("out of memory for what clients feel of faults");
    return items;
}

/* Spans of several clients overlap: the list is melted down before it grows. */
static void spans_melt(struct watch *w)
{
    struct arena arena = {0};
    struct window_set set =
        window_set_union(&arena, w->spans, w->span_count, w->simulation->window);
    if (set.count)
        memcpy(w->spans, set.parts, set.count * sizeof *w->spans);
    w->span_count = set.count;
    arena_free(&arena);
}

static void span_add(struct watch *w, const struct seen *seen, struct window span)
{
    if (span.begin >= span.end)
        return;
    record_span(seen->record, WATCH_UNAVAILABLE, span);
    if (!w->simulation->blueprint->fault_count || !seen->is_client)
        return;
    if (w->span_count == w->span_room) {
        spans_melt(w);
        if (w->span_count >= w->span_room / 2)
            w->spans = grown(w->spans, w->span_room, &w->span_room, sizeof *w->spans);
    }
    w->spans[w->span_count++] = span;
}

/* ---- gaps ---- */

static uint32_t gap_new(struct seen *seen)
{
    uint32_t number = seen->gap_free;
    if (number) {
        seen->gap_free = seen->gaps[number].next_free;
    } else {
        if (!seen->gap_count)
            seen->gap_count = 1;
        seen->gaps = grown(seen->gaps, seen->gap_count, &seen->gap_room, sizeof *seen->gaps);
        number = seen->gap_count++;
    }
    seen->gaps[number] =
        (struct gap){.begin_ns = seen->last_ok_ns, .end_ns = WATCH_OPEN, .failed_ns = WATCH_OPEN};
    return number;
}

/* What is over and has nobody left is written down. */
static void gap_settle(struct watch *w, struct seen *seen, uint32_t number)
{
    struct gap *gap = &seen->gaps[number];
    if (gap->held || gap->end_ns == WATCH_OPEN)
        return;
    span_add(w, seen, (struct window){gap->failed_ns, gap->end_ns});
    gap->next_free = seen->gap_free;
    seen->gap_free = number;
}

static void bin_mark(const struct watch *w, struct seen *seen, int64_t intended_ns, unsigned bit)
{
    uint64_t bin = (uint64_t)(intended_ns / WATCH_BIN_NS);
    if (intended_ns >= 0 && bin < w->bin_count)
        seen->bins[bin / BINS_A_BYTE] |= (unsigned char)(bit << 2 * (bin % BINS_A_BYTE));
}

uint32_t watch_begin(struct watch *w, const struct agent *client, int64_t intended_ns)
{
    struct seen *seen = &w->seen[client->index];
    if (!seen->gap_now)
        seen->gap_now = gap_new(seen);
    seen->gaps[seen->gap_now].held++;
    bin_mark(w, seen, intended_ns, BIN_USED);
    return seen->gap_now;
}

static void account(struct watch *w, uint32_t operation, bool ok, int64_t intended_ns)
{
    for (uint32_t f = 0; f < w->simulation->blueprint->fault_count; f++) {
        if (!window_set_holds(&w->reach[f], intended_ns))
            continue;
        uint64_t *counts = w->faults[f]->counts + (size_t)operation * FAULT_METRICS;
        counts[FAULT_OPERATIONS]++;
        counts[FAULT_FAILED] += !ok;
    }
}

void watch_end(struct watch *w, const struct agent *client, uint32_t number, uint32_t operation,
               bool ok, int64_t intended_ns)
{
    struct seen *seen = &w->seen[client->index];
    struct gap *gap = &seen->gaps[number];
    int64_t now = simulation_now(w->simulation);
    if (seen->is_client)
        account(w, operation, ok, intended_ns);
    CHECK(gap->held);
    gap->held--;
    if (!ok) {
        int64_t from = intended_ns > gap->begin_ns ? intended_ns : gap->begin_ns;
        gap->failed_ns = from < gap->failed_ns ? from : gap->failed_ns;
        gap_settle(w, seen, number);
        return;
    }
    if (seen->is_client)
        recovery_answer(w->recovery, now, now - intended_ns);
    bin_mark(w, seen, intended_ns, BIN_OK);
    uint32_t over = seen->gap_now;
    seen->last_ok_ns = now;
    seen->gap_now = 0;
    if (over) {
        seen->gaps[over].end_ns = now;
        gap_settle(w, seen, over);
    }
    if (number != over)
        gap_settle(w, seen, number);
}

/* ---- the end ---- */

static void bins_finish(const struct watch *w, struct seen *seen)
{
    for (uint64_t bin = 0; bin < w->bin_count; bin++) {
        unsigned bits = (unsigned)seen->bins[bin / BINS_A_BYTE] >> 2 * (bin % BINS_A_BYTE);
        int64_t begin = (int64_t)bin * WATCH_BIN_NS;
        struct window span = {begin, begin + WATCH_BIN_NS};
        if (bits & BIN_USED)
            record_span(seen->record, WATCH_USED, span);
        if (bits & BIN_OK)
            record_span(seen->record, WATCH_OK, span);
    }
}

static void fault_finish(struct watch *w, uint32_t fault)
{
    uint64_t *counts = w->faults[fault]->counts;
    int64_t taken_ns;
    for (uint32_t i = 0; i < w->span_count; i++)
        counts[FAULT_UNAVAILABLE] += (uint64_t)window_set_overlap(&w->reach[fault], w->spans[i]);
    if (recovery_of(w->recovery, fault, &taken_ns))
        record_event(w->faults[fault], FAULT_RECOVERY, taken_ns);
}

void watch_finish(struct watch *w)
{
    const struct simulation *s = w->simulation;
    for (uint32_t i = 0; i < s->agent_count; i++) {
        struct seen *seen = &w->seen[i];
        if (!seen->record)
            continue;
        if (seen->gap_now) { /* nobody knows how long it would have gone on */
            seen->gaps[seen->gap_now].end_ns = s->diverged ? simulation_now(s) : s->window.end;
            gap_settle(w, seen, seen->gap_now);
        }
        bins_finish(w, seen);
    }
    recovery_end(w->recovery);
    if (w->span_count)
        spans_melt(w);
    for (uint32_t f = 0; f < s->blueprint->fault_count; f++)
        fault_finish(w, f);
}
