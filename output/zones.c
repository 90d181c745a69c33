#include "output/zones.h"

#include "engine/kernel/check.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

enum { ROOM_FIRST = 4 };

static void *claim(size_t count, size_t size)
{
    void *memory = calloc(count, size);
    if (!memory)
        check_machine("out of memory");
    return memory;
}

void zones_free(struct zones *z)
{
    free(z->blocks);
    free(z->tree);
    *z = (struct zones){0};
}

static uint64_t larger(uint64_t a, uint64_t b)
{
    return a > b ? a : b;
}

/* ---- the blocks, with a tree of maxima over their s ---- */

static void tree_put(struct zones *z, uint32_t at, uint64_t s)
{
    uint32_t i = z->room + at;
    z->tree[i] = s;
    for (i /= 2; i; i /= 2)
        z->tree[i] = larger(z->tree[2 * i], z->tree[2 * i + 1]);
}

/* The largest s in blocks [from, to). */
static uint64_t tree_largest(const struct zones *z, uint32_t from, uint32_t to)
{
    uint64_t most = 0;
    uint32_t a = z->room + from, b = z->room + to;
    for (; a < b; a /= 2, b /= 2) {
        if (a & 1)
            most = larger(most, z->tree[a++]);
        if (b & 1)
            most = larger(most, z->tree[--b]);
    }
    return most;
}

/* Room for one more: what is past goes first. */
static void make_room(struct zones *z)
{
    uint32_t kept = z->count - z->head, room = z->room ? z->room : ROOM_FIRST;
    if (z->room && 2 * kept >= room)
        room *= 2;
    struct zone_block *blocks = claim(room, sizeof *blocks);
    uint64_t *tree = claim(2 * (size_t)room, sizeof *tree);
    if (kept)
        memcpy(blocks, z->blocks + z->head, kept * sizeof *blocks);
    free(z->blocks);
    free(z->tree);
    z->blocks = blocks;
    z->tree = tree;
    z->base += z->head;
    z->head = 0;
    z->count = kept;
    z->room = room;
    for (uint32_t i = 0; i < kept; i++)
        tree[room + i] = blocks[i].s;
    for (uint32_t i = room - 1; i; i--)
        tree[i] = larger(tree[2 * i], tree[2 * i + 1]);
}

static uint32_t place_of(const struct zones *z, const struct zone *zone)
{
    return (uint32_t)(zone->block - 1 - z->base);
}

static void block_new(struct zones *z, struct zone *zone, uint64_t f)
{
    if (z->count == z->room)
        make_room(z);
    uint32_t at = z->count++;
    CHECK(at == z->head || z->blocks[at - 1].f <= f);
    z->blocks[at] = (struct zone_block){.f = f, .s = zone->s, .members = 1};
    zone->block = 1 + z->base + at;
    tree_put(z, at, zone->s);
}

/* Whether a block at `own` with this f and s and another one must come before one another. */
static bool conflicts(const struct zones *z, uint32_t own, uint64_t f, uint64_t s)
{
    uint32_t low = z->head, high = z->count; /* the first that has not completed before s */
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (z->blocks[middle].f < s)
            low = middle + 1;
        else
            high = middle;
    }
    uint64_t most = tree_largest(z, z->head, own < low ? own : low);
    if (own + 1 < low)
        most = larger(most, tree_largest(z, own + 1, low));
    return larger(most, z->past) > f;
}

/* ---- versions ---- */

struct zone *zone_new(struct zone *base, uint64_t now)
{
    struct zone *zone = claim(1, sizeof *zone);
    *zone = (struct zone){.f = ZONE_NEVER, .s = now, .parent = base, .gone_f = ZONE_NEVER};
    if (base)
        base->waits++;
    return zone;
}

struct zone *zones_initial(struct zones *z)
{
    struct zone *zone = zone_new(NULL, 0);
    CHECK(z->count == z->head && !z->past);
    zone->f = 0;
    block_new(z, zone, 0);
    return zone;
}

/* Takes a zone that is forgotten, and that nothing waits for, out of its chain and its block. */
static void drop(struct zones *z, struct zone *zone)
{
    struct zone *parent = zone->parent, *child = zone->child;
    if (zone->block) {
        z->blocks[place_of(z, zone)].members--;
        if (parent) {
            uint64_t f = zone->f < zone->gone_f ? zone->f : zone->gone_f;
            parent->gone_f = f < parent->gone_f ? f : parent->gone_f;
            parent->child = child;
        }
        if (child)
            child->parent = parent;
        parent = NULL;
    }
    free(zone);
    if (parent && !--parent->waits && parent->forgotten)
        drop(z, parent);
}

void zones_forget(struct zones *z, struct zone *zone)
{
    zone->forgotten = true;
    if (!zone->waits)
        drop(z, zone);
}

/* A version joins the block of what it was made on. False: that violates. */
static bool join(struct zones *z, struct zone *zone)
{
    struct zone *parent = zone->parent;
    uint32_t at = place_of(z, parent);
    struct zone_block *b = &z->blocks[at];
    uint64_t s = larger(b->s, zone->s);
    if (parent->child || parent->gone_f != ZONE_NEVER || conflicts(z, at, b->f, s))
        return false;
    parent->child = zone;
    zone->block = parent->block;
    b->s = s;
    b->members++;
    tree_put(z, at, s);
    return true;
}

/* Something certain has seen the version at `now`, for the first time: so it has what it was made
 * on. False: that violates, and it is left out. */
static bool become_certain(struct zones *z, struct zone *zone, uint64_t now)
{
    struct zone *parent = zone->parent;
    bool good = true;
    if (parent && !parent->block && !parent->out)
        good = become_certain(z, parent, now);
    if (parent && !parent->out && !join(z, zone)) {
        good = false;
        zone->out = true;
    }
    if (zone->out || (parent && parent->out))
        zone->parent = NULL;
    if (!zone->block && !zone->out)
        block_new(z, zone, now);
    if (parent && !--parent->waits && parent->forgotten)
        drop(z, parent);
    return good;
}

bool zones_completed(struct zones *z, struct zone *zone, uint64_t now)
{
    if (now < zone->f)
        zone->f = now;
    return zone->block || zone->out ? true : become_certain(z, zone, now);
}

/* Whether somebody later in its chain had completed before `begin`. */
static bool overtaken(const struct zone *zone, uint64_t begin)
{
    for (; zone; zone = zone->child)
        if (zone->gone_f < begin || (zone->child && zone->child->f < begin))
            return true;
    return false;
}

bool zones_read(struct zones *z, struct zone *zone, uint64_t begin, uint64_t now)
{
    bool good = zone->block || zone->out ? true : become_certain(z, zone, now);
    if (zone->out)
        return false;
    uint32_t own = place_of(z, zone);
    struct zone_block *b = &z->blocks[own];
    uint64_t s = larger(b->s, begin);
    if (overtaken(zone, begin) || (s > b->s && conflicts(z, own, b->f, s)))
        return false;
    if (now < zone->f)
        zone->f = now;
    zone->s = larger(zone->s, begin);
    if (s > b->s) {
        b->s = s;
        tree_put(z, own, s);
    }
    return good;
}

void zones_settle(struct zones *z, uint64_t oldest)
{
    while (z->head < z->count) {
        const struct zone_block *b = &z->blocks[z->head];
        if (b->members || b->f >= oldest)
            return;
        z->past = larger(z->past, b->s);
        z->head++;
    }
}
