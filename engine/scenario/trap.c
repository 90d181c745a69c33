#include "engine/scenario/trap.h"

#include "engine/scenario/text.h"

#include <string.h>

/* Whether the byte at `offset` stands behind a `#` that begins a comment. A `#` inside quotes is
 * taken for one too, which only spares a tab. */
static bool in_comment(const char *text, size_t offset)
{
    while (offset-- > 0 && text[offset] != '\n' && text[offset] != '\r') {
        if (text[offset] == '#' && (offset == 0 || strchr(" \t\r\n", text[offset - 1])))
            return true;
    }
    return false;
}

static void tell_byte(struct diagnostics *diagnostics, uint32_t source, size_t offset,
                      size_t length, uint32_t code)
{
    struct spot place = diagnostic_at(diagnostics, source, offset, length);
    if (code == '\t')
        diagnostic_error(diagnostics, place, "use spaces", "a tab");
    else if (code == 0)
        diagnostic_error(diagnostics, place, NULL, "a NUL byte; this is no text file");
    else
        diagnostic_error(diagnostics, place, "remove it, or write it as an escape in double quotes",
                         "the invisible character U+%04X", (unsigned)code);
}

bool trap_bytes(struct diagnostics *diagnostics, uint32_t source, const char *text, size_t size)
{
    uint32_t errors = diagnostics->error_count;
    size_t from = size >= 3 && !memcmp(text, "\xEF\xBB\xBF", 3) ? 3 : 0;
    if (size >= 2 && (!memcmp(text, "\xFF\xFE", 2) || !memcmp(text, "\xFE\xFF", 2))) {
        diagnostic_error(diagnostics, (struct spot){.source = source}, "save it as UTF-8",
                         "the file is written in UTF-16");
        return false;
    }
    uint32_t told = 0;
    size_t line_of_tab = SIZE_MAX;
    for (size_t i = from, line = 0; i < size && told <= DIAGNOSTIC_SHOWN_MAX;) {
        uint32_t code;
        size_t length = text_decode(text + i, size - i, &code);
        if (!length) {
            diagnostic_error(diagnostics, diagnostic_at(diagnostics, source, i, 1),
                             "save the file as UTF-8", "a byte that is no UTF-8: 0x%02X",
                             (unsigned)(unsigned char)text[i]);
            return false;
        }
        line += code == '\n' || code == '\r';
        bool is_bad = text_is_control(code) && code != '\n' && code != '\r';
        if (is_bad && code == '\t')
            is_bad = line != line_of_tab && !in_comment(text, i);
        if (is_bad) {
            line_of_tab = code == '\t' ? line : line_of_tab;
            tell_byte(diagnostics, source, i, length, code);
            told++;
        }
        i += length;
    }
    return diagnostics->error_count == errors;
}

struct translation {
    const char *problem; /* the beginning of libyaml's words */
    const char *context; /* words its context must hold; NULL: any */
    bool at_begin;       /* point at where the construct began */
    const char *message;
    const char *hint;
};

static const char quote_hint[] =
    "a value that starts with one of * & ! | > % @ ` must stand in quotes";

static const struct translation translations[] = {
    {"mapping values are not allowed", NULL, false, "a second `:` where none can stand",
     "is the line indented too far, or does a key in front of it already have a value?"},
    {"did not find expected ',' or '}'", NULL, true, "the `{` is not closed by a `}`",
     "separate the pairs with commas, and close what was opened"},
    {"did not find expected ',' or ']'", NULL, true, "the `[` is not closed by a `]`",
     "separate the items with commas, and close what was opened"},
    {"did not find expected key", NULL, false, "this does not fit the map it stands in",
     "keys of one map begin in the same column; text after a quoted value is not allowed"},
    {"did not find expected '-' indicator", NULL, false, "this does not fit the list it stands in",
     "items of one list begin with `- ` in the same column"},
    {"found character that cannot start any token", NULL, false,
     "a value cannot start with this character", "put the value in quotes"},
    {"found unexpected end of stream", "quoted scalar", true, "the quote is not closed", NULL},
    {"found unexpected document indicator", NULL, true, "the quote is not closed", NULL},
    {"could not find expected ':'", NULL, true, "a key without its colon",
     "write `key: value`, with a space after the colon"},
    {"found unknown escape character", NULL, false, "an unknown escape after `\\`",
     "write \\\\ for a backslash, or use single quotes"},
    {"did not find expected hexdecimal number", NULL, false,
     "an escape without its hexadecimal digits",
     "write \\\\ for a backslash, or use single quotes"},
    {"found invalid Unicode character escape code", NULL, false,
     "an escape that is no Unicode character", NULL},
    {"did not find expected alphabetic or numeric character", "alias", true,
     "`*` begins a reference to an anchor", quote_hint},
    {"did not find expected alphabetic or numeric character", "anchor", true,
     "`&` begins an anchor", quote_hint},
    {"did not find expected comment or line break", "block scalar", true,
     "`|` and `>` begin a text of several lines", quote_hint},
    {"did not find expected comment or line break", NULL, true, "`%` begins a directive",
     quote_hint},
    {"found an indentation indicator equal to 0", NULL, true,
     "`|` and `>` begin a text of several lines", quote_hint},
    {"did not find expected", "tag", true, "`!` begins a tag, and scenarios have none", quote_hint},
    {"found undefined tag handle", NULL, false, "`!` begins a tag, and scenarios have none",
     quote_hint},
    {"", "directive", true, "`%` begins a directive, and scenarios have none", quote_hint},
    {"did not find expected <document start>", NULL, false,
     "this stands behind the end of the scenario", "is it indented less than the first key?"},
    {"block sequence entries are not allowed", NULL, false, "a list cannot begin here",
     "put `- ` on a line of its own, or write the list as [a, b]"},
    {"block mapping keys are not allowed", NULL, false, "`?` cannot stand here", "quote the value"},
    {"did not find expected node content", NULL, false, "a value is missing here", NULL},
    {"found duplicate", NULL, false, "the directive stands twice", NULL},
    {"found incompatible YAML document", NULL, false, "a version of YAML that is not 1.1 or 1.2",
     "remove the line"},
};

/* Whether the line reads `key: text: more`, so that quotes around the text would mend it. `place`
 * is that of the second colon. */
static bool is_open_text(const struct document *document, struct spot place, const char **key,
                         int *key_size)
{
    size_t size;
    struct spot begin = {.source = place.source, .line = place.line, .column = 1};
    const char *line = diagnostic_text(document->diagnostics, begin, &size);
    size_t at = 0;
    while (at < size && (line[at] == ' ' || line[at] == '-'))
        at++;
    for (size_t i = at; i + 1 < size && i + 1 < place.column; i++) {
        if (line[i] != ':' || line[i + 1] != ' ')
            continue;
        *key = line + at;
        *key_size = (int)(i - at);
        return i + 1 < place.column - 1 && i > at && i - at < 40;
    }
    return false;
}

void trap_syntax(struct document *document, const char *problem, const char *context,
                 struct spot place, struct spot begin)
{
    struct diagnostics *diagnostics = document->diagnostics;
    const char *key;
    int key_size;
    if (!problem)
        problem = "";
    if (!strncmp(problem, "mapping values", 14) && is_open_text(document, place, &key, &key_size)) {
        const char *hint =
            arena_format(&diagnostics->arena, "quote the text that holds `: `, as in %.*s: \"...\"",
                         key_size, key);
        diagnostic_error(diagnostics, place, hint, "a second `: ` in the value of `%.*s`", key_size,
                         key);
        return;
    }
    for (size_t i = 0; i < sizeof translations / sizeof *translations; i++) {
        const struct translation *t = &translations[i];
        if (strncmp(problem, t->problem, strlen(t->problem)) != 0)
            continue;
        if (t->context && (!context || !strstr(context, t->context)))
            continue;
        diagnostic_error(diagnostics, t->at_begin && begin.line ? begin : place, t->hint, "%s",
                         t->message);
        size_t size;
        diagnostic_text(diagnostics, place, &size);
        if (t->at_begin && begin.line && place.line > begin.line && size)
            diagnostic_note(diagnostics, place, "noticed here");
        return;
    }
    diagnostic_error(diagnostics, place, NULL, "no YAML: %s", problem);
}

/* The text ends where a comment begins that was perhaps meant as part of it: `Is ticket #5 lost?`.
 */
static void warn_of_comment(struct document *document, const struct node *value)
{
    size_t size;
    struct spot end = value->place;
    end.column += end.length;
    const char *rest = diagnostic_text(document->diagnostics, end, &size);
    size_t spaces = 0;
    while (spaces < size && rest[spaces] == ' ')
        spaces++;
    if (!spaces || spaces + 1 >= size || rest[spaces] != '#')
        return;
    if (spaces > 1 && (rest[spaces + 1] == ' ' || rest[spaces + 1] == '#'))
        return;
    end.column += (uint32_t)spaces;
    end.length = 1;
    diagnostic_warning(document->diagnostics, end,
                       "quote the text if this belongs to it; else put two spaces in front",
                       "the text ends here: ` #` begins a comment");
}

void trap_pair(struct document *document, const struct node *key, const struct node *value,
               bool is_top)
{
    static const char *const truths[] = {"on", "off", "yes", "no", "true", "false", "null", "~"};
    for (size_t i = 0; !key->quoted && i < sizeof truths / sizeof *truths; i++) {
        if (!strcmp(key->text, truths[i]))
            diagnostic_warning(document->diagnostics, key->place,
                               "choose another name, or quote it",
                               "other YAML readers do not take the key `%s` for a word", key->text);
    }
    bool is_text = is_top && (!strcmp(key->text, "name") || !strcmp(key->text, "question"));
    if (is_text && value->type == NODE_SCALAR && value->literal && !value->quoted)
        warn_of_comment(document, value);
}

bool trap_empty(struct document *document, const struct node *key, bool in_flow)
{
    const char *colon = in_flow && !key->quoted ? strchr(key->text, ':') : NULL;
    bool is_pair = colon && colon[1];
    const char *hint = "write the value, or remove the key; off is `none`";
    if (is_pair)
        hint = arena_format(&document->diagnostics->arena,
                            "write `%.*s: %s`, with a space after the colon",
                            (int)(colon - key->text), key->text, colon + 1);
    diagnostic_error(document->diagnostics, key->place, hint, "`%s` has no value", key->text);
    return is_pair;
}

bool trap_cut(const char *text)
{
    size_t depth = 0;
    for (; *text; text++) {
        depth += *text == '(';
        depth -= *text == ')' && depth;
    }
    return depth > 0;
}
