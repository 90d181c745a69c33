/* Links: the way of a message between two places. Every ordered pair of places is a link of its
 * own, made when the first message goes over it, with its own bandwidth queue: a message leaves
 * when all bytes accepted before it have left, takes size / bandwidth to leave and then the
 * latency, which is drawn per message, so that messages may overtake one another. A message that
 * finds `queue` others waiting for the bandwidth is dropped. A message that is lost stays with the
 * core until `give_up`. A copy made by the link leaves with the message, takes a delay of its own
 * and no bandwidth. A share of `reorder` takes a second latency on top of its own, so that what is
 * sent after it comes before it.
 *
 * A link whose transport is a stream sends again what is lost: after a time-out of 200 ms (Linux's
 * least) and a mean round trip of its own latency, doubled each time up to 120 s (RFC 6298, 5.5),
 * until the loss coin lets it pass or `give_up` is over. It throws copies away and puts in order
 * what overtook: neither `duplicate` nor `reorder` concerns it. Every message is a stream of its
 * own: none waits for another one's retransmission. What a partition cuts or a full queue drops is
 * lost on a stream too. */
#include "engine/kernel/mechanism.h"

#include <stdlib.h>

/* No message leaves later, so that a latency can always be added. */
#define LINK_NEVER_NS (INT64_C(1) << 62)

enum { LINK_KEYS = 8 };

/* Retransmission: the least time-out, and the longest. */
#define LINK_RTO_MIN_NS 200e6
#define LINK_RTO_MAX_NS 120e9

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
    if (UNLIKELY(s->active_count))
        link_fault_join(s, link);
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

/* One property of a rule. */
static void link_take(struct link_config *config, uint32_t key, const struct link_config *from)
{
    switch (key) {
    case LINK_LATENCY:
        config->latency = from->latency;
        break;
    case LINK_BANDWIDTH:
        config->bandwidth = from->bandwidth;
        break;
    case LINK_LOSS:
        config->loss = from->loss;
        break;
    case LINK_DUPLICATE:
        config->duplicate = from->duplicate;
        break;
    case LINK_REORDER:
        config->reorder = from->reorder;
        break;
    case LINK_QUEUE:
        config->queue = from->queue;
        break;
    case LINK_TRANSPORT:
        config->stream = from->stream;
        break;
    default:
        config->give_up = from->give_up;
        break;
    }
}

static void link_configure(const struct blueprint *b, struct link *link, const struct agent *from,
                           const struct agent *to)
{
    struct link_config *config = &link->config;
    *config = (struct link_config){.give_up = LINK_GIVE_UP_NS, .queue = COUNT_UNLIMITED};
    link->tier = random_mix(from->tier ^ random_mix(to->tier));
    int rank[LINK_KEYS] = {-1, -1, -1, -1, -1, -1, -1, -1};
    for (uint32_t i = 0; i < b->link_count && !link->local; i++) {
        const struct link_rule *rule = &b->links[i];
        if (!end_matches(rule->from, rule->from_id, from) ||
            !end_matches(rule->to, rule->to_id, to))
            continue;
        int specificity = (int)rule->from + (int)rule->to;
        for (int k = 0; k < LINK_KEYS; k++) {
            if (!(rule->keys >> k & 1) || specificity <= rank[k])
                continue;
            rank[k] = specificity;
            link_take(config, 1u << k, &rule->config);
        }
    }
    link->constant = config->latency.kind == DISTRIBUTION_CONSTANT && config->bandwidth == 0 &&
                     config->loss == 0 && config->duplicate == 0 && config->reorder == 0;
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

/* The messages on the bandwidth: those whose last byte has not left. False: no more may wait. */
static bool link_queue_has_room(struct link *link, uint64_t queue, int64_t now_ns)
{
    uint32_t mask = link->departure_room - 1;
    while (link->departure_count && link->departures[link->departure_first & mask] <= now_ns) {
        link->departure_first++;
        link->departure_count--;
    }
    return link->departure_count <= queue;
}

static void link_queue_add(struct simulation *s, struct link *link, int64_t departs_ns)
{
    if (link->departure_count == link->departure_room) {
        uint32_t room = link->departure_room ? 2 * link->departure_room : 16;
        int64_t *wider = arena_array(&s->arena, room, int64_t);
        for (uint32_t i = 0; i < link->departure_count; i++)
            wider[i] = link->departures[(link->departure_first + i) & (link->departure_room - 1)];
        link->departures = wider;
        link->departure_first = 0;
        link->departure_room = room;
    }
    uint32_t at = (link->departure_first + link->departure_count++) & (link->departure_room - 1);
    link->departures[at] = departs_ns;
}

/* When the last byte of a message accepted now has left; at a time without end it stays there. -1:
 * there is no room for it. */
static int64_t link_departure(struct simulation *s, struct link *link,
                              const struct link_config *config, uint32_t size)
{
    int64_t now = s->queue.now;
    if (config->bandwidth <= 0)
        return now;
    bool bounded = config->queue != COUNT_UNLIMITED;
    if (bounded && !link_queue_has_room(link, config->queue, now))
        return -1;
    int64_t start = link->free_ns > now ? link->free_ns : now;
    double span = (double)size / config->bandwidth * 1e9 + 0.5;
    link->free_ns = span < (double)(LINK_NEVER_NS - start) ? start + (int64_t)span : LINK_NEVER_NS;
    if (bounded)
        link_queue_add(s, link, link->free_ns);
    return link->free_ns;
}

/* The time that sending again takes, after a first loss that `state` has decided; -1: longer than
 * `give_up`. */
static double link_retransmission(const struct link *link, uint64_t state)
{
    const struct link_config *config = link_config_now(link);
    double slow = link->trouble ? link->trouble->slow : 1, waited = 0;
    double timeout = LINK_RTO_MIN_NS + 2 * slow * distribution_mean(&config->latency);
    do {
        timeout = timeout < LINK_RTO_MAX_NS ? timeout : LINK_RTO_MAX_NS;
        waited += timeout;
        if (waited > (double)config->give_up)
            return -1;
        timeout *= 2;
    } while (random_unit(random_split(&state)) < config->loss);
    return waited;
}

static double link_trouble_delay(const struct link *link, const struct call *c, bool back,
                                 double delay)
{
    const struct link_trouble *trouble = link->trouble;
    delay *= trouble->slow;
    for (uint32_t i = 0; i < trouble->delay_count; i++) {
        const struct blueprint_fault *fault = trouble->delays[i];
        uint64_t draw = link_draw(link, c, back ? DRAW_DELAY_BACK : DRAW_DELAY);
        draw = random_mix(draw ^ random_hash(fault->name, strlen(fault->name)));
        delay += (double)distribution_ns(&fault->delay, draw);
    }
    return delay;
}

/* What a lost message waits until it is sent again for good; 0: it is not lost, -1: it is, and
 * nobody sends it again. */
static double link_loss(const struct link *link, const struct call *c, bool back)
{
    const struct link_config *config = link_config_now(link);
    if (config->loss <= 0)
        return 0;
    uint64_t coin = link_draw(link, c, back ? DRAW_LOSS_BACK : DRAW_LOSS);
    if (random_unit(coin) >= config->loss)
        return 0;
    return config->stream ? link_retransmission(link, coin) : -1;
}

static int64_t whole_ns(double ns)
{
    return ns < (double)LINK_NEVER_NS ? (int64_t)(ns + 0.5) : LINK_NEVER_NS;
}

/* What a message takes beside the bandwidth, `again` ns of it to be sent again. */
static int64_t link_delay(const struct link *link, const struct call *c, bool back, double again)
{
    const struct link_config *config = link_config_now(link);
    uint64_t draw = link_draw(link, c, back ? DRAW_LATENCY_BACK : DRAW_LATENCY);
    int64_t latency = distribution_ns(&config->latency, draw);
    if (UNLIKELY(config->reorder > 0) && !config->stream) {
        uint64_t coin = link_draw(link, c, back ? DRAW_REORDER_BACK : DRAW_REORDER);
        if (random_unit(coin) < config->reorder)
            latency += distribution_ns(&config->latency, random_mix(coin));
    }
    if (UNLIKELY(link->trouble != NULL))
        return whole_ns(link_trouble_delay(link, c, back, (double)latency) + again);
    return UNLIKELY(again > 0) ? whole_ns((double)latency + again) : latency;
}

int64_t link_cancel_delay(const struct link *link, uint64_t draw)
{
    if (link->local)
        return 0;
    const struct link_config *config = link_config_now(link);
    uint64_t coin = random_mix(draw);
    if (link->cuts || (config->loss > 0 && !config->stream && random_unit(coin) < config->loss))
        return -1;
    int64_t latency = distribution_ns(&config->latency, draw);
    return link->trouble ? whole_ns((double)latency * link->trouble->slow) : latency;
}

/* When a message that leaves at `departs_ns` and takes `delay_ns` arrives. */
static int64_t link_arrival(const struct link *link, int64_t departs_ns, int64_t delay_ns)
{
    int64_t at = departs_ns + delay_ns;
    if (UNLIKELY(link->trouble) && at < link->trouble->held_until_ns)
        return link->trouble->held_until_ns;
    return at;
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
    int64_t delay = link_delay(link, copy, event_type == EVENT_BACK, 0);
    copy->event = event_push(&s->queue, link_arrival(link, departs_ns, delay), event_type,
                             call_index(s, copy), 0);
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
    bool back = event_type == EVENT_BACK;
    if (UNLIKELY(link->cuts)) {
        call_lose(s, c, link->config.give_up);
        return;
    }
    const struct link_config *config = link_config_now(link);
    int64_t departs = link_departure(s, link, config, size);
    double again = departs < 0 ? -1 : link_loss(link, c, back);
    if (again < 0 || UNLIKELY(link->trouble && link->trouble->held_until_ns == INT64_MAX)) {
        call_lose(s, c, config->give_up);
        return;
    }
    if (UNLIKELY(config->duplicate > 0) && !config->stream && !call_tail(c)->twin) {
        uint64_t coin = link_draw(link, c, DRAW_DUPLICATE);
        if (random_unit(coin) < config->duplicate)
            link_duplicate(s, link, c, event_type, departs);
    }
    int64_t delay = link_delay(link, c, back, again);
    c->event =
        event_push(&s->queue, link_arrival(link, departs, delay), event_type, call_index(s, c), 0);
}

/* ---- partitions ---- */

void link_sweep(struct simulation *s)
{
    for (uint32_t i = 1; i < s->pool_used; i++) {
        struct call *c = call_at(s, i);
        if (c->state != CALL_FLIGHT && c->state != CALL_BACK)
            continue;
        bool flight = c->state == CALL_FLIGHT;
        struct place *at = s->agents[flight ? c->from : c->agent].place;
        struct place *goes = s->agents[flight ? c->agent : c->from].place;
        if (goes->paused && !event_pending(&s->queue, c->event))
            continue; /* it stands before a closed door already */
        const struct link *link = link_between(s, at, goes);
        if (link->cuts)
            call_lose(s, c, link->config.give_up);
    }
}

void link_cut_add(struct link *link)
{
    link->plain = false;
    link->cuts++;
    link->free_ns = 0; /* what waited for its turn is dropped with the rest */
    link->departure_count = 0;
}

void link_cut_remove(struct link *link)
{
    CHECK(link->cuts > 0);
    link->cuts--;
    link->plain = !link->cuts && !link->trouble && link->constant;
}

void link_cut(struct simulation *s, uint32_t from_place, uint32_t to_place)
{
    s->plain_links = false;
    link_cut_add(link_between(s, &s->places[from_place], &s->places[to_place]));
    link_sweep(s);
}

void link_heal(struct simulation *s, uint32_t from_place, uint32_t to_place)
{
    link_cut_remove(link_between(s, &s->places[from_place], &s->places[to_place]));
}

double link_round_trip_ns(const struct agent *from, const struct agent *to)
{
    struct simulation *s = from->simulation;
    if (s->plain_links)
        return 0;
    return distribution_mean(&link_between(s, from->place, to->place)->config.latency) +
           distribution_mean(&link_between(s, to->place, from->place)->config.latency);
}

bool link_is_open(const struct agent *from, const struct agent *to)
{
    struct simulation *s = from->simulation;
    return from->place == to->place || !link_between(s, from->place, to->place)->cuts;
}
