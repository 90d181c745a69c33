#include "engine/scenario/validate.h"
#include "engine/scenario/heavy.h"
#include "engine/scenario/point.h"
#include "engine/scenario/predict.h"
#include "engine/scenario/unit.h"

#include <math.h>
#include <string.h>

enum { SHOWN_INSTANCES_MAX = 8, NAME_COLUMN = 18 };

struct view {
    struct point point;
    struct blueprint blueprint;
    FILE *out;
};

/* A value on one line as it is written. */
static void print_written(FILE *out, const struct node *value)
{
    if (value->type == NODE_SCALAR) {
        fputs(value->text, out);
        return;
    }
    bool map = value->type == NODE_MAP;
    fputc(map ? '{' : '[', out);
    for (uint32_t i = 0; i < value->count; i++) {
        fprintf(out, "%s%s%s", i ? ", " : "", map ? value->keys[i]->text : "", map ? ": " : "");
        print_written(out, value->items[i]);
    }
    fputc(map ? '}' : ']', out);
}

static const char *quantity(double value, enum field_type type, char *text)
{
    if (!(value < (double)INFINITY))
        return "infinite";
    return unit_format_short(value, type == FIELD_SIZE ? UNIT_BYTES : UNIT_TIME, 4, text);
}

/* mean, p50 and p99 of a distribution, and what is odd about it. */
static void print_moments(struct view *v, const char *name, const struct distribution *d,
                          enum field_type type)
{
    char mean[UNIT_TEXT_SIZE], p50[UNIT_TEXT_SIZE], p99[UNIT_TEXT_SIZE];
    if (d->kind == DISTRIBUTION_CONSTANT)
        return;
    fprintf(v->out, "    %-*s mean %s, p50 %s, p99 %s\n", NAME_COLUMN - 2, name,
            quantity(distribution_mean(d), type, mean),
            quantity(distribution_quantile(d, 0.5), type, p50),
            quantity(distribution_quantile(d, 0.99), type, p99));
}

static void warn_odd(const struct view *v, struct spot at, const char *what,
                     const struct distribution *d)
{
    char was[UNIT_TEXT_SIZE], is[UNIT_TEXT_SIZE];
    struct diagnostics *diagnostics = v->point.document.diagnostics;
    if (!(distribution_mean(d) < (double)INFINITY))
        diagnostic_warning(diagnostics, at, "give it a `max=`",
                           "%s has a heavy tail: its mean is infinite, so what is averaged over it "
                           "converges to nothing",
                           what);
    else if (!(distribution_scv(d) < (double)INFINITY))
        diagnostic_warning(
            diagnostics, at, "give it a `max=`",
            "%s has a heavy tail: its variance is infinite, so means converge slowly "
            "and intervals are too narrow",
            what);
    if (d->kind != DISTRIBUTION_NORMAL || !(d->normal.mean > 0))
        return;
    double mean = distribution_mean(d);
    if (mean > d->normal.mean * 1.001)
        diagnostic_warning(diagnostics, at, NULL,
                           "%s is drawn again below 0, so its mean is %s, not %s", what,
                           unit_format_short(mean, UNIT_TIME, 4, is),
                           unit_format_short(d->normal.mean, UNIT_TIME, 4, was));
}

static const struct distribution *value_at(const struct blueprint_node *n, uint32_t instance,
                                           uint32_t operation, const struct bind_field *f)
{
    const char *config = n->instances[instance].configs[operation];
    return (const struct distribution *)(const void *)(config + f->offset);
}

/* All that differ: by instance and by operation where they do. */
static void print_distributions(struct view *v, uint32_t node, const struct bind_field *f,
                                struct spot at)
{
    const struct blueprint_node *n = &v->blueprint.nodes[node];
    const struct distribution *first = value_at(n, 0, 0, f);
    uint32_t operations = v->blueprint.operation_count;
    uint32_t instances = n->count < SHOWN_INSTANCES_MAX ? n->count : SHOWN_INSTANCES_MAX;
    bool by_instance = false, by_operation = false;
    for (uint32_t i = 0; i < instances; i++)
        for (uint32_t o = 0; o < operations; o++) {
            const struct distribution *d = value_at(n, i, o, f);
            bool same = d->kind == first->kind &&
                        !(distribution_mean(d) > distribution_mean(first)) &&
                        !(distribution_mean(d) < distribution_mean(first)) &&
                        !(distribution_scv(d) > distribution_scv(first)) &&
                        !(distribution_scv(d) < distribution_scv(first));
            by_operation = by_operation || (!i && !same);
            by_instance = by_instance || (i && !o && !same);
        }
    for (uint32_t i = 0; i < (by_instance ? instances : 1); i++)
        for (uint32_t o = 0; o < (by_operation ? operations : 1); o++) {
            const struct distribution *d = value_at(n, i, o, f);
            char *name = arena_text(v->point.arena, "", 0);
            if (by_instance)
                name = arena_format(v->point.arena, ".%u", i + 1);
            if (by_operation)
                name =
                    arena_format(v->point.arena, "%s[%s]", name, v->blueprint.operations[o].name);
            print_moments(v, name, d, f->field->type);
            warn_odd(v, at, arena_format(v->point.arena, "`%s` of `%s`", f->field->name, n->name),
                     d);
        }
}

static void print_fields(struct view *v, uint32_t node, const struct field_table *table)
{
    const struct node *map = v->point.maps[node];
    const struct kind *kind = v->blueprint.nodes[node].kind;
    for (const struct field *f = table->fields; f && f->name; f++) {
        const struct node *value = document_find(map, f->name);
        if (!strcmp(f->name, "share") && kind->flags & KIND_CLIENT)
            continue;
        if (!value && (!f->otherwise || f->flags & FIELD_PER_REQUEST))
            continue; /* left out, and the manual says what that means */
        fprintf(v->out, "  %-*s ", NAME_COLUMN, f->name);
        if (value)
            print_written(v->out, value);
        else
            fprintf(v->out, "%s (default)", f->otherwise);
        fputc('\n', v->out);
        struct bind_field found = bind_find(kind->fields, f->name);
        if (f->type == FIELD_DURATION || f->type == FIELD_SIZE)
            print_distributions(v, node, &found,
                                value ? value->place : v->point.names[node]->place);
    }
    for (const struct field_include *i = table->includes; i && i->table; i++)
        print_fields(v, node, i->table);
}

static void print_common(struct view *v, uint32_t node)
{
    const struct node *map = v->point.maps[node];
    static const char *const extra[] = {"zone", "operations"};
    for (const struct field *f = settings_node.fields; f->name; f++) {
        const struct node *value = document_find(map, f->name);
        if (!value && (!f->otherwise || f->flags & FIELD_PER_REQUEST))
            continue;
        fprintf(v->out, "  %-*s ", NAME_COLUMN, f->name);
        if (value)
            print_written(v->out, value);
        else
            fprintf(v->out, "%s (default)", f->otherwise);
        fputc('\n', v->out);
    }
    for (size_t i = 0; i < sizeof extra / sizeof *extra; i++) {
        const struct node *value = document_find(map, extra[i]);
        if (!value)
            continue;
        fprintf(v->out, "  %-*s ", NAME_COLUMN, extra[i]);
        print_written(v->out, value);
        fputc('\n', v->out);
    }
}

static void print_links(struct view *v)
{
    const struct node *map = document_find(v->point.document.root, "links");
    fprintf(v->out, "\nlinks (what none of them sets: latency 0s, bandwidth unlimited, loss 0%%, "
                    "give_up 60s, transport message)\n");
    for (uint32_t i = 0; map && i < map->count; i++) {
        fprintf(v->out, "  %-*s ", NAME_COLUMN, map->keys[i]->text);
        print_written(v->out, map->items[i]);
        fputc('\n', v->out);
        struct link_settings settings = {0};
        const struct node *latency = document_find(map->items[i], "latency");
        struct bind_field f = bind_find(&settings_link, "latency");
        if (!latency)
            continue;
        bind_value(&v->point.binder, f.field, &settings, latency);
        print_moments(v, "", &settings.config.latency, FIELD_DURATION);
        warn_odd(v, latency->place,
                 arena_format(v->point.arena, "the latency of `%s`", map->keys[i]->text),
                 &settings.config.latency);
    }
}

static void print_settings(struct view *v)
{
    char text[UNIT_TEXT_SIZE];
    const struct run_settings *r = &v->point.run;
    fprintf(v->out, "run\n  %-*s ", NAME_COLUMN, "warmup");
    if (r->auto_warmup)
        fprintf(v->out, "auto, found by pilot runs\n");
    else
        fprintf(v->out, "%s%s\n", unit_format_time(r->warmup, text),
                r->has_warmup ? "" : " (default)");
    fprintf(v->out, "  %-*s %s\n", NAME_COLUMN, "duration", unit_format_time(r->duration, text));
    fprintf(v->out, "  %-*s %llu\n", NAME_COLUMN, "replications",
            (unsigned long long)r->replications);
    fprintf(v->out, "  %-*s %s\n", NAME_COLUMN, "confidence",
            unit_format(r->confidence, UNIT_SHARE, text));
    fprintf(v->out, "  %-*s %s%s\n", NAME_COLUMN, "drain", unit_format_time(r->drain, text),
            r->has_drain ? "" : " (default)");
    fprintf(v->out, "  %-*s %llu\n", NAME_COLUMN, "in_flight", (unsigned long long)r->in_flight);
    fprintf(v->out, "  %-*s %s\n", NAME_COLUMN, "series",
            v->blueprint.series_interval ? unit_format_time(v->blueprint.series_interval, text)
                                         : "none");
}

static void print_load_row(struct view *v, const char *name, const struct predicted *p, bool client)
{
    fprintf(v->out, "  %-*s %s%.4g/s", NAME_COLUMN, name, p->closed ? "at most " : "", p->rate);
    if (client)
        fprintf(v->out, "%s", p->closed ? ", a closed loop" : "");
    else if (p->slots < (double)INFINITY)
        fprintf(v->out, ", utilization %s%.3g of %.4g slot%s%s",
                p->holds    ? "at least "
                : p->closed ? "at most "
                            : "",
                predict_utilization(p), p->slots, p->slots > 1 ? "s" : "",
                p->holds ? ", held until the answer goes back" : ", held for own work");
    else
        fprintf(v->out, ", %.3g busy of unlimited slots", p->busy);
    fputc('\n', v->out);
}

static bool alike(const struct predicted *a, const struct predicted *b)
{
    return fabs(a->rate - b->rate) <= 1e-9 * a->rate && fabs(a->busy - b->busy) <= 1e-9 * a->busy &&
           !(a->slots > b->slots) && !(a->slots < b->slots);
}

/* How what a node calls goes over several others. */
static void print_spread(struct view *v, const struct blueprint_node *n)
{
    char text[160];
    const void *config = n->instances[0].configs[0];
    if (!n->kind->load || !n->kind->load->spread || n->kind->load->target(config)->count < 2)
        return;
    fprintf(v->out, "  %-*s %s\n", NAME_COLUMN, "",
            n->kind->load->spread(config, text, sizeof text));
}

static void print_load(struct view *v, const struct predicted *all)
{
    fprintf(v->out, "\npredicted load of each instance, if nothing fails and nobody gives up\n");
    for (uint32_t i = 0; i < v->blueprint.node_count; i++) {
        const struct blueprint_node *n = &v->blueprint.nodes[i];
        const struct predicted *p = &all[n->first];
        bool client = n->kind->flags & KIND_CLIENT, same = true;
        for (uint32_t k = 1; k < n->count; k++)
            same = same && alike(p, &p[k]);
        for (uint32_t k = 0; k < (same ? 1 : n->count) && k < SHOWN_INSTANCES_MAX; k++)
            print_load_row(v,
                           same ? n->name : arena_format(v->point.arena, "%s.%u", n->name, k + 1),
                           &p[k], client);
        if (!same && n->count > SHOWN_INSTANCES_MAX)
            fprintf(v->out, "  ...\n");
        print_spread(v, n);
    }
}

/* Names the point in a warning; "" where there is only one. */
static const char *point_text(struct view *v, const struct report *report, uint32_t at)
{
    char *text = arena_text(v->point.arena, "", 0);
    for (uint32_t i = 0; i < report->parameter_count; i++)
        text = arena_format(v->point.arena, "%s%s%s=%s", text, i ? " " : " at ",
                            report->parameters[i], report->points[at].values[i]);
    return text;
}

/* What the load of a point says against it. Each node is told of once, at the first point. */
static void warn_load(struct view *v, const struct report *report, uint32_t at,
                      const struct predicted *all, bool *told, uint32_t told_count,
                      bool *short_told)
{
    struct diagnostics *diagnostics = v->point.document.diagnostics;
    double floor_ns = 0;
    const char *slowest = "";
    for (uint32_t i = 0; i < v->blueprint.node_count; i++) {
        const struct blueprint_node *n = &v->blueprint.nodes[i];
        for (uint32_t k = 0; k < n->count; k++) {
            const struct predicted *p = &all[n->first + k];
            double load = predict_utilization(p), relaxation = predict_relaxation_ns(p);
            if (load >= 1 && !p->closed && i < told_count && !told[i]) {
                told[i] = true;
                diagnostic_warning(diagnostics, v->point.names[i]->place, NULL,
                                   "`%s` is offered %.3g times what it can do%s", n->name, load,
                                   point_text(v, report, at));
            }
            if (relaxation < (double)INFINITY && 20 * relaxation > floor_ns) {
                floor_ns = 20 * relaxation;
                slowest = n->name;
            }
        }
    }
    if (floor_ns > (double)v->point.run.warmup && !v->point.run.auto_warmup && !*short_told) {
        char is[UNIT_TEXT_SIZE], should[UNIT_TEXT_SIZE];
        const struct node *run = document_find(v->point.document.root, "run");
        *short_told = true;
        diagnostic_warning(
            diagnostics, run ? run->place : document_find(v->point.document.root, "nodes")->place,
            NULL,
            "the warm-up of %s is short: `%s` needs about %s (20 relaxation times) "
            "to forget that it began empty%s",
            unit_format_time(v->point.run.warmup, is), slowest,
            unit_format_short(floor_ns, UNIT_TIME, 2, should), point_text(v, report, at));
    }
}

/* A heavy tail that the first point, whose every distribution is printed and judged, has not. */
static void warn_heavy(struct view *v, const struct report *report, uint32_t at, bool *told)
{
    struct heavy heavy;
    if (*told || !heavy_find(&v->point, &heavy))
        return;
    *told = true;
    if (at || !heavy.listed)
        diagnostic_warning(
            v->point.document.diagnostics, heavy.place, "give it a `max=`",
            "%s has a heavy tail: its variance is infinite, so means converge slowly "
            "and intervals are too narrow%s",
            heavy.what, point_text(v, report, at));
}

/* Keys that were written, and what their kind has to say of them. */
struct written {
    uint32_t node;
    const char *key, *why;
    bool used; /* without a word at some point of the sweep */
};

struct all_written {
    struct written *items;
    uint32_t count;
};

static struct written *written_find(struct arena *keep, struct all_written *all, uint32_t node,
                                    const char *key)
{
    for (uint32_t i = 0; i < all->count; i++)
        if (all->items[i].node == node && !strcmp(all->items[i].key, key))
            return &all->items[i];
    struct written *grown = arena_array(keep, (size_t)all->count + 1, struct written);
    if (all->count)
        memcpy(grown, all->items, all->count * sizeof *grown);
    all->items = grown;
    grown[all->count] = (struct written){.node = node, .key = arena_text(keep, key, strlen(key))};
    return &grown[all->count++];
}

/* Warns at the last point of what no point has a use for. */
static void warn_unused(struct view *v, struct arena *keep, struct all_written *all, bool last)
{
    for (uint32_t i = 0; i < v->blueprint.node_count; i++) {
        const struct blueprint_node *n = &v->blueprint.nodes[i];
        const struct node *map = v->point.maps[i];
        for (uint32_t k = 0; n->kind->doubt && k < map->count; k++) {
            struct written *w = written_find(keep, all, i, map->keys[k]->text);
            for (uint32_t o = 0; o < v->blueprint.operation_count; o++) {
                const char *why = n->kind->doubt(n->instances[0].configs[o], w->key);
                w->used = w->used || !why;
                w->why = why;
            }
            if (last && !w->used)
                diagnostic_warning(v->point.document.diagnostics, map->keys[k]->place, NULL,
                                   "`%s` of `%s` %s", w->key, n->name, w->why);
        }
    }
}

static void print_point(struct view *v, const struct report *report, uint32_t at,
                        const struct predicted *all)
{
    fprintf(v->out, "%s\n", report->name);
    if (report->question)
        fprintf(v->out, "%s\n", report->question);
    if (report->point_count > 1)
        fprintf(v->out, "point %u of %u,%s\n", at + 1, report->point_count,
                point_text(v, report, at) + 3);
    fputc('\n', v->out);
    print_settings(v);
    for (uint32_t i = 0; i < v->blueprint.node_count; i++) {
        const struct blueprint_node *n = &v->blueprint.nodes[i];
        fprintf(v->out, "\n%s: %s\n", n->name, n->kind->name);
        print_common(v, i);
        print_fields(v, i, n->kind->fields);
    }
    print_links(v);
    validate_faults(&v->blueprint, report->seed, v->out);
    print_load(v, all);
}

void scenario_validate(const struct scenario *scenario, FILE *out)
{
    const struct report *report = scenario_report(scenario);
    struct arena keep = {0};
    bool *told = NULL, short_told = false, heavy_told = false;
    struct all_written written = {0};
    uint32_t told_count = 0;
    for (uint32_t at = 0; at < report->point_count; at++) {
        struct arena arena = {0};
        struct view v = {.out = out};
        scenario_point(scenario, at, &arena, &v.blueprint, &v.point);
        v.point.blueprint = &v.blueprint;
        struct predicted *all = predict(&v.point, v.point.run.warmup, v.point.run.duration);
        if (!told) {
            told_count = v.blueprint.node_count;
            told = arena_array(&keep, told_count, bool);
        }
        if (!at)
            print_point(&v, report, at, all);
        warn_load(&v, report, at, all, told, told_count, &short_told);
        warn_heavy(&v, report, at, &heavy_told);
        warn_unused(&v, &keep, &written, at + 1 == report->point_count);
        arena_free(&arena);
    }
    arena_free(&keep);
}
