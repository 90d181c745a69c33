/* Columns of recorded numbers and keys: CSV files beside the scenario. */
#include "engine/kernel/check.h"
#include "engine/kernel/keys.h"
#include "engine/kernel/random.h"
#include "engine/scenario/sampler_call.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FILE_SIZE_MAX = 64 * 1024 * 1024 };

static bool inside(const char *name)
{
    if (name[0] == '/' || !name[0])
        return false;
    for (const char *part = name; part; part = strchr(part, '/')) {
        part += *part == '/';
        if (!strncmp(part, "..", 2) && (part[2] == '/' || !part[2]))
            return false;
    }
    return true;
}

static char *read_all(struct arena *arena, const char *path, size_t *size, const char **why)
{
    FILE *file = fopen(path, "rb");
    char *text = NULL;
    *why = "cannot be opened";
    if (!file)
        return NULL;
    if (!fseek(file, 0, SEEK_END)) {
        long length = ftell(file);
        *why = length > FILE_SIZE_MAX ? "larger than 64 MiB" : "cannot be read";
        if (length >= 0 && length <= FILE_SIZE_MAX && !fseek(file, 0, SEEK_SET)) {
            text = arena_take(arena, (size_t)length + 1);
            *size = fread(text, 1, (size_t)length, file);
            if (ferror(file))
                text = NULL;
            if (text && *size >= 2 && !memcmp(text, "\x1f\x8b", 2)) {
                *why = "packed by gzip: unpack it first";
                text = NULL;
            }
        }
    }
    fclose(file);
    return text;
}

/* The file of this name, read at most once; NULL after an error. */
static const struct sampler_file *find_file(const struct sampler_reader *r, const struct call *at)
{
    struct sampler_shared *files = r->sampler->shared;
    if (!files || !files->folder || !inside(at->text)) {
        sampler_fail(r, at, "a file lies at or below the scenario's folder",
                     "`%s` cannot be read from here", at->text);
        return NULL;
    }
    for (uint32_t i = 0; i < files->file_count; i++)
        if (!strcmp(files->files[i].name, at->text))
            return files->files[i].unreadable ? NULL : &files->files[i];
    if (files->file_count == SAMPLER_FILES_MAX) {
        sampler_fail(r, at, NULL, "more than %d files", SAMPLER_FILES_MAX);
        return NULL;
    }
    struct sampler_file *file = &files->files[files->file_count++];
    const char *why = "";
    file->name = arena_format(files->arena, "%s", at->text);
    file->text =
        read_all(files->arena, arena_format(files->arena, "%s/%s", files->folder, at->text),
                 &file->size, &why);
    file->unreadable = !file->text;
    if (file->text)
        return file;
    sampler_fail(r, at, NULL, "`%s`: %s", at->text, why);
    return NULL;
}

/* The quote that ends a cell on its line, past doubled ones; NULL where there is none. */
static const char *closing_quote(const char *at)
{
    for (; *at && *at != '\n'; at++) {
        if (*at != '"')
            continue;
        if (at[1] != '"')
            return at;
        at++;
    }
    return NULL;
}

/* The next cell of a line: its text without quotes (doubled ones inside stay), as long as `length`.
 */
static const char *cell(const char **line, size_t *length)
{
    const char *at = *line;
    if (*at == '"') {
        const char *end = closing_quote(at + 1);
        if (end) {
            *length = (size_t)(end - at - 1);
            *line = end + 1 + strcspn(end + 1, ",\r\n");
            return at + 1;
        }
    }
    *length = strcspn(at, ",\r\n");
    *line = at + *length;
    return at;
}

static const char *next_line(const char *at)
{
    at += strcspn(at, "\n");
    return *at ? at + 1 : at;
}

/* Position of the column in the header, or -1. */
static int column_of(const char *line, const char *name)
{
    for (int column = 0;; column++) {
        size_t length;
        const char *text = cell(&line, &length);
        if (length == strlen(name) && !memcmp(text, name, length))
            return column;
        if (*line != ',')
            return -1;
        line++;
    }
}

/* The cell of a column in a line; NULL where the line is too short. */
static const char *cell_in(const char *line, int column, size_t *length)
{
    const char *text = NULL;
    for (int i = 0; i <= column; i++) {
        text = cell(&line, length);
        if (i < column && *line++ != ',')
            return NULL;
    }
    return text;
}

/* A number, not below 0, that is the whole cell. */
static bool number_of(const char *text, size_t length, double *value)
{
    char *end;
    *value = text && length ? strtod(text, &end) : (double)NAN;
    return text && length && end == text + length && isfinite(*value) && *value >= 0;
}

/* A column of a file: where it stands and how many lines there are below the header. */
struct column {
    const struct call *file_name, *name;
    const char *first; /* the line below the header */
    int position;
    size_t lines;
};

static bool column_open(const struct sampler_reader *reader, const struct call *call,
                        struct column *column)
{
    column->name = sampler_named(call, "column");
    if (call->type != CALL_CALL || !call->count || call->arguments[0].type != CALL_WORD ||
        call->arguments[0].parameter || !column->name || column->name->type != CALL_WORD)
        return sampler_fail(reader, call, "file.csv column=NAME", "`%s` names a file and a column",
                            call->text);
    column->file_name = &call->arguments[0];
    const struct sampler_file *file = find_file(reader, column->file_name);
    if (!file)
        return false;
    column->position = column_of(file->text, column->name->text);
    if (column->position < 0)
        return sampler_fail(reader, column->name, "the first line of the file names its columns",
                            "`%s` has no column `%s`", column->file_name->text, column->name->text);
    column->first = next_line(file->text);
    column->lines = 0;
    for (const char *at = column->first; *at; at = next_line(at))
        column->lines++;
    if (!column->lines)
        return sampler_fail(reader, column->file_name, NULL, "`%s` has no values",
                            column->file_name->text);
    return true;
}

static bool empty(const char *line)
{
    return *line == '\n' || *line == '\r';
}

const double *sampler_column(const struct sampler_reader *reader, const struct call *call,
                             double factor, size_t *count)
{
    struct column column;
    *count = 0;
    if (!column_open(reader, call, &column))
        return NULL;
    size_t row = 1, length = 0;
    double *values = arena_array(reader->sampler->arena, column.lines, double);
    for (const char *at = column.first; *at; at = next_line(at)) {
        row++;
        if (empty(at))
            continue;
        const char *text = cell_in(at, column.position, &length);
        if (!number_of(text, length, &values[*count])) {
            sampler_fail(reader, column.file_name, "numbers, not below 0",
                         "`%s`, line %zu: no number in `%s`", column.file_name->text, row,
                         column.name->text);
            return NULL;
        }
        values[(*count)++] *= factor;
    }
    if (!*count)
        sampler_fail(reader, column.file_name, NULL, "`%s` has no values", column.file_name->text);
    return *count ? values : NULL;
}

/* A whole number up to KEYS_MAX is that key; any other text one in [2^61, 2^62) by its hash, where
 * no number lies and no fresh key. Two of a million texts meet with a probability of 2e-7. */
static uint64_t key_of(const char *text, size_t length)
{
    double value;
    if (number_of(text, length, &value) && floor(value) >= value && value <= (double)KEYS_MAX)
        return (uint64_t)value;
    return random_hash(text, length) >> 3 | UINT64_C(1) << 61;
}

const uint64_t *sampler_key_column(const struct sampler_reader *reader, const struct call *call,
                                   size_t *count)
{
    struct column column;
    *count = 0;
    if (!column_open(reader, call, &column))
        return NULL;
    size_t row = 1, length = 0;
    uint64_t *keys = arena_array(reader->sampler->arena, column.lines, uint64_t);
    for (const char *at = column.first; *at; at = next_line(at)) {
        row++;
        if (empty(at))
            continue;
        const char *text = cell_in(at, column.position, &length);
        if (!text || !length) {
            sampler_fail(reader, column.file_name, "a number or a text in every line",
                         "`%s`, line %zu: no key in `%s`", column.file_name->text, row,
                         column.name->text);
            return NULL;
        }
        keys[(*count)++] = key_of(text, length);
    }
    if (!*count)
        sampler_fail(reader, column.file_name, NULL, "`%s` has no values", column.file_name->text);
    return *count ? keys : NULL;
}
