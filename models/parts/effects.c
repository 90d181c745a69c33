#include "models/parts/effects.h"

struct effect {
    uint64_t op_id;
    uint32_t operation;
    bool used;
};

/* Open addressing by op_id, at most half full. */
struct effects {
    struct effect *slots, *spare; /* of `room` each, a power of two */
    uint32_t room, count;
};

const struct metric_table effect_metrics = {
    .metrics =
        (const struct metric[]){
            [EFFECT_DUPLICATES] = {"duplicate_effects", "1", METRIC_TOTAL, 0, 0,
                                   "Writes done within the window that had been done before for "
                                   "the same operation, and carried no key.",
                                   "*retry *hedge"},
            [EFFECT_DEDUPLICATED] = {"deduplicated", "1", METRIC_TOTAL, 0, 0,
                                     "The same, known again by their key and not applied twice; "
                                     "the work of finding out is done.",
                                     "*idempotency_key"},
        },
    .count = EFFECT_METRICS,
};

static bool writes(enum operation_type type)
{
    return type != OPERATION_READ && type != OPERATION_SCAN && type != OPERATION_UNTYPED &&
           type != OPERATION_LOGIN && type != OPERATION_LOGOUT;
}

struct effects *effects_new(struct simulation *s)
{
    const struct blueprint *b = s->blueprint;
    bool any = false, twice = blueprint_uses(b, "retry") || blueprint_uses(b, "hedge");
    for (uint32_t i = 0; i < b->link_count; i++)
        twice = twice || b->links[i].config.duplicate > 0;
    for (uint32_t i = 0; i < b->operation_count; i++)
        any = any || writes(b->operations[i].type);
    return any && twice ? arena_new(&s->arena, struct effects) : NULL;
}

static struct effect *find(struct effect *slots, uint32_t room, uint64_t op_id, uint32_t operation)
{
    uint32_t at = (uint32_t)op_id & (room - 1);
    while (slots[at].used && (slots[at].op_id != op_id || slots[at].operation != operation))
        at = (at + 1) & (room - 1);
    return &slots[at];
}

static void add(struct effects *e, struct effect effect)
{
    struct effect *slot = find(e->slots, e->room, effect.op_id, effect.operation);
    e->count += !slot->used;
    *slot = effect;
}

/* Keeps only the entries whose op_id some call still carries. */
static void tidy(struct effects *e, const struct simulation *s)
{
    struct effect *old = e->slots;
    e->slots = e->spare;
    e->spare = old;
    e->count = 0;
    for (uint32_t i = 0; i < e->room; i++)
        e->slots[i] = (struct effect){0};
    for (uint32_t i = 1; i < s->pool_used; i++) {
        const struct call *c = call_at(s, i);
        if (c->state == CALL_FREE)
            continue;
        uint32_t at = (uint32_t)c->op_id & (e->room - 1);
        for (; old[at].used; at = (at + 1) & (e->room - 1))
            if (old[at].op_id == c->op_id)
                add(e, old[at]);
    }
}

static void grow(struct effects *e, struct simulation *s)
{
    struct effect *old = e->slots;
    uint32_t room = e->room;
    e->room = room ? 2 * room : 1024;
    e->slots = arena_array(&s->arena, e->room, struct effect);
    e->spare = arena_array(&s->arena, e->room, struct effect);
    e->count = 0;
    for (uint32_t i = 0; i < room; i++)
        if (old[i].used)
            add(e, old[i]);
}

void effects_apply(struct effects *e, struct record *record, const struct agent *agent,
                   const struct call *c)
{
    struct simulation *s = agent->simulation;
    if (!writes(s->blueprint->operations[c->operation].type))
        return;
    if (2 * e->count >= e->room) {
        if (e->room)
            tidy(e, s);
        if (4 * e->count >= e->room || e->room < s->pool_used)
            grow(e, s);
    }
    if (!find(e->slots, e->room, c->op_id, c->operation)->used) {
        add(e, (struct effect){c->op_id, c->operation, true});
        return;
    }
    record_count(record, c->traits & REQUEST_IDEMPOTENT ? EFFECT_DEDUPLICATED : EFFECT_DUPLICATES,
                 c->operation, simulation_now(s), 1);
}

uint32_t effects_count(const struct effects *e)
{
    return e->count;
}
