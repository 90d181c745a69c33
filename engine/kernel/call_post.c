/* Messages without a parent: nobody is told of their end. */
#include "engine/kernel/mechanism.h"

struct call *call_post(struct agent *from, uint32_t to, uint32_t size)
{
    struct simulation *s = from->simulation;
    struct agent *target = &s->agents[to];
    struct call *c = call_take(s);
    memset(&c->op_id, 0, sizeof *c - offsetof(struct call, op_id));
    c->op_id = random_mix(from->id_base ^ (UINT64_C(1) << 63) ^ ++from->id_count);
    c->from = from->index;
    c->agent = to;
    c->flags = CALL_POST;
    c->size = size;
    c->path = target->tier_bits;
    c->state = CALL_FLIGHT;
    call_travel(s, c, from->place, target->place, EVENT_ARRIVE, size);
    return c;
}

struct call *call_send(struct call *request, struct agent *from, uint32_t to, uint32_t size,
                       uint32_t salt)
{
    struct simulation *s = from->simulation;
    struct agent *target = &s->agents[to];
    struct call *c = call_take(s);
    memcpy(&c->op_id, &request->op_id, sizeof *c - offsetof(struct call, op_id));
    if ((request->path & target->tier_bits) == target->tier_bits) {
        uint64_t mixed = random_mix(((uint64_t)request->sub << 32 | salt) ^
                                    ((uint64_t)request->round << 32) ^ ~target->tier);
        c->sub = (uint32_t)(mixed >> 32) | 1;
    }
    request->path |= target->tier_bits;
    c->path = request->path;
    c->from = from->index;
    c->agent = to;
    c->flags = CALL_POST;
    c->size = size;
    c->state = CALL_FLIGHT;
    call_travel(s, c, from->place, target->place, EVENT_ARRIVE, size);
    return c;
}
