/* WHOM a fault hits: sets of instances, and how links lie between them. */
#include "engine/scenario/faults.h"

#include <string.h>

/* A word of the value, and the value it stands in. */
struct word_at {
    const struct node *value;
    uint32_t offset, length;
};

static const struct node *word_node(const struct binder *binder, const struct word_at *word)
{
    const struct node *value = word->value;
    char *text = arena_text(binder->arena, value->text + word->offset, word->length);
    return document_scalar(binder->document, text,
                           document_place(binder->document, value, word->offset, word->length));
}

/* The next word of value[*at, end); false: there is none. */
static bool next_word(const struct node *value, uint32_t *at, uint32_t end, struct word_at *word)
{
    uint32_t from = *at;
    while (from < end && value->text[from] == ' ')
        from++;
    uint32_t to = from;
    while (to < end && value->text[to] != ' ')
        to++;
    *at = to;
    *word = (struct word_at){value, from, to - from};
    return to > from;
}

static bool reads(const struct word_at *word, const char *text)
{
    return strlen(text) == word->length &&
           !memcmp(word->value->text + word->offset, text, word->length);
}

/* ---- members ---- */

struct members {
    uint32_t *agents, count, room;
};

/* Whoever lives on a place of another is hit there. Two that share a place count once. */
static bool add_member(struct binder *binder, struct members *members, const struct node *at,
                       uint32_t agent)
{
    const uint32_t *hosts = binder->blueprint->hosts;
    bool shared = hosts && hosts[agent] != agent;
    agent = hosts ? hosts[agent] : agent;
    for (uint32_t i = 0; i < members->count; i++)
        if (members->agents[i] == agent) {
            if (shared)
                return true;
            document_error(binder->document, at, NULL, "`%s` stands in the set already", at->text);
            return false;
        }
    if (members->count == members->room) {
        uint32_t room = 2 * members->room + 16;
        uint32_t *more = arena_array(binder->arena, room, uint32_t);
        if (members->count)
            memcpy(more, members->agents, members->count * sizeof *more);
        members->agents = more;
        members->room = room;
    }
    members->agents[members->count++] = agent;
    return true;
}

static bool add_zone(struct binder *binder, struct members *members, const struct node *at,
                     uint32_t zone)
{
    const struct blueprint *b = binder->blueprint;
    uint32_t before = members->count;
    for (uint32_t n = 0; n < b->node_count; n++)
        for (uint32_t i = 0; b->nodes[n].instances && i < b->nodes[n].count; i++)
            if (!(b->nodes[n].kind->flags & KIND_GROUP) &&
                b->nodes[n].instances[i].zone == (int32_t)zone &&
                !add_member(binder, members, at, b->nodes[n].first + i))
                return false;
    if (members->count > before)
        return true;
    document_error(binder->document, at, NULL, "nobody stands in zone `%s`", at->text);
    return false;
}

static bool find_zone(const struct blueprint *b, const char *name, uint32_t *zone)
{
    for (*zone = 0; *zone < b->zone_count; ++*zone)
        if (!strcmp(b->zones[*zone], name))
            return true;
    return false;
}

/* `NAME.leader`, `NAME.followers`: a role in a group, which stands alone in its set. False where it
 * is none, or after an error, when *bad is set. */
static bool read_role(struct binder *binder, const struct node *at, struct fault_set *set,
                      bool *bad)
{
    const struct blueprint *b = binder->blueprint;
    const char *dot = strrchr(at->text, '.');
    bool leader = dot && !strcmp(dot, ".leader");
    *bad = false;
    if (!leader && !(dot && !strcmp(dot, ".followers")))
        return false;
    char *name = arena_text(binder->arena, at->text, (size_t)(dot - at->text));
    uint32_t first, count, node;
    *bad = true;
    if (!bind_address(binder, at, name, &first, &count, &node))
        return false;
    const struct blueprint_node *n = &b->nodes[node];
    if (!n->kind)
        return false; /* told of there */
    if (!n->kind->led || count != n->count || !n->kind->led(n->instances[0].configs[0])) {
        document_error(binder->document, at, NULL, "in `%s` nobody leads: it has no `%s`", name,
                       dot + 1);
        return false;
    }
    uint32_t *machines = arena_array(binder->arena, count, uint32_t);
    for (uint32_t i = 0; i < count; i++)
        machines[i] = b->hosts[first + i];
    *set = (struct fault_set){.pick = leader ? PICK_LEADERS : PICK_FOLLOWERS,
                              .agents = machines,
                              .count = count,
                              .group = node};
    *bad = false;
    return true;
}

/* An address, or the name of a zone; `named`: behind the word `zone`. */
static bool add_item(struct binder *binder, struct members *members, const struct node *at,
                     bool named)
{
    uint32_t zone, first, count, node;
    if (find_zone(binder->blueprint, at->text, &zone))
        return add_zone(binder, members, at, zone);
    if (named) {
        document_error(binder->document, at,
                       diagnostic_suggest(binder->document->diagnostics, at->text,
                                          binder->blueprint->zones, binder->blueprint->zone_count),
                       "no zone is called `%s`", at->text);
        return false;
    }
    if (!bind_address(binder, at, at->text, &first, &count, &node))
        return false;
    for (uint32_t i = 0; i < count; i++)
        if (!add_member(binder, members, at, first + i))
            return false;
    return true;
}

/* ---- a set: `[CHOICE of] ITEM ..`, an item being an address, a zone, or `zone` and its name ----
 */

static bool read_choice(struct binder *binder, const struct word_at *word, bool splits,
                        struct fault_set *set, uint32_t *least)
{
    const char *names[16];
    size_t count = 0;
    for (const struct fault_choice *c = fault_choices; c->name; c++) {
        if (c->split && !splits)
            continue;
        names[count++] = c->name;
        if (reads(word, c->name)) {
            set->pick = c->pick;
            *least = c->least;
            return true;
        }
    }
    const struct node *at = word_node(binder, word);
    const char *near = diagnostic_suggest(binder->document->diagnostics, at->text, names, count);
    document_error(binder->document, at,
                   near ? near : "one minority majority minority_third some halves random_halves",
                   "`%s of` is no choice%s", at->text, splits ? "" : " here");
    return false;
}

static bool read_set(struct binder *binder, const struct node *value, uint32_t from, uint32_t end,
                     bool splits, struct fault_set *set)
{
    struct members members = {0};
    struct word_at word, behind;
    uint32_t at = from, least = 0;
    *set = (struct fault_set){.pick = PICK_ALL};
    bool more = next_word(value, &at, end, &word);
    uint32_t ahead = at;
    if (more && next_word(value, &ahead, end, &behind) && reads(&behind, "of")) {
        if (!read_choice(binder, &word, splits, set, &least))
            return false;
        at = ahead;
        more = next_word(value, &at, end, &word);
    }
    const struct node *first = more ? word_node(binder, &word) : NULL;
    bool bad = false;
    if (more && set->pick == PICK_ALL && read_role(binder, first, set, &bad)) {
        if (!next_word(value, &at, end, &word))
            return true;
        document_error(binder->document, word_node(binder, &word), NULL,
                       "`%s` stands alone in its set", first->text);
        bad = true;
    }
    if (bad)
        return false;
    for (; more; more = next_word(value, &at, end, &word)) {
        bool named = reads(&word, "zone");
        if (named && !next_word(value, &at, end, &word))
            break;
        if (!add_item(binder, &members, word_node(binder, &word), named))
            return false;
    }
    set->agents = members.agents;
    set->count = members.count;
    if (members.count >= least && members.count)
        return true;
    document_error(binder->document, value, NULL,
                   members.count ? "the choice needs %u members, and has %u of them"
                                 : "nobody is named here: addresses, or `zone` and its name",
                   least, members.count);
    return false;
}

/* ---- sides ---- */

static bool one_set(struct binder *binder, const struct node *value, bool splits,
                    struct blueprint_fault *fault)
{
    struct fault_set *set = arena_new(binder->arena, struct fault_set);
    fault->sets = set;
    fault->set_count = 1;
    return read_set(binder, value, 0, (uint32_t)strlen(value->text), splits, set);
}

static bool sides_overlap(struct binder *binder, const struct node *value,
                          const struct fault_set *sets, uint32_t last)
{
    for (uint32_t i = 0; i < last; i++)
        for (uint32_t a = 0; a < sets[i].count; a++)
            for (uint32_t b = 0; b < sets[last].count; b++)
                if (!fault_set_aims(&sets[i]) && !fault_set_aims(&sets[last]) &&
                    sets[i].agents[a] == sets[last].agents[b]) {
                    document_error(binder->document, value, NULL,
                                   "the sides of a partition have a member in common");
                    return true;
                }
    return false;
}

/* Sides between bars. */
static bool read_sides(struct binder *binder, const struct node *value,
                       struct blueprint_fault *fault)
{
    uint32_t bars = 0, from = 0;
    for (const char *c = value->text; *c; c++)
        bars += *c == '|';
    struct fault_set *sets = arena_array(binder->arena, (size_t)bars + 1, struct fault_set);
    for (uint32_t i = 0; i <= bars; i++) {
        uint32_t end = from + (uint32_t)strcspn(value->text + from, "|");
        if (!read_set(binder, value, from, end, false, &sets[i]) ||
            sides_overlap(binder, value, sets, i))
            return false;
        from = end + 1;
    }
    fault->sets = sets;
    fault->set_count = bars + 1;
    fault->shape = SHAPE_BETWEEN;
    return true;
}

/* The ends of an arrow. */
static bool read_ends(struct binder *binder, const struct node *value, const char *arrow,
                      struct blueprint_fault *fault)
{
    bool both = *arrow == '<';
    uint32_t at = (uint32_t)(arrow - value->text), behind = at + (both ? 3 : 2);
    struct fault_set *sets = arena_array(binder->arena, 2, struct fault_set);
    fault->sets = sets;
    fault->set_count = 2;
    fault->shape = both ? SHAPE_BETWEEN : SHAPE_ONE_WAY;
    return read_set(binder, value, 0, at, false, &sets[0]) &&
           read_set(binder, value, behind, (uint32_t)strlen(value->text), false, &sets[1]);
}

static const char *find_arrow(const char *text)
{
    const char *both = strstr(text, "<->");
    return both ? both : strstr(text, "->");
}

static bool read_partition(struct binder *binder, const struct node *value,
                           struct blueprint_fault *fault)
{
    const char *arrow = find_arrow(value->text);
    if (arrow)
        return read_ends(binder, value, arrow, fault);
    if (strchr(value->text, '|'))
        return read_sides(binder, value, fault);
    if (!one_set(binder, value, true, fault))
        return false;
    const struct fault_set *set = fault->sets;
    bool whole = set->pick == PICK_ALL || fault_set_aims(set);
    fault->shape = whole ? SHAPE_AROUND : SHAPE_WITHIN;
    uint32_t least = set->pick == PICK_MAJORITY ? 3 : 2;
    if (whole || set->count >= least)
        return true;
    document_error(binder->document, value, NULL,
                   "nobody is left on the other side: the choice is among %u", set->count);
    return false;
}

static bool clients_only(struct binder *binder, const struct node *value,
                         const struct fault_set *set)
{
    const struct blueprint *b = binder->blueprint;
    for (uint32_t n = 0; n < b->node_count; n++)
        for (uint32_t i = 0; i < set->count; i++)
            if (set->agents[i] - b->nodes[n].first < b->nodes[n].count && b->nodes[n].kind &&
                !(b->nodes[n].kind->flags & KIND_CLIENT)) {
                document_error(binder->document, value, NULL,
                               "`%s` is no client: only clients have a load", b->nodes[n].name);
                return false;
            }
    return true;
}

/* All instances of one node that is no client. */
static bool whole_node(struct binder *binder, const struct node *value, const struct fault_set *set)
{
    const struct blueprint *b = binder->blueprint;
    for (uint32_t n = 0; n < b->node_count; n++)
        if (set->agents[0] == b->nodes[n].first && set->count == b->nodes[n].count &&
            set->pick == PICK_ALL && b->nodes[n].kind && !(b->nodes[n].kind->flags & KIND_CLIENT))
            return true;
    document_error(binder->document, value, NULL, "`scale` names one node, no client");
    return false;
}

bool fault_target_read(struct binder *binder, const struct fault_word *word,
                       const struct node *value, struct blueprint_fault *fault)
{
    if (value->type != NODE_SCALAR) {
        if (value->type != NODE_BAD)
            document_error(binder->document, value, "names stand side by side: n.1 n.2",
                           "`%s` names whom it hits in one text", word->name);
        return false;
    }
    const char *arrow = find_arrow(value->text);
    bool every = !strcmp(value->text, "default");
    if (word->target == TARGET_SIDES)
        return read_partition(binder, value, fault);
    if (word->target == TARGET_ANY && (arrow || every))
        fault->what = FAULT_SLOW_LINK;
    bool links = word->target == TARGET_LINKS || fault->what == FAULT_SLOW_LINK;
    if (!links && (arrow || every || strchr(value->text, '|'))) {
        document_error(binder->document, value, NULL, "`%s` hits nodes, not links or sides",
                       word->name);
        return false;
    }
    if (links && every) {
        fault->shape = SHAPE_EVERY;
        return true;
    }
    if (links && arrow)
        return read_ends(binder, value, arrow, fault);
    fault->shape = SHAPE_AROUND; /* all links of the set, where links are meant */
    return one_set(binder, value, false, fault) &&
           (word->target != TARGET_CLIENTS || clients_only(binder, value, fault->sets)) &&
           (word->target != TARGET_NODE || whole_node(binder, value, fault->sets));
}

bool fault_target_clients(struct binder *binder, const struct node *value,
                          struct blueprint_fault *fault)
{
    static const char with[] = "with ";
    uint32_t first, count, node;
    struct fault_set role;
    bool bad;
    if (value->type == NODE_BAD)
        return false;
    if (value->type != NODE_SCALAR ||
        (strcmp(value->text, "both") != 0 && strncmp(value->text, with, sizeof with - 1) != 0)) {
        document_error(binder->document, value, NULL, "`clients` is `both` or `with ADDRESS`");
        return false;
    }
    if (!strcmp(value->text, "both"))
        return true;
    const char *address = value->text + sizeof with - 1;
    const struct node *at = document_scalar(
        binder->document, address,
        document_place(binder->document, value, sizeof with - 1, (uint32_t)strlen(address)));
    if (read_role(binder, at, &role, &bad)) {
        struct fault_set *kept = arena_new(binder->arena, struct fault_set);
        bool stands = false;
        for (uint32_t s = 0; s < fault->set_count; s++)
            stands =
                stands || (fault->sets[s].pick == role.pick && fault->sets[s].group == role.group);
        *kept = role;
        fault->sided = true;
        fault->clients_of = kept;
        if (!stands)
            document_error(binder->document, value, NULL, "`%s` stands on no side of the partition",
                           address);
        return stands;
    }
    if (bad)
        return false;
    if (!bind_address(binder, value, address, &first, &count, &node))
        return false;
    fault->sided = true;
    fault->clients_with = first;
    for (uint32_t s = 0; s < fault->set_count; s++)
        for (uint32_t i = 0; i < fault->sets[s].count; i++)
            if (count == 1 && fault->sets[s].agents[i] == first)
                return true;
    document_error(binder->document, value, count > 1 ? "name one instance" : NULL,
                   "`%s` stands on no side of the partition", address);
    return false;
}
