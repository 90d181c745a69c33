#include "engine/scenario/elsewhere.h"
#include "engine/scenario/each.h"
#include "engine/scenario/expression.h"

#include <string.h>

enum { DEALT_MAX = 1000 }; /* zones that one each(...) deals */

/* Names are gathered in `arena`; everything else is thrown away after each value. */
struct gatherer {
    struct arena *arena;
    const char **zones;
    uint32_t count, room;
};

static void gather(struct gatherer *g, const char *name)
{
    if (g->count == g->room) {
        g->room = g->room ? 2 * g->room : 16;
        const char **more = arena_array(g->arena, g->room, const char *);
        if (g->count)
            memcpy(more, g->zones, g->count * sizeof *more);
        g->zones = more;
    }
    g->zones[g->count++] = arena_text(g->arena, name, strlen(name));
}

static void gather_from(struct gatherer *g, struct document *document)
{
    const struct node *zones = document_find(document->root, "zones");
    for (uint32_t i = 0; zones && zones->type == NODE_MAP && i < zones->count; i++)
        gather(g, zones->keys[i]->text);
    const struct node *nodes = document_find(document->root, "nodes");
    for (uint32_t i = 0; nodes && nodes->type == NODE_MAP && i < nodes->count; i++) {
        const struct node *zone = document_find(nodes->items[i], "zone");
        if (!zone || zone->type != NODE_SCALAR)
            continue;
        uint32_t period = each_period(document, zone, DEALT_MAX);
        for (uint32_t k = 0; k < period; k++) {
            const struct node *dealt = each_deal(document, zone, k);
            if (dealt->type == NODE_SCALAR)
                gather(g, dealt->text);
        }
    }
}

static void put_value(struct document *document, const struct sweep_parameter *p,
                      const struct sweep_value *v)
{
    if (v->value)
        document_set(document, p->name, v->value, p->key->place);
    for (uint32_t i = 0; v->named && i < v->named->count; i++)
        document_set(document, v->named->keys[i]->text, v->named->items[i], p->key->place);
}

/* A number makes no zone, whatever it is put into; ranges have thousands of them. */
static bool is_number(const struct sweep_value *v)
{
    return v->value && v->value->type == NODE_SCALAR && v->text[0] >= '0' && v->text[0] <= '9';
}

struct elsewhere elsewhere_find(const struct sweep *sweep, struct arena *arena)
{
    struct gatherer g = {.arena = arena};
    struct arena scratch = {0};
    for (uint32_t i = 0; i < sweep->parameter_count; i++) {
        const struct sweep_parameter *p = &sweep->parameters[i];
        for (uint32_t k = 0; k < p->count; k++) {
            if (is_number(&p->values[k]))
                continue;
            struct document document = document_copy(sweep->base, &scratch);
            /* Errors need the sources that their places name, and nobody hears of them. */
            const struct diagnostics *heard = document.diagnostics;
            struct diagnostics unheard = {.sources = heard->sources,
                                          .source_count = heard->source_count,
                                          .source_room = heard->source_count};
            document.diagnostics = &unheard;
            put_value(&document, p, &p->values[k]);
            expression_resolve(&document, false);
            gather_from(&g, &document);
            diagnostic_free(&unheard);
            arena_reset(&scratch);
        }
    }
    arena_free(&scratch);
    return (struct elsewhere){.zones = g.zones, .zone_count = g.count};
}

bool elsewhere_zone(const struct elsewhere *elsewhere, const char *name)
{
    for (uint32_t i = 0; elsewhere && i < elsewhere->zone_count; i++)
        if (!strcmp(elsewhere->zones[i], name))
            return true;
    return false;
}
