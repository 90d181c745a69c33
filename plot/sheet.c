#include "plot/sheet.h"

#include <errno.h>
#include <math.h>
#include <string.h>
#include <unistd.h>

/* The length of the UTF-8 character at `text`, by RFC 3629 (no overlong forms, no surrogates); 0
 * where there is none, or one that XML 1.0 forbids. */
static size_t character(const unsigned char *text)
{
    unsigned long code;
    size_t length = text[0] < 0x80 ? 1 : text[0] < 0xE0 ? 2 : text[0] < 0xF0 ? 3 : 4;
    static const unsigned long least[] = {0, 0, 0x80, 0x800, 0x10000};
    if (length == 1)
        return text[0] >= 0x20 && text[0] != 0x7F;
    if (text[0] < 0xC2 || text[0] > 0xF4)
        return 0;
    code = text[0] & (0x7Fu >> length);
    for (size_t i = 1; i < length; i++) {
        if ((text[i] & 0xC0) != 0x80)
            return 0;
        code = code << 6 | (text[i] & 0x3Fu);
    }
    if (code < least[length] || code > 0x10FFFF || (code >= 0xD800 && code < 0xE000))
        return 0;
    return code < 0xA0 || code == 0xFFFE || code == 0xFFFF ? 0 : length;
}

/* What stands for the character of `length` bytes at `at`; NULL for itself. */
static const char *substitute(const char *at, size_t length, bool tick)
{
    if (!length)
        return (unsigned char)*at < 0x80 ? " " : "\xEF\xBF\xBD";
    switch (*at) {
    case '"':
        return "\xE2\x80\x9D";
    case '\\':
        return "\\\\";
    case '&':
        /* The svg terminal writes `&#x` as it is, and what follows may be no character. */
        return at[1] == '#' ? "\xEF\xBC\x86" : NULL;
    case '%':
        return tick ? "%%" : NULL;
    default:
        return NULL;
    }
}

const char *sheet_clean(struct arena *arena, const char *text, size_t limit, bool tick)
{
    size_t characters = 0;
    char *clean = arena_take(arena, strlen(text) * 3 + 4), *to = clean, *cut = clean;
    while (*text) {
        if (characters + 1 == limit)
            cut = to;
        if (characters == limit) {
            memcpy(cut, "\xE2\x80\xA6", 4);
            return clean;
        }
        size_t length = character((const unsigned char *)text);
        const char *other = substitute(text, length, tick);
        if (other) {
            memcpy(to, other, strlen(other));
            to += strlen(other);
        } else {
            memcpy(to, text, length);
            to += length;
        }
        text += length ? length : 1;
        characters++;
    }
    *to = '\0';
    return clean;
}

static int failed(struct sheet *sheet)
{
    fprintf(sheet->folder->messages, "orrery: %s: %s\n", sheet->path, strerror(errno));
    return 3;
}

int sheet_open(struct sheet *sheet, struct folder *folder, const char *name, const char *suffix)
{
    struct arena *arena = &folder->arena;
    *sheet = (struct sheet){.folder = folder};
    sheet->path = arena_format(arena, "%s/plots/%s%s", folder->path, name, suffix);
    sheet->part = arena_format(arena, "%s.part", sheet->path);
    sheet->file = fopen(sheet->part, "w");
    return sheet->file ? 0 : failed(sheet);
}

void sheet_say(struct sheet *sheet, const char *key, size_t limit, const char *text)
{
    fprintf(sheet->file, "%s\t\"%s\"\n", key,
            sheet_clean(&sheet->folder->arena, text, limit, false));
}

void sheet_say_item(struct sheet *sheet, const char *key, size_t item, size_t limit,
                    const char *text)
{
    sheet_say(sheet, arena_format(&sheet->folder->arena, "%s.%zu", key, item), limit, text);
}

void sheet_say_tick(struct sheet *sheet, const char *key, size_t item, const char *text)
{
    fprintf(sheet->file, "%s.%zu\t\"%s\"\n", key, item,
            sheet_clean(&sheet->folder->arena, text, SHEET_TICK, true));
}

void sheet_set(struct sheet *sheet, const char *key, double value)
{
    /* gnuplot does not read back an exponent such as -06. */
    bool tiny = value > -1e-3 && value < 1e-3;
    fprintf(sheet->file, tiny ? "%s\t\"%.12f\"\n" : "%s\t\"%.9g\"\n", key, value);
}

void sheet_header(struct sheet *sheet, const char *columns)
{
    fprintf(sheet->file, "%s\n", columns);
}

void sheet_number(struct sheet *sheet, double value)
{
    const char *comma = sheet->column++ ? "," : "";
    if (isfinite(value))
        fprintf(sheet->file, "%s%.9g", comma, value);
    else
        fprintf(sheet->file, "%sNaN", comma);
}

void sheet_end_row(struct sheet *sheet)
{
    fputc('\n', sheet->file);
    sheet->column = 0;
}

int sheet_close(struct sheet *sheet)
{
    bool broken = ferror(sheet->file) != 0;
    broken |= fclose(sheet->file) != 0;
    sheet->file = NULL;
    if (!broken && !rename(sheet->part, sheet->path))
        return 0;
    int status = failed(sheet);
    unlink(sheet->part);
    return status;
}

int sheet_write(struct folder *folder, const char *name, const char *text)
{
    struct sheet sheet;
    if (sheet_open(&sheet, folder, name, ""))
        return 3;
    fputs(text, sheet.file);
    return sheet_close(&sheet);
}
