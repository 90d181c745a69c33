#include "plot/run_json.h"

#include <stdlib.h>
#include <string.h>

static const char *skip_space(const char *at)
{
    return at + strspn(at, " \t\r\n");
}

/* Behind the string that begins at `at` with its quote; NULL where it does not end. */
static const char *skip_string(const char *at)
{
    for (at++; *at && *at != '"'; at++)
        if (*at == '\\' && at[1])
            at++;
    return *at ? at + 1 : NULL;
}

/* Behind the value at `at`, NULL where the text ends within. Depth is counted, not recursed into,
 * so that no nesting can exhaust the stack. */
static const char *skip_value(const char *at)
{
    size_t depth = 0;
    do {
        at = skip_space(at);
        if (*at == '"') {
            at = skip_string(at);
            if (!at)
                return NULL;
        } else if (*at == '{' || *at == '[') {
            depth++;
            at++;
        } else if (*at == '}' || *at == ']') {
            if (depth-- == 0)
                return NULL;
            at++;
        } else if (*at == ',' || *at == ':') {
            if (depth == 0)
                return NULL;
            at++;
        } else {
            size_t length = strcspn(at, " \t\r\n,:{}[]\"");
            if (!length)
                return NULL;
            at += length;
        }
    } while (depth);
    return at;
}

static char *put_utf8(char *to, unsigned long code)
{
    if (code < 0x80) {
        *to++ = (char)code;
    } else if (code < 0x800) {
        *to++ = (char)(0xC0 | (code >> 6));
        *to++ = (char)(0x80 | (code & 0x3F));
    } else if (code < 0x10000) {
        *to++ = (char)(0xE0 | (code >> 12));
        *to++ = (char)(0x80 | ((code >> 6) & 0x3F));
        *to++ = (char)(0x80 | (code & 0x3F));
    } else {
        *to++ = (char)(0xF0 | (code >> 18));
        *to++ = (char)(0x80 | ((code >> 12) & 0x3F));
        *to++ = (char)(0x80 | ((code >> 6) & 0x3F));
        *to++ = (char)(0x80 | (code & 0x3F));
    }
    return to;
}

/* Four hexadecimal digits; false where there are fewer. */
static bool read_hex(const char *at, unsigned long *code)
{
    char digits[5] = {0};
    for (size_t i = 0; i < 4; i++) {
        if (!at[i] || !strchr("0123456789abcdefABCDEF", at[i]))
            return false;
        digits[i] = at[i];
    }
    *code = strtoul(digits, NULL, 16);
    return true;
}

/* The string between `from` and its closing quote at `end`. An escape is never shorter than what it
 * stands for. A lone surrogate and \u0000 become U+FFFD. */
static const char *unescape(struct arena *arena, const char *from, const char *end)
{
    char *text = arena_take(arena, (size_t)(end - from) + 1), *to = text;
    while (from < end) {
        if (*from != '\\') {
            *to++ = *from++;
            continue;
        }
        const char *names = "bfnrt\"\\/", *bytes = "\b\f\n\r\t\"\\/", *name;
        unsigned long code, low;
        if (from[1] == 'u' && read_hex(from + 2, &code)) {
            from += 6;
            if (code >= 0xD800 && code < 0xDC00 && from[0] == '\\' && from[1] == 'u' &&
                read_hex(from + 2, &low) && low >= 0xDC00 && low < 0xE000) {
                code = 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00);
                from += 6;
            } else if ((code >= 0xD800 && code < 0xE000) || code == 0) {
                code = 0xFFFD;
            }
            to = put_utf8(to, code);
        } else if (from[1] && (name = strchr(names, from[1])) != NULL) {
            *to++ = bytes[name - names];
            from += 2;
        } else {
            *to++ = *from++;
        }
    }
    *to = '\0';
    return text;
}

const char *run_json_value(struct arena *arena, const char *text, const char *key)
{
    const char *at = skip_space(text);
    if (*at != '{')
        return NULL;
    do {
        at = skip_space(at + 1);
        const char *name_end = *at == '"' ? skip_string(at) : NULL;
        if (!name_end)
            return NULL;
        const char *name = unescape(arena, at + 1, name_end - 1);
        at = skip_space(name_end);
        if (*at != ':')
            return NULL;
        at = skip_space(at + 1);
        const char *end = skip_value(at);
        if (!end)
            return NULL;
        if (!strcmp(name, key)) {
            if (*at == '{' || *at == '[')
                return NULL;
            return *at == '"' ? unescape(arena, at + 1, end - 1)
                              : arena_text(arena, at, (size_t)(end - at));
        }
        at = skip_space(end);
    } while (*at == ',');
    return NULL;
}
