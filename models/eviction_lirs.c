/* LIRS: Jiang and Zhang, SIGMETRICS 2002. The stack S holds keys by their last request, down to the
 * last one with a short distance between two requests (LIR); the queue Q holds the copies of all
 * others (HIR), a hundredth of the room. Of names without a copy S has as many as there is
 * room at most, as in libCacheSim. */
#include "models/cache_table.h"

#include <string.h>

enum { STACK, QUEUE, GHOSTS, RINGS };

/* A key in the stack, in the queue or in both; without a copy it is a ghost, in the order in which
 * these came about. Heads of the rings are the first nodes. */
struct node {
    uint64_t name;
    uint32_t slot; /* 0: no copy */
    uint32_t before[RINGS], behind[RINGS];
    bool in[RINGS];
    bool low; /* LIR */
};

struct lirs {
    struct node *nodes; /* [0 .. RINGS - 1] are heads: `behind` the newest, `before` the oldest */
    uint32_t used, room, free_head, ghosts;
    uint64_t low;
    struct registers index; /* node by name */
};

static struct lirs *lirs_of(struct cache_table *t, struct cache_list *list)
{
    struct lirs *l = list->state;
    if (l)
        return l;
    l = list->state = arena_new(t->arena, struct lirs);
    l->room = 64;
    l->used = RINGS;
    l->nodes = arena_array(t->arena, l->room, struct node);
    for (uint32_t r = 0; r < RINGS; r++)
        l->nodes[r].before[r] = l->nodes[r].behind[r] = r;
    registers_init(&l->index, t->arena);
    return l;
}

static void leave(struct lirs *l, uint32_t at, uint32_t ring)
{
    struct node *n = &l->nodes[at];
    if (!n->in[ring])
        return;
    l->nodes[n->before[ring]].behind[ring] = n->behind[ring];
    l->nodes[n->behind[ring]].before[ring] = n->before[ring];
    n->in[ring] = false;
}

/* As the newest. */
static void enter(struct lirs *l, uint32_t at, uint32_t ring)
{
    leave(l, at, ring);
    struct node *n = &l->nodes[at];
    n->before[ring] = ring;
    n->behind[ring] = l->nodes[ring].behind[ring];
    l->nodes[n->behind[ring]].before[ring] = at;
    l->nodes[ring].behind[ring] = at;
    n->in[ring] = true;
}

/* The oldest; the head itself: there is none. */
static uint32_t oldest(const struct lirs *l, uint32_t ring)
{
    return l->nodes[ring].before[ring];
}

static uint32_t node_new(struct cache_table *t, struct lirs *l, uint64_t name)
{
    uint32_t at = l->free_head;
    if (at) {
        l->free_head = l->nodes[at].slot;
    } else {
        if (l->used == l->room) {
            struct node *more = arena_array(t->arena, 2 * l->room, struct node);
            memcpy(more, l->nodes, l->used * sizeof *more);
            l->nodes = more;
            l->room *= 2;
        }
        at = l->used++;
    }
    l->nodes[at] = (struct node){.name = name};
    registers_set(&l->index, name, at);
    return at;
}

static void node_end(struct lirs *l, uint32_t at)
{
    for (uint32_t r = 0; r < RINGS; r++) {
        l->ghosts -= r == GHOSTS && l->nodes[at].in[r];
        leave(l, at, r);
    }
    registers_erase(&l->index, l->nodes[at].name);
    l->nodes[at].slot = l->free_head;
    l->free_head = at;
}

/* The bottom of the stack is a LIR key: what lies below the last of them goes. */
static void prune(struct lirs *l)
{
    for (uint32_t at = oldest(l, STACK); at != STACK && !l->nodes[at].low; at = oldest(l, STACK)) {
        leave(l, at, STACK);
        if (!l->nodes[at].slot)
            node_end(l, at);
    }
}

/* LIR keys may fill all of the room but a hundredth. */
static uint64_t low_most(const struct cache_table *t, const struct cache_list *list)
{
    uint64_t room = eviction_room(t, list), high = eviction_share(t, list, 0.01);
    return room > high ? room - high : 1;
}

/* The LIR key at the bottom of the stack becomes a HIR key. */
static void demote(struct lirs *l)
{
    uint32_t at = oldest(l, STACK);
    l->nodes[at].low = false;
    l->low--;
    leave(l, at, STACK);
    enter(l, at, QUEUE);
    prune(l);
}

static void promote(struct cache_table *t, struct cache_list *list, struct lirs *l, uint32_t at)
{
    l->nodes[at].low = true;
    l->low++;
    leave(l, at, QUEUE);
    enter(l, at, STACK);
    while (l->low > low_most(t, list))
        demote(l);
}

static void add(struct cache_table *t, struct cache_list *list, uint32_t slot)
{
    struct lirs *l = lirs_of(t, list);
    uint64_t name = t->copies[slot].name;
    uint32_t at = registers_get(&l->index, name);
    bool ghost = at != 0;
    if (ghost) {
        l->ghosts--;
        leave(l, at, GHOSTS);
    } else {
        at = node_new(t, l, name);
    }
    l->nodes[at].slot = slot;
    t->copies[slot].reads = at;
    if (ghost || l->low < low_most(t, list)) {
        promote(t, list, l, at);
        return;
    }
    enter(l, at, STACK);
    enter(l, at, QUEUE);
}

static void read(struct cache_table *t, struct cache_list *list, uint32_t slot)
{
    struct lirs *l = lirs_of(t, list);
    uint32_t at = t->copies[slot].reads;
    if (l->nodes[at].low) {
        enter(l, at, STACK);
        prune(l);
    } else if (l->nodes[at].in[STACK] || l->low < low_most(t, list)) {
        promote(t, list, l, at);
    } else {
        enter(l, at, STACK);
        enter(l, at, QUEUE);
    }
}

static uint32_t victim(struct cache_table *t, struct cache_list *list)
{
    struct lirs *l = lirs_of(t, list);
    uint32_t at = oldest(l, QUEUE);
    if (at == QUEUE) {
        demote(l);
        at = oldest(l, QUEUE);
    }
    uint32_t slot = l->nodes[at].slot;
    if (l->nodes[at].in[STACK]) { /* it stays there by name */
        leave(l, at, QUEUE);
        l->nodes[at].slot = 0;
        enter(l, at, GHOSTS);
        if (++l->ghosts > eviction_room(t, list))
            node_end(l, oldest(l, GHOSTS));
    }
    return slot;
}

static void gone(struct cache_table *t, struct cache_list *list, uint32_t slot)
{
    struct lirs *l = lirs_of(t, list);
    uint32_t at = t->copies[slot].reads;
    if (l->nodes[at].slot != slot || registers_get(&l->index, t->copies[slot].name) != at)
        return; /* a ghost by now, or forgotten */
    l->low -= l->nodes[at].low;
    node_end(l, at);
    prune(l);
}

const struct eviction eviction_lirs = {.add = add, .read = read, .victim = victim, .remove = gone};
