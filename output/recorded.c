#include "output/recorded.h"

#include "engine/kernel/check.h"
#include "output/zones.h"

#include <stdlib.h>
#include <string.h>

/* One key while it is judged. */
struct judging {
    struct history *history;
    const struct history_operation *operations;
    uint32_t count, initial;
    uint32_t *writers; /* by text: 1 + who writes it; all zero between keys */
    struct zones zones;
    struct zone **of;   /* by operation: of writes that have begun, or NULL */
    struct zone *first; /* of the value at the begin */
    uint64_t *begun;    /* by operation: number of its begin; 0: not yet */
    bool *making;       /* its zone waits for that of what it was made on */
    struct recorded_key *found;
};

static void *claim(size_t count, size_t size)
{
    void *memory = calloc(count ? count : 1, size);
    if (!memory)
        check_machine("out of memory for a history");
    return memory;
}

static bool writes(const struct history_operation *o)
{
    return o->type != HISTORY_READ && o->status != HISTORY_FAIL;
}

/* ---- what zones can judge: every value is written once, and nothing else tells of it ---- */

static bool note_writers(struct judging *j, bool cas_mismatch)
{
    bool once = true;
    for (uint32_t i = 0; i < j->count; i++) {
        const struct history_operation *o = &j->operations[i];
        bool tells = o->type == HISTORY_CAS && o->status == HISTORY_FAIL && cas_mismatch;
        once = once && !tells && o->type != HISTORY_APPEND;
        if (!writes(o))
            continue;
        once = once && !j->writers[o->value] && o->value != j->initial;
        j->writers[o->value] = i + 1;
    }
    return once;
}

static void forget_writers(struct judging *j)
{
    for (uint32_t i = 0; i < j->count; i++)
        j->writers[j->operations[i].value] = 0;
}

/* ---- zones ---- */

struct instant {
    int64_t at;
    uint32_t operation;
    bool end;
};

static int by_time(const void *a, const void *b)
{
    const struct instant *x = a, *y = b;
    if (x->at != y->at)
        return x->at < y->at ? -1 : 1;
    if (x->end != y->end)
        return x->end - y->end; /* at one instant begins come first */
    return x->operation < y->operation ? -1 : x->operation > y->operation;
}

static void violate(struct judging *j, const struct history_operation *o)
{
    if (!j->found->anomalies++)
        j->found->line = o->line;
    j->found->verdict = LINEARIZABLE_NO;
}

/* The zone of a value that somebody has seen; NULL: nobody can have written it by now. */
static struct zone *zone_of(struct judging *j, uint32_t value)
{
    uint32_t writer = j->writers[value];
    if (value == j->initial)
        return j->first;
    if (!writer-- || !j->begun[writer] || j->making[writer])
        return NULL;
    const struct history_operation *o = &j->operations[writer];
    if (j->of[writer])
        return j->of[writer];
    struct zone *base = NULL;
    if (o->type == HISTORY_CAS) {
        j->making[writer] = true;
        base = zone_of(j, o->from);
        j->making[writer] = false;
        if (!base)
            return NULL;
    }
    j->of[writer] = zone_new(base, j->begun[writer]);
    return j->of[writer];
}

static void judge_end(struct judging *j, uint32_t operation, uint64_t now)
{
    const struct history_operation *o = &j->operations[operation];
    struct zone *zone = zone_of(j, o->value);
    if (!zone)
        violate(j, o);
    else if (o->type == HISTORY_READ ? !zones_read(&j->zones, zone, j->begun[operation], now)
                                     : !zones_completed(&j->zones, zone, now))
        violate(j, o);
}

static void judge_by_zones(struct judging *j)
{
    struct instant *instants = claim(2 * (size_t)j->count, sizeof *instants);
    uint32_t count = 0;
    for (uint32_t i = 0; i < j->count; i++) {
        const struct history_operation *o = &j->operations[i];
        if (o->status == HISTORY_FAIL || (o->type == HISTORY_READ && o->status != HISTORY_OK))
            continue;
        instants[count++] = (struct instant){o->invoke, i, false};
        if (o->status == HISTORY_OK)
            instants[count++] = (struct instant){o->complete, i, true};
    }
    qsort(instants, count, sizeof *instants, by_time);
    j->of = claim(j->count, sizeof(struct zone *));
    j->begun = claim(j->count, sizeof *j->begun);
    j->making = claim(j->count, sizeof *j->making);
    j->first = zones_initial(&j->zones);
    for (uint32_t i = 0; i < count; i++) {
        if (instants[i].end)
            judge_end(j, instants[i].operation, i + 1);
        else
            j->begun[instants[i].operation] = i + 1;
    }
    for (uint32_t i = 0; i < j->count; i++)
        if (j->of[i])
            zones_forget(&j->zones, j->of[i]);
    zones_forget(&j->zones, j->first);
    zones_free(&j->zones);
    free(j->of);
    free(j->begun);
    free(j->making);
    free(instants);
}

/* ---- sessions ---- */

static int by_session(const void *a, const void *b)
{
    const struct history_operation *x = *(const struct history_operation *const *)a;
    const struct history_operation *y = *(const struct history_operation *const *)b;
    if (x->session != y->session)
        return x->session < y->session ? -1 : 1;
    if (x->invoke != y->invoke)
        return x->invoke < y->invoke ? -1 : 1;
    return x->line < y->line ? -1 : x->line > y->line;
}

/* When a value was acknowledged and when its write was invoked; -1 for the one at the begin. */
static int64_t acknowledged(const struct judging *j, uint32_t value)
{
    uint32_t writer = j->writers[value];
    if (!writer)
        return value == j->initial ? -1 : HISTORY_NEVER;
    const struct history_operation *o = &j->operations[writer - 1];
    return o->status == HISTORY_OK ? o->complete : HISTORY_NEVER;
}

static int64_t invoked(const struct judging *j, uint32_t value)
{
    uint32_t writer = j->writers[value];
    return writer ? j->operations[writer - 1].invoke : -1;
}

/* Reads of one session against what it has written and read before: both as a client could prove
 * it, so that what it got had been acknowledged before the newer one was invoked. */
static void judge_sessions(struct judging *j)
{
    const struct history_operation **sorted = claim(j->count, sizeof *sorted);
    struct recorded_key *found = j->found;
    for (uint32_t i = 0; i < j->count; i++)
        sorted[i] = &j->operations[i];
    qsort(sorted, j->count, sizeof *sorted, by_session);
    int64_t wrote = -1, read = -1, wrote_end = HISTORY_NEVER, read_end = HISTORY_NEVER;
    for (uint32_t i = 0; i < j->count; i++) {
        const struct history_operation *o = sorted[i];
        if (!i || o->session != sorted[i - 1]->session) {
            wrote = read = -1;
            wrote_end = read_end = HISTORY_NEVER; /* none yet */
        }
        if (o->status != HISTORY_OK)
            continue;
        if (o->type != HISTORY_READ) {
            wrote = o->invoke > wrote ? o->invoke : wrote;
            wrote_end = o->complete;
            continue;
        }
        int64_t acked = acknowledged(j, o->value);
        if (wrote_end <= o->invoke) {
            found->own_reads++;
            found->own_violations += acked < wrote;
        }
        if (read_end <= o->invoke) {
            found->again_reads++;
            found->again_violations += acked < read;
        }
        int64_t begin = invoked(j, o->value);
        read = begin > read ? begin : read;
        read_end = o->complete;
    }
    found->sessions = true;
    free(sorted);
}

/* ---- the whole ---- */

/* Keys that need the search get an equal part of what is left of the budget, and small ones first
 * rounds: one that explodes leaves the others theirs. */
static void search_all(struct history *history, const struct recorded_options *options,
                       uint32_t initial, struct recorded_key *keys)
{
    uint64_t spent = 0, budget = 1024;
    for (bool open = true; open && spent < options->budget; budget *= 8) {
        open = false;
        for (uint32_t k = 0; k < history->key_count && spent < options->budget; k++) {
            if (!keys[k].searched || keys[k].verdict != LINEARIZABLE_UNKNOWN)
                continue;
            uint64_t left = options->budget - spent;
            struct wing_gong w = {.initial = initial,
                                  .cas_mismatch = options->cas_mismatch,
                                  .budget = budget < left ? budget : left};
            keys[k].verdict = wing_gong_judge(&w, history, k);
            keys[k].longest = w.longest;
            keys[k].line = keys[k].verdict == LINEARIZABLE_NO ? w.stuck : 0;
            spent += w.steps;
            open = open || keys[k].verdict == LINEARIZABLE_UNKNOWN;
        }
    }
}

void recorded_judge(struct history *history, const struct recorded_options *options,
                    struct recorded_key *keys)
{
    const char *value = options->initial ? options->initial : history->appends ? "" : "nil";
    uint32_t initial = history_text(history, value, strlen(value));
    uint32_t *writers = claim(history->text_count, sizeof *writers);
    for (uint32_t k = 0; k < history->key_count; k++) {
        struct judging j = {.history = history,
                            .operations = &history->operations[history->keys[k].first],
                            .count = history->keys[k].count,
                            .initial = initial,
                            .writers = writers,
                            .found = &keys[k]};
        bool once = note_writers(&j, options->cas_mismatch);
        keys[k] = (struct recorded_key){.verdict = once ? LINEARIZABLE_YES : LINEARIZABLE_UNKNOWN,
                                        .searched = !once};
        if (once) {
            judge_by_zones(&j);
            judge_sessions(&j);
        }
        forget_writers(&j);
    }
    free(writers);
    search_all(history, options, initial, keys);
}
