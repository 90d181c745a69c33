/* Reads RFC 4180: one record after another, so that memory does not grow with the file. Quoted
 * fields may hold commas, doubled quotes and line breaks; records end in LF or CRLF.
 *
 *     struct rows rows = {0};
 *     if (rows_open(&rows, path)) {
 *         size_t node = rows_column(&rows, "node");
 *         while (rows_next(&rows))
 *             use(rows_field(&rows, node));
 *     }
 *     rows_close(&rows);     rows.error tells whether the file was read to its end
 *
 * Invariant: after a successful rows_open the header is kept apart, and after a successful
 * rows_next the fields of the present record are NUL-terminated strings that live until the next
 * call. */
#ifndef ORRERY_PLOT_ROWS_H
#define ORRERY_PLOT_ROWS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

enum { ROWS_FIELDS_MAX = 256, ROWS_RECORD_MAX = 1 << 20 };
#define ROWS_NO_COLUMN ((size_t)-1)

struct rows {
    FILE *file;
    char *header, *record;           /* the bytes that the fields point into; owned */
    size_t header_size, record_size; /* bytes allocated */
    size_t header_fields[ROWS_FIELDS_MAX], fields[ROWS_FIELDS_MAX]; /* offsets into the bytes */
    size_t header_count, count;
    size_t line;       /* the line on which the present record begins, from 1 */
    size_t next_line;  /* the line on which the next one begins */
    const char *error; /* NULL, or what is wrong with the file or its reading */
};

/* Opens the file and reads its header; false where it cannot be read or has none (`error` says
 * why). Call rows_close either way. */
bool rows_open(struct rows *rows, const char *path);

/* The next record that is not an empty line; false at the end and at an error. */
bool rows_next(struct rows *rows);

/* The column of that name, ROWS_NO_COLUMN where there is none. */
size_t rows_column(const struct rows *rows, const char *name);

/* The name of a column below header_count. */
const char *rows_name(const struct rows *rows, size_t column);

/* A field of the present record; "" where the record is shorter or the column is ROWS_NO_COLUMN. */
const char *rows_field(const struct rows *rows, size_t column);

/* The field as a number; NaN where it is none. */
double rows_number(const struct rows *rows, size_t column);

void rows_close(struct rows *rows);

#endif
