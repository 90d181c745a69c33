#include "engine/scenario/condition.h"
#include "engine/scenario/unit.h"

#include <string.h>

enum { CONDITION_DEPTH_MAX = 64 };

enum token {
    TOKEN_END,
    TOKEN_WORD, /* names, quantities, calls */
    TOKEN_OPEN,
    TOKEN_CLOSE,
    TOKEN_OPERATOR, /* == != < <= > >= + - * / and or not */
    TOKEN_BAD,
};

/* A leaf is a word; the others are an operator over `left` and `right` (`not` has no left). */
struct condition {
    const struct document *document;
    const struct node *scalar;
    size_t offset, length; /* of the leaf's word, or of the operator */
    const char *text;
    const struct condition *left, *right;
};

struct reader {
    const struct document *document;
    const struct node *scalar;
    const char *text;
    size_t at, end;
    enum token token;
    size_t begin; /* of the token */
    uint32_t depth;
};

static void fail(struct reader *r, const char *message)
{
    size_t length = r->at > r->begin ? r->at - r->begin : 1;
    if (r->token != TOKEN_BAD)
        diagnostic_error(r->document->diagnostics,
                         document_place(r->document, r->scalar, r->begin, length),
                         "conditions: ack == quorum and r + w > 3", "%s", message);
    r->token = TOKEN_BAD;
}

static bool word_character(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '.' || c == '%';
}

/* A word: letters and digits, the unit of a rate behind its slash, a call with its arguments. */
static void read_word(struct reader *r)
{
    const char *t = r->text;
    bool number = t[r->at] >= '0' && t[r->at] <= '9';
    while (r->at < r->end && word_character(t[r->at]))
        r->at++;
    if (number && r->at + 1 < r->end && t[r->at] == '/' && strchr("smh", t[r->at + 1]))
        for (r->at++; r->at < r->end && word_character(t[r->at]);)
            r->at++;
    if (r->at >= r->end || t[r->at] != '(')
        return;
    int depth = 0;
    do {
        depth += t[r->at] == '(' ? 1 : t[r->at] == ')' ? -1 : 0;
        r->at++;
    } while (depth && r->at < r->end);
    if (depth)
        fail(r, "a parenthesis is not closed");
}

static bool is(const struct reader *r, const char *word)
{
    size_t length = strlen(word);
    return r->at - r->begin == length && !memcmp(r->text + r->begin, word, length);
}

static void next(struct reader *r)
{
    if (r->token == TOKEN_BAD)
        return;
    while (r->at < r->end && r->text[r->at] == ' ')
        r->at++;
    r->begin = r->at;
    if (r->at >= r->end) {
        r->token = TOKEN_END;
        return;
    }
    char c = r->text[r->at], d = r->at + 1 < r->end ? r->text[r->at + 1] : 0;
    if (c == '(' || c == ')') {
        r->at++;
        r->token = c == '(' ? TOKEN_OPEN : TOKEN_CLOSE;
    } else if (strchr("=!<>", c)) {
        r->at += d == '=' ? 2 : 1;
        r->token = TOKEN_OPERATOR;
        if (is(r, "=") || is(r, "!"))
            fail(r, "equality is written ==, its opposite !=");
    } else if (strchr("+-*/", c)) {
        r->at++;
        r->token = TOKEN_OPERATOR;
    } else if (word_character(c)) {
        r->token = TOKEN_WORD;
        read_word(r);
        if (r->token != TOKEN_BAD && (is(r, "and") || is(r, "or") || is(r, "not")))
            r->token = TOKEN_OPERATOR;
    } else {
        r->at++;
        fail(r, "this is no part of a condition");
    }
}

static struct condition *make(struct reader *r)
{
    struct condition *c = arena_new(r->document->arena, struct condition);
    *c = (struct condition){
        .document = r->document,
        .scalar = r->scalar,
        .offset = r->begin,
        .length = r->at - r->begin,
        .text = arena_text(r->document->arena, r->text + r->begin, r->at - r->begin),
    };
    return c;
}

/* Operators by how loosely they bind; `not` stands between `and` and the comparisons. */
static const char *const levels[][7] = {
    {"or"}, {"and"}, {"==", "!=", "<", "<=", ">", ">="}, {"+", "-"}, {"*", "/"},
};
enum { LEVEL_COMPARE = 2, LEVELS = sizeof levels / sizeof *levels };

static bool at_level(const struct reader *r, int level)
{
    for (int i = 0; r->token == TOKEN_OPERATOR && levels[level][i]; i++)
        if (is(r, levels[level][i]))
            return true;
    return false;
}

static const struct condition *read_level(struct reader *r, int level);

static const struct condition *read_primary(struct reader *r)
{
    const struct condition *c = NULL;
    if (r->token == TOKEN_OPEN) {
        if (++r->depth > CONDITION_DEPTH_MAX)
            fail(r, "parentheses are nested too deep");
        next(r);
        c = read_level(r, 0);
        if (r->token != TOKEN_CLOSE)
            fail(r, "a parenthesis is not closed");
        r->depth--;
        next(r);
    } else if (r->token == TOKEN_WORD) {
        c = make(r);
        next(r);
    } else {
        fail(r, r->token == TOKEN_END ? "the condition ends too early"
                                      : "a name or a value must stand here");
    }
    return c;
}

static const struct condition *read_level(struct reader *r, int level)
{
    if (level == LEVELS)
        return read_primary(r);
    if (level == LEVEL_COMPARE && r->token == TOKEN_OPERATOR && is(r, "not")) {
        struct condition *c = make(r);
        if (++r->depth > CONDITION_DEPTH_MAX)
            fail(r, "the condition is nested too deep");
        next(r);
        c->right = read_level(r, level);
        r->depth--;
        return c;
    }
    const struct condition *left = read_level(r, level + 1);
    while (at_level(r, level)) {
        struct condition *c = make(r);
        next(r);
        c->left = left;
        c->right = read_level(r, level + 1);
        left = c;
        if (level == LEVEL_COMPARE && at_level(r, level))
            fail(r, "one comparison at a time: a < b and b < c");
    }
    return left;
}

const struct condition *condition_parse(const struct document *document, const struct node *scalar,
                                        size_t offset, size_t length)
{
    struct reader r = {.document = document,
                       .scalar = scalar,
                       .text = scalar->text,
                       .at = offset,
                       .end = offset + length};
    next(&r);
    const struct condition *c = read_level(&r, 0);
    if (r.token != TOKEN_END)
        fail(&r, "the condition should have ended here");
    return r.token == TOKEN_BAD ? NULL : c;
}

enum value_type { VALUE_BAD, VALUE_BOOL, VALUE_QUANTITY, VALUE_WORD };

struct value {
    enum value_type type;
    bool truth;
    bool named; /* a name of the point, not a word as such */
    double number;
    enum unit_dimension dimension;
    const char *text;
};

static struct value bad(const struct condition *c, const char *hint, const char *message)
{
    diagnostic_error(c->document->diagnostics,
                     document_place(c->document, c->scalar, c->offset, c->length), hint, "%s",
                     message);
    return (struct value){0};
}

static struct value value_of_text(const char *text, bool named)
{
    struct quantity q;
    struct value v = {.type = VALUE_WORD, .text = text, .named = named};
    if (unit_is_number(text) && unit_read(text, &q, NULL)) {
        v.type = VALUE_QUANTITY;
        v.number = q.value;
        v.dimension = q.dimension;
    }
    return v;
}

static bool words_equal(const char *value, const char *wanted)
{
    if (!strcmp(value, wanted))
        return true;
    size_t head = strcspn(value, "(");
    return !strchr(wanted, '(') && strlen(wanted) == head && !memcmp(value, wanted, head);
}

static bool comparable(const struct value *a, const struct value *b)
{
    return a->dimension == b->dimension || (a->dimension == UNIT_PLAIN && a->number == 0) ||
           (b->dimension == UNIT_PLAIN && b->number == 0);
}

bool condition_equal(const char *value, const char *wanted)
{
    struct value a = value_of_text(value, true), b = value_of_text(wanted, false);
    if (a.type == VALUE_QUANTITY && b.type == VALUE_QUANTITY)
        return comparable(&a, &b) && a.number == b.number;
    return words_equal(value, wanted);
}

static struct value evaluate(const struct condition *c, const struct condition_names *names);

static struct value compare(const struct condition *c, const struct condition_names *names)
{
    struct value a = evaluate(c->left, names), b = evaluate(c->right, names);
    struct value result = {.type = VALUE_BOOL};
    bool equality = !strcmp(c->text, "==") || !strcmp(c->text, "!=");
    if (a.type == VALUE_BAD || b.type == VALUE_BAD)
        return (struct value){0};
    if (a.type == VALUE_QUANTITY && b.type == VALUE_QUANTITY) {
        if (!comparable(&a, &b))
            return bad(c, NULL,
                       arena_format(c->document->arena, "%s does not compare with %s",
                                    unit_name(a.dimension), unit_name(b.dimension)));
        double x = a.number, y = b.number;
        result.truth = !strcmp(c->text, "==")   ? x == y
                       : !strcmp(c->text, "!=") ? x != y
                       : !strcmp(c->text, "<")  ? x < y
                       : !strcmp(c->text, "<=") ? x <= y
                       : !strcmp(c->text, ">")  ? x > y
                                                : x >= y;
        return result;
    }
    if (!equality)
        return bad(c, "words are equal (==) or not (!=)", "only quantities are less or more");
    if (a.type == VALUE_BOOL || b.type == VALUE_BOOL)
        return bad(c, NULL, "a condition is no value: put `and` or `or` between conditions");
    if (!a.text || !b.text)
        return bad(c, NULL, "a word does not compare with what was calculated");
    if (!a.named && !b.named) {
        size_t count = 0;
        const char *const *known = names->known(names->context, &count);
        return bad(
            c->left, diagnostic_suggest(c->document->diagnostics, c->left->text, known, count),
            arena_format(c->document->arena, "`%s` is no swept name and no var", c->left->text));
    }
    /* A name on either side may be the choice whose head is compared. */
    bool equal = a.named ? words_equal(a.text, b.text) : words_equal(b.text, a.text);
    result.truth = equal == !strcmp(c->text, "==");
    return result;
}

static struct value calculate(const struct condition *c, const struct condition_names *names)
{
    struct value a = evaluate(c->left, names), b = evaluate(c->right, names);
    char sign = c->text[0];
    if (a.type == VALUE_BAD || b.type == VALUE_BAD)
        return (struct value){0};
    if (a.type != VALUE_QUANTITY || b.type != VALUE_QUANTITY)
        return bad(c, NULL, "only quantities are calculated with");
    struct value v = {.type = VALUE_QUANTITY, .named = true, .dimension = a.dimension};
    if (sign == '+' || sign == '-') {
        if (!comparable(&a, &b))
            return bad(c, NULL, "quantities of different kinds do not add");
        if (a.dimension == UNIT_PLAIN)
            v.dimension = b.dimension;
        v.number = sign == '+' ? a.number + b.number : a.number - b.number;
    } else if (sign == '*') {
        if (a.dimension != UNIT_PLAIN && b.dimension != UNIT_PLAIN)
            return bad(c, NULL, "one side of * is a plain number");
        if (a.dimension == UNIT_PLAIN)
            v.dimension = b.dimension;
        v.number = a.number * b.number;
    } else {
        if (b.number == 0)
            return bad(c, NULL, "division by zero");
        if (b.dimension == a.dimension)
            v.dimension = UNIT_PLAIN;
        else if (b.dimension != UNIT_PLAIN)
            return bad(c, NULL, "quantities of different kinds do not divide");
        v.number = a.number / b.number;
    }
    return v;
}

static struct value truth(const struct condition *c, const struct condition_names *names)
{
    struct value v = evaluate(c, names);
    if (v.type == VALUE_WORD && v.named && (!strcmp(v.text, "true") || !strcmp(v.text, "false")))
        return (struct value){.type = VALUE_BOOL, .truth = !strcmp(v.text, "true")};
    if (v.type == VALUE_BOOL || v.type == VALUE_BAD)
        return v;
    if (v.type == VALUE_WORD && !v.named) {
        size_t count = 0;
        const char *const *known = names->known(names->context, &count);
        return bad(c, diagnostic_suggest(c->document->diagnostics, c->text, known, count),
                   arena_format(c->document->arena, "`%s` is no swept name and no var", c->text));
    }
    return bad(c, "compare it: workers <= 8", "this is a value, not a condition");
}

static struct value evaluate(const struct condition *c, const struct condition_names *names)
{
    if (!c->right) {
        const char *text = names->value(names->context, c->text);
        return text ? value_of_text(text, true) : value_of_text(c->text, false);
    }
    if (!strcmp(c->text, "and") || !strcmp(c->text, "or") || !strcmp(c->text, "not")) {
        /* Both sides are evaluated, so that an error never hides behind a side that decides. */
        struct value a = c->left ? truth(c->left, names) : (struct value){.type = VALUE_BOOL};
        struct value b = truth(c->right, names);
        if (a.type == VALUE_BAD || b.type == VALUE_BAD)
            return (struct value){0};
        bool result = c->text[0] == 'a'   ? a.truth && b.truth
                      : c->text[0] == 'o' ? a.truth || b.truth
                                          : !b.truth;
        return (struct value){.type = VALUE_BOOL, .truth = result};
    }
    return strchr("+-*/", c->text[0]) ? calculate(c, names) : compare(c, names);
}

bool condition_holds(const struct condition *condition, const struct condition_names *names,
                     bool *ok)
{
    struct value v = truth(condition, names);
    *ok = v.type == VALUE_BOOL;
    return v.truth;
}

bool condition_mentions(const struct condition *condition,
                        bool (*wanted)(const void *context, const char *word), const void *context)
{
    if (!condition->right)
        return wanted(context, condition->text);
    return (condition->left && condition_mentions(condition->left, wanted, context)) ||
           condition_mentions(condition->right, wanted, context);
}
