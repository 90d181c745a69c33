#include "models/parts/outbox.h"

#include "models/parts/caller.h"
#include "models/parts/flow.h"

#include <string.h>

enum { ROOM_FIRST = 16 };

struct outbox_entry {
    uint64_t op_id, key, path;
    const struct pool *to;
    uint32_t session, size, next;
    uint8_t operation, traits;
    bool used;
};

/* The frame of a store that has an outbox begins with a visit, and goes on with this. */
uint32_t *outbox_entry_of(struct call *c)
{
    return (uint32_t *)(void *)((char *)call_frame(c) + sizeof(struct station_visit));
}

static void send(struct outbox *o, struct call *c, uint32_t index)
{
    const struct outbox_entry *e = &o->entries[index];
    call_round(c, o->agent);
    struct call *m = call_to(c, o->agent, pool_route(e->to, o->agent, c), 0, e->size);
    m->verb = REASON_NONE;
    m->attempt = 0;
    call_await(c, o->agent, 1, OUTBOX_PATIENCE_NS);
}

static void relay(struct outbox *o, uint32_t index)
{
    const struct outbox_entry *e = &o->entries[index];
    struct call *c = call_begin(o->agent, ++o->sent);
    c->op_id = e->op_id;
    c->key = e->key;
    c->path = e->path;
    c->session = e->session;
    c->size = e->size;
    c->operation = e->operation;
    c->traits = e->traits;
    *outbox_entry_of(c) = index;
    send(o, c, index);
}

void outbox_start(struct outbox *o, struct agent *agent)
{
    if (!o->agent) {
        *o = (struct outbox){.agent = agent, .used = 1};
        o->wanted = blueprint_uses(agent->simulation->blueprint, "outbox");
    }
    for (uint32_t i = 1; i < o->used; i++)
        if (o->entries[i].used)
            relay(o, i);
}

static bool names(const struct pool *pool, uint32_t agent)
{
    for (uint32_t i = 0; i < pool->count; i++)
        if (pool->agents[i] == agent)
            return true;
    return false;
}

/* The step of the caller that sends by this outbox; NULL: none. */
static const struct flow_step *step_of(const struct outbox *o, const struct call *c)
{
    const struct agent *from = &o->agent->simulation->agents[c->from];
    struct field_found found = field_find(from->kind->fields, "steps");
    if (!found.field || found.field->type != FIELD_STEPS)
        return NULL;
    const unsigned char *config = from->configs[c->operation];
    const struct field_list *list = (const void *)(config + found.offset);
    for (uint32_t i = 0; i < list->count; i++) {
        const struct flow_step *step = (const struct flow_step *)list->items + i;
        if (step->verb == FLOW_SEND && names(&step->outbox, o->agent->index))
            return step;
    }
    return NULL;
}

void outbox_note(struct outbox *o, const struct call *c)
{
    const struct flow_step *step = o->wanted ? step_of(o, c) : NULL;
    if (!step)
        return;
    uint32_t index = o->free_head;
    if (index) {
        o->free_head = o->entries[index].next;
    } else {
        if (o->used >= o->room) {
            uint32_t room = o->room ? 2 * o->room : ROOM_FIRST;
            struct outbox_entry *more =
                arena_array(&o->agent->simulation->arena, room, struct outbox_entry);
            if (o->room)
                memcpy(more, o->entries, o->room * sizeof *more);
            o->entries = more;
            o->room = room;
        }
        index = o->used++;
    }
    o->entries[index] = (struct outbox_entry){
        .op_id = c->op_id,
        .key = c->key,
        .path = c->path,
        .to = &step->to,
        .session = c->session,
        .size = c->size,
        .operation = step->has_as ? (uint8_t)step->as : c->operation,
        .traits = (uint8_t)(c->traits & REQUEST_IDEMPOTENT),
        .used = true,
    };
    relay(o, index);
}

void outbox_wake(struct outbox *o, struct call *c, uint32_t index)
{
    if (c->wake == WAKE_JOINED) {
        o->entries[index] = (struct outbox_entry){.next = o->free_head};
        o->free_head = index;
        call_free(c, o->agent);
    } else if (c->wake == WAKE_TIMEOUT) {
        send(o, c, index);
    } else { /* refused: not at once again */
        call_round(c, o->agent);
        call_await(c, o->agent, 0, OUTBOX_PATIENCE_NS);
    }
}
