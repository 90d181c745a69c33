#include "engine/scenario/call.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

struct parser {
    struct arena *arena;
    const char *text;
    size_t at;
    uint32_t depth;
    struct call_problem *problem;
    bool failed;
};

static void fail(struct parser *parser, size_t offset, size_t length, const char *hint,
                 const char *format, ...) __attribute__((format(printf, 5, 6)));

static void fail(struct parser *parser, size_t offset, size_t length, const char *hint,
                 const char *format, ...)
{
    if (parser->failed)
        return;
    parser->failed = true;
    *parser->problem = (struct call_problem){
        .offset = (uint32_t)offset,
        .length = (uint32_t)length,
    };
    snprintf(parser->problem->hint, sizeof parser->problem->hint, "%s", hint ? hint : "");
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(parser->problem->message, sizeof parser->problem->message, format, arguments);
    va_end(arguments);
}

/* The terms of a list while it is read. */
struct terms {
    struct call *items;
    uint32_t count, room;
};

static void add(struct parser *parser, struct terms *terms, struct call term)
{
    if (terms->count == terms->room) {
        uint32_t room = terms->room ? terms->room * 2 : 4;
        struct call *wider = arena_array(parser->arena, room, struct call);
        if (terms->count)
            memcpy(wider, terms->items, terms->count * sizeof *wider);
        terms->items = wider;
        terms->room = room;
    }
    terms->items[terms->count++] = term;
}

static const char *part(struct parser *parser, size_t offset, size_t length)
{
    return arena_text(parser->arena, parser->text + offset, length);
}

static bool is_name(const char *text, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        char c = text[i];
        bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
        if (!letter && (i == 0 || c < '0' || c > '9'))
            return false;
    }
    return length > 0;
}

static void skip_spaces(struct parser *parser)
{
    while (parser->text[parser->at] == ' ')
        parser->at++;
}

static struct call read_terms(struct parser *parser, bool in_call);

/* `p99.9` is the one kind of parameter with a point in its name. */
static bool is_percentile(const char *text, size_t length)
{
    if (length < 2 || text[0] != 'p')
        return false;
    for (size_t i = 1; i < length; i++)
        if ((text[i] < '0' || text[i] > '9') && text[i] != '.')
            return false;
    return true;
}

/* The end of a word: a space, parenthesis, comma, `=` behind a name, or `..`. */
static size_t word_end(const struct parser *parser, size_t at)
{
    const char *text = parser->text;
    size_t from = at;
    for (; text[at] && !strchr(" (),", text[at]); at++) {
        if (text[at] == '.' && text[at + 1] == '.')
            break;
        if (text[at] == '=' &&
            (is_name(text + from, at - from) || is_percentile(text + from, at - from)))
            break;
    }
    return at;
}

/* A word or a call, without range. */
static struct call read_piece(struct parser *parser)
{
    size_t from = parser->at;
    size_t to = word_end(parser, from);
    struct call piece = {
        .type = CALL_WORD,
        .offset = (uint32_t)from,
        .length = (uint32_t)(to - from),
        .text = part(parser, from, to - from),
    };
    parser->at = to;
    if (to == from) {
        char c = parser->text[to];
        if (c == ',')
            fail(parser, to, 1, "separate arguments with spaces: lognormal(p50=4ms p99=20ms)",
                 "a comma between arguments");
        else if (c == ')')
            fail(parser, to, 1, NULL, "a `)` without its `(`");
        else if (c == '(')
            fail(parser, to, 1, "write the name in front: exp(5ms)", "a `(` without a name");
        else
            fail(parser, to, c ? 1 : 0, NULL, "a value is missing here");
        return piece;
    }
    if (parser->text[to] != '(')
        return piece;
    if (!is_name(parser->text + from, to - from)) {
        fail(parser, from, to - from, "put a space in front of the `(`, or remove it",
             "`%s` is no name of a call", piece.text);
        return piece;
    }
    if (++parser->depth > CALL_DEPTH_MAX) {
        fail(parser, to, 1, NULL, "calls are nested deeper than %d", CALL_DEPTH_MAX);
        return piece;
    }
    parser->at++;
    struct call inside = read_terms(parser, true);
    if (!parser->failed && parser->text[parser->at] != ')')
        fail(parser, to, 1, NULL, "the `(` of `%s` is not closed", piece.text);
    parser->at += !parser->failed;
    parser->depth--;
    piece.type = CALL_CALL;
    piece.length = (uint32_t)(parser->at - from);
    piece.count = inside.count;
    piece.sum = inside.sum;
    piece.arguments = inside.arguments;
    return piece;
}

/* A piece, or a range of two. */
static struct call read_term(struct parser *parser)
{
    struct call low = read_piece(parser);
    if (parser->failed || strncmp(parser->text + parser->at, "..", 2) != 0)
        return low;
    parser->at += 2;
    if (parser->text[parser->at] == ' ' || !parser->text[parser->at]) {
        fail(parser, parser->at - 2, 2, "write a..b without spaces", "a range without its end");
        return low;
    }
    struct call high = read_piece(parser);
    if (parser->failed)
        return low;
    if (!strncmp(parser->text + parser->at, "..", 2)) {
        fail(parser, parser->at, 2, NULL, "a range has two ends");
        return low;
    }
    struct call *ends = arena_array(parser->arena, 2, struct call);
    ends[0] = low;
    ends[1] = high;
    size_t length = parser->at - low.offset;
    return (struct call){
        .type = CALL_RANGE,
        .text = part(parser, low.offset, length),
        .offset = low.offset,
        .length = (uint32_t)length,
        .count = 2,
        .arguments = ends,
    };
}

static struct call read_argument(struct parser *parser)
{
    size_t from = parser->at, name_end = word_end(parser, from);
    if (parser->text[name_end] != '=' || name_end == from)
        return read_term(parser);
    const char *name = part(parser, from, name_end - from);
    parser->at = name_end + 1;
    if (parser->text[parser->at] == ' ') {
        fail(parser, name_end, 1, "write p50=4ms without spaces", "a space behind `%s=`", name);
        return (struct call){0};
    }
    struct call term = read_term(parser);
    term.parameter = name;
    term.parameter_offset = (uint32_t)from;
    return term;
}

static struct call group_of(struct parser *parser, const struct terms *terms)
{
    struct call group = {.type = CALL_GROUP, .count = terms->count, .arguments = terms->items};
    if (terms->count) {
        const struct call *first = &terms->items[0], *last = &terms->items[terms->count - 1];
        group.offset = first->parameter ? first->parameter_offset : first->offset;
        group.length = last->offset + last->length - group.offset;
    }
    group.text = part(parser, group.offset, group.length);
    return group;
}

/* Terms up to the end or the closing parenthesis, as a group; as a group of groups with `sum` when
 * ` + ` stands between them. */
static struct call read_terms(struct parser *parser, bool in_call)
{
    struct terms terms = {0}, groups = {0};
    for (;;) {
        skip_spaces(parser);
        char c = parser->text[parser->at];
        if (parser->failed || !c || (c == ')' && in_call))
            break;
        if (c == '+' && strchr(" )", parser->text[parser->at + 1])) {
            if (!terms.count)
                fail(parser, parser->at, 1, NULL, "nothing stands in front of the `+`");
            if (parser->failed)
                break;
            add(parser, &groups, group_of(parser, &terms));
            terms = (struct terms){0};
            parser->at++;
            continue;
        }
        add(parser, &terms, read_argument(parser));
        c = parser->text[parser->at];
        if (!parser->failed && c == ',')
            fail(parser, parser->at, 1,
                 "separate arguments with spaces: lognormal(p50=4ms p99=20ms)",
                 "a comma between arguments");
        if (!parser->failed && c && c != ' ' && c != ')')
            fail(parser, parser->at, 1, NULL, "a space is missing here");
    }
    if (groups.count && !terms.count)
        fail(parser, parser->at ? parser->at - 1 : 0, 1, NULL, "nothing stands behind the `+`");
    /* A term that was not read has no place a group could span. */
    if (parser->failed)
        return (struct call){0};
    if (!groups.count)
        return group_of(parser, &terms);
    add(parser, &groups, group_of(parser, &terms));
    struct call sum = group_of(parser, &groups);
    sum.sum = true;
    return sum;
}

const struct call *call_parse(struct arena *arena, const char *text, struct call_problem *problem)
{
    struct parser parser = {.arena = arena, .text = text, .problem = problem};
    *problem = (struct call_problem){0};
    struct call terms = read_terms(&parser, false);
    if (!parser.failed && !terms.count)
        fail(&parser, 0, 0, NULL, "a value is missing here");
    if (parser.failed)
        return NULL;
    if (terms.count == 1 && !terms.sum)
        return terms.arguments;
    struct call *group = arena_new(arena, struct call);
    *group = terms;
    return group;
}
