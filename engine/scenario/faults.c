/* `faults:` of a point: a list of maps, each one action on somebody at some time. */
#include "engine/scenario/faults.h"
#include "engine/scenario/point.h"

#include <string.h>

enum { ACTIONS_MAX = 32 };

#define DRAW_SIZE_MAX 256e6 /* bytes of the strikes of one fault in one replication */

/* One entry while it is read. */
struct reading {
    const struct node *map, *action, *target; /* action: its key */
    const struct fault_word *word;
    struct fault_settings settings;
};

static const char *const other_keys[] = {"by", "name", "clients", NULL};

static const struct fault_word *word_of(const char *name)
{
    for (const struct fault_word *w = fault_words; w->name; w++)
        if (!strcmp(w->name, name))
            return w;
    return NULL;
}

/* ---- the action ---- */

/* What bind_map leaves to us: the other keys and every action, ended by NULL. */
static const char *const *own_keys(struct arena *arena)
{
    uint32_t actions = 0, others = sizeof other_keys / sizeof *other_keys - 1;
    while (fault_words[actions].name)
        actions++;
    const char **keys = arena_array(arena, actions + others + 1, const char *);
    for (uint32_t i = 0; i < actions; i++)
        keys[i] = fault_words[i].name;
    memcpy(&keys[actions], other_keys, others * sizeof *keys);
    return keys;
}

static bool is_key(const char *name)
{
    for (const char *const *key = other_keys; *key; key++)
        if (!strcmp(*key, name))
            return true;
    return bind_find(&settings_fault, name).field != NULL;
}

/* A key that is none of a fault's was meant for the action. */
static void tell_no_action(struct point *point, const struct node *map)
{
    static const char hint[] = "one of: crash restart pause slow partition loss delay duplicate "
                               "reorder hold clock load";
    const char *names[ACTIONS_MAX];
    size_t count = 0;
    for (const struct fault_word *w = fault_words; w->name; w++)
        names[count++] = w->name;
    for (uint32_t i = 0; i < map->count; i++) {
        const struct node *key = map->keys[i];
        if (is_key(key->text))
            continue;
        const char *near = diagnostic_suggest(point->document.diagnostics, key->text, names, count);
        document_error(&point->document, key, near ? near : hint, "unknown action `%s` of a fault",
                       key->text);
        return;
    }
    document_error(&point->document, map, hint, "the action of the fault is missing");
}

static bool find_action(struct point *point, struct reading *entry)
{
    for (uint32_t i = 0; i < entry->map->count; i++) {
        const struct fault_word *word = word_of(entry->map->keys[i]->text);
        if (!word)
            continue;
        if (entry->word) {
            document_error(&point->document, entry->map->keys[i], "write two faults",
                           "a fault has one action, and this one has `%s` already",
                           entry->word->name);
            return false;
        }
        entry->word = word;
        entry->action = entry->map->keys[i];
        entry->target = entry->map->items[i];
    }
    if (!entry->word)
        tell_no_action(point, entry->map);
    return entry->word != NULL;
}

/* ---- when ---- */

/* The place of a key that has been found to be wrong. */
static const struct node *key_of(const struct reading *entry, const char *key)
{
    return entry->map->keys[document_index(entry->map, key)];
}

static bool times_agree(struct point *point, const struct reading *entry)
{
    const struct fault_settings *f = &entry->settings;
    bool instant = entry->word->what == FAULT_RESTART || entry->word->what == FAULT_FLUSH;
    struct document *d = &point->document;
    if (!f->has_at && !f->has_every && !f->has_mtbf)
        document_error(d, entry->map, "at: 60s, every: 10min or mtbf: exp(1h)",
                       "when the fault begins is missing");
    else if (f->has_every && f->has_mtbf)
        document_error(d, key_of(entry, "mtbf"), NULL,
                       "a fault is periodic (`every`) or random (`mtbf`), not both");
    else if (f->has_for && f->has_mttr)
        document_error(d, key_of(entry, "mttr"), NULL,
                       "a fault lasts as `for` says or as `mttr` says, not both");
    else if (instant && (f->has_for || f->has_mttr))
        document_error(d, key_of(entry, f->has_for ? "for" : "mttr"),
                       entry->word->what == FAULT_RESTART ? "down for some time is `crash`" : NULL,
                       "a `%s` is an instant", entry->word->name);
    else if (!instant && !f->has_for && !f->has_mttr && (f->has_mtbf || f->has_every))
        document_error(d, key_of(entry, f->has_mtbf ? "mtbf" : "every"), "for: 30s",
                       "how long the fault lasts each time is missing");
    else if (f->has_every && f->has_for && f->duration >= f->every)
        document_error(d, key_of(entry, "for"), NULL,
                       "`for` must be shorter than `every`: it would never end");
    else
        return true;
    return false;
}

/* Bytes that the choice of one strike takes, about; 0 where nothing is chosen anew. */
static double draw_size(const struct blueprint *b, const struct blueprint_fault *fault)
{
    double size = 0, bits = b->agent_count / 8.0;
    for (uint32_t i = 0; i < fault->set_count; i++) {
        double members = fault->sets[i].count;
        if (fault->sets[i].pick == PICK_ALL)
            continue;
        size += 4 * members + 4 * bits;
        if (fault->sets[i].pick == PICK_MAJORITIES_RING)
            size += members * (members + 2 * bits);
    }
    return size;
}

/* How often it strikes in one replication, about. */
static bool count_strikes(struct point *point, const struct reading *entry,
                          const struct blueprint_fault *fault)
{
    const struct blueprint *b = point->blueprint;
    double span = (double)b->duration + (double)b->drain, gap = (double)fault->every;
    if (fault->random)
        gap = distribution_mean(&fault->mtbf) +
              (fault->repaired ? distribution_mean(&fault->mttr) : (double)fault->duration);
    double strikes = fault->every || fault->random ? span / gap : 1;
    if (strikes > FAULT_STRIKES_MAX)
        document_error(&point->document, key_of(entry, fault->random ? "mtbf" : "every"), NULL,
                       "the fault strikes more than %d times in one run, the drain included",
                       FAULT_STRIKES_MAX);
    else if (strikes * draw_size(b, fault) > DRAW_SIZE_MAX)
        document_error(&point->document, entry->target, NULL,
                       "too many choices among too many members in one run");
    else
        return true;
    return false;
}
static void put_times(const struct reading *entry, struct blueprint_fault *fault)
{
    const struct fault_settings *f = &entry->settings;
    fault->every = f->has_every ? f->every : 0;
    fault->at = f->has_at ? f->at : fault->every;
    fault->random = f->has_mtbf;
    fault->repaired = f->has_mttr;
    fault->mtbf = f->mtbf;
    fault->mttr = f->mttr;
    fault->duration = f->has_for ? f->duration : INT64_MAX;
    if (entry->word->what == FAULT_RESTART || entry->word->what == FAULT_FLUSH)
        fault->duration = 0;
}

/* A flush is of caches alone. */
static bool holds_copies(struct binder *binder, const struct reading *entry,
                         const struct blueprint_fault *fault)
{
    const struct blueprint *b = binder->blueprint;
    const struct fault_set *set = fault->sets;
    for (uint32_t i = 0; fault->what == FAULT_FLUSH && i < set->count; i++)
        for (uint32_t n = 0; n < b->node_count; n++) {
            const struct blueprint_node *node = &b->nodes[n];
            if (set->agents[i] - node->first >= node->count || node->kind->flush)
                continue;
            document_error(binder->document, entry->target, "only caches are flushed",
                           "`%s` is a %s: it holds no copies", node->name, node->kind->name);
            return false;
        }
    return true;
}

/* ---- its name ---- */

static bool put_name(struct point *point, const struct reading *entry,
                     struct blueprint_fault *faults, uint32_t number)
{
    const struct node *name = document_find(entry->map, "name");
    struct blueprint_fault *fault = &faults[number];
    if (!name) {
        fault->name = arena_format(point->arena, "f%u", number + 1);
    } else if (name->type != NODE_SCALAR) {
        document_error(&point->document, name, NULL, "`name` is one word");
        return false;
    } else if (!point_name(point, name, "a fault")) {
        return false;
    } else {
        fault->name = arena_format(point->arena, "%s", name->text);
    }
    const struct blueprint *b = point->blueprint;
    bool taken = bind_node(b, fault->name) != BIND_NO_NODE;
    for (uint32_t i = 0; i < b->zone_count; i++)
        taken = taken || !strcmp(b->zones[i], fault->name);
    if (taken) {
        document_error(&point->document, name ? name : entry->map, "name: another_one",
                       "`%s` is the name of a node or zone: its metrics would be mixed up",
                       fault->name);
        return false;
    }
    for (uint32_t i = 0; i < number; i++)
        if (!strcmp(faults[i].name, fault->name)) {
            document_error(&point->document, name ? name : entry->map, NULL,
                           "two faults are called `%s`", fault->name);
            return false;
        }
    return true;
}

/* ---- all of it ---- */

static bool only_for(struct point *point, const struct reading *entry, const char *key, bool fits,
                     const char *whose)
{
    if (fits || !document_find(entry->map, key))
        return true;
    document_error(&point->document, key_of(entry, key), NULL, "`%s` belongs to %s", key, whose);
    return false;
}

static bool put_clients(struct point *point, const struct reading *entry,
                        struct blueprint_fault *fault)
{
    const struct node *value = document_find(entry->map, "clients");
    bool partition = fault->what == FAULT_PARTITION;
    return only_for(point, entry, "clients", partition, "partitions") &&
           (!value || fault_target_clients(&point->binder, value, fault));
}

static bool read_entry(struct point *point, const struct node *map, struct blueprint_fault *faults,
                       uint32_t number)
{
    struct reading entry = {.map = map};
    struct binder *binder = &point->binder;
    struct blueprint_fault *fault = &faults[number];
    if (!find_action(point, &entry))
        return false;
    bind_defaults(binder, &settings_fault, &entry.settings);
    bind_map(binder, &settings_fault, &entry.settings, map, own_keys(point->arena), "a fault");
    fault->action = entry.word->name;
    fault->what = entry.word->what;
    const struct node *by = document_find(map, "by");
    bool ok = put_name(point, &entry, faults, number);
    ok = fault_target_read(binder, entry.word, entry.target, fault) && ok;
    ok = ok && holds_copies(binder, &entry, fault);
    ok = fault_amount_read(binder, entry.word, entry.action, by, fault) && ok;
    ok = ok && put_clients(point, &entry, fault);
    bool crash = fault->what == FAULT_CRASH || fault->what == FAULT_RESTART;
    ok = only_for(point, &entry, "crash_answer", crash, "`crash` and `restart`") && ok;
    ok = times_agree(point, &entry) && ok;
    put_times(&entry, fault);
    if (!ok || !count_strikes(point, &entry, fault))
        return false;
    fault->target = arena_format(point->arena, "%s", entry.target->text);
    fault->amount = by ? arena_format(point->arena, "%s", by->text) : "";
    fault->reset = entry.settings.crash_answer == 1;
    return true;
}

void point_faults(struct point *point)
{
    const struct node *list = document_find(point->document.root, "faults");
    if (!list || list->type == NODE_BAD)
        return;
    if (list->type != NODE_LIST) {
        document_error(&point->document, list, NULL,
                       "`faults` is a list: [{at: 60s, for: 20s, crash: web.2}]");
        return;
    }
    struct blueprint_fault *faults = arena_array(point->arena, list->count, struct blueprint_fault);
    bool ok = true;
    for (uint32_t i = 0; i < list->count; i++) {
        const struct node *map = list->items[i];
        faults[i].name = "";
        if (map->type != NODE_MAP) {
            if (map->type != NODE_BAD)
                document_error(&point->document, map, NULL,
                               "a fault is a map: {at: 60s, for: 20s, crash: web.2}");
            ok = false;
            continue;
        }
        ok = read_entry(point, map, faults, i) && ok;
    }
    point->blueprint->faults = faults;
    point->blueprint->fault_count = ok ? list->count : 0;
}
