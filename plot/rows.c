#include "plot/rows.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "engine/kernel/check.h"

/* What follows a field. */
enum delimiter { DELIMITER_COMMA, DELIMITER_LINE, DELIMITER_END };

struct target {
    char **bytes;
    size_t *size, *fields, *count;
    size_t used;
};

static bool put(struct rows *rows, struct target *to, int byte)
{
    if (to->used >= ROWS_RECORD_MAX) {
        rows->error = "a record of more than 1 MiB";
        return false;
    }
    if (to->used == *to->size) {
        size_t size = *to->size ? *to->size * 2 : 512;
        char *grown = realloc(*to->bytes, size);
        if (!grown)
            check_machine("out of memory");
        *to->bytes = grown;
        *to->size = size;
    }
    (*to->bytes)[to->used++] = (char)byte;
    return true;
}

/* The inside of a quoted field, behind its opening quote; gives the byte behind the closing one. */
static int read_quoted(struct rows *rows, struct target *to)
{
    for (;;) {
        int c = getc_unlocked(rows->file);
        if (c == EOF) {
            rows->error = "a quoted field that does not end";
            return EOF;
        }
        if (c == '"') {
            c = getc_unlocked(rows->file);
            if (c != '"')
                return c;
        }
        rows->next_line += c == '\n';
        if (!put(rows, to, c))
            return EOF;
    }
}

static enum delimiter read_field(struct rows *rows, struct target *to, int c)
{
    if (c == '"')
        c = read_quoted(rows, to);
    while (c != ',' && c != '\n' && c != EOF && !rows->error) {
        if (c == '\r') {
            int next = getc_unlocked(rows->file);
            if (next == '\n') {
                c = next;
                break;
            }
            if (next != EOF)
                ungetc(next, rows->file);
        }
        put(rows, to, c);
        c = getc_unlocked(rows->file);
    }
    if (!rows->error)
        put(rows, to, '\0');
    return c == ',' ? DELIMITER_COMMA : c == '\n' ? DELIMITER_LINE : DELIMITER_END;
}

/* One record; false at the end of the file, for an error, and never for an empty line. */
static bool read_record(struct rows *rows, struct target *to)
{
    *to->count = 0;
    int c;
    do {
        rows->line = rows->next_line;
        c = getc_unlocked(rows->file);
        rows->next_line += c == '\n';
    } while (c == '\n' || c == '\r');
    if (c == EOF)
        return false;
    for (;;) {
        if (*to->count == ROWS_FIELDS_MAX) {
            rows->error = "a record of more than 256 fields";
            return false;
        }
        to->fields[(*to->count)++] = to->used;
        enum delimiter end = read_field(rows, to, c);
        if (rows->error)
            return false;
        if (end != DELIMITER_COMMA) {
            rows->next_line += end == DELIMITER_LINE;
            return true;
        }
        c = getc_unlocked(rows->file);
    }
}

bool rows_open(struct rows *rows, const char *path)
{
    *rows = (struct rows){.next_line = 1};
    rows->file = fopen(path, "r");
    if (!rows->file) {
        rows->error = strerror(errno);
        return false;
    }
    struct target to = {&rows->header, &rows->header_size, rows->header_fields, &rows->header_count,
                        0};
    if (!read_record(rows, &to)) {
        if (!rows->error)
            rows->error = ferror(rows->file) ? strerror(errno) : "an empty file";
        return false;
    }
    return true;
}

bool rows_next(struct rows *rows)
{
    if (rows->error)
        return false;
    struct target to = {&rows->record, &rows->record_size, rows->fields, &rows->count, 0};
    if (read_record(rows, &to))
        return true;
    if (!rows->error && ferror(rows->file))
        rows->error = strerror(errno);
    return false;
}

size_t rows_column(const struct rows *rows, const char *name)
{
    for (size_t i = 0; i < rows->header_count; i++)
        if (!strcmp(rows_name(rows, i), name))
            return i;
    return ROWS_NO_COLUMN;
}

const char *rows_name(const struct rows *rows, size_t column)
{
    CHECK(column < rows->header_count);
    return rows->header + rows->header_fields[column];
}

const char *rows_field(const struct rows *rows, size_t column)
{
    return column < rows->count ? rows->record + rows->fields[column] : "";
}

double rows_number(const struct rows *rows, size_t column)
{
    const char *text = rows_field(rows, column);
    char *end;
    double value = strtod(text, &end);
    return end == text || *end ? (double)NAN : value;
}

void rows_close(struct rows *rows)
{
    if (rows->file)
        fclose(rows->file);
    free(rows->header);
    free(rows->record);
    rows->file = NULL;
    rows->header = rows->record = NULL;
    rows->header_count = rows->count = 0;
}
