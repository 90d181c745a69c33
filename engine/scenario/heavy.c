#include "engine/scenario/heavy.h"
#include "engine/kernel/arrivals.h"

#include <math.h>
#include <string.h>

static bool infinite(const struct distribution *d)
{
    return !(distribution_scv(d) < (double)INFINITY);
}

/* Whether a field's value in one configuration has no variance. `base`: where the struct begins
 * that the field's offset counts from; `sizes`: whether sizes take time. */
static bool field_heavy(const struct field *f, const char *config, size_t base, bool sizes)
{
    if ((f->type == FIELD_DURATION && !(f->flags & FIELD_NONE)) ||
        (f->type == FIELD_SIZE && sizes)) {
        struct distribution d;
        memcpy(&d, config + base + f->offset, sizeof d);
        return infinite(&d);
    }
    if (f->type != FIELD_ARRIVALS)
        return false;
    struct arrivals arrivals;
    memcpy(&arrivals, config + base + f->offset, sizeof arrivals);
    for (size_t i = 0; i < arrivals.count; i++)
        if (arrivals.segments[i].kind == ARRIVALS_BATCHES && infinite(&arrivals.segments[i].gap))
            return true;
    return false;
}

/* The first such field of a table; NULL where there is none. */
static const struct field *table_heavy(const struct field_table *table, const char *config,
                                       size_t base, bool sizes)
{
    for (const struct field *f = table->fields; f && f->name; f++) {
        if (f->type == FIELD_RECORD ? table_heavy(f->record, config, base, sizes) != NULL
                                    : field_heavy(f, config, base, sizes))
            return f;
    }
    for (const struct field_include *i = table->includes; i && i->table; i++) {
        const struct field *found = table_heavy(i->table, config, base + i->offset, sizes);
        if (found)
            return found;
    }
    return NULL;
}

static const struct field *node_heavy(const struct blueprint *b, const struct blueprint_node *n)
{
    const char *last = NULL;
    bool sizes = false; /* they matter where a link has a bandwidth */
    for (uint32_t i = 0; i < b->link_count; i++)
        sizes = sizes || b->links[i].keys & LINK_BANDWIDTH;
    for (uint32_t k = 0; k < n->count; k++) {
        for (uint32_t o = 0; o < b->operation_count; o++) {
            const char *config = n->instances[k].configs[o];
            if (config == last)
                continue; /* instances and operations share theirs where they are alike */
            last = config;
            const struct field *found = table_heavy(n->kind->fields, config, 0, sizes);
            if (found)
                return found;
        }
    }
    return NULL;
}

bool heavy_find(struct point *point, struct heavy *found)
{
    const struct blueprint *b = point->blueprint;
    const bool *reached = point_reached(point);
    for (uint32_t i = 0; i < b->node_count; i++) {
        const struct field *f = reached[i] ? node_heavy(b, &b->nodes[i]) : NULL;
        if (!f)
            continue;
        const struct node *value = document_find(point->maps[i], f->name);
        found->listed = true;
        found->what = arena_format(point->arena, "`%s` of `%s`", f->name, b->nodes[i].name);
        found->place = value ? value->place : point->names[i]->place;
        return true;
    }
    for (uint32_t i = 0; i < b->link_count; i++) {
        if (!(b->links[i].keys & LINK_LATENCY) || !infinite(&b->links[i].config.latency))
            continue;
        found->listed = true;
        found->what = "a link's `latency`";
        found->place = document_find(point->document.root, "links")->place;
        return true;
    }
    for (uint32_t i = 0; i < b->fault_count; i++) {
        const struct blueprint_fault *f = &b->faults[i];
        bool mends = f->repaired && infinite(&f->mttr), delays = infinite(&f->delay);
        if (!mends && !delays)
            continue;
        found->listed = false;
        found->what =
            arena_format(point->arena, "`%s` of the fault `%s`", mends ? "mttr" : "by", f->name);
        found->place = document_find(point->document.root, "faults")->place;
        return true;
    }
    return false;
}
