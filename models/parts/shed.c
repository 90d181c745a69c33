#include "models/parts/shed.h"

#include "models/parts/waiting.h"

#include <stddef.h>

#define PLACES(text)                                                                               \
    {                                                                                              \
        .name = "places", .type = FIELD_COUNT,                                                     \
        .offset = offsetof(struct station_config, shed_places), .otherwise = "100", .max = 1e9,    \
        .summary = text                                                                            \
    }
static const struct field queue_fields[] = {PLACES("How many may wait."), {0}};
static const struct field priority_fields[] = {PLACES("How many may wait."), {0}};
static const struct field codel_fields[] = {
    {.name = "target",
     .type = FIELD_TIME,
     .offset = offsetof(struct station_config, shed_target_ns),
     .otherwise = "5ms",
     .summary = "The longest wait while the queue stands."},
    {.name = "interval",
     .type = FIELD_TIME,
     .offset = offsetof(struct station_config, shed_interval_ns),
     .otherwise = "100ms",
     .summary = "A queue stands when it has not been empty for so long; else this is the longest "
                "wait."},
    {0},
};

const struct field_word shed_words[] = {
    [SHED_NONE] = {"none", "Only a full `queue` turns anyone away.", NULL},
    [SHED_QUEUE] = {"queue", "Newcomers are turned away while so many wait.",
                    &(const struct field_table){.fields = queue_fields}},
    [SHED_CODEL] = {"codel",
                    "By controlled delay: who has waited too long when its turn comes is turned "
                    "away instead of being worked on, so that a standing queue is worked off (B. "
                    "Maurer, Fail at Scale, ACM Queue 2015, after Nichols and Jacobson 2012).",
                    &(const struct field_table){.fields = codel_fields}},
    [SHED_PRIORITY] = {"priority",
                       "While so many wait, the lowest `priority` is turned away, the newcomer or "
                       "the last of those that wait, whatever the discipline.",
                       &(const struct field_table){.fields = priority_fields}},
    {0},
};

bool shed_watches(const struct station *st)
{
    return st->config->shed || blueprint_uses(st->agent->simulation->blueprint, "deadline");
}

static struct call *worse(const struct station *st, struct call *a, struct call *b)
{
    if (!a)
        return b;
    int64_t first = waiting_priority(st, a), second = waiting_priority(st, b);
    bool later = station_visit(b)->order > station_visit(a)->order;
    return second < first || (second == first && later) ? b : a;
}

/* The lowest priority of all that wait, the latest among equals. O(waiting). */
static struct call *worst_waiting(const struct station *st)
{
    const struct simulation *s = st->agent->simulation;
    struct call *worst = NULL;
    for (uint32_t i = st->head; i; i = call_at(s, i)->next)
        worst = worse(st, worst, call_at(s, i));
    for (uint32_t i = 0; i < st->queue.count; i++)
        worst = worse(st, worst, st->queue.entries[i].call);
    return worst;
}

bool shed_refuses(const struct station *st, const struct call *c, struct call **victim)
{
    *victim = NULL;
    uint8_t shed = st->config->shed;
    if ((shed != SHED_QUEUE && shed != SHED_PRIORITY) || st->waiting < st->config->shed_places)
        return false;
    struct call *worst = shed == SHED_PRIORITY ? worst_waiting(st) : NULL;
    if (!worst || waiting_priority(st, worst) >= waiting_priority(st, c))
        return true;
    *victim = worst;
    return false;
}

enum shed_cause shed_drops(const struct station *st, const struct call *c)
{
    if (shed_is_late(st, c))
        return SHED_LATE;
    if (st->config->shed != SHED_CODEL || station_visit_const(c)->served)
        return 0;
    bool stands = *st->now - st->standing_ns >= st->config->shed_interval_ns;
    int64_t longest_ns = stands ? st->config->shed_target_ns : st->config->shed_interval_ns;
    return station_visit_const(c)->waited_ns > longest_ns ? SHED_SHED : 0;
}

enum station_outcome shed_turns_away(struct station *st, struct call *c, enum shed_cause cause)
{
    bool late = cause == SHED_LATE;
    record_count(st->record, late ? STATION_EXPIRED_COUNT : STATION_SHED_COUNT, c->operation,
                 c->arrived_ns, 1);
    c->flags |= late ? CALL_ABANDONED : CALL_REJECTED;
    return STATION_LEFT;
}

void shed_drop(struct station *st, struct call *c, enum shed_cause cause)
{
    struct station_visit *v = station_visit(c);
    v->state = STATION_DROPPED;
    v->place = cause;
    call_timer_stop(c, st->agent);
    call_work(c, st->agent, 0);
}
