/* What becomes of versions that meet (models/replicated_conflict.h says what is promised).
 *
 * A pair of a set is an entry of the table of versions whose op_id is 0, which no write has: `base`
 * holds the handles of its first version and of the rest. Under a rule that keeps one version, a
 * value is never a set. */
#include "models/replicated_conflict.h"

#include <stddef.h>
#include <string.h>

static const struct field_word clocks[] = {
    [CONFLICT_NODE_CLOCK] = {"node", "By the clock of the member that accepts the write.", NULL},
    [CONFLICT_CLIENT_CLOCK] = {"client",
                               "By the clock of the caller's machine when it sends the "
                               "write for the first time.",
                               NULL},
    {0},
};

static const struct field clock_fields[] = {
    {.name = "clock",
     .type = FIELD_WORD,
     .offset = offsetof(struct replicated_config, conflict_clock),
     .otherwise = "node",
     .flags = FIELD_WHOLE,
     .words = clocks,
     .summary = "Whose wall clock stamps a write."},
    {0},
};

const struct field_word conflict_words[] = {
    [CONFLICT_LAST_WRITE_WINS] =
        {"last_write_wins",
         "The one with the larger stamp stays, of equal stamps that of the higher node; what a "
         "wrong clock stamps too low is discarded however late it was written.",
         &(const struct field_table){.fields = clock_fields}},
    [CONFLICT_SIBLINGS] = {"siblings",
                           "Both stay, told apart by version vectors, until the next write that "
                           "has seen both takes their place.",
                           NULL},
    [CONFLICT_STICKY] = {"sticky",
                         "All writes of a key go to one member, so that none can be; what meets "
                         "all the same goes as under `highest_node`.",
                         NULL},
    [CONFLICT_HIGHEST_NODE] = {"highest_node",
                               "Lamport's order: the one that has seen the larger number of "
                               "writes in a row stays, of equals that of the higher node.",
                               NULL},
    {0},
};

/* ---- values ---- */

static bool is_pair(const struct group *group, version_handle value)
{
    return value && !version_at(&group->versions, value)->op_id;
}

static version_handle first_of(const struct group *group, version_handle value)
{
    if (!is_pair(group, value))
        return value;
    return (version_handle)(version_at(&group->versions, value)->base >> 32);
}

static version_handle rest_of(const struct group *group, version_handle value)
{
    return is_pair(group, value) ? (version_handle)version_at(&group->versions, value)->base : 0;
}

const struct version *conflict_newest(const struct group *group, version_handle value)
{
    return version_at(&group->versions, first_of(group, value));
}

uint32_t conflict_siblings(const struct group *group, version_handle value)
{
    uint32_t count = 0;
    for (; value; value = rest_of(group, value))
        count++;
    return count;
}

version_handle conflict_nth(const struct group *group, version_handle value, uint32_t n)
{
    while (n--)
        value = rest_of(group, value);
    return first_of(group, value);
}

uint32_t conflict_bytes(const struct group *group, version_handle value)
{
    uint64_t bytes = 0;
    for (; value; value = rest_of(group, value))
        bytes += conflict_newest(group, value)->size;
    return bytes < UINT32_MAX ? (uint32_t)bytes : UINT32_MAX;
}

/* Whether the writer of `b` had seen `a`. Under `last_write_wins` single versions travel, so that a
 * vector may tell of a later version of a node and there never was an earlier one to be seen. */
static bool has_seen(const struct group *group, version_handle a, version_handle b)
{
    return version_at(&group->versions, a)->held &&
           version_before(&group->versions, a,
                          version_at(&group->versions, a)->origin - group->first, b);
}

static bool is_same(const struct group *group, version_handle a, version_handle b)
{
    return a == b || version_compare(version_at(&group->versions, a)->order,
                                     version_at(&group->versions, b)->order) == 0;
}

/* Whether a version of `value` is this one or has seen it. */
static bool covers(const struct group *group, version_handle value, version_handle version)
{
    for (; value; value = rest_of(group, value)) {
        version_handle v = first_of(group, value);
        if (is_same(group, version, v) || has_seen(group, version, v))
            return true;
    }
    return false;
}

static bool covers_all(const struct group *group, version_handle value, version_handle other)
{
    for (; other; other = rest_of(group, other))
        if (!covers(group, value, first_of(group, other)))
            return false;
    return true;
}

static bool keeps_sets(const struct group *group)
{
    return group->config->conflict == CONFLICT_SIBLINGS;
}

static bool contains(const struct group *group, version_handle value, version_handle version)
{
    for (; value; value = rest_of(group, value))
        if (is_same(group, first_of(group, value), version))
            return true;
    return false;
}

/* Newest first. */
static void insert(const struct group *group, version_handle *found, uint32_t count,
                   version_handle v)
{
    struct version_order order = version_at(&group->versions, v)->order;
    uint32_t at = count;
    for (; at && version_compare(version_at(&group->versions, found[at - 1])->order, order) < 0;
         at--)
        found[at] = found[at - 1];
    found[at] = v;
}

static version_handle *scratch(struct group *group, uint32_t room)
{
    if (group->scratch_room < room) {
        group->scratch_room = 2 * room;
        group->scratch =
            arena_array(&group->simulation->arena, group->scratch_room, version_handle);
    }
    return group->scratch;
}

/* Neither covers the other. Only the first pair is made where a collection may be: what stands in
 * later ones is held by the values that are merged. */
static version_handle united(struct replica *r, version_handle a, version_handle b)
{
    struct group *group = r->group;
    uint32_t most = conflict_siblings(group, a) + conflict_siblings(group, b), count = 0;
    version_handle *found = scratch(group, most);
    for (version_handle v = a; v; v = rest_of(group, v)) {
        version_handle one = first_of(group, v);
        if (contains(group, b, one) || !covers(group, b, one))
            insert(group, found, count++, one);
    }
    for (version_handle v = b; v; v = rest_of(group, v))
        if (!covers(group, a, first_of(group, v)))
            insert(group, found, count++, first_of(group, v));
    struct version pair = {.key = conflict_newest(group, a)->key};
    version_handle value = 0;
    for (uint32_t i = count; i-- > 0;) {
        if (!value) {
            value = found[i];
            continue;
        }
        pair.base = (uint64_t)found[i] << 32 | value;
        value = i + 2 == count ? replica_version(r, &pair) : version_new(&group->versions, &pair);
    }
    return value;
}

bool conflict_covers(const struct group *group, version_handle value, version_handle other)
{
    if (value == other || !other)
        return true;
    if (keeps_sets(group))
        return covers_all(group, value, other);
    return value && version_compare(version_at(&group->versions, value)->order,
                                    version_at(&group->versions, other)->order) >= 0;
}

version_handle conflict_find(const struct group *group, version_handle value, uint64_t op_id)
{
    for (version_handle v = value; v; v = rest_of(group, v))
        if (conflict_newest(group, v)->op_id == op_id)
            return first_of(group, v);
    return first_of(group, value);
}

version_handle conflict_merge(struct replica *r, version_handle a, version_handle b)
{
    struct group *group = r->group;
    if (a == b || !b)
        return a;
    if (!a)
        return b;
    if (!keeps_sets(group)) {
        const struct version *x = version_at(&group->versions, a);
        return version_compare(x->order, version_at(&group->versions, b)->order) >= 0 ? a : b;
    }
    return covers_all(group, a, b) ? a : covers_all(group, b, a) ? b : united(r, a, b);
}

/* ---- what a replica holds ---- */

static void tell_apply(struct replica *r, version_handle version)
{
    r->group->versions.items[version].held = true;
    PROBE(r->group->simulation, apply, r->agent, version_at(&r->group->versions, version));
}

/* Two versions of which one stays. */
static void tell_meeting(struct replica *r, version_handle winner, version_handle loser)
{
    const struct group *group = r->group;
    const struct version *kept = version_at(&group->versions, winner);
    const struct version *lost = version_at(&group->versions, loser);
    if (is_same(group, winner, loser) || has_seen(group, loser, winner))
        return;
    PROBE(group->simulation, supersede, r->agent, kept, lost);
    if (!has_seen(group, winner, loser))
        PROBE(group->simulation, conflict, r->agent, kept->key, 1);
}

static bool take_one(struct replica *r, uint64_t key, version_handle held, version_handle value)
{
    if (conflict_merge(r, held, value) == held) {
        tell_meeting(r, held, value);
        return false;
    }
    if (held)
        tell_meeting(r, value, held);
    registers_set(&r->registers, key, value);
    tell_apply(r, value);
    return true;
}

/* The newest is told last, also where it was held before: it is what the replica's clients see. */
static void tell_set(struct replica *r, version_handle held, version_handle now,
                     version_handle value)
{
    const struct group *group = r->group;
    uint32_t siblings = conflict_siblings(group, now);
    bool met = false;
    for (version_handle v = held; v && siblings > 1; v = rest_of(group, v))
        met = met || !covers(group, value, first_of(group, v));
    for (uint32_t i = siblings; i-- > 0;) {
        version_handle v = conflict_nth(group, now, i);
        if (!i || !covers(group, held, v))
            tell_apply(r, v);
    }
    if (met)
        PROBE(group->simulation, conflict, r->agent, conflict_newest(group, now)->key, siblings);
}

bool conflict_take(struct replica *r, version_handle value)
{
    if (!value)
        return false;
    struct group *group = r->group;
    uint64_t key = version_at(&group->versions, value)->key;
    version_handle held = registers_get(&r->registers, key);
    if (!keeps_sets(group) && held)
        return take_one(r, key, held, value);
    version_handle now = conflict_merge(r, held, value);
    if (now == held)
        return false;
    registers_set(&r->registers, key, now);
    tell_set(r, held, now, value);
    return true;
}

void conflict_serve(struct replica *r, struct call *c, version_handle value)
{
    enum { MOST = 16 }; /* the newest ones are told of */
    const struct group *group = r->group;
    const struct version *versions[MOST] = {NULL};
    uint32_t count = 0;
    for (version_handle v = value; v && count < MOST; v = rest_of(group, v))
        versions[count++] = conflict_newest(group, v);
    PROBE(group->simulation, serve, r->agent, c, versions, count);
    c->version = count ? versions[0]->op_id : 0;
}

/* ---- new versions ---- */

/* What a client's clock showed when it sent a write first. */
struct conflict_stamp {
    uint64_t op_id; /* 0: free */
    int64_t ns;
    uint32_t agent;
};

/* Open addressing by op_id, at most half full. An entry is kept as long as some call carries its
 * op_id: the operation may still be tried again, or be on its way. */
struct conflict_stamps {
    struct conflict_stamp *slots, *spare;
    uint32_t room, count;
};

static struct conflict_stamp *stamp_of(const struct conflict_stamps *stamps, uint64_t op_id)
{
    uint32_t at = (uint32_t)op_id & (stamps->room - 1);
    while (stamps->slots[at].op_id && stamps->slots[at].op_id != op_id)
        at = (at + 1) & (stamps->room - 1);
    return &stamps->slots[at];
}

static void stamps_move(struct conflict_stamps *stamps, struct conflict_stamp stamp)
{
    struct conflict_stamp *slot = stamp_of(stamps, stamp.op_id);
    stamps->count += !slot->op_id;
    *slot = stamp;
}

/* Forgets those that nobody carries any more; grows where that does not make much room. */
static void stamps_tidy(struct group *group)
{
    const struct simulation *s = group->simulation;
    struct conflict_stamps *stamps = group->stamps;
    const struct conflict_stamps old = *stamps;
    *stamps = (struct conflict_stamps){.slots = old.spare, .spare = old.slots, .room = old.room};
    memset(stamps->slots, 0, stamps->room * sizeof *stamps->slots);
    for (uint32_t i = 1; i < s->pool_used; i++) {
        const struct call *c = call_at(s, i);
        const struct conflict_stamp *stamp = stamp_of(&old, c->op_id);
        if (c->state != CALL_FREE && c->op_id && stamp->op_id)
            stamps_move(stamps, *stamp);
    }
    if (4 * stamps->count < stamps->room)
        return;
    struct conflict_stamps full = *stamps;
    uint32_t room = 2 * full.room;
    *stamps = (struct conflict_stamps){
        .slots = arena_array(&group->simulation->arena, room, struct conflict_stamp),
        .spare = arena_array(&group->simulation->arena, room, struct conflict_stamp),
        .room = room};
    for (uint32_t i = 0; i < full.room; i++)
        if (full.slots[i].op_id)
            stamps_move(stamps, full.slots[i]);
}

static struct conflict_stamps *stamps_new(struct simulation *s)
{
    enum { ROOM_FIRST = 1024 };
    struct conflict_stamps *stamps = arena_new(&s->arena, struct conflict_stamps);
    *stamps =
        (struct conflict_stamps){.slots = arena_array(&s->arena, ROOM_FIRST, struct conflict_stamp),
                                 .spare = arena_array(&s->arena, ROOM_FIRST, struct conflict_stamp),
                                 .room = ROOM_FIRST};
    return stamps;
}

void conflict_sent(struct group *group, const struct agent *caller, const struct call *c)
{
    const struct replicated_config *config = group->config;
    if (config->conflict != CONFLICT_LAST_WRITE_WINS ||
        config->conflict_clock != CONFLICT_CLIENT_CLOCK || !store_writes(store_type(caller, c)))
        return;
    if (!group->stamps)
        group->stamps = stamps_new(group->simulation);
    if (stamp_of(group->stamps, c->op_id)->op_id)
        return;
    if (2 * group->stamps->count >= group->stamps->room)
        stamps_tidy(group);
    stamps_move(group->stamps,
                (struct conflict_stamp){c->op_id, clock_wall(caller), caller->index});
}

/* A clock may show a time before 0. */
static uint64_t stamped(int64_t ns)
{
    return (uint64_t)ns + (UINT64_C(1) << 62);
}

enum { ORDER_NODE_SHIFT = 40 }; /* below it: what tells versions of one node apart */
static const uint64_t ORDER_OWN = (UINT64_C(1) << ORDER_NODE_SHIFT) - 1;

static struct version_order order_of(const struct replica *r, const struct call *c,
                                     version_handle seen)
{
    const struct group *group = r->group;
    uint64_t own = (uint64_t)(r->number + 1) << ORDER_NODE_SHIFT | (r->accepted & ORDER_OWN);
    if (group->config->conflict != CONFLICT_LAST_WRITE_WINS)
        return (struct version_order){seen ? conflict_newest(group, seen)->order.high + 1 : 1, own};
    if (group->config->conflict_clock == CONFLICT_NODE_CLOCK)
        return (struct version_order){stamped(clock_wall(r->agent)), own};
    const struct conflict_stamp *stamp = group->stamps ? stamp_of(group->stamps, c->op_id) : NULL;
    CHECK(stamp && stamp->op_id); /* whoever sends an operation has noted it, and it lives */
    return (struct version_order){stamped(stamp->ns), (uint64_t)(stamp->agent + 1)
                                                              << ORDER_NODE_SHIFT |
                                                          (c->op_id & ORDER_OWN)};
}

/* All that the versions of a value had seen, and themselves. */
static void see(const struct group *group, version_handle value, uint32_t *vector)
{
    const struct versions *versions = &group->versions;
    for (; value; value = rest_of(group, value)) {
        version_handle v = first_of(group, value);
        const uint32_t *context = version_context(versions, v);
        for (uint32_t i = 0; i < versions->width; i++)
            vector[i] = context[i] > vector[i] ? context[i] : vector[i];
        uint32_t origin = version_at(versions, v)->origin - group->first;
        uint32_t counter = version_at(versions, v)->counter;
        vector[origin] = counter > vector[origin] ? counter : vector[origin];
    }
}

version_handle conflict_accept(struct replica *r, struct call *c, version_handle seen)
{
    struct group *group = r->group;
    struct version version = store_version(r->agent, c, seen ? conflict_newest(group, seen) : NULL);
    if (keeps_sets(group))
        version.modifies = false; /* it overwrites nothing but what it has read */
    version.counter = ++r->accepted;
    version.order = order_of(r, c, seen);
    version_handle made = replica_version(r, &version);
    see(group, seen, version_context(&group->versions, made));
    PROBE(group->simulation, create, r->agent, c, version_at(&group->versions, made));
    return made;
}

void conflict_finish(struct agent *agent)
{
    const struct replica *r = replica_of(agent);
    const struct group *group = r->group;
    const struct registers *held = &r->registers;
    for (uint32_t i = 0; agent->place->up && i < held->room; i++) {
        uint32_t count = conflict_siblings(group, held->slots[i].version);
        for (uint32_t n = 0; n < count; n++)
            PROBE(agent->simulation, decide, agent,
                  version_at(&group->versions, conflict_nth(group, held->slots[i].version, n)));
    }
}

void conflict_keep(struct group *group)
{
    struct versions *versions = &group->versions;
    for (version_handle h = 1; keeps_sets(group) && h < versions->used; h++)
        for (version_handle v = version_is_kept(versions, h) ? h : 0; v; v = rest_of(group, v)) {
            version_keep(versions, v);
            version_keep(versions, first_of(group, v));
        }
}
