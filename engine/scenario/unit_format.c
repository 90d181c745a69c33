/* Quantities back to text. A text is canonical when it is the first, in the order of the table
 * below, that reads back as exactly the same value. */
#include "engine/kernel/check.h"
#include "engine/scenario/unit.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Doubles below this hold every integer exactly. */
static const double exact_max = 9007199254740992.0;

struct choice {
    const char *unit;
    enum unit_dimension dimension;
    double size;     /* in base units */
    bool whole_only; /* only without a decimal point: `2min`, but 90s */
    int digits_max;  /* significant digits up to which it is taken */
};

static const struct choice choices[] = {
    {"G", UNIT_PLAIN, 1e9, true, 17},
    {"M", UNIT_PLAIN, 1e6, true, 17},
    {"k", UNIT_PLAIN, 1e3, true, 17},
    {"", UNIT_PLAIN, 1, false, 17},
    {"d", UNIT_TIME, 86400e9, true, 17},
    {"h", UNIT_TIME, 3600e9, true, 17},
    {"min", UNIT_TIME, 60e9, true, 17},
    {"s", UNIT_TIME, 1e9, false, 17},
    {"ms", UNIT_TIME, 1e6, false, 17},
    {"us", UNIT_TIME, 1e3, false, 17},
    {"ns", UNIT_TIME, 1, false, 17},
    {"TiB", UNIT_BYTES, 1099511627776.0, true, 17},
    {"GiB", UNIT_BYTES, 1073741824.0, true, 17},
    {"MiB", UNIT_BYTES, 1048576.0, true, 17},
    {"KiB", UNIT_BYTES, 1024.0, true, 17},
    {"TB", UNIT_BYTES, 1e12, false, 17},
    {"GB", UNIT_BYTES, 1e9, false, 17},
    {"MB", UNIT_BYTES, 1e6, false, 17},
    {"KB", UNIT_BYTES, 1e3, false, 17},
    {"B", UNIT_BYTES, 1, false, 17},
    {"GB/s", UNIT_BANDWIDTH, 1e9, false, 1},
    {"MB/s", UNIT_BANDWIDTH, 1e6, false, 1},
    {"KB/s", UNIT_BANDWIDTH, 1e3, false, 1},
    {"Gbit/s", UNIT_BANDWIDTH, 125e6, false, 3},
    {"Mbit/s", UNIT_BANDWIDTH, 125e3, false, 6},
    {"kbit/s", UNIT_BANDWIDTH, 125, false, 6},
    {"B/s", UNIT_BANDWIDTH, 1, false, 17},
    {"G/s", UNIT_RATE, 1e9, false, 6},
    {"M/s", UNIT_RATE, 1e6, false, 6},
    {"k/s", UNIT_RATE, 1e3, false, 6},
    {"/s", UNIT_RATE, 1, false, 6},
    {"/min", UNIT_RATE, 1.0 / 60, false, 6},
    {"/h", UNIT_RATE, 1.0 / 3600, false, 6},
    {"/s", UNIT_RATE, 1, false, 17},
    {"%", UNIT_SHARE, 0.01, false, 17},
    {"x", UNIT_FACTOR, 1, false, 17},
    {"ppm", UNIT_PPM, 1e-6, false, 17},
    {" USD/h", UNIT_MONEY, 1, false, 17},
};
enum { CHOICES = sizeof choices / sizeof *choices };

/* Where the unit is a power of ten its digits are those of the value itself, so that no division
 * stands between a double and its text. */
enum { NOT_DECIMAL = 99 };

static int decimal_shift(double size)
{
    static const struct {
        double size;
        int shift;
    } powers[] = {{1e-6, -6}, {0.01, -2}, {1, 0}, {1e3, 3}, {1e6, 6}, {1e9, 9}, {1e12, 12}};
    for (size_t i = 0; i < sizeof powers / sizeof *powers; i++) {
        if (powers[i].size == size)
            return powers[i].shift;
    }
    return NOT_DECIMAL;
}

/* Writes `value` with `digits` significant digits as a plain decimal, without trailing zeros, and
 * the unit. False when it does not fit. */
static bool lay_out(double value, int digits, const struct choice *choice, char *text)
{
    char form[40], plain[UNIT_TEXT_SIZE];
    int shift = decimal_shift(choice->size);
    double number = shift == NOT_DECIMAL ? value / choice->size : value;
    snprintf(form, sizeof form, "%.*e", digits - 1, fabs(number));
    char *mark = strchr(form, 'e');
    int exponent = (int)strtol(mark + 1, NULL, 10) - (shift == NOT_DECIMAL ? 0 : shift);
    char figures[24];
    int count = 0;
    for (const char *c = form; c < mark; c++) {
        if (*c != '.')
            figures[count++] = *c;
    }
    while (count > 1 && figures[count - 1] == '0')
        count--;
    if (exponent > 40 || exponent < -34)
        return false;
    int size = 0;
    if (exponent < 0)
        size += snprintf(plain, sizeof plain, "0.%.*s", -exponent - 1,
                         "0000000000000000000000000000000000");
    for (int i = 0; i < count || i <= exponent; i++) {
        if (exponent >= 0 && i == exponent + 1)
            plain[size++] = '.';
        plain[size++] = i < count ? figures[i] : '0';
    }
    const char *sign = value < 0 ? "-" : "";
    bool is_factor = choice->dimension == UNIT_FACTOR;
    int length = snprintf(text, UNIT_TEXT_SIZE, "%s%s%.*s%s", is_factor ? "x" : "", sign, size,
                          plain, is_factor ? "" : choice->unit);
    return length < UNIT_TEXT_SIZE;
}

/* The least significant digits with which the text reads back as the value; 0: none does. */
static int digits_needed(double value, const struct choice *choice, char *text)
{
    for (int digits = 1; digits <= 17; digits++) {
        struct quantity back;
        if (lay_out(value, digits, choice, text) && unit_read(text, &back, NULL) &&
            back.value == value)
            return digits;
    }
    return 0;
}

static const char *format_zero(enum unit_dimension dimension, char *text)
{
    static const char *const zeros[UNIT_COUNT] = {
        [UNIT_PLAIN] = "0",        [UNIT_TIME] = "0s",  [UNIT_BYTES] = "0B",
        [UNIT_BANDWIDTH] = "0B/s", [UNIT_RATE] = "0/s", [UNIT_SHARE] = "0%",
        [UNIT_FACTOR] = "x0",      [UNIT_PPM] = "0ppm", [UNIT_MONEY] = "0 USD/h",
    };
    snprintf(text, UNIT_TEXT_SIZE, "%s", zeros[dimension]);
    return text;
}

static bool is_fit(double value, const struct choice *choice)
{
    return fabs(value) >= choice->size * 0.9999999;
}

const char *unit_format(double value, enum unit_dimension dimension, char *text)
{
    CHECK(isfinite(value) && (unsigned)dimension < UNIT_COUNT);
    if (value == 0)
        return format_zero(dimension, text);
    if (dimension == UNIT_TIME && fabs(value) < exact_max && value == floor(value))
        return unit_format_time((int64_t)value, text);
    const struct choice *smallest = NULL;
    for (size_t i = 0; i < CHOICES; i++) {
        const struct choice *choice = &choices[i];
        if (choice->dimension != dimension)
            continue;
        smallest = choice;
        int digits = is_fit(value, choice) ? digits_needed(value, choice, text) : 0;
        if (digits && digits <= choice->digits_max && !(choice->whole_only && strchr(text, '.')))
            return text;
    }
    CHECK(smallest);
    /* Smaller than every unit. A double that no text of 17 digits in this unit hits is told in 17.
     */
    if (!digits_needed(value, smallest, text) && !lay_out(value, 17, smallest, text))
        snprintf(text, UNIT_TEXT_SIZE, "%s%g", value < 0 ? "-" : "", fabs(value));
    return text;
}

const char *unit_format_time(int64_t time_ns, char *text)
{
    static const struct {
        const char *name;
        uint64_t size;
        bool whole_only;
    } steps[] = {
        {"d", UINT64_C(86400000000000), true},
        {"h", UINT64_C(3600000000000), true},
        {"min", UINT64_C(60000000000), true},
        {"s", UINT64_C(1000000000), false},
        {"ms", UINT64_C(1000000), false},
        {"us", UINT64_C(1000), false},
        {"ns", UINT64_C(1), false},
    };
    if (!time_ns)
        return format_zero(UNIT_TIME, text);
    uint64_t left = time_ns < 0 ? -(uint64_t)time_ns : (uint64_t)time_ns;
    size_t i = 0;
    while (left < steps[i].size || (steps[i].whole_only && left % steps[i].size))
        i++;
    uint64_t whole = left / steps[i].size, rest = left % steps[i].size;
    char fraction[16] = "";
    if (rest) {
        int places = 0;
        for (uint64_t size = steps[i].size; size > 1; size /= 10)
            places++;
        int size = snprintf(fraction, sizeof fraction, ".%0*u", places, (unsigned)rest);
        while (fraction[size - 1] == '0')
            fraction[--size] = '\0';
    }
    snprintf(text, UNIT_TEXT_SIZE, "%s%llu%s%s", time_ns < 0 ? "-" : "", (unsigned long long)whole,
             fraction, steps[i].name);
    return text;
}

const char *unit_format_short(double value, enum unit_dimension dimension, int digits, char *text)
{
    CHECK(isfinite(value) && (unsigned)dimension < UNIT_COUNT && digits >= 1 && digits <= 17);
    if (value == 0)
        return format_zero(dimension, text);
    const struct choice *chosen = NULL;
    for (size_t i = 0; i < CHOICES; i++) {
        const struct choice *choice = &choices[i];
        if (choice->dimension != dimension || choice->whole_only)
            continue;
        chosen = choice;
        if (is_fit(value, choice))
            break;
    }
    CHECK(chosen);
    if (!lay_out(value, digits, chosen, text))
        snprintf(text, UNIT_TEXT_SIZE, "%s%g", value < 0 ? "-" : "", fabs(value));
    return text;
}
