/* A CSV file by RFC 4180 (with LF), written beside its name and renamed when it is whole. Errors
 * stick: write on, and look once when committing. */
#ifndef ORRERY_OUTPUT_CSV_H
#define ORRERY_OUTPUT_CSV_H

#include "output/output.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

struct csv {
    FILE *file; /* NULL: not open */
    char path[4096], temporary[4096];
    bool started; /* a row has begun */
    int error;    /* errno of the first failure; 0: none */
};

/* Opens DIR/NAME for writing. */
void csv_open(struct csv *csv, const char *dir, const char *name);

void csv_text(struct csv *csv, const char *text); /* quoted where it must be */
void csv_integer(struct csv *csv, uint64_t value);
void csv_value(struct csv *csv, double value, const char *unit); /* see number_in_unit */
void csv_general(struct csv *csv, double value);
void csv_seconds(struct csv *csv, int64_t ns); /* 6 decimals */
void csv_end(struct csv *csv);                 /* of the row */

/* Closes the file beside its name; false with the reason where anything went wrong. */
bool csv_close(struct csv *csv, struct output_error *error);
/* Gives a closed file its name. */
bool csv_commit(struct csv *csv, struct output_error *error);
/* Takes back whatever there is. */
void csv_discard(struct csv *csv);

#endif
