#include "engine/scenario/point.h"

#include <string.h>

static const char *const top_keys[] = {"orrery", "name",   "question", "include", "seed",   "run",
                                       "vars",   "zones",  "nodes",    "links",   "faults", "sweep",
                                       "where",  "expect", "output",   NULL};

/* The longest `timeout` of a client, whatever the operation; 0 where none has one. */
static int64_t longest_timeout(const struct point *point)
{
    int64_t longest = 0;
    const struct blueprint *b = point->blueprint;
    for (uint32_t i = 0; i < b->node_count; i++) {
        const struct blueprint_node *n = &b->nodes[i];
        if (!n->kind || !n->instances || !(n->kind->flags & KIND_CLIENT))
            continue;
        struct bind_field f = bind_find(n->kind->fields, "timeout");
        if (!f.field || f.field->type != FIELD_TIME)
            continue;
        for (uint32_t k = 0; k < n->count; k++)
            for (uint32_t o = 0; o < b->operation_count; o++) {
                int64_t timeout;
                memcpy(&timeout, (const char *)n->instances[k].configs[o] + f.offset,
                       sizeof timeout);
                if (timeout > longest)
                    longest = timeout;
            }
    }
    return longest;
}

static const struct node *section(struct point *point, const char *name)
{
    const struct node *map = document_find(point->document.root, name);
    if (map && map->type != NODE_MAP && map->type != NODE_BAD)
        document_error(&point->document, map, NULL, "`%s` is a map of keys", name);
    return map && map->type == NODE_MAP ? map : NULL;
}

void point_run(struct point *point)
{
    static const char *const output_keys[] = {"percentiles", NULL};
    struct blueprint *b = point->blueprint;
    struct output_settings output = {0};
    struct run_settings *run = &point->run;
    const struct node *map = section(point, "run");
    bind_defaults(&point->binder, &settings_run, run);
    bind_map(&point->binder, &settings_run, run, map, NULL, "`run`");
    bind_defaults(&point->binder, &settings_output, &output);
    bind_map(&point->binder, &settings_output, &output, section(point, "output"), output_keys,
             "`output`");
    run->auto_warmup = run->has_warmup && run->warmup == TIME_AUTO;
    if (run->auto_warmup && point->found_warmup)
        run->warmup = point->found_warmup;
    else if (run->auto_warmup || !run->has_warmup)
        run->warmup = run->duration / 10;
    if (run->warmup >= run->duration)
        document_error(&point->document,
                       document_find(map, run->has_warmup ? "warmup" : "duration"),
                       "`duration` includes the warm-up", "the warm-up leaves nothing to measure");
    if (!run->has_drain) {
        int64_t timeout = longest_timeout(point);
        int64_t tenfold = timeout > INT64_MAX / 20 ? INT64_MAX / 2 : 10 * timeout;
        run->drain = tenfold > run->duration ? tenfold : run->duration;
    }
    if (run->duration > INT64_MAX / 4 || run->drain > INT64_MAX / 2)
        document_error(&point->document, map, NULL, "the run is longer than 73 years");
    struct window *window = arena_new(point->arena, struct window);
    *window = (struct window){.begin = run->warmup, .end = run->duration};
    b->windows = window;
    b->window_count = 1;
    b->duration = run->duration;
    b->drain = run->drain;
    b->in_flight = run->in_flight;
    b->series_interval = output.series == TIME_NONE ? 0 : output.series;
    b->history = output.history;
    b->leaders = output.leaders;
}

static void check_top(struct point *point)
{
    const struct node *root = point->document.root;
    size_t count = sizeof top_keys / sizeof *top_keys - 1;
    for (uint32_t i = 0; i < root->count; i++) {
        const char *key = root->keys[i]->text;
        bool known = !strncmp(key, "x-", 2);
        for (size_t k = 0; k < count; k++)
            known = known || !strcmp(top_keys[k], key);
        if (!known)
            document_error(&point->document, root->keys[i],
                           diagnostic_suggest(point->document.diagnostics, key, top_keys, count),
                           "unknown key `%s` of a scenario", key);
    }
}

void point_build(struct point *point)
{
    struct blueprint *b = point->blueprint;
    point->binder = (struct binder){
        .document = &point->document,
        .arena = point->arena,
        .blueprint = b,
        .node = BIND_NO_NODE,
        .operation = UINT32_MAX,
        .as = BIND_SAME,
        .shared = point->shared,
    };
    check_top(point);
    point_nodes(point);
    point_operations(point);
    point_zones(point);
    point_hosts(point);
    point_configs(point);
    point_cycles(point);
    point_stores(point);
    point_links(point);
    point_run(point);
    point_faults(point);
}
