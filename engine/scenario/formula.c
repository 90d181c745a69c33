#include "engine/scenario/formula.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { DEPTH_MAX = 32, NAME_MAX_SIZE = 64 };

/* A value and its dimension: exponents of seconds, bytes and money; of a pure number, its kind. */
struct term {
    double value;
    int seconds, bytes, money;
    enum unit_dimension pure; /* PLAIN, SHARE, FACTOR or PPM while the exponents are 0 */
};

struct parser {
    const char *text;
    size_t at;
    int depth;
    const struct formula_names *names;
    struct formula_problem *problem;
    bool failed;
};

static struct term fail(struct parser *parser, size_t offset, size_t length, const char *hint,
                        const char *format, ...) __attribute__((format(printf, 5, 6)));

static struct term fail(struct parser *parser, size_t offset, size_t length, const char *hint,
                        const char *format, ...)
{
    if (parser->failed)
        return (struct term){0};
    parser->failed = true;
    struct formula_problem *problem = parser->problem;
    *problem = (struct formula_problem){.offset = offset, .length = length};
    snprintf(problem->text.hint, sizeof problem->text.hint, "%s", hint ? hint : "");
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(problem->text.message, sizeof problem->text.message, format, arguments);
    va_end(arguments);
    return (struct term){0};
}

/* Dimensions that are products of powers; a time is kept in seconds here. */
struct power {
    enum unit_dimension dimension;
    int seconds, bytes, money;
};

static const struct power powers[] = {
    {UNIT_TIME, 1, 0, 0},       {UNIT_BYTES, 0, 1, 0},  {UNIT_RATE, -1, 0, 0},
    {UNIT_BANDWIDTH, -1, 1, 0}, {UNIT_MONEY, -1, 0, 1},
};
enum { POWERS = sizeof powers / sizeof *powers };

static bool is_pure(const struct term *term)
{
    return !term->seconds && !term->bytes && !term->money;
}

static struct term term_of(const struct quantity *quantity)
{
    struct term term = {.value = quantity->value, .pure = quantity->dimension};
    for (size_t i = 0; i < POWERS; i++) {
        if (powers[i].dimension != quantity->dimension)
            continue;
        term.seconds = powers[i].seconds;
        term.bytes = powers[i].bytes;
        term.money = powers[i].money;
        term.pure = UNIT_PLAIN;
    }
    if (quantity->dimension == UNIT_TIME)
        term.value /= 1e9;
    if (quantity->dimension == UNIT_MONEY)
        term.value /= 3600;
    return term;
}

/* The dimension that a user can write; UNIT_COUNT: there is none. */
static enum unit_dimension dimension_of(const struct term *term)
{
    if (is_pure(term))
        return term->pure;
    for (size_t i = 0; i < POWERS; i++) {
        if (powers[i].seconds == term->seconds && powers[i].bytes == term->bytes &&
            powers[i].money == term->money)
            return powers[i].dimension;
    }
    return UNIT_COUNT;
}

static const char *name_of(const struct term *term)
{
    enum unit_dimension dimension = dimension_of(term);
    return dimension == UNIT_COUNT ? "a product without a unit" : unit_name(dimension);
}

const char *formula_name_end(const char *text)
{
    const char *at = text;
    while ((*at >= 'a' && *at <= 'z') || (*at >= 'A' && *at <= 'Z') || *at == '_' ||
           (at > text && *at >= '0' && *at <= '9'))
        at++;
    return at;
}

static void skip_spaces(struct parser *parser)
{
    while (parser->text[parser->at] == ' ')
        parser->at++;
}

static bool is_word(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

/* Bytes of the number at `text` with its unit: the longest stretch that is a quantity. */
static size_t number_size(const char *text)
{
    size_t size = *text == 'x';
    while (is_word(text[size]) || (unsigned char)text[size] >= 0x80 || text[size] == '.' ||
           text[size] == '%')
        size++;
    size_t longer = size + strspn(text + size, " ");
    if (longer > size && strncmp(text + longer, "USD/h", 5) == 0 && !is_word(text[longer + 5]))
        return longer + 5;
    if (text[size] != '/')
        return size;
    longer = size + 1;
    while (is_word(text[longer]))
        longer++;
    char whole[NAME_MAX_SIZE];
    struct quantity ignored;
    if (longer == size + 1 || longer >= sizeof whole)
        return size;
    snprintf(whole, sizeof whole, "%.*s", (int)longer, text);
    return unit_read(whole, &ignored, NULL) ? longer : size;
}

static struct term read_number(struct parser *parser)
{
    const char *text = parser->text + parser->at;
    size_t from = parser->at, size = number_size(text);
    char word[NAME_MAX_SIZE];
    struct quantity quantity;
    struct unit_problem problem;
    if (size >= sizeof word)
        return fail(parser, from, size, NULL, "a number of %zu characters", size);
    snprintf(word, sizeof word, "%.*s", (int)size, text);
    if (!unit_read(word, &quantity, &problem))
        return fail(parser, from, size, problem.hint, "%s", problem.message);
    parser->at += size;
    return term_of(&quantity);
}

static struct term read_sum(struct parser *parser);

static struct term read_value(struct parser *parser)
{
    skip_spaces(parser);
    const char *text = parser->text + parser->at;
    size_t from = parser->at;
    if (parser->failed)
        return (struct term){0};
    if (*text == '(') {
        if (++parser->depth > DEPTH_MAX)
            return fail(parser, from, 1, NULL, "parentheses are nested deeper than %d", DEPTH_MAX);
        parser->at++;
        struct term inside = read_sum(parser);
        skip_spaces(parser);
        if (!parser->failed && parser->text[parser->at] != ')')
            return fail(parser, from, 1, NULL, "the `(` is not closed");
        parser->at++;
        parser->depth--;
        return inside;
    }
    if (*text == '-') {
        if (++parser->depth > DEPTH_MAX)
            return fail(parser, from, 1, NULL, "more than %d signs", DEPTH_MAX);
        parser->at++;
        struct term value = read_value(parser);
        value.value = -value.value;
        parser->depth--;
        return value;
    }
    if (unit_is_number(text) && *text != '+')
        return read_number(parser);
    size_t dollar = *text == '$';
    size_t size = (size_t)(formula_name_end(text + dollar) - (text + dollar));
    if (!size || size >= NAME_MAX_SIZE)
        return fail(parser, from, *text != '\0', "for example $(100% - writes)",
                    "a number or the name of a var is missing here");
    char name[NAME_MAX_SIZE];
    snprintf(name, sizeof name, "%.*s", (int)size, text + dollar);
    struct quantity quantity;
    parser->at += dollar + size;
    if (!parser->names->value(parser->names->context, name, from, dollar + size, &quantity)) {
        fail(parser, from, size, NULL, "%s", "");
        return (struct term){0};
    }
    return term_of(&quantity);
}

/* What pure numbers make of each other: the special kind survives the plain one. */
static enum unit_dimension pure_product(enum unit_dimension a, enum unit_dimension b)
{
    if (a == UNIT_PLAIN)
        return b;
    return b == UNIT_PLAIN || a == UNIT_FACTOR ? a : b == UNIT_FACTOR ? b : a;
}

static struct term product(struct term a, struct term b)
{
    bool both_pure = is_pure(&a) && is_pure(&b);
    return (struct term){
        .value = a.value * b.value,
        .seconds = a.seconds + b.seconds,
        .bytes = a.bytes + b.bytes,
        .money = a.money + b.money,
        .pure = both_pure ? pure_product(a.pure, b.pure) : UNIT_PLAIN,
    };
}

static struct term quotient(struct term a, struct term b)
{
    bool both_pure = is_pure(&a) && is_pure(&b);
    return (struct term){
        .value = a.value / b.value,
        .seconds = a.seconds - b.seconds,
        .bytes = a.bytes - b.bytes,
        .money = a.money - b.money,
        .pure = both_pure && a.pure != b.pure && b.pure == UNIT_PLAIN ? a.pure : UNIT_PLAIN,
    };
}

static struct term read_product(struct parser *parser)
{
    struct term left = read_value(parser);
    for (;;) {
        skip_spaces(parser);
        char sign = parser->text[parser->at];
        size_t at = parser->at;
        if (parser->failed || (sign != '*' && sign != '/'))
            return left;
        parser->at++;
        struct term right = read_value(parser);
        if (sign == '/' && right.value == 0)
            return fail(parser, at, 1, NULL, "a division by zero");
        left = sign == '*' ? product(left, right) : quotient(left, right);
        /* Exponents stay small in every sensible formula; this also keeps them from overflowing. */
        if (left.seconds < -9 || left.seconds > 9 || left.bytes < -9 || left.bytes > 9 ||
            left.money < -9 || left.money > 9)
            return fail(parser, at, 1, NULL, "a power without a unit");
    }
}

static struct term read_sum(struct parser *parser)
{
    struct term left = read_product(parser);
    for (;;) {
        skip_spaces(parser);
        char sign = parser->text[parser->at];
        size_t at = parser->at;
        if (parser->failed || (sign != '+' && sign != '-'))
            return left;
        parser->at++;
        struct term right = read_product(parser);
        if (parser->failed)
            return left;
        if (left.seconds != right.seconds || left.bytes != right.bytes ||
            left.money != right.money || left.pure != right.pure)
            return fail(parser, at, 1, "both sides need the same kind of unit",
                        "%s and %s cannot be %s", name_of(&left), name_of(&right),
                        sign == '+' ? "added" : "subtracted");
        left.value += sign == '+' ? right.value : -right.value;
    }
}

/* The value rounded to 15 significant digits in its own unit, which removes what binary fractions
 * add: 100% - 5% - 35% is 60%. */
static bool write_result(struct parser *parser, const struct term *term, size_t offset,
                         char result[UNIT_TEXT_SIZE])
{
    enum unit_dimension dimension = dimension_of(term);
    size_t length = parser->at - offset;
    if (dimension == UNIT_COUNT) {
        fail(parser, offset, length, NULL, "the result is %s", name_of(term));
        return false;
    }
    double value = term->value;
    if (dimension == UNIT_TIME)
        value *= 1e9;
    if (dimension == UNIT_MONEY)
        value *= 3600;
    if (!(fabs(value) < 9.2e18)) {
        fail(parser, offset, length, NULL, "the result is too large");
        return false;
    }
    struct quantity rounded;
    char text[UNIT_TEXT_SIZE];
    unit_format_short(value, dimension, 15, text);
    if (!unit_read(text, &rounded, NULL)) {
        fail(parser, offset, length, NULL, "the result is too large or too small");
        return false;
    }
    if (dimension == UNIT_TIME)
        unit_format_time(rounded.whole, result);
    else
        unit_format(rounded.value, dimension, result);
    return true;
}

bool formula_evaluate(const char *text, size_t offset, const struct formula_names *names,
                      char result[UNIT_TEXT_SIZE], size_t *end, struct formula_problem *problem)
{
    struct parser parser = {.text = text, .at = offset, .names = names, .problem = problem};
    struct term term = read_sum(&parser);
    skip_spaces(&parser);
    if (!parser.failed && text[parser.at] != ')') {
        char c = text[parser.at];
        if (c == ',')
            fail(&parser, parser.at, 1, NULL, "a comma in a formula");
        else if (c)
            fail(&parser, parser.at, 1, "there are + - * / and parentheses",
                 "this does not belong in a formula");
        else
            fail(&parser, offset - 1, 1, NULL, "the `(` is not closed");
    }
    if (parser.failed || !write_result(&parser, &term, offset, result))
        return false;
    *end = parser.at + 1;
    return true;
}
