#include "engine/scenario/diagnostic.h"

#include "engine/kernel/check.h"
#include "engine/scenario/text.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

/* Entries that are kept; what comes after them is counted only. A file of a million mistakes then
 * costs no more than one of a few hundred. */
enum { ENTRIES_MAX = 400 };

/* Characters of a source line that are shown; of a longer one, those around the caret. */
enum { SHOWN_WIDTH = 100 };

struct diagnostic_source {
    const char *name; /* safe to print */
    const char *text; /* without the BOM */
    size_t size;
    size_t bom_size;
    bool is_option;
    const size_t *lines; /* offsets at which the lines begin */
    size_t line_count;
    uint32_t error_count, warning_count;
};

struct diagnostic_entry {
    struct spot place, note_place;
    const char *message, *hint, *note; /* safe to print; hint and note may be NULL */
    uint32_t sequence;
    bool is_error;
};

static void *grown(struct arena *arena, void *items, uint32_t count, uint32_t *room, size_t size)
{
    if (count < *room)
        return items;
    uint32_t wider = *room ? *room * 2 : 8;
    void *copy = arena_take_array(arena, wider, size);
    if (count)
        memcpy(copy, items, count * size);
    *room = wider;
    return copy;
}

/* The bytes of the line break at `text`: CR, LF or CR LF, as the YAML reader counts them; 0: none.
 */
static size_t break_size(const char *text, size_t size)
{
    if (text[0] == '\n')
        return 1;
    if (text[0] != '\r')
        return 0;
    return size > 1 && text[1] == '\n' ? 2 : 1;
}

static void find_lines(struct arena *arena, struct diagnostic_source *source)
{
    size_t count = 1;
    for (size_t i = 0; i < source->size; i++) {
        if (source->text[i] == '\n' || source->text[i] == '\r')
            count++;
    }
    size_t *lines = arena_array(arena, count, size_t);
    source->line_count = 1;
    for (size_t i = 0; i < source->size;) {
        size_t length = break_size(source->text + i, source->size - i);
        i += length ? length : 1;
        if (length)
            lines[source->line_count++] = i;
    }
    source->lines = lines;
}

uint32_t diagnostic_source(struct diagnostics *diagnostics, const char *name, const char *text,
                           size_t size)
{
    struct arena *arena = &diagnostics->arena;
    diagnostics->sources = grown(arena, diagnostics->sources, diagnostics->source_count,
                                 &diagnostics->source_room, sizeof *diagnostics->sources);
    struct diagnostic_source *source = &diagnostics->sources[diagnostics->source_count];
    size_t bom_size = size >= 3 && !memcmp(text, "\xEF\xBB\xBF", 3) ? 3 : 0;
    *source = (struct diagnostic_source){
        .name = text_printable(arena, name, strlen(name)),
        .text = arena_text(arena, text + bom_size, size - bom_size),
        .size = size - bom_size,
        .bom_size = bom_size,
    };
    find_lines(arena, source);
    return diagnostics->source_count++;
}

uint32_t diagnostic_option(struct diagnostics *diagnostics, const char *text)
{
    uint32_t source = diagnostic_source(diagnostics, text, text, strlen(text));
    diagnostics->sources[source].is_option = true;
    return source;
}

const char *diagnostic_source_name(const struct diagnostics *diagnostics, uint32_t source)
{
    CHECK(source < diagnostics->source_count);
    return diagnostics->sources[source].name;
}

/* The line from 0, without its break. */
static const char *line_text(const struct diagnostic_source *source, size_t line, size_t *size)
{
    if (line >= source->line_count) {
        *size = 0;
        return "";
    }
    size_t from = source->lines[line];
    size_t to = line + 1 < source->line_count ? source->lines[line + 1] : source->size;
    while (to > from && (source->text[to - 1] == '\n' || source->text[to - 1] == '\r'))
        to--;
    *size = to - from;
    return source->text + from;
}

struct spot diagnostic_at(const struct diagnostics *diagnostics, uint32_t source_index,
                          size_t offset, size_t length)
{
    CHECK(source_index < diagnostics->source_count);
    const struct diagnostic_source *source = &diagnostics->sources[source_index];
    offset = offset > source->bom_size ? offset - source->bom_size : 0;
    size_t low = 0, high = source->line_count;
    while (high - low > 1) {
        size_t middle = low + (high - low) / 2;
        if (source->lines[middle] <= offset)
            low = middle;
        else
            high = middle;
    }
    size_t size;
    const char *line = line_text(source, low, &size);
    size_t before = offset - source->lines[low];
    if (before > size)
        before = size;
    if (length > size - before)
        length = size - before;
    return (struct spot){
        .source = source_index,
        .line = (uint32_t)low + 1,
        .column = (uint32_t)text_count(line, before) + 1,
        .length = (uint32_t)text_count(line + before, length),
    };
}

static bool place_equal(struct spot a, struct spot b)
{
    return a.source == b.source && a.line == b.line && a.column == b.column;
}

/* The text of the format, safe to print, in the arena. */
static const char *composed(struct arena *arena, const char *format, va_list arguments)
{
    char text[1024];
    int length = vsnprintf(text, sizeof text, format, arguments);
    CHECK(length >= 0);
    size_t size = strlen(text);
    /* A cut in the middle of a character would show as a replacement character. */
    while ((size_t)length > size && size && ((unsigned char)text[size - 1] & 0x80))
        size--;
    return text_printable(arena, text, size);
}

/* Counts one more; false when it shall not be kept. */
static bool counted(struct diagnostics *diagnostics, bool is_error, struct spot place)
{
    CHECK(place.source < diagnostics->source_count);
    if (diagnostics->entry_count < ENTRIES_MAX)
        return true;
    diagnostics->error_count += is_error;
    diagnostics->sources[place.source].error_count += is_error;
    diagnostics->sources[place.source].warning_count += !is_error;
    return false;
}

static void add(struct diagnostics *diagnostics, bool is_error, struct spot place, const char *hint,
                const char *message)
{
    for (uint32_t i = 0; i < diagnostics->entry_count; i++) {
        const struct diagnostic_entry *other = &diagnostics->entries[i];
        if (place_equal(other->place, place) && other->is_error == is_error &&
            !strcmp(other->message, message))
            return;
    }
    struct diagnostic_source *source = &diagnostics->sources[place.source];
    diagnostics->error_count += is_error;
    source->error_count += is_error;
    source->warning_count += !is_error;
    diagnostics->entries =
        grown(&diagnostics->arena, diagnostics->entries, diagnostics->entry_count,
              &diagnostics->entry_room, sizeof *diagnostics->entries);
    diagnostics->entries[diagnostics->entry_count] = (struct diagnostic_entry){
        .place = place,
        .message = message,
        .hint = hint ? text_printable(&diagnostics->arena, hint, strlen(hint)) : NULL,
        .sequence = diagnostics->entry_count,
        .is_error = is_error,
    };
    diagnostics->entry_count++;
}

void diagnostic_error(struct diagnostics *diagnostics, struct spot place, const char *hint,
                      const char *format, ...)
{
    if (!counted(diagnostics, true, place))
        return;
    va_list arguments;
    va_start(arguments, format);
    const char *message = composed(&diagnostics->arena, format, arguments);
    va_end(arguments);
    add(diagnostics, true, place, hint, message);
}

void diagnostic_warning(struct diagnostics *diagnostics, struct spot place, const char *hint,
                        const char *format, ...)
{
    if (!counted(diagnostics, false, place))
        return;
    va_list arguments;
    va_start(arguments, format);
    const char *message = composed(&diagnostics->arena, format, arguments);
    va_end(arguments);
    add(diagnostics, false, place, hint, message);
}

void diagnostic_note(struct diagnostics *diagnostics, struct spot place, const char *format, ...)
{
    if (!diagnostics->entry_count)
        return;
    struct diagnostic_entry *entry = &diagnostics->entries[diagnostics->entry_count - 1];
    va_list arguments;
    va_start(arguments, format);
    entry->note = composed(&diagnostics->arena, format, arguments);
    va_end(arguments);
    entry->note_place = place;
}

static int compare_u32(uint32_t a, uint32_t b)
{
    return (a > b) - (a < b);
}

static int compare_entries(const void *left, const void *right)
{
    const struct diagnostic_entry *a = left, *b = right;
    int order = compare_u32(a->place.source, b->place.source);
    if (!order)
        order = compare_u32(a->place.line, b->place.line);
    if (!order)
        order = compare_u32(a->place.column, b->place.column);
    return order ? order : compare_u32(a->sequence, b->sequence);
}

void diagnostic_free(struct diagnostics *diagnostics)
{
    arena_free(&diagnostics->arena);
    *diagnostics = (struct diagnostics){0};
}

struct printer {
    FILE *to;
    struct arena *scratch;
    bool colour;
};

static const char *paint(const struct printer *printer, const char *escape)
{
    return printer->colour ? escape : "";
}

#define BOLD "\033[1m"
#define RED "\033[1;31m"
#define MAGENTA "\033[1;35m"
#define GREEN "\033[1;32m"
#define CYAN "\033[1;36m"
#define PLAIN "\033[0m"

static void print_head(const struct printer *printer, const struct diagnostic_source *source,
                       struct spot place, const char *escape, const char *label,
                       const char *message)
{
    fprintf(printer->to, "%s%s", paint(printer, BOLD), source->name);
    if (place.line && !source->is_option)
        fprintf(printer->to, ":%u:%u", (unsigned)place.line, (unsigned)place.column);
    fprintf(printer->to, ":%s %s%s:%s %s\n", paint(printer, PLAIN), paint(printer, escape), label,
            paint(printer, PLAIN), message);
}

/* Bytes of the first `characters` characters. */
static size_t bytes_of(const char *text, size_t size, size_t characters)
{
    size_t at = 0;
    while (at < size && characters--) {
        uint32_t code;
        size_t length = text_decode(text + at, size - at, &code);
        at += length ? length : 1;
    }
    return at;
}

const char *diagnostic_text(const struct diagnostics *diagnostics, struct spot place, size_t *size)
{
    CHECK(place.source < diagnostics->source_count && place.line);
    const char *line = line_text(&diagnostics->sources[place.source], place.line - 1, size);
    size_t before = bytes_of(line, *size, place.column ? place.column - 1 : 0);
    *size -= before;
    return line + before;
}

static void print_line(const struct printer *printer, const struct diagnostic_source *source,
                       struct spot place)
{
    if (!place.line)
        return;
    size_t size;
    const char *line = line_text(source, place.line - 1, &size);
    size_t caret = place.column ? place.column - 1 : 0;
    size_t skipped = caret >= SHOWN_WIDTH * 3 / 4 ? caret - SHOWN_WIDTH / 2 : 0;
    size_t from = bytes_of(line, size, skipped);
    size_t to = from + bytes_of(line + from, size - from, SHOWN_WIDTH);
    const char *dots = skipped ? "..." : "";
    const char *shown = text_printable(printer->scratch, line + from, to - from);
    if (source->is_option)
        fprintf(printer->to, "      | %s%s%s\n", dots, shown, to < size ? "..." : "");
    else
        fprintf(printer->to, "%5u | %s%s%s\n", (unsigned)place.line, dots, shown,
                to < size ? "..." : "");
    size_t indent = caret - skipped + strlen(dots);
    size_t width = place.length ? place.length : 1;
    if (width > SHOWN_WIDTH - (caret - skipped))
        width = SHOWN_WIDTH - (caret - skipped);
    fprintf(printer->to, "      | %*s%s^", (int)indent, "", paint(printer, GREEN));
    while (--width)
        fputc('~', printer->to);
    fprintf(printer->to, "%s\n", paint(printer, PLAIN));
}

static void print_entry(const struct printer *printer, const struct diagnostics *diagnostics,
                        const struct diagnostic_entry *entry)
{
    const struct diagnostic_source *source = &diagnostics->sources[entry->place.source];
    print_head(printer, source, entry->place, entry->is_error ? RED : MAGENTA,
               entry->is_error ? "error" : "warning", entry->message);
    print_line(printer, source, entry->place);
    if (entry->hint)
        fprintf(printer->to, "      = %s\n", entry->hint);
    if (!entry->note)
        return;
    source = &diagnostics->sources[entry->note_place.source];
    print_head(printer, source, entry->note_place, CYAN, "note", entry->note);
    print_line(printer, source, entry->note_place);
}

static void print_rest(const struct printer *printer, const struct diagnostic_source *source,
                       uint32_t count, const char *what)
{
    if (count > DIAGNOSTIC_SHOWN_MAX)
        fprintf(printer->to, "%s: and %u more %s%s\n", source->name,
                (unsigned)(count - DIAGNOSTIC_SHOWN_MAX), what,
                count - DIAGNOSTIC_SHOWN_MAX == 1 ? "" : "s");
}

uint32_t diagnostic_print(const struct diagnostics *diagnostics, FILE *to, bool colour)
{
    struct arena scratch = {0};
    struct printer printer = {.to = to, .scratch = &scratch, .colour = colour};
    uint32_t count = diagnostics->entry_count;
    struct diagnostic_entry *sorted = arena_array(&scratch, count, struct diagnostic_entry);
    if (count) {
        memcpy(sorted, diagnostics->entries, count * sizeof *sorted);
        qsort(sorted, count, sizeof *sorted, compare_entries);
    }
    uint32_t next = 0;
    for (uint32_t s = 0; s < diagnostics->source_count; s++) {
        const struct diagnostic_source *source = &diagnostics->sources[s];
        uint32_t shown[2] = {0};
        for (; next < count && sorted[next].place.source == s; next++) {
            if (shown[sorted[next].is_error]++ < DIAGNOSTIC_SHOWN_MAX)
                print_entry(&printer, diagnostics, &sorted[next]);
        }
        print_rest(&printer, source, source->error_count, "error");
        print_rest(&printer, source, source->warning_count, "warning");
    }
    arena_free(&scratch);
    return diagnostics->error_count;
}

/* Words longer than this are nobody's typing mistakes. */
enum { WORD_MAX = 63 };

/* Optimal string alignment distance in bytes: Levenshtein's with swaps of neighbours (Damerau
 * 1964). Three rows of the table are enough. */
static size_t distance(const char *a, size_t a_size, const char *b, size_t b_size)
{
    size_t rows[3][WORD_MAX + 1] = {{0}};
    size_t *before = rows[0], *last = rows[1], *row = rows[2];
    for (size_t j = 0; j <= b_size; j++)
        last[j] = j;
    for (size_t i = 1; i <= a_size; i++) {
        row[0] = i;
        for (size_t j = 1; j <= b_size; j++) {
            size_t best = last[j - 1] + (a[i - 1] != b[j - 1]);
            if (last[j] + 1 < best)
                best = last[j] + 1;
            if (row[j - 1] + 1 < best)
                best = row[j - 1] + 1;
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] &&
                before[j - 2] + 1 < best)
                best = before[j - 2] + 1;
            row[j] = best;
        }
        size_t *oldest = before;
        before = last;
        last = row;
        row = oldest;
    }
    return last[b_size];
}

const char *diagnostic_nearest(const char *word, const char *const *candidates, size_t count)
{
    size_t size = strlen(word);
    if (size > WORD_MAX)
        return NULL;
    size_t allowed = size / 3;
    const char *best = NULL;
    for (size_t i = 0; i < count; i++) {
        size_t other = strlen(candidates[i]);
        if (other > WORD_MAX)
            continue;
        size_t far = distance(word, size, candidates[i], other);
        /* A distance as long as the candidate would be another word altogether. */
        if (far <= allowed && far < other && (!best || far < allowed)) {
            best = candidates[i];
            allowed = far;
            if (!far)
                return best;
        }
    }
    return best;
}

const char *diagnostic_suggest(struct diagnostics *diagnostics, const char *word,
                               const char *const *candidates, size_t count)
{
    const char *nearest = diagnostic_nearest(word, candidates, count);
    if (!nearest)
        return NULL;
    return arena_format(&diagnostics->arena, "did you mean `%s`?", nearest);
}
