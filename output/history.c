#include "output/history.h"

#include "engine/kernel/check.h"
#include "engine/kernel/random.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    COLUMN_PROCESS,
    COLUMN_OP,
    COLUMN_KEY,
    COLUMN_VALUE,
    COLUMN_INVOKE,
    COLUMN_COMPLETE,
    COLUMN_STATUS,
    COLUMN_SESSION,
    COLUMN_INVOKE_SEQ,
    COLUMN_COMPLETE_SEQ,
    COLUMN_POINT,
    COLUMN_REPLICATION,
    COLUMNS,
    COLUMNS_NEEDED = COLUMN_SESSION,
    CELLS_MAX = 64,
};
static const char *const column_names[COLUMNS] = {
    "process", "op",      "key",        "value",        "invoke_ns", "complete_ns",
    "status",  "session", "invoke_seq", "complete_seq", "point",     "replication"};

#define OPERATIONS_MOST 100000000

/* A file while it is read. */
struct reading {
    struct history *history;
    char *at, *end;
    uint32_t line;
    int place[COLUMNS]; /* of a column; -1: it is not there */
    bool numbered;      /* by invoke_seq and complete_seq */
    struct history_problem *problem;
    uint32_t room;
};

static bool wrong(struct reading *r, const char *format, ...) __attribute__((format(printf, 2, 3)));
static bool wrong(struct reading *r, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    r->problem->line = r->line;
    vsnprintf(r->problem->message, sizeof r->problem->message, format, arguments);
    va_end(arguments);
    return false;
}

/* ---- texts ---- */

static uint32_t *text_slot(const struct history *h, const char *text, size_t length)
{
    uint32_t mask = h->slot_count - 1, at = (uint32_t)random_hash(text, length) & mask;
    while (h->slots[at]) {
        const char *known = h->texts[h->slots[at] - 1];
        if (strlen(known) == length && !memcmp(known, text, length))
            break;
        at = (at + 1) & mask;
    }
    return &h->slots[at];
}

static void *grown(void *items, size_t count, size_t size)
{
    items = realloc(items, count * size);
    if (!items)
        check_machine("out of memory for a history");
    return items;
}

uint32_t history_text(struct history *h, const char *text, size_t length)
{
    if (2 * (h->text_count + 1) > h->slot_count) {
        h->slot_count = h->slot_count ? 2 * h->slot_count : 256;
        free(h->slots);
        h->slots = calloc(h->slot_count, sizeof *h->slots);
        if (!h->slots)
            check_machine("out of memory for a history");
        for (uint32_t i = 0; i < h->text_count; i++)
            *text_slot(h, h->texts[i], strlen(h->texts[i])) = i + 1;
    }
    uint32_t *slot = text_slot(h, text, length);
    if (*slot)
        return *slot - 1;
    if (h->text_count == h->text_room) {
        h->text_room = h->text_room ? 2 * h->text_room : 128;
        h->texts = grown(h->texts, h->text_room, sizeof *h->texts);
        h->text_keys = grown(h->text_keys, h->text_room, sizeof *h->text_keys);
    }
    h->text_keys[h->text_count] = 0;
    h->texts[h->text_count++] = arena_text(&h->arena, text, length);
    *slot = h->text_count;
    return h->text_count - 1;
}

/* ---- cells ---- */

struct cell {
    const char *text;
    size_t length;
};

/* One cell, unquoted where it stands; false: a quote is not closed, or something follows it. */
static bool next_cell(struct reading *r, struct cell *cell)
{
    char *at = r->at, *to = r->at;
    if (at < r->end && *at == '"') {
        for (at++;; at++) {
            if (at >= r->end)
                return wrong(r, "a quote is not closed");
            if (*at == '"' && (at + 1 >= r->end || at[1] != '"'))
                break;
            at += *at == '"';
            *to++ = *at;
        }
        at++;
        *cell = (struct cell){r->at, (size_t)(to - r->at)};
        if (at < r->end && *at != ',' && *at != '\n' && *at != '\r')
            return wrong(r, "something follows a closing quote");
    } else {
        while (at < r->end && *at != ',' && *at != '\n' && *at != '\r')
            at++;
        *cell = (struct cell){r->at, (size_t)(at - r->at)};
    }
    r->at = at;
    return true;
}

/* The cells of a line. False after an error. */
static bool next_line(struct reading *r, struct cell *cells, int *count)
{
    *count = 0;
    r->line++;
    for (;;) {
        if (*count == CELLS_MAX)
            return wrong(r, "more than %d columns", CELLS_MAX);
        if (!next_cell(r, &cells[(*count)++]))
            return false;
        if (r->at >= r->end || *r->at != ',')
            break;
        r->at++;
    }
    if (r->at < r->end && *r->at == '\r')
        r->at++;
    if (r->at < r->end && *r->at == '\n')
        r->at++;
    return true;
}

static bool reads(struct cell cell, const char *word)
{
    return cell.length == strlen(word) && !memcmp(cell.text, word, cell.length);
}

static bool whole(struct cell cell, int64_t *value)
{
    uint64_t v = 0;
    for (size_t i = 0; i < cell.length; i++) {
        if (cell.text[i] < '0' || cell.text[i] > '9' || v > (uint64_t)INT64_MAX / 10 - 1)
            return false;
        v = 10 * v + (uint64_t)(cell.text[i] - '0');
    }
    *value = (int64_t)v;
    return cell.length > 0;
}

/* ---- lines ---- */

static bool read_header(struct reading *r)
{
    struct cell cells[CELLS_MAX];
    int count;
    if (!next_line(r, cells, &count))
        return false;
    for (int c = 0; c < COLUMNS; c++) {
        r->place[c] = -1;
        for (int i = 0; i < count; i++)
            if (reads(cells[i], column_names[c]))
                r->place[c] = i;
        if (c < COLUMNS_NEEDED && r->place[c] < 0)
            return wrong(r, "the first line names the columns, and `%s` is not among them",
                         column_names[c]);
    }
    r->numbered = r->place[COLUMN_INVOKE_SEQ] >= 0 && r->place[COLUMN_COMPLETE_SEQ] >= 0;
    return true;
}

static bool read_type(struct reading *r, struct cell op, enum history_type *type)
{
    static const char *const words[][2] = {
        {"read", "r"}, {"write", "w"}, {"cas", "cas"}, {"append", "append"}};
    for (int i = 0; i < 4; i++)
        if (reads(op, words[i][0]) || reads(op, words[i][1])) {
            *type = (enum history_type)i;
            return true;
        }
    return wrong(r, "`op` is one of read, write, cas, append, not `%.*s`", (int)op.length, op.text);
}

static bool read_status(struct reading *r, struct cell cell, enum history_status *status)
{
    static const char *const words[] = {"ok", "fail", "info"};
    for (int i = 0; i < 3; i++)
        if (reads(cell, words[i])) {
            *status = (enum history_status)i;
            return true;
        }
    return wrong(r, "`status` is one of ok, fail, info, not `%.*s`", (int)cell.length, cell.text);
}

static bool read_times(struct reading *r, const struct cell *of, struct history_operation *o)
{
    struct cell begin = of[r->numbered ? COLUMN_INVOKE_SEQ : COLUMN_INVOKE];
    struct cell end = of[r->numbered ? COLUMN_COMPLETE_SEQ : COLUMN_COMPLETE];
    if (!whole(begin, &o->invoke))
        return wrong(r, "`%.*s` is no time in whole nanoseconds", (int)begin.length, begin.text);
    o->complete = HISTORY_NEVER;
    if (end.length && !whole(end, &o->complete))
        return wrong(r, "`%.*s` is no time in whole nanoseconds", (int)end.length, end.text);
    if (o->complete < o->invoke)
        return wrong(r, "it completes before it is invoked");
    if (o->status == HISTORY_OK && o->complete == HISTORY_NEVER)
        return wrong(r, "an operation that is ok has completed: `complete_ns` is empty");
    return true;
}

/* The number of what stands in a pattern's place of the run, and in its last place `name`. */
static uint32_t number_in_run(struct reading *r, const struct cell *of, char mark, struct cell name)
{
    struct cell point = of[COLUMN_POINT], replication = of[COLUMN_REPLICATION];
    char here[512], *text = here;
    size_t room = point.length + replication.length + name.length + 8;
    if (room > sizeof here)
        text = arena_take(&r->history->arena, room);
    int length = snprintf(text, room, "%c%.*s/%.*s/%.*s", mark, (int)point.length, point.text,
                          (int)replication.length, replication.text, (int)name.length, name.text);
    return history_text(r->history, text, (size_t)length);
}

/* The key of a line, in its run. Marks tell such texts from values. */
static uint32_t key_of(struct reading *r, const struct cell *of)
{
    struct history *h = r->history;
    uint32_t number = number_in_run(r, of, '\1', of[COLUMN_KEY]);
    if (h->text_keys[number])
        return h->text_keys[number] - 1;
    if (!(h->key_count & (h->key_count - 1)))
        h->keys = grown(h->keys, h->key_count ? 2 * (size_t)h->key_count : 1, sizeof *h->keys);
    const char *run = "";
    if (r->place[COLUMN_POINT] >= 0 && r->place[COLUMN_REPLICATION] >= 0)
        run = arena_format(
            &h->arena, "point %.*s, replication %.*s: ", (int)of[COLUMN_POINT].length,
            of[COLUMN_POINT].text, (int)of[COLUMN_REPLICATION].length, of[COLUMN_REPLICATION].text);
    h->keys[h->key_count] = (struct history_key){
        .name = arena_text(&h->arena, of[COLUMN_KEY].text, of[COLUMN_KEY].length), .run = run};
    h->text_keys[number] = ++h->key_count;
    return h->key_count - 1;
}

static uint32_t session_of(struct reading *r, const struct cell *of)
{
    bool sessions = r->place[COLUMN_SESSION] >= 0;
    return number_in_run(r, of, '\2', of[sessions ? COLUMN_SESSION : COLUMN_PROCESS]);
}

static bool read_operation(struct reading *r, const struct cell *cells, int count)
{
    struct history *h = r->history;
    struct cell of[COLUMNS];
    struct history_operation o = {.line = r->line};
    for (int c = 0; c < COLUMNS; c++) {
        of[c] = (struct cell){"", 0};
        if (r->place[c] >= count)
            return wrong(r, "the line ends before its column `%s`", column_names[c]);
        if (r->place[c] >= 0)
            of[c] = cells[r->place[c]];
    }
    if (!read_type(r, of[COLUMN_OP], &o.type) || !read_status(r, of[COLUMN_STATUS], &o.status) ||
        !read_times(r, of, &o))
        return false;
    struct cell value = of[COLUMN_VALUE];
    if (o.type == HISTORY_CAS) {
        const char *colon = memchr(value.text, ':', value.length);
        if (!colon)
            return wrong(r, "the value of a cas is from:to, not `%.*s`", (int)value.length,
                         value.text);
        o.from = history_text(h, value.text, (size_t)(colon - value.text));
        value = (struct cell){colon + 1, value.length - (size_t)(colon + 1 - value.text)};
    }
    o.value = history_text(h, value.text, value.length);
    o.key = key_of(r, of);
    o.session = session_of(r, of);
    h->appends = h->appends || o.type == HISTORY_APPEND;
    if (h->count == r->room) {
        r->room = r->room ? 2 * r->room : 256;
        h->operations = grown(h->operations, r->room, sizeof *h->operations);
    }
    if (h->count == OPERATIONS_MOST)
        return wrong(r, "more than %d operations", OPERATIONS_MOST);
    h->operations[h->count++] = o;
    return true;
}

/* ---- the whole ---- */

static int by_key(const void *a, const void *b)
{
    const struct history_operation *x = a, *y = b;
    if (x->key != y->key)
        return x->key < y->key ? -1 : 1;
    if (x->invoke != y->invoke)
        return x->invoke < y->invoke ? -1 : 1;
    return x->line < y->line ? -1 : x->line > y->line;
}

static bool read_all(struct reading *r)
{
    struct history *h = r->history;
    struct cell cells[CELLS_MAX];
    int count;
    history_text(h, "", 0);
    if (r->end - r->at >= 3 && !memcmp(r->at, "\xef\xbb\xbf", 3))
        r->at += 3;
    if (!read_header(r))
        return false;
    while (r->at < r->end) {
        if (!next_line(r, cells, &count))
            return false;
        if ((count > 1 || cells[0].length) && !read_operation(r, cells, count))
            return false;
    }
    if (h->count)
        qsort(h->operations, h->count, sizeof *h->operations, by_key);
    for (uint32_t i = 0; i < h->count; i++) {
        struct history_key *key = &h->keys[h->operations[i].key];
        key->first = key->count++ ? key->first : i;
    }
    return true;
}

struct history *history_parse(char *text, size_t size, struct history_problem *problem)
{
    struct history *h = calloc(1, sizeof *h);
    if (!h)
        check_machine("out of memory for a history");
    struct reading r = {.history = h, .at = text, .end = text + size, .problem = problem};
    if (read_all(&r))
        return h;
    history_free(h);
    return NULL;
}

struct history *history_read(const char *path, struct history_problem *problem)
{
    FILE *file = strcmp(path, "-") ? fopen(path, "rb") : stdin;
    char *text = NULL;
    size_t size = 0, room = 0;
    *problem = (struct history_problem){0};
    if (!file)
        return NULL;
    for (size_t got = 1; got; size += got) {
        if (size + 65536 > room) {
            room = 2 * room + 65536;
            text = grown(text, room, 1);
        }
        got = fread(text + size, 1, 65536, file);
    }
    int failed = ferror(file) ? errno : 0;
    if (file != stdin)
        (void)fclose(file);
    struct history *h = failed ? NULL : history_parse(text, size, problem);
    free(text);
    errno = failed;
    return h;
}

void history_free(struct history *h)
{
    if (!h)
        return;
    arena_free(&h->arena);
    free(h->operations);
    free(h->keys);
    free(h->texts);
    free(h->text_keys);
    free(h->slots);
    free(h);
}
