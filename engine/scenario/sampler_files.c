/* Columns of recorded numbers: CSV files beside the scenario. */
#include "engine/kernel/check.h"
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

/* The next cell of a line: its text without quotes, as long as `length`. */
static const char *cell(const char **line, size_t *length)
{
    const char *at = *line;
    if (*at == '"') {
        const char *end = strchr(at + 1, '"');
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

static bool number_in(const char *line, int column, double *value)
{
    size_t length = 0;
    const char *text = "";
    for (int i = 0; i <= column; i++) {
        text = cell(&line, &length);
        if (i < column && *line++ != ',')
            return false;
    }
    char *end;
    *value = length ? strtod(text, &end) : (double)NAN;
    return length && end == text + length && isfinite(*value) && *value >= 0;
}

const double *sampler_column(const struct sampler_reader *reader, const struct call *call,
                             double factor, size_t *count)
{
    const struct call *column = sampler_named(call, "column");
    *count = 0;
    if (call->type != CALL_CALL || !call->count || call->arguments[0].type != CALL_WORD ||
        call->arguments[0].parameter || !column || column->type != CALL_WORD) {
        sampler_fail(reader, call, "file.csv column=NAME", "`%s` names a file and a column",
                     call->text);
        return NULL;
    }
    const struct call *name = &call->arguments[0];
    const struct sampler_file *file = find_file(reader, name);
    if (!file)
        return NULL;
    int position = column_of(file->text, column->text);
    if (position < 0) {
        sampler_fail(reader, column, "the first line of the file names its columns",
                     "`%s` has no column `%s`", name->text, column->text);
        return NULL;
    }
    size_t lines = 0, row = 1;
    for (const char *at = next_line(file->text); *at; at = next_line(at))
        lines++;
    double *values = arena_array(reader->sampler->arena, lines, double);
    for (const char *at = next_line(file->text); *at; at = next_line(at)) {
        row++;
        if (*at == '\n' || *at == '\r')
            continue;
        if (!number_in(at, position, &values[*count])) {
            sampler_fail(reader, name, "numbers, not below 0", "`%s`, line %zu: no number in `%s`",
                         name->text, row, column->text);
            return NULL;
        }
        values[(*count)++] *= factor;
    }
    if (!*count)
        sampler_fail(reader, name, NULL, "`%s` has no values", name->text);
    return *count ? values : NULL;
}
