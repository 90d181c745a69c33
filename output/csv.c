#include "output/csv.h"

#include "output/number.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <unistd.h>

static bool failed(struct csv *csv, struct output_error *error)
{
    snprintf(error->message, sizeof error->message, "cannot write %.400s: %s", csv->path,
             strerror(csv->error ? csv->error : EIO));
    return false;
}

static void note(struct csv *csv)
{
    if (!csv->error)
        csv->error = errno ? errno : EIO;
}

void csv_open(struct csv *csv, const char *dir, const char *name)
{
    *csv = (struct csv){0};
    int length = snprintf(csv->path, sizeof csv->path, "%s/%s", dir, name);
    int other = snprintf(csv->temporary, sizeof csv->temporary, "%s/%s.tmp", dir, name);
    if (length < 0 || other >= (int)sizeof csv->temporary) {
        csv->error = ENAMETOOLONG;
        return;
    }
    errno = 0;
    csv->file = fopen(csv->temporary, "w");
    if (!csv->file)
        note(csv);
}

static void put(struct csv *csv, const char *text)
{
    if (csv->error)
        return;
    errno = 0;
    if (fputs(text, csv->file) == EOF)
        note(csv);
}

static void separate(struct csv *csv)
{
    if (csv->started)
        put(csv, ",");
    csv->started = true;
}

void csv_text(struct csv *csv, const char *text)
{
    separate(csv);
    if (!strpbrk(text, ",\"\r\n")) {
        put(csv, text);
        return;
    }
    put(csv, "\"");
    for (const char *c = text; *c; c++) {
        char piece[3] = {*c, *c == '"' ? '"' : 0, 0};
        put(csv, piece);
    }
    put(csv, "\"");
}

void csv_integer(struct csv *csv, uint64_t value)
{
    char text[32];
    snprintf(text, sizeof text, "%" PRIu64, value);
    separate(csv);
    put(csv, text);
}

void csv_value(struct csv *csv, double value, const char *unit)
{
    char text[NUMBER_ROOM];
    separate(csv);
    put(csv, number_in_unit(text, value, unit));
}

void csv_general(struct csv *csv, double value)
{
    char text[NUMBER_ROOM];
    separate(csv);
    put(csv, number_general(text, value));
}

void csv_seconds(struct csv *csv, int64_t ns)
{
    /* From the integer: microseconds, rounded half up. */
    char text[64];
    int64_t us = (ns + 500) / 1000;
    snprintf(text, sizeof text, "%" PRId64 ".%06" PRId64, us / 1000000, us % 1000000);
    separate(csv);
    put(csv, text);
}

void csv_end(struct csv *csv)
{
    put(csv, "\n");
    csv->started = false;
}

bool csv_close(struct csv *csv, struct output_error *error)
{
    errno = 0;
    if (csv->file && fflush(csv->file))
        note(csv);
    errno = 0;
    if (csv->file && fclose(csv->file))
        note(csv);
    csv->file = NULL;
    return csv->error ? failed(csv, error) : true;
}

bool csv_commit(struct csv *csv, struct output_error *error)
{
    errno = 0;
    if (!rename(csv->temporary, csv->path))
        return true;
    note(csv);
    return failed(csv, error);
}

void csv_discard(struct csv *csv)
{
    if (csv->file)
        fclose(csv->file);
    csv->file = NULL;
    if (csv->temporary[0])
        unlink(csv->temporary);
}
