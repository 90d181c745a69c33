/* The queue before the slots: a list through the calls for fifo and lifo, an array for random, a
 * heap for the ranked disciplines. */
#include "models/parts/waiting.h"

#include <string.h>

int64_t waiting_priority(const struct station *st, const struct call *c)
{
    double priority = station_config(st, c)->priority + 0.0; /* -0 is 0 */
    int64_t bits;
    memcpy(&bits, &priority, sizeof bits);
    return bits < 0 ? bits ^ INT64_MAX : bits;
}

/* ---- the rest of the list ---- */

static void list_push(struct station *st, struct call *c)
{
    struct simulation *s = st->agent->simulation;
    uint32_t index = call_index(s, c);
    c->next = st->head;
    station_visit(c)->before = 0;
    if (st->head)
        station_visit(call_at(s, st->head))->before = index;
    else
        st->tail = index;
    st->head = index;
}

static void list_remove(struct station *st, struct call *c)
{
    struct simulation *s = st->agent->simulation;
    uint32_t before = station_visit(c)->before;
    if (before)
        call_at(s, before)->next = c->next;
    else
        st->head = c->next;
    if (c->next)
        station_visit(call_at(s, c->next))->before = before;
    else
        st->tail = before;
}

/* ---- by discipline ---- */

void waiting_add(struct station *st, struct call *c)
{
    const struct station_visit *v = station_visit(c);
    struct arena *arena = &st->agent->place->memory;
    switch ((enum station_discipline)st->config->discipline) {
    case STATION_LIFO:
        list_push(st, c);
        return;
    case STATION_RANDOM:
        ranking_append(&st->queue, arena, c);
        return;
    case STATION_PRIORITY:
    case STATION_PREEMPTIVE_PRIORITY:
        ranking_add(&st->queue, arena,
                    (struct ranked){-(ranking_key)waiting_priority(st, c), v->order, c});
        return;
    case STATION_SHORTEST_REMAINING:
        ranking_add(&st->queue, arena, (struct ranked){v->left_ns, v->order, c});
        return;
    case STATION_FIFO:
    case STATION_ADAPTIVE_LIFO:
    case STATION_PROCESSOR_SHARING:
        break;
    }
    waiting_append(st, c);
}

void waiting_remove(struct station *st, struct call *c)
{
    uint32_t place = station_visit(c)->place;
    switch ((enum station_discipline)st->config->discipline) {
    case STATION_RANDOM:
        ranking_swap_out(&st->queue, place);
        return;
    case STATION_PRIORITY:
    case STATION_PREEMPTIVE_PRIORITY:
    case STATION_SHORTEST_REMAINING:
        ranking_remove(&st->queue, place);
        return;
    case STATION_FIFO:
    case STATION_ADAPTIVE_LIFO:
    case STATION_LIFO:
    case STATION_PROCESSOR_SHARING:
        break;
    }
    list_remove(st, c);
}

struct call *waiting_take(struct station *st)
{
    struct call *c;
    if (st->config->discipline == STATION_ADAPTIVE_LIFO && st->waiting > st->config->lifo_above) {
        c = call_at(st->agent->simulation, st->tail);
        waiting_remove(st, c);
        return c;
    }
    if (st->head)
        return waiting_shift(st);
    if (st->config->discipline == STATION_RANDOM && st->queue.count > 1)
        c = st->queue.entries[stream_below(agent_stream(st->agent, STREAM_POLICY), st->queue.count)]
                .call;
    else
        c = ranking_first(&st->queue)->call;
    waiting_remove(st, c);
    return c;
}

struct ranked waiting_serving_rank(const struct station *st, struct call *c, int64_t time_ns)
{
    ranking_key key = st->config->discipline == STATION_SHORTEST_REMAINING
                          ? -((ranking_key)*st->now + time_ns)
                          : waiting_priority(st, c);
    return (struct ranked){key, ~station_visit(c)->order, c};
}
