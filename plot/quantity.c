#include "plot/quantity.h"

#include <stdlib.h>
#include <string.h>

struct unit {
    const char *name;
    double size;
    enum plot_dimension dimension;
};

static const struct unit units[] = {
    {"", 1, PLOT_DIMENSION_NUMBER},
    {"ns", 1e-9, PLOT_DIMENSION_TIME},
    {"us", 1e-6, PLOT_DIMENSION_TIME},
    {"ms", 1e-3, PLOT_DIMENSION_TIME},
    {"s", 1, PLOT_DIMENSION_TIME},
    {"min", 60, PLOT_DIMENSION_TIME},
    {"h", 3600, PLOT_DIMENSION_TIME},
    {"d", 86400, PLOT_DIMENSION_TIME},
    {"/s", 1, PLOT_DIMENSION_RATE},
    {"/min", 1.0 / 60, PLOT_DIMENSION_RATE},
    {"/h", 1.0 / 3600, PLOT_DIMENSION_RATE},
    {"B", 1, PLOT_DIMENSION_BYTES},
    {"KB", 1e3, PLOT_DIMENSION_BYTES},
    {"MB", 1e6, PLOT_DIMENSION_BYTES},
    {"GB", 1e9, PLOT_DIMENSION_BYTES},
    {"KiB", 1024, PLOT_DIMENSION_BYTES},
    {"MiB", 1048576, PLOT_DIMENSION_BYTES},
    {"GiB", 1073741824, PLOT_DIMENSION_BYTES},
    {"bit/s", 1, PLOT_DIMENSION_BANDWIDTH},
    {"kbit/s", 1e3, PLOT_DIMENSION_BANDWIDTH},
    {"Mbit/s", 1e6, PLOT_DIMENSION_BANDWIDTH},
    {"Gbit/s", 1e9, PLOT_DIMENSION_BANDWIDTH},
    {"B/s", 8, PLOT_DIMENSION_BANDWIDTH},
    {"MB/s", 8e6, PLOT_DIMENSION_BANDWIDTH},
    {"%", 0.01, PLOT_DIMENSION_SHARE},
    {"ppm", 1e-6, PLOT_DIMENSION_SHARE},
    {"USD/h", 1, PLOT_DIMENSION_MONEY},
};

static const struct unit factor = {"x", 1, PLOT_DIMENSION_FACTOR};

static const struct unit *find_unit(const char *name)
{
    for (size_t i = 0; i < sizeof units / sizeof units[0]; i++)
        if (!strcmp(units[i].name, name))
            return &units[i];
    return NULL;
}

/* The plain decimal number at `text`; strtod alone would also take `inf`, `nan` and `0x10`, which
 * are words in a scenario. Gives the text behind it, NULL where there is none. */
static const char *read_number(const char *text, double *value)
{
    size_t sign = *text == '-' || *text == '+';
    size_t length = sign + strspn(text + sign, "0123456789.");
    if (length == sign || strspn(text + sign, ".") == length - sign)
        return NULL;
    if (text[length] == 'e' || text[length] == 'E') {
        size_t exponent = length + 1;
        exponent += text[exponent] == '-' || text[exponent] == '+';
        size_t digits = strspn(text + exponent, "0123456789");
        if (digits)
            length = exponent + digits;
    }
    char *end;
    *value = strtod(text, &end);
    return end == text + length ? end : NULL;
}

bool plot_quantity_read(const char *text, struct plot_quantity *quantity)
{
    double value, prefix = 1;
    const char *rest = read_number(text + (text[0] == 'x'), &value);
    if (!rest)
        return false;
    const struct unit *unit = text[0] == 'x' ? &factor : NULL;
    if (unit && *rest)
        return false;
    while (!unit && *rest == ' ')
        rest++;
    if (!unit)
        unit = find_unit(rest);
    const char *letter = *rest ? strchr("kMG", *rest) : NULL;
    if (!unit && letter) {
        prefix = *letter == 'k' ? 1e3 : *letter == 'M' ? 1e6 : 1e9;
        unit = find_unit(rest + 1);
        if (unit && unit->dimension != PLOT_DIMENSION_NUMBER &&
            unit->dimension != PLOT_DIMENSION_RATE)
            unit = NULL;
    }
    if (!unit)
        return false;
    *quantity = (struct plot_quantity){.value = value * prefix * unit->size,
                                       .dimension = unit->dimension,
                                       .unit = unit->name,
                                       .unit_size = unit->size};
    return true;
}

bool plot_quantity_axis(const char *const *texts, size_t count, double *numbers, const char **unit)
{
    struct plot_quantity shown = {.unit = "", .unit_size = 1};
    bool known = false;
    for (size_t i = 0; i < count; i++) {
        struct plot_quantity q;
        if (!plot_quantity_read(texts[i], &q))
            return false;
        numbers[i] = q.value;
        bool bare_zero = q.value == 0 && q.dimension == PLOT_DIMENSION_NUMBER;
        if (bare_zero)
            continue;
        if (known && q.dimension != shown.dimension)
            return false;
        if (!known)
            shown = q;
        known = true;
    }
    for (size_t i = 0; i < count; i++)
        numbers[i] /= shown.unit_size;
    *unit = shown.unit;
    return count > 0;
}
