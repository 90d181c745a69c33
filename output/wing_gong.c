#include "output/wing_gong.h"

#include "engine/kernel/check.h"
#include "engine/kernel/random.h"

#include <stdlib.h>
#include <string.h>

/* The history as a list of begins and ends in order of time, doubly linked: what has been put in
 * the order is lifted out of it, and put back where the search goes back. */
struct step {
    int64_t at;
    uint32_t before, behind; /* indices; 0: the head */
    uint32_t operation;      /* index among those searched */
    uint32_t other;          /* a begin: its end, or 0; an end: its begin */
    bool end;
};

struct done {
    uint32_t step, state; /* what was put in the order; the state before it */
};

/* Tried already: a state and the set of operations that were done. */
struct memory {
    uint64_t *sets;   /* [used][words] */
    uint32_t *states; /* [used] */
    uint32_t *slots;  /* 1 + index; open addressing */
    size_t used, room, slot_count;
};

struct search {
    struct wing_gong *w;
    struct history *history;
    const struct history_operation **operations;
    struct step *steps; /* [0] is the head */
    struct done *done;
    uint64_t *set;
    struct memory memory;
    uint32_t count, step_count, words, done_count;
    uint32_t needed; /* operations that are certain and not in the order yet */
    uint32_t state;
    char *text; /* room to join texts */
    size_t text_room;
};

static void *claim(size_t count, size_t size)
{
    void *memory = calloc(count ? count : 1, size);
    if (!memory)
        check_machine("out of memory for a search");
    return memory;
}

static void *grown(void *items, size_t count, size_t size)
{
    items = realloc(items, count * size);
    if (!items)
        check_machine("out of memory for a search");
    return items;
}

/* ---- the memory ---- */

static uint64_t set_hash(const struct search *s, const uint64_t *set, uint32_t state)
{
    uint64_t h = state;
    for (uint32_t i = 0; i < s->words; i++)
        h = random_mix(h ^ set[i]);
    return random_mix(h);
}

static size_t memory_slot(const struct search *s, const uint64_t *set, uint32_t state)
{
    const struct memory *m = &s->memory;
    size_t at = (size_t)set_hash(s, set, state) & (m->slot_count - 1);
    for (; m->slots[at]; at = (at + 1) & (m->slot_count - 1)) {
        size_t i = m->slots[at] - 1u;
        if (m->states[i] == state && !memcmp(&m->sets[i * s->words], set, s->words * sizeof *set))
            break;
    }
    return at;
}

/* Whether this is new; remembers it. */
static bool memory_add(struct search *s)
{
    struct memory *m = &s->memory;
    if (2 * (m->used + 1) > m->slot_count) {
        m->slot_count = m->slot_count ? 2 * m->slot_count : 1024;
        m->room = m->slot_count / 2;
        free(m->slots);
        m->slots = claim(m->slot_count, sizeof *m->slots);
        m->sets = grown(m->sets, m->room * s->words, sizeof *m->sets);
        m->states = grown(m->states, m->room, sizeof *m->states);
        for (size_t i = 0; i < m->used; i++)
            m->slots[memory_slot(s, &m->sets[i * s->words], m->states[i])] = (uint32_t)i + 1;
    }
    size_t at = memory_slot(s, s->set, s->state);
    if (m->slots[at])
        return false;
    memcpy(&m->sets[m->used * s->words], s->set, s->words * sizeof *s->set);
    m->states[m->used++] = s->state;
    m->slots[at] = (uint32_t)m->used;
    return true;
}

/* ---- the list ---- */

static void unlink_step(struct search *s, uint32_t at)
{
    struct step *step = &s->steps[at];
    s->steps[step->before].behind = step->behind;
    s->steps[step->behind].before = step->before;
}

static void link_step(struct search *s, uint32_t at)
{
    struct step *step = &s->steps[at];
    s->steps[step->before].behind = at;
    s->steps[step->behind].before = at;
}

static void lift(struct search *s, uint32_t begin)
{
    uint32_t operation = s->steps[begin].operation;
    unlink_step(s, begin);
    if (s->steps[begin].other)
        unlink_step(s, s->steps[begin].other);
    s->set[operation / 64] |= UINT64_C(1) << operation % 64;
    s->needed -= s->steps[begin].other != 0;
}

static void put_back(struct search *s, uint32_t begin)
{
    uint32_t operation = s->steps[begin].operation;
    if (s->steps[begin].other)
        link_step(s, s->steps[begin].other);
    link_step(s, begin);
    s->set[operation / 64] &= ~(UINT64_C(1) << operation % 64);
    s->needed += s->steps[begin].other != 0;
}

/* ---- what an operation does ---- */

static uint32_t joined(struct search *s, uint32_t a, uint32_t b)
{
    const char *first = s->history->texts[a], *second = s->history->texts[b];
    size_t length = strlen(first), more = strlen(second);
    if (length + more + 1 > s->text_room) {
        s->text_room = 2 * (length + more + 1);
        s->text = grown(s->text, s->text_room, 1);
    }
    memcpy(s->text, first, length);
    memcpy(s->text + length, second, more);
    return history_text(s->history, s->text, length + more);
}

/* Whether it can happen in this state; which state follows. */
static bool apply(struct search *s, const struct history_operation *o, uint32_t *state)
{
    *state = s->state;
    switch (o->type) {
    case HISTORY_READ:
        return o->value == s->state;
    case HISTORY_WRITE:
        *state = o->value;
        return true;
    case HISTORY_CAS:
        if (o->status == HISTORY_FAIL)
            return o->from != s->state;
        *state = o->value;
        return o->from == s->state;
    case HISTORY_APPEND:
        *state = joined(s, s->state, o->value);
        return true;
    }
    return false;
}

/* ---- the search ---- */

static enum linearizable search(struct search *s)
{
    struct wing_gong *w = s->w;
    uint32_t at = s->steps[0].behind;
    while (s->needed) {
        const struct step *step = &s->steps[at];
        const struct history_operation *o = s->operations[step->operation];
        if (++w->steps > w->budget)
            return LINEARIZABLE_UNKNOWN;
        if (at && !step->end) {
            uint32_t state, before = s->state;
            if (apply(s, o, &state)) {
                lift(s, at);
                s->state = state;
                if (memory_add(s)) {
                    s->done[s->done_count++] = (struct done){at, before};
                    at = s->steps[0].behind;
                    continue;
                }
                s->state = before;
                put_back(s, at);
            }
            at = s->steps[at].behind;
            continue;
        }
        /* This one ends before anything else could happen: what came last was wrong. */
        if (s->done_count >= w->longest) {
            w->longest = s->done_count;
            w->stuck = o->line;
        }
        if (!s->done_count)
            return LINEARIZABLE_NO;
        struct done last = s->done[--s->done_count];
        s->state = last.state;
        put_back(s, last.step);
        at = s->steps[last.step].behind;
    }
    return LINEARIZABLE_YES;
}

static int by_time(const void *a, const void *b)
{
    const struct step *x = a, *y = b;
    if (x->at != y->at)
        return x->at < y->at ? -1 : 1;
    if (x->end != y->end)
        return x->end - y->end; /* at one instant begins come first */
    return x->operation < y->operation ? -1 : x->operation > y->operation;
}

static bool is_certain(const struct wing_gong *w, const struct history_operation *o)
{
    return o->status == HISTORY_OK ||
           (o->status == HISTORY_FAIL && o->type == HISTORY_CAS && w->cas_mismatch);
}

/* What may have happened and somebody could need: nobody ever sees the rest. */
static bool is_searched(const struct search *s, const struct history_operation *all, uint32_t count,
                        const struct history_operation *o)
{
    if (is_certain(s->w, o))
        return true;
    if (o->status == HISTORY_FAIL || o->type == HISTORY_READ)
        return false;
    if (s->w->cas_mismatch || s->history->appends)
        return true;
    for (uint32_t i = 0; i < count; i++) {
        bool reads = all[i].type == HISTORY_READ && all[i].status == HISTORY_OK;
        bool swaps = all[i].type == HISTORY_CAS && all[i].status != HISTORY_FAIL;
        if ((reads && all[i].value == o->value) || (swaps && all[i].from == o->value))
            return true;
    }
    return false;
}

static void open_search(struct search *s, uint32_t key)
{
    const struct history_key *k = &s->history->keys[key];
    const struct history_operation *all = &s->history->operations[k->first];
    s->operations = claim(k->count, sizeof *s->operations);
    s->steps = claim(2 * (size_t)k->count + 1, sizeof *s->steps);
    s->done = claim(k->count, sizeof *s->done);
    for (uint32_t i = 0; i < k->count; i++) {
        if (!is_searched(s, all, k->count, &all[i]))
            continue;
        s->steps[++s->step_count] = (struct step){.at = all[i].invoke, .operation = s->count};
        if (is_certain(s->w, &all[i])) {
            s->steps[++s->step_count] =
                (struct step){.at = all[i].complete, .operation = s->count, .end = true};
            s->needed++;
        }
        s->operations[s->count++] = &all[i];
    }
    if (s->step_count)
        qsort(s->steps + 1, s->step_count, sizeof *s->steps, by_time);
    uint32_t *begins = claim(s->count, sizeof *begins);
    for (uint32_t i = 0; i <= s->step_count; i++) {
        struct step *step = &s->steps[i];
        step->before = i ? i - 1 : s->step_count;
        step->behind = i < s->step_count ? i + 1 : 0;
        if (i && !step->end)
            begins[step->operation] = i;
        if (step->end) {
            step->other = begins[step->operation];
            s->steps[step->other].other = i;
        }
    }
    free(begins);
    s->words = s->count / 64 + 1;
    s->set = claim(s->words, sizeof *s->set);
    s->state = s->w->initial;
}

enum linearizable wing_gong_judge(struct wing_gong *w, struct history *history, uint32_t key)
{
    struct search s = {.w = w, .history = history};
    w->steps = 0;
    w->longest = w->stuck = 0;
    open_search(&s, key);
    enum linearizable verdict = search(&s);
    free(s.operations);
    free(s.steps);
    free(s.done);
    free(s.set);
    free(s.memory.sets);
    free(s.memory.states);
    free(s.memory.slots);
    free(s.text);
    return verdict;
}
