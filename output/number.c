/* printf rounds decimals correctly everywhere but takes its point from the locale. So only its
 * digits are used, and the point is set here. */
#include "output/number.h"

#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *not_finite(char text[NUMBER_ROOM], double value)
{
    snprintf(text, NUMBER_ROOM, "%s", isnan(value) ? "NaN" : value > 0 ? "inf" : "-inf");
    return text;
}

/* The digits of a printed number without sign and point, up to an exponent; returns how many. */
static int digits_of(char *digits, const char *printed)
{
    int count = 0;
    for (; *printed && *printed != 'e'; printed++)
        if (*printed >= '0' && *printed <= '9')
            digits[count++] = *printed;
    digits[count] = 0;
    return count;
}

const char *number_fixed(char text[NUMBER_ROOM], double value, int decimals)
{
    char printed[NUMBER_ROOM], digits[NUMBER_ROOM];
    if (!isfinite(value))
        return not_finite(text, value);
    snprintf(printed, sizeof printed, "%.*f", decimals, value);
    int whole = digits_of(digits, printed) - decimals;
    /* No "-0.000000": a sign before zeros alone would tell the order of an addition. */
    bool negative = printed[0] == '-' && strspn(digits, "0") < strlen(digits);
    snprintf(text, NUMBER_ROOM, "%s%.*s%s%s", negative ? "-" : "", whole, digits,
             decimals ? "." : "", digits + whole);
    return text;
}

/* `count` significant digits without trailing zeros; an exponent below 1e-4 and from 10^count on.
 */
static const char *significant(char text[NUMBER_ROOM], double value, int count)
{
    char printed[48], digits[48];
    if (!isfinite(value))
        return not_finite(text, value);
    snprintf(printed, sizeof printed, "%.*e", count - 1, fabs(value));
    int length = digits_of(digits, printed);
    int exponent = (int)strtol(strchr(printed, 'e') + 1, NULL, 10);
    while (length > 1 && digits[length - 1] == '0')
        digits[--length] = 0;
    const char *sign = value < 0 ? "-" : "";
    if (exponent < -4 || exponent >= count)
        snprintf(text, NUMBER_ROOM, "%s%c%s%se%c%02d", sign, digits[0], length > 1 ? "." : "",
                 digits + 1, exponent < 0 ? '-' : '+', abs(exponent));
    else if (exponent < 0)
        snprintf(text, NUMBER_ROOM, "%s0.%.*s%s", sign, -exponent - 1, "000", digits);
    else if (exponent + 1 >= length)
        snprintf(text, NUMBER_ROOM, "%s%s%.*s", sign, digits, exponent + 1 - length, "00000000");
    else
        snprintf(text, NUMBER_ROOM, "%s%.*s.%s", sign, exponent + 1, digits, digits + exponent + 1);
    return text;
}

const char *number_general(char text[NUMBER_ROOM], double value)
{
    return significant(text, value, 9);
}

const char *number_short(char text[NUMBER_ROOM], double value, int count)
{
    return significant(text, value, count);
}

const char *number_in_unit(char text[NUMBER_ROOM], double value, const char *unit)
{
    if (!strcmp(unit, "ms") || !strcmp(unit, "s"))
        return number_fixed(text, value, 6);
    return number_general(text, value);
}

const char *number_for_people(char text[NUMBER_ROOM], double value)
{
    double size = fabs(value);
    if (!isfinite(value) || size >= 1e15 || (size > 0 && size < 1e-4))
        return significant(text, value, 4);
    if (size < 1000)
        return significant(text, value, 4);
    char plain[NUMBER_ROOM];
    number_fixed(plain, value, 0);
    size_t length = strlen(plain), used = 0;
    for (size_t i = 0; i < length; i++) {
        size_t left = length - i;
        if (i && plain[i - 1] != '-' && left % 3 == 0)
            text[used++] = ' ';
        text[used++] = plain[i];
    }
    text[used] = 0;
    return text;
}
