#include "engine/scenario/reader.h"

#include "engine/kernel/check.h"
#include "engine/scenario/text.h"
#include "engine/scenario/trap.h"

#include <string.h>
#include <yaml.h>

/* libyaml's event interface only: its tree builder takes half a minute for a million `[`, builds
 * cyclic graphs and ignores duplicate keys. Its events are pulled one by one, so reading stops at
 * the first that passes a limit. */

static const char too_deep[] = "lists and maps are nested deeper than 64";

struct anchor {
    const char *name;
    struct node *node; /* NULL while it is being read: a reference now would be to itself */
};

/* A list or map whose end has not come. Its children wait on the stack from `first` on. */
struct frame {
    struct spot place;
    uint32_t first;
    uint32_t anchor; /* index + 1; 0: none */
    bool is_map, is_flow;
};

struct reader {
    struct document *document;
    yaml_parser_t parser;
    uint32_t source;
    uint32_t shift;  /* characters in front of the text on its first line */
    uint32_t values; /* so far, aliases spelled out */
    bool failed;     /* told; nothing more can be read */
    bool is_value;   /* one value of an option is read, not a file */
    struct frame frames[DOCUMENT_DEPTH_MAX];
    uint32_t depth;
    struct node **stack;
    uint32_t count, room;
    struct anchor *anchors;
    uint32_t anchor_count, anchor_room;
    struct node *root;
};

static struct spot place_of(const struct reader *reader, yaml_mark_t mark)
{
    uint32_t line = (uint32_t)mark.line + 1;
    uint32_t column = (uint32_t)mark.column + 1;
    if (line == 1)
        column += reader->shift;
    return (struct spot){.source = reader->source, .line = line, .column = column};
}

static void fail(struct reader *reader, struct spot place, const char *hint, const char *message)
{
    diagnostic_error(reader->document->diagnostics, place, hint, "%s", message);
    reader->failed = true;
}

static struct node *bad(struct reader *reader, struct spot place)
{
    struct node *node = arena_new(reader->document->arena, struct node);
    node->place = place;
    node->values = 1;
    node->text = "";
    return node;
}

static void push(struct reader *reader, struct node *node)
{
    if (reader->count == reader->room) {
        uint32_t room = reader->room ? reader->room * 2 : 64;
        struct node **wider = arena_array(reader->document->arena, room, struct node *);
        if (reader->count)
            memcpy(wider, reader->stack, reader->count * sizeof *wider);
        reader->stack = wider;
        reader->room = room;
    }
    reader->stack[reader->count++] = node;
}

/* A finished value, new or shared: `values` of it are new to the document. */
static void put(struct reader *reader, struct node *node, uint32_t values)
{
    reader->values += values;
    if (reader->values > DOCUMENT_VALUES_MAX) {
        fail(reader, node->place, "are there aliases of aliases?",
             "more than 1000000 values in one scenario");
        return;
    }
    if (reader->depth + node->height > DOCUMENT_DEPTH_MAX) {
        fail(reader, node->place, "are there aliases inside of aliases?", too_deep);
        return;
    }
    if (!reader->depth) {
        reader->root = node;
        return;
    }
    struct frame *frame = &reader->frames[reader->depth - 1];
    bool is_key = frame->is_map && (reader->count - frame->first) % 2 == 0;
    if (is_key && (node->type == NODE_LIST || node->type == NODE_MAP)) {
        diagnostic_error(reader->document->diagnostics, node->place,
                         "quote it if it is meant as text", "a list or map cannot be a key");
        node = bad(reader, node->place);
    }
    push(reader, node);
}

static uint32_t open_anchor(struct reader *reader, const yaml_char_t *name, struct node *node)
{
    if (!name)
        return 0;
    if (reader->anchor_count == reader->anchor_room) {
        uint32_t room = reader->anchor_room ? reader->anchor_room * 2 : 8;
        struct anchor *wider = arena_array(reader->document->arena, room, struct anchor);
        if (reader->anchor_count)
            memcpy(wider, reader->anchors, reader->anchor_count * sizeof *wider);
        reader->anchors = wider;
        reader->anchor_room = room;
    }
    const char *text = (const char *)name;
    reader->anchors[reader->anchor_count] = (struct anchor){
        .name = arena_text(reader->document->arena, text, strlen(text)), .node = node};
    return ++reader->anchor_count;
}

static void refuse_tag(struct reader *reader, const yaml_char_t *tag, struct spot place)
{
    if (tag)
        diagnostic_error(reader->document->diagnostics, place,
                         "a text that starts with `!` must stand in quotes",
                         "`%s` is a tag, and scenarios have none", (const char *)tag);
}

static void on_alias(struct reader *reader, const yaml_event_t *event)
{
    struct spot place = place_of(reader, event->start_mark);
    const char *name = (const char *)event->data.alias.anchor;
    place.length = (uint32_t)text_count(name, strlen(name)) + 1;
    struct diagnostics *diagnostics = reader->document->diagnostics;
    const struct anchor *found = NULL;
    for (uint32_t i = reader->anchor_count; i-- > 0 && !found;) {
        if (!strcmp(reader->anchors[i].name, name))
            found = &reader->anchors[i];
    }
    if (found && found->node) {
        put(reader, found->node, found->node->values);
        return;
    }
    if (found) {
        diagnostic_error(diagnostics, place, NULL, "`*%s` refers to itself", name);
    } else {
        const char **names = arena_array(&diagnostics->arena, reader->anchor_count, const char *);
        for (uint32_t i = 0; i < reader->anchor_count; i++)
            names[i] = reader->anchors[i].name;
        const char *hint = diagnostic_suggest(diagnostics, name, names, reader->anchor_count);
        diagnostic_error(diagnostics, place,
                         hint ? hint : "a text that starts with `*` must stand in quotes",
                         "no anchor `&%s` stands above", name);
    }
    put(reader, bad(reader, place), 1);
}

static void on_scalar(struct reader *reader, const yaml_event_t *event)
{
    struct diagnostics *diagnostics = reader->document->diagnostics;
    const char *text = (const char *)event->data.scalar.value;
    size_t size = event->data.scalar.length;
    /* A text of several lines is a text, quotes or not. */
    bool plain = event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
    bool quoted = !plain || memchr(text, '\n', size);
    bool in_flow = reader->depth && reader->frames[reader->depth - 1].is_flow;
    struct node *node = arena_new(reader->document->arena, struct node);
    *node = (struct node){
        .type = NODE_SCALAR,
        .quoted = quoted,
        .place = place_of(reader, event->start_mark),
        .text = arena_text(reader->document->arena, text, size),
        .values = 1,
    };
    bool one_line = event->start_mark.line == event->end_mark.line;
    size_t width = one_line ? event->end_mark.column - event->start_mark.column : 1;
    node->place.length = (uint32_t)width;
    node->literal = one_line && width == text_count(text, size) + (quoted ? 2 : 0);
    refuse_tag(reader, event->data.scalar.tag, node->place);
    if (memchr(text, 0, size)) {
        diagnostic_error(diagnostics, node->place, NULL, "a text cannot hold a NUL character");
        node->type = NODE_BAD;
    } else if (plain && !strcmp(text, "-")) {
        diagnostic_error(diagnostics, node->place, "quote it if it is meant as text",
                         "a `-` that is no item of a list");
        node->type = NODE_BAD;
    } else if (in_flow && plain && trap_cut(text)) {
        diagnostic_error(
            diagnostics, node->place,
            "close it, and separate arguments with spaces: lognormal(p50=4ms p99=20ms)",
            "`%s` is not closed: a comma ends a value here", text);
        node->type = NODE_BAD;
    }
    open_anchor(reader, event->data.scalar.anchor, node);
    put(reader, node, 1);
}

static void on_begin(struct reader *reader, const yaml_event_t *event)
{
    bool is_map = event->type == YAML_MAPPING_START_EVENT;
    struct spot place = place_of(reader, event->start_mark);
    place.length = 1;
    const yaml_char_t *tag =
        is_map ? event->data.mapping_start.tag : event->data.sequence_start.tag;
    const yaml_char_t *anchor =
        is_map ? event->data.mapping_start.anchor : event->data.sequence_start.anchor;
    refuse_tag(reader, tag, place);
    if (reader->depth == DOCUMENT_DEPTH_MAX) {
        fail(reader, place, NULL, too_deep);
        return;
    }
    reader->frames[reader->depth++] = (struct frame){
        .place = place,
        .first = reader->count,
        .anchor = open_anchor(reader, anchor, NULL),
        .is_map = is_map,
        .is_flow = is_map ? event->data.mapping_start.style == YAML_FLOW_MAPPING_STYLE
                          : event->data.sequence_start.style == YAML_FLOW_SEQUENCE_STYLE,
    };
}

static bool is_empty(const struct node *node)
{
    return node->type == NODE_SCALAR && !node->quoted && !*node->text;
}

/* Whether the value was refused because a comma cut it in two. */
static bool is_cut(const struct node *node)
{
    return node->type == NODE_BAD && trap_cut(node->text);
}

static struct node *list_of(struct reader *reader, const struct frame *frame)
{
    uint32_t count = reader->count - frame->first;
    struct node **items = arena_array(reader->document->arena, count, struct node *);
    bool was_cut = false;
    for (uint32_t i = 0; i < count; i++) {
        items[i] = reader->stack[frame->first + i];
        if (was_cut && items[i]->type == NODE_SCALAR) {
            /* The rest of a call that a comma cut in two: told already. */
            was_cut = !strchr(items[i]->text, ')');
            items[i] = bad(reader, items[i]->place);
            continue;
        }
        was_cut = is_cut(items[i]);
        if (is_empty(items[i])) {
            diagnostic_error(reader->document->diagnostics, items[i]->place, NULL,
                             "an item without a value");
            items[i] = bad(reader, items[i]->place);
        }
    }
    return document_list(reader->document, items, count, frame->place);
}

/* The pairs of a map while it is being put together. */
struct pairs {
    struct node **keys, **items;
    uint32_t count, room;
};

static void add_pair(struct reader *reader, struct pairs *pairs, struct node *key,
                     struct node *item)
{
    if (pairs->count == pairs->room) {
        struct arena *arena = reader->document->arena;
        uint32_t room = pairs->room ? pairs->room * 2 : 8;
        struct node **keys = arena_array(arena, room, struct node *);
        struct node **items = arena_array(arena, room, struct node *);
        if (pairs->count) {
            memcpy(keys, pairs->keys, pairs->count * sizeof *keys);
            memcpy(items, pairs->items, pairs->count * sizeof *items);
        }
        *pairs = (struct pairs){keys, items, pairs->count, room};
    }
    pairs->keys[pairs->count] = key;
    pairs->items[pairs->count++] = item;
}

/* Adds what `<<` brings: the pairs of a map, or of each map of a list. */
static void add_merged(struct reader *reader, struct pairs *pairs, const struct node *value)
{
    if (value->type == NODE_BAD)
        return;
    if (value->type == NODE_MAP) {
        for (uint32_t i = 0; i < value->count; i++)
            add_pair(reader, pairs, value->keys[i], value->items[i]);
        return;
    }
    for (uint32_t i = 0; i < value->count && value->type == NODE_LIST; i++) {
        if (value->items[i]->type == NODE_MAP)
            add_merged(reader, pairs, value->items[i]);
        else if (value->items[i]->type != NODE_BAD)
            value = value->items[i];
    }
    if (value->type == NODE_SCALAR)
        diagnostic_error(reader->document->diagnostics, value->place, "for example <<: *base",
                         "`<<` takes a map or a list of maps");
}

/* Keeps the first of equal keys; the first `own` pairs were written here, where a second is an
 * error, the others were merged and give way silently. */
static void drop_duplicates(struct reader *reader, struct pairs *pairs, uint32_t own)
{
    struct arena *arena = reader->document->arena;
    const uint32_t *sorted = reader_sorted(arena, pairs->keys, pairs->count);
    bool *dropped = arena_array(arena, pairs->count, bool);
    for (uint32_t i = 1, kept = 0; i < pairs->count; i++) {
        const struct node *first = pairs->keys[sorted[kept]], *key = pairs->keys[sorted[i]];
        if (strcmp(first->text, key->text) != 0) {
            kept = i;
            continue;
        }
        dropped[sorted[i]] = true;
        if (sorted[i] >= own || key->type == NODE_BAD)
            continue;
        diagnostic_error(reader->document->diagnostics, key->place, NULL,
                         "the key `%s` stands twice in this map", key->text);
        diagnostic_note(reader->document->diagnostics, first->place, "the first stands here");
    }
    uint32_t count = 0;
    for (uint32_t i = 0; i < pairs->count; i++) {
        if (dropped[i] || pairs->keys[i]->type == NODE_BAD)
            continue;
        pairs->keys[count] = pairs->keys[i];
        pairs->items[count++] = pairs->items[i];
    }
    pairs->count = count;
}

static struct node *map_of(struct reader *reader, const struct frame *frame)
{
    struct pairs pairs = {0};
    const struct node *merged = NULL;
    bool was_cut = false;
    for (uint32_t i = frame->first; i + 1 < reader->count; i += 2) {
        struct node *key = reader->stack[i], *item = reader->stack[i + 1];
        if (!strcmp(key->text, "<<") && !key->quoted && !merged) {
            merged = item;
            continue;
        }
        if (!strcmp(key->text, "<<") && !key->quoted) {
            diagnostic_error(reader->document->diagnostics, key->place, "list them: <<: [*a, *b]",
                             "`<<` stands twice in this map");
            key = bad(reader, key->place);
        } else if (is_empty(key) && key->type == NODE_SCALAR) {
            diagnostic_error(reader->document->diagnostics, key->place, NULL, "an empty key");
            key = bad(reader, key->place);
        } else if (is_empty(item)) {
            /* What follows a call that a comma cut in two is the rest of it: told already. */
            if (was_cut || key->type == NODE_BAD ||
                trap_empty(reader->document, key, frame->is_flow))
                key = bad(reader, key->place);
            item = bad(reader, key->place);
        } else if (key->type != NODE_BAD) {
            trap_pair(reader->document, key, item, reader->depth == 0);
            was_cut = is_cut(item);
        }
        add_pair(reader, &pairs, key, item);
    }
    uint32_t own = pairs.count;
    if (merged)
        add_merged(reader, &pairs, merged);
    if (merged && pairs.count > DOCUMENT_VALUES_MAX) {
        fail(reader, frame->place, NULL, "more than 1000000 values in one scenario");
        return bad(reader, frame->place);
    }
    drop_duplicates(reader, &pairs, own);
    return document_map(reader->document, pairs.keys, pairs.items, pairs.count, frame->place);
}

static void on_end(struct reader *reader)
{
    CHECK(reader->depth > 0);
    struct frame frame = reader->frames[--reader->depth];
    uint32_t counted = 0;
    for (uint32_t i = frame.first; i < reader->count; i++)
        counted += reader->stack[i]->values;
    struct node *node = frame.is_map ? map_of(reader, &frame) : list_of(reader, &frame);
    reader->count = frame.first;
    if (frame.anchor)
        reader->anchors[frame.anchor - 1].node = node;
    /* What `<<` brought counts too: maps that merge maps explode as aliases do. */
    if (!reader->failed)
        put(reader, node, node->values > counted ? node->values - counted : 1);
}

static void on_event(struct reader *reader, const yaml_event_t *event)
{
    switch (event->type) {
    case YAML_DOCUMENT_START_EVENT:
        if (reader->root)
            fail(reader, place_of(reader, event->start_mark),
                 "put it into a file of its own; `sweep` compares variants",
                 "a second document in one file");
        break;
    case YAML_ALIAS_EVENT:
        on_alias(reader, event);
        break;
    case YAML_SCALAR_EVENT:
        on_scalar(reader, event);
        break;
    case YAML_SEQUENCE_START_EVENT:
    case YAML_MAPPING_START_EVENT:
        on_begin(reader, event);
        break;
    case YAML_SEQUENCE_END_EVENT:
    case YAML_MAPPING_END_EVENT:
        on_end(reader);
        break;
    default:
        break;
    }
}

static void tell_syntax(struct reader *reader)
{
    const yaml_parser_t *parser = &reader->parser;
    if (parser->error == YAML_MEMORY_ERROR)
        check_machine("out of memory");
    if (reader->is_value) {
        struct spot place = place_of(reader, (yaml_mark_t){.column = 1});
        fail(reader, place, "for example 8, [a, b] or {interval: 5s}", "this is no value");
        return;
    }
    struct spot begin = {0};
    if (parser->context)
        begin = place_of(reader, parser->context_mark);
    trap_syntax(reader->document, parser->problem, parser->context,
                place_of(reader, parser->problem_mark), begin);
    reader->failed = true;
}

/* Reads all events of the text. */
static struct node *read_events(struct reader *reader, const char *text, size_t size)
{
    if (!yaml_parser_initialize(&reader->parser))
        check_machine("out of memory");
    yaml_parser_set_encoding(&reader->parser, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(&reader->parser, (const unsigned char *)text, size);
    for (bool is_end = false; !is_end && !reader->failed;) {
        yaml_event_t event;
        if (!yaml_parser_parse(&reader->parser, &event)) {
            tell_syntax(reader);
            break;
        }
        is_end = event.type == YAML_STREAM_END_EVENT;
        on_event(reader, &event);
        yaml_event_delete(&event);
    }
    yaml_parser_delete(&reader->parser);
    return reader->failed ? NULL : reader->root;
}

struct node *reader_tree(struct document *document, uint32_t source, const char *text, size_t size)
{
    static const char hint[] =
        "the smallest: {orrery: 1, nodes: {users: {kind: client, arrivals: poisson(80/s), to: "
        "desk}, desk: {kind: service, time: exp(10ms)}}}";
    if (!trap_bytes(document->diagnostics, source, text, size))
        return NULL;
    size_t bom_size = size >= 3 && !memcmp(text, "\xEF\xBB\xBF", 3) ? 3 : 0;
    struct reader reader = {.document = document, .source = source};
    struct node *root = read_events(&reader, text + bom_size, size - bom_size);
    if (reader.failed)
        return NULL;
    if (!root || is_empty(root)) {
        diagnostic_error(document->diagnostics, (struct spot){.source = source}, hint,
                         "the file holds no scenario");
        return NULL;
    }
    if (root->type != NODE_MAP) {
        diagnostic_error(document->diagnostics, root->place, hint,
                         "a scenario is a map of keys such as `orrery` and `nodes`");
        return NULL;
    }
    return root;
}

struct node *reader_value(struct document *document, uint32_t source, const char *text,
                          size_t offset)
{
    size_t size = strlen(text);
    if (!trap_bytes(document->diagnostics, source, text, size))
        return NULL;
    /* Inside brackets every text is in flow syntax; the bracket's own column is taken off again. */
    const char *list = arena_format(document->arena, "[%s\n]", text + offset);
    struct reader reader = {
        .document = document,
        .source = source,
        .shift = (uint32_t)text_count(text, offset) - 1,
        .is_value = true,
    };
    const struct node *items = read_events(&reader, list, strlen(list));
    if (!items)
        return NULL;
    if (items->type == NODE_LIST && items->count == 1)
        return items->items[0]->type == NODE_BAD ? NULL : items->items[0];
    diagnostic_error(document->diagnostics,
                     diagnostic_at(document->diagnostics, source, offset, size),
                     items->count ? "write a list in brackets, [a, b]" : NULL,
                     items->count ? "more than one value after `=`" : "no value after `=`");
    return NULL;
}
