#include "engine/scenario/scenario.h"
#include "engine/scenario/expect.h"
#include "engine/scenario/expression.h"
#include "engine/scenario/heavy.h"
#include "engine/scenario/point.h"
#include "engine/scenario/sampler.h"
#include "engine/scenario/steady.h"
#include "engine/scenario/sweep.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* An instance whose own percentiles an expectation names. */
struct watched {
    const char *node; /* without the instance */
    uint32_t instance;
};

struct scenario {
    struct arena arena;
    struct document base; /* merged, unresolved */
    const struct kind *const *kinds;
    struct sweep sweep;
    struct elsewhere elsewhere;
    struct expect_list expect;
    struct sampler_shared *shared;
    struct watched *watched;
    uint32_t watched_count, watched_room;
    struct percentile *percentiles;
    uint32_t percentile_count, percentile_room;
    bool every_instance;     /* keeps its percentiles: `output` asks for some */
    struct run_settings run; /* of the first point, as all must have it */
    double warmup_floor;     /* ns, `warmup: auto`: the largest of all points */
    int64_t found_warmup;    /* ns; 0: not found yet */
    int64_t series_interval;
    bool history, leaders;
    bool faults; /* some point has some */
    uint64_t seed;
    struct report report;
    const char *stem, *canonical, *hash;
    bool validate;
    bool *heavy;   /* [point]: see struct report_point */
    bool *reached; /* [key of `nodes`]: some client reaches it at some point */
};

/* A blueprint and the memory it stands in. */
struct made {
    struct blueprint blueprint; /* first: scenario_blueprint_free gets its address */
    struct arena arena;
};

static const char *stem_of(struct arena *arena, const char *path)
{
    if (!strcmp(path, "-"))
        return "stdin";
    const char *slash = strrchr(path, '/');
    const char *name = slash ? slash + 1 : path;
    const char *dot = strrchr(name, '.');
    bool yaml = dot && dot > name && (!strcmp(dot, ".yaml") || !strcmp(dot, ".yml"));
    return arena_text(arena, name, yaml ? (size_t)(dot - name) : strlen(name));
}

static void check_version(struct scenario *s)
{
    const struct node *version = document_find(s->base.root, "orrery");
    if (!version)
        document_error(&s->base, s->base.root, "begin with `orrery: 1`",
                       "`orrery`, the version of the format, is missing");
    else if (version->type == NODE_SCALAR && strcmp(version->text, "1") != 0)
        document_error(&s->base, version, NULL, "version `%s` is not known: `orrery: 1`",
                       version->text);
    else if (version->type != NODE_SCALAR && version->type != NODE_BAD)
        document_error(&s->base, version, NULL, "`orrery` is the version of the format: 1");
}

/* The command line as if it stood in the document, so that hash and run.json tell it. */
static void apply_request(struct scenario *s, const struct scenario_request *request)
{
    for (uint32_t i = 0; i < request->set_count; i++)
        document_set_text(&s->base, "--set", request->sets[i]);
    if (request->has_seed)
        document_set_text(&s->base, "--seed",
                          arena_format(&s->arena, "seed=%llu", (unsigned long long)request->seed));
    if (!request->has_replications)
        return;
    const char *count = arena_format(&s->arena, "%llu", (unsigned long long)request->replications);
    document_set_text(&s->base, "--replications",
                      document_find(s->base.root, "run")
                          ? arena_format(&s->arena, "run.replications=%s", count)
                          : arena_format(&s->arena, "run={replications: %s}", count));
}

static const char *text_at(struct scenario *s, const struct node *root, const char *key)
{
    const struct node *value = document_find(root, key);
    if (!value || value->type == NODE_BAD)
        return NULL;
    if (value->type == NODE_SCALAR)
        return arena_format(&s->arena, "%s", value->text);
    document_error(&s->base, value, NULL, "`%s` is a text", key);
    return NULL;
}

/* `named`: by the scenario, and not one of the standard ones alone. */
static void add_percentile(struct scenario *s, const struct node *at, const char *text, bool named)
{
    struct percentile p;
    if (!expect_percentile(&s->arena, text, &p)) {
        document_error(&s->base, at, "p45, p99, p99.9", "`%s` is no percentile", text);
        return;
    }
    p.named = named;
    uint32_t place = 0;
    for (; place < s->percentile_count; place++) {
        struct percentile *q = &s->percentiles[place];
        uint64_t left = (uint64_t)q->numerator * p.denominator;
        uint64_t right = (uint64_t)p.numerator * q->denominator;
        if (left == right) {
            q->named |= named;
            return;
        }
        if (left > right)
            break;
    }
    if (s->percentile_count == s->percentile_room) {
        s->percentile_room = s->percentile_room ? 2 * s->percentile_room : 16;
        struct percentile *more = arena_array(&s->arena, s->percentile_room, struct percentile);
        if (s->percentile_count)
            memcpy(more, s->percentiles, s->percentile_count * sizeof *more);
        s->percentiles = more;
    }
    memmove(&s->percentiles[place + 1], &s->percentiles[place],
            (s->percentile_count - place) * sizeof *s->percentiles);
    s->percentiles[place] = p;
    s->percentile_count++;
}

static void output_percentiles(struct scenario *s, const struct document *document)
{
    static const char *const standard[] = {"p50", "p90", "p95", "p99", "p99.9", "p99.99"};
    for (size_t i = 0; i < sizeof standard / sizeof *standard; i++)
        add_percentile(s, NULL, standard[i], false);
    const struct node *list = document_find(document_find(document->root, "output"), "percentiles");
    if (!list || list->type == NODE_BAD)
        return;
    if (list->type != NODE_LIST) {
        document_error(&s->base, list, NULL, "`percentiles` is a list: [p45, p75]");
        return;
    }
    s->every_instance = list->count > 0;
    for (uint32_t i = 0; i < list->count; i++)
        if (list->items[i]->type == NODE_SCALAR)
            add_percentile(s, list->items[i], list->items[i]->text, true);
        else if (list->items[i]->type != NODE_BAD)
            document_error(&s->base, list->items[i], NULL, "a percentile is a word: p45");
}

/* What one expectation asks for: a percentile, and perhaps of one instance. */
static void watch(void *context, const struct node *at, const char *percentile, const char *node,
                  uint32_t instance)
{
    struct scenario *s = context;
    add_percentile(s, at, percentile, true);
    if (!instance)
        return;
    if (s->watched_count == s->watched_room) {
        s->watched_room = s->watched_room ? 2 * s->watched_room : 16;
        struct watched *more = arena_array(&s->arena, s->watched_room, struct watched);
        if (s->watched_count)
            memcpy(more, s->watched, s->watched_count * sizeof *more);
        s->watched = more;
    }
    s->watched[s->watched_count++] =
        (struct watched){.node = arena_text(&s->arena, node, (size_t)(strrchr(node, '.') - node)),
                         .instance = instance};
}

/* The instances are this blueprint's own; only its readers see them as const. */
static void keep_percentiles(struct point *point, uint32_t node, uint32_t instance)
{
    struct instance *instances;
    memcpy(&instances, &point->nodes[node].instances, sizeof(struct instance *));
    if (instances) /* a node that was refused has none */
        instances[instance].percentiles = true;
}

static void mark_watched(const struct scenario *s, struct point *point)
{
    for (uint32_t n = 0; s->every_instance && n < point->blueprint->node_count; n++)
        for (uint32_t i = 0; i < point->nodes[n].count; i++)
            keep_percentiles(point, n, i);
    for (uint32_t i = 0; i < s->watched_count; i++) {
        uint32_t node = bind_node(point->blueprint, s->watched[i].node);
        if (node == BIND_NO_NODE || s->watched[i].instance > point->nodes[node].count)
            continue;
        keep_percentiles(point, node, s->watched[i].instance - 1);
    }
}

void scenario_point(const struct scenario *s, uint32_t at, struct arena *arena,
                    struct blueprint *blueprint, struct point *point)
{
    *point = (struct point){
        .document = sweep_document(&s->sweep, at, arena),
        .arena = arena,
        .kinds = s->kinds,
        .shared = s->shared,
        .blueprint = blueprint,
        .found_warmup = s->found_warmup,
        .elsewhere = &s->elsewhere,
    };
    point_build(point);
    blueprint->phases = expect_phases(&s->expect, arena, blueprint);
    blueprint->phase_count = s->expect.phase_count;
    blueprint->spans = s->expect.spans;
    mark_watched(s, point);
}

/* The settings that hold for the whole scenario must not differ between points. */
static void check_settings(struct scenario *s, uint32_t at, struct point *point)
{
    const struct run_settings *r = &point->run;
    struct seed_settings seed = {.seed = 1};
    const struct node *written = document_find(point->document.root, "seed");
    if (written)
        bind_value(&point->binder, bind_find(&settings_seed, "seed").field, &seed, written);
    if (!at) {
        s->run = *r;
        s->seed = seed.seed;
        s->series_interval = point->blueprint->series_interval;
        s->history = point->blueprint->history;
        s->leaders = point->blueprint->leaders;
        output_percentiles(s, &point->document);
        return;
    }
    if (r->warmup != s->run.warmup || r->auto_warmup != s->run.auto_warmup ||
        r->duration != s->run.duration || r->replications != s->run.replications ||
        r->confidence > s->run.confidence || r->confidence < s->run.confidence ||
        seed.seed != s->seed || point->blueprint->series_interval != s->series_interval ||
        point->blueprint->history != s->history || point->blueprint->leaders != s->leaders)
        document_error(
            &s->base, document_find(s->base.root, "sweep"), "make a scenario of its own for each",
            "`seed`, `run` and `output` are one for all points, and differ at point %u", at + 1);
}

static void note_point(struct scenario *s, uint32_t at)
{
    char *text = arena_format(&s->arena, "at point %u:", at + 1);
    for (uint32_t i = 0; i < s->sweep.parameter_count; i++)
        text = arena_format(&s->arena, "%s %s=%s", text, s->sweep.parameters[i].name,
                            sweep_text(&s->sweep, at, i));
    diagnostic_note(s->base.diagnostics, document_find(s->base.root, "sweep")->place, "%s", text);
}

static void note_reached(struct scenario *s, struct point *point)
{
    const struct node *map = document_find(s->base.root, "nodes");
    const bool *reached = point_reached(point);
    if (!s->reached)
        s->reached = arena_array(&s->arena, map->count, bool);
    for (uint32_t i = 0; i < map->count; i++) {
        uint32_t node = bind_node(point->blueprint, map->keys[i]->text);
        s->reached[i] = s->reached[i] || (node != BIND_NO_NODE && reached[node]);
    }
}

/* Binds every point once: all errors are found, nothing is kept. `harmless` of the errors so far,
 * and those of the checks of what was bound, leave blueprints whole. A point is looked at only
 * where there are no others: what is told a second time is not counted again, so that a point
 * without new errors need not be whole itself. */
static void bind_points(struct scenario *s, uint32_t harmless)
{
    struct made made = {0};
    uint32_t *errors = &s->base.diagnostics->error_count;
    s->heavy = arena_array(&s->arena, s->sweep.point_count, bool);
    for (uint32_t i = 0; i < s->sweep.point_count && *errors < DIAGNOSTIC_SHOWN_MAX; i++) {
        struct point point;
        uint32_t before = *errors;
        made.blueprint = (struct blueprint){0};
        scenario_point(s, i, &made.arena, &made.blueprint, &point);
        check_settings(s, i, &point);
        s->faults = s->faults || made.blueprint.fault_count;
        bool whole = *errors == harmless;
        if (whole)
            expect_check(&s->expect, i, &made.blueprint);
        if (whole && s->run.auto_warmup)
            s->warmup_floor = fmax(s->warmup_floor, steady_floor_ns(&point));
        harmless += whole ? *errors - harmless : 0;
        if (*errors > before && i > 0)
            note_point(s, i);
        struct heavy heavy;
        s->heavy[i] = whole && heavy_find(&point, &heavy);
        if (s->validate && !*errors)
            note_reached(s, &point);
        arena_reset(&made.arena);
    }
    arena_free(&made.arena);
}

static void warn(struct scenario *s)
{
    struct document copy = document_copy(&s->base, &s->arena);
    expression_resolve(&copy, true);
    const struct node *map = document_find(s->base.root, "nodes");
    for (uint32_t i = 0; s->reached && i < map->count; i++)
        if (!s->reached[i])
            diagnostic_warning(s->base.diagnostics, map->keys[i]->place, NULL,
                               "node `%s` is inert: no client reaches it", map->keys[i]->text);
}

static void make_report(struct scenario *s)
{
    const struct sweep *sweep = &s->sweep;
    uint32_t parameters = sweep->played ? sweep->parameter_count : 0;
    const char **names = arena_array(&s->arena, parameters, const char *);
    struct report_point *points = arena_array(&s->arena, sweep->point_count, struct report_point);
    for (uint32_t i = 0; i < parameters; i++)
        names[i] = sweep->parameters[i].name;
    for (uint32_t p = 0; p < sweep->point_count; p++) {
        const char **values = arena_array(&s->arena, parameters, const char *);
        for (uint32_t i = 0; i < parameters; i++)
            values[i] = sweep_text(sweep, p, i);
        points[p].values = values;
        points[p].heavy = s->heavy && s->heavy[p];
    }
    const char *name = text_at(s, s->base.root, "name");
    s->report = (struct report){
        .name = name ? name : s->stem,
        .question = text_at(s, s->base.root, "question"),
        .parameters = names,
        .parameter_count = parameters,
        .points = points,
        .point_count = sweep->point_count,
        .replications = (uint32_t)s->run.replications,
        .seed = s->seed,
        .confidence = s->run.confidence,
        .warmup = s->run.warmup,
        .duration = s->run.duration,
        .series_interval = s->series_interval,
        .faults = s->faults,
        .history = s->history,
        .leaders = s->leaders,
    };
    s->report.expectations = expect_finish(&s->expect, &s->report.expectation_count);
    expect_percentiles(&s->expect, watch, s);
    s->report.percentiles = s->percentiles;
    s->report.percentile_count = s->percentile_count;
}

static uint64_t hash_bytes(uint64_t hash, const char *bytes, size_t size)
{
    /* FNV-1a, 64 bits: http://www.isthe.com/chongo/tech/comp/fnv/ */
    for (size_t i = 0; i < size; i++)
        hash = (hash ^ (unsigned char)bytes[i]) * UINT64_C(1099511628211);
    return hash;
}

/* A map without one of its keys; the map itself where it has no such key. */
static struct node *map_without(struct document *document, struct node *map, const char *key)
{
    uint32_t gone = document_index(map, key), count = 0;
    if (gone == UINT32_MAX)
        return map;
    struct node **keys = arena_array(document->arena, map->count, struct node *);
    struct node **items = arena_array(document->arena, map->count, struct node *);
    for (uint32_t i = 0; i < map->count; i++) {
        if (i == gone)
            continue;
        keys[count] = map->keys[i];
        items[count++] = map->items[i];
    }
    return document_map(document, keys, items, count, map->place);
}

/* The document as far as it tells one run: with another number of replications the runs that both
 * have are the same. */
static const struct node *without_replications(struct scenario *s)
{
    struct node *root = s->base.root, *run = document_find(root, "run");
    if (document_index(run, "replications") == UINT32_MAX)
        return root;
    struct node *rest = map_without(&s->base, run, "replications");
    struct document copy = document_copy(&s->base, &s->arena);
    if (!rest->count)
        return map_without(&copy, root, "run");
    document_set(&copy, "run", rest, run->place);
    return copy.root;
}

/* Over the merged document before vars are put in place: `slots: $n` and `slots: 4` differ as soon
 * as n is swept. Files that samplers read count as well, and so does whether the sweep is played:
 * its points are others than the one that stands in the document. */
static void make_hash(struct scenario *s)
{
    const char *format = s->sweep.played ? "orrery 1, swept\n" : "orrery 1\n";
    uint64_t hash = hash_bytes(UINT64_C(14695981039346656037), format, strlen(format));
    s->canonical = document_canonical(&s->base, s->base.root);
    const char *told = document_canonical(&s->base, without_replications(s));
    hash = hash_bytes(hash, told, strlen(told));
    for (uint32_t i = 0; i < s->shared->file_count; i++)
        hash = hash_bytes(hash, s->shared->files[i].text, s->shared->files[i].size);
    s->hash = arena_format(&s->arena, "%016llx", (unsigned long long)hash);
}

/* Everything after the document is read; frees the scenario when there are errors. */
static struct scenario *finish(struct scenario *s, const struct scenario_request *request)
{
    struct diagnostics *d = s->base.diagnostics;
    if (s->base.root) {
        apply_request(s, request);
        check_version(s);
        sweep_read(&s->sweep, &s->base, request->sweep);
        if (s->sweep.point_count) {
            uint32_t before = d->error_count;
            expect_read(&s->expect, &s->base, &s->sweep);
            uint32_t harmless = d->error_count - before;
            if (document_find(s->base.root, "links"))
                s->elsewhere = elsewhere_find(&s->sweep, &s->arena);
            bind_points(s, harmless);
        }
        make_report(s);
        if (s->validate)
            warn(s);
    }
    if (!s->base.root || d->error_count) {
        scenario_free(s);
        return NULL;
    }
    make_hash(s);
    s->shared->frozen = true;
    return s;
}

static struct scenario *begin(const struct scenario_request *request,
                              struct diagnostics *diagnostics)
{
    struct scenario *s = calloc(1, sizeof *s);
    if (!s)
        check_machine("out of memory");
    s->base = (struct document){.arena = &s->arena, .diagnostics = diagnostics};
    s->kinds = request->kinds;
    s->validate = request->validate;
    s->stem = stem_of(&s->arena, request->path);
    s->shared = arena_new(&s->arena, struct sampler_shared);
    s->shared->arena = &s->arena;
    return s;
}

struct scenario *scenario_load(const struct scenario_request *request,
                               struct diagnostics *diagnostics)
{
    struct scenario *s = begin(request, diagnostics);
    const char *slash = strrchr(request->path, '/');
    s->shared->folder =
        slash ? arena_text(&s->arena, request->path, (size_t)(slash - request->path)) : ".";
    if (!document_read(&s->base, request->path))
        s->base.root = NULL;
    return finish(s, request);
}

struct scenario *scenario_load_text(const struct scenario_request *request, const char *text,
                                    size_t size, struct diagnostics *diagnostics)
{
    struct scenario *s = begin(request, diagnostics);
    if (!document_read_text(&s->base, request->path, text, size, NULL))
        s->base.root = NULL;
    return finish(s, request);
}

void scenario_free(struct scenario *scenario)
{
    if (!scenario)
        return;
    arena_free(&scenario->arena);
    free(scenario);
}

const struct report *scenario_report(const struct scenario *scenario)
{
    return &scenario->report;
}

bool scenario_warmup_auto(const struct scenario *scenario, double *floor_ns)
{
    *floor_ns = scenario->warmup_floor;
    return scenario->run.auto_warmup;
}

void scenario_warmup_set(struct scenario *scenario, int64_t warmup_ns, bool too_short)
{
    CHECK(scenario->run.auto_warmup && warmup_ns >= 0 && warmup_ns < scenario->run.duration);
    scenario->found_warmup = warmup_ns;
    scenario->report.warmup = warmup_ns;
    scenario->report.warmup_short = too_short;
}

struct blueprint *scenario_blueprint(const struct scenario *scenario, uint32_t point)
{
    CHECK(point < scenario->sweep.point_count);
    struct made *made = calloc(1, sizeof *made);
    struct point built;
    if (!made)
        check_machine("out of memory");
    scenario_point(scenario, point, &made->arena, &made->blueprint, &built);
    CHECK(!scenario->base.diagnostics->error_count);
    return &made->blueprint;
}

void scenario_blueprint_free(struct blueprint *blueprint)
{
    struct made *made = (struct made *)(void *)blueprint;
    if (!made)
        return;
    arena_free(&made->arena);
    free(made);
}

const char *scenario_hash(const struct scenario *scenario)
{
    return scenario->hash;
}

const char *scenario_stem(const struct scenario *scenario)
{
    return scenario->stem;
}

const char *scenario_canonical(const struct scenario *scenario)
{
    return scenario->canonical;
}
