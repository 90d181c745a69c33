/* Quantities: `5ms`, `200/s`, `10k`, `25%`, `x4`, `10Mbit/s`, `64KiB`, `0.17 USD/h`.
 *
 * A number is decimal digits with at most one point, at most 19 significant ones, read exactly and
 * rounded once: 0.1s is 100000000 ns, and a double is the one nearest to what was written. No sign
 * but `-`, no exponent, no leading zero (`010`), no colon (`1:30`), no space before the unit except
 * for money. */
#ifndef ORRERY_SCENARIO_UNIT_H
#define ORRERY_SCENARIO_UNIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum unit_dimension {
    UNIT_PLAIN,     /* 12, 0.5, 10k, 1M, 2G */
    UNIT_TIME,      /* in ns: ns us ms s min h d */
    UNIT_BYTES,     /* in bytes: B KB MB GB TB KiB MiB GiB TiB */
    UNIT_BANDWIDTH, /* in bytes per second: bit/s kbit/s Mbit/s Gbit/s B/s KB/s MB/s GB/s */
    UNIT_RATE,      /* per second: /s /min /h, with k M G before the slash */
    UNIT_SHARE,     /* 0.25 for 25% */
    UNIT_FACTOR,    /* 4 for x4 */
    UNIT_PPM,       /* 200e-6 for 200ppm */
    UNIT_MONEY,     /* USD per hour */
    UNIT_COUNT,     /* number of dimensions */
};

struct quantity {
    enum unit_dimension dimension;
    double value;  /* in the base unit, nearest double */
    int64_t whole; /* in the base unit, nearest integer (halves away from zero) */
    bool is_whole; /* `whole` is exactly what was written */
};

/* Why a text is no quantity, in the user's words. */
struct unit_problem {
    char message[200];
    char hint[160]; /* "" for none */
};

/* Reads `text` as a quantity of dimension `wanted`. A bare 0 is a quantity of every dimension. On
 * failure false, and `problem` tells why; it may be NULL. Values that do not fit int64 in the base
 * unit are refused. */
bool unit_parse(const char *text, enum unit_dimension wanted, struct quantity *quantity,
                struct unit_problem *problem);

/* Reads a quantity of any dimension; a bare number is UNIT_PLAIN. */
bool unit_read(const char *text, struct quantity *quantity, struct unit_problem *problem);

/* Whether the text looks like a number at all: begins with a digit, a sign or point before a digit,
 * or `x` before a digit. */
bool unit_is_number(const char *text);

enum { UNIT_TEXT_SIZE = 64 };

/* Canonical text: `5ms`, `1.5s`, `200/s`, `2min`. Reading it gives the same value back, exactly.
 * `text` holds UNIT_TEXT_SIZE bytes; it is returned. `value` must be finite. */
const char *unit_format(double value, enum unit_dimension dimension, char *text);

/* The same for a time in whole nanoseconds, which needs no double. */
const char *unit_format_time(int64_t time_ns, char *text);

/* The same with at most `digits` (1 to 17) significant digits: for tables. */
const char *unit_format_short(double value, enum unit_dimension dimension, int digits, char *text);

/* "a time", "a share"; and "ns us ms s min h d", the units it may have ("" for plain). */
const char *unit_name(enum unit_dimension dimension);
const char *unit_units(enum unit_dimension dimension);

#endif
