#include "engine/scenario/unit.h"

#include "engine/kernel/check.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

__extension__ typedef unsigned __int128 wide;

/* A unit is worth numerator / denominator base units, exactly. */
struct unit {
    const char *name;
    enum unit_dimension dimension;
    uint64_t numerator, denominator;
};

#define KILO UINT64_C(1000)
#define MEGA UINT64_C(1000000)
#define GIGA UINT64_C(1000000000)
#define TERA UINT64_C(1000000000000)

/* Per dimension in the order in which messages name them. `B` before `bit/s` and so on does not
 * matter: a unit is compared whole. */
static const struct unit units[] = {
    {"", UNIT_PLAIN, 1, 1},
    {"k", UNIT_PLAIN, KILO, 1},
    {"M", UNIT_PLAIN, MEGA, 1},
    {"G", UNIT_PLAIN, GIGA, 1},
    {"ns", UNIT_TIME, 1, 1},
    {"us", UNIT_TIME, KILO, 1},
    {"ms", UNIT_TIME, MEGA, 1},
    {"s", UNIT_TIME, GIGA, 1},
    {"min", UNIT_TIME, 60 * GIGA, 1},
    {"h", UNIT_TIME, 3600 * GIGA, 1},
    {"d", UNIT_TIME, 86400 * GIGA, 1},
    {"B", UNIT_BYTES, 1, 1},
    {"KB", UNIT_BYTES, KILO, 1},
    {"MB", UNIT_BYTES, MEGA, 1},
    {"GB", UNIT_BYTES, GIGA, 1},
    {"TB", UNIT_BYTES, TERA, 1},
    {"KiB", UNIT_BYTES, UINT64_C(1) << 10, 1},
    {"MiB", UNIT_BYTES, UINT64_C(1) << 20, 1},
    {"GiB", UNIT_BYTES, UINT64_C(1) << 30, 1},
    {"TiB", UNIT_BYTES, UINT64_C(1) << 40, 1},
    {"bit/s", UNIT_BANDWIDTH, 1, 8},
    {"kbit/s", UNIT_BANDWIDTH, KILO, 8},
    {"Mbit/s", UNIT_BANDWIDTH, MEGA, 8},
    {"Gbit/s", UNIT_BANDWIDTH, GIGA, 8},
    {"B/s", UNIT_BANDWIDTH, 1, 1},
    {"KB/s", UNIT_BANDWIDTH, KILO, 1},
    {"MB/s", UNIT_BANDWIDTH, MEGA, 1},
    {"GB/s", UNIT_BANDWIDTH, GIGA, 1},
    {"/s", UNIT_RATE, 1, 1},
    {"/min", UNIT_RATE, 1, 60},
    {"/h", UNIT_RATE, 1, 3600},
    {"k/s", UNIT_RATE, KILO, 1},
    {"k/min", UNIT_RATE, KILO, 60},
    {"k/h", UNIT_RATE, KILO, 3600},
    {"M/s", UNIT_RATE, MEGA, 1},
    {"M/min", UNIT_RATE, MEGA, 60},
    {"M/h", UNIT_RATE, MEGA, 3600},
    {"G/s", UNIT_RATE, GIGA, 1},
    {"%", UNIT_SHARE, 1, 100},
    {"ppm", UNIT_PPM, 1, MEGA},
    {"USD/h", UNIT_MONEY, 1, 1},
};
enum { UNITS = sizeof units / sizeof *units };

struct dimension {
    const char *name, *units, *example;
};

static const struct dimension dimensions[UNIT_COUNT] = {
    [UNIT_PLAIN] = {"a number", "", ""},
    [UNIT_TIME] = {"a time", "ns us ms s min h d", "ms"},
    [UNIT_BYTES] = {"a size", "B KB MB GB TB KiB MiB GiB TiB", "KB"},
    [UNIT_BANDWIDTH] = {"a bandwidth", "bit/s kbit/s Mbit/s Gbit/s B/s KB/s MB/s GB/s", "Mbit/s"},
    [UNIT_RATE] = {"a rate", "/s /min /h", "/s"},
    [UNIT_SHARE] = {"a share", "%", "%"},
    [UNIT_FACTOR] = {"a factor", "x", "x"},
    [UNIT_PPM] = {"a drift", "ppm", "ppm"},
    [UNIT_MONEY] = {"a cost", "USD/h", " USD/h"},
};

const char *unit_name(enum unit_dimension dimension)
{
    return dimensions[dimension].name;
}

const char *unit_units(enum unit_dimension dimension)
{
    return dimensions[dimension].units;
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool fail(struct unit_problem *problem, const char *hint, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static bool fail(struct unit_problem *problem, const char *hint, const char *format, ...)
{
    if (!problem)
        return false;
    snprintf(problem->hint, sizeof problem->hint, "%s", hint ? hint : "");
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(problem->message, sizeof problem->message, format, arguments);
    va_end(arguments);
    return false;
}

bool unit_is_number(const char *text)
{
    if (*text == 'x' || *text == '-' || *text == '+')
        text++;
    return is_digit(*text) || (*text == '.' && is_digit(text[1]));
}

/* A decimal number: digits / 10^scale. */
struct decimal {
    uint64_t digits;
    unsigned scale;
    bool negative;
    const char *end;
};

enum { DIGITS_MAX = 19, SCALE_MAX = 34 };

static bool is_clock(const char *text)
{
    size_t digits = strspn(text, "0123456789");
    return digits && text[digits] == ':' && is_digit(text[digits + 1]);
}

/* Refuses what looks like a number to other programs but is none here. */
static bool read_decimal(const char *text, struct decimal *decimal, struct unit_problem *problem)
{
    const char *at = text;
    *decimal = (struct decimal){.negative = *at == '-'};
    if (*at == '+')
        return fail(problem, "leave out the `+`", "`%.60s` has a sign", text);
    at += decimal->negative;
    if (at[0] == '0' && (at[1] == 'x' || at[1] == 'o' || at[1] == 'b') && at[2])
        return fail(problem, "numbers are decimal", "`%.60s` is no number", text);
    if (at[0] == '0' && is_digit(at[1]))
        return fail(problem, "leave out the leading zeros", "`%.60s` begins with a zero", text);
    if (is_clock(at))
        return fail(problem, "write a time with its unit: 90min, 1.5h", "`%.60s` is no number",
                    text);
    if (!is_digit(*at))
        return fail(problem, *at == '.' ? "write the zero: 0.5" : "for example 5 or 0.5",
                    "`%.60s` is no number", text);
    unsigned significant = 0;
    for (bool fraction = false; is_digit(*at) || (*at == '.' && !fraction); at++) {
        if (*at == '.') {
            fraction = true;
            if (!is_digit(at[1]))
                return fail(problem, "digits must follow the point", "`%.60s` is no number", text);
            continue;
        }
        significant += significant || *at != '0';
        decimal->scale += fraction;
        if (significant > DIGITS_MAX || decimal->scale > SCALE_MAX)
            return fail(problem, NULL, "`%.60s` has more than 19 digits", text);
        decimal->digits = decimal->digits * 10 + (uint64_t)(*at - '0');
    }
    if ((*at == 'e' || *at == 'E') && (is_digit(at[1]) || at[1] == '-' || at[1] == '+'))
        return fail(problem, "write 1k, 1M or 0.001", "`%.60s` has an exponent", text);
    decimal->end = at;
    return true;
}

/* The double nearest to numerator / denominator, ties to even. Long division bit by bit until the
 * quotient has more than 54 bits; what is left over only says on which side of a tie it lies. */
static double nearest(wide numerator, wide denominator)
{
    wide quotient = numerator / denominator, rest = numerator % denominator;
    int exponent = 0;
    if (!numerator)
        return 0;
    while (quotient < (wide)1 << 55) {
        rest *= 2;
        quotient = quotient * 2 + (rest >= denominator);
        if (rest >= denominator)
            rest -= denominator;
        exponent--;
    }
    bool sticky = rest != 0;
    while (quotient >= (wide)1 << 54) {
        sticky = sticky || (quotient & 1);
        quotient >>= 1;
        exponent++;
    }
    /* 54 bits: the last one is half a unit of the double. */
    uint64_t bits = (uint64_t)(quotient >> 1);
    if ((quotient & 1) && (sticky || (bits & 1)))
        bits++;
    return ldexp((double)bits, exponent + 1);
}

static bool convert(const struct decimal *decimal, uint64_t numerator, uint64_t denominator,
                    struct quantity *quantity, struct unit_problem *problem)
{
    wide above = (wide)decimal->digits * numerator;
    wide below = denominator;
    for (unsigned i = 0; i < decimal->scale; i++)
        below *= 10;
    wide whole = above / below, rest = above % below;
    whole += rest >= below - rest;
    if (whole > INT64_MAX)
        return fail(problem, NULL, "the value is too large");
    int sign = decimal->negative ? -1 : 1;
    quantity->value = sign * nearest(above, below);
    quantity->whole = sign * (int64_t)whole;
    quantity->is_whole = rest == 0;
    return true;
}

static const struct unit *find_unit(const char *name)
{
    for (size_t i = 0; i < UNITS; i++) {
        if (!strcmp(units[i].name, name))
            return &units[i];
    }
    return NULL;
}

/* Units that people write and that are not ours. */
static const char *usual_unit(const char *name)
{
    static const char *const pairs[][2] = {
        {"sec", "s"},        {"secs", "s"},        {"second", "s"},    {"seconds", "s"},
        {"m", "min"},        {"mins", "min"},      {"minute", "min"},  {"minutes", "min"},
        {"hour", "h"},       {"hours", "h"},       {"hr", "h"},        {"day", "d"},
        {"days", "d"},       {"msec", "ms"},       {"usec", "us"},     {"\xC2\xB5s", "us"},
        {"\xCE\xBCs", "us"}, {"kB", "KB"},         {"kb", "KB"},       {"mb", "MB"},
        {"gb", "GB"},        {"b", "B"},           {"K", "k"},         {"m/s", "M/s"},
        {"rps", "/s"},       {"qps", "/s"},        {"/sec", "/s"},     {"/second", "/s"},
        {"/m", "/min"},      {"/minute", "/min"},  {"/hour", "/h"},    {"K/s", "k/s"},
        {"Mb/s", "Mbit/s"},  {"mbit/s", "Mbit/s"}, {"Mbps", "Mbit/s"}, {"mbps", "Mbit/s"},
        {"Gb/s", "Gbit/s"},  {"gbit/s", "Gbit/s"}, {"Gbps", "Gbit/s"}, {"gbps", "Gbit/s"},
        {"kb/s", "kbit/s"},  {"Kbit/s", "kbit/s"}, {"kbps", "kbit/s"}, {"kB/s", "KB/s"},
        {"bps", "bit/s"},    {"Mbit", "Mbit/s"},   {"Gbit", "Gbit/s"}, {"percent", "%"},
        {"S", "s"},          {"MS", "ms"},         {"Ms", "ms"},       {"KIB", "KiB"},
        {"kib", "KiB"},      {"kiB", "KiB"},       {"Kib", "KiB"},
    };
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
        if (!strcmp(pairs[i][0], name))
            return pairs[i][1];
    }
    return NULL;
}

static bool read_factor(const char *text, struct quantity *quantity, struct unit_problem *problem)
{
    struct decimal decimal;
    if (!read_decimal(text + 1, &decimal, problem))
        return false;
    if (*decimal.end)
        return fail(problem, "a factor is x and a number: x4", "`%.60s` is no factor", text);
    quantity->dimension = UNIT_FACTOR;
    return convert(&decimal, 1, 1, quantity, problem);
}

static bool unknown_unit(const char *text, const struct decimal *decimal,
                         struct unit_problem *problem)
{
    const char *name = decimal->end;
    int size = (int)(name - text);
    char hint[160] = "";
    const char *usual = usual_unit(name);
    if (*name == ' ' && find_unit(name + strspn(name, " ")))
        snprintf(hint, sizeof hint, "write %.*s%s without the space", size, text,
                 name + strspn(name, " "));
    else if (!strcmp(name, "x"))
        snprintf(hint, sizeof hint, "write x%.*s", size, text);
    else if (!strncmp(name, "USD", 3) || !strncmp(name, " USD", 4) || *name == '$')
        snprintf(hint, sizeof hint, "write %.*s USD/h", size, text);
    else if (*name == ',')
        snprintf(hint, sizeof hint, "the decimal sign is a point");
    else if (*name == '_')
        snprintf(hint, sizeof hint, "leave out the `_`, or write 10k, 1M");
    else if (usual)
        snprintf(hint, sizeof hint, "write %.*s%s", size, text, usual);
    else
        snprintf(hint, sizeof hint, "there are %s; %s; %s; %s; %%; ppm; USD/h; and k M G",
                 dimensions[UNIT_TIME].units, dimensions[UNIT_BYTES].units, "Mbit/s MB/s",
                 dimensions[UNIT_RATE].units);
    return fail(problem, hint, "`%.40s` is no unit", name + (*name == ' '));
}

bool unit_read(const char *text, struct quantity *quantity, struct unit_problem *problem)
{
    struct decimal decimal;
    *quantity = (struct quantity){0};
    if (text[0] == 'x' && (is_digit(text[1]) || text[1] == '.'))
        return read_factor(text, quantity, problem);
    if (!read_decimal(text, &decimal, problem))
        return false;
    const char *name = decimal.end;
    /* Money alone stands apart from its number. */
    if (!strcmp(name, " USD/h"))
        name++;
    const struct unit *unit = find_unit(name);
    if (!unit || (unit->dimension == UNIT_MONEY && name == decimal.end))
        return unknown_unit(text, &decimal, problem);
    quantity->dimension = unit->dimension;
    return convert(&decimal, unit->numerator, unit->denominator, quantity, problem);
}

/* What to say of a quantity of another dimension. */
static bool foreign(const char *text, const struct quantity *quantity, enum unit_dimension wanted,
                    struct unit_problem *problem)
{
    const struct dimension *right = &dimensions[wanted];
    char hint[160];
    bool bare = quantity->dimension == UNIT_PLAIN && is_digit(text[strlen(text) - 1]);
    if (wanted == UNIT_PLAIN)
        return fail(problem, "a number stands without a unit, and may carry k M G",
                    "`%.60s` is %s, and a plain number is wanted", text,
                    dimensions[quantity->dimension].name);
    if (wanted == UNIT_FACTOR)
        snprintf(hint, sizeof hint, bare ? "write x%.40s" : "for example x4", text);
    else if (bare && quantity->value > 0 && quantity->value <= 1 && wanted == UNIT_SHARE) {
        char share[UNIT_TEXT_SIZE];
        snprintf(hint, sizeof hint, "write %s", unit_format(quantity->value, wanted, share));
    } else if (bare)
        snprintf(hint, sizeof hint, "write %.40s%s; the units are %s", text, right->example,
                 right->units);
    else
        snprintf(hint, sizeof hint, "the units of %s are %s", right->name, right->units);
    if (quantity->dimension == UNIT_PLAIN)
        return fail(problem, hint, "%s needs a unit", right->name);
    return fail(problem, hint, "`%.60s` is %s, and %s is wanted", text,
                dimensions[quantity->dimension].name, right->name);
}

bool unit_parse(const char *text, enum unit_dimension wanted, struct quantity *quantity,
                struct unit_problem *problem)
{
    CHECK((unsigned)wanted < UNIT_COUNT);
    if (!unit_is_number(text))
        return fail(problem,
                    wanted == UNIT_PLAIN    ? "for example 5, 10k"
                    : wanted == UNIT_FACTOR ? "for example x4"
                                            : dimensions[wanted].units,
                    "`%.60s` is no number", text);
    if (!unit_read(text, quantity, problem))
        return false;
    if (quantity->dimension == wanted)
        return true;
    if (!strcmp(text, "0")) {
        quantity->dimension = wanted;
        return true;
    }
    return foreign(text, quantity, wanted, problem);
}
