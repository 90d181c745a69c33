/* Links: the way of a message between two places. Every ordered pair of places is a link of its
 * own, made when the first message goes over it, with its own bandwidth queue: a message leaves
 * when all bytes accepted before it have left, takes size / bandwidth to leave and then the
 * latency, which is drawn per message, so that messages may overtake one another. A message that is
 * lost stays with the core until `give_up`. A copy made by the link leaves with the message, takes
 * a delay of its own and no bandwidth. */
#include "engine/kernel/mechanism.h"

#include <stdlib.h>

/* No message leaves later, so that a latency can always be added. */
#define LINK_NEVER_NS (INT64_C(1) << 62)

static void link_configure(const struct blueprint *b, struct link *link, const struct agent *from,
                           const struct agent *to);

/* ---- the table of a place's links: open addressing by the destination's index ---- */

static uint32_t link_home(const struct place *to, uint32_t room)
{
    return (to->index * UINT32_C(0x9e3779b1)) >> 7 & (room - 1);
}

static void link_insert(struct link **table, uint32_t room, struct link *link)
{
    uint32_t i = link_home(link->to, room);
    while (table[i])
        i = (i + 1) & (room - 1);
    table[i] = link;
}

static struct link *link_make(struct simulation *s, struct place *from, struct place *to)
{
    if (from->link_used * 2 >= from->link_room) {
        uint32_t room = from->link_room ? from->link_room * 2 : 8;
        struct link **table = calloc(room, sizeof(struct link *));
        if (!table)
            check_machine("out of memory");
        for (uint32_t i = 0; i < from->link_room; i++)
            if (from->links[i])
                link_insert(table, room, from->links[i]);
        free(from->links);
        from->links = table;
        from->link_room = room;
    }
    struct link *link = arena_new(&s->arena, struct link);
    link->from = from;
    link->to = to;
    link->local = from == to;
    link_configure(s->blueprint, link, &s->agents[from->first_agent], &s->agents[to->first_agent]);
    link_insert(from->links, from->link_room, link);
    from->link_used++;
    if (s->link_table)
        s->link_table[from->index * s->place_count + to->index] = link;
    return link;
}

struct link *link_find(struct simulation *s, struct place *from, struct place *to)
{
    if (LIKELY(from->link_room != 0)) {
        uint32_t mask = from->link_room - 1;
        for (uint32_t i = link_home(to, from->link_room); from->links[i]; i = (i + 1) & mask)
            if (from->links[i]->to == to)
                return from->links[i];
    }
    return link_make(s, from, to);
}

void links_free(struct place *place)
{
    free(place->links);
}

/* ---- what a link is like: every key from the most specific rule that sets it ---- */

static bool end_matches(enum link_end end, uint32_t id, const struct agent *agent)
{
    switch (end) {
    case LINK_ANY:
        return true;
    case LINK_ZONE:
        return agent->place->zone == (int32_t)id;
    case LINK_NODE:
        return agent->node == id;
    case LINK_INSTANCE:
        return agent->index == id;
    }
    return false;
}

static void link_configure(const struct blueprint *b, struct link *link, const struct agent *from,
                           const struct agent *to)
{
    struct link_config *config = &link->config;
    config->give_up = LINK_GIVE_UP_NS;
    link->tier = random_mix(from->tier ^ random_mix(to->tier));
    int rank[5] = {-1, -1, -1, -1, -1};
    for (uint32_t i = 0; i < b->link_count && !link->local; i++) {
        const struct link_rule *rule = &b->links[i];
        if (!end_matches(rule->from, rule->from_id, from) ||
            !end_matches(rule->to, rule->to_id, to))
            continue;
        int specificity = (int)rule->from + (int)rule->to;
        for (int k = 0; k < 5; k++) {
            if (!(rule->keys >> k & 1) || specificity <= rank[k])
                continue;
            rank[k] = specificity;
            switch (1u << k) {
            case LINK_LATENCY:
                config->latency = rule->config.latency;
                break;
            case LINK_BANDWIDTH:
                config->bandwidth = rule->config.bandwidth;
                break;
            case LINK_LOSS:
                config->loss = rule->config.loss;
                break;
            case LINK_DUPLICATE:
                config->duplicate = rule->config.duplicate;
                break;
            default:
                config->give_up = rule->config.give_up;
                break;
            }
        }
    }
    link->constant = config->latency.kind == DISTRIBUTION_CONSTANT && config->bandwidth == 0 &&
                     config->loss == 0 && config->duplicate == 0;
    link->plain = link->constant;
    link->constant_ns = link->constant ? distribution_ns(&config->latency, 0) : 0;
}

/* ---- sending ---- */

static uint64_t link_draw(const struct link *link, const struct call *c, enum purpose purpose)
{
    uint64_t x =
        random_mix(c->op_id ^ (link->tier + (uint64_t)purpose * UINT64_C(0x9e3779b97f4a7c15)));
    return c->sub ? random_mix(x ^ ((uint64_t)c->sub * UINT64_C(0xd1b54a32d192ed03))) : x;
}

/* When the last byte of a message accepted now has left; at a time without end it stays there. */
static int64_t link_departure(struct link *link, int64_t now_ns, uint32_t size)
{
    if (link->config.bandwidth <= 0)
        return now_ns;
    int64_t start = link->free_ns > now_ns ? link->free_ns : now_ns;
    double span = (double)size / link->config.bandwidth * 1e9 + 0.5;
    link->free_ns = span < (double)(LINK_NEVER_NS - start) ? start + (int64_t)span : LINK_NEVER_NS;
    return link->free_ns;
}

/* A second copy of a message whose last byte leaves at `departs_ns`: the first of the two to settle
 * is the one that counts. */
static void link_duplicate(struct simulation *s, struct link *link, struct call *c,
                           uint8_t event_type, int64_t departs_ns)
{
    struct call *copy = call_take(s);
    uint32_t generation = copy->generation;
    memcpy(copy, c, sizeof *c);
    copy->generation = generation;
    copy->flags |= CALL_DUPLICATE;
    copy->timer = 0;
    copy->sub = (uint32_t)random_mix((uint64_t)c->sub << 8 | 0xd0) | 1;
    call_tail(copy)->twin = call_index(s, c);
    call_tail(c)->twin = call_index(s, copy);
    int64_t delay = distribution_ns(
        &link->config.latency,
        link_draw(link, copy, event_type == EVENT_BACK ? DRAW_LATENCY_BACK : DRAW_LATENCY));
    copy->event = event_push(&s->queue, departs_ns + delay, event_type, call_index(s, copy), 0);
    s->totals.duplicated++;
}

/* Whoever sends a message may change its request line until it is handled: a copy that is under way
 * too takes the line over, but for its own draws. */
void link_share_line(struct simulation *s, struct call *c)
{
    struct call *twin = call_at(s, call_tail(c)->twin);
    if (c->state != CALL_FLIGHT || twin->state != CALL_FLIGHT)
        return;
    struct call *copy = c->flags & CALL_DUPLICATE ? c : twin;
    uint32_t sub = copy->sub;
    memcpy(&copy->op_id, copy == c ? &twin->op_id : &c->op_id,
           sizeof *c - offsetof(struct call, op_id));
    copy->sub = sub;
}

void link_send(struct simulation *s, struct link *link, struct call *c, uint8_t event_type,
               uint32_t size)
{
    int64_t now = s->queue.now;
    bool back = event_type == EVENT_BACK;
    if (UNLIKELY(link->cuts)) {
        call_lose(s, c, link->config.give_up);
        return;
    }
    const struct link_config *config = &link->config;
    int64_t departs = link_departure(link, now, size);
    if (config->loss > 0) {
        uint64_t coin = link_draw(link, c, back ? DRAW_LOSS_BACK : DRAW_LOSS);
        if (random_unit(coin) < config->loss) {
            call_lose(s, c, config->give_up);
            return;
        }
    }
    if (UNLIKELY(config->duplicate > 0) && !call_tail(c)->twin) {
        uint64_t coin = link_draw(link, c, DRAW_DUPLICATE);
        if (random_unit(coin) < config->duplicate)
            link_duplicate(s, link, c, event_type, departs);
    }
    uint64_t draw = link_draw(link, c, back ? DRAW_LATENCY_BACK : DRAW_LATENCY);
    int64_t delay = distribution_ns(&config->latency, draw);
    c->event = event_push(&s->queue, departs + delay, event_type, call_index(s, c), 0);
}

/* ---- partitions ---- */

void link_cut(struct simulation *s, uint32_t from_place, uint32_t to_place)
{
    struct place *from = &s->places[from_place], *to = &s->places[to_place];
    s->plain_links = false;
    struct link *link = link_between(s, from, to);
    link->plain = false;
    if (link->cuts++)
        return;
    link->free_ns = 0; /* what waited for its turn is dropped with the rest */
    for (uint32_t i = 1; i < s->pool_used; i++) {
        struct call *c = call_at(s, i);
        if (c->state != CALL_FLIGHT && c->state != CALL_BACK)
            continue;
        if (to->paused && !event_pending(&s->queue, c->event))
            continue; /* it stands before a closed door already */
        const struct agent *at = &s->agents[c->state == CALL_FLIGHT ? c->from : c->agent];
        const struct agent *goes = &s->agents[c->state == CALL_FLIGHT ? c->agent : c->from];
        if (at->place == from && goes->place == to)
            call_lose(s, c, link->config.give_up);
    }
}

void link_heal(struct simulation *s, uint32_t from_place, uint32_t to_place)
{
    struct link *link = link_between(s, &s->places[from_place], &s->places[to_place]);
    CHECK(link->cuts > 0);
    link->plain = --link->cuts == 0 && link->constant;
}
